package hub_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"centrala/chat"
	"centrala/chat/hub"
)

// fetchedConnector is one whose customers fetch what is written to them.
type fetchedConnector struct{ *fakeConnector }

func (fetchedConnector) Fetched() {}

// What customers fetch is there once it is kept: nothing of it waits to be sent, whoever wrote it, and nobody
// is asked to send it.
func TestFetched(t *testing.T) {
	r := newRig(t)
	r.hub.Stop()
	var connector chat.Connector = fetchedConnector{r.connector}
	h := hub.New(hub.Options{
		Store: r.store, Core: r.core, Log: zerolog.Nop(),
		Connector: func(string) chat.Connector { return connector }, Text: func(string, chat.Notice) string { return "welcome" },
	})
	if err := h.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer h.Stop()
	r.hub = h
	r.receive("1", fakeEvent{Customer: "jan", ID: "m1", Text: "hello"})
	list := r.messages(1, 2)
	s := r.open()
	say := func(kind chat.Kind, id string) chat.Message {
		t.Helper()
		m, err := h.Say(t.Context(), chat.Draft{Session: s.ID, Author: chat.ByAgent, Name: "anna", Kind: kind, Client: id, Text: "hi"}, string(s.ID))
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	if m := say(chat.KindText, "a1"); m.Status != chat.StatusSent || list[1].Status != chat.StatusSent {
		t.Errorf("%+v and %+v are not there", m, list[1])
	}
	say(chat.KindNote, "n1")
	if out, err := r.store.Outbox(t.Context(), 10); err != nil || len(out) > 0 {
		t.Errorf("%+v waits, %v", out, err)
	}
	r.connector.mu.Lock()
	defer r.connector.mu.Unlock()
	if len(r.connector.sent) > 0 {
		t.Errorf("sent %q", r.connector.sent)
	}
}

// Of many that wait in many conversations all go out, those of each conversation in order and each once, also
// those that come meanwhile, and those that are put off.
func TestCourier_Many(t *testing.T) {
	r := newRig(t)
	const customers, messages = 270, 3 // more conversations than are found at once
	r.connector.mu.Lock()
	r.connector.keys = true
	r.connector.errs = []error{&chat.SendError{Reason: "later", After: time.Millisecond}, nil, &chat.SendError{Reason: "later"}}
	r.connector.mu.Unlock()
	of := func(c int) int { return 1 + messages*max(0, 5-c)/5 } // the first few are sent more
	total := 0
	var all sync.WaitGroup
	for c := range customers {
		total += of(c)
		all.Go(func() {
			x, err := r.store.Take(t.Context(), chat.Incoming{Channel: "website", Customer: fmt.Sprint(c), External: fmt.Sprint(c), Text: "hello"})
			if err == nil {
				err = r.core.Arrived(t.Context(), x.Session)
			}
			for m := range of(c) {
				d := chat.Draft{Session: x.Session.ID, Author: chat.ByAgent, Name: "anna", Kind: chat.KindText, Client: fmt.Sprint(m), Text: fmt.Sprint(c, " ", m)}
				if err == nil {
					_, err = r.hub.Say(t.Context(), d, string(x.Session.ID))
				}
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	arrived := func() (list []string) {
		r.connector.mu.Lock()
		defer r.connector.mu.Unlock()
		return append(list, r.connector.sent...)
	}
	for deadline := time.After(2 * time.Minute); len(arrived()) < total+2; { // two were tried again
		select {
		case <-r.connector.more:
		case <-deadline:
			t.Fatalf("%d of %d went out", len(arrived()), total+2)
		}
	}
	next, twice := make([]int, customers), 0
	for _, text := range arrived() {
		var c, m int
		if _, err := fmt.Sscan(text, &c, &m); err != nil {
			t.Fatal(text, err)
		}
		switch m {
		case next[c]:
			next[c]++
		case next[c] - 1:
			twice++
		default:
			t.Errorf("customer %d was sent %d where %d was to come", c, m, next[c])
		}
	}
	if twice != 2 {
		t.Errorf("%d were sent again, not those 2 that failed", twice)
	}
}

// heldConnector is one whose other side does not answer until it is let.
type heldConnector struct {
	*fakeConnector
	held chan struct{} // one for each attempt
	let  chan struct{} // closed: it answers
}

func (c heldConnector) Send(ctx context.Context, o chat.Outgoing) ([]string, error) {
	c.held <- struct{}{}
	select {
	case <-c.let:
		return c.fakeConnector.Send(ctx, o)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// A channel whose other side does not answer holds up no other, however much waits in it; nor is any of that
// lost once it answers.
func TestCourier_OneChannelHoldsUpNoOther(t *testing.T) {
	r := newRig(t)
	r.hub.Stop()
	const waiting = 300 // more than are found at once
	stuck := heldConnector{&fakeConnector{more: make(chan struct{}, 1), keys: true}, make(chan struct{}, waiting), make(chan struct{})}
	say := func(h *hub.Hub, channel, customer string) {
		t.Helper()
		x, err := r.store.Take(t.Context(), chat.Incoming{Channel: channel, Customer: customer, External: customer, Text: "hello"})
		if err == nil {
			err = r.core.Arrived(t.Context(), x.Session)
		}
		if err == nil {
			d := chat.Draft{Session: x.Session.ID, Author: chat.ByAgent, Name: "anna", Kind: chat.KindText, Client: "1", Text: customer}
			_, err = h.Say(t.Context(), d, string(x.Session.ID))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	r.hub = hub.New(hub.Options{
		Store: r.store, Core: r.core, Log: zerolog.Nop(), Text: func(string, chat.Notice) string { return "" },
		Connector: func(channel string) chat.Connector {
			if channel == "stuck" {
				return stuck
			}
			return r.connector
		},
	})
	t.Cleanup(r.hub.Stop)
	for c := range waiting {
		say(r.hub, "stuck", fmt.Sprint(c))
	}
	if err := r.hub.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 16 { // all that are tried at a time
		<-stuck.held
	}
	say(r.hub, "website", "jan")
	if got := r.connector.await(t, 1); got[0] != "jan" {
		t.Errorf("sent %q", got)
	}
	close(stuck.let)
	for range waiting - 16 {
		<-stuck.held
	}
}
