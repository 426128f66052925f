package holdmusic

import (
	"math"
	"math/rand/v2"
	"testing"
)

func scaled(x []float32, factor float64) []float32 {
	for i := range x {
		x[i] *= float32(factor)
	}
	return x
}

func floats(pcm []int16) []float32 {
	x := make([]float32, len(pcm))
	for i, v := range pcm {
		x[i] = float32(v) / 32768
	}
	return x
}

func peakOf(x []float32) (peak float32) {
	for _, v := range x {
		peak = max(peak, v, -v)
	}
	return peak
}

func heardLoudness(pcm []int16) float64 { return loudness(recordingOf(floats(pcm))) }

// The standard gives its weighting as two filters for 48000 Hz (BS.1770-5 tables 1 and 2): ours for 8000 Hz
// weights a tone as they do. A tone of 997 Hz at full scale in one channel has -3.01.
func TestLoudness_Tones(t *testing.T) {
	table := kWeighting{
		biquad{b0: 1.53512485958697, b1: -2.69169618940638, b2: 1.19839281085285, a1: -1.69065929318241, a2: 0.73248077421585},
		biquad{b0: 1, b1: -2, b2: 1, a1: -1.99004745483398, a2: 0.99007225036621},
	}
	for _, hertz := range []float64{60, 100, 300, 500, 997, 1500, 2000, 3000, 3400} {
		standard := table
		var sum float64
		for i := range 2 * 48000 {
			y := standard.next(math.Sin(2 * math.Pi * hertz * float64(i) / 48000))
			if i >= 48000 {
				sum += y * y
			}
		}
		want := level(sum / 48000)
		got := loudness(recordingOf(sineAt(hertz, rate, 10*rate)))
		if math.Abs(got-want) > 0.5 || hertz == 997 && math.Abs(got+3.01) > 0.05 {
			t.Errorf("%v Hz: %.2f, want %.2f", hertz, got, want)
		}
	}
}

// EBU Tech 3341, test signals 3 to 5: pauses and quiet passages are left out of the mean.
func TestLoudness_Gates(t *testing.T) {
	type part struct{ level, seconds float64 }
	for name, parts := range map[string][]part{
		"3":               {{-36, 10}, {-23, 60}, {-36, 10}},
		"4":               {{-72, 10}, {-36, 10}, {-23, 60}, {-36, 10}, {-72, 10}},
		"5":               {{-26, 20}, {-20, 20.1}, {-26, 20}},
		"half is silence": {{-23, 20}, {-200, 20}},
	} {
		var x []float32
		for _, p := range parts {
			x = append(x, scaled(sineAt(1000, rate, int(p.seconds*rate)), fromDB(p.level+3.01))...)
		}
		if got := loudness(recordingOf(x)); math.Abs(got+23) > 0.1 {
			t.Errorf("signal %s: %.2f, want -23", name, got)
		}
	}
	if got := loudness(recordingOf(make([]float32, rate))); !math.IsInf(got, -1) {
		t.Errorf("silence: %v", got)
	}
}

func TestEvenOutBringsLoudAndQuietToOneLevel(t *testing.T) {
	for name, x := range map[string][]float32{
		"loud":                  sineAt(440, rate, rate),
		"quiet":                 scaled(sineAt(440, rate, rate), fromDB(-40)),
		"with a pause as long":  append(scaled(sineAt(440, rate, rate), 0.1), make([]float32, rate)...),
		"shorter than a moment": scaled(sineAt(1000, rate, 300), 0.2),
	} {
		t.Run(name, func(t *testing.T) {
			r := recordingOf(x)
			evenOut(r)
			if got := loudness(r); math.Abs(got-targetLevel) > 0.2 {
				t.Errorf("loudness %.2f dB, want %v", got, targetLevel)
			}
		})
	}
}

// A recording with peaks far above the rest is as loud as the others, and does not clip, wherever they lie.
func TestEvenOutNeverClips(t *testing.T) {
	for name, places := range map[string][]int{
		"at the beginning": {0}, "soon": {7}, "in the midst": {12345, 12346, 12380}, "at the end": {4*rate - 1},
		"many": {100, 4000, 8000, 12000, 16000, 20000, 24000},
	} {
		t.Run(name, func(t *testing.T) {
			x := scaled(sineAt(440, rate, 4*rate), 0.01)
			for _, i := range places {
				x[i] = 0.9 // a crack in a quiet recording
			}
			r := recordingOf(x)
			evenOut(r)
			if peak := toDB(float64(peakOf(flat(r)))); peak > peakLevel+0.01 {
				t.Errorf("peak at %.2f dB, want at most %v", peak, peakLevel)
			}
			if got := loudness(r); math.Abs(got-targetLevel) > 1 {
				t.Errorf("loudness %.2f dB, want %v", got, targetLevel)
			}
		})
	}
}

// Music as it is sold today and a recording of speech in a hall, of noise: very unlike crests, one loudness.
func TestEvenOutOfUnlikeCrests(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	flatOut, bursts := make([]float32, 10*rate), make([]float32, 10*rate)
	for i := range flatOut {
		flatOut[i] = float32(math.Tanh(3 * random.NormFloat64()))
		bursts[i] = float32(random.NormFloat64()*0.01) * float32(math.Exp(-float64(i%2000)/150)) * 10
	}
	for name, x := range map[string][]float32{"flat out": flatOut, "bursts": bursts} {
		r := recordingOf(x)
		evenOut(r)
		if got := loudness(r); math.Abs(got-targetLevel) > 0.5 || toDB(float64(peakOf(flat(r)))) > peakLevel+0.01 {
			t.Errorf("%s: loudness %.2f dB, want %v", name, got, targetLevel)
		}
	}
}

func TestEvenOutLeavesNoiseAlone(t *testing.T) {
	r := recordingOf(scaled(sineAt(440, rate, rate), fromDB(-66)))
	evenOut(r)
	if peak := toDB(float64(peakOf(flat(r)))); math.Abs(peak-(-66+maxGain)) > 0.1 {
		t.Errorf("peak at %.2f dB, want %v", peak, -66+maxGain)
	}
	silence := recordingOf(make([]float32, 100))
	evenOut(silence)
	for _, v := range flat(silence) {
		if v != 0 {
			t.Fatal("silence did not stay silent")
		}
	}
}
