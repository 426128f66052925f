package switchboard

import (
	"fmt"
	"testing"
	"time"

	"centrala/acd"
	"centrala/queuegroups"
)

// atDesk is anna with a phone, who may call some numbers outside and bartek.
func (b *bench) atDesk() {
	at := b.peer.stack.Addrs()[0].Addr
	b.board.SetConfig(&queuegroups.Config{
		Region: "PL",
		Agents: []queuegroups.Agent{
			{ID: "anna", Name: "Anna", Extension: "101", Contact: fmt.Sprintf("sip:anna@%v", at)},
			{ID: "bartek", Name: "Bartek", Extension: "102", Contact: fmt.Sprintf("sip:bartek@%v", at)},
			{ID: "celina", Name: "Celina", Extension: "103"},
		},
	})
}

// noCalls waits until no call is left.
func (b *bench) noCalls() {
	b.t.Helper()
	b.callsLeft(0)
}

// callsLeft waits until no more than n calls are left.
func (b *bench) callsLeft(n int) {
	b.t.Helper()
	for deadline := time.After(patience); b.board.Stats().Calls > n; {
		select {
		case <-deadline:
			b.t.Fatalf("%d calls, want %d", b.board.Stats().Calls, n)
		case <-time.After(time.Millisecond):
		}
	}
}

// An agent calls at their desk: their phone rings, and nothing else happens until it is picked up; then it is their call.
func TestCall_PhoneIsRungFirst(t *testing.T) {
	b := newBench(t, nil)
	b.atDesk()
	if b.board.Call("anna", "+442071234567") || b.board.Call("celina", "101") || b.board.Call("nobody", "101") {
		t.Error("called what may not be called, or without a phone")
	}
	if !b.board.Call("anna", "102") {
		t.Fatal("not called")
	}
	asked := b.want(&acd.CallAsked{Agent: "anna", To: "102"}).(*acd.CallAsked).Leg
	phone := b.peer.waitRung()
	if b.board.Call("anna", "102") {
		t.Error("called twice at a time")
	}
	if from := phone.From(); from.User != "102" || from.Name != "Bartek" {
		t.Errorf("the phone shows %v", from)
	}
	b.peer.answer(phone)
	arrived := b.want(&acd.CallArrived{Agent: "anna", To: "102"}).(*acd.CallArrived)
	own := arrived.Leg
	if arrived.Asked != asked {
		t.Errorf("comes of %q, asked for as %q", arrived.Asked, asked)
	}
	b.do(own, &acd.Alert{})
	b.do(own, &acd.Ring{Offer: 1, Agent: "bartek"})
	colleague := b.peer.waitRung()
	b.want(&acd.OfferRinging{Offer: 1})
	b.peer.answer(colleague)
	his := b.want(&acd.OfferAnswered{Offer: 1}).(*acd.OfferAnswered).Leg
	b.do(own, &acd.Bridge{A: own, B: his})
	b.want(&acd.LegAnswered{Leg: own})
	b.want(&acd.Bridged{A: own, B: his})
	b.peer.do(func() { phone.Hangup("") })
	b.want(&acd.LegEnded{Leg: own, Cause: acd.EndHangup})
	b.do(own, &acd.EndLeg{Leg: his})
	b.want(&acd.LegEnded{Leg: his, Cause: acd.EndByUs})
}

// Of a phone that is not picked up the core hears that it is over, and nothing is left behind; one that rings stops when the core refuses
// the call, one that was picked up already hears that, and is hung up.
func TestCall_ComesToNothing(t *testing.T) {
	b := newBench(t, nil)
	b.atDesk()
	if !b.board.Call("anna", "102") {
		t.Fatal("not called")
	}
	phone := b.peer.waitRung()
	asked := b.want(&acd.CallAsked{Agent: "anna", To: "102"}).(*acd.CallAsked).Leg
	b.peer.do(func() { phone.Reject(486, "") })
	b.want(&acd.LegEnded{Leg: asked, Cause: acd.EndCancel})
	b.noCalls()

	if !b.board.Call("anna", "102") {
		t.Fatal("not called")
	}
	asked = b.want(&acd.CallAsked{Agent: "anna", To: "102"}).(*acd.CallAsked).Leg
	b.peer.waitRung()
	b.do(asked, &acd.Reject{Reason: acd.RejectBusy})
	b.want(&acd.LegEnded{Leg: asked, Cause: acd.EndCancel})
	b.noCalls()

	if !b.board.Call("anna", "102") {
		t.Fatal("not called")
	}
	b.want(&acd.CallAsked{Agent: "anna", To: "102"})
	b.peer.answer(b.peer.waitRung())
	own := b.want(&acd.CallArrived{Agent: "anna", To: "102"}).(*acd.CallArrived).Leg
	b.do(own, &acd.Reject{Reason: acd.RejectBusy})
	b.want(&acd.LegEnded{Leg: own, Cause: acd.EndByUs})
}
