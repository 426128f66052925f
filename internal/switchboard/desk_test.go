package switchboard

import (
	"testing"

	"centrala/acd"
)

// talking brings a call so far that anna talks, and returns both legs.
func (b *bench) talking() (call, agent acd.LegID) {
	b.t.Helper()
	call, _ = b.arrive()
	b.do(call, &acd.Ring{Offer: 1, Agent: "anna"})
	phone := b.peer.waitRung()
	b.want(&acd.OfferRinging{Offer: 1})
	b.peer.answer(phone)
	agent = b.want(&acd.OfferAnswered{Offer: 1}).(*acd.OfferAnswered).Leg
	b.do(call, &acd.Bridge{A: call, B: agent})
	b.want(&acd.LegAnswered{Leg: call})
	b.want(&acd.Bridged{A: call, B: agent})
	return call, agent
}

// At their desk an agent holds the caller, who hears music while the agent hears
// nothing, takes the call again, and hangs up: they did that, not the server.
func TestDesk_HoldAndHangUp(t *testing.T) {
	b := newBench(t, nil)
	id, agent := b.talking()
	waits := func() (caller, own bool) {
		b.board.within(id, func(c *call) bool { caller, own = c.caller.waits, c.legByID(agent).waits; return true })
		return caller, own
	}
	if b.board.Held(agent) || !b.board.Hold(agent, true) || !b.board.Held(agent) {
		t.Error("not held")
	}
	b.want(&acd.Held{Leg: agent, On: true})
	if caller, own := waits(); !caller || own {
		t.Errorf("held: the caller hears music: %v, the agent: %v", caller, own)
	}
	if !b.board.Hold(agent, false) || b.board.Held(agent) {
		t.Error("still held")
	}
	b.want(&acd.Held{Leg: agent})
	if caller, own := waits(); caller || own {
		t.Errorf("taken again: the caller hears music: %v, the agent: %v", caller, own)
	}
	if b.board.Hold(id+"x", true) || b.board.HangUp("nobody") {
		t.Error("done to a leg that is not there")
	}
	if !b.board.HangUp(agent) {
		t.Error("not hung up")
	}
	b.want(&acd.LegEnded{Leg: agent, Cause: acd.EndHangup})
	if !b.board.HangUp(id) {
		t.Error("the caller not hung up")
	}
	b.want(&acd.LegEnded{Leg: id, Cause: acd.EndByUs})
}

// An agent declines at their desk: the phone stops ringing, and it counts as declined.
func TestDesk_Decline(t *testing.T) {
	b := newBench(t, nil)
	call, leg := b.arrive()
	b.do(call, &acd.Ring{Offer: 1, Agent: "anna"})
	b.peer.waitRung()
	b.want(&acd.OfferRinging{Offer: 1})
	if b.board.Decline(call, 2) {
		t.Error("an offer that is not there was declined")
	}
	if !b.board.Decline(call, 1) {
		t.Error("not declined")
	}
	b.want(&acd.OfferFailed{Offer: 1, Class: acd.FailDeclined})
	if b.board.Decline(call, 1) {
		t.Error("declined twice")
	}
	b.peer.do(func() { leg.Hangup("") })
	b.want(&acd.LegEnded{Leg: call})
}
