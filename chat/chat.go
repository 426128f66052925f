// Package chat is the model of open channels: contacts and their identities,
// conversations, sessions, and messages with all that belongs to them.
//
// A conversation is the thread of one customer's identity in one channel, and
// never ends. A session is one enquiry in it, from its first message until it is
// closed: to the core it is an interaction, and the session's id is that of the
// customer's leg. Messages are numbered in their conversation, from 1 and without
// a gap, so that whoever has seen up to one of them can ask for those after it,
// and needs no times to do so.
//
// What is kept is committed before anybody is told that it was. Texts are kept
// here alone; the core hears only that somebody wrote.
package chat

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// What can be wrong.
var (
	ErrNotFound = errors.New("there is no such thing")
	ErrClosed   = errors.New("the session is closed")
	ErrEmpty    = errors.New("a message has a text or an attachment")
	ErrTooLong  = errors.New("the text is too long")
	ErrText     = errors.New("that is no text")
	ErrID       = errors.New("an id or a name has 1 to 200 bytes of text")
	ErrScore    = errors.New("a score is 1 to 5")
	ErrTooBig   = errors.New("the attachment is too big")
	ErrTooMany  = errors.New("there are too many attachments")
)

// Limits of a message.
const (
	TextMax        = 16 << 10 // bytes
	AttachmentMax  = 20 << 20 // bytes
	AttachmentsMax = 10
	IDMax          = 200 // bytes, of others' ids and of names
)

// SessionID names a session, and to the core the customer's end of it.
type SessionID string

// sessionPrefix begins every session's id, so that it is no call's.
const sessionPrefix = "chat-"

// NewSessionID makes one of a text that is unique for ever.
func NewSessionID(unique string) SessionID { return SessionID(sessionPrefix + unique) }

// IsSession tells whether a leg is an end of a chat: the customer's, or an agent's,
// whose id begins with it.
func IsSession(leg string) bool { return strings.HasPrefix(leg, sessionPrefix) }

// Author says who wrote a message.
type Author string

// The authors.
const (
	ByCustomer Author = "customer"
	ByAgent    Author = "agent"
	BySystem   Author = "system" // a text of the channel's
)

// Kind says what a message is for.
type Kind string

// The kinds of messages.
const (
	KindText Kind = "text"
	KindNote Kind = "note" // among agents; no customer ever sees it
)

// Status says how far a message of ours has got. It only moves forward: reports
// of it come in any order.
type Status string

// The statuses, in order.
const (
	StatusAccepted  Status = "accepted"  // it is kept
	StatusSent      Status = "sent"      // the connector's other side has it
	StatusDelivered Status = "delivered" // the customer's device has it
	StatusRead      Status = "read"
	StatusFailed    Status = "failed" // it will not get there; what has got there cannot fail
)

// Rank orders statuses; 0: it is none. A failure overtakes only what is not sent
// yet, and is overtaken by a word that the message has arrived after all.
func (s Status) Rank() int {
	switch s {
	case StatusAccepted:
		return 1
	case StatusFailed:
		return 2
	case StatusSent:
		return 3
	case StatusDelivered:
		return 4
	case StatusRead:
		return 5
	}
	return 0
}

// Contact is a customer, as far as is known.
type Contact struct {
	ID      int64
	Name    string
	Details Details
	Created time.Time
}

// Details are what a customer told of themself; each may be empty.
type Details struct {
	Email string `json:"email,omitempty"`
	Phone string `json:"phone,omitempty"`
}

// Merge returns the details with what is told anew in place of what was known.
func (d Details) Merge(anew Details) Details {
	return Details{Email: cmp.Or(anew.Email, d.Email), Phone: cmp.Or(anew.Phone, d.Phone)}
}

// Conversation is the thread of an identity in a channel.
type Conversation struct {
	ID           int64
	Channel      string
	Customer     string // the identity: the customer's name for the connector
	Verified     bool   // somebody vouches for it
	Blocked      bool   // the customer lets no message through
	Contact      Contact
	Seq          int64 // of the last message; 0: none yet
	ReadCustomer int64 // up to this message the customer has read
	ReadAgent    int64
}

// Session is one enquiry.
type Session struct {
	ID           SessionID
	Conversation int64
	Channel      string
	Customer     string
	Name         string // the contact's
	Responsible  string // the agent who is for the contact (R58); empty: nobody yet
	Taken        uint64 // the last Take that was noted
	First        int64  // the message it began with
	Opened       time.Time
	Closed       time.Time // zero: it is open
	Bot          BotState
}

// BotState is how a session stands with the channel's bot (R74).
type BotState struct {
	Has       bool   // the bot has the session: the core does not know of it yet
	State     string // what the bot wants to know again
	Answered  int64  // the customer's message that was answered last, or at which it was handed over
	ToChannel string // to whose queue it was handed over; empty: its own channel's
	ToAgent   string // to whom; empty: to nobody before others
}

// Asked is what a bot is asked.
type Asked struct {
	Session Session
	Message Message // the customer's
	State   string  // as the bot's last answer had it; empty: it is the first
}

// Reply is what a bot answers.
type Reply struct {
	Texts    []string
	Choices  []string // that the last text offers; they stand in it as Numbered has them
	State    string
	HandOver bool   // to the queue
	To       string // to whose: channel:ID, or agent:ID, who is asked first; empty: the channel's own
	Close    bool
}

// Check returns what keeps an answer from being said, or its state from being kept: ErrEmpty, ErrTooLong or ErrText.
func (r *Reply) Check() error {
	for _, text := range r.Texts {
		if err := checkBody(text, nil); err != nil {
			return err
		}
	}
	switch {
	case len(r.State) > TextMax:
		return ErrTooLong
	case !isText(r.State):
		return ErrText
	}
	return nil
}

// Message is one message of a conversation.
type Message struct {
	Conversation int64
	Seq          int64
	Session      SessionID
	Author       Author
	Name         string // of the agent
	Kind         Kind
	Client       string // the writer's own id of it
	Text         string
	Status       Status
	Reason       string // why it failed
	At           time.Time
	Attachments  []Attachment
	Corrects     int64 // the number of the customer's earlier message that it corrects; 0: none
}

// Take is that an agent took a session.
type Take struct {
	Index uint64 // of the core's log; those of a session rise
	Agent string
	Anew  bool // they are responsible for the customer, even if somebody was before (R60)
}

// Typist is somebody who types.
type Typist struct {
	Name string // of whom of the staff, by their id; empty: the customer
	At   time.Time
}

// Attachment is a file that belongs to a message. Its bytes are in the data folder.
type Attachment struct {
	ID   string
	Name string // as its sender called it, without folders
	Type string // found out by its bytes, never believed
	Size int64
}

// Button is one that a customer may press in place of writing.
type Button struct {
	Label string `json:"label"`
	Data  string `json:"data"` // that comes back; at most ButtonMax bytes
}

// ButtonMax is the longest data of a button, in bytes.
const ButtonMax = 64

// ShareContact is the data of a button by which customers share their telephone number.
const ShareContact = "share contact"

// Numbered is how choices stand below a text, for connectors that have no buttons.
func Numbered(choices []string) string {
	var b strings.Builder
	for k, c := range choices {
		fmt.Fprintf(&b, "\n%d. %s", k+1, c)
	}
	return b.String()
}

// Incoming is a message of a customer's.
type Incoming struct {
	Channel  string
	Customer string // who never changes in the channel
	Name     string // empty: as before
	External string // the connector's id of the message, unique in the channel
	Corrects string // that of the earlier message that it corrects; empty: none
	Client   string // the customer's program's own; either may be empty, not both
	Text     string
	Files    []Attachment // kept already
	At       time.Time    // zero: now
	Verified bool         // somebody vouches for the customer's identity
	Details  Details      // empty ones: as before
	Vouched  Details      // those of them that somebody vouches for: by them the customer is known in any channel (R57)
	Consent  Consent      // given with the message; no version: none was
	Remote   []Remote     // files that are still at the connector's other side
	Bot      bool         // a session that begins with it is a bot's first
}

// Remote is a file that is still at the connector's other side.
type Remote struct {
	ID   string // by which the other side knows it
	Name string
	Size int64 // as the other side tells it; 0: it does not
}

// Check tells what is wrong with it.
func (in *Incoming) Check() error {
	for _, id := range []string{in.Channel, in.Customer, in.External + in.Client} {
		if id == "" {
			return ErrID
		}
	}
	for _, id := range []string{in.Channel, in.Customer, in.External, in.Corrects, in.Client, in.Name, in.Details.Email, in.Details.Phone, in.Consent.Version, in.Consent.Address} {
		if err := CheckID(id); err != nil {
			return err
		}
	}
	if len(in.Remote) > 0 && in.Text == "" {
		return nil // a file that cannot be had leaves a word in its place
	}
	return checkBody(in.Text, in.Files)
}

// Taken tells what became of a customer's message.
type Taken struct {
	Message Message
	Session Session
	Again   bool // it was there before
	Begins  bool // the session began with it
}

// Draft is a message of an agent's or of the channel's own.
type Draft struct {
	Session SessionID
	Author  Author
	Name    string // of the agent
	Kind    Kind
	Client  string // required: the same one again is the same message
	Text    string
	Files   []Attachment
	Buttons []Button // that go with it, where the connector has such
	// Fetched tells whether the customers of a channel fetch what is written to them, so that it need not be
	// sent; nil: none do.
	Fetched func(channel string) bool
}

// Check tells what is wrong with it.
func (d *Draft) Check() error {
	if d.Client == "" {
		return ErrID
	}
	if err := CheckID(d.Client); err != nil {
		return err
	}
	return checkBody(d.Text, d.Files)
}

// CheckID returns ErrID for what is too long for an id or a name, or is no text.
func CheckID(id string) error {
	if len(id) > IDMax || !isText(id) {
		return ErrID
	}
	return nil
}

func checkBody(text string, files []Attachment) error {
	switch {
	case strings.TrimSpace(text) == "" && len(files) == 0:
		return ErrEmpty
	case len(text) > TextMax:
		return ErrTooLong
	case !isText(text):
		return ErrText
	case len(files) > AttachmentsMax:
		return ErrTooMany
	}
	return nil
}

// isText: it is what a database takes as text.
func isText(s string) bool { return utf8.ValidString(s) && !strings.ContainsRune(s, 0) }

// Rating is what somebody thinks of a session (R71, R73).
type Rating struct {
	Session SessionID
	Who     string // "customer", or the name of the supervisor
	Score   int    // 1 to 5
	Comment string
	At      time.Time
}

// ratingMark begins the data of a button by which a customer rates a session.
const ratingMark = "rate "

// RatingData is the data of such a button.
func RatingData(id SessionID, score int) string { return fmt.Sprintf("%s%d %s", ratingMark, score, id) }

// ReadRating reads what RatingData wrote; false: it is something else.
func ReadRating(data string) (r Rating, ok bool) {
	rest, ok := strings.CutPrefix(data, ratingMark)
	if !ok || len(rest) < 3 || rest[0] < '1' || rest[0] > '5' || rest[1] != ' ' || !IsSession(rest[2:]) {
		return r, false
	}
	return Rating{Session: SessionID(rest[2:]), Score: int(rest[0] - '0')}, true
}

// Trouble is a message that did not get to the customer.
type Trouble struct {
	Seq    int64
	Failed bool   // it never will; else it is tried again
	Reason string // why it failed
}

// Consent is a customer's agreement to a text (R63).
type Consent struct {
	Conversation int64
	Version      string // of the text
	At           time.Time
	Address      string // that it came from
}

// Dialogs are what is kept of a channel (R9).
type Dialogs struct {
	Channel       string
	Conversations int64
	Messages      int64
	Open          int64 // sessions
}

// Event is what came in at a connector, as it came.
type Event struct {
	ID       int64
	Channel  string
	Event    string // the sender's id of it
	Customer string // whose events are dealt with in order
	Body     []byte
}

// Outgoing is a message that is to go out to a customer.
type Outgoing struct {
	ID       int64
	Channel  string
	Customer string
	Message  Message
	Attempts int  // so far
	Trying   bool // one was under way when the server ended: nobody knows whether it got through
	Next     time.Time
	Buttons  []Button
	Parts    int // of them the other side has so many, where one message makes several
}
