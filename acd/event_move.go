package acd

import (
	"time"

	"centrala/queuegroups"
)

// Target is where an interaction is to go: exactly one of the three.
type Target struct {
	Agent  queuegroups.AgentID `json:"agent,omitempty"`
	Group  queuegroups.GroupID `json:"group,omitempty"` // of a channel: ChannelGroup
	Number string              `json:"number,omitempty"`
}

// TransferAsked tells that the agent with the leg hands the interaction over and
// leaves at once: a blind transfer (R50, R52, R100). The agent's leg is ended by us.
type TransferAsked struct {
	Leg LegID  `json:"leg"` // the agent's
	To  Target `json:"to"`
}

// ConsultAsked tells that the agent with the leg wants to talk to somebody else
// first; the customer hears music meanwhile (R101).
type ConsultAsked struct {
	Leg LegID  `json:"leg"` // the agent's
	To  Target `json:"to"`
}

// ConsultSwapped tells that the agent with the leg turns from the customer to the
// colleague, or back.
type ConsultSwapped struct {
	Leg LegID `json:"leg"`
}

// ConsultDone tells that the agent with the leg connects customer and colleague
// and leaves, or lets the colleague go. Ending the leg during a consultation
// connects, too.
type ConsultDone struct {
	Leg     LegID `json:"leg"`
	Connect bool  `json:"connect"`
}

// Joined tells that an agent who has two calls connects the other sides of them
// and leaves: an attended transfer by REFER with Replaces (RFC 5589 7.3). What
// is left is the interaction of Leg.
type Joined struct {
	Leg  LegID `json:"leg"`  // the agent's in the interaction that goes on
	With LegID `json:"with"` // the agent's own other leg, in the call to the colleague
}

// ClaimKind says what an agent wants to pick up.
type ClaimKind string

// What can be claimed (R93).
const (
	ClaimGroup       ClaimKind = "group"       // the call that rings longest in a group of the agent's; or in one, which may be a channel
	ClaimAgent       ClaimKind = "agent"       // the call that rings at a colleague's
	ClaimInteraction ClaimKind = "interaction" // this one: it waits, rings or is parked
	ClaimParked      ClaimKind = "parked"      // what is parked in the slot
	ClaimLeg         ClaimKind = "leg"         // the place of an agent's leg in a talk (RFC 3891)
)

// Claimed tells that an agent asked for an interaction that was not, or not only,
// offered to them; Leg is the agent's, already up. If they may have it, they are
// bridged with it as if they had answered an offer, and else the leg is ended
// with EndNothing.
type Claimed struct {
	Agent       queuegroups.AgentID `json:"agent"`
	Leg         LegID               `json:"leg"`
	Node        NodeID              `json:"node"`
	Kind        ClaimKind           `json:"kind"`
	From        queuegroups.AgentID `json:"from,omitempty"`
	Group       queuegroups.GroupID `json:"group,omitempty"` // ClaimGroup: only of this one
	Interaction InteractionID       `json:"interaction,omitempty"`
	Slot        string              `json:"slot,omitempty"`
	Of          LegID               `json:"of,omitempty"` // ClaimLeg: the leg
	By          queuegroups.AgentID `json:"by,omitempty"` // ClaimLeg: who sent the agent there (RFC 3892)
}

// Parked tells that the agent with the leg put the interaction into a parking
// slot, where anybody may fetch it; the agent's leg is ended by us.
type Parked struct {
	Leg  LegID  `json:"leg"`
	Slot string `json:"slot"`
}

// Moved tells that a supervisor sent an interaction that waits or rings
// elsewhere, with its arrival kept.
type Moved struct {
	Interaction InteractionID       `json:"interaction"`
	To          Target              `json:"to"`
	By          queuegroups.AgentID `json:"by,omitempty"`
}

// Prioritised tells that a supervisor gave a waiting interaction another credit
// of waiting time.
type Prioritised struct {
	Interaction InteractionID       `json:"interaction"`
	Credit      time.Duration       `json:"credit"`
	By          queuegroups.AgentID `json:"by,omitempty"`
}
