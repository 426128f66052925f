package acd

import (
	"time"

	"centrala/queuegroups"
)

// HoldView is who holds the other end of a call.
type HoldView struct {
	Agent  queuegroups.AgentID `json:"agent,omitempty"`
	Number string              `json:"number,omitempty"` // outside, instead of an agent; neither: the customer
	Since  time.Time           `json:"since"`
}

// applyHeld: a leg holds whom it is bridged with, or does no longer. It decides
// nothing: a held call is a call that is talked on. Told twice it is too late.
func (s *State) applyHeld(e *Held) {
	l := s.legs[e.Leg]
	if l == nil || l.state >= legEnding || (l.held != 0) == e.On {
		s.counters.Late++
		return
	}
	i := s.interactions[l.of]
	if i == nil || i.isChat() {
		s.counters.Late++
		return
	}
	st := Step{Kind: StepResumed}
	l.held = 0
	if e.On {
		st.Kind, l.held = StepHeld, s.now
	}
	if by := l.holder(); by.Agent != "" || by.Number != "" {
		st.Agent, st.What = by.Agent, by.Number
	} else {
		st.Why = "by the customer"
	}
	s.step(i, st)
}

func (l *leg) holder() HoldView {
	v := HoldView{Since: l.held.Time()}
	switch {
	case l.agent == nil:
	case l.agent.outside:
		v.Number = l.agent.def.Phone
	default:
		v.Agent = l.agent.def.ID
	}
	return v
}

// holds lists who holds whom they talk to: the customer, whoever has the
// interaction, the colleague who is asked.
func (i *interaction) holds() []HoldView {
	var out []HoldView
	ends := []*leg{i.caller, i.other}
	if i.consult != nil {
		ends = append(ends, i.consult.leg)
	}
	for _, l := range ends {
		if l != nil && l.held != 0 {
			out = append(out, l.holder())
		}
	}
	return out
}
