// Package tx is what Centrala needs of the SIP transaction layer, on top of a
// library's: requests arrive checked and with our tag in To, an answer can be
// sent and forgotten, a client transaction has exactly one reader, nothing
// dials where nobody listens, and a panic in a handler costs one request.
//
// Nothing above this package touches transports or transactions of the
// library; messages are the library's.
package tx

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/rs/zerolog"

	"centrala/sip/edge"
	"centrala/sip/header"
)

// Handler receives what comes in. Its methods are called on goroutines of the
// library, several at a time, and should not block.
type Handler interface {
	// Request hands over a request that passed the checks of RFC 3261 section
	// 8.2. It must be answered in the end, by Respond or Refuse. ACK and CANCEL
	// do not come this way.
	Request(r *Request)
	// Ack hands over the ACK of a 2xx.
	Ack(ack *sip.Request, flow edge.Flow)
	// Stray hands over a response that no transaction waits for.
	Stray(res *sip.Response)
	// FlowClosed tells that a connection is gone.
	FlowClosed(f edge.Flow)
}

// Options configure a Layer.
type Options struct {
	UDP, TCP  []netip.AddrPort        // concrete addresses to listen on
	TLS       []netip.AddrPort        // as TCP, for connections over TLS
	Secure    edge.TLS                // their certificates; required if TLS has any
	Handler   Handler                 // required
	Advertise netip.Addr              // our address for peers outside private networks; zero: none
	Product   string                  // for Server and User-Agent
	Allow     []sip.RequestMethod     // what is not in it is refused with 405; ACK and CANCEL must be in it
	Supported []string                // option tags that may be required of us
	Trusted   func(a netip.Addr) bool // sources without limits; may be nil
	Source    edge.Rate               // for each other source; zero: 400 a second, 2000 at once
	Strange   edge.Rate               // for all sources not seen lately; zero: 2000 a second, 4000 at once
	Streams   edge.StreamLimits
	Tap       edge.Tap // looks on at every message; may be nil
	Busy      int      // requests in hand at once before 503; zero: 10000
	Log       zerolog.Logger
}

// Counters count since the start.
type Counters struct {
	Requests  atomic.Uint64 // that reached the checks
	Refused   atomic.Uint64 // by the checks
	Overload  atomic.Uint64 // with 503
	Panics    atomic.Uint64 // in handlers
	Stray     atomic.Uint64 // responses
	Transacts atomic.Int64  // client transactions with a reader, now
}

// Layer is the transaction layer over all sockets.
type Layer struct {
	o       Options
	product sip.Header
	allow   map[sip.RequestMethod]bool
	txl     *sip.TransactionLayer
	tpl     *sip.TransportLayer
	flows   *edge.Flows
	limit   *edge.Limiter
	udp     []*edge.UDP
	tcp     []*edge.TCP
	tls     []*edge.TCP
	web     *edge.TCP // WebSockets
	invites invites
	busy    atomic.Int64
	serving sync.WaitGroup
	pumps   crew
	sockets sync.RWMutex // held while the library looks for one to send through
	stop    context.CancelFunc
	ctx     context.Context // ends at Close
	never   context.Context // has ended: the library must not dial or resolve

	dialMu sync.Mutex
	dials  map[edge.Flow]*connecting    // by what they are to become
	deaf   map[netip.AddrPort]time.Time // peers that take no TCP, until when that is believed

	Edge  edge.Counters
	Count Counters
}

// tuneLibrary sets what the library keeps for the whole process: messages over
// UDP may be as long as a datagram (SIP-over-UDP peers fragment), a 100 is sent
// by this package alone, and what it logs outside of a layer is dropped.
var tuneLibrary = sync.OnceFunc(func() {
	sip.UDPMTUSize = 65000
	sip.Timer_1xx = 24 * time.Hour // its 100 would read the request while we work on it
	sip.SetDefaultLogger(edge.Quiet(zerolog.Nop()))
})

// Errors of sending.
var (
	ErrFlowDead  = errors.New("the connection to the peer is gone")
	ErrNoSocket  = errors.New("no socket for this network")
	ErrCancelled = errors.New("transaction dropped")

	ErrBadResponse = errors.New("malformed final response")

	errNotSent = errors.New("not sent")
)

// New binds all sockets. Nothing is read before Start.
func New(o Options) (*Layer, error) {
	tuneLibrary()
	if o.Source == (edge.Rate{}) {
		o.Source = edge.Rate{PerSecond: 400, Burst: 2000}
	}
	if o.Strange == (edge.Rate{}) {
		o.Strange = edge.Rate{PerSecond: 2000, Burst: 4000}
	}
	if o.Busy <= 0 {
		o.Busy = 10000
	}
	l := &Layer{
		o: o, product: sip.NewHeader("Server", o.Product), allow: map[sip.RequestMethod]bool{},
		limit: edge.NewLimiter(o.Source, o.Strange, o.Trusted), invites: newInvites(),
		dials: map[edge.Flow]*connecting{}, deaf: map[netip.AddrPort]time.Time{},
	}
	for _, m := range o.Allow {
		l.allow[m] = true
	}
	l.ctx, l.stop = context.WithCancel(context.Background())
	never, cancel := context.WithCancel(context.Background())
	cancel()
	l.never = never
	l.flows = edge.NewFlows(o.Handler.FlowClosed)
	l.flows.Watch(o.Tap)
	if err := l.bind(); err != nil {
		l.closeSockets()
		return nil, err
	}
	quiet := edge.Quiet(o.Log)
	// The resolver is never asked: destinations are addresses. Should a path of
	// the library get there all the same, it fails at once.
	resolver := &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		return nil, ErrNoSocket
	}}
	noDial := func() *sip.TransportTCP {
		return &sip.TransportTCP{DialerCreate: func(net.Addr) net.Dialer { return net.Dialer{Timeout: time.Nanosecond} }}
	}
	l.tpl = sip.NewTransportLayer(resolver, header.NewParser(), nil,
		sip.WithTransportLayerLogger(quiet),
		sip.WithTransportLayerTransports(sip.TransportsConfig{TCP: noDial(), TLS: &sip.TransportTLS{TransportTCP: noDial()}}))
	l.tpl.OnMessage(l.tagCancel) // before the library's own
	l.txl = sip.NewTransactionLayer(l.tpl,
		sip.WithTransactionLayerLogger(quiet),
		sip.WithTransactionLayerTerminateOnConnClose(),
		sip.WithTransactionLayerUnhandledResponseHandler(l.stray))
	l.txl.OnRequest(l.request)
	return l, nil
}

func (l *Layer) bind() error {
	for _, a := range l.o.UDP {
		u, err := edge.ListenUDP(a, l.limit, inspect, &l.Edge)
		if err != nil {
			return err
		}
		u.Watch(l.o.Tap)
		l.udp = append(l.udp, u)
	}
	for _, a := range l.o.TCP {
		t, err := edge.ListenTCP(a, l.o.Streams, l.flows, inspect, l.o.Trusted, &l.Edge)
		if err != nil {
			return err
		}
		l.tcp = append(l.tcp, t)
	}
	for _, a := range l.o.TLS {
		t, err := edge.ListenTLS(a, l.o.Secure, l.o.Streams, l.flows, inspect, l.o.Trusted, &l.Edge)
		if err != nil {
			return err
		}
		l.tls = append(l.tls, t)
	}
	if len(l.udp)+len(l.tcp)+len(l.tls) == 0 {
		return ErrNoSocket
	}
	l.web = edge.ForMessages(l.o.Streams, l.flows, inspect, &l.Edge)
	return nil
}

// Start begins to serve.
func (l *Layer) Start() {
	for _, u := range l.udp {
		l.serving.Add(1)
		go func() {
			defer l.serving.Done()
			u.Serve(l.tpl.ServeUDP)
		}()
	}
	for _, u := range l.udp {
		<-u.Reading() // or requests sent at once would not find the socket
	}
	for _, t := range l.tcp {
		l.serving.Go(func() { t.Serve(l.tpl.ServeTCP) })
	}
	for _, t := range l.tls {
		l.serving.Go(func() { t.Serve(l.tpl.ServeTLS) })
	}
	l.serving.Go(func() { l.web.Serve(l.tpl.ServeTCP) }) // which only moves bytes, see carrier
}

// Settle waits until every client transaction has its final answer, or ctx ends.
func (l *Layer) Settle(ctx context.Context) {
	select {
	case <-l.pumps.Idle():
	case <-ctx.Done():
	}
}

// Close ends all transactions and closes all sockets. What is to be answered
// or sent must have been before.
func (l *Layer) Close() {
	l.sockets.Lock() // whoever looks for a socket finds it; whoever comes later is told
	l.stop()
	l.sockets.Unlock()
	l.txl.Close()
	l.closeSockets()
	l.serving.Wait()
	l.txl.Close() // what was read last
	_ = l.tpl.Close()
	<-l.pumps.Idle()
}

func (l *Layer) closeSockets() {
	for _, u := range l.udp {
		_ = u.Close()
	}
	for _, t := range append(l.tcp, l.tls...) {
		_ = t.Close()
	}
	if l.web != nil {
		_ = l.web.Close()
	}
}

// UDP and TCP are the addresses bound.
func (l *Layer) UDP() []netip.AddrPort {
	list := make([]netip.AddrPort, len(l.udp))
	for i, u := range l.udp {
		list[i] = u.Local()
	}
	return list
}

// TCP are the addresses listened on for connections.
func (l *Layer) TCP() []netip.AddrPort { return locals(l.tcp) }

// TLS are the addresses listened on for connections over TLS.
func (l *Layer) TLS() []netip.AddrPort { return locals(l.tls) }

func locals(listeners []*edge.TCP) []netip.AddrPort {
	list := make([]netip.AddrPort, len(listeners))
	for i, t := range listeners {
		list[i] = t.Local()
	}
	return list
}

// Listening are the addresses listened on for a network.
func (l *Layer) Listening(network string) []netip.AddrPort {
	switch network {
	case "udp":
		return l.UDP()
	case "tcp":
		return l.TCP()
	case "tls":
		return l.TLS()
	}
	return nil
}

// Adopt takes on a WebSocket that was opened to us; f tells its network and addresses.
func (l *Layer) Adopt(m edge.Messages, f edge.Flow) (edge.Flow, error) {
	return l.web.AdoptMessages(m, f)
}

// Flows is the table of connections.
func (l *Layer) Flows() *edge.Flows { return l.flows }

// Trust exempts a source from limits for an hour.
func (l *Layer) Trust(a netip.Addr) { l.limit.Trust(a) }

// Towards is the flow to a peer that did not open one: for UDP it is ready to
// use, for connections its ID is empty until Send has connected. Over TLS the
// peer has to prove that it is server, the host that is called as it stood
// before any look-up; other networks take no notice of it.
func (l *Layer) Towards(network string, remote netip.AddrPort, server string) (edge.Flow, error) {
	want := edge.Flow{Network: network, Remote: remote}
	if network == "tls" {
		want.Server = server
	}
	if want.Stream() {
		if f, ok := l.flows.ByPeer(want); ok {
			return f, nil
		}
	}
	local, err := pick(l.Listening(network), remote.Addr())
	if err != nil {
		return edge.Flow{}, err
	}
	if network == "udp" {
		return edge.UDPFlow(local, remote), nil
	}
	want.Local = local
	return want, nil
}

// pick chooses the socket whose address the kernel would use towards remote,
// among those of its family.
func pick(locals []netip.AddrPort, remote netip.Addr) (netip.AddrPort, error) {
	locals = slices.DeleteFunc(slices.Clone(locals), func(a netip.AddrPort) bool { return a.Addr().Is4() != remote.Is4() })
	switch len(locals) {
	case 0:
		return netip.AddrPort{}, ErrNoSocket
	case 1:
		return locals[0], nil
	}
	from, err := edge.Towards(remote)
	if err != nil {
		return netip.AddrPort{}, err
	}
	for _, a := range locals {
		if a.Addr() == from {
			return a, nil
		}
	}
	return locals[0], nil
}

// Sent is the address by which the peer of the flow can reach us: for Via and Contact.
func (l *Layer) Sent(f edge.Flow) netip.AddrPort {
	local := f.Local
	if f.Stream() && !f.Web() {
		// The local port of a connection that we opened is not listened on.
		if at, err := pick(l.Listening(f.Network), f.Remote.Addr()); err == nil {
			local = at
		}
	}
	remote := f.Remote.Addr()
	if l.o.Advertise.IsValid() && !remote.IsPrivate() && !remote.IsLoopback() && !remote.IsLinkLocalUnicast() {
		return netip.AddrPortFrom(l.o.Advertise, local.Port())
	}
	return local
}

// connecting is an attempt to connect, with those who wait for what comes of it.
// Accessed under dialMu.
type connecting struct {
	waiting []func(edge.Flow, error)
}

// inTurn calls then, which must not block, with a connection as want describes or with
// why there is none: at once and before it returns true, or, where it is being opened or
// has to be, on another goroutine after all who came before.
func (l *Layer) inTurn(want edge.Flow, then func(edge.Flow, error)) bool {
	key := edge.Flow{Network: want.Network, Remote: want.Remote, Server: want.Server}
	l.dialMu.Lock()
	c := l.dials[key]
	switch {
	case c != nil && want.ID == "":
		c.waiting = append(c.waiting, then)
		l.dialMu.Unlock()
		return false
	case c != nil && !slices.Contains(l.Listening(want.Network), want.Local): // we opened it, and some still wait
		c.waiting = append(c.waiting, func(edge.Flow, error) { then(want, nil) })
		l.dialMu.Unlock()
		return false
	case want.ID == "":
		f, ok := l.flows.ByPeer(key)
		if !ok {
			c = &connecting{waiting: []func(edge.Flow, error){then}}
			l.dials[key] = c
			l.dialMu.Unlock()
			l.pumps.Go(func() { l.connect(key, c) })
			return false
		}
		want = f
	}
	l.dialMu.Unlock()
	then(want, nil)
	return true
}

// connect opens the connection that want describes for all who wait for it, and those
// who come meanwhile.
func (l *Layer) connect(want edge.Flow, c *connecting) {
	f, err := edge.Flow{}, errNotSent
	l.guard("connect", func() { f, err = l.open(want) })
	for {
		l.dialMu.Lock()
		waiting := c.waiting
		c.waiting = nil
		if len(waiting) == 0 {
			delete(l.dials, want)
		}
		l.dialMu.Unlock()
		if len(waiting) == 0 {
			return
		}
		for _, then := range waiting {
			l.guard("send", func() { then(f, err) })
		}
	}
}

// connectWithin is how long a connection may take to be there, its TLS handshake included.
const connectWithin = 5 * time.Second

func (l *Layer) open(want edge.Flow) (edge.Flow, error) {
	listeners := l.tcp
	if want.Network == "tls" {
		listeners = l.tls
	}
	if len(listeners) == 0 {
		return edge.Flow{}, ErrNoSocket
	}
	ctx, cancel := context.WithTimeout(l.ctx, connectWithin)
	defer cancel()
	nc, err := new(net.Dialer).DialContext(ctx, "tcp", want.Remote.String())
	if err != nil {
		return edge.Flow{}, fmt.Errorf("connect: %w", err)
	}
	if want.Network == "tls" {
		secure, err := l.o.Secure.Client(ctx, nc, want.Server)
		if err != nil {
			_ = nc.Close() // nothing was sent
			l.o.Log.Warn().Err(err).Stringer("remote", want.Remote).Str("server", want.Server).Msg("no TLS connection")
			return edge.Flow{}, fmt.Errorf("connect to %s: %w", want.Remote, err)
		}
		nc = secure
	}
	f, err := listeners[0].Adopt(nc, want.Server)
	if err != nil {
		return edge.Flow{}, fmt.Errorf("connect to %s: %w", want.Remote, err)
	}
	return f, nil
}

// guard runs f and survives its panic.
func (l *Layer) guard(what string, f func()) (ok bool) {
	defer func() {
		if p := recover(); p != nil {
			l.Count.Panics.Add(1)
			l.o.Log.Error().Str("in", what).Interface("panic", p).Bytes("stack", debug.Stack()).Msg("handler failed")
		}
	}()
	f()
	return true
}

func (l *Layer) stray(res *sip.Response) {
	l.Count.Stray.Add(1)
	l.guard("stray response", func() { l.o.Handler.Stray(res) })
}
