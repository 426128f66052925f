package media

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// ErrNoBrowsers: the engine was made without a port for browsers.
var ErrNoBrowsers = errors.New("no port for browsers' audio")

const (
	webBuffer     = 4 << 20 // SO_RCVBUF in bytes of the port that all browsers share
	webCandidates = 8       // addresses told to a browser
	maxPaths      = 16      // by which one browser may come
)

// webPorts is the UDP port, at each of our addresses, by which the audio of all browsers comes and
// goes. Who sends a packet is known by where it comes from, and that by a check of ICE.
type webPorts struct {
	engine    *Engine
	list      []*webPort
	pair      int // of the range; -1: none
	strangers atomic.Uint64

	mu     sync.RWMutex
	byName map[string]webName // by our name in ICE
	byPath map[path]*Endpoint
}

// webName is a session that a name of ICE stands for.
type webName struct {
	ep       *Endpoint
	password string
}

// path is the way to a browser.
type path struct {
	port *webPort
	peer netip.AddrPort
}

// webPort is the port at one address.
type webPort struct {
	all  *webPorts
	conn *net.UDPConn
	sock socket // the same one, for writing
	addr netip.AddrPort
}

// openWeb binds the port at an address, or at all of the machine's if it is unspecified. Port 0
// stands for one of the range, which is kept for that then.
func (e *Engine) openWeb(at netip.AddrPort) (*webPorts, error) {
	addrs, err := localAddrs(at.Addr())
	if err != nil {
		return nil, err
	}
	w := &webPorts{engine: e, pair: -1, byName: map[string]webName{}, byPath: map[path]*Endpoint{}}
	if at.Port() != 0 {
		return w, w.bind(addrs, at.Port())
	}
	start := rand.IntN(e.ports.pairs)
	for range e.ports.pairs {
		pair, ok := e.ports.take(start, time.Now())
		if !ok {
			break
		}
		err := w.bind(addrs, e.ports.first+uint16(2*pair))
		if err == nil {
			w.pair = pair
			return w, nil
		}
		e.ports.giveBack(e.ports.first+uint16(2*pair), time.Now())
		if !errors.Is(err, unix.EADDRINUSE) {
			return nil, err
		}
		start = pair + 1
	}
	return nil, fmt.Errorf("%w for browsers", ErrNoPorts)
}

func (w *webPorts) bind(addrs []netip.Addr, port uint16) error {
	for _, a := range addrs {
		p, err := w.open(netip.AddrPortFrom(a, port))
		if err != nil {
			w.close()
			w.list = nil
			return err
		}
		w.list = append(w.list, p)
	}
	return nil
}

func (w *webPorts) open(at netip.AddrPort) (*webPort, error) {
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(at))
	if err != nil {
		return nil, fmt.Errorf("port for browsers' audio: %w", err)
	}
	_ = conn.SetReadBuffer(webBuffer) // less loses packets under load, and is not wrong
	p := &webPort{all: w, conn: conn, addr: at}
	raw, err := conn.SyscallConn()
	if err == nil {
		err = raw.Control(func(fd uintptr) {
			p.sock = socket{int(fd)}
			if at.Addr().Is4() { // priority only: audio flows without it
				_ = unix.SetsockoptInt(p.sock.fd, unix.IPPROTO_IP, unix.IP_TOS, expedited)
			} else {
				_ = unix.SetsockoptInt(p.sock.fd, unix.IPPROTO_IPV6, unix.IPV6_TCLASS, expedited)
			}
		})
	}
	if err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("port for browsers' audio: %w", err)
	}
	return p, nil
}

func (w *webPorts) close() {
	for _, p := range w.list {
		_ = p.conn.Close()
	}
}

// candidates are where a browser can reach us. Our loopback is told to one on this machine, and if
// there is nothing else.
func (w *webPorts) candidates(browser netip.Addr) (list []netip.AddrPort) {
	advertise := w.engine.options.Advertise.Unmap()
	if advertise.IsValid() {
		list = append(list, netip.AddrPortFrom(advertise, w.list[0].addr.Port()))
	}
	var loopback []netip.AddrPort
	for _, p := range w.list {
		switch {
		case p.addr.Addr().IsLoopback():
			loopback = append(loopback, p.addr)
		case p.addr.Addr() != advertise:
			list = append(list, p.addr)
		}
	}
	if len(list) == 0 || browser.IsLoopback() {
		list = append(list, loopback...)
	}
	return list[:min(len(list), webCandidates)]
}

// localAddrs are the concrete addresses that an address stands for.
func localAddrs(a netip.Addr) ([]netip.Addr, error) {
	if !a.IsUnspecified() {
		return []netip.Addr{a.Unmap()}, nil
	}
	all, err := net.InterfaceAddrs()
	if err != nil {
		return nil, fmt.Errorf("local addresses: %w", err)
	}
	var list []netip.Addr
	for _, n := range all {
		p, err := netip.ParsePrefix(n.String())
		if err != nil {
			continue
		}
		ip := p.Addr().Unmap()
		if !ip.IsLinkLocalUnicast() && !ip.IsMulticast() && (ip.Is4() || !a.Is4()) {
			list = append(list, ip)
		}
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%v: this machine has no address", a)
	}
	return list, nil
}

// loop reads until the port is closed.
func (p *webPort) loop() {
	buf := make([]byte, maxPacket+1+srtpOverhead)
	for {
		n, from, err := p.conn.ReadFromUDPAddrPort(buf[:maxPacket+1])
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil || n == 0 || n > maxPacket: // ICMP tells of an earlier packet; nobody sends such long ones
			continue
		}
		p.handle(buf, n, netip.AddrPortFrom(from.Addr().Unmap(), from.Port()))
	}
}

// handle passes a packet on. A fault while handling one costs that packet only.
func (p *webPort) handle(buf []byte, n int, from netip.AddrPort) {
	defer func() {
		if r := recover(); r != nil {
			p.all.engine.log.Error().Stringer("from", from).Any("panic", r).Msg("packet dropped")
		}
	}()
	if isSTUN(buf[:n]) {
		p.check(buf[:n], from)
		return
	}
	p.all.mu.RLock()
	ep := p.all.byPath[path{p, from}]
	p.all.mu.RUnlock()
	switch first := buf[0]; {
	case ep == nil:
		p.all.strangers.Add(1)
	case first >= 20 && first < 64: // RFC 7983
		ep.readDTLS(buf[:n])
	case first >= 128 && first < 192:
		ep.readWeb(buf, n, from, int64(p.all.engine.clock()))
	}
}

// check answers a connectivity check of somebody who knows a session's name and password.
func (p *webPort) check(b []byte, from netip.AddrPort) {
	c, ok := parseCheck(b)
	if !ok {
		p.all.strangers.Add(1)
		return
	}
	own, peer := c.names()
	p.all.mu.RLock()
	name, known := p.all.byName[own]
	p.all.mu.RUnlock()
	if !known || !c.genuine(name.password) || !name.ep.checked(path{p, from}, own, peer, c.nominates) {
		p.all.strangers.Add(1)
		return
	}
	var room [stunAnswer]byte
	_, _ = p.conn.WriteToUDPAddrPort(c.answer(room[:], from, name.password), from) // who hears nothing asks again
}

// call gives an endpoint a name in ICE.
func (w *webPorts) call(name string, password string, ep *Endpoint) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.byName[name] = webName{ep, password}
}

// lead notes that an endpoint's packets come by a path, and no longer by an older one. False: that
// path is another endpoint's.
func (w *webPorts) lead(to path, old *path, ep *Endpoint) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if x := w.byPath[to]; x != nil && x != ep {
		return false
	}
	if old != nil && w.byPath[*old] == ep {
		delete(w.byPath, *old)
	}
	w.byPath[to] = ep
	return true
}

// forget strikes an endpoint off.
func (w *webPorts) forget(ep *Endpoint, names []string, paths []path) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, n := range names {
		delete(w.byName, n)
	}
	for _, p := range paths {
		if w.byPath[p] == ep {
			delete(w.byPath, p)
		}
	}
}
