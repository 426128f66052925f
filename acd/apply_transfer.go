package acd

import (
	"cmp"
	"time"

	"centrala/queuegroups"
)

// Stint is a time in which an agent had an interaction.
type Stint struct {
	Agent  queuegroups.AgentID `json:"agent,omitempty"`
	Number string              `json:"number,omitempty"` // outside, instead of an agent
	From   time.Time           `json:"from"`
	To     time.Time           `json:"to,omitzero"` // zero: they still have it
}

// handover is a blind transfer under way.
type handover struct {
	By       queuegroups.AgentID `json:"by"`
	Returned bool                `json:"returned,omitempty"` // nobody answered, and it is on its way back
	Asked    []asked             `json:"asked,omitempty"`    // where it is to be reported
	Class    FailureClass        `json:"class,omitempty"`    // why who was to have it did not answer, as far as known
}

// asked is a leg on which a transfer was asked for. It may be gone by the time that
// there is something to report.
type asked struct {
	Leg  LegID  `json:"leg"`
	Node NodeID `json:"node"`
	Call LegID  `json:"call"`
}

func (l *leg) asked() asked { return asked{l.id, l.node, l.call} }

// report tells whoever asked for the transfer under way what became of it, once.
func (s *State) report(i *interaction, done bool, class FailureClass) {
	h := i.handover
	if h == nil || i.isChat() { // those who write see it
		return
	}
	if done {
		class = ""
	}
	for _, a := range h.Asked {
		s.emit(&Report{Leg: a.Leg, Done: done, Class: class}, a.Node, i.id, a.Call)
	}
	h.Asked = nil
}

// talksBy finds the interaction that the agent with the leg talks in. From level 3
// on that may be one in which the agent is the caller, or who was called and handed
// over to somebody else.
func (s *State) talksBy(id LegID) (*interaction, *leg) {
	l := s.legs[id]
	if l == nil || l.agent == nil || l.agent.outside {
		return nil, nil
	}
	i := s.interactions[l.of]
	switch {
	case i == nil:
		return nil, nil
	case i.other == l:
		return i, l
	case s.level >= 3 && i.caller == l && i.phase == PhaseTalking:
		return i, l
	}
	return nil, nil
}

// reverseFor has the agent with the leg be the one who has the customer: who called
// somebody, and now wants to have them elsewhere, has made a customer of them.
func (s *State) reverseFor(i *interaction, l *leg) {
	if i.caller == l {
		s.reverse(i)
	}
}

// reverse has the two ends of a talk change places. The call goes on under the leg
// that it began with, and with its id, its arrival and its story.
func (s *State) reverse(i *interaction) {
	caller, other := i.caller, i.other
	for _, l := range []*leg{caller, other} {
		settled[*Bridge](l)
		settled[*Play](l)
	}
	since := i.answered
	if n := len(i.stints); n > 0 {
		since = instantOf(i.stints[n-1].From)
		if i.agent.outside { // they are the customer
			i.stints = i.stints[:n-1]
		}
	}
	s.endStint(i)
	i.caller, i.other, i.agent, i.party = other, caller, caller.agent, other.agent.shown()
	s.beginStint(i)
	i.stints[len(i.stints)-1].From = since.Time()
	s.step(i, Step{Kind: StepReversed, Agent: i.agent.def.ID, What: i.party.Number})
}

// customer is who the interaction is with: who calls, or was called by an agent of
// ours who then wanted them elsewhere.
func (i *interaction) customer() Party {
	if i.party != (Party{}) {
		return i.party
	}
	return i.from
}

// shown is how an agent, or a number outside, is shown to people.
func (a *agent) shown() Party {
	if a.outside {
		return Party{Number: a.def.Phone}
	}
	return Party{Number: a.def.Extension, Name: a.def.Name}
}

// reachableTarget finds out whom a target means; the string says why it cannot be.
func (s *State) reachableTarget(to Target, by *agent) (*agent, *group, string) {
	switch {
	case to.Agent != "":
		a := s.agents[to.Agent]
		switch {
		case a == nil || a.removed:
			return nil, nil, "there is no agent " + string(to.Agent)
		case a == by:
			return nil, nil, "that is the same agent"
		}
		return a, nil, ""
	case to.Group != "":
		if g := s.groups[to.Group]; g != nil && !g.removed {
			return nil, g, ""
		}
		return nil, nil, "there is no group " + string(to.Group)
	case to.Number != "":
		return nil, nil, ""
	}
	return nil, nil, "nobody was named"
}

// unfit says why the interaction cannot go there; empty: it can.
func (i *interaction) unfit(g *group, to Target) string {
	switch {
	case g != nil && g.isChat() != i.isChat():
		return "calls and chats do not mix"
	case to.Number != "" && i.isChat():
		return "a chat cannot go to a number"
	case g != nil && i.hops >= hopsMax:
		return "it has been to too many groups"
	}
	return ""
}

// String names the target.
func (t Target) String() string { return cmp.Or(string(t.Agent), string(t.Group), t.Number) }

// applyTransferAsked: the agent hands the interaction over and leaves (R50, R52,
// R100). It keeps its id, arrival and story.
func (s *State) applyTransferAsked(e *TransferAsked) {
	i, l := s.talksBy(e.Leg)
	if i == nil || i.phase != PhaseTalking {
		s.counters.Late++
		return
	}
	a, g, why := s.reachableTarget(e.To, l.agent)
	if why == "" {
		why = i.unfit(g, e.To)
	}
	if why != "" {
		s.counters.Unknown++
		s.step(i, Step{Kind: StepTransfer, Agent: l.agent.def.ID, What: string(CourseNot), Why: why})
		return
	}
	by := l.agent
	s.reverseFor(i, l)
	s.step(i, Step{Kind: StepTransfer, Agent: by.def.ID, What: CourseTo.whom(e.To.String())})
	s.leaveTalk(i)
	i.handover = &handover{By: by.def.ID, Asked: []asked{l.asked()}}
	s.sendTo(i, a, g, e.To.Number, "transferred by "+string(by.def.ID))
	s.refresh(by, "transferred")
}

// sendTo has the interaction go to an agent, a group or a number outside.
func (s *State) sendTo(i *interaction, a *agent, g *group, number, why string) {
	switch {
	case a != nil:
		s.enqueueFor(i, a, s.now.after(i.group.ringTime()), why)
	case g != nil: // which has it then, whoever answers
		s.report(i, true, "")
		i.handover = nil
		s.move(i, g)
	default:
		s.music(i)
		s.dial(i, number)
	}
}

// leaveTalk ends the agent's part in the interaction: their leg, their time, and
// nothing of what comes after is theirs (F7). The customer hears music.
func (s *State) leaveTalk(i *interaction) {
	a, l := i.agent, i.other
	s.handled(i)
	s.endStint(i)
	s.startWrapUp(a, i)
	i.agent, i.other = nil, nil
	settled[*Bridge](i.caller)
	s.endLegFor(l, EndTransferred)
	if i.isChat() {
		i.rung, i.toldNobody = false, false
		s.armUnanswered(i)
	}
	s.music(i)
}

// beginStint notes that the agent has the interaction from now on.
func (s *State) beginStint(i *interaction) {
	s.turn.agents = append(s.turn.agents, i.agent.def.ID)
	x := Stint{Agent: i.agent.def.ID, From: s.now.Time()}
	if i.agent.outside {
		x.Number = i.agent.def.Phone
	}
	i.stints = append(i.stints, x)
	s.parts(i, x.Agent)
}

// endStint notes that they do not have it any more.
func (s *State) endStint(i *interaction) {
	if n := len(i.stints); n > 0 && i.stints[n-1].To.IsZero() {
		i.stints[n-1].To = s.now.Time()
	}
}

// handoverFailed: nobody took what was transferred blindly: what becomes of it is
// the group's to say (R100).
func (s *State) handoverFailed(i *interaction, why string, class FailureClass) {
	h := i.handover
	s.report(i, false, cmp.Or(h.Class, class))
	h.Class = ""
	by := s.agents[h.By]
	s.step(i, Step{Kind: StepTransfer, Agent: h.By, What: string(CourseFailed), Why: why})
	switch policy := i.group.def.BlindTransferNoAnswer; {
	case policy == queuegroups.TransferEnds:
		s.finish(i, Missed, "blind_transfer", RejectNobody)
	case policy != queuegroups.TransferQueue && !h.Returned && by != nil && s.mayCall(i, by):
		h.Returned = true
		s.enqueueFor(i, by, s.now.after(i.group.ringTime()), "nobody took the transfer")
	default:
		i.handover = nil
		s.requeue(i)
	}
}

// requeue puts the interaction into the queue of its group, with its arrival. One
// that is in no group has nowhere to wait.
func (s *State) requeue(i *interaction) {
	if i.direct() {
		s.proceed(i)
		return
	}
	if !s.sleepsOver(i) {
		s.enqueue(i)
	}
}

// applyMoved: a supervisor sends what waits, rings or is parked elsewhere (R51).
func (s *State) applyMoved(e *Moved) {
	i := s.interactions[e.Interaction]
	if i == nil || i.phase != PhaseQueued && i.phase != PhaseOffered && i.phase != PhaseParked && i.phase != PhaseAsleep {
		s.counters.Late++
		return
	}
	a, g, why := s.reachableTarget(e.To, nil)
	if why == "" {
		why = i.unfit(g, e.To)
	}
	if why != "" {
		s.counters.Unknown++
		s.step(i, Step{Kind: StepTransfer, What: string(CourseNot), Why: why})
		return
	}
	s.step(i, Step{Kind: StepTransfer, What: CourseTo.whom(e.To.String()), Why: forced("moved", "", e.By)})
	for len(i.offers) > 0 {
		s.withdraw(i, i.offers[0], OutcomeWithdrawn, forced("moved", "", e.By))
	}
	i.leaveQueue()
	s.release(i)
	s.unpark(i)
	s.wake(i)
	s.report(i, false, FailCancelled)
	i.handover = nil
	s.sendTo(i, a, g, e.To.Number, forced("moved", "", e.By))
}

// applyPrioritised: a supervisor gives what waits another credit.
func (s *State) applyPrioritised(e *Prioritised) {
	i := s.interactions[e.Interaction]
	if i == nil || i.phase != PhaseQueued && i.phase != PhaseOffered {
		s.counters.Late++
		return
	}
	s.step(i, Step{Kind: StepPriority, What: e.Credit.String(), Why: forced("", "", e.By)})
	s.rekey(i, func() { i.bonus, i.credit = int64(e.Credit)-int64(i.group.def.Priority), int64(e.Credit) })
}

// rekey changes what the interaction's order depends on, wherever it stands.
func (s *State) rekey(i *interaction, change func()) {
	waiting, open := i.lane != nil && i.lane.waiting[i.tier].remove(i.key()), i.lane != nil && i.lane.open[i.tier].remove(i.key())
	personally := i.personal != nil && i.personal.personal.remove(i.key())
	ringing := i.group.ringing.remove(i.key())
	change()
	if waiting {
		i.lane.waiting[i.tier].insert(i.key(), i)
		s.touch(i.lane)
	}
	if open {
		i.lane.open[i.tier].insert(i.key(), i)
	}
	if personally {
		i.personal.personal.insert(i.key(), i)
		s.call(i.personal)
	}
	if ringing {
		i.group.ringing.insert(i.key(), i)
	}
}
