package tx

import (
	"fmt"
	"net"
	"strconv"
	"sync"

	"github.com/emiago/sipgo/sip"

	"centrala/sip/edge"
	"centrala/sip/header"
)

// Client is a client transaction.
type Client struct {
	l    *Layer
	req  *sip.Request // not changed once sent
	flow edge.Flow
	on   func(res *sip.Response, err error)

	mu      sync.Mutex
	tx      *sip.ClientTx
	dropped bool
}

// Send starts a transaction for a request that is complete but for its Via. It
// does not block. What one goroutine sends by datagrams or by a connection leaves
// in that order: the request has left, or is queued behind those before it, when
// Send returns; only connecting happens elsewhere, and those that wait for the same
// connection leave by it in their order. on is called on a goroutine that lives
// until the final answer, for every provisional answer and then once for the final
// one or an error; for an INVITE it is called again, on another goroutine, for every
// further 2xx. ACKs of other final answers are sent by the transaction (RFC 3261
// section 17.1.1.3).
func (l *Layer) Send(req *sip.Request, flow edge.Flow, on func(res *sip.Response, err error)) *Client {
	req.PrependHeader(l.via(flow))
	return l.start(req, flow, on)
}

func (l *Layer) start(req *sip.Request, flow edge.Flow, on func(res *sip.Response, err error)) *Client {
	c := l.client(req, flow, on)
	c.leave()
	return c
}

// client is a transaction that was not sent yet, and is counted until its end.
func (l *Layer) client(req *sip.Request, flow edge.Flow, on func(res *sip.Response, err error)) *Client {
	l.finish(req, flow)
	l.Count.Transacts.Add(1)
	l.pumps.Join()
	return &Client{l: l, req: req, flow: flow, on: on}
}

// leave sends the request, at once unless a connection has to be opened first.
func (c *Client) leave() {
	if !c.flow.Stream() {
		c.leaveBy(c.flow, nil)
		return
	}
	c.l.inTurn(c.flow, c.leaveBy)
}

// leaveBy sends the request by the flow, or has its sender told why there is none. Its
// sender may hold locks that on needs, so that on is called on a goroutine of its own.
func (c *Client) leaveBy(flow edge.Flow, err error) {
	var tx *sip.ClientTx
	if err == nil {
		c.flow, err = flow, errNotSent
		c.l.guard("send", func() { tx, err = c.open() })
	}
	go func() {
		defer c.l.pumps.Leave()
		defer c.l.Count.Transacts.Add(-1)
		c.l.guard("client transaction", func() { c.pump(tx, err) })
	}()
}

// via is our Via for a request that leaves by the flow (sections 8.1.1.7, 18.1.1; RFC 3581).
func (l *Layer) via(flow edge.Flow) *sip.ViaHeader {
	sent := l.Sent(flow)
	return &sip.ViaHeader{
		ProtocolName: "SIP", ProtocolVersion: "2.0", Transport: sip.NetworkToUpper(flow.Network),
		Host: sent.Addr().String(), Port: int(sent.Port()),
		Params: sip.HeaderParams{{K: "branch", V: sip.GenerateBranch()}, {K: "rport"}},
	}
}

// finish gives the request what every request of ours has, and its path.
func (l *Layer) finish(req *sip.Request, flow edge.Flow) {
	if l.o.Product != "" && req.Method != sip.ACK && req.Method != sip.CANCEL {
		req.AppendHeader(sip.NewHeader("User-Agent", l.o.Product))
	}
	if req.Body() == nil {
		req.SetBody(nil) // Content-Length: 0
	}
	req.SetTransport(sip.NetworkToUpper(carrier(flow)))
	req.SetDestination(flow.Remote.String())
	if flow.Network == "udp" { // of the connections, only datagrams are chosen by our address
		req.Laddr = laddr(flow)
	}
}

// Request is what was sent; it must not be changed.
func (c *Client) Request() *sip.Request { return c.req }

// pump is the one reader of the transaction (an unread one blocks for ever).
func (c *Client) pump(tx *sip.ClientTx, err error) {
	if err != nil {
		c.on(nil, err)
		return
	}
	for {
		select {
		case res := <-tx.Responses():
			if header.CheckResponse(res) != nil {
				if res.IsProvisional() {
					continue
				}
				tx.Terminate()
				c.on(nil, ErrBadResponse)
				return
			}
			if !res.IsProvisional() && c.req.Method != sip.INVITE {
				tx.Terminate() // what comes again is nobody's business
			}
			c.on(res, nil)
			if !res.IsProvisional() {
				return
			}
		case <-tx.Done():
			err := tx.Err()
			if err == nil {
				err = ErrCancelled
			}
			c.on(nil, err)
			return
		case <-c.l.ctx.Done():
			tx.Terminate()
			c.on(nil, ErrCancelled)
			return
		}
	}
}

// open sends the request.
func (c *Client) open() (*sip.ClientTx, error) {
	// The library ends the transactions of a connection that closes, those too that it has not
	// made ready yet, and panics: so that comes before or after.
	var tx *sip.ClientTx
	var err error
	if !c.l.flows.Hold(c.flow.ID, func() { tx, err = c.begin() }) {
		return nil, ErrFlowDead
	}
	return tx, err
}

// begin makes the transaction and sends the request.
func (c *Client) begin() (*sip.ClientTx, error) {
	tx, err := c.l.newClientTransaction(c.req, c.flow)
	if err != nil {
		return nil, err
	}
	if c.req.Method == sip.INVITE {
		tx.OnRetransmission(func(res *sip.Response) {
			// The library calls while it holds the transaction, for which somebody who
			// holds what on needs may be waiting.
			if header.CheckResponse(res) == nil {
				c.l.pumps.Go(func() { c.l.guard("2xx again", func() { c.on(res, nil) }) })
			}
		})
	}
	c.mu.Lock()
	c.tx = tx
	dropped := c.dropped
	c.mu.Unlock()
	if dropped {
		tx.Terminate()
		return nil, ErrCancelled
	}
	if err := tx.Init(); err != nil {
		tx.Terminate()
		return nil, fmt.Errorf("send: %w", err)
	}
	return tx, nil
}

// newClientTransaction keeps Close away while the library looks for the socket:
// where it finds none it binds one of its own, which nobody would close.
func (l *Layer) newClientTransaction(req *sip.Request, flow edge.Flow) (*sip.ClientTx, error) {
	l.sockets.RLock()
	defer l.sockets.RUnlock()
	if l.ctx.Err() != nil {
		return nil, ErrCancelled
	}
	if proven(flow) {
		conn, err := l.connection(flow)
		if err != nil {
			return nil, err
		}
		defer func() { _, _ = conn.TryClose() }() // gives the reference back
		if flow.Server != "" {
			req.Laddr = laddr(flow)
		}
	}
	tx, err := l.txl.NewClientTransaction(l.never, req)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFlowDead, err)
	}
	return tx, nil
}

// Drop ends the transaction without an answer.
func (c *Client) Drop() {
	c.mu.Lock()
	c.dropped = true
	tx := c.tx
	c.mu.Unlock()
	if tx != nil {
		tx.Terminate()
	}
}

// Cancel sends a CANCEL for the INVITE (section 9.1): same Request-URI, top Via,
// To, From, Call-ID and sequence number. The INVITE must have got a provisional
// answer. extra is added to the headers.
func (c *Client) Cancel(on func(res *sip.Response, err error), extra ...sip.Header) {
	req := sip.NewRequest(sip.CANCEL, c.req.Recipient)
	req.AppendHeader(c.req.Via().Clone())
	for _, h := range c.req.Headers() {
		if r, ok := h.(*sip.RouteHeader); ok {
			req.AppendHeader(r.Clone())
		}
	}
	maxForwards := sip.MaxForwardsHeader(70)
	req.AppendHeader(&maxForwards)
	req.AppendHeader(sip.HeaderClone(c.req.From()))
	req.AppendHeader(sip.HeaderClone(c.req.To()))
	req.AppendHeader(sip.HeaderClone(c.req.CallID()))
	req.AppendHeader(&sip.CSeqHeader{SeqNo: c.req.CSeq().SeqNo, MethodName: sip.CANCEL})
	for _, h := range extra {
		req.AppendHeader(h)
	}
	c.l.start(req, c.flow, on)
}

// SendAck sends the ACK of a 2xx, which is no transaction. The same message may
// be sent again with Repeat.
func (l *Layer) SendAck(ack *sip.Request, flow edge.Flow) error {
	ack.PrependHeader(l.via(flow))
	l.finish(ack, flow)
	return l.Repeat(ack, flow)
}

// Repeat sends a message once more, as it is. Where a connection has to be opened for
// it, that happens on a goroutine, and what comes of it is not told.
func (l *Layer) Repeat(ack *sip.Request, flow edge.Flow) error {
	if !flow.Stream() {
		return l.repeat(ack, flow)
	}
	var sent error
	if l.inTurn(flow, func(f edge.Flow, err error) {
		if err == nil {
			err = l.repeat(ack, f)
		}
		sent = err
	}) {
		return sent
	}
	return nil
}

func (l *Layer) repeat(ack *sip.Request, flow edge.Flow) error {
	if !l.flows.Alive(flow.ID) {
		return ErrFlowDead
	}
	conn, err := l.connection(flow)
	if err != nil {
		return err
	}
	defer func() { _, _ = conn.TryClose() }() // gives the reference back
	if err := conn.WriteMsg(ack); err != nil {
		return fmt.Errorf("send: %w", err)
	}
	return nil
}

// connection is the library's connection for a flow. It keeps them by address:
// datagrams' by ours, connections' by both, so that one that we opened is found
// by ours, which no other has, and one that we accepted by the peer's. Over TLS and
// of WebSockets it has to be the very connection of the flow, since others may go to
// somebody who has proved nothing.
func (l *Layer) connection(flow edge.Flow) (sip.Connection, error) {
	at := flow.Remote
	if flow.Network == "udp" || flow.Server != "" {
		at = flow.Local
	}
	conn, err := l.tpl.GetConnection(carrier(flow), at.String())
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFlowDead, err)
	}
	if !proven(flow) {
		return conn, nil
	}
	if c, ok := conn.(*sip.TCPConnection); ok {
		if e, ok := c.Conn.(*edge.Conn); ok && e.Flow().ID == flow.ID {
			return conn, nil
		}
	}
	_, _ = conn.TryClose() // gives the reference back
	return nil, ErrFlowDead
}

// carrier is the network under which the library knows a flow: WebSockets, whose
// handshake and frames are not its business, are connections like any other.
func carrier(flow edge.Flow) string {
	if flow.Web() {
		return "tcp"
	}
	return flow.Network
}

// proven tells whether it matters which of the connections with an address it is.
func proven(flow edge.Flow) bool { return flow.Network == "tls" || flow.Web() }

func laddr(flow edge.Flow) sip.Addr {
	return sip.Addr{IP: net.IP(flow.Local.Addr().AsSlice()), Port: int(flow.Local.Port())}
}

// sentBy is host:port of a Via, with the transport's port if it names none.
func sentBy(v *sip.ViaHeader) string {
	port := v.Port
	if port == 0 {
		port = sip.DefaultPort(v.Transport)
	}
	return v.Host + ":" + strconv.Itoa(port)
}
