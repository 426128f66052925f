package sim

import (
	"cmp"
	"slices"
	"time"

	"centrala/acd"
	"centrala/queuegroups"
)

// What is looked at again for safety: chats that wait (R25), and chats of those
// who are gone (R29).
var (
	sweep  = acd.DeadlineID{Kind: "sweep"}
	review = acd.DeadlineID{Kind: "review"}
)

func (n *naive) armOnce(id acd.DeadlineID, d time.Duration) {
	if _, armed := n.due[id]; !armed {
		n.arm(id, d)
	}
}

// asGroup: an open channel distributes as a group does. A chat is offered for as
// long as it may lie idle (R23), and waits for ever.
func asGroup(c queuegroups.Channel) queuegroups.Group {
	return queuegroups.Group{
		ID: acd.ChannelGroup(c.ID), Agents: c.Agents, Tiers: c.Tiers, Distribution: c.Distribution,
		Needs: c.Needs, Relax: c.Relax, Preferred: c.Preferred, Priority: c.Priority, WrapUp: c.WrapUp,
		DialLimit: cmp.Or(c.PassAfter, time.Minute), RingLength: cmp.Or(c.PassAfter, time.Minute), Rings: 1, Pickup: !c.NoPickup,
	}
}

// applyChat does with a fact about a chat what the rules say.
func (n *naive) applyChat(e acd.Event) {
	switch ev := e.(type) {
	case *acd.ChatArrived:
		n.chatArrived(ev)
	case *acd.ChatWritten:
		c, l := n.chatOf(ev.Leg)
		if c == nil {
			return
		}
		c.answers = l == c.other || ev.By != ""
		n.arm(ofCall("expire", c), cmp.Or(c.group.chat.AutoExpire, 7*24*time.Hour))
		look := c.group.chat.Monitor
		if c.phase == acd.PhaseClosing && !c.answers {
			c.phase, look = acd.PhaseTalking, true
			n.disarm(ofCall("closing", c))
		}
		if c.phase == acd.PhaseTalking {
			n.armSilence(c)
		}
		if c.phase == acd.PhaseTalking && !c.answers && look && !n.there(c.agent, c.group) { // R40
			n.chatBack(c)
			return
		}
		n.recount(c)
	case *acd.ChatClosed:
		c, l := n.chatOf(ev.Leg)
		if c == nil || c.phase == acd.PhaseClosing {
			return
		}
		c.closedBy = acd.CompletedByCaller
		if l == c.other {
			c.closedBy = acd.CompletedByAgent
		}
		if c.phase != acd.PhaseTalking {
			n.end(c, c.abandoned())
			return
		}
		n.closeChat(c)
	}
}

// closeChat: a chat that an agent has is closed, and may await its rating (R66).
func (n *naive) closeChat(c *nCall) {
	if c.group.chat.CloseDelay <= 0 {
		n.end(c, c.closedBy)
		return
	}
	c.phase = acd.PhaseClosing
	n.disarm(ofCall("silence", c))
	n.arm(ofCall("closing", c), c.group.chat.CloseDelay)
	n.wrapsUp(c.agent, c)
	n.recount(c)
}

// armSilence: an agent has the chat, and so long nobody may write (R67).
func (n *naive) armSilence(c *nCall) {
	if c.group.chat.AutoClose > 0 {
		n.arm(ofCall("silence", c), c.group.chat.AutoClose)
	} else {
		n.disarm(ofCall("silence", c))
	}
}

// silence: nobody has written to the agent, nor they (R67).
func (n *naive) silence(c *nCall) {
	c.closedBy = acd.CompletedByAgentSilence
	if c.answers {
		c.closedBy = acd.CompletedByCustomerSilence
	}
	n.closeChat(c)
}

// chatOf finds the chat of which the leg is an end.
func (n *naive) chatOf(id acd.LegID) (*nCall, *nLeg) {
	l := n.legs[id]
	if l == nil || l.call == nil || l.call.group.chat == nil || l != l.call.caller && l != l.call.other {
		return nil, nil
	}
	return l.call, l
}

func (n *naive) chatArrived(e *acd.ChatArrived) {
	if l := n.legs[e.Leg]; l != nil {
		n.rehome(l, e.Node)
		return
	}
	l := &nLeg{id: e.Leg, node: e.Node, state: nUp}
	n.legs[e.Leg] = l
	c := &nCall{
		id: acd.InteractionID(n.index), arrived: n.now, from: e.From.Number, to: string(e.Channel), caller: l,
		needs: map[queuegroups.SkillID]int{}, tried: map[queuegroups.AgentID]bool{},
	}
	g := n.group(acd.ChannelGroup(e.Channel))
	if g == nil || g.removed {
		n.refuse(c, acd.Rejected)
		return
	}
	l.call = c
	n.calls = append(n.calls, c)
	for _, s := range e.Needs {
		c.needs[s.ID] = max(c.needs[s.ID], s.Level)
	}
	n.enter(c, g)
	n.arm(ofCall("expire", c), cmp.Or(g.chat.AutoExpire, 7*24*time.Hour))
	n.armOnce(review, 24*time.Hour)
	if n.sleepsOver(c) {
		c.card = e.Responsible
		return
	}
	n.armUnanswered(c)
	if !n.prefer(c, e.Responsible) {
		n.enqueue(c)
	}
}

// hours: what waits for a calendar looks at it again.
func (n *naive) hours(id queuegroups.HoursID) {
	for _, g := range n.groups {
		if g.chat != nil && g.chat.Hours == id {
			n.awaken(g)
		}
	}
}

// awaken has those who wrote outside the hours into the queue once the channel
// opens; until then it is known when that will be.
func (n *naive) awaken(g *nGroup) {
	n.sort()
	asleep := false
	for _, c := range slices.Clone(n.calls) {
		if c.group != g || c.phase != acd.PhaseAsleep {
			continue
		}
		if !n.open(g.chat.Hours) {
			asleep = true
			continue
		}
		n.armUnanswered(c)
		card := c.card
		c.card = ""
		if c.answered || !n.prefer(c, card) {
			n.enqueue(c)
		}
	}
	id := acd.DeadlineID{Kind: "opening", Name: string(g.def.ID)}
	n.disarm(id)
	if !asleep {
		return
	}
	if f, is := n.forced[g.chat.Hours]; is {
		if !f.Until.IsZero() {
			n.due[id] = f.Until
		}
	} else if at, ok := n.config.HoursOf(g.chat.Hours).Next(n.now); ok {
		n.due[id] = at
	}
}

// recount: whether the chat counts against its agent's limits, as it stands now (R47).
func (n *naive) recount(c *nCall) {
	if c.group.chat == nil || c.other == nil {
		return
	}
	if c.other.state == nEnding || c.other.state == nGone {
		return
	}
	out := c.group.chat.Exclude
	closing := c.phase == acd.PhaseClosing
	c.other.free = closing && len(out) > 0 || c.answers && slices.Contains(out, queuegroups.ExcludeWaiting)
}

// chatBack: a chat that an agent has goes back into the queue.
func (n *naive) chatBack(c *nCall) {
	l := c.other
	l.call = nil
	c.agent, c.other, c.cursor = nil, nil, nil
	clear(c.tried)
	n.endLeg(l)
	n.disarm(ofCall("silence", c))
	n.armUnanswered(c)
	n.queueAgain(c)
}

// queueAgain: whoever comes back while the channel is closed waits for it to open.
func (n *naive) queueAgain(c *nCall) {
	if !n.sleepsOver(c) {
		n.enqueue(c)
	}
}

// sleepsOver: a chat that comes to wait while its channel is closed waits for it
// to open (R62).
func (n *naive) sleepsOver(c *nCall) bool {
	if !c.chat() || n.open(c.group.chat.Hours) {
		return false
	}
	c.let = true
	n.disarm(ofCall("unanswered", c))
	n.leaves(c, acd.PhaseAsleep)
	n.awaken(c.group)
	return true
}

func (n *naive) armUnanswered(c *nCall) {
	n.arm(ofCall("unanswered", c), cmp.Or(c.group.chat.UnansweredAfter, time.Minute))
}

// expired: nobody has written for too long (R30).
func (n *naive) expired(c *nCall) {
	switch {
	case c.phase == acd.PhaseClosing:
		n.end(c, c.closedBy)
	case !c.answered:
		n.end(c, acd.Missed)
	case c.answers:
		n.end(c, acd.CompletedByCustomerSilence)
	default:
		n.end(c, acd.CompletedByAgentSilence)
	}
}

// rehome: another node looks after the customer's end of a chat now. What the old
// one was to show is offered anew.
func (n *naive) rehome(l *nLeg, node acd.NodeID) {
	c := l.call
	if c == nil || !c.chat() || c.caller != l || l.node == node {
		return
	}
	l.node = node
	for _, o := range slices.Clone(c.offers) {
		n.close(o)
		n.forget(o)
		n.offerAnew(c)
	}
}

// offerAnew: an offer of a chat was lost with a node, and nobody is the worse for it.
func (n *naive) offerAnew(c *nCall) {
	if len(c.offers) > 0 || c.phase != acd.PhaseOffered || n.call(c.id) != c {
		return
	}
	c.phase = acd.PhaseQueued
	if c.kept == nil {
		n.round(c)
		n.enqueue(c)
	}
}

// keptLong: a call or chat has waited long enough for one agent; who is rung for
// it keeps their chance, but a chat is not left on an empty desk (R59).
func (n *naive) keptLong(c *nCall) {
	switch {
	case c.phase == acd.PhaseQueued:
		n.keptOver(c)
	case c.chat() && !n.there(c.kept, c.group):
		for _, o := range slices.Clone(c.offers) {
			n.withdraw(o)
		}
		n.after(c)
	}
}

// unanswered: nobody has answered the chat for too long (R24, R48, R49).
func (n *naive) unanswered(c *nCall) {
	if c.group.chat.NoAnswer.Kind != queuegroups.ChatRequeue {
		return
	}
	n.armUnanswered(c)
	for _, o := range slices.Clone(c.offers) {
		n.withdraw(o)
	}
	n.after(c)
}

// review looks at the chats of an agent whose presence changed (R29, R41 to R43).
func (n *naive) review(a *nAgent) {
	duty := n.dutyOf(a) == acd.DutyOn && !n.quiet(a)
	now := [5]bool{a.removed, duty, a.atClient(), a.duty == acd.DutyLeave, n.config.WorkTime.Tracked}
	if now != a.seen {
		a.seen = now
		n.reviewChats(a)
	}
}

func (n *naive) reviewChats(a *nAgent) {
	n.takeBack(a, func(o *nOffer) bool {
		if o.chat != nil && o.call.kept != nil {
			return !n.mayCall(o.call, a)
		}
		return o.chat != nil && !n.there(a, o.chat)
	})
	for _, l := range slices.Clone(a.legs) {
		c := l.call
		if c == nil || l.chat == nil || c.other != l || c.phase != acd.PhaseTalking {
			continue
		}
		if a.removed || a.duty == acd.DutyLeave || !c.answers && !n.there(a, c.group) {
			n.chatBack(c)
		}
	}
}

func (n *naive) reviewAll() {
	for _, a := range n.agents {
		if a.removed || a.duty == acd.DutyLeave {
			n.reviewChats(a)
		}
	}
	if slices.ContainsFunc(n.calls, func(c *nCall) bool { return c.group.chat != nil }) {
		n.arm(review, 24*time.Hour)
	}
}

// wake takes the chat from those that wait for the channel to open.
func (n *naive) wake(c *nCall) {
	if c.phase == acd.PhaseAsleep {
		c.phase = acd.PhaseQueued
		n.awaken(c.group)
	}
}
