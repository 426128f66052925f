package acd

import "slices"

// applyDisposed: what came of an interaction is told. The interaction may have ended long
// ago: then the step is in no story. An agent who had to tell may end their wrap-up.
func (s *State) applyDisposed(e *Disposed) {
	a := s.agents[e.Agent]
	if a == nil || e.Code == "" || e.Interaction == 0 || uint64(e.Interaction) >= s.index {
		s.counters.Late++
		return
	}
	st := Step{Kind: StepDisposed, Interaction: e.Interaction, Group: e.Group, Agent: e.Agent, What: e.Code}
	if e.By != "" {
		st.Why = "by " + string(e.By)
	}
	i := s.interactions[e.Interaction]
	if i != nil && !slices.Contains(i.told, e.Agent) {
		i.told = append(i.told, e.Agent)
	}
	if a.owes != nil && a.owes.Of == e.Interaction {
		a.owes = nil
	}
	s.step(i, st)
}
