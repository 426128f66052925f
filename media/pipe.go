package media

import (
	"net"
	"net/netip"
	"os"
	"slices"
	"sync"
	"time"
)

// pipeLength is how many packets of DTLS wait to be read: a whole flight. More are lost, and sent again.
const pipeLength = 32

// packetPipe is the way of the DTLS packets of one browser, for a library that wants to
// read and write them by itself. It is net.PacketConn for one peer.
type packetPipe struct {
	ep   *Endpoint
	in   chan []byte
	done chan struct{}
	once sync.Once

	mu      sync.Mutex
	timer   *time.Timer
	expired chan struct{} // closed at the deadline of reading
}

var _ net.PacketConn = (*packetPipe)(nil)

func newPacketPipe(ep *Endpoint) *packetPipe {
	return &packetPipe{ep: ep, in: make(chan []byte, pipeLength), done: make(chan struct{}), expired: make(chan struct{})}
}

// push takes in a packet that came, or drops it.
func (p *packetPipe) push(b []byte) {
	select {
	case p.in <- slices.Clone(b):
	default:
	}
}

func (p *packetPipe) close() {
	p.once.Do(func() { close(p.done) })
	_ = p.SetReadDeadline(time.Time{})
}

// ReadFrom implements net.PacketConn.
func (p *packetPipe) ReadFrom(b []byte) (int, net.Addr, error) {
	p.mu.Lock()
	expired := p.expired
	p.mu.Unlock()
	select {
	case <-expired:
		return 0, nil, os.ErrDeadlineExceeded
	default:
	}
	select {
	case packet := <-p.in:
		return copy(b, packet), p.LocalAddr(), nil
	case <-expired:
		return 0, nil, os.ErrDeadlineExceeded
	case <-p.done:
		return 0, nil, net.ErrClosed
	}
}

// WriteTo sends a packet to where the peer is now.
func (p *packetPipe) WriteTo(b []byte, _ net.Addr) (int, error) {
	p.ep.in.mu.Lock()
	to := p.ep.web.path
	p.ep.in.mu.Unlock()
	if to.port == nil {
		return len(b), nil // as lost as any datagram
	}
	return to.port.conn.WriteToUDPAddrPort(b, to.peer)
}

// Close implements net.PacketConn.
func (p *packetPipe) Close() error {
	p.close()
	return nil
}

// LocalAddr names nothing: there is one peer.
func (p *packetPipe) LocalAddr() net.Addr { return udpAddr(p.ep.local) }

// SetDeadline sets that of reading.
func (p *packetPipe) SetDeadline(t time.Time) error { return p.SetReadDeadline(t) }

// SetReadDeadline lets reading fail at t; the zero time: never.
func (p *packetPipe) SetReadDeadline(t time.Time) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.timer != nil {
		p.timer.Stop()
		p.timer = nil
	}
	select {
	case <-p.expired:
		p.expired = make(chan struct{})
	default:
	}
	if t.IsZero() {
		return nil
	}
	expired := p.expired
	expire := func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.expired == expired {
			select {
			case <-expired:
			default:
				close(expired)
			}
		}
	}
	if wait := time.Until(t); wait > 0 {
		p.timer = time.AfterFunc(wait, expire)
		return nil
	}
	select {
	case <-expired:
	default:
		close(expired)
	}
	return nil
}

// SetWriteDeadline does nothing: writing does not wait.
func (p *packetPipe) SetWriteDeadline(time.Time) error { return nil }

func udpAddr(a netip.AddrPort) net.Addr { return net.UDPAddrFromAddrPort(a) }
