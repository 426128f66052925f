package acd

import (
	"time"

	"centrala/queuegroups"
)

// Standing is who has what at present, without the stories: little enough to be
// compared after every entry with a second opinion.
type Standing struct {
	Interactions []InteractionStanding // by arrival
	Agents       []AgentStanding       // in order of declaration
	Groups       []GroupStanding       // in order of declaration
}

// InteractionStanding is where an interaction stands.
type InteractionStanding struct {
	ID       InteractionID
	Group    queuegroups.GroupID // empty: in none
	Phase    Phase
	Leg      LegID // the customer's
	Agent    queuegroups.AgentID
	AgentLeg LegID
	Offers   int                 // live ones
	For      queuegroups.AgentID // it is kept for this agent
	Consults LegID               // the colleague's leg, once they answered
	Aside    bool                // the colleague hears music meanwhile
	Holds    int                 // how many ends hold whom they are bridged with
	Slot     string              // where it is parked
	Credit   time.Duration       // of waiting, on top
	Needs    string              // as in polish>=3
	Tier     int                 // the last that waiting has opened, from 0
	Round    int                 // completed times round the group
}

// AgentStanding is where an agent stands.
type AgentStanding struct {
	ID      queuegroups.AgentID
	Status  AgentStatus
	Calls   int  // in hand, offers included
	Chats   int  // likewise
	Counted int  // chats that count against the agent's limits
	CanTake bool // may be offered a call now
	Misses  int
}

// GroupStanding is where a group stands.
type GroupStanding struct {
	ID           queuegroups.GroupID
	Waiting      int
	Interactions int
	Free         int    // seats
	Condition    string // as in GroupView
	Since        time.Time
}

// Standing fills x, whose room is used again. O(n) in all that is in the state.
func (s *State) Standing(x *Standing) {
	x.Interactions, x.Agents, x.Groups = x.Interactions[:0], x.Agents[:0], x.Groups[:0]
	for _, id := range sortedKeys(s.interactions) {
		x.Interactions = append(x.Interactions, s.interactions[id].standing())
	}
	for _, a := range s.agentOrder {
		x.Agents = append(x.Agents, AgentStanding{
			ID: a.def.ID, Status: a.status, Calls: a.calls, Chats: a.open, Counted: a.chats, CanTake: a.canTake(), Misses: a.misses,
		})
	}
	for _, g := range s.groupOrder {
		x.Groups = append(x.Groups, GroupStanding{
			ID: g.def.ID, Waiting: g.waiting, Interactions: g.interactions, Free: g.freeSeats,
			Condition: g.cond.String(), Since: g.condSince.Time(),
		})
	}
}

func (i *interaction) standing() InteractionStanding {
	v := InteractionStanding{
		ID: i.id, Group: i.group.def.ID, Phase: i.phase, Leg: i.caller.id, Offers: len(i.offers),
		Slot: i.slot, Credit: time.Duration(i.credit), Tier: i.tier, Round: i.round, Holds: len(i.holds()),
	}
	if i.lane != nil {
		v.Needs = i.lane.name
	}
	if i.agent != nil {
		v.Agent, v.AgentLeg = i.agent.def.ID, i.other.id
	}
	if i.personal != nil {
		v.For = i.personal.def.ID
	}
	if c := i.consult; c != nil && c.leg != nil {
		v.Consults, v.Aside = c.leg.id, c.aside
	}
	return v
}

// Deadline returns when a deadline passes, and its present generation; false: it
// is not armed.
func (s *State) Deadline(id DeadlineID) (at time.Time, generation uint64, armed bool) {
	d := s.deadlines.byID[id]
	if d == nil {
		return time.Time{}, 0, false
	}
	return d.At.Time(), d.Generation, true
}

// Deadlines is how many deadlines are armed.
func (s *State) Deadlines() int { return len(s.deadlines.heap) }
