package e2e

import (
	"fmt"
	"net"
	"net/netip"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// site is the part of the machine that one test has for itself: a range of
// ports on 127.0.0.1, where the server and baresip are, and a network of
// loopback addresses, where the carrier and the tests' own phones are.
type site struct {
	t     *testing.T
	slot  int
	next  int // the next port of the range that is free
	hosts int // the next address of the network that is free
}

const (
	firstPort    = 61000 // above what the kernel gives out by itself
	portsPerSite = 400
	sites        = 11
)

// peerPort is the SIP port of the carrier and of the tests' own phones, each on
// an address of its own. It and those behind it are unusual ones: a program that
// has a port on every address has it on these as well.
const peerPort = 5078

// newSite waits for a part that no other test uses, in this process or another:
// the first port of each range is its lock.
func newSite(t *testing.T) *site {
	t.Helper()
	var found *site
	eventually(t, "a range of ports is free", func() bool {
		for slot := range sites {
			lock, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", firstPort+slot*portsPerSite))
			if err != nil {
				continue
			}
			if !unused(slot) {
				_ = lock.Close()
				continue
			}
			t.Cleanup(func() { _ = lock.Close() })
			found = &site{t: t, slot: slot, next: 1, hosts: 10}
			return true
		}
		return false
	})
	return found
}

// unused tells whether nobody else, who knows nothing of locks, has a socket in the range.
func unused(slot int) bool {
	for i := 1; i < portsPerSite; i++ {
		addr := fmt.Sprintf("127.0.0.1:%d", firstPort+slot*portsPerSite+i)
		udp, err := net.ListenPacket("udp", addr)
		if err != nil {
			return false
		}
		_ = udp.Close()
		tcp, err := net.Listen("tcp", addr)
		if err != nil {
			return false
		}
		_ = tcp.Close()
	}
	return true
}

// ports gives the first of n ports on 127.0.0.1, an even one.
func (s *site) ports(n int) uint16 {
	s.t.Helper()
	s.next += s.next % 2
	first := s.next
	if s.next += n; s.next > portsPerSite {
		s.t.Fatal("the test needs more ports than it has")
	}
	return uint16(firstPort + s.slot*portsPerSite + first)
}

// local is a port on 127.0.0.1.
func (s *site) local(port uint16) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), port)
}

// network is where the carrier calls from.
func (s *site) network() netip.Prefix {
	return netip.PrefixFrom(netip.AddrFrom4([4]byte{127, 77, byte(s.slot), 0}), 25)
}

// carrierHost is an address of the carrier's network, a new one for each call.
func (s *site) carrierHost() netip.Addr { return s.host(0) }

// phoneHost is an address outside of the carrier's network, a new one for each phone.
func (s *site) phoneHost() netip.Addr { return s.host(128) }

func (s *site) host(base int) netip.Addr {
	s.t.Helper()
	s.hosts++
	if s.hosts > 126 {
		s.t.Fatal("the test needs more addresses than it has")
	}
	return netip.AddrFrom4([4]byte{127, 77, byte(s.slot), byte(base + s.hosts)})
}

// start runs a program that ends with the test's process, however that ends.
func start(cmd *exec.Cmd) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return cmd.Start()
}

// patience is how long the tests wait for what has to happen at once. It is
// generous: a machine that is busy is slow, and only a failing test waits.
const patience = 90 * time.Second

// pollEvery is how often a condition is looked at that nobody reports.
const pollEvery = 5 * time.Millisecond

// eventually waits until the condition holds; what it waits for is told when it does not come.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("did not happen within %v: %s", patience, what)
		}
	}
}
