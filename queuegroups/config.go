// Package queuegroups holds what the admin declares: agents, groups, numbers,
// trunks, hours, hold music and channels. It turns YAML into checked values and
// tells the difference between two versions. It knows nothing of calls.
package queuegroups

import (
	"sync/atomic"
	"time"
)

// The names of things in the YAML files; each is unique among its kind.
type (
	AgentID   string
	GroupID   string
	TrunkID   string
	MusicID   string
	HoursID   string
	ChannelID string
)

// Config is one checked version of all that the admin declared. It is immutable
// once loaded. Slices keep the order of declaration. It marshals to JSON without
// any secret, so that it may be logged, stored and shown. Use it by pointer.
type Config struct {
	Version   string    `json:"version"` // hash of the canonical JSON of all else
	Region    string    `json:"region"`  // ISO 3166 alpha-2, for numbers without +
	Agents    []Agent   `json:"agents,omitempty"`
	Groups    []Group   `json:"groups,omitempty"`
	Trunks    []Trunk   `json:"trunks,omitempty"`
	Numbers   []Number  `json:"numbers,omitempty"`
	HoldMusic []Music   `json:"hold_music,omitempty"`
	Hours     []Hours   `json:"hours,omitempty"`
	Channels  []Channel `json:"channels,omitempty"`

	lookup atomic.Pointer[index] // made at the first look-up
}

// Agent is a person (or a fixed phone) who can be offered interactions.
type Agent struct {
	ID          AgentID  `json:"id"`
	Name        string   `json:"name"`
	Extension   string   `json:"extension,omitempty"`
	Phone       string   `json:"phone,omitempty"`   // E.164
	Contact     string   `json:"contact,omitempty"` // SIP URI of a phone that cannot register
	Role        string   `json:"role,omitempty"`
	SIPPassword Secret   `json:"-"`
	Capacity    Capacity `json:"capacity"`
}

// Capacity is how many interactions an agent can have at once, per channel kind.
type Capacity struct {
	Voice int `json:"voice"`
	Chat  int `json:"chat"`
}

// Distribution says who of a group is offered an interaction (R18).
type Distribution string

// The three distributions of R18.
const (
	Evenly  Distribution = "evenly"
	InOrder Distribution = "in_order"
	All     Distribution = "all"
)

// Group is a queue group: a list of agents and the rules that serve its queue.
type Group struct {
	ID           GroupID       `json:"id"`
	Name         string        `json:"name"`
	Extension    string        `json:"extension,omitempty"`
	Agents       []AgentID     `json:"agents,omitempty"`
	Distribution Distribution  `json:"distribution"`
	Rings        int           `json:"rings"`       // ring signals before the next agent (R91)
	RingLength   time.Duration `json:"ring_length"` // one ring signal; default 5 s
	DialLimit    time.Duration `json:"dial_limit"`  // for a phone that never rings; default 10 s
	NoAnswer     []Action      `json:"no_answer"`   // a chain; default [{wait}]
	Pickup       bool          `json:"pickup"`
	WrapUp       time.Duration `json:"wrap_up"`
	MaxWaiting   int           `json:"max_waiting"` // 0: no limit
	MaxWait      time.Duration `json:"max_wait"`    // 0: no limit
	HoldMusic    MusicID       `json:"hold_music,omitempty"`
	// BlindTransferNoAnswer is what becomes of a blind transfer that nobody answers (R100).
	BlindTransferNoAnswer TransferEnd `json:"blind_transfer_no_answer"`
	// Retry is how long an agent of this group is left alone after a failed offer, by cause.
	Retry Retry `json:"retry"`
	// AllMissed is what happens when nobody answered a round of `all` with the action wait (R99).
	AllMissed AllMissed `json:"all_missed,omitempty"`
	// Priority is the waiting that the group's interactions are credited with on arrival.
	Priority time.Duration `json:"priority,omitempty"`
	// Trunk is where calls forwarded outside leave; empty: the trunk they came in on.
	Trunk TrunkID `json:"trunk,omitempty"`
	// Misses is how many unanswered offers in a row make an agent "not responding"; 0: never. Default 3.
	Misses int `json:"misses"`
}

// TransferEnd is what becomes of a blind transfer that nobody answers (R100).
type TransferEnd string

// The three ways of R100; TransferReturn is the default.
const (
	TransferEnds   TransferEnd = "end"
	TransferReturn TransferEnd = "return" // to the transferor, then to the queue
	TransferQueue  TransferEnd = "queue"
)

// AllMissed is what becomes of a call that a whole round of `all` did not answer.
type AllMissed string

// Wait keeps the caller in the queue, the default; end counts the call as missed.
const (
	AllMissedWait AllMissed = "wait"
	AllMissedEnd  AllMissed = "end"
)

// Retry is the back-off before the same agent is offered anything again, by cause class.
type Retry struct {
	Busy        time.Duration `json:"busy"`        // default 5 s
	Declined    time.Duration `json:"declined"`    // default 30 s
	NoAnswer    time.Duration `json:"no_answer"`   // default 5 s
	Unreachable time.Duration `json:"unreachable"` // default 10 s
}

// ActionKind is what happens to an interaction that nobody answered (R92, R102).
type ActionKind string

// The actions of R95 to R102.
const (
	ActionWait      ActionKind = "wait"
	ActionAgent     ActionKind = "agent"
	ActionNumber    ActionKind = "number"
	ActionGroup     ActionKind = "group"
	ActionVoicemail ActionKind = "voicemail"
	ActionCallback  ActionKind = "callback"
	ActionHangup    ActionKind = "hangup"
)

// Action is one step of a no-answer chain.
type Action struct {
	Kind   ActionKind `json:"action"`
	Number string     `json:"number,omitempty"` // E.164, for ActionNumber
	Group  GroupID    `json:"group,omitempty"`  // for ActionGroup
}

// Trunk is a carrier's or PBX's SIP peer.
type Trunk struct {
	ID        TrunkID       `json:"id"`
	Host      string        `json:"host"`           // host or host:port; empty: calls only come in
	Transport string        `json:"transport"`      // udp, tcp or tls
	From      []string      `json:"from,omitempty"` // addresses (CIDR) that its calls come from
	Register  *Registration `json:"register,omitempty"`
	CallerID  string        `json:"caller_id,omitempty"` // E.164
	MaxCalls  int           `json:"max_calls,omitempty"` // 0: no limit
}

// Registration is how we register with a carrier.
type Registration struct {
	User     string `json:"user"`
	Password Secret `json:"-"`
}

// Number is a called number and the group that it leads to (R89).
type Number struct {
	Number    string  `json:"number"` // E.164
	Trunk     TrunkID `json:"trunk,omitempty"`
	Group     GroupID `json:"group"`
	HoldMusic MusicID `json:"hold_music,omitempty"` // instead of the group's (R98)
	Hours     HoursID `json:"hours,omitempty"`
}

// Music is a hold-music programme: files played one after another, for ever.
type Music struct {
	ID    MusicID  `json:"id"`
	Files []string `json:"files"`
}

// Channel is an open channel: chats of one connector and the agents that take them (R2).
type Channel struct {
	ID              ChannelID     `json:"id"`
	Connector       string        `json:"connector"`
	Name            string        `json:"name"` // shown to the customer (R4)
	Agents          []AgentID     `json:"agents"`
	Distribution    Distribution  `json:"distribution"`
	PassAfter       time.Duration `json:"pass_after"`       // idle time before the next agent, 1 min to 12 h (R23)
	UnansweredAfter time.Duration `json:"unanswered_after"` // then the enquiry counts as unanswered, 1 min to 12 h (R24)
	NoAnswer        ChatAction    `json:"no_answer"`
	Hours           HoursID       `json:"hours,omitempty"`
}

// ChatActionKind is what happens to a chat that nobody answered (R48).
type ChatActionKind string

// The actions of R48; ChatRequeue goes with Evenly only (R49).
const (
	ChatRequeue ChatActionKind = "requeue"
	ChatText    ChatActionKind = "text"
	ChatNothing ChatActionKind = "nothing"
)

// ChatAction is what happens to a chat that nobody answered.
type ChatAction struct {
	Kind ChatActionKind `json:"action"`
	Text string         `json:"text,omitempty"` // for ChatText
}
