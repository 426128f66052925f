package stats

import (
	"fmt"
	"strings"
)

// series is of which waits percentiles are told.
type series int

const (
	unranked series = iota
	ofWaits         // of those answered
	ofFirsts        // for first answers in chats
	ofLaters        // for later ones
	numSeries
)

// needed tells for what the percentiles are.
func (s series) needed() source {
	switch s {
	case ofFirsts:
		return fromFirsts
	case ofLaters:
		return fromLaters
	case unranked, ofWaits, numSeries:
	}
	return fromRanks
}

// ranked tells which of a table's waits percentiles are asked for of.
func (r *running) ranked(t *table) (is [2]bool) {
	for kind, x := range t.single {
		is[kind] = x.rank != unranked && r.q.needs(x.rank.needed())
	}
	return is
}

// percentiles of waits, in microseconds, by nearest rank: the least wait that so many
// percent were not above. All are 0 where there was none.
type percentiles struct {
	known bool
	of    [4]int64
}

// ranks are the percentiles.
func ranks() [4]int64 { return [4]int64{50, 90, 95, 99} }

// waits finds the percentiles of each line, and of all.
func (r *running) waits(t *table, x listed) error {
	if len(r.q.By) > 0 {
		err := r.inOrder(t, x, r.q.By, func(key []cell) (*percentiles, error) {
			l, err := r.line(key)
			if err != nil {
				return nil, err
			}
			return &l.ranks[x.rank], nil
		})
		if err != nil {
			return err
		}
	}
	return r.inOrder(t, x, nil, func([]cell) (*percentiles, error) { return &r.total[x.rank], nil })
}

// inOrder has the database put the waits in order, by key, and takes those in the
// places of the percentiles.
func (r *running) inOrder(t *table, x listed, by []Dimension, into func(key []cell) (*percentiles, error)) error {
	s := r.begin(t.fact, r.whole()) // with the keys of the whole query, which narrow it
	s.and("%s", x.condition)
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
		names, columns, t.took, over, t.took, over, s.from(), strings.Join(places[:], ", "))
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

// values adds the waits of a range of time to the lines that they are of.
func (r *running) values(t *table, x listed, in span) error {
	s := r.begin(t.fact, in)
	s.and("%s", x.condition)
	rows, err := r.db.Read().QueryContext(r.ctx, "select "+strings.Join(append(s.keys, t.took), ", ")+s.from(), s.args...)
	if err != nil {
		return fmt.Errorf("stats: waits: %w", err)
	}
	defer rows.Close()
	lists := map[*Line][]int64{}
	values := make([]int64, 1)
	for rows.Next() {
		key := make([]cell, len(s.keys))
		if err := scan(rows, key, values); err != nil {
			return err
		}
		l, err := r.line(key)
		if err != nil {
			return err
		}
		lists[l] = append(lists[l], values[0])
	}
	for l, list := range lists {
		l.waits[x.rank] = append(l.waits[x.rank], list)
	}
	return rows.Err()
}

// rank finds the percentiles of the waits of each line, and of all.
func (r *running) rank(of series) {
	size := 0
	for _, l := range r.lines {
		for _, list := range l.waits[of] {
			size += len(list)
		}
	}
	all := make([]int64, 0, size)
	for _, l := range r.lines {
		first := len(all)
		for _, list := range l.waits[of] {
			all = append(all, list...)
		}
		l.ranks[of], l.waits[of] = percentilesOf(all[first:]), nil
	}
	r.total[of] = percentilesOf(all)
}

// percentilesOf finds them, and changes the order of the waits.
func percentilesOf(waits []int64) (p percentiles) {
	first := 0 // those before are less than or equal to those from it on
	for k, percent := range ranks() {
		place := (len(waits)*int(percent) + 99) / 100
		if place == 0 {
			return p
		}
		if place > first {
			put(waits[first:], place-1-first)
			first = place
		}
		p.of[k], p.known = waits[place-1], true
	}
	return p
}

// put changes the order so that in place k is what would be there in order, with
// nothing greater before it and nothing less behind it.
func put(list []int64, k int) {
	for low, high := 0, len(list)-1; low < high; {
		a, b, c := list[low], list[low+(high-low)/2], list[high]
		middle := max(min(a, b), min(max(a, b), c))
		i, j := low, high
		for i <= j {
			for list[i] < middle {
				i++
			}
			for list[j] > middle {
				j--
			}
			if i <= j {
				list[i], list[j] = list[j], list[i]
				i, j = i+1, j-1
			}
		}
		switch {
		case k <= j:
			high = j
		case k >= i:
			low = i
		default:
			return
		}
	}
}
