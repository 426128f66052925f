package app

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"centrala/internal/accounts"
	"centrala/internal/mailserver"
	"centrala/queuegroups"
)

// mailbox is a server with a chat window, an agent, and a mail server.
type mailbox struct {
	t     *testing.T
	a     *App
	mail  *mailserver.Server
	start func()
	key   string
	token string
}

func newMailbox(t *testing.T) *mailbox {
	x := &mailbox{t: t, mail: mailserver.New(t, mailserver.Options{})}
	config := webSite(t, `
agents: {anna: {name: Anna Nowak}}
groups: {sales: {agents: [anna]}}
channels: {website: {connector: widget, name: Ask us, agents: [anna], check_availability: false, widget: {language: pl}, texts: {nobody: ""}}}
`)
	before, err := os.ReadFile(config)
	if err == nil {
		err = os.WriteFile(config, append(before, "mail: {server: "+x.mail.URL()+", from: Shop <chat@shop.example>}\n"...), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	x.start = func() {
		t.Helper()
		x.a = started(t, config)
	}
	x.start()
	if x.key, _, err = x.a.accounts.AddKey(t.Context(), accounts.Key{Title: "desk", Owner: "anna", Rights: []queuegroups.Right{queuegroups.RightInteractionsRead, queuegroups.RightInteractionsWrite}}); err != nil {
		t.Fatal(err)
	}
	var given struct{ Token string }
	x.ask("POST", "/widget/website/session", "", map[string]string{}, &given)
	x.token = given.Token
	return x
}

func (x *mailbox) stop() {
	x.t.Helper()
	if err := x.a.Stop(context.WithoutCancel(x.t.Context())); err != nil {
		x.t.Fatal(err)
	}
	http.DefaultClient.CloseIdleConnections()
}

// ask asks the server, and returns the status and the answer.
func (x *mailbox) ask(method, path, bearer string, body, into any) (int, string) {
	x.t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		x.t.Fatal(err)
	}
	at := "http://" + x.a.WebAddr().String()
	req, err := http.NewRequest(method, at+path, bytes.NewReader(text))
	if err != nil {
		x.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if req.Header.Set("Authorization", "Bearer "+bearer); strings.HasPrefix(path, "/widget") {
		req.Header.Set("Origin", at)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		x.t.Fatal(err)
	}
	defer res.Body.Close()
	answer, _ := io.ReadAll(res.Body)
	if into != nil {
		if err := json.Unmarshal(answer, into); err != nil {
			x.t.Fatalf("%s: %v", answer, err)
		}
	}
	return res.StatusCode, string(answer)
}

func (x *mailbox) tells(frame map[string]any) (int, string) {
	x.t.Helper()
	return x.ask("POST", "/widget/website/frames", x.token, frame, nil)
}

// chats has the visitor write, the agent answer if they are to, and close the chat.
func (x *mailbox) chats(id, answer string) {
	x.t.Helper()
	eventually(x.t, "it is taken", func() bool { // a server that has just begun may not have taken chats up yet
		status, said := x.tells(map[string]any{"type": "message", "id": id, "text": "hello " + id, "form": map[string]string{"email": "jan@example.com"}})
		if status != 200 && status != 503 {
			x.t.Fatalf("%d %s", status, said)
		}
		return status == 200
	})
	var page struct {
		Items []struct{ Interaction struct{ ID string } }
	}
	eventually(x.t, "it is offered", func() bool {
		x.ask("GET", "/api/v1/chats", x.key, nil, &page)
		return len(page.Items) == 1
	})
	at := "/api/v1/interactions/" + page.Items[0].Interaction.ID
	for _, step := range []struct {
		path string
		body any
		do   bool
	}{{"/accept", nil, true}, {"/messages", map[string]string{"id": id, "text": answer}, answer != ""}, {"/close", nil, true}} {
		if !step.do {
			continue
		}
		if status, said := x.ask("POST", at+step.path, x.key, step.body, nil); status/100 != 2 {
			x.t.Fatalf("%s: %d %s", step.path, status, said)
		}
	}
	eventually(x.t, "it is over", func() bool { open, err := x.a.chats.Open(x.t.Context()); return err == nil && len(open) == 0 })
}

// offered is the address to which the conversation can be sent, as the window is told.
func (x *mailbox) offered() string {
	x.t.Helper()
	var told struct {
		Frames []struct{ Type, Mail string }
	}
	x.ask("GET", "/widget/website/poll?since=-1", x.token, nil, &told)
	for _, f := range told.Frames {
		if f.Type == "state" {
			return f.Mail
		}
	}
	x.t.Fatalf("no state in %+v", told)
	return ""
}

// A whole server, R10: the customer has the conversation sent to their address, once of every
// chat in which an agent answered. What a mail server refuses for now is sent again under the
// same Message-ID; what it may have taken is not, nor after a restart.
func TestR10_TranscriptByMail(t *testing.T) {
	x := newMailbox(t)
	x.chats("m0", "")
	if to := x.offered(); to != "" {
		t.Errorf("a letter to %s is offered though nobody answered", to)
	}
	if status, said := x.tells(map[string]any{"type": "mail", "id": "l0"}); status != 422 || !strings.Contains(said, "no_mail") {
		t.Errorf("%d %s", status, said)
	}
	x.chats("m1", "hi Jan")
	if to := x.offered(); to != "jan@example.com" {
		t.Errorf("offered to %q", to)
	}
	x.mail.Fail(mailserver.Fault{At: "RCPT", Answer: "451 4.7.1 come back"})
	if status, said := x.tells(map[string]any{"type": "mail", "id": "l1", "zone": "Europe/Warsaw", "language": "en"}); status != 200 {
		t.Fatalf("%d %s", status, said)
	}
	eventually(x.t, "the letter is there", func() bool { return len(x.mail.Taken()) == 1 })
	got := x.mail.Taken()[0]
	if got.To != "jan@example.com" || got.Subject != "Ask us – Zapis rozmowy" || !strings.Contains(got.Text, "Ty: hello m1\r\n") ||
		!strings.Contains(got.Text, "hi Jan\r\n") || !strings.HasSuffix(got.Header.Get("Message-ID"), "@shop.example>") {
		t.Errorf("%+v", got)
	}
	if to := x.offered(); to != "" {
		t.Errorf("offered again to %s", to)
	}
	if status, said := x.tells(map[string]any{"type": "mail", "id": "l2"}); status != 422 {
		t.Errorf("again: %d %s", status, said)
	}
	x.chats("m2", "hi again")
	session := func() (state string) {
		s, err := x.a.chats.LastSession(t.Context(), 1)
		if err == nil {
			state, _, err = x.a.chats.LetterState(t.Context(), s.ID)
		}
		if err != nil {
			t.Fatal(err)
		}
		return state
	}
	x.mail.Fail(mailserver.Fault{At: "."})
	if status, said := x.tells(map[string]any{"type": "mail", "id": "l3"}); status != 200 {
		t.Fatalf("%d %s", status, said)
	}
	eventually(x.t, "nobody knows whether it arrived", func() bool { return session() == "failed" })
	x.stop()
	x.start()
	x.chats("m3", "and again")
	if status, said := x.tells(map[string]any{"type": "mail", "id": "l4"}); status != 200 {
		t.Fatalf("%d %s", status, said)
	}
	eventually(x.t, "what comes after it is sent", func() bool { return session() == "sent" })
	if n := len(x.mail.Taken()); n != 3 {
		t.Errorf("%d letters", n)
	}
	x.stop()
}
