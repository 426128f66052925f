package edge

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
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
	network string      // "tcp" or "tls"
	secure  *tls.Config // of accepted connections; nil: "tcp"
	ln      net.Listener
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
func (t *TCP) Addr() net.Addr { return t.ln.Addr() }

// Close closes the listener and all its connections.
func (t *TCP) Close() error {
	var err error
	t.once.Do(func() {
		close(t.closed)
		err = t.ln.Close()
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
	wg.Add(1)
	go func() {
		defer wg.Done()
		t.accept()
	}()
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
		if c := t.adopt(nc, ""); c != nil {
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
	c := t.adopt(nc, server)
	if c == nil {
		return Flow{}, ErrTooManyConnections
	}
	c.setKept(true)
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

func (t *TCP) adopt(nc net.Conn, server string) *Conn {
	local, remote := addrPort(nc.LocalAddr()), addrPort(nc.RemoteAddr())
	source := limitKey(remote.Addr())
	c := &Conn{Conn: nc, owner: t, source: source, frame: framer{max: t.limits.MaxMessage}, begun: make(chan struct{})}
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
	if !t.flows.add(c, Flow{Network: t.network, Local: local, Remote: remote, Server: server}) {
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

// Conn is a connection. Read returns at most one whole message at a time (a
// long one in several pieces, never two in one), Write never blocks.
type Conn struct {
	net.Conn
	owner  *TCP
	source netip.Addr
	flow   Flow

	frame framer        // accessed by Read only
	ready []byte        // rest of the message being read; accessed by Read only
	begun chan struct{} // closed by the first Read
	once  sync.Once

	lastSeen atomic.Int64 // Unix nanoseconds
	kept     atomic.Bool
	down     sync.Once

	mu      sync.Mutex
	pending []byte
	writing bool
	broken  error
}

// Flow is the path that the connection is.
func (c *Conn) Flow() Flow { return c.flow }

func (c *Conn) setKept(keep bool) {
	c.kept.Store(keep)
	if keep {
		_ = c.Conn.SetReadDeadline(time.Time{})
	} else {
		_ = c.Conn.SetReadDeadline(time.Now().Add(c.owner.limits.Idle))
	}
}

// Read returns a piece of the next message. Keepalives are answered here
// (RFC 5626 section 3.5.1).
func (c *Conn) Read(b []byte) (int, error) {
	var err error
	c.once.Do(func() {
		defer close(c.begun)
		if err = c.shakeHands(); err == nil {
			c.owner.flows.begin(c)
		}
	})
	if err != nil {
		c.shut()
		return 0, err
	}
	for len(c.ready) == 0 {
		msg, err := c.frame.next()
		switch {
		case err != nil:
			c.owner.count.Malformed.Add(1)
			c.lastWords(badFrame(c.frame.message(), err))
			c.shut()
			return 0, err
		case msg != nil:
			c.ready = c.check(msg)
		default:
			if err := c.fill(); err != nil {
				c.shut()
				return 0, err
			}
		}
	}
	n := copy(b, c.ready)
	c.ready = c.ready[n:]
	return n, nil
}

// shakeHands completes the handshake of an accepted TLS connection. Its reads
// have the deadline of the first byte already.
func (c *Conn) shakeHands() error {
	secure, ok := c.Conn.(*tls.Conn)
	if !ok || secure.ConnectionState().HandshakeComplete {
		return nil
	}
	_ = c.Conn.SetWriteDeadline(time.Now().Add(c.owner.limits.FirstByte))
	if err := secure.Handshake(); err != nil {
		c.owner.count.Handshakes.Add(1)
		return err
	}
	return c.Conn.SetWriteDeadline(time.Time{})
}

// check passes a whole message through Inspect.
func (c *Conn) check(msg []byte) []byte {
	c.seen(false, msg)
	if c.owner.inspect == nil {
		return msg
	}
	forward, reply := c.owner.inspect(msg)
	if reply != nil {
		_, _ = c.Write(reply)
	}
	if forward == nil {
		c.owner.count.Malformed.Add(1)
	}
	return forward
}

func (c *Conn) seen(sent bool, msg []byte) {
	if tap := c.owner.flows.tap; tap != nil && looksLikeSIP(msg) {
		tap(c.flow, sent, msg)
	}
}

// fill reads more bytes into the framer.
func (c *Conn) fill() error {
	n, err := c.Conn.Read(c.frame.space())
	if n > 0 {
		now := time.Now()
		c.lastSeen.Store(now.UnixNano())
		if pings := c.frame.added(n); pings > 0 {
			_, _ = c.Write([]byte("\r\n"))
		}
		if !c.kept.Load() {
			_ = c.Conn.SetReadDeadline(now.Add(c.owner.limits.Idle))
		}
		return nil
	}
	return err
}

// Write queues b. A goroutine that lives only while there is something to send
// writes it, so that a peer that does not read cannot hold up anybody.
func (c *Conn) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.broken != nil {
		return 0, c.broken
	}
	if len(c.pending)+len(b) > c.owner.limits.MaxPending {
		c.broken = fmt.Errorf("peer %s does not read", c.flow.Remote)
		c.owner.count.WriteErrors.Add(1)
		go c.shut()
		return 0, c.broken
	}
	c.seen(true, b)
	c.pending = append(c.pending, b...)
	if !c.writing {
		c.writing = true
		go c.drain()
	}
	return len(b), nil
}

// drain writes what is queued until nothing is left.
func (c *Conn) drain() {
	for {
		c.mu.Lock()
		batch := c.pending
		c.pending = nil
		if len(batch) == 0 || c.broken != nil {
			c.writing = false
			c.mu.Unlock()
			return
		}
		c.mu.Unlock()
		_ = c.Conn.SetWriteDeadline(time.Now().Add(c.owner.limits.Write))
		if _, err := c.Conn.Write(batch); err != nil {
			c.mu.Lock()
			c.broken, c.writing = err, false
			c.mu.Unlock()
			c.owner.count.WriteErrors.Add(1)
			c.shut()
			return
		}
	}
}

// lastWords sends a final answer before the connection is closed, unless the
// peer is not even taking what was sent before.
func (c *Conn) lastWords(reply []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(reply) == 0 || c.writing || c.broken != nil {
		return
	}
	c.seen(true, reply)
	_ = c.Conn.SetWriteDeadline(time.Now().Add(c.owner.limits.Write / 10))
	_, _ = c.Conn.Write(reply) // the connection ends either way
	c.broken = net.ErrClosed
}

// Close closes the connection at once.
func (c *Conn) Close() error {
	c.shut()
	return nil
}

// shut closes the connection and strikes it off, once.
func (c *Conn) shut() {
	c.down.Do(func() {
		c.mu.Lock()
		if c.broken == nil {
			c.broken = net.ErrClosed
		}
		c.mu.Unlock()
		_ = c.Conn.Close()
		c.owner.forget(c)
	})
}

// bare is the connection below TLS.
func bare(nc net.Conn) net.Conn {
	if secure, ok := nc.(*tls.Conn); ok {
		return secure.NetConn()
	}
	return nc
}

func addrPort(a net.Addr) netip.AddrPort {
	if t, ok := a.(*net.TCPAddr); ok {
		return unmap(t.AddrPort())
	}
	return netip.AddrPort{}
}
