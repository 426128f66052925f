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
	case *acd.CallAsked:
		n.asked(ev)
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

// asked: the agent's own phone rings for a call of theirs.
func (n *naive) asked(e *acd.CallAsked) {
	a := n.agent(e.Agent)
	if a == nil || a.removed || n.legs[e.Leg] != nil {
		return
	}
	calls, _, _, _ := a.hands(nil)
	l := &nLeg{id: e.Leg, node: e.Node, agent: a, own: true, asked: true, slot: true}
	n.legs[l.id] = l
	a.legs = append(a.legs, l)
	if calls > 0 {
		n.endLeg(l)
	} else {
		n.arm(ofLeg("leg", l), 2*time.Minute)
	}
}

func (n *naive) arrived(e *acd.CallArrived) {
	asked := n.legs[e.Asked]
	if asked != nil && (!asked.asked || asked.agent.def.ID != e.Agent) {
		asked = nil
	}
	if l := n.legs[e.Leg]; l != nil && l != asked {
		return
	}
	if asked != nil {
		delete(n.legs, asked.id)
		n.disarm(ofLeg("leg", asked))
		n.freeLeg(asked)
	}
	l := &nLeg{id: e.Leg, node: e.Node}
	n.legs[e.Leg] = l
	c := &nCall{
		id: acd.InteractionID(n.index), arrived: n.now, from: e.From.Number, to: e.To, caller: l,
		needs: map[queuegroups.SkillID]int{}, tried: map[queuegroups.AgentID]bool{},
	}
	if a := n.agent(e.Agent); e.Agent != "" && a != nil && !a.removed {
		n.calls = append(n.calls, c)
		n.calledBy(c, a, e)
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
func (n *naive) calledBy(c *nCall, a *nAgent, e *acd.CallArrived) {
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
	case e.Group != "" && n.group(e.Group) != nil && n.group(e.Group).chat == nil: // a number of our own
		n.enter(c, n.group(e.Group))
		n.limitWait(c)
		n.enqueue(c)
	case e.Outside, e.Group == "" && len(c.to) > 1 && c.to[0] == '+':
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
	for _, k := range []acd.DeadlineKind{"maxwait", "serve", "stage", "parked", "unanswered", "expire", "silence", "closing"} {
		n.disarm(ofCall(k, c))
	}
	n.release(c)
	n.calls = without(n.calls, c)
	if c.other != nil {
		e.agent = c.agent.def.ID
		if c.phase != acd.PhaseClosing { // has had its own
			n.wrapsUp(c.agent, c)
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
	l.state, l.bridge, l.free = nEnding, "", false
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
			class := acd.FailUnreachable
			if cause == acd.EndHangup {
				class = acd.FailDeclined
			}
			n.missed(c.agent, c.group, class)
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
	if l.agent != nil {
		n.look(l.agent)
	}
}

func (n *naive) callerGone(c *nCall, cause acd.EndCause, hangup bool) {
	end := acd.Failed
	switch {
	case cause == lostWithNode:
		end = acd.Lost
	case !hangup:
	case c.phase == acd.PhaseTalking && c.agent.outside:
		end = acd.Forwarded
	case c.phase == acd.PhaseTalking, c.phase == acd.PhaseConsulting:
		end = acd.CompletedByCaller
	case c.phase == acd.PhaseClosing:
		end = c.closedBy
	default:
		end = c.abandoned()
	}
	n.end(c, end)
}

// abandoned is the end of who leaves before anybody has them.
func (c *nCall) abandoned() acd.EndKind {
	switch c.phase {
	case acd.PhaseQueued, acd.PhaseServed, acd.PhaseParked, acd.PhaseAsleep:
		return acd.AbandonedWaiting
	default:
		return acd.AbandonedRinging
	}
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
	if c.chat() {
		n.armUnanswered(c)
	}
	n.queueAgain(c)
}
