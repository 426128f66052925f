package acd

import "slices"

// applyCallArrived begins an interaction: into the queue of the number's group,
// or refused if nobody knows the number.
func (s *State) applyCallArrived(e *CallArrived) {
	asked := s.askedFor(e)
	if l := s.legs[e.Leg]; l != nil && l != asked {
		s.counters.Late++
		return
	}
	if asked != nil {
		s.begun(asked)
	}
	s.counters.Interactions++
	i := &interaction{
		id: InteractionID(s.index), arrived: s.now, trunk: e.Trunk, from: e.From, to: e.To,
	}
	i.caller = &leg{id: e.Leg, node: e.Node, call: e.Leg, of: i.id}
	s.legs[e.Leg] = i.caller
	if e.Agent != "" {
		if a := s.agents[e.Agent]; a != nil && !a.removed {
			s.callByAgent(i, a, e)
			return
		}
	}
	n := s.numbers[e.To]
	if e.Agent != "" || n == nil || s.groups[n.Group] == nil {
		s.counters.Unknown++
		s.step(i, Step{Kind: StepArrived, What: e.To})
		s.refuseOrEnd(i.caller, RejectUnknownNumber)
		s.ended(i, Rejected, "unknown number")
		return
	}
	i.music, i.group = n.HoldMusic, s.groups[n.Group]
	if !s.open(n.Hours) && len(n.Closed) == 0 { // R61
		s.step(i, Step{Kind: StepArrived, Group: n.Group, What: e.To})
		s.refuseOrEnd(i.caller, RejectClosed)
		s.ended(i, ClosedHours, string(n.Hours))
		return
	}
	s.interactions[i.id] = i
	i.group.interactions++
	s.step(i, Step{Kind: StepArrived, Group: i.group.def.ID, What: e.To})
	i.needs = merge(n.Needs, e.Needs)
	i.bonus = int64(n.Priority)
	i.credit = int64(i.group.def.Priority) + i.bonus
	s.enter(i)
	if !s.open(n.Hours) {
		i.via = chainClosed
		s.step(i, Step{Kind: StepClosed, What: string(n.Hours)})
		s.proceed(i)
		return
	}
	s.armMaxWait(i)
	if !s.prefer(i, e.Responsible) {
		s.enqueue(i)
	}
}

// applyLegAnswered: the caller's leg is up.
func (s *State) applyLegAnswered(e *LegAnswered) {
	l := s.legs[e.Leg]
	if l == nil || l.state != legAnswering {
		s.counters.Late++
		return
	}
	s.legIsUp(l)
}

// legIsUp: the caller's leg is answered.
func (s *State) legIsUp(l *leg) {
	l.state = legUp
	settled[*Answer](l)
	if l.own {
		s.refresh(l.agent, "connected")
	}
}

// applyBridged: caller and agent hear each other.
func (s *State) applyBridged(e *Bridged) {
	l := s.legs[e.A]
	if l == nil || s.interactions[l.of] == nil {
		s.counters.Late++
		return
	}
	i := s.interactions[l.of]
	expected := slices.ContainsFunc(l.pending, func(c Command) bool { b, is := c.(*Bridge); return is && b.B == e.B })
	if !expected {
		s.counters.Late++
		return
	}
	settled[*Bridge](l)
	if i.caller == l {
		s.legIsUp(l)
	}
	if i.phase == PhaseConnecting {
		s.become(i, PhaseTalking)
		s.step(i, Step{Kind: StepBridged, Agent: i.agent.def.ID})
	}
}

// applyLegEnded: a leg is over, at any time and for any reason.
func (s *State) applyLegEnded(e *LegEnded) {
	l := s.legs[e.Leg]
	if l == nil {
		s.counters.Late++
		return
	}
	s.legOver(l, e.Cause)
}

// endLost is the cause of the end of a leg that went down with its node.
const endLost EndCause = "lost"

// legOver takes a leg out of the state and deals with what it was part of.
func (s *State) legOver(l *leg, cause EndCause) {
	if i := s.interactions[l.of]; i != nil {
		switch l {
		case i.caller:
			s.callerGone(i, cause)
		case i.other:
			s.agentGone(i, cause)
		default:
			if i.consult != nil && i.consult.leg == l {
				l.state = legGone
				s.consultOver(i, "hung up")
			}
		}
	}
	s.dropLeg(l)
	if l.agent != nil {
		s.refresh(l.agent, "hung up")
		s.drop(l.agent)
	}
}

// callerGone ends the interaction because the caller's leg ended.
func (s *State) callerGone(i *interaction, cause EndCause) {
	i.caller.state = legGone
	switch {
	case cause == endLost:
		s.finish(i, Lost, "", RejectUnavailable)
	case cause != EndHangup && cause != EndCancel:
		s.finish(i, Failed, string(cause), RejectUnavailable)
	case i.phase == PhaseTalking && i.agent.outside:
		s.finish(i, Forwarded, "", RejectUnavailable)
	case i.phase == PhaseTalking || i.phase == PhaseConsulting:
		s.finish(i, CompletedByCaller, "", RejectUnavailable)
	case i.phase == PhaseClosing:
		s.finish(i, i.closedBy, "", RejectUnavailable)
	default:
		s.customerLeft(i)
	}
}

// customerLeft ends an interaction that no agent has.
func (s *State) customerLeft(i *interaction) {
	switch i.phase {
	case PhaseAsleep, PhaseQueued, PhaseServed, PhaseParked:
		s.finish(i, AbandonedWaiting, "", RejectUnavailable)
	default:
		s.finish(i, AbandonedRinging, "", RejectUnavailable)
	}
}

// agentGone: the agent's leg ended. After the bridge this ends the interaction;
// before it, the caller goes back to the queue with their arrival, and the agent
// is left alone as one whose phone failed.
func (s *State) agentGone(i *interaction, cause EndCause) {
	i.other.state = legGone
	if i.phase == PhaseConsulting {
		s.handOver(i)
		return
	}
	if i.phase == PhaseClosing {
		s.finish(i, i.closedBy, "", RejectUnavailable)
		return
	}
	if i.isChat() {
		a, class := i.agent, FailUnreachable
		if cause == EndHangup {
			class = FailDeclined
		}
		s.rest(a, i.group, class)
		s.chatBack(i, "the agent's end is gone: "+string(cause))
		return
	}
	if i.phase == PhaseTalking {
		switch {
		case cause == endLost:
			s.finish(i, Lost, "", RejectUnavailable)
		case i.agent.outside:
			s.finish(i, Forwarded, "", RejectUnavailable)
		case cause == EndHangup || cause == EndCancel:
			s.finish(i, CompletedByAgent, "", RejectUnavailable)
		default:
			s.finish(i, Failed, string(cause), RejectUnavailable)
		}
		return
	}
	a := i.agent
	settled[*Bridge](i.caller)
	i.agent, i.other, i.answered = nil, nil, 0
	i.stints = i.stints[:len(i.stints)-1] // they never talked
	s.rest(a, i.group, FailUnreachable)
	s.step(i, Step{Kind: StepRequeue, Agent: a.def.ID, Why: "the agent's leg ended before the bridge: " + string(cause)})
	if a.outside {
		s.proceed(i)
		return
	}
	s.requeue(i)
}
