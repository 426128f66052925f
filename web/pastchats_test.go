package web

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"

	"centrala/acd"
	"centrala/chat"
	"centrala/internal/journal"
)

// Of a chat that was, those who may see it read what was written and what was thought of it, and find the call that it
// became, as whoever looks at the call finds the chat.
func TestPastChat(t *testing.T) {
	r, _ := newChatRig(t)
	const group = "channel:website"
	was := func(id acd.InteractionID, kind string, from, to journal.Micros) journal.Interaction {
		return journal.Interaction{
			ID: id, Kind: kind, Direction: journal.DirectionIn, Number: "website", Caller: "jan", FirstGroup: group, LastGroup: group,
			Arrived: from, Ended: to, End: acd.CompletedByAgent, Leg: acd.LegID(fmt.Sprint(kind, "-1")),
		}
	}
	rows := journal.Rows{Interactions: []journal.Interaction{
		was(9001, journal.KindCall, 10, 20), was(9002, journal.KindChat, 1000, 5000), was(9003, journal.KindCall, 2000, 3000), was(9004, journal.KindCall, 6000, 7000),
	}}
	if err := r.record.d.Write(t.Context(), func(tx *sql.Tx) error { return rows.Insert(t.Context(), tx, r.record.d.Mark) }); err != nil {
		t.Fatal(err)
	}
	r.chats.ratings = []chat.Rating{{Who: "customer", Score: 2, Comment: "slow"}, {Who: "user:boss", Score: 5}}
	p := r.as("director", "GET", "/history/9002/chat", nil)
	r.want(p, 200, "")
	x := decode[PastChat](t, p)
	if len(x.Items) != 1 || x.Items[0].Text != "hello" || x.Customer != "jan" || len(x.Ratings) != 2 || x.Ratings[0].By != "" || x.Ratings[0].Comment != "slow" || x.Ratings[1].By != "boss" {
		t.Errorf("%+v", x)
	}
	r.want(r.as("director", "GET", "/history/9003/chat", nil), 409, codeOnlyForChats)
	r.want(r.as("director", "GET", "/history/9999/chat", nil), 404, codeNotFound)
	for _, path := range []string{"/history/9002/chat", "/history/9002/contacts"} {
		r.want(r.as("support", "GET", path, nil), 404, codeNotFound)
		r.want(r.as("anna", "GET", path, nil), 404, codeNotFound) // who had no part in it
	}
	for id, want := range map[int]string{9002: "9003 true;9001 false;", 9003: "9002 true;9001 false;", 9001: "", 9004: "9003 false;9002 false;9001 false;"} {
		got := ""
		for _, c := range decode[Page[PastContact]](t, r.as("boss", "GET", fmt.Sprint("/history/", id, "/contacts"), nil)).Items {
			got += fmt.Sprint(c.ID, " ", c.Together, ";")
		}
		if got != want {
			t.Errorf("with the customer of %d there were %q, want %q", id, got, want)
		}
	}
}

// The files of a chat that was are for those who may read it, as long as they are kept; whoever takes
// one is in the audit log, and nothing of them runs.
func TestPastChat_Files(t *testing.T) {
	r, _ := newChatRig(t)
	const group = "channel:website"
	was := func(id acd.InteractionID, kind string, leg acd.LegID) journal.Interaction {
		return journal.Interaction{
			ID: id, Kind: kind, Direction: journal.DirectionIn, Number: "website", Caller: "jan", FirstGroup: group, LastGroup: group,
			Arrived: 10, Ended: 20, End: acd.CompletedByAgent, Leg: leg,
		}
	}
	rows := journal.Rows{Interactions: []journal.Interaction{was(9001, journal.KindChat, "chat-1"), was(9002, journal.KindChat, "chat-2"), was(9003, journal.KindCall, "call-1")}}
	if err := r.record.d.Write(t.Context(), func(tx *sql.Tx) error { return rows.Insert(t.Context(), tx, r.record.d.Mark) }); err != nil {
		t.Fatal(err)
	}
	a, err := r.chats.Attach(strings.NewReader(`<!doctype html><script>alert(1)</script>`), "x.html")
	if err != nil {
		t.Fatal(err)
	}
	r.chats.list[0].Attachments = []chat.Attachment{a}
	at := "/history/9001/attachments/" + a.ID
	before := len(r.accounts.audited())
	for _, x := range []struct {
		who, path string
		status    int
		code      string
	}{
		{"support", at, 404, codeNotFound},
		{"anna", at, 404, codeNotFound}, // who had no part in it
		{"nobody", at, 401, codeNotSignedIn},
		{"director", "/history/9001/attachments/other", 404, codeNotFound},
		{"director", "/history/9002/attachments/" + a.ID, 404, codeNotFound}, // of another chat
		{"director", "/history/9003/attachments/" + a.ID, 409, codeOnlyForChats},
	} {
		r.want(r.as(x.who, "GET", x.path, nil), x.status, x.code)
	}
	if n := len(r.accounts.audited()); n != before {
		t.Errorf("%d audit entries for what nobody got", n-before)
	}
	p := r.as("director", "GET", at, nil)
	r.want(p, 200, "")
	h := p.header
	if h.Get("Content-Type") != "application/octet-stream" || h.Get("Content-Disposition") != "attachment; filename=x.html" || h.Get("X-Content-Type-Options") != "nosniff" ||
		!strings.Contains(h.Get("Content-Security-Policy"), "sandbox") || !strings.Contains(p.body, "alert(1)") {
		t.Errorf("%v %q", h, p.body)
	}
	if e := r.accounts.audited(); len(e) != before+1 || e[before].What != "get-history-attachment" || e[before].Target != "history/9001/attachments/"+a.ID {
		t.Errorf("%+v", e[before:])
	}
}

// Who has a chat is told which of their messages did not get to the customer, and that nothing does.
func TestChats_Troubles(t *testing.T) {
	r, _ := newChatRig(t)
	r.chats.troubles = []chat.Trouble{{Seq: 3}, {Seq: 2, Failed: true, Reason: "refused"}}
	list := r.mine("anna")
	if len(list) != 1 || fmt.Sprint(list[0].Troubles) != "[{3 delayed } {2 failed refused}]" {
		t.Errorf("%+v", list)
	}
}
