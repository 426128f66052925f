package app

import (
	"fmt"
	"net"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// notifier tells the service manager how the server is (sd_notify(3)). Without one
// it does nothing.
type notifier struct {
	conn  *net.UnixConn // nil: there is no manager
	every time.Duration // between two signs of life; 0: none is wanted
}

// newNotifier reads from the environment whom to tell, and how often.
func newNotifier(pid int, getenv func(string) string) (*notifier, error) {
	n := &notifier{}
	name := getenv("NOTIFY_SOCKET")
	if name == "" {
		return n, nil
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: name, Net: "unixgram"}) // "@" begins abstract names
	if err != nil {
		return n, fmt.Errorf("tell the service manager: %w", err)
	}
	n.conn = conn
	if whose := getenv("WATCHDOG_PID"); whose == "" || whose == strconv.Itoa(pid) {
		if limit, err := strconv.ParseInt(getenv("WATCHDOG_USEC"), 10, 64); err == nil && limit > 0 {
			n.every = time.Duration(limit) * time.Microsecond / 2 // as sd_watchdog_enabled(3) advises
		}
	}
	return n, nil
}

// tell sends assignments such as READY=1, one a line. What is lost, the manager finds out by its limits.
func (n *notifier) tell(state string) {
	if n.conn != nil {
		_, _ = n.conn.Write([]byte(state))
	}
}

// ready tells that calls are taken.
func (n *notifier) ready() { n.tell("READY=1\nSTATUS=taking calls") }

// reloading tells that the configuration is read anew; ready has to follow.
func (n *notifier) reloading() {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err == nil { // it cannot fail for this clock
		n.tell(fmt.Sprintf("RELOADING=1\nMONOTONIC_USEC=%d", now.Nano()/int64(time.Microsecond)))
	}
}

// draining tells that the end has begun and how many calls are waited for.
func (n *notifier) draining(calls int) {
	n.tell(fmt.Sprintf("STOPPING=1\nSTATUS=new calls are turned away, %d are left", calls))
}

// alive gives the channel at whose ticks a sign of life is due; nil: at none.
func (n *notifier) alive() (ticks <-chan time.Time, stop func()) {
	if n.every == 0 {
		return nil, func() {}
	}
	t := time.NewTicker(n.every)
	return t.C, t.Stop
}

func (n *notifier) close() {
	if n.conn != nil {
		_ = n.conn.Close() // everything was said
	}
}
