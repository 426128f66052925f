package media

import (
	"bytes"
	"net"
	"testing"
	"time"
)

// waiting is an endpoint that plays to a peer who was heard already, so that its socket is read on the beat.
func waiting(t *testing.T, onEvent func(Event)) (*Endpoint, *listener) {
	t.Helper()
	ep, peer := session(t, false)
	ep.in.mu.Lock()
	ep.onEvent = onEvent
	ep.in.kinds[101] = kindEvent
	ep.in.mu.Unlock()
	ep.Play(silence{})
	say(t, peer, ep, 8, 1, 160, 0)
	eventually(t, func() bool {
		ep.in.mu.Lock()
		defer ep.in.mu.Unlock()
		return ep.in.late
	})
	return ep, peer
}

// say has the peer send a packet whose 160 bytes of payload begin with those given.
func say(t *testing.T, peer *listener, ep *Endpoint, pt uint8, seq uint16, ts uint32, payload ...byte) {
	t.Helper()
	b := make([]byte, rtpHeader+FrameSamples)
	putHeader(b, false, pt, seq, ts, 7)
	copy(b[rtpHeader:], payload)
	if pt == 101 {
		b = b[:rtpHeader+len(payload)]
	}
	if _, err := peer.rtp.WriteToUDP(b, net.UDPAddrFromAddrPort(ep.LocalAddr())); err != nil {
		t.Fatal(err)
	}
}

// The times of packets are those when they came, not those when they were read. The peer's timestamps are
// the very time it sent each at, so that there is no jitter but what the sending itself took.
func TestBeat_TrueTimes(t *testing.T) {
	ep, peer := waiting(t, nil)
	// One packet in 7 ms: those of a beat come over 100 ms and are read at once.
	const packets = 150
	ticker := time.NewTicker(7 * time.Millisecond)
	defer ticker.Stop()
	// The first was said before the clock began, and is left out by the pause after it.
	start := time.Now().Add(-2 * time.Second)
	var most, sum, before time.Duration // as much jitter as there can be
	for i := range packets {
		<-ticker.C
		at := time.Since(start)
		say(t, peer, ep, 8, uint16(2+i), uint32(at*SampleRate/time.Second))
		took := time.Since(start) - at
		most += (max(took, before) + 250*time.Microsecond - most) / 16 // two timestamps are rounded to 125 µs
		sum, before = sum+most, took
	}
	eventually(t, func() bool { return ep.Stats().Received >= packets+1 })
	limit := sum/packets + time.Millisecond
	t.Logf("jitter at most %v", limit)
	if s := ep.Stats(); s.Lost != 0 || s.JitterMean > limit { // read at 100 ms intervals: 12 ms
		t.Errorf("jitter %v on the average, %v at most; %d lost", s.JitterMean, s.JitterMax, s.Lost)
	}
}

// A key is told although nobody listens.
func TestBeat_Keys(t *testing.T) {
	keys := make(chan byte, 8)
	ep, peer := waiting(t, func(e Event) {
		if e.Kind == EventDTMF {
			keys <- e.Digit
		}
	})
	for seq := range uint16(3) {
		say(t, peer, ep, 101, 2+seq, 320, 5, 10, 0, byte(160*(seq+1)))
	}
	select {
	case k := <-keys:
		if k != '5' {
			t.Errorf("key %q", k)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("no key")
	}
}

// Who begins to listen hears what is said from then on and nothing from before, at once.
func TestBeat_EndsWithAListener(t *testing.T) {
	for range 10 {
		ep, peer := waiting(t, nil)
		other, hears := session(t, false)
		for seq := range uint16(4) {
			say(t, peer, ep, 8, 2+seq, 320+160*uint32(seq), 'o', 'l', 'd')
		}
		Bridge(ep, other)
		ep.in.mu.Lock()
		if ep.in.late {
			t.Error("read on the beat although somebody listens")
		}
		ep.in.mu.Unlock()
		say(t, peer, ep, 8, 6, 320+160*4, 'n', 'e', 'w')
		b := make([]byte, 1500)
		_ = hears.rtp.SetReadDeadline(time.Now().Add(20 * time.Second))
		if n, err := hears.rtp.Read(b); err != nil || !bytes.HasPrefix(b[rtpHeader:n], []byte("new")) {
			t.Fatalf("heard %q, %v", b[rtpHeader:rtpHeader+3], err)
		}
		if s := ep.Stats(); s.Received != 6 || s.Lost != 0 {
			t.Errorf("%d received, %d lost", s.Received, s.Lost)
		}
	}
}

// Whoever must be looked for anew is heard at once, and so is the one whose music is over.
func TestBeat_EndsWithMusicOrPeer(t *testing.T) {
	late := func(ep *Endpoint) bool {
		ep.in.mu.Lock()
		defer ep.in.mu.Unlock()
		return ep.in.late
	}
	ep, peer := waiting(t, nil)
	ep.Play(nil)
	eventually(t, func() bool { return !late(ep) })
	ep.Play(silence{})
	eventually(t, func() bool { return late(ep) })
	ep.in.mu.Lock()
	ep.in.source.open(addrOf(peer.rtp))
	ep.in.mu.Unlock()
	eventually(t, func() bool { return !late(ep) })
	ep.Close()
	ep.onBeat(new(backlog)) // the clock may come last
	ep.attend()
}

func TestBeat_DoesNotAllocate(t *testing.T) {
	ep, peer := waiting(t, nil)
	ep.Play(nil)
	eventually(t, func() bool {
		ep.in.mu.Lock()
		defer ep.in.mu.Unlock()
		return !ep.in.late
	})
	b, seq := new(backlog), uint16(1)
	packet := make([]byte, rtpHeader+FrameSamples)
	if n := testing.AllocsPerRun(100, func() {
		seq++
		putHeader(packet, false, 8, seq, 160*uint32(seq), 7)
		_, _ = peer.rtp.WriteToUDPAddrPort(packet, ep.LocalAddr())
		ep.onBeat(b)
	}); n != 0 {
		t.Errorf("%v allocations for a packet", n)
	}
}
