package sim

import (
	"cmp"
	"slices"
	"time"

	"centrala/acd"
	"centrala/queuegroups"
)

// load is how much of what an agent has in hand counts (R47).
func (a *nAgent) load() int {
	calls, _, counted, _ := a.hands(nil)
	return calls + counted
}

// hands counts what an agent has in hand: calls, chats, and of these those that
// count, in all and of one channel (R47).
func (a *nAgent) hands(of *nGroup) (calls, chats, counted, here int) {
	chat := func(g *nGroup, free bool) {
		chats++
		if !free {
			counted++
			if g == of {
				here++
			}
		}
	}
	for _, o := range a.offers {
		if o.chat != nil {
			chat(o.chat, false)
		} else {
			calls++
		}
	}
	for _, l := range a.legs {
		if l.chat != nil {
			chat(l.chat, l.free)
		} else {
			calls++
		}
	}
	return calls, chats, counted, here
}

// room: the agent's limits leave room for one more of the group (R44 to R48d).
func (a *nAgent) room(g *nGroup) bool {
	calls, chats, counted, here := a.hands(g)
	c := a.def.Capacity
	switch {
	case g == nil || g.chat == nil:
		return calls < c.Voice && (chats == 0 || !c.NoCallsDuringChat)
	case chats >= 1000 || calls > 0 && !c.ChatsDuringCall:
		return false
	case g.def.Distribution == queuegroups.All: // R46
		return true
	}
	return counted < c.Chat && (g.chat.Limit == 0 || here < g.chat.Limit)
}

// there: presence and duty let the agent serve the group (R28 to R35).
func (n *naive) there(a *nAgent, g *nGroup) bool {
	duty := n.dutyOf(a) == acd.DutyOn && !n.quiet(a)
	switch {
	case a.removed:
		return false
	case g == nil || g.chat == nil:
		return duty && a.reachable()
	case a.duty == acd.DutyLeave || !duty && !g.chat.AnyDuty:
		return false
	}
	return g.chat.AnyPresence || n.config.WorkTime.Tracked && !g.chat.AnyDuty || a.atClient()
}

func (a *nAgent) atClient() bool {
	return slices.ContainsFunc(a.clients, func(c *nClient) bool { return c.open && !c.away })
}

func (n *naive) dutyOf(a *nAgent) acd.Duty {
	switch {
	case a.duty != "":
		return a.duty
	case n.config.WorkTime.Tracked:
		return acd.DutyOff
	}
	return acd.DutyOn
}

// registered: something of theirs can ring, whether they are at it or not.
func (a *nAgent) registered() bool {
	return len(a.phones) > 0 || a.def.Contact != "" || slices.ContainsFunc(a.clients, func(c *nClient) bool { return c.rings })
}

// reachable: something of theirs can ring, and they are at it.
func (a *nAgent) reachable() bool {
	return len(a.phones) > 0 || a.def.Contact != "" || slices.ContainsFunc(a.clients, func(c *nClient) bool { return c.rings && !c.away })
}

func (n *naive) quiet(a *nAgent) bool { return a.dnd && n.config.Presence.DNDBlocks }

// canTake: nothing keeps something of the group from the agent (R28); nil: a call.
func (n *naive) canTake(a *nAgent, g *nGroup) bool {
	switch {
	case !n.there(a, g) || a.wrapUp || !a.room(g):
		return false
	case g == nil || g.chat == nil:
		return a.resting == "" && !a.silent
	} // what a telephone does says nothing of chats (P18)
	return a.refused == "" && (a.next == nil || a.next.Duty == acd.DutyOn)
}

// status is what the agent is doing: calls first, then what keeps them from work,
// then chats.
func (n *naive) status(a *nAgent) acd.AgentStatus {
	live := func(ringing, chat bool) bool {
		return slices.ContainsFunc(a.offers, func(o *nOffer) bool {
			return o.live && (o.ringing || !ringing) && (o.chat != nil) == chat
		})
	}
	leg := func(f func(l *nLeg) bool) bool { return slices.ContainsFunc(a.legs, f) }
	calls, _, _, _ := a.hands(nil)
	switch duty := n.dutyOf(a); {
	case leg(func(l *nLeg) bool { return l.state == nUp && l.chat == nil }):
		return acd.Talking
	case live(true, false):
		return acd.Ringing
	case leg(func(l *nLeg) bool { return l.own && l.state < nUp }):
		return acd.BusyElsewhere
	case live(false, false):
		return acd.Reserved
	case a.wrapUp:
		return acd.WrapUp
	case a.removed:
		return acd.Dismissed
	case calls > 0:
		return acd.Reserved
	case duty == acd.DutyLeave:
		return acd.OnLeave
	case duty == acd.DutyOff:
		return acd.DayNotStarted
	case duty == acd.DutyBreak, n.quiet(a):
		return acd.OnBreak
	case !a.reachable() && !a.atClient():
		return acd.Offline
	case a.silent:
		return acd.NotResponding
	case a.resting == acd.FailBusy:
		return acd.BusyElsewhere
	case a.resting != "":
		return acd.BackingOff
	case leg(func(l *nLeg) bool { return l.state == nUp && l.chat != nil && !l.free && !l.closed() }):
		return acd.Talking
	case live(true, true):
		return acd.Ringing
	case live(false, true):
		return acd.Reserved
	}
	return acd.Available
}

// atWork: there to serve, if only busy.
func (n *naive) atWork(a *nAgent) bool {
	return slices.Contains([]acd.AgentStatus{
		acd.Available, acd.Reserved, acd.Ringing, acd.Talking, acd.WrapUp, acd.BackingOff, acd.BusyElsewhere,
	}, n.status(a))
}

func (a *nAgent) seatState(g *nGroup) acd.SeatState {
	return cmp.Or(a.places[g.def.ID].State, acd.SeatIn)
}

func (n *naive) eligible(t nSeat) bool {
	return t.agent.seatState(t.group) == acd.SeatIn && n.canTake(t.agent, t.group)
}

// working and pausing: the agent is there for the group, or will be.
func (n *naive) working(t nSeat) bool {
	return t.agent.seatState(t.group) == acd.SeatIn && n.serving(t)
}

func (n *naive) pausing(t nSeat) bool {
	state := t.agent.seatState(t.group)
	if t.group.chat != nil {
		return state != acd.SeatOut && !n.working(t) && (n.there(t.agent, t.group) || t.agent.duty == acd.DutyBreak)
	}
	return state != acd.SeatOut && n.status(t.agent) == acd.OnBreak || state == acd.SeatPaused && n.atWork(t.agent)
}

// serving: there for calls, or for the chats of the channel, which a telephone says
// nothing of.
func (n *naive) serving(t nSeat) bool {
	if t.group.chat != nil {
		return n.there(t.agent, t.group)
	}
	return n.atWork(t.agent)
}

// recovered ends every penalty.
func (n *naive) recovered(a *nAgent) {
	a.misses, a.silent, a.resting = 0, false, ""
	n.disarm(ofAgent("rest", a))
	n.disarm(ofAgent("return", a))
}

// missed leaves the agent alone after an offer that came to nothing (F14).
func (n *naive) missed(a *nAgent, g *nGroup, class acd.FailureClass) {
	if a.outside {
		return
	}
	if g.chat != nil {
		if class != acd.FailNoAnswer {
			a.refused = class
			n.arm(ofAgent("chatrest", a), map[bool]time.Duration{true: 10 * time.Second, false: 30 * time.Second}[class == acd.FailUnreachable])
		}
		return
	}
	a.misses++
	pause := g.def.Retry.Unreachable
	switch class {
	case acd.FailBusy:
		a.misses, pause = 0, g.def.Retry.Busy
	case acd.FailDeclined:
		a.misses, pause = 0, g.def.Retry.Declined
	case acd.FailNoAnswer:
		pause = g.def.Retry.NoAnswer
	default:
	}
	if a.misses > 0 && g.def.Misses > 0 && a.misses >= g.def.Misses {
		a.silent = true
		n.arm(ofAgent("return", a), 2*time.Minute)
	}
	a.resting = class
	n.arm(ofAgent("rest", a), max(pause, time.Second))
}

// wrapsUp begins the agent's work after a call.
func (n *naive) wrapsUp(a *nAgent, c *nCall) {
	g := c.group
	length := g.def.WrapUp
	if a.def.WrapUp != nil && g != n.nowhere {
		length = *a.def.WrapUp
	}
	if length > 0 && !a.removed && !a.outside {
		a.wrapUp, a.owes = true, nil
		n.arm(ofAgent("wrapup", a), length)
		if n.level >= 4 && g.def.DispositionRequired && !c.told[a.def.ID] {
			a.owes = c
		}
	}
}

// mustTell: the agent has yet to tell what came of a call of a group that requires it.
func (n *naive) mustTell(a *nAgent) bool {
	return a.owes != nil && slices.ContainsFunc(n.config.Groups, func(g queuegroups.Group) bool {
		return g.ID == a.owes.group.def.ID && g.DispositionRequired
	})
}

func (n *naive) applyDisposed(e *acd.Disposed) {
	a := n.agent(e.Agent)
	if a == nil || e.Code == "" {
		return
	}
	if a.owes != nil && a.owes.id == e.Interaction {
		a.owes = nil
	}
	if c := n.call(e.Interaction); c != nil {
		if c.told == nil {
			c.told = map[queuegroups.AgentID]bool{}
		}
		c.told[e.Agent] = true
	}
}

// takeBack withdraws offers that the agent has not answered.
func (n *naive) takeBack(a *nAgent, which func(o *nOffer) bool) {
	for _, o := range slices.Clone(a.offers) {
		if o.live && which(o) {
			n.withdraw(o)
			n.after(o.call)
		}
	}
}

// presence: with nothing left that could ring, what rings is taken back.
func (n *naive) presence(a *nAgent) {
	if !a.registered() {
		n.takeBack(a, ofCalls)
	}
}

// applyAgent does with a fact about an agent what the rules say.
func (n *naive) applyAgent(e acd.Event) {
	switch ev := e.(type) {
	case *acd.AgentOnline:
		if a := n.agent(ev.Agent); a != nil && known(ev.Client) {
			n.online(a, ev)
		}
	case *acd.AgentOffline:
		if a := n.agent(ev.Agent); a != nil && known(ev.Client) {
			n.offline(a, ev)
		}
	case *acd.ClientSeen:
		if a := n.agent(ev.Agent); a != nil && ev.Client != acd.ClientPhone && known(ev.Client) {
			n.seen(a, ev)
		}
	case *acd.DutySet:
		n.applyDuty(ev)
	case *acd.DNDSet:
		if a := n.agent(ev.Agent); a != nil && a.dnd != ev.On {
			a.dnd = ev.On
			if n.quiet(a) {
				n.takeBack(a, ofCalls)
			}
		}
	case *acd.WrapUpSet:
		a := n.agent(ev.Agent)
		switch {
		case a == nil || !a.wrapUp || ev.Extend < 0 || ev.Extend > time.Hour:
		case ev.Extend == 0 && (ev.By == "" || ev.By == ev.Agent) && n.mustTell(a):
		case ev.Extend > 0:
			n.due[ofAgent("wrapup", a)] = n.due[ofAgent("wrapup", a)].Add(ev.Extend)
		default:
			a.wrapUp, a.owes = false, nil
			n.disarm(ofAgent("wrapup", a))
		}
	case *acd.Disposed:
		n.applyDisposed(ev)
	case *acd.SeatSet:
		n.applySeat(ev)
	}
}

func (n *naive) applySeat(e *acd.SeatSet) {
	a, g := n.agent(e.Agent), n.group(e.Group)
	known := e.State == acd.SeatIn || e.State == acd.SeatOut || e.State == acd.SeatPaused
	if a == nil || g == nil || !known || a.seatState(g) == e.State && a.places[e.Group].Reason == e.Reason {
		return
	}
	delete(a.places, e.Group)
	if e.State != acd.SeatIn {
		a.places[e.Group] = *e
		n.takeBack(a, func(o *nOffer) bool { return o.call.group == g })
	}
}

func (n *naive) applyDuty(e *acd.DutySet) {
	a := n.agent(e.Agent)
	known := slices.Contains([]acd.Duty{acd.DutyOn, acd.DutyBreak, acd.DutyLeave, acd.DutyOff}, e.Duty)
	reasons := n.config.WorkTime.Breaks
	switch {
	case a == nil || !known || e.Duty == acd.DutyBreak && len(reasons) > 0 && !slices.Contains(reasons, e.Reason):
	case e.Next && (a.load() > 0 || a.wrapUp):
		a.next = e
	default:
		a.next = nil
		if n.dutyOf(a) == e.Duty && a.reason == e.Reason && !(e.Duty == acd.DutyOn && a.silent) {
			return
		}
		a.duty, a.reason = e.Duty, e.Reason
		if e.Duty == acd.DutyOn {
			n.recovered(a)
		} else {
			n.takeBack(a, ofCalls)
		}
	}
}

// ofCalls: what becomes of the chats of who is not there is looked at when all is
// known.
func ofCalls(o *nOffer) bool { return o.chat == nil }

func known(k acd.ClientKind) bool {
	return slices.Contains([]acd.ClientKind{acd.ClientPhone, acd.ClientBrowser, acd.ClientDesktop, acd.ClientMobile}, k)
}

func (n *naive) online(a *nAgent, e *acd.AgentOnline) {
	if e.Client == acd.ClientPhone {
		a.phones = append(without(a.phones, e.Node), e.Node)
	} else if c := n.client(a, e.Node, e.Client); !c.rings {
		c.rings = true
		n.uses(a, c)
	}
	n.recovered(a)
}

func (n *naive) offline(a *nAgent, e *acd.AgentOffline) {
	if e.Client == acd.ClientPhone {
		if slices.Contains(a.phones, e.Node) {
			a.phones = without(a.phones, e.Node)
			n.presence(a)
		}
		return
	}
	for _, c := range slices.Clone(a.clients) {
		if c.node == e.Node && c.kind == e.Client && c.rings {
			c.rings = false
			if !c.open {
				n.dropClient(a, c)
			}
			n.presence(a)
		}
	}
}

func (n *naive) client(a *nAgent, node acd.NodeID, kind acd.ClientKind) *nClient {
	for _, c := range a.clients {
		if c.node == node && c.kind == kind {
			return c
		}
	}
	c := &nClient{id: n.index, node: node, kind: kind}
	a.clients = append(a.clients, c)
	return c
}

func (n *naive) dropClient(a *nAgent, c *nClient) {
	n.disarm(ofClient(a, c))
	a.clients = without(a.clients, c)
}

// uses: the agent is at the client, until they have left it alone for too long
// (R37 to R39).
func (n *naive) uses(a *nAgent, c *nClient) {
	p := n.config.Presence
	limit := time.Duration(0)
	switch {
	case c.kind == acd.ClientBrowser:
		limit = cmp.Or(p.Browser, 15*time.Minute)
	case c.kind == acd.ClientDesktop:
		limit = cmp.Or(p.Desktop, 10*time.Minute)
	case c.hidden:
		limit = cmp.Or(p.Mobile, 5*time.Minute)
	}
	c.away = false
	n.disarm(ofClient(a, c))
	if limit > 0 {
		n.arm(ofClient(a, c), limit)
	}
}

func (n *naive) seen(a *nAgent, e *acd.ClientSeen) {
	if !slices.Contains([]acd.ClientState{acd.ClientUsed, acd.ClientMinimised, acd.ClientLocked, acd.ClientClosed}, e.State) {
		return
	}
	c := n.client(a, e.Node, e.Client)
	switch e.State {
	case acd.ClientUsed:
		c.open, c.hidden = true, false
		n.uses(a, c)
	case acd.ClientMinimised:
		first, before := !c.open, c.hidden
		c.open, c.hidden = true, true
		if !c.away && (first || c.kind == acd.ClientMobile && !before) {
			n.uses(a, c)
		}
	case acd.ClientLocked:
		c.open, c.away = true, true
		n.disarm(ofClient(a, c))
	case acd.ClientClosed:
		c.open = false
		if !c.rings {
			n.dropClient(a, c)
		}
	}
	n.presence(a)
}
