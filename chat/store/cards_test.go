package store_test

import (
	"slices"
	"testing"

	"centrala/chat"
	"centrala/chat/store"
)

// contactOf is whose a conversation is.
func contactOf(t testing.TB, s *store.Store, x chat.Taken) chat.Contact {
	t.Helper()
	c, err := s.Conversation(t.Context(), x.Message.Conversation)
	if err != nil {
		t.Fatal(err)
	}
	return c.Contact
}

// R57: for whom somebody vouches in one channel is the same in another, by telephone or
// e-mail however it is written, and has one card with what both knew. Their own words
// make nobody somebody else (P15), nor does a telephone that two share whom a channel
// tells apart.
func TestR57_OneCardOverChannels(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		n := 0
		writes := func(channel, customer string, verified bool, told, vouched chat.Details) chat.Taken {
			n++
			in := incoming(n)
			in.Channel, in.Customer, in.Verified, in.Details, in.Vouched = channel, customer, verified, told, vouched
			return take(t, s, in)
		}
		phone := chat.Details{Phone: "+48 601 234-567"}
		telegram := writes("telegram", "77", true, phone, phone)
		forged := writes("website", "visitor:x", false, phone, chat.Details{})
		if contactOf(t, s, forged).ID == contactOf(t, s, telegram).ID {
			t.Error("by their own word they are somebody else")
		}
		both := chat.Details{Phone: "0048601234567", Email: "Jan@Example.com"}
		site := writes("website", "customer:4711", true, both, both)
		if a, b := contactOf(t, s, site), contactOf(t, s, telegram); a.ID != b.ID || a.Details.Email != "Jan@Example.com" {
			t.Errorf("one customer has the cards %+v and %+v", a, b)
		}
		mail := chat.Details{Email: "jan@example.COM"}
		if shop := writes("shop", "9", true, mail, mail); contactOf(t, s, shop).ID != contactOf(t, s, site).ID {
			t.Error("not known by their e-mail")
		}
		wife := writes("website", "customer:4712", true, phone, phone)
		if contactOf(t, s, wife).ID == contactOf(t, s, site).ID {
			t.Error("two customers of one site are one")
		}
		local := chat.Details{Phone: "601 234 567"}
		if other := writes("other", "1", true, local, local); contactOf(t, s, other).ID == contactOf(t, s, wife).ID {
			t.Error("a number without its country is somebody's")
		}
		names, err := s.Known(t.Context(), site.Session.ID, "")
		if want := []string{"77", "9", "customer:4711"}; err != nil || !slices.Equal(names, want) {
			t.Errorf("known as %q, %v; want %q", names, err, want)
		}
		names, err = s.Known(t.Context(), "call-1", "+48601234567")
		if want := []string{"+48601234567", "customer:4712"}; err != nil || !slices.Equal(names, want) {
			t.Errorf("by their telephone known as %q, %v; want %q: the newest word", names, err, want)
		}
	})
}

// R60: who takes a customer's first chat is responsible, and stays so unless it is said anew.
// Of two cards that become one the older one's stays.
func TestR60_Responsible(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		first := take(t, s, incoming(1))
		is := func(want string) {
			t.Helper()
			if x, err := s.Session(t.Context(), first.Session.ID); err != nil || x.Responsible != want {
				t.Errorf("responsible is %q, %v; want %q", x.Responsible, err, want)
			}
		}
		index := uint64(10)
		accepted := func(x chat.Taken, agent string, anew bool) {
			t.Helper()
			index++
			if err := s.Accepted(t.Context(), x.Session.ID, []chat.Take{{Index: index, Agent: agent, Anew: anew}}); err != nil {
				t.Fatal(err)
			}
		}
		is("")
		accepted(first, "anna", false)
		accepted(first, "bartek", false)
		is("anna")
		accepted(first, "celina", true)
		is("celina")
		if err := s.Accepted(t.Context(), first.Session.ID, []chat.Take{{Index: 1, Agent: "anna", Anew: true}, {Index: index, Agent: "anna", Anew: true}}); err != nil {
			t.Fatal(err)
		}
		is("celina") // that was noted before
		in := incoming(2)
		in.Customer, in.Channel = "9", "shop"
		other := take(t, s, in)
		accepted(other, "dorota", false)
		for k, of := range []chat.Incoming{incoming(3), in} {
			of.External, of.Vouched = "v"+string(rune('0'+k)), chat.Details{Email: "jan@example.com"}
			take(t, s, of)
		}
		is("celina")
		if x, err := s.Session(t.Context(), other.Session.ID); err != nil || x.Responsible != "celina" {
			t.Errorf("responsible in the other channel is %q, %v", x.Responsible, err)
		}
	})
}
