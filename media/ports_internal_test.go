package media

import (
	"errors"
	"net"
	"net/netip"
	"testing"
	"time"
)

var localhost = netip.MustParseAddr("127.0.0.1")

func TestPorts_QuarantineAndExhaustion(t *testing.T) {
	now := time.Unix(0, 0)
	p, err := newPorts(10001, 10008, 30*time.Second) // 10002/3, 10004/5, 10006/7
	if err != nil || p.first != 10002 || p.pairs != 3 {
		t.Fatalf("%+v %v", p, err)
	}
	taken := map[int]bool{}
	for range 3 {
		pair, ok := p.take(2, now)
		if !ok || taken[pair] {
			t.Fatalf("pair %d %v, taken %v", pair, ok, taken)
		}
		taken[pair] = true
	}
	if _, ok := p.take(0, now); ok {
		t.Fatal("a fourth of three pairs")
	}
	p.giveBack(10004, now)
	p.giveBack(10002, now.Add(time.Second))
	p.giveBack(10006, now.Add(2*time.Second))
	if pairs, free := p.counts(now.Add(30*time.Second - 1)); pairs != 3 || free != 0 {
		t.Errorf("%d pairs, %d free before the first quarantine is over", pairs, free)
	}
	if pair, ok := p.take(0, now.Add(30*time.Second)); !ok || pair != 1 {
		t.Fatalf("after 30 s: pair %d %v, want that of 10004", pair, ok)
	}
	// None is free: the one that has been in quarantine for the longest goes before a call is refused.
	if pair, ok := p.take(0, now.Add(30*time.Second)); !ok || pair != 0 {
		t.Fatalf("with none free: pair %d %v, want that of 10002", pair, ok)
	}
	if pairs, free := p.counts(now.Add(32 * time.Second)); pairs != 3 || free != 1 {
		t.Errorf("%d pairs, %d free", pairs, free)
	}
}

// Many pairs come and go; each is in use once at a time, and none is lost.
func TestPorts_ComeAndGo(t *testing.T) {
	now := time.Unix(0, 0)
	p, err := newPorts(10000, 10999, 30*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	used := map[int]bool{}
	var order []int
	for i := range 20_000 {
		now = now.Add(10 * time.Millisecond)
		pair, ok := p.take(i*7%p.pairs, now)
		if !ok || used[pair] {
			t.Fatalf("step %d: pair %d %v, in use %v", i, pair, ok, used[pair])
		}
		used[pair] = true
		if order = append(order, pair); len(order) > 100 {
			used[order[0]] = false
			p.giveBack(p.first+uint16(2*order[0]), now)
			order = order[1:]
		}
	}
	if pairs, free := p.counts(now.Add(time.Minute)); free != pairs-len(order) {
		t.Errorf("%d of %d pairs free with %d in use", free, pairs, len(order))
	}
}

func TestPorts_Ranges(t *testing.T) {
	for _, c := range []struct {
		low, high uint16
		pairs     int
	}{{10000, 10001, 1}, {10000, 19999, 5000}, {65534, 65535, 1}, {2, 65535, 32767}, {10001, 10002, 0}, {10000, 10000, 0}, {20000, 10000, 0}, {0, 100, 0}} {
		p, err := newPorts(c.low, c.high, 0)
		if (err == nil) != (c.pairs > 0) || err == nil && p.pairs != c.pairs {
			t.Errorf("%d-%d: %+v %v, want %d pairs", c.low, c.high, p, err, c.pairs)
		}
	}
}

// Pairs of which another program has one port are passed over; when none is left the error says so.
func TestPorts_HeldByOthers(t *testing.T) {
	other, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(localhost, 0)))
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	held := other.LocalAddr().(*net.UDPAddr).AddrPort().Port() &^ 1
	p, err := newPorts(held, held+3, 0)
	if err != nil {
		t.Fatal(err)
	}
	rtp, rtcp, port, err := p.open(localhost)
	if err != nil || port != held+2 {
		t.Fatalf("port %d of %d-%d, of which one is held: %v", port, held, held+3, err)
	}
	defer rtp.close()
	defer rtcp.close()
	if _, _, _, err := p.open(localhost); !errors.Is(err, ErrNoPorts) {
		t.Errorf("no pair left: %v", err)
	}
	if _, free := p.counts(time.Now()); free != 1 {
		t.Errorf("%d pairs free; the one held by another should be tried again", free)
	}
	if _, _, _, err := p.open(netip.MustParseAddr("192.0.2.1")); err == nil || errors.Is(err, ErrNoPorts) {
		t.Errorf("an address that is not ours: %v", err)
	}
}

func TestSockaddr_RoundTrip(t *testing.T) {
	for _, want := range []string{"192.0.2.1:5004", "[2001:db8::7]:65535"} {
		var a sockaddr
		a.set(netip.MustParseAddrPort(want))
		if got := a.addrPort().String(); got != want {
			t.Errorf("%s became %s", want, got)
		}
	}
	if a := (&sockaddr{}); a.addrPort().IsValid() {
		t.Errorf("no address became %v", a.addrPort())
	}
}
