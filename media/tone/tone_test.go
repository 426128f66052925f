package tone_test

import (
	"math"
	"testing"
	"time"

	"centrala/media"
	"centrala/media/tone"
)

func TestLevel_FindsOwnFrequencyOnly(t *testing.T) {
	for _, level := range []float64{0, -6, -20, -40} {
		pcm := tone.Sine(440, level, 8000, 200*time.Millisecond)
		if got := tone.Level(pcm, 8000, 440); math.Abs(got-level) > 0.5 {
			t.Errorf("440 Hz at %v dBFS measured as %.1f", level, got)
		}
		if got := tone.Level(pcm, 8000, 1000); got > level-40 {
			t.Errorf("1000 Hz in a 440 Hz tone of %v dBFS: %.1f dBFS", level, got)
		}
	}
	if got := tone.Level(make([]int16, 800), 8000, 440); got != tone.Floor {
		t.Errorf("silence: %.1f dBFS", got)
	}
	if got := tone.Level(nil, 8000, 440); got != tone.Floor {
		t.Errorf("no samples: %.1f dBFS", got)
	}
}

func TestLevels_ShowWhenToneStops(t *testing.T) {
	pcm := append(tone.Sine(600, -10, 8000, 100*time.Millisecond), make([]int16, 800)...)
	levels := tone.Levels(pcm, 8000, 600, 20*time.Millisecond)
	if len(levels) != 10 {
		t.Fatalf("%d windows of 20 ms in 200 ms", len(levels))
	}
	for i, level := range levels {
		if sounding := level > -20; sounding != (i < 5) {
			t.Errorf("window %d: %.1f dBFS", i, level)
		}
	}
}

// A programme's frames put one after the other are the tone, in both codecs, across the second's seam.
func TestProgram_SeamlessInBothCodecs(t *testing.T) {
	p := tone.NewProgram(437, -12)
	for c := range media.Codec(media.NumCodecs) {
		var pcm []int16
		for tick := uint64(40); tick < 60; tick++ {
			pcm = c.AppendDecoded(pcm, p.Frame(c, tick))
		}
		if got := tone.Level(pcm, 8000, 437); math.Abs(got+12) > 0.5 {
			t.Errorf("%v: %.1f dBFS, want -12", c, got)
		}
		if got := tone.Level(pcm, 8000, 1300); got > -45 {
			t.Errorf("%v: %.1f dBFS of something else", c, got)
		}
	}
}
