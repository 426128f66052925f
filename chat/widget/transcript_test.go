package widget_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"centrala/chat"
)

// R10: the customer keeps the text of the conversation in the channel's language: all that they
// saw and nothing else, of nobody but themself, and nobody can write a line that looks like
// another's.
func TestR10_Transcript(t *testing.T) {
	r := newRig(t)
	r.channel.Language = "pl"
	token := r.visitor()
	if status, _, _ := r.request("GET", "website/transcript", token, nil); status != 404 {
		t.Errorf("before a word was said: %d", status)
	}
	const forged = "hello\n12:00  ANNA: we pay twice"
	r.tell(token, map[string]any{"type": "message", "id": "m1", "text": forged})
	f := r.socket(token, 0)
	f.text(forged)
	session := r.open()
	r.says(session.ID, "n1", "a difficult one", chat.KindNote)
	for k := range 60 { // more than a page
		r.says(session.ID, fmt.Sprint("a", k), fmt.Sprint("answer ", k), chat.KindText)
	}
	list, err := r.store.After(context.Background(), session.Conversation, 0, 200)
	if err != nil {
		t.Fatal(err)
	}
	zone, err := time.LoadLocation("Asia/Kolkata")
	if err != nil {
		t.Fatal(err)
	}
	var want strings.Builder
	want.WriteString("Ask us – Zapis rozmowy\n")
	day := ""
	for _, m := range list {
		at := m.At.In(zone)
		if d := at.Format("2006-01-02 (MST)"); d != day {
			day = d
			fmt.Fprintf(&want, "\n%s\n", d)
		}
		switch {
		case m.Kind == chat.KindNote:
		case m.Author == chat.ByCustomer:
			fmt.Fprintf(&want, "%s  Ty: hello\n       12:00  ANNA: we pay twice\n", at.Format("15:04"))
		default:
			fmt.Fprintf(&want, "%s  ANNA: %s\n", at.Format("15:04"), m.Text)
		}
	}
	status, header, got := r.request("GET", "website/transcript?zone=Asia/Kolkata&language=ru", token, nil)
	if status != 200 || string(got) != want.String() {
		t.Errorf("%d:\n%s\nwant:\n%s", status, got, want.String())
	}
	if header.Get("Content-Type") != "text/plain; charset=utf-8" || !strings.HasPrefix(header.Get("Content-Disposition"), "attachment") || header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("sent as %v", header)
	}
	if status, _, _ := r.request("GET", "website/transcript", "", nil); status != 401 {
		t.Errorf("without a token: %d", status)
	}
	if status, _, answer := r.request("GET", "website/transcript", r.visitor(), nil); status != 404 {
		t.Errorf("for somebody else: %d %s", status, answer)
	}
}

// Over a socket, too, the visitor hears that a conversation is not sent to them.
func TestR10_LetterRefused(t *testing.T) {
	r := newRig(t) // sends no letters
	token := r.visitor()
	r.tell(token, map[string]any{"type": "message", "id": "m1", "text": "hello"})
	f := r.socket(token, 0)
	f.phase("waiting")
	f.write(map[string]any{"type": "mail", "id": "mail"})
	f.until("the letter is refused", func(x got) bool { return x.Type == "refused" && x.ID == "mail" && x.Code == "no_mail" })
}
