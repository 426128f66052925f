package widget_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"centrala/chat"
	"centrala/chat/widget"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.Cleanup(func(int) { http.DefaultClient.CloseIdleConnections() }))
}

// A visitor writes, waits, is answered, rates and comes again, over each of the ways there are:
// nothing comes twice, notes do not come at all, and whoever was away is sent what they missed.
func TestWays(t *testing.T) {
	for name, connect := range map[string]func(*rig, string, int64) *follower{"socket": (*rig).socket, "stream": (*rig).stream, "poll": (*rig).poll} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			token := r.visitor()
			f := connect(r, token, -1)
			f.phase("none")
			for range 2 { // told again, it is one message
				f.write(map[string]any{"type": "message", "id": "m1", "text": "hello"})
			}
			m := f.text("hello")
			if m.Items[0].ID != "m1" || m.Items[0].By != "customer" || m.To != 1 {
				t.Errorf("%+v", m)
			}
			f.until("its place in the queue", func(x got) bool { return x.Phase == "waiting" && x.Position == 1 })
			id := r.open().ID
			r.core.set(id, widget.Standing{Phase: widget.PhaseWaiting, Position: 1, Wait: 61 * time.Second})
			f.until("expected wait", func(x got) bool { return x.Minutes == 2 })
			r.core.set(id, widget.Standing{Phase: widget.PhaseActive, Agent: "anna", Beside: "bartek\njan\n"})
			if x := f.phase("active"); x.Agent != "ANNA" || x.Beside != "BARTEK" {
				t.Errorf("%+v", x)
			}
			r.hub.Typing(r.open().Conversation, chat.ByAgent, "anna")
			f.until("the agent's typing", func(x got) bool { return x.Type == "typing" && x.Name == "ANNA" })
			r.hub.Typing(r.open().Conversation, chat.ByAgent, "bartek") // who joined her
			f.until("the supervisor's typing", func(x got) bool { return x.Type == "typing" && x.Name == "BARTEK" })
			r.says(id, "a1", "among us", chat.KindNote)
			r.says(id, "a2", "hi", chat.KindText)
			r.says(id, "a2", "hi", chat.KindText)
			m = f.text("hi")
			if m.Items[0].Name != "ANNA" || m.Items[0].Title != "Sales of website" || m.Items[0].Face != "face1" || m.To != 3 || m.Items[0].Seq != 3 {
				t.Errorf("%+v", m)
			}
			f.write(map[string]any{"type": "typing"})
			f.write(map[string]any{"type": "read", "seq": 3})
			eventually(t, "it is known what was read", func() bool {
				x, err := r.store.Conversation(context.Background(), r.open().Conversation)
				return err == nil && x.ReadCustomer == 3 && len(r.hub.Typed(x.ID, chat.ByCustomer)) == 1
			})
			f.close()
			r.says(id, "a3", "still there?", chat.KindText)
			r.says(id, "a4", "never mind", chat.KindText)
			f = connect(r, token, 3)
			if m = f.text("never mind"); len(m.Items) != 2 || m.Items[0].Text != "still there?" {
				t.Errorf("what was missed: %+v", m)
			}
			f.write(map[string]any{"type": "close"})
			if x := f.phase("closed"); !x.Rate || x.Session != string(id) {
				t.Errorf("%+v", x)
			}
			f.write(map[string]any{"type": "rate", "session": string(id), "score": 5, "comment": "thanks"})
			f.until("rated", func(x got) bool { return x.Type == "state" && !x.Rate })
			if list, err := r.store.Ratings(context.Background(), id); err != nil || len(list) != 1 || list[0].Score != 5 || list[0].Who != "customer" { // R71
				t.Errorf("%v %v", list, err)
			}
			f.write(map[string]any{"type": "message", "id": "m2", "text": "one more thing"})
			f.text("one more thing")
			if again := r.open().ID; again == id {
				t.Error("a closed session goes on")
			}
		})
	}
}

// Of a long conversation a new window is sent the newest, and the rest when it asks; one that
// has more than there is begins anew; a second tab sees what is written in the first.
func TestResume(t *testing.T) {
	r := newRig(t)
	token := r.visitor()
	f := r.socket(token, -1)
	tab := r.socket(token, -1)
	f.phase("none")
	tab.phase("none")
	f.write(map[string]any{"type": "message", "id": "m1", "text": "hello"})
	tab.text("hello")
	id := r.open().ID
	for k := range 60 {
		r.says(id, fmt.Sprint("a", k), fmt.Sprint("line ", k), chat.KindText)
	}
	f.text("line 59")
	fresh := r.socket(token, -1)
	m := fresh.until("the newest", func(x got) bool { return x.Type == "messages" })
	if len(m.Items) != 50 || !m.More || m.Items[0].Seq != 12 {
		t.Errorf("%d from %d", len(m.Items), m.Items[0].Seq)
	}
	status, _, answer := r.request("GET", "website/earlier?before=12", token, nil)
	var earlier got
	if err := json.Unmarshal(answer, &earlier); err != nil || status != 200 || len(earlier.Items) != 11 || earlier.More || earlier.Items[0].Text != "hello" {
		t.Errorf("%d %s", status, answer)
	}
	ahead := r.socket(token, 1000)
	if m := ahead.until("a reset", func(x got) bool { return x.Type == "messages" }); !m.Reset || m.To != 61 {
		t.Errorf("%+v", m)
	}
}

// R63: nothing is taken before it was agreed to the text, nor without what the form asks for; it
// is recorded which version, when, and from where. Another version is asked for again.
func TestR63_ConsentAndForm(t *testing.T) {
	r := newRig(t)
	r.channel.Consent = widget.Text{Version: "1", Text: "I agree."}
	r.channel.Form = []string{"name", "email"}
	_, s := r.session(nil)
	if s.Consent == nil || s.Consent.Version != "1" || len(s.Form) != 2 {
		t.Errorf("%+v", s)
	}
	said := map[string]any{"type": "message", "id": "m1", "text": "hello"}
	form := map[string]string{"name": "Jan <b>", "email": "jan@example.com"}
	for _, c := range []struct {
		consent string
		form    map[string]string
		want    string
	}{
		{"", form, "consent"}, {"0", form, "consent"}, {"1", nil, "form"}, {"1", map[string]string{"name": "Jan"}, "form"},
		{"1", map[string]string{"name": "Jan", "email": "nowhere"}, "form"}, {"1", map[string]string{"name": "a\x00b", "email": "jan@example.com"}, "form"},
		{"1", form, ""},
	} {
		said["consent"], said["form"] = c.consent, c.form
		if code := r.tell(s.Token, said); code != c.want {
			t.Errorf("%q %v: %q, want %q", c.consent, c.form, code, c.want)
		}
	}
	r.socket(s.Token, 0).text("hello")
	x, err := r.store.Conversation(context.Background(), r.open().Conversation)
	if err != nil || x.Contact.Name != "Jan <b>" || x.Contact.Details.Email != "jan@example.com" || x.Verified {
		t.Errorf("%+v %v", x, err)
	}
	list, err := r.store.Consents(context.Background(), x.ID)
	if err != nil || len(list) != 1 || list[0].Version != "1" || list[0].Address != "192.0.2.1" || list[0].At.IsZero() {
		t.Errorf("%+v %v", list, err)
	}
	if _, again := r.session(map[string]string{"token": s.Token}); again.Consent != nil || len(again.Form) != 0 || !again.Begun {
		t.Errorf("%+v", again)
	}
	if code := r.tell(s.Token, map[string]any{"type": "message", "id": "m2", "text": "more"}); code != "" {
		t.Error(code)
	}
	r.channel.Consent.Version = "2"
	if code := r.tell(s.Token, map[string]any{"type": "message", "id": "m3", "text": "more"}); code != "consent" {
		t.Errorf("after the text changed: %q", code)
	}
}

// R72: where the channel says so the rating ends a session that awaits it; one that goes on is not rated.
func TestR72_RatingCloses(t *testing.T) {
	r := newRig(t)
	r.channel.RatingCloses = true
	token := r.visitor()
	r.tell(token, map[string]any{"type": "message", "id": "m1", "text": "hello"})
	f := r.socket(token, 0)
	f.phase("waiting")
	id := r.open().ID
	rate := map[string]any{"type": "rate", "session": string(id), "score": 2}
	if code := r.tell(token, rate); code != "not_ratable" {
		t.Errorf("while it goes on: %q", code)
	}
	r.core.set(id, widget.Standing{Phase: widget.PhaseClosing})
	f.phase("closing")
	for _, bad := range []map[string]any{{"type": "rate", "score": 6}, {"type": "rate", "score": 0}, {"type": "rate", "score": 5, "session": "chat-other"}, {"type": "rate", "score": 5, "comment": strings.Repeat("x", 2001)}} {
		if code := r.tell(token, bad); code != "not_ratable" {
			t.Errorf("%v: %q", bad, code)
		}
	}
	if code := r.tell(token, rate); code != "" {
		t.Error(code)
	}
	f.phase("closed")
}

// A channel that is declared otherwise is so for windows that are open, too.
func TestDeclaredAnew(t *testing.T) {
	r := newRig(t)
	token := r.visitor()
	f := r.socket(token, 0)
	f.write(map[string]any{"type": "message", "id": "m1", "text": "hello"})
	f.phase("waiting")
	id := r.open().ID
	anew := *r.channel
	anew.Rating = false
	r.anew.Store(&anew)
	r.core.set(id, widget.Standing{Phase: widget.PhaseClosing})
	if x := f.phase("closing"); x.Rate {
		t.Error("they are asked for a rating")
	}
	required := anew
	required.Identified = true
	r.anew.Store(&required)
	f.write(map[string]any{"type": "message", "id": "m2", "text": "more"})
	f.until("who they are is asked for", func(x got) bool { return x.Type == "refused" && x.ID == "m2" && x.Code == "identity" })
}

// R66: a chat that was closed awaits another message, with which it goes on; then the visitor can close it once more.
func TestR66_ClosedAgain(t *testing.T) {
	r := newRig(t)
	r.core.end = func(id chat.SessionID) { r.core.set(id, widget.Standing{Phase: widget.PhaseClosing}) }
	token := r.visitor()
	r.tell(token, map[string]any{"type": "message", "id": "m1", "text": "hello"})
	f := r.socket(token, 0)
	f.phase("waiting")
	id := r.open().ID
	for _, more := range []string{"one more thing", "and another"} {
		f.write(map[string]any{"type": "close", "id": "close"})
		f.phase("closing")
		r.tell(token, map[string]any{"type": "message", "id": more, "text": more})
		f.text(more)
		r.core.set(id, widget.Standing{Phase: widget.PhaseActive, Agent: "anna"})
		f.phase("active")
	}
}

// R61, R62: outside the hours the window is told so, and when they begin, and takes messages all the same.
func TestR62_Hours(t *testing.T) {
	r := newRig(t)
	opens := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	r.channel.Hours = func(time.Time) (bool, time.Time) { return false, opens }
	token := r.visitor()
	f := r.socket(token, -1)
	f.phase("none")
	_, _, answer := r.request("GET", "website/poll?since=-1", token, nil)
	if !strings.Contains(string(answer), `"open":false`) || !strings.Contains(string(answer), "2026-11-23T08:00:00Z") {
		t.Errorf("%s", answer)
	}
	f.write(map[string]any{"type": "message", "id": "m1", "text": "hello"})
	f.text("hello")
}

func eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !is(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("never: " + what)
		}
	}
}

// A window that asks again and again is answered when there is something new for it, and only
// with that: not again with how things stand, nor that the agent types, which it knows.
func TestPoll_WaitsForNews(t *testing.T) {
	r := newRig(t)
	token := r.visitor()
	r.tell(token, map[string]any{"type": "message", "id": "m1", "text": "hello"})
	f := r.socket(token, 0)
	f.text("hello")
	f.close()
	open := r.open()
	r.core.set(open.ID, widget.Standing{Phase: widget.PhaseActive, Agent: "anna"})
	r.hub.Typing(open.Conversation, chat.ByAgent, "anna")
	var page struct {
		Frames []got
		State  string
		Since  int64
	}
	ask := func(path string) {
		status, _, answer := r.request("GET", "website/poll?"+path, token, nil)
		page.Frames = nil
		if err := json.Unmarshal(answer, &page); err != nil || status != 200 {
			t.Fatalf("%d %s: %v", status, answer, err)
		}
	}
	ask("since=-1")
	if len(page.Frames) < 2 { // the message, how it stands, the typing unless this takes seconds
		t.Fatalf("%+v", page.Frames)
	}
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		ask(fmt.Sprintf("since=%d&state=%s", page.Since, page.State))
	}()
	r.says(open.ID, "a1", "hi", chat.KindText)
	<-answered
	if len(page.Frames) != 1 || page.Frames[0].Type != "messages" || page.Frames[0].Items[0].Text != "hi" {
		t.Errorf("%+v", page.Frames)
	}
	ask("since=2&state=made-up") // whoever knows nothing is told all
	if len(page.Frames) != 1 || page.Frames[0].Type != "state" {
		t.Errorf("%+v", page.Frames)
	}
}

// A window's WebSocket ends when the server stops, which waits for it; the one that comes then is told the
// same as before.
func TestStop_EndsWindows(t *testing.T) {
	r := newRig(t)
	token := r.visitor()
	w := r.socket(token, -1)
	w.phase("none")
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		r.window.Stop()
	}()
	select {
	case <-stopped:
	case <-time.After(patience):
		t.Fatal("the server waits for a window that is open")
	}
	for range w.more { // until it has ended
	}
	r.restart()
	again := r.socket(token, -1)
	again.phase("none")
}
