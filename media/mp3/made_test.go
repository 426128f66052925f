package mp3_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// bitWriter writes numbers of a few bits.
type bitWriter struct {
	b  []byte
	at int
}

func (w *bitWriter) put(n int, v int) {
	for i := n - 1; i >= 0; i-- {
		if w.at%8 == 0 {
			w.b = append(w.b, 0)
		}
		w.b[w.at/8] |= byte(v>>i&1) << (7 - w.at%8)
		w.at++
	}
}

// form is what all made-up frames of a file have in common.
type form struct {
	version, frequency int // as in the header
	channels           int
	joined             int // mode_extension
}

func (f form) mpeg1() bool { return f.version == 3 }

func (f form) rate() int {
	rate := []int{44100, 48000, 32000}[f.frequency]
	switch f.version {
	case 2:
		return rate / 2
	case 0:
		return rate / 4
	}
	return rate
}

// madeUp are frames that no encoder makes: every table, gain and way of cutting up in turn, with data of random bits,
// of which any sequence is some sequence of codes.
func (f form) madeUp(random *rand.Rand, frames int) (file []byte) {
	for range frames {
		w, data := &bitWriter{}, &bitWriter{}
		w.put(11, 0x7ff)
		w.put(2, f.version)
		w.put(3, 3)  // layer III, no check
		w.put(4, 14) // the greatest size
		w.put(2, f.frequency)
		w.put(2, 0)
		w.put(2, map[int]int{1: 3, 2: 1}[f.channels])
		w.put(2, f.joined)
		w.put(4, 0)
		granules, kbit := 1, 160
		if f.mpeg1() {
			granules, kbit = 2, 320
			w.put(9+7-2*f.channels, 0)
			w.put(4*f.channels, 0)
		} else {
			w.put(8+f.channels, 0)
		}
		for range granules {
			block, mixed := random.IntN(4), random.IntN(2)
			for c := range f.channels {
				// Where it tells positions, the right channel has lines in the lowest bands only.
				f.granule(w, data, random, block, mixed, c == 1 && f.joined&1 == 1)
			}
		}
		for _, v := range data.b {
			w.put(8, int(v))
		}
		size := granules * 576 / 8 * kbit * 1000 / f.rate()
		file = append(file, append(w.b, make([]byte, size-len(w.b))...)...)
	}
	return file
}

// granule makes up a granule of one channel.
func (f form) granule(side, data *bitWriter, random *rand.Rand, block, mixed int, placed bool) {
	room, pairs, quads := 1500, 20+random.IntN(80), random.IntN(2)
	scaleBits := 4
	if !f.mpeg1() {
		scaleBits = 9
		mixed = 0 // decoders do not agree
	}
	scaleIndex := random.IntN(1 << scaleBits)
	if placed {
		room, pairs, quads = 400, 0, 1
		// Of 3 bits each, or none. Of other lengths decoders do not agree on what is no position.
		if f.mpeg1() {
			scaleIndex = []int{0, 3, 4, 13}[random.IntN(4)]
		} else {
			scaleIndex = []int{0, 258, 486, 506}[random.IntN(4)] + random.IntN(2)
		}
	}
	for i := range room {
		if placed && i >= 100 {
			data.put(1, 1) // four of them are four lines of 0 in the second table
		} else {
			data.put(1, random.IntN(2))
		}
	}
	side.put(12, room)
	side.put(9, pairs)
	side.put(8, 142+random.IntN(24))
	side.put(scaleBits, scaleIndex)
	tables := []int{0, 1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13, 15, 16, 17, 24}
	table := func() int { return tables[random.IntN(len(tables))] }
	if block == 0 {
		side.put(1, 0)
		side.put(15, table()<<10|table()<<5|table())
		side.put(7, random.IntN(1<<7))
	} else {
		side.put(1, 1)
		side.put(2, block)
		side.put(1, mixed)
		side.put(10, table()<<5|table())
		side.put(9, random.IntN(1<<9))
	}
	if f.mpeg1() {
		side.put(1, random.IntN(2))
	}
	side.put(1, random.IntN(2))
	side.put(1, quads)
}

// Frames of every form are decoded as lame does, but for its rounding.
func TestDecode_MadeUp(t *testing.T) {
	for _, version := range []int{3, 2, 0} {
		for frequency := range 3 {
			for joined := range 5 {
				f := form{version: version, frequency: frequency, channels: 2, joined: joined}
				if joined == 4 {
					f.channels, f.joined = 1, 0
				}
				t.Run(fmt.Sprintf("%+v", f), func(t *testing.T) {
					t.Parallel()
					file := f.madeUp(rand.New(rand.NewPCG(1, uint64(joined))), 25)
					want := byLame(t, file, f.channels)
					if d := difference(t, file, want); d > -98 || power(want) < -60 {
						t.Errorf("off by a noise of %.1f dB, at %.1f dB", d, power(want))
					}
				})
			}
		}
	}
}
