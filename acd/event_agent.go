package acd

import (
	"time"

	"centrala/queuegroups"
)

// ClientKind is what an agent works with.
type ClientKind string

// The kinds of clients (R36 to R39).
const (
	ClientPhone   ClientKind = "" // a telephone: there as long as it is registered
	ClientDesktop ClientKind = "desktop"
	ClientBrowser ClientKind = "browser"
	ClientMobile  ClientKind = "mobile"
)

// ClientState is how a client stands. The node that serves it tells of changes,
// and of use at most once a minute.
type ClientState string

// The states of a client.
const (
	ClientUsed      ClientState = "used"      // open, and its agent did something with it
	ClientMinimised ClientState = "minimised" // in the background (R37)
	ClientLocked    ClientState = "locked"    // the screen is locked (R39)
	ClientClosed    ClientState = "closed"
)

// ClientSeen tells that a client of the agent, other than a telephone, changed its state.
type ClientSeen struct {
	Agent  queuegroups.AgentID `json:"agent"`
	Node   NodeID              `json:"node"`
	Client ClientKind          `json:"client"`
	State  ClientState         `json:"state"`
}

// Duty is whether an agent works.
type Duty string

// The duties of an agent (R34).
const (
	DutyOn    Duty = "on"    // the work day is started or resumed
	DutyBreak Duty = "break" // with a reason
	DutyLeave Duty = "leave" // away for long: what they have returns to the queue (R29)
	DutyOff   Duty = "off"   // the work day is ended, or not started
)

// DutySet tells that an agent started or ended the work day, a break or a leave.
// DutyOn also brings back an agent who was not responding.
type DutySet struct {
	Agent  queuegroups.AgentID `json:"agent"`
	Duty   Duty                `json:"duty"`
	Reason string              `json:"reason,omitempty"` // of a break
	By     queuegroups.AgentID `json:"by,omitempty"`     // the supervisor who forced it; empty: the agent
	Next   bool                `json:"next,omitempty"`   // once the present work, wrap-up included, is done
}

// DNDSet tells that an agent asked not to be disturbed, or the contrary (R36).
type DNDSet struct {
	Agent queuegroups.AgentID `json:"agent"`
	On    bool                `json:"on"`
	By    queuegroups.AgentID `json:"by,omitempty"`
}

// WrapUpSet tells that the agent's wrap-up is to end now, or later than it would.
type WrapUpSet struct {
	Agent  queuegroups.AgentID `json:"agent"`
	Extend time.Duration       `json:"extend,omitempty"` // 0: it ends now; at most WrapUpExtendMax at a time
	By     queuegroups.AgentID `json:"by,omitempty"`
}

// Disposed tells what an agent says came of an interaction that they have, or had.
type Disposed struct {
	Interaction InteractionID       `json:"interaction"`
	Agent       queuegroups.AgentID `json:"agent"`
	Group       queuegroups.GroupID `json:"group,omitempty"` // of the talk; the core may know the interaction no more
	Code        string              `json:"code"`
	Note        int64               `json:"note,omitempty"` // the id of a text in the record; 0: none
	By          queuegroups.AgentID `json:"by,omitempty"`   // the supervisor who said it; empty: the agent
}

// SeatState is whether an agent serves a group that lists them.
type SeatState string

// The states of a seat.
const (
	SeatIn     SeatState = "in"     // logged in, the state at first
	SeatOut    SeatState = "out"    // logged out
	SeatPaused SeatState = "paused" // logged in, but not to be offered anything
)

// SeatSet tells that an agent logged in to or out of a group, or paused in it.
type SeatSet struct {
	Agent  queuegroups.AgentID `json:"agent"`
	Group  queuegroups.GroupID `json:"group"` // of a channel: ChannelGroup
	State  SeatState           `json:"state"`
	Reason string              `json:"reason,omitempty"`
	By     queuegroups.AgentID `json:"by,omitempty"`
}

// HoursState is what a supervisor made of a calendar.
type HoursState string

// The calendar decides, or it is open or closed whatever the calendar says.
const (
	HoursAuto   HoursState = ""
	HoursOpen   HoursState = "open"
	HoursClosed HoursState = "closed"
)

// HoursForced tells that a calendar is to be open or closed whatever it says, or
// that it decides again.
type HoursForced struct {
	Hours queuegroups.HoursID `json:"hours"`
	State HoursState          `json:"state"`
	Until time.Time           `json:"until,omitzero"` // then it decides again; zero: until told
	By    queuegroups.AgentID `json:"by,omitempty"`
}

// LevelRaised tells that all nodes of the cluster know the rules of the level.
// From here on the core follows them: what a log means does not depend on the
// version of the program that replays it, see Level.
type LevelRaised struct {
	Level Level `json:"level"`
}
