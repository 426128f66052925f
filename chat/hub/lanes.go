package hub

import "sync"

// lanes do things one after another in each lane, and lanes beside each other.
type lanes struct {
	run func(func()) // beside the caller

	mu    sync.Mutex
	queue map[string][]func() // of lanes in which something is done; the first is under way
}

// add has f done after what was added to the lane before.
func (l *lanes) add(lane string, f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.queue == nil {
		l.queue = map[string][]func(){}
	}
	l.queue[lane] = append(l.queue[lane], f)
	if len(l.queue[lane]) == 1 {
		l.run(func() { l.work(lane) })
	}
}

func (l *lanes) work(lane string) {
	for {
		l.mu.Lock()
		f := l.queue[lane][0]
		l.mu.Unlock()
		f()
		l.mu.Lock()
		l.queue[lane] = l.queue[lane][1:]
		done := len(l.queue[lane]) == 0
		if done {
			delete(l.queue, lane)
		}
		l.mu.Unlock()
		if done {
			return
		}
	}
}
