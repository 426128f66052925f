package stats

import (
	"fmt"
	"slices"
	"strings"

	"centrala/internal/journal"
	"centrala/queuegroups"
)

// How waits end: every outcome of the table visits is one of these. Outcomes that
// the core may get later are among those unserved.
const (
	endAnswered  = "'" + journal.VisitAnswered + "'"
	endAbandoned = "'abandoned_waiting', 'abandoned_ringing'"
	endOut       = "'overflow', 'moved', 'forwarded', 'forwarded_outside', 'voicemail', 'callback_taken'"
	endAway      = "'queue_full', 'closed_hours', 'rejected'"
)

const wait = "(f.left_at - f.entered)"

func visitFacts() fact {
	return fact{name: "visits", decided: "f.left_at", group: "f.group_id", agent: "f.agent_id"}
}

// measureOf is by what a group is measured.
func (r *running) measureOf(g queuegroups.GroupID) queuegroups.ServiceLevel {
	if r.q.Level != nil {
		return *r.q.Level
	}
	return r.q.Levels[g].OrDefault()
}

// limit is one of the limits of the groups' measures, as SQL.
func (r *running) limit(s *statement, of func(queuegroups.ServiceLevel) int64) string {
	otherwise := of(r.measureOf("")) // which is no group
	var b strings.Builder
	if r.q.Level == nil {
		groups := make([]queuegroups.GroupID, 0, len(r.q.Levels))
		for g := range r.q.Levels {
			groups = append(groups, g)
		}
		slices.Sort(groups)
		for _, g := range groups {
			if limit := of(r.measureOf(g)); limit != otherwise {
				fmt.Fprintf(&b, " when %s then %d", s.arg(string(g)), limit)
			}
		}
	}
	if b.Len() == 0 {
		return fmt.Sprint(otherwise)
	}
	return fmt.Sprintf("case f.group_id%s else %d end", b.String(), otherwise)
}

// visits adds up how long was waited for the groups and how that ended. Each group
// has its measure, so that the database adds up by group, too.
func (r *running) visits() error {
	s := r.begin(visitFacts())
	own := slices.Index(r.q.By, ByGroup)
	if own < 0 {
		own = len(s.keys)
		s.keys = append(s.keys, "f.group_id")
	}
	within := r.limit(s, func(l queuegroups.ServiceLevel) int64 { return l.Within.Microseconds() })
	short := r.limit(s, func(l queuegroups.ServiceLevel) int64 { return l.Short.Microseconds() })
	ended := func(in string) string { return "f.outcome in (" + in + ")" }
	answered, abandoned := ended(endAnswered), ended(endAbandoned)
	promised := answered + " and f.promised is not null"
	const told, real = "(f.promised - f.entered)", wait
	folds := []fold{
		{visitsAll, "count(*)"}, count(visitsAway, ended(endAway)), count(visitsAnswered, answered), count(visitsAbandoned, abandoned),
		count(visitsOut, ended(endOut)),
		count(visitsUnserved, "f.outcome not in ("+strings.Join([]string{endAnswered, endAbandoned, endOut, endAway}, ", ")+")"),
		count(visitsShort, abandoned+" and "+wait+" < "+short), count(answeredWithin, answered+" and "+wait+" <= "+within),
		count(abandonedWithin, abandoned+" and "+wait+" >= "+short+" and "+wait+" <= "+within),
		total(waitAnswered, wait, answered), total(waitAbandoned, wait, abandoned),
		most(waitMax, wait, ended(endAnswered+", "+endAbandoned)),
		count(promises, promised), total(promisedWait, told, promised), total(promisedReal, real, promised),
		total(promisedWrong, "abs("+told+" - "+real+")", promised),
	}
	return r.run(s, folds, func(key []cell, values []int64) error {
		measure := r.measureOf(queuegroups.GroupID(key[own].name))
		l, err := r.line(key[:len(r.q.By)])
		if err != nil {
			return err
		}
		var row sums
		for k, f := range folds {
			row.add(f.sum, values[k])
		}
		row[levelPart], row[levelOf] = level(&row, measure.Abandons)
		l.sums.merge(&row)
		l.measured(measure)
		return nil
	})
}

// level is the service level as a part and of how many it is.
func level(s *sums, abandons queuegroups.Abandons) (part, of int64) {
	part, of = s[answeredWithin], offered(s)-s[visitsShort]
	switch abandons {
	case queuegroups.AbandonsIgnored:
		of -= s[abandonedWithin]
	case queuegroups.AbandonsPositive:
		part += s[abandonedWithin]
	case queuegroups.AbandonsNegative:
	}
	return part, of
}

// offered is how many came to wait: all but those turned away at the door.
func offered(s *sums) int64 { return s[visitsAll] - s[visitsAway] }

// percentiles of the waits of those answered, in microseconds, by nearest rank: the
// least wait that so many percent were not above. All are 0 where nobody was.
type percentiles struct {
	known bool
	of    [4]int64
}

// ranks are the percentiles.
func ranks() [4]int64 { return [4]int64{50, 90, 95, 99} }

// waits finds the percentiles of each line, and of all.
func (r *running) waits() error {
	if len(r.q.By) > 0 {
		err := r.ranked(r.q.By, func(key []cell) (*percentiles, error) {
			l, err := r.line(key)
			if err != nil {
				return nil, err
			}
			return &l.wait, nil
		})
		if err != nil {
			return err
		}
	}
	return r.ranked(nil, func([]cell) (*percentiles, error) { return &r.total, nil })
}

// ranked has the database put the waits in order, by key, and takes those in the
// places of the percentiles.
func (r *running) ranked(by []Dimension, into func(key []cell) (*percentiles, error)) error {
	s := r.begin(visitFacts()) // with the keys of the whole query, which narrow it
	s.and("f.outcome = %s", endAnswered)
	keys := s.keys
	if by == nil {
		keys = nil
	}
	var columns, over string
	for k, key := range keys {
		columns += fmt.Sprintf("%s as k%d, ", key, k)
		over += fmt.Sprintf("%s, ", key)
	}
	if over != "" {
		over = "partition by " + strings.TrimSuffix(over, ", ")
	}
	names := ""
	for k := range keys {
		names += fmt.Sprintf("k%d, ", k)
	}
	var places [4]string
	for k, p := range ranks() {
		places[k] = fmt.Sprintf("(n * %d + 99) / 100", p)
	}
	text := fmt.Sprintf("select %splace, n, waited from (select %s%s as waited, row_number() over (%s order by %s) as place, count(*) over (%s) as n%s) x where place in (%s)",
		names, columns, wait, over, wait, over, s.from(), strings.Join(places[:], ", "))
	rows, err := r.db.Read().QueryContext(r.ctx, text, s.args...)
	if err != nil {
		return fmt.Errorf("stats: waits: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		key, values := make([]cell, len(keys)), make([]int64, 3)
		if err := scan(rows, key, values); err != nil {
			return err
		}
		p, err := into(key)
		if err != nil {
			return err
		}
		p.known = true
		for k, percent := range ranks() {
			if values[0] == (values[1]*percent+99)/100 {
				p.of[k] = values[2]
			}
		}
	}
	return rows.Err()
}
