package acd

import (
	"slices"

	"centrala/queuegroups"
)

// applyConfig makes a configuration the one in force. Calls in progress go on:
// agents and groups that are no longer declared stay until their work is done.
func (s *State) applyConfig(e *ConfigApplied) {
	if e.Config == nil {
		s.counters.Unknown++
		return
	}
	s.config = e.Config
	for _, a := range s.agentOrder {
		for _, t := range a.seats {
			s.unseat(t)
		}
	}
	s.declareAgents()
	s.declareGroups()
	s.indexNumbers()
	s.seat()
	for _, a := range slices.Clone(s.agentOrder) {
		s.refresh(a, "configuration")
		s.drop(a)
	}
	for _, g := range slices.Clone(s.groupOrder) {
		s.dropGroup(g)
	}
}

func (s *State) declareAgents() {
	old := s.agentOrder
	s.agentOrder = make([]*agent, 0, len(s.config.Agents))
	for _, a := range old {
		a.removed = true
	}
	for _, def := range s.config.Agents {
		a := s.agents[def.ID]
		if a == nil {
			a = &agent{since: s.now}
			s.agents[def.ID] = a
		}
		a.def, a.removed = def, false
		a.lowered = a.used() > def.Capacity.Voice
		s.agentOrder = append(s.agentOrder, a)
	}
	for _, a := range old {
		if a.removed {
			s.agentOrder = append(s.agentOrder, a)
		}
	}
}

func (s *State) declareGroups() {
	old := s.groupOrder
	s.groupOrder = make([]*group, 0, len(s.config.Groups))
	for _, g := range old {
		g.removed = true
	}
	for _, def := range s.config.Groups {
		g := s.groups[def.ID]
		if g == nil {
			g = newGroup(def)
			s.groups[def.ID] = g
		}
		g.def, g.removed = def, false
		s.groupOrder = append(s.groupOrder, g)
	}
	for _, g := range old {
		if g.removed {
			s.groupOrder = append(s.groupOrder, g)
		}
	}
}

func (s *State) indexNumbers() {
	s.numbers = make(map[string]*queuegroups.Number, len(s.config.Numbers))
	for k := range s.config.Numbers {
		n := &s.config.Numbers[k]
		s.numbers[n.Number] = n
	}
}

// seat gives agents their places in the groups. Nobody is in a free set.
func (s *State) seat() {
	for _, a := range s.agentOrder {
		a.seats = nil
	}
	for _, g := range s.groupOrder {
		g.seats = nil
		g.census = census{}
		for place, id := range g.def.Agents {
			a := s.agents[id]
			if a == nil {
				continue
			}
			t := &seat{agent: a, group: g, place: place}
			g.seats = append(g.seats, t)
			a.seats = append(a.seats, t)
			g.census[a.status]++
		}
	}
	s.reopen()
}

// reopen puts interactions where a change of distribution wants them: those that
// somebody is rung for are open to more only under `all`.
func (s *State) reopen() {
	for _, id := range sortedKeys(s.interactions) {
		i := s.interactions[id]
		if i.phase != PhaseOffered {
			continue
		}
		p := i.group.pool
		p.open.remove(i.key())
		if i.group.def.Distribution != queuegroups.All {
			continue
		}
		p.open.insert(i.key(), i)
		if i.tried == nil {
			i.tried = map[queuegroups.AgentID]bool{}
		}
		for _, o := range i.offers {
			i.tried[o.agent.def.ID] = true
		}
	}
}
