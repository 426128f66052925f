package sip

import (
	"runtime/debug"
	"strconv"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/rs/zerolog"

	"centrala/sip/dialog"
	"centrala/sip/edge"
	"centrala/sip/header"
	"centrala/sip/tx"
)

// This file holds a subscription's life: what it is told, and when it ends.

// subscription is one phone's wish to know of the calls of somebody.
type subscription struct {
	s      *Stack
	log    zerolog.Logger
	tag    string // ours, by which it is found
	user   string // who watches
	name   string // whom, in the terms of Lamps
	target string // as the phone calls them
	entity string // the URI that was subscribed to
	event  string // for the Event header

	// The rest is guarded by s.subs.mu.
	dlg     *dialog.Dialog
	flow    edge.Flow
	until   time.Time
	expiry  *time.Timer // at until
	version uint32      // of the next document
	told    string      // the calls in the last one
	due     bool        // something may have changed since
	must    bool        // a NOTIFY is to be sent whether it has or not
	sending bool        // one is on its way: the next waits for its answer, so that they cannot overtake each other
	next    time.Time   // when the next may be sent
	pause   *time.Timer // until then; nil: nothing is planned
	over    string      // why it ends (RFC 6665 section 4.1.3); empty: it lives
	gone    bool        // struck off
}

// The reasons of a subscription's end.
const (
	overTimeout    = "timeout"    // it was not refreshed, or the phone wants no more
	overNoResource = "noresource" // whom it watches is no more
	overRejected   = "rejected"   // who watches is no user any more
)

// accept answers a SUBSCRIBE with 200 and has the state told at once (RFC 6665
// section 4.2.1.2), which is all that one for no time asks for.
func (u *subscription) accept(r *tx.Request, seconds uint32) {
	t := &u.s.subs
	span := time.Duration(seconds) * time.Second
	t.mu.Lock()
	defer t.mu.Unlock()
	res := r.Response(sip.StatusOK, "OK", sip.NewHeader("Expires", strconv.FormatUint(uint64(seconds), 10)), u.s.contact(u.target, u.flow))
	if err := r.Respond(res); err != nil {
		u.log.Debug().Err(err).Msg("answer not sent")
	}
	if u.gone {
		return
	}
	u.until = u.s.now().Add(span)
	if u.expiry == nil {
		u.expiry = time.AfterFunc(span, u.expire)
	} else {
		u.expiry.Reset(span)
	}
	if seconds == 0 {
		u.over = overTimeout
	}
	u.tell()
}

// expire ends a subscription that was not refreshed in time.
func (u *subscription) expire() {
	t := &u.s.subs
	t.mu.Lock()
	defer t.mu.Unlock()
	if u.gone || u.s.now().Before(u.until) {
		return
	}
	u.end(overTimeout)
}

// end has the phone told that it is over, and why. Under mu.
func (u *subscription) end(why string) {
	if u.over == "" {
		u.over = why
		u.tell()
	}
}

// tell has the state sent, changed or not. Under mu.
func (u *subscription) tell() {
	u.due, u.must = true, true
	u.plan()
}

// touch notes that something may have changed. Under mu.
func (u *subscription) touch() {
	if !u.due {
		u.due = true
		u.plan()
	}
}

// plan has report run as soon as the next NOTIFY may be sent. Under mu.
func (u *subscription) plan() {
	if !u.due || u.sending || u.gone {
		return
	}
	wait := max(u.next.Sub(u.s.now()), 0)
	if u.must {
		wait = 0
	}
	switch {
	case u.pause == nil:
		u.pause = time.AfterFunc(wait, u.report)
	case u.must:
		u.pause.Reset(0)
	}
}

// report looks at the state and sends it, if there is anything to tell.
func (u *subscription) report() {
	t := &u.s.subs
	defer func() {
		if p := recover(); p != nil {
			u.s.panics.Add(1)
			u.log.Error().Interface("panic", p).Bytes("stack", debug.Stack()).Msg("subscription ended by a fault")
			t.mu.Lock()
			defer t.mu.Unlock()
			t.drop(u)
		}
	}()
	t.mu.Lock()
	u.pause = nil
	if u.sending || !u.due || u.gone {
		t.mu.Unlock()
		return
	}
	must := u.must
	u.sending, u.due, u.must = true, false, false
	t.mu.Unlock()
	calls, there := u.s.o.Lamps.Calls(u.user, u.name)
	text := lampCalls(u.entity, u.s.o.Domain, calls)
	user := u.s.book.Load().lines[u.user] != nil

	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case u.gone:
		return
	case !user && u.over == "":
		u.over = overRejected
	case !there && u.over == "":
		u.over = overNoResource
	}
	if u.over == "" && !must && text == u.told {
		u.sending = false
		u.plan()
		return
	}
	u.notify(text)
}

// notify sends the state. Under mu.
func (u *subscription) notify(text string) {
	now := u.s.now()
	u.told, u.next = text, now.Add(u.s.o.LampLimits.Every)
	req := u.notification()
	if u.over != overRejected {
		req.AppendHeader(sip.NewHeader("Content-Type", dialogInfoType))
		req.SetBody(lampInfo(u.entity, u.version, text))
	}
	u.version++
	if u.over != "" {
		u.log.Debug().Str("why", u.over).Msg("subscription over")
		u.s.subs.drop(u)
	}
	u.s.subs.open[u] = u.s.tx.Send(req, u.flow, func(res *sip.Response, err error) {
		if err != nil || !res.IsProvisional() {
			u.answered(res, err)
		}
	})
}

// notification is a NOTIFY without a body. Under mu.
func (u *subscription) notification() *sip.Request {
	state := "terminated;reason=" + u.over
	if u.over == "" {
		left := max(u.until.Sub(u.s.now()), 0)
		state = "active;expires=" + strconv.Itoa(int(left.Round(time.Second).Seconds()))
	}
	req := u.dlg.Request(sip.NOTIFY, 0)
	req.AppendHeader(u.s.contact(u.target, u.flow))
	req.AppendHeader(sip.NewHeader("Event", u.event))
	req.AppendHeader(sip.NewHeader("Subscription-State", state))
	return req
}

// answered works on what a phone said to a NOTIFY. One that does not know the
// subscription, or says nothing at all, is not there any more (RFC 6665 section
// 4.2.2); one that asks for time gets it.
func (u *subscription) answered(res *sip.Response, err error) {
	t := &u.s.subs
	t.mu.Lock()
	defer t.mu.Unlock()
	u.sending = false
	delete(t.open, u)
	if u.gone {
		return
	}
	if err == nil && res.IsSuccess() {
		u.plan()
		return
	}
	if err == nil {
		if v, ok := header.Value(res, "Retry-After"); ok {
			u.told, u.due = "", true
			u.next = u.s.now().Add(time.Duration(min(header.DeltaSeconds(v), oneHour)) * time.Second)
			u.plan()
			return
		}
	}
	e := u.log.Debug().Err(err)
	if res != nil {
		e = e.Int("code", res.StatusCode)
	}
	e.Msg("subscription over: the phone takes no NOTIFY")
	t.drop(u)
}

// LampChanged has whoever watches one of the names told, if what they may see has
// changed. It does not wait: of many changes within a second each phone is told
// the last.
func (s *Stack) LampChanged(names ...string) {
	s.subs.mu.Lock()
	defer s.subs.mu.Unlock()
	for _, name := range names {
		for u := range s.subs.byName[name] {
			u.touch()
		}
	}
}

// LampsChanged is LampChanged for everything that is watched: who may see what
// may have changed.
func (s *Stack) LampsChanged() {
	s.subs.mu.Lock()
	defer s.subs.mu.Unlock()
	for _, u := range s.subs.byTag {
		u.touch()
	}
}

// Watched tells whether anybody watches anything.
func (s *Stack) Watched() bool { return s.subs.len() > 0 }

// endSubscriptions ends all of them, and has the phones ask again later. Each is
// told once, and nobody waits for what they say to that or to a NOTIFY before.
func (s *Stack) endSubscriptions() {
	t := &s.subs
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	for _, u := range t.byTag {
		u.over = "probation;retry-after=" + retryAfter
		if err := s.tx.SendAck(u.notification(), u.flow); err != nil {
			u.log.Debug().Err(err).Msg("end of the subscription not told")
		}
		t.drop(u)
	}
	for _, c := range t.open {
		c.Drop()
	}
}
