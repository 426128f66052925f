// Package stats computes statistics from the record of package journal: from the
// raw facts alone, so that a definition may change afterwards and what was before is
// counted by the new one. What is live (today, the last half hour) and what is long
// ago comes from the same code.
//
// The database adds up: one statement for each table of facts, whose rows are as
// many as the lines of the report, so that memory does not depend on how much
// happened. Hours and days that are over are counted ahead by the same statements
// (roll.go) and read from there (rolled.go); what is not counted yet, or not any
// more, a report counts itself. All is integers, microseconds and counts; a mean, a
// share or a percentile is kept as the two integers that it is made of, so that
// SQLite and PostgreSQL, and facts and what was counted ahead, give the same to the
// last digit.
//
// What each figure is, by what formula and from which table, is the list of
// figures.go, which reports show with the numbers and docs/guides/statistics.md
// has for people.
//
// What it does not do: it writes nothing but what can be made again, knows no rights
// (who asks narrows the Query), and estimates nothing.
package stats

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"centrala/internal/journal"
	"centrala/internal/journal/db"
	"centrala/queuegroups"
)

// Dimension is what the lines of a report differ in.
type Dimension string

// The dimensions. Times are those of Query.Zone.
const (
	ByGroup    Dimension = "group"
	ByAgent    Dimension = "agent"
	ByNumber   Dimension = "number" // called from outside
	ByTrunk    Dimension = "trunk"
	ByChannel  Dimension = "channel"
	ByHour     Dimension = "hour"     // of the day: 00 to 23
	ByWeekday  Dimension = "weekday"  // 1, Monday, to 7
	ByDay      Dimension = "day"      // 2026-11-21
	ByInterval Dimension = "interval" // of Query.Interval; RFC 3339, its beginning in UTC
)

// Dimensions returns all of them.
func Dimensions() []Dimension {
	return []Dimension{ByGroup, ByAgent, ByNumber, ByTrunk, ByChannel, ByHour, ByWeekday, ByDay, ByInterval}
}

// Cohort says what decides whether, and in which interval, something counts.
type Cohort string

const (
	// Decided: when it was decided. A wait counts when it ended, an offer and a talk
	// when they ended, wrap-up with its talk, a call when it ended. It is the default:
	// what was counted once stays as it is.
	Decided Cohort = "decided"
	// Arrived: when the call or chat arrived that it belongs to. Those of one hour are
	// followed to their ends, whenever these were, and figures of the last hours grow.
	Arrived Cohort = "arrived"
)

// MaxLines bounds the lines of a report.
const MaxLines = 50_000

var (
	// ErrTooLarge says that a report would have more than MaxLines lines.
	ErrTooLarge = errors.New("stats: the report would have too many lines")
	// ErrQuery is in the error of a query that makes no sense.
	ErrQuery = errors.New("stats: a query without sense")
)

// Query says what to report. Lists narrow it to their members; nil: all.
type Query struct {
	From, Till time.Time // from the one on, before the other
	Zone       *time.Location
	By         []Dimension   // none: the total alone
	Interval   time.Duration // of ByInterval: 15 min, 30 min or an hour
	Cohort     Cohort        // empty: Decided

	Groups   []queuegroups.GroupID
	Agents   []queuegroups.AgentID // what they answered, were offered, talked; what was waited for nobody is left out
	Numbers  []string
	Trunks   []queuegroups.TrunkID
	Channels []queuegroups.ChannelID
	Kind     string // call, chat
	Way      string // in, out, internal

	// Staff narrows, beside Agents, whose states count: those who may be seen by
	// whoever asks. nil: all.
	Staff []queuegroups.AgentID
	// Levels are the groups' measures; of others, and of those that have gone, the
	// default holds. Level, if there is one, holds for all of them instead.
	Levels map[queuegroups.GroupID]queuegroups.ServiceLevel
	Level  *queuegroups.ServiceLevel
	// Figures are the names of those that are asked for; nil: all. What none of them
	// needs is not counted.
	Figures []string
	// Now are states that have not ended yet, with Ended 0: they last until Till.
	Now []journal.AgentState
}

// Report is what was counted.
type Report struct {
	Query Query
	Lines []Line // by key
	Total Line   // of all lines
}

// Line is the sums of what has the same key.
type Line struct {
	Key  []string // in order of Query.By
	sums sums
	// ranks are the percentiles, and waits those of which they are found, in order each
	// list.
	ranks [numSeries]percentiles
	waits [numSeries][][]int64
	// level is the only measure that was used; mixed: there were several.
	level queuegroups.ServiceLevel
	mixed bool

	order []int64 // of the parts of Key that are times
}

// Compute makes a report. Errors are ErrQuery, ErrTooLarge, and the database's.
func Compute(ctx context.Context, d *db.DB, q Query) (*Report, error) {
	return compute(ctx, d, q, false)
}

// compute makes a report; raw: from the facts alone.
func compute(ctx context.Context, d *db.DB, q Query, raw bool) (*Report, error) {
	if err := q.check(); err != nil {
		return nil, err
	}
	r := &running{ctx: ctx, db: d, q: q, lines: map[string]*Line{}, raw: raw}
	r.zone = offsets(q.Zone, q.From, q.Till)
	if err := r.counted(); err != nil {
		return nil, err
	}
	return r.report(), nil
}

// counted counts whatever is asked for.
func (r *running) counted() error {
	for _, t := range waitTables() {
		if err := r.waited(&t); err != nil {
			return err
		}
	}
	for _, t := range tables() {
		if !r.q.needs(t.of) {
			continue
		}
		left, err := r.rolled(&t, r.whole(), r.lengths(), r.take(&t))
		if err != nil {
			return err
		}
		for _, in := range left {
			if err := r.addUp(&t, in); err != nil {
				return err
			}
		}
	}
	if r.q.needs(fromStates) && r.q.ofTime() {
		return r.stood()
	}
	return nil
}

// waited counts the waits of a table, and finds their percentiles.
func (r *running) waited(t *table) error {
	all, ranked := r.q.needs(t.of), r.ranked(t)
	if !all && ranked == [2]bool{} {
		return nil
	}
	left, err := r.rolled(t, r.whole(), r.lengths(), r.takeWaits(t))
	if err != nil {
		return err
	}
	raw := slices.Equal(left, []span{r.whole()})
	for _, in := range left {
		if !all {
			break
		}
		if err := r.judge(t, in); err != nil {
			return err
		}
	}
	for kind, x := range t.single {
		switch {
		case !ranked[kind]:
		case raw:
			if err := r.waits(t, x); err != nil {
				return err
			}
		default:
			for _, in := range left {
				if err := r.values(t, x, in); err != nil {
					return err
				}
			}
			r.rank(x.rank)
		}
	}
	return nil
}

// stood counts the states. They count where they end, those that end behind the
// report, too, as far as they were in it.
func (r *running) stood() error {
	t, in := statesTable(), r.whole()
	lengths, take := r.lengths(), r.takeStates(&t)
	left, err := r.rolled(&t, in, lengths, take)
	if err != nil {
		return err
	}
	behind := span{in.till, forever}
	if lengths != nil {
		behind.from = ceil(in.till, hour)
		left = append(left, span{in.till, behind.from}) // an hour in which the report ends
		rest, err := r.rolled(&t, behind, []int64{day, hour}, take)
		if err != nil {
			return err
		}
		left = append(left, rest...)
	} else {
		left = append(left, behind)
	}
	for _, in := range joined(left) {
		if err := r.states(in); err != nil {
			return err
		}
	}
	return r.standing()
}

func (q *Query) check() error {
	switch {
	case !q.From.Before(q.Till):
		return fmt.Errorf("%w: it ends before it begins", ErrQuery)
	case q.Zone == nil:
		return fmt.Errorf("%w: no time zone", ErrQuery)
	case q.Till.Sub(q.From) > 10*366*24*time.Hour:
		return fmt.Errorf("%w: more than ten years", ErrQuery)
	}
	q.Cohort = cmp.Or(q.Cohort, Decided)
	if q.Cohort != Decided && q.Cohort != Arrived {
		return fmt.Errorf("%w: no cohort %q", ErrQuery, q.Cohort)
	}
	for k, d := range q.By {
		if !slices.Contains(Dimensions(), d) || slices.Contains(q.By[:k], d) {
			return fmt.Errorf("%w: dimension %q", ErrQuery, d)
		}
		if d == ByInterval && q.Interval != 15*time.Minute && q.Interval != 30*time.Minute && q.Interval != time.Hour {
			return fmt.Errorf("%w: an interval is of 15, 30 or 60 minutes", ErrQuery)
		}
	}
	return nil
}

// has tells whether the lines differ in the dimension.
func (q *Query) has(d Dimension) bool { return slices.Contains(q.By, d) }

// ofAgents tells whether the report is about what agents did, rather than about
// those who waited.
func (q *Query) ofAgents() bool { return q.has(ByAgent) || q.Agents != nil }

// running is a report in the making.
type running struct {
	ctx   context.Context
	db    *db.DB
	q     Query
	zone  zone
	lines map[string]*Line
	total [numSeries]percentiles
	raw   bool    // nothing that was counted ahead
	err   error   // of taking a chunk
	cells []*Line // of the chunk
	id    []byte  // of the line
}

// line finds the line of a key, and begins it if need be.
func (r *running) line(key []cell) (*Line, error) {
	r.id = r.id[:0]
	for _, c := range key {
		r.id = binary.AppendVarint(r.id, c.number)
		r.id = append(binary.AppendUvarint(r.id, uint64(len(c.name))), c.name...)
	}
	if l := r.lines[string(r.id)]; l != nil {
		return l, nil
	}
	if len(r.lines) == MaxLines {
		return nil, ErrTooLarge
	}
	l := &Line{Key: make([]string, len(key)), order: make([]int64, len(key))}
	for k, c := range key {
		l.Key[k], l.order[k] = c.text(r.q.By[k]), c.number
	}
	r.lines[string(r.id)] = l
	return l, nil
}

// report puts the lines in order and adds them up.
func (r *running) report() *Report {
	out := &Report{Query: r.q}
	for _, l := range r.lines {
		out.Lines = append(out.Lines, *l)
	}
	slices.SortFunc(out.Lines, func(a, b Line) int {
		for k := range a.Key {
			if c := cmp.Or(cmp.Compare(a.order[k], b.order[k]), cmp.Compare(a.Key[k], b.Key[k])); c != 0 {
				return c
			}
		}
		return 0
	})
	for k := range out.Lines {
		out.Total.merge(&out.Lines[k])
	}
	out.Total.ranks = r.total
	if len(r.q.By) == 0 {
		out.Lines = nil // it was the total
	}
	return out
}

// merge adds another line's sums.
func (l *Line) merge(o *Line) {
	l.sums.merge(&o.sums)
	if o.mixed || o.level != (queuegroups.ServiceLevel{}) {
		l.measured(o.level)
		l.mixed = l.mixed || o.mixed
	}
}

// measured notes that a measure was used.
func (l *Line) measured(m queuegroups.ServiceLevel) {
	if l.level == (queuegroups.ServiceLevel{}) {
		l.level = m
	}
	l.mixed = l.mixed || l.level != m
}
