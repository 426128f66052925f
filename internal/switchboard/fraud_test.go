package switchboard

import (
	"strings"
	"testing"

	"centrala/acd"
	"centrala/queuegroups"
)

// Which numbers outside an agent gets by dialling them. What is denied is
// refused before the core hears of it, and counted.
func TestTollFraud_NotEntitled(t *testing.T) {
	const denied = ""
	for _, c := range []struct {
		class         queuegroups.CallClass
		dialled, want string
	}{
		{queuegroups.CallInternal, "601234567", denied},
		{queuegroups.CallInternal, "+442079460000", denied},
		{queuegroups.CallNational, "601234567", "+48601234567"},
		{queuegroups.CallNational, "0048601234567", "+48601234567"},
		{queuegroups.CallNational, "+48%20601%20234%20567", "+48601234567"},
		{queuegroups.CallNational, "+48601234567;phone-context=+44", "+48601234567"},
		{queuegroups.CallNational, "+442079460000", denied},
		{queuegroups.CallNational, "00442079460000", denied},
		{queuegroups.CallNational, "%2B442079460000", denied},
		{queuegroups.CallNational, "701234567", denied}, // premium rate
		{queuegroups.CallNational, "+881612345678", denied},
		{queuegroups.CallInternational, "+442079460000", "+442079460000"},
		{queuegroups.CallInternational, "+447012345678", denied}, // charged like premium rate
		{queuegroups.CallInternational, "+48701234567", denied},
		{queuegroups.CallAny, "+48701234567", "+48701234567"},
	} {
		t.Run(c.class.String()+" "+c.dialled, func(t *testing.T) {
			b := newBench(t, nil)
			config := team(b)
			config.Agents[1].Calls = c.class
			config.Trunks = []queuegroups.Trunk{{ID: "in"}, {ID: "out", Host: "192.0.2.1"}}
			b.agents(config)
			p := b.phone("bartek")
			p.dial(c.dialled)
			if c.want == denied {
				p.recv("SIP/2.0 403")
				p.ack()
				b.want(&acd.LegEnded{Cause: acd.EndByUs})
				if s := b.board.Stats(); s.Denied != 1 || s.Refused != 1 || s.Arrived != 0 {
					t.Errorf("%+v", s)
				}
				return
			}
			arrived := b.want(&acd.CallArrived{Agent: "bartek", To: c.want}).(*acd.CallArrived)
			b.do(arrived.Leg, &acd.Reject{Reason: acd.RejectNobody})
			p.recv("SIP/2.0 480")
			p.ack()
			b.want(&acd.LegEnded{Leg: arrived.Leg})
			if s := b.board.Stats(); s.Denied != 0 {
				t.Errorf("%+v", s)
			}
		})
	}
}

// A phone that sends its callers elsewhere (302) has declined: nobody is called
// at our cost because a phone says so.
func TestTollFraud_RedirectionByPhone(t *testing.T) {
	b := newBench(t, nil)
	p := b.deskphone()
	call, _ := b.arrive()
	b.do(call, &acd.Ring{Offer: 1, Agent: "anna", From: acd.Party{Number: "+48601000000"}, Group: "Sales"})
	p.reply(p.get("INVITE"), "302 Moved Temporarily\r\nContact: <sip:+48701234567@carrier.example>", "")
	b.want(&acd.OfferFailed{Offer: 1, Class: acd.FailDeclined, Code: 302})
	if n := b.board.stack.Stats().Outbound; n != 1 {
		t.Errorf("%d calls went out, want the one to the phone", n)
	}
	b.leave(call)
}

// An agent who may call nobody outside cannot send a caller there either, nor
// as often as they like; it is counted each time.
func TestTollFraud_TransferByREFER(t *testing.T) {
	b := newBench(t, nil)
	p := b.deskphone()
	config := b.board.config.Load()
	b.board.SetConfig(&queuegroups.Config{Region: "PL", Groups: config.Groups, Agents: []queuegroups.Agent{
		{ID: "anna", Contact: config.Agents[0].Contact, Calls: queuegroups.CallInternal},
	}})
	call, phone := b.talks(p)
	const tries = 50
	for range tries {
		p.ask("REFER", "Refer-To: <sip:+48601234567@pbx.test>\r\n", "")
		if got := p.get("SIP/2.0 "); !strings.HasPrefix(got, "SIP/2.0 403") {
			t.Fatalf("got %s", got)
		}
	}
	if n := b.board.Stats().Denied; n != tries {
		t.Errorf("%d counted", n)
	}
	p.ask("BYE", "", "")
	b.want(&acd.LegEnded{Leg: phone, Cause: acd.EndHangup})
	b.leave(call)
}
