package eventlog

import (
	"bytes"
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

const leaseKey = "leader"

// lease decides which node leads: the one that holds the only key of a bucket whose
// entries expire. The holder renews it three times in its lifetime, by the revision
// it wrote last, so that one who was thought dead cannot renew. It counts its time
// from before it asked, so it knows that it lost the lease no later than the others.
type lease struct {
	engine  *engine
	opts    Options
	changed func(leads bool) // called by the lease's goroutine

	held atomic.Pointer[time.Time] // until when the lease is this node's; nil: it is not

	// accessed by the lease's goroutine only
	kv       jetstream.KeyValue // nil: to be opened
	revision uint64
}

func newLease(e *engine, o Options, changed func(bool)) *lease {
	return &lease{engine: e, opts: o, changed: changed}
}

// leads tells whether this node leads at this moment.
func (l *lease) leads() bool {
	until := l.held.Load()
	return until != nil && time.Now().Before(*until)
}

// run holds or seeks the lease until the context ends, then gives it back.
func (l *lease) run(ctx context.Context) {
	tick := time.NewTicker(l.opts.LeaseTTL / 3)
	defer tick.Stop()
	for {
		l.step()
		select {
		case <-tick.C:
		case <-ctx.Done():
			l.giveBack()
			return
		}
	}
}

// step renews the lease or tries to get it. What it asks of the servers it sees to
// its end, so that nothing is under way when the embedded one is shut down.
func (l *lease) step() {
	pause := l.opts.LeaseTTL / 3
	ctx, cancel := context.WithTimeout(context.Background(), min(pause, requestTimeout))
	defer cancel()
	until := l.held.Load()
	if until == nil {
		l.seek(ctx)
		return
	}
	asked := time.Now()
	revision, err := l.kv.Update(ctx, leaseKey, []byte(l.opts.Node), l.revision)
	switch {
	case err == nil:
		l.hold(revision, asked)
	case errors.Is(err, jetstream.ErrKeyRevisionMismatch):
		l.lose("taken over or expired")
	case !time.Now().Add(pause).Before(*until): // too late to try once more
		l.lose("could not be renewed")
	}
}

// seek takes the lease if it is free, or was this node's before it crashed. Where
// somebody was faster, or the servers are out of reach, the next step tries again.
func (l *lease) seek(ctx context.Context) {
	if l.kv == nil && !l.open(ctx) {
		return
	}
	me := []byte(l.opts.Node)
	asked := time.Now()
	var revision uint64
	now, err := l.kv.Get(ctx, leaseKey)
	switch {
	case errors.Is(err, jetstream.ErrKeyNotFound):
		revision, err = l.kv.Create(ctx, leaseKey, me)
	case err != nil:
		l.kv = nil // perhaps gone: it is in the servers' memory
	case !bytes.Equal(now.Value(), me):
		return
	default:
		revision, err = l.kv.Update(ctx, leaseKey, me, now.Revision())
	}
	if err != nil {
		return
	}
	l.hold(revision, asked)
	l.opts.Log.Info().Uint64("revision", revision).Msg("this node leads")
	l.changed(true)
}

func (l *lease) open(ctx context.Context) bool {
	kv, err := l.engine.js.CreateOrUpdateKeyValue(ctx, jetstream.KeyValueConfig{
		Bucket:      l.opts.Name + "_lease",
		Description: "who leads " + l.opts.Name,
		TTL:         l.opts.LeaseTTL,
		Storage:     jetstream.MemoryStorage,
		Replicas:    l.opts.Replicas,
	})
	if err != nil {
		l.opts.Log.Warn().Err(err).Msg("bucket of the lease not opened; will be tried again")
		return false
	}
	l.kv = kv
	return true
}

func (l *lease) hold(revision uint64, asked time.Time) {
	until := asked.Add(l.opts.LeaseTTL)
	l.revision = revision
	l.held.Store(&until)
}

func (l *lease) lose(why string) {
	l.held.Store(nil)
	l.opts.Log.Warn().Str("why", why).Msg("this node does not lead any more")
	l.changed(false)
}

// giveBack lets another node take the lease at once.
func (l *lease) giveBack() {
	if l.held.Swap(nil) == nil {
		return
	}
	l.changed(false)
	ctx, cancel := context.WithTimeout(context.Background(), min(l.opts.LeaseTTL/3, requestTimeout))
	defer cancel()
	if err := l.kv.Delete(ctx, leaseKey, jetstream.LastRevision(l.revision)); err != nil {
		l.opts.Log.Debug().Err(err).Msg("lease not given back; it expires")
	}
}
