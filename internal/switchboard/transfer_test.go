package switchboard

import (
	"strings"
	"testing"
	"time"

	"centrala/acd"
)

// leave ends what a test has left of a call.
func (b *bench) leave(call acd.LegID) {
	b.t.Helper()
	b.do(call, &acd.EndLeg{Leg: call})
	b.want(&acd.LegEnded{Leg: call})
	b.peer.waitEnd()
}

func TestTransfer_TargetsAreResolved(t *testing.T) {
	for uri, want := range map[string]acd.Target{
		"sip:102@pbx.test":                                        {Agent: "bartek"},
		"sip:Bartek@192.0.2.1:5060":                               {Agent: "bartek"},
		"sip:601@pbx.test":                                        {Group: "support"},
		"sip:221234567@pbx.test;user=phone":                       {Group: "support"},
		"tel:+48-22-123-45-67":                                    {Group: "support"},
		"sip:%2B48601234567@pbx.test":                             {Number: "+48601234567"},
		"sip:0048601234567@pbx.test":                              {Number: "+48601234567"},
		"sip:%2B442079460000@pbx.test":                            {}, // another country: at whose cost?
		"sip:%2B48701234567@pbx.test":                             {}, // premium rate
		"tel:+881612345678":                                       {}, // a satellite
		"sip:nobody@pbx.test":                                     {},
		"sip:102@pbx.test?Replaces=a%3Bto-tag%3Db%3Bfrom-tag%3Dc": {},
	} {
		t.Run(uri, func(t *testing.T) {
			b := newBench(t, nil)
			p := b.deskphone()
			call, phone := b.talks(p)
			p.ask("REFER", "Refer-To: <"+uri+">\r\n", "")
			if want == (acd.Target{}) {
				p.get("SIP/2.0 ")
			} else {
				p.get("SIP/2.0 202")
				b.want(&acd.TransferAsked{Leg: phone, To: want})
				p.notified()
			}
			p.ask("BYE", "", "")
			b.want(&acd.LegEnded{Leg: phone, Cause: acd.EndHangup})
			b.leave(call)
			if want == (acd.Target{}) {
				return
			}
			if got := p.notified(); got != "SIP/2.0 487 Request Terminated" { // nobody is left to be put through
				t.Errorf("last report %q", got)
			}
		})
	}
}

// RFC 3515 section 2.4.5: the phone is told of success when whom the customer was sent to
// has answered, and only then hung up on; of a failure at once.
func TestTransfer_PhoneIsToldBeforeItIsHungUpOn(t *testing.T) {
	b := newBench(t, nil)
	p := b.deskphone()
	call, phone := b.talks(p)
	p.ask("REFER", "Refer-To: <sip:102@pbx.test>\r\n", "")
	p.get("SIP/2.0 202")
	asked := b.want(&acd.TransferAsked{Leg: phone, To: acd.Target{Agent: "bartek"}})
	if got := p.notified(); got != "SIP/2.0 100 Trying" {
		t.Errorf("first report %q", got)
	}
	end := &acd.EndLeg{Header: acd.Header{Node: "n1", Call: call}, Leg: phone, Why: acd.EndTransferred}
	b.board.Applied(acd.Entry{Event: asked}, []acd.Command{end})
	p.ask("REFER", "Refer-To: <sip:601@pbx.test>\r\n", "")
	p.get("SIP/2.0 491") // nothing is known yet, and the phone not hung up on
	b.do(call, &acd.Report{Leg: phone, Done: true})
	if got := p.notified(); got != "SIP/2.0 200 OK" {
		t.Errorf("last report %q", got)
	}
	p.reply(p.get("BYE "), "200 OK", "")
	b.want(&acd.LegEnded{Leg: phone, Cause: acd.EndByUs})
	b.leave(call)
}

func TestTransfer_FailureIsReported(t *testing.T) {
	for class, want := range map[acd.FailureClass]string{
		acd.FailBusy: "486 Busy Here", acd.FailDeclined: "603 Decline", acd.FailNoAnswer: "408 Request Timeout",
		acd.FailUnreachable: "480 Temporarily Unavailable", acd.FailCancelled: "487 Request Terminated",
	} {
		t.Run(string(class), func(t *testing.T) {
			b := newBench(t, nil)
			p := b.deskphone()
			call, phone := b.refers(p)
			b.do(call, &acd.Report{Leg: phone, Class: class})
			if got := p.notified(); got != "SIP/2.0 "+want {
				t.Errorf("last report %q", got)
			}
			p.reply(p.get("BYE "), "200 OK", "")
			b.want(&acd.LegEnded{Leg: phone, Cause: acd.EndByUs})
			b.leave(call)
		})
	}
}

// refers brings a call to where the core has taken the customer over from anna's phone.
func (b *bench) refers(p *deskphone) (call, phone acd.LegID) {
	b.t.Helper()
	call, phone = b.talks(p)
	b.asksFor(p, call, phone)
	return call, phone
}

// asksFor has a phone ask for a transfer, which the core does.
func (b *bench) asksFor(p *deskphone, call, phone acd.LegID) {
	b.t.Helper()
	p.ask("REFER", "Refer-To: <sip:102@pbx.test>\r\n", "")
	p.get("SIP/2.0 202")
	asked := b.want(&acd.TransferAsked{Leg: phone})
	p.notified()
	end := &acd.EndLeg{Header: acd.Header{Node: "n1", Call: call}, Leg: phone, Why: acd.EndTransferred}
	b.board.Applied(acd.Entry{Event: asked}, []acd.Command{end})
}

// Nothing becomes known of it: the phone is not kept for ever, and not told a lie
// (RFC 6665 section 4.1.3).
func TestTransfer_NothingIsKnown(t *testing.T) {
	b := newBench(t, nil)
	b.board.patient = 100 * time.Millisecond
	p := b.deskphone()
	call, phone := b.refers(p)
	msg := p.get("NOTIFY ")
	if got := line(msg, "Subscription-State"); got != "terminated;reason=timeout" || !strings.Contains(msg, "SIP/2.0 100 Trying") {
		t.Errorf("last report:\n%s", msg)
	}
	p.reply(msg, "200 OK", "")
	p.reply(p.get("BYE "), "200 OK", "")
	b.want(&acd.LegEnded{Leg: phone, Cause: acd.EndByUs})
	b.do(call, &acd.Report{Leg: phone, Done: true}) // too late
	b.leave(call)
}

// The agent is free for the core, and their phone is to ring for the next call while
// nothing is known of the transfer: it is hung up on before, and told later.
func TestTransfer_PhoneIsNeededMeanwhile(t *testing.T) {
	b := newBench(t, nil)
	p := b.deskphone()
	call, phone := b.refers(p)
	next, _ := b.arrive()
	b.do(next, &acd.Ring{Offer: 2, Agent: "anna"})
	p.reply(p.get("BYE "), "200 OK", "")
	p.reply(p.get("INVITE "), "486 Busy Here", "")
	b.wantAll(&acd.LegEnded{Leg: phone, Cause: acd.EndByUs}, &acd.OfferFailed{Offer: 2, Class: acd.FailBusy})
	b.do(call, &acd.Report{Leg: phone, Done: true})
	if got := p.notified(); got != "SIP/2.0 200 OK" {
		t.Errorf("last report %q", got)
	}
	b.leave(next)
	b.leave(call)
}

// So do all phones of the agent that wait for the end of a transfer, of whatever call.
func TestTransfer_PhonesAreNeededMeanwhile(t *testing.T) {
	b := newBench(t, nil)
	var phones []*deskphone
	var calls, legs []acd.LegID
	for range 2 {
		p := b.deskphone()
		call, phone := b.talks(p)
		phones, calls, legs = append(phones, p), append(calls, call), append(legs, phone)
	}
	for i, p := range phones {
		b.asksFor(p, calls[i], legs[i])
	}
	next, _ := b.arrive()
	b.do(next, &acd.Ring{Offer: 2, Agent: "anna"})
	for _, p := range phones {
		p.reply(p.get("BYE "), "200 OK", "")
	}
	phones[1].reply(phones[1].get("INVITE "), "486 Busy Here", "")
	b.wantAll(&acd.LegEnded{Leg: legs[0], Cause: acd.EndByUs}, &acd.LegEnded{Leg: legs[1], Cause: acd.EndByUs},
		&acd.OfferFailed{Offer: 2, Class: acd.FailBusy})
	for i, p := range phones {
		b.do(calls[i], &acd.Report{Leg: legs[i], Done: true})
		if got := p.notified(); got != "SIP/2.0 200 OK" {
			t.Errorf("last report %q", got)
		}
		b.leave(calls[i])
	}
	b.leave(next)
}

// Phones that hang up without waiting get the last report all the same, and the
// core learns of the transfer before it learns that they are gone.
func TestTransfer_PhoneHangsUpAtOnce(t *testing.T) {
	b := newBench(t, nil)
	p := b.deskphone()
	call, phone := b.talks(p)
	p.ask("REFER", "Refer-To: <sip:102@pbx.test>\r\n", "")
	p.get("SIP/2.0 202")
	p.ask("BYE", "", "")
	b.want(&acd.TransferAsked{Leg: phone})
	b.want(&acd.LegEnded{Leg: phone, Cause: acd.EndHangup})
	b.do(call, &acd.EndLeg{Leg: phone, Why: acd.EndTransferred})
	b.want(&acd.LegEnded{Leg: phone})
	b.do(call, &acd.Report{Leg: phone, Done: true})
	for got := ""; got != "SIP/2.0 200 OK"; {
		got = p.notified()
	}
	b.leave(call)
}

// The core refuses, most often because the call has changed meanwhile: the phone
// is told, and may ask again.
func TestTransfer_RefusedByTheCore(t *testing.T) {
	b := newBench(t, nil)
	p := b.deskphone()
	call, phone := b.talks(p)
	p.ask("REFER", "Refer-To: <sip:102@pbx.test>\r\n", "")
	p.get("SIP/2.0 202")
	asked := b.want(&acd.TransferAsked{Leg: phone})
	p.notified()
	p.ask("REFER", "Refer-To: <sip:601@pbx.test>\r\n", "")
	p.get("SIP/2.0 491") // one at a time
	b.board.Applied(acd.Entry{Event: asked}, nil)
	if got := p.notified(); got != "SIP/2.0 603 Decline" {
		t.Errorf("last report %q", got)
	}
	p.ask("REFER", "Refer-To: <sip:601@pbx.test>\r\n", "")
	b.want(&acd.TransferAsked{Leg: phone, To: acd.Target{Group: "support"}})
	p.notified()
	p.ask("BYE", "", "")
	b.want(&acd.LegEnded{Leg: phone})
	b.leave(call)
	p.notified()
}

// The caller is gone before the core has spoken: the phone is not left waiting.
func TestTransfer_CallerHangsUpMeanwhile(t *testing.T) {
	b := newBench(t, nil)
	p := b.deskphone()
	call, phone := b.talks(p)
	p.ask("REFER", "Refer-To: <sip:102@pbx.test>\r\n", "")
	b.want(&acd.TransferAsked{Leg: phone})
	p.notified()
	b.leave(call)
	b.do(call, &acd.EndLeg{Leg: phone})
	if got := p.notified(); got != "SIP/2.0 487 Request Terminated" {
		t.Errorf("last report %q", got)
	}
	p.reply(p.get("BYE "), "200 OK", "")
	b.want(&acd.LegEnded{Leg: phone})
}

// The log does not take the fact: the phone is refused at once.
func TestTransfer_LogRefusesTheFact(t *testing.T) {
	b := newBench(t, func(e acd.Event) error {
		if _, ok := e.(*acd.TransferAsked); ok {
			return errLegGone
		}
		return nil
	})
	p := b.deskphone()
	call, phone := b.talks(p)
	p.ask("REFER", "Refer-To: <sip:102@pbx.test>\r\n", "")
	p.get("SIP/2.0 503")
	p.ask("BYE", "", "")
	b.want(&acd.LegEnded{Leg: phone})
	b.leave(call)
}

// A caller cannot send their call to somebody else: not by the carrier's trunk,
// and so not by ours.
func TestTransfer_NotByTheCaller(t *testing.T) {
	b := newBench(t, nil)
	p := b.deskphone()
	p.call("221234567")
	call := b.want(&acd.CallArrived{}).(*acd.CallArrived).Leg
	b.do(call, &acd.Answer{})
	b.want(&acd.LegAnswered{Leg: call})
	p.to = line(p.get("SIP/2.0 200"), "To")
	p.seq-- // an ACK has the number of its INVITE
	p.ask("ACK", "", "")
	p.ask("REFER", "Refer-To: <sip:+48601234567@pbx.test>\r\n", "")
	p.get("SIP/2.0 403")
	p.ask("BYE", "", "")
	b.want(&acd.LegEnded{Leg: call, Cause: acd.EndHangup})
}
