package acd

import "centrala/queuegroups"

// Event is a fact: something that happened outside, already decided and never
// refused. The set is closed; kinds.go names each kind on the wire. Fields are
// only ever added.
type Event interface{ kind() string }

// Party is the other end of a call as the network names it.
type Party struct {
	Number string `json:"number,omitempty"` // E.164 where it could be normalised, else as given; empty if withheld
	Name   string `json:"name,omitempty"`
}

// ConfigApplied makes a checked configuration the one in force. It never
// disturbs calls in progress.
type ConfigApplied struct {
	Config *queuegroups.Config `json:"config"`
}

// NodeStarted tells that a node came up. Whatever legs it had before are gone.
// Online lists the agents whose registrations it still holds.
type NodeStarted struct {
	Node   NodeID                `json:"node"`
	Online []queuegroups.AgentID `json:"online,omitempty"`
}

// NodeLost tells that a node is gone with all its legs and registrations.
type NodeLost struct {
	Node NodeID `json:"node"`
}

// AgentOnline tells that a node can ring the agent: the first of their phones of
// the kind registered there.
type AgentOnline struct {
	Agent  queuegroups.AgentID `json:"agent"`
	Node   NodeID              `json:"node"`
	Client ClientKind          `json:"client,omitempty"`
}

// AgentOffline tells that the last of the agent's registrations of the kind at the node ended.
type AgentOffline struct {
	Agent  queuegroups.AgentID `json:"agent"`
	Node   NodeID              `json:"node"`
	Client ClientKind          `json:"client,omitempty"`
}

// CallAsked tells that an agent asked at their desk for a call of theirs: their own phone is rung. They are busy from
// now on, until CallArrived tells that it was picked up, or LegEnded that it was not.
type CallAsked struct {
	Leg   LegID               `json:"leg"` // stands for it until then
	Node  NodeID              `json:"node"`
	Agent queuegroups.AgentID `json:"agent"`
	To    string              `json:"to"` // as in CallArrived
}

// CallArrived tells that a caller's INVITE came in and waits for what we say.
type CallArrived struct {
	Leg   LegID               `json:"leg"`
	Node  NodeID              `json:"node"`
	Trunk queuegroups.TrunkID `json:"trunk"`
	From  Party               `json:"from"`
	To    string              `json:"to"` // the number or extension called, E.164 where it could be normalised
	// Agent is who calls, of our own; empty: somebody outside.
	Agent queuegroups.AgentID `json:"agent,omitempty"`
	// Asked is the leg of the CallAsked that this comes of; empty: the agent's phone made the call.
	Asked LegID `json:"asked,omitempty"`
	// Group is where the number of ours leads that an agent called; empty: they called
	// something else. Outside tells that To is a number outside though it is not in E.164
	// form, such as that of an emergency service.
	Group   queuegroups.GroupID `json:"group,omitempty"`
	Outside bool                `json:"outside,omitempty"`
	// Responsible is the agent whom the customer's card names (R58).
	Responsible queuegroups.AgentID `json:"responsible,omitempty"`
	// Needs are skills that this call needs beside those of its number and group, by skill.
	Needs []queuegroups.Skill `json:"needs,omitempty"`
}

// LegAnswered is the outcome of Answer: the caller's leg is up.
type LegAnswered struct {
	Leg LegID `json:"leg"`
}

// LegEnded tells that a leg is over, for whatever reason; it is also the outcome of Reject and EndLeg.
type LegEnded struct {
	Leg   LegID    `json:"leg"`
	Cause EndCause `json:"cause"`
	Code  int      `json:"code,omitempty"` // SIP status or Q.850 cause, for the record only
	// Media is how its audio was; nil: it had none, or the node cannot tell any more. The journal takes
	// it from this fact: the core does not keep it for the Record, since its state would have to carry
	// it until the interaction ends.
	Media *MediaFigures `json:"media,omitempty"`
}

// OfferRinging tells that the first of the agent's phones rings.
type OfferRinging struct {
	Offer OfferID `json:"offer"`
}

// OfferAnswered tells that one of the agent's phones answered; Leg is that phone's leg.
type OfferAnswered struct {
	Offer OfferID `json:"offer"`
	Leg   LegID   `json:"leg"`
	Node  NodeID  `json:"node"`
}

// OfferFailed tells that no phone of the agent will answer this offer any more;
// it is also the outcome of CancelRing.
type OfferFailed struct {
	Offer OfferID      `json:"offer"`
	Class FailureClass `json:"class"`
	Code  int          `json:"code,omitempty"` // SIP status, for the record only
}

// Bridged is the outcome of Bridge: the two legs hear each other.
type Bridged struct {
	A LegID `json:"a"`
	B LegID `json:"b"`
}

// Held tells that a leg holds whom it is bridged with, by its phone or at its agent's desk, or
// lets them be heard again. Whoever is no longer bridged holds nobody.
type Held struct {
	Leg LegID `json:"leg"`
	On  bool  `json:"on,omitempty"`
}

// Served is the outcome of Serve: the caller left a message or asked to be called
// back, or, if Done is false, the service could not be had.
type Served struct {
	Leg  LegID `json:"leg"`
	Done bool  `json:"done"`
}

// DeadlinePassed tells that a deadline of the state is over. One with a
// generation that is not the present one is ignored.
type DeadlinePassed struct {
	Deadline   DeadlineID `json:"deadline"`
	Generation uint64     `json:"generation"`
}

// FailureClass says why an offer came to nothing; each has its own back-off.
type FailureClass string

// The failure classes of an offer.
const (
	FailBusy        FailureClass = "busy"        // 486, 600
	FailDeclined    FailureClass = "declined"    // 603, 480 by the user
	FailNoAnswer    FailureClass = "no_answer"   // rang out at the phone (408, 480)
	FailUnreachable FailureClass = "unreachable" // no registration, no answer to INVITE, transport error, 404, 5xx
	FailCancelled   FailureClass = "cancelled"   // by us: the outcome of CancelRing
)

// EndCause says how a leg ended.
type EndCause string

// The causes of a leg's end.
const (
	EndHangup  EndCause = "hangup"  // BYE by the far end
	EndCancel  EndCause = "cancel"  // CANCEL by the far end before the answer
	EndByUs    EndCause = "by_us"   // the outcome of EndLeg or Reject
	EndFailed  EndCause = "failed"  // no ACK, transport error, error answer
	EndTimeout EndCause = "timeout" // no media any more, no session refresh
	EndNoPath  EndCause = "no_path" // a browser answered, or was answered, and ICE found no way to it, or DTLS brought no keys
)
