package eventlog

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"centrala/acd"
)

// Handler is told of every new entry.
type Handler interface {
	// Applied is called with each entry and the commands that follow from it, in
	// order and from one goroutine. Until it returns no further entry is applied, so
	// it must not wait for one; State, seen by Log.View, is as the entry left it.
	Applied(e acd.Entry, commands []acd.Command)
}

// Log is an open log. Its methods are safe for concurrent use. Of its locks only
// that of deadlines is held while another is taken, that of window.
type Log struct {
	opts   Options
	engine *engine
	stream jetstream.Stream
	lock   *os.File
	nonce  string

	window    *window
	deadlines *deadlines
	lease     *lease
	keeper    *keeper

	stateMu sync.RWMutex // held for writing by the applier alone, and never while calling out
	state   *acd.State

	// accessed by Open, then by the applier only
	reader   *reader
	sessions sessions
	index    uint64    // of the last entry seen, applied or passed over
	at       time.Time // of the last entry applied
	handler  Handler

	applied atomic.Uint64 // entries applied since Open
	seen    atomic.Uint64 // index, for others
	behind  atomic.Uint64 // entries of the stream not read yet, when last told
	passed  atomic.Uint64 // records passed over
	resent  atomic.Uint64 // times the window was sent again
	panics  atomic.Uint64 // of the handler
	needed  atomic.Uint64 // index behind which a follower still has to read; see Hold
	stalled atomic.Int64  // since when nothing comes back, nanoseconds since 1970; 0: all is well

	startMu sync.Mutex // Start against Close
	running bool
	closing bool

	stop    context.CancelFunc // ends everything that runs
	stopped context.Context
	applier chan struct{} // closed when the applier has ended
	others  sync.WaitGroup

	endOnce sync.Once
	done    chan struct{}
	err     error // why done was closed
}

// Open opens the log of the folder or the cluster, restores the newest snapshot and
// replays what was logged since; the commands of replayed entries are dropped.
// Nothing is applied after that until Start, so that State.Pending, seen by View,
// tells what had not been carried out. The context bounds the opening alone.
//
// The error is ErrInUse, ErrGap, acd.ErrUnknownEvent or one of the servers'.
func Open(ctx context.Context, o Options) (*Log, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	l := &Log{opts: o, applier: make(chan struct{}), done: make(chan struct{})}
	l.stopped, l.stop = context.WithCancel(context.Background())
	l.Free()
	if err := l.open(ctx); err != nil {
		l.release()
		return nil, err
	}
	return l, nil
}

func (l *Log) open(ctx context.Context) error {
	dir := l.snapshots()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("event log: %w", err)
	}
	var err error
	if l.lock, err = lockDir(l.opts.Dir); err != nil {
		return err
	}
	if err := removeLeftovers(dir); err != nil {
		return fmt.Errorf("event log: %w", err)
	}
	if l.engine, err = startEngine(l.opts); err != nil {
		return err
	}
	if l.stream, err = l.engine.openStream(ctx, l.opts); err != nil {
		return fmt.Errorf("event log: stream: %w", err)
	}
	base, state, err := readNewest(dir, func(file string, err error) {
		l.opts.Log.Error().Str("file", file).Err(err).Msg("snapshot is not usable; an older one is tried")
	})
	if err != nil {
		return fmt.Errorf("event log: snapshots: %w", err)
	}
	if base, state, err = l.join(ctx, base, state); err != nil {
		return err
	}
	l.state, l.sessions, l.index, l.at = state, base.Sessions.clone(), base.Index, base.At
	l.seen.Store(base.Index)
	l.keeper = newKeeper(dir, l.opts.SnapshotEvery, base)
	l.keeper.written, l.keeper.failed = l.snapshotWritten, func(err error) {
		l.opts.Log.Error().Err(err).Msg("snapshot failed; the next is tried as usual")
	}
	l.lease = newLease(l.engine, l.opts, func(leads bool) {
		l.deadlines.lead(leads)
		if l.opts.Leads != nil {
			l.opts.Leads(leads)
		}
	})
	l.deadlines = newDeadlines(l.Append)
	go l.keeper.run()
	if err := l.replay(ctx); err != nil {
		l.keeper.abandon()
		return err
	}
	return nil
}

func (l *Log) snapshots() string { return filepath.Join(l.opts.Dir, "snapshots") }

// Start begins to apply new entries and to hand them to h, and takes part in who
// leads. It is called once.
func (l *Log) Start(h Handler) error {
	if h == nil {
		return errors.New("event log: no handler given")
	}
	l.startMu.Lock()
	defer l.startMu.Unlock()
	if l.closing {
		return ErrClosed
	}
	if l.running {
		return errors.New("event log: started already")
	}
	l.running = true
	l.handler = h
	l.deadlines.applied(acd.Entry{At: l.at}, nextDeadline(l.state))
	go l.apply()
	l.others.Go(l.publish)
	l.others.Go(func() { l.lease.run(l.stopped) })
	return nil
}

// Append queues an event for the log and never waits. Events get into the log in
// the order of the calls. The Receipt tells at once, by Err, where the event is
// not taken: ErrOverloaded, ErrTooLarge, ErrClosed. Before Start events are kept.
func (l *Log) Append(e acd.Event) *Receipt {
	body, err := acd.EncodeEvent(e)
	if err != nil {
		return failed(err)
	}
	if limit := l.engine.nc.MaxPayload(); int64(len(body)+len(l.window.prefix)+32) > limit {
		return failed(fmt.Errorf("%w: %T of %d bytes, the server takes %d", ErrTooLarge, e, len(body), limit))
	}
	return l.window.add(body)
}

// View lets f read the state between two entries. f must not keep anything of it,
// nor take long: entries wait.
func (l *Log) View(f func(s *acd.State)) {
	l.stateMu.RLock()
	defer l.stateMu.RUnlock()
	f(l.state)
}

// Leader tells whether this node leads at this moment.
func (l *Log) Leader() bool { return l.lease.leads() }

// Done is closed when the log applies nothing more: after Close, or since it
// cannot go on. Err tells which.
func (l *Log) Done() <-chan struct{} { return l.done }

// Err returns nil while the log works, ErrClosed after Close, else why it cannot go
// on: acd.ErrUnknownEvent, ErrGap, ErrSuperseded or what happened in the core.
func (l *Log) Err() error {
	select {
	case <-l.done:
		return l.err
	default:
		return nil
	}
}

// Healthy returns what keeps the log from taking events at this moment, or nil.
func (l *Log) Healthy() error {
	if err := l.Err(); err != nil {
		return err
	}
	if !l.engine.nc.IsConnected() {
		return errors.New("event log: no connection to the servers")
	}
	if since := l.stalled.Load(); since != 0 {
		return fmt.Errorf("event log: nothing comes back since %s", time.Unix(0, since).UTC().Format(time.RFC3339))
	}
	return nil
}

// end stops the log for the reason given; only the first counts.
func (l *Log) end(err error) {
	l.endOnce.Do(func() {
		l.err = err
		l.stop()
		l.deadlines.stop()
		if !errors.Is(err, ErrClosed) {
			l.opts.Log.Error().Err(err).Msg("event log stops")
			err = fmt.Errorf("%w: %w", ErrClosed, err)
		}
		l.window.fail(err)
		close(l.done)
	})
}

// Close waits until what was appended has been applied, writes a snapshot, gives
// the lease back and ends the log. The context bounds the waiting; what is on its
// way then may or may not be in the log. The error is the context's, or why the
// log had stopped before. Closing again does nothing.
func (l *Log) Close(ctx context.Context) error {
	l.startMu.Lock()
	if l.closing {
		l.startMu.Unlock()
		return nil
	}
	l.closing = true
	running := l.running
	l.startMu.Unlock()

	err := l.Err()
	settled := l.window.close(ErrClosed)
	if running {
		select {
		case <-settled:
		case <-ctx.Done():
			err = errors.Join(err, ctx.Err())
		}
	}
	l.end(ErrClosed)
	if running {
		<-l.applier
		l.others.Wait()
	}
	if errors.Is(l.err, ErrClosed) {
		l.keeper.close(snapshotHead{Index: l.index, At: l.at, Sessions: l.sessions})
	} else {
		l.keeper.abandon() // what ended the log must be met again after a restart
	}
	l.release()
	return err
}

// release gives up what open took.
func (l *Log) release() {
	l.stop()
	if l.reader != nil {
		l.reader.close()
	}
	if l.engine != nil {
		l.engine.stop()
	}
	if l.lock != nil {
		_ = l.lock.Close() // and with it the lock
	}
}

func newNonce() string {
	var b [6]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}
