package media

import (
	"net/netip"
	"testing"
	"time"
)

// A phone on the server's own machine signals from the address of its network and
// sends its audio from loopback to loopback. It is learnt; others are not.
func TestSourceLock_PhoneOnThisMachine(t *testing.T) {
	network := netip.MustParseAddr("192.0.2.2")
	for name, c := range map[string]struct {
		loopback bool
		from     string
		want     verdict
	}{
		"loopback to loopback": {true, "127.0.0.1:17952", learnt},
		"stranger to loopback": {true, "192.0.2.50:17952", stranger},
		"loopback to a public": {false, "127.0.0.1:17952", stranger},
	} {
		l := sourceLock{signalled: netip.AddrPortFrom(network, 17952), signalling: network, loopback: c.loopback}
		got := stranger
		for i := range uint16(6) {
			p := packet{ssrc: 7, seq: i}
			if v := l.check(netip.MustParseAddrPort(c.from), &p, int64(i)*int64(20*time.Millisecond)); v == learnt {
				got = v
			}
		}
		if got != c.want {
			t.Errorf("%s: verdict %d, want %d", name, got, c.want)
		}
	}
}
