package journal_test

import (
	"database/sql"
	"fmt"
	"testing"

	"centrala/acd"
	"centrala/internal/journal"
	"centrala/internal/journal/db"
	"centrala/internal/journal/db/dbtest"
	"centrala/queuegroups"
)

func TestHistory(t *testing.T) {
	in := func(id acd.InteractionID, caller string, g queuegroups.GroupID, answered journal.Micros, end acd.EndKind) journal.Interaction {
		return journal.Interaction{
			ID: id, Kind: journal.KindCall, Direction: journal.DirectionIn, Trunk: "carrier", Number: "+4822", Caller: caller, FirstGroup: g,
			LastGroup: g, Arrived: journal.Micros(id) * 100, Answered: answered, Ended: journal.Micros(id)*100 + 50, End: end,
		}
	}
	out := in(9, "", "", 910, acd.CompletedByAgent)
	out.Direction, out.Number, out.CallerAgent = journal.DirectionOut, "+48603", "anna"
	vain := in(8, "", "", 0, acd.AbandonedWaiting)
	vain.Direction, vain.Number, vain.CallerAgent = journal.DirectionOut, "+48602", "anna"
	live := in(10, "+48605", "sales", 0, "")
	live.Ended = 0
	rows := journal.Rows{
		Interactions: []journal.Interaction{
			in(1, "+48601", "sales", 0, acd.AbandonedWaiting), // came through later
			in(2, "+48602", "sales", 0, acd.AbandonedRinging), // still to be called back
			in(3, "+48601", "support", 310, acd.CompletedByCaller),
			in(4, "", "sales", 0, acd.AbandonedWaiting), // withheld
			in(5, "+48603", "sales", 0, acd.Missed),     // called back
			in(6, "+48604", "support", 0, acd.Voicemail), vain, out, live,
		},
		Talks: []journal.Talk{{Interaction: 3, N: 1, Agent: "anna", Began: 310, Ended: 350}},
	}
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		if err := d.Write(t.Context(), func(tx *sql.Tx) error { return rows.Insert(t.Context(), tx, d.Mark) }); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			name string
			f    journal.Filter
			want string
		}{
			{"all", journal.Filter{}, "[10 9 8 6 5 4 3 2 1]"},
			{"a page", journal.Filter{Limit: 3}, "[10 9 8]"},
			{"the next", journal.Filter{Limit: 3, Before: 8}, "[6 5 4]"},
			{"a time", journal.Filter{From: 200, To: 400}, "[3 2]"},
			{"a group", journal.Filter{Group: "support"}, "[6 3]"},
			{"the groups of a director", journal.Filter{Groups: []queuegroups.GroupID{"support"}}, "[6 3]"},
			{"no groups", journal.Filter{Groups: []queuegroups.GroupID{}}, "[]"},
			{"an agent", journal.Filter{Agent: "anna"}, "[9 8 3]"},
			{"a caller", journal.Filter{Caller: "+48601"}, "[3 1]"},
			{"an end", journal.Filter{End: acd.AbandonedWaiting, Trunk: "carrier", Kind: journal.KindCall, Number: "+4822"}, "[4 1]"},
		} {
			got, err := journal.History(t.Context(), d, c.f)
			if ids := idsOf(got); err != nil || ids != c.want {
				t.Errorf("%s: %s, want %s, %v", c.name, ids, c.want, err)
			}
		}
		if got, err := missed(t, d, true); err != nil || got != "[6 2, tried 1 times]" {
			t.Errorf("to be called back: %s, %v", got, err)
		}
		if got, err := missed(t, d, false); err != nil || got != "[6 5, called back by anna in 9 at 900 2, tried 1 times 1, came again in 3 at 300]" {
			t.Errorf("missed: %s, %v", got, err)
		}
		if got, err := journal.History(t.Context(), d, journal.Filter{Before: 10, Limit: 1}); err != nil || len(got) != 1 || got[0] != out {
			t.Errorf("%+v, want %+v, %v", got, out, err)
		}
		if _, err := journal.History(t.Context(), d, journal.Filter{Limit: 1001}); err == nil {
			t.Error("a page of any size")
		}
	})
}

func idsOf(rows []journal.Interaction) string {
	ids := []acd.InteractionID{}
	for _, r := range rows {
		ids = append(ids, r.ID)
	}
	return fmt.Sprint(ids)
}

// missed tells in words which were and what was done about them.
func missed(t *testing.T, d *db.DB, open bool) (string, error) {
	list, err := journal.Missed(t.Context(), d, journal.Filter{}, open)
	var words []string
	for _, m := range list {
		w := fmt.Sprint(m.ID)
		switch {
		case m.LaterBy != "":
			w += fmt.Sprintf(", called back by %s in %d at %d", m.LaterBy, m.Later, m.LaterAt)
		case m.Later != 0:
			w += fmt.Sprintf(", came again in %d at %d", m.Later, m.LaterAt)
		}
		if m.Tries > 0 {
			w += fmt.Sprintf(", tried %d times", m.Tries)
		}
		words = append(words, w)
	}
	return fmt.Sprint(words), err
}
