package sip

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"

	"centrala/sip/dialog"
	"centrala/sip/edge"
	"centrala/sip/header"
	"centrala/sip/tx"
)

// This file holds session timers (RFC 4028): a call whose peer vanished without
// a BYE ends, whether or not it had audio. Where there is a choice, the peer
// refreshes.

// session is the session timer of a leg. Guarded by its mu.
type session struct {
	dialog.Session
	update bool   // the peer takes UPDATE: section 7.4 prefers it, as it leaves the session alone
	local  []byte // our newest session description, for a refresh by INVITE
	timer  *time.Timer
	gen    uint64 // a timer of another one is void
}

const statusIntervalTooSmall = 422

// sessionAsk reads what a request says of the session timer.
func sessionAsk(m header.Message) dialog.SessionAsk {
	interval, refresher := sessionExpires(m)
	return dialog.SessionAsk{
		Supported: header.HasOption(m, "Supported", "timer") || header.HasOption(m, "Require", "timer"),
		Interval:  interval, Min: minSE(m), Ours: refresher == "uas",
	}
}

// sessionExpires reads Session-Expires; 0: there is none, or none that can be read.
func sessionExpires(m header.Message) (seconds uint32, refresher string) {
	v, _ := header.Value(m, "Session-Expires")
	first, params, _ := strings.Cut(v, ";")
	for p := range strings.SplitSeq(params, ";") {
		if name, value, _ := strings.Cut(p, "="); strings.EqualFold(strings.TrimSpace(name), "refresher") {
			refresher = strings.ToLower(strings.TrimSpace(value))
		}
	}
	return seconds32(first), refresher
}

func minSE(m header.Message) uint32 {
	v, _ := header.Value(m, "Min-SE")
	first, _, _ := strings.Cut(v, ";")
	return seconds32(first)
}

func seconds32(s string) uint32 {
	n, err := strconv.ParseUint(strings.TrimSpace(s), 10, 32)
	if err != nil {
		return 0
	}
	return uint32(n)
}

// grantSession answers what a request asks for, or gives the refusal: 422 (section 9).
func grantSession(r *tx.Request) (dialog.Session, *sip.Response) {
	granted, ok := sessionAsk(r.Request).Grant()
	if !ok {
		return granted, r.Response(statusIntervalTooSmall, "Session Interval Too Small",
			sip.NewHeader("Min-SE", strconv.Itoa(dialog.SessionMin)))
	}
	return granted, nil
}

// grant puts what was granted into our 2xx, and counts from now. Under mu.
func (l *Leg) grant(res *sip.Response, s dialog.Session) {
	if s.Interval > 0 {
		refresher := "uac"
		if s.Ours {
			refresher = "uas"
		} else {
			res.AppendHeader(sip.NewHeader("Require", "timer"))
		}
		res.AppendHeader(sip.NewHeader("Session-Expires", fmt.Sprintf("%d;refresher=%s", s.Interval, refresher)))
	}
	l.begin(s)
}

// askSession puts into a request what we want: the peer is to refresh a call that
// we make, and whoever did so far goes on (section 7.1, 7.4).
func (l *Leg) askSession(req *sip.Request, interval uint32, refresher string) {
	req.AppendHeader(sip.NewHeader("Session-Expires", fmt.Sprintf("%d;refresher=%s", interval, refresher)))
	req.AppendHeader(sip.NewHeader("Min-SE", strconv.Itoa(int(max(dialog.SessionMin, l.tries.minSE)))))
}

// granted takes what the peer's 2xx grants, and counts from now. Under mu.
func (l *Leg) granted(res *sip.Response) {
	if header.HasOption(res, "Allow", string(sip.UPDATE)) {
		l.session.update = true
	}
	interval, refresher := sessionExpires(res)
	l.begin(dialog.Session{Interval: interval, Ours: refresher != "uas"})
}

// begin counts anew. Under mu.
func (l *Leg) begin(s dialog.Session) {
	l.session.Session = s
	switch {
	case s.Interval == 0:
		l.stopSession()
	case s.Ours:
		l.armSession(l.s.hasten(s.RefreshAfter()), l.refresh)
	default:
		l.armSession(l.s.hasten(s.OverAfter()), func() { l.sessionOver("session not refreshed") })
	}
}

// hasten is how long a time of session timers lasts.
func (s *Stack) hasten(d time.Duration) time.Duration { return d / time.Duration(max(1, s.o.haste)) }

// armSession has f run in the mailbox after a time. Under mu.
func (l *Leg) armSession(d time.Duration, f func()) {
	l.stopSession()
	gen := l.session.gen
	l.session.timer = time.AfterFunc(d, func() {
		l.post(func() {
			l.mu.Lock()
			due := gen == l.session.gen && l.state == dialog.Confirmed
			l.mu.Unlock()
			if due {
				f()
			}
		})
	})
}

func (l *Leg) stopSession() {
	l.session.gen++
	if l.session.timer != nil {
		l.session.timer.Stop()
		l.session.timer = nil
	}
}

func (l *Leg) sessionOver(reason string) {
	_ = l.input(dialog.SessionOver, details{reason: reason, why: `SIP;cause=408;text="Session expired"`})
}

// refresh shows the peer that we are there: by UPDATE without a session
// description, or by INVITE with the one that it has.
func (l *Leg) refresh() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.offers.Open() || l.session.local == nil {
		l.armSession(l.s.t2, l.refresh)
		return
	}
	method := sip.UPDATE
	if !l.session.update {
		method = sip.INVITE
	}
	req := l.dlg.Request(method, 0)
	if method == sip.INVITE {
		l.dress(req, l.session.local)
		l.offers.Offer()
	} else {
		l.dress(req, nil)
	}
	l.askSession(req, l.session.Interval, "uac")
	for _, h := range l.tries.auth.Headers(req) {
		req.AppendHeader(h)
	}
	l.stopSession()
	by := l.flow.ID
	l.ask(req, func(req *sip.Request, res *sip.Response, err error, first bool) {
		l.refreshed(by, req, res, err, first)
	})
}

// refreshed works on what came of a refresh that was sent by a flow.
func (l *Leg) refreshed(by edge.FlowID, req *sip.Request, res *sip.Response, err error, first bool) {
	if err == nil && res.IsSuccess() && req.Method == sip.INVITE {
		l.ackRefresh(req, res)
	}
	if !first {
		return // the ACK was lost
	}
	defer l.propose()
	l.mu.Lock()
	if req.Method == sip.INVITE {
		l.offers.GotAnswer()
	}
	if l.state != dialog.Confirmed {
		l.mu.Unlock()
		return
	}
	gone := ""
	switch {
	case err != nil && l.away(by):
		// Section 10 has who gets no answer end the call. This peer was never asked, and may be back in a moment.
		l.log.Debug().Err(err).Msg("session not refreshed while its browser is away")
		l.armSession(l.s.hasten(l.s.t2), l.refresh)
	case err != nil:
		gone = err.Error()
	case res.IsSuccess():
		l.dlg.Refresh(header.Contact(res))
		l.granted(res)
	case res.StatusCode == sip.StatusCallTransactionDoesNotExists, res.StatusCode == sip.StatusRequestTimeout: // section 10
		gone = res.Reason
	case res.StatusCode == sip.StatusRequestPending:
		l.armSession(l.s.hasten(l.glare()), l.refresh)
	case res.StatusCode == statusIntervalTooSmall && minSE(res) > l.session.Interval:
		l.session.Interval = minSE(res)
		l.armSession(0, l.refresh)
	case l.tries.proofs < maxProofs && l.tries.auth.Challenged(res):
		l.tries.proofs++
		l.armSession(0, l.refresh)
	case req.Method == sip.UPDATE && (res.StatusCode == sip.StatusMethodNotAllowed || res.StatusCode == sip.StatusNotImplemented):
		l.session.update = false
		l.armSession(0, l.refresh)
	default: // whoever answers is there
		l.begin(l.session.Session)
	}
	l.mu.Unlock()
	if gone != "" {
		l.sessionOver(gone)
	}
}

// glare is how long to wait after 491: RFC 3261 section 14.1.
func (l *Leg) glare() time.Duration {
	if !l.inbound { // the Call-ID is ours
		return 2100*time.Millisecond + rand.N(1900*time.Millisecond)
	}
	return rand.N(2 * time.Second)
}

// ackRefresh acknowledges the 2xx to our INVITE, and hands over the peer's answer
// if it says something new.
func (l *Leg) ackRefresh(req *sip.Request, res *sip.Response) {
	l.mu.Lock()
	ack := l.dlg.Request(sip.ACK, req.CSeq().SeqNo)
	l.credentialsOf(req, ack)
	if err := l.s.tx.SendAck(ack, l.destination(l.dlg)); err != nil {
		l.log.Debug().Err(err).Msg("ACK not sent")
	}
	sdp, _ := sessionIn(res, res.ContentType())
	changed := sdp != nil && string(sdp) != string(l.sdp) && l.state == dialog.Confirmed
	if changed {
		l.sdp = sdp
	}
	ev := l.ev
	l.mu.Unlock()
	if !changed {
		return
	}
	if _, err := ev.LegOffer(l, sdp); err != nil {
		l.log.Debug().Err(err).Msg("answer to the refresh unusable")
	}
}
