// Package journal keeps the record: what happened to every interaction, as raw
// facts in SQL, from which history and statistics are computed.
package journal

import (
	"time"

	"centrala/acd"
	"centrala/internal/journal/db"
	"centrala/queuegroups"
)

// Micros is a time as the tables have it: microseconds since 1970 in UTC. 0 is
// null there: it never happened, or not yet.
type Micros int64

// MicrosOf turns a time into what the tables have.
func MicrosOf(t time.Time) Micros { return Micros(db.Micros(t)) }

// Time turns it back; 0 is the zero time.
func (m Micros) Time() time.Time { return db.Instant(int64(m)) }

// The kinds of interactions and where they go.
const (
	KindCall = "call"
	KindChat = "chat"

	DirectionIn       = "in"
	DirectionOut      = "out"      // an agent calls a number outside
	DirectionInternal = "internal" // an agent calls a colleague or a group
)

// How an interaction came to wait for a group.
const (
	ViaArrived  = "arrived"
	ViaOverflow = "overflow" // by the chain of actions of the group before
	ViaTransfer = "transfer" // by an agent
	ViaMoved    = "moved"    // by a supervisor
	ViaRequeue  = "requeue"  // whoever had it vanished, or gave it back
)

// How a visit of a group ended, beside the ends of the interaction.
const (
	VisitAnswered  = "answered"
	VisitOverflow  = "overflow"  // it went on to another group
	VisitMoved     = "moved"     // a supervisor sent it elsewhere
	VisitForwarded = "forwarded" // a number outside answered
)

// The kinds of offers, and of talks by the offer that led to them.
const (
	OfferOffer    = "offer"    // by the distribution of the group
	OfferPickup   = "pickup"   // a colleague took it
	OfferTransfer = "transfer" // handed over to this one by an agent
	OfferConsult  = "consult"  // asked by a colleague
	OfferDirect   = "direct"   // called as a person, or as a number outside
	OfferForward  = "forward"  // a number outside, by the chain of actions
	OfferKept     = "kept"     // for this agent: they know the customer, or parked it
)

// The kinds of transfers, and what became of them.
const (
	TransferBlind    = "blind"
	TransferAttended = "attended" // after a consultation
	TransferConsult  = "consult"  // a consultation that did not become a transfer
	TransferJoined   = "joined"   // by REFER with Replaces
	TransferMoved    = "moved"    // by a supervisor
	TransferParked   = "parked"

	TransferDone     = "done"
	TransferFailed   = "failed"   // nobody took it
	TransferRefused  = "refused"  // it could not be
	TransferOver     = "over"     // the consultation ended, the agent went on
	TransferReturned = "returned" // parked for too long
	TransferLeft     = "left"     // the customer left before
)

// How the waiting for an answer in a chat ended.
const (
	AnswerWritten = "written"
	AnswerLeft    = "left" // the chat ended without it
)

// HoldHold is the kind of a time in which who has the interaction holds the
// customer; that of the other is TransferConsult.
const HoldHold = "hold"

// EndUnknown is the end of an interaction that ended while the record has a gap.
const EndUnknown = "unknown"

// Interaction is a row of interactions.
type Interaction struct {
	ID          acd.InteractionID     `json:"id"`
	Kind        string                `json:"kind"`
	Direction   string                `json:"direction"`
	Channel     queuegroups.ChannelID `json:"channel,omitempty"`
	Trunk       queuegroups.TrunkID   `json:"trunk,omitempty"`
	Number      string                `json:"number"` // called
	Caller      string                `json:"caller,omitempty"`
	CallerName  string                `json:"caller_name,omitempty"`
	CallerAgent queuegroups.AgentID   `json:"caller_agent,omitempty"`
	FirstGroup  queuegroups.GroupID   `json:"first_group,omitempty"`
	LastGroup   queuegroups.GroupID   `json:"last_group,omitempty"`
	Arrived     Micros                `json:"arrived_us"`
	Answered    Micros                `json:"answered_us,omitempty"`
	Ended       Micros                `json:"ended_us,omitempty"`
	End         acd.EndKind           `json:"end,omitempty"`
	Class       string                `json:"class,omitempty"`
	ByAgent     queuegroups.AgentID   `json:"by_agent,omitempty"`
	ByNumber    string                `json:"by_number,omitempty"`
	Node        acd.NodeID            `json:"node"`
	Leg         acd.LegID             `json:"leg"`
	Unanswered  bool                  `json:"unanswered,omitempty"`
}

// Visit is a row of visits.
type Visit struct {
	Interaction acd.InteractionID
	N           int
	Group       queuegroups.GroupID
	Via         string
	Entered     Micros
	Left        Micros
	Outcome     string
	Agent       queuegroups.AgentID
	Position    int // 0 is null
	Promised    Micros
}

// Offer is a row of offers.
type Offer struct {
	ID          acd.OfferID
	Interaction acd.InteractionID
	Group       queuegroups.GroupID
	Agent       queuegroups.AgentID
	Number      string
	Kind        string
	Made        Micros
	Ringing     Micros
	Ended       Micros
	Outcome     acd.Outcome
	Why         string
	Code        int
}

// Talk is a row of talks.
type Talk struct {
	Interaction acd.InteractionID
	N           int
	Group       queuegroups.GroupID
	Agent       queuegroups.AgentID
	Number      string
	Via         string
	Began       Micros
	Ended       Micros
	Held        int64 // microseconds
	Holds       int
	WrapUp      Micros
	Wrapped     Micros
	Disposition string
	Note        int64 // 0 is null
}

// Disposed is what came of the latest talk of an agent, which is written already.
type Disposed struct {
	Interaction acd.InteractionID
	Agent       queuegroups.AgentID
	Code        string
	Note        int64 // 0 is null
}

// Hold is a row of holds.
type Hold struct {
	Interaction acd.InteractionID
	N           int
	Talk        int
	Kind        string // HoldHold or TransferConsult
	Began       Micros
	Ended       Micros
}

// Transfer is a row of transfers.
type Transfer struct {
	Interaction acd.InteractionID
	N           int
	At          Micros
	Kind        string
	By          queuegroups.AgentID
	Target      string
	Outcome     string
	Why         string
}

// Answer is a row of answers: the customer of a chat waits for one.
type Answer struct {
	Interaction acd.InteractionID
	N           int // 1: the first of the chat
	Group       queuegroups.GroupID
	Agent       queuegroups.AgentID // who wrote it; of one that was never written, who had the chat at its end
	Asked       Micros              // when the customer wrote, for the first time since the answer before
	Ended       Micros
	Asleep      int64 // microseconds of it in which the chat waited for the channel to open
	Outcome     string
}

// Leg is a row of legs.
type Leg struct {
	Interaction acd.InteractionID
	Leg         acd.LegID
	Agent       queuegroups.AgentID
	Number      string
	Ended       Micros
	Cause       acd.EndCause
	Code        int
	Media       acd.MediaFigures
}

// AgentState is a row of agent_states.
type AgentState struct {
	Agent  queuegroups.AgentID
	Group  queuegroups.GroupID
	Began  Micros
	Ended  Micros
	Status string
	Reason string
	Index  uint64
}

// TrunkState is a row of trunk_states.
type TrunkState struct {
	Index uint64
	Trunk queuegroups.TrunkID
	Node  acd.NodeID
	At    Micros
	State acd.TrunkState
	Why   string
}

// Event is a row of events.
type Event struct {
	ID          int64
	At          Micros
	Type        string
	Group       queuegroups.GroupID
	Agent       queuegroups.AgentID
	Interaction acd.InteractionID
	Data        []byte // JSON
}

// Decision is a row of decisions.
type Decision struct {
	Interaction acd.InteractionID
	Steps       []byte // JSON
	Omitted     int
}
