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
	lanes        []*lane
	atWork       []int32 // seats by tier whose agents are at work, if only busy
	census       census
	waiting      int // in its lanes
	interactions int // in the group, in any phase
}

func newGroup(def queuegroups.Group) *group { return &group{def: def} }

// tiers is how many lists of agents the group has.
func (g *group) tiers() int { return 1 + len(g.def.Tiers) }

// free is how many of the group's agents may be offered something now.
func (g *group) free() int {
	n := 0
	for _, t := range g.seats {
		if t.free {
			n++
		}
	}
	return n
}

// longest returns the interaction that comes first in the group; nil: none waits.
func (g *group) longest() (first *interaction) {
	for _, l := range g.lanes {
		for k := range l.waiting {
			if _, i, ok := l.waiting[k].first(); ok && (first == nil || i.key().less(first.key())) {
				first = i
			}
		}
	}
	return first
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
		s.unseat(t)
		t.agent.seats = removeOne(t.agent.seats, t)
	}
	g.seats = nil
	delete(s.groups, g.def.ID)
	s.groupOrder = removeOne(s.groupOrder, g)
}
