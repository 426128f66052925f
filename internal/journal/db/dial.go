package db

import (
	"context"
	"net"
	"sync"
	"time"
)

// peerGone is how long a server that acknowledges nothing counts as there, where
// the system can be told so: a cable was pulled, or a firewall forgot the connection.
const peerGone = 10 * time.Second

// dial returns how connections to a server are made. On one with a silence, what
// waits for longer than that fails. Idle ones are probed, so that those that are
// dead are not found to be one after another.
func dial(silence time.Duration) func(ctx context.Context, network, addr string) (net.Conn, error) {
	d := net.Dialer{
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 4 * time.Second, Interval: 2 * time.Second, Count: 3},
		Control:         giveUp,
	}
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := d.DialContext(ctx, network, addr)
		if err != nil || silence == 0 {
			return c, err
		}
		return &impatient{Conn: c, silence: silence}, nil
	}
}

// impatient is a connection on which nothing may take longer than its silence. A
// deadline that is set goes before.
type impatient struct {
	net.Conn
	silence time.Duration

	mu  sync.Mutex
	set time.Time // the deadline; zero: none
}

func (c *impatient) SetDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.set = t
	return c.Conn.SetDeadline(t)
}

func (c *impatient) Read(p []byte) (int, error) {
	if err := c.hurry(c.Conn.SetReadDeadline); err != nil {
		return 0, err
	}
	return c.Conn.Read(p)
}

func (c *impatient) Write(p []byte) (int, error) {
	if err := c.hurry(c.Conn.SetWriteDeadline); err != nil {
		return 0, err
	}
	return c.Conn.Write(p)
}

func (c *impatient) hurry(set func(time.Time) error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.set.IsZero() {
		return nil
	}
	return set(time.Now().Add(c.silence))
}
