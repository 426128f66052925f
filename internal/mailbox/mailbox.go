// Package mailbox is the queue of an actor: functions posted from anywhere run one
// after another, in order, never two at a time.
package mailbox

import "sync"

// Limit is the trip wire: an owner that falls this many items behind is broken
// or under attack and is told so, once, to end itself.
const Limit = 1024

// hardLimit bounds what is taken on while the owner ends itself.
const hardLimit = 16 * Limit

// Box is one actor's queue. It needs a goroutine only while there is work, so
// that an actor that merely waits costs none. Set the fields before the first
// Post; they must not change afterwards.
type Box struct {
	Run      func(f func()) // runs one item; must not panic
	Idle     func() bool    // asked whenever the queue is empty; true closes the box for good
	Overflow func()         // called at most once, on the poster's goroutine, when Limit is reached

	mu      sync.Mutex
	queue   []func()
	running bool
	closed  bool
	tripped bool
}

// Post queues f and returns at once. False means that the owner is gone, or
// hopelessly behind, and that f will never run.
func (m *Box) Post(f func()) bool {
	m.mu.Lock()
	if m.closed || len(m.queue) >= hardLimit {
		m.mu.Unlock()
		return false
	}
	m.queue = append(m.queue, f)
	start := !m.running
	m.running = true
	trip := len(m.queue) >= Limit && !m.tripped
	m.tripped = m.tripped || trip
	m.mu.Unlock()
	if start {
		go m.drain()
	}
	if trip {
		m.Overflow()
	}
	return true
}

// growStack makes the stack of a fresh goroutine large enough for most items in one step, while next to
// nothing is on it. Growing by doubling under a deep call copies it several times: that took four times
// as long as the rest of an item's start, and 7 % of all that a call costs.
//
//go:noinline
func growStack(i int) byte {
	var room [12 << 10]byte
	return room[i]
}

func (m *Box) drain() {
	growStack(0)
	var batch []func()
	for {
		m.mu.Lock()
		if len(m.queue) == 0 {
			m.running = false
			m.closed = m.Idle()
			m.queue = nil
			m.mu.Unlock()
			return
		}
		batch, m.queue = m.queue, batch[:0]
		m.mu.Unlock()
		for i, f := range batch {
			m.Run(f)
			batch[i] = nil
		}
	}
}
