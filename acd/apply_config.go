package acd

import (
	"slices"
	"time"

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
	s.reopen()
	s.remembers = remembers(s.config)
	for _, a := range slices.Clone(s.agentOrder) {
		s.refresh(a, "configuration")
		s.drop(a)
	}
	if s.level >= 2 {
		s.unlisted()
	}
	for _, g := range slices.Clone(s.groupOrder) {
		s.rejudge(g)
		if g.isChat() {
			s.awaken(g)
		}
		s.dropGroup(g)
	}
}

// unlisted takes back the offers to agents who do not serve the group any more
// (R29); calls go on.
func (s *State) unlisted() {
	for _, a := range slices.Clone(s.agentOrder) {
		s.withdrawFrom(a, "does not serve the group any more", func(o *offer) bool {
			listed := slices.ContainsFunc(a.seats, func(t *seat) bool { return t.group.def.ID == o.group })
			i := s.interactions[o.of]
			ofGroup := i.phase == PhaseOffered && i.personal == nil // not a colleague's question
			return a.removed || !listed && ofGroup
		})
		s.drop(a)
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
		a.lowered = a.calls > def.Capacity.Voice
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
		s.declareGroup(def, nil)
	}
	for k := range s.config.Channels {
		c := &s.config.Channels[k]
		s.declareGroup(channelGroup(c), c)
	}
	for _, g := range old {
		if g.removed {
			s.groupOrder = append(s.groupOrder, g)
		}
	}
}

func (s *State) declareGroup(def queuegroups.Group, chat *queuegroups.Channel) {
	g := s.groups[def.ID]
	if g == nil {
		g = newGroup(def)
		g.condSince = s.now
		s.groups[def.ID] = g
	}
	g.def, g.chat, g.removed = def, chat, false
	s.groupOrder = append(s.groupOrder, g)
}

func (s *State) indexNumbers() {
	s.numbers = make(map[string]*queuegroups.Number, len(s.config.Numbers))
	for k := range s.config.Numbers {
		n := &s.config.Numbers[k]
		s.numbers[n.Number] = n
	}
}

// seat gives agents their places in the groups. Nobody is free and nobody waits
// in a lane afterwards: refresh and relane see to that.
func (s *State) seat() {
	for _, a := range s.agentOrder {
		a.seats, a.listed, a.channels = nil, 0, 0
	}
	for _, g := range s.groupOrder {
		g.seats, g.lanes, g.waiting = nil, nil, 0
		g.census = census{}
		g.atWork = make([]int32, g.tiers())
		g.paused, g.freeSeats = 0, 0
		place := 0
		for tier := range g.tiers() {
			list := g.def.Agents
			if tier > 0 {
				list = g.def.Tiers[tier-1].Agents
			}
			for _, id := range list {
				if a := s.agents[id]; a != nil {
					s.sit(&seat{agent: a, group: g, tier: tier, place: place, state: a.seatOf(g.def.ID).State})
				}
				place++
			}
		}
	}
}

func (s *State) sit(t *seat) {
	t.group.seats = append(t.group.seats, t)
	t.agent.seats = append(t.agent.seats, t)
	switch {
	case t.group.removed:
	case t.group.isChat():
		t.agent.channels++
	default:
		t.agent.listed++
	}
	t.group.census[t.agent.status]++
	switch t.counted = t.attendance(); t.counted {
	case working:
		t.group.atWork[t.tier]++
	case paused:
		t.group.paused++
	case absent:
	}
}

// relane puts an interaction where its group has it now.
func (s *State) relane(i *interaction) {
	i.lane = nil
	if i.phase != PhaseQueued && i.phase != PhaseOffered {
		return
	}
	i.lane = i.group.lane(i.need())
	switch {
	case i.personal != nil:
	case i.phase == PhaseQueued:
		s.toLane(i)
	case i.group.def.Distribution == queuegroups.All:
		i.lane.open[i.tier].insert(i.key(), i)
	}
}

// reopen puts interactions where the new configuration wants them: what waiting
// changes is reckoned anew, and those that somebody is rung for are open to more
// only under `all`.
func (s *State) reopen() {
	for _, id := range sortedKeys(s.interactions) {
		i := s.interactions[id]
		if i.phase != PhaseQueued && i.phase != PhaseOffered {
			i.lane, i.relaxed, i.tier = nil, 0, 0 // reckoned anew if it comes back to the queue
			continue
		}
		def, waited := &i.group.def, time.Duration(s.now-i.entered)
		i.relaxed, i.tier = 0, 0
		for i.relaxed < len(def.Relax) && def.Relax[i.relaxed].After <= waited {
			i.relaxed++
		}
		for i.tier < len(def.Tiers) && def.Tiers[i.tier].After <= waited {
			i.tier++
		}
		s.armStage(i)
		s.relane(i)
		if i.phase != PhaseOffered || i.group.def.Distribution != queuegroups.All {
			continue
		}
		if i.tried == nil {
			i.tried = map[queuegroups.AgentID]bool{}
		}
		for _, o := range i.offers {
			i.tried[o.agent.def.ID] = true
		}
	}
	for _, id := range sortedKeys(s.interactions) { // which may put a chat back into the queue
		s.recountChat(s.interactions[id])
	}
}
