package journal_test

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"

	"centrala/acd"
	"centrala/internal/journal"
	"centrala/internal/journal/db"
	"centrala/internal/journal/db/dbtest"
)

// A person's number is nowhere in the record any more, nor their name, nor a note about them; what else there is
// stays, and so do sums. One who is called similarly, and a call that goes on, are left alone.
func TestErase(t *testing.T) {
	const number, other, pseudonym = "+48600100200", "+48600100201", "erased-x"
	told := func(id int64, call acd.InteractionID, from string) journal.Event {
		return journal.Event{ID: id, At: 1, Type: "call.queued", Group: "sales", Interaction: call,
			Data: fmt.Appendf(nil, `{"interaction":{"id":"%d","from":%q,"from_name":"Jan K.","arrived":"2026-11-02T09:00:00Z"},"reason":"known as %s <x>"}`, call, from, from)}
	}
	rows := journal.Rows{Events: []journal.Event{told(1, 1, number), told(2, 2, other), told(3, 3, number)}}
	for k := range 205 { // more than one transaction takes
		id := acd.InteractionID(k + 1)
		x := journal.Interaction{ID: id, Kind: "call", Direction: "in", Caller: number, CallerName: "Jan K.", Number: "+4822", Arrived: 10, Ended: 30, End: acd.Missed}
		switch id {
		case 2:
			x.Caller = other
		case 3:
			x.Ended, x.End = 0, ""
		case 4:
			x.Direction, x.Caller, x.CallerName, x.Number, x.ByNumber = "out", "", "", number, number
		case 5:
			x.Caller, x.ByNumber = other, number
		}
		rows.Interactions = append(rows.Interactions, x)
	}
	steps := func(id acd.InteractionID, text string) journal.Decision {
		return journal.Decision{Interaction: id, Steps: []byte(`[{"what":"` + text + `","why":"` + text + `"}]`)}
	}
	rows.Decisions = []journal.Decision{steps(1, number), steps(2, other), steps(3, number), steps(4, number)}
	rows.Offers = []journal.Offer{{ID: 1, Interaction: 4, Number: number, Why: "to " + number}, {ID: 2, Interaction: 2, Number: other}}
	rows.Talks = []journal.Talk{{Interaction: 1, N: 1, Agent: "anna", Ended: 30, Note: 77}, {Interaction: 2, N: 1, Agent: "anna", Note: 78}, {Interaction: 4, N: 1, Number: number}}
	rows.Legs = []journal.Leg{{Interaction: 4, Leg: "l", Number: number}, {Interaction: 2, Leg: "l", Number: other}}
	rows.Transfers = []journal.Transfer{{Interaction: 5, N: 1, Target: number, Why: number + " is busy"}, {Interaction: 2, N: 1, Target: other}}
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		if err := d.Write(t.Context(), func(tx *sql.Tx) error { return rows.Insert(t.Context(), tx, d.Mark) }); err != nil {
			t.Fatal(err)
		}
		for _, id := range []acd.InteractionID{1, 2} {
			if _, err := journal.AddNote(t.Context(), d, journal.Note{Interaction: id, Agent: "anna", At: 1, By: "anna", Text: "call " + number}); err != nil {
				t.Fatal(err)
			}
		}
		if err := d.Write(t.Context(), func(tx *sql.Tx) error {
			_, err := tx.ExecContext(t.Context(), `insert into rollups (source, span, at, detail, version, claim, reach, data) values
				('interactions', 24, 0, 'groups', 'v', 0, 0, ''), ('interactions', 24, 864000000000, 'groups', 'v', 0, 0, '')`) // a day of theirs, and one of others
			return err
		}); err != nil {
			t.Fatal(err)
		}
		before := dump(t, d)
		if missed, err := journal.Missed(t.Context(), d, journal.Filter{Limit: 500}, true); err != nil || len(missed) != 203 {
			t.Errorf("%d to be called back, %v", len(missed), err)
		}
		got, err := journal.Erase(t.Context(), d, number, pseudonym)
		if want := (journal.Erased{Interactions: 203, Notes: 1, Events: 1, GoingOn: 1}); err != nil || got != want {
			t.Errorf("%+v, %v; want %+v", got, err, want)
		}
		after := dump(t, d)
		for table, list := range after {
			if len(list) != len(before[table]) {
				t.Errorf("%s has %d rows, had %d", table, len(list), len(before[table]))
			}
			for k, row := range list {
				id := "interaction=3 "
				if table == "interactions" {
					id = "id=3 "
				}
				switch {
				case strings.Contains(row, id):
					if row != before[table][k] {
						t.Errorf("%s: what goes on was changed: %s", table, row)
					}
				case strings.Contains(row, number):
					t.Errorf("%s: %s", table, row)
				case strings.Contains(before[table][k], other) && !strings.Contains(before[table][k], number) && row != before[table][k]:
					t.Errorf("%s: that was somebody else: %s", table, row)
				case strings.Contains(before[table][k], number) && (!strings.Contains(row, pseudonym) || strings.Contains(row, "Jan") && !strings.Contains(row, other)):
					t.Errorf("%s: %s became %s", table, before[table][k], row)
				}
			}
		}
		var notes, talks int
		if err := d.Read().QueryRow("select count(*), (select count(note) from talks) from notes where interaction = 2").Scan(&notes, &talks); err != nil || notes != 1 || talks != 1 {
			t.Errorf("%d notes of somebody else, %d talks with one, %v", notes, talks, err)
		}
		var counted int
		if err := d.Read().QueryRow("select count(*) from rollups where at > 0").Scan(&counted); err != nil || counted != 1 {
			t.Errorf("%d days of others are counted, %v", counted, err)
		}
		if err := d.Read().QueryRow("select count(*) from rollups").Scan(&counted); err != nil || counted != 1 {
			t.Errorf("%d days are counted, %v", counted, err)
		}
		if missed, err := journal.Missed(t.Context(), d, journal.Filter{Limit: 500}, true); err != nil || len(missed) != 2 {
			t.Errorf("%d to be called back, %v", len(missed), err)
		}
		if again, err := journal.Erase(t.Context(), d, number, "erased-y"); err != nil || again != (journal.Erased{GoingOn: 1}) {
			t.Errorf("again: %+v, %v", again, err)
		}
		if a, b := journal.Pseudonym(), journal.Pseudonym(); a == b || len(a) != len("erased-")+12 {
			t.Errorf("%s, %s", a, b)
		}
	})
}

// A customer whom a channel's partner names by few letters is erased, too, from the chats alone: who has the same
// extension, or is called the same as an agent, is somebody else.
func TestErase_Short(t *testing.T) {
	const customer, pseudonym = "4711", "erased-x"
	told := func(id int64, of acd.InteractionID) journal.Event {
		return journal.Event{ID: id, At: 1, Type: "call.queued", Interaction: of,
			Data: []byte(`{"interaction":{"id":"14711","from":"4711","from_name":"Jan"},"agent":"4711","arrived":1795471100}`)}
	}
	rows := journal.Rows{
		Interactions: []journal.Interaction{
			{ID: 1, Kind: "chat", Direction: "in", Channel: "shop", Caller: customer, CallerName: "Jan", Arrived: 10, Ended: 30, End: acd.Missed},
			{ID: 2, Kind: "call", Direction: "in", Trunk: "carrier", Caller: customer, CallerName: "Desk", Arrived: 10, Ended: 30, End: acd.Missed},
			{ID: 3, Kind: "chat", Direction: "in", Channel: "shop", Caller: customer + "2", CallerName: "Ola", Arrived: 10, Ended: 30, End: acd.Missed},
			{ID: 4, Kind: "chat", Direction: "in", Channel: "shop", Caller: customer, CallerName: "Jan", Arrived: 10},
		},
		Transfers: []journal.Transfer{{Interaction: 1, N: 1, Target: customer, Why: "for " + customer}},
		Decisions: []journal.Decision{{Interaction: 1, Steps: []byte(`[{"index":14711,"agent":"4711"}]`)}},
		Events:    []journal.Event{told(1, 1), told(2, 2)},
	}
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		if err := d.Write(t.Context(), func(tx *sql.Tx) error { return rows.Insert(t.Context(), tx, d.Mark) }); err != nil {
			t.Fatal(err)
		}
		before := dump(t, d)
		got, err := journal.Erase(t.Context(), d, customer, pseudonym)
		if want := (journal.Erased{Interactions: 1, Events: 1, GoingOn: 1}); err != nil || got != want {
			t.Errorf("%+v, %v; want %+v", got, err, want)
		}
		changed := 0
		for table, list := range dump(t, d) {
			for k, row := range list {
				if row == before[table][k] {
					continue
				}
				changed++
				switch {
				case table == "interactions" && strings.Contains(row, pseudonym) && !strings.Contains(row, "Jan"):
				case table == "events" && strings.Contains(row, `"from":"erased-x"`) && strings.Contains(row, `"agent":"4711"`) && strings.Contains(row, "1795471100"):
				default:
					t.Errorf("%s: %s became %s", table, before[table][k], row)
				}
			}
		}
		if changed != 2 {
			t.Errorf("%d rows were changed", changed)
		}
		if again, err := journal.Erase(t.Context(), d, "", pseudonym); err != nil || again != (journal.Erased{}) {
			t.Errorf("nobody: %+v, %v", again, err)
		}
	})
}
