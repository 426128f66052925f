package acd

import (
	"slices"
	"strings"
	"time"

	"centrala/queuegroups"
)

// WrapUpExtendMax is by how much a wrap-up can be extended at a time.
const WrapUpExtendMax = time.Hour

// nextDuty is what an agent will do once their present work is done.
type nextDuty struct {
	Duty   Duty                `json:"duty"`
	Reason string              `json:"reason,omitempty"`
	By     queuegroups.AgentID `json:"by,omitempty"`
}

// onDuty returns the agent's duty: who was never told anything works, unless the
// work day is tracked (R34, R35).
func (a *agent) onDuty(c *queuegroups.Config) Duty {
	switch {
	case a.duty != "":
		return a.duty
	case c.WorkTime.Tracked:
		return DutyOff
	}
	return DutyOn
}

// isReady: on duty, and not asking to be left alone.
func (a *agent) isReady(c *queuegroups.Config) bool {
	return a.onDuty(c) == DutyOn && !(a.dnd && c.Presence.DNDBlocks)
}

// forced puts a change and who asked for it into words.
func forced(what, reason string, by queuegroups.AgentID) string {
	if reason != "" {
		what += " (" + reason + ")"
	}
	if by != "" {
		what += ", by " + string(by)
	}
	return strings.TrimPrefix(what, ", ")
}

// applyDutySet: the agent, or a supervisor for them, starts or ends the work day,
// a break or a leave; at once, or once the present work is done.
func (s *State) applyDutySet(e *DutySet) {
	a := s.agents[e.Agent]
	known := e.Duty == DutyOn || e.Duty == DutyBreak || e.Duty == DutyLeave || e.Duty == DutyOff
	breaks := s.config.WorkTime.Breaks
	if a == nil || !known || e.Duty == DutyBreak && len(breaks) > 0 && !slices.Contains(breaks, e.Reason) {
		s.counters.Unknown++
		return
	}
	if e.Next && (a.load() > 0 || a.wrapUp) {
		a.next = &nextDuty{e.Duty, e.Reason, e.By}
		s.step(nil, Step{Kind: StepAgent, Agent: a.def.ID, What: "next", Why: forced(string(e.Duty), e.Reason, e.By)})
		s.refresh(a, "")
		return
	}
	if a.next != nil {
		a.next = nil
		s.refresh(a, "")
	}
	s.setDuty(a, nextDuty{e.Duty, e.Reason, e.By})
	s.refresh(a, "")
}

// setDuty makes it so. What rings at theirs goes to others, without a miss. An
// agent who starts work anew is asked again, whatever they missed before.
func (s *State) setDuty(a *agent, d nextDuty) {
	before := a.onDuty(s.config)
	if d.Duty == before && d.Reason == a.reason && !(d.Duty == DutyOn && a.silent) {
		s.counters.Late++
		return
	}
	why := forced(string(d.Duty), d.Reason, d.By)
	if before == DutyBreak && d.Duty == DutyBreak { // another reason
		a.since = s.now
		s.step(nil, Step{Kind: StepAgent, Agent: a.def.ID, What: OnBreak.String(), Why: why})
	}
	a.duty, a.reason = d.Duty, d.Reason
	if d.Duty == DutyOn {
		s.recovered(a)
	} else {
		s.withdrawFrom(a, why, func(o *offer) bool { return !o.chat })
	}
	s.refresh(a, why)
}

// onward begins what the agent wanted to do after their present work, once that is done.
func (s *State) onward(a *agent) {
	if a.next == nil || a.load() > 0 || a.wrapUp {
		return
	}
	next := *a.next
	a.next = nil
	a.duty, a.reason = next.Duty, next.Reason
	if next.Duty == DutyOn {
		s.recovered(a)
	}
}

// applyDNDSet: the agent does not want to be disturbed, or does again (R36).
func (s *State) applyDNDSet(e *DNDSet) {
	a := s.agents[e.Agent]
	if a == nil {
		s.counters.Unknown++
		return
	}
	if a.dnd == e.On {
		s.counters.Late++
		return
	}
	a.dnd = e.On
	why := forced("may be disturbed", "", e.By)
	if e.On {
		why = forced("do not disturb", "", e.By)
	}
	s.step(nil, Step{Kind: StepAgent, Agent: a.def.ID, What: "dnd", Why: why})
	if e.On && s.config.Presence.DNDBlocks {
		s.withdrawFrom(a, why, func(o *offer) bool { return !o.chat })
	}
	s.refresh(a, why)
}

// applyWrapUpSet: the agent's wrap-up ends now, or later than it would. Who has yet to
// tell what came of it does not end it; a supervisor may.
func (s *State) applyWrapUpSet(e *WrapUpSet) {
	a := s.agents[e.Agent]
	if a == nil {
		s.counters.Unknown++
		return
	}
	if !a.wrapUp || e.Extend < 0 || e.Extend > WrapUpExtendMax {
		s.counters.Late++
		return
	}
	id := DeadlineID{Kind: deadlineWrapUp, Name: string(a.def.ID)}
	if e.Extend > 0 {
		s.deadlines.arm(id, s.deadlines.byID[id].At.after(e.Extend))
		s.step(nil, Step{Kind: StepAgent, Agent: a.def.ID, What: WrapUp.String(), Why: forced("extended by "+e.Extend.String(), "", e.By)})
		return
	}
	if s.mustTell(a) != 0 && (e.By == "" || e.By == a.def.ID) {
		s.counters.Late++
		return
	}
	s.deadlines.disarm(id)
	s.endWrapUp(a, forced("wrap-up ended early", "", e.By))
}
