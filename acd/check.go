package acd

import (
	"errors"
	"fmt"
	"slices"

	"centrala/queuegroups"
)

// Check verifies the invariants of the state between two entries; nil: they all
// hold. It recounts everything in the plainest way, so it is slow: for tests, the
// simulator and a doubtful snapshot.
func (s *State) Check() error {
	var all []error
	bad := func(format string, args ...any) { all = append(all, fmt.Errorf(format, args...)) }
	for _, id := range sortedKeys(s.interactions) {
		s.checkInteraction(s.interactions[id], bad)
	}
	for _, id := range sortedKeys(s.offers) {
		s.checkOffer(s.offers[id], bad)
	}
	for _, id := range sortedKeys(s.legs) {
		l := s.legs[id]
		if (l.state == legEnding || l.onlyAsked()) && !s.deadlines.armed(DeadlineID{Kind: deadlineLeg, Name: string(id)}) {
			bad("leg %s ends without a deadline", id)
		}
		if l.state != legEnding && !l.onlyAsked() && s.interactions[l.of] == nil {
			bad("leg %s is up, its interaction %d is over", id, l.of)
		}
	}
	for _, a := range s.agentOrder {
		s.checkAgent(a, bad)
	}
	for _, g := range s.groupOrder {
		s.checkGroup(g, bad)
	}
	ended := uint64(len(s.interactions))
	for _, end := range sortedKeys(s.counters.Ended) {
		ended += s.counters.Ended[end]
	}
	if ended != s.counters.Interactions { // entered = in progress + ended
		bad("%d interactions came, %d are accounted for", s.counters.Interactions, ended)
	}
	if len(s.deadlines.heap) != len(s.deadlines.byID) {
		bad("%d deadlines armed, %d known", len(s.deadlines.heap), len(s.deadlines.byID))
	}
	return errors.Join(all...)
}

// checkInteraction: it is in exactly one place, and its legs and offers agree.
func (s *State) checkInteraction(i *interaction, bad func(string, ...any)) {

	waiting := i.lane != nil && i.lane.waiting[i.tier].has(i.key())
	open := i.lane != nil && i.lane.open[i.tier].has(i.key())
	personally := i.personal != nil && i.personal.personal.has(i.key())
	all := i.group.def.Distribution == queuegroups.All
	if want := i.phase == PhaseQueued && i.personal == nil; waiting != want {
		bad("interaction %d is %s, among the waiting: %v", i.id, i.phase, waiting)
	}
	if want := i.phase == PhaseQueued && i.personal != nil; personally != want {
		bad("interaction %d is %s, among those who wait for one agent: %v", i.id, i.phase, personally)
	}
	if i.personal != nil && i.phase != PhaseQueued && i.phase != PhaseOffered {
		bad("interaction %d is %s and still kept for %s", i.id, i.phase, i.personal.def.ID)
	}
	if (i.lane != nil) != (i.phase == PhaseQueued || i.phase == PhaseOffered) {
		bad("interaction %d is %s, in a lane: %v", i.id, i.phase, i.lane != nil)
	}
	if (waiting || open) && requirement(i.need()) != i.lane.name {
		bad("interaction %d needs %s and is in the lane %q", i.id, requirement(i.need()), i.lane.name)
	}
	if want := i.phase == PhaseOffered && all && i.personal == nil; open != want {
		bad("interaction %d is %s, open to more agents: %v", i.id, i.phase, open)
	}
	asked := i.phase == PhaseConsulting && i.consult.leg == nil
	if (len(i.offers) > 0) != (i.phase == PhaseOffered || i.phase == PhaseDialled || asked) {
		bad("interaction %d is %s with %d live offers", i.id, i.phase, len(i.offers))
	}
	if !all && len(i.offers) > 1 && !s.wasAll(i) {
		bad("interaction %d has %d live offers", i.id, len(i.offers))
	}
	if armed := s.deadlines.armed(DeadlineID{Kind: deadlineServe, N: uint64(i.id)}); armed != (i.phase == PhaseServed) {
		bad("interaction %d is %s, with a limit to being served: %v", i.id, i.phase, armed)
	}
	if (i.phase == PhaseConsulting) != (i.consult != nil) || i.consult != nil && i.consult.leg != nil && s.legs[i.consult.leg.id] != i.consult.leg {
		bad("interaction %d is %s without a colleague", i.id, i.phase)
	}
	if (i.phase == PhaseParked) != (i.slot != "") || i.slot != "" && s.slots[i.slot] != i || i.slot != "" && !s.deadlines.armed(DeadlineID{Kind: deadlineParked, N: uint64(i.id)}) {
		bad("interaction %d is %s in the slot %q", i.id, i.phase, i.slot)
	}
	if rings := i.group.ringing.has(i.key()); rings != (i.phase == PhaseOffered) {
		bad("interaction %d is %s, among the ringing: %v", i.id, i.phase, rings)
	}
	if i.isChat() {
		s.checkChat(i, bad)
	}
	talks := i.phase == PhaseConnecting || i.phase == PhaseTalking || i.phase == PhaseConsulting || i.phase == PhaseClosing
	if talks != (i.agent != nil) || talks != (i.other != nil) {
		bad("interaction %d is %s, answered by an agent: %v", i.id, i.phase, i.agent != nil)
	}
	if talks && (s.legs[i.other.id] != i.other || !i.other.slot || i.other.agent != i.agent) {
		bad("interaction %d has lost hold of the agent's leg", i.id)
	}
	if s.legs[i.caller.id] != i.caller || i.caller.state == legEnding {
		bad("interaction %d goes on without its caller", i.id)
	}
	if i.phase == PhaseQueued && i.caller.state == legOffered && !i.direct() {
		bad("interaction %d waits unanswered, without music", i.id)
	}
}

// wasAll: the group was `all` when the interaction was offered, before a reload.
func (s *State) wasAll(i *interaction) bool { return len(i.tried) > 0 }

// checkOffer: every offer ends, and holds a slot exactly while its phones may ring.
func (s *State) checkOffer(o *offer, bad func(string, ...any)) {
	armed := func(k DeadlineKind) bool { return s.deadlines.armed(DeadlineID{Kind: k, N: uint64(o.id)}) }
	switch {
	case o.outcome == "":
		if !o.slot || !armed(deadlineOffer) {
			bad("offer %d is live without a slot or a deadline", o.id)
		}
	case o.outcome == OutcomeAnswered:
		if o.slot || o.leg == nil || s.legs[o.leg.id] != o.leg {
			bad("offer %d was answered by a leg that is gone", o.id)
		}
	default:
		if !armed(deadlineForget) || o.slot != armed(deadlineSlot) {
			bad("offer %d is cancelled without a deadline", o.id)
		}
	}
}

// checkAgent: never above capacity; every state that keeps work away has a way out.
func (s *State) checkAgent(a *agent, bad func(string, ...any)) {
	for _, o := range a.offers {
		if !o.slot || o.agent != a || s.offers[o.id] != o {
			bad("%s holds offer %d, which does not hold them", a.def.ID, o.id)
		}
	}
	for _, l := range a.legs {
		if !l.slot || l.agent != a || s.legs[l.id] != l {
			bad("%s holds leg %s, which does not hold them", a.def.ID, l.id)
		}
		if l.state == legEnding && !s.deadlines.armed(DeadlineID{Kind: deadlineLegSlot, Name: string(l.id)}) {
			bad("%s is held by leg %s, which may never end", a.def.ID, l.id)
		}
	}
	given := a.calls // who dials while their phone rings has one more
	for _, l := range a.legs {
		if l.own {
			given--
		}
	}
	if given > max(a.def.Capacity.Voice, 0) && !a.removed && !a.lowered {
		bad("%s has %d calls at once, may have %d", a.def.ID, given, a.def.Capacity.Voice)
	}
	s.checkSlots(a, bad)
	armed := func(k DeadlineKind) bool { return s.deadlines.armed(DeadlineID{Kind: k, Name: string(a.def.ID)}) }
	if (a.resting != "") != armed(deadlineRest) || a.silent != armed(deadlineReturn) || a.wrapUp != armed(deadlineWrapUp) {
		bad("%s is left alone without an end", a.def.ID)
	}
	if a.owes != nil && !a.wrapUp {
		bad("%s has to tell of %d, and is in no wrap-up", a.def.ID, a.owes.Of)
	}
	if a.status != a.present(s) {
		bad("%s is %s, shown as %s", a.def.ID, a.present(s), a.status)
	}
	if ready := a.isReady(s.config); a.ready != ready {
		bad("%s is ready: %v, counts as ready: %v", a.def.ID, ready, a.ready)
	}
	if (a.chatRest != "") != armed(deadlineChatRest) {
		bad("%s is left alone with chats without an end", a.def.ID)
	}
	if a.next != nil && a.load() == 0 && !a.wrapUp {
		bad("%s is done and does not go on to %s", a.def.ID, a.next.Duty)
	}
	for _, c := range a.clients {
		if !c.open && !c.rings {
			bad("%s has a client at %s that is closed", a.def.ID, c.node)
		}
		if !c.away && s.limit(c) > 0 && !s.deadlines.armed(c.deadline(a)) {
			bad("%s is at a %s for ever", a.def.ID, c.kind)
		}
	}
	a.personal.each(func(i *interaction) bool {
		if s.mayTake(i, a) || !s.mayCall(i, a) {
			bad("%s is %s and interaction %d waits for them", a.def.ID, a.status, i.id)
		}
		return true
	})
	if a.removed && a.refs == 0 {
		bad("%s should have been dropped", a.def.ID)
	}
}

// checkSlots: what the agent has in hand is counted right.
func (s *State) checkSlots(a *agent, bad func(string, ...any)) {
	calls, open, chats := 0, 0, 0
	count := func(chat, excluded bool) {
		switch {
		case !chat:
			calls++
		case excluded:
			open++
		default:
			open++
			chats++
		}
	}
	for _, o := range a.offers {
		count(o.chat, false)
	}
	for _, l := range a.legs {
		count(l.chat, l.excluded)
		i := s.interactions[l.of]
		if want := i != nil && i.other == l && l.state == legUp && i.excluded(); l.excluded != want {
			bad("the chat of leg %s is excluded: %v, counts as that: %v", l.id, want, l.excluded)
		}
	}
	if calls != a.calls || open != a.open || chats != a.chats {
		bad("%s counts %d calls, %d chats, %d of them counted; there are %d, %d and %d", a.def.ID, a.calls, a.open, a.chats, calls, open, chats)
	}
	if a.seen != a.presenceKey() {
		bad("%s's chats have not been reviewed", a.def.ID)
	}
}

// checkChat: it ends some time, and waits for its channel to open only while that is closed.
func (s *State) checkChat(i *interaction, bad func(string, ...any)) {
	if !s.deadlines.armed(i.deadline(deadlineExpire)) || (i.phase == PhaseClosing) != s.deadlines.armed(i.deadline(deadlineClosing)) {
		bad("chat %d is %s without an end", i.id, i.phase)
	}
	if i.phase != PhaseTalking && s.deadlines.armed(i.deadline(deadlineSilence)) {
		bad("chat %d is %s and is to be closed for silence", i.id, i.phase)
	}
	if (i.phase == PhaseAsleep) != i.group.asleep.has(i.key()) {
		bad("chat %d is %s, waits for its channel to open: %v", i.id, i.phase, i.group.asleep.has(i.key()))
	}
	if i.agent != nil && slices.Contains(i.beside, i.agent.def.ID) {
		bad("%s has chat %d, and is beside its agent", i.agent.def.ID, i.id)
	}
	if i.phase == PhaseTalking && i.lastBy == wroteCustomer && (i.agent.removed || i.agent.duty == DutyLeave) {
		bad("chat %d waits for %s, who is gone", i.id, i.agent.def.ID)
	}
}

// checkGroup: nothing waits while somebody who may serve it is free.
func (s *State) checkGroup(g *group, bad func(string, ...any)) {
	var counted census
	atWork := make([]int32, g.tiers())
	free, away := 0, 0
	for _, t := range g.seats {
		counted[t.agent.status]++
		switch t.attendance() {
		case working:
			atWork[t.tier]++
		case paused:
			away++
		case absent:
		}
		if t.free {
			free++
		}
		if t.free != t.eligible() || t.free && t.key != t.rank() {
			bad("%s may be offered an interaction of %s: %v; counts as free: %v", t.agent.def.ID, g.def.ID, t.eligible(), t.free)
		}
	}
	if counted != g.census || !slices.Equal(atWork, g.atWork) {
		bad("group %s counts %v and %v at work, there are %v and %v", g.def.ID, g.census, g.atWork, counted, atWork)
	}
	if free != g.freeSeats || away != g.paused || g.cond != g.condition() {
		bad("group %s counts %d free and %d away (%s), there are %d and %d", g.def.ID, g.freeSeats, g.paused, g.cond, free, away)
	}
	g.ringing.each(func(i *interaction) bool {
		if i.group != g || i.phase != PhaseOffered || s.interactions[i.id] != i {
			bad("group %s still counts interaction %d as ringing", g.def.ID, i.id)
		}
		return true
	})
	waiting := 0
	for _, l := range g.lanes {
		waiting += s.checkLane(l, bad)
	}
	if waiting != g.waiting {
		bad("group %s counts %d waiting, there are %d", g.def.ID, g.waiting, waiting)
	}
	if g.removed && g.interactions == 0 {
		bad("group %s should have been dropped", g.def.ID)
	}
}

// checkLane: those who are free and have the skills are in it, and nobody waits
// in a tier that one of them serves.
func (s *State) checkLane(l *lane, bad func(string, ...any)) (waiting int) {
	name := fmt.Sprintf("%s %q", l.group.def.ID, l.name)
	free := make([]int, len(l.free))
	strength := int64(0)
	for _, t := range l.group.seats {
		if t.agent.meets(l.needs) && t.attendance() == working {
			strength += t.share()
		}
		if !t.free || !t.agent.meets(l.needs) {
			continue
		}
		free[t.tier]++
		if !l.free[t.tier].has(t.key) {
			bad("%s is free and lane %s does not know", t.agent.def.ID, name)
		}
	}
	if strength != l.strength {
		bad("lane %s is %d strong, should be %d", name, l.strength, strength)
	}
	served := 0 // free agents in the tiers up to the present one
	for k := range l.free {
		if l.free[k].Len() != free[k] {
			bad("lane %s has %d free in tier %d, there are %d", name, l.free[k].Len(), k+1, free[k])
		}
		served += free[k]
		waiting += l.waiting[k].Len()
		if served > 0 && l.waiting[k].Len() > 0 {
			bad("lane %s: %d wait while %d agents are free", name, l.waiting[k].Len(), served)
		}
	}
	if waiting > 0 && l.group.atWork[0] == 0 { // the next tier with somebody at work is open to all
		for k := range l.free {
			if l.group.atWork[k] > 0 {
				if free[k] > 0 && l.waiting[0].Len() > 0 {
					bad("lane %s: %d wait for an empty tier while %d agents of tier %d are free", name, l.waiting[0].Len(), free[k], k+1)
				}
				break
			}
		}
	}
	return waiting
}

func (d *deadlines) armed(id DeadlineID) bool { return d.byID[id] != nil }

func (o *ordered[V]) has(k key) bool {
	c, i := o.find(k)
	return c < len(o.chunks) && o.chunks[c][i].key == k
}
