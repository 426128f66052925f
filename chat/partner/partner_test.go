package partner_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"

	"centrala/chat"
	"centrala/chat/partner"
)

const secret = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="

func connector(t *testing.T, url, secret string, now func() time.Time) *partner.Connector {
	t.Helper()
	c, err := partner.New(partner.Options{URL: url, Secret: secret, Client: partner.NewClient(), Now: now})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// The vector of the Standard Webhooks specification's libraries.
func TestSign_AsOthersDo(t *testing.T) {
	at := func() time.Time { return time.Unix(1614265330, 0) }
	c := connector(t, "", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", at)
	h := http.Header{}
	c.Sign(h, "msg_p5jXN8AQM9LWM0D4loKWxJek", []byte(`{"test": 2432232314}`))
	if got := h.Get(partner.HeaderSignature); got != "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=" {
		t.Error(got)
	}
}

func TestKey(t *testing.T) {
	for _, bad := range []string{"", "whsec_", "whsec_c2hvcnQ=", secret[6:], secret + "!", "whsec_" + strings.Repeat("AAAA", 30)} {
		if _, err := partner.Key(bad); !errors.Is(err, partner.ErrSecret) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestVerify(t *testing.T) {
	now := time.Unix(1800000000, 0)
	c := connector(t, "", secret, func() time.Time { return now })
	other := connector(t, "", "whsec_"+strings.Repeat("QUJD", 10), func() time.Time { return now })
	body := []byte(`{"type":"message"}`)
	signed := func(by *partner.Connector) http.Header {
		h := http.Header{}
		by.Sign(h, "w1", body)
		return h
	}
	if id, err := c.Verify(signed(c), body); id != "w1" || err != nil {
		t.Errorf("%q, %v", id, err)
	}
	rotated := signed(other)
	rotated.Set(partner.HeaderSignature, rotated.Get(partner.HeaderSignature)+" "+signed(c).Get(partner.HeaderSignature))
	if _, err := c.Verify(rotated, body); err != nil {
		t.Errorf("two signatures: %v", err)
	}
	for name, change := range map[string]func(h http.Header) []byte{
		"another secret": func(h http.Header) []byte {
			h.Set(partner.HeaderSignature, signed(other).Get(partner.HeaderSignature))
			return body
		},
		"another body": func(http.Header) []byte { return []byte(`{"type":"closed"}`) },
		"another id":   func(h http.Header) []byte { h.Set(partner.HeaderID, "w2"); return body },
		"no text as id": func(h http.Header) []byte {
			c.Sign(h, "w\xff", body)
			return body
		},
		"no id":        func(h http.Header) []byte { h.Del(partner.HeaderID); return body },
		"no signature": func(h http.Header) []byte { h.Del(partner.HeaderSignature); return body },
		"another time": func(h http.Header) []byte { h.Set(partner.HeaderTimestamp, "1800000001"); return body },
		"no time":      func(h http.Header) []byte { h.Set(partner.HeaderTimestamp, "x"); return body },
	} {
		h := signed(c)
		if _, err := c.Verify(h, change(h)); !errors.Is(err, partner.ErrSigned) {
			t.Errorf("%s: %v", name, err)
		}
	}
	h := signed(c)
	for _, later := range []time.Duration{partner.Tolerance + time.Second, -partner.Tolerance - time.Second} {
		aside := connector(t, "", secret, func() time.Time { return now.Add(later) })
		if _, err := aside.Verify(h, body); !errors.Is(err, partner.ErrSigned) {
			t.Errorf("%v aside: %v", later, err)
		}
	}
}

func TestRead(t *testing.T) {
	c := connector(t, "", secret, nil)
	for body, want := range map[string]chat.Happening{
		`{"type":"message","customer":{"id":"jan","name":"Jan"},"message":{"id":"m1","text":"hello"},"later":1}`: {Customer: "jan",
			Message: &chat.Incoming{Channel: "it", Customer: "jan", Name: "Jan", External: "m1", Text: "hello"}},
		`{"type":"status","message":{"id":"1-2"},"status":"failed","reason":"blocked"}`: {Status: &chat.Report{External: "1-2", Status: chat.StatusFailed, Reason: "blocked"}},
		`{"type":"closed","customer":{"id":"jan"}}`:                                     {Customer: "jan", Closed: true},
	} {
		got, err := c.Read([]byte(body))
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: %v %s", body, err, diff)
		}
	}
	for _, bad := range []string{
		``, `[]`, `{}`, `{"type":"typing"}`, `{"type":"closed"}`, `{"type":"message","customer":{"id":"jan"}}`,
		`{"type":"message","customer":{"id":"jan"},"message":{"id":"m1","text":" "}}`, `{"type":"message","message":{"id":"m1","text":"x"}}`,
		`{"type":"message","customer":{"id":"jan"},"message":{"id":"m1","text":"a\u0000b"}}`,
		`{"type":"status","message":{"id":"1"},"status":"sent"}`, `{"type":"status","status":"read"}`,
		`{"type":"status","message":{"id":"1"},"status":"failed","reason":"` + strings.Repeat("x", 501) + `"}`,
		`{"type":"status","message":{"id":"1"},"status":"failed","reason":"a\u0000b"}`, `{"type":"status","message":{"id":"a\u0000b"},"status":"read"}`,
		`{"type":"status","message":{"id":"` + strings.Repeat("x", 201) + `"},"status":"read"}`,
		`{"type":"closed","customer":{"id":"a\u0000b"}}`, `{"type":"closed","customer":{"id":"` + strings.Repeat("x", 201) + `"}}`,
	} {
		if _, err := c.Read([]byte(bad)); err == nil {
			t.Errorf("%s was read", bad)
		}
	}
}

func outgoing() chat.Outgoing {
	return chat.Outgoing{Channel: "shop", Customer: "jan", Message: chat.Message{
		Conversation: 7, Seq: 3, Session: "chat-x", Author: chat.ByAgent, Name: "anna", Kind: chat.KindText, Text: "hi", At: time.Unix(1800000000, 0).UTC()}}
}

// The third party verifies what it is sent as any library of Standard Webhooks does.
func TestSend(t *testing.T) {
	var got map[string]any
	var theirs *partner.Connector
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if id, err := theirs.Verify(r.Header, body); err != nil || id != "7-3" {
			t.Errorf("%q, %v", id, err)
		}
		_ = json.Unmarshal(body, &got)
		_, _ = io.WriteString(w, `{"ids":["x1","x2","","x\u0000"]}`)
	}))
	defer srv.Close()
	c, err := partner.New(partner.Options{
		URL: srv.URL, Secret: secret, Client: partner.NewClient(), Face: func(agent string) (name, title string) { return "Face of " + agent, "Sales" },
	})
	if err != nil {
		t.Fatal(err)
	}
	theirs = connector(t, "", secret, nil)
	ids, err := c.Send(t.Context(), outgoing())
	if diff := cmp.Diff([]string{"x1", "x2"}, ids); diff != "" || err != nil {
		t.Error(err, diff)
	}
	want := map[string]any{"type": "message", "channel": "shop", "session": "chat-x", "customer": map[string]any{"id": "jan"},
		"message": map[string]any{"id": "7-3", "text": "hi", "author": "agent", "name": "Face of anna", "title": "Sales", "at": "2027-01-15T08:00:00Z"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestSend_Errors(t *testing.T) {
	for status, want := range map[int]*chat.SendError{
		503: {After: 7 * time.Second}, 500: {After: 7 * time.Second}, 429: {After: 7 * time.Second}, 408: {After: 7 * time.Second},
		400: {Permanent: true}, 410: {Permanent: true}, 302: {Permanent: true},
	} {
		followed := false
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			followed = followed || r.URL.Path != "/"
			w.Header().Set("Retry-After", "7")
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(status)
		}))
		_, err := connector(t, srv.URL, secret, nil).Send(t.Context(), outgoing())
		srv.Close()
		var got *chat.SendError
		if !errors.As(err, &got) || got.Permanent != want.Permanent || got.After != want.After {
			t.Errorf("%d: %+v", status, err)
		}
		if followed {
			t.Errorf("%d: what was signed went elsewhere", status)
		}
	}
	srv := httptest.NewServer(nil)
	srv.Close()
	var s *chat.SendError
	if _, err := connector(t, srv.URL, secret, nil).Send(t.Context(), outgoing()); err == nil || errors.As(err, &s) {
		t.Errorf("nobody there: %v", err)
	}
}

func TestEntrance(t *testing.T) {
	c := connector(t, "", secret, nil)
	broken := errors.New("the database is away")
	var next error
	var kept []string
	mux := http.NewServeMux()
	mux.Handle("POST /connectors/{channel}", &partner.Entrance{
		Connector: func(channel string) *partner.Connector {
			if channel != "shop" {
				return nil
			}
			return c
		},
		Receive: func(_ context.Context, channel, event string, body []byte) error {
			kept = append(kept, channel+" "+event+" "+string(body))
			return next
		},
		Wrong: func(err error) bool { return !errors.Is(err, broken) },
		Log:   zerolog.Nop(),
	})
	post := func(channel, body string, sign bool) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodPost, "/connectors/"+channel, strings.NewReader(body))
		if sign {
			c.Sign(r.Header, "w1", []byte(body))
		}
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		return w
	}
	for _, x := range []struct {
		name, channel, body string
		sign                bool
		err                 error
		want, kept          int
	}{
		{"right", "shop", "{}", true, nil, 200, 1},
		{"unsigned", "shop", "{}", false, nil, 401, 0},
		{"no channel", "other", "{}", true, nil, 401, 0},
		{"large", "shop", strings.Repeat("x", partner.BodyMax+1), true, nil, 413, 0},
		{"wrong", "shop", "{}", true, errors.New("wrong"), 422, 1},
		{"not kept", "shop", "{}", true, broken, 503, 1},
	} {
		kept, next = nil, x.err
		if w := post(x.channel, x.body, x.sign); w.Code != x.want || len(kept) != x.kept {
			t.Errorf("%s: %d %s, kept %v", x.name, w.Code, w.Body, kept)
		}
	}
}
