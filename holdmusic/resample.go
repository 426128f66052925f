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

	// finePhases is how many positions between two input samples the filter is
	// tabulated for where any can be needed; between them it is interpolated
	// linearly, with an error below -90 dB.
	finePhases = 256

	// maxPhases bounds the table where only some are. It takes those of all usual rates.
	maxPhases = 1000
)

// edge says what the resampler takes to lie before the first sample and after the last.
type edge uint8

const (
	circular edge = iota // the other end of the signal: it will be played in a loop
	mirrored             // the signal reversed: something else will be played before and after
)

// resampler converts audio of one rate to 8000 Hz as it comes. The result has round(n·rate/from) samples,
// at least one, and spans the n samples exactly, so that a circular signal meets its own beginning without
// a step: what the last second is too long or short by, half a sample at most, is spread over it.
type resampler struct {
	from int // hertz, 1 or more
	ends edge
	to   *recording
	seen int // samples written

	// exact is tabulated for the places between two samples where points of the result lie, as long as
	// nothing is spread; fine for any. nil when there is nothing to convert.
	exact, fine *filter
	per         int // a place of exact is so many 8000ths of a sample

	head   []float32 // the first samples
	x      []float32 // the newest samples; x[0] is the one of this number:
	base   int
	next   int // number of the sample of the result that comes next
	behind int // the first so many of them wait for what lies before the beginning
}

func newResampler(from int, ends edge, to *recording) *resampler {
	r := &resampler{from: from, ends: ends, to: to}
	if from == rate {
		return r
	}
	r.fine = newFilter(from, finePhases)
	r.per = gcd(from, rate)
	r.exact = r.fine
	if rate/r.per <= maxPhases {
		r.exact = newFilter(from, rate/r.per)
	}
	return r
}

// write takes the next samples.
func (r *resampler) write(x []float32) {
	r.seen += len(x)
	if r.fine == nil {
		for _, v := range x {
			r.to.append(v)
		}
		return
	}
	half := r.fine.half
	r.head = append(r.head, x[:min(len(x), max(0, 3*half-len(r.head)))]...)
	r.x = append(r.x, x...)
	// The last second is left until it is known to be the last.
	for {
		whole, frac := r.place(r.next)
		if whole+half >= r.seen-r.from {
			break
		}
		v := float32(0)
		if start := whole - half + 1; start < 0 {
			r.behind = r.next + 1
		} else if w := r.x[start-r.base:]; r.exact == r.fine {
			v = r.fine.at(w, float64(frac)/rate)
		} else {
			v = dot(r.exact.rows[frac/r.per], w)
		}
		r.to.append(v)
		r.next++
	}
	if whole, _ := r.place(r.next); whole-half-r.base > 2*r.from {
		drop := whole - half - r.base
		r.x = append(r.x[:0], r.x[drop:]...)
		r.base += drop
	}
}

// place is where the i-th sample of the result lies: behind a sample, by so many 8000ths.
func (r *resampler) place(i int) (whole, frac int) { return i * r.from / rate, i * r.from % rate }

// finish converts what is left. Nothing may be written afterwards.
func (r *resampler) finish() {
	if r.fine == nil || r.seen == 0 {
		return
	}
	total := max(1, int(math.Round(float64(r.seen)*rate/float64(r.from))))
	begin := float64(r.next) * float64(r.from) / rate
	step := (float64(r.seen) - begin) / float64(total-r.next)
	for i := range total - r.next {
		r.to.append(r.edgeAt(begin + float64(i)*step))
	}
	for i := range r.behind {
		*r.to.at(i) = r.edgeAt(float64(i) * float64(r.from) / rate)
	}
	r.x, r.head = nil, nil
}

// edgeAt gives the filtered value near an end.
func (r *resampler) edgeAt(at float64) float32 {
	half := r.fine.half
	whole := int(math.Floor(at))
	start := whole - half + 1
	if start >= r.base && start+2*half <= r.seen {
		return r.fine.at(r.x[start-r.base:], at-float64(whole))
	}
	w := make([]float32, 2*half)
	for i := range w {
		k := r.ends.index(start+i, r.seen)
		if k < len(r.head) {
			w[i] = r.head[k]
		} else {
			w[i] = r.x[k-r.base]
		}
	}
	return r.fine.at(w, at-float64(whole))
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// filter is a windowed-sinc low pass, tabulated by the fraction of an input
// sample that the wanted point lies after its left neighbour.
type filter struct {
	half int         // taps on each side of the wanted point
	rows [][]float32 // phases+1 rows of 2·half taps
}

// newFilter designs the filter for an input rate, in hertz, and as many places. When the input is
// slower than the output, its own upper limit replaces the telephone's.
func newFilter(from, phases int) *filter {
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
			d := float64(k-f.half+1) - float64(p)/float64(phases)
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
	pos := frac * float64(len(f.rows)-1)
	p := int(pos)
	w := float32(pos - float64(p))
	a, b := dot(f.rows[p], x), dot(f.rows[p+1], x)
	return a + w*(b-a)
}

// dot is the sum of products, x being as long as row or longer and row of an even length.
func dot(row, x []float32) float32 {
	x = x[:len(row)]
	var a, b float32
	for i := 0; i+1 < len(row); i += 2 {
		a += row[i] * x[i]
		b += row[i+1] * x[i+1]
	}
	return a + b
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
