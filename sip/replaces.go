package sip

import (
	"github.com/emiago/sipgo/sip"

	"centrala/sip/dialog"
	"centrala/sip/header"
	"centrala/sip/tx"
)

// This file holds how one call takes the place of another (RFC 3891).

// Replaced finds the leg that a Replaces names, nil if there is none: by all
// three of Call-ID, our tag and the peer's (section 3).
func (s *Stack) Replaced(r Replaces) *Leg {
	l, over := s.named(r)
	if over {
		return nil
	}
	return l
}

// named finds a leg, and tells whether it is on its way out.
func (s *Stack) named(r Replaces) (l *Leg, over bool) {
	l = s.leg(r.LocalTag)
	if l == nil || l.callID != r.CallID {
		return nil, false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.dlg.RemoteTag != r.RemoteTag {
		return nil, false
	}
	return l, l.ended
}

// Replaces is the leg whose place an inbound one is to take; nil: it is a call
// of its own. Whether it may is for the owner to say.
func (l *Leg) Replaces() *Leg { return l.replaces }

// ReferredBy is the user part of the Referred-By of an inbound leg (RFC 3892), as
// whoever makes the call has it from whom sent them here; empty: there is none.
func (l *Leg) ReferredBy() string {
	v, ok := header.Value(l.invite.Request, "Referred-By")
	if !ok {
		return ""
	}
	_, uri, _, err := header.ParseAddress(v)
	if err != nil {
		return ""
	}
	return uriUser(&uri)
}

// Answered tells whether the call was answered, by whichever side that was to.
func (l *Leg) Answered() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.state == dialog.Confirmed || l.state == dialog.Answered
}

// replaced finds what an INVITE wants to take the place of: nothing, a leg, or
// the fault for which it is to be refused (section 3).
func (s *Stack) replaced(r *tx.Request) (*Leg, *header.Fault) {
	var values []string
	for v := range header.List(r.Request, "Replaces") {
		values = append(values, v)
	}
	if len(values) == 0 {
		return nil, nil
	}
	if _, join := header.Value(r.Request, "Join"); join || len(values) > 1 {
		return nil, &header.Fault{Code: sip.StatusBadRequest, Reason: "Bad Request: Replaces"}
	}
	want, err := header.ParseReplaces(values[0])
	if err != nil {
		return nil, &header.Fault{Code: sip.StatusBadRequest, Reason: "Bad Request: Replaces"}
	}
	l, over := s.named(want)
	if over {
		return nil, &header.Fault{Code: sip.StatusGlobalDecline, Reason: "Decline"}
	}
	state := dialog.Incoming
	if l != nil {
		l.mu.Lock()
		state = l.state
		l.mu.Unlock()
	}
	switch {
	case state == dialog.Incoming: // none, or an early dialog that the peer began
		return nil, &header.Fault{Code: sip.StatusCallTransactionDoesNotExists, Reason: "Call/Transaction Does Not Exist"}
	case want.EarlyOnly && (state == dialog.Confirmed || state == dialog.Answered):
		return nil, &header.Fault{Code: sip.StatusBusyHere, Reason: "Busy Here"}
	}
	return l, nil
}
