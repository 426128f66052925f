// Package tone makes sine tones and finds them again in recorded audio. Tests
// give each party a frequency of its own and so see who hears whom.
package tone

import (
	"math"
	"time"

	"centrala/media"
)

// Floor is the lowest level that is reported, in dBFS.
const Floor = -120.0

// Sine returns d of a tone as 16-bit samples. level is that of the tone in dBFS, 0 or less.
func Sine(hertz, level float64, rate int, d time.Duration) []int16 {
	n := int(d.Seconds() * float64(rate))
	amplitude := 32767 * math.Pow(10, min(level, 0)/20)
	pcm := make([]int16, n)
	for i := range pcm {
		pcm[i] = int16(math.Round(amplitude * math.Sin(2*math.Pi*hertz*float64(i)/float64(rate))))
	}
	return pcm
}

// Level is the level in dBFS of one frequency in samples (Goertzel's algorithm): a full-scale sine
// gives 0, another frequency or silence a value near Floor. The longer the samples, the narrower
// the band: it is about rate/len(samples) wide.
func Level(samples []int16, rate int, hertz float64) float64 {
	if len(samples) == 0 {
		return Floor
	}
	omega := 2 * math.Pi * hertz / float64(rate)
	coefficient := 2 * math.Cos(omega)
	var s1, s2 float64
	for _, v := range samples {
		s1, s2 = float64(v)/32768+coefficient*s1-s2, s1
	}
	power := s1*s1 + s2*s2 - coefficient*s1*s2
	amplitude := 2 * math.Sqrt(max(power, 0)) / float64(len(samples))
	if amplitude == 0 {
		return Floor
	}
	return max(20*math.Log10(amplitude), Floor)
}

// Levels is Level for each whole window of the samples, in order.
func Levels(samples []int16, rate int, hertz float64, window time.Duration) []float64 {
	n := int(window.Seconds() * float64(rate))
	if n <= 0 {
		return nil
	}
	levels := make([]float64, 0, len(samples)/n)
	for ; len(samples) >= n; samples = samples[n:] {
		levels = append(levels, Level(samples[:n], rate, hertz))
	}
	return levels
}

// Program is an endless tone that endpoints can play.
type Program struct {
	frames [media.NumCodecs][]byte // one second each
}

// NewProgram makes a tone of a whole number of hertz, so that it has no seam after each second.
func NewProgram(hertz int, level float64) *Program {
	pcm := Sine(float64(hertz), level, media.SampleRate, time.Second)
	p := &Program{}
	for c := range media.Codec(media.NumCodecs) {
		p.frames[c] = c.AppendEncoded(nil, pcm)
	}
	return p
}

// Frame implements media.Program.
func (p *Program) Frame(c media.Codec, tick uint64) []byte {
	const inSecond = media.SampleRate / media.FrameSamples
	at := int(tick%inSecond) * media.FrameSamples
	return p.frames[c][at : at+media.FrameSamples]
}

var _ media.Program = (*Program)(nil)
