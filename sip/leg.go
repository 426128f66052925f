package sip

import (
	"net/netip"
)

// Mailbox is the queue of a leg's owner. Everything about the leg runs in it,
// one function after another.
type Mailbox interface {
	// Post queues f and returns at once. False means that the owner is gone or
	// cannot keep up: f will not run, and the leg then ends by itself.
	Post(f func()) bool
}

// LegEvents is what a leg tells its owner. All methods are called in the
// owner's mailbox.
type LegEvents interface {
	// LegProgress reports an 18x answer to an outbound leg; sdp may be nil.
	LegProgress(l *Leg, code int, sdp []byte)
	// LegAnswered reports the 2xx of an outbound leg with its SDP, or the ACK
	// of an inbound leg with its SDP, which is nil unless the answer was in it.
	LegAnswered(l *Leg, sdp []byte)
	// LegOffer asks for the answer to an offer in a re-INVITE or UPDATE. A nil
	// sdp asks for an offer of ours. An error refuses the change with 488 and
	// leaves the session as it was.
	LegOffer(l *Leg, sdp []byte) (answer []byte, err error)
	// LegEnded is the last event of a leg and comes exactly once.
	LegEnded(l *Leg, t Termination)
}

// Class says in one word how a leg ended.
type Class = string

// The classes of a leg's end.
const (
	ClassHangup      Class = "hangup"      // an answered call was hung up
	ClassCancel      Class = "cancel"      // inbound: the caller gave up before the answer
	ClassBusy        Class = "busy"        // 486, 600
	ClassDeclined    Class = "declined"    // 603, 403 and other deliberate refusals
	ClassNoAnswer    Class = "no_answer"   // rang, or was said to be there, but nobody answered
	ClassUnreachable Class = "unreachable" // nothing there, or no answer to the INVITE at all
	ClassCancelled   Class = "cancelled"   // outbound: we gave up before the answer
	ClassFailed      Class = "failed"      // any other failure
	ClassTimeout     Class = "timeout"     // inbound: our answer was never acknowledged
)

// Termination says how and why a leg ended.
type Termination struct {
	ByUs   bool   // Hangup or Reject ended it, or a limit of ours
	Class  Class  // one of the Class constants
	Code   int    // the SIP status, 0 where there was none
	Reason string // for people and logs
}

// Party is somebody named by a From header.
type Party struct {
	User string // user part of the URI
	Name string // display name, may be empty
	Host string // host part of the URI
}

// Bind gives an inbound leg its owner. What happened to the leg before is
// delivered first.
func (l *Leg) Bind(m Mailbox, ev LegEvents) { panic("not yet") }

// Leg is one SIP dialog, inbound or outbound. Its methods other than Bind may
// only be called in the owner's mailbox.
type Leg struct{}

// ID names the leg: as given to Dial, or random for inbound legs.
func (l *Leg) ID() string { panic("not yet") }

// CallID is the Call-ID of the dialog.
func (l *Leg) CallID() string { panic("not yet") }

// Inbound tells whether the peer called us.
func (l *Leg) Inbound() bool { panic("not yet") }

// Local is our address towards the peer: media should be bound there.
func (l *Leg) Local() netip.Addr { panic("not yet") }

// Remote is where the peer's signalling comes from.
func (l *Leg) Remote() netip.AddrPort { panic("not yet") }

// Trunk is the ID of the trunk that an inbound call came by.
func (l *Leg) Trunk() string { panic("not yet") }

// From is the caller.
func (l *Leg) From() Party { panic("not yet") }

// To is the user part of the Request-URI.
func (l *Leg) To() string { panic("not yet") }

// SDP is the newest session description of the peer, nil if there is none yet.
func (l *Leg) SDP() []byte { panic("not yet") }

// Ring sends a provisional answer (180 to 189) of an inbound leg; sdp may be
// nil. It does nothing once the leg was answered or ended.
func (l *Leg) Ring(code int, sdp []byte) { panic("not yet") }

// Answer takes an inbound call with 200 and sdp. It is sent again until the
// ACK comes, which is reported by LegAnswered.
func (l *Leg) Answer(sdp []byte) error { panic("not yet") }

// Reject refuses an inbound call that has not been answered.
func (l *Leg) Reject(code int, reason string) { panic("not yet") }

// Hangup ends the leg as its state asks for: CANCEL, BYE or a refusal. The
// reason goes into a Reason header (RFC 3326) if not empty, for example
// `SIP;cause=200;text="Call completed elsewhere"`. LegEnded follows.
func (l *Leg) Hangup(reason string) { panic("not yet") }
