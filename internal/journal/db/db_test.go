package db_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"centrala/internal/journal/db"
	"centrala/internal/journal/db/dbtest"
)

// table makes a table of the test's own.
func table(t *testing.T, d *db.DB) {
	t.Helper()
	write(t, d, "create table numbers (n bigint primary key, word text not null)")
}

func write(t *testing.T, d *db.DB, statement string, args ...any) {
	t.Helper()
	if err := d.Write(t.Context(), exec(t.Context(), statement, args...)); err != nil {
		t.Fatal(err)
	}
}

func exec(ctx context.Context, statement string, args ...any) func(*sql.Tx) error {
	return func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, statement, args...)
		return err
	}
}

func count(t *testing.T, d *db.DB) (n int) {
	t.Helper()
	if err := d.Read().QueryRow("select count(*) from numbers").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestWrite_IsCommittedWhenItReturns(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		table(t, d)
		write(t, d, "insert into numbers (word, n) values ($2, $1)", 7, "seven")
		var n int
		var word string
		if err := d.Read().QueryRow("select n, word from numbers where word = $1 and n = $2 and $2 = n", "seven", 7).Scan(&n, &word); err != nil {
			t.Fatal(err)
		}
		if n != 7 || word != "seven" {
			t.Errorf("read %d %q", n, word)
		}
	})
}

func TestWrite_LeavesNoTraceAfterAnError(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		table(t, d)
		mine := errors.New("mine")
		err := d.Write(t.Context(), func(tx *sql.Tx) error {
			if err := exec(t.Context(), "insert into numbers values (1, '')")(tx); err != nil {
				return err
			}
			return mine
		})
		if !errors.Is(err, mine) || count(t, d) != 0 {
			t.Errorf("error %v, %d rows", err, count(t, d))
		}
		err = d.Write(t.Context(), exec(t.Context(), "insert into nowhere values (1)"))
		if err == nil || errors.Is(err, db.ErrAway) {
			t.Errorf("a table that is not there: %v", err)
		}
		func() {
			defer func() {
				if recover() != "thrown" {
					t.Error("the panic did not come back to its caller")
				}
			}()
			_ = d.Write(t.Context(), func(tx *sql.Tx) error { panic("thrown") })
		}()
		write(t, d, "insert into numbers values (2, '')")
		if n := count(t, d); n != 1 {
			t.Errorf("%d rows, want 1", n)
		}
	})
}

// Every function is isolated: what others do wrong in the same commit costs it nothing.
func TestWrite_ManyAtOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		table(t, d)
		const writers = 400
		var wg sync.WaitGroup
		for i := range writers {
			wg.Go(func() {
				word := fmt.Sprint(i)
				if i%4 == 3 { // fails after it wrote
					err := d.Write(t.Context(), func(tx *sql.Tx) error {
						if err := exec(t.Context(), "insert into numbers values ($1, 'wrong')", i)(tx); err != nil {
							return err
						}
						return exec(t.Context(), "insert into numbers values ($1, 'again')", i)(tx)
					})
					if err == nil {
						t.Errorf("%d twice", i)
					}
					return
				}
				if err := d.Write(t.Context(), exec(t.Context(), "insert into numbers values ($1, $2)", i, word)); err != nil {
					t.Errorf("%d: %v", i, err)
				}
			})
		}
		wg.Wait()
		if n := count(t, d); n != writers*3/4 {
			t.Errorf("%d rows, want %d", n, writers*3/4)
		}
		s := d.Stats()
		if !d.Postgres() && s.Commits > s.Writes/2 {
			t.Errorf("%d commits for %d writers: they did not share", s.Commits, s.Writes)
		}
	})
}

// A statement whose context ends takes SQLite's whole transaction with it; the
// others of the group must be tried again.
func TestWrite_AnInterruptedStatementCostsOthersNothing(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		table(t, d)
		first, rest := make(chan struct{}), make(chan struct{})
		var wg sync.WaitGroup
		wg.Go(func() { // holds the transaction open until the others queue
			runs := 0
			if err := d.Write(t.Context(), func(tx *sql.Tx) error {
				if runs++; runs == 1 {
					close(first)
					<-rest
				}
				return exec(t.Context(), "insert into numbers values (-1, 'first')")(tx)
			}); err != nil {
				t.Error(err)
			}
		})
		<-first
		var queued sync.WaitGroup
		for i := range 10 {
			queued.Add(1)
			wg.Go(func() {
				queued.Done()
				if err := d.Write(t.Context(), exec(t.Context(), "insert into numbers values ($1, '')", i)); err != nil {
					t.Errorf("%d: %v", i, err)
				}
			})
		}
		wg.Go(func() {
			err := d.Write(context.Background(), func(tx *sql.Tx) error {
				// It would take many times as long.
				ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
				defer cancel()
				return exec(ctx, `insert into numbers with recursive far (n) as
					(select 1000 union all select n + 1 from far where n < 50000000) select n, 'far' from far`)(tx)
			})
			if err == nil {
				t.Error("an interrupted statement succeeded")
			}
		})
		queued.Wait()
		close(rest)
		wg.Wait()
		if n := count(t, d); n != 11 {
			t.Errorf("%d rows, want 11", n)
		}
	})
}

func TestWrite_AContextThatEnded(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		table(t, d)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		err := d.Write(ctx, exec(t.Context(), "insert into numbers values (1, '')"))
		if !errors.Is(err, context.Canceled) || count(t, d) != 0 {
			t.Errorf("error %v, %d rows", err, count(t, d))
		}
	})
}

func TestRead_CannotWriteOnSQLite(t *testing.T) {
	d := dbtest.Open(t, dbtest.SQLite(t))
	table(t, d)
	if _, err := d.Read().Exec("insert into numbers values (1, '')"); err == nil {
		t.Error("a reader wrote")
	}
}

// What was committed is there when the database is opened anew, and the tables
// are not made twice.
func TestOpen_Again(t *testing.T) {
	dbtest.EachSource(t, func(t *testing.T, o db.Options) {
		d, err := db.Open(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		table(t, d)
		write(t, d, "insert into numbers values (1, '')")
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
		if err := d.Write(t.Context(), exec(t.Context(), "delete from numbers")); err == nil {
			t.Error("a closed database was written to")
		}
		if n := count(t, dbtest.Open(t, o)); n != 1 {
			t.Errorf("%d rows, want 1", n)
		}
	})
}

func TestOpen_ManyNodesAtOnce(t *testing.T) {
	o := dbtest.BarePostgres(t)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() { write(t, dbtest.Open(t, o), "select 1") })
	}
	wg.Wait()
}

// A server starts for the first time and commands are given beside it.
func TestOpen_ManyProcessesAtOnce(t *testing.T) {
	o := db.Options{Source: db.SQLite, Dir: filepath.Join(t.TempDir(), "data"), Log: zerolog.Nop()}
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			d, err := db.Open(t.Context(), o)
			if err != nil {
				t.Error(err)
				return
			}
			if err := errors.Join(d.Write(t.Context(), func(tx *sql.Tx) error {
				_, err := tx.Exec("delete from notes")
				return err
			}), d.Close()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if left, err := os.ReadDir(o.Dir); err != nil || len(left) != 1 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestOpen_SQLiteIsDurableAndPrivate(t *testing.T) {
	o := dbtest.SQLite(t)
	o.Dir = filepath.Join(o.Dir, "with spaces and ?#%", "data")
	d := dbtest.Open(t, o)
	info, err := os.Stat(filepath.Join(o.Dir, db.File))
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v: others can read it", info.Mode())
	}
	err = d.Write(t.Context(), func(tx *sql.Tx) error {
		for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1"} {
			var got string
			if err := tx.QueryRow("pragma " + pragma).Scan(&got); err != nil {
				return err
			}
			if got != want {
				t.Errorf("%s is %s, want %s", pragma, got, want)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestOpen_BadSources(t *testing.T) {
	for _, source := range []string{"", "mysql://x", "postgres://user:hunter2@host:port/x"} {
		_, err := db.Open(t.Context(), db.Options{Source: source, Log: zerolog.Nop()})
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: %v", source, err)
		}
	}
}

// A PostgreSQL that is not there at first, or for a while, costs no more than the
// writes of that time.
func TestPostgres_Away(t *testing.T) {
	s := dbtest.Start(t)
	o := db.Options{Source: s.Database(t), Log: zerolog.Nop()}
	s.Stop(t)
	d := dbtest.Open(t, o)
	insert := exec(t.Context(), "insert into numbers values (1, '')")
	if err := d.Write(t.Context(), insert); !errors.Is(err, db.ErrAway) {
		t.Errorf("never there: %v", err)
	}
	if err := d.Ping(t.Context()); !errors.Is(err, db.ErrAway) {
		t.Errorf("ping: %v", err)
	}
	s.Start(t)
	if err := d.Ping(t.Context()); err != nil {
		t.Errorf("ping: %v", err)
	}
	table(t, d)
	err := d.Write(t.Context(), func(tx *sql.Tx) error {
		s.Stop(t)
		return insert(tx)
	})
	if !errors.Is(err, db.ErrAway) {
		t.Errorf("gone in the middle: %v", err)
	}
	err = d.Read().QueryRow("select 1").Scan(new(int))
	if !d.Away(err) {
		t.Errorf("reading: %v", err)
	}
	s.Start(t)
	if n := count(t, d); n != 0 {
		t.Errorf("%d rows, want none", n)
	}
	if err := d.Write(t.Context(), insert); err != nil {
		t.Errorf("there again: %v", err)
	}
}

// A statement that is run again and again is kept prepared, and does the same: also
// where one of its runs failed, or was taken back.
func TestExec(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		if err := d.Write(t.Context(), exec(t.Context(), "create table numbers (n bigint primary key)")); err != nil {
			t.Fatal(err)
		}
		for n := range 6 {
			err := d.Write(t.Context(), func(tx *sql.Tx) error {
				for _, v := range []int{2 * n, 2*n + 1 - n%3/2*2} { // of the third and sixth the second is there already
					if _, err := d.Exec(t.Context(), tx, "insert into numbers (n) values ("+d.Mark(1)+")", v); err != nil {
						return err
					}
				}
				return nil
			})
			if failed := n%3 == 2; (err != nil) != failed {
				t.Errorf("%d: %v", n, err)
			}
		}
		var count, sum int
		if err := d.Read().QueryRow("select count(*), sum(n) from numbers").Scan(&count, &sum); err != nil || count != 8 || sum != 0+1+2+3+6+7+8+9 {
			t.Errorf("%d numbers, %d in all: %v", count, sum, err)
		}
	})
}
