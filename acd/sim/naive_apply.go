package sim

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"centrala/acd"
	"centrala/queuegroups"
)

// apply does with a fact what the rules say. due: the core's clock says that the
// deadline told of has passed; word of any other one is stale.
func (n *naive) apply(e acd.Entry, due bool) {
	n.index, n.made, n.ended = e.Index, nil, nil
	if e.At.After(n.now) {
		n.now = e.At
	}
	switch ev := e.Event.(type) {
	case *acd.DeadlinePassed:
		if due {
			n.disarm(ev.Deadline)
			n.applyDeadline(ev.Deadline)
		}
	case *acd.ConfigApplied:
		n.applyConfig(ev.Config)
	case *acd.LevelRaised:
		if ev.Level > n.level && ev.Level <= acd.LevelMax {
			n.level = ev.Level
		}
	case *acd.HoursForced:
		n.applyHours(ev)
	case *acd.NodeStarted:
		n.applyNode(ev.Node, ev.Online)
	case *acd.NodeLost:
		n.applyNode(ev.Node, nil)
	default:
		n.applyAgent(e.Event)
		n.applyCall(e.Event)
		n.applyMove(e.Event)
		n.applyChat(e.Event)
	}
	n.sweep()
	n.settle()
	n.sweep()
	n.watch()
}

func (n *naive) applyDeadline(d acd.DeadlineID) {
	a := n.agent(queuegroups.AgentID(d.Name))
	switch d.Kind {
	case "offer":
		o := n.offer(acd.OfferID(d.N))
		class := acd.FailUnreachable
		if o.ringing || o.chat != nil {
			class = acd.FailNoAnswer
		}
		n.missed(o.agent, o.call.group, class)
		n.withdraw(o)
		n.after(o.call)
	case "slot":
		n.freeOffer(n.offer(acd.OfferID(d.N)))
	case "forget":
		n.forget(n.offer(acd.OfferID(d.N)))
	case "leg":
		n.legOver(n.legs[acd.LegID(d.Name)], acd.EndFailed)
	case "legslot":
		n.freeLeg(n.legs[acd.LegID(d.Name)])
	case "maxwait":
		n.waitedOut(n.call(acd.InteractionID(d.N)))
	case "stage":
		n.stage(n.call(acd.InteractionID(d.N)))
	case "personal":
		n.keptLong(n.call(acd.InteractionID(d.N)))
	case "condition":
		n.conditionLasts(n.group(queuegroups.GroupID(d.Name)))
	case "hours":
		delete(n.forced, queuegroups.HoursID(d.Name))
		n.hours(queuegroups.HoursID(d.Name))
	case "parked":
		n.parkedOver(n.call(acd.InteractionID(d.N)))
	case "serve":
		n.proceed(n.call(acd.InteractionID(d.N)))
	case "unanswered":
		n.unanswered(n.call(acd.InteractionID(d.N)))
	case "expire":
		n.expired(n.call(acd.InteractionID(d.N)))
	case "silence":
		n.silence(n.call(acd.InteractionID(d.N)))
	case "closing":
		c := n.call(acd.InteractionID(d.N))
		n.end(c, c.closedBy)
	case "opening":
		n.awaken(n.group(queuegroups.GroupID(d.Name)))
	case "sweep":
		if slices.ContainsFunc(n.calls, func(c *nCall) bool { return c.group.chat != nil && c.phase == acd.PhaseQueued && c.kept == nil }) {
			n.arm(sweep, 2*time.Minute)
		}
	case "review":
		n.reviewAll()
	case "rest":
		a.resting = ""
	case "chatrest":
		a.refused = ""
	case "return":
		a.silent = false
		a.misses--
	case "wrapup":
		a.wrapUp, a.owes = false, nil
	case "client":
		for _, c := range a.clients {
			if c.id == d.N {
				c.away = true
				n.presence(a)
				return
			}
		}
	}
}

// applyConfig makes another configuration the one in force: who and what is not
// declared any more stays until it is done.
func (n *naive) applyConfig(c *queuegroups.Config) {
	n.config = c
	var agents []*nAgent
	for _, def := range c.Agents {
		a := n.agent(def.ID)
		if a == nil {
			a = &nAgent{places: map[queuegroups.GroupID]acd.SeatSet{}}
		}
		a.def, a.removed = def, false
		agents = append(agents, a)
	}
	for _, a := range n.agents {
		if !slices.Contains(agents, a) {
			a.removed = true
			agents = append(agents, a)
		}
	}
	n.agents = agents
	var groups []*nGroup
	declare := func(def queuegroups.Group, chat *queuegroups.Channel) {
		g := n.group(def.ID)
		if g == nil {
			g = &nGroup{cond: nobodyThere, since: n.now}
		}
		g.def, g.chat, g.removed = def, chat, false
		groups = append(groups, g)
	}
	for _, def := range c.Groups {
		declare(def, nil)
	}
	for _, chat := range c.Channels {
		declare(asGroup(chat), &chat)
	}
	for _, g := range n.groups {
		if !slices.Contains(groups, g) {
			g.removed = true
			groups = append(groups, g)
		}
	}
	n.groups = groups
	for _, g := range n.groups {
		n.seat(g)
	}
	for _, call := range n.calls {
		n.reckon(call)
	}
	n.attend()
	if n.level >= 2 {
		n.unlisted()
	}
	n.watch()
	for _, g := range n.groups { // the grace may be another one
		n.disarm(acd.DeadlineID{Kind: "condition", Name: string(g.def.ID)})
		if g.chat != nil {
			n.awaken(g)
		}
		if n.remedy(g) != nil && !g.removed {
			n.arm(acd.DeadlineID{Kind: "condition", Name: string(g.def.ID)}, max(0, g.since.Add(g.def.Unavailable.Grace).Sub(n.now)))
		}
	}
}

// seat gives the agents who are listed their places, tier by tier.
func (n *naive) seat(g *nGroup) {
	g.seats = nil
	lists := [][]queuegroups.AgentID{g.def.Agents}
	for _, t := range g.def.Tiers {
		lists = append(lists, t.Agents)
	}
	place := 0
	for tier, list := range lists {
		for _, id := range list {
			if a := n.agent(id); a != nil {
				g.seats = append(g.seats, nSeat{a, g, tier, place})
			}
			place++
		}
	}
}

// reckon finds out what waiting means for a call under a new configuration.
func (n *naive) reckon(c *nCall) {
	n.recount(c)
	c.relaxed, c.tier = 0, 0
	if c.phase != acd.PhaseQueued && c.phase != acd.PhaseOffered {
		return
	}
	n.advance(c)
	if c.phase == acd.PhaseOffered && c.group.def.Distribution == queuegroups.All { // who is rung belongs to the round
		for _, o := range c.offers {
			c.tried[o.agent.def.ID] = true
		}
	}
}

// unlisted takes offers back from those who do not serve the group any more: but
// a call that is theirs personally, or a colleague's question, is not the group's.
func (n *naive) unlisted() {
	for _, a := range n.agents {
		n.takeBack(a, func(o *nOffer) bool {
			listed := slices.ContainsFunc(o.call.group.seats, func(t nSeat) bool { return t.agent == a })
			return a.removed || !listed && o.call.kept == nil && o.call.phase == acd.PhaseOffered
		})
	}
}

// sweep forgets what is no longer declared and has nothing left to do.
func (n *naive) sweep() {
	for _, a := range slices.Clone(n.agents) {
		if !a.removed || n.named(a) {
			continue
		}
		for _, k := range []acd.DeadlineKind{"rest", "chatrest", "return", "wrapup"} {
			n.disarm(ofAgent(k, a))
		}
		for _, c := range a.clients {
			n.disarm(ofClient(a, c))
		}
		n.agents = without(n.agents, a)
		for _, g := range n.groups {
			g.seats = slices.DeleteFunc(g.seats, func(t nSeat) bool { return t.agent == a })
		}
	}
	for _, g := range slices.Clone(n.groups) {
		if g.removed && !slices.ContainsFunc(n.calls, func(c *nCall) bool { return c.group == g }) {
			n.disarm(acd.DeadlineID{Kind: "condition", Name: string(g.def.ID)})
			n.disarm(acd.DeadlineID{Kind: "opening", Name: string(g.def.ID)})
			n.groups = without(n.groups, g)
		}
	}
}

// named: an offer, a leg or a waiting call names the agent.
func (n *naive) named(a *nAgent) bool {
	for _, o := range n.offers {
		if o.agent == a {
			return true
		}
	}
	for _, l := range n.legs {
		if l.agent == a {
			return true
		}
	}
	return slices.ContainsFunc(n.calls, func(c *nCall) bool { return c.kept == a })
}

func (n *naive) applyHours(e *acd.HoursForced) {
	known := e.State == acd.HoursAuto || e.State == acd.HoursOpen || e.State == acd.HoursClosed
	past := e.State != acd.HoursAuto && !e.Until.IsZero() && !e.Until.After(n.now)
	if n.config.HoursOf(e.Hours) == nil || !known || past {
		return
	}
	id := acd.DeadlineID{Kind: "hours", Name: string(e.Hours)}
	n.disarm(id)
	delete(n.forced, e.Hours)
	if e.State != acd.HoursAuto {
		n.forced[e.Hours] = *e
		if !e.Until.IsZero() {
			n.due[id] = e.Until
		}
	}
	n.hours(e.Hours)
}

func (n *naive) open(id queuegroups.HoursID) bool {
	if f, is := n.forced[id]; is {
		return f.State == acd.HoursOpen
	}
	h := n.config.HoursOf(id)
	return h == nil || h.Open(n.now)
}

// applyNode: all legs, offers and registrations of a node are gone; the phones
// that it tells of are there anew.
func (n *naive) applyNode(node acd.NodeID, online []queuegroups.AgentID) {
	var gone []*nLeg
	for _, l := range n.legs {
		customer := l.call != nil && l.call.caller == l && l.call.group.chat != nil
		if l.node == node && !customer { // a customer who writes is not gone with the node
			l.state = nGone
			gone = append(gone, l)
		}
	}
	slices.SortFunc(gone, func(a, b *nLeg) int { return cmp.Compare(a.id, b.id) })
	for _, o := range slices.Clone(n.offers) {
		if o.node == node {
			if o.live {
				n.close(o)
			}
			n.forget(o)
			if o.chat != nil {
				n.offerAnew(o.call)
			}
			n.look(o.agent)
		}
	}
	first := map[*nLeg]bool{}
	for _, l := range gone {
		first[l] = l.agent == nil || l.call != nil && l.call.caller == l || l.call == nil && l.own
	}
	for _, callers := range []bool{true, false} {
		for _, l := range gone {
			if callers == first[l] {
				n.legOver(l, lostWithNode)
			}
		}
	}
	for _, a := range slices.Clone(n.agents) {
		here := slices.Contains(online, a.def.ID)
		had := slices.Contains(a.phones, node)
		for _, c := range slices.Clone(a.clients) {
			if c.node == node {
				n.dropClient(a, c)
				had = true
			}
		}
		a.phones = without(a.phones, node)
		if here {
			a.phones = append(a.phones, node)
		}
		if here || had {
			n.presence(a)
		}
	}
}

// waitedOut: the caller has waited as long as they may. Whoever is being rung for
// them keeps their chance.
func (n *naive) waitedOut(c *nCall) {
	c.overdue = true
	if c.phase == acd.PhaseQueued {
		n.release(c)
		n.pastWaiting(c)
	}
}

// skills writes needs as the core does.
func skills(needs map[queuegroups.SkillID]int) string {
	out := ""
	for _, id := range slices.Sorted(maps.Keys(needs)) {
		if out != "" {
			out += " "
		}
		out += string(id) + ">=" + string(rune('0'+needs[id]))
	}
	return out
}
