package tx

import (
	"net/netip"
	"time"

	"github.com/emiago/sipgo/sip"

	"centrala/sip/edge"
)

// RFC 3261 section 18.1.1: a request that is longer than this, and so might be cut into
// pieces on the way, goes by TCP if the peer takes that, and by UDP else.
const largest = 1300 // bytes

const (
	// largeWithin is how long we wait for a TCP connection instead of sending a datagram.
	// One that is there later is used by the next request.
	largeWithin = 500 * time.Millisecond
	// deafFor is how long a peer that took none is not asked again.
	deafFor = 10 * time.Minute
	// deafMost is how many such peers are remembered.
	deafMost = 10_000
)

// SendLarge is Send for requests that may be large, to peers that are known by their
// address and not by a path that they opened.
func (l *Layer) SendLarge(req *sip.Request, flow edge.Flow, on func(res *sip.Response, err error)) *Client {
	req.PrependHeader(l.via(flow))
	return l.startAs(req, flow, true, on)
}

// enlarge takes the request to a connection if it is too large for a datagram.
func (c *Client) enlarge() {
	if !c.large || c.flow.Network != "udp" || len(c.req.String()) <= largest {
		return
	}
	flow, ok := c.l.streamTo(c.flow.Remote)
	if !ok {
		return
	}
	via, sent := c.req.Via(), c.l.Sent(flow)
	via.Transport, via.Host, via.Port = "TCP", sent.Addr().String(), int(sent.Port())
	c.flow = flow
	c.req.Laddr = sip.Addr{}
	c.req.SetTransport("TCP")
}

// streamTo finds or opens a TCP connection with a peer; false: it takes none, or not soon enough.
func (l *Layer) streamTo(peer netip.AddrPort) (edge.Flow, bool) {
	want := edge.Flow{Network: "tcp", Remote: peer}
	if f, ok := l.flows.ByPeer(want); ok {
		return f, true
	}
	if _, err := pick(l.Listening("tcp"), peer.Addr()); err != nil || l.isDeaf(peer) {
		return edge.Flow{}, false
	}
	opened := make(chan edge.Flow, 1)
	l.pumps.Go(func() {
		f, err := l.connect(want)
		if err != nil {
			l.setDeaf(peer)
		}
		opened <- f
	})
	t := time.NewTimer(largeWithin)
	defer t.Stop()
	select {
	case f := <-opened:
		return f, f.ID != ""
	case <-t.C:
		l.setDeaf(peer)
		return edge.Flow{}, false
	}
}

func (l *Layer) isDeaf(peer netip.AddrPort) bool {
	l.dialMu.Lock()
	defer l.dialMu.Unlock()
	return time.Now().Before(l.deaf[peer])
}

func (l *Layer) setDeaf(peer netip.AddrPort) {
	l.dialMu.Lock()
	defer l.dialMu.Unlock()
	if len(l.deaf) >= deafMost {
		clear(l.deaf)
	}
	l.deaf[peer] = time.Now().Add(deafFor)
}
