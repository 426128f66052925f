package web

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"centrala/acd"
	"centrala/queuegroups"
)

const patience = 60 * time.Second

// came is a WebSocket that was handed over.
type came struct {
	Socket
	Browser
}

// fakePhones keep what they are given.
type fakePhones struct {
	came chan came
	full bool
}

func (f *fakePhones) Connect(s Socket, b Browser) error {
	if f.full {
		return errors.New("too many")
	}
	f.came <- came{s, b}
	return nil
}

func (f *fakePhones) Realm() string { return "pbx.test" }

func (f *fakePhones) OnDesk(agent queuegroups.AgentID) bool { return agent == "anna" }

// served is a rig behind a real listener, with anna signed in.
type served struct {
	*rig
	url, origin string
	token       string
}

func serve(t *testing.T) *served {
	r := newRig(t)
	r.s.ping, r.s.pong = 20*time.Millisecond, patience
	h := httptest.NewServer(http.HandlerFunc(r.s.entrance))
	t.Cleanup(h.Close)
	v := &served{rig: r, url: "ws" + strings.TrimPrefix(h.URL, "http") + SIPPath, origin: h.URL}
	v.token = v.signIn("anna")
	return v
}

// signIn gives an agent a password and signs them in.
func (v *served) signIn(name string) (token string) {
	v.t.Helper()
	ctx := context.Background()
	once, err := v.accounts.OneTimePassword(ctx, name)
	if err != nil {
		v.t.Fatal(err)
	}
	token, c, err := v.accounts.SignIn(ctx, name, once, netip.MustParseAddr("127.0.0.1"), "test")
	if err != nil {
		v.t.Fatal(err)
	}
	if err := v.accounts.ChangePassword(ctx, name, c.Session, "", "a password of "+name); err != nil {
		v.t.Fatal(err)
	}
	return token
}

// dial opens a WebSocket as a browser does. The answer has a status other than 101 if there is none.
func (v *served) dial(change func(*websocket.DialOptions)) (*websocket.Conn, *http.Response) {
	v.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	o := &websocket.DialOptions{
		Subprotocols: []string{"sip"},
		HTTPHeader:   http.Header{"Origin": {v.origin}, "Cookie": {cookieName(false) + "=" + v.token}},
	}
	if change != nil {
		change(o)
	}
	c, res, err := websocket.Dial(ctx, v.url, o)
	if res == nil {
		v.t.Fatal(err)
	}
	if c != nil {
		v.t.Cleanup(func() { _ = c.CloseNow() })
	}
	return c, res
}

func (v *served) next() came {
	v.t.Helper()
	select {
	case k := <-v.phones.came:
		return k
	case <-time.After(patience):
		v.t.Fatal("no WebSocket was handed over")
		return came{}
	}
}

// closed waits until a WebSocket is closed, seen from the browser.
func (v *served) closed(c *websocket.Conn) websocket.StatusCode {
	v.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for {
		if _, _, err := c.Read(ctx); err != nil {
			if ctx.Err() != nil {
				v.t.Fatal("it was not closed")
			}
			return websocket.CloseStatus(err)
		}
	}
}

func TestSocket_MessagesBothWays(t *testing.T) {
	v := serve(t)
	c, _ := v.dial(nil)
	if c.Subprotocol() != "sip" {
		t.Errorf("subprotocol %q", c.Subprotocol())
	}
	k := v.next()
	if k.Session == "" || k.Secure || !k.Remote.Addr().IsLoopback() || k.Remote.Port() == 0 || k.Local.Port() == 0 {
		t.Errorf("browser %+v", k.Browser)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for _, kind := range []websocket.MessageType{websocket.MessageText, websocket.MessageBinary} {
		if err := c.Write(ctx, kind, []byte("REGISTER")); err != nil {
			t.Fatal(err)
		}
		if b, err := k.Read(); err != nil || string(b) != "REGISTER" {
			t.Errorf("%q %v", b, err)
		}
	}
	w, err := c.Writer(ctx, websocket.MessageText) // in pieces
	if err != nil {
		t.Fatal(err)
	}
	for _, piece := range []string{"REG", "IST", "ER"} {
		_, _ = w.Write([]byte(piece))
	}
	_ = w.Close()
	if b, err := k.Read(); err != nil || string(b) != "REGISTER" {
		t.Errorf("in pieces: %q %v", b, err)
	}
	for text, want := range map[string]websocket.MessageType{"SIP/2.0 200 ąć": websocket.MessageText, "\xff\xfe": websocket.MessageBinary} {
		if err := k.Write([]byte(text), patience); err != nil {
			t.Fatal(err)
		}
		if kind, b, err := c.Read(ctx); err != nil || kind != want || string(b) != text {
			t.Errorf("%v %q %v", kind, b, err)
		}
	}
	if err := c.Write(ctx, websocket.MessageText, make([]byte, messageMost+1)); err != nil {
		t.Fatal(err)
	}
	if _, err := k.Read(); err == nil {
		t.Error("a message that is too long was taken")
	}
	if code := v.closed(c); code != websocket.StatusMessageTooBig {
		t.Errorf("closed with %v", code)
	}
}

func TestSocket_Refused(t *testing.T) {
	v := serve(t)
	boss, lobby := v.signInUser("wladek"), v.signIn("celina")
	fixed := strings.Replace(site, `{extension: "103"}`, `{extension: "103", contact: "sip:lobby@192.0.2.9"}`, 1)
	config, err := v.settings.Check(context.Background(), []byte(fixed))
	if err != nil {
		t.Fatal(err)
	}
	v.fact(&acd.ConfigApplied{Config: config})
	set := func(name, value string) func(*websocket.DialOptions) {
		return func(o *websocket.DialOptions) {
			if o.HTTPHeader.Set(name, value); value == "" {
				o.HTTPHeader.Del(name)
			}
		}
	}
	for _, c := range []struct {
		name   string
		change func(*websocket.DialOptions)
		status int
	}{
		{"another site", set("Origin", "http://evil.example"), 403},
		{"another port", set("Origin", v.origin+"1"), 403},
		{"another scheme", set("Origin", strings.Replace(v.origin, "http", "https", 1)), 403},
		{"null origin", set("Origin", "null"), 403},
		{"no origin", set("Origin", ""), 403},
		{"no session", set("Cookie", ""), 401},
		{"a wrong session", set("Cookie", cookieName(false)+"=guess"), 401},
		{"a program with a key", set("Authorization", "Bearer all"), 403},
		{"no agent", set("Cookie", cookieName(false)+"="+boss), 409},
		{"calls go to a fixed address", set("Cookie", cookieName(false)+"="+lobby), 409},
		{"another protocol", func(o *websocket.DialOptions) { o.Subprotocols = []string{"mqtt"} }, 400},
		{"no protocol", func(o *websocket.DialOptions) { o.Subprotocols = nil }, 400},
	} {
		if _, res := v.dial(c.change); res.StatusCode != c.status {
			t.Errorf("%s: %d, want %d", c.name, res.StatusCode, c.status)
		}
	}
	for range socketsOf {
		v.dial(nil)
		v.next()
	}
	if _, res := v.dial(nil); res.StatusCode != http.StatusTooManyRequests {
		t.Errorf("one more than allowed: %d", res.StatusCode)
	}
	if len(v.phones.came) != 0 {
		t.Error("one that was refused was handed over")
	}
}

// signInUser makes somebody who is no agent, and signs them in.
func (v *served) signInUser(name string) (token string) {
	v.t.Helper()
	if err := v.accounts.AddUser(context.Background(), name, "administrator"); err != nil {
		v.t.Fatal(err)
	}
	return v.signIn(name)
}

// Presence is by the server's pings: a browser that does not answer is gone.
func TestSocket_Pings(t *testing.T) {
	v := serve(t)
	v.s.pong = 50 * time.Millisecond
	c, _ := v.dial(nil) // nobody reads it, so that no ping is answered
	k := v.next()
	if _, err := k.Read(); err == nil {
		t.Error("something was read")
	}
	_ = c.CloseNow()

	pings := make(chan bool, 100)
	c, _ = v.dial(func(o *websocket.DialOptions) {
		o.OnPingReceived = func(context.Context, []byte) bool { pings <- true; return true }
	})
	k = v.next()
	go func() { _, _, _ = c.Read(context.Background()) }()
	go func() { _, _ = k.Read() }()
	for range 3 {
		select {
		case <-pings:
		case <-time.After(patience):
			t.Fatal("no ping")
		}
	}
	v.phones.full = true
	c, _ = v.dial(nil)
	if code := v.closed(c); code != websocket.StatusTryAgainLater {
		t.Errorf("with no room: %v", code)
	}
}

// A session that ends takes its WebSockets and credentials along, at once.
func TestSocket_EndsWithTheSession(t *testing.T) {
	v := serve(t)
	v.s.ping = time.Hour
	c, _ := v.dial(nil)
	k := v.next()
	go func() { _, _ = k.Read() }()
	cred := decode[Credentials](t, v.as(v.token, http.MethodPost, "/phone/credentials", nil))
	if cred.URI != "sip:anna@pbx.test" || cred.Realm != "pbx.test" || cred.WebSocket != SIPPath || cred.Expires < 60 {
		t.Errorf("%+v", cred)
	}
	if user, ha1, ok := v.s.PhoneKey(k.Session, cred.User); !ok || user != "anna" || ha1 != cred.HA1 || len(ha1) != 32 {
		t.Errorf("%q %q %v", user, ha1, ok)
	}
	if _, _, ok := v.s.PhoneKey("other", cred.User); ok {
		t.Error("good in another session")
	}
	for range phoneKeysOf {
		v.as(v.token, http.MethodPost, "/phone/credentials", nil)
	}
	if _, _, ok := v.s.PhoneKey(k.Session, cred.User); ok {
		t.Error("the oldest did not give way")
	}
	cred = decode[Credentials](t, v.as(v.token, http.MethodPost, "/phone/credentials", nil))
	v.as(v.signIn("bartek"), http.MethodDelete, "/session", nil) // somebody else's business
	v.want(v.as(v.token, http.MethodDelete, "/session", nil), http.StatusNoContent, "")
	if code := v.closed(c); code != websocket.StatusPolicyViolation {
		t.Errorf("closed with %v", code)
	}
	if _, _, ok := v.s.PhoneKey(k.Session, cred.User); ok {
		t.Error("the credentials outlive the session")
	}
}

func TestPhoneCredentials_Refused(t *testing.T) {
	r := newRig(t)
	r.want(r.as("boss", http.MethodPost, "/phone/credentials", nil), http.StatusConflict, codeNoAgent)
	r.want(r.as("", http.MethodPost, "/phone/credentials", nil), http.StatusUnauthorized, codeNotSignedIn)
	r.want(r.as("key:all", http.MethodPost, "/phone/credentials", nil), http.StatusForbidden, codeForbidden)
}
