package journal_test

import (
	"database/sql"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"

	"centrala/acd"
	"centrala/internal/journal"
	"centrala/internal/journal/db"
	"centrala/internal/journal/db/dbtest"
)

// one is a row with a value of its own in every field, of the interaction 7.
func one[R any]() R {
	r := filled[R](1)[0]
	reflect.ValueOf(&r).Elem().FieldByName("Interaction").Set(reflect.ValueOf(acd.InteractionID(7)))
	return r
}

// Every column of every fact comes back as it was written.
func TestFactsOf(t *testing.T) {
	want := journal.Facts{
		Interaction: filled[journal.Interaction](1)[0],
		Visits:      []journal.Visit{one[journal.Visit]()}, Offers: []journal.Offer{one[journal.Offer]()}, Talks: []journal.Talk{one[journal.Talk]()},
		Holds: []journal.Hold{one[journal.Hold]()}, Transfers: []journal.Transfer{one[journal.Transfer]()}, Legs: []journal.Leg{one[journal.Leg]()},
		Steps:   []acd.Step{{Interaction: 7, Kind: acd.StepArrived, What: "+4822"}, {Interaction: 7, Kind: acd.StepEnded, What: "missed", Why: "so"}},
		Omitted: 3,
	}
	want.ID = 7
	rows := journal.Rows{
		Interactions: []journal.Interaction{want.Interaction, {ID: 8}}, Visits: want.Visits, Offers: want.Offers, Talks: want.Talks,
		Holds: want.Holds, Transfers: want.Transfers, Legs: want.Legs,
		Decisions: []journal.Decision{{Interaction: 7, Omitted: 3, Steps: []byte(`[{"kind":"arrived","interaction":7,"what":"+4822"},{"kind":"ended","interaction":7,"what":"missed","why":"so"}]`)}},
	}
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		if err := d.Write(t.Context(), func(tx *sql.Tx) error { return rows.Insert(t.Context(), tx, d.Mark) }); err != nil {
			t.Fatal(err)
		}
		note := journal.Note{Interaction: 7, Agent: "anna", At: 5, By: "boss", Text: "will call back"}
		id, err := journal.AddNote(t.Context(), d, note)
		if err != nil {
			t.Fatal(err)
		}
		want := want
		want.Notes = map[int64]journal.Note{id: note}
		got, err := journal.FactsOf(t.Context(), d, 7)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(&want, got); diff != "" {
			t.Errorf("(-written +read)\n%s", diff)
		}
		if got, err := journal.FactsOf(t.Context(), d, 8); err != nil || got == nil || len(got.Talks)+len(got.Steps) > 0 {
			t.Errorf("one that goes on: %+v, %v", got, err)
		}
		if got, err := journal.FactsOf(t.Context(), d, 9); err != nil || got != nil {
			t.Errorf("what is not there: %+v, %v", got, err)
		}
	})
}
