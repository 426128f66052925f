package registrar

import (
	"container/heap"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"

	"centrala/sip/header"
)

// shard holds a part of the users. Everything below mu is accessed under it.
type shard struct {
	r *Registrar

	mu     sync.Mutex
	closed bool
	users  map[string]*record
	flows  map[string][]*entry
	heap   expiries
	timer  *time.Timer
	armed  time.Time // when the timer fires; zero: it does not

	news       []news // changes of reachability that OnReachable has not heard of
	delivering bool
}

// record is a user with at least one contact.
type record struct {
	user    string
	entries []*entry // in the order of their first registration
	online  bool     // what OnReachable was last told, or will be
}

type news struct {
	user string
	yes  bool
}

func (sh *shard) init(r *Registrar) {
	sh.r = r
	sh.users = map[string]*record{}
	sh.flows = map[string][]*entry{}
	sh.timer = time.AfterFunc(time.Hour, sh.expire)
	sh.timer.Stop()
}

func (sh *shard) record(user string) *record {
	rec := sh.users[user]
	if rec == nil {
		rec = &record{user: strings.Clone(user)}
		sh.users[rec.user] = rec
	}
	return rec
}

// change is what a request does to one binding: add (no old), refresh, or remove (no new).
type change struct {
	old *entry
	new *contact
}

// update carries out a request wholly or not at all (RFC 3261 10.3 steps 6 and 7).
func (sh *shard) update(user string, q *request, now time.Time) *header.Fault {
	if !q.star && len(q.contacts) == 0 {
		return nil
	}
	var present []*entry
	if rec := sh.users[user]; rec != nil {
		present = rec.entries
	}
	changes, fault := plan(present, q, sh.r.o.MaxContacts)
	if fault != nil {
		return fault
	}
	rec := sh.record(user)
	for _, c := range changes {
		switch {
		case c.new == nil:
			sh.remove(c.old)
		case c.old == nil:
			e := &entry{}
			q.fill(e, c.new, now)
			sh.add(rec, e)
		default:
			if c.old.Flow.ID != q.flow.ID {
				sh.unlink(c.old)
				q.fill(c.old, c.new, now)
				sh.link(c.old)
			} else {
				q.fill(c.old, c.new, now)
			}
			heap.Fix(&sh.heap, c.old.index)
		}
	}
	sh.settle(rec)
	sh.arm(now)
	return nil
}

// plan finds what the request changes, or why it must not.
func plan(present []*entry, q *request, limit int) ([]change, *header.Fault) {
	// RFC 3261 10.3: with the Call-ID of the binding, only a higher CSeq may change it.
	late := func(e *entry) bool { return e.CallID == q.callID && q.cseq <= e.CSeq }
	outOfOrder := refuse(sip.StatusInternalServerError, "Out of Order")
	if q.star {
		changes := make([]change, 0, len(present))
		for _, e := range present {
			if late(e) {
				return nil, outOfOrder
			}
			changes = append(changes, change{old: e})
		}
		return changes, nil
	}
	changes := make([]change, 0, len(q.contacts))
	touched := func(e *entry) bool {
		return slices.ContainsFunc(changes, func(c change) bool { return c.old == e })
	}
	count := len(present)
	for i := range q.contacts {
		c := &q.contacts[i]
		if slices.ContainsFunc(q.contacts[i+1:], func(d contact) bool { return sameURI(&c.uri, &d.uri) }) {
			continue // named twice: the last one counts
		}
		var found *entry
		for _, e := range present {
			if touched(e) {
				continue
			}
			if c.matches(e) {
				if late(e) {
					return nil, outOfOrder
				}
				if found == nil {
					found = e
					continue
				}
			} else if !c.supersedes(e, q.callID) {
				continue
			}
			changes = append(changes, change{old: e})
			count--
		}
		switch {
		case !c.expires.IsZero():
			changes = append(changes, change{old: found, new: c})
			if found == nil {
				count++
			}
		case found != nil:
			changes = append(changes, change{old: found})
			count--
		}
	}
	for ; count > limit; count-- {
		var oldest *entry
		for _, e := range present {
			if !touched(e) && (oldest == nil || e.Updated.Before(oldest.Updated)) {
				oldest = e
			}
		}
		if oldest == nil {
			return nil, refuse(sip.StatusForbidden, "Too Many Contacts")
		}
		changes = append(changes, change{old: oldest})
	}
	return changes, nil
}

// matches tells whether the contact is that binding: the same flow of the same device (RFC 5626 6),
// else the same URI (RFC 3261 10.3 step 7).
func (c *contact) matches(e *entry) bool {
	if c.regID != 0 && e.RegID != 0 {
		return c.instance == e.Instance && c.regID == e.RegID
	}
	return sameURI(&c.uri, &e.uri)
}

// supersedes tells whether the binding is what the same device left behind before it started anew,
// which its new Call-ID shows: phones that pick a random port would otherwise ring in vain there.
func (c *contact) supersedes(e *entry, callID string) bool {
	return c.instance != "" && c.instance == e.Instance && c.regID == 0 && e.RegID == 0 &&
		!c.expires.IsZero() && e.CallID != callID
}

func (q *request) fill(e *entry, c *contact, now time.Time) {
	e.uri = c.uri
	e.Binding = Binding{
		Contact: c.text, Params: c.params, Q: c.q, CallID: q.callID, CSeq: q.cseq,
		Expires: c.expires, Updated: now, Instance: c.instance, RegID: c.regID,
		Path: q.path, Flow: q.flow, UserAgent: q.agent,
	}
}

func (sh *shard) add(rec *record, e *entry) {
	e.record = rec
	rec.entries = append(rec.entries, e)
	heap.Push(&sh.heap, e)
	sh.link(e)
}

func (sh *shard) remove(e *entry) {
	rec := e.record
	if i := slices.Index(rec.entries, e); i >= 0 {
		rec.entries = slices.Delete(rec.entries, i, i+1)
	}
	heap.Remove(&sh.heap, e.index)
	sh.unlink(e)
}

func (sh *shard) link(e *entry) {
	sh.flows[e.Flow.ID] = append(sh.flows[e.Flow.ID], e)
}

func (sh *shard) unlink(e *entry) {
	list := sh.flows[e.Flow.ID]
	if i := slices.Index(list, e); i >= 0 {
		list = slices.Delete(list, i, i+1)
	}
	if len(list) == 0 {
		delete(sh.flows, e.Flow.ID)
		return
	}
	sh.flows[e.Flow.ID] = list
}

// dropFlow removes the bindings of a flow and returns whose they were.
func (sh *shard) dropFlow(id string) (users []string) {
	for _, e := range slices.Clone(sh.flows[id]) {
		sh.remove(e)
		sh.settle(e.record)
		users = append(users, e.record.user)
	}
	return users
}

// settle notes whether the user has become reachable or unreachable, and forgets one without contacts.
func (sh *shard) settle(rec *record) {
	if online := len(rec.entries) > 0; online != rec.online {
		rec.online = online
		sh.news = append(sh.news, news{rec.user, online})
	}
	if len(rec.entries) == 0 {
		delete(sh.users, rec.user)
	}
}

// arm sets the timer for the binding that expires first. It is left alone while it fires early
// enough, so that re-registrations do not touch it.
func (sh *shard) arm(now time.Time) {
	if sh.closed || len(sh.heap) == 0 {
		return
	}
	first := sh.heap[0].Expires
	if !sh.armed.IsZero() && !first.Before(sh.armed) {
		return
	}
	sh.armed = first
	sh.timer.Reset(max(first.Sub(now), time.Millisecond))
}

// expire runs when the timer fires: bindings whose time is over go.
func (sh *shard) expire() {
	now := sh.r.o.Now()
	var users []string
	sh.mu.Lock()
	sh.armed = time.Time{}
	for !sh.closed && len(sh.heap) > 0 && !sh.heap[0].Expires.After(now) {
		e := sh.heap[0]
		sh.remove(e)
		sh.settle(e.record)
		users = append(users, e.record.user)
	}
	sh.arm(now)
	deliver := sh.mayDeliver()
	sh.mu.Unlock()
	sh.r.written(users)
	if deliver {
		sh.deliver()
	}
}

func (sh *shard) close() {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	sh.closed = true
	sh.timer.Stop()
}

// mayDeliver takes the right to tell OnReachable, which one goroutine has at a time: that, and the
// queue filled under the lock, keep the order. Who gets true calls deliver after unlocking.
func (sh *shard) mayDeliver() bool {
	if sh.delivering || len(sh.news) == 0 {
		return false
	}
	sh.delivering = true
	return true
}

func (sh *shard) deliver() {
	sh.mu.Lock()
	for len(sh.news) > 0 {
		batch := sh.news
		sh.news = nil
		sh.mu.Unlock()
		for _, n := range batch {
			sh.r.o.OnReachable(n.user, n.yes)
		}
		sh.mu.Lock()
	}
	sh.delivering = false
	sh.mu.Unlock()
}

// expiries is a heap by expiry time (container/heap).
type expiries []*entry

func (h expiries) Len() int           { return len(h) }
func (h expiries) Less(i, j int) bool { return h[i].Expires.Before(h[j].Expires) }
func (h expiries) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

// Push implements heap.Interface.
func (h *expiries) Push(x any) {
	e, _ := x.(*entry)
	e.index = len(*h)
	*h = append(*h, e)
}

// Pop implements heap.Interface.
func (h *expiries) Pop() any {
	last := len(*h) - 1
	e := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	return e
}
