package journal

import (
	"context"
	"database/sql"
	"testing"
	"time"

	"centrala/acd"
	"centrala/internal/journal/db"
)

// WriteDown has a book follow events, each a second after the one before, and
// writes those of talks and trunks: in one transaction, or of each event apart.
// What is told of them it returns.
func WriteDown(t *testing.T, d *db.DB, events []acd.Event, apart bool) (told []Event) {
	t.Helper()
	s, b := acd.NewState(), newBook()
	write := func() {
		rows := b.take()
		told = append(told, rows.Events...)
		rows.Interactions, rows.Visits, rows.Offers, rows.Legs, rows.Decisions, rows.AgentStates, rows.Events = nil, nil, nil, nil, nil, nil, nil
		if err := d.Write(t.Context(), func(tx *sql.Tx) error { return rows.Insert(t.Context(), tx, d.Mark) }); err != nil {
			t.Fatal(err)
		}
	}
	for k, e := range events {
		b.apply(s, acd.Entry{Index: uint64(k + 1), At: time.Date(2026, 11, 2, 9, 0, k, 0, time.UTC), Event: e})
		if apart {
			write()
		}
	}
	write()
	return told
}

// InsertKept writes rows by statements that are kept prepared, as the journal does.
func InsertKept(d *db.DB) func(ctx context.Context, tx *sql.Tx, r *Rows) error {
	s := kept(d)
	return func(ctx context.Context, tx *sql.Tx, r *Rows) error { return r.insert(ctx, tx, s) }
}
