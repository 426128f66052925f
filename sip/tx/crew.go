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
	c.Join()
	go func() {
		defer c.Leave()
		f()
	}()
}

// Join counts one more, until Leave.
func (c *crew) Join() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n++
}

// Leave counts one less.
func (c *crew) Leave() {
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
