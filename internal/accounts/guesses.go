package accounts

import (
	"container/list"
	"sync"
	"time"
)

// How those are slowed down who guess. After so many failures in a row the next attempt must wait,
// at first a second and each time twice as long. What is counted by user and address together
// bears little, so that a stranger cannot keep a user out from elsewhere; by the user alone it is
// only for those who guess from many addresses.
const (
	freePair    = 5
	freeAddress = 30
	freeUser    = 100
	freeKeys    = 100 // unknown API keys of an address

	pauseMax     = 15 * time.Minute
	pauseMaxUser = 30 * time.Second
	forgiven     = time.Hour // without a failure
	guessesMax   = 20_000    // counters; the oldest are forgotten
)

// limit is one thing that failures are counted by.
type limit struct {
	key  string
	free int
	max  time.Duration
}

// count is how often somebody failed.
type count struct {
	key    string
	failed int
	last   time.Time
	until  time.Time
}

// guesses counts failures. They do not outlive the process, and each node counts for itself.
type guesses struct {
	now func() time.Time

	mu    sync.Mutex
	byKey map[string]*list.Element
	order *list.List // the one that failed last comes last
}

func newGuesses(now func() time.Time) *guesses {
	return &guesses{now: now, byKey: map[string]*list.Element{}, order: list.New()}
}

func signInLimits(name, source string) []limit {
	return []limit{
		{"pair " + source + " " + name, freePair, pauseMax},
		{"address " + source, freeAddress, pauseMax},
		{"user " + name, freeUser, pauseMaxUser},
	}
}

// begin takes an attempt in; it counts as failed until succeeded says otherwise, so that many at
// once are many. A positive time: it is refused, for so long.
func (g *guesses) begin(limits []limit) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now()
	wait := time.Duration(0)
	for _, l := range limits {
		if e := g.byKey[l.key]; e != nil {
			wait = max(wait, e.Value.(*count).until.Sub(now))
		}
	}
	if wait > 0 {
		return wait
	}
	for _, l := range limits {
		g.fail(l, now)
	}
	return 0
}

func (g *guesses) fail(l limit, now time.Time) {
	e := g.byKey[l.key]
	if e == nil {
		e = g.order.PushBack(&count{key: l.key})
		g.byKey[l.key] = e
	}
	c := e.Value.(*count)
	if now.Sub(c.last) > forgiven {
		c.failed = 0
	}
	c.failed++
	c.last = now
	if over := c.failed - l.free; over >= 0 {
		c.until = now.Add(min(time.Second<<min(over, 20), l.max))
	}
	g.order.MoveToBack(e)
	for g.order.Len() > guessesMax {
		oldest := g.order.Front()
		delete(g.byKey, oldest.Value.(*count).key)
		g.order.Remove(oldest)
	}
}

// succeeded takes the attempt back: the pair is forgiven, of the others one failure is.
func (g *guesses) succeeded(limits []limit) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for n, l := range limits {
		e := g.byKey[l.key]
		if e == nil {
			continue
		}
		c := e.Value.(*count)
		c.failed--
		c.until = time.Time{}
		if n == 0 || c.failed <= 0 {
			delete(g.byKey, l.key)
			g.order.Remove(e)
		}
	}
}
