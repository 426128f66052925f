package web

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
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

// reload applies the site with these service levels of sales and support.
func (r *rig) reload(sales, support string) {
	r.t.Helper()
	text := strings.Replace(site, "wrap_up: 30s,", "wrap_up: 30s, service_level: {"+sales+"},", 1)
	text = strings.Replace(text, "agents: [celina]", "agents: [celina], service_level: {"+support+"}", 1)
	config, err := queuegroups.Load(queuegroups.Options{Region: "PL", Files: []queuegroups.File{{Name: "site", Data: []byte(text)}}})
	if err != nil {
		r.t.Fatal(err)
	}
	r.fact(&acd.ConfigApplied{Config: config})
}

// A definition that changes counts what was before anew: by a reload of the configuration and by what is asked for,
// from the rows and from what was counted ahead.
func TestReports_DefinitionsChange(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRigOn(t, d)
		day := r.yesterday() // sales: answered after 8 s, hung up after 60 s; support: answered after 30 s
		levels := func(more string) string {
			text := ""
			for _, l := range decode[seen](t, r.as("boss", http.MethodGet, "/reports/groups"+yesterday+"&figures=service_level,abandon_rate"+more, nil)).Lines {
				n, a := l.Figures["service_level"], l.Figures["abandon_rate"]
				text += fmt.Sprintf("%s %s/%d %s/%d; ", l.Key["group"], n.Part, n.Of, a.Part, a.Of)
			}
			return text
		}
		try := func(t *testing.T) {
			for _, c := range []struct{ sales, support, more, want string }{
				// Within 20 s, those who hang up count against: 8 s of 8 and 60; 30 s is too long.
				{"", "", "", "sales 1/2 1/2; support 0/1 0/1; "},
				{"within: 30s", "within: 30s", "", "sales 1/2 1/2; support 1/1 0/1; "},
				{"within: 7s", "within: 29s", "", "sales 0/2 1/2; support 0/1 0/1; "},
				// Who hung up within a minute is left out, then counts for.
				{"within: 1m, abandons: ignored", "", "", "sales 1/1 1/2; support 0/1 0/1; "},
				{"within: 1m, abandons: positive", "", "", "sales 2/2 1/2; support 0/1 0/1; "},
				{"within: 59s, abandons: ignored", "", "", "sales 1/2 1/2; support 0/1 0/1; "},
				// Short ones are neither offered nor abandoned.
				{"within: 20s, short: 61s", "", "", "sales 1/1 0/1; support 0/1 0/1; "},
				// What is asked for goes before.
				{"within: 7s", "within: 29s", "&within=30", "sales 1/2 1/2; support 1/1 0/1; "},
				{"within: 7s", "within: 29s", "&within=60&abandons=positive", "sales 2/2 1/2; support 1/1 0/1; "},
				{"", "", "", "sales 1/2 1/2; support 0/1 0/1; "}, // as it was
			} {
				r.reload(c.sales, c.support)
				if got := levels(c.more); got != c.want {
					t.Errorf("sales {%s}, support {%s}%s: %s, want %s", c.sales, c.support, c.more, got, c.want)
				}
			}
		}
		t.Run("rows", try)
		if n, err := stats.Roll(t.Context(), d, day.AddDate(0, 0, 1)); n == 0 || err != nil {
			t.Fatalf("%d counted ahead, %v", n, err)
		}
		// Without the rows only what was counted ahead, by no measure, can tell.
		if err := d.Write(t.Context(), func(tx *sql.Tx) error { _, err := tx.Exec("delete from visits"); return err }); err != nil {
			t.Fatal(err)
		}
		t.Run("counted ahead", try)
		if n, err := stats.Roll(t.Context(), d, day.AddDate(0, 0, 1)); n != 0 || err != nil {
			t.Errorf("%d counted again, %v", n, err)
		}
	})
}

// What those who waited could be told, against how long it took: of the last minutes and of long ago.
//
//	told 40 s, took 70: 30 off; told 90 s, took 30: 60 off; one was told nothing; one who was told 20 s hung up
//	in the mean of the two: told 65 s, took 50, 45 off
func TestReports_Forecast(t *testing.T) {
	r := newRig(t)
	day := r.yesterday()
	at := func(second int) journal.Micros {
		return journal.MicrosOf(day.Add(12*time.Hour + time.Duration(second)*time.Second))
	}
	visit := func(id acd.InteractionID, entered, promised, left int, outcome string) journal.Visit {
		v := journal.Visit{Interaction: id, N: 1, Group: "sales", Entered: at(entered), Left: at(left), Outcome: outcome}
		if promised != 0 {
			v.Promised = at(promised)
		}
		return v
	}
	rows := journal.Rows{Visits: []journal.Visit{
		visit(11, 0, 40, 70, journal.VisitAnswered), visit(12, 100, 190, 130, journal.VisitAnswered),
		visit(13, 200, 0, 210, journal.VisitAnswered), visit(14, 300, 320, 330, string(acd.AbandonedWaiting)),
	}}
	for _, v := range rows.Visits {
		rows.Interactions = append(rows.Interactions, journal.Interaction{ID: v.Interaction, Kind: journal.KindCall, Direction: journal.DirectionIn, FirstGroup: v.Group, LastGroup: v.Group, Arrived: v.Entered})
	}
	if err := r.record.d.Write(t.Context(), func(tx *sql.Tx) error { return rows.Insert(context.Background(), tx, r.record.d.Mark) }); err != nil {
		t.Fatal(err)
	}
	const names = "promised,promised_wait_mean,promised_real_mean,promised_error_mean"
	told := func(query string) string {
		f := decode[seen](t, r.as("boss", http.MethodGet, "/reports/groups"+query+"&group=sales&figures="+names, nil)).Total.Figures
		text := ""
		for name := range strings.SplitSeq(names, ",") {
			text += string(f[name].Value) + " "
		}
		return text
	}
	if got := told(yesterday); got != "2 65 50 45 " {
		t.Errorf("yesterday: %s", got)
	}
	r.s.now = func() time.Time { return day.Add(12*time.Hour + 100*time.Second) }
	if got := told("?last=1"); got != "1 40 70 30 " { // who was answered in the last minute
		t.Errorf("the last minute: %s", got)
	}
	r.s.now = func() time.Time { return day.Add(12*time.Hour + 300*time.Second) }
	if got := told("?last=5"); got != "2 65 50 45 " {
		t.Errorf("the last five minutes: %s", got)
	}
}
