package media

import (
	"bytes"
	"testing"
)

// From each level to each, by each codec: the first sample goes on where the last one was, and 10 ms later all is as sent.
func TestSeam_Join(t *testing.T) {
	for before := range Codec(NumCodecs) {
		for c := range Codec(NumCodecs) {
			for _, from := range []int16{-32000, -3000, 0, 3000, 32000} {
				for _, to := range []int16{-32000, 0, 100, 32000} {
					var s seam
					sent := bytes.Repeat(c.AppendEncoded(nil, []int16{to}), FrameSamples)
					packet := bytes.Clone(sent)
					s.join(packet, c)
					if !bytes.Equal(packet, sent) {
						t.Fatalf("%v: what follows on nothing was changed", c)
					}
					s.note(before.AppendEncoded(nil, []int16{from}), before)
					s.join(packet, c)
					pcm := c.AppendDecoded(nil, packet)
					last := int(from)
					for i, v := range pcm[:joinTime] {
						if step := int(v) - last; step > 2300 || step < -2300 { // of 800, and what the codec rounds
							t.Fatalf("%v to %v, %d to %d: a step of %d at sample %d", before, c, from, to, step, i)
						}
						last = int(v)
					}
					if !bytes.Equal(packet[joinTime:], sent[joinTime:]) {
						t.Fatalf("%v: more than the first 10 ms was changed", c)
					}
				}
			}
		}
	}
	var s seam
	s.note(nil, PCMA)
	s.join(nil, PCMA)
	short := []byte{1}
	s.note([]byte{200}, PCMU)
	s.join(short, PCMA)
}

func TestSeam_DoesNotAllocate(t *testing.T) {
	var s seam
	packet := make([]byte, FrameSamples)
	if n := testing.AllocsPerRun(100, func() {
		s.last, s.codec, s.heard = packet[0]^0x7f, PCMU, true
		s.join(packet, PCMA)
		s.note(packet, PCMA)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
