package media_test

import (
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"
)

// listening is who hears the same as an endpoint towards a bad network: by the network itself, and by a bare loop
// that reads a packet and sends it on.
type listening struct{ direct, relayed *phone }

// bareRelay sends on what comes, and is told where to send.
func bareRelay(tb testing.TB, to netip.AddrPort) netip.AddrPort {
	tb.Helper()
	conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(loopback, 0)))
	if err != nil {
		tb.Fatal(err)
	}
	done := make(chan struct{})
	tb.Cleanup(func() { conn.Close(); <-done })
	go func() {
		defer close(done)
		b := make([]byte, 2000)
		for {
			n, _, err := conn.ReadFromUDPAddrPort(b)
			if err != nil {
				return
			}
			_, _ = conn.WriteToUDPAddrPort(b[:n], to)
		}
	}()
	return conn.LocalAddr().(*net.UDPAddr).AddrPort()
}

// How much later a packet that comes out of a bad network is heard beyond the engine than by somebody who
// hears the network itself: the calls of TestImpaired_NothingWorseThanWhatCameIn, b.N packets each way in each of
// them. The same of a bare loop, which reads a packet and sends it on, is what is due to the machine.
func BenchmarkImpaired_AddedDelay(b *testing.B) {
	others := map[*farCall]listening{}
	calls := farCalls(b, b.N, func(c *farCall) {
		l := listening{newPhone(b), newPhone(b)}
		c.net.taps = []netip.AddrPort{l.direct.addr(), bareRelay(b, l.relayed.addr())}
		others[c] = l
	})
	b.StopTimer()
	var engine, bare []time.Duration
	for _, c := range calls {
		_, gone := c.net.counts()
		l := others[c]
		direct, relayed, got := l.direct.await(b, gone[0]), l.relayed.await(b, gone[0]), c.bob.await(b, gone[0])
		for i := range direct {
			engine = append(engine, got[i].at.Sub(direct[i].at))
			bare = append(bare, relayed[i].at.Sub(direct[i].at))
		}
	}
	for name, list := range map[string][]time.Duration{"": engine, "bare-": bare} {
		slices.Sort(list)
		us := func(i int) float64 { return float64(list[i]) / float64(time.Microsecond) }
		b.ReportMetric(us(len(list)/2), name+"p50-µs")
		b.ReportMetric(us(len(list)*99/100), name+"p99-µs")
		b.ReportMetric(us(len(list)-1), name+"worst-µs")
	}
	b.ReportMetric(0, "ns/op") // 20 ms, which says nothing
}
