package eventlog

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"centrala/acd"
)

// snapshotWritten trims the log after a snapshot. Called by the keeper.
func (l *Log) snapshotWritten(index, oldest uint64) {
	l.opts.Log.Debug().Uint64("index", index).Msg("snapshot written")
	if l.opts.URL != "" && !l.Leader() {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	if err := l.trim(ctx, oldest, time.Now().Add(-l.opts.Retain)); err != nil {
		l.opts.Log.Warn().Err(err).Msg("log not trimmed; tried again after the next snapshot")
	}
}

// trim removes the entries stored before the time that are in the snapshot of the
// index. In a cluster that snapshot is shared first, for nodes that have none so new.
func (l *Log) trim(ctx context.Context, covered uint64, before time.Time) error {
	info, err := l.stream.Info(ctx)
	if err != nil {
		return err
	}
	if info.State.Msgs == 0 || !info.State.FirstTime.Before(before) || info.State.FirstSeq > covered {
		return nil
	}
	keep, err := l.firstSince(ctx, before, info.State.FirstSeq, covered+1)
	if err != nil {
		return err
	}
	if needed := l.needed.Load(); needed+1 < keep {
		if info.State.Bytes < l.opts.HoldBytes {
			keep = max(needed+1, info.State.FirstSeq)
		} else {
			l.opts.Log.Error().Uint64("from", needed+1).Uint64("to", keep-1).Uint64("bytes", info.State.Bytes).
				Msg("the log is as large as it may be: entries are dropped that were not recorded yet")
		}
	}
	if l.opts.URL != "" {
		if err := l.share(ctx, covered); err != nil {
			return fmt.Errorf("share snapshot: %w", err)
		}
	}
	return l.stream.Purge(ctx, jetstream.WithPurgeSequence(keep))
}

// firstSince returns the index of the first entry from low on that was stored at
// the time or later, high if there is none below.
func (l *Log) firstSince(ctx context.Context, at time.Time, low, high uint64) (uint64, error) {
	for low < high {
		mid := low + (high-low)/2
		m, err := l.stream.GetMsg(ctx, mid, jetstream.WithGetMsgSubject(subjectName(l.opts.Name))) // or the next, where it is missing
		if err != nil && !errors.Is(err, jetstream.ErrMsgNotFound) {
			return 0, err
		}
		if err == nil && m.Time.Before(at) {
			low = m.Sequence + 1
		} else {
			high = mid
		}
	}
	return high, nil
}

const sharedSnapshot = "snapshot"

// share puts the snapshot file of the index where other nodes can get it.
func (l *Log) share(ctx context.Context, index uint64) error {
	store, err := l.sharedStore(ctx)
	if err != nil {
		return err
	}
	data, err := os.ReadFile(filepath.Join(l.snapshots(), snapshotName(index)))
	if err != nil {
		return err
	}
	_, err = store.PutBytes(ctx, sharedSnapshot, data)
	return err
}

// fetchShared returns the snapshot that another node shared, and keeps it here. The
// embedded server has no other nodes: there is an empty one.
func (l *Log) fetchShared(ctx context.Context) (*snapshot, *acd.State, error) {
	if l.opts.URL == "" {
		return emptySnapshot(), nil, nil
	}
	store, err := l.sharedStore(ctx)
	if err != nil {
		return emptySnapshot(), nil, err
	}
	data, err := store.GetBytes(ctx, sharedSnapshot)
	if err != nil {
		return emptySnapshot(), nil, fmt.Errorf("no snapshot shared by another node: %w", err)
	}
	s, err := decodeSnapshot(data)
	if err != nil {
		return emptySnapshot(), nil, fmt.Errorf("shared snapshot: %w", err)
	}
	state, err := s.state()
	if err == nil {
		_, err = writeSnapshot(l.snapshots(), s.Index, data)
	}
	return s, state, err
}

func (l *Log) sharedStore(ctx context.Context) (jetstream.ObjectStore, error) {
	return l.engine.js.CreateOrUpdateObjectStore(ctx, jetstream.ObjectStoreConfig{
		Bucket:      l.opts.Name + "_snapshots",
		Description: "snapshot that covers what was trimmed from the log",
		Storage:     jetstream.FileStorage,
		Replicas:    l.opts.Replicas,
	})
}
