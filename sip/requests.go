package sip

import (
	"time"

	"github.com/emiago/sipgo/sip"

	"centrala/sip/dialog"
	"centrala/sip/header"
	"centrala/sip/tx"
)

// This file holds what a leg does with the peer's requests in its dialog.

// reinvite is a re-INVITE that we answered with 2xx and that has no ACK yet.
type reinvite struct {
	r        *tx.Request
	res      *sip.Response
	seq      uint32
	offered  bool // the 2xx carries our offer
	timer    *time.Timer
	interval time.Duration
	deadline time.Time
}

// request works on a request of the peer, in the mailbox.
func (l *Leg) request(r *tx.Request) {
	l.mu.Lock()
	known := l.knows(r)
	fresh := known && l.dlg.Sequence(r.CSeq().SeqNo)
	l.mu.Unlock()
	switch {
	case !known:
		r.Refuse(sip.StatusCallTransactionDoesNotExists, "Call/Transaction Does Not Exist")
	case !fresh: // RFC 3261 section 12.2.2
		r.Refuse(sip.StatusInternalServerError, "Server Internal Error: CSeq")
	case r.Method == sip.BYE:
		r.Refuse(sip.StatusOK, "OK")
		_ = l.input(dialog.RecvBye, details{reason: reasonOf(r.Request, "")})
	case r.Method == sip.INVITE:
		l.reoffer(r)
	case r.Method == sip.UPDATE:
		l.reoffer(r)
	case r.Method == sip.INFO:
		l.info(r)
	case r.Method == sip.PRACK:
		l.prack(r)
	case r.Method == sip.REFER:
		l.refer(r)
	case r.Method == sip.OPTIONS:
		r.Send(l.s.options(r))
	default:
		r.Refuse(sip.StatusMethodNotAllowed, "Method Not Allowed", l.s.allow)
	}
}

// knows tells whether a request belongs to the dialog: the leg was found by our
// tag, Call-ID and the peer's tag must match too (section 12.2.2).
func (l *Leg) knows(r *tx.Request) bool {
	if l.state == dialog.Ended || string(*r.CallID()) != l.callID {
		return false
	}
	tag, _ := r.From().Params.Get("tag")
	switch {
	case l.inbound:
		return tag == l.dlg.RemoteTag
	case l.answered:
		return tag == l.peerTag
	}
	return true // an early dialog of any branch
}

// info takes an INFO: a telephone key, or nothing as a sign of life (RFC 6086
// section 3 knows it as the legacy use).
func (l *Leg) info(r *tx.Request) {
	if len(r.Body()) == 0 {
		r.Refuse(sip.StatusOK, "OK")
		return
	}
	key, ok := keyIn(r.Body(), r.ContentType())
	if !ok {
		r.Refuse(sip.StatusUnsupportedMediaType, "Unsupported Media Type", sip.NewHeader("Accept", "application/dtmf-relay, application/dtmf"))
		return
	}
	if key == 0 {
		r.Refuse(sip.StatusBadRequest, "Bad Request: Signal")
		return
	}
	if err := r.Respond(r.Response(sip.StatusOK, "OK")); err != nil { // kept: sent again it must not count again
		l.log.Debug().Err(err).Msg("answer to INFO not sent")
	}
	l.mu.Lock()
	ev := l.ev
	l.mu.Unlock()
	ev.LegKey(l, key)
}

// reoffer answers a re-INVITE or an UPDATE.
func (l *Leg) reoffer(r *tx.Request) {
	sdp, ok := sessionIn(r.Request, r.ContentType())
	if !ok {
		r.Refuse(sip.StatusUnsupportedMediaType, "Unsupported Media Type", l.s.accept)
		return
	}
	if r.Method == sip.INVITE {
		l.impliedAck()
	}
	granted, refusal := grantSession(r)
	if refusal != nil {
		r.Send(refusal)
		return
	}
	l.mu.Lock()
	if refuse := l.mayOffer(r, sdp != nil); refuse != nil {
		l.mu.Unlock()
		r.Send(refuse)
		return
	}
	ev := l.ev
	l.mu.Unlock()
	if sdp == nil && r.Method == sip.UPDATE { // a refresh of target or session timer only
		l.mu.Lock()
		l.dlg.Refresh(header.Contact(r.Request))
		res := r.Response(sip.StatusOK, "OK")
		l.dress(res, nil)
		l.grant(res, granted)
		l.mu.Unlock()
		r.Send(res)
		return
	}
	answer, err := ev.LegOffer(l, sdp)
	defer l.propose()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.offers.Answered()
	switch {
	case l.state == dialog.Ended:
		r.Refuse(sip.StatusCallTransactionDoesNotExists, "Call/Transaction Does Not Exist")
		return
	case err != nil:
		l.log.Debug().Err(err).Msg("offer refused")
		r.Refuse(sip.StatusNotAcceptableHere, "Not Acceptable Here")
		return
	}
	l.dlg.Refresh(header.Contact(r.Request))
	if sdp != nil {
		l.sdp = sdp
	}
	res := r.Response(sip.StatusOK, "OK")
	l.dress(res, answer)
	l.grant(res, granted)
	if err := r.Respond(res); err != nil {
		l.log.Debug().Err(err).Msg("answer not sent")
	}
	if r.Method == sip.INVITE {
		l.repeat(&reinvite{r: r, res: res, seq: r.CSeq().SeqNo, offered: sdp == nil})
	}
}

// mayOffer is nil, or the refusal of a re-INVITE or UPDATE that comes at a bad
// time. An offer, or the wish for one, is noted as being answered.
func (l *Leg) mayOffer(r *tx.Request, hasSDP bool) *sip.Response {
	later := func() *sip.Response {
		return r.Response(sip.StatusInternalServerError, "Server Internal Error", sip.NewHeader("Retry-After", "3"))
	}
	switch {
	case l.ended && l.state != dialog.Confirmed:
		return r.Response(sip.StatusCallTransactionDoesNotExists, "Call/Transaction Does Not Exist")
	case r.Method == sip.UPDATE && !hasSDP:
		return nil // RFC 3311 section 5.2: no offer, no glare
	case r.Method == sip.INVITE && l.state == dialog.Incoming: // RFC 3261 section 14.2
		return later()
	}
	switch l.offers.Receive() {
	case dialog.BusyWith:
		return later()
	case dialog.OursOpen:
		return r.Response(sip.StatusRequestPending, "Request Pending")
	case dialog.NoGlare:
	}
	return nil
}

// impliedAck takes a re-INVITE for the ACK that it overtook, where that had
// nothing to tell: nobody sends one before the other.
func (l *Leg) impliedAck() {
	l.mu.Lock()
	implied := l.state == dialog.Answered && !l.offers.Open()
	l.mu.Unlock()
	if implied {
		_ = l.input(dialog.RecvAck, details{})
	}
}

// repeat sends the 2xx of a re-INVITE until its ACK comes (section 13.3.1.4).
func (l *Leg) repeat(a *reinvite) {
	if a.offered {
		l.offers.Offer()
	}
	if l.again != nil {
		l.again.timer.Stop()
	}
	a.interval, a.deadline = l.s.t1, l.s.now().Add(64*l.s.t1)
	a.timer = time.AfterFunc(a.interval, func() {
		l.post(func() { l.repeatNow(a) })
	})
	l.again = a
}

func (l *Leg) repeatNow(a *reinvite) {
	l.mu.Lock()
	if l.again != a || l.state == dialog.Ended {
		l.mu.Unlock()
		return
	}
	if l.s.now().Before(a.deadline) {
		_ = a.r.Repeat(a.res) // the next one follows anyway
		a.interval = min(2*a.interval, l.s.t2)
		a.timer.Reset(a.interval)
		l.mu.Unlock()
		return
	}
	l.again = nil
	l.mu.Unlock()
	_ = l.input(dialog.UserHangup, details{}) // the peer is not there any more
}

// acked works on an ACK of a 2xx.
func (l *Leg) acked(ack *sip.Request) {
	defer l.propose()
	sdp, _ := sessionIn(ack, ack.ContentType())
	seq := ack.CSeq().SeqNo
	l.mu.Lock()
	if a := l.again; a != nil && a.seq == seq {
		l.again = nil
		a.timer.Stop()
		if a.offered {
			l.offers.GotAnswer()
		}
		ev, late := l.ev, a.offered && sdp != nil
		if late {
			l.sdp = sdp
		}
		l.mu.Unlock()
		if late {
			if _, err := ev.LegOffer(l, sdp); err != nil {
				l.log.Debug().Err(err).Msg("answer in the ACK unusable")
			}
		}
		return
	}
	if !l.inbound || l.invite.CSeq().SeqNo != seq {
		l.mu.Unlock()
		return
	}
	late := l.offers.Open()
	l.offers.GotAnswer()
	if !late {
		sdp = nil // the answer was in our 2xx; a second one means nothing
	} else if sdp != nil {
		l.sdp = sdp
	}
	l.mu.Unlock()
	_ = l.input(dialog.RecvAck, details{sdp: sdp})
}
