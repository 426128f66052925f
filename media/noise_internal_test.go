package media

import (
	"math"
	"testing"
)

func rms(pcm []int16) float64 {
	sum := 0.0
	for _, v := range pcm {
		sum += float64(v) * float64(v)
	}
	return math.Sqrt(sum / float64(len(pcm)))
}

// RFC 3389 3.1: the noise is as loud as asked, in either codec, and no two frames are the same.
func TestNoise_Level(t *testing.T) {
	for c := range Codec(NumCodecs) {
		for _, level := range []uint8{6, 20, 40, 60} {
			var pcm []int16
			for seed := range uint32(20) {
				b := make([]byte, FrameSamples)
				makeNoise(b, c, level, seed*FrameSamples)
				pcm = c.AppendDecoded(pcm, b)
			}
			if got := 20 * math.Log10(rms(pcm)/32768); math.Abs(got+float64(level)) > 1 {
				t.Errorf("%v: %.1f dBov, want -%d", c, got, level)
			}
			if rms(pcm[:FrameSamples]) == rms(pcm[FrameSamples:2*FrameSamples]) {
				t.Errorf("%v, -%d dBov: two frames are the same", c, level)
			}
		}
		b := make([]byte, FrameSamples)
		makeNoise(b, c, faintest, 7)
		if got := rms(c.AppendDecoded(nil, b)); got > 8 {
			t.Errorf("%v: the faintest noise has %.1f of 32768", c, got)
		}
	}
	for _, c := range []struct {
		payload []byte
		want    uint8
	}{{nil, 127}, {[]byte{35}, 35}, {[]byte{0xa3, 1, 2}, 35}, {[]byte{0}, 0}} {
		if got := noiseLevel(c.payload); got != c.want {
			t.Errorf("% x: -%d dBov, want -%d", c.payload, got, c.want)
		}
	}
}

// Between a peer that pauses with comfort noise and one that never agreed to it, nothing is lost or
// refused: the noise arrives as audio in its place, whatever stands around its payload.
func TestNoise_Relayed(t *testing.T) {
	a, b := bridgedWires(t, PCMU)
	a.ep.in.kinds[noisePT] = kindNoise
	heard := 0
	a.ep.onAudio = func(Codec, uint32, []byte) { heard++ }
	noise := []byte{30, 1, 2}
	frames := [][]byte{
		bytesOf(8, 1, 160, 7, make([]byte, FrameSamples)...),
		bytesOf(noisePT, 2, 320, 7, noise...),
		bytesOf(noisePT, 3, 1920, 7),
		append(append([]byte{0x90}, bytesOf(noisePT, 4, 3520, 7)[1:]...), append([]byte{0, 0, 0x01, 0x6a}, append(make([]byte, 4*0x16a), noise...)...)...),
		bytesOf(8, 5, 5120, 7, make([]byte, FrameSamples)...),
	}
	var got []packet
	var levels []float64
	for i, f := range frames {
		if errno := a.peer.send(f); errno != 0 {
			t.Fatal(errno)
		}
		a.ep.readRTP(a.buf[:maxPacket+1], &a.sink, int64(i)*int64(frameTime))
		n, errno := b.peer.receive(b.buf[:], &b.sink)
		p, ok := parseRTP(b.buf[:max(n, 0)])
		if errno != 0 || !ok {
			t.Fatalf("packet %d: %v", i, errno)
		}
		got = append(got, p)
		levels = append(levels, 20*math.Log10(rms(PCMU.AppendDecoded(nil, b.buf[p.start:p.end]))/32768+1e-6))
	}
	for i, p := range got {
		if p.pt != 0 || p.end-p.start != FrameSamples || p.seq-got[0].seq != uint16(i) {
			t.Errorf("packet %d: %+v", i, p)
		}
		if want := []uint32{160, 320, 1920, 3520, 5120}[i] - 160; p.ts-got[0].ts != want {
			t.Errorf("packet %d: timestamp +%d, want +%d", i, p.ts-got[0].ts, want)
		}
	}
	if math.Abs(levels[1]+30) > 2 || math.Abs(levels[3]+30) > 2 || levels[2] > -70 {
		t.Errorf("levels %.0f dBov, want -30 for the second and the fourth, and silence for the third", levels)
	}
	if s := a.ep.figures(); s.Received != 5 || s.Malformed != 0 || s.Lost != 0 || heard != 2 {
		t.Errorf("%+v, %d heard as audio", s, heard)
	}
	if s := b.ep.figures(); s.Sent != 5 || s.Unsent != 0 {
		t.Errorf("%+v", s)
	}
}

func TestNoise_DoesNotAllocate(t *testing.T) {
	a, b := bridgedWires(t, PCMA)
	a.ep.in.kinds[noisePT] = kindNoise
	seq := uint16(0)
	if n := testing.AllocsPerRun(100, func() {
		packet := [rtpHeader + 1]byte{}
		putHeader(packet[:], false, noisePT, seq, uint32(seq)*FrameSamples, 7)
		packet[rtpHeader] = 40
		seq++
		_ = a.peer.send(packet[:])
		a.ep.readRTP(a.buf[:maxPacket+1], &a.sink, int64(seq)*int64(frameTime))
		b.drain()
	}); n != 0 {
		t.Errorf("%v allocations to relay comfort noise", n)
	}
}
