package bot_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"

	"centrala/chat"
	"centrala/chat/bot"
	"centrala/chat/hub"
	"centrala/chat/partner"
	"centrala/chat/store"
	"centrala/internal/journal/db"
	"centrala/internal/journal/db/dbtest"
)

const (
	secret   = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
	patience = time.Minute
)

// A menu, asked again and again: what was chosen, what was not understood, and the end of it.
func TestMenu(t *testing.T) {
	m := bot.Menu{Menus: map[string]bot.Page{
		"start":  {Text: "Hi", Choices: []bot.Choice{{Label: "Hours", Text: "8 to 18"}, {Label: "Orders", Menu: "orders"}, {Label: "Bye", Text: "Good-bye", Close: true}}},
		"orders": {Text: "Which?", Choices: []bot.Choice{{Label: "New", HandOver: true, To: "channel:shop"}, {Label: "Back", Menu: "start"}}},
	}}
	first, second := []string{"Hours", "Orders", "Bye"}, []string{"New", "Back"}
	start, orders := "Hi\n1. Hours\n2. Orders\n3. Bye", "Which?\n1. New\n2. Back"
	for _, x := range []struct {
		state, text string
		want        chat.Reply
	}{
		{"", "2", chat.Reply{Texts: []string{start}, Choices: first, State: "start 0"}},
		{"start 0", " 1. ", chat.Reply{Texts: []string{"8 to 18", start}, Choices: first, State: "start 0"}},
		{"start 1", "ORDERS", chat.Reply{Texts: []string{orders}, Choices: second, State: "orders 0"}},
		{"start 0", "help", chat.Reply{Texts: []string{start}, Choices: first, State: "start 1"}},
		{"start 2", "0", chat.Reply{HandOver: true}},
		{"start 0", "3", chat.Reply{Texts: []string{"Good-bye"}, Close: true}},
		{"orders 0", "1", chat.Reply{HandOver: true, To: "channel:shop"}},
		{"orders 0", "2", chat.Reply{Texts: []string{start}, Choices: first, State: "start 0"}},
		{"gone 0", "1", chat.Reply{HandOver: true}},
	} {
		got, err := m.Answer(t.Context(), chat.Asked{State: x.state, Message: chat.Message{Text: x.text}})
		if diff := cmp.Diff(x.want, got); diff != "" || err != nil {
			t.Errorf("%q in %q: %v %s", x.text, x.state, err, diff)
		}
	}
	// A label that is a number is what it says, and not the choice in that place: it is what its button sends.
	rooms := bot.Menu{Menus: map[string]bot.Page{"start": {Choices: []bot.Choice{{Label: "2", To: "two", HandOver: true}, {Label: "3", To: "three", HandOver: true}}}}}
	for text, to := range map[string]string{"1": "two", "2": "two", "3": "three"} {
		if got, err := rooms.Answer(t.Context(), chat.Asked{State: "start 0", Message: chat.Message{Text: text}}); got.To != to || err != nil {
			t.Errorf("%q of 2 and 3 is %+v, %v", text, got, err)
		}
	}
	if got, err := (bot.Menu{}).Answer(t.Context(), chat.Asked{}); !got.HandOver || err != nil {
		t.Errorf("without menus: %+v, %v", got, err)
	}
}

// core notes what it is told, and which sessions it has.
type core struct {
	mu   sync.Mutex
	told []string
	has  map[string]bool
	fail int
}

func (c *core) tell(what, leg string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fail > 0 {
		c.fail--
		return errors.New("the log is away")
	}
	if what == "written" && !c.has[leg] {
		return hub.ErrOver
	}
	if strings.HasPrefix(what, "arrived") {
		if c.has[leg] {
			return nil
		}
		c.has[leg] = true
	}
	c.told = append(c.told, what)
	return nil
}

func (c *core) Arrived(_ context.Context, s chat.Session) error {
	return c.tell(fmt.Sprintf("arrived %s%s", s.Bot.ToChannel, s.Bot.ToAgent), string(s.ID))
}
func (c *core) Written(_ context.Context, leg, _ string) error { return c.tell("written", leg) }
func (c *core) Closed(_ context.Context, leg string) error     { return c.tell("closed", leg) }
func (c *core) Ended(_ context.Context, leg string) error      { return c.tell("ended", leg) }
func (*core) Underway() []chat.SessionID                       { return nil }

func (c *core) list() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.told)
}

// wire is a connector whose other side always takes what is sent.
type wire struct {
	mu   sync.Mutex
	sent []string
}

func (*wire) Read(body []byte) (h chat.Happening, err error) {
	customer, text, _ := strings.Cut(string(body), " ")
	h.Customer = customer
	if text == "closed" {
		h.Closed = true
		return h, nil
	}
	h.Message = &chat.Incoming{Customer: customer, External: string(body), Text: text}
	return h, nil
}
func (*wire) Key(chat.Outgoing) string { return "" }
func (w *wire) Send(_ context.Context, o chat.Outgoing) ([]string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sent = append(w.sent, o.Message.Text)
	return nil, nil
}

// rig is a hub whose channel has a bot that is a program.
type rig struct {
	t       *testing.T
	db      *db.DB
	store   *store.Store
	core    *core
	wire    *wire
	hub     *hub.Hub
	now     func() time.Time
	stop    func()
	restart func()

	mu     sync.Mutex
	asked  []string
	answer func(text string, begins bool) (status int, body string)
}

func newRig(t *testing.T) *rig {
	x := &rig{t: t, db: dbtest.Open(t, dbtest.SQLite(t)), core: &core{has: map[string]bool{}}, wire: &wire{}, now: time.Now}
	verifier, err := partner.New(partner.Options{Secret: secret})
	if err != nil {
		t.Fatal(err)
	}
	program := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		id, err := verifier.Verify(r.Header, body)
		var ask struct {
			Channel, Session string
			Begins           bool
			Customer         struct{ ID string }
			Message          struct{ ID, Text string }
		}
		if jerr := json.Unmarshal(body, &ask); err != nil || jerr != nil || ask.Channel != "website" && ask.Channel != "slow" || ask.Session == "" || id != ask.Message.ID {
			t.Errorf("asked %s by %v: %v %v", body, r.Header, err, jerr)
		}
		x.mu.Lock()
		x.asked = append(x.asked, ask.Customer.ID+" "+ask.Message.Text)
		answer := x.answer
		x.mu.Unlock()
		status, text := answer(ask.Message.Text, ask.Begins)
		if status == 0 { // no answer in time
			<-r.Context().Done()
			return
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, text)
	}))
	t.Cleanup(program.Close)
	h, err := bot.NewHook(bot.HookOptions{URL: program.URL, Secret: secret, Client: bot.NewClient(), Timeout: 200 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	patient, err := bot.NewHook(bot.HookOptions{URL: program.URL, Secret: secret, Client: bot.NewClient(), Timeout: patience})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	x.stop = func() {}
	x.begin(dir, h, patient)
	t.Cleanup(func() { x.stop() })
	return x
}

func (x *rig) begin(dir string, slow, usual chat.Bot) {
	x.stop()
	x.store = store.New(store.Options{DB: x.db, Dir: dir, Log: zerolog.Nop()})
	x.hub = hub.New(hub.Options{
		Store: x.store, Core: x.core, Log: zerolog.Nop(), Now: func() time.Time { return x.now() },
		Connector: func(string) chat.Connector { return x.wire },
		Text: func(_ string, n chat.Notice) string {
			if n == chat.NoticeFirst {
				return "Welcome!"
			}
			return ""
		},
		Bot: func(channel string) chat.Bot {
			switch channel {
			case "website":
				return usual
			case "slow":
				return slow
			}
			return nil
		},
		Patience: func(string) time.Duration { return time.Hour },
		Target: func(to string) (string, string, bool) {
			switch to {
			case "channel:orders":
				return "orders", "", true
			case "agent:anna":
				return "", "anna", true
			}
			return "", "", false
		},
	})
	x.stop = x.hub.Stop
	if err := x.hub.Start(x.t.Context()); err != nil {
		x.t.Fatal(err)
	}
	x.stop = func() {
		x.hub.Stop()
		x.stop = func() {}
	}
	x.restart = func() { x.begin(dir, slow, usual) }
}

func (x *rig) receives(channel, event string) {
	x.t.Helper()
	if err := x.hub.Receive(x.t.Context(), channel, event, []byte(event)); err != nil {
		x.t.Fatal(err)
	}
}

func (x *rig) answers(f func(text string, begins bool) (int, string)) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.answer = f
}

func (x *rig) eventually(what string, is func() bool) {
	x.t.Helper()
	for deadline := time.Now().Add(patience); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			x.t.Fatalf("not in time: %s; the core was told %q, the customer %q", what, x.core.list(), x.sent())
		}
	}
}

func (x *rig) sent() []string {
	x.wire.mu.Lock()
	defer x.wire.mu.Unlock()
	return slices.Clone(x.wire.sent)
}

func (x *rig) told(want ...string) {
	x.t.Helper()
	x.eventually(fmt.Sprintf("the core is told %q", want), func() bool { return slices.Equal(x.core.list(), want) })
}

func (x *rig) customerGot(want ...string) {
	x.t.Helper()
	x.eventually(fmt.Sprintf("the customer gets %q", want), func() bool { return slices.Equal(x.sent(), want) })
}

// The bot has the chat first, and the core hears of it when it is handed over: to the
// channel the bot says, with what was written before; then the bot is asked no more,
// until the next chat (R74, P16).
func TestHook(t *testing.T) {
	x := newRig(t)
	x.answers(func(text string, begins bool) (int, string) {
		switch {
		case begins:
			return 200, `{"messages":[{"text":"I am a bot."},{"text":"What is it about?"}],"state":"asked"}`
		case text == "an order":
			return 200, `{"messages":[{"text":"One moment."}],"hand_over":true,"to":"channel:orders"}`
		}
		return 200, `{"messages":[{"text":"What?"}]}`
	})
	x.receives("website", "jan hello")
	x.customerGot("Welcome!", "I am a bot.", "What is it about?")
	x.receives("website", "jan well")
	x.customerGot("Welcome!", "I am a bot.", "What is it about?", "What?")
	if told := x.core.list(); len(told) > 0 {
		t.Errorf("the core was told %q of a bot's chat", told)
	}
	x.restart()
	x.core.mu.Lock()
	x.core.fail = 2
	x.core.mu.Unlock()
	x.receives("website", "jan an order")
	x.told("arrived orders")
	x.receives("website", "jan number 7")
	x.told("arrived orders", "written")
	x.customerGot("Welcome!", "I am a bot.", "What is it about?", "What?", "One moment.")
	x.mu.Lock()
	defer x.mu.Unlock()
	if want := []string{"jan hello", "jan well", "jan an order"}; !slices.Equal(x.asked, want) {
		t.Errorf("asked %q", x.asked)
	}
}

// A bot that fails, answers nonsense, or does not answer in time gives the chat to the
// queue; so does one that names nobody who is there. One may close, too.
func TestHook_Fails(t *testing.T) {
	for name, answer := range map[string]struct {
		status     int
		body, told string
	}{
		"fault": {500, "", "arrived "}, "nonsense": {200, "hello", "arrived "}, "nothing": {200, "{}", "arrived "}, "redirect": {302, "", "arrived "},
		"empty text": {200, `{"messages":[{"text":" "}]}`, "arrived "}, "late": {0, "", "arrived "},
		"nobody": {200, `{"hand_over":true,"to":"agent:nobody"}`, "arrived "}, "agent": {200, `{"hand_over":true,"to":"agent:anna"}`, "arrived anna"},
	} {
		t.Run(name, func(t *testing.T) {
			x := newRig(t)
			x.answers(func(string, bool) (int, string) { return answer.status, answer.body })
			channel := "website"
			if answer.status == 0 {
				channel = "slow"
			}
			x.receives(channel, "jan hello")
			x.told(answer.told)
		})
	}
	x := newRig(t)
	x.answers(func(string, bool) (int, string) { return 200, `{"messages":[{"text":"Good-bye."}],"close":true}` })
	x.receives("website", "jan hello")
	x.customerGot("Welcome!", "Good-bye.")
	x.receives("website", "jan again")
	x.customerGot("Welcome!", "Good-bye.", "Welcome!", "Good-bye.")
	if told := x.core.list(); len(told) > 0 {
		t.Errorf("the core was told %q", told)
	}
}

// Whoever chooses from a menu what cannot be said is not left with it: the chat goes to the queue.
func TestMenu_CannotBeSaid(t *testing.T) {
	x := newRig(t)
	x.stop()
	x.begin(t.TempDir(), nil, bot.Menu{Menus: map[string]bot.Page{"start": {Text: "Hi", Choices: []bot.Choice{
		{Label: "Nothing", Text: " "}, {Label: "Much", Text: strings.Repeat("much ", chat.TextMax)}, {Label: "Odd", Text: "\x00"},
	}}}})
	want := []string{}
	for k, label := range []string{"Nothing", "Much", "Odd"} {
		x.receives("website", fmt.Sprintf("customer%d hello", k))
		x.eventually("the menu", func() bool { return len(x.sent()) == 2*(k+1) })
		x.receives("website", fmt.Sprintf("customer%d %s", k, label))
		want = append(want, "arrived ")
		x.told(want...)
	}
}

// A chat that its customer leaves with the bot is over: at once if they say so, else
// when they have been silent for too long.
func TestHook_Left(t *testing.T) {
	x := newRig(t)
	x.answers(func(string, bool) (int, string) { return 200, `{"messages":[{"text":"Yes?"}]}` })
	open := func() int {
		list, err := x.store.Open(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return len(list)
	}
	x.receives("website", "jan hello")
	x.receives("website", "jan closed")
	x.receives("website", "ewa hello")
	x.eventually("one is over", func() bool { return open() == 1 && len(x.sent()) == 4 })
	x.stop()
	x.now = func() time.Time { return time.Now().Add(2 * time.Hour) }
	x.restart()
	x.eventually("both are", func() bool { return open() == 0 })
}
