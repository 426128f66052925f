package sip

import (
	"time"

	"github.com/emiago/sipgo/sip"

	"centrala/sip/dialog"
	"centrala/sip/header"
)

// This file holds how the owner has the session changed: by a re-INVITE of ours.

// Propose has the peer agree on the session anew, by a re-INVITE. It is sent as soon as nothing else is
// under way, and only once for several wishes; LegOffer is asked then for the offer, and is given the answer.
// Where the peer cannot answer now, it is asked again; what it refuses, it has refused. It does nothing
// once the leg has ended.
func (l *Leg) Propose() {
	l.mu.Lock()
	l.pending = true
	l.mu.Unlock()
	l.propose()
}

// propose sends the re-INVITE that is wanted, if now is the time for it. Called in the mailbox whenever
// something has ended that it may have waited for.
func (l *Leg) propose() {
	l.mu.Lock()
	// RFC 3261 section 14.1: not while another INVITE is under way.
	if !l.pending || l.state != dialog.Confirmed || l.offers.Open() || l.again != nil {
		l.mu.Unlock()
		return
	}
	l.pending = false
	ev := l.ev
	l.mu.Unlock()
	sdp, err := ev.LegOffer(l, nil)
	if err != nil {
		l.log.Debug().Err(err).Msg("nothing to propose")
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	req := l.dlg.Request(sip.INVITE, 0)
	l.dress(req, sdp)
	if l.session.Interval > 0 {
		refresher := "uas"
		if l.session.Ours {
			refresher = "uac"
		}
		l.askSession(req, l.session.Interval, refresher)
	}
	for _, h := range l.tries.auth.Headers(req) {
		req.AppendHeader(h)
	}
	l.offers.Offer()
	l.ask(req, l.proposed)
}

// ask sends a request within the dialog and has what comes of it worked on in the mailbox: the final answer,
// which comes again as long as the peer has no ACK of it, or the error. Under mu.
func (l *Leg) ask(req *sip.Request, then func(req *sip.Request, res *sip.Response, err error, first bool)) {
	first := true
	l.s.tx.Send(req, l.destination(l.dlg), func(res *sip.Response, err error) {
		if err == nil && res.IsProvisional() {
			return
		}
		l.post(func() {
			once := first
			first = false
			then(req, res, err, once)
		})
	})
}

// proposed works on what came of a proposal.
func (l *Leg) proposed(req *sip.Request, res *sip.Response, err error, first bool) {
	if err == nil && res.IsSuccess() {
		l.ackRefresh(req, res)
	}
	if !first {
		return // the ACK was lost
	}
	l.mu.Lock()
	l.offers.GotAnswer()
	again, gone := time.Duration(-1), ""
	switch {
	case l.state != dialog.Confirmed:
	case err != nil: // a browser may be back in a moment; how long it may be away is looked after elsewhere
		l.log.Debug().Err(err).Msg("proposal not answered")
		again = l.s.t2
	case res.IsSuccess():
		l.dlg.Refresh(header.Contact(res))
		l.granted(res)
	case res.StatusCode == sip.StatusCallTransactionDoesNotExists, res.StatusCode == sip.StatusRequestTimeout: // section 12.2.1.2
		gone = res.Reason
	case res.StatusCode == sip.StatusRequestPending, res.GetHeader("Retry-After") != nil:
		again = l.glare()
	default:
		l.log.Warn().Int("code", res.StatusCode).Str("reason", res.Reason).Msg("proposal refused: the session stays as it was")
	}
	if again >= 0 {
		l.pending = true
		time.AfterFunc(again, func() { l.post(l.propose) })
	}
	l.mu.Unlock()
	if gone != "" {
		l.sessionOver(gone)
		return
	}
	l.propose()
}
