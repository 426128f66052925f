package sip

import (
	"errors"
	"fmt"
	"time"

	"github.com/emiago/sipgo/sip"

	"centrala/sip/dialog"
	"centrala/sip/header"
)

// ErrState means that the leg is not in a state for what was asked.
var ErrState = errors.New("the leg is past that")

// details are what an input carries besides its kind.
type details struct {
	code   int
	reason string
	why    string // Reason header of what we send
	sdp    []byte
	res    *sip.Response
	quiet  bool   // a 100: no news for the owner
	owner  bool   // asked for by the owner, who is in the middle of something: tell it later
	timer  uint64 // generation of the timer, 0 if none
}

// news is what to tell the owner once the input was worked on.
type news struct {
	progress, answered bool
	code               int
	sdp                []byte
}

// post runs f in the owner's mailbox. Without an owner it runs all the same,
// after everything needed to end the leg was set going.
func (l *Leg) post(f func()) {
	l.mu.Lock()
	box, orphan := l.box, l.orphan
	if box == nil && !orphan {
		l.early = append(l.early, f)
		l.mu.Unlock()
		return
	}
	l.mu.Unlock()
	if orphan || !box.Post(func() { l.within(box, f) }) {
		l.abandon()
		go l.s.guard(l, f) // the caller may hold locks of the transaction
	}
}

// within runs f in the mailbox that it was posted to, or posts it to the one
// that the leg was moved to meanwhile.
func (l *Leg) within(box Mailbox, f func()) {
	l.mu.Lock()
	moved := l.box != box
	l.mu.Unlock()
	if moved {
		l.post(f)
		return
	}
	f()
}

// listener is who is told of events now.
func (l *Leg) listener() LegEvents {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.ev
}

// abandon makes a leg whose owner is gone end by itself.
func (l *Leg) abandon() {
	l.mu.Lock()
	first := !l.orphan
	l.orphan, l.ev = true, deaf{}
	early := l.early
	l.early = nil
	over := l.ended
	l.mu.Unlock()
	if !first {
		return
	}
	if !over {
		l.log.Warn().Msg("the leg's owner is gone: ending it")
	}
	go l.s.guard(l, func() {
		for _, f := range early {
			f()
		}
		_ = l.input(dialog.UserHangup, details{})
	})
}

// deaf is the owner of a leg that has none.
type deaf struct{}

func (deaf) LegProgress(*Leg, int, []byte)         {}
func (deaf) LegAnswered(*Leg, []byte)              {}
func (deaf) LegOffer(*Leg, []byte) ([]byte, error) { return nil, ErrState }
func (deaf) LegKey(*Leg, byte)                     {}
func (deaf) LegRefer(*Leg, *Refer) int             { return sip.StatusCallTransactionDoesNotExists }
func (deaf) LegEnded(*Leg, Termination)            {}

// input works on something that happened: looks up what it means in the leg's
// state, does it, and tells the owner.
func (l *Leg) input(in dialog.Input, x details) error {
	l.mu.Lock()
	if x.timer != 0 && x.timer != l.timerGen {
		l.mu.Unlock()
		return nil
	}
	step, ok := dialog.Next(l.state, in)
	if !ok {
		l.mu.Unlock()
		return ErrState
	}
	l.log.Trace().Stringer("state", l.state).Stringer("input", in).Stringer("next", step.Next).Msg("step")
	l.state = step.Next
	if x.why != "" {
		l.why = x.why
	}
	var tell news
	var err error
	for _, a := range step.Do {
		if e := l.perform(a, &x, &tell); e != nil {
			err = e
			l.log.Debug().Err(e).Stringer("action", a).Msg("not done")
		}
	}
	over := step.End != dialog.NoCause && !l.ended
	if over {
		l.ended = true
	}
	gone := l.state == dialog.Ended
	if gone {
		l.stopSession()
	}
	ev := l.ev
	var t Termination
	if over {
		t = termination(step.End, x.code, x.reason)
		if step.End == dialog.PeerRejected {
			t.Elsewhere = redirection(x.res)
		}
		l.s.calls.count(l, t.Class)
	}
	l.mu.Unlock()
	if gone {
		l.s.forget(l)
	}
	switch {
	case tell.progress && !x.quiet:
		ev.LegProgress(l, tell.code, tell.sdp)
	case tell.answered:
		ev.LegAnswered(l, tell.sdp)
	}
	if over {
		l.log.Debug().Str("class", t.Class).Int("code", t.Code).Bool("by_us", t.ByUs).Str("reason", t.Reason).Msg("leg ended")
		if x.owner {
			l.post(func() { l.listener().LegEnded(l, t) })
		} else {
			ev.LegEnded(l, t)
		}
	}
	return err
}

// perform carries out one action, under l.mu.
func (l *Leg) perform(a dialog.Action, x *details, tell *news) error {
	switch a {
	case dialog.SendRing:
		return l.sendRing(x)
	case dialog.SendAnswer:
		return l.sendAnswer(x.sdp)
	case dialog.ResendAnswer:
		l.interval = min(2*l.interval, l.s.t2)
		l.arm(min(l.interval, time.Until(l.deadline)), dialog.TimerResend)
		return l.invite.Repeat(l.answer)
	case dialog.SendReject:
		return l.invite.Respond(l.refusal(x))
	case dialog.SendGone:
		x.code = sip.StatusTemporarilyUnavailable
		return l.invite.Respond(l.withWhy(l.invite.Response(x.code, statusText(x.code, ""))))
	case dialog.SendGone487:
		return l.invite.Respond(l.invite.Response(sip.StatusRequestTerminated, "Request Terminated"))
	case dialog.SendAck:
		return l.sendAck()
	case dialog.SendForkEnd:
		return l.endFork(x.res)
	case dialog.SendBye:
		return l.sendBye(l.dlg)
	case dialog.SendCancel:
		l.arm(64*l.s.t1, dialog.TimerCancelled)
		l.client.Cancel(func(*sip.Response, error) {}, l.reasonHeader()...)
	case dialog.DropInvite:
		if l.client != nil {
			l.client.Drop()
		}
	case dialog.StopTimers:
		l.disarm()
		if l.settled != nil {
			close(l.settled)
			l.settled = nil
		}
	case dialog.TellProgress:
		tell.progress, tell.code, tell.sdp = true, x.code, x.sdp
	case dialog.TellAnswered:
		tell.answered, tell.sdp = true, x.sdp
		if l.reliable != nil && tell.sdp == nil {
			tell.sdp = l.reliable.agreed
		}
	}
	return nil
}

// refusal refuses the INVITE. A reason of the owner's is in a Warning, too (RFC 3261
// section 20.43): phones show it, and proxies write the reason phrase anew.
func (l *Leg) refusal(x *details) *sip.Response {
	res := l.invite.Response(x.code, statusText(x.code, x.reason))
	if x.reason != "" {
		res.AppendHeader(sip.NewHeader("Warning", fmt.Sprintf(`399 %s "%s"`, l.s.o.Domain, header.Quoted(x.reason))))
	}
	return res
}

// arm sets the leg's timer, which then is the given input.
func (l *Leg) arm(d time.Duration, in dialog.Input) {
	l.disarm()
	gen := l.timerGen
	l.timer = time.AfterFunc(max(d, 0), func() {
		l.post(func() { l.expire(in, gen) })
	})
}

func (l *Leg) disarm() {
	l.timerGen++ // what is on its way is void
	if l.timer != nil {
		l.timer.Stop()
		l.timer = nil
	}
}

func (l *Leg) expire(in dialog.Input, gen uint64) {
	x := details{timer: gen}
	switch in {
	case dialog.TimerResend:
		l.mu.Lock()
		late := !time.Now().Before(l.deadline)
		l.mu.Unlock()
		if late {
			in, x.reason = dialog.TimerAck, "no ACK"
		}
	case dialog.TxFailed:
		if l.lateAnswer(gen) {
			return
		}
		x.reason = "no answer to the INVITE"
	default: // says all itself
	}
	_ = l.input(in, x)
}

// reasonHeader is the Reason to send, if there is one.
func (l *Leg) reasonHeader() []sip.Header {
	if l.why == "" {
		return nil
	}
	return []sip.Header{sip.NewHeader("Reason", l.why)}
}

func (l *Leg) withWhy(res *sip.Response) *sip.Response {
	for _, h := range l.reasonHeader() {
		res.AppendHeader(h)
	}
	return res
}

// reasonOf is what a message says about why it was sent.
func reasonOf(m header.Message, phrase string) string {
	if c, ok := header.Reason(m, ""); ok && c.Text != "" {
		return c.Text
	}
	return phrase
}

// statusText is the reason phrase of a status: the given one if it can stand
// on a status line, else that of RFC 3261 section 21.
func statusText(code int, given string) string {
	if given != "" && header.Quoted(given) == given {
		return given
	}
	if text, ok := phrases[code]; ok {
		return text
	}
	switch code / 100 {
	case 1:
		return "Session Progress"
	case 2:
		return "OK"
	case 4:
		return "Request Failure"
	case 5:
		return "Server Failure"
	}
	return "Global Failure"
}

var phrases = map[int]string{
	100: "Trying", 180: "Ringing", 181: "Call Is Being Forwarded", 182: "Queued", 183: "Session Progress",
	302: "Moved Temporarily", 400: "Bad Request", 403: "Forbidden", 404: "Not Found", 408: "Request Timeout",
	410: "Gone", 480: "Temporarily Unavailable", 484: "Address Incomplete", 486: "Busy Here",
	481: "Call/Transaction Does Not Exist", 487: "Request Terminated", 488: "Not Acceptable Here", 491: "Request Pending", 500: "Server Internal Error",
	503: "Service Unavailable", 504: "Server Time-out", 600: "Busy Everywhere", 603: "Decline",
	604: "Does Not Exist Anywhere",
}
