package dialog

// Offers tells whether a change of the session may begin: at most one offer is
// open at a time (RFC 3264 section 4, RFC 6337 section 2).
type Offers struct {
	ours   bool // we offered and have no answer
	theirs bool // they offered and we have not answered
}

// Glare is why an offer from the peer cannot be taken now.
type Glare uint8

// The reasons.
const (
	NoGlare  Glare = iota
	OursOpen       // 491: our own offer has no answer (RFC 3261 section 14.2, RFC 3311 section 5.2)
	BusyWith       // 500 with Retry-After: an earlier one of theirs is being answered
)

// Offer notes that we sent an offer.
func (o *Offers) Offer() { o.ours = true }

// GotAnswer notes the answer to ours, or that it will never come.
func (o *Offers) GotAnswer() { o.ours = false }

// Receive checks an offer (or a request for one) from the peer, and notes it
// when there is no glare.
func (o *Offers) Receive() Glare {
	switch {
	case o.theirs:
		return BusyWith
	case o.ours:
		return OursOpen
	}
	o.theirs = true
	return NoGlare
}

// Answered notes that the peer's offer was answered or refused.
func (o *Offers) Answered() { o.theirs = false }

// Open tells whether an offer of ours has no answer.
func (o *Offers) Open() bool { return o.ours }

// Received notes an offer from the peer where there can be no glare: the one
// in the INVITE that makes the dialog.
func (o *Offers) Received() { o.theirs = true }
