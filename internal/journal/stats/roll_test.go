package stats_test

import (
	"database/sql"
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"

	"centrala/acd"
	"centrala/internal/journal"
	"centrala/internal/journal/db"
	"centrala/internal/journal/db/dbtest"
	"centrala/internal/journal/stats"
	"centrala/queuegroups"
)

// seed is that of the random days:
//
//	go test ./internal/journal/stats -run Random -seed 17
var seed = flag.Uint64("seed", 1, "of the random days that what is counted ahead is tried on")

// roll counts ahead all that there is until a time, and nothing twice.
func roll(t testing.TB, d *db.DB, until time.Time) {
	t.Helper()
	for _, some := range []bool{true, false} {
		if n, err := stats.Roll(t.Context(), d, until); n > 0 != some || err != nil {
			t.Fatalf("%d counted ahead, want some: %v; %v", n, some, err)
		}
	}
}

// chance picks one of a list.
func chance[T any](r *rand.Rand, list ...T) T { return list[r.IntN(len(list))] }

// randomDays are facts of all kinds from some days on, hardly any of which go
// together: what is counted does not ask.
func randomDays(r *rand.Rand, from time.Time, days, n int) (rows journal.Rows) {
	moment := func() journal.Micros {
		at := journal.MicrosOf(from) + journal.Micros(r.Int64N(int64(days)*int64(journal.Day)))
		if r.IntN(4) == 0 {
			at -= at % chance(r, journal.Hour/4, journal.Hour, journal.Day) // where hours and days begin
		}
		return at
	}
	after := func(at journal.Micros) journal.Micros {
		return at + journal.Micros(r.Int64N(int64(chance(r, journal.Hour/60, journal.Hour/10, 2*journal.Hour))))
	}
	group := func() queuegroups.GroupID { return chance[queuegroups.GroupID](r, "sales", "support", "", "chat:web") }
	agent := func() queuegroups.AgentID { return chance[queuegroups.AgentID](r, "anna", "bartek", "celina", "") }
	for k := range n {
		id := acd.InteractionID(k + 1)
		at := moment()
		call := journal.Interaction{
			ID: id, Kind: chance(r, journal.KindCall, journal.KindCall, journal.KindChat), Direction: chance(r, "in", "in", "out", "internal"), Trunk: chance[queuegroups.TrunkID](r, "carrier", ""),
			Number: chance(r, "+48221", "+48222", ""), FirstGroup: group(), LastGroup: group(), Arrived: at, CallerAgent: agent(), ByAgent: agent(), Unanswered: r.IntN(5) == 0,
		}
		if call.Kind == journal.KindChat {
			call.Channel = chance[queuegroups.ChannelID](r, "web", "telegram")
		}
		if r.IntN(3) > 0 {
			call.Answered = after(at)
		}
		if r.IntN(9) > 0 {
			call.Ended = after(max(at, call.Answered))
		}
		rows.Interactions = append(rows.Interactions, call)
		for v := range r.IntN(3) {
			visit := journal.Visit{Interaction: id, N: v + 1, Group: group(), Entered: moment(), Agent: agent(), Outcome: chance(r, "answered", "answered", "answered", "abandoned_waiting",
				"abandoned_ringing", "overflow", "moved", "voicemail", "queue_full", "closed_hours", "missed", "of a later version")}
			if visit.Left = after(visit.Entered); r.IntN(2) == 0 {
				visit.Left = visit.Entered + chance[journal.Micros](r, 0, 5_000_000, 19_999_999, 20_000_000, 20_000_001)
				visit.Promised = after(visit.Entered)
			}
			rows.Visits = append(rows.Visits, visit)
		}
		for range r.IntN(3) {
			made := moment()
			rows.Offers = append(rows.Offers, journal.Offer{ID: acd.OfferID(len(rows.Offers) + 1), Interaction: id, Group: group(), Agent: agent(), Made: made, Ended: after(made),
				Outcome: chance(r, acd.OutcomeAnswered, acd.OutcomeDeclined, acd.OutcomeBusy, acd.OutcomeNoAnswer, acd.OutcomeUnreachable, acd.OutcomeLostRace, acd.OutcomeWithdrawn)})
		}
		for v := range r.IntN(3) {
			talk := journal.Talk{Interaction: id, N: v + 1, Group: group(), Agent: agent(), Began: moment(), Held: r.Int64N(9_000_000), Holds: r.IntN(3)}
			if talk.Ended = after(talk.Began); r.IntN(2) == 0 {
				talk.WrapUp = talk.Ended
				talk.Wrapped = chance(r, 0, after(talk.Ended))
			}
			rows.Talks = append(rows.Talks, talk)
			at := chance(r, talk.Began, talk.Ended, after(talk.Began))
			rows.Transfers = append(rows.Transfers, journal.Transfer{Interaction: id, N: v + 1, At: at, By: chance(r, talk.Agent, agent()),
				Kind:    chance(r, journal.TransferBlind, journal.TransferAttended, journal.TransferConsult, journal.TransferJoined, journal.TransferMoved, journal.TransferParked),
				Outcome: chance(r, journal.TransferDone, journal.TransferFailed, journal.TransferRefused, journal.TransferOver)})
		}
		for _, leg := range []acd.LegID{"a", "b"}[:r.IntN(3)] {
			rows.Legs = append(rows.Legs, journal.Leg{Interaction: id, Leg: leg, Agent: agent(), Ended: moment(),
				Media: acd.MediaFigures{Codec: chance(r, "PCMA", "opus", ""), In: acd.MediaWay{Expected: r.Uint64N(9000), Lost: r.Uint64N(90), MOS: chance(r, 0, 380, 410+r.IntN(40))}}})
		}
		for v := range r.IntN(4) {
			answer := journal.Answer{Interaction: id, N: v + 1, Group: group(), Agent: agent(), Asked: moment(), Outcome: chance(r, journal.AnswerWritten, journal.AnswerWritten, journal.AnswerLeft)}
			answer.Ended = after(answer.Asked)
			answer.Asleep = r.Int64N(int64(answer.Ended-answer.Asked) + 1)
			rows.Answers = append(rows.Answers, answer)
		}
		began := moment()
		state := journal.AgentState{Agent: chance[queuegroups.AgentID](r, "anna", "bartek", "celina"), Group: chance[queuegroups.GroupID](r, "", "", "", "sales"), Began: began, Ended: after(began) + 1, Index: uint64(k),
			Status: chance(r, "available", "ringing", "talking", "wrap_up", "on_break", "backing_off", "offline", "of a later version")}
		if r.IntN(20) == 0 {
			state.Ended += journal.Micros(r.Int64N(int64(3 * journal.Day)))
		}
		rows.AgentStates = append(rows.AgentStates, state)
	}
	return rows
}

// randomQuery asks for anything within, or around, some days.
func randomQuery(t testing.TB, r *rand.Rand, from time.Time, days int) stats.Query {
	t.Helper()
	loc, err := time.LoadLocation(chance(r, "Europe/Warsaw", "Europe/Warsaw", "UTC", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"))
	if err != nil {
		t.Fatal(err)
	}
	y, m, d := from.In(loc).Date()
	q := stats.Query{
		Zone: loc, From: time.Date(y, m, d+r.IntN(days), 0, 0, 0, 0, loc), Interval: chance(r, time.Hour, time.Hour, 30*time.Minute, 15*time.Minute),
		Cohort: chance(r, stats.Decided, stats.Decided, stats.Decided, stats.Arrived), Levels: map[queuegroups.GroupID]queuegroups.ServiceLevel{
			"sales": {Within: 20 * time.Second, Abandons: queuegroups.AbandonsPositive, Short: 5 * time.Second}, "chat:web": {Within: time.Hour, Abandons: queuegroups.AbandonsIgnored},
		},
	}
	q.Till = q.From.AddDate(0, 0, 1+r.IntN(days))
	if r.IntN(3) == 0 {
		q.From = q.From.Add(time.Duration(r.Int64N(int64(30 * time.Hour))))
		q.Till = q.From.Add(time.Minute + time.Duration(r.Int64N(int64(40*time.Hour)))).Truncate(time.Microsecond)
		q.From = q.From.Truncate(time.Microsecond)
	}
	dimensions := stats.Dimensions()
	r.Shuffle(len(dimensions), func(i, j int) { dimensions[i], dimensions[j] = dimensions[j], dimensions[i] })
	q.By = dimensions[:r.IntN(3)]
	if r.IntN(4) == 0 {
		q.Groups = chance(r, []queuegroups.GroupID{"sales"}, []queuegroups.GroupID{"support", "nobody"}, []queuegroups.GroupID{}, []queuegroups.GroupID{""})
	}
	if r.IntN(4) == 0 {
		q.Agents = chance(r, []queuegroups.AgentID{"anna"}, []queuegroups.AgentID{"bartek", "celina"}, []queuegroups.AgentID{})
		for k := range chance(r, 0, 20) { // a few are counted in another way than many
			q.Agents = append(q.Agents, queuegroups.AgentID(fmt.Sprintf("nobody%d", k)))
		}
	}
	if r.IntN(6) == 0 {
		q.Staff = []queuegroups.AgentID{"anna", "celina"}
	}
	if r.IntN(6) == 0 {
		q.Numbers = []string{"+48221"}
	}
	if r.IntN(6) == 0 {
		q.Trunks = []queuegroups.TrunkID{"carrier"}
	}
	if r.IntN(8) == 0 {
		q.Channels = []queuegroups.ChannelID{"web"}
	}
	if r.IntN(6) == 0 {
		q.Kind, q.Way = chance(r, "", "call", "chat"), chance(r, "", "in", "out")
	}
	if r.IntN(4) == 0 {
		q.Level = &queuegroups.ServiceLevel{Within: time.Duration(r.IntN(60)) * time.Second, Short: time.Duration(r.IntN(10)) * time.Second, Abandons: chance(r, queuegroups.AbandonsNegative, queuegroups.AbandonsIgnored, queuegroups.AbandonsPositive)}
	}
	if r.IntN(3) == 0 {
		all := stats.Figures()
		q.Figures = []string{all[r.IntN(len(all))].Name, chance(r, "wait_p90", "offered", "occupancy", "moved", "first_answer_p50", "next_answer_p90")}
	}
	if r.IntN(4) == 0 {
		q.Now = []journal.AgentState{{Agent: "anna", Status: "talking", Began: journal.MicrosOf(q.Till.Add(-time.Minute))}}
	}
	return q
}

// same fails where what was counted ahead gives another report than the facts.
func same(t testing.TB, d *db.DB, q stats.Query) {
	t.Helper()
	want, err := stats.ComputeRaw(t.Context(), d, q)
	if err != nil {
		t.Fatal(err)
	}
	got, err := stats.Compute(t.Context(), d, q)
	if err != nil {
		t.Fatal(err)
	}
	differences := []string{}
	told, wanted := tell(got), tell(want)
	for k := range max(len(told), len(wanted)) {
		if k >= len(told) || k >= len(wanted) || told[k] != wanted[k] {
			differences = append(differences, fmt.Sprintf("%q, want %q", told[min(k, len(told)-1)], wanted[min(k, len(wanted)-1)]))
		}
	}
	if len(differences) > 0 {
		t.Fatalf("%s to %s by %v, figures %v, groups %q, agents %q, staff %q: counted ahead %q",
			q.From, q.Till, q.By, q.Figures, q.Groups, q.Agents, q.Staff, differences[:min(4, len(differences))])
	}
}

// tell is all that a report says.
func tell(r *stats.Report) (out []string) {
	for _, l := range append([]stats.Line{r.Total}, r.Lines...) {
		out = append(out, fmt.Sprintf("%q %s", l.Key, l.Measure()))
		for _, f := range stats.Figures() {
			v := f.Of(&l)
			out = append(out, fmt.Sprintf("%q %s=%s(%s/%d)", l.Key, f.Name, v.Decimal(), v.PartDecimal(), v.Of))
		}
	}
	return out
}

// What is counted ahead gives the same reports as the facts, to the last digit, in
// the weeks in which the clocks change, too, and where only a part is counted.
func TestRoll_RandomDays(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := rand.New(rand.NewPCG(*seed, 0))
		const days = 3
		from := time.Date(2026, 10, 24, 0, 0, 0, 0, time.UTC)
		rows := randomDays(r, from, days, 400)
		if err := d.Write(t.Context(), func(tx *sql.Tx) error { return rows.Insert(t.Context(), tx, d.Mark) }); err != nil {
			t.Fatal(err)
		}
		if _, err := stats.Roll(t.Context(), d, from.Add(30*time.Hour)); err != nil {
			t.Fatal(err)
		}
		for range 10 {
			same(t, d, randomQuery(t, r, from, days))
		}
		roll(t, d, from.AddDate(0, 0, 10))
		for k := range 40 {
			if k == 30 { // some are to be counted again
				if err := d.Write(t.Context(), func(tx *sql.Tx) error {
					_, err := tx.Exec("delete from rollups where (at / 3600000000) % 7 = 3 or (at / 3600000000) % 5 = 2 and source in ('visits', 'states')")
					return err
				}); err != nil {
					t.Fatal(err)
				}
			}
			same(t, d, randomQuery(t, r, from, days))
		}
	})
}

// Facts that arrive late, wherever in the course of things an hour ends: what was
// counted of it before them is counted again.
func TestRoll_LateFacts(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, _ *db.DB) {
		r := rand.New(rand.NewPCG(*seed, 1))
		for _, day := range days(t) {
			if day == "nights" {
				continue // of several months
			}
			log := recorded(t, day)
			for range 2 {
				k := 2 + r.IntN(len(log)-3)
				o := dbtest.SQLite
				if strings.HasSuffix(t.Name(), "postgres") {
					o = dbtest.Postgres
				}
				d := dbtest.Open(t, o(t))
				ends := log[k].At.Truncate(time.Hour)
				moved := shifted(log, ends.Sub(log[k].At))
				write(t, d, moved[:k+1])
				if n, err := stats.Roll(t.Context(), d, ends); n == 0 || err != nil {
					t.Fatalf("%d counted ahead, %v", n, err)
				}
				write(t, d, moved)
				from := ends.Add(-12 * time.Hour)
				for range 4 {
					same(t, d, randomQuery(t, r, from, 1))
				}
				for _, by := range stats.Dimensions() {
					q := stats.Query{From: from, Till: ends.Add(12 * time.Hour), Zone: time.UTC, By: []stats.Dimension{by}, Interval: time.Hour}
					same(t, d, q)
				}
			}
		}
	})
}

// shifted is a log of another time.
func shifted(log []acd.Entry, by time.Duration) (out []acd.Entry) {
	for _, e := range log {
		e.At = e.At.Add(by)
		out = append(out, e)
	}
	return out
}

// What the record does not keep any more is not in reports either, though it was
// counted.
func TestRoll_Trimmed(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := rand.New(rand.NewPCG(*seed, 2))
		from := time.Date(2026, 10, 24, 0, 0, 0, 0, time.UTC)
		rows := randomDays(r, from, 3, 300)
		if err := d.Write(t.Context(), func(tx *sql.Tx) error { return rows.Insert(t.Context(), tx, d.Mark) }); err != nil {
			t.Fatal(err)
		}
		roll(t, d, from.AddDate(0, 0, 10))
		if _, err := journal.Trim(t.Context(), d, from.Add(9*24*time.Hour)); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			for range 10 {
				same(t, d, randomQuery(t, r, from, 3))
			}
			if _, err := stats.Roll(t.Context(), d, from.AddDate(0, 0, 10)); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// A fact that is written while its hour is being counted is in the next count.
func TestRoll_BesideTheJournal(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		from := time.Date(2026, 11, 16, 8, 0, 0, 0, time.UTC)
		log := shifted(recorded(t, "plain"), from.Sub(recorded(t, "plain")[0].At))
		var counting sync.WaitGroup
		stop := make(chan struct{})
		var written atomic.Int64 // entries of the log that the record has; time behind them is not over
		write(t, d, log[:10])
		written.Store(10)
		counting.Go(func() {
			for {
				if _, err := stats.Roll(t.Context(), d, log[written.Load()-1].At); err != nil {
					t.Error(err)
					return
				}
				select {
				case <-stop:
					return
				default:
				}
			}
		})
		for k := 20; k < len(log); k += 10 {
			write(t, d, log[:k])
			written.Store(int64(k))
		}
		write(t, d, log)
		written.Store(int64(len(log)))
		close(stop)
		counting.Wait()
		for _, by := range stats.Dimensions() {
			same(t, d, stats.Query{From: from.Add(-12 * time.Hour), Till: from.Add(36 * time.Hour), Zone: time.UTC, By: []stats.Dimension{by}, Interval: time.Hour})
		}
	})
}

// The server counts ahead by itself what has been over for a while, and where it does
// not lead nothing.
func TestRoller(t *testing.T) {
	d := dbtest.Open(t, dbtest.SQLite(t))
	log := recorded(t, "plain") // the record ends at 08:00 UTC
	write(t, d, log)
	idle := stats.NewRoller(stats.RollerOptions{DB: d, Leader: func() bool { return false }, Log: zerolog.Nop()})
	idle.Start()
	idle.Stop()
	last := func() (at sql.NullInt64) {
		if err := d.Read().QueryRow("select max(at) from rollups where claim = 0 and span = 1").Scan(&at); err != nil {
			t.Fatal(err)
		}
		return at
	}
	if last().Valid {
		t.Error("counted by a node that does not lead")
	}
	r := stats.NewRoller(stats.RollerOptions{DB: d, Leader: func() bool { return true }, Log: zerolog.Nop()})
	r.Start()
	defer r.Stop()
	for began := time.Now(); !last().Valid; time.Sleep(10 * time.Millisecond) {
		if time.Since(began) > time.Minute {
			t.Fatal("nothing was counted")
		}
	}
	if want := log[len(log)-1].At.UTC().Truncate(24 * time.Hour).Add(6 * time.Hour).UnixMicro(); last().Int64 != want {
		t.Errorf("counted up to %d, want %d: the hour that ended with the record is not over for long enough", last().Int64, want)
	}
}

// What an earlier version of the program counted, by other definitions, is not read, and counted again.
func TestRoll_OtherDefinitions(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := rand.New(rand.NewPCG(*seed, 3))
		from := time.Date(2026, 10, 24, 0, 0, 0, 0, time.UTC)
		rows := randomDays(r, from, 1, 60)
		exec := func(text string) {
			t.Helper()
			if err := d.Write(t.Context(), func(tx *sql.Tx) error { _, err := tx.Exec(text); return err }); err != nil {
				t.Fatal(err)
			}
		}
		if err := d.Write(t.Context(), func(tx *sql.Tx) error { return rows.Insert(t.Context(), tx, d.Mark) }); err != nil {
			t.Fatal(err)
		}
		whole := stats.Query{From: from, Till: from.AddDate(0, 0, 1), Zone: time.UTC, By: []stats.Dimension{stats.ByGroup}}
		report, err := stats.ComputeRaw(t.Context(), d, whole)
		if err != nil {
			t.Fatal(err)
		}
		want, until := tell(report), from.Add(25*time.Hour)
		roll(t, d, until)
		exec("update rollups set version = 'another', data = ''") // as if nothing had happened
		same(t, d, whole)
		roll(t, d, until)
		same(t, d, whole)
		exec("delete from visits") // now only what was counted again can tell of them
		got, err := stats.Compute(t.Context(), d, whole)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, tell(got)); diff != "" {
			t.Errorf("counted again (-rows +ahead):\n%s", diff)
		}
	})
}
