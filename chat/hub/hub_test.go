package hub_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"centrala/chat"
	"centrala/chat/hub"
	"centrala/chat/store"
	"centrala/internal/journal/db/dbtest"
)

// fakeCore notes what it is told, and knows which sessions are open.
type fakeCore struct {
	mu   sync.Mutex
	told []string
	open map[chat.SessionID]bool
	by   string // who wrote last beside the agent
	fail int    // so many of the next tellings fail
	more chan struct{}
	asks func(chat.SessionID) // when a session arrived; nil: nothing
}

func (f *fakeCore) tell(what, leg string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fail > 0 {
		f.fail--
		return errors.New("the log is away")
	}
	id := chat.SessionID(leg)
	switch what {
	case "arrived":
		if f.open[id] {
			return nil
		}
		f.open[id] = true
	case "written":
		if !f.open[id] {
			return hub.ErrOver
		}
	case "ended":
		delete(f.open, id)
	}
	f.told = append(f.told, what)
	select {
	case f.more <- struct{}{}:
	default:
	}
	return nil
}

func (f *fakeCore) Arrived(_ context.Context, s chat.Session) error {
	if f.asks != nil {
		f.asks(s.ID)
	}
	return f.tell("arrived", string(s.ID))
}
func (f *fakeCore) Written(_ context.Context, leg, by string) error {
	f.mu.Lock()
	f.by = by
	f.mu.Unlock()
	return f.tell("written", leg)
}
func (f *fakeCore) Closed(_ context.Context, leg string) error { return f.tell("closed", leg) }
func (f *fakeCore) Ended(_ context.Context, leg string) error  { return f.tell("ended", leg) }
func (f *fakeCore) Underway() []chat.SessionID {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []chat.SessionID
	for id := range f.open {
		out = append(out, id)
	}
	return out
}

// wantBy wants the last message to have been by this one, beside the agent; empty: by whose leg it was.
func (f *fakeCore) wantBy(t *testing.T, by string) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.by != by {
		t.Errorf("the last message was told as by %q, want %q", f.by, by)
	}
}

// await waits until it was told all of these, in any order but of the same kind.
func (f *fakeCore) await(t *testing.T, what string, n int) {
	t.Helper()
	for deadline := time.After(20 * time.Second); ; {
		f.mu.Lock()
		got := 0
		for _, x := range f.told {
			if x == what {
				got++
			}
		}
		f.mu.Unlock()
		if got >= n {
			return
		}
		select {
		case <-f.more:
		case <-deadline:
			t.Fatalf("told %v, want %d %s", f.told, n, what)
		}
	}
}

// fakeConnector reads JSON of its own and sends into a list.
type fakeConnector struct {
	mu   sync.Mutex
	sent []string
	keys bool
	errs []error // of the next attempts
	more chan struct{}
}

type fakeEvent struct{ Customer, ID, Text, Report, Closed string }

func (f *fakeConnector) Read(body []byte) (h chat.Happening, err error) {
	var e fakeEvent
	if err := json.Unmarshal(body, &e); err != nil {
		return h, err
	}
	h.Customer = e.Customer
	switch {
	case e.Closed != "":
		h.Closed = true
	case e.Report != "":
		h.Status = &chat.Report{External: e.ID, Status: chat.Status(e.Report)}
	default:
		h.Message = &chat.Incoming{Customer: e.Customer, External: e.ID, Text: e.Text}
	}
	return h, nil
}

func (f *fakeConnector) Key(o chat.Outgoing) string {
	if !f.keys {
		return ""
	}
	return fmt.Sprint(o.Message.Conversation, "-", o.Message.Seq)
}

func (f *fakeConnector) Send(_ context.Context, o chat.Outgoing) ([]string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sent = append(f.sent, o.Message.Text)
	select {
	case f.more <- struct{}{}:
	default:
	}
	if len(f.errs) > 0 {
		err := f.errs[0]
		f.errs = f.errs[1:]
		return nil, err
	}
	return []string{"x" + o.Message.Text}, nil
}

func (f *fakeConnector) await(t *testing.T, n int) []string {
	t.Helper()
	for deadline := time.After(20 * time.Second); ; {
		f.mu.Lock()
		sent := slices.Clone(f.sent)
		f.mu.Unlock()
		if len(sent) >= n {
			return sent
		}
		select {
		case <-f.more:
		case <-deadline:
			t.Fatalf("sent %v, want %d", sent, n)
		}
	}
}

type rig struct {
	t         *testing.T
	store     *store.Store
	core      *fakeCore
	connector *fakeConnector
	hub       *hub.Hub
}

func newRig(t *testing.T) *rig {
	r := &rig{
		t:         t,
		store:     store.New(store.Options{DB: dbtest.Open(t, dbtest.SQLite(t)), Dir: t.TempDir(), Log: zerolog.Nop()}),
		core:      &fakeCore{open: map[chat.SessionID]bool{}, more: make(chan struct{}, 1)},
		connector: &fakeConnector{more: make(chan struct{}, 1)},
	}
	r.begin()
	return r
}

// begin starts a hub, as the server does; it ends with the test or with restart.
func (r *rig) begin() {
	r.hub = hub.New(hub.Options{
		Store: r.store, Core: r.core, Log: zerolog.Nop(),
		Connector: func(channel string) chat.Connector {
			if channel != "website" {
				return nil
			}
			return r.connector
		},
		Text: func(_ string, n chat.Notice) string {
			if n == "silent" {
				return ""
			}
			return "text " + string(n)
		},
	})
	r.t.Cleanup(r.hub.Stop)
	var err error
	for range 10 { // the log may be away, and the server tries again
		if err = r.hub.Start(r.t.Context()); err == nil {
			return
		}
	}
	r.t.Fatal(err)
}

func (r *rig) restart() {
	r.hub.Stop()
	r.begin()
}

func (r *rig) receive(event string, e fakeEvent) {
	r.t.Helper()
	body, err := json.Marshal(e)
	if err == nil {
		err = r.hub.Receive(r.t.Context(), "website", event, body)
	}
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) open() chat.Session {
	r.t.Helper()
	s, err := r.store.OpenOf(r.t.Context(), "website", "jan")
	if err != nil {
		r.t.Fatal(err)
	}
	return s
}

// texts are those of the conversation, once there are n of them.
func (r *rig) messages(conversation int64, n int) []chat.Message {
	r.t.Helper()
	for {
		changed := r.hub.Changed(conversation)
		list, err := r.store.After(r.t.Context(), conversation, 0, store.PageMax)
		if err != nil {
			r.t.Fatal(err)
		}
		if len(list) >= n {
			return list
		}
		select {
		case <-changed:
		case <-time.After(20 * time.Second):
			r.t.Fatalf("%d messages, want %d", len(list), n)
		}
	}
}

// await waits until a message has the status.
func (r *rig) await(conversation, seq int64, want chat.Status) chat.Message {
	r.t.Helper()
	for {
		changed := r.hub.Changed(conversation)
		list, err := r.store.After(r.t.Context(), conversation, seq-1, 1)
		if err != nil {
			r.t.Fatal(err)
		}
		if list[0].Status == want {
			return list[0]
		}
		select {
		case <-changed:
		case <-time.After(20 * time.Second):
			r.t.Fatalf("%+v, want %s", list[0], want)
		}
	}
}

func (r *rig) say(id string) chat.Message {
	r.t.Helper()
	s := r.open()
	m, err := r.hub.Say(r.t.Context(), chat.Draft{Session: s.ID, Author: chat.ByAgent, Name: "anna", Kind: chat.KindText, Client: id, Text: id}, string(s.ID))
	if err != nil {
		r.t.Fatal(err)
	}
	return m
}

// The greeting comes before what the core has to say at once, that nobody can answer (R27, R64).
func TestChat_GreetedFirst(t *testing.T) {
	r := newRig(t)
	r.core.asks = func(id chat.SessionID) {
		r.hub.Tell(id, "1.1", "nobody")
		r.connector.await(t, 1) // it is faster than whoever told the core
	}
	r.receive("w1", fakeEvent{Customer: "jan", ID: "m1", Text: "hello"})
	r.core.await(t, "arrived", 1)
	if got := r.connector.await(t, 2); !slices.Equal(got, []string{"text first", "text nobody"}) {
		t.Errorf("sent %q", got)
	}
}

// A chat begins, is greeted (R64), goes on, is answered, and closed with a text (R65).
func TestChat(t *testing.T) {
	r := newRig(t)
	r.receive("w1", fakeEvent{Customer: "jan", ID: "m1", Text: "hello"})
	r.core.await(t, "arrived", 1)
	r.connector.await(t, 1)
	r.receive("w2", fakeEvent{Customer: "jan", ID: "m2", Text: "anybody?"})
	r.core.await(t, "written", 1)
	r.core.wantBy(t, "")
	m := r.say("hi")
	r.core.wantBy(t, "anna") // the leg is the session's own: she writes beside who has it
	r.await(m.Conversation, m.Seq, chat.StatusSent)
	r.receive("w3", fakeEvent{ID: "xhi", Report: "read"})
	s := r.open()
	r.hub.Tell(s.ID, "1.1", "ended")
	r.hub.Tell(s.ID, "1.1", "ended") // issued again
	r.hub.Tell(s.ID, "1.2", "silent")
	r.hub.End(s.ID)
	r.hub.End(s.ID)
	r.core.await(t, "ended", 2)
	if got := r.connector.await(t, 3); !slices.Equal(got, []string{"text first", "hi", "text ended"}) {
		t.Errorf("sent %q", got)
	}
	if got, err := r.store.Session(t.Context(), s.ID); err != nil || got.Closed.IsZero() {
		t.Errorf("%+v, %v", got, err)
	}
	if n := len(r.messages(s.Conversation, 5)); n != 5 {
		t.Errorf("%d messages", n)
	}
}

func TestReceive_Refuses(t *testing.T) {
	r := newRig(t)
	if err := r.hub.Receive(t.Context(), "other", "w1", []byte("{}")); !errors.Is(err, hub.ErrChannel) {
		t.Errorf("a channel without a connector: %v", err)
	}
	if err := r.hub.Receive(t.Context(), "website", "w1", []byte("{")); !errors.Is(err, hub.ErrUnread) {
		t.Errorf("what cannot be read: %v", err)
	}
	early := hub.New(hub.Options{Store: r.store, Core: r.core, Log: zerolog.Nop(), Connector: func(string) chat.Connector { return r.connector }})
	defer early.Stop()
	if err := early.Receive(t.Context(), "website", "w1", []byte("{}")); !errors.Is(err, hub.ErrEarly) {
		t.Errorf("before what was left was taken up: %v", err)
	}
	// What was kept and is nothing after all holds up nobody.
	r.receive("w2", fakeEvent{Customer: "jan", ID: "m1", Text: " "})
	r.receive("w3", fakeEvent{Customer: "jan", Closed: "yes"})
	r.receive("w4", fakeEvent{Customer: "jan", ID: "m2", Text: "hello"})
	r.core.await(t, "arrived", 1)
	r.receive("w5", fakeEvent{Customer: "jan", Closed: "yes"})
	r.core.await(t, "closed", 1)
}

// What was kept is dealt with after a restart, though the log was away; open chats
// go on, and what was closed without the core's knowledge is told (DESIGN section 4).
func TestStart_TakesUpWhatWasLeft(t *testing.T) {
	r := newRig(t)
	r.core.fail = 1000
	r.receive("w1", fakeEvent{Customer: "jan", ID: "m1", Text: "hello"})
	r.receive("w2", fakeEvent{Customer: "jan", ID: "m2", Text: "anybody?"})
	r.hub.Stop()
	r.core.mu.Lock()
	r.core.fail = 0
	r.core.open["chat-gone"] = true
	r.core.mu.Unlock()
	r.begin()
	r.core.await(t, "arrived", 1)
	r.core.await(t, "written", 1)
	r.core.await(t, "ended", 1)
	if n := len(r.messages(r.open().Conversation, 3)); n != 3 {
		t.Errorf("%d messages, want two and a greeting", n)
	}
	r.core.mu.Lock() // the log lost its tail
	clear(r.core.open)
	r.core.mu.Unlock()
	r.restart()
	r.core.await(t, "arrived", 2)
}

// What a customer writes after the core ended the session, and before that was
// closed, is not lost: it begins another.
func TestTake_IntoWhatIsOver(t *testing.T) {
	r := newRig(t)
	r.receive("w1", fakeEvent{Customer: "jan", ID: "m1", Text: "hello"})
	r.core.await(t, "arrived", 1)
	first := r.open()
	r.core.mu.Lock()
	delete(r.core.open, first.ID)
	r.core.mu.Unlock()
	r.receive("w2", fakeEvent{Customer: "jan", ID: "m2", Text: "one more thing"})
	r.core.await(t, "arrived", 2)
	r.hub.End(first.ID)
	r.core.await(t, "ended", 1)
	if s := r.open(); s.ID == first.ID || s.First == 1 {
		t.Errorf("%+v", s)
	}
}

func TestCourier_RetriesAndGivesUp(t *testing.T) {
	r := newRig(t)
	r.receive("w1", fakeEvent{Customer: "jan", ID: "m1", Text: "hello"})
	r.connector.await(t, 1)
	r.connector.mu.Lock()
	r.connector.errs = []error{errors.New("no route"), &chat.SendError{Reason: "blocked", Permanent: true}}
	r.connector.mu.Unlock()
	first := r.say("a1")
	second := r.say("a2") // waits for the first
	if m := r.await(first.Conversation, first.Seq, chat.StatusFailed); m.Reason != "blocked" {
		t.Errorf("%+v", m)
	}
	r.await(second.Conversation, second.Seq, chat.StatusSent)
	if got := r.connector.await(t, 4); !slices.Equal(got, []string{"text first", "a1", "a1", "a2"}) {
		t.Errorf("sent %q", got)
	}
}

// An attempt that the server's end cut off is made again only where the other side
// knows messages by our key.
func TestCourier_NeverSendsTwice(t *testing.T) {
	for _, keys := range []bool{false, true} {
		t.Run(fmt.Sprint(keys), func(t *testing.T) {
			r := newRig(t)
			r.receive("w1", fakeEvent{Customer: "jan", ID: "m1", Text: "hello"})
			r.connector.await(t, 1)
			s := r.open()
			r.await(s.Conversation, 2, chat.StatusSent)
			r.hub.Stop()
			m, _, err := r.store.Write(t.Context(), chat.Draft{Session: s.ID, Author: chat.ByAgent, Kind: chat.KindText, Client: "a1", Text: "a1"})
			if err != nil {
				t.Fatal(err)
			}
			out, err := r.store.Outbox(t.Context(), 100)
			if err != nil {
				t.Fatal(err)
			}
			if err := r.store.Trying(t.Context(), out[0], ""); err != nil {
				t.Fatal(err)
			}
			r.connector.keys = keys
			r.begin()
			if keys {
				r.await(m.Conversation, m.Seq, chat.StatusSent)
			} else {
				r.await(m.Conversation, m.Seq, chat.StatusFailed)
			}
			if n := len(r.connector.await(t, 1)); n != map[bool]int{false: 1, true: 2}[keys] {
				t.Errorf("%d were sent", n)
			}
		})
	}
}

// Events come more than once, by several ways at once, while the hub is stopped and
// started and the log fails: each customer's messages are there once, in the order
// in which they were acknowledged (P8).
func TestDuplicatesAndRestarts(t *testing.T) {
	r := newRig(t)
	const customers, messages = 4, 20
	var wg sync.WaitGroup
	var mu sync.RWMutex // of r.hub
	for c := range customers {
		wg.Go(func() {
			rnd := rand.New(rand.NewPCG(3, uint64(c)))
			for m := range messages {
				body, _ := json.Marshal(fakeEvent{Customer: fmt.Sprint("c", c), ID: fmt.Sprint(c, "-", m), Text: fmt.Sprint(m)})
				for n := range 1 + rnd.IntN(3) {
					event := fmt.Sprint(c, "-", m)
					if n == 2 {
						event += "again" // another event with the same message
					}
					mu.RLock()
					err := r.hub.Receive(t.Context(), "website", event, body)
					mu.RUnlock()
					if err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	for range 5 {
		r.core.mu.Lock()
		r.core.fail = 3
		r.core.mu.Unlock()
		mu.Lock()
		r.restart()
		mu.Unlock()
	}
	wg.Wait()
	r.core.await(t, "arrived", customers)
	for c := range customers {
		var got []string
		for len(got) < messages {
			got = nil
			conversation, err := r.store.ConversationOf(t.Context(), "website", fmt.Sprint("c", c))
			if err != nil {
				t.Fatal(err)
			}
			changed := r.hub.Changed(conversation.ID)
			list, err := r.store.After(t.Context(), conversation.ID, 0, store.PageMax)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range list {
				if m.Author == chat.ByCustomer {
					got = append(got, m.Text)
				}
			}
			if len(got) < messages {
				<-changed
			}
		}
		for m, text := range got {
			if text != fmt.Sprint(m) {
				t.Fatalf("customer %d: %q", c, got)
			}
		}
	}
}

// Who watches conversations is told of changes in those that were set last, and of no others; several
// at once are one word.
func TestWatch(t *testing.T) {
	r := newRig(t)
	changed, set, stop := r.hub.Watch()
	defer stop()
	told := func(want bool, touched ...int64) {
		t.Helper()
		for _, c := range touched {
			r.hub.Touch(c)
		}
		got := false
		select {
		case <-changed:
			got = true
		default:
		}
		if got != want {
			t.Errorf("after changes of %v: told %v", touched, got)
		}
	}
	told(false, 1)
	set([]int64{1, 2})
	told(true, 1, 2, 2)
	told(false, 3)
	set([]int64{2, 3})
	told(false, 1)
	told(true, 3)
	stop()
	told(false, 2, 3)
}

// However many conversations are looked at, those that are remembered for who watches them
// do not become more and more: whoever watches is woken for once in vain.
func TestChanged_IsNotKeptForEver(t *testing.T) {
	h := hub.New(hub.Options{})
	defer h.Stop()
	first := h.Changed(1)
	for c := int64(2); c < 100_000; c++ {
		h.Changed(c)
	}
	select {
	case <-first:
	default:
		t.Error("100,000 conversations are remembered")
	}
}
