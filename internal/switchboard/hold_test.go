package switchboard

import (
	"bytes"
	"testing"

	"centrala/acd"
)

// Each end of a bridged call puts the other on hold, both do at once, and both
// take the call again: whoever is held hears music, and nobody else does.
func TestBoard_Hold(t *testing.T) {
	b := newBench(t, nil)
	call, leg := b.arrive()
	b.do(call, &acd.Ring{Offer: 1, Agent: "anna"})
	phone := b.peer.waitRung()
	b.want(&acd.OfferRinging{Offer: 1})
	b.peer.answer(phone)
	agent := b.want(&acd.OfferAnswered{Offer: 1}).(*acd.OfferAnswered).Leg
	b.do(call, &acd.Bridge{A: call, B: agent})
	b.want(&acd.LegAnswered{Leg: call})
	b.want(&acd.Bridged{A: call, B: agent})

	b.board.mu.Lock()
	c := b.board.calls[call]
	b.board.mu.Unlock()
	in := func(f func()) {
		t.Helper()
		done := make(chan struct{})
		c.box.Post(func() { defer close(done); f() })
		<-done
	}
	for _, step := range []struct {
		who           acd.LegID
		direction     string
		caller, agent bool // hears music
		told          bool // to the core
	}{
		{agent, "sendonly", true, false, true},
		{agent, "sendonly", true, false, false},
		{agent, "sendrecv", false, false, true},
		{call, "inactive", false, true, true},
		{agent, "sendonly", true, true, true},
		{call, "sendrecv", true, false, true}, // the agent still holds
		{agent, "sendrecv", false, false, true},
	} {
		in(func() {
			l := c.legByID(step.who)
			offer := bytes.ReplaceAll(l.sip.SDP(), []byte("a=sendrecv\r\n"), nil)
			if _, err := c.LegOffer(l.sip, append(bytes.Clone(offer), "a="+step.direction+"\r\n"...)); err != nil {
				t.Fatal(err)
			}
			if step.told {
				on := step.direction != "sendrecv"
				if e := b.want(&acd.Held{Leg: step.who, On: on}); e.(*acd.Held).On != on {
					t.Errorf("told of %s: %+v", step.direction, e)
				}
			}
			if caller, agent := c.caller.waits, c.legByID(agent).waits; caller != step.caller || agent != step.agent {
				t.Errorf("after %s of %s: the caller hears music: %v, the agent: %v", step.direction, step.who, caller, agent)
			}
		})
	}
	b.peer.do(func() { leg.Hangup("") })
	b.want(&acd.LegEnded{Leg: call, Cause: acd.EndHangup})
	b.do(call, &acd.EndLeg{Leg: agent})
	b.want(&acd.LegEnded{Leg: agent, Cause: acd.EndByUs})
}
