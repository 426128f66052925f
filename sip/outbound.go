package sip

import (
	"errors"
	"fmt"
	"strings"

	"github.com/emiago/sipgo/sip"

	"centrala/sip/dialog"
	"centrala/sip/edge"
	"centrala/sip/header"
)

// Dial says whom to call and as whom.
type Dial struct {
	ID     string // of the leg; empty: random
	To     Contact
	From   Party    // shown on the phone; Host empty: the stack's domain
	SDP    []byte   // our offer; required
	Header []Header // added to the INVITE
	// MaxForwards is how many hops the INVITE may take, 1 to 70; 0: 70. A call
	// made for a caller has one less than theirs, so that a loop through us and
	// a carrier ends (RFC 7332).
	MaxForwards int
	Urgent      bool // the limits of the trunk do not count
}

// Header is an additional header of an INVITE.
type Header struct{ Name, Value string }

// maxForwards is the Max-Forwards of a new request (RFC 3261 section 8.1.1.6).
const maxForwards = 70

var errDial = errors.New("cannot call")

// Dial calls a contact. It never blocks; failure comes as LegEnded, also that
// of the call's description.
func (s *Stack) Dial(m Mailbox, ev LegEvents, d Dial) *Leg {
	tag := dialog.NewTag()
	if d.ID == "" {
		d.ID = tag
	}
	if d.From.Host == "" {
		d.From.Host = s.fromHost(d.To.trunk)
	}
	l := &Leg{
		s: s, id: d.ID, tag: tag, callID: dialog.NewTag() + "@" + s.o.Domain, from: d.From, to: d.To.uri.User,
		user: d.To.User, fixed: d.To.fixed, box: m, ev: ev, state: dialog.Calling, flow: d.To.flow,
		sips: d.To.uri.Scheme == "sips",
	}
	l.log = s.o.Log.With().Str("call_id", l.callID).Str("leg_id", l.id).Logger()
	l.tries = attempts{d: d, auth: d.To.trunk.credentials(), named: !d.To.flow.Remote.IsValid()}
	l.dlg = s.outgoing(l, d)
	if err := s.checkDial(d); err != nil {
		l.fail(err)
		return l
	}
	if err := s.enter(l, d.To.trunk, d.Urgent); err != nil {
		l.fail(err)
		return l
	}
	switch {
	case d.To.flow.Remote.IsValid():
		l.place([]edge.Flow{d.To.flow})
		return l
	case len(d.To.flows) > 0:
		l.place(d.To.flows)
		return l
	}
	go s.guard(l, func() {
		flows, err := s.resolve(d.To)
		l.post(func() {
			if err != nil {
				_ = l.input(dialog.TxFailed, details{reason: err.Error()})
				return
			}
			l.place(flows)
		})
	})
	return l
}

// fromHost is the host in From of calls to the trunk or, if that is nil, to a
// phone: a carrier that gave us an account knows it by its own domain.
func (s *Stack) fromHost(t *trunk) string {
	if t != nil {
		if conf := t.settings(); conf.User != "" {
			return conf.uri("").Host
		}
	}
	return s.o.Domain
}

// enter lists a new outbound leg, and counts it among the calls of its trunk.
func (s *Stack) enter(l *Leg, t *trunk, urgent bool) error {
	switch {
	case t == nil:
	case urgent:
		t.calls.Add(1)
	default:
		switch t.enter(s.now()) {
		case limitCalls:
			return fmt.Errorf("%w: trunk %s has as many calls as it may", errDial, t.id)
		case limitRate:
			return fmt.Errorf("%w: trunk %s had as many calls in this second as it may", errDial, t.id)
		default:
		}
	}
	l.trunk = t
	if s.remember(l, true) {
		return nil
	}
	if l.trunk = nil; t != nil {
		t.leave()
	}
	return errClosing
}

// fail ends a leg that never began.
func (l *Leg) fail(err error) {
	l.post(func() { _ = l.input(dialog.TxFailed, details{reason: err.Error()}) })
}

// checkDial refuses what would put our own text in the wrong place of a message.
func (s *Stack) checkDial(d Dial) error {
	switch {
	case d.To.uri.Host == "":
		return fmt.Errorf("%w: no contact", errDial)
	case len(d.SDP) == 0:
		return fmt.Errorf("%w: no session description", errDial)
	case d.MaxForwards < 0 || d.MaxForwards > maxForwards:
		return fmt.Errorf("%w: Max-Forwards %d", errDial, d.MaxForwards)
	case strings.ContainsAny(d.From.Host, " \r\n\t<>@;?"):
		return fmt.Errorf("%w: domain %q", errDial, d.From.Host)
	}
	for _, h := range d.Header {
		if h.Name == "" || strings.ContainsAny(h.Name, " \r\n\t:\x00") || strings.ContainsAny(h.Value, "\r\n\x00") {
			return fmt.Errorf("%w: header %q", errDial, h.Name)
		}
	}
	return nil
}

// outgoing is the dialog-to-be of a call.
func (s *Stack) outgoing(l *Leg, d Dial) *dialog.Dialog {
	user := header.EscapedUser(d.From.User)
	if user == "" {
		user = "anonymous"
	}
	from := sip.FromHeader{
		DisplayName: header.Quoted(d.From.Name),
		Address:     sip.Uri{Scheme: "sip", User: user, Host: d.From.Host},
	}
	to := sip.ToHeader{Address: d.To.uri}
	to.Address.UriParams, to.Address.Headers, to.Address.Port = nil, nil, 0
	if d.To.User != "" {
		to.Address.User, to.Address.Host = header.EscapedUser(d.To.User), s.o.Domain
	}
	return dialog.Outgoing(l.callID, l.tag, from, to, d.To.uri)
}

// place sends the INVITE to the first of the addresses.
func (l *Leg) place(flows []edge.Flow) {
	l.mu.Lock()
	if l.state != dialog.Calling {
		l.mu.Unlock()
		_ = l.input(dialog.TxFailed, details{}) // hung up while the name was resolved
		return
	}
	l.flow, l.tries.hops = flows[0], flows[1:]
	l.send()
	l.mu.Unlock()
}

// send makes the INVITE and sends it, under the leg's lock.
func (l *Leg) send() {
	d, n := &l.tries.d, l.tries.n
	l.arm(l.noAnswerWithin(), dialog.TxFailed)
	req := l.dlg.Request(sip.INVITE, 0)
	l.inviteSeq = req.CSeq().SeqNo
	if d.MaxForwards > 0 {
		*req.MaxForwards() = sip.MaxForwardsHeader(d.MaxForwards)
	}
	for _, p := range d.To.path { // RFC 3327: as if it were a route set
		req.AppendHeader(sip.NewHeader("Route", p))
	}
	for _, h := range d.Header {
		req.AppendHeader(sip.NewHeader(h.Name, h.Value))
	}
	l.dress(req, d.SDP)
	l.askSession(req, max(dialog.SessionWanted, l.tries.minSE), "uas")
	for _, h := range l.tries.auth.Headers(req) {
		req.AppendHeader(h)
	}
	l.offers.Offer()
	send := l.s.tx.Send
	if !l.fixed { // who registered wants it by the path that they opened (RFC 5626 section 5.3)
		send = l.s.tx.SendLarge
	}
	l.client = send(req, l.flow, func(res *sip.Response, err error) {
		l.post(func() { l.outcome(n, res, err) })
	})
}

// outcome works on what came of the nth INVITE.
func (l *Leg) outcome(n int, res *sip.Response, err error) {
	if !l.current(n) || l.retry(res, err) {
		return
	}
	if err != nil {
		_ = l.input(dialog.TxFailed, details{reason: err.Error()})
		return
	}
	x := details{code: res.StatusCode, reason: reasonOf(res, res.Reason), res: res}
	tag, _ := res.To().Params.Get("tag")
	sdp, _ := sessionIn(res, res.ContentType())
	switch {
	case res.IsProvisional():
		x.quiet, x.sdp = res.StatusCode == sip.StatusTrying, sdp
		rseq := rseqOf(res)
		if !l.inOrder(rseq, tag) {
			return
		}
		l.early1xx(res, tag, sdp)
		l.acknowledge(rseq, tag, sdp != nil)
		_ = l.input(dialog.Recv1xx, x)
	case res.IsSuccess():
		in := l.success(res, tag, sdp, &x)
		_ = l.input(in, x)
	default:
		_ = l.input(dialog.RecvFail, x)
	}
}

// early1xx notes what a provisional answer tells of the peer.
func (l *Leg) early1xx(res *sip.Response, tag string, sdp []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.answered || tag == "" {
		return
	}
	if err := l.dlg.Answer(res, header.Contact(res)); err != nil {
		l.log.Debug().Err(err).Msg("early dialog unusable")
	}
	if sdp != nil {
		l.sdp, l.sdpTag = sdp, tag
	}
}

// success tells the first 2xx from its repetitions and from those of other branches.
func (l *Leg) success(res *sip.Response, tag string, sdp []byte, x *details) dialog.Input {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.answered && tag == l.peerTag:
		return dialog.Recv2xxAgain
	case l.answered:
		return dialog.Recv2xxFork
	}
	if err := l.dlg.Answer(res, header.Contact(res)); err != nil {
		l.log.Debug().Err(err).Msg("2xx without a usable dialog")
	}
	l.answered, l.peerTag = true, tag
	l.granted(res)
	l.tries.auth.Accepted()
	l.offers.GotAnswer()
	switch {
	case sdp != nil:
		l.sdp = sdp
	case l.sdpTag != tag:
		l.sdp = nil // that was another branch's
	}
	x.sdp = l.sdp // an answer may have come in an 18x of the same branch already
	return dialog.Recv2xx
}
