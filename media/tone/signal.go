package tone

import (
	"maps"
	"math"
	"slices"
	"sync/atomic"
	"time"

	"centrala/media"
)

// Signal is a tone that tells a caller how the call is getting on.
type Signal uint8

// The signals (ITU-T E.180 clauses 5 to 7).
const (
	Ringback   Signal = iota // the telephone rings
	Busy                     // the person is busy
	Congestion               // the network is
)

// signalLevel is the level of a signal with all its frequencies: -10 dBm0 (ITU-T E.180 clause 3). A
// full-scale sine is 3.14 dBm0 (G.711), and so 0 dBFS.
const signalLevel = -10 - 3.14

// edge is how long a burst takes to rise and to fall, so that it does not click. Within E.180's
// tolerance for the length of a burst.
const edge = 5 * time.Millisecond

// cadence is what a signal is made of: frequencies in hertz that sound together, in bursts and pauses by
// turns, beginning with a burst. Times are in milliseconds.
type cadence struct {
	hertz []float64
	turns []int
}

// country is the signals of one country.
type country [3]cadence

// countries are the signals by ISO 3166 code, after the tables of the Supplement to ITU-T E.180/Q.35
// (Various tones used in national networks); for Russia the middles of the ranges in order 133 of its
// Ministry of Communications of 2009. "" is what E.180 recommends, and most of Europe has.
func countries() map[string]country {
	one := func(turns ...int) cadence { return cadence{[]float64{425}, turns} }
	return map[string]country{
		"":   {Ringback: one(1000, 4000), Busy: one(500, 500), Congestion: one(250, 250)},
		"DE": {Ringback: one(1000, 4000), Busy: one(480, 480), Congestion: one(240, 240)},
		"GB": {
			Ringback:   {[]float64{400, 450}, []int{400, 200, 400, 2000}},
			Busy:       {[]float64{400}, []int{375, 375}},
			Congestion: {[]float64{400}, []int{400, 350, 225, 525}},
		},
		"PL": {Ringback: one(1000, 4000), Busy: one(500, 500), Congestion: one(500, 500)},
		"RU": {Ringback: one(1000, 4000), Busy: one(350, 350), Congestion: one(175, 175)},
		"US": {
			Ringback:   {[]float64{440, 480}, []int{2000, 4000}},
			Busy:       {[]float64{480, 620}, []int{500, 500}},
			Congestion: {[]float64{480, 620}, []int{250, 250}},
		},
	}
}

// Countries are those whose signals are known, by ISO 3166 code in alphabetical order.
func Countries() []string {
	codes := slices.Sorted(maps.Keys(countries()))
	return codes[1:] // the first is ""
}

// Progress is a signal of a country, encoded once for all who hear it: up to 100 kB. It is a programme in
// which everybody hears the same; see Begin.
type Progress struct {
	loop [media.NumCodecs][]byte // whole frames
}

// NewProgress makes the signal of a country; for one that is unknown, what E.180 recommends.
func NewProgress(code string, s Signal) *Progress {
	all := countries()
	of, known := all[code]
	if !known {
		of = all[""]
	}
	pcm := of[s].loop()
	p := &Progress{}
	for c := range media.Codec(media.NumCodecs) {
		p.loop[c] = c.AppendEncoded(nil, pcm)
	}
	return p
}

// loop is the cadence as often as it takes to come out at a whole number of frames.
func (c cadence) loop() []int16 {
	const perMillisecond = media.SampleRate / 1000
	var once []int16
	for i, ms := range c.turns {
		n := ms * perMillisecond
		if i%2 == 0 {
			once = append(once, c.burst(n)...)
		} else {
			once = append(once, make([]int16, n)...)
		}
	}
	all := once
	for len(all)%media.FrameSamples != 0 {
		all = append(all, once...)
	}
	return all
}

// burst is n samples of all frequencies.
func (c cadence) burst(n int) []int16 {
	const ramp = int(edge * media.SampleRate / time.Second)
	each := 32767 * math.Pow(10, signalLevel/20) / math.Sqrt(float64(len(c.hertz)))
	pcm := make([]int16, n)
	for i := range pcm {
		sum := 0.0
		for _, hz := range c.hertz {
			sum += each * math.Sin(2*math.Pi*hz*float64(i)/media.SampleRate)
		}
		nearest := min(i, n-1-i, ramp)
		pcm[i] = int16(math.Round(sum * (1 - math.Cos(math.Pi*float64(nearest)/float64(ramp))) / 2))
	}
	return pcm
}

// Frame implements media.Program.
func (p *Progress) Frame(c media.Codec, tick uint64) []byte {
	loop := p.loop[c]
	at := int(tick%uint64(len(loop)/media.FrameSamples)) * media.FrameSamples
	return loop[at : at+media.FrameSamples : at+media.FrameSamples]
}

// Begin gives the signal as one caller should hear it: from the beginning of a burst on.
func (p *Progress) Begin() media.Program { return &begun{signal: p} }

// begun is a signal that begins at the first frame asked for.
type begun struct {
	signal *Progress
	first  atomic.Uint64 // tick of that frame, plus 1; 0: none yet
}

// Frame implements media.Program.
func (b *begun) Frame(c media.Codec, tick uint64) []byte {
	if b.first.Load() == 0 {
		b.first.CompareAndSwap(0, tick+1)
	}
	return b.signal.Frame(c, tick+1-b.first.Load())
}

var _, _ media.Program = (*Progress)(nil), (*begun)(nil)
