package mp3

// slots are samples of the subbands: one of each at a time.
type slots [perBand][subbands]float32

// hybrid turns a channel's lines into samples of the subbands.
type hybrid struct {
	overlap [lines]float32 // the second halves of the granule before
}

// add adds the granule's samples, multiplied by share, to those of other channels (ISO 11172-3 2.4.3.4.10.2 to .4).
// The lowest subbands are long blocks whatever the others are.
func (y *hybrid) add(s *spectrum, block, lowest int, share float32, to *slots) {
	var both [2 * perBand]float32
	for sub := range subbands {
		at := sub * perBand
		overlap := y.overlap[at : at+perBand]
		kind := block
		if sub < lowest {
			kind = longBlock
		}
		switch {
		case at >= s.used:
			clear(both[:])
		case kind == shortBlock:
			inverseShort(s.x[at:at+perBand], &both)
		default:
			inverseLong(s.x[at:at+perBand], kind, &both)
		}
		for i := range overlap {
			v := (both[i] + overlap[i]) * share
			if sub&1 == 1 && i&1 == 1 {
				v = -v // every other subband is upside down
			}
			to[i][sub] += v
		}
		copy(overlap, both[perBand:])
	}
}

// inverseLong is the inverse transform of 18 lines with the window of their block type. Of its 36 values the first
// half is antisymmetric and the second symmetric.
func inverseLong(x []float32, block int, out *[2 * perBand]float32) {
	t := tables()
	x = x[:perBand]
	for i := range perBand / 2 {
		var first, second float32
		a, b := &t.long[i], &t.long[perBand/2+i]
		for k, v := range x {
			first += v * a[k]
			second += v * b[k]
		}
		out[i], out[17-i] = first, -first
		out[18+i], out[35-i] = second, second
	}
	for i, w := range &t.shapes[block] {
		out[i] *= w
	}
}

// inverseShort is that of three times six lines, which overlap in the middle.
func inverseShort(x []float32, out *[2 * perBand]float32) {
	t := tables()
	clear(out[:])
	for w := range 3 {
		to := out[6+6*w : 18+6*w]
		for i := range 3 {
			var first, second float32
			for k := range 6 {
				v := x[3*k+w]
				first += v * t.short[i][k]
				second += v * t.short[3+i][k]
			}
			to[i] += first * t.shapes[shortBlock][i]
			to[5-i] -= first * t.shapes[shortBlock][5-i]
			to[6+i] += second * t.shapes[shortBlock][6+i]
			to[11-i] += second * t.shapes[shortBlock][11-i]
		}
	}
}
