package acd

import (
	"time"

	"centrala/queuegroups"
)

// group is a queue group in force.
type group struct {
	def          queuegroups.Group
	removed      bool // no longer declared; kept while interactions are in it
	seats        []*seat
	pool         *pool
	census       census
	interactions int // in the group, in any phase
}

// pool is a set of interactions that the same agents may serve, and those of the
// agents who are free.
type pool struct {
	group   *group
	waiting ordered[*interaction] // nobody is being rung for them
	open    ordered[*interaction] // `all`: being rung for, and more agents may join in
	free    ordered[*seat]
	fresh   []*seat // of agents who became free by this entry
	touched bool    // is in turn.pools
}

func newGroup(def queuegroups.Group) *group {
	g := &group{def: def}
	g.pool = &pool{group: g}
	return g
}

// touch notes that the pool may have a match.
func (s *State) touch(p *pool) {
	if !p.touched {
		p.touched = true
		s.turn.pools = append(s.turn.pools, p)
	}
}

// dialLimit is how long a phone may take until it rings.
func (g *group) dialLimit() time.Duration {
	if g.def.DialLimit <= 0 {
		return 10 * time.Second
	}
	return g.def.DialLimit
}

// ringTime is how long a phone rings, from its first 180 (R91).
func (g *group) ringTime() time.Duration {
	length, rings := g.def.RingLength, g.def.Rings
	if length <= 0 {
		length = 5 * time.Second
	}
	return time.Duration(max(rings, 1)) * length
}

func (g *group) backOff(class FailureClass) time.Duration {
	switch class {
	case FailBusy:
		return g.def.Retry.Busy
	case FailDeclined:
		return g.def.Retry.Declined
	case FailNoAnswer:
		return g.def.Retry.NoAnswer
	case FailUnreachable, FailCancelled:
		return g.def.Retry.Unreachable
	}
	return g.def.Retry.Unreachable
}

// dropGroup forgets a group that is no longer declared once it is empty.
func (s *State) dropGroup(g *group) {
	if !g.removed || g.interactions > 0 || s.groups[g.def.ID] != g {
		return
	}
	for _, t := range g.seats {
		t.agent.seats = removeOne(t.agent.seats, t)
	}
	g.seats = nil
	delete(s.groups, g.def.ID)
	s.groupOrder = removeOne(s.groupOrder, g)
}
