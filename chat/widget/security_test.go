package widget_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

const secret = "0123456789abcdef0123456789abcdef"

// jwt makes a token as sites do.
func jwt(key, header string, claims map[string]any) string {
	body, _ := json.Marshal(claims)
	text := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString(body)
	h := hmac.New(sha256.New, []byte(key))
	h.Write([]byte(text))
	return text + "." + base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

const hs256 = `{"alg":"HS256","typ":"JWT"}`

// Nobody becomes a customer whom the site does not vouch for, by any token that is not signed as
// it should be; and nobody but a customer writes where the channel wants that.
func TestSecurity_IdentityForgery(t *testing.T) {
	r := newRig(t)
	r.channel.Identified = true
	good := map[string]any{"sub": "4711", "exp": time.Now().Add(time.Hour).Unix(), "name": "Jan", "email": "jan@example.com"}
	with := func(k string, v any) map[string]any {
		out := map[string]any{}
		for x, y := range good {
			out[x] = y
		}
		if out[k] = v; v == nil {
			delete(out, k)
		}
		return out
	}
	unsigned := strings.Join(strings.Split(jwt(secret, `{"alg":"none"}`, good), ".")[:2], ".")
	for name, token := range map[string]string{
		"another secret": jwt("another secret that is long enough", hs256, good),
		"no signature":   unsigned + ".", "two parts": unsigned, "alg none, signed": jwt(secret, `{"alg":"none"}`, good),
		"alg RS256": jwt(secret, `{"alg":"RS256"}`, good), "alg hs256": jwt(secret, `{"alg":"hs256"}`, good), "crit": jwt(secret, `{"alg":"HS256","crit":["x"]}`, good),
		"no end": jwt(secret, hs256, with("exp", nil)), "ended": jwt(secret, hs256, with("exp", time.Now().Add(-time.Hour).Unix())),
		"not yet": jwt(secret, hs256, with("nbf", time.Now().Add(time.Hour).Unix())), "nobody": jwt(secret, hs256, with("sub", "")),
		"a long name": jwt(secret, hs256, with("sub", strings.Repeat("x", 300))), "no text": jwt(secret, hs256, with("sub", "a\nb")),
		"padded": jwt(secret, hs256, good) + "=", "garbage": "a.b.c",
	} {
		if status, out := r.session(map[string]string{"identity": token}, "X-From", "2001:db8:"+fmt.Sprintf("%x", len(name))+"::1"); status != 401 || out.Code != "identity" || out.Token != "" {
			t.Errorf("%s: %d %+v", name, status, out)
		}
	}
	if status, out := r.session(nil); status != 401 || out.Code != "identity" {
		t.Errorf("nobody: %d %+v", status, out)
	}
	status, jan := r.session(map[string]string{"identity": jwt(secret, hs256, good)})
	if status != 200 || !jan.Verified {
		t.Fatalf("%d %+v", status, jan)
	}
	if code := r.tell(jan.Token, map[string]any{"type": "message", "id": "m1", "text": "hello", "form": map[string]string{"name": "Somebody Else"}}); code != "" {
		t.Error(code)
	}
	r.socket(jan.Token, 0).text("hello")
	x, err := r.store.Conversation(context.Background(), r.open().Conversation)
	if err != nil || !x.Verified || x.Customer != "customer:4711" || x.Contact.Name != "Jan" || x.Contact.Details.Email != "jan@example.com" {
		t.Errorf("%+v %v", x, err)
	}
	// What the site gets wrong of the address is not the customer's fault.
	// What the site signed the customer is known by in other channels, unless it doubts it itself; what they say themselves they are not (R57, P15).
	known := func(id int64) []string {
		s, err := r.store.LastSession(context.Background(), id)
		if err != nil {
			t.Fatal(err)
		}
		names, err := r.store.Known(context.Background(), s.ID, "")
		if err != nil {
			t.Fatal(err)
		}
		return names
	}
	doubted := map[string]any{"sub": "4713", "exp": time.Now().Add(time.Hour).Unix(), "email": "ola@example.com", "email_verified": false, "phone": "+48601234567"}
	_, doubtful := r.session(map[string]string{"identity": jwt(secret, hs256, doubted)})
	r.tell(doubtful.Token, map[string]any{"type": "message", "id": "d1", "text": "hello"})
	r.socket(doubtful.Token, 0).text("hello")
	if x, err := r.store.ConversationOf(context.Background(), "website", "customer:4713"); err != nil || x.Contact.Details.Email != "" || len(known(x.ID)) != 2 {
		t.Errorf("%+v, %v", x, err)
	}
	_, ola := r.session(map[string]string{"identity": jwt(secret, hs256, map[string]any{"sub": "4712", "exp": time.Now().Add(time.Hour).Unix(), "email": "none"})})
	if code := r.tell(ola.Token, map[string]any{"type": "message", "id": "m1", "text": "hello"}); code != "" {
		t.Errorf("with a wrong e-mail address of the site's: %q", code)
	}
	// A token of before the channel wanted that is of no use any more.
	r.channel.Identified = false
	visitor := r.visitor()
	r.channel.Identified = true
	if code := r.tell(visitor, map[string]any{"type": "message", "id": "m1", "text": "hello"}); code != "identity" {
		t.Errorf("%q", code)
	}
	if status, _, _ := r.request("GET", "website/poll?since=-1", visitor, nil); status != 401 {
		t.Errorf("%d", status)
	}
}

// Where visitors need not be known, a site's word whose time is over leaves them unnamed, and never somebody else; they go
// on as who their own token says. One that is signed wrongly is refused there as well.
func TestSecurity_IdentityOver(t *testing.T) {
	r := newRig(t)
	word := func(sub string, until time.Duration) string {
		return jwt(secret, hs256, map[string]any{"sub": sub, "exp": time.Now().Add(until).Unix()})
	}
	status, unnamed := r.session(map[string]string{"identity": word("4711", -time.Hour)})
	if status != 200 || unnamed.Verified || unnamed.Token == "" {
		t.Fatalf("%d %+v", status, unnamed)
	}
	_, jan := r.session(map[string]string{"identity": word("4711", time.Hour)})
	r.tell(jan.Token, map[string]any{"type": "message", "id": "m1", "text": "hello"})
	r.socket(jan.Token, 0).text("hello")
	if _, again := r.session(map[string]string{"identity": word("4711", -time.Hour), "token": jan.Token}); !again.Verified || !again.Begun {
		t.Errorf("the same customer: %+v", again)
	}
	if _, other := r.session(map[string]string{"identity": word("4712", -time.Hour), "token": jan.Token}); other.Verified || other.Begun {
		t.Errorf("another customer: %+v", other)
	}
	for name, token := range map[string]string{
		"no end":         jwt(secret, hs256, map[string]any{"sub": "4711"}),
		"another secret": jwt("another secret that is long enough", hs256, map[string]any{"sub": "4711", "exp": time.Now().Add(-time.Hour).Unix()}),
	} {
		if status, out := r.session(map[string]string{"identity": token}); status != 401 || out.Code != "identity" {
			t.Errorf("%s: %d %+v", name, status, out)
		}
	}
}

// Who signs in at the site goes on with what they wrote before, and the token of before is worth nothing for it.
func TestR57_VisitorBecomesCustomer(t *testing.T) {
	r := newRig(t)
	visitor := r.visitor()
	r.tell(visitor, map[string]any{"type": "message", "id": "m1", "text": "hello"})
	r.socket(visitor, 0).text("hello")
	identity := jwt(secret, hs256, map[string]any{"sub": "4711", "exp": time.Now().Add(time.Hour).Unix()})
	_, jan := r.session(map[string]string{"identity": identity, "token": visitor})
	if !jan.Begun {
		t.Errorf("%+v", jan)
	}
	f := r.socket(jan.Token, -1)
	f.text("hello")
	r.says(r.open().ID, "a1", "a secret of Jan's", "text")
	f.text("a secret of Jan's")
	if _, _, answer := r.request("GET", "website/poll?since=-1", visitor, nil); strings.Contains(string(answer), "hello") || !strings.Contains(string(answer), `"none"`) {
		t.Errorf("the visitor's token shows %s", answer)
	}
	// On another device they wrote before signing in: one contact, two conversations.
	other := r.visitor()
	r.tell(other, map[string]any{"type": "message", "id": "m2", "text": "me again"})
	r.socket(other, 0).text("me again")
	r.session(map[string]string{"identity": identity, "token": other})
	var contacts []int64
	for _, s := range func() []int64 {
		list, _ := r.store.Open(context.Background())
		return []int64{list[0].Conversation, list[1].Conversation}
	}() {
		x, err := r.store.Conversation(context.Background(), s)
		if err != nil {
			t.Fatal(err)
		}
		contacts = append(contacts, x.Contact.ID)
	}
	if contacts[0] != contacts[1] {
		t.Errorf("contacts %v", contacts)
	}
}

// Who signs in while they talk goes on with that chat, though they are a customer who has written before; they
// see what they wrote then once it has ended.
func TestR57_SignsInWhileTheyTalk(t *testing.T) {
	r := newRig(t)
	r.channel.Rating = false
	identity := jwt(secret, hs256, map[string]any{"sub": "4711", "exp": time.Now().Add(time.Hour).Unix()})
	_, jan := r.session(map[string]string{"identity": identity})
	f := r.socket(jan.Token, 0)
	f.write(map[string]any{"type": "message", "id": "m1", "text": "long ago"})
	f.phase("waiting")
	f.write(map[string]any{"type": "close"})
	f.phase("closed")
	visitor := r.visitor()
	r.tell(visitor, map[string]any{"type": "message", "id": "m2", "text": "a new question"})
	r.socket(visitor, 0).phase("waiting")
	_, now := r.session(map[string]string{"identity": identity, "token": visitor})
	f = r.socket(now.Token, -1)
	f.text("a new question")
	r.says(r.open().ID, "a1", "the answer", "text")
	f.text("the answer")
	f.write(map[string]any{"type": "close"})
	f.phase("closed")
	if _, now = r.session(map[string]string{"identity": identity, "token": now.Token}); !now.Verified {
		t.Errorf("%+v", now)
	}
	r.socket(now.Token, -1).text("long ago")
}

// Tokens cannot be made up, nor changed, nor used elsewhere or too late; whoever tries many is not listened to.
func TestSecurity_Tokens(t *testing.T) {
	r := newRig(t)
	token := r.visitor()
	body, signature, _ := strings.Cut(token, ".")
	forged := base64.RawURLEncoding.EncodeToString([]byte(`{"c":"website","u":"customer:4711","x":9999999999}`))
	for name, bad := range map[string]string{
		"none": "", "garbage": "x", "no signature": body + ".", "another body": forged + "." + signature, "cut": token[:len(token)-1],
		"padded": token + "=", "of a file": strings.Replace(token, ".", "..", 1),
	} {
		for _, path := range []string{"website/poll?since=0", "website/stream", "website/earlier?before=9", "website/files/abc"} {
			if status, _, answer := r.request("GET", path, bad, nil, "X-From", fmt.Sprintf("198.51.100.%d", len(name)+len(path))); status != 401 {
				t.Errorf("%s %s: %d %s", name, path, status, answer)
			}
		}
	}
	if status, _, _ := r.request("GET", "other/poll?since=0", token, nil); status != 401 {
		t.Errorf("in another channel: %d", status)
	}
	if status, _, _ := r.request("GET", "nowhere/poll?since=0", token, nil); status != 404 {
		t.Errorf("in no channel: %d", status)
	}
	conn, _, err := websocket.Dial(t.Context(), r.web.URL+"/widget/website/socket", &websocket.DialOptions{HTTPHeader: http.Header{"Origin": {r.web.URL}}})
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.Write(t.Context(), websocket.MessageText, []byte(`{"type":"hello","token":"x","since":-1}`))
	if _, text, err := conn.Read(t.Context()); err != nil || !strings.Contains(string(text), `"token"`) {
		t.Errorf("%s %v", text, err)
	}
	if _, _, err = conn.Read(t.Context()); websocket.CloseStatus(err) != websocket.StatusPolicyViolation {
		t.Error(err)
	}
	_ = conn.CloseNow()
	guess := func(from string) (status int) {
		status, _, _ = r.request("GET", "website/poll?since=0", "guess", nil, "X-From", from)
		return status
	}
	for k := 0; guess("203.0.113.9") == 401; k++ {
		if k > 100 {
			t.Fatal("one may guess for ever")
		}
	}
	if status, _, _ := r.request("GET", "website/poll?since=-1", token, nil, "X-From", "203.0.113.9"); status != 429 {
		t.Errorf("who guesses: %d", status)
	}
	if status, _, _ := r.request("GET", "website/poll?since=-1", token, nil); status != 200 {
		t.Errorf("others: %d", status)
	}
	r.clock = 91 * 24 * time.Hour
	if status, _, _ := r.request("GET", "website/poll?since=-1", token, nil); status != 401 {
		t.Errorf("after three months: %d", status)
	}
}

// Pages of other sites speak for no visitor, whatever they know.
func TestSecurity_Origins(t *testing.T) {
	r := newRig(t)
	token := r.visitor()
	said := []byte(`{"type":"message","id":"m1","text":"hello"}`)
	for _, headers := range [][]string{
		{"Origin", "https://evil.example"}, {"Origin", "https://shop.example"}, {"Origin", "null"}, {"Origin", ""},
		{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", strings.Replace(r.web.URL, "http:", "https:", 1)},
	} {
		if status, _, answer := r.request("POST", "website/frames", token, said, headers...); status != 403 || !strings.Contains(string(answer), "wrong_origin") {
			t.Errorf("%v: %d %s", headers, status, answer)
		}
		if headers[0] == "Origin" {
			_, res, err := websocket.Dial(t.Context(), r.web.URL+"/widget/website/socket", &websocket.DialOptions{HTTPHeader: http.Header{"Origin": {headers[1]}}})
			if err == nil || res == nil || res.StatusCode != 403 {
				t.Errorf("a socket of %q: %v", headers[1], err)
			}
		}
	}
	if origins, ok := r.window.Origins("website"); !ok || len(origins) != 1 {
		t.Errorf("%v %v", origins, ok)
	}
}

// Who writes too much is stopped by their token, and nobody else at the same address.
func TestSecurity_Limits(t *testing.T) {
	r := newRig(t)
	loud, quiet := r.visitor(), r.visitor()
	code := ""
	for k := 0; code == ""; k++ {
		if k > 100 {
			t.Fatal("one may write for ever")
		}
		code = r.tell(loud, map[string]any{"type": "message", "id": fmt.Sprint(k), "text": "x"})
	}
	if code != "too_many" {
		t.Error(code)
	}
	if code := r.tell(quiet, map[string]any{"type": "message", "id": "m1", "text": "hello"}); code != "" {
		t.Errorf("another at the address: %q", code)
	}
	status := 0
	for k := 0; status != 429; k++ {
		if k > 200 {
			t.Fatal("one may have tokens for ever")
		}
		status, _ = r.session(nil, "X-From", "2001:db8::"+fmt.Sprintf("%x", k+1)) // one customer's network
	}
	if status, _ := r.session(nil, "X-From", "2001:db8:0:1::1"); status != 200 {
		t.Errorf("another network: %d", status)
	}
	for _, bad := range []map[string]any{{"type": "message", "id": "x", "text": strings.Repeat("x", 17<<10)}, {"type": "message", "id": "", "text": "x"}, {"type": "message", "id": "x", "text": " "},
		{"type": "message", "id": strings.Repeat("x", 65), "text": "x"}, {"type": "shout"}, {"type": "read", "seq": 1}} {
		if code := r.tell(r.visitor(), bad); code != "bad_frame" {
			t.Errorf("%.60v: %q", bad, code)
		}
	}
}

// Attachments are kept, and sent so that nothing in them runs; what a browser would run is not
// taken; and nobody has another's.
// A picture of an agent is sent so that nothing in it runs, to those alone who know its id in its channel (R68, P15).
func TestSecurity_Faces(t *testing.T) {
	r := newRig(t)
	status, header, body := r.request("GET", "website/faces/face1", "", nil)
	if status != 200 || string(body) != "\x89PNG" || header.Get("Content-Type") != "image/png" ||
		header.Get("X-Content-Type-Options") != "nosniff" || header.Get("Content-Security-Policy") != "default-src 'none'; sandbox" {
		t.Errorf("%d %v %q", status, header, body)
	}
	for _, path := range []string{"website/faces/face2", "website/faces/", "website/faces/../face1", "other/faces/face1", "nowhere/faces/face1"} {
		if status, _, body := r.request("GET", path, "", nil); status != 404 {
			t.Errorf("%s: %d %q", path, status, body)
		}
	}
	if status, _, _ := r.request("GET", "website/faces/face1", "", nil, "Sec-Fetch-Site", "cross-site"); status != 403 {
		t.Errorf("another site's page is answered %d", status)
	}
}

func TestSecurity_Attachments(t *testing.T) {
	r := newRig(t)
	jan, eve := r.visitor(), r.visitor()
	png := "\x89PNG\r\n\x1a\n0000"
	up := func(token, name, content string) (int, string, string) {
		status, _, answer := r.request("POST", "website/files?name="+name, token, []byte(content))
		var x struct{ Handle, Code string }
		if err := json.Unmarshal(answer, &x); err != nil {
			t.Fatalf("%s", answer)
		}
		return status, x.Handle, x.Code
	}
	for name, content := range map[string]string{
		"x.svg": `<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>`, "x.SVG": "<svg/>", "x.html": "text", "x.svg.": "<svg/>", "x.exe": "MZ",
		"x.png": "<html><script>alert(1)</script>", "y.png": `<?xml version="1.0"?><svg/>`, "empty.txt": "",
	} {
		if status, _, code := up(jan, name, content); status != 422 || code != "file" {
			t.Errorf("%s: %d %q", name, status, code)
		}
	}
	r.clock = time.Hour // for more turns
	if status, _, code := up(jan, "big.bin", strings.Repeat("x", 1<<20+1)); status != 413 || code != "too_big" {
		t.Errorf("%d %q", status, code)
	}
	_, picture, _ := up(jan, "..%2F%22cat%22.png", png)
	_, disguised, _ := up(jan, "cat.jpg", "<svg onload=alert(1)>")
	if code := r.tell(eve, map[string]any{"type": "message", "id": "e1", "text": "mine", "files": []string{picture}}); code != "file" {
		t.Errorf("another's file: %q", code)
	}
	if code := r.tell(jan, map[string]any{"type": "message", "id": "m1", "files": []string{picture + "x"}}); code != "file" {
		t.Errorf("a handle that is none: %q", code)
	}
	if code := r.tell(jan, map[string]any{"type": "message", "id": "m1", "files": []string{picture, disguised}}); code != "" {
		t.Error(code)
	}
	m := r.socket(jan, 0).until("files", func(x got) bool { return x.Type == "messages" })
	files := m.Items[0].Files
	if len(files) != 2 {
		t.Fatalf("%+v", m)
	}
	types := map[string]bool{}
	for _, f := range files {
		types[f.Type] = true
		status, h, answer := r.request("GET", "website/files/"+f.ID, jan, nil)
		if status != 200 || len(answer) == 0 || !strings.HasPrefix(h.Get("Content-Disposition"), "attachment;") || h.Get("X-Content-Type-Options") != "nosniff" ||
			!strings.Contains(h.Get("Content-Security-Policy"), "sandbox") || strings.Contains(h.Get("Content-Type"), "svg") || strings.Contains(h.Get("Content-Type"), "html") {
			t.Errorf("%d %v", status, h)
		}
		if status, _, _ := r.request("GET", "website/files/"+f.ID, eve, nil); status != 404 {
			t.Errorf("for another: %d", status)
		}
	}
	if !types["image/png"] || len(types) != 2 {
		t.Errorf("%v", types)
	}
	if status, _, _ := r.request("GET", "website/files/..%2f..%2fetc%2fpasswd", jan, nil); status != 404 {
		t.Errorf("%d", status)
	}
	r.channel.FileMax = 0
	if _, _, code := up(jan, "cat.png", png); code != "file" {
		t.Errorf("where none are taken: %q", code)
	}
}
