package events

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"centrala/acd"
	"centrala/internal/journal/db"
	"centrala/queuegroups"
)

const (
	// window is how many of the newest events are in memory for all readers.
	window = 4096
	// page is how many events one query reads at most.
	page = 1000
	// lookEvery is how often the table is looked at where nobody tells of a commit: another node may have written.
	lookEvery = time.Second
	// trimEvery is how often old events are removed, and trimMax how many by one transaction.
	trimEvery = 10 * time.Minute
	trimMax   = 5000
)

// Keep is how long events are kept. It is longer than webhooks try.
const Keep = 7 * 24 * time.Hour

// ErrGone tells that events behind an id are no longer kept, or that the id was never ours.
var ErrGone = errors.New("the events behind that id are not kept")

// Options of a hub; DB is required.
type Options struct {
	DB     *db.DB
	Leader func() bool // this node removes old events; nil: it does
	Log    zerolog.Logger
	Now    func() time.Time // nil: time.Now
}

// Hub reads the table once for all who follow it. Make it with New; it works from Start to Stop.
type Hub struct {
	opts Options
	wake chan struct{}
	stop context.CancelFunc
	done sync.WaitGroup

	loading sync.Mutex // one query at a time

	mu      sync.Mutex
	known   bool     // floor and newest are the table's
	ring    []*Event // the newest, in order
	floor   int64    // all events behind this id are in ring
	newest  int64
	changed chan struct{} // closed when ring grows
	away    bool
}

// New makes a hub.
func New(o Options) *Hub {
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Hub{opts: o, wake: make(chan struct{}, 1), changed: make(chan struct{})}
}

// Start begins to follow the table.
func (h *Hub) Start() {
	ctx, stop := context.WithCancel(context.Background())
	h.stop = stop
	h.done.Go(func() { h.follow(ctx) })
	h.done.Go(func() { h.tidy(ctx) })
}

// Stop ends that. It may be called without Start.
func (h *Hub) Stop() {
	if h.stop != nil {
		h.stop()
	}
	h.done.Wait()
}

// Wake tells that something may have been committed. It never waits.
func (h *Hub) Wake() {
	select {
	case h.wake <- struct{}{}:
	default: // it is being looked at soon
	}
}

// Changed returns a channel that is closed when there are more events than now. Ask for it before After.
func (h *Hub) Changed() <-chan struct{} {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.changed
}

// Newest looks for the id of the newest event; 0: there is none. The error is the database's.
func (h *Hub) Newest(ctx context.Context) (int64, error) {
	if err := h.load(ctx); err != nil {
		return 0, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.newest, nil
}

// After returns events behind an id in order, at most limit; none: there are none yet. The list is
// shared with others, who must not change it. The error is ErrGone or the database's.
func (h *Hub) After(ctx context.Context, after int64, limit int) ([]*Event, error) {
	if list, ok := h.recent(after, limit); ok {
		return list, nil
	}
	if newest, err := h.Newest(ctx); err != nil {
		return nil, err
	} else if after > newest {
		return nil, ErrGone
	}
	list, err := h.read(ctx, after, min(limit, page))
	if err != nil {
		return nil, err
	}
	// Read after the events: what was removed before that is known by now.
	trimmed, err := h.trimmed(ctx)
	if err != nil {
		return nil, err
	}
	if after < trimmed {
		return nil, ErrGone
	}
	return list, nil
}

// Forget gives up what memory has: events were changed in the table, and are read there again.
func (h *Hub) Forget() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ring, h.floor = nil, h.newest
}

// recent returns what memory has behind an id, if it has all of it.
func (h *Hub) recent(after int64, limit int) ([]*Event, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.known || after < h.floor || after > h.newest {
		return nil, false
	}
	from, _ := slices.BinarySearchFunc(h.ring, after+1, func(e *Event, id int64) int {
		switch {
		case e.ID < id:
			return -1
		case e.ID > id:
			return 1
		}
		return 0
	})
	to := min(from+limit, len(h.ring))
	return h.ring[from:to:to], true // of which nothing changes any more: see add
}

// follow loads what is new when somebody tells of it, and now and then.
func (h *Hub) follow(ctx context.Context) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		err := h.load(ctx)
		if ctx.Err() != nil {
			return
		}
		if (err != nil) != h.away {
			if h.away = err != nil; h.away {
				h.opts.Log.Warn().Err(err).Msg("events cannot be read at present; who follows them waits")
			} else {
				h.opts.Log.Info().Msg("events can be read again")
			}
		}
		select {
		case <-h.wake:
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// load takes what is new in the table into the ring.
func (h *Hub) load(ctx context.Context) error {
	h.loading.Lock()
	defer h.loading.Unlock()
	h.mu.Lock()
	known, newest := h.known, h.newest
	h.mu.Unlock()
	if !known {
		if err := h.opts.DB.Read().QueryRowContext(ctx, "select coalesce(max(id), 0) from events").Scan(&newest); err != nil {
			return fmt.Errorf("read the events: %w", err)
		}
		trimmed, err := h.trimmed(ctx)
		if err != nil {
			return err
		}
		newest = max(newest, trimmed)
		h.mu.Lock()
		h.known, h.floor, h.newest = true, newest, newest
		h.mu.Unlock()
	}
	for {
		list, err := h.read(ctx, newest, page)
		if err != nil {
			return err
		}
		if len(list) > 0 {
			newest = list[len(list)-1].ID
			h.add(list)
		}
		if len(list) < page {
			return nil
		}
	}
}

// add puts events at the end of the ring and tells everybody.
func (h *Hub) add(list []*Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ring = append(h.ring, list...)                   // behind what others hold
	if over := len(h.ring) - window; over > window/4 { // not at each event
		h.floor = h.ring[over-1].ID
		h.ring = slices.Clone(h.ring[over:])
	}
	h.newest = list[len(list)-1].ID
	close(h.changed)
	h.changed = make(chan struct{})
}

func (h *Hub) read(ctx context.Context, after int64, limit int) ([]*Event, error) {
	rows, err := h.opts.DB.Read().QueryContext(ctx,
		"select id, at, type, group_id, agent_id, interaction, data from events where id > $1 order by id limit $2", after, limit)
	if err != nil {
		return nil, fmt.Errorf("read the events: %w", err)
	}
	defer rows.Close()
	var list []*Event
	for rows.Next() {
		e, err := scan(rows)
		if err != nil {
			return nil, fmt.Errorf("read the events: %w", err)
		}
		list = append(list, e)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read the events: %w", err)
	}
	return list, nil
}

// Event reads one event. The error is ErrGone or the database's.
func (h *Hub) Event(ctx context.Context, id int64) (*Event, error) {
	e, err := scan(h.opts.DB.Read().QueryRowContext(ctx, "select id, at, type, group_id, agent_id, interaction, data from events where id = $1", id))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, ErrGone
	}
	if err != nil {
		return nil, fmt.Errorf("read the event: %w", err)
	}
	return e, nil
}

func scan(row interface{ Scan(...any) error }) (*Event, error) {
	var e Event
	var at, interaction int64
	var group, agent, data string
	if err := row.Scan(&e.ID, &at, &e.Type, &group, &agent, &interaction, &data); err != nil {
		return nil, err
	}
	e.At, e.Data = time.UnixMicro(at).UTC(), []byte(data)
	e.Group, e.Agent, e.Interaction = queuegroups.GroupID(group), queuegroups.AgentID(agent), acd.InteractionID(interaction)
	return &e, nil
}

// trimmed is the id up to which events were removed.
func (h *Hub) trimmed(ctx context.Context) (id int64, err error) {
	err = h.opts.DB.Read().QueryRowContext(ctx, "select coalesce(max(up_to), 0) from events_trimmed").Scan(&id)
	if err != nil {
		return 0, fmt.Errorf("read the events: %w", err)
	}
	return id, nil
}

// tidy removes old events now and then.
func (h *Hub) tidy(ctx context.Context) {
	tick := time.NewTicker(trimEvery)
	defer tick.Stop()
	for {
		if h.opts.Leader == nil || h.opts.Leader() {
			if err := h.Trim(ctx, h.opts.Now().Add(-Keep)); err != nil && ctx.Err() == nil {
				h.opts.Log.Warn().Err(err).Msg("old events could not be removed; they are tried again")
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// Trim removes the events before a time, and notes how far, in the same transaction. A checkpoint
// behind them can no longer be resumed.
func (h *Hub) Trim(ctx context.Context, before time.Time) error {
	for {
		more := false
		err := h.opts.DB.Write(ctx, func(tx *sql.Tx) error {
			var upTo int64
			err := tx.QueryRowContext(ctx, "select coalesce(max(id), 0) from (select id from events where at < $1 order by id limit $2) as old",
				before.UnixMicro(), trimMax).Scan(&upTo)
			if more = false; err != nil || upTo == 0 {
				return err
			}
			gone, err := tx.ExecContext(ctx, "delete from events where id <= $1", upTo)
			if err != nil {
				return err
			}
			n, err := gone.RowsAffected()
			if err != nil {
				return err
			}
			more = n >= trimMax
			_, err = tx.ExecContext(ctx, `insert into events_trimmed (id, up_to) values (1, $1)
				on conflict (id) do update set up_to = excluded.up_to where excluded.up_to > events_trimmed.up_to`, upTo)
			return err
		})
		if err != nil || !more {
			return err
		}
	}
}
