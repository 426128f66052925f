package acd

import (
	"cmp"
	"slices"

	"centrala/queuegroups"
)

// Line is a call at an agent's, or of a group, as a colleague's phone may show it
// on a lamp.
type Line struct {
	Interaction InteractionID // 0: calls of a group that agents have
	Rings       bool          // or, of a group, waits; else it is talked on, or the agent calls
	Outgoing    bool          // the agent is the caller
	Direct      bool          // of no group
	// With is the far end. It is zero for who may not know it: those who may pick
	// up calls of the agent's, or of the group's (R93), and the agent themself, may.
	With Party
	// Pickup: the colleague may claim the call as things stand.
	Pickup bool
}

// AgentLines are the calls at an agent's as a colleague may see them, in order of
// their beginning; ok is false where there is no such agent.
func (s *State) AgentLines(id, watcher queuegroups.AgentID) (lines []Line, ok bool) {
	a, w := s.agents[id], s.agents[watcher]
	if a == nil || a.removed || w == nil || w.removed {
		return nil, false
	}
	may := a == w || s.sharePickup(w, a)
	add := func(i *interaction, l Line, with Party) {
		l.Interaction, l.Direct = i.id, i.direct()
		if may {
			l.With = with
		}
		lines = append(lines, l)
	}
	for _, l := range a.legs {
		i := s.interactions[l.of]
		switch {
		case i == nil || l.chat || l.state >= legEnding:
		case l.own && i.caller == l:
			add(i, Line{Outgoing: true}, Party{Number: i.to})
		case i.caller == l: // called by a colleague, and handed over to somebody else
			with := Party{}
			if i.agent != nil {
				with = i.agent.shown()
			}
			add(i, Line{}, with)
		default:
			add(i, Line{}, i.callerOf(i.consult != nil && i.consult.leg == l))
		}
	}
	for _, o := range a.offers {
		i := s.interactions[o.of]
		if i == nil || o.chat || o.outcome != "" || !o.ringing {
			continue
		}
		claim := a != w && i.phase == PhaseOffered && s.mayPickUp(w, i, a)
		add(i, Line{Rings: true, Pickup: claim}, i.callerOf(i.consult != nil && i.consult.offer == o.id))
	}
	slices.SortStableFunc(lines, func(x, y Line) int { return cmp.Compare(x.Interaction, y.Interaction) })
	return lines, true
}

// callerOf is the far end of an agent's call: the customer, or the colleague who
// consults them.
func (i *interaction) callerOf(consulted bool) Party {
	if consulted && i.agent != nil {
		return i.agent.shown()
	}
	return i.customer()
}

// sharePickup: there is a group with pickup that both serve.
func (s *State) sharePickup(a, b *agent) bool {
	return slices.ContainsFunc(a.seats, func(t *seat) bool {
		return t.group.def.Pickup && slices.ContainsFunc(b.seats, func(u *seat) bool { return u.group == t.group })
	})
}

// GroupLines are what a lamp shows of a group: the call that comes first of those
// that ring or wait in it; where there is none, that agents have calls of it. ok is
// false where there is no such group of calls.
func (s *State) GroupLines(id queuegroups.GroupID, watcher queuegroups.AgentID) (lines []Line, ok bool) {
	g, w := s.groups[id], s.agents[watcher]
	if g == nil || g.removed || g.isChat() || w == nil || w.removed {
		return nil, false
	}
	first := g.longest()
	if _, i, rings := g.ringing.first(); rings && (first == nil || i.key().less(first.key())) {
		first = i
	}
	switch {
	case first != nil:
		l := Line{Interaction: first.id, Rings: true, Pickup: s.mayPickUp(w, first, nil)}
		if l.Pickup {
			l.With = first.customer()
		}
		return []Line{l}, true
	case g.interactions > 0:
		return []Line{{}}, true
	}
	return nil, true
}

// PickupOf is the claim by which the agent takes the interaction as things stand;
// nil: they may not, or it is past that. Its phase is empty where there is none by
// that id.
func (s *State) PickupOf(id InteractionID, by queuegroups.AgentID) (claim *Claimed, phase Phase) {
	i, a := s.interactions[id], s.agents[by]
	if i == nil || a == nil || a.removed || i.isChat() {
		return nil, ""
	}
	switch {
	case i.phase != PhaseQueued && i.phase != PhaseOffered:
	case i.direct():
		for _, o := range i.offers {
			if o.agent != a && s.mayPickUp(a, i, o.agent) {
				return &Claimed{Agent: by, Kind: ClaimAgent, From: o.agent.def.ID}, i.phase
			}
		}
	case s.mayPickUp(a, i, nil):
		return &Claimed{Agent: by, Kind: ClaimInteraction, Interaction: id}, i.phase
	}
	return nil, i.phase
}

// Touched are the agents and groups whose lines the last entry applied may have
// changed, some of them more than once. It is valid until the next Apply.
func (s *State) Touched() ([]queuegroups.AgentID, []queuegroups.GroupID) {
	return s.turn.agents, s.turn.inGroups
}

// touchLines notes whose lines a step of the interaction, in the group it is in or
// in the one given, may change.
func (s *State) touchLines(i *interaction, of queuegroups.GroupID) {
	t := &s.turn
	if of != "" {
		t.inGroups = append(t.inGroups, of)
	}
	if i.group != nil && !i.direct() {
		t.inGroups = append(t.inGroups, i.group.def.ID)
	}
	for _, o := range i.offers {
		t.agents = append(t.agents, o.agent.def.ID)
	}
	if i.agent != nil {
		t.agents = append(t.agents, i.agent.def.ID)
	}
	if i.caller != nil && i.caller.agent != nil {
		t.agents = append(t.agents, i.caller.agent.def.ID)
	}
}
