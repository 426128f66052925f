package sim

import (
	"slices"
	"time"

	"centrala/acd"
	"centrala/queuegroups"
)

func (n *naive) dial(c *nCall, number string) {
	n.leaves(c, acd.PhaseDialled)
	n.make(c, &nAgent{outside: true, def: queuegroups.Agent{Phone: number}}, 30*time.Second)
	c.rung = true
}

func (n *naive) ring(c *nCall, a *nAgent) {
	limit := c.group.def.DialLimit
	if limit <= 0 {
		limit = 10 * time.Second
	}
	n.make(c, a, limit)
	c.rung = true
}

// ringTime is how long a phone rings (R91).
func ringTime(g *nGroup) time.Duration {
	length := g.def.RingLength
	if length <= 0 {
		length = 5 * time.Second
	}
	return time.Duration(max(g.def.Rings, 1)) * length
}

// make makes an offer, of which the core will tell the name.
func (n *naive) make(c *nCall, a *nAgent, limit time.Duration) *nOffer {
	o := &nOffer{call: c, node: c.caller.node, agent: a, live: true, slot: true, until: n.now.Add(limit)}
	if c.group.chat != nil {
		o.chat = c.group
	}
	n.offers = append(n.offers, o)
	a.offers = append(a.offers, o)
	c.offers = append(c.offers, o)
	n.made = append(n.made, o)
	return o
}

// close takes a live offer from its call; its slot is not free yet.
func (n *naive) close(o *nOffer) {
	o.live = false
	o.call.offers = without(o.call.offers, o)
	n.disarm(ofOffer("offer", o))
}

// withdraw: phones are told to stop, and have two seconds for it.
func (n *naive) withdraw(o *nOffer) {
	n.close(o)
	n.arm(ofOffer("slot", o), 2*time.Second)
	n.arm(ofOffer("forget", o), time.Minute)
}

func (n *naive) freeOffer(o *nOffer) {
	if o.slot {
		o.slot = false
		o.agent.offers = without(o.agent.offers, o)
	}
	n.disarm(ofOffer("slot", o))
}

func (n *naive) forget(o *nOffer) {
	if !slices.Contains(n.offers, o) {
		return
	}
	n.freeOffer(o)
	n.offers = without(n.offers, o)
	n.disarm(ofOffer("offer", o))
	n.disarm(ofOffer("forget", o))
}

// after decides what becomes of a call when the last of its offers came to nothing.
func (n *naive) after(c *nCall) {
	g := c.group
	all := g.def.Distribution == queuegroups.All
	switch {
	case len(c.offers) > 0 || n.call(c.id) != c:
		return
	case c.phase == acd.PhaseConsulting && c.consult.leg == nil:
		n.consultOver(c)
		return
	case c.phase == acd.PhaseDialled && c.handed != nil:
		n.handFailed(c)
		return
	case c.phase == acd.PhaseDialled:
		n.proceed(c)
		return
	case c.phase != acd.PhaseOffered:
		return
	case c.kept != nil:
		n.keptOver(c)
		return
	}
	_, more := c.next(n.free(c))
	over := all || !more
	if all {
		n.round(c)
	}
	switch {
	case c.overdue:
		n.pastWaiting(c)
	case all && g.def.AllMissed == queuegroups.AllMissedEnd && n.circling(c):
		n.end(c, acd.Missed) // R99
	case over && !n.circling(c):
		n.proceed(c)
	default:
		n.enqueue(c)
	}
}

func (n *naive) answered(e *acd.OfferAnswered) {
	if n.legs[e.Leg] != nil {
		return
	}
	o := n.offer(e.Offer)
	l := &nLeg{id: e.Leg, node: e.Node, state: nUp}
	n.legs[e.Leg] = l
	if o == nil {
		n.endLeg(l)
		return
	}
	l.agent = o.agent
	switch {
	case !o.live:
		if o.slot {
			n.freeOffer(o)
			l.slot, l.chat = true, o.chat
			o.agent.legs = append(o.agent.legs, l)
		}
		n.endLeg(l)
	case o.call.phase == acd.PhaseConsulting:
		n.takes(o, l)
		l.call, o.call.consult.leg = o.call, l
		n.recovered(o.agent)
		o.call.other.bridge = l.id
	default:
		n.accept(o.call, o, l)
	}
}

// takes: the leg takes over the slot of the offer.
func (n *naive) takes(o *nOffer, l *nLeg) {
	n.close(o)
	n.freeOffer(o)
	o.won, l.won, l.slot, l.call, l.chat = true, o, true, o.call, o.chat
	o.agent.legs = append(o.agent.legs, l)
}

// accept gives the call to the agent; everybody else who is rung has lost.
func (n *naive) accept(c *nCall, o *nOffer, l *nLeg) {
	a := o.agent
	n.takes(o, l)
	if c.group != n.nowhere {
		a.last = n.now
	}
	if o.chat == nil {
		n.recovered(a)
	} else {
		a.refused = ""
		n.disarm(ofAgent("chatrest", a))
	}
	c.answered = true
	if n.remembers() && !a.outside && c.from != "" {
		n.talked[c.from] = a.def.ID
	}
	for len(c.offers) > 0 {
		n.withdraw(c.offers[0])
	}
	n.release(c)
	n.disarm(ofCall("maxwait", c))
	n.leaves(c, acd.PhaseConnecting)
	c.agent, c.other, c.overdue, c.handed = a, l, false, nil
	if c.group.chat != nil { // nothing is to be connected
		n.disarm(ofCall("unanswered", c))
		c.phase = acd.PhaseTalking
		n.armSilence(c)
		n.recount(c)
		return
	}
	n.music(c)
	c.caller.bridge = l.id
}

func (n *naive) failed(e *acd.OfferFailed) {
	o := n.offer(e.Offer)
	switch {
	case o == nil || o.won:
	case !o.live:
		n.forget(o)
	default:
		class := e.Class
		if !slices.Contains([]acd.FailureClass{acd.FailBusy, acd.FailDeclined, acd.FailNoAnswer}, class) {
			class = acd.FailUnreachable
		}
		n.close(o)
		n.forget(o)
		n.missed(o.agent, o.call.group, class)
		n.after(o.call)
	}
}
