package acd

import "centrala/queuegroups"

// Command is something that a node is to do to the world. Executors are
// idempotent: a command that is issued again carries the same id.
type Command interface {
	Head() *Header
	kind() string
}

// Header is what every command carries.
type Header struct {
	ID          CommandID     `json:"id"`
	Node        NodeID        `json:"node"` // who is to carry it out
	Interaction InteractionID `json:"interaction"`
	Call        LegID         `json:"call"` // the caller's leg, the key of the call at its node
}

// Head returns the header itself, so that embedding it makes a Command.
func (h *Header) Head() *Header { return h }

// Alert tells the caller that somebody is being rung (180).
type Alert struct {
	Header
}

// Answer takes the caller's call. Outcome: LegAnswered, or LegEnded.
type Answer struct {
	Header
}

// Reject refuses a call that has not been answered. Outcome: LegEnded.
type Reject struct {
	Header
	Reason RejectReason `json:"reason"`
}

// RejectReason says why a call is refused; the SIP status is chosen by the switchboard.
type RejectReason string

// The reasons for refusing a call.
const (
	RejectUnknownNumber RejectReason = "unknown_number" // 404
	RejectClosed        RejectReason = "closed"         // 480
	RejectQueueFull     RejectReason = "queue_full"     // 486
	RejectNobody        RejectReason = "nobody"         // 480
	RejectBusy          RejectReason = "busy"           // 486
	RejectUnavailable   RejectReason = "unavailable"    // 503
)

// Play lets an answered caller hear a hold-music programme until bridged or told otherwise.
type Play struct {
	Header
	Music queuegroups.MusicID `json:"music"`
	// Leg hears it; empty: the caller. A leg that was bridged is not any more.
	Leg LegID `json:"leg,omitempty"`
}

// Ring rings every phone of the agent for the caller. Outcomes: OfferRinging
// (at most once, optional), then OfferAnswered (once per phone that answers) or OfferFailed.
type Ring struct {
	Header
	Offer OfferID             `json:"offer"`
	Agent queuegroups.AgentID `json:"agent"`
	From  Party               `json:"from"`  // shown on the agent's phone
	Group string              `json:"group"` // the group's name, shown on the agent's phone
	// By is the agent who wants to consult this one; empty: it is the caller's call.
	By queuegroups.AgentID `json:"by,omitempty"`
	// Channel is that of a chat; empty: it is a call.
	Channel queuegroups.ChannelID `json:"channel,omitempty"`
}

// Dial calls a number outside for the caller, by a trunk (R95, R96). Outcomes: as
// of Ring.
type Dial struct {
	Header
	Offer  OfferID             `json:"offer"`
	Number string              `json:"number"` // E.164
	Trunk  queuegroups.TrunkID `json:"trunk"`
	From   Party               `json:"from"` // the caller
	// Group is whose call it is; empty: nobody's.
	Group queuegroups.GroupID `json:"group,omitempty"`
	// By is the agent who wants to consult whom is called; empty: it is the caller's call.
	By queuegroups.AgentID `json:"by,omitempty"`
}

// Serve hands the caller over to voicemail or to taking a callback, answering
// the leg first if need be (R102). Outcome: Served, or LegEnded.
type Serve struct {
	Header
	Service queuegroups.ActionKind `json:"service"` // ActionVoicemail or ActionCallback
	Group   queuegroups.GroupID    `json:"group"`   // for whom the message or the request is
}

// CancelRing stops an offer's phones. Outcome: OfferFailed with FailCancelled,
// or OfferAnswered when a phone was faster (the core then ends that leg).
type CancelRing struct {
	Header
	Offer     OfferID `json:"offer"`
	Elsewhere bool    `json:"elsewhere"` // another agent has the call: phones need not list a missed call
}

// Bridge connects the caller with the agent's leg, answering the caller's leg
// first if need be. Whoever is put on hold by the other end hears Music. Outcome:
// Bridged, or LegEnded of either.
type Bridge struct {
	Header
	A     LegID               `json:"a"` // the caller's
	B     LegID               `json:"b"` // the agent's
	Music queuegroups.MusicID `json:"music,omitempty"`
}

// EndLeg ends a leg in the way its state asks for. Outcome: LegEnded.
type EndLeg struct {
	Header
	Leg LegID     `json:"leg"`
	Why EndReason `json:"why,omitempty"`
}

// Report tells the agent who handed an interaction over what became of that: who was
// to have it answered, or it failed, whatever happens to the interaction then. It has
// no outcome.
type Report struct {
	Header
	Leg   LegID        `json:"leg"` // on which the agent asked for it; it may be gone
	Done  bool         `json:"done"`
	Class FailureClass `json:"class,omitempty"` // of the failure
}

// EndReason says why a leg is ended, where its side is to be told.
type EndReason string

// The reasons for ending a leg.
const (
	EndNothing     EndReason = "nothing"     // what was claimed is not there, or not theirs to take
	EndTransferred EndReason = "transferred" // the agent handed the interaction over
)

// Tell sends the customer of a chat a text of the channel's. It has no outcome.
type Tell struct {
	Header
	Notice Notice `json:"notice"`
}

// Notice says which text.
type Notice string

// The notices of a channel.
const (
	NoticeNobody     Notice = "nobody"      // nobody can answer now (R27)
	NoticeClosed     Notice = "closed"      // outside the hours (R62)
	NoticeUnanswered Notice = "unanswered"  // the text of the no-answer action (R48)
	NoticeEnded      Notice = "ended"       // the chat is closed (R65)
	NoticeFull       Notice = "full"        // the queue has no room for more (R5)
	NoticeAutoClosed Notice = "auto_closed" // it is closed because nobody wrote (R67)
)
