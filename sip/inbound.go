package sip

import (
	"net/netip"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"

	"centrala/sip/auth"
	"centrala/sip/dialog"
	"centrala/sip/edge"
	"centrala/sip/header"
	"centrala/sip/tx"
)

// server is the Stack as the transaction layer sees it.
type server Stack

var _ tx.Handler = (*server)(nil)

// bindWithin is how long an inbound leg may be without an owner.
const bindWithin = 5 * time.Second

// Request takes a request that passed the checks of the transaction layer.
func (v *server) Request(r *tx.Request) {
	s := (*Stack)(v)
	if r.Method == sip.SUBSCRIBE {
		s.subscribe(r)
		return
	}
	if r.InDialog && r.Method != sip.REGISTER {
		s.inDialog(r)
		return
	}
	switch r.Method {
	case sip.INVITE:
		s.invited(r)
	case sip.REGISTER:
		s.register(r)
	case sip.OPTIONS:
		r.Send(s.options(r))
	default: // BYE, INFO, UPDATE and PRACK live in dialogs
		r.Refuse(sip.StatusCallTransactionDoesNotExists, "Call/Transaction Does Not Exist")
	}
}

func (s *Stack) inDialog(r *tx.Request) {
	l := s.leg(r.Tag)
	switch {
	case l != nil:
		l.post(func() { l.request(r) })
	case r.Method == sip.OPTIONS: // a ping, whatever its tags
		r.Send(s.options(r))
	default:
		r.Refuse(sip.StatusCallTransactionDoesNotExists, "Call/Transaction Does Not Exist")
	}
}

// Ack takes the ACK of a 2xx.
func (v *server) Ack(ack *sip.Request, _ edge.Flow) {
	s := (*Stack)(v)
	tag, _ := ack.To().Params.Get("tag")
	if l := s.leg(tag); l != nil && string(*ack.CallID()) == l.callID {
		l.post(func() { l.acked(ack) })
	}
}

// FlowClosed takes the end of a connection.
func (v *server) FlowClosed(f edge.Flow) {
	s := (*Stack)(v)
	if s.reg != nil {
		s.reg.FlowGone(string(f.ID))
	}
	s.subs.flowClosed(f.ID)
	s.mu.Lock()
	legs := make([]*Leg, 0, len(s.byFlow[f.ID]))
	for l := range s.byFlow[f.ID] {
		legs = append(legs, l)
	}
	s.mu.Unlock()
	for _, l := range legs {
		l.post(func() { _ = l.input(dialog.FlowDead, details{reason: "connection closed"}) })
	}
	s.bereave(f, legs)
}

// Stray takes a response without a transaction. A 2xx that comes after all was
// over has made a dialog at the peer, which has to be ended (section 13.2.2.4).
func (v *server) Stray(res *sip.Response) {
	s := (*Stack)(v)
	if !res.IsSuccess() || header.CheckResponse(res) != nil || res.CSeq().MethodName != sip.INVITE || !s.ours(res.Via()) {
		return
	}
	remote, err := netip.ParseAddrPort(res.Source())
	if err != nil {
		return
	}
	flow, err := s.tx.Towards(sip.NetworkToLower(res.Transport()), remote, "")
	contact := header.Contact(res)
	if err != nil || flow.ID == "" || contact == nil {
		return
	}
	from, tag := res.From(), ""
	if tag, _ = from.Params.Get("tag"); len(tag) != len(dialog.NewTag()) {
		return
	}
	d := dialog.Outgoing(string(*res.CallID()), tag, *from, *res.To(), contact.Address)
	if d.Answer(res, contact) != nil {
		return
	}
	d.Continue(res.CSeq().SeqNo)
	if s.tx.SendAck(d.Request(sip.ACK, res.CSeq().SeqNo), flow) == nil {
		s.tx.Send(d.Request(sip.BYE, 0), flow, func(*sip.Response, error) {})
	}
}

// ours tells whether a Via names one of our sockets.
func (s *Stack) ours(via *sip.ViaHeader) bool {
	for _, l := range s.Addrs() {
		host := l.Addr.Addr().String()
		if via.Port == int(l.Addr.Port()) && (via.Host == host || s.o.Advertise.IsValid() && via.Host == s.o.Advertise.String()) {
			return true
		}
	}
	return false
}

// options says what we can do (section 11.2).
func (s *Stack) options(r *tx.Request) *sip.Response {
	if s.draining.Load() {
		return r.Response(sip.StatusServiceUnavailable, "Service Unavailable", sip.NewHeader("Retry-After", retryAfter))
	}
	return r.Response(sip.StatusOK, "OK", s.allow, s.accept, sip.NewHeader("Accept-Encoding", "identity"),
		sip.NewHeader("Accept-Language", "en"), s.supported)
}

// register authenticates and authorises a REGISTER and has the registrar answer it.
func (s *Stack) register(r *tx.Request) {
	b := s.book.Load()
	source := r.Flow.Remote.Addr()
	door := s.door(b, r.Flow)
	user, verdict := door.Check(r.Request, source, door.find)
	if verdict != auth.OK {
		s.o.Log.Debug().Str("source", r.Flow.Remote.String()).Str("user", user).Stringer("verdict", verdict).Msg("registration refused")
		r.Send(door.Refuse(r.Request, source, verdict))
		return
	}
	owner := b.user(uriUser(&r.To().Address))
	if owner == nil || owner.Name != user { // section 10.3 step 4
		r.Refuse(sip.StatusForbidden, "Forbidden")
		return
	}
	s.tx.Trust(source)
	// Any To tag is the client's mistake; ours must not become part of the stored dialog-less state.
	res := s.reg.Handle(r.Request, user, flowOf(r.Flow))
	if contact := header.Contact(r.Request); res.IsSuccess() && r.Flow.Web() && contact != nil {
		s.adopt(user, &contact.Address, r.Flow)
	}
	if res.IsSuccess() && r.Flow.Stream() {
		s.tx.Flows().Keep(r.Flow.ID, len(res.GetHeaders("Contact")) > 0)
	}
	s.o.Log.Debug().Str("user", user).Str("source", r.Flow.Remote.String()).Int("code", res.StatusCode).Msg("registration")
	r.Send(res)
}

// invited takes a new call.
func (s *Stack) invited(r *tx.Request) {
	b := s.book.Load()
	var t *trunk
	if !r.Flow.Web() { // a browser may be where a carrier is
		t = b.trunkOf(r.Flow.Remote.Addr())
	}
	var p *line
	if t == nil {
		if p = s.caller(r, b); p == nil {
			return
		}
	}
	busy := func(after string) {
		s.overload.Add(1)
		r.Refuse(sip.StatusServiceUnavailable, "Service Unavailable", sip.NewHeader("Retry-After", after))
	}
	if s.draining.Load() || s.full() {
		busy(retryAfter)
		return
	}
	sdp, ok := sessionIn(r.Request, r.ContentType())
	if !ok {
		r.Refuse(sip.StatusUnsupportedMediaType, "Unsupported Media Type", s.accept)
		return
	}
	pickup, replaces, fault := s.takes(r, p)
	if fault != nil {
		r.Refuse(fault.Code, fault.Reason)
		return
	}
	granted, refusal := grantSession(r)
	if refusal != nil {
		r.Send(refusal)
		return
	}
	contact := header.Contact(r.Request)
	if branch, _ := r.Via().Params.Get("branch"); contact == nil && !strings.HasPrefix(branch, sip.RFC3261BranchMagicCookie) {
		contact = &sip.ContactHeader{Address: r.From().Address} // RFC 2543 knew calls without Contact
	}
	d, err := dialog.FromInvite(r.Request, r.Tag, contact)
	if err != nil {
		r.Refuse(sip.StatusBadRequest, "Bad Request: Contact")
		return
	}
	if p != nil && !p.enter() {
		s.tooMany(r, p)
		return
	}
	if t != nil {
		switch t.enter(s.now()) {
		case limitCalls:
			busy(retryAfter)
			return
		case limitRate:
			busy("1") // second, after which it may be less
			return
		default:
		}
	}
	l := s.newInbound(r, d, t, sdp)
	l.callsFrom(p)
	l.pickup, l.replaces, l.session.Session = pickup, replaces, granted
	l.session.update = header.HasOption(r.Request, "Allow", string(sip.UPDATE))
	if !s.remember(l, false) {
		l.leave()
		busy(retryAfter)
		return
	}
	s.offer(l)
}

// newInbound makes the leg of a call.
func (s *Stack) newInbound(r *tx.Request, d *dialog.Dialog, t *trunk, sdp []byte) *Leg {
	from := r.From()
	l := &Leg{
		s: s, id: r.Tag, tag: r.Tag, callID: d.CallID, inbound: true, trunk: t,
		from: Party{User: uriUser(&from.Address), Name: unquote(from.DisplayName), Host: from.Address.Host},
		to:   uriUser(&r.Recipient), state: dialog.Incoming, dlg: d, flow: r.Flow, sdp: sdp, invite: r, reliable: reliably(r),
		sips: secured(r.Request),
	}
	l.log = s.o.Log.With().Str("call_id", l.callID).Str("leg_id", l.id).Str("trunk", l.Trunk()).Logger()
	if t != nil {
		l.to, l.from = t.called(r), callerOf(r.Request)
	}
	if sdp != nil {
		l.offers.Received()
	}
	return l
}

const givenUp = "cancelled by the caller"

// secured tells whether an INVITE makes a dialog of sips: URIs (section 12.1.1):
// by its Request-URI, or by where our requests will go, the top Record-Route or
// else the Contact.
func secured(invite *sip.Request) bool {
	if invite.Recipient.Scheme == "sips" {
		return true
	}
	if route := invite.RecordRoute(); route != nil {
		return route.Address.Scheme == "sips"
	}
	contact := header.Contact(invite)
	return contact != nil && contact.Address.Scheme == "sips"
}

// offer hands a new leg to the handler.
func (s *Stack) offer(l *Leg) {
	cancelled := func() { l.post(func() { _ = l.input(dialog.RecvCancel, details{reason: givenUp}) }) }
	if !l.invite.OnCancel(cancelled) {
		cancelled()
	}
	s.guard(l, func() { s.o.Handler.Invite(l) })
	if l.bound() {
		return
	}
	time.AfterFunc(bindWithin, func() {
		if !l.bound() {
			l.log.Error().Msg("nobody took the call on")
			l.abandon()
		}
	})
}

func (s *Stack) full() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.legs) >= s.o.MaxLegs
}

func (l *Leg) bound() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.box != nil || l.orphan
}

func (l *Leg) path() edge.Flow {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.flow
}

// unquote undoes the escapes of a quoted display name (RFC 3261 section 25.1).
func unquote(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
