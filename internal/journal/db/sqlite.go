package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync"

	_ "modernc.org/sqlite" // the driver of that name
)

const (
	// sqliteReaders bounds the connections for reading; each has a cache of its own.
	sqliteReaders = 8
	// groupMax bounds how many functions share a commit, so that the first of them
	// need not wait for ever.
	groupMax = 256
	// preparedMax bounds the statements that are kept prepared.
	preparedMax = 512
)

// openSQLite opens the file of the data folder, which nobody else may read.
func (d *DB) openSQLite() error {
	if err := os.MkdirAll(d.opts.Dir, 0o700); err != nil {
		return fmt.Errorf("database: %w", err)
	}
	file := filepath.Join(d.opts.Dir, File)
	f, err := os.OpenFile(file, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("database: %w", err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("database: %w", err)
	}
	// The writer first: it makes the WAL that readers need.
	if d.write, err = openFile(file, "immediate", 1, "journal_mode(WAL)", "synchronous(FULL)"); err != nil {
		return err
	}
	if d.read, err = openFile(file, "deferred", sqliteReaders, "query_only(1)"); err != nil {
		return errors.Join(err, d.write.Close())
	}
	d.engine = newWriter(d)
	return nil
}

// openFile opens a pool of connections, each with the pragmas set.
func openFile(file, lock string, conns int, pragmas ...string) (*sql.DB, error) {
	q := url.Values{"_txlock": {lock}, "_pragma": {"busy_timeout(10000)"}} // milliseconds
	q["_pragma"] = append(q["_pragma"], append(pragmas, "foreign_keys(1)", "temp_store(MEMORY)", "cache_size(-16000)")...)
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: file}).EscapedPath(), RawQuery: q.Encode()}).String())
	if err != nil {
		return nil, fmt.Errorf("database: %w", err)
	}
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	if err := db.Ping(); err != nil {
		return nil, errors.Join(fmt.Errorf("database %s: %w", file, err), db.Close())
	}
	return db, nil
}

// writer is the one goroutine that writes to SQLite.
type writer struct {
	db    *DB
	queue chan *request

	mu     sync.RWMutex // held for reading while a request is queued
	closed bool
	done   chan struct{}

	// Only the goroutine that writes has these.
	prepared map[string]*sql.Stmt
	wanted   []string // to be prepared before the next transaction, which has the only connection
}

// request is one call of Write.
type request struct {
	ctx   context.Context
	do    func(*sql.Tx) error
	reply chan error // of one
}

// thrown carries a panic of a request back to who called Write.
type thrown struct{ value any }

func (t thrown) Error() string { return fmt.Sprint("panic: ", t.value) }

func newWriter(d *DB) *writer {
	w := &writer{db: d, queue: make(chan *request, groupMax), done: make(chan struct{}), prepared: map[string]*sql.Stmt{}}
	go w.run()
	return w
}

func (w *writer) write(ctx context.Context, f func(*sql.Tx) error) error {
	r := &request{ctx: ctx, do: f, reply: make(chan error, 1)}
	if err := w.enqueue(r); err != nil {
		return err
	}
	// What has begun is not given up: the caller must know what became of it.
	err := <-r.reply
	if t, ok := errors.AsType[thrown](err); ok {
		panic(t.value)
	}
	return err
}

func (w *writer) enqueue(r *request) error {
	w.mu.RLock()
	defer w.mu.RUnlock()
	if w.closed {
		return ErrClosed
	}
	select {
	case w.queue <- r:
		return nil
	case <-r.ctx.Done():
		return r.ctx.Err()
	}
}

// away: a file is not away. Its disk may be full or broken, which another try
// does not cure, or locked by another program for longer than busy_timeout.
func (w *writer) away(error) bool { return false }

func (w *writer) close() {
	w.mu.Lock()
	if !w.closed {
		w.closed = true
		close(w.queue)
	}
	w.mu.Unlock()
	<-w.done
}

func (w *writer) run() {
	defer close(w.done)
	for first := range w.queue {
		w.prepare()
		w.group(first)
	}
}

// exec runs a statement that is prepared, or will be the next time.
func (w *writer) exec(ctx context.Context, tx *sql.Tx, text string, args []any) (sql.Result, error) {
	if s := w.statement(ctx, tx, text); s != nil {
		return s.ExecContext(ctx, args...)
	}
	return tx.ExecContext(ctx, text, args...)
}

// query likewise.
func (w *writer) query(ctx context.Context, tx *sql.Tx, text string, args []any) (*sql.Rows, error) {
	if s := w.statement(ctx, tx, text); s != nil {
		return s.QueryContext(ctx, args...)
	}
	return tx.QueryContext(ctx, text, args...)
}

// queryRow likewise.
func (w *writer) queryRow(ctx context.Context, tx *sql.Tx, text string, args []any) *sql.Row {
	if s := w.statement(ctx, tx, text); s != nil {
		return s.QueryRowContext(ctx, args...)
	}
	return tx.QueryRowContext(ctx, text, args...)
}

// prepare prepares what was wanted. What cannot be is run as it is.
func (w *writer) prepare() {
	for _, text := range w.wanted {
		if w.prepared[text] != nil {
			continue
		}
		if s, err := w.db.write.Prepare(text); err == nil {
			w.prepared[text] = s // closed with the connections
		}
	}
	w.wanted = w.wanted[:0]
}

// statement is the prepared form of a text in a transaction; nil: it has none yet, and will the next time.
func (w *writer) statement(ctx context.Context, tx *sql.Tx, text string) *sql.Stmt {
	if s := w.prepared[text]; s != nil {
		return tx.StmtContext(ctx, s)
	}
	if len(w.prepared)+len(w.wanted) < preparedMax {
		w.wanted = append(w.wanted, text)
	}
	return nil
}

// group commits a request together with those that queued up meanwhile. Where the
// shared transaction is lost, each is tried alone.
func (w *writer) group(first *request) {
	members, errs, err := w.together(first)
	for i, r := range members {
		switch {
		case errs[i] != nil:
			r.reply <- errs[i]
		case err == nil:
			r.reply <- nil
		case len(members) == 1:
			r.reply <- err
		default:
			_, own, err := w.transaction(r, func() *request { return nil })
			r.reply <- errors.Join(own[0], err)
		}
	}
}

// together takes requests as long as there are any.
func (w *writer) together(first *request) ([]*request, []error, error) {
	taken := 1
	return w.transaction(first, func() *request {
		if taken == groupMax {
			return nil
		}
		taken++
		select {
		case r := <-w.queue: // nil once closed and empty
			return r
		default:
			return nil
		}
	})
}

// transaction runs requests in one transaction until next returns none, each in a
// savepoint, and commits what did not fail. It returns each one's own error, and
// why nothing at all was committed.
func (w *writer) transaction(r *request, next func() *request) (members []*request, errs []error, err error) {
	tx, err := w.db.write.BeginTx(context.Background(), nil)
	if err != nil {
		return []*request{r}, []error{nil}, fmt.Errorf("database: begin: %w", err)
	}
	for ; r != nil; r = next() {
		own, err := w.isolated(tx, r)
		members, errs = append(members, r), append(errs, own)
		if err != nil {
			_ = tx.Rollback() // the first error is the one to tell
			return members, errs, fmt.Errorf("database: %w", err)
		}
	}
	if err := tx.Commit(); err != nil {
		_ = tx.Rollback() // a commit that failed leaves the transaction open
		return members, errs, fmt.Errorf("database: commit: %w", err)
	}
	w.db.commits.Add(1)
	return members, errs, nil
}

// isolated runs one request in a savepoint. own is its error, err that of the
// transaction, which is lost then.
func (w *writer) isolated(tx *sql.Tx, r *request) (own, err error) {
	if r.ctx.Err() != nil {
		return r.ctx.Err(), nil
	}
	if _, err := w.exec(context.Background(), tx, "savepoint own", nil); err != nil {
		return nil, err
	}
	if own = attempt(r.do, tx); own != nil {
		if _, err := w.exec(context.Background(), tx, "rollback to own", nil); err != nil {
			return own, err
		}
	}
	_, err = w.exec(context.Background(), tx, "release own", nil)
	return own, err
}

func attempt(f func(*sql.Tx) error, tx *sql.Tx) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = thrown{p}
		}
	}()
	return f(tx)
}

// Copy writes a copy of SQLite's file of the data folder as it is at one moment into
// a new file, beside a server that goes on writing. Where there is no database yet,
// the error is fs.ErrNotExist.
func Copy(ctx context.Context, dir, to string) error {
	file := filepath.Join(dir, File)
	if _, err := os.Stat(file); err != nil {
		return fmt.Errorf("database: %w", err)
	}
	return withFile(file, func(db *sql.DB) error {
		if _, err := db.ExecContext(ctx, "vacuum into $1", to); err != nil {
			return fmt.Errorf("copy the database %s: %w", file, err)
		}
		return os.Chmod(to, 0o600)
	})
}

// Verify reads a whole file of SQLite and returns what is wrong with it.
func Verify(ctx context.Context, file string) error {
	return withFile(file, func(db *sql.DB) error {
		var verdict string
		if err := db.QueryRowContext(ctx, "pragma integrity_check(1)").Scan(&verdict); err != nil {
			return fmt.Errorf("database %s: %w", file, err)
		}
		if verdict != "ok" {
			return fmt.Errorf("database %s is damaged: %s", file, verdict)
		}
		return nil
	})
}

func withFile(file string, f func(*sql.DB) error) error {
	db, err := openFile(file, "deferred", 1)
	if err != nil {
		return err
	}
	return errors.Join(f(db), db.Close())
}
