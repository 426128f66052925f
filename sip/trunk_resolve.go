package sip

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"

	"centrala/sip/edge"
)

// Resolver looks names up in the DNS. A *net.Resolver is one.
type Resolver interface {
	// LookupSRV gives records by priority, shuffled by weight (RFC 2782).
	LookupSRV(ctx context.Context, service, proto, name string) (cname string, addrs []*net.SRV, err error)
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

const (
	// resolveWithin bounds how long a host name may take.
	resolveWithin = 5 * time.Second
	// nameFresh is how long a name's addresses are used without asking again: the
	// unit of a TTL. The resolver of the machine keeps what it heard for its TTL and
	// does not tell how long that is, so it is asked for every call but those of the
	// same second (docs/adr/0012-names-of-carriers.md).
	nameFresh = time.Second
	// nameWait is how long it may take to answer while there are older addresses, and
	// nameRetry how long it is left alone when it did not (RFC 8767 section 5).
	nameWait  = 2 * time.Second
	nameRetry = 10 * time.Second
	// nameStale is how long they are used when the DNS does not answer.
	nameStale = 24 * time.Hour
	// addressRest is how long an address that failed comes after all others.
	addressRest = time.Minute
	// addressesMax is how many addresses of one name are looked at.
	addressesMax = 16
)

// names finds the addresses of carriers and fixed phones (RFC 3263 section 4).
type names struct {
	resolver Resolver
	now      func() time.Time

	mu     sync.Mutex
	found  map[place]*found
	failed map[netip.AddrPort]time.Time // when
}

// place is what is looked up; port 0: none is given.
type place struct {
	host, network string
	port          uint16
}

type found struct {
	addrs []netip.AddrPort
	at    time.Time // when they were heard of
	tried time.Time // when they were asked for in vain since; zero: they were not
}

func newNames(r Resolver, now func() time.Time) *names {
	if r == nil {
		r = net.DefaultResolver
	}
	return &names{resolver: r, now: now, found: map[place]*found{}, failed: map[netip.AddrPort]time.Time{}}
}

// lookup gives the addresses of a place in the order in which to try them.
func (n *names) lookup(ctx context.Context, p place) ([]netip.AddrPort, error) {
	now := n.now()
	n.mu.Lock()
	f, known := n.found[p], false
	if f != nil {
		if now.Sub(f.at) < nameFresh || now.Sub(f.tried) < nameRetry {
			n.mu.Unlock()
			return n.inOrder(f.addrs), nil
		}
		known = now.Sub(f.at) <= nameStale
	}
	n.mu.Unlock()
	if known {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, nameWait)
		defer cancel()
	}
	addrs, err := n.ask(ctx, p)
	n.mu.Lock()
	switch {
	case err == nil:
		f = &found{addrs: addrs, at: now}
		n.forget(now)
		n.found[p] = f
	case known:
		f.tried = now
	default:
		n.mu.Unlock()
		return nil, err
	}
	n.mu.Unlock()
	return n.inOrder(f.addrs), nil
}

// forget makes room: what is too old to be used.
func (n *names) forget(now time.Time) {
	for p, f := range n.found {
		if now.Sub(f.at) > nameStale {
			delete(n.found, p)
		}
	}
	for a, at := range n.failed {
		if now.Sub(at) > addressRest {
			delete(n.failed, a)
		}
	}
}

// inOrder puts the addresses that failed lately behind the others.
func (n *names) inOrder(addrs []netip.AddrPort) []netip.AddrPort {
	now := n.now()
	n.mu.Lock()
	defer n.mu.Unlock()
	resting := func(a netip.AddrPort) int {
		if at, ok := n.failed[a]; ok && now.Sub(at) < addressRest {
			return 1
		}
		return 0
	}
	list := slices.Clone(addrs)
	slices.SortStableFunc(list, func(a, b netip.AddrPort) int { return resting(a) - resting(b) })
	return list
}

// fail notes that an address did not answer, or said that it cannot serve.
func (n *names) fail(a netip.AddrPort) {
	n.mu.Lock()
	defer n.mu.Unlock()
	now := n.now()
	n.forget(now)
	n.failed[a] = now
}

// revive notes that an address answers.
func (n *names) revive(a netip.AddrPort) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.failed, a)
}

// ask looks a place up: an address is one, a host with a port has A and AAAA
// records, and one without has SRV records for the transport or else the
// transport's port (RFC 3263 section 4.2). The transport is configured, so that
// there is no need of NAPTR (section 4.1).
func (n *names) ask(ctx context.Context, p place) ([]netip.AddrPort, error) {
	port := p.port
	if port == 0 {
		port = uint16(sip.DefaultPort(p.network))
	}
	if ip, err := netip.ParseAddr(strings.Trim(p.host, "[]")); err == nil {
		return []netip.AddrPort{netip.AddrPortFrom(ip.Unmap(), port)}, nil
	}
	var targets []*net.SRV
	if p.port == 0 {
		service, proto := "sip", p.network
		if p.network == "tls" {
			service, proto = "sips", "tcp"
		}
		// An error means the same as no records: the host's own addresses count.
		_, targets, _ = n.resolver.LookupSRV(ctx, service, proto, p.host)
	}
	if len(targets) == 1 && targets[0].Target == "." { // RFC 2782: decidedly not there
		return nil, fmt.Errorf("%w: %s takes no calls by %s", errDial, p.host, p.network)
	}
	if len(targets) == 0 {
		targets = []*net.SRV{{Target: p.host, Port: port}}
	}
	return n.addresses(ctx, targets)
}

// addresses looks the targets up, in their order.
func (n *names) addresses(ctx context.Context, targets []*net.SRV) ([]netip.AddrPort, error) {
	var list []netip.AddrPort
	var failed []error
	for _, t := range targets {
		ips, err := n.resolver.LookupNetIP(ctx, "ip", t.Target)
		if err != nil {
			failed = append(failed, err)
			continue
		}
		for _, ip := range ips {
			if a := netip.AddrPortFrom(ip.Unmap(), t.Port); len(list) < addressesMax && !slices.Contains(list, a) {
				list = append(list, a)
			}
		}
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%w: %w", errDial, errors.Join(failed...))
	}
	return list, nil
}

// resolve gives the paths to a contact with a host name, in the order in which
// to try them. It blocks.
func (s *Stack) resolve(c Contact) ([]edge.Flow, error) {
	ctx, cancel := context.WithTimeout(s.ctx, resolveWithin)
	defer cancel()
	addrs, err := s.names.lookup(ctx, place{strings.Trim(c.uri.Host, "[]"), c.network, c.port})
	if err != nil {
		return nil, err
	}
	var flows []edge.Flow
	for _, a := range addrs {
		// Who answers at the address has to prove to be the host (RFC 5922 section 4).
		flow, err := s.tx.Towards(c.network, a, c.uri.Host)
		if err == nil { // we may have no socket of its family
			flows = append(flows, flow)
		}
	}
	if len(flows) == 0 {
		return nil, fmt.Errorf("%w: no way to %s", errDial, c.uri.Host)
	}
	return flows, nil
}
