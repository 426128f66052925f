package stats

import (
	"encoding/binary"
	"errors"
	"maps"
	"slices"
)

// What a cell of a chunk is of: all that a report can tell apart but the time.
const (
	ofGroup = iota
	ofAgent
	ofNumber
	ofTrunk
	ofChannel
	ofKind
	ofWay
	numOf
)

// cellKey is what a cell is of.
type cellKey [numOf]string

// heap is the cells of an hour or a day in the making: of one table, by all that
// reports can tell apart.
type heap struct {
	folds []fold
	cells map[cellKey]*pile
	stays []stay // of states: those that began before the hour or day
}

// pile is the sums of a cell, by fold, and the single waits: of visits those of the
// answered and of those who hung up, of answers the first ones and the later ones. A
// service level by any measure and a percentile need no less.
type pile struct {
	sums  []int64
	waits [2][]int64
}

// stay is a time in a state, µs.
type stay struct {
	agent        string
	sum          sum
	began, ended int64
}

func newHeap(folds []fold) *heap { return &heap{folds: folds, cells: map[cellKey]*pile{}} }

// of finds a cell, and begins it if need be.
func (h *heap) of(key cellKey) *pile {
	p := h.cells[key]
	if p == nil {
		p = &pile{sums: make([]int64, len(h.folds))}
		h.cells[key] = p
	}
	return p
}

// add adds a fold's value to a cell.
func (h *heap) add(p *pile, fold int, value int64) {
	var s sums
	of := h.folds[fold].sum
	s[of] = p.sums[fold]
	s.add(of, value)
	p.sums[fold] = s[of]
}

// without is the same in less detail: no agents.
func (h *heap) without() *heap {
	out := newHeap(h.folds)
	for key, p := range h.cells {
		key[ofAgent] = ""
		out.merge(key, p)
	}
	for _, s := range h.stays {
		s.agent = ""
		out.stays = append(out.stays, s)
	}
	return out
}

func (h *heap) merge(key cellKey, p *pile) {
	into := h.of(key)
	for k, v := range p.sums {
		h.add(into, k, v)
	}
	for k, list := range p.waits {
		into.waits[k] = append(into.waits[k], list...)
	}
}

// encode writes the heap as bytes, the same for what is the same. Numbers are
// varints: how many cells and names; the names; of all cells one part of the key
// after the other, as numbers of names; one sum after the other, where all are 0
// only that; the waits, in order, as differences; of states the stays. The
// time is that of the hour or day, µs.
func (h *heap) encode(at int64) []byte {
	keys := slices.SortedFunc(maps.Keys(h.cells), func(a, b cellKey) int { return slices.Compare(a[:], b[:]) })
	var names []string
	for _, key := range keys {
		names = append(names, key[:]...)
	}
	for _, s := range h.stays {
		names = append(names, s.agent)
	}
	slices.Sort(names)
	names = slices.Compact(names)
	place := make(map[string]uint64, len(names))
	for k, name := range names {
		place[name] = uint64(k)
	}
	b := binary.AppendUvarint(binary.AppendUvarint(nil, uint64(len(keys))), uint64(len(names)))
	for _, name := range names {
		b = append(binary.AppendUvarint(b, uint64(len(name))), name...)
	}
	for of := range numOf {
		for _, key := range keys {
			b = binary.AppendUvarint(b, place[key[of]])
		}
	}
	for fold := range h.folds {
		b = h.appendSums(b, keys, fold)
	}
	for kind := range 2 {
		for _, key := range keys {
			list := h.cells[key].waits[kind]
			slices.Sort(list)
			last := int64(0)
			for _, v := range list {
				b = binary.AppendUvarint(b, uint64(v-last))
				last = v
			}
		}
	}
	return h.appendStays(b, place, at)
}

func (h *heap) appendSums(b []byte, keys []cellKey, fold int) []byte {
	if !slices.ContainsFunc(keys, func(key cellKey) bool { return h.cells[key].sums[fold] != 0 }) {
		return append(b, 0)
	}
	b = append(b, 1)
	for _, key := range keys {
		b = binary.AppendVarint(b, h.cells[key].sums[fold])
	}
	return b
}

func (h *heap) appendStays(b []byte, place map[string]uint64, at int64) []byte {
	slices.SortFunc(h.stays, func(x, y stay) int {
		return slices.Compare([]int64{int64(place[x.agent]), x.began, x.ended, int64(x.sum)}, []int64{int64(place[y.agent]), y.began, y.ended, int64(y.sum)})
	})
	b = binary.AppendUvarint(b, uint64(len(h.stays)))
	for _, s := range h.stays {
		b = binary.AppendUvarint(b, place[s.agent])
		b = binary.AppendUvarint(b, uint64(s.sum))
		b = binary.AppendUvarint(b, uint64(at-s.began))
		b = binary.AppendUvarint(b, uint64(s.ended-at))
	}
	return b
}

// reach is when the first of the stays began; where there are none, at the time.
func (h *heap) reach(at int64) int64 {
	for _, s := range h.stays {
		at = min(at, s.began)
	}
	return at
}

// chunk is the cells of an hour or a day as they are read: each of the columns by
// cell.
type chunk struct {
	names []string
	size  int // cells
	keys  [numOf][]uint32
	sums  [][]int64 // by fold; empty: all are 0
	waits [2][]int64
	count [2][]int64 // how many of the waits are each cell's
	stays []stay
}

var errChunk = errors.New("stats: what was counted ahead cannot be read")

// cursor reads varints.
type cursor struct {
	data []byte
	bad  bool
}

func (c *cursor) next() uint64 {
	if len(c.data) > 0 && c.data[0] < 0x80 {
		v := uint64(c.data[0])
		c.data = c.data[1:]
		return v
	}
	v, n := binary.Uvarint(c.data)
	if n <= 0 {
		c.bad, c.data = true, nil
		return 0
	}
	c.data = c.data[n:]
	return v
}

// length is a number of things that take a byte each at least.
func (c *cursor) length() int {
	n := c.next()
	if n > uint64(len(c.data)) {
		c.bad = true
		return 0
	}
	return int(n)
}

// decode reads what encode wrote of a table, of an hour or day at a time. Columns
// are taken from the chunk before, but for the waits.
func (c *chunk) decode(data []byte, folds []fold, at int64) error {
	in := cursor{data: data}
	c.size = in.length()
	c.names = make([]string, in.length())
	for k := range c.names {
		n := in.length()
		if in.bad {
			return errChunk
		}
		c.names[k] = string(in.data[:n])
		in.data = in.data[n:]
	}
	for of := range c.keys {
		c.keys[of] = slices.Grow(c.keys[of][:0], c.size)[:c.size]
		for k := range c.size {
			v := in.next()
			if v >= uint64(len(c.names)) {
				return errChunk
			}
			c.keys[of][k] = uint32(v)
		}
	}
	c.sums = slices.Grow(c.sums[:0], len(folds))[:len(folds)]
	for k := range c.sums {
		c.sums[k] = c.sums[k][:0]
		if in.next() == 0 {
			continue
		}
		for range c.size {
			v := in.next()
			c.sums[k] = append(c.sums[k], int64(v>>1)^-int64(v&1))
		}
	}
	c.readWaits(&in, folds)
	c.readStays(&in, at)
	if in.bad || len(in.data) > 0 {
		return errChunk
	}
	return nil
}

func (c *chunk) readWaits(in *cursor, folds []fold) {
	for kind, of := range [2][2]sum{{visitsAnswered, firstAnswers}, {visitsAbandoned, laterAnswers}} {
		c.count[kind], c.waits[kind] = nil, nil
		column := slices.IndexFunc(folds, func(f fold) bool { return f.sum == of[0] || f.sum == of[1] })
		if column < 0 || len(c.sums[column]) == 0 {
			continue
		}
		c.count[kind] = c.sums[column]
		all := int64(0)
		for _, n := range c.count[kind] {
			all += n
		}
		if all < 0 || all > int64(len(in.data)) {
			in.bad = true
			return
		}
		list := make([]int64, 0, all)
		for _, n := range c.count[kind] {
			last := int64(0)
			for range n {
				last += int64(in.next())
				list = append(list, last)
			}
		}
		c.waits[kind] = list
	}
}

func (c *chunk) readStays(in *cursor, at int64) {
	c.stays = c.stays[:0]
	for range in.length() {
		agent, of, back, on := in.next(), in.next(), in.next(), in.next()
		if agent >= uint64(len(c.names)) || of >= uint64(numSums) {
			in.bad = true
			return
		}
		c.stays = append(c.stays, stay{agent: c.names[agent], sum: sum(of), began: at - int64(back), ended: at + int64(on)})
	}
}

// key is what a cell is of.
func (c *chunk) key(cell int) (key cellKey) {
	for of := range key {
		key[of] = c.names[c.keys[of][cell]]
	}
	return key
}

// waitsOf are a cell's waits: where they begin and end among those of a kind. They
// are to be asked for cell by cell, from where the last ones ended.
func (c *chunk) waitsOf(kind, cell int, from int64) []int64 {
	if len(c.count[kind]) == 0 {
		return nil
	}
	return c.waits[kind][from : from+c.count[kind][cell]]
}
