package switchboard

import (
	"centrala/acd"
)

// This file holds what is asked of a call from a desk, not by its phones. Each
// returns once the call's actor has done it, and false where it could not be:
// the leg is gone, or is not of this node, or not in a state for that.

// HangUp ends a leg. Whoever has it counts as the one who hung up, where it is an agent's.
func (b *Board) HangUp(id acd.LegID) bool {
	return b.within(id, func(c *call) bool {
		l := c.legByID(id)
		if l == nil {
			return false
		}
		l.hungUp = l.agent != "" || l.offer != nil && l.offer.agent != ""
		l.sip.Hangup("")
		return true
	})
}

// Hold has whom the agent's leg is bridged with hear music, and the agent
// nothing; or has them hear each other again.
func (b *Board) Hold(agent acd.LegID, on bool) bool {
	return b.within(agent, func(c *call) bool {
		l := c.legByID(agent)
		if l == nil || l.with == nil {
			return false
		}
		l.holds = on
		c.arrange(l)
		b.tellHold(l)
		return true
	})
}

// Held tells whether the agent's leg holds whom it is bridged with, by itself or by Hold.
func (b *Board) Held(agent acd.LegID) (held bool) {
	b.within(agent, func(c *call) bool {
		l := c.legByID(agent)
		held = l != nil && l.with != nil && l.holding()
		return true
	})
	return held
}

// Decline ends the ringing of an offer of the call, as if its agent had declined it on the phone.
func (b *Board) Decline(id acd.LegID, offer acd.OfferID) bool {
	return b.within(id, func(c *call) bool {
		o := c.offers[offer]
		if o == nil || o.answered || o.cancelled {
			return false
		}
		o.declined = true
		c.hangupPhones(o, "")
		return true
	})
}

// within runs f in the mailbox of the call that has the leg.
func (b *Board) within(id acd.LegID, f func(*call) bool) bool {
	c := b.holder(id)
	if c == nil {
		return false
	}
	done := make(chan bool, 1)
	if !c.box.Post(func() {
		ok := false
		defer func() { done <- ok }() // also where a fault ends the call
		ok = f(c)
	}) {
		return false
	}
	return <-done
}
