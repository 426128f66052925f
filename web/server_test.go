package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rs/zerolog"

	"centrala/acd"
	"centrala/internal/accounts"
	"centrala/queuegroups"
)

func TestProblems(t *testing.T) {
	r := newRig(t)
	r.want(r.as("boss", "GET", "/nothing", nil), 404, codeNotFound)
	p := r.as("boss", "DELETE", "/agents", nil)
	r.want(p, 405, codeMethod)
	if allow := p.header.Get("Allow"); !strings.Contains(allow, "GET") {
		t.Errorf("Allow: %q", allow)
	}
	r.want(r.as("boss", "GET", "/agents?limit=0", nil), 422, codeInvalid)
	r.want(r.as("boss", "GET", "/agents?colour=red", nil), 422, codeInvalid)
	r.want(r.as("boss", "GET", "/agents?cursor=%21", nil), 400, codeBadCursor)
	r.want(r.as("boss", "GET", "/agents/a%00b", nil), 400, codeBadRequest)
	r.want(r.as("boss", "GET", "/agents?status=%ff", nil), 400, codeBadRequest)
	r.want(r.as("boss", "GET", "/interactions/x", nil), 422, codeInvalid)
	r.want(r.as("boss", "POST", "/agents/anna/duty", "{"), 400, codeBadRequest)
	r.want(r.as("boss", "POST", "/agents/anna/duty", nil), 400, codeBadRequest)
	r.want(r.as("boss", "POST", "/agents/anna/duty", `{"duty":"on","reason":"\u0000"}`), 400, codeBadRequest)
	r.want(r.as("boss", "POST", "/agents/anna/duty", `{"duty":"sleep"}`), 422, codeInvalid)
	r.want(r.as("boss", "POST", "/agents/anna/duty", `{"duty":"on","x":1}`), 422, codeInvalid)
	r.want(r.as("boss", "POST", "/agents/anna/duty", strings.Repeat(" ", MaxBody+1)), 413, codeTooLarge)
	r.want(r.as("boss", "POST", "/agents/anna/duty", "<duty/>", func(q *http.Request) { q.Header.Set("Content-Type", "text/xml") }), 415, codeMediaType)
	r.want(r.as("boss", "POST", "/agents/anna/duty", io.MultiReader(strings.NewReader("{"), broken{})), 400, codeBadRequest)
	if p := r.as("boss", "POST", "/agents/anna/duty", `{"duty":"hunter2"}`); strings.Contains(p.body, "hunter2") {
		t.Errorf("what was sent is told back: %s", p.body)
	}
	p = r.as("boss", "GET", "/agents/nobody", nil)
	r.want(p, 404, codeNotFound)
	var x Problem
	if err := json.Unmarshal([]byte(p.body), &x); err != nil || x.Request != p.header.Get(requestIDHeader) || x.Request == "" || x.Status != 404 ||
		x.Type != "urn:centrala:problem:not_found" {
		t.Errorf("%+v %v", x, err)
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("the line broke") }

// What a database or the log says in its trouble stays inside.
func TestProblems_TellNothingOfTheInside(t *testing.T) {
	r := newRig(t)
	r.core.fail = errors.New("secret of the inside")
	p := r.as("boss", "POST", "/agents/anna/dnd", `{"on":true}`)
	r.want(p, 503, codeUnavailable)
	if p.header.Get("Retry-After") == "" || strings.Contains(p.body, "secret") {
		t.Errorf("%v %s", p.header, p.body)
	}
	r.accounts.fail = errors.New("secret of the inside")
	p = r.as("boss", "GET", "/agents", nil)
	r.want(p, 503, codeUnavailable)
	if strings.Contains(p.body, "secret") {
		t.Error(p.body)
	}
	r.accounts.fail = &accounts.TooManyError{After: 1500 * time.Millisecond}
	p = r.as("boss", "GET", "/agents", nil)
	r.want(p, 429, codeTooMany)
	if p.header.Get("Retry-After") != "2" {
		t.Errorf("Retry-After: %q", p.header.Get("Retry-After"))
	}
}

type emptyIn struct{}
type emptyOut struct{}

// A panic ends its own request with a 500, and no other; what it says is not told.
func TestPanic(t *testing.T) {
	r := newRig(t)
	Operation(r.s, Needs(queuegroups.RightAuditRead), Route{ID: "panic", Method: "GET", Path: "/panic", Tag: "x"},
		func(context.Context, *Caller, *emptyIn) (*emptyOut, error) { panic("secret of the inside") })
	Operation(r.s, Needs(queuegroups.RightAuditRead), Route{ID: "fault", Method: "GET", Path: "/fault", Tag: "x"},
		func(context.Context, *Caller, *emptyIn) (*emptyOut, error) {
			return nil, errors.New("secret of the inside")
		})
	for _, path := range []string{"/panic", "/fault"} {
		p := r.as("boss", "GET", path, nil)
		r.want(p, 500, codeInternal)
		if strings.Contains(p.body, "secret") {
			t.Error(p.body)
		}
	}
	r.want(r.as("boss", "GET", "/agents", nil), 200, "")
}

func TestHeaders(t *testing.T) {
	r := newRig(t)
	for _, path := range []string{"/agents", "/nothing", "/openapi.json"} {
		h := r.as("boss", "GET", path, nil).header
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
			"Access-Control-Allow-Origin": "", "Strict-Transport-Security": "",
		} {
			if got := h.Get(name); got != want {
				t.Errorf("%s %s: %q", path, name, got)
			}
		}
	}
	if h := r.as("boss", "GET", "/agents", nil).header; h.Get("Cache-Control") != "no-store" {
		t.Errorf("Cache-Control: %q", h.Get("Cache-Control"))
	}
}

// Other sites can neither read (CORS is closed) nor have a browser send commands (CSRF).
func TestCrossSite(t *testing.T) {
	r := newRig(t)
	site := func(name, value string) func(*http.Request) {
		return func(q *http.Request) { q.Header.Set(name, value) }
	}
	command := func(change ...func(*http.Request)) reply {
		return r.as("anna", "POST", "/agents/anna/dnd", `{"on":true}`, change...)
	}
	r.want(command(site("Sec-Fetch-Site", "cross-site")), 403, codeCrossSite)
	r.want(command(site("Sec-Fetch-Site", "same-site")), 403, codeCrossSite)
	r.want(command(site("Origin", "https://evil.example")), 403, codeCrossSite)
	r.want(command(site("Origin", "null")), 403, codeCrossSite)
	if len(r.accounts.audited()) > 0 {
		t.Error("something was done")
	}
	r.want(command(site("Sec-Fetch-Site", "same-origin")), 200, "")
	r.want(command(site("Origin", "http://example.com")), 200, "") // the host that the request is for
	p := r.as("", "OPTIONS", "/agents", nil, site("Origin", "https://evil.example"), site("Access-Control-Request-Method", "GET"))
	if p.status != 405 || p.header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("preflight: %d %v", p.status, p.header)
	}
}

// A proxy on this machine says who asks, and over what; others are not believed.
func TestClient(t *testing.T) {
	r := newRig(t)
	for _, x := range []struct {
		remote, forwarded, proto, want string
		secure                         bool
	}{
		{"127.0.0.1:1", "", "", "127.0.0.1", false},
		{"127.0.0.1:1", "203.0.113.9", "https", "203.0.113.9", true},
		{"[::1]:1", "1.2.3.4, 203.0.113.9", "", "203.0.113.9", false},
		{"198.51.100.7:1", "203.0.113.9", "https", "198.51.100.7", false},
		{"127.0.0.1:1", "rubbish", "", "127.0.0.1", false},
		{"[::ffff:198.51.100.7]:1", "", "", "198.51.100.7", false},
	} {
		q, err := http.NewRequest("GET", "http://x/", nil)
		if err != nil {
			t.Fatal(err)
		}
		q.RemoteAddr = x.remote
		if x.forwarded != "" {
			q.Header.Set("X-Forwarded-For", x.forwarded)
			q.Header.Set("X-Forwarded-Proto", x.proto)
		}
		from, secure := client(q, false)
		if from != netip.MustParseAddr(x.want) || secure != x.secure {
			t.Errorf("%+v: %s %v", x, from, secure)
		}
	}
	_ = r
}

func TestIdempotency(t *testing.T) {
	r := newRig(t)
	key := func(k string) func(*http.Request) {
		return func(q *http.Request) { q.Header.Set("Idempotency-Key", k) }
	}
	first := r.as("boss", "POST", "/agents/anna/dnd", `{"on":true}`, key("k1"))
	r.want(first, 200, "")
	facts := len(r.core.facts)
	again := r.as("boss", "POST", "/agents/anna/dnd", `{"on":true}`, key("k1"))
	r.want(again, 200, "")
	if again.body != first.body || again.header.Get("Idempotency-Replayed") != "true" || len(r.core.facts) != facts || len(r.accounts.audited()) != 1 {
		t.Errorf("done again: %d facts, %s", len(r.core.facts)-facts, again.body)
	}
	if again.header.Get(requestIDHeader) == first.header.Get(requestIDHeader) {
		t.Error("both requests have the same id")
	}
	r.want(r.as("boss", "POST", "/agents/anna/dnd", `{"on":false}`, key("k1")), 422, codeKeyReused)
	r.want(r.as("director", "POST", "/agents/anna/dnd", `{"on":false}`, key("k1")), 200, "")
	r.want(r.as("boss", "POST", "/agents/anna/dnd", `{"on":true}`, key(strings.Repeat("k", keyMax+1))), 400, codeBadRequest)
	// What failed through no fault of the caller's can be tried again.
	r.core.fail = errors.New("no")
	r.want(r.as("boss", "POST", "/agents/anna/dnd", `{"on":true}`, key("k2")), 503, codeUnavailable)
	r.core.fail = nil
	r.want(r.as("boss", "POST", "/agents/anna/dnd", `{"on":true}`, key("k2")), 200, "")
}

// Answers are forgotten after a day, or when there are too many.
func TestIdempotency_Forgets(t *testing.T) {
	now := time.Unix(0, 0)
	k := newAnswers(func() time.Time { return now })
	begin := func(key string) bool {
		replay, p := k.begin(keptKey{"a", key}, [32]byte{})
		if p != nil && p.Code != codeKeyInUse {
			t.Fatal(p)
		}
		return replay == nil && p == nil
	}
	if !begin("x") || begin("x") {
		t.Error("a key in use was had twice")
	}
	now = now.Add(answersFor)
	if !begin("x") {
		t.Error("it is kept for longer than a day")
	}
	for i := range answersMax {
		begin(fmt.Sprint(i))
	}
	if k.order.Len() > answersMax || len(k.byKey) != k.order.Len() {
		t.Errorf("%d kept", k.order.Len())
	}
}

func TestPages(t *testing.T) {
	r := newRig(t)
	var got []string
	next := ""
	for range 5 {
		p := decode[Page[Agent]](t, r.as("boss", "GET", "/agents?limit=1&cursor="+next, nil))
		for _, a := range p.Items {
			got = append(got, a.ID)
		}
		if next = p.Next; next == "" {
			break
		}
	}
	if fmt.Sprint(got) != "[anna bartek celina]" {
		t.Error(got)
	}
	first := decode[Page[Interaction]](t, r.as("boss", "GET", "/interactions?limit=1", nil))
	second := decode[Page[Interaction]](t, r.as("boss", "GET", "/interactions?limit=1&cursor="+first.Next, nil))
	if first.Items[0].ID != number(r.call) || second.Items[0].ID != number(r.waiting) || second.Next != "" {
		t.Errorf("%+v %+v", first, second)
	}
}

// The server answers on its address, and lets a request end that is under way when it stops.
func TestServer_Stop(t *testing.T) {
	r := newRig(t)
	s, err := New(Options{Addr: netip.MustParseAddrPort("127.0.0.1:0"), Core: r.core, Accounts: r.accounts, Desk: r.desk, Settings: r.settings, Phones: r.phones, Calls: r.calls, Chats: r.chats, Node: "n1", Connectors: http.NotFoundHandler(), Events: r.hub, Webhooks: r.hooks, Log: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	entered, leave := make(chan struct{}), make(chan struct{})
	Operation(s, Anybody(), Route{ID: "slow", Method: "GET", Path: "/slow", Tag: "x"}, func(context.Context, *Caller, *emptyIn) (*emptyOut, error) {
		close(entered)
		<-leave
		return &emptyOut{}, nil
	})
	s.Start()
	status := make(chan int)
	go func() {
		p, err := http.Get("http://" + s.Addr().String() + Prefix + "/slow")
		if err != nil {
			t.Error(err)
			status <- 0
			return
		}
		_ = p.Body.Close()
		status <- p.StatusCode
	}()
	<-entered
	stopped := make(chan error)
	go func() { stopped <- s.Stop(context.Background()) }()
	<-s.Stopping()
	close(leave)
	if got := <-status; got != 204 {
		t.Errorf("status %d", got)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	if err := s.Stop(context.Background()); err != nil {
		t.Error(err)
	}
}

func TestAgents(t *testing.T) {
	r := newRig(t)
	a := decode[Agent](t, r.as("anna", "GET", "/agents/anna", nil))
	if a.Status != "talking" || a.Extension != "101" || a.Name != "Anna Nowak" || len(a.Interactions) != 1 || a.Interactions[0] != number(r.call) {
		t.Errorf("%+v", a)
	}
	ids := func(who, query string) (out []string) {
		for _, a := range decode[Page[Agent]](t, r.as(who, "GET", "/agents"+query, nil)).Items {
			out = append(out, a.ID)
		}
		return out
	}
	for who, want := range map[string]string{
		"anna": "[anna bartek]", "celina": "[celina]", "boss": "[anna bartek celina]", "director": "[anna bartek celina]", "support": "[celina]",
	} {
		if got := fmt.Sprint(ids(who, "")); got != want {
			t.Errorf("%s sees %s, want %s", who, got, want)
		}
	}
	if got := fmt.Sprint(ids("boss", "?group=sales&status=offline")); got != "[bartek]" {
		t.Error(got)
	}
}

func TestAgents_Commands(t *testing.T) {
	r := newRig(t)
	a := decode[Agent](t, r.as("anna", "POST", "/agents/anna/duty", `{"duty":"break","reason":"lunch","next":true}`))
	if a.NextDuty != "break" || a.Duty != "on" {
		t.Errorf("%+v", a)
	}
	r.want(r.as("anna", "POST", "/agents/anna/duty", `{"duty":"break","reason":"siesta"}`), 422, codeInvalid)
	r.want(r.as("anna", "POST", "/agents/anna/duty", `{"duty":"on","reason":"lunch"}`), 422, codeInvalid)
	r.want(r.as("anna", "POST", "/agents/bartek/duty", `{"duty":"on"}`), 403, codeForbidden)
	r.want(r.as("anna", "POST", "/agents/celina/duty", `{"duty":"on"}`), 404, codeNotFound)
	r.want(r.as("anna", "POST", "/agents/anna/wrap-up/end", nil), 409, codeNoWrapUp)
	if n := len(r.accounts.audited()); n != 0 {
		t.Errorf("%d audit entries for what anna did to herself", n)
	}
	a = decode[Agent](t, r.as("director", "POST", "/agents/anna/duty", `{"duty":"break","reason":"coffee"}`))
	if a.Duty != "break" || a.Reason != "coffee" {
		t.Errorf("%+v", a)
	}
	if e := r.core.facts[len(r.core.facts)-1].(*acd.DutySet); e.By != "director" {
		t.Errorf("%+v", e)
	}
	entries := r.accounts.audited()
	if len(entries) != 1 || entries[0].Who != "director" || entries[0].What != "set-duty" || entries[0].Target != "agents/anna" ||
		!strings.Contains(string(entries[0].Before), `"duty":"on"`) || !strings.Contains(string(entries[0].After), `"duty":"break"`) || entries[0].From != netip.MustParseAddr("127.0.0.1") {
		t.Errorf("%+v", entries)
	}
	r.fact(&acd.LegEnded{Leg: "c1", Cause: acd.EndHangup})
	before := decode[Agent](t, r.as("anna", "GET", "/agents/anna", nil)).WrapUpUntil
	a = decode[Agent](t, r.as("anna", "POST", "/agents/anna/wrap-up/extend", `{"seconds":60}`))
	if a.WrapUpUntil.Sub(before) != time.Minute {
		t.Errorf("%v, then %v", before, a.WrapUpUntil)
	}
	if a.MustTell == nil || *a.MustTell != (Owed{number(r.call), "sales"}) {
		t.Errorf("%+v", a.MustTell)
	}
	refused := r.as("anna", "POST", "/agents/anna/wrap-up/end", nil)
	r.want(refused, 409, codeTellFirst)
	if told := r.path(r.call, "disposition"); !strings.Contains(refused.body, told) {
		t.Errorf("%s does not say %s", refused.body, told)
	}
	r.talks.talks = map[acd.InteractionID]Talk{r.call: {Agent: "anna", Group: "sales", Ended: r.core.at, WrapUp: true}}
	r.want(r.as("anna", "POST", r.path(r.call, "disposition"), `{"code":"sale"}`), 200, "")
	if a = decode[Agent](t, r.as("anna", "POST", "/agents/anna/wrap-up/end", nil)); !a.WrapUpUntil.IsZero() || a.MustTell != nil {
		t.Errorf("%+v", a)
	}
	a = decode[Agent](t, r.as("anna", "POST", "/agents/anna/seats/sales", `{"state":"paused","reason":"tired"}`))
	if len(a.Seats) != 1 || a.Seats[0].State != "paused" || a.Seats[0].Reason != "tired" {
		t.Errorf("%+v", a)
	}
	r.want(r.as("anna", "POST", "/agents/anna/seats/support", `{"state":"in"}`), 404, codeNotFound)
	if a = decode[Agent](t, r.as("anna", "POST", "/agents/anna/dnd", `{"on":true}`)); !a.DND {
		t.Errorf("%+v", a)
	}
}

func TestInteractions(t *testing.T) {
	r := newRig(t)
	story := decode[Story](t, r.as("anna", "GET", "/interactions/"+number(r.call), nil))
	if story.Phase != "talking" || story.Agent != "anna" || story.From.Number != "+48501100200" {
		t.Errorf("%+v", story)
	}
	offered := false
	for _, st := range story.Steps {
		if st.Kind == "offer" && st.Agent == "anna" && st.Choice != nil && st.Choice.Rule == "evenly" && st.Choice.Agents["offline"] == 1 && st.Text != "" {
			offered = true
		}
	}
	if !offered {
		t.Errorf("the choice is not told: %+v", story.Steps)
	}
	if len(story.Legs) != 0 {
		t.Errorf("legs nothing is known of: %+v", story.Legs)
	}
	r.calls["c1"] = []CallLeg{{Leg: "c1", Media: acd.MediaFigures{
		Codec: "PCMA", In: acd.MediaWay{Packets: 90, Expected: 100, Lost: 10, JitterMean: 2000, JitterMax: 30000, MOS: 339}, RoundTrip: 45000,
	}}, {Leg: "c1.1", Agent: "anna", Media: acd.MediaFigures{SRTP: "AEAD_AES_128_GCM", Out: acd.MediaWay{Packets: 5}}}}
	story = decode[Story](t, r.as("anna", "GET", "/interactions/"+number(r.call), nil))
	if diff := cmp.Diff([]LegAudio{
		{Leg: "c1", Codec: "PCMA", In: Audio{90, 100, 10, 0.002, 0.03, 3.39}, RoundTrip: 0.045},
		{Leg: "c1.1", Agent: "anna", SRTP: "AEAD_AES_128_GCM", Out: Audio{Packets: 5}},
	}, story.Legs); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	count := func(who, query string) int {
		return len(decode[Page[Interaction]](t, r.as(who, "GET", "/interactions"+query, nil)).Items)
	}
	for who, want := range map[string]int{"boss": 2, "anna": 2, "bartek": 1, "celina": 0, "support": 0} {
		if got := count(who, ""); got != want {
			t.Errorf("%s sees %d, want %d", who, got, want)
		}
	}
	if count("boss", "?phase=queued") != 1 || count("boss", "?agent=anna") != 1 || count("boss", "?group=support") != 0 {
		t.Error("filters")
	}
	r.want(r.as("bartek", "GET", "/interactions/"+number(r.waiting), nil), 200, "")
	r.want(r.as("bartek", "GET", "/interactions/"+number(r.call), nil), 404, codeNotFound)
}
