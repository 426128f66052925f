package acd

import "centrala/queuegroups"

// notRespondingFor is how long an agent who missed too many offers is left alone,
// unless a phone of theirs registers anew (R25: what could not be assigned is
// retried every 2 minutes).
const notRespondingFor = 120_000_000_000 // ns

// minRest is the shortest back-off, whatever is declared: without one, a phone
// that refuses at once would be rung in an endless loop.
const minRest = 1_000_000_000 // ns

// agent is a person (or fixed phone) and what they are doing.
type agent struct {
	def        queuegroups.Agent
	removed    bool
	outside    bool     // a number outside that a call was forwarded to; in no list
	online     []NodeID // where phones are registered, sorted
	seats      []*seat  // in the groups they serve, in order of declaration
	offers     []*offer // that hold a capacity slot
	legs       []*leg   // that hold a capacity slot
	lastAnswer instant  // R19: one clock
	misses     int      // offers in a row that came to nothing
	resting    FailureClass
	silent     bool // not responding
	wrapUp     bool
	status     AgentStatus
	since      instant
	lowered    bool                  // a reload took capacity away that was in use
	personal   ordered[*interaction] // that wait for this agent and nobody else
	touched    bool                  // is in turn.callees
	refs       int                   // offers and legs that name the agent
}

// seat is an agent's place in a group.
type seat struct {
	agent   *agent
	group   *group
	tier    int // the list they are in, from 0
	place   int // in the lists of the group, one after another
	lanes   []*lane
	free    bool // is in the free sets of the lanes
	key     key  // in those sets
	working bool // is counted in group.atWork
}

// used returns how many capacity slots are taken.
func (a *agent) used() int { return len(a.offers) + len(a.legs) }

// reachable: some phone can be rung. A fixed contact cannot register and counts
// as reachable always.
func (a *agent) reachable() bool { return len(a.online) > 0 || a.def.Contact != "" }

// present returns what the agent is doing now.
func (a *agent) present() AgentStatus {
	reserved := false
	for _, l := range a.legs {
		if l.state == legUp {
			return Talking
		}
	}
	for _, o := range a.offers {
		if o.ringing && o.outcome == "" {
			return Ringing
		}
		reserved = reserved || o.outcome == ""
	}
	switch {
	case reserved:
		return Reserved
	case a.wrapUp:
		return WrapUp
	case a.removed:
		return Dismissed
	case a.used() > 0: // a phone is still being cancelled or hanging up
		return Reserved
	case !a.reachable():
		return Offline
	case a.silent:
		return NotResponding
	case a.resting == FailBusy:
		return BusyElsewhere
	case a.resting != "":
		return BackingOff
	}
	return Available
}

// canTake: the agent may be offered one more call now (R28).
func (a *agent) canTake() bool {
	return !a.removed && a.reachable() && !a.silent && a.resting == "" && !a.wrapUp &&
		a.used() < a.def.Capacity.Voice
}

// eligible: the seat's agent may be offered an interaction of its group now (R28).
func (t *seat) eligible() bool { return t.agent.canTake() }

// refresh brings all that is derived from the agent up to date: the visible
// state, the census of their groups, and their place in the free sets.
func (s *State) refresh(a *agent, why string) {
	if a.outside {
		return
	}
	if st := a.present(); st != a.status {
		for _, t := range a.seats {
			t.group.census[a.status]--
			t.group.census[st]++
		}
		a.status, a.since = st, s.now
		for _, t := range a.seats {
			s.countWork(t, st.atWork())
		}
		s.step(nil, Step{Kind: StepAgent, Agent: a.def.ID, What: st.String(), Why: why})
	}
	for _, t := range a.seats {
		s.reseat(t)
	}
	s.attend(a)
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
	for _, l := range t.lanes {
		l.free[t.tier].remove(t.key)
	}
}

// countWork keeps the group's count of who is at work in the seat's tier. When a
// tier is left by everybody, or the first comes to it, later tiers may be open
// now.
func (s *State) countWork(t *seat, works bool) {
	if works == t.working {
		return
	}
	t.working = works
	n := &t.group.atWork[t.tier]
	if works {
		*n++
	} else {
		*n--
	}
	if *n == 0 || works && *n == 1 {
		for _, l := range t.group.lanes {
			s.reopened(l)
		}
	}
}

// reopened looks at a lane whose open tiers changed: everybody who is free in it
// may join in where others are rung.
func (s *State) reopened(l *lane) {
	s.touch(l)
	for k := range l.free {
		l.free[k].each(func(t *seat) bool { l.freshen(s, t); return true })
	}
}

// rank is the agent's place among the free ones of the group. `evenly`: free
// capacity first, then the longest since the last answer, then the list (R19,
// R19a). `in_order` and `all`: the list (R21). No rank is the zero key.
func (t *seat) rank() key {
	if t.group.def.Distribution == queuegroups.Evenly {
		return key{int64(t.agent.used()), int64(t.agent.lastAnswer), int64(t.place) + 1}
	}
	return key{C: int64(t.place) + 1}
}

// rest leaves the agent alone after an offer of the group that came to nothing,
// and counts a miss where nobody reacted at all.
func (s *State) rest(a *agent, g *group, class FailureClass) {
	if a.outside {
		return
	}
	switch class {
	case FailBusy, FailDeclined: // somebody is there
		a.misses = 0
	default:
		a.misses++
		if g.def.Misses > 0 && a.misses >= g.def.Misses {
			a.silent = true
			s.deadlines.arm(DeadlineID{Kind: deadlineReturn, Name: string(a.def.ID)}, s.now+notRespondingFor)
		}
	}
	a.resting = class
	s.deadlines.arm(DeadlineID{Kind: deadlineRest, Name: string(a.def.ID)}, s.now.after(max(g.backOff(class), minRest)))
}

// recovered ends every penalty: the agent answered, or a phone registered anew.
func (s *State) recovered(a *agent) {
	a.misses, a.silent, a.resting = 0, false, ""
	s.deadlines.disarm(DeadlineID{Kind: deadlineReturn, Name: string(a.def.ID)})
	s.deadlines.disarm(DeadlineID{Kind: deadlineRest, Name: string(a.def.ID)})
}

// startWrapUp begins the agent's work after a call of the group.
func (s *State) startWrapUp(a *agent, g *group) {
	if g.def.WrapUp > 0 && !a.removed && !a.outside {
		a.wrapUp = true
		s.deadlines.arm(DeadlineID{Kind: deadlineWrapUp, Name: string(a.def.ID)}, s.now.after(g.def.WrapUp))
	}
}

// drop forgets an agent who is no longer declared once nothing names them.
func (s *State) drop(a *agent) {
	if !a.removed || a.refs > 0 || s.agents[a.def.ID] != a {
		return
	}
	s.recovered(a)
	s.deadlines.disarm(DeadlineID{Kind: deadlineWrapUp, Name: string(a.def.ID)})
	for _, t := range a.seats {
		s.unseat(t)
		t.group.census[a.status]--
		s.countWork(t, false)
		t.group.seats = removeOne(t.group.seats, t)
	}
	a.seats = nil
	delete(s.agents, a.def.ID)
	s.agentOrder = removeOne(s.agentOrder, a)
}
