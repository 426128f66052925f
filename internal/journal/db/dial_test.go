package db_test

import (
	"context"
	"database/sql"
	"errors"
	"net"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"centrala/internal/journal/db"
	"centrala/internal/journal/db/dbtest"
)

// wire is between a client and PostgreSQL. Cut, it takes what is sent and passes
// nothing on, as a network does that drops packets.
type wire struct {
	net.Listener
	to string

	mu  sync.Mutex
	cut chan struct{} // closed while data pass
}

func newWire(t *testing.T, to string) *wire {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{Listener: l, to: to}
	w.set(false)
	t.Cleanup(func() { l.Close(); w.set(false) })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go w.join(c)
		}
	}()
	return w
}

func (w *wire) set(cut bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case cut:
		w.cut = make(chan struct{})
	case w.cut == nil:
		w.cut = make(chan struct{})
		close(w.cut)
	default:
		select {
		case <-w.cut:
		default:
			close(w.cut)
		}
	}
}

func (w *wire) passes() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.cut
}

func (w *wire) join(c net.Conn) {
	defer c.Close()
	s, err := net.Dial("tcp", w.to)
	if err != nil {
		return
	}
	defer s.Close()
	go w.copy(s, c)
	w.copy(c, s)
}

func (w *wire) copy(to, from net.Conn) {
	defer to.Close()
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		<-w.passes()
		if _, failed := to.Write(buf[:n]); err != nil || failed != nil {
			return
		}
	}
}

// A PostgreSQL that can be connected to but says nothing, as behind a network that
// drops packets, is noticed: in the middle of a transaction, whatever its context,
// and before one. It is written to again as soon as it is back.
func TestPostgres_SaysNothing(t *testing.T) {
	const silence = time.Second
	u, err := url.Parse(dbtest.Postgres(t).Source)
	if err != nil {
		t.Fatal(err)
	}
	w := newWire(t, u.Host)
	u.Host = w.Addr().String()
	q := u.Query()
	q.Set("connect_timeout", "1")
	u.RawQuery = q.Encode()
	d := dbtest.Open(t, db.Options{Source: u.String(), Silence: silence, Log: zerolog.Nop()})
	table(t, d)
	fails := func(what string, f func(tx *sql.Tx) error) {
		t.Helper()
		began := time.Now()
		if err := d.Write(t.Context(), f); !errors.Is(err, db.ErrAway) {
			t.Errorf("%s: %v", what, err)
		}
		if took := time.Since(began); took > 60*silence {
			t.Errorf("%s: noticed after %v", what, took)
		}
	}
	insert := exec(context.Background(), "insert into numbers values (1, 'one')")
	fails("in the middle", func(tx *sql.Tx) error { w.set(true); return insert(tx) })
	fails("a new connection", insert)
	w.set(false)
	write(t, d, "insert into numbers values (2, 'two')")
	w.set(true)
	fails("an idle connection", insert)
	w.set(false)
	write(t, d, "insert into numbers values (3, 'three')")
	if n := count(t, d); n != 2 {
		t.Errorf("%d rows, want 2", n)
	}
	// A statement that takes its time is no silence to whoever reads.
	var n int
	if err := d.Read().QueryRowContext(t.Context(), "select 7 from pg_sleep(1.5)").Scan(&n); err != nil || n != 7 {
		t.Error(n, err)
	}
}
