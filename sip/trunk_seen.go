package sip

import (
	"errors"
	"net/netip"
	"sync"
	"time"
)

// TrunkState is what was found out of a trunk.
type TrunkState string

// The states of a trunk: the first two of those that are asked whether they are
// there, the others of those that we register with.
const (
	TrunkUp           TrunkState = "up"   // one of its addresses answers
	TrunkDown         TrunkState = "down" // none does
	TrunkRegistered   TrunkState = "registered"
	TrunkUnregistered TrunkState = "unregistered"
)

var (
	errExpired = errors.New("the registration ran out")
	errLeft    = errors.New("the settings have changed")
)

// seen tells whoever wants to know of another state of a trunk. Called without the stack's locks.
func (s *Stack) seen(trunk string, now TrunkState, why error) {
	if s.o.TrunkSeen == nil {
		return
	}
	text := ""
	if why != nil {
		text = why.Error()
	}
	s.o.TrunkSeen(trunk, now, text)
}

// telling is what was told of a registration last. While it tells, nobody else of the same
// registration does, so that what is told is in order.
type telling struct {
	mu   sync.Mutex
	told TrunkState // empty: nothing

	ends *time.Timer // when the registration runs out; nil: there was none. Accessed by the registration's goroutine only
}

// tell tells of another state of the registration than was told of last.
func (r *registration) tell(now TrunkState, why error) {
	r.telling.mu.Lock()
	defer r.telling.mu.Unlock()
	if now == TrunkUnregistered && r.t.registered(r.s.now()) {
		return // it lasts
	}
	if r.telling.told != now {
		r.telling.told = now
		r.s.seen(r.t.id, now, why)
	}
}

// tellGranted tells that we are registered, and once it has run out that we are not any more.
func (r *registration) tellGranted(granted time.Duration) {
	r.tell(TrunkRegistered, nil)
	if r.telling.ends != nil {
		r.telling.ends.Stop()
	}
	r.telling.ends = time.AfterFunc(granted, func() { r.tell(TrunkUnregistered, errExpired) })
}

// left notes that the registration is over. When the stack closes nobody is told.
func (r *registration) left() {
	r.t.setRegistered(time.Time{}, netip.Addr{})
	if r.telling.ends == nil {
		return
	}
	r.s.regMu.Lock()
	goesOn := r.s.registering
	r.s.regMu.Unlock()
	if r.telling.ends.Stop() && goesOn {
		r.tell(TrunkUnregistered, errLeft)
	}
}
