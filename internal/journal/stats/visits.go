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

func ended(in string) string { return "f.outcome in (" + in + ")" }

// visitsTable is what is added up of waits whatever they are measured by.
func visitsTable() table {
	answered, abandoned := ended(endAnswered), ended(endAbandoned)
	promised := answered + " and f.promised is not null"
	const told, real = "(f.promised - f.entered)", wait
	return table{of: fromVisits, rollup: journal.RollupVisits, fact: visitFacts(), folds: []fold{
		{visitsAll, "count(*)"}, count(visitsAway, ended(endAway)), count(visitsAnswered, answered), count(visitsAbandoned, abandoned),
		count(visitsOut, ended(endOut)),
		count(visitsUnserved, "f.outcome not in ("+strings.Join([]string{endAnswered, endAbandoned, endOut, endAway}, ", ")+")"),
		total(waitAnswered, wait, answered), total(waitAbandoned, wait, abandoned),
		most(waitMax, wait, ended(endAnswered+", "+endAbandoned)),
		count(promises, promised), total(promisedWait, told, promised), total(promisedReal, real, promised),
		total(promisedWrong, "abs("+told+" - "+real+")", promised),
	}, single: [2]listed{{answered, ofWaits}, {abandoned, unranked}}, took: wait}
}

// answersTable is what is added up of how long customers of chats waited for answers.
// What the channel was closed for is not part of it.
func answersTable() table {
	const took = "(f.ended - f.asked - f.asleep)"
	written, left := "f.outcome = '"+journal.AnswerWritten+"'", "f.outcome = '"+journal.AnswerLeft+"'"
	first, later := "f.n = 1 and "+written, "f.n > 1 and "+written
	return table{of: fromAnswers, rollup: journal.RollupAnswers, fact: fact{
		name: "answers", decided: "f.ended", group: "f.group_id", agent: "f.agent_id",
	}, folds: []fold{
		count(firstAnswers, first), total(firstTime, took, first), most(firstMax, took, first), count(firstLeft, "f.n = 1 and "+left),
		count(laterAnswers, later), total(laterTime, took, later), most(laterMax, took, later), count(laterLeft, "f.n > 1 and "+left),
	}, single: [2]listed{{first, ofFirsts}, {later, ofLaters}}, took: took}
}

// judge adds up a table of waits from the facts. Each group has its measure, so that
// the database adds up by group, too.
func (r *running) judge(t *table, in span) error {
	s := r.begin(t.fact, in)
	own := slices.Index(r.q.By, ByGroup)
	if own < 0 {
		own = len(s.keys)
		s.keys = append(s.keys, "f.group_id")
	}
	within := r.limit(s, func(l queuegroups.ServiceLevel) int64 { return l.Within.Microseconds() })
	folds := t.folds
	if t.of == fromVisits {
		short := r.limit(s, func(l queuegroups.ServiceLevel) int64 { return l.Short.Microseconds() })
		answered, abandoned := ended(endAnswered), ended(endAbandoned)
		folds = append(folds,
			count(visitsShort, abandoned+" and "+wait+" < "+short), count(answeredWithin, answered+" and "+wait+" <= "+within),
			count(abandonedWithin, abandoned+" and "+wait+" >= "+short+" and "+wait+" <= "+within))
	} else {
		folds = append(folds, count(firstWithin, t.single[0].condition+" and "+t.took+" <= "+within))
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
		if t.of == fromVisits {
			row[levelPart], row[levelOf] = level(&row, measure.Abandons)
			l.measured(measure)
		}
		l.sums.merge(&row)
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
