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
	paused       int     // seats whose agents are on a break, or paused
	freeSeats    int
	cond         condition
	condSince    instant
	handle       time.Duration // mean time of handling an interaction; 0: no experience
	promises     Promises
	census       census
	waiting      int                   // in its lanes
	ringing      ordered[*interaction] // somebody is being rung for them
	asleep       ordered[*interaction] // chats that wait until the channel opens
	chat         *queuegroups.Channel  // nil: it serves calls
	interactions int                   // in the group, in any phase
	touched      bool                  // is in turn.groups
}

func newGroup(def queuegroups.Group) *group { return &group{def: def, cond: loggedOut} }

// tiers is how many lists of agents the group has.
func (g *group) tiers() int { return 1 + len(g.def.Tiers) }

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
	s.deadlines.disarm(DeadlineID{Kind: deadlineCondition, Name: string(g.def.ID)})
	s.deadlines.disarm(DeadlineID{Kind: deadlineOpening, Name: string(g.def.ID)})
	g.seats = nil
	delete(s.groups, g.def.ID)
	s.groupOrder = removeOne(s.groupOrder, g)
}
