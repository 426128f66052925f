package web

import (
	"database/sql"
	"testing"

	"centrala/acd"
	"centrala/internal/journal"
	"centrala/queuegroups"
)

// Who has a call sees what there was with its caller before, in the groups that they serve or reach, and
// may write something down about it.
func TestContacts(t *testing.T) {
	r := newRig(t)
	was := func(id acd.InteractionID, g queuegroups.GroupID) journal.Interaction {
		return journal.Interaction{
			ID: id, Kind: journal.KindCall, Direction: journal.DirectionIn, Number: "+48221234567", Caller: "+48501100200", FirstGroup: g, LastGroup: g,
			Arrived: journal.Micros(id), Ended: journal.Micros(id) + 1, End: acd.AbandonedWaiting,
		}
	}
	rows := journal.Rows{
		Interactions: []journal.Interaction{was(1, "sales"), was(2, "support"), was(r.call+100, "sales")},
		Talks:        []journal.Talk{{Interaction: 1, N: 1, Group: "sales", Agent: "bartek", Disposition: "sale"}},
	}
	if err := r.record.d.Write(t.Context(), func(tx *sql.Tx) error { return rows.Insert(t.Context(), tx, r.record.d.Mark) }); err != nil {
		t.Fatal(err)
	}
	ids := func(who string) (list string) {
		for _, x := range decode[Page[Contact]](t, r.as(who, "GET", r.path(r.call, "earlier"), nil)).Items {
			list += x.ID + " " + x.Agent + " " + x.Disposition + ";"
		}
		return list
	}
	for who, want := range map[string]string{"anna": "1 bartek sale;", "boss": "2  ;1 bartek sale;"} {
		if got := ids(who); got != want {
			t.Errorf("%s sees %q, want %q", who, got, want)
		}
	}
	r.want(r.as("celina", "GET", r.path(r.call, "earlier"), nil), 404, codeNotFound)
	elsewhere := was(3, "sales") // in another channel, as which they are known (R57)
	elsewhere.Caller = "customer:4711"
	rows = journal.Rows{Interactions: []journal.Interaction{elsewhere}}
	if err := r.record.d.Write(t.Context(), func(tx *sql.Tx) error { return rows.Insert(t.Context(), tx, r.record.d.Mark) }); err != nil {
		t.Fatal(err)
	}
	if got := ids("anna"); got != "1 bartek sale;" {
		t.Errorf("of a stranger anna sees %q", got)
	}
	r.chats.names = []string{"customer:4711"}
	if got := ids("anna"); got != "3  ;1 bartek sale;" {
		t.Errorf("of the same customer in another channel anna sees %q", got)
	}

	r.want(r.as("anna", "POST", r.path(r.call, "remarks"), `{"text":"wants two"}`), 204, "")
	if len(r.talks.notes) != 1 || r.talks.notes[0] != "anna anna wants two" {
		t.Errorf("%v", r.talks.notes)
	}
	r.want(r.as("anna", "POST", r.path(r.call, "remarks"), `{"text":""}`), 422, codeInvalid)
	r.want(r.as("bartek", "POST", r.path(r.call, "remarks"), `{"text":"mine"}`), 404, codeNotFound)
	r.want(r.as("anna", "POST", r.path(r.waiting, "remarks"), `{"text":"nobody's"}`), 404, codeNotFound)
}
