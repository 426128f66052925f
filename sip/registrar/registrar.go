// Package registrar keeps which contacts a user can be reached at: RFC 3261 section 10 whole, Path
// (RFC 3327), and the replacement rules of RFC 5626.
//
// It answers REGISTER requests that were validated, authenticated and authorised before; it does
// no network I/O, starts no goroutine per binding, and writes to its Store behind the answer, never
// before it. Bindings know the flow they came by: over a connection they end with it.
//
// Locks: each shard has one mutex, and no other lock, callback or I/O is entered under it.
package registrar

import (
	"fmt"
	"hash/maphash"
	"slices"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"

	"centrala/sip/header"
)

// Options of a Registrar; zero values stand for the defaults.
type Options struct {
	MinExpires     time.Duration // shorter wishes get 423; 60 s
	DefaultExpires time.Duration // where the phone names none; 1 h
	MaxExpires     time.Duration // longer wishes are cut; 2 h
	MaxContacts    int           // per user; 10. One more takes the place of the one not refreshed longest
	// Store keeps bindings over a restart; nil: nothing is kept.
	Store Store
	// StoreFailed hears of each failed write; the write is tried again. It may be called from any goroutine.
	StoreFailed func(user string, err error)
	// OnReachable hears when a user's first contact is bound and when the last one is gone: in
	// order per user, never concurrently for one user, and without a lock held. Users restored from
	// the Store are not announced: see Users.
	OnReachable func(user string, yes bool)
	Now         func() time.Time // time.Now
}

// Registrar is safe for concurrent use.
type Registrar struct {
	o      Options
	seed   maphash.Seed
	shards [16]shard
	writer *writer // nil without a Store
}

// New loads the bindings that the Store has kept: those that have not expired and do not depend on
// a connection, which cannot have outlived the process.
func New(o Options) (*Registrar, error) {
	setDefault(&o.MinExpires, time.Minute)
	setDefault(&o.DefaultExpires, time.Hour)
	setDefault(&o.MaxExpires, 2*time.Hour)
	setDefault(&o.MaxContacts, 10)
	if o.MinExpires > o.MaxExpires || o.DefaultExpires < o.MinExpires || o.DefaultExpires > o.MaxExpires {
		return nil, fmt.Errorf("registrar: expiry times out of order: minimum %v, default %v, maximum %v",
			o.MinExpires, o.DefaultExpires, o.MaxExpires)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.OnReachable == nil {
		o.OnReachable = func(string, bool) {}
	}
	if o.StoreFailed == nil {
		o.StoreFailed = func(string, error) {}
	}
	r := &Registrar{o: o, seed: maphash.MakeSeed()}
	for i := range r.shards {
		r.shards[i].init(r)
	}
	if o.Store == nil {
		return r, nil
	}
	kept, err := o.Store.Load()
	if err != nil {
		return nil, fmt.Errorf("registrar: load bindings: %w", err)
	}
	r.writer = newWriter(o.Store, r.Contacts, o.StoreFailed)
	for user, bindings := range kept {
		r.restore(user, bindings)
	}
	go r.writer.run()
	return r, nil
}

func setDefault[T int | time.Duration](v *T, d T) {
	if *v <= 0 {
		*v = d
	}
}

func (r *Registrar) restore(user string, bindings []Binding) {
	sh := r.shard(user)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	now := r.o.Now()
	lost := false
	for _, b := range bindings {
		uri, err := header.ParseURI(b.Contact)
		if err != nil || b.Flow.Connected() || !b.Expires.After(now) {
			lost = true
			continue
		}
		sh.add(sh.record(user), &entry{Binding: b, uri: uri})
	}
	if rec := sh.users[user]; rec != nil {
		rec.online = true
	}
	sh.arm(now)
	if lost {
		r.writer.mark(user)
	}
}

// Handle carries out a REGISTER and returns the answer. user is the key of the address of record
// in To, which the caller has found to exist (else 404) and whose owner the sender has proven to be
// (else 401 or 403): RFC 3261 10.3 steps 1 to 5. flow is what the request came by.
func (r *Registrar) Handle(req *sip.Request, user string, flow Flow) *sip.Response {
	now := r.o.Now()
	q, fault := r.read(req, flow, now)
	if fault != nil {
		return fault.Response(req)
	}
	sh := r.shard(user)
	sh.mu.Lock()
	if sh.closed {
		sh.mu.Unlock()
		return (&header.Fault{Code: sip.StatusServiceUnavailable, Reason: "Service Unavailable"}).Response(req)
	}
	if fault = sh.update(user, q, now); fault != nil {
		sh.mu.Unlock()
		return fault.Response(req)
	}
	res := sip.NewResponseFromRequest(req, sip.StatusOK, "OK", nil)
	// RFC 3261 10.3 step 8: all current bindings, each with its expires parameter; Date SHOULD be there.
	if rec := sh.users[user]; rec != nil {
		for _, e := range rec.entries {
			res.AppendHeader(sip.NewHeader("Contact", e.contactValue(now)))
		}
	}
	deliver := sh.mayDeliver()
	sh.mu.Unlock()

	res.AppendHeader(sip.NewHeader("Date", now.UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT")))
	if q.echoPath { // RFC 3327 5.3
		for _, p := range q.path {
			res.AppendHeader(sip.NewHeader("Path", p))
		}
	}
	if q.outbound { // RFC 5626 6
		res.AppendHeader(sip.NewHeader("Require", "outbound"))
	}
	if r.writer != nil && (q.star || len(q.contacts) > 0) {
		r.writer.mark(user)
	}
	if deliver {
		sh.deliver()
	}
	return res
}

// Contacts returns the live bindings of a user, highest q first, of equal ones the newest first.
// The paths of the result are shared and must not be changed.
func (r *Registrar) Contacts(user string) []Binding {
	now := r.o.Now()
	sh := r.shard(user)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	rec := sh.users[user]
	if rec == nil {
		return nil
	}
	list := make([]Binding, 0, len(rec.entries))
	for _, e := range rec.entries {
		if e.Expires.After(now) {
			list = append(list, e.Binding)
		}
	}
	slices.SortStableFunc(list, func(a, b Binding) int {
		if a.Q != b.Q {
			return int(b.Q) - int(a.Q)
		}
		return b.Updated.Compare(a.Updated)
	})
	return list
}

// FlowGone drops every binding that came by the flow: its connection is closed (RFC 5626 6), or a
// keepalive showed it dead.
func (r *Registrar) FlowGone(id string) {
	for i := range r.shards {
		sh := &r.shards[i]
		sh.mu.Lock()
		changed := sh.dropFlow(id)
		deliver := sh.mayDeliver()
		sh.mu.Unlock()
		r.written(changed)
		if deliver {
			sh.deliver()
		}
	}
}

func (r *Registrar) written(users []string) {
	if r.writer == nil {
		return
	}
	for _, u := range users {
		r.writer.mark(u)
	}
}

// Users returns the users with at least one contact, sorted.
func (r *Registrar) Users() []string {
	var list []string
	for i := range r.shards {
		sh := &r.shards[i]
		sh.mu.Lock()
		for user := range sh.users {
			list = append(list, user)
		}
		sh.mu.Unlock()
	}
	slices.SortFunc(list, strings.Compare)
	return list
}

// Close stops expiry and writes what the Store does not have yet. It announces nobody as gone.
// REGISTER requests that come later get 503.
func (r *Registrar) Close() {
	for i := range r.shards {
		r.shards[i].close()
	}
	if r.writer != nil {
		r.writer.close()
	}
}

func (r *Registrar) shard(user string) *shard {
	return &r.shards[maphash.String(r.seed, user)%uint64(len(r.shards))]
}
