package e2e

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"

	"centrala/acd"
	"centrala/internal/eventlog"
	"centrala/internal/journal"
	"centrala/internal/journal/db"
)

// kills is how often the server's process is killed:
//
//	go test ./e2e -run ServerSurvivesKill9 -kills 100 -timeout 60m
var kills = flag.Int("kills", 3, "how often the server is killed in the middle of calls")

// killed is the record of a server that is killed now and then.
type killed struct {
	t      *testing.T
	data   string
	source string // of the record: SQLite in the data, or an address
	lost   int    // calls that went down with it
}

// open opens the record beside the server.
func (k *killed) open() *db.DB {
	k.t.Helper()
	d, err := db.Open(k.t.Context(), db.Options{Source: k.source, Dir: k.data, Log: zerolog.Nop()})
	if err != nil {
		k.t.Fatal(err)
	}
	return d
}

// ends are how the interactions of the record ended, by the caller's number; empty: they have not.
func ends(t *testing.T, d *db.DB) map[string][]acd.EndKind {
	t.Helper()
	rows, err := d.Read().QueryContext(t.Context(), "select caller, end_reason from interactions where kind = 'call' order by id")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	list := map[string][]acd.EndKind{}
	for rows.Next() {
		var caller string
		var end acd.EndKind
		if err := rows.Scan(&caller, &end); err != nil {
			t.Fatal(err)
		}
		list[caller] = append(list[caller], end)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return list
}

// check looks at the record for the callers that the server knew of before: each has one
// interaction, which has ended with a reason of the closed list, as the caller saw it or with the node. What
// has just been confirmed may take the record a moment.
func (k *killed) check(callers map[string]bool) {
	k.t.Helper()
	d := k.open()
	defer d.Close()
	var got map[string][]acd.EndKind
	missing := ""
	defer func() {
		if k.t.Failed() && missing != "" {
			k.t.Logf("%s: %v", missing, got[missing])
		}
	}()
	eventually(k.t, "every call of before has ended in the record", func() bool {
		got = ends(k.t, d)
		for from := range callers {
			if len(got[from]) == 0 || got[from][0] == "" {
				missing = from
				return false
			}
		}
		missing = ""
		return true
	})
	for from, list := range got {
		if len(list) > 1 {
			k.t.Errorf("%s is in the record %d times: %v", from, len(list), list)
		}
	}
	k.lost = 0
	for from, done := range callers {
		switch end := got[from][0]; end {
		case acd.Lost:
			k.lost++
		case acd.CompletedByCaller, acd.AbandonedWaiting, acd.AbandonedRinging:
		default:
			k.t.Errorf("the call of %s, which came to its end: %v, ended with %s", from, done, end)
		}
	}
}

// The whole server is killed at random moments while callers call and are talked to, and started
// again: no call that it told of is missing in the record, none is there twice, each has ended for a reason,
// and the record's rows are those that a fresh reading of the log makes.
func TestServerSurvivesKill9(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	c := newCrowd(t, s, "+48221234567")
	v := newServer(t, s, crowded(c, 6))
	k := &killed{t: t, data: filepath.Join(v.dir, "data"), source: db.SQLite}
	random := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 1))
	c.call(v.sip, 10)
	for range *kills {
		c.await(t, 1+random.IntN(40))
		<-time.After(time.Duration(random.IntN(20_000)) * time.Microsecond) // anywhere between two steps
		before := c.callers()
		v.kill()
		v.run()
		k.check(before)
	}
	c.leave()
	v.waitMetric(`centrala_interactions{group="sales"}`, 0)
	all := c.callers()
	k.check(all)
	v.stop()
	if k.lost == 0 {
		t.Error("no call went down with the server")
	}
	k.compare()
	t.Logf("%d kills, %d calls that the callers know of, %d went down with the server", *kills, len(all), k.lost)
}

// compare has a fresh journal follow the server's log from its beginning, and compares the records.
func (k *killed) compare() {
	t := k.t
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 4*patience)
	defer cancel()
	l, err := eventlog.Open(ctx, eventlog.Options{Dir: filepath.Join(k.data, "log"), Node: "n1", Log: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close(context.Background())
	fresh, err := db.Open(ctx, db.Options{Source: db.SQLite, Dir: t.TempDir(), Log: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	defer fresh.Close()
	j := journal.New(journal.Options{DB: fresh, Log: readAgain{l}, Node: "n1", Logs: zerolog.Nop()})
	last := readAgain{l}.Seen()
	if err := l.Start(nobody{}); err != nil {
		t.Fatal(err)
	}
	j.Start()
	if err := j.Await(ctx, last); err != nil {
		t.Fatalf("the log is not read: %v, %+v", err, j.Stats())
	}
	j.Stop(ctx)
	kept := k.open()
	defer kept.Close()
	for _, sum := range []string{
		"select end_reason, count(*), count(answered), sum(ended - arrived), sum(coalesce(answered - arrived, 0)), 0 from interactions group by end_reason order by 1",
		"select outcome, count(*), count(distinct interaction), sum(left_at - entered), sum(coalesce(position, 0)), 0 from visits group by outcome order by 1",
		"select outcome, count(*), count(ringing), sum(ended - made), count(distinct interaction), 0 from offers group by outcome order by 1",
		"select agent_id, count(*), count(wrap_up), sum(ended - began), sum(held), count(wrapped) from talks group by agent_id order by 1",
		"select cause, count(*), count(distinct leg), sum(code), sum(in_packets), sum(out_packets) from legs group by cause order by 1",
		"select type, count(*), count(distinct id), sum(interaction), count(distinct agent_id), 0 from events where interaction > 0 group by type order by 1",
	} {
		want, got := sums(t, fresh, sum), sums(t, kept, sum)
		if diff := cmp.Diff(want, got); diff != "" || len(got) == 0 {
			t.Errorf("%s (-the log +the record):\n%s", sum, diff)
		}
	}
}

// sums runs a query whose rows are a name and five numbers.
func sums(t *testing.T, d *db.DB, query string) (list []string) {
	t.Helper()
	rows, err := d.Read().QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		var n [5]int64
		if err := rows.Scan(&name, &n[0], &n[1], &n[2], &n[3], &n[4]); err != nil {
			t.Fatal(err)
		}
		list = append(list, fmt.Sprint(name, " ", n))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return slices.Clip(list)
}

// readAgain is a server's log as a journal knows it.
type readAgain struct{ *eventlog.Log }

func (r readAgain) Follow(saved []byte) (journal.Follower, error) {
	f, err := r.Log.Follow(saved)
	if err != nil {
		return nil, err
	}
	return f, nil
}

func (r readAgain) Seen() (index uint64) {
	r.View(func(s *acd.State) { index = s.Index() })
	return index
}

func (r readAgain) Gap(err error) bool { return eventlog.Gap(err) }

// nobody carries out no command: nothing goes on.
type nobody struct{}

func (nobody) Applied(acd.Entry, []acd.Command) {}
