package eventlog

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"centrala/acd"
)

// join looks whether the log goes on where the snapshot ends, and makes it so where
// it may. It returns what to begin with.
func (l *Log) join(ctx context.Context, base *snapshot, state *acd.State) (*snapshot, *acd.State, error) {
	info, err := l.stream.Info(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("event log: stream: %w", err)
	}
	first, last := info.State.FirstSeq, info.State.LastSeq
	switch {
	case last < base.Index && l.opts.URL != "":
		return nil, nil, fmt.Errorf("event log: %w: the snapshot goes to entry %d, the stream only to %d; was the stream made anew? "+
			"Other nodes may differ: move %s away to follow the stream", ErrGap, base.Index, last, l.snapshots())
	case last < base.Index:
		// After a loss of power the snapshot, which is flushed to disk, may be newer
		// than the log. New entries must not get the numbers of those in it.
		l.opts.Log.Warn().Uint64("snapshot", base.Index).Uint64("log", last).
			Msg("the log lost its tail; it goes on after the snapshot")
		if err := l.stream.Purge(ctx, jetstream.WithPurgeSequence(base.Index+1)); err != nil {
			return nil, nil, fmt.Errorf("event log: %w", err)
		}
	case first > base.Index+1:
		shared, sharedState, err := l.fetchShared(ctx)
		if err != nil || shared.Index+1 < first {
			return nil, nil, fmt.Errorf("event log: %w: the log begins at entry %d, the newest usable snapshot in %s ends at %d",
				errors.Join(ErrGap, err), first, l.snapshots(), base.Index)
		}
		return shared, sharedState, nil
	}
	return base, state, nil
}

// replay applies what the log holds behind the snapshot, opens this process's
// session, and applies up to the record that opened it: then everything that was
// logged before has been seen.
func (l *Log) replay(ctx context.Context) error {
	l.reader = newReader(l.engine, streamName(l.opts.Name), l.index+1)
	if err := l.reader.open(ctx); err != nil {
		return fmt.Errorf("event log: read: %w", err)
	}
	info, err := l.stream.Info(ctx)
	if err != nil {
		return fmt.Errorf("event log: stream: %w", err)
	}
	from := l.index
	if err := l.readTo(ctx, info.State.LastSeq); err != nil {
		return err
	}
	if err := l.skip(ctx); err != nil {
		return err
	}
	l.nonce = newNonce()
	for {
		epoch := uint64(1)
		if s := l.sessions[l.opts.Node]; s != nil {
			epoch = s.Epoch + 1
		}
		prefix := recordPrefix(l.opts.Node, epoch, l.nonce)
		ack, err := l.engine.js.Publish(ctx, subjectName(l.opts.Name), appendRecord(nil, prefix, 0, nil))
		if err != nil {
			return fmt.Errorf("event log: open session: %w", err)
		}
		if err := l.readTo(ctx, ack.Sequence); err != nil {
			return err
		}
		// What this node sent just before it crashed may still have come in between.
		if s := l.sessions[l.opts.Node]; s.Nonce == l.nonce {
			l.window = newWindow(l.opts.Window, prefix)
			l.opts.Log.Info().Uint64("from", from).Uint64("to", l.index).Msg("event log replayed")
			return nil
		}
	}
}

// skip has a log that ends before Options.After go on behind it.
func (l *Log) skip(ctx context.Context) error {
	if l.index >= l.opts.After || l.opts.URL != "" {
		return nil
	}
	// One number is left out, so that whoever follows the log sees that it has a gap.
	after := l.opts.After + 1
	l.opts.Log.Warn().Uint64("log", l.index).Uint64("after", after).Msg("the log ends before what is written down elsewhere; it goes on behind that")
	data, err := encodeSnapshot(snapshotHead{Index: after, At: l.at, Sessions: l.sessions}, l.state, 0)
	if err != nil {
		return fmt.Errorf("event log: %w", err)
	}
	// The snapshot comes first: if the process ends in between, join does the rest.
	if _, err := writeSnapshot(l.snapshots(), after, data); err != nil {
		return fmt.Errorf("event log: %w", err)
	}
	if err := l.stream.Purge(ctx, jetstream.WithPurgeSequence(after+1)); err != nil {
		return fmt.Errorf("event log: %w", err)
	}
	l.reader.close()
	l.index = after
	l.seen.Store(after)
	l.reader = newReader(l.engine, streamName(l.opts.Name), after+1)
	if err := l.reader.open(ctx); err != nil {
		return fmt.Errorf("event log: read: %w", err)
	}
	return nil
}

// readTo applies entries until the one of the index, without commands.
func (l *Log) readTo(ctx context.Context, index uint64) error {
	tick := time.NewTicker(heartbeat)
	defer tick.Stop()
	for l.index < index {
		select {
		case <-tick.C:
			if l.reader.silent() {
				if err := l.reader.open(ctx); err != nil {
					return fmt.Errorf("event log: read: %w", err)
				}
			}
		case m := <-l.reader.ch:
			msg, ok, again, err := l.reader.accept(m)
			if errors.Is(err, ErrGap) && l.opts.URL == "" {
				// What the disk lost is lost, and there is no other node to differ from.
				l.opts.Log.Error().Err(err).Msg("the log has a hole; replay goes on behind it")
				ok, err = true, nil
			}
			if err != nil {
				return fmt.Errorf("event log: %w", err)
			}
			if again || l.reader.overrun() {
				if err := l.reader.open(ctx); err != nil {
					return fmt.Errorf("event log: read: %w", err)
				}
			}
			if !ok {
				continue
			}
			if _, _, err := l.step(msg); err != nil {
				return fmt.Errorf("event log: %w", err)
			}
		case <-ctx.Done():
			return fmt.Errorf("event log: replay of entry %d of %d: %w", l.index, index, ctx.Err())
		}
	}
	return nil
}
