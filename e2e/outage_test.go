package e2e

import (
	"context"
	"flag"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"centrala/internal/journal/db"
	"centrala/internal/journal/db/dbtest"
)

// outage is for how long PostgreSQL is away at least; a number of calls come to their end meanwhile in any case:
//
//	go test ./e2e -run PostgresAway -outage 60s -v
var outage = flag.Duration("outage", 0, "for how long PostgreSQL is away at least")

// outageCalls is how many calls are to begin and end without a database.
const outageCalls = 40

// PostgreSQL goes in the middle of calls and comes back later: calls go on, and afterwards each is in the record
// once, as the log has it, written in the order in which it happened.
func TestPostgresAway(t *testing.T) {
	t.Parallel()
	postgres := dbtest.Start(t)
	s := newSite(t)
	c := newCrowd(t, s, "+48221234567")
	k := &killed{t: t, source: postgres.Database(t)}
	v := prepareMusic(t, s, crowded(c, 6))
	v.set("database", k.source)
	v.expectFault("the record cannot be written at present", `"part":"chat"`) // chats need it
	v.run()
	k.data = filepath.Join(v.dir, "data")
	c.call(v.sip, 10)
	c.await(t, 20)
	v.waitMetric("centrala_journal_up", 1)
	seen := follow(t, k.open())

	postgres.Stop(t)
	began, before := time.Now(), c.callers()
	v.waitMetric("centrala_journal_up", 0)
	v.waitReadyz("journal: nothing can be written since ")
	memory := v.metrics()["process_resident_memory_bytes"]
	meanwhile := 0
	for meanwhile < outageCalls || time.Since(began) < *outage {
		c.await(t, 1)
		meanwhile = 0
		for from, over := range c.callers() {
			if _, known := before[from]; !known && over {
				meanwhile++
			}
		}
	}
	m := v.metrics()
	if behind := m["centrala_journal_behind_entries"]; m["centrala_journal_up"] != 0 || behind < 3*outageCalls {
		t.Errorf("after %d calls the record is up: %v, and %v entries behind", meanwhile, m["centrala_journal_up"], behind)
	}
	t.Logf("away for %v: %d calls came to their end, %v entries to be written; resident memory %.0f MB, %.0f MB at the beginning",
		time.Since(began).Round(time.Millisecond), meanwhile, m["centrala_journal_behind_entries"], m["process_resident_memory_bytes"]/1e6, memory/1e6)

	postgres.Start(t)
	back := time.Now()
	v.waitMetric("centrala_journal_up", 1)
	c.await(t, 20)
	c.leave()
	v.waitWritten()
	v.waitMetric(`centrala_interactions{group="sales"}`, 0)
	k.check(c.callers())
	v.waitMetric("centrala_journal_behind_entries", 0)
	t.Logf("all was written %v after it was back", time.Since(back).Round(time.Millisecond))
	if m := v.metrics(); k.lost != 0 || m["centrala_journal_lost_entries_total"] != 0 {
		t.Errorf("%d calls lost, %v entries dropped", k.lost, m["centrala_journal_lost_entries_total"])
	}
	v.waitReadyz("")
	v.stop()
	seen()
	k.compare()
}

// waitWritten waits until the record has what the log had kept for it, as long as that becomes less.
func (v *server) waitWritten() {
	v.t.Helper()
	for left := math.Inf(1); left > 0; {
		eventually(v.t, fmt.Sprintf("of the %v entries that the record is behind some are written", left), func() bool {
			now := v.metrics()["centrala_journal_behind_entries"]
			less := now < left
			left = min(left, now)
			return less || now == 0
		})
	}
}

// set writes a setting of the server, which is not started yet.
func (v *server) set(key, value string) {
	v.t.Helper()
	text, err := os.ReadFile(filepath.Join(v.dir, "centrala.yaml"))
	if err != nil {
		v.t.Fatal(err)
	}
	v.writeFile("centrala.yaml", fmt.Sprintf("%s: %s\n%s", key, value, text))
}

// waitReadyz waits until the server says that it takes calls, and what is wrong besides; empty: nothing.
func (v *server) waitReadyz(but string) {
	v.t.Helper()
	var text []byte
	defer func() {
		if v.t.Failed() {
			v.t.Logf("/readyz: %s", text)
		}
	}()
	eventually(v.t, fmt.Sprintf("/readyz says ok, but %q", but), func() bool {
		response, err := http.Get("http://" + v.admin.String() + "/readyz")
		if err != nil {
			return false
		}
		defer response.Body.Close()
		if text, err = io.ReadAll(response.Body); err != nil || response.StatusCode != http.StatusOK {
			return false
		}
		return but == "" && string(text) == "ok\n" || but != "" && strings.HasPrefix(string(text), "ok\nbut "+but)
	})
}

// follow reads what comes into the record, as whoever goes on behind the last that they saw does. The function that
// it returns is to be called when all is written: it compares that with the record. What was written behind
// something later is missing then.
func follow(t *testing.T, d *db.DB) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	var reading sync.WaitGroup
	tables := []string{"interactions", "events"}
	seen := map[string][]int64{}
	after := func(ctx context.Context, table string, id int64) (list []int64, err error) {
		rows, err := d.Read().QueryContext(ctx, "select id from "+table+" where id > $1 order by id", id)
		if err != nil {
			return nil, err
		}
		defer rows.Close()
		for rows.Next() {
			if err := rows.Scan(&id); err != nil {
				return nil, err
			}
			list = append(list, id)
		}
		return list, rows.Err()
	}
	read := func(ctx context.Context) (err error) {
		for _, table := range tables {
			var last int64
			if n := len(seen[table]); n > 0 {
				last = seen[table][n-1]
			}
			var list []int64
			if list, err = after(ctx, table, last); err == nil {
				seen[table] = append(seen[table], list...)
			}
		}
		return err
	}
	reading.Go(func() {
		for ctx.Err() == nil {
			_ = read(ctx) // a database that is away is part of the test
			select {
			case <-time.After(5 * time.Millisecond):
			case <-ctx.Done():
			}
		}
	})
	return func() {
		t.Helper()
		defer d.Close()
		cancel()
		reading.Wait()
		if err := read(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, table := range tables {
			all, err := after(t.Context(), table, 0)
			if err != nil {
				t.Fatal(err)
			}
			if len(all) == 0 || !slices.Equal(all, seen[table]) {
				t.Errorf("%s: of %d rows %d came in order", table, len(all), len(seen[table]))
			}
		}
	}
}
