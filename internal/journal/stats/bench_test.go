package stats_test

import (
	"flag"
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"centrala/internal/journal/db"
	"centrala/internal/journal/db/dbtest"
	"centrala/internal/journal/stats"
	"centrala/queuegroups"
)

var calls = flag.Int64("calls", 10_000, "calls of the month that reports are measured on")

var (
	keep  = flag.String("keep", "", "a folder for the SQLite of the month, which stays there and is used again")
	facts = flag.Bool("facts", false, "measure reports from the facts alone")
	host  = flag.String("postgres", "", "address of an empty PostgreSQL for the month, which stays there and is used again")
)

// monthIn opens a database with a month of so many calls.
func monthIn(b *testing.B, engine string) (*db.DB, month) {
	b.Helper()
	var o db.Options
	switch {
	case engine == "sqlite" && *keep == "":
		o = dbtest.SQLite(b)
	case engine == "sqlite":
		o = db.Options{Source: db.SQLite, Dir: *keep, Log: zerolog.Nop()}
	case *host == "":
		o = dbtest.Postgres(b)
	default:
		o = db.Options{Source: *host, Log: zerolog.Nop()}
	}
	o.Silence = time.Hour // of a statement that loads many rows
	d, m := dbtest.Open(b, o), monthOf(*calls)
	var there bool
	if err := d.Read().QueryRow("select count(*) > 0 from (select 1 from interactions limit 1) x").Scan(&there); err != nil {
		b.Fatal(err)
	}
	if !there {
		start := time.Now()
		m.load(b, d)
		b.Logf("%d calls loaded in %s", *calls, time.Since(start).Round(time.Millisecond))
	}
	return d, m
}

// BenchmarkMonth measures reports over a month, as one asks for them: from what was
// counted ahead, and with -facts from the facts alone.
//
//	go test ./internal/journal/stats -run xxx -bench Month -calls 10000000 -benchtime 3x -timeout 3h
func BenchmarkMonth(b *testing.B) {
	loc, err := time.LoadLocation("Europe/Warsaw")
	if err != nil {
		b.Fatal(err)
	}
	compute := stats.Compute
	if *facts {
		compute = stats.ComputeRaw
	}
	for _, engine := range []string{"sqlite", "postgres"} {
		b.Run(engine, func(b *testing.B) {
			d, m := monthIn(b, engine)
			if !*facts {
				start := time.Now()
				n, err := stats.Roll(b.Context(), d, m.till.Add(24*time.Hour))
				if err != nil {
					b.Fatal(err)
				}
				b.Logf("%d hours and days counted ahead in %s", n, time.Since(start).Round(time.Millisecond))
			}
			for _, c := range months(m) {
				c.q.Zone, c.q.Till = loc, m.till
				if c.q.From.IsZero() {
					c.q.From = m.from
				}
				b.Run(c.name, func(b *testing.B) {
					before := processor(b)
					for b.Loop() {
						if _, err := compute(b.Context(), d, c.q); err != nil {
							b.Fatal(err)
						}
					}
					b.ReportMetric((processor(b)-before).Seconds()/float64(b.N), "cpu-s/op")
				})
			}
		})
	}
}

// processor is the time that this process has worked; PostgreSQL is another.
func processor(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

type monthly struct {
	name string
	q    stats.Query
}

func months(m month) []monthly {
	by := func(list ...stats.Dimension) stats.Query { return stats.Query{By: list} }
	half := by(stats.ByGroup)
	half.From = m.till.Add(-30 * time.Minute)
	level := by(stats.ByGroup)
	level.Figures = []string{"offered", "service_level"}
	group, agent := by(stats.ByDay), by(stats.ByDay)
	group.Groups, agent.Agents = []queuegroups.GroupID{"group1003"}, []queuegroups.AgentID{"agent10007"}
	few, some := agent, agent
	for k := range 8 {
		few.Agents = append(few.Agents[:k:k], queuegroups.AgentID(fmt.Sprintf("agent%d", 10001+k)))
	}
	for k := range 20 {
		some.Agents = append(some.Agents[:k:k], queuegroups.AgentID(fmt.Sprintf("agent%d", 10001+k)))
	}
	return []monthly{
		{"in all", by()}, {"groups", by(stats.ByGroup)}, {"agents", by(stats.ByAgent)}, {"numbers", by(stats.ByNumber)}, {"days", by(stats.ByDay)},
		{"hours and weekdays", by(stats.ByHour, stats.ByWeekday)}, {"days and groups", by(stats.ByDay, stats.ByGroup)}, {"days of a group", group}, {"days of an agent", agent},
		{"days of 8 agents", few}, {"days of 20 agents", some},
		{"service level by group", level}, {"last half hour by group", half},
	}
}
