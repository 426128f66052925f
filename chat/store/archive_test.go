package store_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"centrala/chat"
	"centrala/chat/store"
)

// R9: what is deleted for good is all of one channel, with files, and nothing of another,
// not even of a customer who is known in both.
func TestR9_DeleteChannel(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		file, err := s.Attach(strings.NewReader("a letter"), "letter.txt")
		if err != nil {
			t.Fatal(err)
		}
		in := incoming(1)
		in.Files, in.Vouched = []chat.Attachment{file}, chat.Details{Email: "jan@example.com"}
		in.Consent = chat.Consent{Version: "1", Address: "192.0.2.1"}
		mine := take(t, s, in)
		sent := say(t, s, mine.Session.ID, "c1")
		out, err := s.Outbox(t.Context(), 1)
		if err != nil || len(out) != 1 {
			t.Fatalf("%v, %v", out, err)
		}
		if err := errors.Join(s.Sent(t.Context(), out[0], []string{"x1"}), s.Rate(t.Context(), chat.Rating{Session: mine.Session.ID, Who: "customer", Score: 5})); err != nil {
			t.Fatal(err)
		}
		if _, _, err := s.Keep(t.Context(), chat.Event{Channel: "website", Event: "e1", Customer: "jan", Body: []byte("{}")}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.AddCanned(t.Context(), chat.Canned{Channel: "website", Text: "Hello!"}); err != nil {
			t.Fatal(err)
		}
		other := incoming(2)
		other.Channel, other.Vouched = "shop", in.Vouched
		theirs := take(t, s, other)
		want := []chat.Dialogs{{Channel: "shop", Conversations: 1, Messages: 1, Open: 1}, {Channel: "website", Conversations: 1, Messages: 2, Open: 1}}
		if got, err := s.Archived(t.Context()); err != nil || !cmp.Equal(got, want) {
			t.Errorf("%+v, %v", got, err)
		}
		for _, want := range []chat.Dialogs{{Channel: "website", Conversations: 1, Messages: sent.Seq}, {Channel: "website"}} {
			if got, err := s.DeleteChannel(t.Context(), "website"); err != nil || got != want {
				t.Errorf("%+v, %v", got, err)
			}
		}
		if got, err := s.Archived(t.Context()); err != nil || !cmp.Equal(got, want[:1]) {
			t.Errorf("left: %+v, %v", got, err)
		}
		if _, _, _, err := s.Attachment(t.Context(), file.ID); !errors.Is(err, chat.ErrNotFound) {
			t.Errorf("the file is there: %v", err)
		}
		if list, err := s.Canned(t.Context(), "website"); err != nil || len(list) > 0 {
			t.Errorf("%v, %v", list, err)
		}
		if list, err := s.Left(t.Context()); err != nil || len(list) > 0 {
			t.Errorf("%v, %v", list, err)
		}
		if c, err := s.Conversation(t.Context(), theirs.Message.Conversation); err != nil || c.Contact.Name != "Jan" {
			t.Errorf("%+v, %v", c, err)
		}
		if _, err := s.DeleteChannel(t.Context(), "shop"); err != nil {
			t.Fatal(err)
		}
		if names, err := s.Known(t.Context(), theirs.Session.ID, ""); err != nil || len(names) > 0 {
			t.Errorf("somebody is known who was deleted: %q, %v", names, err)
		}
	})
}
