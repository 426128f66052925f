package acd

// applyDisposed: what came of an interaction is told. It decides nothing, and the
// interaction may have ended long ago: then the step is in no story.
func (s *State) applyDisposed(e *Disposed) {
	if s.agents[e.Agent] == nil || e.Code == "" || e.Interaction == 0 || uint64(e.Interaction) >= s.index {
		s.counters.Late++
		return
	}
	st := Step{Kind: StepDisposed, Interaction: e.Interaction, Group: e.Group, Agent: e.Agent, What: e.Code}
	if e.By != "" {
		st.Why = "by " + string(e.By)
	}
	s.step(s.interactions[e.Interaction], st)
}
