package holdmusic

import "math"

const (
	// rate is the sample rate of all telephone audio here, in hertz.
	rate = 8000

	// passband is the highest frequency, in hertz, that the resampler leaves alone.
	// What the telephone network carries ends at 3400 Hz (ITU-T G.711, G.712).
	passband = 3400.0

	// stopband is where the resampler's filter has reached full attenuation, in
	// hertz: half of rate, above which everything would fold back as an alias.
	stopband = 4000.0

	// attenuation of the filter beyond stopband, in decibels.
	attenuation = 80.0

	// minRate and maxRate bound the sample rates of files, in hertz.
	minRate = 1000
	maxRate = 384000

	// phases is how many positions between two input samples the filter is
	// tabulated for; between them it is interpolated linearly, with an error
	// below -90 dB.
	phases = 256
)

// edge says what the resampler takes to lie before the first sample and after the last.
type edge uint8

const (
	circular edge = iota // the other end of the signal: it will be played in a loop
	mirrored             // the signal reversed: something else will be played before and after
)

// resample converts x, sampled at from hertz (1 or more), to rate. The result
// has round(len(x)·rate/from) samples, at least one, and spans x exactly, so that
// a circular signal meets its own beginning without a step. A signal that has the
// right rate is returned as it is.
func resample(x []float32, from int, e edge) []float32 {
	if from == rate || len(x) == 0 {
		return x
	}
	n := max(1, int(math.Round(float64(len(x))*rate/float64(from))))
	f := newFilter(from)
	pad := extend(x, f.half, e)
	out := make([]float32, n)
	step := float64(len(x)) / float64(n)
	for i := range out {
		// Position in x. Multiplying afresh keeps the error from growing.
		at := float64(i) * step
		whole := math.Floor(at)
		// pad[whole+half] is x[whole]; the window is the 2·half samples round it.
		out[i] = f.at(pad[int(whole)+1:], at-whole)
	}
	return out
}

// filter is a windowed-sinc low pass, tabulated by the fraction of an input
// sample that the wanted point lies after its left neighbour.
type filter struct {
	half int         // taps on each side of the wanted point
	rows [][]float32 // phases+1 rows of 2·half taps
}

// newFilter designs the filter for an input rate, in hertz. When the input is
// slower than the output, its own upper limit replaces the telephone's.
func newFilter(from int) *filter {
	scale := math.Min(1, float64(from)/rate)
	cutoff := (passband + stopband) / 2 * scale / float64(from) // cycles per input sample
	width := (stopband - passband) * scale / float64(from)
	// Kaiser's formulae for the length and the shape of the window.
	taps := (attenuation - 7.95) / (2.285 * 2 * math.Pi * width)
	beta := 0.1102 * (attenuation - 8.7)
	f := &filter{half: int(math.Ceil(taps/2)) + 1}
	f.rows = make([][]float32, phases+1)
	coef := make([]float64, 2*f.half)
	for p := range f.rows {
		var sum float64
		for k := range coef {
			// Distance of this tap's sample from the wanted point.
			d := float64(k-f.half+1) - float64(p)/phases
			coef[k] = sinc(2*cutoff*d) * kaiser(d/float64(f.half), beta)
			sum += coef[k]
		}
		row := make([]float32, len(coef))
		for k := range coef {
			row[k] = float32(coef[k] / sum) // unity at 0 Hz at every phase
		}
		f.rows[p] = row
	}
	return f
}

// at gives the filtered value at frac (0 ≤ frac < 1) past x[half-1].
func (f *filter) at(x []float32, frac float64) float32 {
	pos := frac * phases
	p := int(pos)
	w := float32(pos - float64(p))
	a, b := f.rows[p], f.rows[p+1]
	x, b = x[:len(a)], b[:len(a)]
	var s0, s1 float32
	for k, c := range a {
		s0 += c * x[k]
		s1 += b[k] * x[k]
	}
	return s0 + w*(s1-s0)
}

// extend puts n samples of what e says before and after x.
func extend(x []float32, n int, e edge) []float32 {
	out := make([]float32, len(x)+2*n)
	for i := range out {
		out[i] = x[e.index(i-n, len(x))]
	}
	return out
}

// index maps a position outside of a signal of n samples to one inside.
func (e edge) index(i, n int) int {
	if e == circular {
		return ((i % n) + n) % n
	}
	period := 2 * n
	i = ((i % period) + period) % period
	if i >= n {
		i = period - 1 - i
	}
	return i
}

// sinc is sin(πx)/(πx).
func sinc(x float64) float64 {
	if x == 0 {
		return 1
	}
	return math.Sin(math.Pi*x) / (math.Pi * x)
}

// kaiser is the Kaiser window, not yet scaled, at x from -1 to 1; outside of it is 0.
func kaiser(x, beta float64) float64 {
	if x <= -1 || x >= 1 {
		return 0
	}
	return bessel0(beta * math.Sqrt(1-x*x))
}

// bessel0 is the modified Bessel function of the first kind and order zero.
func bessel0(x float64) float64 {
	sum, term := 1.0, 1.0
	for k := 1.0; term > sum*1e-16; k++ {
		term *= (x / (2 * k)) * (x / (2 * k))
		sum += term
	}
	return sum
}
