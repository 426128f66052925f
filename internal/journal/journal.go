package journal

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"centrala/acd"
	"centrala/internal/journal/db"
)

const (
	// gather is how long entries are collected for one transaction, from the first on.
	gather = 20 * time.Millisecond
	// batchMax is how many entries one transaction takes at most.
	batchMax = 2000
	// saveEvery and saveAfter are how many entries, and how long, it takes until the
	// state is saved anew; so much at most is read again after a restart.
	saveEvery = 50_000
	saveAfter = time.Minute
	// stopLimit bounds the wait for what is to be written at the end.
	stopLimit = 5 * time.Second
	// retry is the pause after a failure.
	retry = time.Second
)

// Log is the event log, as far as the journal needs it.
type Log interface {
	// Follow begins to read behind what Follower.Save wrote; nil: as early as possible.
	Follow(saved []byte) (Follower, error)
	// Hold has the log keep the entries behind the index; Free lifts that.
	Hold(index uint64)
	Free()
	// Leader tells whether this node leads: of several, one writes.
	Leader() bool
	// Seen is the index of the last entry that this node applied.
	Seen() uint64
	// Gap tells whether a follower's error means that entries it needs are gone.
	Gap(err error) bool
}

// Follower reads entries in order; eventlog.Follower says more.
type Follower interface {
	State() *acd.State
	Read(ctx context.Context, until <-chan time.Time) (acd.Entry, bool, error)
	Index() uint64
	Behind() uint64
	Rest()
	Save() ([]byte, error)
	Close()
}

// Options of a journal.
type Options struct {
	DB   *db.DB
	Log  Log
	Node acd.NodeID
	Keep time.Duration // how long what ended stays in the record; 0: for ever
	Logs zerolog.Logger
	// Restored is how far the record went in the backup that it was restored from, if nothing
	// was written since: that there is a gap behind it is to be expected. 0: no backup.
	Restored uint64
	// Committed is called after each commit; it must not wait. nil: nobody wants to know.
	Committed func()
}

// Journal follows the log and writes the record. Make it with New; it works from
// Start to Stop.
type Journal struct {
	opts Options

	stopped context.Context
	stop    context.CancelFunc
	done    chan struct{}
	start   sync.Once

	trimming sync.WaitGroup

	written  atomic.Uint64 // index up to which the record is written
	behind   atomic.Uint64
	entries  atomic.Uint64
	rows     atomic.Uint64
	commits  atomic.Uint64
	failures atomic.Uint64
	lost     atomic.Uint64 // entries that never came to be rows
	away     atomic.Int64  // since when the database is, microseconds; 0: it is there
	writing  atomic.Bool   // this node is the one that writes
}

// New makes a journal.
func New(o Options) *Journal {
	j := &Journal{opts: o, done: make(chan struct{})}
	j.stopped, j.stop = context.WithCancel(context.Background())
	return j
}

// Start begins to follow the log.
func (j *Journal) Start() {
	j.start.Do(func() {
		j.opts.Log.Hold(0) // until we know how far we are
		go j.run()
		j.trimming.Go(j.trim)
	})
}

// Stop waits until what the log has at this moment is written, as long as the
// context lets it and the database is there, and ends. What is not written then is
// written after the next start.
func (j *Journal) Stop(ctx context.Context) {
	j.start.Do(func() { close(j.done) }) // never started
	if j.writing.Load() || j.opts.Log.Leader() {
		ctx, cancel := context.WithTimeout(ctx, stopLimit)
		defer cancel()
		_ = j.Await(ctx, j.opts.Log.Seen()) // the log keeps it
	}
	j.stop()
	<-j.done
	j.trimming.Wait()
}

// Await waits until the record is written up to the index of the log. The error
// is the context's, or that the journal has ended or cannot write at present.
func (j *Journal) Await(ctx context.Context, index uint64) error {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for j.written.Load() < index {
		if err := j.Healthy(); err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-j.done:
			return errors.New("journal: has ended")
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// Healthy returns what keeps the journal from writing, or nil. Calls go on without
// it: the log keeps what is to be written.
func (j *Journal) Healthy() error {
	if since := j.away.Load(); since != 0 {
		return fmt.Errorf("journal: nothing can be written since %s", time.UnixMicro(since).UTC().Format(time.RFC3339))
	}
	return nil
}

// Stats are the figures of a journal, for metrics.
type Stats struct {
	Writing  bool   // this node is the one that writes
	Written  uint64 // index of the log up to which the record is written
	Behind   uint64 // entries of the log that were not read yet, when last told
	Entries  uint64 // written since the start
	Rows     uint64 // likewise
	Commits  uint64
	Failures uint64
	Lost     uint64 // entries that were gone before they could be written
	Away     bool
}

// Stats returns the figures at this moment.
func (j *Journal) Stats() Stats {
	s := Stats{
		Writing: j.writing.Load(), Written: j.written.Load(), Behind: j.behind.Load(), Entries: j.entries.Load(), Rows: j.rows.Load(),
		Commits: j.commits.Load(), Failures: j.failures.Load(), Lost: j.lost.Load(), Away: j.away.Load() != 0,
	}
	if seen := j.opts.Log.Seen(); (s.Writing || s.Away) && seen > s.Written {
		s.Behind = max(s.Behind, seen-s.Written)
	}
	return s
}

func (j *Journal) run() {
	defer close(j.done)
	for j.stopped.Err() == nil {
		if j.opts.Log.Leader() {
			err := j.session()
			j.writing.Store(false)
			if j.stopped.Err() != nil {
				return
			}
			if err != nil {
				j.failed(err)
			}
		} else {
			j.opts.Log.Free() // who leads holds what it needs
		}
		pause := retry
		if j.away.Load() == 0 {
			pause = retry / 10
		}
		select {
		case <-time.After(pause):
		case <-j.stopped.Done():
		}
	}
}

// failed counts and tells a failure, once while it lasts.
func (j *Journal) failed(err error) {
	j.failures.Add(1)
	if j.away.CompareAndSwap(0, time.Now().UnixMicro()) {
		j.opts.Logs.Error().Err(err).Msg("the record cannot be written at present; calls go on, the log keeps what is to be written")
	}
}

// works tells that writing goes again.
func (j *Journal) works() {
	if since := j.away.Swap(0); since != 0 {
		j.opts.Logs.Info().Dur("after_ms", time.Since(time.UnixMicro(since))).Msg("the record is written again")
	}
}
