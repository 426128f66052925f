package stats

import (
	"strings"
	"testing"
	"time"

	"centrala/internal/journal"
	"centrala/internal/journal/db/dbtest"
	"centrala/queuegroups"
)

// A report about a few agents is made from their rows alone: SQLite finds them by
// agent, and does not go through the whole time.
func TestFewAgents_FoundByIndex(t *testing.T) {
	d := dbtest.Open(t, dbtest.SQLite(t))
	from := time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
	q := Query{From: from, Till: from.AddDate(0, 1, 0), Zone: time.UTC, By: []Dimension{ByDay}, Agents: []queuegroups.AgentID{"anna", "bartek"}}
	if err := q.check(); err != nil {
		t.Fatal(err)
	}
	r := &running{ctx: t.Context(), db: d, q: q, lines: map[string]*Line{}}
	r.zone = offsets(q.Zone, q.From, q.Till)
	if r.lengths() != nil {
		t.Error("read from what is counted ahead of all agents")
	}
	statements := map[string]*statement{}
	for _, table := range append(tables(), waitTables()...) {
		statements[string(table.rollup)] = r.begin(table.fact, r.whole())
	}
	statements["states"] = r.stateRows(span{r.whole().from, forever})
	for name, s := range statements {
		rows, err := d.Read().QueryContext(t.Context(), "explain query plan select count(*)"+s.from(), s.args...)
		if err != nil {
			t.Fatal(err)
		}
		var plan []string
		for rows.Next() {
			var id, parent, unused int
			var detail string
			if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
				t.Fatal(err)
			}
			plan = append(plan, detail)
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		column := strings.TrimPrefix(s.f.agent, "f.") + "=?"
		if name == string(journal.RollupRatings) { // few, and not by agent: of their time alone
			column = "at>? AND at<"
		}
		if all := strings.Join(plan, "; "); !strings.Contains(all, "SEARCH f") || !strings.Contains(all, "("+column) {
			t.Errorf("%s: %s", name, all)
		}
	}
}
