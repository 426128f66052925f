package auth

import (
	"net/netip"
	"strings"
	"sync"
	"time"
)

// forgive is how long after the last wrong password the slate is clean, unless a pause lasts longer.
const forgive = 15 * time.Minute

// offences counts wrong passwords per claimed user name and source address. A phone at another
// address is never affected, whatever an attacker does. Only senders that hold a nonce for their
// address get here, so addresses can't be forged.
type offences struct {
	free  int
	most  time.Duration
	limit int

	mu    sync.Mutex
	table map[offender]*offence
	order []offender // those in table and some that were forgiven since, oldest first
}

type offender struct {
	username string
	source   netip.Addr
}

type offence struct {
	count int
	last  time.Time
	until time.Time // paused until
}

func newOffences(free int, most time.Duration, limit int) *offences {
	return &offences{free: free, most: most, limit: limit, table: map[offender]*offence{}}
}

// paused tells whether the pause after a wrong password still runs, and for how long.
func (o *offences) paused(username string, source netip.Addr, now time.Time) (left time.Duration, yes bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.table) == 0 {
		return 0, false
	}
	e := o.table[offender{username, source}]
	if e == nil || !now.Before(e.until) {
		return 0, false
	}
	return e.until.Sub(now), true
}

// count notes a wrong password. After the free ones each starts a pause: 1 s, 2 s, 4 s and so on.
func (o *offences) count(username string, source netip.Addr, now time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	key := offender{username, source}
	e := o.table[key]
	if e == nil {
		o.makeRoom()
		key.username = strings.Clone(username) // not a part of the whole message
		e = &offence{}
		o.table[key] = e
		o.order = append(o.order, key)
	}
	if now.Sub(e.last) > forgive {
		e.count = 0
	}
	e.count++
	e.last = now
	if over := e.count - o.free; over >= 0 {
		e.until = now.Add(min(time.Second<<min(over, 20), o.most))
	}
}

// makeRoom drops the oldest entry when the table is full, and the forgiven ones from the order.
func (o *offences) makeRoom() {
	if len(o.order) < o.limit {
		return
	}
	kept := o.order[:0]
	for _, k := range o.order {
		if o.table[k] != nil {
			kept = append(kept, k)
		}
	}
	clear(o.order[len(kept):])
	o.order = kept
	if len(kept) >= o.limit {
		quarter := max(1, len(kept)/4) // in one go, so that a full table costs little per entry
		for _, k := range kept[:quarter] {
			delete(o.table, k)
		}
		n := copy(o.order, kept[quarter:])
		clear(o.order[n:])
		o.order = o.order[:n]
	}
}

// forget clears the slate after a right password.
func (o *offences) forget(username string, source netip.Addr) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.table) != 0 {
		delete(o.table, offender{username, source})
	}
}
