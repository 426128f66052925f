package widget

import (
	"net/netip"
	"sync"
	"time"
)

// limits say how often something may be done. What a visitor's token does is counted first: of
// an office behind one address many may write, and one who writes too much stops nobody else.
type limits struct {
	messages  *buckets // of a token
	files     *buckets
	signs     *buckets // typing, what was read
	sessions  *buckets // of an address: tokens made
	bad       *buckets // tokens that are none of ours
	addressed *buckets // all frames and files
	letters   *buckets // of an address of e-mail, and of one of the network
}

// bucketsMost is how many are remembered of each kind before those are forgotten that are full again.
const bucketsMost = 20_000

func newLimits(now func() time.Time) limits {
	make := func(burst int, every time.Duration) *buckets {
		return &buckets{now: now, burst: time.Duration(burst) * every, every: every, full: map[string]time.Time{}}
	}
	return limits{
		messages: make(20, time.Second), files: make(10, 6*time.Second), signs: make(30, 500*time.Millisecond),
		sessions: make(60, 2*time.Second), bad: make(20, 5*time.Second), addressed: make(600, 20*time.Millisecond),
		letters: make(5, time.Hour),
	}
}

// buckets hold so many turns each, and get one more every so often.
type buckets struct {
	now          func() time.Time
	burst, every time.Duration

	mu   sync.Mutex
	full map[string]time.Time // when it will be again
}

// take takes a turn; if there is none it says when there will be.
func (b *buckets) take(name string) *refusal { return b.turn(name, true) }

// empty tells whether there is no turn left, and takes none.
func (b *buckets) empty(name string) *refusal { return b.turn(name, false) }

func (b *buckets) turn(name string, take bool) *refusal {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.now()
	full := b.full[name]
	if full.Before(now) {
		full = now
	}
	if wait := full.Add(b.every).Sub(now) - b.burst; wait > 0 {
		return &refusal{code: codeTooMany, after: wait}
	}
	if !take {
		return nil
	}
	if len(b.full) >= bucketsMost {
		for k, at := range b.full {
			if at.Before(now) {
				delete(b.full, k)
			}
		}
	}
	b.full[name] = full.Add(b.every)
	return nil
}

// network is whom an address counts for: of IPv6 a customer has at least a /64.
func network(a netip.Addr) string {
	if a.Is6() {
		if p, err := a.Prefix(64); err == nil {
			return p.String()
		}
	}
	return a.String()
}
