package queuegroups

// ChatTexts are what a channel says by itself; an empty one is not said.
type ChatTexts struct {
	First  string `json:"first,omitempty"`  // to whoever begins a session (R64)
	Nobody string `json:"nobody,omitempty"` // when nobody can answer (R27)
	Closed string `json:"closed,omitempty"` // outside the hours (R62)
	Ended  string `json:"ended,omitempty"`  // when the session is closed (R65)
	Full   string `json:"full,omitempty"`   // when there is no room in the queue (R5)
	// AutoClosed is said when it is closed because nobody wrote (R67), in place of Ended.
	AutoClosed string `json:"auto_closed,omitempty"`
}

// DefaultTexts are those of a channel that gives none.
func DefaultTexts() ChatTexts {
	return ChatTexts{
		Nobody: "We cannot answer right now and will come back to you as soon as we can.",
		Closed: "We are closed now. Leave your message and we will answer when we are open again.",
		Full:   "Too many people are waiting right now. Please write to us again later.",
	}
}

// ChatExclusion is a kind of chats that is not counted against an agent's limits (R47).
type ChatExclusion string

// The exclusions of R47.
const (
	ExcludeAnswered ChatExclusion = "answered"             // answered at least once, and closed or awaiting its rating
	ExcludeWaiting  ChatExclusion = "waiting_for_customer" // the agent wrote last, or it is closed
	ExcludeClosed   ChatExclusion = "closed"               // closed and awaiting its rating
)

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
