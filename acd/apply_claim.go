package acd

import (
	"slices"
	"time"
)

// parkedFor is how long an interaction may stay parked; then it rings at theirs
// who parked it, for parkReturn, and goes to its group after that.
const (
	parkedFor  = 10 * time.Minute
	parkReturn = 30 * time.Second
)

// applyClaimed: an agent takes what rings, waits or is parked (R93). It is an
// offer that is answered in the moment it is made, so that nobody else can have
// it, and whoever else was rung has lost the race: no miss, no back-off.
func (s *State) applyClaimed(e *Claimed) {
	if s.legs[e.Leg] != nil {
		s.counters.Late++
		return
	}
	l := &leg{id: e.Leg, node: e.Node, state: legUp}
	s.legs[l.id] = l
	a := s.agents[e.Agent]
	if a == nil || a.removed || a.duty == DutyLeave {
		s.counters.Unknown++
		s.endLegFor(l, EndNothing)
		return
	}
	if e.Kind == ClaimLeg {
		s.takeOver(a, l, e)
		return
	}
	i := s.claimed(a, e)
	if i == nil || !a.room(i.group) || i.isChat() && !s.mayCall(i, a) {
		s.counters.Late++
		s.endLegFor(l, EndNothing)
		return
	}
	o := s.newOffer(i, a)
	l.of, l.call, l.agent, l.offer = i.id, i.caller.call, a, o.id
	a.refs++
	s.step(i, Step{Kind: StepClaim, Group: i.group.def.ID, Agent: a.def.ID, Offer: o.id, What: string(e.Kind)})
	s.unpark(i)
	s.wake(i)
	s.accept(i, o, l)
}

// takeOver puts the claimed leg in the place of one that an agent talks on (RFC 3891
// section 3): the agent's own, from another phone of theirs; or a colleague's, by
// whom one was sent there (RFC 3892), or with whom one shares a group with pickup.
func (s *State) takeOver(a *agent, l *leg, e *Claimed) {
	i, old := s.takenFrom(a, e)
	if i == nil {
		s.counters.Late++
		s.endLegFor(l, EndNothing)
		return
	}
	by := old.agent
	s.reverseFor(i, old)
	l.of, l.call, l.agent = i.id, i.caller.call, a
	a.refs++
	s.step(i, Step{Kind: StepClaim, Group: i.group.def.ID, Agent: a.def.ID, What: string(e.Kind), Why: "from " + string(by.def.ID)})
	if a == by { // it is one call all along
		l.own = old.own
		s.freeLegSlot(old)
		s.endLeg(old)
		l.occupy(i.group.def.ID, false)
		i.other = l
		s.connect(i, i.caller, l)
		s.refresh(a, "")
		return
	}
	l.own = e.By == by.def.ID // they may still have the call in which they were asked to take this one
	s.leaveTalk(i)
	o := s.newOffer(i, a)
	l.offer = o.id
	s.accept(i, o, l)
	s.refresh(by, "transferred")
}

// takenFrom finds the talk in which the agent may take the place of the leg, which
// is an agent's; nil: there is none, or it is not theirs to have.
func (s *State) takenFrom(a *agent, e *Claimed) (*interaction, *leg) {
	i, l := s.talksBy(e.Of)
	if i == nil || i.phase != PhaseTalking || i.isChat() {
		return nil, nil
	}
	if by := l.agent; a != by && e.By != by.def.ID && (!s.mayPickUp(a, i, by) || !a.room(i.group)) {
		return nil, nil
	}
	return i, l
}

// TakeOver completes the claim of an agent to the place of a leg, as things stand;
// false: they may not have it, or nobody talks on it.
func (s *State) TakeOver(claim *Claimed) bool {
	a := s.agents[claim.Agent]
	if a == nil || a.removed || a.duty == DutyLeave {
		return false
	}
	claim.Kind = ClaimLeg
	i, _ := s.takenFrom(a, claim)
	return i != nil
}

// claimed finds what the agent asked for and may have; nil: nothing.
func (s *State) claimed(a *agent, e *Claimed) *interaction {
	switch e.Kind {
	case ClaimGroup:
		var first *interaction
		for _, t := range a.seats {
			if e.Group != "" && t.group.def.ID != e.Group || e.Group == "" && t.group.isChat() || !t.group.def.Pickup {
				continue
			}
			if _, i, ok := t.group.ringing.first(); ok && (first == nil || i.key().less(first.key())) {
				first = i
			}
		}
		return first
	case ClaimAgent:
		from := s.agents[e.From]
		if from == nil || from == a {
			return nil
		}
		for _, o := range from.offers {
			if i := s.interactions[o.of]; i != nil && o.outcome == "" && !o.chat && i.phase == PhaseOffered && s.mayPickUp(a, i, from) {
				return i
			}
		}
	case ClaimInteraction:
		i := s.interactions[e.Interaction]
		switch {
		case i == nil:
		case i.phase == PhaseParked:
			return i
		case (i.phase == PhaseQueued || i.phase == PhaseOffered || i.phase == PhaseAsleep) && s.mayPickUp(a, i, nil):
			return i
		}
	case ClaimParked:
		return s.slots[e.Slot]
	case ClaimLeg: // is no claim to a call, see takeOver
	}
	return nil
}

// mayPickUp: the interaction's group lets colleagues pick up, and the agent serves
// it; what rings at a colleague's for nobody's group, whoever shares a group with them.
func (s *State) mayPickUp(a *agent, i *interaction, from *agent) bool {
	serves := func(b *agent, g *group) bool {
		return slices.ContainsFunc(b.seats, func(t *seat) bool { return t.group == g })
	}
	if !i.direct() {
		return i.group.def.Pickup && serves(a, i.group)
	}
	return from != nil && slices.ContainsFunc(a.seats, func(t *seat) bool { return t.group.def.Pickup && serves(from, t.group) })
}

// applyParked: the agent puts the interaction into a parking slot and is free of it.
func (s *State) applyParked(e *Parked) {
	i, l := s.talksBy(e.Leg)
	if i == nil || i.phase != PhaseTalking || i.isChat() || e.Slot == "" || s.slots[e.Slot] != nil {
		s.counters.Late++
		return
	}
	a := l.agent
	s.reverseFor(i, l)
	s.step(i, Step{Kind: StepParked, Agent: a.def.ID, What: e.Slot})
	s.leaveTalk(i)
	s.become(i, PhaseParked)
	i.slot, i.parkedBy = e.Slot, a.def.ID
	s.slots[e.Slot] = i
	s.deadlines.arm(DeadlineID{Kind: deadlineParked, N: uint64(i.id)}, s.now.after(parkedFor))
	s.refresh(a, "parked")
}

// unpark takes the interaction out of its slot.
func (s *State) unpark(i *interaction) {
	if i.slot == "" {
		return
	}
	delete(s.slots, i.slot)
	i.slot = ""
	s.deadlines.disarm(DeadlineID{Kind: deadlineParked, N: uint64(i.id)})
}

// parkedPassed: nobody fetched it: back to who parked it, and then to its group.
func (s *State) parkedPassed(i *interaction) {
	by := s.agents[i.parkedBy]
	s.unpark(i)
	s.step(i, Step{Kind: StepRequeue, Group: i.group.def.ID, Agent: i.parkedBy, Why: "parked for too long"})
	if by != nil && s.mayCall(i, by) {
		s.enqueueFor(i, by, s.now.after(parkReturn), "parked it")
		return
	}
	s.requeue(i)
}
