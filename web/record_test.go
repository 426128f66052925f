package web

import (
	"context"
	"database/sql"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"centrala/acd"
	"centrala/internal/journal"
	"centrala/internal/journal/stats"
	"centrala/queuegroups"
)

// yesterday is a day in the record: anna took a call of sales after 8 s, celina one of
// support after 30 s, one of sales was abandoned, and anna called back in vain.
func (r *rig) yesterday() time.Time {
	r.t.Helper()
	day := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	at := func(minute, second int) journal.Micros {
		return journal.MicrosOf(day.Add(9*time.Hour + time.Duration(minute)*time.Minute + time.Duration(second)*time.Second))
	}
	call := func(id acd.InteractionID, g queuegroups.GroupID, agent queuegroups.AgentID, wait int) journal.Interaction {
		x := journal.Interaction{
			ID: id, Kind: journal.KindCall, Direction: journal.DirectionIn, Trunk: "carrier", Number: "+48221234567", Caller: fmt.Sprintf("+4850110020%d", id),
			CallerName: "=HYPERLINK(\"x\")", FirstGroup: g, LastGroup: g, Arrived: at(int(id), 0), Ended: at(int(id)+1, 0), End: acd.CompletedByCaller, ByAgent: agent,
		}
		if x.Answered = at(int(id), wait); agent == "" {
			x.Answered, x.End = 0, acd.AbandonedWaiting
		}
		return x
	}
	rows := journal.Rows{
		Interactions: []journal.Interaction{call(1, "sales", "anna", 8), call(2, "support", "celina", 30), call(3, "sales", "", 0), {
			ID: 4, Kind: journal.KindCall, Direction: journal.DirectionOut, Number: "+48501100203", CallerAgent: "anna", Arrived: at(10, 0), Ended: at(11, 0),
			End: acd.AbandonedWaiting,
		}},
		Visits: []journal.Visit{
			{Interaction: 1, N: 1, Group: "sales", Entered: at(1, 0), Left: at(1, 8), Outcome: journal.VisitAnswered, Agent: "anna"},
			{Interaction: 2, N: 1, Group: "support", Entered: at(2, 0), Left: at(2, 30), Outcome: journal.VisitAnswered, Agent: "celina"},
			{Interaction: 3, N: 1, Group: "sales", Entered: at(3, 0), Left: at(4, 0), Outcome: string(acd.AbandonedWaiting)},
		},
		Talks: []journal.Talk{
			{Interaction: 1, N: 1, Group: "sales", Agent: "anna", Via: journal.OfferOffer, Began: at(1, 8), Ended: at(2, 0), Held: 1_500_000, Holds: 1},
			{Interaction: 2, N: 1, Group: "support", Agent: "celina", Via: journal.OfferOffer, Began: at(2, 30), Ended: at(3, 0)},
		},
		AgentStates: []journal.AgentState{
			{Agent: "anna", Began: at(0, 0), Ended: at(30, 0), Status: "available"},
			{Agent: "celina", Began: at(0, 0), Ended: at(10, 0), Status: "available"},
		},
		Decisions: []journal.Decision{{Interaction: 1, Steps: []byte(`[{"index":1,"at":"2026-11-01T09:01:00Z","kind":"arrived","interaction":1,"group":"sales"}]`)}},
	}
	if err := r.record.d.Write(context.Background(), func(tx *sql.Tx) error { return rows.Insert(context.Background(), tx, r.record.d.Mark) }); err != nil {
		r.t.Fatal(err)
	}
	r.s.now = func() time.Time { return day.Add(36 * time.Hour) }
	return day
}

const yesterday = "?from=2026-11-01T00:00:00Z&till=2026-11-02T00:00:00Z"

// seen is a Report as a client reads it.
type seen struct {
	By          []string
	Definitions []Definition
	Lines       []seenLine
	Total       seenLine
}

type seenLine struct {
	Key          map[string]string
	ServiceLevel string `json:"service_level"`
	Figures      map[string]struct {
		Value, Part json.Number
		Of          int64
	}
}

// told is a report in short: the total's offered, service level and handled, and the lines.
func told(r seen) string {
	b := fmt.Sprintf("%s %s %s", r.Total.Figures["offered"].Value, r.Total.Figures["service_level"].Value, r.Total.Figures["handled"].Value)
	for _, l := range r.Lines {
		for _, k := range r.By {
			b += " " + l.Key[k]
		}
	}
	return b
}

func TestReports_Reach(t *testing.T) {
	r := newRig(t)
	r.yesterday()
	for _, c := range []struct{ who, path, want string }{
		{"boss", "/reports/groups" + yesterday, "3 0.333333 2 sales support"},
		{"director", "/reports/groups" + yesterday + "&group=support", "1 0 1 support"},
		{"support", "/reports/groups" + yesterday, "1 0 1 support"},
		{"support", "/reports/agents" + yesterday, "  1 celina"},
		{"support", "/reports/numbers" + yesterday, "1 0 1 +48221234567"},
		{"support", "/reports/hours" + yesterday + "&and=agent", "  1 09 celina"},
		{"boss", "/reports/hours" + yesterday + "&timezone=Europe/Warsaw", "3 0.333333 2 10"},
		{"anna", "/reports/groups" + yesterday, "  1 sales"},
		{"anna", "/reports/agents" + yesterday, "  1 anna"},
		{"bartek", "/reports/agents" + yesterday, "  0"},
		{"key:all", "/reports/days" + yesterday + "&within=60", "3 0.666667 2 2026-11-01"},
		{"boss", "/reports/groups" + yesterday + "&within=60&abandons=positive", "3 1 2 sales support"},
	} {
		p := r.as(c.who, http.MethodGet, c.path, nil)
		if p.status != http.StatusOK {
			t.Errorf("%s %s: %d %s", c.who, c.path, p.status, p.body)
			continue
		}
		if got := told(decode[seen](t, p)); got != c.want {
			t.Errorf("%s %s: %q, want %q", c.who, c.path, got, c.want)
		}
	}
	for _, c := range []struct{ who, path string }{
		{"support", "/reports/groups?group=sales"}, {"support", "/reports/agents?agent=anna"}, {"anna", "/reports/agents?agent=bartek"},
		{"anna", "/reports/groups?group=support"}, {"boss", "/reports/my-day"},
	} {
		r.want(r.as(c.who, http.MethodGet, c.path, nil), http.StatusNotFound, codeNotFound)
	}
	for _, path := range []string{
		"/reports/groups?timezone=Mars/Olympus", "/reports/groups?timezone=Local", "/reports/groups?figures=luck", "/reports/groups?and=group",
		"/reports/groups?from=2026-11-02T00:00:00Z&till=2026-11-01T00:00:00Z", "/reports/intervals?interval=7m",
	} {
		r.want(r.as("boss", http.MethodGet, path, nil), http.StatusUnprocessableEntity, codeInvalid)
	}
}

// A report tells what its figures are, and by what formula the service level came about.
func TestReports_Definitions(t *testing.T) {
	r := newRig(t)
	r.yesterday()
	got := decode[seen](t, r.as("boss", http.MethodGet, "/reports/groups"+yesterday+"&figures=service_level,talk_mean", nil))
	if len(got.Definitions) != 2 || got.Definitions[0].Formula == "" || got.Definitions[1].Unit != "seconds" || got.Definitions[1].Source == "" {
		t.Errorf("%+v", got.Definitions)
	}
	sales := got.Lines[0]
	if want := "answered within 20s / all offered = 1 / 2"; sales.ServiceLevel != want {
		t.Errorf("%q, want %q", sales.ServiceLevel, want)
	}
	if n := sales.Figures["service_level"]; n.Value != "0.5" || n.Part != "1" || n.Of != 2 || len(sales.Figures) != 2 {
		t.Errorf("%+v", sales.Figures)
	}
	if n := sales.Figures["talk_mean"]; n.Value != "50.5" {
		t.Errorf("%+v", n)
	}
}

// What goes on counts up to now.
func TestReports_Now(t *testing.T) {
	r := newRig(t)
	r.s.now = func() time.Time { return r.core.at.Add(time.Minute) } // anna has talked since a few seconds after nine
	p := decode[seen](t, r.as("anna", http.MethodGet, "/reports/my-day", nil))
	var since time.Time
	r.core.View(func(s *acd.State) { a, _ := s.Agent("anna"); since = a.Since })
	want := fmt.Sprintf("%g", r.s.now().Sub(since).Seconds())
	if got := string(p.Total.Figures["busy_time"].Value); got != want || len(p.Lines) != 1 || p.Lines[0].Key["hour"] != "09" {
		t.Errorf("talking for %s s, want %s: %+v", got, want, p.Lines)
	}
	if got := decode[seen](t, r.as("boss", http.MethodGet, "/reports/agents?last=1", nil)); got.Total.Figures["busy_time"].Value != "60" {
		t.Errorf("%+v", got.Total.Figures["busy_time"])
	}
}

func TestHistory_Reach(t *testing.T) {
	r := newRig(t)
	r.yesterday()
	ids := func(who, path string) string {
		p := r.as(who, http.MethodGet, path, nil)
		if p.status != http.StatusOK {
			return fmt.Sprint(p.status)
		}
		b := ""
		for _, x := range decode[Page[Past]](t, p).Items {
			b += x.ID + " "
		}
		return b
	}
	for _, c := range []struct{ who, path, want string }{
		{"boss", "/history", "4 3 2 1 "}, {"support", "/history", "2 "}, {"anna", "/history", "4 1 "}, {"bartek", "/history", ""},
		{"boss", "/history?group=sales&end=abandoned_waiting", "3 "}, {"boss", "/history?agent=celina", "2 "}, {"boss", "/history?direction=out", "4 "},
		{"support", "/history?group=sales", "404"}, {"support", "/history?agent=anna", "404"}, {"anna", "/history?agent=celina", "404"},
		{"boss", "/history?from=2026-11-01T09:02:00Z&till=2026-11-01T09:03:00Z", "2 "},
		{"boss", "/missed", "3 "}, {"support", "/missed", ""}, {"anna", "/missed", "3 "}, {"celina", "/missed", ""}, {"celina", "/missed?group=sales", "404"},
	} {
		if got := ids(c.who, c.path); got != c.want {
			t.Errorf("%s %s: %q, want %q", c.who, c.path, got, c.want)
		}
	}
	// By pages nothing is lost, nor twice.
	all, next := "", ""
	for range 4 {
		p := decode[Page[Past]](t, r.as("boss", http.MethodGet, "/history?limit=1&cursor="+next, nil))
		all, next = all+p.Items[0].ID, p.Next
	}
	if all != "4321" || next != "" {
		t.Errorf("%s, then %q", all, next)
	}
	r.want(r.as("boss", http.MethodGet, "/history?cursor=eA", nil), http.StatusBadRequest, codeBadCursor)
	for who, want := range map[string]int{"boss": 200, "director": 200, "anna": 200, "support": 404, "bartek": 404, "celina": 404} {
		if p := r.as(who, http.MethodGet, "/history/1", nil); p.status != want {
			t.Errorf("%s: %d, want %d", who, p.status, want)
		}
	}
	one := decode[PastFacts](t, r.as("anna", http.MethodGet, "/history/1", nil))
	if len(one.Visits) != 1 || len(one.Talks) != 1 || one.Talks[0].Held != 1.5 || len(one.Steps) != 1 || one.Steps[0].Kind != "arrived" {
		t.Errorf("%+v", one)
	}
	r.want(r.as("boss", http.MethodGet, "/history/18446744073709551615", nil), http.StatusNotFound, codeNotFound)
	missed := decode[Page[MissedCall]](t, r.as("boss", http.MethodGet, "/missed?open=false", nil)).Items
	if len(missed) != 1 || missed[0].Tries != 1 || missed[0].Later != nil {
		t.Errorf("%+v", missed)
	}
}

// What is taken away is as the reach is, is written down, and does nothing to spreadsheets.
func TestExports(t *testing.T) {
	r := newRig(t)
	r.yesterday()
	table := func(who, path string) [][]string {
		t.Helper()
		p := r.as(who, http.MethodGet, path, nil)
		if p.status != http.StatusOK || p.header.Get("Content-Type") != csvType || !strings.HasPrefix(p.header.Get("Content-Disposition"), "attachment") {
			t.Fatalf("%s: %d %v %s", path, p.status, p.header, p.body)
		}
		text, marked := strings.CutPrefix(p.body, "\ufeff")
		rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
		if err != nil || !marked {
			t.Fatal(err)
		}
		return rows
	}
	rows := table("director", "/history/export")
	if len(rows) != 5 || rows[4][0] != "1" || rows[4][5] != "'+48221234567" || rows[4][7] != "'=HYPERLINK(\"x\")" {
		t.Errorf("%q", rows)
	}
	if rows = table("support", "/history/export"); len(rows) != 2 || rows[1][0] != "2" {
		t.Errorf("%q", rows)
	}
	rows = table("director", "/reports/numbers/export"+yesterday+"&figures=offered,service_level,wait_mean")
	if got := fmt.Sprint(rows); got != "[[number offered service_level wait_mean] ['+48221234567 3 0.333333 19] [total 3 0.333333 19]]" {
		t.Error(got)
	}
	r.want(r.as("anna", http.MethodGet, "/history/export", nil), http.StatusForbidden, codeForbidden)
	r.want(r.as("support", http.MethodGet, "/reports/groups/export?group=sales", nil), http.StatusNotFound, codeNotFound) // not written down: nothing was taken
	var told []string
	for _, e := range r.accounts.audited() {
		told = append(told, e.Who+" "+e.What+" "+e.Target)
	}
	if got := fmt.Sprint(told); got != "[director export-history history chief export-history history director export-report-numbers reports/numbers]" {
		t.Error(got)
	}
}

func TestSafe(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "anna": "anna", "=1": "'=1", "+48": "'+48", "-1": "'-1", "@x": "'@x", "\tx": "'\tx", "\rx": "'\rx", "a=b": "a=b",
	} {
		if got := safe(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}

// brokenRecord answers nothing.
type brokenRecord struct{ realRecord }

func (brokenRecord) Report(context.Context, stats.Query) (*stats.Report, error) {
	return nil, errors.New("host=secret is away")
}

// Without the database the rest goes on, and what is told of it holds no secret.
func TestReports_DatabaseAway(t *testing.T) {
	r := newRig(t)
	r.s.record = brokenRecord{r.record}
	p := r.as("boss", http.MethodGet, "/reports/groups", nil)
	r.want(p, http.StatusServiceUnavailable, codeUnavailable)
	if strings.Contains(p.body, "secret") {
		t.Error(p.body)
	}
}

// A person is erased by the administrator alone: they are in the history under another name, in the audit log under none,
// and nobody has to call them back; the stream tells nothing of them any more.
func TestErase(t *testing.T) {
	r := newRig(t)
	r.yesterday()
	const number = "+48501100203"
	asked := map[string]string{"number": number}
	e := event(1, "call.queued", "sales", "", 3)
	e.Data = []byte(`{"interaction":{"id":"3","from":"` + number + `","from_name":"Jan"}}`)
	r.tells(e)
	r.want(r.as("director", "POST", "/erasures", asked), 403, codeForbidden)
	r.want(r.as("boss", "POST", "/erasures", map[string]string{"number": ""}), 422, codeInvalid)
	p := r.as("boss", "POST", "/erasures", asked)
	if got := decode[Erased](t, p); p.status != 200 || got.Pseudonym != "erased-x" || got.Interactions != 2 || got.Events != 1 {
		t.Errorf("%d %s", p.status, p.body)
	}
	for _, path := range []string{"/history", "/missed", "/history/3", "/history/4", "/audit", "/events?after=0"} {
		if p := r.as("boss", "GET", path, nil); p.status != 200 || strings.Contains(p.body, number) || strings.Contains(p.body, "Jan") {
			t.Errorf("%s: %d %s", path, p.status, p.body)
		}
	}
	if list := r.accounts.audited(); len(list) == 0 || list[len(list)-1].What != "erase-person" || list[len(list)-1].Target != "erasures/erased-x" {
		t.Errorf("%+v", list)
	}
}
