package stats

import (
	"database/sql"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"time"

	"centrala/queuegroups"
)

// span is a range of time: from the one on, before the other, µs.
type span struct{ from, till int64 }

// forever is behind all times, and where an hour and a day begin.
const forever = math.MaxInt64 / day * day

// whole is the range of the report.
func (r *running) whole() span { return span{r.q.From.UnixMicro(), r.q.Till.UnixMicro()} }

// floor and ceil are where hours or days of UTC begin.
func floor(t, length int64) int64 { return t - ((t%length)+length)%length }
func ceil(t, length int64) int64  { return floor(t+length-1, length) }

// fewAgents is of how many agents a report is made from the facts: their rows have
// indexes, while all agents' cells are to be read of what is counted ahead.
const fewAgents = 8

// few tells whether the report is about no more than so many.
func (q *Query) few() bool {
	return q.Agents != nil && len(q.Agents) <= fewAgents && !slices.Contains(q.Agents, "")
}

// lengths are what of that which is counted ahead can be used: nothing where it is
// about a few agents, all counts when its call arrived, or where local hours, or the
// intervals asked for, are not made of hours of UTC; days where all times are alike.
func (r *running) lengths() []int64 {
	if r.raw || r.q.Cohort != Decided || r.q.few() {
		return nil
	}
	if !slices.ContainsFunc(r.q.By, func(d Dimension) bool { return r.q.unit(d) > 0 }) {
		return []int64{day, hour}
	}
	if r.q.has(ByInterval) && r.q.Interval != time.Hour {
		return nil
	}
	for k, s := range r.zone {
		if s.offset%hour != 0 || k > 0 && s.from%hour != 0 {
			return nil
		}
	}
	return []int64{hour}
}

// rolled takes what is counted ahead of a range of time, and returns what remains to
// be counted from the facts.
func (r *running) rolled(t *table, in span, lengths []int64, take func(c *chunk, at int64)) ([]span, error) {
	left := []span{in}
	for _, length := range lengths {
		var still []span
		for _, s := range left {
			from, till := ceil(s.from, length), floor(s.till, length)
			if from >= till {
				still = append(still, s)
				continue
			}
			gaps, err := r.fetch(t, span{from, till}, length, take)
			if err != nil {
				return nil, err
			}
			still = append(append(append(still, span{s.from, from}), gaps...), span{till, s.till})
		}
		left = joined(still)
	}
	return left, nil
}

// joined leaves out empty ranges and joins those that meet.
func joined(list []span) (out []span) {
	for _, s := range list {
		switch n := len(out); {
		case s.from >= s.till:
		case n > 0 && out[n-1].till == s.from:
			out[n-1].till = s.till
		default:
			out = append(out, s)
		}
	}
	return out
}

// fetch takes the hours or days of a range of time that are counted, and returns
// those that are not. Of what lies behind the report only states matter that began
// before its end.
func (r *running) fetch(t *table, in span, length int64, take func(c *chunk, at int64)) (gaps []span, err error) {
	till := r.q.Till.UnixMicro()
	rows, err := r.db.Read().QueryContext(r.ctx, `select at, case when at < $1 or reach < $1 then data end from rollups
		where source = $2 and span = $3 and at >= $4 and at < $5 and detail = $6 and version = $7 and claim = 0 order by at`,
		till, string(t.rollup), length/hour, in.from, in.till, r.detail(t), version())
	if err != nil {
		return nil, fmt.Errorf("stats: %s: %w", t.rollup, err)
	}
	defer rows.Close()
	var c chunk
	for rows.Next() {
		var at int64
		var data sql.RawBytes
		if err := rows.Scan(&at, &data); err != nil {
			return nil, fmt.Errorf("stats: %s: %w", t.rollup, err)
		}
		if at > in.from {
			gaps = append(gaps, span{in.from, at})
		}
		in.from = at + length
		if len(data) == 0 {
			continue
		}
		if err := c.decode(data, t.folds, at); err != nil {
			return nil, err
		}
		take(&c, at)
		if r.err != nil {
			return nil, r.err
		}
	}
	return append(gaps, in), rows.Err()
}

// detail is in which detail a table is needed.
func (r *running) detail(t *table) string {
	if r.q.ofAgents() || t.of == fromStates && r.q.Staff != nil {
		return withAgents
	}
	return withGroups
}

// seenOf tells for each name of a chunk whether the cells that have it in a part of
// their keys count; nil: all do.
func seenOf[T ~string](c *chunk, list []T) []bool {
	if list == nil {
		return nil
	}
	seen := make([]bool, len(c.names))
	for k, name := range c.names {
		seen[k] = slices.Contains(list, T(name))
	}
	return seen
}

// sieve is what of a chunk's cells counts, by part of the key and name. States are of
// agents alone.
func (r *running) sieve(t *table, c *chunk) (seen [numOf][]bool) {
	seen[ofAgent] = seenOf(c, r.q.Agents)
	if t.of != fromStates {
		seen[ofGroup] = seenOf(c, r.q.Groups)
	}
	seen[ofNumber] = seenOf(c, r.q.Numbers)
	seen[ofTrunk] = seenOf(c, r.q.Trunks)
	seen[ofChannel] = seenOf(c, r.q.Channels)
	if r.q.Kind != "" {
		seen[ofKind] = seenOf(c, []string{r.q.Kind})
	}
	if r.q.Way != "" {
		seen[ofWay] = seenOf(c, []string{r.q.Way})
	}
	for _, d := range r.q.By {
		of, named := partOf(d)
		if !named {
			continue
		}
		if seen[of] == nil {
			seen[of] = make([]bool, len(c.names))
			for k := range seen[of] {
				seen[of][k] = true
			}
		}
		if k := slices.Index(c.names, ""); k >= 0 { // what has none is in no line
			seen[of][k] = false
		}
		if d == ByNumber {
			ways := seenOf(c, []string{"in"})
			for k, ok := range seen[ofWay] {
				ways[k] = ways[k] && ok
			}
			seen[ofWay] = ways
		}
	}
	return seen
}

// partOf is the part of the key of a cell that a dimension is; false: it is one of time.
func partOf(d Dimension) (of int, named bool) {
	switch d {
	case ByGroup:
		return ofGroup, true
	case ByAgent:
		return ofAgent, true
	case ByNumber:
		return ofNumber, true
	case ByTrunk:
		return ofTrunk, true
	case ByChannel:
		return ofChannel, true
	case ByHour, ByWeekday, ByDay, ByInterval:
	}
	return 0, false
}

// linesOf finds the line of each cell; nil: it does not count. Skip leaves out more.
func (r *running) linesOf(t *table, c *chunk, at int64, skip func(cell int) bool) []*Line {
	r.cells = slices.Grow(r.cells[:0], c.size)[:c.size]
	seen := r.sieve(t, c)
	key := make([]cell, len(r.q.By))
	var parts []int
	for k, d := range r.q.By {
		of, named := partOf(d)
		if !named {
			of, key[k].number = -1, r.keyAt(d, at)
		}
		parts = append(parts, of)
	}
	known := map[string]*Line{}
	var id []byte
cells:
	for n := range c.size {
		r.cells[n] = nil
		for of := range seen {
			if seen[of] != nil && !seen[of][c.keys[of][n]] {
				continue cells
			}
		}
		if skip != nil && skip(n) {
			continue
		}
		id = id[:0]
		for k, of := range parts {
			if of >= 0 {
				id = binary.LittleEndian.AppendUint32(id, c.keys[of][n])
				key[k].name = c.names[c.keys[of][n]]
			}
		}
		l := known[string(id)]
		if l == nil {
			if l, r.err = r.line(key); r.err != nil {
				return nil
			}
			known[string(id)] = l
		}
		r.cells[n] = l
	}
	return r.cells
}

// take adds a chunk's sums to the lines.
func (r *running) take(t *table) func(c *chunk, at int64) {
	return func(c *chunk, at int64) { r.addSums(t, c, r.linesOf(t, c, at, nil)) }
}

func (r *running) addSums(t *table, c *chunk, lines []*Line) {
	for k, column := range c.sums {
		if len(column) == 0 {
			continue
		}
		of := t.folds[k].sum
		for n, l := range lines {
			if l != nil {
				l.sums.add(of, column[n])
			}
		}
	}
}

// takeWaits does so of waits, with what the groups' measures make of them.
func (r *running) takeWaits(t *table) func(c *chunk, at int64) {
	all, ranked := r.q.needs(t.of), r.ranked(t)
	return func(c *chunk, at int64) {
		var skip func(cell int) bool
		if !all { // then only what percentiles are told of makes a line
			skip = func(cell int) bool {
				for kind, is := range ranked {
					if is && len(c.count[kind]) > 0 && c.count[kind][cell] > 0 {
						return false
					}
				}
				return true
			}
		}
		lines := r.linesOf(t, c, at, skip)
		if r.err != nil {
			return
		}
		if all {
			r.addSums(t, c, lines)
			r.judgeCells(t, c, lines)
		}
		for kind, is := range ranked {
			if is && len(c.count[kind]) > 0 {
				c.addWaits(kind, t.single[kind].rank, lines)
			}
		}
	}
}

// addWaits adds the waits of a kind to the lines.
func (c *chunk) addWaits(kind int, of series, lines []*Line) {
	from := int64(0)
	for n, l := range lines {
		list := c.waitsOf(kind, n, from)
		from += int64(len(list))
		if l != nil && len(list) > 0 {
			l.waits[of] = append(l.waits[of], list)
		}
	}
}

// judgeCells adds what is within the groups' measures.
func (r *running) judgeCells(t *table, c *chunk, lines []*Line) {
	measures := make([]*queuegroups.ServiceLevel, len(c.names))
	var from [2]int64
	for n, l := range lines {
		answered, abandoned := c.waitsOf(0, n, from[0]), c.waitsOf(1, n, from[1])
		from[0], from[1] = from[0]+int64(len(answered)), from[1]+int64(len(abandoned))
		if l == nil {
			continue
		}
		group := c.keys[ofGroup][n]
		if measures[group] == nil {
			m := r.measureOf(queuegroups.GroupID(c.names[group]))
			measures[group] = &m
		}
		m := measures[group]
		within, short := m.Within.Microseconds(), m.Short.Microseconds()
		if t.of == fromAnswers {
			l.sums[firstWithin] += below(answered, within+1)
			continue
		}
		var row sums
		for k, f := range t.folds {
			if (f.sum == visitsAll || f.sum == visitsAway) && len(c.sums[k]) > 0 {
				row[f.sum] = c.sums[k][n]
			}
		}
		row[visitsShort] = below(abandoned, short)
		row[answeredWithin] = below(answered, within+1)
		row[abandonedWithin] = max(0, below(abandoned, within+1)-row[visitsShort])
		part, of := level(&row, m.Abandons)
		l.sums[visitsShort] += row[visitsShort]
		l.sums[answeredWithin] += row[answeredWithin]
		l.sums[abandonedWithin] += row[abandonedWithin]
		l.sums[levelPart] += part
		l.sums[levelOf] += of
		l.measured(*m)
	}
}

// below is how many of the sorted waits are less than a limit.
func below(waits []int64, limit int64) int64 {
	n, _ := slices.BinarySearch(waits, limit)
	return int64(n)
}

// takeStates adds a chunk's states: whole ones as sums, those that began before it
// cut.
func (r *running) takeStates(t *table) func(c *chunk, at int64) {
	return func(c *chunk, at int64) {
		if at < r.q.Till.UnixMicro() {
			lines := r.linesOf(t, c, at, r.unseen(c))
			if r.err != nil {
				return
			}
			r.addSums(t, c, lines)
		}
		for _, s := range c.stays {
			if r.detail(t) == withAgents && !r.seen(queuegroups.AgentID(s.agent)) {
				continue
			}
			if r.err = r.cut(s); r.err != nil {
				return
			}
		}
	}
}

// unseen leaves out agents who may not be seen.
func (r *running) unseen(c *chunk) func(cell int) bool {
	staff := seenOf(c, r.q.Staff)
	if staff == nil {
		return nil
	}
	return func(cell int) bool { return !staff[c.keys[ofAgent][cell]] }
}
