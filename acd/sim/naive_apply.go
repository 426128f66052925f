package sim

import (
	"slices"

	"centrala/acd"
	"centrala/queuegroups"
)

// apply does with a fact what the rules say. due: the core's clock says that the
// deadline told of has passed; word of any other one is stale.
func (n *naive) apply(e acd.Entry, due bool) {
	n.index = e.Index
	if e.At.After(n.now) {
		n.now = e.At
	}
	switch ev := e.Event.(type) {
	case *acd.ConfigApplied:
		n.applyConfig(ev.Config)
	case *acd.NodeStarted:
		n.applyNode(ev.Node, ev.Online)
	case *acd.NodeLost:
		n.applyNode(ev.Node, nil)
	case *acd.AgentOnline:
		if a := n.agent(ev.Agent); a != nil {
			a.online[ev.Node] = true
			a.recovered()
		}
	case *acd.AgentOffline:
		if a := n.agent(ev.Agent); a != nil {
			n.unregister(a, ev.Node)
		}
	case *acd.CallArrived:
		n.applyArrived(ev)
	case *acd.LegEnded:
		n.applyLegEnded(n.legs[ev.Leg])
	case *acd.Bridged:
		if l := n.legs[ev.A]; l != nil && l.call != nil && l.call.caller == l &&
			l.call.phase == acd.PhaseConnecting && l.call.other.id == ev.B {
			l.call.phase = acd.PhaseTalking
		}
	case *acd.OfferRinging:
		if o := n.offers[ev.Offer]; o != nil && o.live {
			o.ringing = true
		}
	case *acd.OfferAnswered:
		n.applyAnswered(ev)
	case *acd.OfferFailed:
		n.applyFailed(ev)
	case *acd.DeadlinePassed:
		if due {
			n.applyDeadline(ev.Deadline)
		}
	}
	n.match()
	n.sweep()
}

func (a *nAgent) recovered() { a.misses, a.silent, a.resting = 0, false, false }

func (n *naive) applyConfig(c *queuegroups.Config) {
	n.config = c
	for _, a := range n.agents {
		a.removed = true
	}
	for _, def := range c.Agents {
		a := n.agent(def.ID)
		if a == nil {
			a = &nAgent{online: map[acd.NodeID]bool{}}
			n.agents = append(n.agents, a)
		}
		a.def, a.removed = def, false
	}
	for _, def := range c.Groups {
		n.groups[def.ID] = &def
	}
	for _, call := range n.calls { // who is being rung belongs to the round, if it is `all` from now on
		if call.phase == acd.PhaseOffered && n.groups[call.group].Distribution == queuegroups.All {
			for _, o := range call.offers {
				call.tried[o.agent] = true
			}
		}
	}
}

// sweep forgets agents who are no longer declared and have nothing left.
func (n *naive) sweep() {
	n.agents = slices.DeleteFunc(n.agents, func(a *nAgent) bool { return a.removed && a.refs == 0 })
}

func (n *naive) applyNode(node acd.NodeID, online []queuegroups.AgentID) {
	var mine []*nLeg
	for _, l := range n.legs {
		if l.node == node {
			mine = append(mine, l)
		}
	}
	for id, o := range n.offers {
		if o.node == node {
			if o.live {
				n.close(o)
			}
			n.forget(id)
		}
	}
	for _, l := range mine {
		l.ending = true
	}
	for _, callers := range []bool{true, false} { // the order matters to nobody but the end of the call
		for _, l := range mine {
			if (l.agent == nil) == callers {
				n.applyLegEnded(l)
			}
		}
	}
	for _, a := range slices.Clone(n.agents) {
		switch {
		case slices.Contains(online, a.def.ID):
			a.online[node] = true
		default:
			n.unregister(a, node)
		}
	}
}

func (n *naive) unregister(a *nAgent, node acd.NodeID) {
	if !a.online[node] {
		return
	}
	delete(a.online, node)
	if a.reachable() {
		return
	}
	for _, c := range n.calls {
		for _, o := range slices.Clone(c.offers) {
			if o.agent == a {
				n.close(o)
				n.again(c)
			}
		}
	}
}

func (n *naive) applyArrived(e *acd.CallArrived) {
	if n.legs[e.Leg] != nil {
		return
	}
	l := &nLeg{id: e.Leg, node: e.Node}
	n.legs[e.Leg] = l
	for _, number := range n.config.Numbers {
		if number.Number == e.To {
			l.call = &nCall{
				id: acd.InteractionID(n.index), arrived: n.now, group: number.Group, caller: l,
				phase: acd.PhaseQueued, tried: map[*nAgent]bool{},
			}
			n.calls = append(n.calls, l.call)
			return
		}
	}
	l.ending = true
}

// end finishes a call.
func (n *naive) end(c *nCall) {
	for len(c.offers) > 0 {
		n.close(c.offers[0])
	}
	if c.other != nil {
		c.agent.wrapUp = c.agent.wrapUp || n.groups[c.group].WrapUp > 0 && !c.agent.removed
		c.other.call, c.other.ending = nil, true
	}
	c.caller.call, c.caller.ending = nil, true
	n.calls = slices.DeleteFunc(n.calls, func(x *nCall) bool { return x == c })
}

// close takes a live offer from its call; its slot is not free yet.
func (n *naive) close(o *nOffer) {
	o.live = false
	o.call.offers = slices.DeleteFunc(o.call.offers, func(x *nOffer) bool { return x == o })
}

// again puts a call back to wait when the last of its offers came to nothing.
func (n *naive) again(c *nCall) {
	if c.phase != acd.PhaseOffered || len(c.offers) > 0 {
		return
	}
	c.phase = acd.PhaseQueued
	if n.groups[c.group].Distribution == queuegroups.All {
		c.cursor = nil
		clear(c.tried)
	}
}

func (n *naive) freeSlot(o *nOffer) {
	if o.slot {
		o.slot = false
		o.agent.slots--
	}
}

func (n *naive) forget(id acd.OfferID) {
	o := n.offers[id]
	n.freeSlot(o)
	o.agent.refs--
	delete(n.offers, id)
}

func (n *naive) applyLegEnded(l *nLeg) {
	if l == nil || n.legs[l.id] != l {
		return
	}
	delete(n.legs, l.id)
	if c := l.call; c != nil {
		switch {
		case l == c.caller || c.phase == acd.PhaseTalking:
			n.end(c)
		default: // the agent's, before the bridge
			n.missed(c.agent, n.groups[c.group], true)
			c.agent, c.other, c.phase = nil, nil, acd.PhaseQueued
		}
	}
	if l.slot {
		l.slot = false
		l.agent.slots--
	}
	if l.agent != nil {
		l.agent.refs--
	}
	if l.won != nil && n.offers[l.won.id] == l.won {
		n.forget(l.won.id)
	}
}

func (n *naive) missed(a *nAgent, g *queuegroups.Group, miss bool) {
	a.resting = true
	if !miss {
		a.misses = 0
		return
	}
	a.misses++
	if g.Misses > 0 && a.misses >= g.Misses {
		a.silent = true
	}
}

func (n *naive) applyAnswered(e *acd.OfferAnswered) {
	if n.legs[e.Leg] != nil {
		return
	}
	o := n.offers[e.Offer]
	l := &nLeg{id: e.Leg, node: e.Node}
	n.legs[e.Leg] = l
	if o == nil {
		l.ending = true
		return
	}
	l.agent = o.agent
	o.agent.refs++
	if !o.live {
		l.ending = true
		if o.slot {
			o.slot, l.slot = false, true
		}
		return
	}
	c := o.call
	n.close(o)
	o.slot, l.slot, o.leg, l.won, l.call = false, true, l, o, c
	o.agent.last = n.now
	o.agent.recovered()
	for len(c.offers) > 0 {
		n.close(c.offers[0])
	}
	c.agent, c.other, c.phase = o.agent, l, acd.PhaseConnecting
}

func (n *naive) applyFailed(e *acd.OfferFailed) {
	o := n.offers[e.Offer]
	if o == nil || o.leg != nil {
		return
	}
	if o.live {
		n.close(o)
		n.missed(o.agent, n.groups[o.call.group], e.Class != acd.FailBusy && e.Class != acd.FailDeclined)
		n.again(o.call)
	}
	n.forget(e.Offer)
}

func (n *naive) applyDeadline(d acd.DeadlineID) {
	switch d.Kind {
	case "offer":
		o := n.offers[acd.OfferID(d.N)]
		n.close(o)
		n.missed(o.agent, n.groups[o.call.group], true)
		n.again(o.call)
	case "slot":
		n.freeSlot(n.offers[acd.OfferID(d.N)])
	case "forget":
		n.forget(acd.OfferID(d.N))
	case "leg":
		n.applyLegEnded(n.legs[acd.LegID(d.Name)])
	case "legslot":
		l := n.legs[acd.LegID(d.Name)]
		l.slot = false
		l.agent.slots--
	case "maxwait":
		n.call(acd.InteractionID(d.N)).overdue = true
	case "rest":
		n.agent(queuegroups.AgentID(d.Name)).resting = false
	case "return":
		a := n.agent(queuegroups.AgentID(d.Name))
		a.silent = false
		a.misses--
	case "wrapup":
		n.agent(queuegroups.AgentID(d.Name)).wrapUp = false
	}
}
