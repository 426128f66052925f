package stats_test

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"centrala/acd"
	"centrala/internal/journal"
	"centrala/internal/journal/db"
	"centrala/internal/journal/db/dbtest"
	"centrala/internal/journal/stats"
	"centrala/queuegroups"
)

// The guide has every figure with its formula and its source, as the code has them:
// -update writes them.
func TestGuide_HasEveryFigure(t *testing.T) {
	const file = "../../../docs/guides/statistics.md"
	var b strings.Builder
	b.WriteString("| figure | name | unit | formula | source | in |\n|---|---|---|---|---|---|\n")
	in := map[stats.Scope]string{
		stats.Everywhere: "every report", stats.OfQueues: "reports about those who waited", stats.OfTime: "reports by agents and times",
	}
	names := map[string]bool{}
	for _, f := range stats.Figures() {
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s | %s |\n", f.Name, f.Title, f.Unit, strings.ReplaceAll(f.Formula, "|", "\\|"), f.Source, in[f.Scope])
		if names[f.Name] {
			t.Errorf("there are two figures %s", f.Name)
		}
		names[f.Name] = true
		if in[f.Scope] == "" || f.Title == "" || f.Formula == "" {
			t.Errorf("%+v", f)
		}
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	const begin, end = "<!-- figures: written by go test ./internal/journal/stats -run Guide -update -->\n", "<!-- end of figures -->\n"
	head, rest, ok := strings.Cut(string(data), begin)
	got, tail, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatal("the guide has no place for the figures")
	}
	if *update {
		if err := os.WriteFile(file, []byte(head+begin+b.String()+end+tail), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if got != b.String() {
		t.Error("the guide's list of figures is not the code's: go test ./internal/journal/stats -run Guide -update")
	}
}

func TestValue_Decimal(t *testing.T) {
	for _, c := range []struct {
		v    stats.Value
		want string
	}{
		{stats.Value{Part: 0, Of: 1, Unit: stats.Count}, "0"},
		{stats.Value{Part: 12, Of: 1, Unit: stats.Count}, "12"},
		{stats.Value{Part: 7, Of: 9, Unit: stats.Share}, "0.777778"},
		{stats.Value{Part: 2, Of: 3, Unit: stats.Share}, "0.666667"},
		{stats.Value{Part: 1, Of: 3, Unit: stats.Share}, "0.333333"},
		{stats.Value{Part: 1, Of: 1, Unit: stats.Share}, "1"},
		{stats.Value{Part: 1, Of: 2_000_000, Unit: stats.Share}, "0.000001"}, // half away from zero
		{stats.Value{Part: -1, Of: 2_000_000, Unit: stats.Share}, "-0.000001"},
		{stats.Value{Part: -1, Of: 3_000_000, Unit: stats.Share}, "0"},
		{stats.Value{Part: 1_500_000, Of: 1, Unit: stats.Seconds}, "1.5"},
		{stats.Value{Part: 100_000_000, Of: 3, Unit: stats.Seconds}, "33.333333"},
		{stats.Value{Part: 9_000_000_000_000_000_000, Of: 7, Unit: stats.Seconds}, "1285714285714.285714"},
		{stats.Value{Part: 841, Of: 2, Unit: stats.Score}, "4.205"},
		{stats.Value{Part: 5, Of: 0, Unit: stats.Share}, ""},
	} {
		if got := c.v.Decimal(); got != c.want {
			t.Errorf("%+v is %s, want %s", c.v, got, c.want)
		}
	}
}

// Every way in which a wait can end counts once, and in the right place.
func TestCompute_EveryOutcome(t *testing.T) {
	places := map[string][]string{
		"answered":    {journal.VisitAnswered},
		"abandoned":   {string(acd.AbandonedWaiting), string(acd.AbandonedRinging)},
		"passed_on":   {journal.VisitOverflow, journal.VisitMoved, journal.VisitForwarded, string(acd.Forwarded), string(acd.Voicemail), string(acd.CallbackTaken)},
		"turned_away": {string(acd.QueueFull), string(acd.ClosedHours), string(acd.Rejected)},
		"unserved": {
			string(acd.Missed), string(acd.Nobody), string(acd.Failed), string(acd.Lost), string(acd.CompletedByAgent),
			string(acd.CompletedByCaller), string(acd.CompletedByAgentSilence), string(acd.CompletedByCustomerSilence), journal.EndUnknown, "of a later version",
		},
	}
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		var rows journal.Rows
		start := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
		want := map[string]string{}
		offered := 0
		for place, outcomes := range places {
			want[place] = fmt.Sprint(len(outcomes))
			if place != "turned_away" {
				offered += len(outcomes)
			}
			for _, outcome := range outcomes {
				id := acd.InteractionID(len(rows.Visits) + 1)
				rows.Visits = append(rows.Visits, journal.Visit{
					Interaction: id, N: 1, Group: "sales", Via: journal.ViaArrived, Outcome: outcome,
					Entered: journal.MicrosOf(start), Left: journal.MicrosOf(start.Add(time.Second)),
				})
			}
		}
		want["offered"] = fmt.Sprint(offered)
		if err := d.Write(t.Context(), func(tx *sql.Tx) error { return rows.Insert(t.Context(), tx, d.Mark) }); err != nil {
			t.Fatal(err)
		}
		q := stats.Query{From: start, Till: start.Add(time.Hour), Zone: time.UTC, By: []stats.Dimension{stats.ByGroup}}
		r, err := stats.Compute(t.Context(), d, q)
		if err != nil {
			t.Fatal(err)
		}
		for name, n := range want {
			if got := figure(t, &q, &r.Total, name); got != n {
				t.Errorf("%s is %s, want %s", name, got, n)
			}
		}
	})
}

func TestCompute_Refuses(t *testing.T) {
	d := dbtest.Open(t, dbtest.SQLite(t))
	start := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	good := stats.Query{From: start, Till: start.Add(time.Hour), Zone: time.UTC}
	if _, err := stats.Compute(t.Context(), d, good); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*stats.Query){
		"no time":         func(q *stats.Query) { q.Till = q.From },
		"no zone":         func(q *stats.Query) { q.Zone = nil },
		"a century":       func(q *stats.Query) { q.Till = q.From.AddDate(100, 0, 0) },
		"a cohort":        func(q *stats.Query) { q.Cohort = "born" },
		"a dimension":     func(q *stats.Query) { q.By = []stats.Dimension{"colour"} },
		"one twice":       func(q *stats.Query) { q.By = []stats.Dimension{stats.ByHour, stats.ByHour} },
		"odd intervals":   func(q *stats.Query) { q.By, q.Interval = []stats.Dimension{stats.ByInterval}, 7*time.Minute },
		"no interval set": func(q *stats.Query) { q.By = []stats.Dimension{stats.ByInterval} },
	} {
		q := good
		spoil(&q)
		if _, err := stats.Compute(t.Context(), d, q); !errors.Is(err, stats.ErrQuery) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A report of too many lines is refused before it fills the memory.
func TestCompute_TooLarge(t *testing.T) {
	d := dbtest.Open(t, dbtest.SQLite(t))
	start := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	_, err := stats.Compute(t.Context(), d, stats.Query{
		From: start, Till: start.AddDate(2, 0, 0), Zone: time.UTC, By: []stats.Dimension{stats.ByInterval}, Interval: 15 * time.Minute,
		Now: []journal.AgentState{{Agent: "anna", Status: "available", Began: journal.MicrosOf(start)}},
	})
	if !errors.Is(err, stats.ErrTooLarge) {
		t.Error(err)
	}
}

// Each group is measured by its own, others by the default, and an empty list of
// what may be seen is nothing, not all.
func TestCompute_MeasuresAndLists(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		write(t, d, recorded(t, "abandons"))
		q := stats.Query{
			From: time.Date(2026, 11, 17, 0, 0, 0, 0, time.UTC), Till: time.Date(2026, 11, 18, 0, 0, 0, 0, time.UTC), Zone: time.UTC,
			Levels: map[queuegroups.GroupID]queuegroups.ServiceLevel{"support": {Within: 40 * time.Second, Abandons: queuegroups.AbandonsPositive}},
		}
		r, err := stats.Compute(t.Context(), d, q)
		if err != nil {
			t.Fatal(err)
		}
		// sales by the default, 20 s, none short: 2 of 8; support: the abandon after 40 s counts for it: 1 of 1.
		if got := figure(t, &q, &r.Total, "service_level"); got != "3/9" {
			t.Errorf("service level %s, want 3/9", got)
		}
		if got := r.Total.Measure(); !strings.Contains(got, "each group") {
			t.Error(got)
		}
		q.Groups = []queuegroups.GroupID{"support"}
		if r, err = stats.Compute(t.Context(), d, q); err != nil {
			t.Fatal(err)
		}
		if got, want := r.Total.Measure(), "answered or hung up within 40s / all offered = 1 / 1"; got != want {
			t.Errorf("%s, want %s", got, want)
		}
		q.Groups, q.Staff = []queuegroups.GroupID{}, []queuegroups.AgentID{}
		if r, err = stats.Compute(t.Context(), d, q); err != nil {
			t.Fatal(err)
		}
		for _, f := range stats.Figures() {
			if v := f.Of(&r.Total); v.Part != 0 {
				t.Errorf("with nothing to be seen %s is %+v", f.Name, v)
			}
		}
	})
}

// What the figures of a whole are made of adds up from its parts, by every dimension.
func TestCompute_PartsAddUp(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		write(t, d, recorded(t, "plain"))
		loc := warsaw(t)
		q := stats.Query{From: at(t, loc, "2026-11-16 08:00:00"), Till: at(t, loc, "2026-11-16 08:50:00"), Zone: loc, Interval: time.Hour}
		for _, by := range stats.Dimensions() {
			if slices.Contains([]stats.Dimension{stats.ByGroup, stats.ByNumber, stats.ByTrunk, stats.ByChannel, stats.ByAgent}, by) {
				continue // what is in none of them is not in them
			}
			q.By = nil
			whole, err := stats.Compute(t.Context(), d, q)
			if err != nil {
				t.Fatal(err)
			}
			q.By = []stats.Dimension{by, stats.ByAgent}
			parts, err := stats.Compute(t.Context(), d, q)
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range []string{"handled", "talk_time", "wrap_up_time", "available_time", "break_time", "offers_missed", "wait_p90"} {
				if a, b := figure(t, &q, &whole.Total, name), figure(t, &q, &parts.Total, name); a != b {
					t.Errorf("%s by %s: %s, not %s", name, by, b, a)
				}
			}
		}
	})
}

// Asked for by name, each figure is what it is among all.
func TestCompute_OneFigure(t *testing.T) {
	d := dbtest.Open(t, dbtest.SQLite(t))
	write(t, d, recorded(t, "transfers"))
	q := stats.Query{
		From: time.Date(2026, 11, 18, 0, 0, 0, 0, time.UTC), Till: time.Date(2026, 11, 19, 0, 0, 0, 0, time.UTC), Zone: time.UTC,
	}
	all, err := stats.Compute(t.Context(), d, q)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range stats.Figures() {
		q.Figures = []string{f.Name}
		one, err := stats.Compute(t.Context(), d, q)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := f.Of(&one.Total), f.Of(&all.Total); got != want {
			t.Errorf("%s alone is %+v, among all %+v", f.Name, got, want)
		}
	}
	q.Figures = []string{"talk_time"}
	one, err := stats.Compute(t.Context(), d, q)
	if err != nil {
		t.Fatal(err)
	}
	if figure(t, &q, &one.Total, "offered") != "0" || figure(t, &q, &one.Total, "talk_time") == "0" {
		t.Error("what was not asked for was counted")
	}
}
