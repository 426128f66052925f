// Package db is the database under the journal, the accounts and the webhooks:
// SQLite in a file of the data folder, or PostgreSQL, behind one small interface.
//
// Statements are written once for both: placeholders are $1, $2 …, times are
// bigint microseconds since 1970 in UTC, and what the two spell differently in
// CREATE TABLE is filled into the migrations, see migrate.go.
//
// On SQLite (WAL, synchronous=FULL) one goroutine writes, and what many ask for at
// once it commits together: a commit waits for the disk, and all share the wait.
// Readers have connections of their own and never wait for the writer. PostgreSQL
// does both by itself.
//
// What it does not do: it knows none of the tables, builds no statements and
// retries nothing that reached the database, except what a transaction lost
// through no fault of its own.
package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"
)

var (
	// ErrAway is in the error of what failed since the database cannot be reached.
	// Whether a commit that was on its way got through is then not known.
	ErrAway = errors.New("the database is away")
	// ErrClosed is in the error of everything asked of a closed database.
	ErrClosed = errors.New("the database is closed")
)

// SQLite is the source that means a file of the data folder.
const SQLite = "sqlite"

// File is the name of SQLite's file in the data folder.
const File = "centrala.db"

// Options says which database to open.
type Options struct {
	Source string // SQLite, or a postgres:// address
	Dir    string // the data folder, for SQLite; it is made if need be
	// Silence is how long a PostgreSQL that is to write something may say nothing
	// before it counts as away; default 8 s. It is no limit for reading.
	Silence time.Duration
	Log     zerolog.Logger
}

// DB is an open database. Its methods are safe for concurrent use.
type DB struct {
	opts   Options
	engine engine
	read   *sql.DB
	write  *sql.DB

	migrating sync.Mutex
	migrated  atomic.Bool

	commits atomic.Uint64
	writes  atomic.Uint64
	failed  atomic.Uint64
}

// engine is what the two databases do differently.
type engine interface {
	write(ctx context.Context, f func(*sql.Tx) error) error
	exec(ctx context.Context, tx *sql.Tx, text string, args []any) (sql.Result, error)
	query(ctx context.Context, tx *sql.Tx, text string, args []any) (*sql.Rows, error)
	queryRow(ctx context.Context, tx *sql.Tx, text string, args []any) *sql.Row
	away(err error) bool
	close()
}

// Open opens the database and brings its tables up to date. PostgreSQL that
// cannot be reached is no error: a server must take calls without it, so Write
// fails with ErrAway until it is there, and brings the tables up to date then.
func Open(ctx context.Context, o Options) (*DB, error) {
	d := &DB{opts: o}
	var err error
	switch {
	case o.Source == SQLite:
		err = d.openSQLite()
	case strings.HasPrefix(o.Source, "postgres://"), strings.HasPrefix(o.Source, "postgresql://"):
		err = d.openPostgres()
	default:
		return nil, errors.New("database: neither sqlite nor a postgres:// address")
	}
	if err != nil {
		return nil, err
	}
	switch err := d.migrate(ctx); {
	case errors.Is(err, ErrAway):
		o.Log.Error().Err(err).Msg("database cannot be reached; records are written once it is there")
	case err != nil:
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

// Postgres tells whether it is PostgreSQL, for the few statements that cannot be
// written once for both.
func (d *DB) Postgres() bool { return d.opts.Source != SQLite }

// Mark is the placeholder of the nth argument, from 1, of a statement that has many:
// $n, and on SQLite a bare ?, since its driver looks up each numbered one by its
// name among all of them. All arguments must then stand in their order, once each.
func (d *DB) Mark(n int) string {
	if d.Postgres() {
		return "$" + strconv.Itoa(n)
	}
	return "?"
}

// Read returns the connections for reading. Nothing may be written by them.
func (d *DB) Read() *sql.DB { return d.read }

// Write runs f in a transaction that is committed when Write returns nil, and
// leaves no trace otherwise. The error is f's own, the database's (ErrAway is in
// it when it cannot be reached), ErrClosed, or the context's if it ended while f
// waited for its turn.
//
// On SQLite f holds up every other writer, so it must only talk to the database.
// It is run again when the transaction was lost through no fault of its own: it
// must set what it gives its caller anew each time, and neither commit nor roll
// back itself.
func (d *DB) Write(ctx context.Context, f func(*sql.Tx) error) error {
	d.writes.Add(1)
	err := d.migrate(ctx)
	if err == nil {
		err = d.told(d.engine.write(ctx, f))
	}
	if err != nil {
		d.failed.Add(1)
	}
	return err
}

// Exec runs a statement within a function of Write that is run again and again, as
// the same text: it is kept prepared. There should be few such texts.
func (d *DB) Exec(ctx context.Context, tx *sql.Tx, text string, args ...any) (sql.Result, error) {
	return d.engine.exec(ctx, tx, text, args)
}

// Ping tells whether the database can be reached and is up to date.
func (d *DB) Ping(ctx context.Context) error {
	if err := d.migrate(ctx); err != nil {
		return err
	}
	return d.told(d.read.PingContext(ctx))
}

// Away tells whether an error of Read's connections means that the database
// cannot be reached.
func (d *DB) Away(err error) bool {
	return err != nil && (errors.Is(err, ErrAway) || d.engine.away(err))
}

// told marks errors that mean that the database is away.
func (d *DB) told(err error) error {
	if err != nil && !errors.Is(err, ErrAway) && d.engine.away(err) {
		return fmt.Errorf("%w: %w", ErrAway, err)
	}
	return err
}

// Stats are the figures of a database, for metrics.
type Stats struct {
	Writes  uint64 // calls of Write
	Failed  uint64 // of them, those that came back with an error
	Commits uint64 // transactions committed
}

// Stats returns the figures at this moment.
func (d *DB) Stats() Stats {
	return Stats{Writes: d.writes.Load(), Failed: d.failed.Load(), Commits: d.commits.Load()}
}

// Close waits for what is being written and closes all connections. What comes
// later fails with ErrClosed.
func (d *DB) Close() error {
	d.engine.close()
	return errors.Join(d.read.Close(), d.write.Close())
}
