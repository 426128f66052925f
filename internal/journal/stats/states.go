package stats

import (
	"fmt"
	"strings"

	"centrala/acd"
	"centrala/internal/journal"
	"centrala/queuegroups"
)

// stateSum is where the time in a state goes; false: it is not counted.
func stateSum(status string) (sum, bool) {
	var st acd.AgentStatus
	if err := st.UnmarshalText([]byte(status)); err != nil {
		return 0, false // of a later version
	}
	switch st {
	case acd.Available:
		return stateAvailable, true
	case acd.Reserved, acd.Ringing:
		return stateRinging, true
	case acd.Talking:
		return stateTalking, true
	case acd.WrapUp:
		return stateWrapUp, true
	case acd.OnBreak:
		return stateBreak, true
	case acd.BackingOff, acd.BusyElsewhere:
		return stateOther, true
	case acd.Offline, acd.NotResponding, acd.Dismissed, acd.DayNotStarted, acd.OnLeave:
		return 0, false
	}
	return 0, false
}

// states adds up how long agents were in which state, each state cut at the ends
// of the report and of its intervals. It is left out of reports by what agents'
// time does not belong to.
func (r *running) states() error {
	for _, d := range r.q.By {
		if d == ByGroup || d == ByNumber || d == ByTrunk || d == ByChannel {
			return nil
		}
	}
	if r.q.Numbers != nil || r.q.Trunks != nil || r.q.Channels != nil || r.q.Kind != "" || r.q.Way != "" {
		return nil
	}
	if err := r.wholeStates(); err != nil {
		return err
	}
	if err := r.cutStates(); err != nil {
		return err
	}
	for _, st := range r.q.Now {
		if st.Group != "" || !r.seen(st.Agent) {
			continue
		}
		st.Ended = journal.MicrosOf(r.q.Till)
		if err := r.cut(st); err != nil {
			return err
		}
	}
	return nil
}

// whole is the condition that a state is within one interval, and in the report.
func (r *running) whole() string {
	list := []string{fmt.Sprintf("f.began >= %d and f.ended <= %d", r.q.From.UnixMicro(), r.q.Till.UnixMicro())}
	for _, d := range r.q.By {
		switch d {
		case ByHour: // the hour of which day, too
			list = append(list, fmt.Sprintf("(f.began + %s) / %d = (f.ended - 1 + %s) / %d", r.zone.offset("f.began"), hour, r.zone.offset("(f.ended - 1)"), hour))
		case ByWeekday:
			list = append(list, fmt.Sprintf("%s = %s", r.key(ByDay, "f.began"), r.key(ByDay, "(f.ended - 1)")))
		case ByDay, ByInterval:
			list = append(list, fmt.Sprintf("%s = %s", r.key(d, "f.began"), r.key(d, "(f.ended - 1)")))
		case ByGroup, ByAgent, ByNumber, ByTrunk, ByChannel:
		}
	}
	return strings.Join(list, " and ")
}

// stateRows begins a statement over the states that touch the report.
func (r *running) stateRows() *statement {
	s := &statement{f: fact{name: "agent_states", agent: "f.agent_id"}}
	s.and("f.ended > %d and f.began < %d and f.group_id = ''", r.q.From.UnixMicro(), r.q.Till.UnixMicro())
	only(s, "f.agent_id", r.q.Agents)
	only(s, "f.agent_id", r.q.Staff)
	return s
}

// wholeStates has the database add up those that need not be cut.
func (r *running) wholeStates() error {
	s := r.stateRows()
	s.and("%s", r.whole())
	for _, d := range r.q.By {
		s.by(r, d, "f.began")
	}
	s.keys = append(s.keys, "f.status")
	return r.run(s, []fold{{0, "sum(f.ended - f.began)"}}, func(key []cell, values []int64) error {
		last := len(key) - 1
		return r.stay(key[:last], key[last].name, values[0])
	})
}

// cutStates cuts the others: a few for each agent and interval.
func (r *running) cutStates() error {
	s := r.stateRows()
	rows, err := r.db.Read().QueryContext(r.ctx,
		"select f.agent_id, f.status, f.began, f.ended"+s.from()+" and not ("+r.whole()+")", s.args...)
	if err != nil {
		return fmt.Errorf("stats: states: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var st journal.AgentState
		if err := rows.Scan(&st.Agent, &st.Status, &st.Began, &st.Ended); err != nil {
			return fmt.Errorf("stats: states: %w", err)
		}
		if err := r.cut(st); err != nil {
			return err
		}
	}
	return rows.Err()
}

// cut adds a state to each of the intervals that it was in.
func (r *running) cut(st journal.AgentState) error {
	end := min(int64(st.Ended), r.q.Till.UnixMicro())
	for t := max(int64(st.Began), r.q.From.UnixMicro()); t < end; {
		next := min(end, r.next(t))
		key := make([]cell, len(r.q.By))
		for k, d := range r.q.By {
			if d == ByAgent {
				key[k].name = string(st.Agent)
			} else {
				key[k].number = r.keyAt(d, t)
			}
		}
		if err := r.stay(key, st.Status, next-t); err != nil {
			return err
		}
		t = next
	}
	return nil
}

// stay adds a time in a state to a line.
func (r *running) stay(key []cell, status string, took int64) error {
	s, counted := stateSum(status)
	if !counted {
		return nil
	}
	l, err := r.line(key)
	if err != nil {
		return err
	}
	l.sums.add(s, took)
	return nil
}

// seen tells whether an agent's states count.
func (r *running) seen(id queuegroups.AgentID) bool {
	for _, list := range [][]queuegroups.AgentID{r.q.Agents, r.q.Staff} {
		if list == nil {
			continue
		}
		found := false
		for _, x := range list {
			found = found || x == id
		}
		if !found {
			return false
		}
	}
	return true
}
