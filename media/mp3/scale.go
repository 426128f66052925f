package mp3

// scales are the scale factors of a channel by band, and which of them are no position between left and right
// (see stereo.go).
type scales struct {
	factor  [39]int
	illegal [39]bool
}

// scaleBits are the bits of a scale factor of MPEG 1 in the lower and in the upper bands, by scalefac_compress (ISO
// 11172-3 2.4.2.7).
var scaleBits = [16][2]int{
	{0, 0}, {0, 1}, {0, 2}, {0, 3}, {3, 0}, {1, 1}, {1, 2}, {1, 3},
	{2, 1}, {2, 2}, {2, 3}, {3, 1}, {3, 2}, {3, 3}, {4, 2}, {4, 3},
}

// read reads the scale factors of MPEG 1. Long blocks have them in four parts, each of which may be that of the
// granule before (ISO 11172-3 2.4.2.7, scfsi).
func (s *scales) read(r *bits, g *granule, share [4]bool) {
	n := scaleBits[g.scaleIndex]
	parts := [5]int{0, 6, 11, 16, 21}
	lower, all := 11, 21
	if g.kind() != long {
		parts, share = [5]int{0, 0, 0, 0, 36}, [4]bool{}
		lower, all = 18, 36
		if g.mixed {
			lower, all, parts[4] = 17, 35, 35
		}
	}
	for i, kept := range share {
		for b := parts[i]; b < parts[i+1] && !kept; b++ {
			if b < lower {
				s.factor[b] = r.number(n[0])
			} else {
				s.factor[b] = r.number(n[1])
			}
		}
	}
	clear(s.factor[all:])
	for b, f := range s.factor {
		s.illegal[b] = f >= 7 // ISO 11172-3 2.4.3.4.9.3
	}
}

// parts of MPEG 2 are how many bands have scale factors of one length, for long, short and mixed blocks (ISO 13818-3
// 2.4.3.2). The last three are those of a right channel that tells positions.
var parts = [6][3][4]int{
	{{6, 5, 5, 5}, {9, 9, 9, 9}, {6, 9, 9, 9}},
	{{6, 5, 7, 3}, {9, 9, 12, 6}, {6, 9, 12, 6}},
	{{11, 10, 0, 0}, {18, 18, 0, 0}, {15, 18, 0, 0}},
	{{7, 7, 7, 0}, {12, 12, 12, 0}, {6, 15, 12, 0}},
	{{6, 6, 6, 3}, {12, 9, 9, 6}, {6, 12, 9, 6}},
	{{8, 8, 5, 0}, {15, 12, 9, 0}, {6, 18, 9, 0}},
}

// readLow reads the scale factors of MPEG 2 and 2.5 (ISO 13818-3 2.4.3.2), and whether there is emphasis.
func (s *scales) readLow(r *bits, g *granule, positions bool) {
	index := g.scaleIndex
	var part int
	var n [4]int
	if positions {
		index >>= 1
		switch {
		case index < 180:
			part, n = 3, [4]int{index / 36, index % 36 / 6, index % 6}
		case index < 244:
			index -= 180
			part, n = 4, [4]int{index / 16, index / 4 % 4, index % 4}
		default:
			index -= 244
			part, n = 5, [4]int{index / 3, index % 3}
		}
	} else {
		switch {
		case index < 400:
			part, n = 0, [4]int{index / 80, index / 16 % 5, index / 4 % 4, index % 4}
		case index < 500:
			index -= 400
			part, n = 1, [4]int{index / 20, index / 4 % 5, index % 4}
		default:
			index -= 500
			part, n = 2, [4]int{index / 3, index % 3}
			g.emphasis = true
		}
	}
	b := 0
	for i, count := range parts[part][g.kind()] {
		for range count {
			s.factor[b] = r.number(n[i])
			s.illegal[b] = n[i] > 0 && s.factor[b] == 1<<n[i]-1
			b++
		}
	}
	clear(s.factor[b:])
	clear(s.illegal[b:])
}
