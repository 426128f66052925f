package journal_test

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"centrala/acd"
	"centrala/internal/journal"
	"centrala/internal/journal/db"
	"centrala/internal/journal/db/dbtest"
)

// What ended longer ago than the record keeps is deleted with all that belongs to
// it, in more than one transaction; what is younger, or has not ended, stays.
func TestTrim(t *testing.T) {
	const day = 24 * time.Hour
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	ago := func(days int) journal.Micros { return journal.MicrosOf(now.Add(-time.Duration(days) * day)) }
	var rows journal.Rows
	for n := range 501 { // one more than two transactions take, and a hundred that stay
		arrived, ended := ago(500), ago(401)
		switch {
		case n == 401:
			ended = 0
		case n > 401:
			ended = ago(399)
		}
		id := acd.InteractionID(n + 1)
		rows.Interactions = append(rows.Interactions, journal.Interaction{ID: id, Kind: journal.KindCall, Direction: journal.DirectionIn, Arrived: arrived, Ended: ended})
		rows.Visits = append(rows.Visits, journal.Visit{Interaction: id, N: 1, Group: "sales"})
		rows.Offers = append(rows.Offers, journal.Offer{ID: acd.OfferID(n + 1), Interaction: id})
		rows.Talks = append(rows.Talks, journal.Talk{Interaction: id, N: 1, Agent: "anna"})
		rows.Holds = append(rows.Holds, journal.Hold{Interaction: id, N: 1})
		rows.Transfers = append(rows.Transfers, journal.Transfer{Interaction: id, N: 1})
		rows.Legs = append(rows.Legs, journal.Leg{Interaction: id, Leg: "c"})
		rows.Answers = append(rows.Answers, journal.Answer{Interaction: id, N: 1})
		rows.Decisions = append(rows.Decisions, journal.Decision{Interaction: id, Steps: []byte("[]")})
		state := journal.AgentState{Agent: "anna", Began: ago(600), Ended: ago(401), Index: uint64(n)}
		if n > 401 {
			state.Ended = ago(399)
		}
		rows.AgentStates = append(rows.AgentStates, state)
		rows.TrunkStates = append(rows.TrunkStates, journal.TrunkState{Index: uint64(n + 1), Trunk: "carrier", At: state.Ended, State: acd.TrunkUp})
	}
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		if err := d.Write(t.Context(), func(tx *sql.Tx) error { return rows.Insert(t.Context(), tx, d.Mark) }); err != nil {
			t.Fatal(err)
		}
		for _, id := range []acd.InteractionID{1, 500} {
			if _, err := journal.AddNote(t.Context(), d, journal.Note{Interaction: id, Text: "x"}); err != nil {
				t.Fatal(err)
			}
		}
		left := func() string {
			var out []string
			for _, table := range []string{"interactions", "visits", "offers", "talks", "holds", "transfers", "legs", "answers", "decisions", "notes", "agent_states", "trunk_states"} {
				var n int
				if err := d.Read().QueryRow("select count(*) from " + table).Scan(&n); err != nil {
					t.Fatal(err)
				}
				out = append(out, fmt.Sprint(n))
			}
			return strings.Join(out, " ")
		}
		for _, c := range []struct {
			keep time.Duration
			gone int
			left string
		}{
			{900 * day, 0, "501 501 501 501 501 501 501 501 501 2 501 501"},
			{400 * day, 401 + 402 + 402, "100 100 100 100 100 100 100 100 100 1 99 99"},
			{400 * day, 0, "100 100 100 100 100 100 100 100 100 1 99 99"},
			{day, 99 + 99 + 99, "1 1 1 1 1 1 1 1 1 0 0 0"}, // that goes on
		} {
			if n, err := journal.Trim(t.Context(), d, now.Add(-c.keep)); err != nil || n != c.gone || left() != c.left {
				t.Errorf("%v: %d deleted, %v; left %s, want %d and %s", c.keep, n, err, left(), c.gone, c.left)
			}
		}
	})
}

// The journal deletes by itself what is older than it keeps.
func TestJournal_Trims(t *testing.T) {
	d := dbtest.Open(t, dbtest.SQLite(t))
	n, err := open(t.Context(), t.TempDir(), d, zerolog.Nop(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer n.log.Close(context.Background())
	n.journal.Stop(t.Context())
	rows := journal.Rows{Interactions: []journal.Interaction{{ID: 1 << 40, Arrived: 1, Ended: 2}, {ID: 1<<40 + 1, Arrived: 1, Ended: journal.MicrosOf(time.Now())}}}
	if err := d.Write(t.Context(), func(tx *sql.Tx) error { return rows.Insert(t.Context(), tx, d.Mark) }); err != nil {
		t.Fatal(err)
	}
	j := journal.New(journal.Options{DB: d, Log: followed{n.log}, Node: "n1", Keep: 24 * time.Hour, Logs: zerolog.Nop()})
	j.Start()
	defer j.Stop(context.Background())
	for began := time.Now(); ; {
		var left int
		if err := d.Read().QueryRow("select count(*) from interactions where id >= $1", int64(1)<<40).Scan(&left); err != nil {
			t.Fatal(err)
		}
		if left == 1 {
			return
		}
		if time.Since(began) > patience {
			t.Fatalf("%d interactions are left", left)
		}
		time.Sleep(10 * time.Millisecond)
	}
}
