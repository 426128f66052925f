package holdmusic

import (
	"bytes"
	"math"
	"testing"

	"centrala/media"
)

// ramp is samples of which each differs from its neighbours once encoded.
func ramp(n int) []int16 {
	pcm := make([]int16, n)
	for i := range pcm {
		pcm[i] = int16(i*7919%60000 - 30000)
	}
	return pcm
}

// At every tick, near and far, a frame is the next 20 ms of the samples in a ring.
func FuzzFrame(f *testing.F) {
	f.Add(uint16(1), uint64(0))
	f.Add(uint16(159), uint64(3))
	f.Add(uint16(160), uint64(1<<40))
	f.Add(uint16(1601), uint64(math.MaxUint64))
	f.Fuzz(func(t *testing.T, samples uint16, tick uint64) {
		pcm := ramp(int(samples) + 1)
		p := newProgram(pcm)
		for c := range media.Codec(media.NumCodecs) {
			frame := p.Frame(c, tick)
			if len(frame) != media.FrameSamples {
				t.Fatalf("a frame of %d bytes", len(frame))
			}
			// What is shorter than a frame is played over and over, as a longer ring.
			ring := c.AppendEncoded(nil, pcm)
			for once := ring; len(ring) < media.FrameSamples; {
				ring = append(ring, once...)
			}
			at := int(tick % uint64(len(ring)) * media.FrameSamples % uint64(len(ring)))
			for i, b := range frame {
				if want := ring[(at+i)%len(ring)]; b != want {
					t.Fatalf("%v at tick %d: byte %d is %#x, want %#x", c, tick, i, b, want)
				}
			}
		}
	})
}

// One frame follows the other without a gap, also from the end to the start.
func TestFramesFollowOneAnother(t *testing.T) {
	pcm := ramp(1000)
	p := newProgram(pcm)
	var played []byte
	for tick := range uint64(25) { // 4000 samples: four times round
		played = append(played, p.Frame(media.PCMA, tick)...)
	}
	if want := bytes.Repeat(media.PCMA.AppendEncoded(nil, pcm), 4); !bytes.Equal(played, want) {
		t.Error("what was played is not the programme four times over")
	}
}

func TestFrameDoesNotAllocate(t *testing.T) {
	var p media.Program = newProgram(ramp(12345))
	tick := uint64(0)
	if n := testing.AllocsPerRun(1000, func() { p.Frame(media.PCMU, tick); tick += 997 }); n != 0 {
		t.Errorf("%v allocations a frame", n)
	}
}

func BenchmarkFrame(b *testing.B) {
	p := newProgram(ramp(30 * rate))
	tick := uint64(0)
	b.ReportAllocs()
	for b.Loop() {
		p.Frame(media.PCMA, tick)
		tick++
	}
}
