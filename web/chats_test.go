package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"centrala/acd"
	"centrala/chat"
	"centrala/queuegroups"
)

// fakeChats are conversations in memory: that of the session chat-N is N.
type fakeChats struct {
	mu       sync.Mutex
	list     []chat.Message
	read     int64
	typed    map[chat.Author][]chat.Typist
	files    map[string]*os.File
	dir      string
	changed  map[int64]chan struct{}
	watched  map[chan struct{}][]int64
	canned   []chat.Canned
	ratings  []chat.Rating
	leg      string // by which was said something last
	troubles []chat.Trouble
	faults   map[queuegroups.ChannelID]string
	names    []string // of every customer
	taken    []string
	kept     []chat.Dialogs
}

func (f *fakeChats) Archived(context.Context) ([]chat.Dialogs, error) { return f.kept, nil }

func (f *fakeChats) DeleteChannel(_ context.Context, channel string) (d chat.Dialogs, err error) {
	f.kept = slices.DeleteFunc(f.kept, func(x chat.Dialogs) bool {
		if x.Channel == channel {
			d = x
		}
		return x.Channel == channel
	})
	return d, nil
}

func (f *fakeChats) Known(context.Context, chat.SessionID, string) ([]string, error) {
	return f.names, nil
}

func (f *fakeChats) Taken(id chat.SessionID) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.taken = append(f.taken, string(id))
}

func (f *fakeChats) Session(_ context.Context, id chat.SessionID) (x chat.Session, err error) {
	if _, err := fmt.Sscanf(string(id), "chat-%d", &x.Conversation); err != nil {
		return x, chat.ErrNotFound
	}
	return chat.Session{ID: id, Conversation: x.Conversation, Channel: "website", Customer: "jan"}, nil
}

func (f *fakeChats) Conversation(_ context.Context, id int64) (chat.Conversation, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if id != 1 || len(f.list) == 0 {
		return chat.Conversation{}, chat.ErrNotFound
	}
	return chat.Conversation{ID: id, Channel: "website", Seq: int64(len(f.list)), ReadAgent: f.read}, nil
}

func (f *fakeChats) After(_ context.Context, _, seq int64, limit int) ([]chat.Message, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	from := min(int(seq), len(f.list))
	return f.list[from:min(from+limit, len(f.list))], nil
}

func (f *fakeChats) Before(_ context.Context, _, seq int64, limit int) ([]chat.Message, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	to := min(int(seq)-1, len(f.list))
	return f.list[max(to-limit, 0):to], nil
}

func (f *fakeChats) Read(_ context.Context, _ int64, _ chat.Author, seq int64) error {
	f.read = seq
	return nil
}

func (f *fakeChats) Say(_ context.Context, d chat.Draft, leg string) (chat.Message, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	m := chat.Message{Conversation: 1, Seq: int64(len(f.list) + 1), Author: d.Author, Name: d.Name, Kind: d.Kind, Client: d.Client, Text: d.Text, Status: chat.StatusAccepted, Attachments: d.Files}
	f.list, f.leg = append(f.list, m), leg
	f.told()
	return m, nil
}

// hear has the customer write.
func (f *fakeChats) hear(text string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.list = append(f.list, chat.Message{Conversation: 1, Seq: int64(len(f.list) + 1), Author: chat.ByCustomer, Kind: chat.KindText, Text: text, Status: chat.StatusAccepted})
	f.told()
}

// told is called under mu.
func (f *fakeChats) told() {
	if c := f.changed[1]; c != nil {
		close(c)
		delete(f.changed, 1)
	}
	for poke, watched := range f.watched {
		if slices.Contains(watched, 1) {
			select {
			case poke <- struct{}{}:
			default:
			}
		}
	}
}

func (f *fakeChats) Watch() (changed <-chan struct{}, set func([]int64), stop func()) {
	poke := make(chan struct{}, 1)
	set = func(conversations []int64) {
		f.mu.Lock()
		defer f.mu.Unlock()
		if f.watched == nil {
			f.watched = map[chan struct{}][]int64{}
		}
		f.watched[poke] = conversations
	}
	return poke, set, func() { set(nil) }
}

func (f *fakeChats) Troubles(context.Context, int64, int64) ([]chat.Trouble, error) {
	return f.troubles, nil
}

func (f *fakeChats) MessagesOf(ctx context.Context, _ chat.SessionID, seq int64, limit int) (list []chat.Message, more bool, err error) {
	list, err = f.After(ctx, 1, seq, limit)
	return list, false, err
}

func (f *fakeChats) Ratings(context.Context, chat.SessionID) ([]chat.Rating, error) {
	return f.ratings, nil
}

func (f *fakeChats) AttachmentOf(ctx context.Context, id chat.SessionID, attachment string) (chat.Attachment, *os.File, error) {
	a, conversation, file, err := f.Attachment(ctx, attachment)
	if err == nil && id != chat.SessionID(fmt.Sprint("chat-", conversation)) {
		return a, nil, errors.Join(chat.ErrNotFound, file.Close())
	}
	return a, file, err
}

func (f *fakeChats) Faults() map[queuegroups.ChannelID]string { return f.faults }

func (f *fakeChats) Typing(_ int64, by chat.Author, name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.typed = map[chat.Author][]chat.Typist{by: {{Name: name}}}
}

func (f *fakeChats) Typed(_ int64, by chat.Author) []chat.Typist {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.typed[by]
}

func (f *fakeChats) Attach(r io.Reader, name string) (a chat.Attachment, err error) {
	data, err := io.ReadAll(r)
	if err != nil || len(data) == 0 {
		return a, chat.ErrEmpty
	}
	a = chat.Attachment{ID: fmt.Sprint("f", len(f.files)), Name: name, Type: http.DetectContentType(data), Size: int64(len(data))}
	if f.files == nil {
		f.files = map[string]*os.File{}
	}
	f.files[a.ID], err = os.CreateTemp(f.dir, "file-*")
	if err == nil {
		_, err = f.files[a.ID].Write(data)
	}
	return a, err
}

func (f *fakeChats) Attachment(_ context.Context, id string) (a chat.Attachment, conversation int64, file *os.File, err error) {
	kept := f.files[id]
	if kept == nil {
		return a, 0, nil, chat.ErrNotFound
	}
	for _, m := range f.list {
		for _, x := range m.Attachments {
			if x.ID == id {
				file, err = os.Open(kept.Name())
				return x, m.Conversation, file, err
			}
		}
	}
	return a, 0, nil, chat.ErrNotFound
}

func (f *fakeChats) Changed(conversation int64) <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.changed[conversation] == nil {
		f.changed[conversation] = make(chan struct{})
	}
	return f.changed[conversation]
}

func (f *fakeChats) Canned(_ context.Context, channel string) (out []chat.Canned, err error) {
	for _, x := range f.canned {
		if x.Channel == channel {
			out = append(out, x)
		}
	}
	return out, nil
}

func (f *fakeChats) CannedAnswer(_ context.Context, channel string, id int64) (chat.Canned, error) {
	for _, x := range f.canned {
		if x.Channel == channel && x.ID == id {
			return x, nil
		}
	}
	return chat.Canned{}, chat.ErrNotFound
}

func (f *fakeChats) AddCanned(_ context.Context, c chat.Canned) (chat.Canned, error) {
	if len(f.canned) > 2 {
		return c, chat.ErrFull
	}
	c.ID = int64(len(f.canned) + 1)
	f.canned = append(f.canned, c)
	return c, nil
}

func (f *fakeChats) RemoveCanned(_ context.Context, id int64) error {
	f.canned = slices.DeleteFunc(f.canned, func(x chat.Canned) bool { return x.ID == id })
	return nil
}

func (f *fakeChats) Rate(ctx context.Context, r chat.Rating) error {
	if _, err := f.Session(ctx, r.Session); err != nil {
		return err
	}
	f.ratings = append(f.ratings, r)
	return nil
}

// newChatRig has a channel of anna and bartek, of whom anna is offered the first chat; more is declared of it.
func newChatRig(t *testing.T, more ...string) (*rig, string) {
	r := newRig(t)
	config, err := queuegroups.Load(queuegroups.Options{Region: "PL", Files: []queuegroups.File{{Name: "site", Data: []byte(`
agents: {anna: {capacity: {chat: 3}}, bartek: {capacity: {chat: 3}}, celina: {}} # nobody here says when an offer is withdrawn
groups: {support: {agents: [celina]}}
channels: {website: {connector: widget, agents: [anna, bartek], distribution: in_order` + strings.Join(more, "") + `}}
`)}}})
	if err != nil {
		t.Fatal(err)
	}
	r.config = config
	r.chats.dir = t.TempDir()
	r.fact(&acd.NodeStarted{Node: "n1"})
	r.fact(&acd.ConfigApplied{Config: config})
	r.fact(&acd.WrapUpSet{Agent: "anna"}) // after the call of the other tests
	for _, who := range []string{"anna", "bartek"} {
		r.want(r.as(who, http.MethodPost, "/agents/"+who+"/client", map[string]string{"id": "w1", "kind": "browser", "state": "used"}), 200, "")
	}
	r.fact(&acd.ChatArrived{Leg: "chat-1", Node: "n1", Channel: "website", From: acd.Party{Number: "jan"}})
	r.chats.list = []chat.Message{{Conversation: 1, Seq: 1, Author: chat.ByCustomer, Kind: chat.KindText, Text: "hello", Status: chat.StatusAccepted}}
	return r, fmt.Sprint(r.core.state.Index())
}

func (r *rig) mine(who string) []Chat {
	r.t.Helper()
	p := r.as(who, http.MethodGet, "/chats", nil)
	r.want(p, 200, "")
	return decode[Page[Chat]](r.t, p).Items
}

// An agent accepts, reads, writes and closes; nobody else does in their place (R28, R76).
func TestChats(t *testing.T) {
	r, id := newChatRig(t)
	at := "/interactions/" + id
	if list := r.mine("anna"); len(list) != 1 || !list[0].Offered || list[0].Customer != "jan" || list[0].Seq != 1 {
		t.Errorf("%+v", list)
	}
	if list := r.mine("bartek"); len(list) != 0 {
		t.Errorf("bartek's: %+v", list)
	}
	say := map[string]string{"id": "m1", "text": "hi"}
	r.want(r.as("anna", http.MethodPost, at+"/messages", say), 409, codeWrongPhase) // before it is accepted
	r.want(r.as("bartek", http.MethodPost, at+"/accept", nil), 403, codeForbidden)
	r.want(r.as("celina", http.MethodPost, at+"/accept", nil), 404, codeNotFound)
	r.want(r.as("anna", http.MethodPost, at+"/accept", nil), 200, "")
	r.want(r.as("anna", http.MethodPost, at+"/accept", nil), 409, codeNotOffered)
	// A chat goes on beside a call that its agent makes.
	r.want(r.as("anna", http.MethodPost, "/agents/anna/call", map[string]any{"to": map[string]string{"number": "+48601000000"}}), 200, "")
	if list := r.mine("anna"); len(list) != 1 || list[0].Offered {
		t.Errorf("%+v", list)
	}
	r.want(r.as("celina", http.MethodGet, at+"/messages", nil), 404, codeNotFound)
	r.want(r.as("boss", http.MethodPost, at+"/messages", say), 403, codeNotYours)
	r.want(r.as("celina", http.MethodPost, at+"/messages", say), 404, codeNotFound)
	r.want(r.as("anna", http.MethodPost, at+"/messages", map[string]string{"id": "m1", "text": ""}), 422, codeInvalid)
	p := r.as("anna", http.MethodPost, at+"/messages", say)
	r.want(p, 200, "")
	if m := decode[Message](t, p); m.Seq != 2 || m.Agent != "anna" || m.ID != "m1" || m.Author != "agent" {
		t.Errorf("%+v", m)
	}
	r.want(r.as("director", http.MethodPost, at+"/notes", map[string]string{"id": "n1", "text": "careful"}), 200, "")
	r.want(r.as("support", http.MethodPost, at+"/notes", map[string]string{"id": "n1", "text": "careful"}), 404, codeNotFound)
	p = r.as("anna", http.MethodGet, at+"/messages?after=1", nil)
	r.want(p, 200, "")
	if x := decode[Messages](t, p); len(x.Items) != 2 || x.Items[1].Kind != "note" || x.Seq != 3 {
		t.Errorf("%+v", x)
	}
	r.want(r.as("anna", http.MethodGet, at+"/messages?after=1&before=2", nil), 422, codeInvalid)
	r.want(r.as("anna", http.MethodPost, at+"/read", map[string]int{"seq": 2}), 204, "")
	r.want(r.as("director", http.MethodPost, at+"/read", map[string]int{"seq": 3}), 403, codeNotYours)
	r.want(r.as("boss", http.MethodGet, "/conversations/1/messages?before=3&limit=1", nil), 200, "")
	r.want(r.as("support", http.MethodGet, "/conversations/1/messages", nil), 404, codeNotFound)
	r.want(r.as("anna", http.MethodGet, "/conversations/1/messages", nil), 404, codeNotFound) // manager: own dialogs, by their chats
	r.want(r.as("boss", http.MethodGet, "/conversations/2/messages", nil), 404, codeNotFound)
	r.want(r.as("anna", http.MethodPost, at+"/close", nil), 200, "")
	r.want(r.as("anna", http.MethodPost, at+"/close", nil), 404, codeNotFound)
	for _, e := range r.accounts.audited() {
		if e.Who == "anna" && e.What == "send-message" {
			t.Error("what an agent writes in their own chat is in the audit log")
		}
	}
}

// Where the channel lets nobody pick up, agents see and take what they are offered, and nothing else (P3); whose rights
// reach the channel gives it to themself.
func TestChats_NobodyPicksUp(t *testing.T) {
	r, id := newChatRig(t, ", pickup: false")
	at := "/interactions/" + id
	r.want(r.as("bartek", http.MethodGet, at, nil), 404, codeNotFound)
	r.want(r.as("bartek", http.MethodPost, at+"/claim", nil), 404, codeNotFound)
	lead := r.accounts.sessions["bartek"]
	lead.Role = r.accounts.sessions["director"].Role
	r.want(r.as("bartek", http.MethodPost, at+"/claim", nil), 200, "")
	if list := r.mine("bartek"); len(list) != 1 || !list[0].Offered {
		t.Errorf("%+v", list)
	}
	r.want(r.as("bartek", http.MethodPost, at+"/accept", nil), 200, "")
}

// Declined and left chats go to the next; a chat can be handed over before it is
// accepted (R51) and after (R52), and taken from the queue.
func TestChats_GoElsewhere(t *testing.T) {
	r, id := newChatRig(t)
	at := "/interactions/" + id
	to := func(agent string) any { return map[string]any{"to": map[string]string{"agent": agent}} }
	has := func(who string, offered bool) {
		t.Helper()
		if list := r.mine(who); len(list) != 1 || list[0].Offered != offered {
			t.Errorf("%s: %+v", who, list)
		}
	}
	r.want(r.as("anna", http.MethodPost, at+"/decline", nil), 200, "")
	has("bartek", true)
	r.want(r.as("celina", http.MethodPost, at+"/transfer", to("celina")), 404, codeNotFound)
	r.want(r.as("bartek", http.MethodPost, at+"/transfer", to("anna")), 200, "")
	has("anna", true)
	r.want(r.as("bartek", http.MethodPost, at+"/claim", nil), 200, "")
	has("bartek", false)
	r.want(r.as("bartek", http.MethodPost, at+"/transfer", to("anna")), 200, "")
	has("anna", true)
	r.want(r.as("anna", http.MethodPost, at+"/accept", nil), 200, "")
	r.want(r.as("director", http.MethodGet, at+"/messages", nil), 200, "")
	r.want(r.as("support", http.MethodPost, at+"/leave", nil), 404, codeNotFound)
	r.want(r.as("anna", http.MethodPost, at+"/leave", nil), 200, "")
	has("bartek", true)
	r.want(r.as("celina", http.MethodPost, at+"/claim", nil), 404, codeNotFound)
	r.want(r.as("anna", http.MethodPost, at+"/claim", nil), 200, "")
	has("anna", false)
	r.want(r.as("anna", http.MethodPost, at+"/transfer", to("bartek")), 200, "")
	has("bartek", true)
	if want := []string{"chat-1", "chat-1", "chat-1"}; !slices.Equal(r.chats.taken, want) { // R60
		t.Errorf("taken by %q, want %q", r.chats.taken, want)
	}
}

// Windows together are as the one that is used; one that is not heard of is gone, but a
// browser in the background, which tells once a minute, is not (R36 to R39, P9).
func TestClients(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var x clients
		k := clientKey{"anna", acd.ClientBrowser}
		var gone []acd.ClientState
		tell := func(id string, state acd.ClientState) acd.ClientState {
			return x.heard(k, id, state, time.Now(), func() {
				gone = append(gone, x.heard(k, id, acd.ClientClosed, time.Now(), nil))
			})
		}
		step := func(got, want acd.ClientState) {
			t.Helper()
			if got != want {
				t.Errorf("told %q, want %q", got, want)
			}
		}
		step(tell("w1", acd.ClientUsed), acd.ClientUsed)
		step(tell("w2", acd.ClientMinimised), "")
		step(tell("w1", acd.ClientUsed), "") // within the minute
		for range 5 {
			time.Sleep(time.Minute) // as Chromium throttles a tab in the background
			step(tell("w1", ""), "")
			step(tell("w2", ""), "")
		}
		step(tell("w1", acd.ClientUsed), acd.ClientUsed) // use, again after a minute
		step(tell("w1", acd.ClientClosed), acd.ClientMinimised)
		time.Sleep(clientGone + time.Second)
		synctest.Wait()
		if len(gone) != 1 || gone[0] != acd.ClientClosed || len(x.list) != 0 {
			t.Errorf("%v, %v left", gone, x.list)
		}
		step(tell("w1", ""), acd.ClientUsed) // after a restart of the server
		step(tell("w1", acd.ClientClosed), acd.ClientClosed)
	})
}

func TestSetClient_IsTold(t *testing.T) {
	r, _ := newChatRig(t)
	before := len(r.core.facts)
	r.want(r.as("bartek", http.MethodPost, "/agents/anna/client", map[string]string{"id": "x", "kind": "mobile", "state": "used"}), 403, codeForbidden)
	r.want(r.as("anna", http.MethodPost, "/agents/anna/client", map[string]string{"id": "w1", "kind": "browser", "state": "open"}), 200, "")
	if len(r.core.facts) != before {
		t.Errorf("told %+v", r.core.facts[before:])
	}
	r.want(r.as("anna", http.MethodPost, "/agents/anna/client", map[string]string{"id": "w1", "kind": "browser", "state": "closed"}), 200, "")
	seen, ok := r.core.facts[len(r.core.facts)-1].(*acd.ClientSeen)
	if !ok || seen.State != acd.ClientClosed || seen.Node != "n1" {
		t.Errorf("told %+v", seen)
	}
}

// An agent sends a file, and is sent customers' files so that nothing in them runs; others have
// none of them. What is typed is told both ways.
func TestChatFiles(t *testing.T) {
	r, id := newChatRig(t)
	at := "/interactions/" + id
	svg := `<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>`
	r.want(r.as("anna", http.MethodPost, at+"/attachments?id=f1&name=x.svg", svg), 409, codeWrongPhase)
	r.want(r.as("anna", http.MethodPost, at+"/accept", nil), 200, "")
	r.want(r.as("anna", http.MethodPost, at+"/attachments?name=x.svg", svg), 422, codeInvalid)
	r.want(r.as("anna", http.MethodPost, at+"/attachments?id=f1", ""), 422, codeInvalid)
	r.want(r.as("boss", http.MethodPost, at+"/attachments?id=f1&name=x.svg", svg), 403, codeNotYours)
	r.want(r.as("nobody", http.MethodPost, at+"/attachments?id=f1&name=x.svg", svg), 401, codeNotSignedIn)
	p := r.as("anna", http.MethodPost, at+"/attachments?id=f1&name=x.svg", svg)
	r.want(p, 200, "")
	m := decode[Message](t, p)
	if len(m.Attachments) != 1 || m.Attachments[0].Name != "x.svg" || m.Attachments[0].Type != "application/octet-stream" {
		t.Fatalf("%+v", m)
	}
	file := at + "/attachments/" + m.Attachments[0].ID
	p = r.as("anna", http.MethodGet, file, nil)
	r.want(p, 200, "")
	if h := p.header; h.Get("Content-Type") != "application/octet-stream" || h.Get("Content-Disposition") != "attachment; filename=x.svg" || h.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("%v", h)
	}
	r.want(r.as("celina", http.MethodGet, file, nil), 404, codeNotFound)
	r.want(r.as("anna", http.MethodGet, at+"/attachments/other", nil), 404, codeNotFound)
	r.want(r.as("anna", http.MethodPost, at+"/typing", nil), 204, "")
	if list := r.chats.typed[chat.ByAgent]; len(list) != 1 || list[0].Name != "anna" {
		t.Errorf("%+v type", list)
	}
	r.chats.Typing(1, chat.ByCustomer, "")
	if list := r.mine("anna"); len(list) != 1 || !list[0].Typing {
		t.Errorf("%+v", list)
	}
}
