package mp3

import "math"

// Bits of the header that say how two channels were joined (mode and mode_extension, ISO 11172-3 2.4.2.3).
const (
	modeBits    = 3 << 6
	modeJoint   = 1 << 6
	joinMS      = 1 << 5
	joinByPlace = 1 << 4
)

// middle tells whether the channels are the middle and the sides.
func (h header) middle() bool { return h.word&modeBits == modeJoint && h.word&joinMS != 0 }

// byPlace tells whether the right channel's upper bands tell positions (intensity stereo).
func (h header) byPlace() bool { return h.word&modeBits == modeJoint && h.word&joinByPlace != 0 }

// joint are two channels that may have been joined, their lines still in the order of their bands.
type joint struct {
	h           header
	left, right *spectrum
	bands       []band
	scales      *scales // of the right channel
	strong      bool    // the lowest bit of its scalefac_compress
}

// split makes the left and the right channel of what was joined (ISO 11172-3 2.4.3.4.9, 13818-3 2.4.3.2). Bands with a
// position stay in the left channel alone, of the size that both shares of it have together: they are mixed in the end.
func (j *joint) split() {
	if !j.h.middle() && !j.h.byPlace() {
		return
	}
	used := max(j.left.used, j.right.used)
	top := j.top()
	for i, b := range j.bands {
		if b.start >= used {
			break
		}
		l, r := j.left.x[b.start:b.end()], j.right.x[b.start:b.end()]
		if place, ok := j.place(i, top); ok {
			both := j.shares(place)
			for n := range l {
				l[n] *= both
			}
		} else if j.h.middle() {
			for n, middle := range l {
				sides := r[n]
				l[n], r[n] = (middle+sides)*(math.Sqrt2/2), (middle-sides)*(math.Sqrt2/2)
			}
		}
	}
	j.left.used, j.right.used = used, used
}

// top is the highest band of each window in which the right channel has lines of its own; -1: none. Long bands belong
// to all windows.
func (j *joint) top() (top [3]int) {
	top = [3]int{-1, -1, -1}
	for i, b := range j.bands {
		for _, v := range j.right.x[b.start:b.end()] {
			if v == 0 {
				continue
			}
			if b.window == whole {
				top = [3]int{i, i, i}
			} else {
				top[b.window] = i
			}
			break
		}
	}
	return top
}

// place is the position of a band; false if it has none, because the right channel has lines there or above, or says so.
func (j *joint) place(i int, top [3]int) (place int, ok bool) {
	b := j.bands[i]
	above, windows := max(top[0], top[1], top[2]), 1
	if b.window != whole {
		above, windows = top[b.window], 3
	}
	if !j.h.byPlace() || i <= above {
		return 0, false
	}
	// The last band has no position of its own but that of the one before; the middle if that has none.
	if i >= len(j.bands)-windows {
		if i -= windows; i <= above {
			return 0, true
		}
	}
	return j.scales.factor[i], !j.scales.illegal[i]
}

// shares is how much of a band of this position both channels have together. With MPEG 1 they share it, with MPEG 2 one
// has it whole and the other less the farther it is off, in steps of 1/4 or 1/2 of a power of two.
func (j *joint) shares(place int) float32 {
	if j.h.version == mpeg1 {
		return 1
	}
	step := 1.0 / 4
	if j.strong {
		step = 1.0 / 2
	}
	return float32(1 + math.Exp2(-step*float64((place+1)/2)))
}
