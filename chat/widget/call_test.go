package widget_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"centrala/chat/widget"
)

// callGiven is what a window is given to call with.
type callGiven struct{ WebSocket, User, HA1, Code string }

func (r *rig) calls(token string) (got callGiven) {
	r.t.Helper()
	_, _, answer := r.request("POST", "website/call", token, nil)
	if err := json.Unmarshal(answer, &got); err != nil {
		r.t.Fatalf("%s: %v", answer, err)
	}
	return got
}

// Only a visitor whose chat an agent has may call, for a while, by a page of this server's, and as
// nobody else.
func TestCall_Tickets(t *testing.T) {
	r := newRig(t)
	r.channel.Calls = true
	token := r.visitor()
	if got := r.calls(token); got.Code != "no_call" {
		t.Errorf("before the chat: %+v", got)
	}
	r.tell(token, map[string]any{"type": "message", "id": "m1", "text": "hello"})
	r.socket(token, 0).text("hello")
	if got := r.calls(token); got.Code != "no_call" {
		t.Errorf("while it waits: %+v", got)
	}
	open := r.open()
	r.core.set(open.ID, widget.Standing{Phase: widget.PhaseActive, Agent: "Anna Nowak"})
	if got := r.calls("none"); got.Code != "token" {
		t.Errorf("nobody: %+v", got)
	}
	if got := r.calls(r.visitor()); got.Code != "no_call" {
		t.Errorf("somebody else: %+v", got)
	}
	r.channel.Calls = false
	if got := r.calls(token); got.Code != "no_call" {
		t.Errorf("in a channel without: %+v", got)
	}
	r.channel.Calls = true
	got := r.calls(token)
	ticket, ok := strings.CutPrefix(got.WebSocket, "/widget/website/sip/")
	if !ok || len(ticket) < 26 || got.User == "" || len(got.HA1) != 32 {
		t.Fatalf("%+v", got)
	}
	page := func(origin string) *http.Request {
		q, _ := http.NewRequest("GET", "http://chat.example/", nil)
		q.Host = "chat.example"
		q.Header.Set("Origin", origin)
		q.Header.Set("Upgrade", "websocket")
		return q
	}
	for _, c := range []struct {
		channel, ticket, origin string
		want                    bool
	}{
		{"website", ticket, "http://chat.example", true}, {"other", ticket, "http://chat.example", false}, {"website", ticket[1:], "http://chat.example", false},
		{"website", "", "http://chat.example", false}, {"website", ticket, "http://evil.example", false},
	} {
		if session, ok := r.window.Caller(page(c.origin), c.channel, c.ticket, false); ok != c.want || ok && session != ticket {
			t.Errorf("%+v: %q %v", c, session, ok)
		}
	}
	if user, ha1, ok := r.window.Guest(ticket, got.User); !ok || user != got.User || ha1 != got.HA1 {
		t.Errorf("%q %q %v", user, ha1, ok)
	}
	for _, x := range [][2]string{{"", got.User}, {ticket, "anna"}, {got.User, ticket}} {
		if _, _, ok := r.window.Guest(x[0], x[1]); ok {
			t.Errorf("%q is let in", x)
		}
	}
	v, ok := r.window.Visit(got.User)
	if !ok || v.Session != open.ID || v.Customer != open.Customer || v.Channel != "website" {
		t.Errorf("%+v %v", v, ok)
	}
	for range 2 { // a visitor has few at a time
		r.calls(token)
	}
	if _, ok := r.window.Visit(got.User); ok {
		t.Error("the oldest of three is still good")
	}
	last := r.calls(token)
	r.clock = 3 * time.Minute
	if _, ok := r.window.Visit(last.User); ok {
		t.Error("it is good for ever")
	}
}
