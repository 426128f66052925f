package mp3

import "math"

// spectrum are the lines of a channel in one granule.
type spectrum struct {
	x    [lines]float32
	used int // the lines from here on are 0
}

// emphases are added to the scale factors of the upper bands of long blocks where preflag says so (ISO 11172-3 table
// B.6).
var emphases = [22]int{11: 1, 1, 1, 1, 2, 2, 3, 3, 3, 2, 0}

// requantize gives the lines their size (ISO 11172-3 2.4.3.4.7).
func (s *spectrum) requantize(g *granule, bands []band, factors *[39]int, values *[lines]int32, used int) {
	clear(s.x[:])
	s.used = used
	powers := &tables().powers
	step := 2 // quarters of a power of two for one step of a scale factor
	if g.coarse {
		step = 4
	}
	for i, b := range bands {
		if b.start >= used {
			return
		}
		gain, factor := g.gain-210, factors[i]
		if b.window != whole {
			gain -= 8 * g.windowGain[b.window]
		} else if g.emphasis {
			factor += emphases[i]
		}
		size := float32(math.Exp2(float64(gain-step*factor) / 4))
		for n := b.start; n < min(b.end(), used); n++ {
			if v := values[n]; v < 0 {
				s.x[n] = -size * powers[-v]
			} else {
				s.x[n] = size * powers[v]
			}
		}
	}
}

// reorder brings the lines of short blocks from the order of their bands into that of frequency, with those of the
// three windows beside each other (ISO 11172-3 2.4.3.4.8).
func (s *spectrum) reorder(bands []band) {
	var ordered [lines]float32
	end := 0
	for _, b := range bands {
		if b.window == whole {
			copy(ordered[b.start:b.end()], s.x[b.start:b.end()])
			continue
		}
		first := b.start - b.window*b.width
		if first >= s.used {
			break
		}
		for n, v := range s.x[b.start:b.end()] {
			ordered[first+3*n+b.window] = v
		}
		end = first + 3*b.width
	}
	s.x, s.used = ordered, max(s.used, end)
}

// silence makes all lines 0.
func (s *spectrum) silence() {
	clear(s.x[:])
	s.used = 0
}

// smooth undoes what the overlap of neighbouring subbands does to long blocks (ISO 11172-3 2.4.3.4.10.1), in
// the lowest subbands.
func (s *spectrum) smooth(count int) {
	t := tables()
	for edge := perBand; edge < count*perBand && edge-len(t.alias) < s.used; edge += perBand {
		for i, a := range t.alias {
			lower, upper := &s.x[edge-1-i], &s.x[edge+i]
			*lower, *upper = *lower*a.keep-*upper*a.cross, *upper*a.keep+*lower*a.cross
		}
		s.used = max(s.used, edge+len(t.alias))
	}
}
