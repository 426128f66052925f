package events

import (
	"database/sql"
	"errors"
	"testing"
	"time"

	"centrala/internal/journal/db"
	"centrala/internal/journal/db/dbtest"
)

// Whether events are in memory, have left it, or were never in it, who reads them page by page
// has each once and in order; and is told where some are gone.
func TestHub_After(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		write := func(from, to int64) {
			t.Helper()
			if err := d.Write(t.Context(), func(tx *sql.Tx) error {
				for id := from; id < to; id++ {
					if _, err := tx.ExecContext(t.Context(), "insert into events (id, at, type, group_id, agent_id, interaction, data) values ($1, $1, 'call.queued', '', '', 1, '{}')", id); err != nil {
						return err
					}
				}
				return nil
			}); err != nil {
				t.Fatal(err)
			}
		}
		const first, total = 10, window + window/2
		h := New(Options{DB: d, Leader: func() bool { return false }}) // which leaves old events alone
		write(first, first+500)
		if newest, err := h.Newest(t.Context()); err != nil || newest != first+499 {
			t.Fatalf("%d %v", newest, err)
		}
		changed := h.Changed()
		write(first+500, first+total)
		h.Start()
		defer h.Stop()
		h.Wake()
		select {
		case <-changed:
		case <-time.After(30 * time.Second):
			t.Fatal("nobody is told")
		}
		read := func(h *Hub, at int64) (n int64) {
			t.Helper()
			for {
				list, err := h.After(t.Context(), at, 300)
				if err != nil {
					t.Fatal(err)
				}
				for _, e := range list {
					if e.ID != at+1 {
						t.Fatalf("%d comes behind %d", e.ID, at)
					}
					at, n = e.ID, n+1
				}
				if len(list) == 0 {
					return n
				}
			}
		}
		if n := read(h, first-1); n != total {
			t.Errorf("%d of %d", n, total)
		}
		if n := read(New(Options{DB: d}), first-1); n != total {
			t.Errorf("%d of %d after a restart", n, total)
		}
		h.mu.Lock()
		size := len(h.ring)
		h.mu.Unlock()
		if size > window+window/4+page {
			t.Errorf("%d in memory", size)
		}
		// Their time is their id in microseconds here.
		if err := h.Trim(t.Context(), time.UnixMicro(first+trimMax+50)); err != nil {
			t.Fatal(err)
		}
		fresh := New(Options{DB: d})
		for id, want := range map[int64]error{first: ErrGone, first + trimMax + 48: ErrGone, first + trimMax + 49: nil, first + total: ErrGone} {
			if _, err := fresh.After(t.Context(), id, 1); !errors.Is(err, want) {
				t.Errorf("behind %d: %v, want %v", id, err, want)
			}
		}
		if _, err := h.Event(t.Context(), first); !errors.Is(err, ErrGone) {
			t.Errorf("%v", err)
		}
	})
}
