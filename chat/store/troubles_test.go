package store_test

import (
	"context"
	"testing"
	"time"

	"centrala/chat"
	"centrala/chat/store"
)

// What failed, and what is tried again, is told of; what was sent, or waits for its first attempt, is not.
// Of a conversation's sessions each has its own messages.
func TestTroubles(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		first := take(t, s, incoming(1))
		write := func(id string) chat.Message {
			t.Helper()
			m, _, err := s.Write(ctx, chat.Draft{Session: first.Session.ID, Author: chat.ByAgent, Name: "anna", Kind: chat.KindText, Client: id, Text: id})
			if err != nil {
				t.Fatal(err)
			}
			return m
		}
		next := func(do func(o chat.Outgoing) error) {
			t.Helper()
			out, err := s.Outbox(ctx, 10)
			if err != nil || len(out) != 1 {
				t.Fatalf("%+v, %v", out, err)
			}
			if err := s.Trying(ctx, out[0], ""); err != nil {
				t.Fatal(err)
			}
			if err := do(out[0]); err != nil {
				t.Fatal(err)
			}
		}
		wants := func(want ...chat.Trouble) {
			t.Helper()
			got, err := s.Troubles(ctx, first.Message.Conversation, 1)
			if err != nil || len(got) != len(want) {
				t.Fatalf("%+v, %v; want %+v", got, err, want)
			}
			for k := range want {
				if got[k] != want[k] {
					t.Errorf("%+v, want %+v", got[k], want[k])
				}
			}
		}
		write("sent")
		failed, waits := write("fails"), write("waits")
		wants()
		next(func(o chat.Outgoing) error { return s.Sent(context.WithoutCancel(ctx), o, nil) })
		next(func(o chat.Outgoing) error { return s.Failed(ctx, o, "refused") })
		next(func(o chat.Outgoing) error { return s.Later(ctx, o, time.Now()) })
		wants(chat.Trouble{Seq: waits.Seq}, chat.Trouble{Seq: failed.Seq, Failed: true, Reason: "refused"})
		next(func(o chat.Outgoing) error { return s.Sent(ctx, o, nil) })
		wants(chat.Trouble{Seq: failed.Seq, Failed: true, Reason: "refused"})

		if got, err := s.Troubles(ctx, first.Message.Conversation, waits.Seq); err != nil || len(got) != 0 {
			t.Errorf("of what came later %+v, %v", got, err)
		}
		if err := s.Close(ctx, first.Session.ID); err != nil {
			t.Fatal(err)
		}
		second := take(t, s, incoming(2))
		for id, want := range map[chat.SessionID][2]int64{first.Session.ID: {1, waits.Seq}, second.Session.ID: {second.Message.Seq, second.Message.Seq}} {
			list, more, err := s.MessagesOf(ctx, id, 0, 200)
			if err != nil || more || len(list) == 0 || list[0].Seq != want[0] || list[len(list)-1].Seq != want[1] {
				t.Errorf("%s: %+v, %v, %v; want %v", id, list, more, err, want)
			}
		}
		if list, more, err := s.MessagesOf(ctx, first.Session.ID, 1, 2); err != nil || !more || len(list) != 2 || list[0].Seq != 2 {
			t.Errorf("%+v, %v, %v", list, more, err)
		}
	})
}

// Whatever letters others say in why something failed, it is noted that it did.
func TestTold_InWhateverLetters(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		const reason, want = "answered 404 Nicht gef\xfcnden\x00", "answered 404 Nicht gef\ufffdnden"
		x := take(t, s, incoming(1))
		m := say(t, s, x.Session.ID, "c1")
		out, err := s.Outbox(t.Context(), 10)
		if err != nil || len(out) != 1 {
			t.Fatalf("%v %v", out, err)
		}
		if err := s.Failed(t.Context(), out[0], reason); err != nil {
			t.Error(err)
		}
		if list, err := s.Troubles(t.Context(), m.Conversation, 1); err != nil || len(list) != 1 || list[0].Reason != want {
			t.Errorf("%+v %v", list, err)
		}
		letter := chat.Letter{Session: x.Session.ID, Conversation: m.Conversation, Seq: m.Seq, Address: "jan@example.com", MessageID: "m@example.com"}
		if err := s.AddLetter(t.Context(), letter); err != nil {
			t.Fatal(err)
		}
		if letter, err = s.NextLetter(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := s.LetterLater(t.Context(), letter, time.Now().Add(time.Hour), reason); err != nil {
			t.Error(err)
		}
		if state, told, err := s.LetterState(t.Context(), x.Session.ID); state != "waiting" || told != want || err != nil {
			t.Errorf("%s %q %v", state, told, err)
		}
	})
}
