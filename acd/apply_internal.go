package acd

import (
	"time"

	"centrala/queuegroups"
)

// newDirect returns the group of calls that are in no group: from agent to agent,
// and from agents to numbers outside. Nobody serves it and it is never shown.
func newDirect() *group {
	g := newGroup(queuegroups.Group{
		Distribution: queuegroups.InOrder, Rings: 6, RingLength: 5 * time.Second, DialLimit: 10 * time.Second,
		NoAnswer:              []queuegroups.Action{{Kind: queuegroups.ActionHangup}},
		BlindTransferNoAnswer: queuegroups.TransferReturn,
	})
	g.atWork = make([]int32, 1)
	return g
}

// direct: the interaction is in no group.
func (i *interaction) direct() bool { return i.group.def.ID == "" }

// applyCallAsked: an agent's own phone rings for a call of theirs, which takes a slot of
// theirs from now on. Who has a call in hand by then has their phone stop ringing.
func (s *State) applyCallAsked(e *CallAsked) {
	a := s.agents[e.Agent]
	switch {
	case a == nil || a.removed:
		s.counters.Unknown++
		return
	case s.legs[e.Leg] != nil:
		s.counters.Late++
		return
	}
	busy := a.calls > 0
	l := &leg{id: e.Leg, node: e.Node, call: e.Leg, agent: a, own: true}
	s.legs[l.id] = l
	a.refs++
	l.occupy("", false)
	if busy {
		s.refuseOrEnd(l, RejectBusy)
	} else {
		s.deadlines.arm(DeadlineID{Kind: deadlineLeg, Name: string(l.id)}, s.now+askedOverdue)
	}
	s.refresh(a, "calls "+e.To)
}

// askedFor is the leg of the CallAsked that a call comes of; nil: of none, or it is over.
func (s *State) askedFor(e *CallArrived) *leg {
	if l := s.legs[e.Asked]; l != nil && l.onlyAsked() && l.agent.def.ID == e.Agent {
		return l
	}
	return nil
}

// begun: what was asked for is a call now, which the agent is in by another leg.
func (s *State) begun(asked *leg) {
	a := asked.agent
	s.dropLeg(asked)
	if a.removed { // else it is theirs, see callByAgent
		s.refresh(a, "")
		s.drop(a)
	}
}

// callByAgent begins a call that an agent of ours makes: to a colleague's or a
// group's extension, to a number of ours, or outside. It takes a slot of theirs.
func (s *State) callByAgent(i *interaction, a *agent, e *CallArrived) {
	l := i.caller
	l.agent, l.own = a, true
	a.refs++
	l.occupy("", false)
	i.group = s.direct
	colleague, byExtension := s.config.ByExtension(e.To)
	g := s.groups[e.Group]
	if byExtension != nil {
		g = s.groups[byExtension.ID]
	}
	if g != nil && g.isChat() { // which no call can lead to
		g = nil
	}
	switch {
	case colleague != nil && colleague.ID != a.def.ID:
		s.begin(i, s.direct, e.To)
		b := s.agents[colleague.ID]
		if !s.mayCall(i, b) || !b.room(s.direct) {
			s.step(i, Step{Kind: StepKept, Agent: b.def.ID, What: "not", Why: b.status.String()})
			s.finish(i, Nobody, b.status.String(), RejectBusy)
			break
		}
		s.enqueueFor(i, b, s.now.after(s.direct.ringTime()), "called")
	case g != nil:
		s.begin(i, g, e.To)
		s.armMaxWait(i)
		s.enqueue(i)
	case e.Outside || e.Group == "" && len(e.To) > 1 && e.To[0] == '+':
		s.begin(i, s.direct, e.To)
		s.dial(i, e.To)
	default:
		s.counters.Unknown++
		i.group = nil
		s.step(i, Step{Kind: StepArrived, What: e.To})
		s.refuseOrEnd(l, RejectUnknownNumber)
		s.ended(i, Rejected, "unknown number")
	}
	s.refresh(a, "calls "+e.To)
}

// begin takes the interaction into a group.
func (s *State) begin(i *interaction, g *group, to string) {
	i.group = g
	s.interactions[i.id] = i
	g.interactions++
	s.step(i, Step{Kind: StepArrived, Group: g.def.ID, What: to})
	i.credit = int64(g.def.Priority) + i.bonus
	s.enter(i)
}

// mayCall: the agent can be rung for the interaction, if not at once. For one of
// a group they must be at work; who is called as a person need only have a phone.
func (s *State) mayCall(i *interaction, a *agent) bool {
	if i.isChat() { // R59: as for any other chat, without limit and online
		return !a.removed && a.duty != DutyLeave && (i.group.chat.AnyDuty || a.ready)
	}
	if i.direct() || i.handover != nil || i.phase == PhaseTalking || i.phase == PhaseParked {
		return !a.removed && a.reachable()
	}
	return a.expected()
}

// mayTake: the agent can be rung for the interaction now.
func (s *State) mayTake(i *interaction, a *agent) bool {
	if i.isChat() {
		return s.mayCall(i, a) && a.open < maxDialogs
	}
	if i.direct() || i.handover != nil {
		return !a.removed && a.reachable() && a.room(i.group)
	}
	return a.canTake()
}
