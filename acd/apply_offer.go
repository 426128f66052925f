package acd

import "fmt"

// applyOfferRinging: the first phone rings; from here the rings are counted (R91).
func (s *State) applyOfferRinging(e *OfferRinging) {
	o := s.offers[e.Offer]
	if o == nil || o.outcome != "" || o.ringing {
		s.counters.Late++
		return
	}
	i := s.interactions[o.of]
	o.ringing = true
	if !o.chat { // a chat's time runs from when it was offered (R23)
		s.deadlines.arm(DeadlineID{Kind: deadlineOffer, N: uint64(o.id)}, s.now.after(i.group.ringTime()))
	}
	s.step(i, Step{Kind: StepRinging, Agent: o.agent.def.ID, Offer: o.id})
	s.refresh(o.agent, "")
}

// applyOfferAnswered: a phone answered. The first in the order of the log has
// the interaction (R22); every other leg is ended.
func (s *State) applyOfferAnswered(e *OfferAnswered) {
	if s.legs[e.Leg] != nil {
		s.counters.Late++
		return
	}
	o := s.offers[e.Offer]
	l := &leg{id: e.Leg, node: e.Node, state: legUp, offer: e.Offer}
	s.legs[l.id] = l
	if o == nil { // forgotten long since: hang up all the same
		s.counters.Late++
		s.endLeg(l)
		return
	}
	l.of, l.call, l.agent = o.of, o.call, o.agent
	l.agent.refs++
	if o.outcome != "" {
		s.counters.Late++
		if o.slot { // the phone was faster than our cancelling: busy until it has hung up
			s.freeOfferSlot(o)
			l.occupy(o.group, o.chat)
		}
		if o.outcome != OutcomeAnswered {
			o.pending = nil
		}
		s.endLeg(l)
		return
	}
	i := s.interactions[o.of]
	if i.phase == PhaseConsulting {
		s.consultAnswered(i, o, l)
		return
	}
	s.accept(i, o, l)
}

// accept gives the interaction to the agent who answered.
func (s *State) accept(i *interaction, o *offer, l *leg) {
	a := o.agent
	s.closeOffer(i, o, OutcomeAnswered, "")
	s.freeOfferSlot(o)
	o.pending = nil
	o.leg = l // remembered as long as the leg lives, for a second phone that answers
	l.occupy(o.group, o.chat)
	if !i.direct() { // calls between colleagues are none of the queue's
		a.lastAnswer = s.now
	}
	if s.remembers && !a.outside {
		s.talks.note(i.customer().Number, a.def.ID)
	}
	if o.chat {
		s.endChatRest(a)
	} else {
		s.recovered(a)
	}
	for len(i.offers) > 0 {
		s.withdraw(i, i.offers[0], OutcomeLostRace, fmt.Sprintf("%s was faster", a.def.ID))
	}
	i.leaveQueue()
	s.release(i)
	i.overdue = false
	s.kept(i)
	s.deadlines.disarm(DeadlineID{Kind: deadlineMaxWait, N: uint64(i.id)})
	i.agent, i.other = a, l
	if i.answered == 0 {
		i.answered = s.now
	}
	s.report(i, true, "")
	i.handover = nil
	s.beginStint(i)
	if o.chat { // there is nothing to connect
		s.deadlines.disarm(i.deadline(deadlineUnanswered))
		s.become(i, PhaseTalking)
		s.recountChat(i)
	} else {
		s.become(i, PhaseConnecting)
		s.bridge(i)
	}
	s.refresh(a, "")
}

// applyOfferFailed: no phone of the agent will answer the offer any more.
func (s *State) applyOfferFailed(e *OfferFailed) {
	o := s.offers[e.Offer]
	if o == nil || o.outcome == OutcomeAnswered {
		s.counters.Late++
		return
	}
	if o.outcome != "" { // the outcome of CancelRing, or a failure that crossed it
		s.forgetOffer(o)
		s.refresh(o.agent, "the phone is quiet")
		s.drop(o.agent)
		return
	}
	class, i := e.Class, s.interactions[o.of]
	out := OutcomeUnreachable
	switch class {
	case FailBusy:
		out = OutcomeBusy
	case FailDeclined:
		out = OutcomeDeclined
	case FailNoAnswer:
		out = OutcomeNoAnswer
	case FailUnreachable:
	default: // cancelled, though nobody asked for it
		class = FailUnreachable
	}
	why := ""
	if e.Code != 0 {
		why = fmt.Sprintf("SIP %d", e.Code)
	}
	s.closeOffer(i, o, out, why)
	if i.handover != nil {
		i.handover.Class = class
	}
	s.forgetOffer(o)
	s.rest(o.agent, i.group, class)
	s.refresh(o.agent, string(out))
	s.drop(o.agent)
	s.afterOffer(i)
}
