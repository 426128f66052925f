package stats

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"centrala/internal/journal"
	"centrala/internal/journal/db"
)

// Details of what is counted ahead: without the agents, of whom there are many, or
// with them.
const (
	withGroups = "groups"
	withAgents = "agents"
)

// batchMax is how many hours or days are counted between two transactions.
const batchMax = 24

// rolledTables are what is counted ahead.
func rolledTables() []table {
	return append(append(tables(), waitTables()...), statesTable())
}

// statesTable is how long agents were in the states. What is added up is not said in
// SQL: states are cut.
func statesTable() table {
	t := table{of: fromStates, rollup: journal.RollupStates, fact: fact{name: "agent_states"}}
	for s := stateAvailable; s < numSums; s++ {
		t.folds = append(t.folds, fold{sum: s})
	}
	return t
}

// version is that of the definitions: what was counted by others is not used, and
// counted anew.
var version = sync.OnceValue(func() string {
	h := sha256.New()
	fmt.Fprintln(h, 1) // of how it is written
	for _, t := range rolledTables() {
		fmt.Fprintf(h, "%+v\n", t)
	}
	return fmt.Sprintf("%x", h.Sum(nil)[:8])
})

// Roll counts ahead what ended before a time, by whole hours and days in UTC, as far
// as that is not done yet, the latest hours first. It returns how many hours and
// days of a table it counted. The record may be written meanwhile: what it changes
// is left for the next time.
func Roll(ctx context.Context, d *db.DB, till time.Time) (int, error) {
	return rollTill(ctx, d, till, false)
}

// rollTill rests as long as it works, if it is to be gentle: a server has other work.
func rollTill(ctx context.Context, d *db.DB, till time.Time, gentle bool) (int, error) {
	r := &rolling{ctx: ctx, d: d}
	var id [8]byte
	_, _ = rand.Read(id[:]) // never fails
	r.claim = int64(binary.BigEndian.Uint64(id[:])>>1) | 1
	first, err := r.oldest()
	if err != nil || first == 0 {
		return 0, err
	}
	last := till.UnixMicro() / hour * hour
	for _, length := range []int64{hour, day} {
		todo, err := r.lacking(first/day*day, last, length)
		if err != nil {
			return r.count, err
		}
		slices.Reverse(todo)
		for batch := range slices.Chunk(todo, batchMax) {
			began := time.Now()
			if err := r.roll(batch, length); err != nil {
				return r.count, fmt.Errorf("stats: count ahead: %w", err)
			}
			if !gentle {
				continue
			}
			select {
			case <-time.After(time.Since(began)):
			case <-ctx.Done():
				return r.count, ctx.Err()
			}
		}
	}
	return r.count, nil
}

// rolling is what is counted ahead at once.
type rolling struct {
	ctx   context.Context
	d     *db.DB
	claim int64
	count int
}

// oldest is when the first fact was decided; 0: there is none.
func (r *rolling) oldest() (first int64, err error) {
	for _, t := range rolledTables() {
		var at sql.NullInt64
		column := strings.TrimPrefix(cmp.Or(t.fact.decided, "f.ended"), "f.")
		if err := r.d.Read().QueryRowContext(r.ctx, "select min("+column+") from "+t.fact.name).Scan(&at); err != nil {
			return 0, fmt.Errorf("stats: count ahead: %w", err)
		}
		if at.Valid && (first == 0 || at.Int64 < first) {
			first = at.Int64
		}
	}
	return first, nil
}

// work is an hour or day, and what is to be counted of it.
type work struct {
	at     int64
	tables []table
}

// lacking finds the hours or days that are not counted yet, in order. Days are those
// of which all hours are.
func (r *rolling) lacking(first, last, length int64) (list []work, err error) {
	todo := map[int64][]table{}
	for _, t := range rolledTables() {
		there, err := r.there(t.rollup, length, first)
		if err != nil {
			return nil, err
		}
		var hours map[int64]int
		if length == day {
			if hours, err = r.there(t.rollup, hour, first); err != nil {
				return nil, err
			}
		}
		for at := first; at+length <= last; at += length {
			if there[at] < 2 && (length == hour || whole(hours, at)) {
				todo[at] = append(todo[at], t)
			}
		}
	}
	for at, tables := range todo {
		list = append(list, work{at, tables})
	}
	slices.SortFunc(list, func(a, b work) int { return cmp.Compare(a.at, b.at) })
	return list, nil
}

// whole tells whether all hours of a day are counted.
func whole(hours map[int64]int, at int64) bool {
	for h := at; h < at+day; h += hour {
		if hours[h] < 2 {
			return false
		}
	}
	return true
}

// there is of which hours or days a table is counted, in how many of the two details.
func (r *rolling) there(of journal.Rollup, length, first int64) (map[int64]int, error) {
	rows, err := r.d.Read().QueryContext(r.ctx,
		"select at, count(*) from rollups where source = $1 and span = $2 and at >= $3 and version = $4 and claim = 0 group by at",
		string(of), length/hour, first, version())
	if err != nil {
		return nil, fmt.Errorf("stats: count ahead: %w", err)
	}
	defer rows.Close()
	there := map[int64]int{}
	for rows.Next() {
		var at int64
		var n int
		if err := rows.Scan(&at, &n); err != nil {
			return nil, fmt.Errorf("stats: count ahead: %w", err)
		}
		there[at] = n
	}
	return there, rows.Err()
}

// roll counts hours or days. Their rows are there, claimed, before the facts are
// read; whoever writes such facts deletes them, and then there is nothing to be
// written in the end.
func (r *rolling) roll(batch []work, length int64) error {
	err := r.d.Write(r.ctx, func(tx *sql.Tx) error {
		if err := journal.Lock(r.ctx, tx); err != nil {
			return err
		}
		return r.begin(tx, batch, length)
	})
	if err != nil {
		return err
	}
	var done []counted
	for _, w := range batch {
		for _, t := range w.tables {
			h, ok, err := r.counted(t, w.at, length)
			if err != nil {
				return err
			}
			r.count++
			done = append(done, counted{t.rollup, w.at, withAgents, h, ok})
			done = append(done, counted{t.rollup, w.at, withGroups, h.without(), ok})
		}
	}
	return r.d.Write(r.ctx, func(tx *sql.Tx) error { return r.end(tx, done, length) })
}

// counted is a table of an hour or day; not ok: it is to be done again.
type counted struct {
	of     journal.Rollup
	at     int64
	detail string
	heap   *heap
	ok     bool
}

// begin claims the rows.
func (r *rolling) begin(tx *sql.Tx, batch []work, length int64) error {
	var rows []string
	for _, w := range batch {
		for _, t := range w.tables {
			if _, err := tx.ExecContext(r.ctx, "delete from rollups where source = $1 and span = $2 and at = $3", string(t.rollup), length/hour, w.at); err != nil {
				return err
			}
			for _, detail := range []string{withGroups, withAgents} {
				rows = append(rows, fmt.Sprintf("('%s', %d, %d, '%s', '%s', %d, %d, '')", t.rollup, length/hour, w.at, detail, version(), r.claim, w.at))
			}
		}
	}
	_, err := tx.ExecContext(r.ctx, "insert into rollups (source, span, at, detail, version, claim, reach, data) values "+strings.Join(rows, ", "))
	return err
}

// end writes what was counted where the rows are still there. Where there was
// nothing the data are empty.
func (r *rolling) end(tx *sql.Tx, done []counted, length int64) error {
	for _, c := range done {
		const row = " where source = $1 and span = $2 and at = $3 and detail = $4 and claim = $5"
		args := []any{string(c.of), length / hour, c.at, c.detail, r.claim}
		text := "update rollups set claim = 0, reach = $6, data = $7" + row
		switch {
		case !c.ok:
			text = "delete from rollups" + row
		case len(c.heap.cells)+len(c.heap.stays) == 0:
			text = "update rollups set claim = 0" + row
		default:
			args = append(args, c.heap.reach(c.at), c.heap.encode(c.at))
		}
		if _, err := tx.ExecContext(r.ctx, text, args...); err != nil {
			return err
		}
	}
	return nil
}

// counted counts a table's facts of an hour, or adds up the hours of a day; false:
// they are not all there any more.
func (r *rolling) counted(t table, at, length int64) (*heap, bool, error) {
	h := newHeap(t.folds)
	if length == day {
		ok, err := r.hours(&t, h, at)
		return h, ok, err
	}
	in := span{at, at + length}
	q := &running{ctx: r.ctx, db: r.d}
	switch t.of {
	case fromStates:
		return h, true, q.pileStates(h, in)
	case fromVisits, fromAnswers:
		if err := q.pileWaits(h, &t, in); err != nil {
			return nil, false, err
		}
	case fromRanks, fromFirsts, fromLaters, fromOffers, fromTalks, fromTransfers, fromLegs, fromRatings, fromInteractions, fromMade:
	}
	s := q.every(t.fact, in)
	err := q.run(s, t.folds, func(key []cell, values []int64) error {
		p := h.of(keyOf(key))
		for k, v := range values {
			h.add(p, k, v)
		}
		return nil
	})
	return h, true, err
}

// every begins a statement over the facts of a range of time, with all that reports
// can tell apart as its key.
func (r *running) every(f fact, in span) *statement {
	s := &statement{f: f, outer: f.join == ""}
	s.and("%s >= %d and %s < %d", f.decided, in.from, f.decided, in.till)
	if f.where != "" {
		s.and("%s", f.where)
	}
	s.keys = []string{
		f.group, f.agent, s.call("number"), s.call("trunk"), s.call("channel"), s.call("kind"), s.call("direction"),
	}
	for k, key := range s.keys {
		s.keys[k] = "coalesce(" + key + ", '')"
	}
	return s
}

func keyOf(key []cell) (out cellKey) {
	for k := range out {
		out[k] = key[k].name
	}
	return out
}

// pileWaits adds the single waits of both kinds.
func (r *running) pileWaits(h *heap, t *table, in span) error {
	s := r.every(t.fact, in)
	s.and("(%s or %s)", t.single[0].condition, t.single[1].condition)
	keys := len(s.keys)
	rows, err := r.db.Read().QueryContext(r.ctx, "select "+strings.Join(s.keys, ", ")+", case when "+t.single[0].condition+" then 0 else 1 end, "+t.took+s.from(), s.args...)
	if err != nil {
		return fmt.Errorf("stats: waits: %w", err)
	}
	defer rows.Close()
	key, values := make([]cell, keys), make([]int64, 2)
	for rows.Next() {
		if err := scan(rows, key, values); err != nil {
			return err
		}
		p := h.of(keyOf(key))
		p.waits[values[0]] = append(p.waits[values[0]], values[1])
	}
	return rows.Err()
}

// pileStates adds the states that ended in a range of time: those that began in it,
// too, to the sums, the others by themselves.
func (r *running) pileStates(h *heap, in span) error {
	rows, err := r.db.Read().QueryContext(r.ctx, `select agent_id, status, 0, cast(sum(ended - began) as bigint) from agent_states
		where ended >= $1 and ended < $2 and began >= $1 and group_id = '' group by agent_id, status
		union all select agent_id, status, began, ended from agent_states where ended >= $1 and ended < $2 and began < $1 and group_id = ''`, in.from, in.till)
	if err != nil {
		return fmt.Errorf("stats: states: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var agent, status string
		var began, ended int64
		if err := rows.Scan(&agent, &status, &began, &ended); err != nil {
			return fmt.Errorf("stats: states: %w", err)
		}
		of, counts := stateSum(status)
		if !counts {
			continue
		}
		if began == 0 {
			h.add(h.of(cellKey{ofAgent: agent}), int(of-stateAvailable), ended)
		} else {
			h.stays = append(h.stays, stay{agent, of, began, ended})
		}
	}
	return rows.Err()
}

// hours adds up the hours of a day.
func (r *rolling) hours(t *table, h *heap, at int64) (bool, error) {
	rows, err := r.d.Read().QueryContext(r.ctx, `select at, data from rollups
		where source = $1 and span = 1 and at >= $2 and at < $3 and detail = $4 and version = $5 and claim = 0`,
		string(t.rollup), at, at+day, withAgents, version())
	if err != nil {
		return false, err
	}
	defer rows.Close()
	n := 0
	var c chunk
	for ; rows.Next(); n++ {
		var begins int64
		var data sql.RawBytes
		if err := rows.Scan(&begins, &data); err != nil {
			return false, err
		}
		if len(data) == 0 { // nothing happened
			continue
		}
		if err := c.decode(data, t.folds, begins); err != nil {
			return false, err
		}
		h.take(&c, at)
	}
	return n == int(day/hour), rows.Err()
}

// take adds the cells of a chunk. Stays that are within the day that begins at a
// time are added to its sums.
func (h *heap) take(c *chunk, at int64) {
	var from [2]int64
	for cell := range c.size {
		p := h.of(c.key(cell))
		for k, column := range c.sums {
			if len(column) > 0 {
				h.add(p, k, column[cell])
			}
		}
		for kind := range from {
			list := c.waitsOf(kind, cell, from[kind])
			from[kind] += int64(len(list))
			p.waits[kind] = append(p.waits[kind], list...)
		}
	}
	for _, s := range c.stays {
		if s.began < at {
			h.stays = append(h.stays, s)
			continue
		}
		h.add(h.of(cellKey{ofAgent: s.agent}), int(s.sum-stateAvailable), s.ended-s.began)
	}
}
