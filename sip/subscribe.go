package sip

import (
	"cmp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"

	"centrala/sip/auth"
	"centrala/sip/dialog"
	"centrala/sip/edge"
	"centrala/sip/header"
	"centrala/sip/tx"
)

// This file takes the SUBSCRIBEs of users' phones for their busy lamp fields:
// the dialog event package (RFC 4235) and no other (RFC 6665).

// LampLimits bound what watching can cost. The zero value of a field stands for
// its default.
type LampLimits struct {
	PerUser int           // subscriptions of one user's phones, default 500
	Total   int           // of all, default 20000
	Longest time.Duration // until a phone must ask again, default 10 min, so that lamps come back soon after a restart
	Least   time.Duration // shorter ones are refused with 423, default 1 min
	Every   time.Duration // between two NOTIFYs of one subscription, default 1 s (RFC 4235 section 3.10)
}

func (l LampLimits) withDefaults() LampLimits {
	return LampLimits{
		PerUser: cmp.Or(max(l.PerUser, 0), 500), Total: cmp.Or(max(l.Total, 0), 20000),
		Longest: cmp.Or(max(l.Longest, 0), 10*time.Minute), Least: cmp.Or(max(l.Least, 0), time.Minute),
		Every: cmp.Or(max(l.Every, 0), time.Second),
	}
}

const (
	dialogEvent    = "dialog"
	dialogInfoType = "application/dialog-info+xml"
	statusBadEvent = 489
	oneHour        = 3600 // seconds, RFC 4235 section 3.4: what a subscription that names no time asks for
)

// subscriptions are those of all phones.
type subscriptions struct {
	mu     sync.Mutex
	byTag  map[string]*subscription // by our tag
	byName map[string]map[*subscription]bool
	byFlow map[edge.FlowID]map[*subscription]bool // those over connections
	byUser map[string]int
	open   map[*subscription]*tx.Client // NOTIFYs that have no answer yet, also those of subscriptions that are over
	closed bool
}

func newSubscriptions() subscriptions {
	return subscriptions{
		byTag: map[string]*subscription{}, byName: map[string]map[*subscription]bool{},
		byFlow: map[edge.FlowID]map[*subscription]bool{}, byUser: map[string]int{}, open: map[*subscription]*tx.Client{},
	}
}

// subscribe takes a SUBSCRIBE, in a dialog of one or for a new one.
func (s *Stack) subscribe(r *tx.Request) {
	allow := sip.NewHeader("Allow-Events", dialogEvent)
	event, id := header.Event(r)
	switch {
	case s.o.Lamps == nil || event != dialogEvent: // RFC 6665 section 4.2.1.1
		r.Refuse(statusBadEvent, "Bad Event", allow)
		return
	case !takesDialogInfo(r):
		r.Refuse(sip.StatusNotAcceptable, "Not Acceptable", sip.NewHeader("Accept", dialogInfoType))
		return
	}
	user := s.watcher(r)
	if user == "" {
		return
	}
	seconds, ok := header.Expires(r)
	if !ok {
		seconds = oneHour
	}
	if least := s.o.LampLimits.Least; seconds > 0 && seconds < oneHour && time.Duration(seconds)*time.Second < least {
		r.Refuse(sip.StatusIntervalToBrief, "Interval Too Brief", sip.NewHeader("Min-Expires", strconv.Itoa(int(least.Seconds()))))
		return
	}
	seconds = min(seconds, uint32(s.o.LampLimits.Longest.Seconds()))
	if id != "" {
		event += ";id=" + id
	}
	if r.InDialog {
		s.resubscribe(r, user, event, seconds)
		return
	}
	s.newSubscription(r, user, event, seconds)
}

// takesDialogInfo: the phone can read our documents; one that does not say can
// (RFC 4235 section 3.5).
func takesDialogInfo(r *tx.Request) bool {
	if _, says := header.Value(r, "Accept"); !says {
		return true
	}
	for v := range header.List(r, "Accept") {
		kind, _, _ := strings.Cut(strings.ToLower(v), ";")
		switch strings.TrimSpace(kind) {
		case dialogInfoType, "application/*", "*/*":
			return true
		}
	}
	return false
}

// watcher finds out whose phone a SUBSCRIBE comes from: each has to prove it
// (RFC 6665 section 4.2.1.3), whatever its From says. Empty: it was answered.
func (s *Stack) watcher(r *tx.Request) string {
	b := s.book.Load()
	source := r.Flow.Remote.Addr()
	door := s.door(b, r.Flow)
	user, verdict := door.Check(r.Request, source, door.find)
	if verdict == auth.OK && b.lines[user] != nil {
		s.tx.Trust(source)
		return user
	}
	if verdict == auth.OK {
		verdict = auth.Wrong
	}
	s.o.Log.Debug().Str("source", r.Flow.Remote.String()).Str("user", user).Stringer("verdict", verdict).Msg("subscription refused")
	r.Send(door.Refuse(r.Request, source, verdict))
	return ""
}

// newSubscription begins one, and with it a dialog (RFC 6665 section 4.4.1).
func (s *Stack) newSubscription(r *tx.Request, user, event string, seconds uint32) {
	if s.draining.Load() {
		r.Refuse(sip.StatusServiceUnavailable, "Service Unavailable", sip.NewHeader("Retry-After", retryAfter))
		return
	}
	target := uriUser(&r.Recipient)
	name, ok := s.o.Lamps.Lamp(user, target)
	if !ok {
		r.Refuse(sip.StatusNotFound, "Not Found")
		return
	}
	d, err := dialog.FromInvite(r.Request, r.Tag, header.Contact(r.Request))
	if err != nil {
		r.Refuse(sip.StatusBadRequest, "Bad Request: Contact")
		return
	}
	host := r.Recipient.Host
	if host == "" { // a tel URI
		host = s.o.Domain
	}
	u := &subscription{
		s: s, tag: r.Tag, user: user, name: name, target: target, event: event, dlg: d, flow: r.Flow,
		entity: partyURI(Party{User: target, Host: host}, s.o.Domain),
		log:    s.o.Log.With().Str("call_id", d.CallID).Str("user", user).Str("watches", name).Logger(),
	}
	if code, reason, h := s.subs.add(u, &s.o.LampLimits); code != 0 {
		u.log.Warn().Stringer("source", r.Flow.Remote).Str("why", reason).Msg("subscription refused")
		r.Refuse(code, reason, h...)
		return
	}
	u.log.Debug().Uint32("expires", seconds).Msg("subscription")
	u.accept(r, seconds)
}

// resubscribe refreshes a subscription, or ends it (RFC 6665 section 4.2.1.4).
func (s *Stack) resubscribe(r *tx.Request, user, event string, seconds uint32) {
	tag, _ := r.From().Params.Get("tag")
	s.subs.mu.Lock()
	u := s.subs.byTag[r.Tag]
	known := u != nil && u.over == "" && u.user == user && u.event == event &&
		u.dlg.CallID == string(*r.CallID()) && u.dlg.RemoteTag == tag
	fresh := known && u.dlg.Sequence(r.CSeq().SeqNo)
	if fresh {
		u.dlg.Refresh(header.Contact(r.Request))
		s.subs.move(u, r.Flow)
	}
	s.subs.mu.Unlock()
	switch {
	case !known:
		r.Refuse(sip.StatusCallTransactionDoesNotExists, "Subscription Does Not Exist")
	case !fresh: // RFC 3261 section 12.2.2
		r.Refuse(sip.StatusInternalServerError, "Server Internal Error: CSeq")
	default:
		u.accept(r, seconds)
	}
}

// add lists a new subscription, or says how to refuse it. Of a user who has as
// many as they may, one for the same from the same phone gives way: the phone
// was switched off and has begun anew.
func (t *subscriptions) add(u *subscription, limits *LampLimits) (code int, reason string, h []sip.Header) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.byUser[u.user] >= limits.PerUser {
		for x := range t.byName[u.name] {
			if x.user == u.user && x.flow.Remote == u.flow.Remote {
				t.drop(x)
				break
			}
		}
	}
	switch {
	case t.closed, len(t.byTag) >= limits.Total:
		return sip.StatusServiceUnavailable, "Too Many Subscriptions", []sip.Header{sip.NewHeader("Retry-After", retryAfter)}
	case t.byUser[u.user] >= limits.PerUser:
		return sip.StatusForbidden, "Too Many Subscriptions of This User", nil
	}
	t.byTag[u.tag] = u
	t.byUser[u.user]++
	list(t.byName, u.name, u)
	t.move(u, u.flow)
	return 0, "", nil
}

// move notes the path to the phone. Under mu.
func (t *subscriptions) move(u *subscription, f edge.Flow) {
	unlist(t.byFlow, u.flow.ID, u)
	u.flow = f
	if f.Network != "udp" {
		list(t.byFlow, f.ID, u)
	}
}

// drop strikes a subscription off; nothing more is sent to it. Under mu.
func (t *subscriptions) drop(u *subscription) {
	if u.gone {
		return
	}
	u.gone = true
	for _, timer := range []*time.Timer{u.expiry, u.pause} {
		if timer != nil {
			timer.Stop()
		}
	}
	delete(t.byTag, u.tag)
	unlist(t.byName, u.name, u)
	unlist(t.byFlow, u.flow.ID, u)
	if t.byUser[u.user]--; t.byUser[u.user] == 0 {
		delete(t.byUser, u.user)
	}
}

// flowClosed drops the subscriptions of a connection that is gone.
func (t *subscriptions) flowClosed(id edge.FlowID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for u := range t.byFlow[id] {
		u.log.Debug().Msg("subscription over: connection closed")
		t.drop(u)
	}
}

func (t *subscriptions) len() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.byTag)
}

func list[K comparable](m map[K]map[*subscription]bool, k K, u *subscription) {
	if m[k] == nil {
		m[k] = map[*subscription]bool{}
	}
	m[k][u] = true
}

func unlist[K comparable](m map[K]map[*subscription]bool, k K, u *subscription) {
	if delete(m[k], u); len(m[k]) == 0 {
		delete(m, k)
	}
}
