// Package edge is the border to the network: UDP sockets and TCP connections
// that hand on only what may be SIP, limit what one source can cost, survive
// errors, and know which peer is behind which connection.
//
// It does not understand SIP beyond the framing of messages; parsing is the
// transport library's work, which reads from the wrappers of this package.
package edge

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// FlowID names a path between one of our sockets and a peer: network, local
// and remote address, and for streams the serial number of the connection, so
// that a new connection from the same port is another flow (RFC 5626 section 3).
type FlowID string

// Flow is a path to a peer.
type Flow struct {
	ID      FlowID
	Network string         // "udp", "tcp", "tls", or "ws" or "wss" for a WebSocket (RFC 7118)
	Local   netip.AddrPort // our concrete address
	Remote  netip.AddrPort
	// Server is the name that the peer proved by its certificate, or has to
	// prove, on a "tls" connection that we open; empty on all others.
	Server string
	// Session is that of the browser which opened a WebSocket; empty on all others.
	Session string
}

// Stream tells whether the flow is a connection, with which it ends.
func (f Flow) Stream() bool { return f.Network != "udp" }

// Web tells whether the flow is a WebSocket: the peer is a browser, which is
// reached by it and in no other way (RFC 7118 section 5).
func (f Flow) Web() bool { return f.Network == "ws" || f.Network == "wss" }

// Secure tells whether nobody on the way can read what is sent.
func (f Flow) Secure() bool { return f.Network == "tls" || f.Network == "wss" }

// UDPFlow is the flow of datagrams between local and remote. It needs no table
// and never dies.
func UDPFlow(local, remote netip.AddrPort) Flow {
	return Flow{ID: flowID("udp", local, remote, 0), Network: "udp", Local: local, Remote: remote}
}

func flowID(network string, local, remote netip.AddrPort, serial uint64) FlowID {
	b := make([]byte, 0, 64)
	b = append(b, network...)
	b = append(b, '/')
	b = local.AppendTo(b)
	b = append(b, '/')
	b = remote.AppendTo(b)
	if serial != 0 {
		b = append(b, '/')
		b = strconv.AppendUint(b, serial, 36)
	}
	return FlowID(b)
}

// ParseFlowID takes an ID apart. It does not tell whether the flow is alive.
func ParseFlowID(id FlowID) (Flow, bool) {
	part := strings.Split(string(id), "/")
	if len(part) < 3 {
		return Flow{}, false
	}
	local, err := netip.ParseAddrPort(part[1])
	if err != nil {
		return Flow{}, false
	}
	remote, err := netip.ParseAddrPort(part[2])
	if err != nil {
		return Flow{}, false
	}
	switch {
	case part[0] == "udp" && len(part) == 3, slices.Contains(connections(), part[0]) && len(part) == 4:
		return Flow{ID: id, Network: part[0], Local: local, Remote: remote}, true
	}
	return Flow{}, false
}

// connections are the networks whose flows are connections.
func connections() []string { return []string{"tcp", "tls", "ws", "wss"} }

// Flows is the table of open stream connections. The zero value is not usable.
type Flows struct {
	serial  uint64 // accessed under mu
	mu      sync.RWMutex
	byID    map[FlowID]*Conn
	byPeer  map[far]*Conn          // newest connection with it that is being read
	proved  map[netip.AddrPort]int // open connections to there whose peer proved a name
	onClose func(Flow)
	tap     Tap // nil: nobody looks on
	holds   sync.RWMutex
}

// far is the far end of a connection: whoever has not proved a name is not
// found under it. Who has is found without it, too.
type far struct {
	network string
	remote  netip.AddrPort
	server  string
}

func (f Flow) far() far     { return far{f.Network, f.Remote, f.Server} }
func (f Flow) unnamed() far { return far{f.Network, f.Remote, ""} }

// NewFlows makes a table. onClose is called once for each connection that
// closes, on the goroutine that noticed, without locks held.
func NewFlows(onClose func(Flow)) *Flows {
	return &Flows{byID: map[FlowID]*Conn{}, byPeer: map[far]*Conn{}, proved: map[netip.AddrPort]int{}, onClose: onClose}
}

// Watch has tap look on at all connections. It is called before there are any.
func (t *Flows) Watch(tap Tap) { t.tap = tap }

// ByPeer finds the open connection with the peer that has network, address and
// proved name of f.
func (t *Flows) ByPeer(f Flow) (Flow, bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	c := t.byPeer[f.far()]
	if c == nil {
		return Flow{}, false
	}
	return c.flow, true
}

// Alive tells whether messages can be sent by the flow. UDP flows always are.
func (t *Flows) Alive(id FlowID) bool {
	if datagrams(id) {
		return true
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.byID[id] != nil
}

func datagrams(id FlowID) bool { return strings.HasPrefix(string(id), "udp/") }

// Hold has do, which must not block, over and done with before whoever reads the
// connection hears of its end, even if it ends meanwhile. False: it has ended, and do
// was not called. UDP flows do not end.
func (t *Flows) Hold(id FlowID, do func()) bool {
	if datagrams(id) {
		do()
		return true
	}
	t.holds.RLock()
	defer t.holds.RUnlock()
	if !t.Alive(id) {
		return false
	}
	do()
	return true
}

// held waits for those who hold a connection that is not listed any more.
func (t *Flows) held() {
	t.holds.Lock()
	defer t.holds.Unlock()
}

// Keep exempts a connection from the idle limit, or subjects it to it again.
// A registered phone need not talk for an hour; the kernel's keepalive finds
// dead peers.
func (t *Flows) Keep(id FlowID, keep bool) {
	t.mu.RLock()
	c := t.byID[id]
	t.mu.RUnlock()
	if c != nil {
		c.setKept(keep)
	}
}

// LastSeen is when data last came by a stream flow.
func (t *Flows) LastSeen(id FlowID) (time.Time, bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	c := t.byID[id]
	if c == nil {
		return time.Time{}, false
	}
	return time.Unix(0, c.lastSeen.Load()), true
}

// Len is the number of open connections.
func (t *Flows) Len() int {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return len(t.byID)
}

// add gives the connection its flow and lists it. False: it came by TLS from an
// address where a peer has proved their name to us, and has not done so itself.
// The library, which knows connections by their addresses, would take it for
// that peer's.
func (t *Flows) add(c *Conn, f Flow) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case f.Server != "":
		t.proved[f.Remote]++
	case f.Network == "tls" && t.proved[f.Remote] > 0:
		return false
	}
	t.serial++
	f.ID = flowID(f.Network, f.Local, f.Remote, t.serial)
	c.flow = f
	t.byID[c.flow.ID] = c
	return true
}

// begin makes the connection the one to use towards its peer, now that it is read.
func (t *Flows) begin(c *Conn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.byID[c.flow.ID] == c {
		t.byPeer[c.flow.far()] = c
		t.byPeer[c.flow.unnamed()] = c
	}
}

// remove strikes the connection off and tells the owner.
func (t *Flows) remove(c *Conn) {
	t.mu.Lock()
	delete(t.byID, c.flow.ID)
	for _, end := range []far{c.flow.far(), c.flow.unnamed()} {
		if t.byPeer[end] == c {
			delete(t.byPeer, end)
		}
	}
	if c.flow.Server != "" {
		if t.proved[c.flow.Remote]--; t.proved[c.flow.Remote] == 0 {
			delete(t.proved, c.flow.Remote)
		}
	}
	t.mu.Unlock()
	if t.onClose != nil {
		t.onClose(c.flow)
	}
}

// Counters count what the edge refused. All fields only grow.
type Counters struct {
	NotSIP      atomic.Uint64 // datagrams that cannot be SIP
	Limited     atomic.Uint64 // datagrams over the limit of their source
	Refused     atomic.Uint64 // connections over a cap
	Malformed   atomic.Uint64 // messages that were answered or dropped by Inspect, and streams without framing
	ReadErrors  atomic.Uint64 // transient read errors survived
	Turnovers   atomic.Uint64 // times the library's table of UDP sources was emptied
	WriteErrors atomic.Uint64 // connections closed because the peer did not read
	Handshakes  atomic.Uint64 // TLS handshakes of accepted connections that failed
}

// Tap looks on: it is given each whole message that is let in or sent, as it is on
// the wire, before the library sees it, and that of TLS in clear. It must not
// block, and copy what it keeps of msg. Keepalives, and what limits keep out, it
// does not see.
type Tap func(f Flow, sent bool, msg []byte)

// Inspect looks at one whole message before the library parses it. It returns
// what to hand on (nil: nothing) and what to send back (nil: nothing).
type Inspect func(msg []byte) (forward, reply []byte)
