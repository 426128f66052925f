package dialog

import (
	"cmp"
	"time"
)

// Session is what was agreed on about the session timer (RFC 4028).
type Session struct {
	Interval uint32 // seconds within which the session must be refreshed; 0: no timer
	Ours     bool   // we refresh it
}

// Limits of the session interval, in seconds.
const (
	SessionWanted = 1800 // what we ask for, and the longest that we grant: section 4
	SessionMin    = 90   // the shortest that anybody may ask for: section 5
)

// SessionAsk is what a request says about the session timer.
type SessionAsk struct {
	Supported bool   // its sender knows of timers
	Interval  uint32 // Session-Expires in seconds; 0: none
	Min       uint32 // Min-SE in seconds; 0: none
	Ours      bool   // the refresher that it names is the receiver: us
}

// Grant is the answer to a request (section 9). ok is false if the interval is
// too short: 422.
func (a SessionAsk) Grant() (s Session, ok bool) {
	if !a.Supported && a.Interval < SessionMin { // none, or a proxy's, who may not be told
		return Session{}, true
	}
	interval := cmp.Or(a.Interval, SessionWanted)
	if interval < SessionMin {
		return Session{}, false
	}
	// Who asked refreshes if they can: section 9, table 2.
	return Session{Interval: max(min(interval, SessionWanted), a.Min), Ours: a.Ours || !a.Supported}, true
}

// RefreshAfter is when we refresh a session: section 7.2 has it at half time.
func (s Session) RefreshAfter() time.Duration {
	return time.Duration(s.Interval) * time.Second / 2
}

// OverAfter is when a session that the peer has not refreshed is over: section 10.
func (s Session) OverAfter() time.Duration {
	all := time.Duration(s.Interval) * time.Second
	return all - min(32*time.Second, all/3)
}
