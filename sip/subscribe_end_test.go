package sip

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"centrala/sip/edge"
)

// Tests of how subscriptions end, and of what bounds them.

// A phone that knows nothing of the subscription, or refuses NOTIFYs, has none;
// one that asks for time keeps it. RFC 6665 section 4.2.2.
func TestWatch_NotifyRefused(t *testing.T) {
	for _, code := range []int{481, 403, 500, 408} {
		t.Run(sprintf("%d", code), func(t *testing.T) {
			s, lamps := watching(t, LampLimits{Every: time.Millisecond})
			p := newPeer(t, s.addr("udp"))
			w, _ := p.watch(t, "gone", "102", "")
			lamps.show(s, "102", LampCall{ID: "1"})
			w.send(w.reply(w.recv("NOTIFY"), code, "", "", ""))
			s.unwatched(t)
		})
	}
	s, lamps := watching(t, LampLimits{Every: time.Millisecond})
	p := newPeer(t, s.addr("udp"))
	w, _ := p.watch(t, "later", "102", "")
	lamps.show(s, "102", LampCall{ID: "1"})
	w.send(w.reply(w.recv("NOTIFY"), 503, "", "Retry-After: 0\r\n", ""))
	if i := readInfo(t, w.notified()); i.states() != "early" {
		t.Errorf("%+v", i)
	}
}

// A phone that says nothing at all, and one whose connection is gone.
func TestWatch_PhoneGoesAway(t *testing.T) {
	s, _ := watching(t, LampLimits{})
	p := newPeer(t, s.addr("udp"))
	p.watch(t, "silent", "102", "")
	s.subs.mu.Lock()
	var u *subscription
	for _, u = range s.subs.byTag {
	}
	s.subs.mu.Unlock()
	u.answered(nil, errors.New("no answer within 64*T1"))
	s.unwatched(t)

	c := newStream(t, s)
	r := request{method: "SUBSCRIBE", callID: "tcp", uri: "sip:102@pbx.test", extra: "Event: dialog\r\n"}
	c.write(c.request(r))
	r.seq, r.branch = 2, "z9hG4bKtcp2"
	r.extra += credentials(t, c.read(), "SUBSCRIBE", r.uri, "anna", "secret")
	c.write(c.request(r))
	ok := c.read()
	if !strings.HasPrefix(ok, "SIP/2.0 200") || !strings.Contains(field(ok, "Contact"), "transport=tcp") {
		t.Fatalf("got %s", ok)
	}
	n := c.read()
	if !strings.HasPrefix(n, "NOTIFY") {
		t.Fatalf("got %s", n)
	}
	if s.Stats().Watches != 1 {
		t.Error("no subscription")
	}
	_ = c.nc.Close()
	s.unwatched(t)
	s.idle(t)
}

// Whom one watches is taken out of the configuration, and so is who watches.
func TestWatch_ConfigurationChanges(t *testing.T) {
	s, lamps := watching(t, LampLimits{Every: time.Millisecond})
	p := newPeer(t, s.addr("udp"))
	w, _ := p.watch(t, "removed", "102", "")
	lamps.remove(s, "102")
	if got := field(w.notified(), "Subscription-State"); got != "terminated;reason=noresource" {
		t.Errorf("Subscription-State: %s", got)
	}
	w, _ = p.watch(t, "dismissed", "103", "")
	s.SetDirectory(Directory{Users: []User{{Name: "bartek", Password: "other"}}})
	n := w.notified()
	if got := field(n, "Subscription-State"); got != "terminated;reason=rejected" || field(n, "Content-Length") != "0" {
		t.Errorf("got %s", n)
	}
	s.unwatched(t)
}

// Limits: of one user, of all, and a phone that was switched off and on.
func TestWatch_Limits(t *testing.T) {
	s, _ := watching(t, LampLimits{PerUser: 2, Total: 3}, func(o *Options) {
		o.Directory.Users = append(o.Directory.Users, User{Name: "bartek", Password: "other"})
	})
	p := newPeer(t, s.addr("udp"))
	p.watch(t, "a1", "102", "")
	p.watch(t, "a2", "103", "")
	p.watch(t, "a3", "102", "") // instead of a1
	if n := s.Stats().Watches; n != 2 {
		t.Errorf("%d subscriptions", n)
	}
	q := newPeer(t, s.addr("udp")) // another phone of hers
	if got := q.ask(t, request{callID: "a4", seq: 1}, "anna", "secret"); !strings.HasPrefix(got, "SIP/2.0 403") {
		t.Errorf("over the user's limit: %s", got)
	}
	if got := q.ask(t, request{callID: "b1", seq: 1}, "bartek", "other"); !strings.HasPrefix(got, "SIP/2.0 200") {
		t.Errorf("another user: %s", got)
	}
	q.send(q.reply(q.recv("NOTIFY"), 200, "", "", ""))
	if got := q.ask(t, request{callID: "b2", seq: 1}, "bartek", "other"); !strings.HasPrefix(got, "SIP/2.0 503") || field(got, "Retry-After") == "" {
		t.Errorf("over the limit of all: %s", got)
	}
}

// A subscription is refreshed by whoever made it, in its dialog and in order.
func TestWatch_RefreshIsChecked(t *testing.T) {
	s, _ := watching(t, LampLimits{}, func(o *Options) {
		o.Directory.Users = append(o.Directory.Users, User{Name: "bartek", Password: "other"})
	})
	p := newPeer(t, s.addr("udp"))
	w, _ := p.watch(t, "mine", "102", "")
	for name, c := range map[string]struct {
		change         func(*request)
		user, password string
		want           string
	}{
		"somebody else":      {func(*request) {}, "bartek", "other", "SIP/2.0 481"},
		"another event id":   {func(r *request) { r.extra = "Event: dialog;id=9\r\n" }, "anna", "secret", "SIP/2.0 481"},
		"another call":       {func(r *request) { r.callID = "other" }, "anna", "secret", "SIP/2.0 481"},
		"a number of before": {func(r *request) { r.seq = 0 }, "anna", "secret", "SIP/2.0 500"},
	} {
		r := w.req
		c.change(&r)
		if got := p.ask(t, r, c.user, c.password); !strings.HasPrefix(got, c.want) {
			t.Errorf("%s: %s", name, got)
		}
	}
	if s.Stats().Watches != 1 {
		t.Error("the subscription is gone")
	}
}

// NOTIFYs go where the SUBSCRIBE came from last, whatever Contact says.
func TestWatch_FollowsThePhone(t *testing.T) {
	s, lamps := watching(t, LampLimits{Every: time.Millisecond})
	p := newPeer(t, s.addr("udp"))
	w, _ := p.watch(t, "nat", "102", "")
	w.peer = newPeer(t, s.addr("udp")) // the NAT has given it another port
	if got := w.again(""); !strings.HasPrefix(got, "SIP/2.0 200") {
		t.Fatal(got)
	}
	w.notified()
	lamps.show(s, "102", LampCall{ID: "1"})
	if i := readInfo(t, w.notified()); i.states() != "early" {
		t.Errorf("%+v", i)
	}
}

// At the end phones are told to ask again; while draining, to come later.
func TestWatch_Shutdown(t *testing.T) {
	s, _ := watching(t, LampLimits{})
	p := newPeer(t, s.addr("udp"))
	w, _ := p.watch(t, "shutdown", "102", "")
	s.Drain()
	if got := p.ask(t, request{callID: "late", seq: 1}, "anna", "secret"); !strings.HasPrefix(got, "SIP/2.0 503") {
		t.Errorf("while draining: %s", got)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := s.Close(ctx); err != nil {
		t.Error(err)
	}
	if got := field(w.recv("NOTIFY"), "Subscription-State"); got != "terminated;reason=probation;retry-after=5" {
		t.Errorf("Subscription-State: %s", got)
	}
	s.unwatched(t)
}

// The end does not wait for a phone that says nothing any more.
func TestWatch_ShutdownWithDeadPhones(t *testing.T) {
	s, lamps := watching(t, LampLimits{Every: time.Millisecond})
	p := newPeer(t, s.addr("udp"))
	p.watch(t, "dead1", "102", "")
	p.watch(t, "dead2", "103", "")
	lamps.show(s, "102", LampCall{ID: "1"})
	p.recv("NOTIFY")
	lamps.remove(s, "103")
	p.recv("NOTIFY")
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := s.Close(ctx); err != nil || ctx.Err() != nil {
		t.Error(err, ctx.Err())
	}
	if n := len(s.subs.open); n != 0 {
		t.Errorf("%d NOTIFYs open", n)
	}
}

// A fault in what is shown costs the subscription and nothing else.
func TestWatch_Fault(t *testing.T) {
	s, lamps := watching(t, LampLimits{Every: time.Millisecond})
	p := newPeer(t, s.addr("udp"))
	p.watch(t, "fault", "102", "")
	lamps.mu.Lock()
	lamps.fault = true
	lamps.mu.Unlock()
	s.LampsChanged()
	s.unwatched(t)
	if s.Stats().Panics != 1 {
		t.Errorf("%d panics", s.Stats().Panics)
	}
}

// Many phones come, go and change at once, for the race detector.
func TestWatch_ManyAtOnce(t *testing.T) {
	s, lamps := watching(t, LampLimits{Every: time.Millisecond}, func(o *Options) {
		o.Source, o.Strange = edge.Rate{PerSecond: 1e6, Burst: 1e6}, edge.Rate{PerSecond: 1e6, Burst: 1e6}
	})
	var all sync.WaitGroup
	for i := range 8 {
		p := newPeer(t, s.addr("udp"))
		all.Go(func() {
			for k := range 5 {
				r := request{callID: sprintf("many-%d-%d", i, k), seq: 1}
				if got := p.ask(t, r, "anna", "secret"); !strings.HasPrefix(got, "SIP/2.0 200") {
					t.Errorf("got %s", got)
					return
				}
				for range 3 {
					n := p.recv("NOTIFY")
					p.send(p.reply(n, 200, "", "", ""))
					lamps.show(s, "102", LampCall{ID: sprintf("%d-%d-%s", i, k, field(n, "CSeq"))})
				}
				for {
					n := p.recv("NOTIFY")
					p.send(p.reply(n, 481, "", "", ""))
					if field(n, "Call-ID") == r.callID {
						break
					}
				}
			}
		})
	}
	all.Wait()
	s.unwatched(t)
}
