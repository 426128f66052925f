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
// address and not by a path that they opened. One that is large waits for a connection
// and may be overtaken meanwhile, unless it is known whether there is one.
func (l *Layer) SendLarge(req *sip.Request, flow edge.Flow, on func(res *sip.Response, err error)) *Client {
	req.PrependHeader(l.via(flow))
	c := l.client(req, flow, on)
	if flow.Network != "udp" || len(req.String()) <= largest {
		c.leave()
		return c
	}
	want := edge.Flow{Network: "tcp", Remote: flow.Remote}
	if f, ok := l.flows.ByPeer(want); ok {
		c.enlarge(f)
		c.leave()
		return c
	}
	if _, err := pick(l.Listening("tcp"), want.Remote.Addr()); err != nil || l.isDeaf(want.Remote) {
		c.leave()
		return c
	}
	l.pumps.Go(func() {
		if f, ok := l.streamTo(want); ok {
			c.enlarge(f)
		}
		c.leave()
	})
	return c
}

// enlarge takes the request to a connection.
func (c *Client) enlarge(flow edge.Flow) {
	via, sent := c.req.Via(), c.l.Sent(flow)
	via.Transport, via.Host, via.Port = "TCP", sent.Addr().String(), int(sent.Port())
	c.flow = flow
	c.req.Laddr = sip.Addr{}
	c.req.SetTransport("TCP")
}

// streamTo opens a TCP connection with a peer; false: it takes none, or not soon enough.
func (l *Layer) streamTo(want edge.Flow) (edge.Flow, bool) {
	opened := make(chan edge.Flow, 1)
	l.inTurn(want, func(f edge.Flow, err error) {
		if err != nil {
			l.setDeaf(want.Remote)
		}
		opened <- f
	})
	t := time.NewTimer(largeWithin)
	defer t.Stop()
	select {
	case f := <-opened:
		return f, f.ID != ""
	case <-t.C:
		l.setDeaf(want.Remote)
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
