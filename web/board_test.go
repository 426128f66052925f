package web

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"centrala/acd"
	"centrala/chat"
	"centrala/queuegroups"
)

// mirror is a board as a client keeps it: by the changes alone.
type mirror struct {
	t      testing.TB
	id     string
	agents map[string]Agent
	groups map[string]BoardGroup
	lines  map[string]BoardLine
	calls  map[string]BoardCall
	places map[string]int
	wholes int
}

func (m *mirror) take(c BoardChange) {
	m.t.Helper()
	switch c.From {
	case "":
		m.agents, m.groups, m.lines, m.calls, m.places = map[string]Agent{}, map[string]BoardGroup{}, map[string]BoardLine{}, map[string]BoardCall{}, map[string]int{}
		m.wholes++
	case m.id:
	default:
		m.t.Fatalf("a change from %s, the board is at %s", c.From, m.id)
	}
	m.id = c.ID
	for _, x := range c.Agents {
		m.agents[x.ID] = x
	}
	for _, x := range c.Groups {
		m.groups[x.ID] = x
	}
	for _, x := range c.Lines {
		m.lines[x.ID] = x
	}
	for _, x := range c.Calls {
		m.calls[x.ID] = x
	}
	for id, n := range c.Positions {
		if m.places[id] = n; n == 0 {
			delete(m.places, id)
		}
	}
	for _, id := range c.Gone.Agents {
		delete(m.agents, id)
	}
	for _, id := range c.Gone.Groups {
		delete(m.groups, id)
	}
	for _, id := range c.Gone.Lines {
		delete(m.lines, id)
	}
	for _, id := range c.Gone.Calls {
		delete(m.calls, id)
		delete(m.places, id)
	}
	if want := (BoardSize{len(m.agents), len(m.groups), len(m.lines), len(m.calls)}); want != c.Size {
		m.t.Fatalf("after %s there are %+v, the server has %+v", c.ID, want, c.Size)
	}
}

// follow asks for what has changed.
func (m *mirror) follow(r *rig, who string) {
	m.t.Helper()
	if c := r.accounts.sessions[who]; c != nil {
		list, _, err := r.s.board.since(r.s.scope(&Caller{Caller: *c}), m.id)
		if err != nil {
			m.t.Fatal(err)
		}
		for _, body := range list {
			m.take(decode[BoardChange](m.t, reply{body: string(body)}))
		}
		return
	}
	p := r.as(who, "GET", "/board?after="+m.id, nil)
	r.want(p, 200, "")
	for _, c := range decode[BoardView](m.t, p).Changes {
		m.take(c)
	}
}

// boardSite has skills, tiers and groups of which only one lets colleagues pick up.
const boardSite = `
agents:
  anna: {extension: "101", skills: {polish: 3}}
  bartek: {extension: "102"}
  celina: {extension: "103", skills: {polish: 1}}
groups:
  sales: {agents: [anna, bartek], pickup: true, wrap_up: 30s, rings: 2}
  support: {agents: [celina, bartek], pickup: false}
trunks: {carrier: {from: [192.0.2.1/32]}}
numbers:
  "+48 22 123 45 67": {trunk: carrier, group: sales}
  "+48 22 123 45 68": {trunk: carrier, group: support}
  "+48 22 123 45 69": {trunk: carrier, group: sales, needs: {polish: 2}}
`

// happen lets something happen to the core, at random.
func (r *rig) happen(random *rand.Rand, n int) {
	r.t.Helper()
	agents := []queuegroups.AgentID{"anna", "bartek", "celina"}
	agent := agents[random.IntN(len(agents))]
	calls := r.core.state.Interactions()
	var call acd.InteractionView
	if len(calls) > 0 {
		call = calls[random.IntN(len(calls))]
	}
	switch random.IntN(12) {
	case 0, 1, 2:
		to := fmt.Sprintf("+4822123456%d", 7+random.IntN(3))
		r.fact(&acd.CallArrived{Leg: acd.LegID(fmt.Sprint("r", n)), Node: "n1", Trunk: "carrier", From: acd.Party{Number: fmt.Sprint("+4850110", n)}, To: to})
	case 3:
		r.fact(&acd.LegEnded{Leg: call.Leg, Cause: acd.EndHangup})
	case 4, 5:
		for _, o := range call.Offers {
			r.fact(&acd.OfferRinging{Offer: o.ID})
			r.fact(&acd.OfferAnswered{Offer: o.ID, Leg: call.Leg + ".1", Node: "n1"})
			r.fact(&acd.Bridged{A: call.Leg, B: call.Leg + ".1"})
			break
		}
	case 6:
		for _, o := range call.Offers {
			r.fact(&acd.OfferFailed{Offer: o.ID, Class: acd.FailDeclined})
		}
	case 7:
		r.fact(&acd.DutySet{Agent: agent, Duty: []acd.Duty{acd.DutyOn, acd.DutyBreak, acd.DutyOff}[random.IntN(3)], By: "boss"})
	case 8:
		r.fact(&acd.AgentOnline{Agent: agent, Node: "n1"})
	case 9:
		r.fact(&acd.SeatSet{Agent: agent, Group: "sales", State: []acd.SeatState{acd.SeatIn, acd.SeatOut, acd.SeatPaused}[random.IntN(3)]})
	case 10:
		r.fact(&acd.Prioritised{Interaction: call.ID, Credit: time.Minute, By: "boss"})
	case 11:
		if at, id, generation, ok := r.core.state.NextDeadline(); ok && at.Before(r.core.at.Add(time.Minute)) {
			r.fact(&acd.DeadlinePassed{Deadline: id, Generation: generation})
		}
	}
}

// Whoever follows the changes has what is asked for as a whole: at any time, with any rights, and
// after any time away.
func TestBoard_ChangesMakeTheWhole(t *testing.T) {
	r := newRig(t)
	configs := []*queuegroups.Config{r.config}
	for _, text := range []string{boardSite, strings.Replace(boardSite, "agents: [celina, bartek]", "agents: [celina]", 1)} {
		c, err := queuegroups.Load(queuegroups.Options{Region: "PL", Files: []queuegroups.File{{Name: "site", Data: []byte(text)}}})
		if err != nil {
			t.Fatal(err)
		}
		configs = append(configs, c)
	}
	random := rand.New(rand.NewPCG(7, 8))
	who := []string{"boss", "support", "anna", "bartek", "celina"}
	mirrors := map[string]*mirror{}
	for _, w := range who {
		mirrors[w] = &mirror{t: t}
	}
	for n := range 500 {
		if n%100 == 20 {
			r.fact(&acd.ConfigApplied{Config: configs[1+n/100%2]})
		}
		r.happen(random, n)
		r.s.board.turnNow(t)
		for _, w := range who {
			if random.IntN(3) > 0 && (w != "bartek" || n%200 > 120) { // who is away for long in between
				mirrors[w].follow(r, w)
			}
		}
		if n%50 != 49 {
			continue
		}
		for _, w := range who {
			whole := &mirror{t: t}
			whole.follow(r, w)
			m := mirrors[w]
			m.follow(r, w)
			if m.id != whole.id || !reflect.DeepEqual(m.agents, whole.agents) || !reflect.DeepEqual(m.groups, whole.groups) ||
				!reflect.DeepEqual(m.lines, whole.lines) || !reflect.DeepEqual(m.calls, whole.calls) || !reflect.DeepEqual(m.places, whole.places) {
				t.Fatalf("step %d: %s followed and has\n%+v\nand the whole is\n%+v", n, w, m, whole)
			}
		}
	}
	if w := mirrors["boss"].wholes; w > 30 {
		t.Errorf("the board was sent as a whole %d times", w)
	}
	if mirrors["bartek"].wholes < 3 {
		t.Error("nobody was away for so long that they needed the whole")
	}
	r.wantBoardAsAPI(mirrors["boss"])
}

// turnNow takes a picture at once.
func (b *board) turnNow(t testing.TB) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.taken = time.Time{}
	if err := b.refresh(); err != nil {
		t.Fatal(err)
	}
}

// wantBoardAsAPI checks the board against the lists of the API.
func (r *rig) wantBoardAsAPI(m *mirror) {
	r.t.Helper()
	for _, a := range decode[Page[Agent]](r.t, r.as("boss", "GET", "/agents?limit=500", nil)).Items {
		if !reflect.DeepEqual(a, m.agents[a.ID]) {
			r.t.Errorf("the board has %+v, the API %+v", m.agents[a.ID], a)
		}
	}
	for _, g := range decode[Page[Group]](r.t, r.as("boss", "GET", "/groups?limit=500", nil)).Items {
		if !reflect.DeepEqual(g, m.groups[g.ID].Group) {
			r.t.Errorf("the board has %+v, the API %+v", m.groups[g.ID].Group, g)
		}
	}
	calls := decode[Page[Interaction]](r.t, r.as("boss", "GET", "/interactions?limit=500", nil)).Items
	if len(calls) != len(m.calls) || len(calls) == 0 {
		r.t.Errorf("the board has %d calls, the API %d", len(m.calls), len(calls))
	}
	for _, i := range calls {
		c := m.calls[i.ID].Interaction
		if c.Position = m.places[i.ID]; !reflect.DeepEqual(i, c) {
			r.t.Errorf("the board has %+v, the API %+v", c, i)
		}
	}
}

// What colleagues may not see is on nobody's board: not the calls of other groups, not those that
// nobody may pick up, and no chat or call that another agent has.
func TestBoard_Sight(t *testing.T) {
	r := newRig(t)
	config, err := queuegroups.Load(queuegroups.Options{Region: "PL", Files: []queuegroups.File{{Name: "site", Data: []byte(boardSite)}}})
	if err != nil {
		t.Fatal(err)
	}
	r.fact(&acd.ConfigApplied{Config: config})
	r.fact(&acd.CallArrived{Leg: "s1", Node: "n1", Trunk: "carrier", To: "+48221234568"})
	for _, x := range []struct{ who, agents, groups, calls string }{
		{"boss", "anna bartek celina", "sales support", "3"},
		{"support", "bartek celina", "support", "1"}, // whose reach is one group
		{"anna", "anna bartek", "sales", "1"},        // the one that waits in sales
		{"celina", "bartek celina", "support", "0"},  // whose group lets nobody pick up
		{"key:all", "anna bartek celina", "sales support", "3"},
	} {
		m := &mirror{t: t}
		m.follow(r, x.who)
		got := []string{strings.Join(keys(m.agents), " "), strings.Join(keys(m.groups), " "), fmt.Sprint(len(m.calls))}
		if want := []string{x.agents, x.groups, x.calls}; !slices.Equal(got, want) {
			t.Errorf("%s sees %q, want %q", x.who, got, want)
		}
	}
	r.want(r.as("key:none", "GET", "/board", nil), 403, codeForbidden)
	r.want(r.as("", "GET", "/live", nil), 401, codeNotSignedIn)
}

func keys[T any](m map[string]T) (list []string) {
	for k := range m {
		list = append(list, k)
	}
	slices.Sort(list)
	return list
}

// Who waits is shown with what keeps the agents who could take it, and what was decided last.
func TestBoard_Why(t *testing.T) {
	r := newRig(t)
	r.fact(&acd.Prioritised{Interaction: r.waiting, Credit: time.Minute, By: "boss"})
	m := &mirror{t: t}
	m.follow(r, "boss")
	c := m.calls[number(r.waiting)]
	if got := m.lines[c.Line].Agents; !reflect.DeepEqual(got, map[string]int{"talking": 1, "offline": 1}) {
		t.Errorf("it waits for %v", got)
	}
	if c.Last == nil || c.Last.Kind != "priority" {
		t.Errorf("the last decision is %+v", c.Last)
	}
	if m.places[number(r.waiting)] != 1 {
		t.Errorf("positions are %v", m.places)
	}
	if talking := m.calls[number(r.call)]; talking.Line != "" || talking.Last != nil {
		t.Errorf("who talks waits for %+v", talking)
	}
}

// live follows the live stream over real HTTP.
type live struct {
	t     *testing.T
	lines *bufio.Scanner
	close func()
	last  string
}

func connectLive(t *testing.T, url, who, query, last string) *live {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+Prefix+"/live"+query, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.AddCookie(&http.Cookie{Name: cookieName(false), Value: who})
	if last != "" {
		req.Header.Set("Last-Event-ID", last)
	}
	p, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if p.StatusCode != http.StatusOK {
		t.Fatal(p.Status)
	}
	l := &live{t: t, lines: bufio.NewScanner(p.Body), close: func() { cancel(); _ = p.Body.Close() }}
	l.lines.Buffer(nil, 1<<20)
	return l
}

// next returns the next event; false: the stream has ended.
func (l *live) next() (of string, data []byte, ok bool) {
	for l.lines.Scan() {
		switch name, value, _ := strings.Cut(l.lines.Text(), ": "); name {
		case "event":
			of = value
		case "id":
			l.last = value
		case "data":
			if of != "time" {
				return of, []byte(value), true
			}
		}
	}
	return "", nil, false
}

func (l *live) board() (c BoardChange) {
	l.t.Helper()
	of, data, ok := l.next()
	if !ok || of != "board" {
		l.t.Fatalf("%q came, want a change of the board", of)
	}
	if err := json.Unmarshal(data, &c); err != nil {
		l.t.Fatal(err)
	}
	return c
}

// The stream tells what changes; who comes again gets what they missed, and who was told of another
// board gets all of it.
func TestLive_Board(t *testing.T) {
	r := newRig(t)
	server := httptest.NewServer(http.HandlerFunc(r.s.entrance))
	defer server.Close()
	m := &mirror{t: t}
	l := connectLive(t, server.URL, "boss", "?board=true", "")
	m.take(l.board())
	until := func(what string, is func() bool) {
		t.Helper()
		for !is() {
			m.take(l.board())
		}
	}
	r.fact(&acd.DutySet{Agent: "celina", Duty: acd.DutyBreak, Reason: "lunch"})
	until("a break", func() bool { return m.agents["celina"].Reason == "lunch" })
	l.close()
	r.fact(&acd.DutySet{Agent: "celina", Duty: acd.DutyOn})
	l = connectLive(t, server.URL, "boss", "?board=true", m.id)
	until("the break is over", func() bool { return m.agents["celina"].Reason == "" })
	if m.wholes != 1 {
		t.Errorf("the whole board came %d times", m.wholes)
	}
	l.close()
	other := connectLive(t, server.URL, "support", "?board=true", m.id)
	if c := other.board(); c.From != "" || c.Size.Groups != 1 {
		t.Errorf("another's id gave %+v", c)
	}
	other.close()
}

// An agent's stream tells of their chats: what is offered to them, what is written in it, by whomever, and who types;
// others' streams tell of none.
func TestLive_Chats(t *testing.T) {
	r, id := newChatRig(t)
	server := httptest.NewServer(http.HandlerFunc(r.s.entrance))
	defer server.Close()
	follow := func(who string) (until func(what string, is func([]Chat) bool), end func()) {
		l := connectLive(t, server.URL, who, "?desk=true", "")
		return func(what string, is func([]Chat) bool) {
			t.Helper()
			for {
				of, data, ok := l.next()
				if !ok {
					t.Fatalf("never told: %s", what)
				}
				var list struct{ Items []Chat }
				if of != "chats" {
					continue
				}
				if err := json.Unmarshal(data, &list); err != nil {
					t.Fatal(err)
				}
				if is(list.Items) {
					return
				}
			}
		}, l.close
	}
	other, end := follow("celina")
	defer end()
	other("she has none", func(list []Chat) bool { return len(list) == 0 })
	until, end := follow("anna")
	defer end()
	until("it is offered", func(list []Chat) bool { return len(list) == 1 && list[0].Interaction.ID == id && list[0].Offered })
	r.want(r.as("anna", http.MethodPost, "/interactions/"+id+"/accept", nil), 200, "")
	until("she has it", func(list []Chat) bool { return len(list) == 1 && !list[0].Offered })
	for seq := int64(2); seq < 6; seq++ { // one was there
		r.chats.hear(fmt.Sprint("message ", seq))
		until("a message", func(list []Chat) bool { return len(list) == 1 && list[0].Seq == seq })
	}
	r.chats.Typing(1, chat.ByCustomer, "")
	until("the customer types", func(list []Chat) bool { return len(list) == 1 && list[0].Typing })
	r.want(r.as("anna", http.MethodPost, "/interactions/"+id+"/leave", nil), 200, "")
	until("it is gone", func(list []Chat) bool { return len(list) == 0 })
}

// An agent's stream tells of their desk: what is offered to them, and nothing while nothing changes for them.
func TestLive_Desk(t *testing.T) {
	r := newRig(t)
	server := httptest.NewServer(http.HandlerFunc(r.s.entrance))
	defer server.Close()
	l := connectLive(t, server.URL, "celina", "?desk=true", "")
	defer l.close()
	desk := func() (d DeskView) {
		t.Helper()
		of, data, ok := l.next()
		for of == "chats" {
			of, data, ok = l.next()
		}
		if !ok || of != "desk" {
			t.Fatalf("%q came", of)
		}
		if err := json.Unmarshal(data, &d); err != nil {
			t.Fatal(err)
		}
		return d
	}
	if d := desk(); d.Agent.Status != "offline" {
		t.Fatalf("%+v", d.Agent)
	}
	r.fact(&acd.DutySet{Agent: "anna", Duty: acd.DutyBreak, Reason: "lunch"}) // of another group: celina is not told
	r.fact(&acd.AgentOnline{Agent: "celina", Node: "n1"})
	d := desk()
	for d.Agent.Status == "offline" {
		d = desk()
	}
	r.fact(&acd.Moved{Interaction: r.waiting, To: acd.Target{Group: "support"}, By: "boss"})
	for len(d.Calls) == 0 {
		d = desk()
	}
	if d.Calls[0].ID != number(r.waiting) || len(d.Calls[0].Offers) != 1 || d.Now.IsZero() {
		t.Errorf("%+v", d.Calls[0])
	}
}

// The stream ends with the session, and shows another board when the rights change.
func TestLive_Ends(t *testing.T) {
	r := newRig(t)
	server := httptest.NewServer(http.HandlerFunc(r.s.entrance))
	defer server.Close()
	l := connectLive(t, server.URL, "support", "?board=true", "")
	defer l.close()
	if c := l.board(); c.Size.Groups != 1 {
		t.Fatalf("%+v", c.Size)
	}
	r.accounts.mu.Lock()
	wider := *r.accounts.sessions["support"]
	wider.Role = builtin(t, queuegroups.RoleDirector)
	r.accounts.sessions["support"] = &wider
	r.accounts.mu.Unlock()
	r.s.streams.recheck()
	c := l.board()
	for c.From != "" { // the day's figures may have come first
		c = l.board()
	}
	if c.Size.Groups != 2 {
		t.Errorf("%+v", c)
	}
	r.accounts.mu.Lock()
	delete(r.accounts.sessions, "support")
	r.accounts.mu.Unlock()
	r.s.streams.recheck()
	for {
		if _, _, ok := l.next(); !ok {
			break
		}
	}
}

// A group's figures of the day come from the record, with what they are judged by; where the record
// cannot be read the board says so.
func TestBoard_Today(t *testing.T) {
	r := newRig(t)
	day := r.yesterday()
	r.s.now = func() time.Time { return day.Add(10 * time.Hour) }
	server := httptest.NewServer(http.HandlerFunc(r.s.entrance))
	defer server.Close()
	l := connectLive(t, server.URL, "boss", "?board=true", "")
	defer l.close()
	m := &mirror{t: t}
	for m.take(l.board()); !m.groups["sales"].Today.Known; {
		m.take(l.board())
	}
	want := Today{Known: true, InTime: 1, Counted: 2, Offered: 2, Answered: 1, Abandoned: 1}
	if got := m.groups["sales"].Today; got != want {
		t.Errorf("sales has %+v, want %+v", got, want)
	}
	want = Today{Known: true, Counted: 1, Offered: 1, Answered: 1} // after 30 s
	if got := m.groups["support"].Today; got != want {
		t.Errorf("support has %+v, want %+v", got, want)
	}
	if got := m.groups["sales"].ServiceLevel; got != (BoardMeasure{Within: 20, Abandons: "negative"}) {
		t.Errorf("sales is judged by %+v", got)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if got := r.s.today(ended); got != nil {
		t.Errorf("without the record it is %v", got)
	}
}
