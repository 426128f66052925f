package registrar

import (
	"sync"
	"time"
)

// Store keeps bindings over a restart. Its methods are called from one goroutine at a time and
// should give up in reasonable time, since Close waits for them.
type Store interface {
	Save(user string, bindings []Binding) error
	Delete(user string) error
	Load() (map[string][]Binding, error)
}

// retryAfter is how long a failed write waits before the next.
const retryAfter = 5 * time.Second

// writer writes behind the answers. Its queue holds users, not bindings: what is written is what
// holds at that moment, so the newest wins and the queue is never longer than the users are many.
type writer struct {
	store    Store
	bindings func(user string) []Binding
	failed   func(user string, err error)
	wake     chan struct{} // of capacity 1
	stop     chan struct{}
	done     chan struct{}
	once     sync.Once

	mu      sync.Mutex
	pending map[string]struct{}
	order   []string
}

func newWriter(s Store, bindings func(string) []Binding, failed func(string, error)) *writer {
	return &writer{
		store: s, bindings: bindings, failed: failed, pending: map[string]struct{}{},
		wake: make(chan struct{}, 1), stop: make(chan struct{}), done: make(chan struct{}),
	}
}

// mark notes that a user's bindings changed. It never waits.
func (w *writer) mark(user string) {
	w.mu.Lock()
	if _, ok := w.pending[user]; !ok {
		w.pending[user] = struct{}{}
		w.order = append(w.order, user)
	}
	w.mu.Unlock()
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

func (w *writer) take() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	users := w.order
	w.order = nil
	clear(w.pending)
	return users
}

// run writes until close, then writes the rest once and ends.
func (w *writer) run() {
	defer close(w.done)
	retry := time.NewTimer(retryAfter)
	retry.Stop()
	defer retry.Stop()
	for {
		stopping := false
		select {
		case <-w.wake:
		case <-retry.C:
		case <-w.stop:
			stopping = true
		}
		for _, user := range w.take() {
			if err := w.write(user); err != nil {
				w.failed(user, err)
				w.again(user)
				retry.Reset(retryAfter)
			}
		}
		if stopping {
			return
		}
	}
}

// again queues a user for the next attempt without waking the writer.
func (w *writer) again(user string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, ok := w.pending[user]; !ok {
		w.pending[user] = struct{}{}
		w.order = append(w.order, user)
	}
}

func (w *writer) write(user string) error {
	if list := w.bindings(user); len(list) > 0 {
		return w.store.Save(user, list)
	}
	return w.store.Delete(user)
}

func (w *writer) close() {
	w.once.Do(func() { close(w.stop) })
	<-w.done
}
