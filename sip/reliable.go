package sip

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"

	"centrala/sip/dialog"
	"centrala/sip/header"
	"centrala/sip/tx"
)

// This file holds provisional answers that must not be lost (RFC 3262): ours to
// callers who require it, and those of the peers we call.

// option100rel is the option tag of RFC 3262.
const option100rel = "100rel"

// provisional is the state of the provisional answers to an INVITE whose caller
// can acknowledge them.
type provisional struct {
	required bool          // the caller insists: all are to be acknowledged, and else those with a session description
	rseq     uint32        // of the newest
	open     *sip.Response // not acknowledged; nil: none
	offered  bool          // the open one carries a session description
	timer    *time.Timer
	interval time.Duration
	deadline time.Time

	next    *details // the one to send afterwards
	waits   bool     // the 2xx has to wait (section 3), with this description
	answer  []byte
	settled bool   // offer and answer are exchanged: the 2xx carries neither
	agreed  []byte // the caller's answer to our offer, to be told with the ACK
}

// reliably makes the state if the caller requires it or can do it (section 3). Of
// those who only can, a loss that costs a ringing tone is taken: they acknowledge what
// carries a session description.
func reliably(r *tx.Request) *provisional {
	required := header.HasOption(r.Request, "Require", option100rel)
	if !required && !header.HasOption(r.Request, "Supported", option100rel) {
		return nil
	}
	return &provisional{required: required, rseq: 1 + rand.Uint32N(1<<31-2)} // section 3; what is added stays below 2^32
}

// sendRing sends a provisional answer, one at a time where they are acknowledged.
func (l *Leg) sendRing(x *details) error {
	p, sdp := l.reliable, x.sdp
	switch {
	case p == nil && l.sdp == nil: // an offer must not be lost (RFC 3261 section 13.2.1)
		sdp = nil
	case p == nil:
	case p.settled:
		sdp = nil
	}
	acknowledged := p != nil && (p.required || sdp != nil)
	if acknowledged && p.open != nil {
		p.next = x
		return nil
	}
	res := l.response(x.code, statusText(x.code, ""), sdp)
	if !acknowledged {
		return l.invite.Respond(res)
	}
	p.rseq++
	res.AppendHeader(sip.NewHeader("Require", option100rel))
	res.AppendHeader(sip.NewHeader("RSeq", strconv.FormatUint(uint64(p.rseq), 10)))
	p.open, p.offered = res, sdp != nil
	if sdp != nil && l.sdp == nil {
		l.offers.Offer()
	}
	p.interval, p.deadline = l.s.t1, l.s.now().Add(64*l.s.t1)
	p.timer = time.AfterFunc(p.interval, func() {
		l.post(func() { l.ringAgain(res) })
	})
	return l.invite.Respond(res)
}

// ringAgain repeats a provisional answer until it is acknowledged; the call of
// somebody who never does is over (section 3). A final answer ends it too.
func (l *Leg) ringAgain(res *sip.Response) {
	l.mu.Lock()
	p := l.reliable
	if p.open != res || l.state != dialog.Incoming {
		l.mu.Unlock()
		return
	}
	if l.s.now().Before(p.deadline) {
		_ = l.invite.Repeat(res) // the next one follows anyway
		p.interval *= 2          // without a bound: section 3
		p.timer.Reset(min(p.interval, time.Until(p.deadline)))
		l.mu.Unlock()
		return
	}
	l.mu.Unlock()
	_ = l.input(dialog.UserReject, details{code: sip.StatusGatewayTimeout, reason: "No PRACK"})
}

// postponed keeps the answer to the call back while a provisional one with a
// session description is not acknowledged (section 3).
func (l *Leg) postponed(sdp []byte) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	p := l.reliable
	if l.state != dialog.Incoming || p == nil || p.open == nil || !p.offered {
		return false
	}
	p.waits, p.answer = true, sdp
	return true
}

// prack takes the acknowledgement of a provisional answer.
func (l *Leg) prack(r *tx.Request) {
	sdp, ok := sessionIn(r.Request, r.ContentType())
	if !ok {
		r.Refuse(sip.StatusUnsupportedMediaType, "Unsupported Media Type", l.s.accept)
		return
	}
	l.mu.Lock()
	p := l.reliable
	if p == nil || p.open == nil || !p.named(r) {
		l.mu.Unlock()
		r.Refuse(sip.StatusCallTransactionDoesNotExists, "Call/Transaction Does Not Exist")
		return
	}
	p.open = nil
	p.timer.Stop()
	switch {
	case p.offered && l.sdp == nil: // our offer: the answer is in here (section 5)
		l.offers.GotAnswer()
		p.settled, p.agreed, l.sdp = sdp != nil, sdp, sdp
		sdp = nil
	case p.offered:
		l.offers.Answered()
		p.settled = true
	}
	l.mu.Unlock()
	if sdp != nil {
		l.reoffer(r) // section 5: a new offer
	} else if err := r.Respond(r.Response(sip.StatusOK, "OK")); err != nil {
		l.log.Debug().Err(err).Msg("answer to PRACK not sent")
	}
	l.mu.Lock()
	next := p.next
	p.next = nil
	l.mu.Unlock()
	switch {
	case p.waits:
		_ = l.accept(p.answer) // an error means that the end is told
	case next != nil:
		_ = l.input(dialog.UserRing, *next)
	}
}

// named tells whether a PRACK is for the open answer: RAck has its RSeq and the
// CSeq of the INVITE (section 7.2).
func (p *provisional) named(r *tx.Request) bool {
	rack, _ := header.Value(r.Request, "RAck")
	f := strings.Fields(rack)
	invite := p.open.CSeq()
	return len(f) == 3 && f[0] == strconv.FormatUint(uint64(p.rseq), 10) &&
		f[1] == strconv.FormatUint(uint64(invite.SeqNo), 10) && f[2] == string(invite.MethodName)
}

// rseqOf is the number of a provisional answer that wants to be acknowledged, 0 for others.
func rseqOf(res *sip.Response) uint32 {
	if res.StatusCode == sip.StatusTrying || !header.HasOption(res, "Require", option100rel) {
		return 0
	}
	v, _ := header.Value(res, "RSeq")
	n, err := strconv.ParseUint(strings.TrimSpace(v), 10, 32)
	if err != nil {
		return 0
	}
	return uint32(n)
}

// inOrder notes the number of a provisional answer. False: it came before, or
// comes too early, and will come again (section 4). Each branch has its own numbers.
func (l *Leg) inOrder(rseq uint32, tag string) bool {
	if rseq == 0 || tag == "" {
		return true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if last := l.rseqs[tag]; last != 0 && rseq != last+1 {
		return false
	}
	if l.rseqs == nil {
		l.rseqs = map[string]uint32{}
	}
	l.rseqs[tag] = rseq
	return true
}

// acknowledge sends the PRACK of a provisional answer (section 4), whose session
// description, if it has one, is the answer to our offer.
func (l *Leg) acknowledge(rseq uint32, tag string, answered bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if rseq == 0 || tag == "" || l.answered || l.state == dialog.Ended {
		return
	}
	if answered {
		l.offers.GotAnswer()
	}
	l.sendInDialog(l.dlg, sip.PRACK, maxProofs, sip.NewHeader("RAck", fmt.Sprintf("%d %d INVITE", rseq, l.inviteSeq)))
}
