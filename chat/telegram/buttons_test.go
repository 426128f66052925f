package telegram_test

import (
	"context"
	"slices"
	"testing"

	"centrala/chat"
	"centrala/internal/botserver"
	"centrala/internal/journal/db/dbtest"
)

// menu is a bot with two choices: after the first it asks again, the second hands over.
type menu [2]string

func (m menu) Answer(_ context.Context, a chat.Asked) (r chat.Reply, err error) {
	switch {
	case a.State != "" && a.Message.Text == m[1]:
		return chat.Reply{HandOver: true}, nil
	case a.State != "" && a.Message.Text == "1":
		r.Texts = []string{"So long."}
	}
	r.Texts = append(r.Texts, "How can we help?"+chat.Numbered(m[:]))
	r.Choices, r.State = m[:], "asked"
	return r, nil
}

// The bot's menu has buttons, each of which says what the customer would write, and is
// answered; so has the question what they think of the chat (R71, R74). That opens no new
// chat (P13), and nobody rates a chat that is not theirs (P15).
func TestButtons(t *testing.T) {
	x := newDesk(t, dbtest.Open(t, dbtest.SQLite(t)), "")
	x.stop()
	long := "A choice with a name that is longer than what the data of a button may be, 64 bytes"
	x.menu = menu{long, "Talk to us"}
	x.rating = "How was it?"
	x.start(token)
	x.api.Write(7, "Ewa", "hello", nil)
	asked := x.api.Sent(1, patience)[0]
	want := [][]botserver.Key{{{Text: long, Data: "1"}}, {{Text: "Talk to us", Data: "Talk to us"}}}
	if asked.Text != "How can we help?" || !slices.EqualFunc(asked.Keys, want, slices.Equal) {
		t.Errorf("asked %+v", asked)
	}
	x.api.Press(7, "Ewa", "1", asked.ID)
	if said := x.api.Sent(3, patience); len(said) != 3 || said[1].Text != "So long." || said[1].Keys != nil || !slices.EqualFunc(said[2].Keys, want, slices.Equal) {
		t.Fatalf("said %+v", said)
	}
	x.api.Press(7, "Ewa", "Talk to us", asked.ID)
	x.eventually("it is handed over", func() bool {
		s, err := x.store.OpenOf(t.Context(), "tg", "7")
		return err == nil && !s.Bot.Has
	})
	session, err := x.store.OpenOf(t.Context(), "tg", "7")
	if err != nil {
		t.Fatal(err)
	}
	x.hub.Tell(session.ID, "t1", chat.NoticeAutoClosed) // nobody has answered: nothing is asked
	x.say("7", "a1", "hi")
	x.api.Write(8, "Jan", "hello", nil) // another one, who is to rate nothing of hers
	x.hub.Tell(session.ID, "t2", chat.NoticeEnded)
	x.hub.End(session.ID)
	sent := x.api.Sent(6, patience)
	k := slices.IndexFunc(sent, func(s botserver.Sent) bool { return s.Text == "How was it?" })
	if len(sent) != 6 || k < 0 || len(sent[k].Keys) != 1 || len(sent[k].Keys[0]) != 5 || sent[k].Keys[0][3].Text != "4 ★" || sent[k].Chat != 7 {
		t.Fatalf("sent %+v", sent)
	}
	four := sent[k].Keys[0][3].Data
	x.api.Press(8, "Jan", chat.RatingData(session.ID, 1), sent[k].ID)
	x.api.Press(7, "Ewa", four, sent[k].ID)
	x.eventually("she has rated", func() bool {
		list, err := x.store.Ratings(t.Context(), session.ID)
		return err == nil && len(list) == 1 && list[0].Score == 4 && list[0].Who == "customer"
	})
	x.eventually("all buttons are answered", func() bool { return x.api.Unanswered() == 0 && x.api.Pending() == 0 })
	x.eventually("nothing is left to be dealt with", func() bool { left, err := x.store.Left(t.Context()); return err == nil && len(left) == 0 })
	if list, err := x.store.Ratings(t.Context(), session.ID); err != nil || len(list) != 1 || list[0].Score != 4 {
		t.Errorf("rated %+v, %v", list, err)
	}
	if _, err := x.store.OpenOf(t.Context(), "tg", "7"); err == nil {
		t.Error("a rating began a chat")
	}
}

// What a customer edits is linked to what they wrote, and to nothing of another's.
func TestEdits(t *testing.T) {
	x := newDesk(t, dbtest.Open(t, dbtest.SQLite(t)), "")
	x.api.Write(7, "Ewa", "one", nil)
	id := x.api.Write(7, "Ewa", "tow", nil)
	x.api.Edit(7, "Ewa", "two", id)
	x.api.Edit(7, "Ewa", "of long ago", 1)
	list := x.messages("7", 4)
	var corrects []int64
	for _, m := range list {
		corrects = append(corrects, m.Corrects)
	}
	if want := []int64{0, 0, 2, 1}; !slices.Equal(corrects, want) {
		t.Errorf("%q correct %v, want %v", texts(list), corrects, want)
	}
	x.api.Edit(8, "Jan", "not hers", id)
	if list := x.messages("8", 1); list[0].Corrects != 0 {
		t.Errorf("%+v", list[0])
	}
}

// A customer shares their number by a button, and is known by it from then on; nobody is by
// that of another (R57, P15).
func TestR57_SharesTheirNumber(t *testing.T) {
	x := newDesk(t, dbtest.Open(t, dbtest.SQLite(t)), "")
	x.stop()
	x.first, x.share = "Welcome!", "Share my number"
	x.start(token)
	contact := func(user int64) map[string]any {
		return map[string]any{"contact": map[string]any{"phone_number": "48601234567", "first_name": "Ewa", "user_id": user}}
	}
	x.api.Write(8, "Jan", "", contact(7)) // hers
	if sent := x.api.Sent(1, patience); sent[0].Asks != "Share my number" || sent[0].Text != "Welcome!" || sent[0].Keys != nil {
		t.Errorf("sent %+v", sent)
	}
	known := func() []string {
		names, err := x.store.Known(t.Context(), "", "+48601234567")
		if err != nil {
			t.Fatal(err)
		}
		return names
	}
	x.messages("8", 2)
	if names := known(); len(names) > 0 {
		t.Errorf("by the number of another %q are known", names)
	}
	x.api.Write(7, "Ewa", "", contact(7))
	x.messages("7", 2)
	if names := known(); !slices.Equal(names, []string{"+48601234567", "7"}) {
		t.Errorf("known as %q", names)
	}
	s, err := x.store.OpenOf(t.Context(), "tg", "7")
	if err != nil {
		t.Fatal(err)
	}
	x.hub.End(s.ID)
	x.eventually("it is over", func() bool { _, err := x.store.OpenOf(t.Context(), "tg", "7"); return err != nil })
	x.api.Write(7, "Ewa", "me again", nil)
	if sent := x.api.Sent(3, patience); len(sent) != 3 || sent[2].Chat != 7 || sent[2].Asks != "" {
		t.Errorf("asked again: %+v", sent)
	}
}
