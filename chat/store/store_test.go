package store_test

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"

	"centrala/chat"
	"centrala/chat/store"
	"centrala/internal/journal/db"
	"centrala/internal/journal/db/dbtest"
)

// each runs a test with an empty store on both databases.
func each(t *testing.T, f func(t *testing.T, s *store.Store)) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) { f(t, open(t, d)) })
}

func open(t testing.TB, d *db.DB) *store.Store {
	return store.New(store.Options{DB: d, Dir: filepath.Join(t.TempDir(), "attachments"), Log: zerolog.Nop()})
}

func incoming(n int) chat.Incoming {
	return chat.Incoming{Channel: "website", Customer: "jan", Name: "Jan", External: fmt.Sprint("e", n), Text: fmt.Sprint("text ", n)}
}

func take(t testing.TB, s *store.Store, in chat.Incoming) chat.Taken {
	t.Helper()
	taken, err := s.Take(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	return taken
}

func say(t testing.TB, s *store.Store, session chat.SessionID, client string) chat.Message {
	t.Helper()
	m, _, err := s.Write(t.Context(), chat.Draft{Session: session, Author: chat.ByAgent, Name: "anna", Kind: chat.KindText, Client: client, Text: "answer " + client})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// all are the messages of a conversation, which must be numbered without a gap.
func all(t testing.TB, s *store.Store, conversation int64) []chat.Message {
	t.Helper()
	var out []chat.Message
	for {
		page, err := s.After(t.Context(), conversation, int64(len(out)), 7)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range page {
			if out = append(out, m); m.Seq != int64(len(out)) {
				t.Fatalf("message %d has the number %d", len(out), m.Seq)
			}
		}
		if len(page) < 7 {
			return out
		}
	}
}

// The first message begins contact, conversation and session; what follows goes on
// with them until the session is closed (P2, P13).
func TestTake_BeginsAndGoesOn(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		first := take(t, s, incoming(1))
		if !first.Begins || first.Again || first.Message.Seq != 1 || first.Session.Name != "Jan" || !chat.IsSession(string(first.Session.ID)) {
			t.Errorf("the first: %+v", first)
		}
		second := take(t, s, incoming(2))
		if second.Begins || second.Session.ID != first.Session.ID || second.Message.Seq != 2 {
			t.Errorf("the second: %+v", second)
		}
		for range 2 { // once more changes nothing
			if err := s.Close(t.Context(), first.Session.ID); err != nil {
				t.Fatal(err)
			}
		}
		third := take(t, s, incoming(3))
		if !third.Begins || third.Session.ID == first.Session.ID || third.Message.Conversation != first.Message.Conversation || third.Session.First != 3 {
			t.Errorf("after the close: %+v", third)
		}
		other := incoming(4)
		other.Channel = "telegram"
		if o := take(t, s, other); o.Message.Conversation == first.Message.Conversation || o.Message.Seq != 1 {
			t.Errorf("the same name in another channel is somebody else: %+v", o)
		}
		sessions, err := s.Open(t.Context())
		if err != nil || len(sessions) != 2 || sessions[0].ID != third.Session.ID {
			t.Errorf("open: %+v, %v", sessions, err)
		}
	})
}

// What comes twice is kept once, and answered as before, even after its session was closed (P7, P8).
func TestTake_Again(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		in := incoming(1)
		in.Client = "c1"
		first := take(t, s, in)
		say(t, s, first.Session.ID, "a1")
		if err := s.Close(t.Context(), first.Session.ID); err != nil {
			t.Fatal(err)
		}
		byClient, byExternal := in, in
		byClient.External, byExternal.Client = "", ""
		for _, in := range []chat.Incoming{in, byClient, byExternal} {
			again := take(t, s, in)
			if !again.Again || !again.Begins || again.Session.ID != first.Session.ID {
				t.Errorf("again: %+v", again)
			}
			if diff := cmp.Diff(first.Message, again.Message); diff != "" {
				t.Error(diff)
			}
		}
		if n := len(all(t, s, first.Message.Conversation)); n != 2 {
			t.Errorf("%d messages", n)
		}
	})
}

func TestTake_RefusesWhatIsNoMessage(t *testing.T) {
	s := open(t, dbtest.Open(t, dbtest.SQLite(t)))
	for name, c := range map[string]struct {
		change func(*chat.Incoming)
		want   error
	}{
		"empty":       {func(in *chat.Incoming) { in.Text = " \n" }, chat.ErrEmpty},
		"long":        {func(in *chat.Incoming) { in.Text = strings.Repeat("x", chat.TextMax+1) }, chat.ErrTooLong},
		"nul":         {func(in *chat.Incoming) { in.Text = "a\x00b" }, chat.ErrText},
		"not utf-8":   {func(in *chat.Incoming) { in.Text = "\xff" }, chat.ErrText},
		"no id":       {func(in *chat.Incoming) { in.External = "" }, chat.ErrID},
		"long id":     {func(in *chat.Incoming) { in.External = strings.Repeat("x", chat.IDMax+1) }, chat.ErrID},
		"nobody":      {func(in *chat.Incoming) { in.Customer = "" }, chat.ErrID},
		"nul in name": {func(in *chat.Incoming) { in.Name = "\x00" }, chat.ErrID},
		"files":       {func(in *chat.Incoming) { in.Files = make([]chat.Attachment, chat.AttachmentsMax+1) }, chat.ErrTooMany},
	} {
		in := incoming(1)
		c.change(&in)
		if _, err := s.Take(t.Context(), in); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	if open, err := s.Open(t.Context()); err != nil || len(open) > 0 {
		t.Errorf("left behind: %+v, %v", open, err)
	}
}

func TestWrite(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		c := take(t, s, incoming(1))
		m := say(t, s, c.Session.ID, "a1")
		again, was, err := s.Write(t.Context(), chat.Draft{Session: c.Session.ID, Author: chat.ByAgent, Kind: chat.KindText, Client: "a1", Text: "changed"})
		if diff := cmp.Diff(m, again); diff != "" || !was || err != nil {
			t.Errorf("again: %v %v %s", was, err, diff)
		}
		note := chat.Draft{Session: c.Session.ID, Author: chat.ByAgent, Name: "anna", Kind: chat.KindNote, Client: "n1", Text: "he is angry"}
		if _, _, err := s.Write(t.Context(), note); err != nil {
			t.Fatal(err)
		}
		out, err := s.Outbox(t.Context(), 100)
		if err != nil || len(out) != 1 || out[0].Message.Client != "a1" || out[0].Customer != "jan" {
			t.Errorf("to go out: %+v, %v", out, err)
		}
		if out, err := s.Outbox(t.Context(), 0); err != nil || len(out) != 0 {
			t.Errorf("none is asked for: %+v, %v", out, err)
		}
		if err := s.Close(t.Context(), c.Session.ID); err != nil {
			t.Fatal(err)
		}
		late := chat.Draft{Session: c.Session.ID, Author: chat.ByAgent, Kind: chat.KindText, Client: "a2", Text: "late"}
		if _, _, err := s.Write(t.Context(), late); !errors.Is(err, chat.ErrClosed) {
			t.Errorf("into a closed session: %v", err)
		}
		late.Author, late.Client = chat.BySystem, "s1" // the channel says good-bye
		if _, _, err := s.Write(t.Context(), late); err != nil {
			t.Errorf("the closing text: %v", err)
		}
		note.Client = "n2"
		if _, _, err := s.Write(t.Context(), note); err != nil {
			t.Errorf("a note on a closed session: %v", err)
		}
		late.Session, late.Client = "chat-unknown", "a3"
		if _, _, err := s.Write(t.Context(), late); !errors.Is(err, chat.ErrNotFound) {
			t.Errorf("into an unknown session: %v", err)
		}
	})
}

// Reports come in any order; a status never goes back.
func TestStatus_OnlyMovesForward(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		c := take(t, s, incoming(1))
		for _, x := range []struct {
			reports []chat.Status
			want    chat.Status
		}{
			{[]chat.Status{chat.StatusRead, chat.StatusDelivered, chat.StatusSent}, chat.StatusRead},
			{[]chat.Status{chat.StatusFailed}, chat.StatusFailed},
			{[]chat.Status{chat.StatusSent, chat.StatusFailed}, chat.StatusSent},
			{[]chat.Status{chat.StatusFailed, chat.StatusDelivered, chat.StatusAccepted}, chat.StatusDelivered},
		} {
			m := say(t, s, c.Session.ID, fmt.Sprint(x.reports))
			for _, r := range x.reports {
				if err := s.Status(t.Context(), m.Conversation, m.Seq, r, "why"); err != nil {
					t.Fatal(err)
				}
			}
			found, err := s.After(t.Context(), m.Conversation, m.Seq-1, 1)
			if err != nil || found[0].Status != x.want {
				t.Errorf("%v: %s, %v", x.reports, found[0].Status, err)
			}
		}
		if err := s.StatusOf(t.Context(), "website", "nothing", chat.StatusRead, ""); !errors.Is(err, chat.ErrNotFound) {
			t.Errorf("an unknown message: %v", err)
		}
	})
}

// Of each conversation one message goes out at a time, in order; an attempt that
// was under way is told from one that was not.
func TestOutbox(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		c := take(t, s, incoming(1))
		first, second := say(t, s, c.Session.ID, "a1"), say(t, s, c.Session.ID, "a2")
		next := func() chat.Outgoing {
			t.Helper()
			out, err := s.Outbox(ctx, 100)
			if err != nil || len(out) != 1 {
				t.Fatalf("%+v, %v", out, err)
			}
			return out[0]
		}
		o := next()
		if o.Message.Seq != first.Seq || o.Trying || o.Attempts != 0 {
			t.Errorf("%+v", o)
		}
		must(t, s.Trying(ctx, o, "ours"))
		must(t, s.StatusOf(ctx, "website", "ours", chat.StatusDelivered, "")) // faster than the answer
		if o = next(); !o.Trying || o.Attempts != 1 {
			t.Errorf("under way: %+v", o)
		}
		at := time.Now().Add(time.Hour).Truncate(time.Millisecond).UTC()
		must(t, s.Later(ctx, o, at))
		if o = next(); o.Trying || !o.Next.Equal(at) {
			t.Errorf("put off: %+v", o)
		}
		must(t, s.Sent(ctx, o, []string{"x1", "x2"})) // two of theirs (2.1)
		must(t, s.StatusOf(ctx, "website", "x2", chat.StatusRead, ""))
		o = next()
		if o.Message.Seq != second.Seq {
			t.Errorf("the second: %+v", o)
		}
		must(t, s.Failed(ctx, o, "blocked"))
		if out, err := s.Outbox(ctx, 100); err != nil || len(out) != 0 {
			t.Errorf("left: %+v, %v", out, err)
		}
		list := all(t, s, c.Message.Conversation)
		if list[1].Status != chat.StatusRead || list[2].Status != chat.StatusFailed || list[2].Reason != "blocked" {
			t.Errorf("%+v", list)
		}
	})
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestInbox(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		e := chat.Event{Channel: "website", Event: "w1", Customer: "jan", Body: []byte("{\x00}")}
		id, fresh, err := s.Keep(t.Context(), e)
		if err != nil || !fresh {
			t.Fatal(fresh, err)
		}
		if _, fresh, err := s.Keep(t.Context(), e); fresh || err != nil {
			t.Errorf("again: %v %v", fresh, err)
		}
		other := e
		other.Channel = "telegram"
		if _, fresh, err := s.Keep(t.Context(), other); !fresh || err != nil {
			t.Errorf("the same id in another channel: %v %v", fresh, err)
		}
		must(t, s.Done(t.Context(), id, ""))
		left, err := s.Left(t.Context())
		if err != nil || len(left) != 1 || left[0].Channel != "telegram" || string(left[0].Body) != "{\x00}" {
			t.Errorf("left: %+v, %v", left, err)
		}
		if _, fresh, err := s.Keep(t.Context(), e); fresh || err != nil {
			t.Errorf("after it was dealt with: %v %v", fresh, err)
		}
	})
}

func TestRead_NeitherBackNorBeyond(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		c := take(t, s, incoming(1))
		take(t, s, incoming(2))
		for _, seq := range []int64{2, 1, 3} {
			must(t, s.Read(t.Context(), c.Message.Conversation, chat.ByAgent, seq))
		}
		x, err := s.ConversationOf(t.Context(), "website", "jan")
		if err != nil || x.ReadAgent != 2 || x.ReadCustomer != 0 || x.Seq != 2 {
			t.Errorf("%+v, %v", x, err)
		}
		if _, err := s.Conversation(t.Context(), 999); !errors.Is(err, chat.ErrNotFound) {
			t.Errorf("an unknown one: %v", err)
		}
	})
}

func TestBefore(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		var c chat.Taken
		for n := range 9 {
			c = take(t, s, incoming(n))
		}
		page, err := s.Before(t.Context(), c.Message.Conversation, 6, 3)
		if err != nil || len(page) != 3 || page[0].Seq != 3 || page[2].Seq != 5 {
			t.Errorf("%+v, %v", page, err)
		}
	})
}

// Ratings of the customer and the supervisor (R71, R73), and consents (R63).
func TestRateAndConsent(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		c := take(t, s, incoming(1))
		must(t, s.Rate(t.Context(), chat.Rating{Session: c.Session.ID, Who: "customer", Score: 2}))
		must(t, s.Rate(t.Context(), chat.Rating{Session: c.Session.ID, Who: "customer", Score: 5, Comment: "solved after all"}))
		must(t, s.Rate(t.Context(), chat.Rating{Session: c.Session.ID, Who: "boss", Score: 3}))
		ratings, err := s.Ratings(t.Context(), c.Session.ID)
		if err != nil || len(ratings) != 2 || ratings[0].Score != 5 {
			t.Errorf("%+v, %v", ratings, err)
		}
		if err := s.Rate(t.Context(), chat.Rating{Session: c.Session.ID, Who: "boss", Score: 6}); !errors.Is(err, chat.ErrScore) {
			t.Errorf("6 of 5: %v", err)
		}
		if err := s.Rate(t.Context(), chat.Rating{Session: "chat-x", Who: "boss", Score: 1}); !errors.Is(err, chat.ErrNotFound) {
			t.Errorf("of nothing: %v", err)
		}
		for _, version := range []string{"1", "1", "2"} {
			must(t, s.Consent(t.Context(), chat.Consent{Conversation: c.Message.Conversation, Version: version, Address: "192.0.2.1"}))
		}
		consents, err := s.Consents(t.Context(), c.Message.Conversation)
		if err != nil || len(consents) != 2 || consents[0].At.IsZero() {
			t.Errorf("%+v, %v", consents, err)
		}
	})
}

func TestAttach(t *testing.T) {
	d := dbtest.Open(t, dbtest.SQLite(t))
	dir := filepath.Join(t.TempDir(), "attachments")
	now := time.Now()
	s := store.New(store.Options{DB: d, Dir: dir, Log: zerolog.Nop(), Now: func() time.Time { return now }})
	must(t, s.Sweep(t.Context(), time.Hour)) // there is no folder yet
	png := "\x89PNG\r\n\x1a\n" + strings.Repeat("x", 600)
	a, err := s.Attach(strings.NewReader(png), `C:\photos\..\cat<1>.svg`)
	if err != nil || a.Type != "image/png" || a.Name != "cat1.svg" || a.Size != int64(len(png)) {
		t.Errorf("%+v, %v", a, err)
	}
	svg, err := s.Attach(strings.NewReader(`<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>`), "cat.png")
	if err != nil || strings.HasPrefix(svg.Type, "image/") {
		t.Errorf("a drawing with a script in it passes as %s, %v", svg.Type, err)
	}
	if _, err := s.Attach(io.LimitReader(zeros{}, chat.AttachmentMax+1), "big"); !errors.Is(err, chat.ErrTooBig) {
		t.Errorf("too big: %v", err)
	}
	if _, err := s.Attach(strings.NewReader(""), "empty"); !errors.Is(err, chat.ErrEmpty) {
		t.Errorf("empty: %v", err)
	}
	for name, want := range map[string]string{"..": "file", "": "file", "a/b": "b", strings.Repeat("ż", 300) + ".pdf": ".pdf"} {
		if b, err := s.Attach(strings.NewReader("x"), name); err != nil || !strings.HasSuffix(b.Name, want) || len(b.Name) > chat.IDMax {
			t.Errorf("%q is called %q, %v", name, b.Name, err)
		}
	}
	in := incoming(1)
	in.Files, in.Text = []chat.Attachment{a}, ""
	c := take(t, s, in)
	if again := take(t, s, in); cmp.Diff(again.Message.Attachments, in.Files) != "" {
		t.Errorf("attached: %+v", again.Message)
	}
	now = now.Add(2 * time.Hour)
	must(t, s.Sweep(t.Context(), time.Hour))
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 1 || left[0].Name() != a.ID {
		t.Errorf("left: %v, %v", left, err)
	}
	for session, want := range map[chat.SessionID]error{c.Session.ID: nil, "chat-of-somebody-else": chat.ErrNotFound} {
		one, f, err := s.AttachmentOf(t.Context(), session, a.ID)
		if !errors.Is(err, want) || (err == nil) != (one == a) {
			t.Errorf("of session %q: %+v, %v", session, one, err)
		}
		if err == nil {
			_ = f.Close() // nothing was written
		}
	}
	if _, _, err := s.AttachmentOf(t.Context(), c.Session.ID, svg.ID); !errors.Is(err, chat.ErrNotFound) {
		t.Errorf("one that no message has: %v", err)
	}
	found, conversation, f, err := s.Attachment(t.Context(), a.ID)
	if err != nil || found != a || conversation != c.Message.Conversation {
		t.Fatalf("%+v, %v", found, err)
	}
	defer f.Close()
	if data, err := io.ReadAll(f); err != nil || string(data) != png {
		t.Errorf("%d bytes, %v", len(data), err)
	}
	if _, _, _, err := s.Attachment(t.Context(), "../centrala.db"); !errors.Is(err, chat.ErrNotFound) {
		t.Errorf("what is no attachment: %v", err)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// Many bring the same messages at once, in any order and more than once, while
// agents write and sessions are closed: each is kept once, the numbers have no
// gap, and whoever follows by number sees all in one order.
func TestConcurrentDuplicatesAndReorderings(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		const writers, messages, customers = 6, 25, 3
		var wg sync.WaitGroup
		for w := range writers {
			r := rand.New(rand.NewPCG(7, uint64(w)))
			wg.Go(func() {
				for _, k := range r.Perm(messages * customers) {
					in := incoming(k)
					in.Customer, in.Client = fmt.Sprint("jan", k%customers), fmt.Sprint("c", k)
					if r.IntN(3) == 0 {
						in.External = "" // the widget's own retry
					}
					taken, err := s.Take(t.Context(), in)
					if err != nil {
						t.Error(err)
						return
					}
					if taken.Message.Text != in.Text {
						t.Errorf("%s is answered with %+v", in.Text, taken.Message)
					}
					switch r.IntN(4) {
					case 0:
						_, _, err := s.Write(t.Context(), chat.Draft{
							Session: taken.Session.ID, Author: chat.ByAgent, Kind: chat.KindText, Client: fmt.Sprint("a", k), Text: fmt.Sprint("answer ", k)})
						if err != nil && !errors.Is(err, chat.ErrClosed) {
							t.Error(err)
						}
					case 1:
						if err := s.Close(t.Context(), taken.Session.ID); err != nil {
							t.Error(err)
						}
					}
				}
			})
		}
		wg.Wait()
		total := 0
		for n := range customers {
			c, err := s.ConversationOf(t.Context(), "website", fmt.Sprint("jan", n))
			if err != nil {
				t.Fatal(err)
			}
			seen := map[string]bool{}
			for _, m := range all(t, s, c.ID) {
				key := string(m.Author) + m.Client
				if seen[key] {
					t.Errorf("%s is there twice", key)
				}
				if seen[key] = true; m.Author == chat.ByCustomer {
					total++
				}
			}
		}
		if total != messages*customers {
			t.Errorf("%d messages of customers, want %d", total, messages*customers)
		}
	})
}

// What a customer writes into a session that is over begins another.
func TestRestart(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		first := take(t, s, incoming(1))
		late := take(t, s, incoming(2))
		take(t, s, incoming(3))
		session, err := s.Restart(t.Context(), late.Message)
		if err != nil || session.ID == first.Session.ID || session.First != 2 || !session.Closed.IsZero() {
			t.Fatalf("%+v, %v", session, err)
		}
		list := all(t, s, session.Conversation)
		if list[0].Session != first.Session.ID || list[1].Session != session.ID || list[2].Session != session.ID {
			t.Errorf("%+v", list)
		}
		if again := take(t, s, incoming(2)); !again.Begins || again.Session.ID != session.ID {
			t.Errorf("again: %+v", again)
		}
		open, err := s.OpenOf(t.Context(), "website", "jan")
		if err != nil || open.ID != session.ID {
			t.Errorf("open: %+v, %v", open, err)
		}
		if _, err := s.OpenOf(t.Context(), "website", "ewa"); !errors.Is(err, chat.ErrNotFound) {
			t.Errorf("of nobody: %v", err)
		}
	})
}

// Whoever numbers messages of both sides alike loses none.
func TestExternals_OfBothSides(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		c := take(t, s, incoming(1))
		say(t, s, c.Session.ID, "a1")
		out, err := s.Outbox(t.Context(), 100)
		if err != nil {
			t.Fatal(err)
		}
		must(t, s.Sent(t.Context(), out[0], []string{"e1", "e2"}))
		if second := take(t, s, incoming(2)); second.Again {
			t.Errorf("the customer's second message was taken for ours: %+v", second)
		}
	})
}

// R69, R70: canned answers by group, each once, of their channel alone.
func TestCanned(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		for _, x := range []chat.Canned{
			{Channel: "website", Group: "Delivery", Text: "Two days."}, {Channel: "website", Text: "Hello!"}, {Channel: "website", Group: "Delivery", Text: "Two days."},
			{Channel: "other", Text: "Bye!"}, {Channel: "website", Group: "Returns", Text: "Two days."},
		} {
			x.By = "anna"
			if kept, err := s.AddCanned(t.Context(), x); err != nil || kept.ID == 0 || kept.Text != x.Text || kept.At.IsZero() {
				t.Fatalf("%+v, %v", kept, err)
			}
		}
		list, err := s.Canned(t.Context(), "website")
		if err != nil || len(list) != 3 || list[0].Text != "Hello!" || list[1].Group != "Delivery" || list[2].Group != "Returns" {
			t.Fatalf("%+v, %v", list, err)
		}
		if _, err := s.CannedAnswer(t.Context(), "other", list[1].ID); !errors.Is(err, chat.ErrNotFound) {
			t.Errorf("of another channel: %v", err)
		}
		if x, err := s.CannedAnswer(t.Context(), "website", list[1].ID); err != nil || x != list[1] {
			t.Errorf("%+v, %v", x, err)
		}
		must(t, s.RemoveCanned(t.Context(), list[1].ID))
		if list, err = s.Canned(t.Context(), "website"); err != nil || len(list) != 2 {
			t.Errorf("%+v, %v", list, err)
		}
		for n := len(list); n < chat.CannedMost; n++ {
			if _, err := s.AddCanned(t.Context(), chat.Canned{Channel: "website", Text: fmt.Sprint(n)}); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := s.AddCanned(t.Context(), chat.Canned{Channel: "website", Text: "one more"}); !errors.Is(err, chat.ErrFull) {
			t.Errorf("beyond the limit: %v", err)
		}
	})
}
