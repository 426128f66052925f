package journal_test

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"testing"
	"time"

	"centrala/acd"
	"centrala/internal/journal"
	"centrala/internal/journal/db/dbtest"
	"centrala/queuegroups"
)

// someCalls are the rows of calls that were answered, as the journal writes them,
// and how many those are.
func someCalls(first, n int) (r journal.Rows, count int) {
	at := journal.MicrosOf(time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC))
	for k := first; k < first+n; k++ {
		id, agent := acd.InteractionID(k+1), queuegroups.AgentID(fmt.Sprint("agent", k%200))
		began := at + journal.Micros(k)*2000
		r.Interactions = append(r.Interactions, journal.Interaction{
			ID: id, Kind: journal.KindCall, Direction: journal.DirectionIn, Trunk: "carrier", Number: "+48221234567", Caller: "+48601234567", FirstGroup: "sales", LastGroup: "sales",
			Arrived: began, Answered: began + 100, Ended: began + 900, End: acd.CompletedByCaller, ByAgent: agent, Node: "n1", Leg: acd.LegID(fmt.Sprint("c", k)),
		})
		r.Visits = append(r.Visits, journal.Visit{Interaction: id, N: 1, Group: "sales", Via: journal.ViaArrived, Entered: began, Left: began + 100, Outcome: journal.VisitAnswered, Agent: agent, Position: 1})
		r.Offers = append(r.Offers, journal.Offer{ID: acd.OfferID(k + 1), Interaction: id, Group: "sales", Agent: agent, Kind: journal.OfferOffer, Made: began, Ringing: began + 50, Ended: began + 100, Outcome: acd.OutcomeAnswered})
		r.Talks = append(r.Talks, journal.Talk{Interaction: id, N: 1, Group: "sales", Agent: agent, Via: journal.OfferOffer, Began: began + 100, Ended: began + 900})
		for _, leg := range []string{"c", "p"} {
			r.Legs = append(r.Legs, journal.Leg{Interaction: id, Leg: acd.LegID(fmt.Sprint(leg, k)), Ended: began + 900, Cause: acd.EndHangup, Media: acd.MediaFigures{Codec: "PCMA"}})
		}
		r.Decisions = append(r.Decisions, journal.Decision{Interaction: id, Steps: bytes.Repeat([]byte(" "), 1200)})
		for n := range 4 {
			r.AgentStates = append(r.AgentStates, journal.AgentState{Agent: agent, Began: began + journal.Micros(n), Ended: began + journal.Micros(n) + 1, Status: "talking", Index: uint64(4*k + n)})
		}
		for n := range 12 {
			r.Events = append(r.Events, journal.Event{ID: int64(k)*100 + int64(n), At: began, Type: "interaction.arrived", Group: "sales", Agent: agent, Interaction: id, Data: bytes.Repeat([]byte(" "), 400)})
		}
	}
	return r, n * 23
}

// BenchmarkRows measures how many rows a second the journal writes: 10 calls in a
// transaction, which is what 500 calls a second make, and 100.
func BenchmarkRows(b *testing.B) {
	for _, engine := range []string{"sqlite", "postgres"} {
		for _, calls := range []int{10, 100} {
			for _, prepared := range []bool{false, true} {
				b.Run(fmt.Sprintf("%s/calls=%d/prepared=%v", engine, calls, prepared), func(b *testing.B) {
					o := dbtest.SQLite
					if engine == "postgres" {
						o = dbtest.Postgres
					}
					d := dbtest.Open(b, o(b))
					insert := func(ctx context.Context, tx *sql.Tx, r *journal.Rows) error { return r.Insert(ctx, tx, d.Mark) }
					if prepared {
						insert = journal.InsertKept(d)
					}
					rows, first := 0, 0
					for b.Loop() {
						b.StopTimer()
						r, n := someCalls(first, calls)
						b.StartTimer()
						if err := d.Write(b.Context(), func(tx *sql.Tx) error { return insert(b.Context(), tx, &r) }); err != nil {
							b.Fatal(err)
						}
						rows, first = rows+n, first+calls
					}
					b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
				})
			}
		}
	}
}
