package acd

import "centrala/queuegroups"

// applyDeadlinePassed does what is due. Word of a deadline that has been moved or
// disarmed since is ignored.
func (s *State) applyDeadlinePassed(e *DeadlinePassed) {
	id := e.Deadline
	if !s.deadlines.pass(id, e.Generation) {
		s.counters.Stale++
		return
	}
	switch id.Kind {
	case deadlineOffer:
		s.offerOverdue(s.offers[OfferID(id.N)])
	case deadlineSlot:
		o := s.offers[OfferID(id.N)]
		s.counters.Overdue++
		s.freeOfferSlot(o)
		s.refresh(o.agent, "no word from the phone")
	case deadlineForget:
		o := s.offers[OfferID(id.N)]
		s.forgetOffer(o)
		s.drop(o.agent)
	case deadlineLeg:
		s.counters.Overdue++
		s.legOver(s.legs[LegID(id.Name)], EndFailed)
	case deadlineLegSlot:
		l := s.legs[LegID(id.Name)]
		s.counters.Overdue++
		s.freeLegSlot(l)
		s.refresh(l.agent, "no word from the phone")
	case deadlineMaxWait:
		s.maxWaitPassed(s.interactions[InteractionID(id.N)])
	case deadlineStage:
		s.stagePassed(s.interactions[InteractionID(id.N)])
	case deadlinePersonal:
		s.personalPassed(s.interactions[InteractionID(id.N)])
	case deadlineCondition:
		s.conditionPassed(s.groups[queuegroups.GroupID(id.Name)])
	case deadlineHours:
		s.hoursPassed(queuegroups.HoursID(id.Name))
	case deadlineParked:
		s.parkedPassed(s.interactions[InteractionID(id.N)])
	case deadlineUnanswered:
		s.unansweredPassed(s.interactions[InteractionID(id.N)])
	case deadlineExpire:
		s.expired(s.interactions[InteractionID(id.N)])
	case deadlineSilence:
		s.autoClose(s.interactions[InteractionID(id.N)])
	case deadlineClosing:
		i := s.interactions[InteractionID(id.N)]
		s.finish(i, i.closedBy, "", RejectUnavailable)
	case deadlineOpening:
		s.awaken(s.groups[queuegroups.GroupID(id.Name)])
	case deadlineSweep:
		s.sweepChats()
	case deadlineReview:
		s.reviewAll()
	case deadlineServe:
		s.counters.Overdue++
		s.unserved(s.interactions[InteractionID(id.N)], "took too long")
	case deadlineRest:
		a := s.agents[queuegroups.AgentID(id.Name)]
		a.resting = ""
		s.refresh(a, "back-off over")
	case deadlineChatRest:
		a := s.agents[queuegroups.AgentID(id.Name)]
		a.chatRest = ""
		s.refresh(a, "back-off over")
	case deadlineClient:
		s.clientLeft(s.agents[queuegroups.AgentID(id.Name)], id.N)
	case deadlineReturn:
		s.returnAgent(s.agents[queuegroups.AgentID(id.Name)])
	case deadlineWrapUp:
		s.endWrapUp(s.agents[queuegroups.AgentID(id.Name)], "wrap-up over")
	}
}

// offerOverdue: the phone never rang, or rang as often as it may (R91). The next
// is decided at once.
func (s *State) offerOverdue(o *offer) {
	i := s.interactions[o.of]
	class, out, why := FailUnreachable, OutcomeUnreachable, "the phone never rang"
	switch {
	case o.chat:
		class, out, why = FailNoAnswer, OutcomeNoAnswer, "not taken in time"
	case o.ringing:
		class, out, why = FailNoAnswer, OutcomeNoAnswer, "rang long enough"
	}
	s.rest(o.agent, i.group, class)
	s.withdraw(i, o, out, why)
	s.afterOffer(i)
}

// returnAgent ends not responding by time. One miss more sends the agent back.
func (s *State) returnAgent(a *agent) {
	a.silent = false
	a.misses--
	s.refresh(a, "tried again")
}

// maxWaitPassed: the caller has waited as long as the group lets them. Somebody
// who is being rung for them keeps their chance.
func (s *State) maxWaitPassed(i *interaction) {
	i.overdue = true
	if i.phase == PhaseQueued {
		i.leaveQueue()
		s.release(i)
		s.pastWaiting(i)
	}
}
