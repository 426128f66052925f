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
	SkillID   string
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
	WorkTime  WorkTime  `json:"work_time,omitzero"`
	Presence  Presence  `json:"presence,omitzero"`
	Roles     []Role    `json:"roles,omitempty"` // those declared; see BuiltinRoles

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
	Skills      []Skill  `json:"skills,omitempty"`
	// WrapUp is the agent's own time after each call or chat; nil: the group's.
	WrapUp *time.Duration `json:"wrap_up,omitempty"`
	SRTP   SRTP           `json:"srtp,omitempty"` // of the agent's phones
	// Calls is how far the agent may call outside, MaxCalls how many calls from
	// their phones there may be at once (0: DefaultMaxCalls), Trunk by which those
	// outside leave (empty: the first that leads out).
	Calls    CallClass `json:"calls,omitempty"`
	MaxCalls int       `json:"max_calls,omitempty"`
	Trunk    TrunkID   `json:"trunk,omitempty"`
	// FollowRedirects has the numbers rung that the agent's phones send calls to (302).
	FollowRedirects bool   `json:"follow_redirects,omitempty"`
	Language        string `json:"language,omitempty"` // that their phone speaks to them: en, pl or ru; empty: see SpeechTo
	Profile         Face   `json:"profile,omitzero"`   // what customers see of them in chats (R68)
}

// Skill is a skill and a level of it, 1 to 9. An agent has it at that level; an
// interaction needs at least that level.
type Skill struct {
	ID    SkillID `json:"id"`
	Level int     `json:"level"`
}

// Capacity is how many interactions an agent can have at once, per channel kind (R48d).
type Capacity struct {
	Voice int `json:"voice"`
	Chat  int `json:"chat"`
	// ChatsDuringCall: new chats are offered to the agent during a call.
	ChatsDuringCall bool `json:"chats_during_call,omitempty"`
	// NoCallsDuringChat: no call is offered to the agent while they have a chat.
	NoCallsDuringChat bool `json:"no_calls_during_chat,omitempty"`
}

// WorkTime says whether agents begin and end their work day, and their breaks (R34).
type WorkTime struct {
	Tracked bool     `json:"tracked"`          // an agent who has not started the day gets nothing
	Breaks  []string `json:"breaks,omitempty"` // the reasons for a break; empty: any
}

// Presence says how long a client may be left alone until its agent counts as
// away (R36 to R39). Zero: the default.
type Presence struct {
	Browser   time.Duration `json:"browser,omitempty"` // without use; default 15 min (R38)
	Desktop   time.Duration `json:"desktop,omitempty"` // without use; default 10 min (R39)
	Mobile    time.Duration `json:"mobile,omitempty"`  // minimised; default 5 min (R37)
	DNDBlocks bool          `json:"dnd_blocks,omitempty"`
}

// Tier is a further list of agents, who are offered what has waited for a while.
type Tier struct {
	After  time.Duration `json:"after"` // in the group; grows from tier to tier
	Agents []AgentID     `json:"agents"`
}

// Relaxation makes do with less skill after a while.
type Relaxation struct {
	After time.Duration `json:"after"` // in the group; grows from one to the next
	Drop  []SkillID     `json:"drop,omitempty"`
	Lower []Skill       `json:"lower,omitempty"` // to these levels
}

// PreferredKind says who is to have an interaction rather than the group.
type PreferredKind string

// Nobody in particular; the agent whom the customer's card names (R58); or the
// one who talked to the customer last.
const (
	PreferNobody      PreferredKind = ""
	PreferResponsible PreferredKind = "responsible"
	PreferLast        PreferredKind = "last"
)

// Preferred is an agent to whom an interaction is kept for a while before the
// group is offered it (R58, R59).
type Preferred struct {
	Agent PreferredKind `json:"agent,omitempty"`
	Wait  time.Duration `json:"wait,omitempty"` // affinity_wait
}

// Unavailable is what becomes of those who wait while nobody can serve them, by
// why that is. An empty chain: nothing in particular, the group's no-answer
// actions apply.
type Unavailable struct {
	Grace     time.Duration `json:"grace,omitempty"`      // for which it must have been so; default 5 s
	LoggedOut []Action      `json:"logged_out,omitempty"` // nobody is logged in
	OnBreak   []Action      `json:"on_break,omitempty"`   // who is logged in is on a break
	Busy      []Action      `json:"busy,omitempty"`       // who is at work is busy
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
	// ForwardCallerID is whom calls forwarded outside are shown to come from.
	ForwardCallerID CallerID `json:"forward_caller_id,omitempty"`
	// Misses is how many unanswered offers in a row make an agent "not responding"; 0: never. Default 3.
	Misses int `json:"misses"`
	// Needs are the skills that every interaction of the group needs, by skill.
	Needs []Skill `json:"needs,omitempty"`
	// Relax makes do with less, step by step.
	Relax []Relaxation `json:"relax,omitempty"`
	// Tiers are agents beyond Agents, who are the first tier. Nobody is in two tiers.
	Tiers     []Tier    `json:"tiers,omitempty"`
	Preferred Preferred `json:"preferred,omitzero"`
	// Full is what becomes of a caller for whom there is no room; empty: refused.
	Full        []Action    `json:"full,omitempty"`
	Unavailable Unavailable `json:"unavailable,omitzero"`
	Announce    Announce    `json:"announce,omitzero"`
	// Dispositions are the codes that tell what came of a call; the core knows nothing of them.
	Dispositions []string `json:"dispositions,omitempty"`
	// DispositionRequired: agents have to tell one before they end the time after a call themselves.
	DispositionRequired bool `json:"disposition_required,omitempty"`
	// Wallboard says when the group is shown to be late; the core knows nothing of it.
	Wallboard WallboardLimits `json:"wallboard,omitzero"`
	// ServiceLevel is the measure of the group; the core knows nothing of it.
	ServiceLevel ServiceLevel `json:"service_level,omitzero"`
	// ForwardConfirm: whoever answers a telephone outside has a caller only when
	// they press 1.
	ForwardConfirm bool `json:"forward_confirm,omitempty"`
}

// Announcements are what callers of a number are told who wait in a group: the number's rules go before
// the group's. Either may be unknown.
func (c *Config) Announcements(number string, group GroupID) Announce {
	if n := c.Number(number); n != nil && n.Announce != nil {
		return *n.Announce
	}
	if g := c.Group(group); g != nil {
		return g.Announce
	}
	return Announce{}
}

// Announce is what waiting callers are told, and when. The zero value: nothing.
type Announce struct {
	Position bool          `json:"position,omitempty"` // in the queue
	Wait     bool          `json:"wait,omitempty"`     // how long they will, about
	First    time.Duration `json:"first"`              // after they began to hear music
	Every    time.Duration `json:"every"`
	// Language is en, pl or ru, and Prompts a folder of own recordings (empty: those
	// built in). They may be given where nothing is announced, for what agents are
	// told; empty then: see SpeechFor.
	Language string `json:"language"`
	Prompts  string `json:"prompts,omitempty"`
}

// On tells whether anything is announced.
func (a Announce) On() bool { return a.Position || a.Wait }

// CallerID says whom a call that we forward is shown to come from.
type CallerID string

// Our own number, which is the trunk's caller_id or else the first of its numbers;
// the caller's. The default is our own on trunks that have a caller_id.
const (
	CallerIDDefault CallerID = ""
	CallerIDOwn     CallerID = "own"
	CallerIDCaller  CallerID = "caller"
)

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
	Auth      *Registration `json:"auth,omitempty"`      // for calls, without registering
	CallerID  string        `json:"caller_id,omitempty"` // E.164
	MaxCalls  int           `json:"max_calls,omitempty"` // 0: no limit
	// MaxRate is how many calls may begin in a second, in both directions; 0: no limit.
	MaxRate int `json:"max_calls_per_second,omitempty"`
	// Priority and Weight order the trunks for calls for which none is named: the
	// lowest priority first, and of equal ones by weight, as RFC 2782 has it.
	Priority int           `json:"priority,omitempty"`
	Weight   int           `json:"weight,omitempty"`
	Check    time.Duration `json:"check,omitempty"` // between two OPTIONS to the host; 0: none
	SRTP     SRTP          `json:"srtp,omitempty"`
	// Emergency and Short are numbers that the carrier takes as they are dialled. Any
	// agent may call those of emergency services.
	Emergency []string `json:"emergency,omitempty"`
	Short     []string `json:"short_numbers,omitempty"`
	// Trusted: the carrier and we are in one trust domain (RFC 3325): it is told who
	// calls, even those who withhold it, and what it asserts may be asserted to others.
	Trusted bool `json:"trusted,omitempty"`
	// NumberFormat is how numbers are written to the carrier.
	NumberFormat NumberFormat `json:"number_format,omitempty"`
}

// SRTP says whether the audio of a phone or a trunk is encrypted (RFC 3711) with
// keys from the signalling (RFC 4568).
type SRTP string

// Encrypted where the peer does it too; never but encrypted, else there is no
// call; never encrypted.
const (
	SRTPOptional SRTP = ""
	SRTPRequired SRTP = "required"
	SRTPOff      SRTP = "off"
)

// NumberFormat is how numbers are written to a carrier.
type NumberFormat string

// The formats; E.164 is the default.
const (
	NumberE164     NumberFormat = ""
	NumberPlain    NumberFormat = "plain"
	NumberNational NumberFormat = "national"
)

// Account is our account with the trunk's carrier; nil: there is none.
func (t *Trunk) Account() *Registration {
	if t.Register != nil {
		return t.Register
	}
	return t.Auth
}

// Registration is our account with a carrier.
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
	// Announce goes before that of whatever group its callers wait in, also where it says nothing; nil: the group's.
	Announce *Announce `json:"announce,omitempty"`
	Hours    HoursID   `json:"hours,omitempty"`
	// Needs are the skills that its callers need beside the group's.
	Needs []Skill `json:"needs,omitempty"`
	// Priority is waiting that its callers are credited with, beside the group's.
	Priority time.Duration `json:"priority,omitempty"`
	// Closed is what becomes of callers outside the hours; empty: refused.
	Closed []Action `json:"closed,omitempty"`
}

// Music is a hold-music programme: files played one after another, for ever.
type Music struct {
	ID    MusicID  `json:"id"`
	Files []string `json:"files"`
}

// Channel is an open channel: chats of one connector and the agents that take them (R2).
type Channel struct {
	ID        ChannelID `json:"id"`
	Connector string    `json:"connector"`
	URL       string    `json:"url,omitempty"`      // where ConnectorHTTP sends messages (R7)
	Secret    Secret    `json:"-"`                  // that both sides of it sign with; of ConnectorWidget, that the site's words on who its visitors are are signed with
	Widget    *Widget   `json:"widget,omitempty"`   // of ConnectorWidget
	Telegram  *Telegram `json:"telegram,omitempty"` // of ConnectorTelegram
	Bot       *Bot      `json:"bot,omitempty"`      // gets sessions before the queue does (R74); the core knows nothing of it
	Texts     ChatTexts `json:"texts,omitzero"`
	Name      string    `json:"name"` // shown to the customer (R4)
	// HideAgents: customers see the channel's name in place of the agents' (R68). Faces are
	// what they see of an agent in this channel, in place of the profile.
	HideAgents      bool             `json:"hide_agents,omitempty"`
	Faces           map[AgentID]Face `json:"faces,omitempty"`
	Agents          []AgentID        `json:"agents"`
	Distribution    Distribution     `json:"distribution"`
	PassAfter       time.Duration    `json:"pass_after"`       // idle time before the next agent, 1 min to 12 h (R23)
	UnansweredAfter time.Duration    `json:"unanswered_after"` // then the enquiry counts as unanswered, 1 min to 12 h (R24)
	NoAnswer        ChatAction       `json:"no_answer"`
	Hours           HoursID          `json:"hours,omitempty"`
	// AnyPresence: chats are offered to agents who are not available, too. The
	// option check_availability turned off (R31).
	AnyPresence bool `json:"any_presence,omitempty"`
	// AnyDuty: nor are work day and breaks looked at. check_work_time off (R32).
	AnyDuty bool `json:"any_duty,omitempty"`
	// Monitor looks at the agent's availability on each message of the customer (R40).
	Monitor bool `json:"monitor_availability,omitempty"`
	// NoPickup: agents take what they are offered and nothing else (P3). pickup off.
	NoPickup bool `json:"no_pickup,omitempty"`
	// Limit is how many chats of the channel an agent may have at once; 0: only
	// their capacity counts (R45). Not looked at under All (R46).
	Limit int `json:"limit,omitempty"`
	// Exclude is what does not count against limit and capacity (R47).
	Exclude []ChatExclusion `json:"exclude,omitempty"`
	// TransferResponsible: who takes a chat that was transferred is responsible for the
	// customer from then on; else whoever took their first one stays (R60). The core
	// knows nothing of it.
	TransferResponsible bool `json:"transfer_responsible,omitempty"`
	// MaxWaiting is how many customers may wait for an agent at once; 0: no limit (R5).
	MaxWaiting int `json:"max_waiting,omitempty"`
	// AutoExpire ends a chat so long after its last message; 0: after 7 days (R30).
	AutoExpire time.Duration `json:"auto_expire,omitempty"`
	// AutoClose closes a chat that an agent has so long after its last message, or
	// after the agent took it; 0: never (R67).
	AutoClose time.Duration `json:"auto_close,omitempty"`
	// CloseDelay is how long a closed chat awaits its rating, before it ends (R66).
	CloseDelay time.Duration `json:"close_delay,omitempty"`
	WrapUp     time.Duration `json:"wrap_up,omitempty"`
	Priority   time.Duration `json:"priority,omitempty"`
	Needs      []Skill       `json:"needs,omitempty"`
	Relax      []Relaxation  `json:"relax,omitempty"`
	Tiers      []Tier        `json:"tiers,omitempty"`
	Preferred  Preferred     `json:"preferred,omitzero"`
	// ServiceLevel is the measure of the channel; the core knows nothing of it.
	ServiceLevel ServiceLevel `json:"service_level,omitzero"`
}

// The connectors: for third parties (R7), the chat window on websites, and bots of Telegram.
const (
	ConnectorHTTP     = "http"
	ConnectorWidget   = "widget"
	ConnectorTelegram = "telegram"
)

// Widget is how a channel's chat window on websites behaves.
type Widget struct {
	Origins  []string `json:"origins,omitempty"`  // sites that may show it; none: the server's own pages only
	Language string   `json:"language,omitempty"` // en, pl or ru; empty: the visitor's
	Color    string   `json:"color,omitempty"`    // #rrggbb
	Form     []string `json:"form,omitempty"`     // name, email, phone: asked for before the first message
	// Consent is a text that the visitor agrees to before the first message (R63).
	Consent         Consent `json:"consent,omitzero"`
	IdentityNeeded  bool    `json:"identity_needed,omitempty"`  // only visitors for whom the site vouches may write
	AttachmentBytes int64   `json:"attachment_bytes,omitempty"` // of the largest file; 0: none may be sent
	Rating          bool    `json:"rating,omitempty"`           // the visitor is asked for one after closing (R71)
	RatingCloses    bool    `json:"rating_closes,omitempty"`    // it ends the session (R72)
	Call            string  `json:"call,omitempty"`             // the number of ours, in E.164, that visitors call who talk to an agent; empty: they call nobody
}

// Consent is a text to agree to. Another version is another text.
type Consent struct {
	Version string `json:"version,omitempty"` // empty: nothing is to be agreed to
	Text    string `json:"text,omitempty"`
	Link    string `json:"link,omitempty"`
}
