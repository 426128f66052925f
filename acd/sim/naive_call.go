package sim

import (
	"slices"
	"time"

	"centrala/acd"
	"centrala/queuegroups"
)

// lostWithNode is the cause of the end of a leg that went down with its node.
const lostWithNode acd.EndCause = "lost"

// applyCall does with a fact about a call what the rules say.
func (n *naive) applyCall(e acd.Event) {
	switch ev := e.(type) {
	case *acd.CallArrived:
		n.arrived(ev)
	case *acd.LegAnswered:
		if l := n.legs[ev.Leg]; l != nil && l.state == nAnswering {
			l.state = nUp
		}
	case *acd.LegEnded:
		n.legOver(n.legs[ev.Leg], ev.Cause)
	case *acd.Bridged:
		l := n.legs[ev.A]
		if l == nil || l.call == nil || l.bridge == "" || l.bridge != ev.B {
			return
		}
		l.bridge = ""
		if l.call.caller == l {
			l.state = nUp
		}
		if l.call.phase == acd.PhaseConnecting {
			l.call.phase = acd.PhaseTalking
		}
	case *acd.OfferRinging:
		if o := n.offer(ev.Offer); o != nil && o.live && !o.ringing {
			o.ringing = true
			if o.chat == nil { // a chat's time runs from the offer (R23)
				n.arm(ofOffer("offer", o), ringTime(o.call.group))
			}
		}
	case *acd.OfferAnswered:
		n.answered(ev)
	case *acd.OfferFailed:
		n.failed(ev)
	case *acd.Served:
		l := n.legs[ev.Leg]
		switch {
		case l == nil || l.call == nil || l.call.phase != acd.PhaseServed:
		case !ev.Done:
			n.disarm(ofCall("serve", l.call))
			n.proceed(l.call)
		case l.call.service == queuegroups.ActionCallback:
			n.end(l.call, acd.CallbackTaken)
		default:
			n.end(l.call, acd.Voicemail)
		}
	}
}

func (n *naive) arrived(e *acd.CallArrived) {
	if n.legs[e.Leg] != nil {
		return
	}
	l := &nLeg{id: e.Leg, node: e.Node}
	n.legs[e.Leg] = l
	c := &nCall{
		id: acd.InteractionID(n.index), arrived: n.now, from: e.From.Number, to: e.To, caller: l,
		needs: map[queuegroups.SkillID]int{}, tried: map[queuegroups.AgentID]bool{},
	}
	if a := n.agent(e.Agent); e.Agent != "" && a != nil && !a.removed {
		n.calls = append(n.calls, c)
		n.calledBy(c, a)
		return
	}
	number := n.number(e.To)
	switch {
	case e.Agent != "" || number == nil || n.group(number.Group) == nil:
		n.refuse(c, acd.Rejected)
		return
	case !n.open(number.Hours) && len(number.Closed) == 0:
		n.refuse(c, acd.ClosedHours)
		return
	}
	l.call = c
	n.calls = append(n.calls, c)
	for _, s := range slices.Concat(number.Needs, e.Needs) {
		c.needs[s.ID] = max(c.needs[s.ID], s.Level)
	}
	c.bonus = number.Priority
	n.enter(c, n.group(number.Group))
	if !n.open(number.Hours) {
		c.via = "closed"
		n.proceed(c)
		return
	}
	n.limitWait(c)
	if !n.prefer(c, e.Responsible) {
		n.enqueue(c)
	}
}

// refuse: the call never becomes one.
func (n *naive) refuse(c *nCall, end acd.EndKind) {
	c.caller.call = nil
	n.endLeg(c.caller)
	n.ended = append(n.ended, nEnd{id: c.id, end: end})
}

// calledBy: a call by an agent, to a colleague, a group, or outside.
func (n *naive) calledBy(c *nCall, a *nAgent) {
	l := c.caller
	l.call, l.agent, l.own, l.slot = c, a, true, true
	a.legs = append(a.legs, l)
	colleague, group := n.config.ByExtension(c.to)
	switch {
	case colleague != nil && colleague.ID != a.def.ID:
		n.enter(c, n.nowhere)
		b := n.agent(colleague.ID)
		if !n.mayCall(c, b) || !b.room(nil) {
			n.end(c, acd.Nobody)
			return
		}
		n.keep(c, b, 30*time.Second)
	case group != nil:
		n.enter(c, n.group(group.ID))
		n.limitWait(c)
		n.enqueue(c)
	case len(c.to) > 1 && c.to[0] == '+':
		n.enter(c, n.nowhere)
		n.dial(c, c.to)
	default:
		n.calls = without(n.calls, c)
		n.refuse(c, acd.Rejected)
	}
}

// enter begins the call's time in a group.
func (n *naive) enter(c *nCall, g *nGroup) {
	c.group, c.entered, c.credit = g, n.now, g.def.Priority+c.bonus
	c.via, c.chain, c.remedied, c.cursor, c.overdue = "", 0, 0, nil, false
	clear(c.tried)
	n.disarm(ofCall("stage", c))
}

func (n *naive) limitWait(c *nCall) {
	n.disarm(ofCall("maxwait", c))
	if w := c.group.def.MaxWait; w > 0 {
		n.arm(ofCall("maxwait", c), w)
	}
}

func (n *naive) enqueue(c *nCall) {
	c.phase = acd.PhaseQueued
	n.advance(c)
	n.unsettle(c)
}

func (n *naive) unsettle(c *nCall) {
	if !c.waits {
		c.waits = true
		n.unsettled = append(n.unsettled, c)
	}
}

// leaves: the call waits no more, and nobody is rung for it.
func (n *naive) leaves(c *nCall, p acd.Phase) {
	c.phase = p
	n.disarm(ofCall("stage", c))
}

// end finishes a call.
func (n *naive) end(c *nCall, end acd.EndKind) {
	e := nEnd{id: c.id, end: end}
	for len(c.offers) > 0 {
		n.withdraw(c.offers[0])
	}
	for _, k := range []acd.DeadlineKind{"maxwait", "serve", "stage", "parked", "unanswered", "expire", "closing"} {
		n.disarm(ofCall(k, c))
	}
	n.release(c)
	n.calls = without(n.calls, c)
	if c.other != nil {
		e.agent = c.agent.def.ID
		if c.phase != acd.PhaseClosing { // has had its own
			n.wrapsUp(c.agent, c.group)
		}
		c.other.call = nil
		n.endLeg(c.other)
	}
	if c.consult != nil && c.consult.leg != nil {
		c.consult.leg.call = nil
		n.endLeg(c.consult.leg)
	}
	c.caller.call = nil
	n.endLeg(c.caller)
	n.ended = append(n.ended, e)
}

// endLeg asks for the end of a leg, once.
func (n *naive) endLeg(l *nLeg) {
	if l.state == nEnding || l.state == nGone {
		return
	}
	l.state, l.bridge = nEnding, ""
	n.arm(ofLeg("leg", l), time.Minute)
	if l.slot {
		n.arm(ofLeg("legslot", l), 2*time.Second)
	}
}

// legOver: a leg has ended.
func (n *naive) legOver(l *nLeg, cause acd.EndCause) {
	if l == nil || n.legs[l.id] != l {
		return
	}
	if c := l.call; c != nil {
		hangup := cause == acd.EndHangup || cause == acd.EndCancel
		l.state = nGone
		switch {
		case l == c.caller:
			n.callerGone(c, cause, hangup)
		case l == c.other && c.phase == acd.PhaseClosing:
			n.end(c, c.closedBy)
		case l == c.other && c.group.chat != nil:
			n.chatBack(c)
		case l == c.other && c.phase == acd.PhaseConsulting:
			n.handOver(c)
		case l == c.other && c.phase == acd.PhaseTalking:
			switch {
			case cause == lostWithNode:
				n.end(c, acd.Lost)
			case c.agent.outside:
				n.end(c, acd.Forwarded)
			case hangup:
				n.end(c, acd.CompletedByAgent)
			default:
				n.end(c, acd.Failed)
			}
		case l == c.other: // before the bridge: the caller goes back, with their arrival
			a := c.agent
			c.agent, c.other, c.caller.bridge = nil, nil, ""
			n.missed(a, c.group, acd.FailUnreachable)
			if a.outside {
				n.proceed(c)
			} else {
				n.requeue(c)
			}
		case c.consult != nil && c.consult.leg == l:
			n.consultOver(c)
		}
	}
	l.state = nGone
	delete(n.legs, l.id)
	if l.won != nil {
		n.forget(l.won)
	}
	n.disarm(ofLeg("leg", l))
	n.freeLeg(l)
}

func (n *naive) callerGone(c *nCall, cause acd.EndCause, hangup bool) {
	end := acd.AbandonedRinging
	switch {
	case cause == lostWithNode:
		end = acd.Lost
	case !hangup:
		end = acd.Failed
	case c.phase == acd.PhaseTalking && c.agent.outside:
		end = acd.Forwarded
	case c.phase == acd.PhaseTalking, c.phase == acd.PhaseConsulting:
		end = acd.CompletedByCaller
	case c.phase == acd.PhaseClosing:
		end = c.closedBy
	case c.phase == acd.PhaseQueued, c.phase == acd.PhaseServed, c.phase == acd.PhaseParked, c.phase == acd.PhaseAsleep:
		end = acd.AbandonedWaiting
	}
	n.end(c, end)
}

func (n *naive) freeLeg(l *nLeg) {
	if l.slot {
		l.slot = false
		l.agent.legs = without(l.agent.legs, l)
	}
	n.disarm(ofLeg("legslot", l))
}

// actions is the chain that the call follows.
func (n *naive) actions(c *nCall) []queuegroups.Action {
	switch c.via {
	case "full":
		return c.group.def.Full
	case "closed":
		if number := n.number(c.to); number != nil {
			return number.Closed
		}
		return nil
	case everybodyBusy:
		return c.group.def.Unavailable.Busy
	case allOnBreak:
		return c.group.def.Unavailable.OnBreak
	case nobodyThere:
		return c.group.def.Unavailable.LoggedOut
	}
	if len(c.group.def.NoAnswer) == 0 {
		return []queuegroups.Action{{Kind: queuegroups.ActionWait}}
	}
	return c.group.def.NoAnswer
}

func (n *naive) action(c *nCall) queuegroups.Action {
	if chain := n.actions(c); c.chain < len(chain) {
		return chain[c.chain]
	}
	return queuegroups.Action{Kind: queuegroups.ActionHangup}
}

func (n *naive) circling(c *nCall) bool { return n.action(c).Kind == queuegroups.ActionWait }

func (n *naive) pastWaiting(c *nCall) {
	for n.circling(c) {
		c.chain++
	}
	n.proceed(c)
}

// proceed does what the chain says next (R92 to R102).
func (n *naive) proceed(c *nCall) {
	n.release(c)
	a := n.action(c)
	if a.Kind == queuegroups.ActionWait {
		n.enqueue(c)
		return
	}
	c.chain++
	switch a.Kind {
	case queuegroups.ActionAgent:
		if list := c.group.def.Agents; len(list) > 0 {
			if last := n.agent(list[len(list)-1]); last != nil && last.def.Phone != "" {
				n.dial(c, last.def.Phone)
				return
			}
		}
	case queuegroups.ActionNumber:
		number := n.number(a.Number)
		if number == nil {
			n.dial(c, a.Number)
			return
		}
		if n.overflow(c, number.Group) {
			return
		}
	case queuegroups.ActionGroup:
		if n.overflow(c, a.Group) {
			return
		}
	case queuegroups.ActionVoicemail, queuegroups.ActionCallback:
		n.leaves(c, acd.PhaseServed)
		c.service = a.Kind
		n.disarm(ofCall("maxwait", c))
		n.arm(ofCall("serve", c), 10*time.Minute)
		n.music(c)
		return
	default:
		n.end(c, n.hungUp(c))
		return
	}
	n.proceed(c)
}

func (n *naive) hungUp(c *nCall) acd.EndKind {
	switch {
	case c.via == "full":
		return acd.QueueFull
	case c.via == "closed":
		return acd.ClosedHours
	case c.overdue, c.rung:
		return acd.Missed
	}
	return acd.Nobody
}

// overflow: to another group, if there is one and the call has not been to too many.
func (n *naive) overflow(c *nCall, id queuegroups.GroupID) bool {
	g := n.group(id)
	if g == nil || c.hops >= 16 {
		return false
	}
	n.move(c, g)
	return true
}

// move: the arrival is kept (R97).
func (n *naive) move(c *nCall, g *nGroup) {
	c.hops++
	n.enter(c, g)
	n.limitWait(c)
	n.enqueue(c)
}

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
	n.recovered(a)
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
