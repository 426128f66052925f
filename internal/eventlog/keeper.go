package eventlog

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"centrala/acd"
)

// keeper makes the snapshots. It has a state of its own, which it brings up to
// date with the same entries just before it writes one, so that the state that
// answers calls never waits for a snapshot.
type keeper struct {
	dir     string
	every   int
	written func(index, oldest uint64) // after each snapshot; called by the keeper's goroutine
	failed  func(error)                // likewise

	batch   chan batch
	busy    atomic.Bool
	stopped chan struct{}

	mu    sync.Mutex
	index uint64 // of the newest snapshot
	at    time.Time
	bytes int
	took  time.Duration

	// accessed by the applier only
	since []acd.Entry

	// accessed by the keeper's goroutine only
	base  *snapshot // what the state is made from when first needed
	state *acd.State
}

// batch is what happened since the batch before, and what the snapshot's head is to say.
type batch struct {
	entries []acd.Entry
	head    snapshotHead
}

func newKeeper(dir string, every int, base *snapshot) *keeper {
	return &keeper{
		dir: dir, every: every, base: base,
		written: func(uint64, uint64) {},
		failed:  func(error) {},
		batch:   make(chan batch, 1),
		stopped: make(chan struct{}),
		index:   base.Index, at: base.At,
	}
}

// run works until the channel of batches is closed.
func (k *keeper) run() {
	defer close(k.stopped)
	for b := range k.batch {
		oldest, err := k.write(b)
		if err != nil {
			k.failed(fmt.Errorf("snapshot at entry %d: %w", b.head.Index, err))
		} else {
			k.written(b.head.Index, oldest)
		}
		k.busy.Store(false)
	}
}

// note remembers an applied entry, and hands what there is to the keeper when
// enough has come together and it is not busy. Called by the applier.
func (k *keeper) note(e acd.Entry, head snapshotHead) {
	k.since = append(k.since, e)
	if len(k.since) < k.every || k.busy.Load() {
		return
	}
	k.busy.Store(true)
	k.hand(head)
}

func (k *keeper) hand(head snapshotHead) {
	head.Sessions = head.Sessions.clone()
	k.batch <- batch{entries: k.since, head: head}
	k.since = nil
}

// close writes a last snapshot if anything happened since the one before, and ends
// the keeper. Called once the applier has ended.
func (k *keeper) close(head snapshotHead) {
	if len(k.since) > 0 {
		k.hand(head)
	}
	k.abandon()
}

// abandon ends the keeper without a last snapshot.
func (k *keeper) abandon() {
	close(k.batch)
	<-k.stopped
}

func (k *keeper) write(b batch) (oldest uint64, err error) {
	start := time.Now()
	if k.state == nil {
		if k.state, err = k.base.state(); err != nil {
			return 0, err
		}
		k.base = nil
	}
	for _, e := range b.entries {
		k.state.Apply(e)
	}
	_, _, last, _ := k.newest()
	data, err := encodeSnapshot(b.head, k.state, last+last/8)
	if err != nil {
		return 0, err
	}
	if oldest, err = writeSnapshot(k.dir, b.head.Index, data); err != nil {
		return 0, err
	}
	k.mu.Lock()
	k.index, k.at, k.bytes, k.took = b.head.Index, b.head.At, len(data), time.Since(start)
	k.mu.Unlock()
	return oldest, nil
}

// newest returns the index of the newest snapshot, the time of its last entry, its
// size in bytes and how long it took to make.
func (k *keeper) newest() (index uint64, at time.Time, bytes int, took time.Duration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.index, k.at, k.bytes, k.took
}
