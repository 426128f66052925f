package telegram

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"

	"centrala/chat"
	"centrala/internal/botserver"
)

const token = "123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"

func connector(url string) *Connector {
	return New(Options{
		Channel: "tg", Token: token, URL: url, Client: NewClient(), Log: zerolog.Nop(), PerChat: time.Millisecond,
		Open: func(_ context.Context, id string) (io.ReadCloser, error) {
			return io.NopCloser(strings.NewReader("bytes of " + id)), nil
		},
	})
}

func api(t *testing.T) *botserver.Server {
	s := botserver.New(token)
	t.Cleanup(s.Close)
	return s
}

func TestRead(t *testing.T) {
	c := connector("")
	m := func(more string) string {
		return `{"update_id":7,"message":{"message_id":5,"date":1700000000,"chat":{"id":77,"type":"private"},"from":{"id":77,"first_name":"Jan","last_name":"Kowalski"}` + more + `}}`
	}
	in := func(text string, change ...func(*chat.Incoming)) chat.Happening {
		x := &chat.Incoming{Channel: "it", Customer: "77", Name: "Jan Kowalski", External: "123456789.77.5", Text: text, At: time.Unix(1700000000, 0)}
		for _, f := range change {
			f(x)
		}
		return chat.Happening{Customer: "77", Message: x}
	}
	remote := func(id, name string, size int64) func(*chat.Incoming) {
		return func(x *chat.Incoming) { x.Remote = append(x.Remote, chat.Remote{ID: id, Name: name, Size: size}) }
	}
	yes, no := true, false
	for body, want := range map[string]chat.Happening{
		m(`,"text":"hello"`):             in("hello"),
		m(`,"text":"/start order-4711"`): in("/start order-4711"),
		m(`,"text":"a\u0000b"`):          in("ab"),
		m(`,"caption":"look","photo":[{"file_id":"s","file_size":1},{"file_id":"l","file_size":9}]`): in("look", remote("l", "photo-5.jpg", 9)),
		m(`,"document":{"file_id":"d","file_name":"bill.pdf","file_size":3}`):                        in("", remote("d", "bill.pdf", 3)),
		m(`,"voice":{"file_id":"v"}`):                                in("", remote("v", "voice.ogg", 0)),
		m(`,"sticker":{"file_id":"x","emoji":"👍"}`):                  in("👍"),
		m(`,"location":{"latitude":52.2297,"longitude":21.0122}`):    in("Location: 52.229700, 21.012200"),
		m(`,"contact":{"phone_number":"+48601","first_name":"Ewa"}`): in("Contact: Ewa, +48601"),
		m(`,"contact":{"phone_number":"+48602","first_name":"Jan","user_id":77}`): in("Contact: Jan, +48602", func(x *chat.Incoming) {
			x.Details.Phone, x.Vouched.Phone, x.Verified = "+48602", "+48602", true // R57; that of another is theirs to tell
		}),
		m(`,"dice":{"value":6}`): in("[a message of a kind that cannot be shown here]"),
		`{"update_id":8,"edited_message":{"message_id":5,"date":1700000000,"edit_date":1700000060,"text":"hullo","chat":{"id":77,"type":"private"},"from":{"id":77,"username":"jan"}}}`: in("✎ hullo", func(x *chat.Incoming) {
			x.Name, x.External, x.Corrects, x.At = "jan", "123456789.77.5.u8", "123456789.77.5", time.Unix(1700000060, 0)
		}),
		`{"update_id":9,"callback_query":{"id":"q1","from":{"id":77,"first_name":"Jan"},"message":{"message_id":4,"chat":{"id":77,"type":"private"}},"data":"Orders"}}`: in("Orders", func(x *chat.Incoming) {
			x.Name, x.External, x.At = "Jan", "123456789.press.q1", time.Time{}
		}),
		`{"update_id":9,"callback_query":{"id":"q2","from":{"id":77},"message":{"message_id":4,"chat":{"id":77,"type":"private"}},"data":"rate 4 chat-x"}}`: {Customer: "77", Rated: &chat.Rating{Session: "chat-x", Score: 4}},
		`{"update_id":9,"callback_query":{"id":"q3","from":{"id":77},"data":"in a group"}}`:                                                                 {},
		`{"update_id":9,"my_chat_member":{"chat":{"id":77,"type":"private"},"new_chat_member":{"status":"kicked"}}}`:                                        {Customer: "77", Blocked: &yes},
		`{"update_id":9,"my_chat_member":{"chat":{"id":77,"type":"private"},"new_chat_member":{"status":"member"}}}`:                                        {Customer: "77", Blocked: &no},
		`{"update_id":9,"message":{"message_id":1,"text":"x","chat":{"id":-5,"type":"group"},"from":{"id":77}}}`:                                            {},
		`{"update_id":9,"poll":{}}`: {},
	} {
		got, err := c.Read([]byte(body))
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: %v %s", body, err, diff)
		}
	}
	for _, bad := range []string{``, `[]`, `{"message":5}`} {
		if _, err := c.Read([]byte(bad)); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
	odd := m(`,"caption":"see","document":{"file_id":"f","file_name":"a\u0000b"}`)
	if got, err := c.Read([]byte(odd)); err != nil || len(got.Message.Remote) != 1 || got.Message.Remote[0].Name != "ab" {
		t.Errorf("a name that cannot be kept: %v, %+v", err, got.Message)
	}
	if got, err := c.Read([]byte(m(`,"sticker":{"emoji":"\u0000"}`))); err != nil || got.Message.Text != "[sticker]" {
		t.Errorf("a sticker that cannot be kept: %v, %+v", err, got.Message)
	}
	long := m(`,"text":"x"`)
	long = strings.Replace(long, "Jan", strings.Repeat("ż", 200), 1)
	if got, err := c.Read([]byte(long)); err != nil || len(got.Message.Name) > chat.IDMax {
		t.Errorf("a long name: %v", err)
	}
}

func outgoing(text string, files ...chat.Attachment) chat.Outgoing {
	return chat.Outgoing{Channel: "tg", Customer: "77", Message: chat.Message{Text: text, Attachments: files}}
}

// A text is sent as it is, a long one in several messages, and each file in one.
func TestSend(t *testing.T) {
	s, long := api(t), strings.Repeat("😀", 3000)+" end" // 6000 UTF-16 units
	s.Write(77, "Jan", "hello", nil)
	ids, err := connector(s.URL()).Send(t.Context(), outgoing(long, chat.Attachment{ID: "f1", Name: "bill.pdf"}))
	if err != nil || len(ids) != 3 || ids[0] != "123456789.77.2" {
		t.Fatal(ids, err)
	}
	sent := s.Sent(3, time.Minute)
	if sent[0].Text+sent[1].Text != long || sent[2].File != "bill.pdf" || string(sent[2].Data) != "bytes of f1" || sent[2].Chat != 77 {
		t.Errorf("%+v", sent)
	}
}

func TestSplit(t *testing.T) {
	words := strings.Repeat("word ", 1000)
	for _, text := range []string{"", " \n", "short", strings.Repeat("a", 4096), strings.Repeat("a", 4097), strings.Repeat("ż", 9000), words,
		strings.Repeat("line\n", 2000), strings.Repeat("😀", 2049), "x\n" + strings.Repeat(" ", 5000) + "y", strings.Repeat("\xff", 5000)} {
		parts := split(text)
		for _, p := range parts {
			if fit(p) != len(p) || strings.TrimSpace(p) == "" {
				t.Errorf("a part of %d bytes of %.20q cannot be sent", len(p), text)
			}
		}
		if squeeze := func(s string) string { return strings.Join(strings.Fields(s), "") }; squeeze(strings.Join(parts, "")) != squeeze(text) {
			t.Errorf("%.20q lost something", text)
		}
	}
	if parts := split(words); len(parts) != 2 || !strings.HasSuffix(parts[0], " ") {
		t.Errorf("%d parts, the first ends with %q", len(parts), parts[0][len(parts[0])-5:])
	}
}

// What becomes of a message by what Telegram answers: only what surely was not
// carried out is sent again.
func TestSend_Verdicts(t *testing.T) {
	for name, x := range map[string]struct {
		fault botserver.Fault
		want  chat.SendError
	}{
		"flood":        {botserver.Fault{Status: 429, Text: "Too Many Requests: retry after 7", RetryAfter: 7}, chat.SendError{After: 7 * time.Second}},
		"blocked":      {botserver.Fault{Status: 403, Text: "Forbidden: bot was blocked by the user"}, chat.SendError{Permanent: true, Blocked: true}},
		"wrong":        {botserver.Fault{Status: 400, Text: "Bad Request: chat not found by /bot" + token}, chat.SendError{Permanent: true}},
		"token":        {botserver.Fault{Status: 401, Text: "Unauthorized"}, chat.SendError{}},
		"server fault": {botserver.Fault{Status: 500, Text: "Internal Server Error"}, chat.SendError{Permanent: true}},
		"cut":          {botserver.Fault{Cut: true}, chat.SendError{Permanent: true}},
	} {
		s := api(t)
		s.Write(77, "Jan", "hello", nil)
		s.Fail("sendMessage", x.fault)
		c := connector(s.URL())
		_, err := c.Send(t.Context(), outgoing("hi"))
		var got *chat.SendError
		if !errors.As(err, &got) || got.Permanent != x.want.Permanent || got.Blocked != x.want.Blocked || got.After != x.want.After || strings.Contains(err.Error(), token) {
			t.Errorf("%s: %+v", name, err)
		}
		if broken := c.Fault() != ""; broken != (name == "token") {
			t.Errorf("%s: fault %q", name, c.Fault())
		}
		if unsure := strings.Contains(err.Error(), "nobody knows"); unsure != (name == "cut" || name == "server fault") {
			t.Errorf("%s: %v", name, err)
		}
	}
	s := api(t)
	s.Close()
	_, err := connector(s.URL()).Send(t.Context(), outgoing("hi"))
	var got *chat.SendError
	if !errors.As(err, &got) || got.Permanent || strings.Contains(err.Error(), token) {
		t.Errorf("nobody there: %+v", err)
	}
}

// Of a message in several parts those that arrived are not sent again.
func TestSend_GoesOnWithWhatIsLeft(t *testing.T) {
	s := api(t)
	s.Write(77, "Jan", "hello", nil)
	c, o := connector(s.URL()), outgoing(strings.Repeat("a", 4096)+strings.Repeat("b", 10))
	go s.Sent(1, time.Minute)
	s.Fail("sendMessage", botserver.Fault{Status: 429, Text: "Too Many Requests", RetryAfter: 1})
	if _, err := c.Send(t.Context(), o); err == nil {
		t.Fatal("sent")
	}
	s.Write(77, "Jan", "more", nil)
	o.Message.Attachments = []chat.Attachment{{ID: "f", Name: "f"}}
	s.Fail("sendDocument", botserver.Fault{Status: 429, Text: "Too Many Requests", RetryAfter: 1})
	_, err := c.Send(t.Context(), o)
	var part *chat.SendError
	if !errors.As(err, &part) || part.Parts != 2 || len(part.IDs) != 2 {
		t.Fatalf("%+v", err)
	}
	o.Parts = part.Parts
	if _, err := c.Send(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	if sent := s.Sent(3, time.Minute); len(sent) != 3 || sent[2].File != "f" {
		t.Errorf("%+v", sent)
	}
}

// Telegram takes a message a second in a chat, and thirty a second in all.
func TestPace(t *testing.T) {
	p, now := newPace(time.Second), time.Unix(1700000000, 0)
	limit := now.Add(time.Hour)
	var last time.Duration
	for k := range 61 {
		last = p.turn(fmt.Sprint(k), now, limit)
	}
	if last < 2*time.Second-time.Millisecond || last > 2*time.Second+time.Millisecond {
		t.Errorf("the 61st message waits %v", last)
	}
	now = now.Add(time.Minute)
	for k, want := range []time.Duration{0, time.Second, 2 * time.Second} {
		if got := p.turn("same", now, limit); got != want {
			t.Errorf("message %d of a chat waits %v, want %v", k, got, want)
		}
	}
	if got := p.turn("another", now, limit); got > 4*time.Second/perSecond {
		t.Errorf("a message waits %v for those of another chat", got)
	}
	if got := p.turn("same", now, now.Add(time.Second)); got >= 0 {
		t.Errorf("one that may not wait so long waits %v", got)
	}
	if got := p.turn("same", now.Add(3*time.Second), limit); got != 0 {
		t.Errorf("one that is not sent takes a turn: %v", got)
	}
	for k := range 2 * chatsMost {
		p.turn(fmt.Sprint(k), now.Add(time.Duration(k)*time.Minute), now.Add(time.Hour*1000))
	}
	if len(p.chats) > chatsMost {
		t.Errorf("%d chats are remembered", len(p.chats))
	}
}

// positions keeps none.
type positions struct{}

func (positions) Position(context.Context, string, string) (int64, time.Time, error) {
	return 100, time.Now(), nil
}
func (positions) SetPosition(context.Context, string, string, int64) error { return nil }

// A server that answers the same again and again, or what has no number, is asked again after pauses.
func TestRun_GetsNoFurther(t *testing.T) {
	for _, list := range []string{`[{"update_id":"x"}]`, `[null]`, `[{"update_id":99}]`} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
			defer cancel()
			asked := 0
			c := New(Options{
				Channel: "tg", Token: token, Log: zerolog.Nop(), Store: positions{},
				Receive: func(context.Context, string, string, []byte) error { return nil },
				Client: &http.Client{Transport: trip(func(*http.Request) (*http.Response, error) {
					if asked++; asked > 1000 {
						cancel()
						return nil, context.Canceled
					}
					return &http.Response{StatusCode: 200, Body: io.NopCloser(strings.NewReader(`{"ok":true,"result":` + list + `}`))}, nil
				})},
			})
			c.Run(ctx)
			if asked < 5 || asked > 1000 {
				t.Errorf("%s: asked %d times in ten minutes", list, asked)
			}
		})
	}
}

func TestSend_WaitsItsTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		posts := []time.Time{}
		c := connector("http://api.invalid")
		c.pace = newPace(time.Second)
		c.client = &http.Client{Transport: trip(func(r *http.Request) (*http.Response, error) {
			posts = append(posts, time.Now())
			return &http.Response{StatusCode: 200, Body: io.NopCloser(strings.NewReader(`{"ok":true,"result":{"message_id":1}}`))}, nil
		})}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		for range 3 {
			if _, err := c.Send(ctx, outgoing("hi")); err != nil {
				t.Fatal(err)
			}
		}
		if posts[1].Sub(posts[0]) != time.Second || posts[2].Sub(posts[1]) != time.Second {
			t.Errorf("sent at %v", posts)
		}
		short, cancel := context.WithTimeout(t.Context(), margin+time.Millisecond)
		defer cancel()
		var s *chat.SendError
		if _, err := c.Send(short, outgoing("hi")); !errors.As(err, &s) || s.Permanent || len(posts) != 3 {
			t.Errorf("without the time to wait: %v", err)
		}
	})
}

type trip func(*http.Request) (*http.Response, error)

func (f trip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// Files come from the Bot API's server alone, whatever path it is told (P15).
func TestFetch(t *testing.T) {
	s := api(t)
	s.File("ok", "photos/file 1.jpg", []byte("jpeg"))
	s.File("huge", "x", make([]byte, downloadMax+1))
	c := connector(s.URL())
	r, err := c.Fetch(t.Context(), chat.Remote{ID: "ok"})
	if err != nil {
		t.Fatal(err)
	}
	data, _ := io.ReadAll(r)
	if string(data) != "jpeg" || r.Close() != nil {
		t.Errorf("%q", data)
	}
	for id, want := range map[string]error{"huge": chat.ErrTooBig, "none": chat.ErrNotFound} {
		if _, err := c.Fetch(t.Context(), chat.Remote{ID: id}); !errors.Is(err, want) {
			t.Errorf("%s: %v", id, err)
		}
	}
	if _, err := c.Fetch(t.Context(), chat.Remote{ID: "ok", Size: downloadMax + 1}); !errors.Is(err, chat.ErrTooBig) {
		t.Error(err)
	}
	for _, path := range []string{"", "/etc/passwd", "../../getMe", "a/../../b", "a//b", `a\b`, "a?b", "http://evil.example/x"} {
		s.File("evil", path, []byte("x"))
		if _, err := c.Fetch(t.Context(), chat.Remote{ID: "evil"}); !errors.Is(err, chat.ErrNotFound) {
			t.Errorf("%q: %v", path, err)
		}
	}
	if got := s.Paths(); !slices.Equal(got, []string{"photos/file 1.jpg"}) {
		t.Errorf("asked for %q", got)
	}
	s.Fail("getFile", botserver.Fault{Status: 429, Text: "Too Many Requests", RetryAfter: 1})
	if _, err := c.Fetch(t.Context(), chat.Remote{ID: "ok"}); err == nil || errors.Is(err, chat.ErrNotFound) {
		t.Errorf("what may be there later: %v", err)
	}
	away := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/getFile") {
			_, _ = io.WriteString(w, `{"ok":true,"result":{"file_path":"a"}}`)
			return
		}
		http.Redirect(w, r, "http://127.0.0.1:1/evil", http.StatusFound)
	}))
	defer away.Close()
	if _, err := connector(away.URL).Fetch(t.Context(), chat.Remote{ID: "x"}); err == nil || strings.Contains(err.Error(), "refused") {
		t.Errorf("a redirection: %v", err)
	}
}

// No error shows the token, which is in every address.
func TestErrors_HideTheToken(t *testing.T) {
	c := connector("http://127.0.0.1:1")
	_, err := c.Fetch(t.Context(), chat.Remote{ID: "x"})
	if err == nil || strings.Contains(err.Error(), token) || strings.Contains(err.Error(), "AAHdq") {
		t.Error(err)
	}
}

func update(id int) []byte {
	b, _ := json.Marshal(map[string]any{"update_id": id, "message": map[string]any{
		"message_id": id, "date": 1700000000, "text": "x", "chat": map[string]any{"id": 77, "type": "private"}, "from": map[string]any{"id": 77, "first_name": "Jan"}}})
	return b
}

// Only Telegram knows the secret of the webhook; what was kept is acknowledged, what
// was not comes again, and what will never be anything does not.
func TestServeHTTP(t *testing.T) {
	c := connector("")
	c.webhook = "https://chat.example.com/connectors/tg/events"
	var kept []string
	var fail error
	wrong := errors.New("wrong")
	c.wrong = func(err error) bool { return errors.Is(err, wrong) }
	c.receive = func(_ context.Context, channel, event string, _ []byte) error {
		if fail == nil {
			kept = append(kept, channel+" "+event)
		}
		return fail
	}
	post := func(secret string, body []byte) int {
		r := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(body))
		r.Header.Set(HeaderSecret, secret)
		w := httptest.NewRecorder()
		c.ServeHTTP(w, r)
		return w.Code
	}
	for _, bad := range []string{"", token, c.Secret()[1:], c.Secret() + "0"} {
		if got := post(bad, update(1)); got != http.StatusUnauthorized {
			t.Errorf("secret %q: %d", bad, got)
		}
	}
	if got := post(c.Secret(), update(1)); got != http.StatusOK || !slices.Equal(kept, []string{"tg 123456789.1.1700000000"}) {
		t.Errorf("%d %q", got, kept)
	}
	if got := post(c.Secret(), []byte("{")); got != http.StatusOK {
		t.Errorf("what cannot be read: %d", got)
	}
	if got := post(c.Secret(), append(update(1), bytes.Repeat([]byte(" "), updateMax)...)); got != http.StatusOK {
		t.Errorf("what is too large: %d", got)
	}
	if fail = errors.New("the database is away"); post(c.Secret(), update(2)) != http.StatusServiceUnavailable {
		t.Error("what was not kept is acknowledged")
	}
	if fail = wrong; post(c.Secret(), update(2)) != http.StatusOK {
		t.Error("what is wrong comes again")
	}
	other := connector("")
	other.token = token + "x"
	if other.webhook, fail = c.webhook, nil; other.Secret() == c.Secret() {
		t.Error("two bots have one secret")
	}
	c.webhook = ""
	if got := post(c.Secret(), update(3)); got != http.StatusUnauthorized {
		t.Errorf("without a webhook: %d", got)
	}
}
