package chat

import (
	"errors"
	"time"
)

// Canned is an answer that a channel's agents have ready (R69).
type Canned struct {
	ID      int64
	Channel string
	Group   string // in the list (R70); empty: none
	Text    string
	By      string // who saved it
	At      time.Time
}

// Limits of canned answers: bytes of a text and of a group's name, and how many a channel has.
const (
	CannedTextMax  = 4096
	CannedGroupMax = 80
	CannedMost     = 500
)

// ErrFull says that a channel has as many canned answers as it may.
var ErrFull = errors.New("the channel has as many canned answers as it may")
