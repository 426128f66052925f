package events

import (
	"slices"
	"strings"

	"centrala/acd"
	"centrala/queuegroups"
)

// Type is the type of an event: a thing and what happened to it, with a dot between.
type Type string

// The types that are not of an interaction's own course. Those of calls and chats are made by TypeOf.
const (
	OfferMade         Type = "offer.made"
	OfferRinging      Type = "offer.ringing"
	OfferEnded        Type = "offer.ended"
	GroupEntered      Type = "group.entered"
	GroupLeft         Type = "group.left"
	TalkDisposed      Type = "talk.disposed"
	AgentStateChanged Type = "agent.state_changed"
	AgentSeatChanged  Type = "agent.seat_changed"
	AgentDNDChanged   Type = "agent.dnd_changed"
	AgentDutyPlanned  Type = "agent.duty_planned"
	TrunkStateChanged Type = "trunk.state_changed"
	ConfigReloaded    Type = "config.reloaded"
	EventsLost        Type = "events.lost"
)

// course is a step in the course of an interaction: how the type ends, and what it means.
type course struct {
	step     acd.StepKind
	name     string
	chatOnly bool
	about    string
}

// courses is the list of them. Steps of offers have types of their own.
func courses() []course {
	return []course{
		{acd.StepArrived, "arrived", false, "It began."},
		{acd.StepQueued, "queued", false, "It waits: nobody can be offered it at once."},
		{acd.StepBridged, "answered", false, "The agent, or the number outside, and the customer hear each other."},
		{acd.StepAction, "overflowed", false, "Nobody answered; detail is what is done about it."},
		{acd.StepServed, "served", false, "Voicemail or callback told how it went."},
		{acd.StepRequeue, "requeued", false, "It waits again and keeps its arrival."},
		{acd.StepStage, "widened", false, "It waited long enough for detail: less skill, or another tier of agents."},
		{acd.StepUnavailable, "unserved", false, "Nobody can serve the group."},
		{acd.StepClosed, "closed", false, "It came outside the hours named by detail."},
		{acd.StepKept, "kept", false, "It waits for one agent."},
		{acd.StepTransfer, "transferred", false, "An agent handed it over, or a supervisor sent it elsewhere; detail tells whereto, or that it could not be."},
		{acd.StepConsult, "consulted", false, "An agent asks a colleague first, while the customer is on hold; detail tells how it goes."},
		{acd.StepReversed, "reversed", false, "The agent who called has whom they called as a customer."},
		{acd.StepHeld, "held", false, "The agent holds the customer; without an agent: the number outside detail, or the customer, holds who has it."},
		{acd.StepResumed, "resumed", false, "And no longer."},
		{acd.StepParked, "parked", false, "It is in the parking slot detail."},
		{acd.StepPriority, "prioritised", false, "It has another credit of waiting time."},
		{acd.StepMovedNode, "node_changed", false, "The node detail looks after the customer's end now."},
		{acd.StepTold, "told", true, "The customer was sent a text."},
		{acd.StepUnanswered, "unanswered", true, "It waited for an answer for too long; detail is what is done about it."},
		{acd.StepClosing, "closing", true, "It was closed."},
		{acd.StepReopened, "reopened", true, "The customer wrote after all."},
		{acd.StepJoined, "joined", true, "Detail, of the staff, writes in it beside the agent who has it."},
		{acd.StepParted, "parted", true, "And no longer."},
		{acd.StepEnded, "ended", false, "It is over; interaction.end says how."},
	}
}

// The kinds of interactions, which types begin with.
const (
	KindCall = "call"
	KindChat = "chat"
)

// TypeOf is the type for a step of an interaction of a kind; empty: it is told in another way.
func TypeOf(kind string, step acd.StepKind) Type {
	switch step {
	case acd.StepOffer, acd.StepClaim:
		return OfferMade
	case acd.StepRinging:
		return OfferRinging
	case acd.StepOutcome:
		return OfferEnded
	default:
	}
	for _, c := range courses() {
		if c.step == step {
			return Type(kind + "." + c.name)
		}
	}
	return ""
}

// Kind is a type with what the documents say of it.
type Kind struct {
	Type  Type
	About string
	Data  any               // the zero value of what its data are
	Right queuegroups.Right // that one needs to see it
}

// Kinds is the closed list of all types.
func Kinds() []Kind {
	var list []Kind
	for _, of := range []string{KindCall, KindChat} {
		for _, c := range courses() {
			if of == KindChat || !c.chatOnly {
				list = append(list, Kind{Type(of + "." + c.name), c.about, Course{}, queuegroups.RightInteractionsRead})
			}
		}
	}
	live, agents := queuegroups.RightInteractionsRead, queuegroups.RightAgentsRead
	return append(list,
		Kind{OfferMade, "An agent, or a number outside, is being offered it; or an agent took it.", Offer{}, live},
		Kind{OfferRinging, "The first of the agent's phones rings.", Offer{}, live},
		Kind{OfferEnded, "The offer is over; outcome says how.", Offer{}, live},
		Kind{GroupEntered, "An interaction came to a group.", Visit{}, live},
		Kind{GroupLeft, "It does not wait for the group any more; outcome says why.", Visit{}, live},
		Kind{TalkDisposed, "It is told what came of an agent's talk, perhaps after the interaction ended, or anew.", Disposition{}, live},
		Kind{AgentStateChanged, "An agent's status changed.", AgentState{}, agents},
		Kind{AgentSeatChanged, "An agent logged in to a group, logged out or paused there.", AgentSeat{}, agents},
		Kind{AgentDNDChanged, "An agent asked not to be disturbed, or not any more.", AgentNote{}, agents},
		Kind{AgentDutyPlanned, "What the agent does once the present work is done.", AgentNote{}, agents},
		Kind{TrunkStateChanged, "A carrier does not answer any more, or answers again; we are not registered with it any more, or are again. Each node tells what it found first after its start.",
			TrunkState{}, queuegroups.RightConfigRead},
		Kind{ConfigReloaded, "Another configuration of queue groups is in force.", Config{}, queuegroups.RightConfigRead},
		Kind{EventsLost, "Events before this one were lost: read anew how things stand.", Lost{}, queuegroups.RightEventsRead},
	)
}

// Known tells whether a type is in the list, or is a thing and a star, as in call.*.
func Known(name string) bool {
	thing, all := strings.CutSuffix(name, ".*")
	return slices.ContainsFunc(Kinds(), func(k Kind) bool {
		return string(k.Type) == name || all && strings.HasPrefix(string(k.Type), thing+".")
	})
}

// Matches tells whether the type is one of the names, each a type, or a thing and a star. No names match all.
func (t Type) Matches(names []string) bool {
	return len(names) == 0 || slices.ContainsFunc(names, func(name string) bool {
		thing, all := strings.CutSuffix(name, "*")
		return string(t) == name || all && strings.HasPrefix(string(t), thing)
	})
}
