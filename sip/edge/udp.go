package edge

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"
)

// readBuffer is asked of the kernel for each UDP socket, in bytes: at 6000
// calls a second the default overflows while the reader waits for a core.
const readBuffer = 4 << 20

// turnover is the number of new source addresses after which a reader of the
// library is replaced, because the library never forgets a source. Each costs
// it about 150 bytes.
const turnover = 16384

// linger is how long a replaced reader stays, so that the library can finish
// what it read last.
const linger = time.Second

// settle is how long a reader of a closed socket stays for the same reason: a
// request that the library comes to after its reader ended makes it bind a
// socket of its own, which nobody would close. Writes fail meanwhile.
const settle = 50 * time.Millisecond

// UDP is a bound socket that filters what it reads.
type UDP struct {
	conn    *net.UDPConn
	local   netip.AddrPort
	limit   *Limiter
	inspect Inspect
	count   *Counters
	tap     Tap // nil: nobody looks on
	closed  chan struct{}
	once    sync.Once

	reading chan struct{} // closed when the first reader reads
	begin   sync.Once
}

// ListenUDP binds a socket to a concrete address. limit and inspect may be nil.
func ListenUDP(addr netip.AddrPort, limit *Limiter, inspect Inspect, count *Counters) (*UDP, error) {
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(addr))
	if err != nil {
		return nil, fmt.Errorf("listen on udp %s: %w", addr, err)
	}
	_ = conn.SetReadBuffer(readBuffer) // less is slower under load, not wrong
	local := conn.LocalAddr().(*net.UDPAddr).AddrPort()
	return &UDP{
		conn: conn, local: unmap(local), limit: limit, inspect: inspect, count: count,
		closed: make(chan struct{}), reading: make(chan struct{}),
	}, nil
}

// Reading is closed once Serve reads from the socket: from then on the library
// knows it and sends through it; before, it would bind a socket of its own.
func (u *UDP) Reading() <-chan struct{} { return u.reading }

// Watch has tap look on. It is called before Serve.
func (u *UDP) Watch(tap Tap) { u.tap = tap }

func (u *UDP) seen(remote netip.AddrPort, sent bool, msg []byte) {
	if u.tap != nil {
		u.tap(UDPFlow(u.local, remote), sent, msg)
	}
}

// Local is the address bound.
func (u *UDP) Local() netip.AddrPort { return u.local }

// Close closes the socket; readers end.
func (u *UDP) Close() error {
	var err error
	u.once.Do(func() {
		close(u.closed)
		err = u.conn.Close()
	})
	return err
}

// Serve runs readers by serve, which has to block while it reads from the
// PacketConn and to return when that is closed. It returns once the socket is
// closed and all readers ended. A reader that ends otherwise, by an error or a
// panic in a parser, is replaced.
func (u *UDP) Serve(serve func(net.PacketConn) error) {
	var wg sync.WaitGroup
	for {
		r := &Reader{UDP: u, sources: map[netip.AddrPort]net.Addr{}, retired: make(chan struct{})}
		done := make(chan struct{})
		wg.Add(1)
		go func() {
			defer wg.Done()
			defer close(done)
			defer func() { _ = recover() }() // the next reader takes over
			_ = serve(r)
		}()
		select {
		case <-r.retired: // its successor starts while it lingers
		case <-done:
			select {
			case <-u.closed:
			case <-time.After(10 * time.Millisecond): // never spin
			}
		}
		select {
		case <-u.closed:
			wg.Wait()
			return
		default:
		}
	}
}

// Reader is the PacketConn handed to the library, for one generation of sources.
type Reader struct {
	*UDP
	sources map[netip.AddrPort]net.Addr // accessed by ReadFrom only
	retired chan struct{}               // closed when a successor should start
	fails   int
}

var _ net.PacketConn = (*Reader)(nil)

// sourceAddr is a source with its text, which the library asks for again and again.
type sourceAddr struct{ text string }

func (a *sourceAddr) Network() string { return "udp" }
func (a *sourceAddr) String() string  { return a.text }

// ReadFrom returns the next datagram that may be SIP. It fails only when the
// socket was closed or the reader has seen so many sources that it must be
// replaced; both look like net.ErrClosed.
func (r *Reader) ReadFrom(b []byte) (int, net.Addr, error) {
	r.begin.Do(func() { close(r.reading) })
	for {
		if len(r.sources) >= turnover {
			r.retire()
			return 0, nil, net.ErrClosed
		}
		n, src, err := r.conn.ReadFromUDPAddrPort(b)
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				time.Sleep(settle)
				return 0, nil, net.ErrClosed
			}
			r.pause()
			continue
		}
		r.fails = 0
		src = unmap(src)
		if !looksLikeSIP(b[:n]) {
			r.count.NotSIP.Add(1)
			continue
		}
		if r.limit != nil && !r.limit.Allow(src.Addr()) {
			r.count.Limited.Add(1)
			continue
		}
		r.seen(src, false, b[:n])
		if r.inspect != nil {
			forward, reply := r.inspect(b[:n])
			if reply != nil {
				r.seen(src, true, reply)
				_, _ = r.conn.WriteToUDPAddrPort(reply, src) // as lossy as any answer by UDP
			}
			if forward == nil {
				r.count.Malformed.Add(1)
				continue
			}
			n = copy(b, forward)
		}
		addr := r.sources[src]
		if addr == nil {
			addr = &sourceAddr{text: src.String()}
			r.sources[src] = addr
		}
		return n, addr, nil
	}
}

// retire lets the successor start and waits until the library is done with
// what this reader delivered.
func (r *Reader) retire() {
	r.count.Turnovers.Add(1)
	close(r.retired)
	t := time.NewTimer(linger)
	defer t.Stop()
	select {
	case <-t.C:
	case <-r.closed:
	}
}

// pause waits a little after a read error, longer after several.
func (r *Reader) pause() {
	r.count.ReadErrors.Add(1)
	r.fails++
	t := time.NewTimer(min(time.Duration(r.fails)*time.Millisecond, 100*time.Millisecond))
	defer t.Stop()
	select {
	case <-t.C:
	case <-r.closed:
	}
}

// WriteTo sends a datagram.
func (r *Reader) WriteTo(b []byte, to net.Addr) (int, error) {
	if a, ok := to.(*net.UDPAddr); ok {
		peer := unmap(a.AddrPort())
		r.seen(peer, true, b)
		return r.conn.WriteToUDPAddrPort(b, peer)
	}
	return r.conn.WriteTo(b, to)
}

// Close does nothing: the socket belongs to the UDP.
func (r *Reader) Close() error { return nil }

// LocalAddr is the address bound.
func (r *Reader) LocalAddr() net.Addr { return r.conn.LocalAddr() }

// SetDeadline sets the deadlines of the socket.
func (r *Reader) SetDeadline(t time.Time) error { return r.conn.SetDeadline(t) }

// SetReadDeadline sets the read deadline of the socket.
func (r *Reader) SetReadDeadline(t time.Time) error { return r.conn.SetReadDeadline(t) }

// SetWriteDeadline sets the write deadline of the socket.
func (r *Reader) SetWriteDeadline(t time.Time) error { return r.conn.SetWriteDeadline(t) }

// looksLikeSIP tells whether the datagram begins like a SIP message: a method
// or "SIP/", and " SIP/" or a status within the first line. Keepalives are not.
func looksLikeSIP(b []byte) bool {
	const minimum = 16 // "A sip:b SIP/2.0" and a line end
	if len(b) < minimum {
		return false
	}
	line := b
	if i := bytes.IndexByte(b, '\n'); i >= 0 {
		line = b[:i]
	}
	if bytes.HasPrefix(line, sipSlash) {
		return true
	}
	return methodByte(line[0]) && bytes.Contains(line, spaceSIPSlash)
}

var (
	sipSlash      = []byte("SIP/")
	spaceSIPSlash = []byte(" SIP/")
)

// methodByte tells whether c may be in a method: token of RFC 3261 section 25.1.
func methodByte(c byte) bool {
	switch {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		return true
	}
	return bytes.IndexByte([]byte("-.!%*_+`'~"), c) >= 0
}

func unmap(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}
