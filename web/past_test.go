package web

import (
	"context"
	"database/sql"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"centrala/acd"
	"centrala/internal/journal"
)

// ids are those of a list, in its order.
func idsOf(t *testing.T, p reply) (list []string) {
	t.Helper()
	for _, x := range decode[struct{ Items []struct{ ID string } }](t, p).Items {
		list = append(list, x.ID)
	}
	return list
}

// A number is found as people write it: whole, without its country, or by its last digits; as the
// caller's and as the called one, and no further than one's rights reach.
func TestHistory_Search(t *testing.T) {
	r := newRig(t)
	r.yesterday()
	for _, c := range []struct{ who, search, want string }{
		{"boss", "%2B48 501 100 201", "1"}, {"boss", "501-100-201", "1"}, {"boss", "0201", "1"}, {"boss", "22 123 45 67", "3 2 1"},
		{"boss", "501100203", "4 3"}, {"boss", "999", ""}, {"anna", "0201", "1"}, {"anna", "0202", ""}, {"support", "0202", "2"}, {"support", "0201", ""},
	} {
		p := r.as(c.who, http.MethodGet, "/history?search="+strings.ReplaceAll(c.search, " ", "%20"), nil)
		if p.status != http.StatusOK {
			t.Errorf("%s %s: %d %s", c.who, c.search, p.status, p.body)
		} else if got := strings.Join(idsOf(t, p), " "); got != c.want {
			t.Errorf("%s finds %q by %q, want %q", c.who, got, c.search, c.want)
		}
	}
	if got := idsOf(t, r.as("boss", http.MethodGet, "/history?missed=true", nil)); !slices.Equal(got, []string{"3"}) {
		t.Errorf("missed: %q", got)
	}
	r.want(r.as("boss", http.MethodGet, "/history?search=ab1", nil), http.StatusUnprocessableEntity, codeInvalid)
}

// What can be asked for is what one may see; nothing else.
func TestChoices(t *testing.T) {
	r := newRig(t)
	of := func(who, path string) (c Choices, all string) {
		c = decode[Choices](t, r.as(who, http.MethodGet, path, nil))
		for _, list := range [][]Choosable{c.Groups, c.Agents} {
			for _, x := range list {
				all += x.ID + " "
			}
			all += "| "
		}
		return c, strings.TrimSpace(all)
	}
	for _, c := range []struct{ who, path, want string }{
		{"boss", "/history/choices", "sales support | anna bartek celina |"}, {"boss", "/reports/choices", "sales support | anna bartek celina |"},
		{"support", "/reports/choices", "support | celina |"}, {"anna", "/history/choices", "sales | anna |"},
	} {
		if _, got := of(c.who, c.path); got != c.want {
			t.Errorf("%s %s: %q, want %q", c.who, c.path, got, c.want)
		}
	}
	c, _ := of("boss", "/history/choices")
	if c.Timezone != "UTC" || !slices.Equal(c.Numbers, []NumberChoice{{"+48221234567", "sales"}}) || !slices.Equal(c.Trunks, []string{"carrier"}) {
		t.Errorf("%+v", c)
	}
	if c, _ := of("support", "/history/choices"); len(c.Numbers) != 0 {
		t.Errorf("%+v", c.Numbers)
	}
}

// What would become of a call is told to those in whose reach its number is.
func TestExplain(t *testing.T) {
	r := newRig(t)
	e := decode[Explanation](t, r.as("boss", http.MethodGet, "/explain?to=22%20123%2045%2067&from=501100200&at=2026-11-02T09:00:00Z&away=bartek", nil))
	var steps []string
	for _, st := range e.Steps {
		steps = append(steps, st.Told.Code+" "+st.Agent)
	}
	if e.To != "+48221234567" || e.From != "+48501100200" || !e.Open || e.End != "" || len(e.Groups) != 1 || e.Groups[0].Agents != 2 || e.Groups[0].Rings != 20 ||
		!slices.Contains(steps, "offer anna") || slices.Contains(steps, "offer bartek") || !slices.Contains(steps, "outcome_no_answer anna") {
		t.Errorf("%+v %q", e, steps)
	}
	if r.want(r.as("anna", http.MethodGet, "/explain?to=%2B48221234567", nil), http.StatusForbidden, codeForbidden); t.Failed() {
		return
	}
	r.want(r.as("support", http.MethodGet, "/explain?to=%2B48221234567", nil), http.StatusNotFound, codeNotFound)
	r.want(r.as("boss", http.MethodGet, "/explain?to=%2B48221234599", nil), http.StatusNotFound, codeNotFound)
	r.want(r.as("boss", http.MethodGet, "/explain?to=abc", nil), http.StatusUnprocessableEntity, codeInvalid)
	r.want(r.as("boss", http.MethodGet, "/explain?to=%2B48221234567&away=nobody", nil), http.StatusUnprocessableEntity, codeInvalid)
	if v := len(r.core.facts); v != 8 {
		t.Errorf("a rehearsal is a rehearsal: %d facts", v)
	}
}

// fakeTraces remembers one call.
type fakeTraces struct{ of acd.InteractionID }

func (f fakeTraces) Trace(id acd.InteractionID) (Trace, bool) {
	return Trace{Parties: []TraceParty{{"c1", "trunk carrier"}}, Messages: []TraceMessage{{Summary: "INVITE sip:1 SIP/2.0"}}}, id == f.of
}

// Messages of calls are for those with the right to them, and of calls that they may see.
func TestTrace(t *testing.T) {
	r := newRig(t)
	r.yesterday()
	r.want(r.as("boss", http.MethodGet, "/history/1/trace", nil), http.StatusNotFound, codeNoTrace)
	r.s.traces = fakeTraces{1}
	if got := decode[Trace](t, r.as("boss", http.MethodGet, "/history/1/trace", nil)); len(got.Messages) != 1 {
		t.Errorf("%+v", got)
	}
	r.want(r.as("boss", http.MethodGet, "/history/2/trace", nil), http.StatusNotFound, codeNoTrace)
	r.want(r.as("boss", http.MethodGet, "/history/77/trace", nil), http.StatusNotFound, codeNotFound)
	r.want(r.as("anna", http.MethodGet, "/history/1/trace", nil), http.StatusForbidden, codeForbidden)
}

// What was written down about a talk comes with it, with who wrote it and when.
func TestHistory_Notes(t *testing.T) {
	r := newRig(t)
	r.yesterday()
	at := journal.MicrosOf(time.Date(2026, 11, 1, 9, 2, 0, 0, time.UTC))
	id, err := journal.AddNote(context.Background(), r.record.d, journal.Note{Interaction: 1, Agent: "anna", At: at, By: "boss", Text: "wants <b>two</b>"})
	if err != nil {
		t.Fatal(err)
	}
	rows := journal.Rows{Disposed: []journal.Disposed{{Interaction: 1, Agent: "anna", Code: "sale", Note: id}}}
	if err := r.record.d.Write(context.Background(), func(tx *sql.Tx) error { return rows.Insert(context.Background(), tx, r.record.d.Mark) }); err != nil {
		t.Fatal(err)
	}
	talk := decode[PastFacts](t, r.as("anna", http.MethodGet, "/history/1", nil)).Talks[0]
	if talk.Text != "wants <b>two</b>" || talk.NoteBy != "boss" || !talk.NoteAt.Equal(at.Time()) || talk.Disposition != "sale" {
		t.Errorf("%+v", talk)
	}
}

// What was written down without telling what came of the talk, or before that was told anew, is among the remarks.
func TestHistory_Remarks(t *testing.T) {
	r := newRig(t)
	r.yesterday()
	at := time.Date(2026, 11, 1, 9, 2, 0, 0, time.UTC)
	notes := map[string]int64{}
	for k, text := range []string{"wants two", "wants three", "will call back"} {
		note := journal.Note{Interaction: 1, Agent: "anna", At: journal.MicrosOf(at.Add(time.Duration(k) * time.Minute)), By: "boss", Text: text}
		id, err := journal.AddNote(context.Background(), r.record.d, note)
		if err != nil {
			t.Fatal(err)
		}
		notes[text] = id
	}
	told := func(note int64) []PastRemark {
		rows := journal.Rows{Disposed: []journal.Disposed{{Interaction: 1, Agent: "anna", Code: "sale", Note: note}}}
		if err := r.record.d.Write(context.Background(), func(tx *sql.Tx) error { return rows.Insert(context.Background(), tx, r.record.d.Mark) }); err != nil {
			t.Fatal(err)
		}
		return decode[PastFacts](t, r.as("anna", http.MethodGet, "/history/1", nil)).Remarks
	}
	remark := func(k int, text string) PastRemark {
		return PastRemark{strconv.FormatInt(notes[text], 10), "anna", text, "boss", at.Add(time.Duration(k) * time.Minute)}
	}
	for _, c := range []struct {
		told string
		want []PastRemark
	}{
		{"", []PastRemark{remark(0, "wants two"), remark(1, "wants three"), remark(2, "will call back")}},
		{"wants two", []PastRemark{remark(1, "wants three"), remark(2, "will call back")}},
		{"wants three", []PastRemark{remark(0, "wants two"), remark(2, "will call back")}},
	} {
		if diff := cmp.Diff(c.want, told(notes[c.told])); diff != "" {
			t.Errorf("told %q: (-want +got)\n%s", c.told, diff)
		}
	}
}
