package chat

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// Connector carries the messages of a channel to and from where its customers are.
// Its methods may be called from any goroutine.
type Connector interface {
	// Read makes sense of what came in, and changes nothing. The error says what is
	// wrong with it.
	Read(body []byte) (Happening, error)
	// Send hands a message over and returns what the other side calls it; it may be
	// several, or none. The error may be a *SendError; any other is passing.
	Send(ctx context.Context, o Outgoing) (externals []string, err error)
	// Key is the id by which the other side knows a message that it is sent again, so
	// that no harm is done where nobody knows whether it had arrived, and by which it
	// may speak of it. Empty: it does not.
	Key(o Outgoing) string
}

// Fetched is a connector whose customers fetch what is written to them from where it is kept: nothing
// of it is sent, and it has got there once it is kept.
type Fetched interface {
	Fetched()
}

// Bot answers customers before the queue does. The error means that it cannot now.
type Bot interface {
	Answer(ctx context.Context, a Asked) (Reply, error)
}

// Fetcher is a connector whose messages may name files that are still at its other
// side. The reader ends with the file; the error is ErrTooBig or ErrNotFound where
// there is no use in trying again.
type Fetcher interface {
	Fetch(ctx context.Context, f Remote) (io.ReadCloser, error)
}

// Happening is what came in at a connector: one of its kinds.
type Happening struct {
	Customer string // whose events are dealt with in order; empty: none's, it is about a message of ours
	Message  *Incoming
	Status   *Report
	Closed   bool    // the customer ended the enquiry
	Blocked  *bool   // the customer lets no message through, or does again
	Rated    *Rating // the customer's of a session; they may name one that is not theirs
}

// Report is the other side's word of how far a message of ours has got.
type Report struct {
	External string // what it calls the message
	Status   Status
	Reason   string
}

// reasonMax is the longest reason of a failure that is kept, in bytes.
const reasonMax = 500

// Check tells what is wrong with it.
func (r *Report) Check() error {
	switch r.Status {
	case StatusDelivered, StatusRead, StatusFailed:
	default:
		return errors.New("status is delivered, read or failed")
	}
	if len(r.Reason) > reasonMax || !isText(r.Reason) {
		return fmt.Errorf("reason is no text of at most %d bytes", reasonMax)
	}
	return CheckID(r.External)
}

// SendError tells more of why a message could not be sent.
type SendError struct {
	Reason    string
	Permanent bool          // it never will be
	After     time.Duration // the other side asked to be left alone so long
	Blocked   bool          // the customer lets no message through
	// Parts is how many of a message that makes several the other side has, and IDs are
	// its names of those that this attempt brought.
	Parts int
	IDs   []string
}

// Error implements error.
func (e *SendError) Error() string { return e.Reason }

// Notice is a text of a channel's that the core asks for, or that begins a session.
type Notice string

// NoticeFirst greets whoever begins a session (R64).
const NoticeFirst Notice = "first"

// The texts by which a session is closed (R65, R67).
const (
	NoticeEnded      Notice = "ended"
	NoticeAutoClosed Notice = "auto_closed"
)
