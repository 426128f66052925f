package edge

import (
	"bytes"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"time"
)

// Messages is a connection that keeps messages apart by itself, as a WebSocket
// does (RFC 7118 section 5). One goroutine reads while another writes; Close ends both.
type Messages interface {
	// Read returns the next message, at most 65535 bytes of it. It waits until there
	// is one, or the connection ends.
	Read() ([]byte, error)
	// Write sends b as one message. It fails when that took longer than within.
	Write(b []byte, within time.Duration) error
	// Close ends the connection at once.
	Close() error
}

// ForMessages makes a listener that listens nowhere: its connections come by
// AdoptMessages. They have the same limits as others.
func ForMessages(limits StreamLimits, flows *Flows, inspect Inspect, count *Counters) *TCP {
	return &TCP{
		network: "ws", limits: limits.withDefaults(), local: netip.AddrPortFrom(netip.IPv4Unspecified(), 0),
		flows: flows, inspect: inspect, count: count,
		out: make(chan *Conn), closed: make(chan struct{}),
		open: map[*Conn]struct{}{}, perSource: map[netip.Addr]int{},
	}
}

// AdoptMessages makes a connection one of the listener's: f tells its network and
// addresses. It returns the flow, with its ID, once whoever calls Accept has begun
// to read it. Until a user has registered by it the connection may not be silent for long.
func (t *TCP) AdoptMessages(m Messages, f Flow) (Flow, error) {
	c := t.adopt(&messageConn{Messages: m, local: f.Local, remote: f.Remote}, f)
	if c == nil {
		return Flow{}, ErrTooManyConnections
	}
	return t.handOver(c)
}

// messageConn makes Messages look like a connection of bytes, of which addresses,
// deadline of reading and Close are used.
type messageConn struct {
	Messages
	local, remote netip.AddrPort

	mu    sync.Mutex
	timer *time.Timer // closes the connection; nil: there is no deadline
}

var _ net.Conn = (*messageConn)(nil)

// Read is not used: whole messages are read.
func (c *messageConn) Read([]byte) (int, error) { return 0, net.ErrClosed }

// Write is not used either.
func (c *messageConn) Write([]byte) (int, error) { return 0, net.ErrClosed }

// LocalAddr is ours.
func (c *messageConn) LocalAddr() net.Addr { return net.TCPAddrFromAddrPort(c.local) }

// RemoteAddr is the peer's.
func (c *messageConn) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(c.remote) }

// SetDeadline sets that of reading.
func (c *messageConn) SetDeadline(t time.Time) error { return c.SetReadDeadline(t) }

// SetWriteDeadline does nothing: each message has its own.
func (c *messageConn) SetWriteDeadline(time.Time) error { return nil }

// SetReadDeadline has the connection closed at t; the zero time: never.
func (c *messageConn) SetReadDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.timer != nil {
		c.timer.Stop()
		c.timer = nil
	}
	if !t.IsZero() {
		c.timer = time.AfterFunc(time.Until(t), func() { _ = c.Messages.Close() })
	}
	return nil
}

// Close ends the connection.
func (c *messageConn) Close() error {
	_ = c.SetReadDeadline(time.Time{})
	return c.Messages.Close()
}

// message takes in the next message of a connection that keeps them apart.
func (c *Conn) message() error {
	b, err := c.messages.Read()
	if err != nil {
		return err
	}
	c.heard()
	rest := bytes.TrimLeft(b, "\r\n")
	if len(rest) == 0 {
		if len(b) >= 2*len(crlf) { // a ping of RFC 5626 section 3.5.1, for those who cannot do WebSocket's
			_, _ = c.Write(crlf)
		}
		return nil
	}
	msg, err := whole(rest, c.owner.limits.MaxMessage)
	if err != nil {
		c.bad(rest, err)
		return err
	}
	c.ready = c.check(msg)
	return nil
}

// whole makes of a message one that says its length, which it need not (RFC 7118
// section 5): what is more than it says is left out, as with datagrams (RFC 3261
// section 18.3).
func whole(b []byte, most int) ([]byte, error) {
	if len(b) > most {
		return nil, ErrTooLong
	}
	head := bytes.Index(b, headEnd)
	if !methodByte(b[0]) || head < 0 {
		return nil, ErrNotSIP
	}
	body := head + len(headEnd)
	length, found, ok := contentLength(b[:body])
	switch {
	case !ok || body+length > len(b):
		return nil, ErrContentLength
	case found:
		return b[:body+length], nil
	}
	msg := make([]byte, 0, len(b)+len("Content-Length: 65535\r\n"))
	msg = append(msg, b[:head+len(crlf)]...)
	msg = append(msg, "Content-Length: "...)
	msg = strconv.AppendInt(msg, int64(len(b)-body), 10)
	msg = append(msg, crlf...)
	return append(msg, b[head+len(crlf):]...), nil
}

// send writes a batch, of which ends tells the messages where they are kept apart.
func (c *Conn) send(batch []byte, ends []int, within time.Duration) error {
	if c.messages == nil {
		_ = c.Conn.SetWriteDeadline(time.Now().Add(within))
		_, err := c.Conn.Write(batch)
		return err
	}
	begin := 0
	for _, end := range ends {
		if err := c.messages.Write(batch[begin:end], within); err != nil {
			return err
		}
		begin = end
	}
	return nil
}
