package sim

import (
	"cmp"
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
	case *acd.Served:
		if l := n.legs[ev.Leg]; l != nil && l.call != nil && l.call.phase == acd.PhaseServed {
			if ev.Done {
				n.end(l.call)
			} else {
				n.proceed(l.call)
			}
		}
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
	old := n.agents
	for _, a := range old {
		a.removed = true
	}
	var agents []*nAgent
	for _, def := range c.Agents {
		a := n.agent(def.ID)
		if a == nil {
			a = &nAgent{online: map[acd.NodeID]bool{}}
		}
		a.def, a.removed = def, false
		agents = append(agents, a)
	}
	n.agents = append(agents, slices.DeleteFunc(slices.Clone(old), func(a *nAgent) bool { return !a.removed })...)
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
	slices.SortFunc(mine, func(a, b *nLeg) int { return cmp.Compare(a.id, b.id) })
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
	var mine []*nOffer
	for _, c := range n.calls {
		for _, o := range c.offers {
			if o.agent == a {
				mine = append(mine, o)
			}
		}
	}
	slices.SortFunc(mine, func(a, b *nOffer) int { return cmp.Compare(a.id, b.id) })
	for _, o := range mine {
		n.close(o)
		n.again(o.call)
	}
}

func (n *naive) applyArrived(e *acd.CallArrived) {
	if n.legs[e.Leg] != nil {
		return
	}
	l := &nLeg{id: e.Leg, node: e.Node}
	n.legs[e.Leg] = l
	for _, number := range n.config.Numbers {
		if h := n.config.HoursOf(number.Hours); number.Number == e.To && (h == nil || h.Open(n.now)) {
			l.call = &nCall{
				id: acd.InteractionID(n.index), arrived: n.now, group: number.Group, caller: l,
				tried: map[*nAgent]bool{}, credit: n.groups[number.Group].Priority,
			}
			n.enqueue(l.call)
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
		c.agent.wrapUp = c.agent.wrapUp || n.groups[c.group].WrapUp > 0 && !c.agent.removed && !c.agent.outside
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
	switch {
	case len(c.offers) > 0:
		return
	case c.phase == acd.PhaseDialled:
		n.proceed(c)
		return
	case c.phase != acd.PhaseOffered:
		return
	}
	g := n.groups[c.group]
	all := g.Distribution == queuegroups.All
	over := all || n.more(c, g, n.free(g)) == nil
	if all {
		c.cursor = nil
		clear(c.tried)
	}
	switch {
	case c.overdue:
		n.pastWaiting(c)
	case all && g.AllMissed == queuegroups.AllMissedEnd && n.circling(c):
		n.end(c)
	case over && !n.circling(c):
		n.proceed(c)
	default:
		n.enqueue(c)
	}
}

func (n *naive) enqueue(c *nCall) {
	n.queued++
	c.phase, c.turn = acd.PhaseQueued, n.queued
}

func (n *naive) action(c *nCall) queuegroups.Action {
	chain := n.groups[c.group].NoAnswer
	switch {
	case c.chain < len(chain):
		return chain[c.chain]
	case len(chain) == 0 && c.chain == 0:
		return queuegroups.Action{Kind: queuegroups.ActionWait}
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

// proceed does what the group's chain of no-answer actions says next.
func (n *naive) proceed(c *nCall) {
	a := n.action(c)
	if a.Kind == queuegroups.ActionWait {
		n.enqueue(c)
		return
	}
	c.chain++
	g := n.groups[c.group]
	switch a.Kind {
	case queuegroups.ActionAgent:
		if last := n.agent(g.Agents[len(g.Agents)-1]); last != nil && last.def.Phone != "" {
			n.dial(c, last.def.Phone)
			return
		}
	case queuegroups.ActionNumber:
		at := slices.IndexFunc(n.config.Numbers, func(x queuegroups.Number) bool { return x.Number == a.Number })
		if at < 0 {
			n.dial(c, a.Number)
			return
		}
		if n.move(c, n.config.Numbers[at].Group) {
			return
		}
	case queuegroups.ActionGroup:
		if n.move(c, a.Group) {
			return
		}
	case queuegroups.ActionVoicemail, queuegroups.ActionCallback:
		c.phase = acd.PhaseServed
		return
	default:
		n.end(c)
		return
	}
	n.proceed(c)
}

func (n *naive) move(c *nCall, g queuegroups.GroupID) bool {
	to := n.groups[g]
	if to == nil || c.hops >= 16 {
		return false
	}
	c.group, c.chain, c.hops, c.cursor, c.overdue, c.credit = g, 0, c.hops+1, nil, false, to.Priority
	clear(c.tried)
	n.enqueue(c)
	return true
}

func (n *naive) dial(c *nCall, number string) {
	c.phase = acd.PhaseDialled
	n.offer(c, &nAgent{outside: true, def: queuegroups.Agent{Phone: number}})
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
			outside := c.agent.outside
			c.agent, c.other = nil, nil
			if outside {
				n.proceed(c)
			} else {
				n.enqueue(c)
			}
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
	a.resting = !a.outside
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
	c.overdue = false
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
		c := n.call(acd.InteractionID(d.N))
		c.overdue = true
		if c.phase == acd.PhaseQueued {
			n.pastWaiting(c)
		}
	case "serve":
		n.proceed(n.call(acd.InteractionID(d.N)))
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
