package acd

import "slices"

// applyAgentOnline: the first phone of the agent registered at a node. A phone
// that registers anew ends not responding and every back-off.
func (s *State) applyAgentOnline(e *AgentOnline) {
	a := s.agents[e.Agent]
	if a == nil {
		s.counters.Unknown++
		return
	}
	if at, there := slices.BinarySearch(a.online, e.Node); !there {
		a.online = slices.Insert(a.online, at, e.Node)
	}
	s.recovered(a)
	s.refresh(a, "registered")
}

// applyAgentOffline: the last phone of the agent at a node is gone.
func (s *State) applyAgentOffline(e *AgentOffline) {
	a := s.agents[e.Agent]
	if a == nil {
		s.counters.Unknown++
		return
	}
	if !s.unregister(a, e.Node) {
		s.counters.Late++
	}
}

// unregister takes the node from the agent's presence. An agent who cannot be
// reached any more loses the offers made to them; calls go on.
func (s *State) unregister(a *agent, n NodeID) bool {
	at, there := slices.BinarySearch(a.online, n)
	if !there {
		return false
	}
	a.online = slices.Delete(a.online, at, at+1)
	if !a.reachable() {
		for _, o := range slices.Clone(a.offers) {
			if i := s.interactions[o.of]; i != nil && o.outcome == "" {
				s.withdraw(i, o, OutcomeWithdrawn, "the agent's phone is gone")
				s.afterOffer(i)
			}
		}
	}
	s.refresh(a, "no phone registered")
	return true
}
