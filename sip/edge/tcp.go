package edge

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"
)

// StreamLimits bound what connections can cost. The zero value of a field
// stands for its default.
type StreamLimits struct {
	Total      int           // open connections, default 10000
	PerSource  int           // open connections of one address, default 100
	FirstByte  time.Duration // to say something after connecting, default 10 s
	Idle       time.Duration // silence of a connection that is not kept, default 3 min
	Write      time.Duration // for the peer to take what is sent to it, default 10 s
	MaxPending int           // bytes waiting to be sent, default 1 MiB
	MaxMessage int           // bytes of one message, default and maximum 65535
}

func (l StreamLimits) withDefaults() StreamLimits {
	set := func(v *int, d int) {
		if *v <= 0 {
			*v = d
		}
	}
	span := func(v *time.Duration, d time.Duration) {
		if *v <= 0 {
			*v = d
		}
	}
	set(&l.Total, 10000)
	set(&l.PerSource, 100)
	set(&l.MaxPending, 1<<20)
	set(&l.MaxMessage, 65535)
	l.MaxMessage = min(l.MaxMessage, 65535)
	span(&l.FirstByte, 10*time.Second)
	span(&l.Idle, 3*time.Minute)
	span(&l.Write, 10*time.Second)
	return l
}

// TCP is a listener whose connections obey limits, frame messages, never block
// a writer, and are listed in the flow table. Connections that Dial opens come
// out of Accept too, so that all of them are read in the same way.
type TCP struct {
	network string       // "tcp", "tls", or "ws" for all WebSockets
	secure  *tls.Config  // of accepted connections; nil: "tcp"
	ln      net.Listener // nil: connections come by AdoptMessages alone
	local   netip.AddrPort
	limits  StreamLimits
	flows   *Flows
	inspect Inspect
	count   *Counters
	trusted func(netip.Addr) bool

	out    chan *Conn
	closed chan struct{}
	once   sync.Once

	mu        sync.Mutex
	open      map[*Conn]struct{}
	perSource map[netip.Addr]int
}

var _ net.Listener = (*TCP)(nil)

// ListenTCP listens on a concrete address. Sources for which trusted reports
// true have no cap of their own; inspect and trusted may be nil.
func ListenTCP(addr netip.AddrPort, limits StreamLimits, flows *Flows, inspect Inspect, trusted func(netip.Addr) bool, count *Counters) (*TCP, error) {
	ln, err := net.ListenTCP("tcp", net.TCPAddrFromAddrPort(addr))
	if err != nil {
		return nil, fmt.Errorf("listen on tcp %s: %w", addr, err)
	}
	t := &TCP{
		network: "tcp", ln: ln, local: unmap(ln.Addr().(*net.TCPAddr).AddrPort()), limits: limits.withDefaults(),
		flows: flows, inspect: inspect, trusted: trusted, count: count,
		out: make(chan *Conn), closed: make(chan struct{}),
		open: map[*Conn]struct{}{}, perSource: map[netip.Addr]int{},
	}
	return t, nil
}

// Local is the address listened on.
func (t *TCP) Local() netip.AddrPort { return t.local }

// Addr is the address listened on.
func (t *TCP) Addr() net.Addr { return net.TCPAddrFromAddrPort(t.local) }

// Close closes the listener and all its connections.
func (t *TCP) Close() error {
	var err error
	t.once.Do(func() {
		close(t.closed)
		if t.ln != nil {
			err = t.ln.Close()
		}
		t.mu.Lock()
		open := make([]*Conn, 0, len(t.open))
		for c := range t.open {
			open = append(open, c)
		}
		t.mu.Unlock()
		for _, c := range open {
			c.shut()
		}
	})
	return err
}

// Serve accepts connections and has serve take them from Accept, until Close.
// serve has to block while it accepts; if it returns or panics it is called again.
func (t *TCP) Serve(serve func(net.Listener) error) {
	var wg sync.WaitGroup
	if t.ln != nil {
		wg.Go(t.accept)
	}
	for {
		func() {
			defer func() { _ = recover() }()
			_ = serve(t)
		}()
		select {
		case <-t.closed:
			wg.Wait()
			return
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// accept takes connections from the kernel until the listener is closed. Lack
// of file descriptors and the like only make it wait.
func (t *TCP) accept() {
	fails := 0
	for {
		nc, err := t.ln.Accept()
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return
			}
			t.count.ReadErrors.Add(1)
			fails++
			select {
			case <-t.closed:
				return
			case <-time.After(min(time.Duration(fails)*5*time.Millisecond, time.Second)):
			}
			continue
		}
		fails = 0
		if t.secure != nil {
			nc = tls.Server(nc, t.secure) // the handshake is the reader's, who may wait
		}
		if c := t.adopt(nc, t.between(nc)); c != nil {
			t.hand(c)
		}
	}
}

// hand passes a connection to Accept.
func (t *TCP) hand(c *Conn) bool {
	select {
	case t.out <- c:
		return true
	case <-t.closed:
		c.shut()
		return false
	}
}

// Accept returns the next connection, accepted or dialled.
func (t *TCP) Accept() (net.Conn, error) {
	select {
	case c := <-t.out:
		return c, nil
	case <-t.closed:
		return nil, net.ErrClosed
	}
}

// Adopt makes a connection that was opened to a peer one of the listener's; the
// peer of a TLS connection has proved to be server. It returns once whoever
// calls Accept has begun to read it.
func (t *TCP) Adopt(nc net.Conn, server string) (Flow, error) {
	f := t.between(nc)
	f.Server = server
	c := t.adopt(nc, f)
	if c == nil {
		return Flow{}, ErrTooManyConnections
	}
	c.setKept(true)
	return t.handOver(c)
}

// between is the flow that a connection is.
func (t *TCP) between(nc net.Conn) Flow {
	return Flow{Network: t.network, Local: addrPort(nc.LocalAddr()), Remote: addrPort(nc.RemoteAddr())}
}

// handOver passes a connection to Accept and waits until it is read.
func (t *TCP) handOver(c *Conn) (Flow, error) {
	if !t.hand(c) {
		return Flow{}, net.ErrClosed
	}
	select {
	case <-c.begun:
		return c.flow, nil
	case <-t.closed:
		return Flow{}, net.ErrClosed
	}
}

// ErrTooManyConnections means that a cap of StreamLimits was reached.
var ErrTooManyConnections = errors.New("too many connections")

func (t *TCP) adopt(nc net.Conn, flow Flow) *Conn {
	source := limitKey(flow.Remote.Addr())
	c := &Conn{Conn: nc, owner: t, source: source, frame: framer{max: t.limits.MaxMessage}, begun: make(chan struct{})}
	if m, ok := nc.(*messageConn); ok {
		c.messages = m.Messages
	}
	t.mu.Lock()
	full := len(t.open) >= t.limits.Total ||
		t.perSource[source] >= t.limits.PerSource && (t.trusted == nil || !t.trusted(source))
	if !full {
		t.open[c] = struct{}{}
		t.perSource[source]++
	}
	t.mu.Unlock()
	if full {
		t.count.Refused.Add(1)
		_ = nc.Close()
		return nil
	}
	if tc, ok := bare(nc).(*net.TCPConn); ok {
		_ = tc.SetKeepAliveConfig(net.KeepAliveConfig{Enable: true, Idle: 30 * time.Second, Interval: 15 * time.Second, Count: 4})
	}
	c.lastSeen.Store(time.Now().UnixNano())
	if !t.flows.add(c, flow) {
		t.strike(c)
		t.count.Refused.Add(1)
		_ = nc.Close()
		return nil
	}
	_ = nc.SetReadDeadline(time.Now().Add(t.limits.FirstByte))
	select {
	case <-t.closed:
		c.shut()
	default:
	}
	return c
}

func (t *TCP) forget(c *Conn) {
	t.strike(c)
	t.flows.remove(c)
}

// strike takes the connection out of what is counted against the limits.
func (t *TCP) strike(c *Conn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.open, c)
	if t.perSource[c.source]--; t.perSource[c.source] <= 0 {
		delete(t.perSource, c.source)
	}
}
