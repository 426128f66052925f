package db_test

import (
	"database/sql"
	"errors"
	"testing"

	"centrala/internal/journal/db"
	"centrala/internal/journal/db/dbtest"
)

// Statements that are kept prepared see what was written before them in their transaction, leave nothing
// of one that failed, and go on when the table changes under them.
func TestKept(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx, queries := t.Context(), d.Queries()
		if err := d.Write(ctx, exec(ctx, "create table words (word text not null)")); err != nil {
			t.Fatal(err)
		}
		failed := errors.New("failed")
		write := func(word string, want int, err error) {
			t.Helper()
			got := d.Write(ctx, func(tx *sql.Tx) error {
				kept := d.Kept(tx)
				if _, err := kept.ExecContext(ctx, "insert into words (word) values ($1)", word); err != nil {
					return err
				}
				var n int
				if err := kept.QueryRowContext(ctx, "select count(*) from words").Scan(&n); err != nil || n != want {
					t.Errorf("%d rows within the transaction, not %d: %v", n, want, err)
				}
				rows, no := kept.QueryContext(ctx, "select word from words where word = $1", word)
				if no != nil {
					return no
				}
				defer rows.Close()
				if !rows.Next() {
					t.Errorf("%q is not there", word)
				}
				return err
			})
			if !errors.Is(got, err) {
				t.Errorf("%v, not %v", got, err)
			}
		}
		want := func(n int) {
			t.Helper()
			var got int
			if err := queries.QueryRowContext(ctx, "select count(*) from words").Scan(&got); err != nil || got != n {
				t.Errorf("%d rows, not %d: %v", got, n, err)
			}
		}
		for k := range 3 { // the first time they are run as they are
			write("good", k+1, nil)
			write("bad", k+2, failed)
			want(k + 1)
		}
		if err := d.Write(ctx, exec(ctx, "alter table words add column more text not null default 'x'")); err != nil {
			t.Fatal(err)
		}
		write("after", 4, nil)
		want(4)
		if rows, err := queries.QueryContext(ctx, "select nothing from words"); err == nil {
			_ = rows.Close()
			t.Error("a wrong statement is no error")
		}
	})
}
