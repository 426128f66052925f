package sip

import (
	"errors"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/rs/zerolog"

	"centrala/sip/dialog"
	"centrala/sip/edge"
	"centrala/sip/tx"
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
	// sdp asks for an offer of ours; the peer's answer to that, which comes with
	// the ACK, is handed over by LegOffer too, and what is returned then is not
	// used. An error refuses the change with 488 and leaves the session as it was.
	LegOffer(l *Leg, sdp []byte) (answer []byte, err error)
	// LegKey reports a telephone key that the peer pressed and told by INFO: one of 0-9 * # A-D.
	LegKey(l *Leg, key byte)
	// LegRefer asks to put whom the peer talks to through to somebody else. It
	// returns the status to answer with: ReferAccepted, after which r.Notify
	// reports, or the one of a refusal.
	LegRefer(l *Leg, r *Refer) (status int)
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
	ClassTimeout     Class = "timeout"     // our answer was never acknowledged, or the session not refreshed
)

// Termination says how and why a leg ended.
type Termination struct {
	ByUs   bool   // Hangup or Reject ended it, or a limit of ours
	Class  Class  // one of the Class constants
	Code   int    // the SIP status, 0 where there was none
	Reason string // for people and logs
	// Elsewhere is whom to call instead of who refused an outbound call; nil: they did
	// not say.
	Elsewhere *Redirection
}

// Party is somebody named by a From header.
type Party struct {
	User string // user part of the URI
	Name string // display name, may be empty
	Host string // host part of the URI
}

// Leg is one SIP dialog, inbound or outbound. Its methods other than Bind and
// the plain getters may only be called in the owner's mailbox.
type Leg struct {
	s        *Stack
	log      zerolog.Logger
	id       string
	tag      string // our tag, by which the stack finds the leg
	callID   string
	inbound  bool
	trunk    *trunk // nil for legs to phones and for calls from them
	line     *line  // of whose phone the call came, nil for all others
	from     Party
	to       string
	user     string // whose phone it is, for legs to registered phones and from those who know the password
	pickup   string // what it is to pick up, inbound only; see Pickup
	replaces *Leg   // whose place it is to take, nil: nobody's
	fixed    bool   // requests always go by the flow: the peer registered over it
	sips     bool   // the dialog is one of sips: URIs

	// The rest is guarded by mu. It is held while an input is worked on, never
	// while the owner is called.
	mu     sync.Mutex
	box    Mailbox // nil until Bind
	ev     LegEvents
	early  []func() // what came before Bind
	orphan bool     // the owner is gone
	ended  bool     // LegEnded was sent

	state     dialog.State
	dlg       *dialog.Dialog
	flow      edge.Flow
	offers    dialog.Offers
	sdp       []byte // the peer's newest
	sdpTag    string // whose it is, for outbound legs before the answer
	peerTag   string // of the 2xx; empty before
	answered  bool   // a 2xx came
	inviteSeq uint32
	why       string // Reason of our CANCEL or BYE
	referred  bool   // a REFER came

	invite   *tx.Request       // inbound: the INVITE
	answer   *sip.Response     // inbound: our 2xx
	reliable *provisional      // inbound: nil unless the caller can do RFC 3262
	rseqs    map[string]uint32 // outbound: the newest RSeq by the peer's tag
	settled  chan struct{}     // inbound: closed when no ACK is awaited any more
	tries    attempts          // outbound: the INVITEs
	client   *tx.Client        // outbound: the present INVITE
	ack      *sip.Request      // outbound: our ACK
	session  session           // its timer
	again    *reinvite         // the newest re-INVITE that we answered with 2xx, until its ACK
	pending  bool              // the owner wants the session changed, and the peer is still to be asked

	timer    *time.Timer
	timerGen uint64
	interval time.Duration // of 2xx retransmissions
	deadline time.Time     // when they end
}

// Bind gives an inbound leg its owner. What happened to the leg before is
// delivered first.
func (l *Leg) Bind(m Mailbox, ev LegEvents) {
	l.mu.Lock()
	if l.orphan || l.box != nil {
		l.mu.Unlock()
		return
	}
	l.box, l.ev = m, ev
	early := l.early
	l.early = nil
	l.mu.Unlock()
	for _, f := range early {
		l.post(f)
	}
}

// Move gives the leg another owner. It is called in the mailbox of the present
// one, which hears no more of the leg; first runs in the new one before anything
// else that has to do with it. False: the new owner is gone, and nothing changed.
func (l *Leg) Move(m Mailbox, ev LegEvents, first func()) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.orphan || !m.Post(first) {
		return false
	}
	l.box, l.ev = m, ev
	return true
}

// ID names the leg: as given to Dial, or random for inbound legs.
func (l *Leg) ID() string { return l.id }

// CallID is the Call-ID of the dialog.
func (l *Leg) CallID() string { return l.callID }

// Inbound tells whether the peer called us.
func (l *Leg) Inbound() bool { return l.inbound }

// Local is our address towards the peer: media should be bound there.
func (l *Leg) Local() netip.Addr {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.flow.Local.Addr()
}

// Remote is where the peer's signalling comes from.
func (l *Leg) Remote() netip.AddrPort {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.flow.Remote
}

// Secure tells whether nobody on the way to the peer can read what is sent.
func (l *Leg) Secure() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.flow.Secure()
}

// Browser tells whether the peer is a browser, whose audio is WebRTC.
func (l *Leg) Browser() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.flow.Web()
}

// Trunk is the ID of the trunk that a call came by or leaves by.
func (l *Leg) Trunk() string {
	if l.trunk == nil {
		return ""
	}
	return l.trunk.id
}

// User is the name of the user whose phone this is: an outbound leg calls a
// contact that they registered, an inbound one came with their password. It is
// empty for trunks and for phones with a fixed address.
func (l *Leg) User() string { return l.user }

// From is the caller as the INVITE names them. For a call from a user's phone
// that is what the phone says: User is who it is.
func (l *Leg) From() Party { return l.from }

// MaxForwards is how many hops the caller's INVITE had left (RFC 3261 section
// 20.22), 70 for outbound legs and for callers that do not say.
func (l *Leg) MaxForwards() int {
	if l.inbound {
		if mf := l.invite.MaxForwards(); mf != nil {
			return int(mf.Val())
		}
	}
	return maxForwards
}

// To is the user part of the Request-URI.
func (l *Leg) To() string { return l.to }

// SDP is the newest session description of the peer, nil if there is none yet.
func (l *Leg) SDP() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.sdp
}

// Ring sends a provisional answer (180 to 189) of an inbound leg; sdp may be
// nil. It does nothing once the leg was answered or ended. Of callers who
// require it, the answer is acknowledged (RFC 3262). To a caller who made no offer
// sdp is ours, which is sent only to those; LegAnswered has their answer.
func (l *Leg) Ring(code int, sdp []byte) {
	if code > 100 && code < 200 {
		_ = l.input(dialog.UserRing, details{code: code, sdp: sdp})
	}
}

// Answer takes an inbound call with 200 and sdp. It is sent again until the
// ACK comes, which is reported by LegAnswered. An error means that the call can
// no longer be taken; LegEnded follows.
func (l *Leg) Answer(sdp []byte) error {
	l.mu.Lock()
	open := l.state == dialog.Incoming
	l.mu.Unlock()
	if !open {
		return ErrState
	}
	if l.postponed(sdp) {
		return nil
	}
	return l.accept(sdp)
}

// accept sends the 2xx. The transaction may have been cancelled a moment before,
// which is then taken in first: what comes behind must not find the call answered.
func (l *Leg) accept(sdp []byte) error {
	err := l.input(dialog.UserAnswer, details{sdp: sdp})
	if errors.Is(err, tx.ErrCancel) {
		_ = l.input(dialog.RecvCancel, details{reason: givenUp, owner: true})
	}
	return err
}

// Reject refuses an inbound call that has not been answered. Codes outside 300
// to 699 become 500; an empty reason becomes that of RFC 3261.
func (l *Leg) Reject(code int, reason string) {
	if code < 300 || code > 699 {
		code = sip.StatusInternalServerError
	}
	_ = l.input(dialog.UserReject, details{code: code, reason: reason, owner: true})
}

// Hangup ends the leg as its state asks for: CANCEL, BYE or a refusal. The
// reason goes into a Reason header (RFC 3326) if not empty, for example
// `SIP;cause=200;text="Call completed elsewhere"`. LegEnded follows at once,
// also where the peer still has to be talked into it.
func (l *Leg) Hangup(reason string) {
	if strings.ContainsAny(reason, "\r\n\x00") {
		reason = ""
	}
	_ = l.input(dialog.UserHangup, details{why: reason, owner: true})
}
