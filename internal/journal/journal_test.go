package journal_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"

	"centrala/acd"
	"centrala/internal/eventlog"
	"centrala/internal/events"
	"centrala/internal/journal"
	"centrala/internal/journal/db"
	"centrala/internal/journal/db/dbtest"
)

// patience is how long a test waits for what should happen soon.
const patience = 60 * time.Second

// tables are all tables of the record with the order of their rows.
var tables = map[string]string{
	"interactions": "id", "visits": "interaction, n", "offers": "id", "talks": "interaction, n", "holds": "interaction, n",
	"transfers": "interaction, n", "legs": "interaction, leg", "answers": "interaction, n", "decisions": "interaction", "agent_states": "agent_id, group_id, began, log_index",
	"trunk_states": "log_index", "events": "id",
}

// dump reads the whole record.
func dump(t testing.TB, d *db.DB) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	for table, order := range tables {
		rows, err := d.Read().Query("select * from " + table + " order by " + order)
		if err != nil {
			t.Fatal(err)
		}
		columns, err := rows.Columns()
		if err != nil {
			t.Fatal(err)
		}
		values := make([]any, len(columns))
		for k := range values {
			values[k] = new(any)
		}
		for rows.Next() {
			if err := rows.Scan(values...); err != nil {
				t.Fatal(err)
			}
			var b strings.Builder
			for k, c := range columns {
				v := *values[k].(*any)
				switch x := v.(type) {
				case []byte:
					v = string(x)
				case bool: // an integer to SQLite
					v = 0
					if x {
						v = 1
					}
				}
				fmt.Fprintf(&b, "%s=%v ", c, v)
			}
			all[table] = append(all[table], b.String())
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		rows.Close()
	}
	return all
}

// compare has a fresh journal follow the log of the folder from its beginning, and
// compares its record with that of the database, row by row.
func compare(t testing.TB, dir string, d *db.DB) map[string][]string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	fresh := dbtest.Open(t, dbtest.SQLite(t))
	for _, target := range []*db.DB{d, fresh} { // what opening and closing logs is in both
		n, err := open(ctx, dir, target, zerolog.Nop(), nil)
		if err != nil {
			t.Fatal(err)
		}
		n.settled(t)
		if err := n.close(ctx); err != nil {
			t.Fatal(err)
		}
	}
	n, err := open(ctx, dir, d, zerolog.Nop(), nil) // what the second opening logged
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := n.close(ctx); err != nil {
			t.Error(err)
		}
	}()
	n.settled(t)
	want := dump(t, fresh)
	last := want["events"][len(want["events"])-1]
	got := dump(t, d)
	got["events"] = got["events"][:slices.Index(got["events"], last)+1]
	for _, table := range []string{"interactions", "visits", "offers", "talks", "holds", "transfers", "legs", "answers", "decisions", "trunk_states"} {
		if diff := cmp.Diff(want[table], got[table]); diff != "" {
			t.Errorf("%s (-the log +the record):\n%.3000s", table, diff)
		}
	}
	if diff := cmp.Diff(want["events"], got["events"]); diff != "" {
		t.Errorf("events (-the log +the record):\n%.3000s", diff)
	}
	for _, row := range want["agent_states"] {
		if !slices.Contains(got["agent_states"], row) {
			t.Errorf("agent_states lacks %s", row)
		}
	}
	return got
}

// load has callers call one after another until the context ends, or each has
// made so many calls.
func (n *node) load(ctx context.Context, callers, calls int) {
	var wg sync.WaitGroup
	for k := range callers {
		wg.Go(func() {
			for i := 0; (i < calls || calls == 0) && ctx.Err() == nil; i++ {
				if n.call(ctx, fmt.Sprintf("+4860%07d", k)) != nil {
					return
				}
			}
		})
	}
	wg.Wait()
}

// settled waits until all that the log has is in the record, whatever is in the way.
func (n *node) settled(t testing.TB) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for n.journal.Await(ctx, followed{n.log}.Seen()) != nil {
		if ctx.Err() != nil {
			t.Fatalf("the record is not written: %+v", n.journal.Stats())
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func TestJournal_FollowsTheLog(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		dir := t.TempDir()
		n, err := open(t.Context(), dir, d, zerolog.New(zerolog.NewTestWriter(t)), nil)
		if err != nil {
			t.Fatal(err)
		}
		n.load(t.Context(), 8, 20)
		n.settled(t)
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		var calls, answered, legs int
		if err := d.Read().QueryRow("select count(*), count(answered) from interactions where end_reason = 'completed_by_caller'").Scan(&calls, &answered); err != nil {
			t.Fatal(err)
		}
		if err := d.Read().QueryRow("select count(*) from legs where codec = 'PCMA' and in_mos = 440").Scan(&legs); err != nil {
			t.Fatal(err)
		}
		if calls != 160 || answered != 160 || legs != 160 {
			t.Errorf("%d calls, %d answered, %d legs with figures, want 160 of each", calls, answered, legs)
		}
		s := n.journal.Stats()
		for ; s.Behind != 0 && ctx.Err() == nil; s = n.journal.Stats() { // a wrap-up may have ended meanwhile
			n.settled(t)
		}
		if s.Commits > s.Entries/3 || s.Behind != 0 || !s.Writing {
			t.Errorf("%+v", s)
		}
		if err := n.close(ctx); err != nil {
			t.Fatal(err)
		}
		compare(t, dir, d)
	})
}

// PostgreSQL away: calls go on, what happened meanwhile is written later, in order
// and once, and memory holds none of it.
func TestJournal_DatabaseAway(t *testing.T) {
	server := dbtest.Start(t)
	d := dbtest.Open(t, db.Options{Source: server.Database(t), Log: zerolog.Nop()})
	dir := t.TempDir()
	n, err := open(t.Context(), dir, d, zerolog.New(zerolog.NewTestWriter(t)), nil)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		n.load(t.Context(), 4, 5)
		n.settled(t)
		server.Stop(t)
		n.load(t.Context(), 4, 30)
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		for n.journal.Healthy() == nil && ctx.Err() == nil {
			n.load(ctx, 1, 1)
		}
		if s := n.journal.Stats(); s.Behind < 100 || !s.Away {
			t.Errorf("without a database: %+v", s)
		}
		cancel()
		server.Start(t)
		n.settled(t)
	}
	if err := n.close(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := compare(t, dir, d)
	if n := len(got["interactions"]); n < 3*140 {
		t.Errorf("%d interactions, want at least %d", n, 3*140)
	}
}

// Where the log begins anew, the record goes on with a gap from what it has until then, and a call
// that went on ends with what is known of it. That is an error, unless the record is a restored backup.
func TestJournal_LogBeginsAnew(t *testing.T) {
	for _, restored := range []bool{false, true} {
		t.Run(fmt.Sprint("restored: ", restored), func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			d := dbtest.Open(t, dbtest.SQLite(t))
			n, err := open(ctx, t.TempDir(), d, zerolog.Nop(), nil)
			if err != nil {
				t.Fatal(err)
			}
			n.load(ctx, 1, 2)
			for _, e := range []acd.Event{
				&acd.DutySet{Agent: "anna", Duty: acd.DutyBreak}, &acd.DutySet{Agent: "bartek", Duty: acd.DutyBreak}, &acd.DutySet{Agent: "celina", Duty: acd.DutyBreak},
				&acd.CallArrived{Leg: "waits", Node: "n1", Trunk: "carrier", To: "+48221234567"},
			} {
				if _, err := n.log.Append(e).Wait(ctx); err != nil {
					t.Fatal(err)
				}
			}
			n.settled(t)
			if err := n.close(ctx); err != nil {
				t.Fatal(err)
			}
			written, err := journal.Checkpoint(ctx, d)
			if err != nil {
				t.Fatal(err)
			}
			var logs bytes.Buffer
			with := journal.Options{DB: d, Logs: zerolog.New(zerolog.SyncWriter(&logs))}
			if restored {
				with.Restored = written
			}
			if n, err = openWith(ctx, t.TempDir(), with, func(o *eventlog.Options) { o.After = written }); err != nil {
				t.Fatal(err)
			}
			n.load(ctx, 1, 1)
			n.settled(t)
			if err := n.close(ctx); err != nil {
				t.Fatal(err)
			}
			var since, until, arrived, ended int64
			if err := d.Read().QueryRow("select from_at, to_at from gaps").Scan(&since, &until); err != nil {
				t.Fatal(err)
			}
			if err := d.Read().QueryRow("select arrived, ended from interactions where end_reason = $1", journal.EndUnknown).Scan(&arrived, &ended); err != nil {
				t.Fatal(err)
			}
			if since < arrived || until <= since || ended != since {
				t.Errorf("a gap from %d to %d, and a call from %d to %d", since, until, arrived, ended)
			}
			told := logs.String()
			if real := strings.Contains(told, `"level":"error"`); real == restored || strings.Contains(told, "backup") != restored || n.journal.Stats().Lost > 0 == restored {
				t.Errorf("%d lost, %s", n.journal.Stats().Lost, told)
			}
		})
	}
}

// A log that may not grow any more drops what was not recorded: the record goes on
// behind it and says what it lacks.
func TestJournal_Gap(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		dir := filepath.Join(t.TempDir(), "log")
		small := func(o *eventlog.Options) { o.Retain, o.SnapshotEvery, o.HoldBytes = time.Nanosecond, 50, 1 }
		n, err := open(ctx, dir, d, zerolog.Nop(), nil)
		if err != nil {
			t.Fatal(err)
		}
		n.load(ctx, 2, 5)
		n.settled(t)
		if err := n.close(ctx); err != nil {
			t.Fatal(err)
		}
		told := func() *events.Hub { return events.New(events.Options{DB: d, Log: zerolog.Nop()}) }
		seen, err := told().Newest(ctx)
		if err != nil {
			t.Fatal(err)
		}
		elsewhere := dbtest.Open(t, dbtest.SQLite(t)) // meanwhile the database is another
		if n, err = open(ctx, dir, elsewhere, zerolog.Nop(), small); err != nil {
			t.Fatal(err)
		}
		n.load(ctx, 4, 50)
		if err := n.close(ctx); err != nil {
			t.Fatal(err)
		}
		if n, err = open(ctx, dir, d, zerolog.New(zerolog.NewTestWriter(t)), nil); err != nil {
			t.Fatal(err)
		}
		n.load(ctx, 2, 5)
		n.settled(t)
		var gaps, from, to, calls int
		if err := d.Read().QueryRow("select count(*), min(from_index), min(to_index) from gaps").Scan(&gaps, &from, &to); err != nil {
			t.Fatal(err)
		}
		if err := d.Read().QueryRow("select count(*) from interactions where ended is not null").Scan(&calls); err != nil {
			t.Fatal(err)
		}
		if gaps != 1 || from >= to || calls < 20 {
			t.Errorf("%d gaps, from %d to %d, %d calls", gaps, from, to, calls)
		}
		// Whoever followed the events comes again: the first thing that they hear is what they cannot hear.
		list, err := told().After(ctx, seen, 1000)
		if err != nil || len(list) < 2 {
			t.Fatalf("%d events: %v", len(list), err)
		}
		for k, e := range list {
			var lost events.Lost
			if (e.Type == events.EventsLost) != (k == 0) {
				t.Errorf("event %d of %d is %s", k, len(list), e.Type)
			}
			if k == 0 && (json.Unmarshal(e.Data, &lost) != nil || lost.Since.IsZero() || !lost.Until.After(lost.Since)) {
				t.Errorf("lost: %s", e.Data)
			}
		}
		if err := n.close(ctx); err != nil {
			t.Fatal(err)
		}
	})
}
