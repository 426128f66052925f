package web

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"centrala/acd"
	"centrala/internal/accounts"
	"centrala/internal/events"
	"centrala/internal/journal"
	"centrala/internal/journal/db"
	"centrala/internal/journal/db/dbtest"
	"centrala/queuegroups"
)

// tells writes events into the table, as the journal does, and wakes the hub.
func (r *rig) tells(list ...journal.Event) {
	r.t.Helper()
	rows := journal.Rows{Events: list}
	if err := r.db.Write(context.Background(), func(tx *sql.Tx) error { return rows.Insert(context.Background(), tx, r.db.Mark) }); err != nil {
		r.t.Error(err)
	}
	r.hub.Wake()
}

// event makes one; data come with the agents concerned.
func event(id int64, of events.Type, group queuegroups.GroupID, agent queuegroups.AgentID, call acd.InteractionID, agents ...string) journal.Event {
	data, err := json.Marshal(events.Course{Interaction: events.Interaction{ID: number(call), Agents: agents}, Group: string(group)})
	if err != nil {
		panic(err)
	}
	return journal.Event{ID: id, At: journal.MicrosOf(time.Now()), Type: string(of), Group: group, Agent: agent, Interaction: call, Data: data}
}

// follower follows the stream over real HTTP.
type follower struct {
	status int
	code   string
	close  func()
	lines  *bufio.Scanner
	last   string // the last id heard of, in events and comments
}

func connect(t *testing.T, url, who, query string, header ...string) *follower {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+Prefix+"/events"+query, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.AddCookie(&http.Cookie{Name: cookieName(false), Value: who})
	for k := 0; k+1 < len(header); k += 2 {
		req.Header.Set(header[k], header[k+1])
	}
	p, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	c := &follower{status: p.StatusCode, lines: bufio.NewScanner(p.Body), close: func() { cancel(); _ = p.Body.Close() }}
	c.lines.Buffer(nil, 1<<20)
	if p.StatusCode != http.StatusOK {
		var x Problem
		_ = json.NewDecoder(p.Body).Decode(&x)
		c.code = x.Code
	}
	return c
}

// next returns the next event's id and type; false: the stream has ended.
func (c *follower) next() (id, of string, ok bool) {
	for c.lines.Scan() {
		switch name, value, _ := strings.Cut(c.lines.Text(), ": "); name {
		case "id":
			id = value
			c.last = id
		case "event":
			of = value
		case "data":
			var e events.Envelope
			if err := json.Unmarshal([]byte(value), &e); err != nil || e.ID != id || string(e.Type) != of {
				return id, "broken " + value, true
			}
			return id, of, true
		}
	}
	return "", "", false
}

// A client that is cut off 1,000 times at random, while events come in, has them all, once and in
// order, as the table has them.
func TestEvents_Reconnect(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRigOn(t, d)
		server := httptest.NewServer(http.HandlerFunc(r.s.entrance))
		defer server.Close()
		random := rand.New(rand.NewPCG(1, 2))
		const total = 10_000
		written := make(chan error, 1)
		var seen atomic.Int64
		go func() {
			random := rand.New(rand.NewPCG(3, 4))
			id := int64(1)
			for n := 0; n < total && t.Context().Err() == nil; {
				if n > int(seen.Load())+2000 { // calls come as fast as they are told of, about
					time.Sleep(time.Millisecond)
					continue
				}
				var batch []journal.Event
				for range min(1+random.IntN(40), total-n) {
					id += 1 + random.Int64N(3)*99_999
					batch = append(batch, event(id, "call.queued", "sales", "", acd.InteractionID(id)))
				}
				n += len(batch)
				r.tells(batch...)
			}
			written <- nil
		}()
		var got []string
		last := "0"
		connects := 0
		for deadline := time.Now().Add(12 * patience); len(got) < total && time.Now().Before(deadline); connects++ {
			var c *follower
			if connects%2 == 0 {
				c = connect(t, server.URL, "boss", "", "Last-Event-ID", last)
			} else {
				c = connect(t, server.URL, "boss", "?after="+last)
			}
			if c.status == http.StatusTooManyRequests { // a busy server has not seen yet that those before are closed
				c.close()
				time.Sleep(time.Millisecond)
				continue
			}
			if c.status != http.StatusOK {
				t.Fatalf("%d %s after %s", c.status, c.code, last)
			}
			for range random.IntN(20) {
				if len(got) == total {
					break
				}
				id, of, ok := c.next()
				if !ok || of != "call.queued" {
					t.Fatalf("%q %q %v", id, of, ok)
				}
				got, last = append(got, id), id
				seen.Add(1)
			}
			c.close()
		}
		<-written
		var want []string
		rows, err := d.Read().Query("select id from events order by id")
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		for rows.Next() {
			var id int64
			if err := rows.Scan(&id); err != nil {
				t.Fatal(err)
			}
			want = append(want, strconv.FormatInt(id, 10))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%d events came, the table has %d", len(got), len(want))
		}
		if connects < 1000 {
			t.Errorf("only %d connections", connects)
		}
	})
}

// Each sees what their rights reach, and the filters they ask for (R76).
func TestEvents_Sight(t *testing.T) {
	r := newRig(t)
	server := httptest.NewServer(http.HandlerFunc(r.s.entrance))
	defer server.Close()
	r.tells(
		event(1, "call.arrived", "sales", "", 7),
		event(2, "call.queued", "support", "", 8),
		event(3, events.OfferMade, "sales", "anna", 7, "anna"),
		event(4, "call.answered", "sales", "anna", 7, "anna"),
		event(5, "call.transferred", "", "bartek", 9, "bartek", "anna"),
		journal.Event{ID: 6, Type: string(events.AgentStateChanged), Agent: "celina", Data: []byte(`{"agent":"celina"}`)},
		journal.Event{ID: 7, Type: string(events.AgentStateChanged), Agent: "bartek", Data: []byte(`{"agent":"bartek"}`)},
		journal.Event{ID: 8, Type: string(events.ConfigReloaded), Data: []byte(`{}`)},
		journal.Event{ID: 9, Type: string(events.EventsLost), Data: []byte(`{}`)},
	)
	for _, x := range []struct{ who, query, want string }{
		{"boss", "", "1 2 3 4 5 6 7 8 9"},
		{"director", "", "1 2 3 4 5 6 7 9"}, // settings are none of theirs
		{"support", "", "2 6 9"},
		{"anna", "", "1 3 4 5 7 9"},
		{"bartek", "", "1 3 5 7 9"}, // who waits in their group may be picked up; who talks is anna's
		{"celina", "", "2 6 9"},
		{"boss", "&types=call.*,config.reloaded", "1 2 4 5 8"},
		{"boss", "&group=sales&types=call.arrived", "1"},
	} {
		c := connect(t, server.URL, x.who, "?after=0"+x.query)
		r.hub.Wake()
		var got []string
		for c.last != "9" {
			id, _, ok := c.next()
			if !ok {
				break
			}
			got = append(got, id)
			if id == "9" || !strings.Contains(x.want, "9") && strings.HasSuffix(x.want, id) {
				break
			}
		}
		c.close()
		if strings.Join(got, " ") != x.want {
			t.Errorf("%s%s sees %v, want %s", x.who, x.query, got, x.want)
		}
	}
}

// Who waits in a channel is told to its agents where they may pick up (P3), as in a group.
func TestEvents_SightOfChats(t *testing.T) {
	for more, want := range map[string]string{"": "1", ", pickup: false": "2"} {
		r, _ := newChatRig(t, more)
		server := httptest.NewServer(http.HandlerFunc(r.s.entrance))
		defer server.Close()
		r.tells(
			event(1, "chat.arrived", acd.ChannelGroup("website"), "", 7),
			journal.Event{ID: 2, Type: string(events.EventsLost), Data: []byte(`{}`)},
		)
		c := connect(t, server.URL, "bartek", "?after=0")
		r.hub.Wake()
		if id, of, _ := c.next(); id != want {
			t.Errorf("channel with %q: the first that bartek sees is %s %s, want %s", more, id, of, want)
		}
		c.close()
	}
}

func TestEvents_Refused(t *testing.T) {
	r := newRig(t)
	r.tells(event(100_000, "call.arrived", "sales", "", 7), event(200_000, "call.arrived", "sales", "", 7))
	if err := r.hub.Trim(t.Context(), time.Now().Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(r.s.entrance))
	defer server.Close()
	first := func(after, want string) {
		t.Helper()
		c := connect(t, server.URL, "boss", "?after="+after)
		defer c.close()
		if id, of, ok := c.next(); !ok || id != want {
			t.Errorf("after %s: %q %q %v, want %s", after, id, of, ok, want)
		}
	}
	first("0", "100000")
	if err := r.hub.Trim(t.Context(), time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	r.tells(event(300_000, "call.arrived", "sales", "", 7))
	for _, id := range []string{"0", "100000", "199999", "300001", "9000000000000000000"} {
		r.s.events = events.New(events.Options{DB: r.db}) // after a restart, too
		r.want(r.as("boss", "GET", "/events?after="+id, nil), 410, codeEventsGone)
	}
	first("200000", "300000")
	if p := r.as("boss", "GET", "/events", nil); p.status != 200 || p.body != ": here\nid: 300000\n\n" {
		t.Errorf("%d %q", p.status, p.body)
	}
	for _, bad := range []string{"after=-1", "after=x", "after=1e3", "after=99999999999999999999", "types=call.nothing", "types=*", "since=1"} {
		r.want(r.as("boss", "GET", "/events?"+bad, nil), 422, codeInvalid)
	}
	r.want(r.as("boss", "GET", "/events", nil, func(q *http.Request) { q.Header.Set("Last-Event-ID", "x") }), 422, codeInvalid)
	r.want(r.as("key:none", "GET", "/events", nil), 403, codeForbidden)
	if err := r.db.Close(); err != nil {
		t.Fatal(err)
	}
	r.s.events = events.New(events.Options{DB: r.db})
	r.want(r.as("boss", "GET", "/events?after=0", nil), 503, codeUnavailable)
}

// A stream ends with the session, the key's owner's rights, and the server; nobody has too many.
func TestEvents_Ends(t *testing.T) {
	r := newRig(t)
	server := httptest.NewServer(http.HandlerFunc(r.s.entrance))
	defer server.Close()
	ended := func(what string, c *follower) {
		t.Helper()
		if id, of, ok := c.next(); ok {
			t.Errorf("%s: %s %s", what, id, of)
		}
		if err := c.lines.Err(); errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: the stream goes on", what)
		}
		c.close()
	}
	forget := func(who string) {
		r.accounts.mu.Lock()
		defer r.accounts.mu.Unlock()
		delete(r.accounts.sessions, who)
	}
	c := connect(t, server.URL, "anna", "")
	forget("anna")
	r.s.streams.recheck()
	ended("session over", c)

	c = connect(t, server.URL, "bartek", "")
	r.accounts.mu.Lock()
	r.accounts.sessions["bartek"] = &accounts.Caller{Name: "bartek", Session: "s5"}
	r.accounts.mu.Unlock()
	if p := r.as("boss", "POST", "/config/reload", nil); p.status != 200 { // any command has it looked at again
		t.Fatal(p.body)
	}
	ended("no such right any more", c)

	var open []*follower
	for range streamsMax {
		open = append(open, connect(t, server.URL, "celina", ""))
	}
	if c := connect(t, server.URL, "celina", ""); c.status != http.StatusTooManyRequests {
		t.Errorf("one more stream: %d", c.status)
	}
	open[0].close()
	for deadline := time.Now().Add(patience); ; {
		c := connect(t, server.URL, "celina", "")
		if c.status == http.StatusOK {
			open[0] = c
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the place of a stream that was closed stays taken")
		}
	}
	close(r.s.stopping)
	for _, c := range open {
		ended("the server stops", c)
	}
}

// slow is a connection that takes nothing.
type slow struct {
	*httptest.ResponseRecorder
	deadline time.Time
}

func (s *slow) SetWriteDeadline(t time.Time) error { s.deadline = t; return nil }
func (s *slow) SetReadDeadline(time.Time) error    { return nil }
func (s *slow) Write([]byte) (int, error)          { return 0, context.DeadlineExceeded }

// A client who takes nothing is cut off after a while.
func TestEvents_SlowReader(t *testing.T) {
	r := newRig(t)
	w := &slow{ResponseRecorder: httptest.NewRecorder()}
	st := &stream{s: r.s, caller: &Caller{Caller: *r.accounts.sessions["boss"]}}
	st.look()
	e := &events.Event{ID: 1, Type: "call.arrived", Data: []byte("{}")}
	st.run(t.Context(), w, []*events.Event{e})
	if left := time.Until(w.deadline); left <= 0 || left > streamPatience {
		t.Errorf("the client has %v", left)
	}
}

// The description has a schema for every type, and the journal's data fit it.
func TestEvents_Schemas(t *testing.T) {
	r := newRig(t)
	d := r.document()
	for _, k := range events.Kinds() {
		s := d.Components.Schemas["event."+string(k.Type)]
		if s == nil || fmt.Sprint(s.Properties["type"].Enum) != "["+string(k.Type)+"]" || s.Properties["data"].Ref == "" || k.Right == "" || k.About == "" {
			t.Errorf("%s: %+v", k.Type, s)
		}
	}
	for _, kind := range []acd.StepKind{acd.StepArrived, acd.StepEnded, acd.StepOffer, acd.StepTransfer} {
		if !events.Known(string(events.TypeOf(events.KindCall, kind))) {
			t.Errorf("%s has no type", kind)
		}
	}
}
