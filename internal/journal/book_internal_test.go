package journal

import (
	"bufio"
	"bytes"
	"database/sql"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"centrala/acd"
	"centrala/internal/journal/db"
	"centrala/internal/journal/db/dbtest"
	"centrala/queuegroups"
)

// day is a recorded day: what was logged, and what ended in it.
type day struct {
	name    string
	entries []acd.Entry
}

// recordedDays reads the logs that the core keeps for ever: simulated days with
// everything in them that can go wrong.
func recordedDays(t testing.TB) (days []day) {
	t.Helper()
	files, err := filepath.Glob("../../acd/testdata/logs/*.jsonl")
	if err != nil || len(files) < 3 {
		t.Fatalf("%d recorded logs, %v", len(files), err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		d := day{name: filepath.Base(file)}
		lines := bufio.NewScanner(bytes.NewReader(data))
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			var l struct {
				Index uint64          `json:"index"`
				At    time.Time       `json:"at"`
				Event json.RawMessage `json:"event"`
				Day   string          `json:"day"`
			}
			if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
				t.Fatal(err)
			}
			switch {
			case l.Day != "":
				if len(d.entries) > 0 {
					days = append(days, d)
				}
				d = day{name: filepath.Base(file) + " " + l.Day}
			case l.Event != nil:
				e, err := acd.DecodeEvent(l.Event)
				if err != nil {
					t.Fatal(err)
				}
				if l.Index == 0 { // the oldest files leave it out
					l.Index = uint64(len(d.entries)) + 1
				}
				d.entries = append(d.entries, acd.Entry{Index: l.Index, At: l.At, Event: e})
			}
		}
		days = append(days, d)
	}
	return days
}

// record is what a day's rows are in the end.
type record struct {
	interactions map[acd.InteractionID]Interaction
	visits       map[acd.InteractionID][]Visit
	talks        map[acd.InteractionID][]Talk
	offers       map[acd.OfferID]Offer
	states       map[queuegroups.AgentID][]AgentState
	events       []Event
	rows         Rows
}

// writeDown has a book follow a day, with a take after every few entries; save
// has the book and the state go through what they are saved as each time.
func writeDown(t testing.TB, d day, every int, save bool) (r record, ended []acd.Record, s *acd.State) {
	t.Helper()
	s = acd.NewState()
	b := newBook()
	r = record{
		interactions: map[acd.InteractionID]Interaction{}, visits: map[acd.InteractionID][]Visit{}, talks: map[acd.InteractionID][]Talk{},
		offers: map[acd.OfferID]Offer{}, states: map[queuegroups.AgentID][]AgentState{},
	}
	for k, e := range d.entries {
		b.apply(s, e)
		ended = append(ended, s.Ended()...)
		if k%every != 0 && k != len(d.entries)-1 {
			continue
		}
		r.add(t, b.take())
		if save {
			var snapshot bytes.Buffer
			if err := s.Snapshot(&snapshot); err != nil {
				t.Fatal(err)
			}
			data, err := pack(snapshot.Bytes(), b)
			if err != nil {
				t.Fatal(err)
			}
			replica, again, err := unpack(data)
			if err != nil {
				t.Fatal(err)
			}
			if s, err = acd.Restore(bytes.NewReader(replica)); err != nil {
				t.Fatal(err)
			}
			b = again
		}
	}
	return r, ended, s
}

func (r *record) add(t testing.TB, rows Rows) {
	t.Helper()
	for _, x := range rows.Interactions {
		r.interactions[x.ID] = x
	}
	for _, x := range rows.Visits {
		if x.N != len(r.visits[x.Interaction])+1 {
			t.Errorf("visit %d of interaction %d comes after %d", x.N, x.Interaction, len(r.visits[x.Interaction]))
		}
		r.visits[x.Interaction] = append(r.visits[x.Interaction], x)
	}
	for _, x := range rows.Talks {
		if x.N != len(r.talks[x.Interaction])+1 {
			t.Errorf("talk %d of interaction %d comes after %d", x.N, x.Interaction, len(r.talks[x.Interaction]))
		}
		r.talks[x.Interaction] = append(r.talks[x.Interaction], x)
	}
	for _, x := range rows.Wrapped {
		r.talks[x.Interaction][x.N-1].Wrapped = x.Wrapped
	}
	for _, x := range rows.Offers {
		if _, twice := r.offers[x.ID]; twice {
			t.Errorf("offer %d twice", x.ID)
		}
		r.offers[x.ID] = x
	}
	for _, x := range rows.AgentStates {
		if x.Group == "" {
			r.states[x.Agent] = append(r.states[x.Agent], x)
		}
	}
	r.events = append(r.events, rows.Events...)
	r.rows.Holds = append(r.rows.Holds, rows.Holds...)
	r.rows.Transfers = append(r.rows.Transfers, rows.Transfers...)
	r.rows.Answers = append(r.rows.Answers, rows.Answers...)
	r.rows.Legs = append(r.rows.Legs, rows.Legs...)
	r.rows.Decisions = append(r.rows.Decisions, rows.Decisions...)
}

// The rows of the recorded days agree with what the core says of the same days:
// every interaction once with its end, every offer once with its outcome, every
// time that somebody had an interaction, and every agent's day without a gap.
func TestBook_RecordedDays(t *testing.T) {
	talks, visits, answers := 0, 0, 0
	for _, d := range recordedDays(t) {
		t.Run(d.name, func(t *testing.T) {
			r, ended, s := writeDown(t, d, 7, false)
			for _, x := range ended {
				checkEnded(t, &r, x)
			}
			open := 0
			for _, x := range r.interactions {
				if x.Ended == 0 {
					open++
				}
				talks, visits = talks+len(r.talks[x.ID]), visits+len(r.visits[x.ID])
			}
			if live := len(s.Interactions()); open != live || len(r.interactions) != len(ended)+live {
				t.Errorf("%d rows, %d of them open; %d interactions ended and %d go on", len(r.interactions), open, len(ended), live)
			}
			checkOffers(t, &r, s)
			answers += checkAnswers(t, &r, d.entries)
			for agent, states := range r.states {
				for k := 1; k < len(states); k++ {
					if states[k].Began != states[k-1].Ended {
						t.Errorf("%s was %s until %v and %s from %v", agent, states[k-1].Status, states[k-1].Ended, states[k].Status, states[k].Began)
					}
				}
			}
			for k := 1; k < len(r.events); k++ {
				if r.events[k].ID <= r.events[k-1].ID {
					t.Fatalf("event %d comes after %d", r.events[k].ID, r.events[k-1].ID)
				}
			}
			if len(r.rows.Decisions) != len(ended) {
				t.Errorf("%d stories of %d interactions", len(r.rows.Decisions), len(ended))
			}
		})
	}
	if talks < 50 || visits < 100 || answers < 10 {
		t.Errorf("the days have only %d talks, %d visits and %d answers", talks, visits, answers)
	}
}

// checkAnswers: a chat that has ended was answered a first time, or left without it,
// and waits for answers come one after another, none while there is no chat.
func checkAnswers(t *testing.T, r *record, entries []acd.Entry) (written int) {
	t.Helper()
	beside := map[queuegroups.AgentID]bool{}
	for _, e := range entries {
		if w, ok := e.Event.(*acd.ChatWritten); ok && w.By != "" {
			beside[w.By] = true
		}
	}
	before := map[acd.InteractionID]Answer{}
	for _, x := range r.rows.Answers {
		row, last := r.interactions[x.Interaction], before[x.Interaction]
		if x.N != last.N+1 || x.Asked < max(row.Arrived, last.Ended) || x.Ended < x.Asked || x.Asleep < 0 || x.Asleep > int64(x.Ended-x.Asked) || x.Group == "" ||
			last.Outcome == AnswerLeft || x.N == 1 && x.Asked != row.Arrived || row.Kind != KindChat {
			t.Errorf("%+v after %+v, of %+v", x, last, row)
		}
		switch x.Outcome {
		case AnswerWritten:
			written++
			if x.Agent == "" || !beside[x.Agent] && !slices.ContainsFunc(r.talks[x.Interaction], func(talk Talk) bool { return talk.Agent == x.Agent }) && row.Ended != 0 {
				t.Errorf("%+v by somebody who never had it", x)
			}
		case AnswerLeft:
			if x.Ended != row.Ended {
				t.Errorf("%+v, of a chat that ended at %d", x, row.Ended)
			}
		default:
			t.Errorf("%+v", x)
		}
		before[x.Interaction] = x
	}
	for id, row := range r.interactions {
		if _, told := before[id]; row.Kind == KindChat && row.Ended != 0 && !told {
			t.Errorf("chat %d ended without a word on answers", id)
		}
	}
	return written
}

func checkEnded(t *testing.T, r *record, x acd.Record) {
	t.Helper()
	row := r.interactions[x.Interaction]
	if row.End != x.End || row.Class != x.Class || row.Arrived != MicrosOf(x.Arrived) || row.Ended != MicrosOf(x.Ended) ||
		row.LastGroup != x.Group || row.Caller != x.From.Number || row.Leg != x.Leg || row.Unanswered != x.Unanswered {
		t.Errorf("row %+v of record %+v", row, x)
	}
	had := r.talks[x.Interaction]
	for _, talk := range had {
		if !slices.ContainsFunc(x.Stints, func(st acd.Stint) bool {
			return st.Agent == talk.Agent && st.Number == talk.Number && MicrosOf(st.From) == talk.Began && MicrosOf(st.To) == talk.Ended
		}) {
			t.Errorf("interaction %d: the core knows nothing of %+v, but of %+v", x.Interaction, talk, x.Stints)
		}
		if talk.Held < 0 || talk.Held > int64(talk.Ended-talk.Began) || talk.WrapUp > 0 && talk.WrapUp < talk.Ended {
			t.Errorf("interaction %d: %+v", x.Interaction, talk)
		}
	}
	if (row.Answered != 0) != (len(had) > 0) || row.Answered != 0 && row.Answered != had[0].Began {
		t.Errorf("interaction %d answered at %v with talks %+v", x.Interaction, row.Answered, had)
	}
	if (x.End == acd.CompletedByAgent || x.End == acd.CompletedByCaller) && x.Class == "" && len(had) == 0 && !x.Answered.IsZero() {
		t.Errorf("interaction %d is %s by nobody", x.Interaction, x.End)
	}
	before := row.Arrived
	for _, v := range r.visits[x.Interaction] {
		if v.Entered < before || v.Left < v.Entered || v.Outcome == "" || v.Group == "" {
			t.Errorf("interaction %d, that arrived at %v: %+v after %v", x.Interaction, row.Arrived, v, before)
		}
		before = v.Left
	}
	if first := r.visits[x.Interaction]; row.FirstGroup != "" && (len(first) == 0 || first[0].Group != row.FirstGroup || (first[0].Via == ViaArrived) != (first[0].Entered == row.Arrived)) {
		t.Errorf("interaction %d arrived in %s: %+v", x.Interaction, row.FirstGroup, first)
	}
}

// checkOffers compares the offers with the core's counters.
func checkOffers(t *testing.T, r *record, s *acd.State) {
	t.Helper()
	outcomes := map[acd.Outcome]uint64{}
	for _, o := range r.offers {
		outcomes[o.Outcome]++
		if o.Made == 0 || o.Ended < o.Made || o.Ringing != 0 && (o.Ringing < o.Made || o.Ringing > o.Ended) || o.Agent == "" && o.Number == "" {
			t.Errorf("%+v", o)
		}
	}
	if diff := cmp.Diff(s.Counters().Offers, outcomes); diff != "" {
		t.Errorf("outcomes of offers (-counted +written):\n%s", diff)
	}
}

// A restart after any entry, from what was saved, changes nothing.
func TestBook_SavedAndRestored(t *testing.T) {
	for _, d := range recordedDays(t) {
		if len(d.entries) > 3000 {
			d.entries = d.entries[:3000]
		}
		want, _, _ := writeDown(t, d, 5, false)
		got, _, _ := writeDown(t, d, 5, true)
		if !reflect.DeepEqual(want, got) { // which is quicker than to look for the difference
			t.Errorf("%s (-straight +restored):\n%s", d.name, cmp.Diff(want, got, cmp.AllowUnexported(record{})))
		}
	}
}

// Whole days go into both databases.
func TestBook_Written(t *testing.T) {
	days := recordedDays(t)
	longest := slices.MaxFunc(days, func(a, b day) int { return len(a.entries) - len(b.entries) })
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, b := acd.NewState(), newBook()
		ended := 0
		for k, e := range longest.entries {
			b.apply(s, e)
			ended += len(s.Ended())
			if k%100 != 0 && k != len(longest.entries)-1 {
				continue
			}
			rows := b.take()
			if err := d.Write(t.Context(), func(tx *sql.Tx) error { return rows.Insert(t.Context(), tx, d.Mark) }); err != nil {
				t.Fatal(err)
			}
		}
		var rows int
		if err := d.Read().QueryRow("select count(*) from interactions where ended is not null").Scan(&rows); err != nil || rows != ended {
			t.Errorf("%d rows of %d interactions, %v", rows, ended, err)
		}
	})
}

// BenchmarkBook measures what a call costs the journal without the database: the
// state's part is what any reader of the log has to pay.
func BenchmarkBook(b *testing.B) {
	days := recordedDays(b)
	for _, name := range []string{"state alone", "with rows"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			entries, calls := 0, 0
			for b.Loop() {
				for _, d := range days {
					s, k := acd.NewState(), newBook()
					for _, e := range d.entries {
						if name == "with rows" {
							k.apply(s, e)
						} else {
							s.Apply(e)
						}
						calls += len(s.Ended())
					}
					k.take()
					entries += len(d.entries)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(entries), "ns/entry")
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(calls), "ns/call")
		})
	}
}
