package acd

import "centrala/queuegroups"

// forgetAfter is how long a cancelled offer is remembered, so that a phone that
// answered all the same is hung up properly.
const forgetAfter = 60_000_000_000 // ns

// offer is an interaction reserved for an agent. It is the only way in which an
// agent gets work: it takes a capacity slot when made, always has a deadline, and
// the slot is given back when the phones are known to be quiet.
type offer struct {
	id      OfferID
	of      InteractionID
	node    NodeID
	call    LegID
	agent   *agent
	group   queuegroups.GroupID
	made    instant
	ringing bool
	outcome Outcome // empty: live
	slot    bool    // holds a capacity slot
	chat    bool    // of a chat
	leg     *leg    // that answered it first
	pending Command // Ring, then CancelRing; nil: its outcome is known
}

// offerTo reserves the agent for the interaction and rings their phones.
func (s *State) offerTo(i *interaction, a *agent, c *Choice, why string) {
	o := s.newOffer(i, a)
	i.rung = true
	s.step(i, Step{Kind: StepOffer, Group: o.group, Agent: a.def.ID, Offer: o.id, Why: why, Choice: c})
	r := &Ring{Offer: o.id, Agent: a.def.ID, From: i.customer(), Group: i.group.def.Name}
	if o.chat {
		r.Channel = i.group.chat.ID
	}
	o.pending = r
	s.emit(r, o.node, o.of, o.call)
	s.deadlines.arm(DeadlineID{Kind: deadlineOffer, N: uint64(o.id)}, s.now.after(i.group.dialLimit()))
	s.refresh(a, "")
}

// newOffer makes an offer, which takes a slot of the agent.
func (s *State) newOffer(i *interaction, a *agent) *offer {
	s.turn.offers++
	o := &offer{
		id: OfferID(s.index<<16 | s.turn.offers), of: i.id, node: i.caller.node, call: i.caller.call,
		agent: a, group: i.group.def.ID, made: s.now, slot: true, chat: i.isChat(),
	}
	a.hold(o.group, o.chat, 1)
	s.offers[o.id] = o
	a.refs++
	i.offers = append(i.offers, o)
	a.offers = append(a.offers, o)
	return o
}

// closeOffer gives a live offer its outcome and takes it from the interaction.
// Its slot is not given back yet.
func (s *State) closeOffer(i *interaction, o *offer, out Outcome, why string) {
	o.outcome = out
	i.offers = removeOne(i.offers, o)
	s.counters.Offers[out]++
	s.deadlines.disarm(DeadlineID{Kind: deadlineOffer, N: uint64(o.id)})
	s.step(i, Step{Kind: StepOutcome, Agent: o.agent.def.ID, Offer: o.id, What: string(out), Why: why})
}

// withdraw takes a live offer back: its phones are told to stop, and the slot is
// given back when they did or after slotOverdue, so that no phone is rung while
// its previous INVITE is still being cancelled.
func (s *State) withdraw(i *interaction, o *offer, out Outcome, why string) {
	s.closeOffer(i, o, out, why)
	c := &CancelRing{Offer: o.id, Elsewhere: out == OutcomeLostRace}
	o.pending = c
	s.emit(c, o.node, o.of, o.call)
	s.deadlines.arm(DeadlineID{Kind: deadlineSlot, N: uint64(o.id)}, s.now+slotOverdue)
	s.deadlines.arm(DeadlineID{Kind: deadlineForget, N: uint64(o.id)}, s.now+forgetAfter)
	s.refresh(o.agent, string(out))
}

// freeOfferSlot gives the offer's slot back. The caller refreshes the agent.
func (s *State) freeOfferSlot(o *offer) {
	if o.slot {
		o.slot = false
		o.agent.offers = removeOne(o.agent.offers, o)
		o.agent.hold(o.group, o.chat, -1)
	}
	s.deadlines.disarm(DeadlineID{Kind: deadlineSlot, N: uint64(o.id)})
}

// forgetOffer ends the life of an offer whose phones are known to be quiet.
func (s *State) forgetOffer(o *offer) {
	s.freeOfferSlot(o)
	o.pending = nil
	if s.offers[o.id] == o {
		delete(s.offers, o.id)
		o.agent.refs--
	}
	s.deadlines.disarm(DeadlineID{Kind: deadlineOffer, N: uint64(o.id)})
	s.deadlines.disarm(DeadlineID{Kind: deadlineForget, N: uint64(o.id)})
}

// afterOffer decides what becomes of the interaction when an offer of it ended
// unanswered: others may still be rung; else the next is decided at once. When a
// whole round is over and the group does not let the caller circle, the chain of
// its no-answer actions goes on (R92).
func (s *State) afterOffer(i *interaction) {
	if len(i.offers) > 0 {
		return
	}
	switch {
	case i.phase == PhaseConsulting && i.consult.leg == nil:
		s.consultOver(i, "no answer")
		return
	case i.phase == PhaseDialled && i.handover != nil:
		s.handoverFailed(i, "no answer", FailNoAnswer)
		return
	case i.phase == PhaseDialled:
		s.proceed(i)
		return
	case i.phase == PhaseOffered:
	default:
		return
	}
	i.leaveQueue()
	if i.personal != nil {
		s.personalOver(i, "no answer", FailNoAnswer)
		return
	}
	over := i.group.def.Distribution == queuegroups.All
	if over {
		s.nextRound(i)
	} else {
		over = i.nextSeat() == nil
	}
	switch {
	case i.overdue:
		s.pastWaiting(i)
	case over && i.group.def.AllMissed == queuegroups.AllMissedEnd && i.group.def.Distribution == queuegroups.All && s.circling(i):
		s.finish(i, Missed, "all_missed", RejectNobody) // R99
	case over && !s.circling(i):
		s.proceed(i)
	default:
		s.enqueue(i)
	}
}

func (s *State) nextRound(i *interaction) {
	i.round++
	i.cursor = cursor{}
	clear(i.tried)
}
