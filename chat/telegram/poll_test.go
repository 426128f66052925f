package telegram_test

import (
	"bytes"
	"context"
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

	"github.com/rs/zerolog"

	"centrala/chat"
	"centrala/chat/hub"
	"centrala/chat/store"
	"centrala/chat/telegram"
	"centrala/internal/botserver"
	"centrala/internal/journal/db"
	"centrala/internal/journal/db/dbtest"
)

const (
	token    = "123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"
	patience = time.Minute
)

// core takes whatever it is told, as the core does with sessions that are open.
type core struct {
	mu   sync.Mutex
	open map[string]bool
}

func (c *core) Arrived(_ context.Context, s chat.Session) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open[string(s.ID)] = true
	return nil
}
func (*core) Written(context.Context, string, string) error { return nil }
func (*core) Closed(context.Context, string) error          { return nil }
func (*core) Ended(context.Context, string) error           { return nil }
func (*core) Underway() []chat.SessionID                    { return nil }

// desk is hub, store and a bot's connector against a Bot API of tests.
type desk struct {
	t     *testing.T
	api   *botserver.Server
	db    *db.DB
	dir   string
	store *store.Store
	hub   *hub.Hub
	bot   *telegram.Connector
	stop  func()
	lose  func() bool // an update is not taken
	hook  string

	menu   chat.Bot // nil: none
	rating string
	share  string
	first  string
	pause  time.Duration // between messages to one customer; 0: none to speak of
	log    bytes.Buffer  // of the bot
}

func newDesk(t *testing.T, d *db.DB, hook string) *desk {
	x := &desk{t: t, api: botserver.New(token), db: d, dir: t.TempDir(), lose: func() bool { return false }, hook: hook}
	t.Cleanup(x.api.Close)
	x.start(token)
	t.Cleanup(func() { x.stop() })
	return x
}

// start is what the server does, and stop how it ends.
func (x *desk) start(token string) {
	x.t.Helper()
	x.store = store.New(store.Options{DB: x.db, Dir: x.dir, Log: zerolog.Nop()})
	x.hub = hub.New(hub.Options{
		Store: x.store, Core: &core{open: map[string]bool{}}, Log: zerolog.Nop(),
		Connector: func(string) chat.Connector { return x.bot }, Share: func(string) string { return x.share },
		Text: func(_ string, n chat.Notice) string {
			if n == chat.NoticeFirst {
				return x.first
			}
			return ""
		},
		Bot: func(string) chat.Bot { return x.menu }, Rating: func(string) string { return x.rating },
		Patience: func(string) time.Duration { return time.Hour }, Target: func(string) (string, string, bool) { return "", "", true },
	})
	x.bot = telegram.New(telegram.Options{
		Channel: "tg", Token: token, URL: x.api.URL(), Webhook: x.hook, Client: telegram.NewClient(), Store: x.store, Log: zerolog.New(&x.log), Calm: 200 * time.Millisecond, PerChat: max(x.pause, time.Millisecond), Look: 10 * time.Millisecond,
		Receive: func(ctx context.Context, channel, event string, body []byte) error {
			if x.lose() {
				return errors.New("the database is away")
			}
			return x.hub.Receive(ctx, channel, event, body)
		},
		Wrong: func(err error) bool { return errors.Is(err, hub.ErrUnread) },
		Open: func(ctx context.Context, id string) (io.ReadCloser, error) {
			_, _, f, err := x.store.Attachment(ctx, id)
			return f, err
		},
	})
	if err := x.hub.Start(x.t.Context()); err != nil {
		x.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		x.bot.Run(ctx)
	}()
	x.stop = sync.OnceFunc(func() {
		cancel()
		<-done
		x.hub.Stop()
	})
}

func (x *desk) restart() {
	x.stop()
	x.start(token)
}

// eventually waits until it is so.
func (x *desk) eventually(what string, is func() bool) {
	x.t.Helper()
	for deadline := time.Now().Add(patience); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			x.t.Fatalf("not in time: %s", what)
		}
	}
}

// messages are those of a customer's conversation, once there are n of them.
func (x *desk) messages(customer string, n int) (list []chat.Message) {
	x.t.Helper()
	x.eventually(fmt.Sprintf("%d messages of %s", n, customer), func() bool {
		c, err := x.store.ConversationOf(x.t.Context(), "tg", customer)
		if err != nil {
			return false
		}
		list, err = x.store.After(x.t.Context(), c.ID, 0, store.PageMax)
		return err == nil && len(list) >= n
	})
	return list
}

func (x *desk) conversation(customer string) chat.Conversation {
	x.t.Helper()
	c, err := x.store.ConversationOf(x.t.Context(), "tg", customer)
	if err != nil {
		x.t.Fatal(err)
	}
	return c
}

func texts(list []chat.Message) (out []string) {
	for _, m := range list {
		out = append(out, m.Text)
	}
	return out
}

func (x *desk) say(customer, id, text string, files ...chat.Attachment) chat.Message {
	x.t.Helper()
	s, err := x.store.OpenOf(x.t.Context(), "tg", customer)
	if err != nil {
		x.t.Fatal(err)
	}
	m, err := x.hub.Say(x.t.Context(), chat.Draft{Session: s.ID, Author: chat.ByAgent, Name: "anna", Kind: chat.KindText, Client: id, Text: text, Files: files}, string(s.ID))
	if err != nil {
		x.t.Fatal(err)
	}
	return m
}

// becomes waits until a message has the status.
func (x *desk) becomes(customer string, m chat.Message, want chat.Status) chat.Message {
	x.t.Helper()
	x.eventually(fmt.Sprintf("message %d is %s", m.Seq, want), func() bool {
		list, err := x.store.After(x.t.Context(), m.Conversation, m.Seq-1, 1)
		if err == nil && len(list) == 1 {
			m = list[0]
		}
		return m.Status == want
	})
	return m
}

// Everything that customers write comes once and in order, whatever restarts and
// failures there are on the way: what is kept is confirmed, and vanishes there (P6, P8).
func TestPoll_LosesAndDoublesNothing(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		x := newDesk(t, d, "")
		var mu sync.Mutex
		seen := 0
		x.lose = func() bool { // now and then
			mu.Lock()
			defer mu.Unlock()
			seen++
			return seen%17 == 5
		}
		want := map[string][]string{}
		for k := range 12 {
			for user := int64(1); user <= 3; user++ {
				text := fmt.Sprintf("%d of %d", k, user)
				x.api.Write(user, "Jan", text, nil)
				want[fmt.Sprint(user)] = append(want[fmt.Sprint(user)], text)
			}
			if k%4 == 3 {
				x.api.Fail("getUpdates", botserver.Fault{Cut: true}) // given out, and never come
				x.restart()
			}
		}
		for customer, list := range want {
			if got := texts(x.messages(customer, len(list))); !slices.Equal(got, list) {
				t.Errorf("%s: %q", customer, got)
			}
		}
		x.eventually("all is confirmed", func() bool { return x.api.Pending() == 0 })
		x.restart()
		x.api.Write(1, "Jan", "last", nil)
		if got := texts(x.messages("1", 13)); len(got) != 13 || got[12] != "last" {
			t.Errorf("after all: %q", got)
		}
	})
}

// Photos and documents come as attachments, with their caption; one that cannot be
// had leaves a word. What the agent sends goes out, with its files.
func TestFiles(t *testing.T) {
	x := newDesk(t, dbtest.Open(t, dbtest.SQLite(t)), "")
	x.api.File("p1", "photos/1.jpg", []byte("\xff\xd8\xff\xe0 a photo"))
	x.api.Fail("getFile", botserver.Fault{Status: 502, Text: "Bad Gateway"})
	x.api.Write(7, "Ewa", "", map[string]any{"caption": "look", "photo": []map[string]any{{"file_id": "p0", "file_size": 1}, {"file_id": "p1", "file_size": 15}}})
	x.api.Write(7, "Ewa", "", map[string]any{"document": map[string]any{"file_id": "gone", "file_name": "bill.pdf"}})
	x.api.Write(7, "Ewa", "", map[string]any{"video": map[string]any{"file_id": "v", "file_size": 30 << 20}})
	list := x.messages("7", 3)
	if a := list[0].Attachments; list[0].Text != "look" || len(a) != 1 || a[0].Name != "photo-1.jpg" || a[0].Type != "image/jpeg" || a[0].Size != 12 {
		t.Errorf("%+v", list[0])
	}
	if list[1].Text != "[bill.pdf could not be fetched]" || list[2].Text != "[video.mp4 is larger than 20 MiB]" {
		t.Errorf("%q", texts(list))
	}
	a, err := x.store.Attach(strings.NewReader("an offer"), "offer.txt")
	if err != nil {
		t.Fatal(err)
	}
	m := x.say("7", "a1", "here it is", a)
	x.becomes("7", m, chat.StatusSent)
	sent := x.api.Sent(2, patience)
	if len(sent) != 2 || sent[0].Text != "here it is" || sent[1].File != "offer.txt" || string(sent[1].Data) != "an offer" {
		t.Errorf("%+v", sent)
	}
}

// Messages go out once: again where Telegram surely did not take them, not where
// nobody knows; and a customer who blocked the bot is known to have done so.
func TestOutbox(t *testing.T) {
	x := newDesk(t, dbtest.Open(t, dbtest.SQLite(t)), "")
	x.api.Write(7, "Ewa", "hello", nil)
	x.messages("7", 1)
	x.api.Fail("sendMessage", botserver.Fault{Status: 429, Text: "Too Many Requests: retry after 1", RetryAfter: 1})
	x.becomes("7", x.say("7", "a1", "one"), chat.StatusSent)
	x.api.Fail("sendMessage", botserver.Fault{Cut: true})
	if m := x.becomes("7", x.say("7", "a2", "two"), chat.StatusFailed); !strings.Contains(m.Reason, "nobody knows") {
		t.Errorf("%+v", m)
	}
	long := strings.Repeat("x", 4096) + "y"
	x.becomes("7", x.say("7", "a3", long), chat.StatusSent)
	if sent := x.api.Sent(4, patience); len(sent) != 4 || sent[0].Text != "one" || sent[1].Text != "two" || sent[2].Text+sent[3].Text != long {
		t.Errorf("sent %d: %+v", len(sent), sent)
	}
	x.api.Block(7, "Ewa", true)
	x.eventually("the conversation is marked", func() bool { return x.conversation("7").Blocked })
	x.api.Block(7, "Ewa", false)
	x.eventually("it is not any more", func() bool { return !x.conversation("7").Blocked })
	x.api.Fail("sendMessage", botserver.Fault{Status: 403, Text: "Forbidden: bot was blocked by the user"})
	x.becomes("7", x.say("7", "a4", "are you there?"), chat.StatusFailed)
	x.eventually("the refusal marks it", func() bool { return x.conversation("7").Blocked })
	x.api.Write(7, "Ewa", "I am", nil)
	x.messages("7", 6)
	if x.conversation("7").Blocked {
		t.Error("whoever writes has not blocked us")
	}
}

// A part that arrived is not sent again after a restart either.
func TestOutbox_PartsOfAMessage(t *testing.T) {
	x := newDesk(t, dbtest.Open(t, dbtest.SQLite(t)), "")
	x.api.Write(7, "Ewa", "hello", nil)
	x.messages("7", 1)
	a, err := x.store.Attach(strings.NewReader("an offer"), "offer.txt")
	if err != nil {
		t.Fatal(err)
	}
	x.api.Fail("sendDocument", botserver.Fault{Status: 429, Text: "Too Many Requests: retry after 3", RetryAfter: 3})
	m := x.say("7", "a1", "one", a)
	x.eventually("half of it is put off", func() bool {
		out, err := x.store.Outbox(t.Context(), 100)
		return err == nil && len(out) == 1 && out[0].Parts == 1 && !out[0].Trying && out[0].Next.After(time.Now())
	})
	x.restart()
	x.becomes("7", m, chat.StatusSent)
	if sent := x.api.Sent(2, patience); len(sent) != 2 || sent[0].Text != "one" || sent[1].File != "offer.txt" {
		t.Errorf("%+v", sent)
	}
}

// A wrong token, a second program that asks for the updates, and a webhook that was
// left over: the first two are told as the channel's fault, the third is put right.
func TestFaults(t *testing.T) {
	x := newDesk(t, dbtest.Open(t, dbtest.SQLite(t)), "")
	x.stop()
	x.start(token + "wrong")
	x.eventually("the token is told to be wrong", func() bool { return strings.Contains(x.bot.Fault(), "token") })
	x.restart()
	x.eventually("all is well", func() bool { return x.api.Calls("getUpdates") > 1 && x.bot.Fault() == "" })
	x.api.Fail("getUpdates", botserver.Fault{Status: 409, Text: "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"})
	x.api.Write(7, "Ewa", "hello", nil) // ends the present request
	x.eventually("somebody else asks, too", func() bool { return strings.Contains(x.bot.Fault(), "another program") })
	x.eventually("and does not any more", func() bool { return x.bot.Fault() == "" })
	x.messages("7", 1)
	x.stop()
	left := telegram.New(telegram.Options{Channel: "tg", Token: token, URL: x.api.URL(), Webhook: "https://old.example/x", Client: telegram.NewClient(), Log: zerolog.Nop()})
	ctx, cancel := context.WithCancel(t.Context())
	go left.Run(ctx)
	x.eventually("a webhook is set", func() bool { hook, _ := x.api.Hook(); return hook != "" })
	cancel()
	x.api.Write(7, "Ewa", "more", nil)
	x.api.Fail("deleteWebhook", botserver.Fault{Status: 500, Text: "Internal Server Error"}, botserver.Fault{Status: 500, Text: "Internal Server Error"})
	x.start(token)
	x.eventually("that it cannot be removed is told", func() bool { return strings.Contains(x.bot.Fault(), "cannot be removed") })
	x.messages("7", 2)
}

// Of two servers with one bot each ends the other's request: the first is told so once, however often
// that happens, has all that it gets once, and goes on by itself when the other is gone.
func TestTwoServers(t *testing.T) {
	x := newDesk(t, dbtest.Open(t, dbtest.SQLite(t)), "")
	x.eventually("it asks for updates", func() bool { return x.api.Calls("getUpdates") > 1 })
	got := make(chan struct{}, 100_000)
	other := telegram.New(telegram.Options{
		Channel: "tg", Token: token, URL: x.api.URL(), Client: telegram.NewClient(), Log: zerolog.Nop(), Calm: time.Hour,
		Store: store.New(store.Options{DB: dbtest.Open(t, dbtest.SQLite(t)), Dir: t.TempDir(), Log: zerolog.Nop()}),
		Receive: func(context.Context, string, string, []byte) error {
			got <- struct{}{}
			return nil
		},
	})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		other.Run(ctx)
	}()
	x.eventually("it is told of the other", func() bool { return strings.Contains(x.bot.Fault(), "second server") })
	x.eventually("and the other of it", func() bool { return strings.Contains(other.Fault(), "second server") })
	cancel()
	<-done
	n := 0
	x.eventually("it goes on alone", func() bool {
		if n < 150 { // fewer than are read at once
			x.api.Write(7, "Ewa", fmt.Sprint("message ", n), nil)
			n++
		}
		return x.bot.Fault() == ""
	})
	if len(got) > 0 {
		t.Errorf("the other got %d messages after its end", len(got))
	}
	if list := texts(x.messages("7", n)); len(list) != n || list[n-1] != fmt.Sprint("message ", n-1) {
		t.Errorf("%d messages of %d", len(list), n)
	}
	if !strings.Contains(other.Fault(), "second server") {
		t.Error("the other, for which the conflict lasts long, has forgotten it")
	}
	x.stop()
	if said := x.log.String(); !strings.Contains(said, "the channel is broken") || !strings.Contains(said, "the channel works again") {
		t.Errorf("it was not told: %s", said)
	}
}

// By webhook the same: what is not kept comes again, and nothing is asked for.
func TestWebhook(t *testing.T) {
	var x *desk
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { x.bot.ServeHTTP(w, r) }))
	defer front.Close()
	x = newDesk(t, dbtest.Open(t, dbtest.SQLite(t)), front.URL)
	x.eventually("the webhook is set", func() bool { hook, secret := x.api.Hook(); return hook == front.URL && secret == x.bot.Secret() })
	x.api.Write(7, "Ewa", "one", nil)
	x.api.Write(7, "Ewa", "two", nil)
	if status, err := x.api.Deliver("guessed"); status != http.StatusUnauthorized || err != nil {
		t.Errorf("%d, %v", status, err)
	}
	away := true
	x.lose = func() bool { return away }
	if status, err := x.api.Deliver(""); status != http.StatusServiceUnavailable || err != nil {
		t.Errorf("%d, %v", status, err)
	}
	away = false
	if status, err := x.api.Deliver(""); status != http.StatusOK || err != nil {
		t.Errorf("%d, %v", status, err)
	}
	if got := texts(x.messages("7", 2)); !slices.Equal(got, []string{"one", "two"}) {
		t.Errorf("%q", got)
	}
	if n := x.api.Calls("getUpdates"); n != 0 {
		t.Errorf("asked %d times", n)
	}
	// R6: it is set anew when another address is, and whoever cannot be reached is told of.
	x.api.Rehook("https://elsewhere.example/x", "")
	x.eventually("the webhook is set again", func() bool { hook, secret := x.api.Hook(); return hook == front.URL && secret == x.bot.Secret() })
	x.eventually("all is well", func() bool { return x.bot.Fault() == "" })
	x.api.Rehook(front.URL, "Connection timed out")
	x.eventually("the fault is told", func() bool {
		x.api.Rehook(front.URL, "Connection timed out")
		return strings.Contains(x.bot.Fault(), "timed out")
	})
	x.api.Rehook(front.URL, "")
	x.eventually("all is well again", func() bool { return x.bot.Fault() == "" })
}

// A position that is older than a quiet week is not used: the ids of updates may have
// begun anew below it, and all that is new would be confirmed unseen.
func TestPoll_ForgetsAnOldPosition(t *testing.T) {
	d := dbtest.Open(t, dbtest.SQLite(t))
	old := store.New(store.Options{DB: d, Dir: t.TempDir(), Log: zerolog.Nop(), Now: func() time.Time { return time.Now().Add(-8 * 24 * time.Hour) }})
	if err := old.SetPosition(t.Context(), "tg", "telegram 123456789", 2_000_000); err != nil {
		t.Fatal(err)
	}
	x := newDesk(t, d, "")
	x.api.Write(7, "Ewa", "after the holidays", nil)
	x.messages("7", 1)
}

// What waits for its turn when the server stops has surely not been sent, and is sent after the next start.
func TestSend_StoppedBeforeItsTurn(t *testing.T) {
	x := newDesk(t, dbtest.Open(t, dbtest.SQLite(t)), "")
	x.stop()
	x.pause = 20 * time.Second // less than an attempt may take
	x.start(token)
	x.api.Write(7, "Ewa", "hello", nil)
	x.messages("7", 1)
	x.say("7", "a1", "one")
	x.api.Sent(1, patience)
	x.say("7", "a2", "two")
	x.eventually("it waits for its turn", func() bool {
		out, err := x.store.Outbox(t.Context(), 10)
		return err == nil && len(out) == 1 && out[0].Message.Text == "two" && out[0].Trying
	})
	x.restart()
	if sent := x.api.Sent(2, patience); len(sent) != 2 || sent[1].Text != "two" {
		t.Errorf("sent %+v", sent)
	}
	x.eventually("it counts as sent", func() bool { list := x.messages("7", 3); return list[2].Status == chat.StatusSent })
}
