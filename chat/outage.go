package chat

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"
)

// Outage tells the log once that the database is away, and once that it is back, however many of those who
// need it find out. Its methods may be called from any goroutine; a nil Outage knows of none.
type Outage struct {
	away func(error) bool
	log  zerolog.Logger
	now  func() time.Time

	is    atomic.Bool
	mu    sync.Mutex
	since time.Time
	met   int // errors of it
}

// NewOutage makes one. Away tells whether an error means that the database cannot be reached; now may be nil.
func NewOutage(away func(error) bool, log zerolog.Logger, now func() time.Time) *Outage {
	if now == nil {
		now = time.Now
	}
	return &Outage{away: away, log: log, now: now}
}

// Is tells whether an error is one of the database that is away: then that has been told, and there is no more to tell.
func (o *Outage) Is(err error) bool {
	if o == nil || err == nil || !o.away(err) {
		return false
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.met++; o.is.Load() {
		return true
	}
	o.since = o.now()
	o.is.Store(true)
	o.log.Error().Err(err).Msg("chats wait: the database is away")
	return true
}

// Over tells that the database did something.
func (o *Outage) Over() {
	if o == nil || !o.is.Load() {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.is.Load() {
		return
	}
	o.is.Store(false)
	o.log.Info().Dur("away_for_ms", o.now().Sub(o.since)).Int("errors", o.met).Msg("chats go on: the database is back")
	o.met = 0
}
