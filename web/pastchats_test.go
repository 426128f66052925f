package web

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"

	"centrala/acd"
	"centrala/chat"
	"centrala/internal/accounts"
	"centrala/internal/journal"
	"centrala/queuegroups"
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

// R73: a chat that has ended is rated by those who may see it and supervise it, as one that goes on: not by who had it
// last, nor by those who may not see it, nor once what was written is gone.
func TestR73_RatesPastChat(t *testing.T) {
	r, _ := newChatRig(t)
	was := func(id acd.InteractionID, kind string, leg acd.LegID, agent queuegroups.AgentID) journal.Interaction {
		return journal.Interaction{
			ID: id, Kind: kind, Direction: journal.DirectionIn, Number: "website", Caller: "jan", FirstGroup: "channel:website", LastGroup: "channel:website",
			Arrived: 10, Ended: 20, End: acd.CompletedByAgent, Leg: leg, ByAgent: agent,
		}
	}
	rows := journal.Rows{
		Interactions: []journal.Interaction{was(9001, journal.KindChat, "chat-1", "anna"), was(9002, journal.KindCall, "call-1", "anna"), was(9003, journal.KindChat, "gone", "anna")},
		Talks:        []journal.Talk{{Interaction: 9001, N: 1, Agent: "bartek", Began: 11, Ended: 12}, {Interaction: 9001, N: 2, Agent: "anna", Began: 12, Ended: 20}},
	}
	if err := r.record.d.Write(t.Context(), func(tx *sql.Tx) error { return rows.Insert(t.Context(), tx, r.record.d.Mark) }); err != nil {
		t.Fatal(err)
	}
	boss := builtin(t, queuegroups.RoleAdministrator)
	r.accounts.sessions["chief-anna"] = &accounts.Caller{Name: "chief-anna", Agent: "anna", Role: boss, Session: "s8"}
	r.accounts.sessions["live"] = &accounts.Caller{Name: "live", Role: boss.Narrowed([]queuegroups.Right{queuegroups.RightInteractionsRead, queuegroups.RightInteractionsWrite}, nil), Session: "s9"}
	rating := map[string]any{"score": 4, "comment": "friendly"}
	for _, x := range []struct {
		who, id string
		body    map[string]any
		status  int
		code    string
	}{
		{"anna", "9001", rating, 403, codeForbidden},       // who had it last
		{"bartek", "9001", rating, 403, codeForbidden},     // who had it before, and sees it for that alone
		{"chief-anna", "9001", rating, 403, codeForbidden}, // the last one of it, however far their rights reach
		{"celina", "9001", rating, 404, codeNotFound},
		{"support", "9001", rating, 404, codeNotFound},
		{"live", "9001", rating, 404, codeNotFound}, // whose rights do not have the history
		{"nobody", "9001", rating, 401, codeNotSignedIn},
		{"boss", "9001", map[string]any{"score": 6}, 422, codeInvalid},
		{"boss", "9001", map[string]any{"score": 0}, 422, codeInvalid},
		{"boss", "9001", map[string]any{"score": 4, "comment": strings.Repeat("x", 2001)}, 422, codeInvalid},
		{"boss", "9002", rating, 409, codeOnlyForChats},
		{"boss", "9003", rating, 404, codeNotFound},
		{"boss", "9999", rating, 404, codeNotFound},
	} {
		r.want(r.as(x.who, "POST", "/interactions/"+x.id+"/rating", x.body), x.status, x.code)
	}
	if len(r.chats.ratings) > 0 {
		t.Errorf("%+v", r.chats.ratings)
	}
	before := len(r.accounts.audited())
	r.want(r.as("boss", "POST", "/interactions/9001/rating", rating), 204, "")
	if got := r.chats.ratings; len(got) != 1 || got[0] != (chat.Rating{Session: "chat-1", Who: "user:boss", Score: 4, Comment: "friendly"}) {
		t.Errorf("%+v", got)
	}
	if e := r.accounts.audited(); len(e) != before+1 || e[before].Who != "boss" || e[before].What != "rate-chat" || e[before].Target != "interactions/9001/rating" {
		t.Errorf("%+v", e[before:])
	}
}
