package journal

import (
	"database/sql"
	"strings"
	"testing"

	"centrala/internal/journal/db/dbtest"
)

// A person is found by indexes: no table that grows with each call is read from end to end.
func TestErase_ByIndexes(t *testing.T) {
	d := dbtest.Open(t, dbtest.SQLite(t))
	rows, err := d.Read().QueryContext(t.Context(), "explain query plan "+foundOf, "+48600100200")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	steps := 0
	for rows.Next() {
		var id, parent, unused int
		var step string
		if err := rows.Scan(&id, &parent, &unused, &step); err != nil {
			t.Fatal(err)
		}
		if steps++; strings.HasPrefix(step, "SCAN") && !strings.Contains(step, "CONSTANT") {
			t.Errorf("%s", step)
		}
	}
	if err := rows.Err(); err != nil || steps < 7 {
		t.Errorf("%d steps, %v", steps, err)
	}
}

// Finding a person among 200,000 offers and as many talks, one in twenty of them with a number outside, by the indexes
// and without.
//
//	go test ./internal/journal -run - -bench Erase
func BenchmarkErase_Find(b *testing.B) {
	d := dbtest.Open(b, dbtest.SQLite(b))
	write := func(statement string) {
		b.Helper()
		if err := d.Write(b.Context(), func(tx *sql.Tx) error {
			_, err := tx.ExecContext(b.Context(), statement)
			return err
		}); err != nil {
			b.Fatal(err)
		}
	}
	const many = "with recursive n(n) as (select 1 union all select n + 1 from n where n < 200000) "
	const outside = "case when n % 20 = 0 then '+48' || n else '' end"
	write("insert into offers (id, interaction, group_id, agent_id, number, kind, made, ended, outcome, why, code) " + many +
		"select n, n, 'sales', 'anna', " + outside + ", 'offer', n, n, 'answered', '', 0 from n")
	write("insert into talks (interaction, n, group_id, agent_id, number, via, began, ended, held, holds, disposition) " + many +
		"select n, 1, 'sales', 'anna', " + outside + ", 'offer', n, n, 0, 0, '' from n")
	find := func(b *testing.B) {
		for b.Loop() {
			rows, err := d.Read().QueryContext(b.Context(), foundOf, "+48600100200")
			if err == nil {
				err = rows.Close()
			}
			if err != nil {
				b.Fatal(err)
			}
		}
	}
	b.Run("indexes", find)
	write("drop index offers_number")
	write("drop index talks_number")
	b.Run("none", find)
}
