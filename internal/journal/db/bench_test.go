package db_test

import (
	"database/sql"
	"testing"

	"centrala/internal/journal/db"
	"centrala/internal/journal/db/dbtest"
)

// BenchmarkWrite has many callers write one row each; they share commits.
func BenchmarkWrite(b *testing.B) {
	for name, options := range map[string]func(testing.TB) db.Options{"sqlite": dbtest.SQLite, "postgres": dbtest.Postgres} {
		b.Run(name, func(b *testing.B) {
			d := dbtest.Open(b, options(b))
			if err := d.Write(b.Context(), exec(b.Context(), "create table lines (word text not null)")); err != nil {
				b.Fatal(err)
			}
			b.SetParallelism(32)
			before := d.Stats().Commits
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					err := d.Write(b.Context(), func(tx *sql.Tx) error {
						_, err := tx.Exec("insert into lines values ($1)", "a row")
						return err
					})
					if err != nil {
						b.Error(err)
						return
					}
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "rows/s")
			b.ReportMetric(float64(d.Stats().Commits-before)/float64(b.N), "commits/row")
		})
	}
}
