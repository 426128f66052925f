package web

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"centrala/acd"
	"centrala/internal/accounts"
	"centrala/internal/events"
	"centrala/internal/journal"
	"centrala/internal/journal/db"
	"centrala/internal/journal/db/dbtest"
	"centrala/internal/journal/stats"
	"centrala/internal/webhooks"
	"centrala/queuegroups"
)

const site = `
agents:
  anna: {extension: "101", name: Anna Nowak}
  bartek: {extension: "102"}
  celina: {extension: "103"}
groups:
  sales: {agents: [anna, bartek], wrap_up: 30s, dispositions: [sale, call_back], disposition_required: true}
  support: {agents: [celina]}
trunks: {carrier: {from: [192.0.2.1/32]}}
numbers:
  "+48 22 123 45 67": {trunk: carrier, group: sales}
work_time: {breaks: [lunch, coffee]}
`

// fakeCore is the core without a log: entries are applied at once.
type fakeCore struct {
	mu    sync.Mutex
	state *acd.State
	at    time.Time
	facts []acd.Event
	fail  error // of Append
}

func (f *fakeCore) View(look func(*acd.State)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	look(f.state)
}

func (f *fakeCore) Append(_ context.Context, e acd.Event) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fail != nil {
		return f.fail
	}
	f.facts = append(f.facts, e)
	f.at = f.at.Add(time.Second)
	f.state.Apply(acd.Entry{Index: f.state.Index() + 1, At: f.at, Event: e})
	return nil
}

// fakeAccounts are real ones that know some callers without a sign-in, by what they show.
type fakeAccounts struct {
	*accounts.Accounts
	mu       sync.Mutex
	sessions map[string]*accounts.Caller
	keys     map[string]*accounts.Caller
	entries  []accounts.Entry
	fail     error
}

func (f *fakeAccounts) Session(ctx context.Context, token string, from netip.Addr) (*accounts.Caller, error) {
	if c, err := f.find(f.sessions, token); c != nil || err != nil {
		return c, err
	}
	return f.Accounts.Session(ctx, token, from)
}

func (f *fakeAccounts) Key(ctx context.Context, key string, from netip.Addr) (*accounts.Caller, error) {
	if c, err := f.find(f.keys, key); c != nil || err != nil {
		return c, err
	}
	return f.Accounts.Key(ctx, key, from)
}

func (f *fakeAccounts) Again(ctx context.Context, c *accounts.Caller) (*accounts.Caller, error) {
	f.mu.Lock()
	for _, known := range []map[string]*accounts.Caller{f.sessions, f.keys} {
		for _, x := range known {
			if x.Name == c.Name && x.Session == c.Session {
				f.mu.Unlock()
				found := *x
				return &found, f.fail
			}
		}
	}
	f.mu.Unlock()
	return f.Accounts.Again(ctx, c)
}

func (f *fakeAccounts) find(m map[string]*accounts.Caller, secret string) (*accounts.Caller, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fail != nil {
		return nil, f.fail
	}
	if c := m[secret]; c != nil {
		found := *c
		return &found, nil
	}
	return nil, nil
}

func (f *fakeAccounts) Audit(ctx context.Context, e accounts.Entry) error {
	f.mu.Lock()
	f.entries = append(f.entries, e)
	f.mu.Unlock()
	return f.Accounts.Audit(ctx, e)
}

func (f *fakeAccounts) audited() []accounts.Entry {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]accounts.Entry(nil), f.entries...)
}

// fakeDesk notes what is asked of it.
type fakeDesk struct {
	did  []string
	held map[acd.LegID]bool
	gone bool
}

func (f *fakeDesk) note(format string, args ...any) bool {
	f.did = append(f.did, fmt.Sprintf(format, args...))
	return !f.gone
}

func (f *fakeDesk) HangUp(leg acd.LegID) bool                  { return f.note("hang up %s", leg) }
func (f *fakeDesk) Hold(leg acd.LegID, on bool) bool           { return f.note("hold %s %v", leg, on) }
func (f *fakeDesk) Held(leg acd.LegID) bool                    { return f.held[leg] }
func (f *fakeDesk) Call(a queuegroups.AgentID, to string) bool { return f.note("call %s %s", a, to) }
func (f *fakeDesk) Decline(c acd.LegID, o acd.OfferID) bool    { return f.note("decline %s %d", c, o) }

// fakeCalls are how the audio of calls is, by the leg that they began with.
type fakeCalls map[acd.LegID][]CallLeg

func (f fakeCalls) Audio(_ context.Context, leg acd.LegID) []CallLeg { return f[leg] }

// fakeSettings are files in memory.
type fakeSettings struct {
	r    *rig
	file string
	list []Version
}

func (f *fakeSettings) Check(_ context.Context, text []byte) (*queuegroups.Config, error) {
	if len(text) == 0 {
		text = []byte(f.file)
	}
	c, err := queuegroups.Load(queuegroups.Options{Region: "PL", Files: []queuegroups.File{{Name: "queuegroups.yaml", Data: text}}})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBadConfig, err)
	}
	return c, nil
}

func (f *fakeSettings) Reload(ctx context.Context, by string) ([]queuegroups.Change, error) {
	c, err := f.Check(ctx, nil)
	if err != nil {
		return nil, err
	}
	changes := queuegroups.Diff(f.r.config, c)
	f.r.config = c
	f.list = append([]Version{{c.Version, time.Now(), by, changes}}, f.list...)
	return changes, f.r.core.Append(ctx, &acd.ConfigApplied{Config: c})
}

func (f *fakeSettings) Versions() []Version { return f.list }

// realRecord is the record in a database.
type realRecord struct{ d *db.DB }

func (r realRecord) Report(ctx context.Context, q stats.Query) (*stats.Report, error) {
	return stats.Compute(ctx, r.d, q)
}

func (r realRecord) History(ctx context.Context, f journal.Filter) ([]journal.Interaction, error) {
	return journal.History(ctx, r.d, f)
}

func (r realRecord) Facts(ctx context.Context, id acd.InteractionID) (*journal.Facts, error) {
	return journal.FactsOf(ctx, r.d, id)
}

func (r realRecord) Missed(ctx context.Context, f journal.Filter, open bool) ([]journal.MissedCall, error) {
	return journal.Missed(ctx, r.d, f, open)
}

func (r realRecord) Contacts(ctx context.Context, f journal.Filter) ([]journal.Contact, error) {
	return journal.Contacts(ctx, r.d, f)
}

func (r realRecord) Erase(ctx context.Context, number string) (Erased, error) {
	e, err := journal.Erase(ctx, r.d, number, "erased-x")
	return Erased{Pseudonym: "erased-x", Interactions: e.Interactions, Notes: e.Notes, Events: e.Events, GoingOn: e.GoingOn}, err
}

// rig is a server with a fake core and fake accounts.
type rig struct {
	t        testing.TB
	core     *fakeCore
	config   *queuegroups.Config
	accounts *fakeAccounts
	desk     *fakeDesk
	talks    *fakeTalks
	settings *fakeSettings
	record   realRecord
	phones   *fakePhones
	calls    fakeCalls
	db       *db.DB
	hub      *events.Hub
	hooks    *webhooks.Webhooks
	chats    *fakeChats
	s        *Server
	call     acd.InteractionID // in sales; anna talks
	waiting  acd.InteractionID // in sales
}

func builtin(t testing.TB, id string) queuegroups.Role {
	for _, r := range queuegroups.BuiltinRoles() {
		if r.ID == id {
			return r
		}
	}
	t.Fatalf("no role %s", id)
	return queuegroups.Role{}
}

func newRig(t testing.TB) *rig {
	t.Helper()
	return newRigOn(t, dbtest.Open(t, dbtest.SQLite(t)))
}

func newRigOn(t testing.TB, d *db.DB) *rig {
	t.Helper()
	config, err := queuegroups.Load(queuegroups.Options{Region: "PL", Files: []queuegroups.File{{Name: "site", Data: []byte(site)}}})
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, config: config, core: &fakeCore{state: acd.NewState(), at: time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)}}
	r.fact(&acd.LevelRaised{Level: acd.LevelMax})
	r.fact(&acd.ConfigApplied{Config: config})
	r.fact(&acd.NodeStarted{Node: "n1", Online: []queuegroups.AgentID{"anna"}})
	for n, leg := range []acd.LegID{"c1", "c2"} {
		r.fact(&acd.CallArrived{Leg: leg, Node: "n1", Trunk: "carrier", From: acd.Party{Number: "+48501100200"}, To: "+48221234567"})
		if n == 0 {
			r.call = acd.InteractionID(r.core.state.Index())
			v, _ := r.core.state.Interaction(r.call)
			r.fact(&acd.OfferRinging{Offer: v.Offers[0].ID})
			r.fact(&acd.OfferAnswered{Offer: v.Offers[0].ID, Leg: "c1.1", Node: "n1"})
			r.fact(&acd.Bridged{A: "c1", B: "c1.1"})
		} else {
			r.waiting = acd.InteractionID(r.core.state.Index())
		}
	}
	manager, director := builtin(t, queuegroups.RoleManager), builtin(t, queuegroups.RoleDirector)
	support := director.Narrowed(director.Rights, []queuegroups.GroupID{"support"})
	r.db = d
	r.hub = events.New(events.Options{DB: d, Leader: func() bool { return false }, Log: zerolog.Nop()})
	r.hub.Start()
	r.hooks = webhooks.New(webhooks.Options{DB: d, Events: r.hub, Log: zerolog.Nop()})
	t.Cleanup(r.hub.Stop)
	r.accounts = &fakeAccounts{
		Accounts: accounts.New(accounts.Options{
			DB: d, Config: func() *queuegroups.Config { return r.config }, Log: zerolog.Nop(),
		}),
		sessions: map[string]*accounts.Caller{
			"boss":     {Name: "boss", Role: builtin(t, queuegroups.RoleAdministrator), Session: "s1"},
			"director": {Name: "director", Role: director, Session: "s2"},
			"support":  {Name: "chief", Role: support, Session: "s3"},
			"anna":     {Name: "anna", Agent: "anna", Role: manager, Session: "s4"},
			"bartek":   {Name: "bartek", Agent: "bartek", Role: manager, Session: "s5"},
			"celina":   {Name: "celina", Agent: "celina", Role: manager, Session: "s6"},
		},
		keys: map[string]*accounts.Caller{
			"none": {Name: "key none"},
			"all":  {Name: "key all", Role: builtin(t, queuegroups.RoleAdministrator)},
		},
	}
	r.record, r.calls = realRecord{d}, fakeCalls{}
	r.chats = &fakeChats{changed: map[int64]chan struct{}{}}
	r.desk, r.talks, r.settings, r.phones = &fakeDesk{}, &fakeTalks{}, &fakeSettings{r: r, file: site}, &fakePhones{came: make(chan came, 16)}
	r.s = newServer(Options{Core: r.core, Accounts: r.accounts, Desk: r.desk, Talks: r.talks, Settings: r.settings, Record: r.record, Phones: r.phones, Calls: r.calls, Chats: r.chats, Node: "n1", Connectors: http.NotFoundHandler(), Window: fakeWindow{}, Events: r.hub, Webhooks: r.hooks, Version: "test", Log: zerolog.Nop()})
	return r
}

func (r *rig) fact(e acd.Event) {
	r.t.Helper()
	if err := r.core.Append(context.Background(), e); err != nil {
		r.t.Fatal(err)
	}
}

// reply is what was answered.
type reply struct {
	status int
	header http.Header
	body   string
}

// code is that of the problem; empty: it is none.
func (p reply) code() string {
	var x Problem
	if !strings.HasPrefix(p.header.Get("Content-Type"), "application/problem+json") || json.Unmarshal([]byte(p.body), &x) != nil {
		return ""
	}
	return x.Code
}

// as sends a request with the session named, or with a key as in key:all. The body is JSON unless it is text.
func (r *rig) as(who, method, path string, body any, change ...func(*http.Request)) reply {
	r.t.Helper()
	var in io.Reader
	switch body := body.(type) {
	case nil:
	case string:
		in = strings.NewReader(body)
	case io.Reader:
		in = body
	default:
		data, err := json.Marshal(body)
		if err != nil {
			r.t.Fatal(err)
		}
		in = bytes.NewReader(data)
	}
	if !strings.HasPrefix(path, "/api") {
		path = Prefix + path
	}
	req := httptest.NewRequest(method, path, in)
	req.RemoteAddr = "127.0.0.1:40000"
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if key, ok := strings.CutPrefix(who, "key:"); ok {
		req.Header.Set("Authorization", "Bearer "+key)
	} else if who != "" {
		req.AddCookie(&http.Cookie{Name: cookieName(false), Value: who})
	}
	ctx, cancel := context.WithCancel(req.Context())
	defer cancel()
	req = req.WithContext(ctx)
	for _, f := range change {
		f(req)
	}
	w := &beginning{httptest.NewRecorder(), cancel}
	r.s.entrance(w, req)
	return reply{w.Code, w.Result().Header, w.Body.String()}
}

// beginning records an answer, of a stream, which would go on for ever, up to its first blank line.
type beginning struct {
	*httptest.ResponseRecorder
	leave func()
}

func (b *beginning) Write(text []byte) (int, error) {
	n, err := b.ResponseRecorder.Write(text)
	b.looked()
	return n, err
}

func (b *beginning) WriteString(text string) (int, error) {
	n, err := b.ResponseRecorder.WriteString(text)
	b.looked()
	return n, err
}

func (b *beginning) looked() {
	if b.Header().Get("Content-Type") == "text/event-stream" && bytes.Contains(b.Body.Bytes(), []byte("\n\n")) {
		b.leave()
	}
}

// want checks the status, and the code of the problem.
func (r *rig) want(p reply, status int, code string) {
	r.t.Helper()
	if p.status != status || p.code() != code {
		r.t.Errorf("answered %d %q, want %d %q: %s", p.status, p.code(), status, code, p.body)
	}
}

func decode[T any](t testing.TB, p reply) (v T) {
	t.Helper()
	if err := json.Unmarshal([]byte(p.body), &v); err != nil {
		t.Fatalf("%v in %d %s", err, p.status, p.body)
	}
	return v
}
