package media

import (
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"
)

// wire is a leg without an engine: an endpoint whose socket is connected to a peer's.
type wire struct {
	ep   *Endpoint
	peer socket
	sink sockaddr
	buf  [maxPacket + 1]byte
}

func newWire(tb testing.TB, c Codec) *wire {
	tb.Helper()
	w := &wire{}
	var socks [2]socket
	var addrs [2]netip.AddrPort
	for i := range socks {
		s, err := openSocket(netip.AddrPortFrom(localhost, 0))
		if err != nil {
			tb.Fatal(err)
		}
		tb.Cleanup(s.close)
		sa, err := unix.Getsockname(s.fd)
		if err != nil {
			tb.Fatal(err)
		}
		socks[i], addrs[i] = s, netip.AddrPortFrom(localhost, uint16(sa.(*unix.SockaddrInet4).Port))
	}
	for i, s := range socks {
		if err := s.connect(addrs[1-i]); err != nil {
			tb.Fatal(err)
		}
	}
	w.peer = socks[1]
	w.ep = &Endpoint{rtp: socks[0], out: newStream(socks[0])}
	w.ep.in.source.locked = addrs[1]
	w.ep.in.kinds[c.PayloadType()] = kindCodec + uint8(c)
	w.ep.out.negotiated(addrs[1], true, c, withoutOpus(c.PayloadType(), noType))
	w.ep.out.redirect(addrs[1])
	return w
}

// drain empties the peer's socket, so that the next send finds room.
func (w *wire) drain() {
	for {
		if _, errno := w.peer.receive(w.buf[:], &w.sink); errno != 0 {
			return
		}
	}
}

// relayOnce carries one packet from a's peer to b's.
func relayOnce(tb testing.TB, a, b *wire, packet []byte, seq int) {
	putHeader(packet, false, 8, uint16(seq), uint32(seq)*160, 7)
	if errno := a.peer.send(packet); errno != 0 {
		tb.Fatal(errno)
	}
	a.ep.readRTP(a.buf[:], &a.sink, int64(seq)*int64(frameTime))
	if _, errno := b.peer.receive(b.buf[:], &b.sink); errno != 0 {
		tb.Fatalf("nothing arrived: %v", errno)
	}
}

func bridgedWires(tb testing.TB, to Codec) (a, b *wire) {
	a, b = newWire(tb, PCMA), newWire(tb, to)
	Bridge(a.ep, b.ep)
	return a, b
}

func TestHotPaths_DoNotAllocate(t *testing.T) {
	a, b := bridgedWires(t, PCMU)
	packet := make([]byte, rtpHeader+FrameSamples)
	seq := 0
	if n := testing.AllocsPerRun(200, func() { relayOnce(t, a, b, packet, seq); seq++ }); n != 0 {
		t.Errorf("%v allocations to relay a packet", n)
	}
	w := newWire(t, PCMA)
	w.ep.out.setSource(silence{}, nil)
	buf, tick := &frameBuffer{}, uint64(0)
	if n := testing.AllocsPerRun(200, func() { w.ep.out.play(buf, tick, int64(tick)); tick++; w.drain() }); n != 0 {
		t.Errorf("%v allocations to play a frame", n)
	}
}

type silence struct{}

func (silence) Frame(Codec, uint64) []byte { return quiet[:] }

var quiet [FrameSamples]byte

// Each benchmark stands beside one of the bare system calls; load and measuring are the same.

func BenchmarkRelay(b *testing.B) {
	for _, c := range []struct {
		name string
		to   Codec
	}{{"same codec", PCMA}, {"A-law to µ-law", PCMU}} {
		b.Run(c.name, func(b *testing.B) {
			x, y := bridgedWires(b, c.to)
			packet := make([]byte, rtpHeader+FrameSamples)
			b.ReportAllocs()
			for i := range b.N {
				relayOnce(b, x, y, packet, i)
			}
		})
	}
	b.Run("floor", func(b *testing.B) {
		x, y := newWire(b, PCMA), newWire(b, PCMA)
		packet := make([]byte, rtpHeader+FrameSamples)
		for range b.N {
			_ = x.peer.send(packet)
			n, _ := x.ep.rtp.receive(x.buf[:], &x.sink)
			_ = y.ep.rtp.send(x.buf[:n])
			_, _ = y.peer.receive(y.buf[:], &y.sink)
		}
	})
}

func BenchmarkPlay(b *testing.B) {
	const full = 64 // packets that a socket surely holds
	b.Run("engine", func(b *testing.B) {
		w := newWire(b, PCMA)
		w.ep.out.setSource(silence{}, nil)
		buf := &frameBuffer{}
		b.ReportAllocs()
		for i := range b.N {
			w.ep.out.play(buf, uint64(i), int64(i))
			if i%full == full-1 {
				w.drain()
			}
		}
	})
	b.Run("floor", func(b *testing.B) {
		w := newWire(b, PCMA)
		packet := make([]byte, rtpHeader+FrameSamples)
		for i := range b.N {
			_ = w.ep.out.sock.send(packet)
			if i%full == full-1 {
				w.drain()
			}
		}
	})
}

// What is left of a packet's cost when the system calls are taken away.
func BenchmarkOwnWork(b *testing.B) {
	b.Run("accept and rewrite", func(b *testing.B) {
		r := newReceiver()
		from := &Endpoint{}
		s := newStream(socket{fd: -1})
		s.open, s.codec, s.types = true, PCMA, withoutOpus(8, noType)
		s.setSource(nil, from)
		packet := make([]byte, rtpHeader+FrameSamples)
		b.ReportAllocs()
		for i := range b.N {
			putHeader(packet, false, 8, uint16(i), uint32(i)*160, 7)
			a, _, _, ok := r.accept(packet, phoneAddr, int64(i)*int64(frameTime))
			if !ok {
				b.Fatal("refused")
			}
			s.relay(from, packet, &a) // its write fails at once
		}
	})
	b.Run("A-law to µ-law, 160 samples", func(b *testing.B) {
		frame := make([]byte, FrameSamples)
		for range b.N {
			recode(frame, PCMA)
		}
	})
}
