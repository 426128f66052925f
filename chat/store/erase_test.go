package store_test

import (
	"errors"
	"strings"
	"testing"

	"centrala/chat"
	"centrala/chat/store"
)

// Nothing that a customer wrote or was told is left, nor their name and files; that there were messages
// is. Whoever else wrote keeps theirs, and an open session is left alone until it is closed.
func TestErase(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		file, err := s.Attach(strings.NewReader("a letter"), "letter.txt")
		if err != nil {
			t.Fatal(err)
		}
		with := incoming(1)
		with.Details = chat.Details{Email: "jan@example.com", Phone: "+48601234567"}
		with.Vouched = with.Details
		with.Files = []chat.Attachment{file}
		mine := take(t, s, with)
		say(t, s, mine.Session.ID, "c1")
		other := incoming(2)
		other.Customer, other.Name = "jana", "Jana"
		theirs := take(t, s, other)
		if n, open, err := s.Erase(t.Context(), "jan", "erased-x"); n != 0 || open != 1 || err != nil {
			t.Errorf("while it is open: %d erased, %d open, %v", n, open, err)
		}
		if got := all(t, s, mine.Message.Conversation); got[0].Text != "text 1" {
			t.Errorf("%+v", got[0])
		}
		if err := s.Close(t.Context(), mine.Session.ID); err != nil {
			t.Fatal(err)
		}
		if n, open, err := s.Erase(t.Context(), "jan", "erased-x"); n != 1 || open != 0 || err != nil {
			t.Errorf("%d erased, %d open, %v", n, open, err)
		}
		got := all(t, s, mine.Message.Conversation)
		if len(got) != 2 || got[0].Text != "" || got[1].Text != "" || len(got[0].Attachments) != 0 {
			t.Errorf("left: %+v", got)
		}
		if _, _, _, err := s.Attachment(t.Context(), file.ID); !errors.Is(err, chat.ErrNotFound) {
			t.Errorf("the file is there: %v", err)
		}
		if c, err := s.Conversation(t.Context(), mine.Message.Conversation); err != nil || c.Customer != "erased-x" || c.Contact.Name != "erased-x" || c.Contact.Details != (chat.Details{}) {
			t.Errorf("%+v, %v", c, err)
		}
		if names, err := s.Known(t.Context(), "", "+48601234567"); err != nil || len(names) > 0 {
			t.Errorf("their number is known: %q, %v", names, err)
		}
		if got := all(t, s, theirs.Message.Conversation); len(got) != 1 || got[0].Text != "text 2" {
			t.Errorf("of somebody else: %+v", got)
		}
		if again := take(t, s, incoming(1)); again.Again { // connectors' ids of messages may have the customer's name in them
			t.Errorf("what they sent is known: %+v", again)
		}
		if again := take(t, s, incoming(3)); again.Message.Conversation == mine.Message.Conversation {
			t.Error("who comes again is known")
		}
	})
}

// Nothing is left either of what came in from a visitor before they signed in, and are the site's customer since.
func TestErase_WhoSignedIn(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		before := incoming(1)
		before.Customer = "visitor:x"
		e := chat.Event{Channel: before.Channel, Event: "visitor:x m1", Customer: before.Customer, Body: []byte(before.Text)}
		id, _, err := s.Keep(t.Context(), e)
		if err != nil {
			t.Fatal(err)
		}
		mine := take(t, s, before)
		if err := errors.Join(s.Done(t.Context(), id, ""), s.Identify(t.Context(), before.Channel, "visitor:x", "customer:4711"), s.Close(t.Context(), mine.Session.ID)); err != nil {
			t.Fatal(err)
		}
		if n, open, err := s.Erase(t.Context(), "customer:4711", "erased-x"); n != 1 || open != 0 || err != nil {
			t.Errorf("%d erased, %d open, %v", n, open, err)
		}
		if _, fresh, err := s.Keep(t.Context(), e); !fresh || err != nil {
			t.Errorf("what came in is there: %v", err)
		}
	})
}

// All names are found by any of them, and forgotten with them; those of others are left alone.
func TestNames_WhoSignedIn(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		for k, who := range [][2]string{{"visitor:a", "customer:1"}, {"visitor:b", "customer:1"}, {"visitor:c", "customer:2"}} {
			in := incoming(k)
			in.Customer = who[0]
			take(t, s, in)
			for range 2 { // signing in again changes nothing
				if err := s.Identify(t.Context(), in.Channel, who[0], who[1]); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := s.Identify(t.Context(), "website", "visitor:nobody", "customer:3"); err != nil { // who wrote nothing
			t.Fatal(err)
		}
		wants := func(by, want string) {
			t.Helper()
			if got, err := s.Names(t.Context(), by); err != nil || strings.Join(got, " ") != want {
				t.Errorf("by %s: %q, want %q, %v", by, got, want, err)
			}
		}
		wants("customer:1", "customer:1 visitor:a visitor:b")
		wants("visitor:a", "visitor:a customer:1 visitor:b")
		wants("customer:3", "customer:3")
		if err := s.Unname(t.Context(), []string{"visitor:a", "customer:1", "visitor:b"}); err != nil {
			t.Fatal(err)
		}
		wants("visitor:a", "visitor:a")
		wants("visitor:c", "visitor:c customer:2")
		if _, err := s.DeleteChannel(t.Context(), "website"); err != nil {
			t.Fatal(err)
		}
		wants("visitor:c", "visitor:c")
	})
}
