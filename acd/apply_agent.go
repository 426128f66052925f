package acd

import "slices"

// applyAgentOnline: the first phone of the agent of its kind registered at a
// node. A phone that registers anew ends not responding and every back-off.
func (s *State) applyAgentOnline(e *AgentOnline) {
	a := s.agents[e.Agent]
	if a == nil || !e.Client.known() {
		s.counters.Unknown++
		return
	}
	if e.Client != ClientPhone {
		c := s.clientAt(a, e.Node, e.Client)
		if !c.rings {
			c.rings = true
			s.used(a, c)
		}
	} else {
		a.register(e.Node)
	}
	s.recovered(a)
	s.refresh(a, "registered")
}

// register notes that a phone of the agent's is registered at the node.
func (a *agent) register(n NodeID) {
	if at, there := slices.BinarySearch(a.online, n); !there {
		a.online = slices.Insert(a.online, at, n)
	}
}

// applyAgentOffline: the last phone of the agent of its kind at a node is gone.
func (s *State) applyAgentOffline(e *AgentOffline) {
	a := s.agents[e.Agent]
	if a == nil || !e.Client.known() {
		s.counters.Unknown++
		return
	}
	if !s.unregister(a, e.Node, e.Client) {
		s.counters.Late++
	}
}

// unregister takes phones of a kind at the node from the agent's presence.
func (s *State) unregister(a *agent, n NodeID, k ClientKind) bool {
	if k == ClientPhone {
		at, there := slices.BinarySearch(a.online, n)
		if !there {
			return false
		}
		a.online = slices.Delete(a.online, at, at+1)
	} else {
		c := s.clientAt(a, n, k)
		was := c.rings
		c.rings = false
		if !c.open {
			s.dropClient(a, c)
		}
		if !was {
			return false
		}
	}
	s.presenceChanged(a, "no phone registered")
	return true
}

// leftNode takes everything at the node from the agent's presence.
func (s *State) leftNode(a *agent, n NodeID) {
	gone := false
	for _, c := range slices.Clone(a.clients) {
		if c.node == n {
			s.dropClient(a, c)
			gone = true
		}
	}
	if !s.unregister(a, n, ClientPhone) && gone {
		s.presenceChanged(a, "lost with its node")
	}
}
