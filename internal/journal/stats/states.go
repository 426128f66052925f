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

// ofTime tells whether the report has agents' time: it belongs to no group, number,
// trunk or channel.
func (q *Query) ofTime() bool {
	for _, d := range []Dimension{ByGroup, ByNumber, ByTrunk, ByChannel} {
		if q.has(d) {
			return false
		}
	}
	return q.Numbers == nil && q.Trunks == nil && q.Channels == nil && q.Kind == "" && q.Way == ""
}

// states adds up how long agents were in which state, each state cut at the ends
// of the report and of its intervals: of those that ended in a range of time.
func (r *running) states(in span) error {
	if err := r.wholeStates(in); err != nil {
		return err
	}
	return r.cutStates(in)
}

// standing adds those that have not ended.
func (r *running) standing() error {
	for _, st := range r.q.Now {
		if st.Group != "" || !r.seen(st.Agent) {
			continue
		}
		st.Ended = journal.MicrosOf(r.q.Till)
		if err := r.cutState(st); err != nil {
			return err
		}
	}
	return nil
}

// inside is the condition that a state is within one interval, and in the report.
func (r *running) inside() string {
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

// stateRows begins a statement over the states that ended in a range of time and
// touch the report.
func (r *running) stateRows(in span) *statement {
	s := &statement{f: fact{name: "agent_states", agent: "f.agent_id"}}
	s.and("f.ended >= %d and f.ended < %d and f.began < %d and f.group_id = ''", in.from, in.till, r.q.Till.UnixMicro())
	only(s, "f.agent_id", r.q.Agents)
	only(s, "f.agent_id", r.q.Staff)
	return s
}

// wholeStates has the database add up those that need not be cut.
func (r *running) wholeStates(in span) error {
	s := r.stateRows(in)
	s.and("%s", r.inside())
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
func (r *running) cutStates(in span) error {
	s := r.stateRows(in)
	rows, err := r.db.Read().QueryContext(r.ctx,
		"select f.agent_id, f.status, f.began, f.ended"+s.from()+" and not ("+r.inside()+")", s.args...)
	if err != nil {
		return fmt.Errorf("stats: states: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var st journal.AgentState
		if err := rows.Scan(&st.Agent, &st.Status, &st.Began, &st.Ended); err != nil {
			return fmt.Errorf("stats: states: %w", err)
		}
		if err := r.cutState(st); err != nil {
			return err
		}
	}
	return rows.Err()
}

// cutState adds a state to each of the intervals that it was in.
func (r *running) cutState(st journal.AgentState) error {
	of, counts := stateSum(st.Status)
	if !counts {
		return nil
	}
	return r.cut(stay{string(st.Agent), of, int64(st.Began), int64(st.Ended)})
}

func (r *running) cut(s stay) error {
	end := min(s.ended, r.q.Till.UnixMicro())
	key := make([]cell, len(r.q.By))
	for t := max(s.began, r.q.From.UnixMicro()); t < end; {
		next := min(end, r.next(t))
		for k, d := range r.q.By {
			if d == ByAgent {
				key[k].name = s.agent
			} else {
				key[k].number = r.keyAt(d, t)
			}
		}
		l, err := r.line(key)
		if err != nil {
			return err
		}
		l.sums.add(s.sum, next-t)
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
