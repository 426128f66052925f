package journal_test

import (
	"fmt"
	"strings"
	"testing"

	"centrala/acd"
	"centrala/internal/journal"
	"centrala/internal/journal/db"
	"centrala/internal/journal/db/dbtest"
	"centrala/queuegroups"
)

// How a carrier was found is a row of the record and an event; of one that nobody declared it is neither.
func TestTrunkStates(t *testing.T) {
	config := &queuegroups.Config{Trunks: []queuegroups.Trunk{{ID: "carrier"}}}
	seen := func(trunk queuegroups.TrunkID, state acd.TrunkState, why string) acd.Event {
		return &acd.TrunkSeen{Node: "n1", Trunk: trunk, State: state, Why: why}
	}
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		told := journal.WriteDown(t, d, []acd.Event{
			&acd.ConfigApplied{Config: config}, seen("carrier", acd.TrunkUp, ""), seen("nobody", acd.TrunkUp, ""),
			seen("carrier", acd.TrunkDown, "no answer\x00"), seen("carrier", acd.TrunkRegistered, ""), seen("carrier", acd.TrunkUnregistered, strings.Repeat("ż", 600)),
		}, false)
		var got []string
		for _, e := range told {
			if e.Type != "config.reloaded" {
				got = append(got, fmt.Sprintf("%d %s %.90s", e.ID, e.Type, e.Data))
			}
		}
		want := []string{
			`200000 trunk.state_changed {"trunk":"carrier","node":"n1","state":"up"}`,
			`400000 trunk.state_changed {"trunk":"carrier","node":"n1","state":"down","reason":"no answer\u0000"}`,
			`500000 trunk.state_changed {"trunk":"carrier","node":"n1","state":"registered"}`,
			`600000 trunk.state_changed {"trunk":"carrier","node":"n1","state":"unregistered","reason":"` + strings.Repeat("ż", 19),
		}
		for k, line := range want {
			if k >= len(got) || !strings.HasPrefix(got[k], line) {
				t.Errorf("told %q, want %s", got, line)
			}
		}
		rows, err := d.Read().Query("select log_index, trunk, node, state, why from trunk_states where at > 0 order by log_index")
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		got = nil
		for rows.Next() {
			var index int
			var trunk, node, state, why string
			if err := rows.Scan(&index, &trunk, &node, &state, &why); err != nil {
				t.Fatal(err)
			}
			got = append(got, fmt.Sprintf("%d %s %s %s %.9s", index, trunk, node, state, why))
		}
		if text := strings.Join(got, ", "); text != "2 carrier n1 up , 4 carrier n1 down no answer, 5 carrier n1 registered , 6 carrier n1 unregistered żżżżżżżżż" {
			t.Errorf("the record has %s", text)
		}
	})
}
