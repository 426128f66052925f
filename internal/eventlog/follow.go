package eventlog

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"centrala/acd"
)

// Follower reads the log a second time, at its own pace, with a state of its own
// that it is for its owner to apply each entry to. It sees the same entries as the
// log's own state, at the same times; what it is behind stays in the log, not in
// memory. Not safe for concurrent use.
type Follower struct {
	log      *Log
	reader   *reader
	state    *acd.State
	sessions sessions
	index    uint64
	at       time.Time
	behind   uint64
	holes    bool // what the disk lost within the log is lost: the log's own state went on behind it, too
}

// Follow begins to read behind the point that Save wrote; nil: behind the oldest
// snapshot that is kept, or at the log's beginning. Nothing is read yet. It may be
// called before Start.
func (l *Log) Follow(saved []byte) (*Follower, error) {
	var base *snapshot
	var err error
	if saved != nil {
		base, err = decodeSnapshot(saved)
	} else {
		base, err = l.oldest()
	}
	if err != nil {
		return nil, fmt.Errorf("event log: follow: %w", err)
	}
	state, err := base.state()
	if err != nil {
		return nil, fmt.Errorf("event log: follow: %w", err)
	}
	return &Follower{
		log: l, state: state, sessions: base.Sessions.clone(), index: base.Index, at: base.At,
		reader: newReader(l.engine, streamName(l.opts.Name), base.Index+1),
		holes:  saved == nil && l.opts.URL == "",
	}, nil
}

// oldest returns where the log can be read from: its beginning, if it is whole,
// else the oldest snapshot that can be read.
func (l *Log) oldest() (*snapshot, error) {
	ctx, cancel := context.WithTimeout(l.stopped, startTimeout)
	defer cancel()
	info, err := l.stream.Info(ctx)
	if err != nil {
		return nil, err
	}
	if info.State.FirstSeq <= 1 {
		return emptySnapshot(), nil
	}
	found, err := snapshotFiles(l.snapshots())
	if err != nil {
		return nil, err
	}
	for k := len(found) - 1; k >= 0; k-- {
		if s, err := loadSnapshot(l.snapshots(), found[k]); err == nil && s.Index+1 >= info.State.FirstSeq {
			return s, nil
		}
	}
	return nil, fmt.Errorf("%w: the log begins at entry %d, and no snapshot covers what came before", ErrGap, info.State.FirstSeq)
}

// Hold has the log keep every entry behind the index, as long as it is not larger
// than Options.HoldBytes. It is called again as the follower gets on; Free lifts it.
func (l *Log) Hold(index uint64) { l.needed.Store(index) }

// Free lifts Hold.
func (l *Log) Free() { l.needed.Store(math.MaxUint64 - 1) }

// State is the follower's own state. Each entry that Read returned must be applied
// to it before the next is read.
func (f *Follower) State() *acd.State { return f.state }

// Index is that of the last record read: of the last entry, or of one behind it
// that did not count.
func (f *Follower) Index() uint64 { return f.index }

// Behind is how many records of the log were not read yet, when last told.
func (f *Follower) Behind() uint64 { return f.behind }

// Read returns the next entry, and waits for it until the channel tells it not to
// or the context ends; ok is false then. The error is the context's, ErrGap where
// the log has no such entry any more, or one of the servers'.
func (f *Follower) Read(ctx context.Context, until <-chan time.Time) (e acd.Entry, ok bool, err error) {
	tick := time.NewTicker(heartbeat)
	defer tick.Stop()
	for {
		if f.reader.ch == nil {
			if err := f.reader.open(ctx); err != nil {
				return e, false, fmt.Errorf("event log: follow: %w", err)
			}
		}
		select {
		case m := <-f.reader.ch:
			msg, ok, again, err := f.reader.accept(m)
			if f.holes && errors.Is(err, ErrGap) && !f.trimmed(ctx) {
				ok, err = true, nil
			}
			if err != nil {
				return e, false, fmt.Errorf("event log: follow: %w", err)
			}
			if again {
				f.reader.close() // opened anew above
			}
			if !ok {
				continue
			}
			if e, ok, err = f.take(msg); ok || err != nil {
				return e, ok, err
			}
		case <-tick.C:
			if f.reader.silent() {
				f.reader.close()
			}
		case <-until:
			return e, false, nil
		case <-ctx.Done():
			return e, false, ctx.Err()
		case <-f.log.stopped.Done():
			return e, false, ErrClosed
		}
	}
}

// trimmed tells whether the log begins behind what is to be read next, or cannot be asked.
func (f *Follower) trimmed(ctx context.Context) bool {
	info, err := f.log.stream.Info(ctx)
	return err != nil || info.State.FirstSeq > f.index+1
}

// take makes an entry of a message; ok is false for one that does not count.
func (f *Follower) take(m message) (e acd.Entry, ok bool, err error) {
	rec, err := parseRecord(m.data)
	if err != nil {
		return e, false, unreadable(m.index, err)
	}
	f.index, f.behind = m.index, m.pending
	if f.sessions.take(rec) != takeEvent {
		return e, false, nil
	}
	event, err := acd.DecodeEvent(rec.body)
	if err != nil {
		return e, false, unreadable(m.index, err)
	}
	e = acd.Entry{Index: m.index, At: clamp(m, event, f.at, f.state), Event: event}
	f.at = e.At
	return e, true, nil
}

// Rest stops reading until the next Read, so that nothing queues up in memory.
func (f *Follower) Rest() { f.reader.close() }

// Save writes down where the follower is, for Follow. All entries that were read
// must have been applied.
func (f *Follower) Save() ([]byte, error) {
	data, err := encodeSnapshot(snapshotHead{Index: f.index, At: f.at, Sessions: f.sessions}, f.state, 0)
	if err != nil {
		return nil, fmt.Errorf("event log: follow: %w", err)
	}
	return data, nil
}

// Close ends reading.
func (f *Follower) Close() { f.reader.close() }

// Gap tells whether an error means that entries which a follower needs are gone.
func Gap(err error) bool { return errors.Is(err, ErrGap) }
