package stats_test

import (
	"context"
	"database/sql"
	"flag"
	"fmt"
	"testing"
	"time"

	"centrala/acd"
	"centrala/internal/journal"
	"centrala/internal/journal/db"
	"centrala/internal/journal/db/dbtest"
	"centrala/internal/journal/stats"
	"centrala/queuegroups"
)

var calls = flag.Int("calls", 10_000, "calls of the month that reports are measured on")

// month writes a month of calls: six groups, sixty agents, one call in ten abandoned,
// one in five offered twice.
func month(b *testing.B, d *db.DB, n int) (from, till time.Time) {
	b.Helper()
	from = time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
	till = from.AddDate(0, 1, 0)
	const batch = 2000
	for first := 0; first < n; first += batch {
		var rows journal.Rows
		for k := first; k < min(n, first+batch); k++ {
			aCall(&rows, k, from.Add(till.Sub(from)/time.Duration(n)*time.Duration(k)))
		}
		if err := d.Write(context.Background(), func(tx *sql.Tx) error { return rows.Insert(context.Background(), tx, d.Mark) }); err != nil {
			b.Fatal(err)
		}
	}
	if d.Postgres() {
		if err := d.Write(context.Background(), func(tx *sql.Tx) error { _, err := tx.Exec("analyze"); return err }); err != nil {
			b.Fatal(err)
		}
	}
	return from, till
}

func aCall(rows *journal.Rows, k int, arrived time.Time) {
	id := acd.InteractionID(k + 1)
	group := queuegroups.GroupID(fmt.Sprintf("group%d", k%6))
	agent := queuegroups.AgentID(fmt.Sprintf("agent%d", k%60))
	at := func(seconds int) journal.Micros {
		return journal.MicrosOf(arrived.Add(time.Duration(seconds)*time.Second + time.Duration(k%997)*time.Millisecond))
	}
	wait, talk := k*7919%90, 60+k*104729%300
	call := journal.Interaction{
		ID: id, Kind: journal.KindCall, Direction: journal.DirectionIn, Trunk: "carrier", Number: fmt.Sprintf("+4822123450%d", k%10),
		Caller: fmt.Sprintf("+48501%06d", k*31%1_000_000), FirstGroup: group, LastGroup: group, Arrived: at(0), Node: "n1", Leg: acd.LegID(fmt.Sprint("c", k)),
		Ended: at(wait), End: acd.AbandonedWaiting,
	}
	visit := journal.Visit{Interaction: id, N: 1, Group: group, Via: journal.ViaArrived, Entered: at(0), Left: at(wait), Outcome: string(acd.AbandonedWaiting)}
	offer := journal.Offer{
		ID: acd.OfferID(k*2 + 1), Interaction: id, Group: group, Agent: agent, Kind: journal.OfferOffer, Made: at(wait - min(wait, 5)), Ended: at(wait),
		Outcome: acd.OutcomeWithdrawn,
	}
	if k%5 == 0 {
		missed := offer
		missed.ID, missed.Outcome, missed.Agent = missed.ID+1, acd.OutcomeNoAnswer, queuegroups.AgentID(fmt.Sprintf("agent%d", (k+1)%60))
		rows.Offers = append(rows.Offers, missed)
	}
	if k%10 != 0 {
		offer.Outcome, visit.Outcome, visit.Agent = acd.OutcomeAnswered, journal.VisitAnswered, agent
		call.Answered, call.Ended, call.End, call.ByAgent = at(wait), at(wait+talk), acd.CompletedByCaller, agent
		rows.Talks = append(rows.Talks, journal.Talk{
			Interaction: id, N: 1, Group: group, Agent: agent, Via: journal.OfferOffer, Began: at(wait), Ended: at(wait + talk), WrapUp: at(wait + talk), Wrapped: at(wait + talk + 15),
		})
		for n, st := range []acd.AgentStatus{acd.Ringing, acd.Talking, acd.WrapUp, acd.Available} {
			from := []int{wait, wait + 1, wait + talk, wait + talk + 15, wait + talk + 60}
			rows.AgentStates = append(rows.AgentStates, journal.AgentState{
				Agent: agent, Began: at(from[n]), Ended: at(from[n+1]), Status: st.String(), Index: uint64(k*4 + n),
			})
		}
		for _, leg := range []string{"c", "p"} {
			rows.Legs = append(rows.Legs, journal.Leg{
				Interaction: id, Leg: acd.LegID(fmt.Sprint(leg, k)), Ended: at(wait + talk), Cause: acd.EndHangup,
				Media: acd.MediaFigures{Codec: "PCMA", In: acd.MediaWay{Packets: 6000, Expected: 6000, MOS: 430}},
			})
		}
	}
	rows.Interactions, rows.Visits, rows.Offers = append(rows.Interactions, call), append(rows.Visits, visit), append(rows.Offers, offer)
}

// BenchmarkMonth measures reports over a month, as one asks for them.
func BenchmarkMonth(b *testing.B) {
	for _, engine := range []string{"sqlite", "postgres"} {
		b.Run(engine, func(b *testing.B) {
			o := dbtest.SQLite
			if engine == "postgres" {
				o = dbtest.Postgres
			}
			d := dbtest.Open(b, o(b))
			start := time.Now()
			from, till := month(b, d, *calls)
			b.Logf("%d calls written in %s", *calls, time.Since(start).Round(time.Millisecond))
			loc, err := time.LoadLocation("Europe/Warsaw")
			if err != nil {
				b.Fatal(err)
			}
			for name, q := range map[string]stats.Query{
				"groups":         {By: []stats.Dimension{stats.ByGroup}},
				"agents":         {By: []stats.Dimension{stats.ByAgent}},
				"hours":          {By: []stats.Dimension{stats.ByHour}},
				"days by group":  {By: []stats.Dimension{stats.ByDay, stats.ByGroup}},
				"numbers":        {By: []stats.Dimension{stats.ByNumber}},
				"service level":  {By: []stats.Dimension{stats.ByGroup}, Figures: []string{"offered", "service_level"}},
				"last half hour": {By: []stats.Dimension{stats.ByGroup}, From: till.Add(-30 * time.Minute)},
			} {
				q.Zone, q.Till = loc, till
				if q.From.IsZero() {
					q.From = from
				}
				b.Run(name, func(b *testing.B) {
					for b.Loop() {
						if _, err := stats.Compute(b.Context(), d, q); err != nil {
							b.Fatal(err)
						}
					}
				})
			}
		})
	}
}
