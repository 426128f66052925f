package main

import "math"

// rate is the sample rate of the tunes, in hertz.
const rate = 8000

// track is a tune in the making: a ring of samples, so that what rings on past
// the end is heard at the beginning and the tune loops without a seam. All
// arithmetic on samples is in integers, so that every machine makes the same file.
type track struct {
	mix   []int32
	seed  uint32      // state of the noise, never 0
	table [4096]int16 // one turn of a sine
}

func newTrack(samples int) *track {
	t := &track{mix: make([]int32, samples), seed: 0x2545F491}
	for i := range t.table {
		t.table[i] = int16(math.Round(32767 * math.Sin(2*math.Pi*float64(i)/float64(len(t.table)))))
	}
	return t
}

// voice is an instrument: two sines, of which the second bends the phase of the
// first (frequency modulation), under an envelope that rises in a straight line
// and then decays exponentially.
type voice struct {
	ratio  uint32 // frequency of the second sine, as a multiple of the first
	bend   int32  // how much the second sine bends the first; 325 is one radian
	attack int32  // length of the rise, in samples
	decay  int32  // the envelope loses 1/decay of itself each sample
	fade   int32  // the same for the bend: most strings start bright and turn mellow
}

// The instruments.
var (
	glass   = voice{ratio: 2, bend: 150, attack: 80, decay: 6000, fade: 2500}
	strings = voice{ratio: 1, bend: 90, attack: 6000, decay: 22000, fade: 40000}
	epiano  = voice{ratio: 1, bend: 330, attack: 30, decay: 3600, fade: 1400}
	bass    = voice{ratio: 2, bend: 420, attack: 40, decay: 2200, fade: 1200}
	vibes   = voice{ratio: 4, bend: 260, attack: 24, decay: 3400, fade: 500}
)

// silent is the envelope below which a note is over, of envelopeTop at its loudest.
const (
	envelopeTop = 1 << 28
	silent      = envelopeTop >> 11
)

// play adds a note (MIDI number; 69 is the A of 440 Hz) of v that begins at
// sample at, is released after length samples and is as loud as velocity (0 to 127).
func (t *track) play(v voice, note, at, length, velocity int) {
	inc := increment(note)
	var carrier, modulator uint32
	level, bright := int64(0), int64(v.bend)<<16
	for i := 0; i < len(t.mix); i++ {
		switch {
		case i < int(v.attack):
			level = envelopeTop * int64(i) / int64(v.attack)
		case i < length:
			level -= level / int64(v.decay)
		default:
			level -= level / 350 // released: gone within a fifth of a second
		}
		if i > int(v.attack) && level < silent {
			return
		}
		bright -= bright / int64(v.fade)
		swing := uint32(int64(t.sine(modulator)) * (bright >> 16) << 6)
		sample := int64(t.sine(carrier+swing)) * (level >> 14) >> 14
		t.mix[(at+i)%len(t.mix)] += int32(sample * int64(velocity) >> 7)
		carrier += inc
		modulator += inc * v.ratio
	}
}

// brush adds a stroke of noise, as of a brush on a cymbal.
func (t *track) brush(at, decay, velocity int) {
	level := int64(envelopeTop)
	last := int32(0)
	for i := 0; level >= silent; i++ {
		t.seed ^= t.seed << 13
		t.seed ^= t.seed >> 17
		t.seed ^= t.seed << 5
		noise := int32(t.seed) >> 16
		high := noise - last // a cymbal has no low tones
		last = noise
		t.mix[(at+i)%len(t.mix)] += int32(int64(high) * (level >> 14) >> 15 * int64(velocity) >> 7)
		level -= level / int64(decay)
	}
}

// echo adds what was played delay samples before, at 1/4 of its loudness, and
// that again at 1/16, and so on, round the ring.
func (t *track) echo(delay int) {
	dry := append([]int32(nil), t.mix...)
	for turn, shift := delay, 2; shift <= 6; turn, shift = turn+delay, shift+2 {
		for i, v := range dry {
			t.mix[(i+turn)%len(t.mix)] += v >> shift
		}
	}
}

// samples gives the tune with its loudest sample at peak.
func (t *track) samples(peak int32) []int16 {
	top := int64(1)
	for _, v := range t.mix {
		top = max(top, int64(max(v, -v)))
	}
	out := make([]int16, len(t.mix))
	for i, v := range t.mix {
		out[i] = int16(int64(v) * int64(peak) / top)
	}
	return out
}

// increment is the advance of the phase per sample, a full turn being 2^32.
func increment(note int) uint32 {
	hertz := 440 * math.Exp2(float64(note-69)/12)
	return uint32(math.Round(hertz / rate * (1 << 32)))
}

// sine reads the table at a phase.
func (t *track) sine(phase uint32) int32 { return int32(t.table[phase>>20]) }
