package acd

import (
	"time"

	"centrala/queuegroups"
)

// Account is what whoever keeps the record has to know of an interaction that has
// not ended, beside its steps.
type Account struct {
	Group    queuegroups.GroupID // empty: in none
	Phase    Phase
	For      queuegroups.AgentID // it waits for this agent, or is offered to them, and to nobody else
	Stints   []Stint             // not to be changed or kept
	Promised time.Time           // when it was to be answered, as it could be told when it came to wait in the group; zero: never told
}

// AccountOf returns the account of an interaction, false if it has ended.
func (s *State) AccountOf(id InteractionID) (Account, bool) {
	i := s.interactions[id]
	if i == nil {
		return Account{}, false
	}
	a := Account{Group: i.group.def.ID, Phase: i.phase, Stints: i.stints, Promised: i.promised.Time()}
	if i.personal != nil {
		a.For = i.personal.def.ID
	}
	return a, true
}

// ChatOf tells of which chat a leg is an end at present: the customer's, and then
// there is no agent, or that of the agent who has it. False: of none.
func (s *State) ChatOf(leg LegID) (of InteractionID, agent queuegroups.AgentID, ok bool) {
	i, l := s.chatOf(leg)
	if i == nil {
		return 0, "", false
	}
	if l != i.caller {
		agent = i.agent.def.ID
	}
	return i.id, agent, true
}

// LegOf tells whose a leg is that has not ended: of which interaction, and of
// which agent or number outside; both are empty for the customer.
func (s *State) LegOf(id LegID) (of InteractionID, agent queuegroups.AgentID, number string, ok bool) {
	l := s.legs[id]
	if l == nil {
		return 0, "", "", false
	}
	if l.agent != nil && l.agent.outside {
		return l.of, "", l.agent.def.Phone, true
	}
	if l.agent != nil {
		agent = l.agent.def.ID
	}
	return l.of, agent, "", true
}

// StatusOf returns what an agent is doing, and since when; false if there is none.
func (s *State) StatusOf(id queuegroups.AgentID) (AgentStatus, time.Time, bool) {
	a := s.agents[id]
	if a == nil {
		return Offline, time.Time{}, false
	}
	return a.status, a.since.Time(), true
}
