package eventlog

import (
	"sync"
	"time"

	"centrala/acd"
)

// retryDeadline is when a deadline is tried again that could not be appended.
const retryDeadline = 50 * time.Millisecond

// deadline is what acd.State.NextDeadline returned.
type deadline struct {
	at         time.Time
	id         acd.DeadlineID
	generation uint64
	ok         bool
}

func nextDeadline(s *acd.State) deadline {
	var d deadline
	d.at, d.id, d.generation, d.ok = s.NextDeadline()
	return d
}

// deadlines is the one timer of the log. While this node leads it waits for the
// state's next deadline and appends DeadlinePassed, once per generation. Time is
// the log's time: a clock that is set back does not hold up a deadline.
type deadlines struct {
	append func(acd.Event) *Receipt

	mu      sync.Mutex
	leads   bool
	stopped bool
	next    deadline
	told    map[uint64]struct{} // generations appended and not applied yet
	at      time.Time           // time of the log when it last moved on
	since   time.Time           // when that was, by the monotonic clock
	timer   *time.Timer
}

func newDeadlines(appendEvent func(acd.Event) *Receipt) *deadlines {
	return &deadlines{append: appendEvent, told: map[uint64]struct{}{}}
}

// applied tells of an entry, and what the state waits for after it.
func (d *deadlines) applied(e acd.Entry, next deadline) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if passed, ok := e.Event.(*acd.DeadlinePassed); ok {
		delete(d.told, passed.Generation) // one that was applied never comes back
	}
	if e.At.After(d.at) {
		d.at, d.since = e.At, time.Now()
	}
	if next == d.next {
		return
	}
	d.next = next
	d.arm()
}

// now is the time of the log: that of its last entry and what has gone by since,
// or the clock's if that is later.
func (d *deadlines) now() time.Time {
	now := time.Now()
	if d.since.IsZero() {
		return now
	}
	if byLog := d.at.Add(now.Sub(d.since)); byLog.After(now) {
		return byLog
	}
	return now
}

// lead tells whether this node leads.
func (d *deadlines) lead(yes bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.leads = yes
	d.arm()
}

// stop disarms for good.
func (d *deadlines) stop() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.stopped = true
	d.arm()
}

// due tells whether there is a deadline for this node to wait for.
func (d *deadlines) due() bool {
	_, told := d.told[d.next.generation]
	return d.leads && !d.stopped && d.next.ok && !told
}

// arm sets the timer to what is waited for now.
func (d *deadlines) arm() {
	if !d.due() {
		if d.timer != nil {
			d.timer.Stop()
		}
		return
	}
	d.wait(max(0, d.next.at.Sub(d.now())))
}

func (d *deadlines) wait(t time.Duration) {
	if d.timer == nil {
		d.timer = time.AfterFunc(t, d.fire)
		return
	}
	d.timer.Reset(t)
}

// fire is called by the timer, perhaps late: then it finds another deadline waited
// for, or none.
func (d *deadlines) fire() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.due() {
		return
	}
	if left := d.next.at.Sub(d.now()); left > 0 {
		d.wait(left)
		return
	}
	r := d.append(&acd.DeadlinePassed{Deadline: d.next.id, Generation: d.next.generation})
	if r.Err() != nil {
		d.wait(retryDeadline)
		return
	}
	d.told[d.next.generation] = struct{}{}
}
