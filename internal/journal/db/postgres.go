package db

import (
	"cmp"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

const (
	postgresConns   = 16
	postgresConnect = 5 * time.Second // unless the address has connect_timeout
	postgresTries   = 5               // of a transaction that others got in the way of
	postgresSilence = 8 * time.Second // then a server that was asked to write something counts as away
)

// postgres is the engine that talks to a PostgreSQL server.
type postgres struct {
	db     *DB
	closed atomic.Bool
}

func (d *DB) openPostgres() error {
	config, err := pgx.ParseConfig(d.opts.Source)
	if err != nil {
		return fmt.Errorf("database: %w", err) // pgx leaves the password out
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = postgresConnect
	}
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = "centrala"
	}
	// What writes must not wait for a server that says nothing more; a report, or an
	// index that is made anew, may take its time.
	config.DialFunc = dial(0)
	d.read = stdlib.OpenDB(*config)
	writes := config.Copy()
	writes.DialFunc = dial(cmp.Or(d.opts.Silence, postgresSilence))
	d.write = stdlib.OpenDB(*writes)
	for _, pool := range []*sql.DB{d.read, d.write} {
		pool.SetMaxOpenConns(postgresConns)
		pool.SetMaxIdleConns(postgresConns / 2)
	}
	d.engine = &postgres{db: d}
	return nil
}

func (p *postgres) close() { p.closed.Store(true) }

func (p *postgres) write(ctx context.Context, f func(*sql.Tx) error) error {
	for try := 1; ; try++ {
		err := p.once(ctx, f)
		if e, ok := errors.AsType[*pgconn.PgError](err); !ok || try == postgresTries || e.Code != "40001" && e.Code != "40P01" {
			return err // but for a serialization failure and a deadlock
		}
	}
}

// exec: the driver keeps what it runs prepared by itself.
func (p *postgres) exec(ctx context.Context, tx *sql.Tx, text string, args []any) (sql.Result, error) {
	return tx.ExecContext(ctx, text, args...)
}

func (p *postgres) query(ctx context.Context, tx *sql.Tx, text string, args []any) (*sql.Rows, error) {
	return tx.QueryContext(ctx, text, args...)
}

func (p *postgres) queryRow(ctx context.Context, tx *sql.Tx, text string, args []any) *sql.Row {
	return tx.QueryRowContext(ctx, text, args...)
}

func (p *postgres) once(ctx context.Context, f func(*sql.Tx) error) (err error) {
	if p.closed.Load() {
		return ErrClosed
	}
	tx, err := p.db.write.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("database: begin: %w", err)
	}
	committed := false
	defer func() {
		if !committed {
			_ = tx.Rollback() // also when f panics; the first error is the one to tell
		}
	}()
	if err := f(tx); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("database: commit: %w", err)
	}
	committed = true
	p.db.commits.Add(1)
	return nil
}

// away tells whether the error means that there is no server, no connection, or
// a server that is starting, stopping, or has no connection left.
func (p *postgres) away(err error) bool {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return strings.HasPrefix(e.Code, "08") || strings.HasPrefix(e.Code, "57P") || e.Code == "53300"
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok && !errors.Is(err, context.Canceled) {
		return true // also when its time for that was over
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	if _, ok := errors.AsType[net.Error](err); ok {
		return true
	}
	return errors.Is(err, driver.ErrBadConn) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, net.ErrClosed) || pgconn.SafeToRetry(err)
}
