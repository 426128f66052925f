package mp3

import (
	"strconv"
	"strings"
)

// rootBits is how many bits are looked up at once; longer codes take a second look.
const rootBits = 8

// codebook finds the code that comes next.
type codebook struct {
	root [1 << rootBits]code
	more []code
}

// code is one that was found, or where to look further.
type code struct {
	length uint8  // bits; 0 if it is longer than what was looked at
	value  uint8  // two values of 4 bits
	next   uint16 // of longer codes: where in more the table of their further bits begins
	bits   uint8  // of longer codes: how many further bits to look at
}

// newCodebook makes the tables of a tree (see trees).
func newCodebook(tree string) *codebook {
	c := &codebook{}
	c.grow(tree, c.root[:], rootBits, 0)
	return c
}

// grow fills table, which is looked up by so many bits, with the codes of the tree's first fork or end, whose own code
// is of length bits so far. It returns the rest of the text.
func (c *codebook) grow(tree string, table []code, bits int, length uint8) string {
	if !strings.HasPrefix(tree, ".") {
		value, err := strconv.ParseUint(tree[:2], 16, 8)
		if err != nil {
			panic(err) // the text is our own
		}
		for i := range table {
			table[i] = code{length: length, value: uint8(value)}
		}
		return tree[2:]
	}
	if bits == 0 {
		deeper, _ := depth(tree)
		at := len(c.more)
		table[0] = code{next: uint16(at), bits: uint8(deeper)}
		c.more = append(c.more, make([]code, 1<<deeper)...)
		return c.grow(tree, c.more[at:], deeper, length)
	}
	half := len(table) / 2
	tree = c.grow(tree[1:], table[:half], bits-1, length+1)
	return c.grow(tree, table[half:], bits-1, length+1)
}

// depth is the longest code of the tree's first fork or end, and the text behind that.
func depth(tree string) (bits int, rest string) {
	if !strings.HasPrefix(tree, ".") {
		return 0, tree[2:]
	}
	lower, rest := depth(tree[1:])
	upper, rest := depth(rest)
	return 1 + max(lower, upper), rest
}

// read reads the next code's two values.
func (c *codebook) read(r *bits) (x, y int) {
	found := c.root[r.peek(rootBits)]
	if found.length == 0 {
		further := r.peek(rootBits+int(found.bits)) & (1<<found.bits - 1)
		found = c.more[int(found.next)+further]
	}
	r.at += int(found.length)
	return int(found.value >> 4), int(found.value & 15)
}

// escape is the value that further bits are added to, in tables that have such bits (linbits).
const escape = 15

// furtherBits are those of the tables from 16.
var furtherBits = [16]int{1, 2, 3, 4, 6, 8, 10, 13, 4, 5, 6, 7, 8, 9, 11, 13}

// table is the code of that number; nil for none: 0 is for values that are all 0, 4 and 14 do not exist.
func table(number int) *codebook {
	switch {
	case number >= 24 && number < 32:
		number = 24
	case number >= 16 && number < 24:
		number = 16
	}
	return tables().codebooks[number]
}

// value completes one of a pair: with its further bits and its sign.
func (r *bits) value(v, further int) int32 {
	if v == escape && further > 0 {
		v += r.number(further)
	}
	if v != 0 && r.flag() {
		return int32(-v)
	}
	return int32(v)
}

// readLines reads the lines of a granule up to the bit at end (ISO 11172-3 2.4.3.4.6), and returns how many there are;
// the others are 0.
func (g *granule) readLines(r *bits, end int, out *[lines]int32) (n int, err error) {
	clear(out[:])
	for n < 2*g.pairs {
		number, to := g.tables[0], g.ends[0]
		if n >= g.ends[1] {
			number, to = g.tables[2], lines
		} else if n >= g.ends[0] {
			number, to = g.tables[1], g.ends[1]
		}
		to = min(to, 2*g.pairs)
		if number == 0 {
			n = to
			continue
		}
		book, further := table(number), 0
		if book == nil {
			return 0, errFrame
		}
		if number >= 16 {
			further = furtherBits[number-16]
		}
		for ; n < to; n += 2 {
			x, y := book.read(r)
			out[n] = r.value(x, further)
			out[n+1] = r.value(y, further)
		}
	}
	if r.at > end {
		return 0, errFrame
	}
	return g.readQuads(r, end, n, out), nil
}

// readQuads reads what follows the pairs: lines of -1, 0 and 1, four in a code, until the bits are used up.
func (g *granule) readQuads(r *bits, end, n int, out *[lines]int32) int {
	book := table(32 + g.quads)
	for ; r.at < end && n+4 <= lines; n += 4 {
		_, four := book.read(r)
		quad := out[n : n+4]
		for i := range quad {
			quad[i] = r.value(four>>(3-i)&1, 0)
		}
		if r.at > end {
			clear(quad) // they were no code: encoders fill up frames with a few bits
			break
		}
	}
	return n
}
