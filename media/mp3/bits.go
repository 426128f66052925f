package mp3

import "encoding/binary"

// bits reads numbers of a few bits, the most significant first. Behind the end there are zeros.
type bits struct {
	b  []byte
	at int // bits read
}

// peek returns the next n bits, at most 24, without reading them.
func (r *bits) peek(n int) int {
	var word [4]byte
	if first := r.at >> 3; first+4 <= len(r.b) {
		word = [4]byte(r.b[first:])
	} else if first < len(r.b) {
		copy(word[:], r.b[first:])
	}
	return int(binary.BigEndian.Uint32(word[:]) << (r.at & 7) >> (32 - n))
}

// number reads n bits, at most 24.
func (r *bits) number(n int) int {
	v := r.peek(n)
	r.at += n
	return v
}

// flag reads one bit.
func (r *bits) flag() bool { return r.number(1) == 1 }
