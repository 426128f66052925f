package mp3

import (
	"math"
	"sync"
)

// fixed are the tables that never change.
type fixed struct {
	layouts   map[int]*layout // by rate
	codebooks [34]*codebook   // nil where trees has none
	// powers are v^(4/3), to the largest value that there is.
	powers [escape + 1<<13]float32
	alias  [8]butterfly
	// Factors of the inverse transforms of long and short blocks, of the values that differ but for their sign, and
	// the windows of each block type.
	long   [18][18]float32
	short  [6][6]float32
	shapes [4][36]float32
	// Factors of the synthesis, of the first half of a slot, and its window.
	cosines [32][16]float32
	window  [512]float32
}

// butterfly are the factors of two lines that lie as far from the edge of two subbands.
type butterfly struct{ keep, cross float32 }

var tables = sync.OnceValue(func() *fixed {
	t := &fixed{layouts: make(map[int]*layout)}
	for _, rate := range []int{44100, 48000, 32000} {
		t.layouts[rate] = newLayout(rate, mpeg1)
		t.layouts[rate/2] = newLayout(rate/2, mpeg2)
		t.layouts[rate/4] = newLayout(rate/4, mpeg25)
	}
	for number, tree := range trees {
		t.codebooks[number] = newCodebook(tree)
	}
	for v := range t.powers {
		t.powers[v] = float32(math.Pow(float64(v), 4.0/3))
	}
	// ISO 11172-3 table B.9
	for i, c := range []float64{-0.6, -0.535, -0.33, -0.185, -0.095, -0.041, -0.0142, -0.0037} {
		t.alias[i] = butterfly{keep: float32(1 / math.Sqrt(1+c*c)), cross: float32(c / math.Sqrt(1+c*c))}
	}
	t.transforms()
	for i := range t.window {
		if i <= 256 {
			t.window[i] = float32(window[i]) / 65536
		} else if t.window[i] = -t.window[512-i]; i%64 == 0 {
			t.window[i] = t.window[512-i]
		}
	}
	return t
})

// transforms computes the factors of the transforms (ISO 11172-3 2.4.3.4.10.2, 2.4.3.2.2) and their windows
// (2.4.3.4.10.3).
func (t *fixed) transforms() {
	// inverse is the factor of line k in value i of n.
	inverse := func(n, i, k int) float32 {
		return float32(math.Cos(math.Pi / float64(2*n) * float64((2*i+1+n/2)*(2*k+1))))
	}
	for i := range 9 {
		for k := range 18 {
			t.long[i][k], t.long[9+i][k] = inverse(36, i, k), inverse(36, 18+i, k)
		}
	}
	for i := range 3 {
		for k := range 6 {
			t.short[i][k], t.short[3+i][k] = inverse(12, i, k), inverse(12, 6+i, k)
		}
	}
	sine := func(n, i int) float32 { return float32(math.Sin(math.Pi / float64(n) * (float64(i) + 0.5))) }
	for i := range 36 {
		t.shapes[longBlock][i] = sine(36, i)
		if i < 12 {
			t.shapes[shortBlock][i] = sine(12, i)
		}
		// Between long and short blocks one half is long and the other has the slope of a short block in its middle.
		switch {
		case i < 18:
			t.shapes[startBlock][i] = sine(36, i)
		case i < 24:
			t.shapes[startBlock][i] = 1
		case i < 30:
			t.shapes[startBlock][i] = sine(12, i-18)
		}
		t.shapes[stopBlock][35-i] = t.shapes[startBlock][i]
	}
	for n := range t.cosines {
		for k := range t.cosines[n] {
			t.cosines[n][k] = float32(math.Cos(math.Pi / 64 * float64(n*(2*k+1))))
		}
	}
}
