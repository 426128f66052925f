package chat

import "time"

// Letter is a transcript that a customer asked for by e-mail (R10).
type Letter struct {
	ID           int64
	Session      SessionID
	Conversation int64
	Seq          int64  // of the last message in it
	Address      string // the customer's
	Language     string
	Zone         string // of its times, as in Europe/Warsaw
	MessageID    string
	Attempts     int // so far
	Made         time.Time
}
