package sip

import (
	"strings"

	"github.com/emiago/sipgo/sip"

	"centrala/sip/header"
	"centrala/sip/tx"
)

// This file holds how a phone takes a call that a lamp shows as ringing: by an
// INVITE that replaces the early dialog named in the NOTIFY (RFC 3891 section 7.1
// and RFC 4235 section 6.2). What a NOTIFY names is no dialog of any one phone,
// of which several may ring, on another node, or none yet for who waits in a
// queue: it is a name for the call, made by us and understood by us.

const pickupPrefix = "pickup-"

// pickupName is the dialog that a NOTIFY names for a call to be taken. Our tag
// is LocalTag.
func pickupName(token, domain string) Replaces {
	return Replaces{CallID: pickupPrefix + token + "@" + domain, LocalTag: "c" + token, RemoteTag: "p" + token}
}

// pickupOf is the call that an INVITE wants to take, by the Pickup of its
// LampCall; empty: it wants none, or names something else. Phones do not agree on
// which tag is whose (RFC 4235 section 4.1.2 has them as whom one watches sees
// them, RFC 3891 section 3 as the receiver of the INVITE does).
func (s *Stack) pickupOf(r *tx.Request) (token string) {
	n := 0
	for v := range header.List(r.Request, "Replaces") {
		want, err := header.ParseReplaces(v)
		if n++; err != nil || n > 1 {
			return ""
		}
		id, _, _ := strings.Cut(strings.TrimPrefix(want.CallID, pickupPrefix), "@")
		name := pickupName(id, s.o.Domain)
		crossed := Replaces{CallID: name.CallID, LocalTag: name.RemoteTag, RemoteTag: name.LocalTag}
		if want.EarlyOnly = false; want == name || want == crossed {
			token = id
		}
	}
	return token
}

// takes is what a call is to take the place of: one that a lamp shows, a leg, or
// nothing; or the fault for which it is to be refused. A carrier has no calls to
// take, and neither has a guest.
func (s *Stack) takes(r *tx.Request, from *line) (pickup string, replaces *Leg, fault *header.Fault) {
	if pickup = s.pickupOf(r); pickup == "" {
		replaces, fault = s.replaced(r)
	}
	if (from == nil || from.guest != "") && (pickup != "" || replaces != nil) {
		return "", nil, &header.Fault{Code: sip.StatusForbidden, Reason: "Forbidden"}
	}
	return pickup, replaces, fault
}

// Pickup is the Pickup of the LampCall that an inbound leg is to take the place
// of; empty: of none. Whether it may is for the owner to say.
func (l *Leg) Pickup() string { return l.pickup }
