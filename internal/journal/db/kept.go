package db

import (
	"context"
	"database/sql"
	"sync"
)

// Tx is a transaction of Write whose statements are run again and again, as the same texts: they
// are kept prepared, which on SQLite is most of what a small one costs. There should be few such
// texts, and none may be run while the rows of the same one are still being read.
type Tx struct {
	engine engine
	tx     *sql.Tx
}

// Kept returns a transaction of Write as one whose statements are kept prepared.
func (d *DB) Kept(tx *sql.Tx) Tx { return Tx{d.engine, tx} }

// ExecContext runs a statement.
func (t Tx) ExecContext(ctx context.Context, text string, args ...any) (sql.Result, error) {
	return t.engine.exec(ctx, t.tx, text, args)
}

// QueryContext runs a statement that returns rows.
func (t Tx) QueryContext(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	return t.engine.query(ctx, t.tx, text, args)
}

// QueryRowContext runs a statement that returns one row.
func (t Tx) QueryRowContext(ctx context.Context, text string, args ...any) *sql.Row {
	return t.engine.queryRow(ctx, t.tx, text, args)
}

// Queries are the connections for reading, for statements that are run again and again, as the same
// texts: they are kept prepared. There should be few such texts.
type Queries struct {
	db   *DB
	mu   sync.RWMutex
	kept map[string]*sql.Stmt // closed with the connections
}

// Queries returns them; whoever asks for them keeps them.
func (d *DB) Queries() *Queries { return &Queries{db: d, kept: map[string]*sql.Stmt{}} }

// QueryContext runs a statement that returns rows.
func (q *Queries) QueryContext(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	if s := q.statement(ctx, text); s != nil {
		return s.QueryContext(ctx, args...)
	}
	return q.db.read.QueryContext(ctx, text, args...)
}

// QueryRowContext runs a statement that returns one row.
func (q *Queries) QueryRowContext(ctx context.Context, text string, args ...any) *sql.Row {
	if s := q.statement(ctx, text); s != nil {
		return s.QueryRowContext(ctx, args...)
	}
	return q.db.read.QueryRowContext(ctx, text, args...)
}

// statement is the prepared form of a text; nil: it is run as it is, by a driver that keeps what it
// runs prepared by itself, or until the database takes it.
func (q *Queries) statement(ctx context.Context, text string) *sql.Stmt {
	if q.db.Postgres() {
		return nil
	}
	q.mu.RLock()
	s, full := q.kept[text], len(q.kept) >= preparedMax
	q.mu.RUnlock()
	if s != nil || full {
		return s
	}
	s, err := q.db.read.PrepareContext(ctx, text)
	if err != nil {
		return nil // running it tells what is wrong
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if first := q.kept[text]; first != nil {
		_ = s.Close() // somebody else was faster
		return first
	}
	q.kept[text] = s
	return s
}
