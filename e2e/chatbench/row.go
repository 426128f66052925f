package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"centrala/e2e/process"
)

// bench is what is going on with one server.
type bench struct {
	*options
	name    string
	server  *process.Server
	ctx     context.Context // ends with the bench
	http    *http.Client
	admin   string // its session
	windows []*window
	agents  []*agent
	talking []*window // whose chats agents have, from the first of windows on
	row     atomic.Pointer[row]

	mu     sync.Mutex
	faults []error
}

// wrong notes what must not happen; the first of them is told in the end.
func (b *bench) wrong(err error) {
	if err == nil || b.ctx.Err() != nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.faults = append(b.faults, err)
}

// fault is the first of what went wrong.
func (b *bench) fault() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.faults) == 0 {
		return nil
	}
	return fmt.Errorf("%d things went wrong; the first: %w", len(b.faults), b.faults[0])
}

// row is some messages: when each was due, was acknowledged, and came to the other side.
type row struct {
	began time.Time
	due   []time.Duration // since then, as the next ones
	acked []atomic.Int64  // nanoseconds; 0: not yet
	seen  []atomic.Int64
	left  atomic.Int64 // not seen yet
	last  atomic.Int64 // when the last was seen
	done  chan struct{}
}

// text is the text of the nth message; number reads it, -1: it is another row's.
func (r *row) text(n int) string { return fmt.Sprintf("%d of %d", n, r.began.UnixNano()) }

func (r *row) number(text string) int {
	n, of, ok := strings.Cut(text, " of ")
	k, err := strconv.Atoi(n)
	if !ok || err != nil || of != strconv.FormatInt(r.began.UnixNano(), 10) || k < 0 || k >= len(r.due) {
		return -1
	}
	return k
}

// ack notes that a message was acknowledged.
func (b *bench) ack(text string) {
	if r := b.row.Load(); r != nil {
		if n := r.number(text); n >= 0 {
			r.acked[n].CompareAndSwap(0, int64(time.Since(r.began)))
		}
	}
}

// see notes that a message came to the other side.
func (b *bench) see(text string) {
	r := b.row.Load()
	if r == nil {
		return
	}
	n := r.number(text)
	if n < 0 {
		return
	}
	now := int64(time.Since(r.began))
	if !r.seen[n].CompareAndSwap(0, now) {
		return
	}
	r.last.Store(now)
	if r.left.Add(-1) == 0 {
		close(r.done)
	}
}

// patience is how long the last messages of a row are waited for.
const patience = 30 * time.Second

// measure has n messages written, rate a second, or all at once, and tells what became of them.
func (b *bench) measure(who string, rate, n int, say func(r *row, n int, due time.Time)) error {
	r := &row{began: time.Now(), due: make([]time.Duration, n), acked: make([]atomic.Int64, n), seen: make([]atomic.Int64, n), done: make(chan struct{})}
	r.left.Store(int64(n))
	b.row.Store(r)
	before := b.server.CPU()
	for k := range n {
		if rate > 0 {
			r.due[k] = time.Duration(k) * time.Second / time.Duration(rate)
		}
		due := r.began.Add(r.due[k])
		time.Sleep(time.Until(due))
		say(r, k, due)
	}
	select {
	case <-r.done:
	case <-time.After(patience):
	}
	used, took := b.server.CPU()-before, time.Duration(r.last.Load())
	var acked, seen []float64
	for k := range n {
		if at := r.acked[k].Load(); at > 0 {
			acked = append(acked, process.Ms(time.Duration(at)-r.due[k]))
		}
		if at := r.seen[k].Load(); at > 0 {
			seen = append(seen, process.Ms(time.Duration(at)-r.due[k]))
		}
	}
	slices.Sort(acked)
	slices.Sort(seen)
	wanted := strconv.Itoa(rate)
	if rate == 0 {
		wanted = "all"
	}
	if len(seen) == 0 {
		return errors.Join(fmt.Errorf("none of %d messages of %s arrived", n, who), b.fault())
	}
	fmt.Printf("%-9s  %-10s   %8s   %8d   %7d   %10.0f   %11.2f   %20.1f  %6.1f   %18.1f  %6.1f  %7.1f\n", b.name, who, wanted, n, n-len(seen),
		float64(len(seen))/took.Seconds(), process.Ms(used)/float64(n), process.Quantile(acked, 0.5), process.Quantile(acked, 0.99),
		process.Quantile(seen, 0.5), process.Quantile(seen, 0.99), seen[len(seen)-1])
	return nil
}

// many does f for all k below n, some at a time, and returns the first error.
func many(n, atOnce int, f func(k int) error) error {
	var all sync.WaitGroup
	var next atomic.Int64
	errs := make([]error, atOnce)
	for w := range atOnce {
		all.Go(func() {
			for k := int(next.Add(1)) - 1; k < n && errs[w] == nil; k = int(next.Add(1)) - 1 {
				errs[w] = f(k)
			}
		})
	}
	all.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
