package tx

import "sync"

// crew are goroutines that come and go, and may be waited for while more come: unlike a sync.WaitGroup it may
// be taken up again before those who wait have noticed that it was idle. The zero value is ready.
type crew struct {
	mu   sync.Mutex
	n    int
	idle chan struct{} // closed when nobody is left; nil: nobody waits
}

// Go runs f in a goroutine.
func (c *crew) Go(f func()) {
	c.mu.Lock()
	c.n++
	c.mu.Unlock()
	go func() {
		defer c.leave()
		f()
	}()
}

func (c *crew) leave() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.n--; c.n == 0 && c.idle != nil {
		close(c.idle)
		c.idle = nil
	}
}

// Idle is closed once there has been a moment without anybody.
func (c *crew) Idle() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.idle != nil {
		return c.idle
	}
	idle := make(chan struct{})
	if c.n == 0 {
		close(idle)
		return idle
	}
	c.idle = idle
	return idle
}
