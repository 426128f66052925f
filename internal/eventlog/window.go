package eventlog

import (
	"context"
	"fmt"
	"sync"
)

// Receipt is what Append returns: the promise of an entry.
type Receipt struct {
	mu       sync.Mutex
	resolved bool
	done     chan struct{} // made by the first who waits
	index    uint64
	err      error
}

// Wait returns the entry's index once the entry has been applied on this node and
// the Handler has had it. The error is ErrOverloaded, ErrTooLarge or ErrClosed
// where the event will not be logged, and the context's where the caller would not
// wait on: the event may then still be logged. The Handler must not wait for an
// entry from within Applied.
func (r *Receipt) Wait(ctx context.Context) (index uint64, err error) {
	r.mu.Lock()
	if r.resolved {
		defer r.mu.Unlock()
		return r.index, r.err
	}
	if r.done == nil {
		r.done = make(chan struct{})
	}
	done := r.done
	r.mu.Unlock()
	select {
	case <-done:
		return r.index, r.err
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

// Err returns why the event will not be logged; nil: it was, or is on its way.
func (r *Receipt) Err() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}

func (r *Receipt) resolve(index uint64, err error) {
	r.mu.Lock()
	r.resolved, r.index, r.err = true, index, err
	if r.done != nil {
		close(r.done)
	}
	r.mu.Unlock()
}

func failed(err error) *Receipt { return &Receipt{resolved: true, err: err} }

// slot is one record on its way.
type slot struct {
	data    []byte
	receipt *Receipt
}

// window holds the records of this process's session that have not come back from
// the log yet, in a ring by their number. A record stays until it is applied, and
// can be sent any number of times.
type window struct {
	prefix string
	wake   chan struct{} // capacity 1: there is something to send

	mu    sync.Mutex
	slots []slot // length a power of two
	head  uint64 // number of the oldest record not applied
	next  uint64 // number of the next record to send
	held  bool   // nothing is to be sent before a rewind
	tail  uint64 // number that the next append gets
	err   error  // set: nothing more is taken
	empty chan struct{}
}

func newWindow(size int, prefix string) *window {
	n := 1
	for n < size {
		n *= 2
	}
	return &window{
		prefix: prefix,
		wake:   make(chan struct{}, 1),
		slots:  make([]slot, n),
		head:   1, next: 1, tail: 1,
	}
}

func (w *window) slot(n uint64) *slot { return &w.slots[n&uint64(len(w.slots)-1)] }

// add numbers an encoded event and queues it for sending.
func (w *window) add(body []byte) *Receipt {
	const digits = 20
	buf := make([]byte, 0, len(w.prefix)+digits+1+len(body))
	r := &Receipt{}
	w.mu.Lock()
	if w.err != nil {
		w.mu.Unlock()
		return failed(w.err)
	}
	if w.tail-w.head == uint64(len(w.slots)) {
		w.mu.Unlock()
		return failed(fmt.Errorf("%w: %d events on their way", ErrOverloaded, len(w.slots)))
	}
	*w.slot(w.tail) = slot{data: appendRecord(buf, w.prefix, w.tail, body), receipt: r}
	w.tail++
	w.mu.Unlock()
	w.kick()
	return r
}

func (w *window) kick() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// unsent appends to batch the records that have not been sent, and counts them as sent.
func (w *window) unsent(batch [][]byte) [][]byte {
	w.mu.Lock()
	for ; w.next < w.tail && !w.held; w.next++ {
		batch = append(batch, w.slot(w.next).data)
	}
	w.mu.Unlock()
	return batch
}

// hold has nothing sent until rewind: what follows a record that could not be sent
// would count for nothing.
func (w *window) hold() {
	w.mu.Lock()
	w.held = true
	w.mu.Unlock()
}

// rewind has every record that has not come back sent again.
func (w *window) rewind() {
	w.mu.Lock()
	w.next, w.held = w.head, false
	w.mu.Unlock()
	w.kick()
}

// arrived takes out the record that came back from the log, and returns its receipt.
func (w *window) arrived(n uint64) *Receipt {
	w.mu.Lock()
	defer w.mu.Unlock()
	if n != w.head || n >= w.tail {
		return nil // the window failed meanwhile
	}
	s := w.slot(n)
	r := s.receipt
	*s = slot{}
	w.head++
	w.next = max(w.next, w.head)
	if w.head == w.tail && w.empty != nil {
		close(w.empty)
		w.empty = nil
	}
	return r
}

// close takes nothing more. The channel is closed once nothing is on its way.
func (w *window) close(err error) <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil {
		w.err = err
	}
	done := make(chan struct{})
	if w.head == w.tail {
		close(done)
		return done
	}
	if w.empty != nil {
		return w.empty
	}
	w.empty = done
	return done
}

// fail takes nothing more and gives up what is on its way.
func (w *window) fail(err error) {
	w.mu.Lock()
	if w.err == nil {
		w.err = err
	}
	var lost []*Receipt
	for ; w.head < w.tail; w.head++ {
		s := w.slot(w.head)
		lost = append(lost, s.receipt)
		*s = slot{}
	}
	w.next = w.tail
	if w.empty != nil {
		close(w.empty)
		w.empty = nil
	}
	w.mu.Unlock()
	for _, r := range lost {
		r.resolve(0, err)
	}
}

// progress returns the number of the oldest record not applied and whether any
// record that was sent has not come back.
func (w *window) progress() (head uint64, waiting bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.head, w.head < w.next
}

// counts returns how many events were taken in all, and how many are on their way.
func (w *window) counts() (taken, inFlight uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.tail - 1, w.tail - w.head
}
