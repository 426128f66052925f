package holdmusic

import (
	"math"
	"testing"
)

func scaled(x []float32, factor float64) []float32 {
	for i := range x {
		x[i] *= float32(factor)
	}
	return x
}

func TestEvenOutBringsLoudAndQuietToOneLevel(t *testing.T) {
	for name, x := range map[string][]float32{
		"loud":                  sineAt(440, rate, rate),
		"quiet":                 scaled(sineAt(440, rate, rate), fromDB(-40)),
		"with a pause as long":  append(scaled(sineAt(440, rate, rate), 0.1), make([]float32, rate)...),
		"shorter than a moment": scaled(sineAt(1000, rate, 40), 0.2),
	} {
		t.Run(name, func(t *testing.T) {
			evenOut(x)
			if rms, _ := measure(x); math.Abs(toDB(rms)-targetLevel) > 0.2 {
				t.Errorf("level %.2f dB, want %v", toDB(rms), targetLevel)
			}
		})
	}
}

func TestEvenOutNeverClips(t *testing.T) {
	x := scaled(sineAt(440, rate, rate), 0.01)
	x[100] = 0.9 // a crack in a quiet recording
	evenOut(x)
	if _, peak := measure(x); toDB(peak) > peakLevel+0.01 {
		t.Errorf("peak at %.2f dB, want at most %v", toDB(peak), peakLevel)
	}
}

func TestEvenOutLeavesNoiseAlone(t *testing.T) {
	x := scaled(sineAt(440, rate, rate), fromDB(-70))
	evenOut(x)
	if _, peak := measure(x); math.Abs(toDB(peak)-(-70+maxGain)) > 0.1 {
		t.Errorf("peak at %.2f dB, want %v", toDB(peak), -70+maxGain)
	}
	silence := make([]float32, 100)
	evenOut(silence)
	for _, v := range silence {
		if v != 0 {
			t.Fatal("silence did not stay silent")
		}
	}
}
