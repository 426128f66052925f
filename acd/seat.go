package acd

import "centrala/queuegroups"

// seat is an agent's place in a group.
type seat struct {
	agent   *agent
	group   *group
	tier    int // the list they are in, from 0
	place   int // in the lists of the group, one after another
	lanes   []*lane
	free    bool       // is in the free sets of the lanes
	key     key        // in those sets
	counted attendance // in the group
	state   SeatState
}

// eligible: the seat's agent may be offered an interaction of its group now (R28).
func (t *seat) eligible() bool {
	return t.state == SeatIn && t.agent.available(t.group) && t.agent.room(t.group)
}

// reseat puts the seat where it belongs: into the free sets of its lanes, at its
// rank, or out of them.
func (s *State) reseat(t *seat) {
	can, rank := t.eligible(), t.rank()
	if t.free == can && t.key == rank {
		return
	}
	s.unseat(t)
	if !can {
		return
	}
	t.free, t.key = true, rank
	t.group.freeSeats++
	s.judge(t.group)
	for _, l := range t.lanes {
		l.join(s, t)
	}
}

// unseat takes the seat out of the free sets of its lanes.
func (s *State) unseat(t *seat) {
	if !t.free {
		return
	}
	t.free = false
	t.group.freeSeats--
	s.judge(t.group)
	for _, l := range t.lanes {
		l.free[t.tier].remove(t.key)
	}
}

// rank is the agent's place among the free ones of the group. `evenly`: free
// capacity first, then the longest since the last answer, then the list (R19,
// R19a). `in_order` and `all`: the list (R21). No rank is the zero key.
func (t *seat) rank() key {
	if t.group.def.Distribution == queuegroups.Evenly {
		return key{int64(t.agent.load()), int64(t.agent.lastAnswer), int64(t.place) + 1}
	}
	return key{C: int64(t.place) + 1}
}

// seatState is what an agent set for themselves in a group, or had set for them.
type seatState struct {
	Group  queuegroups.GroupID `json:"group"`
	State  SeatState           `json:"state"`
	Reason string              `json:"reason,omitempty"`
	Since  instant             `json:"since"`
}

// seatOf returns what was set for the group; logged in is what nobody had to set.
func (a *agent) seatOf(g queuegroups.GroupID) seatState {
	for _, x := range a.places {
		if x.Group == g {
			return x
		}
	}
	return seatState{Group: g, State: SeatIn}
}

// applySeatSet: an agent logs in to or out of a group, or pauses in it. What
// rings at theirs for the group goes to others.
func (s *State) applySeatSet(e *SeatSet) {
	a, g := s.agents[e.Agent], s.groups[e.Group]
	if a == nil || g == nil || e.State != SeatIn && e.State != SeatOut && e.State != SeatPaused {
		s.counters.Unknown++
		return
	}
	if was := a.seatOf(e.Group); was.State == e.State && was.Reason == e.Reason {
		s.counters.Late++
		return
	}
	places := a.places[:0:0]
	for _, x := range a.places {
		if x.Group != e.Group {
			places = append(places, x)
		}
	}
	if e.State != SeatIn {
		places = append(places, seatState{Group: e.Group, State: e.State, Reason: e.Reason, Since: s.now})
	}
	a.places = places
	why := forced(string(e.State)+" in "+string(e.Group), e.Reason, e.By)
	s.step(nil, Step{Kind: StepAgent, Agent: a.def.ID, Group: e.Group, What: string(e.State), Why: forced(e.Reason, "", e.By)})
	for _, t := range a.seats {
		if t.group == g {
			t.state = e.State
			s.recount(t, t.attendance())
		}
	}
	if e.State != SeatIn {
		s.withdrawFrom(a, why, func(o *offer) bool { return o.group == e.Group })
	}
	s.refresh(a, why)
}
