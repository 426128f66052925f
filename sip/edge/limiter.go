package edge

import (
	"net/netip"
	"sync"
	"time"
)

// Rate limits a source: so many datagrams a second over time, so many at once.
type Rate struct {
	PerSecond float64
	Burst     float64
}

// limiterSize bounds each of the two generations of sources; together with the
// trusted ones the table holds at most about 6 MB.
const limiterSize = 8192

// trustFor is how long an address stays trusted after it proved itself.
const trustFor = time.Hour

// Limiter is a token bucket for each source address (each /64 of IPv6). Its
// memory is bounded: sources live in two generations, of which the older is
// dropped when the younger is full. What keeps a flood from forged addresses
// cheap is the extra bucket that all new sources share.
type Limiter struct {
	source  Rate
	strange Rate
	fixed   func(netip.Addr) bool
	now     func() time.Time

	mu      sync.Mutex
	young   map[netip.Addr]*bucket
	old     map[netip.Addr]*bucket
	trusted map[netip.Addr]time.Time // until when
	fresh   bucket                   // shared by all addresses not seen lately
}

type bucket struct {
	tokens float64
	at     time.Time
}

// NewLimiter makes a limiter. Addresses for which trusted reports true (it may
// be nil) and those given to Trust are never limited. strange limits the first
// datagrams of new addresses, all together.
func NewLimiter(source, strange Rate, trusted func(netip.Addr) bool) *Limiter {
	return &Limiter{
		source: source, strange: strange, fixed: trusted, now: time.Now,
		young: map[netip.Addr]*bucket{}, old: map[netip.Addr]*bucket{}, trusted: map[netip.Addr]time.Time{},
		fresh: bucket{tokens: strange.Burst},
	}
}

// Allow takes a token of the source, and false if there is none.
func (l *Limiter) Allow(a netip.Addr) bool {
	a = limitKey(a)
	if l.fixed != nil && l.fixed(a) {
		return true
	}
	now := l.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	if until, ok := l.trusted[a]; ok {
		if now.Before(until) {
			return true
		}
		delete(l.trusted, a)
	}
	b := l.young[a]
	if b == nil {
		if b = l.old[a]; b == nil {
			if !l.fresh.take(now, l.strange) {
				return false
			}
			b = &bucket{tokens: l.source.Burst, at: now}
		}
		if len(l.young) >= limiterSize {
			l.young, l.old = map[netip.Addr]*bucket{}, l.young
		}
		l.young[a] = b
	}
	return b.take(now, l.source)
}

// Trust exempts an address, for an hour from now, because somebody behind it
// proved to be a user.
func (l *Limiter) Trust(a netip.Addr) {
	a = limitKey(a)
	now := l.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, known := l.trusted[a]; !known && len(l.trusted) >= limiterSize {
		for k, until := range l.trusted {
			if !now.Before(until) {
				delete(l.trusted, k)
			}
		}
		if len(l.trusted) >= limiterSize {
			return
		}
	}
	l.trusted[a] = now.Add(trustFor)
}

func (b *bucket) take(now time.Time, r Rate) bool {
	if !b.at.IsZero() {
		b.tokens = min(r.Burst, b.tokens+now.Sub(b.at).Seconds()*r.PerSecond)
	}
	b.at = now
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}

// limitKey makes one source of a whole IPv6 /64, which one host may own.
func limitKey(a netip.Addr) netip.Addr {
	a = a.Unmap()
	if a.Is6() {
		if p, err := a.Prefix(64); err == nil {
			return p.Addr()
		}
	}
	return a
}
