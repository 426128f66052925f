package acd

import "slices"

// key orders waiting interactions and free agents; smaller comes first.
type key struct {
	A int64 `json:"a,omitempty"`
	B int64 `json:"b,omitempty"`
	C int64 `json:"c,omitempty"`
}

func (k key) compare(o key) int {
	switch {
	case k.A != o.A:
		if k.A < o.A {
			return -1
		}
		return 1
	case k.B != o.B:
		if k.B < o.B {
			return -1
		}
		return 1
	case k.C != o.C:
		if k.C < o.C {
			return -1
		}
		return 1
	}
	return 0
}

func (k key) less(o key) bool { return k.compare(o) < 0 }

// chunkMax is how many items a chunk of an ordered set holds before it is split.
const chunkMax = 64

type item[V any] struct {
	key key
	val V
}

// ordered is a sorted set of values by key: a list of short sorted runs. Search
// is O(log n); an insertion moves at most one run. Small sets, which nearly all
// are, live in one run in adjacent memory.
type ordered[V any] struct {
	chunks [][]item[V]
	n      int
}

// Len returns the number of items.
func (o *ordered[V]) Len() int { return o.n }

// find returns the place of the first item whose key is not less than k.
func (o *ordered[V]) find(k key) (c, i int) {
	lo, hi := 0, len(o.chunks)
	for lo < hi { // the first run whose last key is not less than k
		m := (lo + hi) / 2
		run := o.chunks[m]
		if run[len(run)-1].key.less(k) {
			lo = m + 1
		} else {
			hi = m
		}
	}
	if lo == len(o.chunks) {
		return lo, 0
	}
	c = lo
	run := o.chunks[c]
	lo, hi = 0, len(run)
	for lo < hi {
		m := (lo + hi) / 2
		if run[m].key.less(k) {
			lo = m + 1
		} else {
			hi = m
		}
	}
	return c, lo
}

// insert adds v under k; a key that is there already keeps its value.
func (o *ordered[V]) insert(k key, v V) {
	c, i := o.find(k)
	if c == len(o.chunks) {
		if c == 0 || len(o.chunks[c-1]) >= chunkMax {
			o.chunks = append(o.chunks, []item[V]{{k, v}})
		} else {
			o.chunks[c-1] = append(o.chunks[c-1], item[V]{k, v})
		}
		o.n++
		return
	}
	if o.chunks[c][i].key == k {
		return
	}
	o.n++
	run := slices.Insert(o.chunks[c], i, item[V]{k, v})
	if len(run) <= chunkMax {
		o.chunks[c] = run
		return
	}
	half := len(run) / 2
	right := slices.Clone(run[half:])
	clear(run[half:])
	o.chunks[c] = run[:half]
	o.chunks = slices.Insert(o.chunks, c+1, right)
}

// remove takes the item with the key away and tells whether it was there.
func (o *ordered[V]) remove(k key) bool {
	c, i := o.find(k)
	if c == len(o.chunks) || o.chunks[c][i].key != k {
		return false
	}
	o.n--
	run := slices.Delete(o.chunks[c], i, i+1)
	if len(run) == 0 {
		o.chunks = slices.Delete(o.chunks, c, c+1)
		return true
	}
	o.chunks[c] = run
	return true
}

// first returns the smallest item.
func (o *ordered[V]) first() (key, V, bool) {
	if o.n == 0 {
		var zero V
		return key{}, zero, false
	}
	it := &o.chunks[0][0]
	return it.key, it.val, true
}

// after returns the smallest item whose key is greater than k.
func (o *ordered[V]) after(k key) (key, V, bool) {
	c, i := o.find(k)
	if c < len(o.chunks) && o.chunks[c][i].key == k {
		if i++; i == len(o.chunks[c]) {
			c, i = c+1, 0
		}
	}
	if c == len(o.chunks) {
		var zero V
		return key{}, zero, false
	}
	it := &o.chunks[c][i]
	return it.key, it.val, true
}

// rank returns how many items have a smaller key. O(n/64).
func (o *ordered[V]) rank(k key) int {
	c, i := o.find(k)
	for _, run := range o.chunks[:c] {
		i += len(run)
	}
	return i
}

// ranks are the ranks in a set that does not change meanwhile.
type ranks[V any] struct {
	set    *ordered[V]
	before []int // items in the chunks before each; and in all of them
}

// ranks counts the items once for the ranks of many. O(n/64).
func (o *ordered[V]) ranks() ranks[V] {
	r := ranks[V]{set: o, before: make([]int, len(o.chunks)+1)}
	for k, run := range o.chunks {
		r.before[k+1] = r.before[k] + len(run)
	}
	return r
}

// of is the set's rank(k). O(log n).
func (r *ranks[V]) of(k key) int {
	c, i := r.set.find(k)
	return r.before[c] + i
}

// each calls f for every item in order until f returns false. The set must not
// be changed meanwhile.
func (o *ordered[V]) each(f func(V) bool) {
	for _, run := range o.chunks {
		for i := range run {
			if !f(run[i].val) {
				return
			}
		}
	}
}
