package media

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// keyWire is a leg whose clock the test turns: frames of 20 ms, in each of which the bridged endpoint
// may have something to say.
type keyWire struct {
	*wire
	t     *testing.T
	other Endpoint // bridged
	frame int64
	theirs,
	theirTS int
	got []packet
	raw [][]byte // payloads
}

func newKeyWire(t *testing.T, p Program) *keyWire {
	w := &keyWire{wire: newWire(t, PCMA), t: t}
	w.ep.out.negotiated(w.ep.in.source.locked, true, PCMA, withoutOpus(8, 101))
	if p != nil {
		w.ep.out.setSource(p, nil)
	} else {
		w.ep.out.setSource(nil, &w.other)
	}
	return w
}

func (w *keyWire) now() int64 { return 1e9 + w.frame*int64(frameTime) }

// tick lets the clock play and gathers what the peer got.
func (w *keyWire) tick() (listening bool) {
	listening = w.ep.out.play(&frameBuffer{}, uint64(w.frame), w.now())
	w.frame++
	w.gather()
	return listening
}

func (w *keyWire) gather() {
	for {
		n, errno := w.peer.receive(w.buf[:], &w.sink)
		if errno != 0 {
			return
		}
		p, ok := parseRTP(w.buf[:n])
		if !ok {
			w.t.Fatalf("% x", w.buf[:n])
		}
		w.got = append(w.got, p)
		w.raw = append(w.raw, slices.Clone(w.buf[p.start:p.end]))
	}
}

// relay passes on a packet of the bridged endpoint, in its own sequence.
func (w *keyWire) relay(event bool, payload ...byte) {
	b := make([]byte, rtpHeader+len(payload), 200)
	copy(b[rtpHeader:], payload)
	a := arrival{packet: packet{seq: uint16(w.theirs), ts: uint32(w.theirTS), start: rtpHeader, end: len(b)}, codec: PCMA, event: event, now: w.now()}
	w.theirs++
	if !event {
		w.theirTS += FrameSamples
	}
	w.ep.out.relay(&w.other, b, &a)
	w.gather()
}

// story writes down the packets: a for audio, else the key with its duration in frames, E at its end and
// M for a marker; and checks that they are one stream.
func (w *keyWire) story() string {
	var b strings.Builder
	for i, p := range w.got {
		if i > 0 && (p.seq != w.got[i-1].seq+1 || p.ssrc != w.got[0].ssrc || int32(p.ts-w.got[i-1].ts) < 0) {
			w.t.Errorf("packet %d: %+v after %+v", i, p, w.got[i-1])
		}
		if p.marker {
			b.WriteByte('M')
		}
		if p.pt == 8 {
			b.WriteString("a ")
			continue
		}
		e := w.raw[i]
		if p.pt != 101 || len(e) != 4 || e[1]&0x7f != keyVolume {
			w.t.Errorf("packet %d: payload type %d, % x", i, p.pt, e)
		}
		fmt.Fprintf(&b, "%c%d", keyNames[e[0]], (int(e[2])<<8+int(e[3]))/FrameSamples)
		if e[1]&0x80 != 0 {
			b.WriteByte('E')
		}
		b.WriteByte(' ')
	}
	return strings.TrimSpace(b.String())
}

func (w *keyWire) press(keys string, frames uint16) (list bool) {
	w.t.Helper()
	var queue []press
	for _, k := range keys {
		queue = append(queue, press{byte(strings.IndexRune(keyNames, k)), frames})
	}
	list, err := w.ep.out.press(queue)
	if err != nil {
		w.t.Fatal(err)
	}
	return list
}

func expect(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s:\n got %s\nwant %s", what, got, want)
	}
}

// RFC 4733 2.5: one timestamp through an event, durations that grow, three final packets, the marker at
// its first; the programme goes on afterwards where it would have been.
func TestKeys_DuringProgramme(t *testing.T) {
	w := newKeyWire(t, &ticks{})
	w.tick()
	w.tick()
	if w.press("5#", 3) {
		t.Error("the clock is told of an endpoint that it has")
	}
	for range 16 {
		w.tick()
	}
	expect(t, "programme, two keys, programme", w.story(), "Ma a M51 52 53E 53E 53E M#1 #2 #3E #3E #3E Ma a a a")
	var ts []uint32
	for _, p := range w.got {
		ts = append(ts, (p.ts-w.got[0].ts)/FrameSamples)
	}
	if want := []uint32{0, 1, 2, 2, 2, 2, 2, 9, 9, 9, 9, 9, 14, 15, 16, 17}; !slices.Equal(ts, want) {
		t.Errorf("timestamps in frames %v, want %v", ts, want)
	}
}

// What the bridged endpoint says meanwhile is left out, and what it says afterwards follows on.
func TestKeys_DuringBridge(t *testing.T) {
	w := newKeyWire(t, nil)
	w.relay(false, 1)
	if !w.press("0", 2) {
		t.Error("the clock is not told")
	}
	for range 5 {
		listening := w.tick()
		w.relay(false, 2)
		if listening != (w.frame <= 4) {
			t.Errorf("frame %d: listening %v", w.frame, listening)
		}
	}
	expect(t, "talk, a key, talk", w.story(), "Ma M01 02E 02E 02E Ma a")
	if last := w.got[len(w.got)-2]; (last.ts-w.got[0].ts)/FrameSamples != 4 {
		t.Errorf("audio goes on %d frames after the beginning, want 4, as it did", (last.ts-w.got[0].ts)/FrameSamples)
	}
	if s := &w.ep.out; s.unsent != 0 || s.sent != uint64(len(w.got)) {
		t.Errorf("%d sent, %d not", s.sent, s.unsent)
	}
}

// A key that the bridged endpoint is pressing is not cut in two by ours.
func TestKeys_WaitForTheOthers(t *testing.T) {
	w := newKeyWire(t, nil)
	w.relay(true, 1, 10, 0, 160)
	w.press("9", 2)
	for i := 2; i <= 4; i++ {
		w.tick()
		w.relay(true, 1, 10, byte(i*FrameSamples>>8), byte(i*FrameSamples))
	}
	for range 8 {
		w.tick()
	}
	if s := w.story(); !strings.HasSuffix(s, "M91 92E 92E 92E") || strings.Count(s, "9") != 4 || strings.Count(s, "1") < 4 {
		t.Error(s)
	}
}

// A peer that goes on hold, or no longer agrees to keys, gets no more of them, also not afterwards.
func TestKeys_DroppedOnHold(t *testing.T) {
	w := newKeyWire(t, &ticks{})
	w.tick()
	w.press("123", 2)
	w.tick()
	w.tick()
	w.ep.out.negotiated(w.ep.in.source.locked, false, PCMA, withoutOpus(8, 101))
	if _, err := w.ep.out.press([]press{{1, 2}}); !errors.Is(err, ErrNoKeys) {
		t.Errorf("a key pressed while on hold: %v", err)
	}
	w.tick()
	w.ep.out.negotiated(w.ep.in.source.locked, true, PCMA, withoutOpus(8, noType))
	if _, err := w.ep.out.press([]press{{1, 2}}); !errors.Is(err, ErrNoKeys) {
		t.Errorf("a key pressed at a peer that takes none: %v", err)
	}
	w.tick()
	w.tick()
	expect(t, "programme, the beginning of a key, hold, programme", w.story(), "Ma M11 12E Ma a")
}

func TestKeys_DoNotAllocate(t *testing.T) {
	w := newKeyWire(t, &ticks{})
	buf, tick := &frameBuffer{}, int64(0)
	w.press("1", 500)
	if n := testing.AllocsPerRun(200, func() { w.ep.out.play(buf, uint64(tick), tick*int64(frameTime)); tick++; w.drain() }); n != 0 {
		t.Errorf("%v allocations to send a packet of a key", n)
	}
}
