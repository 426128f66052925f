package sim

import (
	"cmp"
	"slices"
	"time"

	"centrala/acd"
	"centrala/queuegroups"
)

// remembers: some group asks who talked to a customer last.
func (n *naive) remembers() bool {
	return slices.ContainsFunc(n.groups, func(g *nGroup) bool { return !g.removed && g.def.Preferred.Agent == queuegroups.PreferLast })
}

// prefer keeps a new call for its customer's agent, if they are at work (R58, R59).
func (n *naive) prefer(c *nCall, responsible queuegroups.AgentID) bool {
	p := c.group.def.Preferred
	a := n.agent(responsible)
	if p.Agent == queuegroups.PreferLast {
		a = n.agent(n.talked[c.from])
	}
	if p.Agent == queuegroups.PreferNobody || a == nil || !n.mayCall(c, a) {
		return false
	}
	n.keep(c, a, cmp.Or(p.Wait, 20*time.Second))
	return true
}

// keep has the call wait for one agent, and for nobody else.
func (n *naive) keep(c *nCall, a *nAgent, d time.Duration) {
	n.release(c)
	c.phase, c.kept = acd.PhaseQueued, a
	n.arm(ofCall("personal", c), d)
	if !n.mayCall(c, a) {
		n.keptOver(c)
		return
	}
	n.unsettle(c)
}

func (n *naive) release(c *nCall) {
	c.kept = nil
	n.disarm(ofCall("personal", c))
}

// keptOver: the one agent does not have it.
func (n *naive) keptOver(c *nCall) {
	n.release(c)
	if c.handed != nil {
		n.handFailed(c)
		return
	}
	n.requeue(c)
}

// requeue: back to the group; who is in none has nowhere to wait.
func (n *naive) requeue(c *nCall) {
	if c.group == n.nowhere {
		n.proceed(c)
		return
	}
	n.queueAgain(c)
}

// handFailed: nobody took what was transferred blindly (R100).
func (n *naive) handFailed(c *nCall) {
	by := n.agent(c.handed.by)
	switch policy := c.group.def.BlindTransferNoAnswer; {
	case policy == queuegroups.TransferEnds:
		n.end(c, acd.Missed)
	case policy != queuegroups.TransferQueue && !c.handed.returned && by != nil && n.mayCall(c, by):
		c.handed.returned = true
		n.keep(c, by, ringTime(c.group))
	default:
		c.handed = nil
		n.requeue(c)
	}
}

// held finds the call in which the agent with the leg talks; from level 3 on that
// may be one that the agent made.
func (n *naive) held(id acd.LegID, phase acd.Phase) *nCall {
	l := n.legs[id]
	if l == nil || l.call == nil || l.agent == nil || l.agent.outside || l.call.phase != phase {
		return nil
	}
	if l.call.other != l && (n.level < 3 || phase != acd.PhaseTalking) {
		return nil
	}
	return l.call
}

// turn: who was called is the customer from now on, and who called the agent.
func (c *nCall) turn() {
	c.caller, c.other = c.other, c.caller
	c.caller.bridge, c.other.bridge = "", ""
	c.from = c.caller.agent.def.Extension
	if c.caller.agent.outside {
		c.from = c.caller.agent.def.Phone
	}
	c.agent = c.other.agent
}

// turnTo has the agent with the leg be the one who has the customer.
func (c *nCall) turnTo(id acd.LegID) {
	if c.caller.id == id {
		c.turn()
	}
}

// target finds out whom a target means, by whom it may be named.
func (n *naive) target(to acd.Target, by *nAgent) (a *nAgent, g *nGroup, ok bool) {
	switch {
	case to.Agent != "":
		a = n.agent(to.Agent)
		return a, nil, a != nil && !a.removed && a != by
	case to.Group != "":
		g = n.group(to.Group)
		return nil, g, g != nil && !g.removed
	}
	return nil, nil, to.Number != ""
}

// applyMove does with a wish to have a call elsewhere what the rules say.
func (n *naive) applyMove(e acd.Event) {
	switch ev := e.(type) {
	case *acd.TransferAsked:
		if c := n.held(ev.Leg, acd.PhaseTalking); c != nil {
			by := n.legs[ev.Leg].agent
			a, g, ok := n.target(ev.To, by)
			if ok && c.fits(g, ev.To) {
				c.turnTo(ev.Leg)
				n.leaveTalk(c)
				c.handed = &nHanded{by: by.def.ID}
				n.sendTo(c, a, g, ev.To.Number)
			}
		}
	case *acd.Held:
		if l := n.legs[ev.Leg]; l != nil && l.state < nEnding && l.call != nil && l.call.group.chat == nil {
			l.held = ev.On
		}
	case *acd.ConsultAsked:
		if c := n.held(ev.Leg, acd.PhaseTalking); c != nil && c.group.chat == nil {
			n.consult(c, ev.Leg, ev.To)
		}
	case *acd.ConsultSwapped:
		c := n.held(ev.Leg, acd.PhaseConsulting)
		if c == nil || c.consult.leg == nil {
			return
		}
		c.consult.aside = !c.consult.aside
		if c.consult.aside {
			c.caller.bridge = c.other.id
		} else {
			c.other.bridge = c.consult.leg.id
		}
	case *acd.ConsultDone:
		if c := n.held(ev.Leg, acd.PhaseConsulting); c != nil {
			if ev.Connect {
				n.handOver(c)
			} else {
				n.consultOver(c)
			}
		}
	case *acd.Joined:
		n.joined(ev)
	case *acd.Claimed:
		n.claimed(ev)
	case *acd.Parked:
		c := n.held(ev.Leg, acd.PhaseTalking)
		taken := slices.ContainsFunc(n.calls, func(x *nCall) bool { return x.slot == ev.Slot })
		if c == nil || c.group.chat != nil || ev.Slot == "" || taken {
			return
		}
		c.turnTo(ev.Leg)
		c.slot, c.parkedBy = ev.Slot, c.agent.def.ID
		n.leaveTalk(c)
		n.leaves(c, acd.PhaseParked)
		n.arm(ofCall("parked", c), 10*time.Minute)
	case *acd.Moved:
		n.moved(ev)
	case *acd.Prioritised:
		if c := n.call(ev.Interaction); c != nil && (c.phase == acd.PhaseQueued || c.phase == acd.PhaseOffered) {
			c.credit, c.bonus = ev.Credit, ev.Credit-c.group.def.Priority
		}
	}
}

func (n *naive) sendTo(c *nCall, a *nAgent, g *nGroup, number string) {
	switch {
	case a != nil:
		n.keep(c, a, ringTime(c.group))
	case g != nil:
		c.handed = nil
		n.move(c, g)
	default:
		n.music(c)
		n.dial(c, number)
	}
}

// fits: calls and chats do not mix, and there is an end to going round.
func (c *nCall) fits(g *nGroup, to acd.Target) bool {
	if g != nil {
		return (g.chat != nil) == (c.group.chat != nil) && c.hops < 16
	}
	return to.Number == "" || c.group.chat == nil
}

// leaveTalk: the agent's part in the call is over.
func (n *naive) leaveTalk(c *nCall) {
	n.wrapsUp(c.agent, c)
	c.other.call = nil
	n.endLeg(c.other)
	c.agent, c.other, c.caller.bridge = nil, nil, ""
	if c.chat() {
		n.armUnanswered(c)
		n.disarm(ofCall("silence", c))
	}
	n.music(c)
}

func (n *naive) moved(e *acd.Moved) {
	c := n.call(e.Interaction)
	if c == nil || !slices.Contains([]acd.Phase{acd.PhaseQueued, acd.PhaseOffered, acd.PhaseParked, acd.PhaseAsleep}, c.phase) {
		return
	}
	a, g, ok := n.target(e.To, nil)
	if !ok || !c.fits(g, e.To) {
		return
	}
	for len(c.offers) > 0 {
		n.withdraw(c.offers[0])
	}
	n.release(c)
	n.unpark(c)
	n.wake(c)
	c.handed = nil
	n.sendTo(c, a, g, e.To.Number)
}

func (n *naive) unpark(c *nCall) {
	c.slot = ""
	n.disarm(ofCall("parked", c))
}

// parkedOver: nobody fetched it: it rings at theirs who parked it, if they can be
// rung, and goes to its group else.
func (n *naive) parkedOver(c *nCall) {
	by := n.agent(c.parkedBy)
	n.unpark(c)
	if by != nil && !by.removed && by.reachable() {
		n.keep(c, by, 30*time.Second)
		return
	}
	n.requeue(c)
}

// consult: the agent asks a colleague while the customer hears music (R101).
func (n *naive) consult(c *nCall, leg acd.LegID, to acd.Target) {
	by := n.legs[leg].agent
	a, g, ok := n.target(to, by)
	limit := c.group.def.DialLimit
	if limit <= 0 {
		limit = 10 * time.Second
	}
	switch {
	case !ok, g != nil && !c.fits(g, to):
		return
	case g != nil: // whom its distribution would choose, of all its tiers
		asked := &nCall{group: g, tier: len(g.def.Tiers)}
		free := slices.DeleteFunc(n.free(asked), func(t nSeat) bool { return t.agent == by })
		if len(free) == 0 {
			return
		}
		a = free[0].agent
	case a != nil:
		if a.removed || !a.reachable() || !a.room(nil) {
			return
		}
	default:
		a, limit = &nAgent{outside: true, def: queuegroups.Agent{Phone: to.Number}}, 30*time.Second
	}
	c.turnTo(leg)
	c.phase = acd.PhaseConsulting
	n.music(c)
	c.consult = &nConsult{agent: a, offer: n.make(c, a, limit)}
}

// consultOver: agent and customer hear each other again.
func (n *naive) consultOver(c *nCall) {
	x := c.consult
	c.consult = nil
	if x.offer.live {
		n.withdraw(x.offer)
	}
	if x.leg != nil {
		x.leg.call = nil
		n.endLeg(x.leg)
	}
	c.phase, c.other.bridge = acd.PhaseTalking, ""
	if x.leg == nil || !x.aside {
		c.caller.bridge = c.other.id
	}
}

// handOver: the colleague has it, or is rung for it from now on.
func (n *naive) handOver(c *nCall) {
	x, by := c.consult, c.agent
	c.consult = nil
	n.leaveTalk(c)
	switch {
	case x.leg != nil:
		c.agent, c.other, c.phase = x.agent, x.leg, acd.PhaseTalking
		c.caller.bridge = x.leg.id
	case x.agent.outside:
		c.handed = &nHanded{by: by.def.ID}
		n.leaves(c, acd.PhaseDialled)
	default:
		c.handed, c.kept, c.phase = &nHanded{by: by.def.ID}, x.agent, acd.PhaseOffered
		n.arm(ofCall("personal", c), ringTime(c.group))
	}
}

// joined: the agent connects the other sides of two calls of theirs.
func (n *naive) joined(e *acd.Joined) {
	c, own := n.held(e.Leg, acd.PhaseTalking), n.legs[e.With]
	if c == nil || c.group.chat != nil || own == nil || own.call == nil || own.call == c || own.agent != n.legs[e.Leg].agent {
		return
	}
	other := own.call
	by := own.agent
	talks := other.phase == acd.PhaseTalking
	called := other.other == own && talks && other.caller.agent != nil && n.level >= 3 // the colleague made the call
	if other.caller != own && !called || !talks && other.kept == nil {
		return
	}
	c.turnTo(e.Leg)
	if called {
		other.turn()
	}
	switch {
	case talks:
		b, leg := other.agent, other.other
		other.agent, other.other = nil, nil
		n.end(other, acd.CompletedByCaller)
		n.leaveTalk(c)
		leg.call = c
		c.agent, c.other, c.caller.bridge = b, leg, leg.id
	case other.kept != nil:
		b := other.kept
		n.end(other, acd.CompletedByCaller)
		n.leaveTalk(c)
		c.handed = &nHanded{by: by.def.ID}
		n.keep(c, b, ringTime(c.group))
	}
}

// claimed: an agent takes what rings, waits or is parked (R93).
func (n *naive) claimed(e *acd.Claimed) {
	if n.legs[e.Leg] != nil {
		return
	}
	l := &nLeg{id: e.Leg, node: e.Node, state: nUp}
	n.legs[e.Leg] = l
	a := n.agent(e.Agent)
	if a == nil || a.removed || a.duty == acd.DutyLeave {
		n.endLeg(l)
		return
	}
	if e.Kind == acd.ClaimLeg {
		n.takeOver(a, l, e)
		return
	}
	c := n.wanted(a, e)
	if c == nil || !a.room(c.group) || c.chat() && !n.mayCall(c, a) {
		n.endLeg(l)
		return
	}
	n.unpark(c)
	n.wake(c)
	n.takesAtOnce(c, a, l)
}

// takesAtOnce: an offer is made and answered in the same moment.
func (n *naive) takesAtOnce(c *nCall, a *nAgent, l *nLeg) {
	o := &nOffer{call: c, node: c.caller.node, agent: a, slot: true}
	if c.group.chat != nil {
		o.chat = c.group
	}
	n.offers = append(n.offers, o)
	a.offers = append(a.offers, o)
	l.agent = a
	n.accept(c, o, l)
}

// takeOver: a leg takes the place of another in a talk (RFC 3891).
func (n *naive) takeOver(a *nAgent, l *nLeg, e *acd.Claimed) {
	c := n.held(e.Of, acd.PhaseTalking)
	if c == nil || c.chat() {
		n.endLeg(l)
		return
	}
	old := n.legs[e.Of]
	by := old.agent
	if a != by && e.By != by.def.ID && (!n.picksUp(a, by, c) || !a.room(c.group)) {
		n.endLeg(l)
		return
	}
	c.turnTo(e.Of)
	if a != by {
		l.own = e.By == by.def.ID
		n.leaveTalk(c)
		n.takesAtOnce(c, a, l)
		return
	}
	n.freeLeg(old)
	old.call = nil
	n.endLeg(old)
	l.agent, l.own, l.slot, l.call = a, old.own, true, c
	a.legs = append(a.legs, l)
	c.other, c.caller.bridge = l, l.id
}

// picksUp: the agent may pick up what rings at the other's, or what they talk on.
func (n *naive) picksUp(a, from *nAgent, c *nCall) bool {
	serves := func(x *nAgent, g *nGroup) bool {
		return slices.ContainsFunc(g.seats, func(t nSeat) bool { return t.agent == x })
	}
	together := slices.ContainsFunc(n.groups, func(g *nGroup) bool { return g.def.Pickup && serves(a, g) && serves(from, g) })
	return c.group == n.nowhere && together || c.group.def.Pickup && serves(a, c.group)
}

func (n *naive) wanted(a *nAgent, e *acd.Claimed) *nCall {
	serves := func(x *nAgent, g *nGroup) bool {
		return slices.ContainsFunc(g.seats, func(t nSeat) bool { return t.agent == x })
	}
	n.sort()
	switch e.Kind {
	case acd.ClaimGroup:
		for _, c := range n.calls {
			named := e.Group == "" && c.group.chat == nil || c.group.def.ID == e.Group
			if c.phase == acd.PhaseOffered && named && c.group.def.Pickup && serves(a, c.group) {
				return c
			}
		}
	case acd.ClaimAgent:
		from := n.agent(e.From)
		if from == nil || from == a {
			return nil
		}
		for _, o := range from.offers {
			c := o.call
			if o.live && o.chat == nil && c.phase == acd.PhaseOffered && n.picksUp(a, from, c) {
				return c
			}
		}
	case acd.ClaimInteraction:
		c := n.call(e.Interaction)
		switch {
		case c == nil:
		case c.phase == acd.PhaseParked:
			return c
		case (c.phase == acd.PhaseQueued || c.phase == acd.PhaseOffered || c.phase == acd.PhaseAsleep) && c.group.def.Pickup && serves(a, c.group):
			return c
		}
	case acd.ClaimParked:
		for _, c := range n.calls {
			if c.phase == acd.PhaseParked && c.slot == e.Slot {
				return c
			}
		}
	case acd.ClaimLeg: // see takeOver
	}
	return nil
}
