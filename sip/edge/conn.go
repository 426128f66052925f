package edge

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// Conn is a connection. Read returns at most one whole message at a time (a
// long one in several pieces, never two in one), Write never blocks.
type Conn struct {
	net.Conn
	messages Messages // that Conn is made of; nil: Conn is a stream of bytes
	owner    *TCP
	source   netip.Addr
	flow     Flow

	frame framer        // accessed by Read only
	ready []byte        // rest of the message being read; accessed by Read only
	begun chan struct{} // closed by the first Read
	once  sync.Once

	lastSeen atomic.Int64 // Unix nanoseconds
	kept     atomic.Bool
	down     sync.Once

	mu      sync.Mutex
	pending []byte
	ends    []int // of the messages in pending, where they must be kept apart
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
		return 0, c.over(err)
	}
	for len(c.ready) == 0 {
		if err := c.more(); err != nil {
			return 0, c.over(err)
		}
	}
	n := copy(b, c.ready[:piece(c.ready, len(b))])
	c.ready = c.ready[n:]
	return n, nil
}

// piece is how many bytes of a message are given to the library at once, most at most. It is not up to a folded
// line (RFC 3261 section 7.3.1), which the library would take for a header of its own when it comes.
func piece(msg []byte, most int) int {
	if len(msg) <= most {
		return len(msg)
	}
	if next := msg[most]; most > 1 && msg[most-1] == '\n' && (next == ' ' || next == '\t') {
		return most - 1
	}
	return most
}

// over ends the connection before its reader is told why.
func (c *Conn) over(err error) error {
	c.shut()
	c.owner.flows.held()
	return err
}

// more takes in the next message, or more bytes of it.
func (c *Conn) more() error {
	if c.messages != nil {
		return c.message()
	}
	msg, err := c.frame.next()
	switch {
	case err != nil:
		c.bad(c.frame.message(), err)
		return err
	case msg != nil:
		c.ready = c.check(msg)
		return nil
	}
	return c.fill()
}

// bad answers what cannot be framed.
func (c *Conn) bad(msg []byte, err error) {
	c.owner.count.Malformed.Add(1)
	c.lastWords(badFrame(msg, err))
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
		c.heard()
		if pings := c.frame.added(n); pings > 0 {
			_, _ = c.Write(crlf)
		}
		return nil
	}
	return err
}

// heard notes that the peer sent something.
func (c *Conn) heard() {
	now := time.Now()
	c.lastSeen.Store(now.UnixNano())
	if !c.kept.Load() {
		_ = c.Conn.SetReadDeadline(now.Add(c.owner.limits.Idle))
	}
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
	if c.messages != nil {
		c.ends = append(c.ends, len(c.pending))
	}
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
		batch, ends := c.pending, c.ends
		c.pending, c.ends = nil, nil
		if len(batch) == 0 || c.broken != nil {
			c.writing = false
			c.mu.Unlock()
			return
		}
		c.mu.Unlock()
		if err := c.send(batch, ends, c.owner.limits.Write); err != nil {
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
	if len(reply) == 0 || c.writing || c.broken != nil {
		c.mu.Unlock()
		return
	}
	c.broken = net.ErrClosed // nothing is sent after them
	c.seen(true, reply)
	c.mu.Unlock()
	_ = c.send(reply, []int{len(reply)}, c.owner.limits.Write/10) // the connection ends either way
}

// Close closes the connection, and does not wait: the library holds locks that whoever
// is told of the end may be waiting for.
func (c *Conn) Close() error {
	go c.shut()
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
