package media

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// say relays a packet of the bridged endpoint: 20 ms of Opus or G.711, or an event beside either.
func (w *keyWire) say(seq int, opus, event bool, payload ...byte) {
	w.t.Helper()
	b := make([]byte, rtpHeader+len(payload), 200)
	copy(b[rtpHeader:], payload)
	ts := uint32(seq * FrameSamples * clockFactor(opus)) // a sender who counts each rate from the same moment
	a := arrival{packet: packet{seq: uint16(seq), ts: ts, start: rtpHeader, end: len(b)}, codec: PCMA, event: event, opus: opus, now: w.now()}
	w.ep.out.relay(&w.other, b, &a)
	w.gather()
}

// steps writes down the packets since the last time: M for a marker, the payload type, and by how much the timestamp rose;
// and checks that they are one stream.
func (w *keyWire) steps() string {
	var list []string
	for i, p := range w.got {
		mark, step := "", uint32(0)
		if p.marker {
			mark = "M"
		}
		if i > 0 {
			if step = p.ts - w.got[i-1].ts; p.seq != w.got[i-1].seq+1 || p.ssrc != w.got[0].ssrc {
				w.t.Errorf("packet %d: %+v after %+v", i, p, w.got[i-1])
			}
		}
		list = append(list, fmt.Sprintf("%s%d+%d", mark, p.pt, step))
	}
	w.got, w.raw = w.got[max(0, len(w.got)-1):], w.raw[max(0, len(w.raw)-1):]
	return strings.Join(list, " ")
}

// What a browser sends by either codec goes to another one as it is, under the numbers of that one: one SSRC, sequence
// numbers without a hole, timestamps that rise at the rate of what is sent. Music in between is G.711.
func TestOpus_OneStream(t *testing.T) {
	w := newKeyWire(t, nil)
	w.ep.out.negotiated(w.ep.in.source.locked, true, PCMA, payloadTypes{audio: 8, event: 101, opus: 96, opusEvent: 97})
	g711 := slices.Repeat([]byte{PCMA.Silence()}, FrameSamples)
	step := func(f func()) { w.frame++; f() }
	step(func() { w.say(10, false, false, g711...) })
	step(func() { w.say(11, false, false, g711...) })
	step(func() { w.say(12, true, false, 1, 2, 3) })
	step(func() { w.say(13, true, false, 4, 5) })
	if got := w.steps(); got != "M8+0 8+160 M96+960 96+960" {
		t.Error(got)
	}
	step(func() { w.say(11, false, false, g711...) }) // overtaken, and a stranger to the rate of now
	step(func() { w.say(14, true, true, 5, 10, 3, 192) })
	step(func() { w.say(15, true, false, 6) })
	step(func() { w.say(16, false, false, g711...) })
	step(func() { w.say(17, false, true, 5, 10, 0, 160) })
	if got := w.steps(); got != "96+0 97+960 96+960 M8+160 101+160" {
		t.Error(got)
	}
	step(func() { w.say(18, true, false, 7) })
	if last := w.raw[len(w.raw)-1]; !slices.Equal(last, []byte{7}) {
		t.Errorf("% x", last)
	}
	w.ep.out.setSource(&ticks{}, nil)
	step(func() { w.tick() })
	w.tick()
	w.ep.out.setSource(nil, &w.other)
	step(func() { w.say(40, true, false, 8) })
	if got := w.steps(); got != "101+0 M96+960 M8+160 8+160 M96+1920" {
		t.Error(got)
	}
	if n := w.ep.out.unsent; n != 1 {
		t.Errorf("%d packets left out", n)
	}
}

// A telephone gets none of the Opus that a browser sends until it knows better; its stream has no hole of it.
func TestOpus_NotToTelephones(t *testing.T) {
	w := newKeyWire(t, nil)
	g711 := slices.Repeat([]byte{PCMA.Silence()}, FrameSamples)
	w.say(1, false, false, g711...)
	for i := range 5 {
		w.frame++
		w.say(2+i, true, i == 3, 1, 10, 3, 192)
	}
	w.frame++
	w.say(7, false, false, g711...)
	w.say(8, false, false, g711...)
	if got := w.steps(); got != "M8+0 M8+960 8+160" {
		t.Error(got)
	}
	if n := w.ep.out.unsent; n != 5 {
		t.Errorf("%d packets left out", n)
	}
}

// Jitter is told in the clock of what comes, a change of it is none, and a key is one key by either clock.
func TestReceiver_Opus(t *testing.T) {
	r := newReceiver()
	r.kinds[96], r.kinds[97] = kindOpus, kindOpusEvent
	seq, now := uint16(0), int64(0)
	take := func(pt uint8, ts uint32, payload ...byte) (arrival, byte) {
		t.Helper()
		seq++
		now += 20 * millisecond
		a, digit, ok := r.take(bytesOf(pt, seq, ts, 1, payload...), now)
		if !ok {
			t.Fatalf("packet %d refused", seq)
		}
		return a, digit
	}
	for i := range uint32(50) {
		take(8, i*FrameSamples, 1)
	}
	for i := range uint32(50) {
		if a, _ := take(96, i*960, 1); !a.opus || a.event || a.noise {
			t.Fatalf("%+v", a)
		}
	}
	if r.jitterMax != 0 || !r.opus {
		t.Errorf("jitter %d, opus %v", r.jitterMax, r.opus)
	}
	for i := range uint32(200) { // each second packet is 10 ms late: 80 samples at 8000 Hz, 480 of what is reported
		if now += 10 * millisecond; i%2 == 1 {
			now -= 20 * millisecond
		}
		take(96, 48000+i*960, 1)
	}
	if report := r.reception(&reports{}, now)[0]; r.jitter>>4 < 75 || r.jitter>>4 > 80 || report.Jitter/uint32(r.jitter>>4) != opusFactor {
		t.Errorf("jitter %d, told as %d", r.jitter>>4, report.Jitter)
	}
	keys := ""
	for _, e := range []struct {
		pt uint8
		ts uint32
	}{{97, 300000}, {97, 300000}, {101, 299000}, {101, 299000}, {101, 299800}, {97, 310000}} {
		if a, digit := take(e.pt, e.ts, 7, 10, 1, 0); digit != 0 {
			keys += fmt.Sprint(string(digit), a.opus, " ")
		}
	}
	if keys != "7true 7false 7false 7true " {
		t.Error(keys)
	}
}
