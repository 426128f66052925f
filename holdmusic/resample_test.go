package holdmusic

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// inputRates are the sample rates that files come in.
var inputRates = []int{6000, 11025, 16000, 22050, 44100, 48000, 192000}

// sineAt is a sine of full scale, with a phase that favours no sample.
func sineAt(hertz float64, rate, samples int) []float32 {
	x := make([]float32, samples)
	for i := range x {
		x[i] = float32(math.Sin(2*math.Pi*hertz*float64(i)/float64(rate) + 0.3))
	}
	return x
}

// resample converts all of x at once.
func resample(x []float32, from int, e edge) []float32 {
	to := &recording{}
	r := newResampler(from, e, to)
	r.write(x)
	r.finish()
	return flat(to)
}

func recordingOf(x []float32) *recording {
	r := &recording{}
	for _, v := range x {
		r.append(v)
	}
	return r
}

func flat(r *recording) []float32 { return slices.Concat(r.pieces...) }

// fit gives the amplitude of the sine of this frequency that fits x best, and
// the root mean square of what is left of x without it.
func fit(x []float32, hertz float64) (amplitude, rest float64) {
	var ss, sc, cc, sx, cx float64
	w := 2 * math.Pi * hertz / rate
	for i, v := range x {
		s, c := math.Sincos(w * float64(i))
		ss, sc, cc = ss+s*s, sc+s*c, cc+c*c
		sx, cx = sx+s*float64(v), cx+c*float64(v)
	}
	det := ss*cc - sc*sc
	a, b := (sx*cc-cx*sc)/det, (cx*ss-sx*sc)/det
	for i, v := range x {
		s, c := math.Sincos(w * float64(i))
		d := float64(v) - a*s - b*c
		rest += d * d
	}
	return math.Hypot(a, b), math.Sqrt(rest / float64(len(x)))
}

func toDB(factor float64) float64 { return 20 * math.Log10(factor) }

// A tone of the telephone band keeps its frequency and its level, and nothing is
// added to it, at any input rate.
func TestResampleKeepsTones(t *testing.T) {
	for _, from := range inputRates {
		for _, hertz := range []float64{50, 1004, 3400} {
			if hertz > passband*min(1, float64(from)/rate) {
				continue // a slow file has no such tones
			}
			t.Run(fmt.Sprintf("%dHz/%v", from, hertz), func(t *testing.T) {
				// A second, in which all these tones turn a whole number of times.
				out := resample(sineAt(hertz, from, from), from, circular)
				if len(out) != rate {
					t.Fatalf("a second became %d samples", len(out))
				}
				amplitude, rest := fit(out, hertz)
				if db := toDB(amplitude); math.Abs(db) > 0.05 {
					t.Errorf("level changed by %.3f dB", db)
				}
				if db := toDB(rest); db > -65 {
					t.Errorf("noise and distortion at %.1f dB, want below -65", db)
				}
			})
		}
	}
}

// A tone that a telephone cannot carry must not come back as another one.
func TestResampleSuppressesAliases(t *testing.T) {
	for _, from := range inputRates {
		for _, hertz := range []float64{4000, 5000, 7999, 21000} {
			if hertz >= float64(from)/2 {
				continue
			}
			out := resample(sineAt(hertz, from, from), from, circular)
			var power float64
			for _, v := range out {
				power += float64(v) * float64(v)
			}
			// Relative to the tone itself, whose power is one half.
			if db := 10 * math.Log10(power/float64(len(out))*2); db > -60 {
				t.Errorf("%d Hz: a tone of %v Hz is left at %.1f dB, want below -60", from, hertz, db)
			}
		}
	}
}

// Where a looped signal meets its own beginning, it goes on as if there were no
// seam, even if its length comes to no whole number of samples at 8000 Hz.
func TestResampleLoopsWithoutClick(t *testing.T) {
	for _, from := range inputRates {
		const turns = 40
		samples := from/10 + 1
		out := resample(sineAt(float64(from)*turns/float64(samples), from, samples), from, circular)
		n := len(out)
		for i := -40; i < 40; i++ {
			want := math.Sin(2*math.Pi*turns*float64(i)/float64(n) + 0.3)
			if got := float64(out[(i+n)%n]); math.Abs(got-want) > 0.001 {
				t.Fatalf("%d Hz: %d samples from the seam: %.4f, want %.4f", from, i, got, want)
			}
		}
	}
}

// A file that others follow neither fades at its ends nor steps.
func TestResampleMirroredEndsHold(t *testing.T) {
	for _, from := range inputRates {
		x := make([]float32, from/10)
		for i := range x {
			x[i] = 0.5
		}
		for i, v := range resample(x, from, mirrored) {
			if math.Abs(float64(v)-0.5) > 1e-4 {
				t.Fatalf("%d Hz: sample %d of a constant 0.5 is %v", from, i, v)
			}
		}
	}
}

func TestResampleLeavesTheRightRateAlone(t *testing.T) {
	x := sineAt(1000, rate, 100)
	if got := resample(x, rate, circular); !slices.Equal(got, x) {
		t.Error("a file at 8000 Hz was changed")
	}
}

// The pieces in which a file comes make no difference, at usual and at odd rates, and all of it lies where it
// lay.
func TestResampleInPieces(t *testing.T) {
	for _, from := range append(inputRates, 1000, 44056, 47999) {
		x := sineAt(300, from, 5*from/2)
		whole := resample(x, from, mirrored)
		to := &recording{}
		r := newResampler(from, mirrored, to)
		for n := 1; len(x) > 0; n = n*3%7919 + 1 {
			n = min(n, len(x))
			r.write(x[:n])
			x = x[n:]
		}
		r.finish()
		if got := flat(to); !slices.Equal(got, whole) {
			t.Errorf("%d Hz: %d samples in pieces differ from %d at once", from, len(got), len(whole))
		}
		for i := 100; i < len(whole)-rate-100; i++ { // the last second may be stretched
			if want := math.Sin(2*math.Pi*300*float64(i)/rate + 0.3); math.Abs(float64(whole[i])-want) > 0.004 {
				t.Fatalf("%d Hz: sample %d is %.4f, want %.4f", from, i, whole[i], want)
			}
		}
	}
}

// However short the signal and odd the rate, the result has the right length, is
// finite and no louder than the filter can make it.
func FuzzResample(f *testing.F) {
	f.Add(uint64(1), uint16(1), uint32(44100), true)
	f.Add(uint64(2), uint16(3), uint32(1000), false)
	f.Add(uint64(3), uint16(500), uint32(192000), true)
	f.Fuzz(func(t *testing.T, seed uint64, samples uint16, from uint32, loop bool) {
		random := rand.New(rand.NewPCG(seed, 0))
		hertz := int(from%383000) + 1000
		x := make([]float32, int(samples)%2000+1)
		var peak float64
		for i := range x {
			x[i] = 2*random.Float32() - 1
			peak = max(peak, math.Abs(float64(x[i])))
		}
		e := mirrored
		if loop {
			e = circular
		}
		out := resample(x, hertz, e)
		if want := max(1, int(math.Round(float64(len(x))*rate/float64(hertz)))); len(out) != want {
			t.Fatalf("%d samples at %d Hz became %d, want %d", len(x), hertz, len(out), want)
		}
		for i, v := range out {
			if a := math.Abs(float64(v)); !(a <= 4*peak) {
				t.Fatalf("sample %d is %v, the loudest of the input %v", i, v, peak)
			}
		}
	})
}

// One minute of a stereo file's rate, after it was made mono.
func BenchmarkResample44100(b *testing.B) {
	x := sineAt(1000, 44100, 60*44100)
	for b.Loop() {
		resample(x, 44100, circular)
	}
}
