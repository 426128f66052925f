package media_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"centrala/media"
	"centrala/media/tone"
)

// ofTone tells which of the tones, multiples of 50 Hz, a packet of 20 ms has most of.
func ofTone(h heard, tones []int) int {
	best, most := 0, tone.Floor
	for _, hertz := range tones {
		if level := tone.Level(pcm([]heard{h}), media.SampleRate, float64(hertz)); level > most {
			best, most = hertz, level
		}
	}
	return best
}

// steps is the largest step between two samples of the packets. Where frames were left out, because the
// process was held up, nothing is compared.
func steps(packets []heard) (largest, at int) {
	for i := range packets {
		samples := pcm(packets[i : i+1])
		if i > 0 && packets[i].Timestamp-packets[i-1].Timestamp == 160 {
			samples = append(pcm(packets[i-1 : i])[159:], samples...)
		}
		for k := 1; k < len(samples); k++ {
			if step := int(samples[k]) - int(samples[k-1]); max(step, -step) > largest {
				largest, at = max(step, -step), i
			}
		}
	}
	return largest, at
}

// cosine is a tone that begins and ends each frame at its highest, or its lowest if turned over, so that a
// change between two of them that is not led over steps as far as can be.
type cosine [media.NumCodecs][]byte

func newCosine(hertz int, level float64, over bool) *cosine {
	pcm := make([]int16, media.FrameSamples)
	for i := range pcm {
		v := 32767 * math.Pow(10, level/20) * math.Cos(2*math.Pi*float64(hertz)*float64(i)/media.SampleRate)
		if over {
			v = -v
		}
		pcm[i] = int16(v)
	}
	p := &cosine{}
	for c := range media.Codec(media.NumCodecs) {
		p[c] = c.AppendEncoded(nil, pcm)
	}
	return p
}

func (p *cosine) Frame(c media.Codec, _ uint64) []byte { return p[c] }

// All that a caller goes through, over and over: music, an announcement, music, the agent, on hold, the agent
// again, a colleague after a transfer. Once a change returns, not one packet more has what was heard before;
// it is one stream; and no change clicks, that is no sample steps further from the one before than those of
// the tones themselves do.
func TestSwitch_AtOnceAndWithoutClick(t *testing.T) {
	const music, words, agent, colleague, level = 200, 300, 250, 350, -10
	tones := []int{music, words, agent, colleague}
	for _, codec := range []string{"8", "0"} {
		t.Run("codec "+codec, func(t *testing.T) {
			e := newEngine(t, media.Options{})
			a := newEndpoint(t, e, media.EndpointOptions{})
			b, c := newEndpoint(t, e, media.EndpointOptions{}), newEndpoint(t, e, media.EndpointOptions{})
			alice, bob, carol := newPhone(t), newPhone(t), newPhone(t)
			stop := make(chan struct{})
			defer close(stop)
			alice.dial(t, a, codec)
			go bob.talk(bob.dial(t, b, "8"), media.PCMA, newCosine(agent, level, true), stop)
			go carol.talk(carol.dial(t, c, "0"), media.PCMU, newCosine(colleague, level, true), stop)
			tune, speech := newCosine(music, level, false), newCosine(words, level, true)

			var now int // what is heard
			var sentBefore uint64
			change := func(to int, f func()) {
				t.Helper()
				f()
				was := now
				now, sentBefore = to, a.Stats().Sent
				packets := alice.awaitThat(t, fmt.Sprintf("%d Hz", to), func(got []heard) bool {
					return len(got) > int(sentBefore)+4 && ofTone(got[len(got)-1], tones) == to
				})
				for i, h := range packets[sentBefore:] {
					if hertz := ofTone(h, tones); hertz == was {
						t.Errorf("packet %d after the change to %d Hz is of %d Hz", i+1, to, hertz)
					}
				}
			}
			for range 3 {
				change(music, func() { a.Play(tune) })
				change(words, func() { a.Play(speech) })
				change(music, func() { a.Play(tune) })
				change(words, func() { a.Play(speech) })
				change(agent, func() { media.Bridge(a, b) }) // answers in the midst of the announcement
				change(music, func() { a.Play(tune) })       // holds
				change(agent, func() { media.Bridge(a, b) })
				change(music, func() { a.Play(tune) })
				change(colleague, func() { media.Bridge(a, c) }) // transferred
			}
			media.Unbridge(a, c)
			packets := alice.await(t, 1)
			oneStream(t, packets)
			natural := 2 * 32768 * math.Pow(10, level/20.) * math.Sin(math.Pi*colleague/media.SampleRate)
			// The codec rounds by up to 512 at these levels, and a step is spread over 10 ms.
			if largest, at := steps(packets); largest > int(natural)+2*512+2*10400/80 {
				t.Errorf("a step of %d at packet %d; the tones' own are up to %.0f", largest, at, natural)
			}
			if s := a.Stats(); s.Unsent > 8 {
				t.Errorf("%+v", s)
			}
		})
	}
}

// What begins after silence is as it was sent.
func TestSwitch_NothingIsChangedAfterSilence(t *testing.T) {
	e := newEngine(t, media.Options{})
	c := newBridge(t, e, media.EndpointOptions{}, "8", "8")
	loud := media.PCMA.AppendEncoded(nil, tone.Sine(2000, 0, media.SampleRate, 20*time.Millisecond))
	c.alice.send(c.toA, 8, loud[1:])
	if got := c.bob.await(t, 1)[0].Payload; string(got) != string(loud[1:]) {
		t.Error("the first packet of a stream was changed")
	}
}
