package widget_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/rs/zerolog"

	"centrala/chat"
	"centrala/chat/hub"
	"centrala/chat/store"
	"centrala/chat/widget"
	"centrala/internal/journal/db/dbtest"
)

const patience = 30 * time.Second

// fakeCore knows which sessions are open, and how they stand.
type fakeCore struct {
	mu   sync.Mutex
	open map[chat.SessionID]widget.Standing
	end  func(chat.SessionID)
}

func (f *fakeCore) Arrived(_ context.Context, s chat.Session) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, ok := f.open[s.ID]; !ok {
		f.open[s.ID] = widget.Standing{Phase: widget.PhaseWaiting, Position: len(f.open) + 1}
	}
	return nil
}

func (f *fakeCore) Written(_ context.Context, leg, _ string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, ok := f.open[chat.SessionID(leg)]; !ok && chat.IsSession(leg) {
		return hub.ErrOver
	}
	return nil
}

func (f *fakeCore) Closed(_ context.Context, leg string) error {
	f.end(chat.SessionID(leg))
	return nil
}

func (f *fakeCore) Ended(_ context.Context, leg string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.open, chat.SessionID(leg))
	return nil
}

func (f *fakeCore) Underway() []chat.SessionID { return nil }

func (f *fakeCore) stand(ids []chat.SessionID, tell func(int, widget.Standing)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for n, id := range ids {
		if x, ok := f.open[id]; ok {
			tell(n, x)
		}
	}
}

func (f *fakeCore) set(id chat.SessionID, x widget.Standing) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.open[id] = x
}

// rig is the server's side of windows on a real store, behind HTTP.
type rig struct {
	t       testing.TB
	store   *store.Store
	core    *fakeCore
	channel *widget.Channel
	mu      sync.RWMutex // of what a restart replaces
	hub     *hub.Hub
	window  *widget.Server
	web     *httptest.Server
	clock   time.Duration                  // by which the clock is ahead
	anew    atomic.Pointer[widget.Channel] // in place of channel; nil: it is as it was
}

func newRig(t testing.TB) *rig {
	r := &rig{
		t: t, store: store.New(store.Options{DB: dbtest.Open(t, dbtest.SQLite(t)), Dir: t.TempDir(), Log: zerolog.Nop()}),
		core: &fakeCore{open: map[chat.SessionID]widget.Standing{}},
		channel: &widget.Channel{
			Name: "Ask us", Origins: []string{"https://shop.example"}, FileMax: 1 << 20, Rating: true, Secret: []byte(secret),
			Hours: func(time.Time) (bool, time.Time) { return true, time.Time{} },
		},
	}
	r.core.end = func(id chat.SessionID) { r.hub.End(id) }
	r.begin()
	r.web = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		_, rest, _ := strings.Cut(q.URL.Path, "/widget/")
		channel, action, _ := strings.Cut(rest, "/")
		from := netip.MustParseAddr("192.0.2.1")
		if a, err := netip.ParseAddr(q.Header.Get("X-From")); err == nil {
			from = a
		}
		r.mu.RLock()
		s := r.window
		if q.Method == http.MethodPost { // what one server has begun to keep it has kept when the next one begins
			defer r.mu.RUnlock()
		} else { // these last until the server ends them
			r.mu.RUnlock()
		}
		s.Serve(w, q, channel, action, from, false)
	}))
	t.Cleanup(func() {
		r.web.CloseClientConnections()
		r.web.Close()
		r.window.Stop()
		r.hub.Stop()
	})
	return r
}

func (r *rig) begin() {
	r.hub = hub.New(hub.Options{
		Store: r.store, Core: r.core, Log: zerolog.Nop(),
		Connector: func(name string) chat.Connector {
			if name != "website" {
				return nil
			}
			return widget.Connector{}
		},
		Text:    func(string, chat.Notice) string { return "" },
		Changed: func(conversation int64, channel, customer string) { r.window.Changed(conversation, channel, customer) },
	})
	r.window = widget.New(widget.Options{
		Store: r.store, Hub: r.hub, Log: zerolog.Nop(), Standing: r.core.stand, Face: face, Picture: picture,
		Channel: func(name string) *widget.Channel {
			if name != "website" && name != "other" {
				return nil
			}
			if x := r.anew.Load(); x != nil {
				return x
			}
			return r.channel
		},
		Realm: func() string { return "chat.example" },
		Wrong: func(err error) bool { return errors.Is(err, hub.ErrUnread) },
		Now:   func() time.Time { return time.Now().Add(r.clock) },
	})
	if err := r.hub.Start(context.Background()); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) restart() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.window.Stop()
	r.hub.Stop()
	r.begin()
}

// request is what a page of the server's asks.
func (r *rig) request(method, path, token string, body []byte, headers ...string) (int, http.Header, []byte) {
	r.t.Helper()
	req, err := http.NewRequest(method, r.web.URL+"/widget/"+path, bytes.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Origin", r.web.URL)
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	for k := 0; k < len(headers); k += 2 {
		req.Header.Set(headers[k], headers[k+1])
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return res.StatusCode, res.Header, answer
}

// session asks for a token.
func (r *rig) session(in map[string]string, headers ...string) (status int, out struct {
	Token, Code, Name string
	Verified, Begun   bool
	Form              []string
	Consent           *widget.Text
}) {
	r.t.Helper()
	body, _ := json.Marshal(in)
	status, _, answer := r.request("POST", "website/session", "", body, headers...)
	if err := json.Unmarshal(answer, &out); err != nil {
		r.t.Fatalf("%s: %v", answer, err)
	}
	return status, out
}

func (r *rig) visitor() string {
	r.t.Helper()
	status, out := r.session(nil)
	if status != 200 || out.Token == "" {
		r.t.Fatalf("%d %+v", status, out)
	}
	return out.Token
}

// tell sends a frame by a request, and returns the code it was refused with; empty: it was not.
func (r *rig) tell(token string, frame map[string]any, headers ...string) string {
	r.t.Helper()
	body, _ := json.Marshal(frame)
	status, _, answer := r.request("POST", "website/frames", token, body, headers...)
	var problem struct{ Code string }
	if status != 200 {
		if err := json.Unmarshal(answer, &problem); err != nil || problem.Code == "" {
			r.t.Fatalf("%d %s", status, answer)
		}
	}
	return problem.Code
}

// got is a frame that a window is sent.
type got struct {
	Type, Code, ID, Name, Phase, Session, Agent, Beside string
	To                                                  int64
	Reset, Rate, More                                   bool
	Position, Minutes                                   int
	Read                                                int64
	Items                                               []struct {
		Seq                             int64
		By, ID, Name, Title, Face, Text string
		Files                           []struct{ ID, Name, Type string }
	}
}

// follower gives what a window is sent, whatever carries it.
type follower struct {
	t     testing.TB
	more  chan got
	write func(map[string]any)
	close func()
}

func (f *follower) until(what string, is func(got) bool) got {
	f.t.Helper()
	timeout := time.After(patience)
	var seen []string
	for {
		select {
		case x, ok := <-f.more:
			if !ok {
				f.t.Fatalf("it ended before %s: %s", what, seen)
			}
			if is(x) {
				return x
			}
			seen = append(seen, fmt.Sprintf("%+v", x))
		case <-timeout:
			f.t.Fatalf("never %s: %s", what, seen)
		}
	}
}

func (f *follower) phase(want string) got {
	f.t.Helper()
	return f.until("phase "+want, func(x got) bool { return x.Type == "state" && x.Phase == want })
}

func (f *follower) text(want string) got {
	f.t.Helper()
	return f.until("message "+want, func(x got) bool {
		return x.Type == "messages" && len(x.Items) > 0 && x.Items[len(x.Items)-1].Text == want
	})
}

func (r *rig) socket(token string, since int64) *follower {
	r.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	conn, _, err := websocket.Dial(ctx, r.web.URL+"/widget/website/socket", &websocket.DialOptions{HTTPHeader: http.Header{"Origin": {r.web.URL}}})
	if err != nil {
		r.t.Fatal(err)
	}
	conn.SetReadLimit(1 << 20)
	f := &follower{t: r.t, more: make(chan got, 1000), close: func() { cancel(); _ = conn.CloseNow() }}
	f.write = func(v map[string]any) {
		body, _ := json.Marshal(v)
		if err := conn.Write(ctx, websocket.MessageText, body); err != nil {
			r.t.Error(err)
		}
	}
	f.write(map[string]any{"type": "hello", "token": token, "since": since})
	go func() {
		defer close(f.more)
		for {
			_, text, err := conn.Read(ctx)
			if err != nil {
				return
			}
			f.take(text)
		}
	}()
	r.t.Cleanup(f.close)
	return f
}

func (f *follower) take(text []byte) {
	var x got
	if err := json.Unmarshal(text, &x); err != nil {
		f.t.Errorf("%s: %v", text, err)
	}
	f.more <- x
}

func (r *rig) stream(token string, since int64) *follower {
	r.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	req, _ := http.NewRequestWithContext(ctx, "GET", fmt.Sprintf("%s/widget/website/stream?since=%d", r.web.URL, since), nil)
	req.Header.Set("Authorization", "Bearer "+token)
	res, err := http.DefaultClient.Do(req)
	if err != nil || res.StatusCode != 200 {
		r.t.Fatalf("%v %v", res, err)
	}
	f := &follower{t: r.t, more: make(chan got, 1000), close: cancel, write: func(v map[string]any) { r.tell(token, v) }}
	go func() {
		defer close(f.more)
		defer res.Body.Close()
		for lines := bufio.NewScanner(res.Body); lines.Scan(); {
			if text, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				f.take([]byte(text))
			}
		}
	}()
	r.t.Cleanup(cancel)
	return f
}

func (r *rig) poll(token string, since int64) *follower {
	f := &follower{t: r.t, more: make(chan got, 1000), write: func(v map[string]any) { r.tell(token, v) }}
	ctx, cancel := context.WithCancel(context.Background())
	f.close = cancel
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer close(f.more)
		state := ""
		for ctx.Err() == nil {
			req, _ := http.NewRequestWithContext(ctx, "GET", fmt.Sprintf("%s/widget/website/poll?since=%d&state=%s", r.web.URL, since, state), nil)
			req.Header.Set("Authorization", "Bearer "+token)
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				return
			}
			var page struct {
				Frames []json.RawMessage
				State  string
				Since  int64
			}
			err = json.NewDecoder(res.Body).Decode(&page)
			_ = res.Body.Close()
			if err != nil {
				return
			}
			state, since = page.State, page.Since
			for _, x := range page.Frames {
				f.take(x)
			}
		}
	}()
	r.t.Cleanup(func() { cancel(); <-done })
	return f
}

// open is the one open session.
func (r *rig) open() chat.Session {
	r.t.Helper()
	list, err := r.store.Open(context.Background())
	if err != nil || len(list) != 1 {
		r.t.Fatalf("%v %v", list, err)
	}
	return list[0]
}

// face is what visitors of the tests see of agents: of jan nothing but the channel.
func face(channel, id string) widget.Face {
	if id == "jan" {
		return widget.Face{Name: "Ask us", Channel: true}
	}
	return widget.Face{Name: strings.ToUpper(id), Title: "Sales of " + channel, Picture: "face1"}
}

func picture(channel, id string) (kind string, data []byte, ok bool) {
	return "image/png", []byte("\x89PNG"), channel == "website" && id == "face1"
}

// says has an agent write.
func (r *rig) says(id chat.SessionID, client, text string, kind chat.Kind) {
	r.t.Helper()
	if _, err := r.hub.Say(context.Background(), chat.Draft{Session: id, Author: chat.ByAgent, Name: "anna", Kind: kind, Client: client, Text: text}, "a"); err != nil {
		r.t.Fatal(err)
	}
}
