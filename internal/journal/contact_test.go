package journal_test

import (
	"database/sql"
	"testing"

	"centrala/acd"
	"centrala/internal/journal"
	"centrala/internal/journal/db"
	"centrala/internal/journal/db/dbtest"
	"centrala/queuegroups"
)

func TestContacts(t *testing.T) {
	call := func(id acd.InteractionID, direction, number, caller string, g queuegroups.GroupID) journal.Interaction {
		return journal.Interaction{
			ID: id, Kind: journal.KindCall, Direction: direction, Number: number, Caller: caller, FirstGroup: g, LastGroup: g,
			Arrived: journal.Micros(id) * 100, Ended: journal.Micros(id)*100 + 50, End: acd.CompletedByCaller,
		}
	}
	rows := journal.Rows{
		Interactions: []journal.Interaction{
			call(1, journal.DirectionIn, "+4822", "+48601", "sales"), call(2, journal.DirectionIn, "+4822", "+48602", "sales"),
			call(3, journal.DirectionOut, "+48601", "", "sales"), call(4, journal.DirectionIn, "+48601", "+48603", "sales"),
			call(5, journal.DirectionIn, "+4822", "+48601", "support"), call(6, journal.DirectionIn, "+4822", "+48601", "sales"),
		},
		Talks: []journal.Talk{
			{Interaction: 1, N: 1, Agent: "anna", Began: 110, Ended: 120}, {Interaction: 1, N: 2, Agent: "bartek", Began: 120, Ended: 150, Disposition: "sale"},
		},
	}
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		if err := d.Write(t.Context(), func(tx *sql.Tx) error { return rows.Insert(t.Context(), tx, d.Mark) }); err != nil {
			t.Fatal(err)
		}
		for k, text := range []string{"asked twice", "wants two"} {
			if _, err := journal.AddNote(t.Context(), d, journal.Note{Interaction: 1, Agent: "bartek", At: journal.Micros(130 + k), By: "bartek", Text: text}); err != nil {
				t.Fatal(err)
			}
		}
		for _, c := range []struct {
			f    journal.Filter
			want []acd.InteractionID
		}{
			{journal.Filter{Caller: "+48601"}, []acd.InteractionID{6, 5, 3, 1}},
			{journal.Filter{Caller: "+48601", Before: 6, Limit: 2}, []acd.InteractionID{5, 3}},
			{journal.Filter{Caller: "+48601", Before: 6, Groups: []queuegroups.GroupID{"sales"}}, []acd.InteractionID{3, 1}},
			{journal.Filter{Caller: "+48699"}, nil},
		} {
			got, err := journal.Contacts(t.Context(), d, c.f)
			if err != nil || len(got) != len(c.want) {
				t.Fatalf("%+v: %v, %v", c.f, got, err)
			}
			for k := range got {
				if got[k].ID != c.want[k] {
					t.Errorf("%+v: %d is %d, want %d", c.f, k, got[k].ID, c.want[k])
				}
			}
			if last := len(got) - 1; last >= 0 && got[last].ID == 1 {
				if x := got[last]; x.TalkedTo != "bartek" || x.Disposition != "sale" || x.Note != "wants two" {
					t.Errorf("%+v", x)
				}
			}
		}
		if _, err := journal.Contacts(t.Context(), d, journal.Filter{}); err == nil {
			t.Error("contacts of nobody")
		}
	})
}
