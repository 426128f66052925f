package media

import (
	"strings"
	"testing"

	"centrala/media/sdp"
)

// encrypted makes a wire encrypt both ways and returns the peer's side of it.
func encrypted(tb testing.TB, w *wire, suite sdp.Suite) (peer *security) {
	tb.Helper()
	peer = &security{}
	key := strings.Repeat("k", suite.KeyLen())
	for _, s := range []*security{&w.ep.in.security, &w.ep.out.security, peer} {
		if err := s.set(suite, key); err != nil {
			tb.Fatal(err)
		}
	}
	return peer
}

// relaySecret carries one packet from a's encrypted peer to b's.
func relaySecret(tb testing.TB, a, b *wire, peer *security, buf *frameBuffer, seq int) {
	putHeader(buf[:], false, 8, uint16(seq), uint32(seq)*160, 7)
	sealed, ok := peer.seal(buf[:framePacket])
	if !ok {
		tb.Fatal("cannot encrypt")
	}
	if errno := a.peer.send(sealed); errno != 0 {
		tb.Fatal(errno)
	}
	a.ep.readRTP(a.buf[:maxPacket+1], &a.sink, int64(seq)*int64(frameTime))
	if _, errno := b.peer.receive(b.buf[:maxPacket+1], &b.sink); errno != 0 {
		tb.Fatalf("nothing arrived: %v", errno)
	}
}

func TestHotPaths_SRTPDoesNotAllocate(t *testing.T) {
	suites := []sdp.Suite{sdp.GCM128, sdp.CM128}
	if underRace { // the library keeps the hashes of the other one in a pool
		suites = suites[:1]
	}
	for _, suite := range suites {
		a, b := bridgedWires(t, PCMA)
		peer, seq, buf := encrypted(t, a, suite), 0, &frameBuffer{}
		encrypted(t, b, suite)
		if n := testing.AllocsPerRun(200, func() { relaySecret(t, a, b, peer, buf, seq); seq++ }); n != 0 {
			t.Errorf("%s: %v allocations to relay a packet", suite, n)
		}
	}
}

// A bridged packet that is encrypted on both sides, beside the bare system calls
// and the bare cipher.
func BenchmarkRelaySRTP(b *testing.B) {
	for _, suite := range []sdp.Suite{sdp.GCM128, sdp.CM128} {
		b.Run(string(suite), func(b *testing.B) {
			x, y := bridgedWires(b, PCMA)
			peer, buf := encrypted(b, x, suite), &frameBuffer{}
			encrypted(b, y, suite)
			b.ReportAllocs()
			for i := range b.N {
				relaySecret(b, x, y, peer, buf, i)
			}
		})
		b.Run(string(suite)+" floor", func(b *testing.B) {
			x, y := newWire(b, PCMA), newWire(b, PCMA)
			peer, buf := encrypted(b, x, suite), &frameBuffer{}
			encrypted(b, y, suite)
			for i := range b.N {
				putHeader(buf[:], false, 8, uint16(i), uint32(i)*160, 7)
				sealed, _ := peer.seal(buf[:framePacket])
				_ = x.peer.send(sealed)
				n, _ := x.ep.rtp.receive(x.buf[:maxPacket+1], &x.sink)
				plain, _ := x.ep.in.security.open(x.buf[:n])
				sealed, _ = y.ep.out.security.seal(plain)
				_ = y.ep.rtp.send(sealed)
				_, _ = y.peer.receive(y.buf[:maxPacket+1], &y.sink)
			}
		})
	}
}
