package eventlog

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"centrala/acd"
)

var (
	// ErrClosed is in the error of everything asked of a log that was closed or has stopped.
	ErrClosed = errors.New("event log is closed")
	// ErrOverloaded is in the error of an append for which the window had no room.
	ErrOverloaded = errors.New("event log is overloaded")
	// ErrTooLarge is in the error of an append whose event is larger than the server takes.
	ErrTooLarge = errors.New("event is too large for the log")
	// ErrGap is in the error of a log in which entries are missing that the state needs.
	ErrGap = errors.New("entries are missing from the log")
	// ErrSuperseded is in the error of a log whose node id is in use by a newer process.
	ErrSuperseded = errors.New("another process has taken over this node's id")
	// ErrInUse is returned by Open where another process has the folder open.
	ErrInUse = errors.New("folder is in use by another process")
)

// Options says how to open a log. Zero values mean the default.
type Options struct {
	// Dir holds the snapshots and, with the embedded server, the log itself. Required.
	Dir string
	// URL is a list of servers, "nats://a:4222,nats://b:4222"; empty: the embedded server.
	URL string
	// Node is the id of this process in the cluster: 1 to 64 of A-Z a-z 0-9 . _ -. Required.
	Node acd.NodeID
	// Name separates the logs of several systems on one cluster; default "centrala".
	Name string
	// Replicas is the number of servers that keep each entry; default 3 where URL
	// names three servers or more, else 1.
	Replicas int
	// SnapshotEvery is the number of entries from one snapshot to the next; default 10,000.
	SnapshotEvery int
	// Retain is how long entries are kept at least; default 7 days. What no kept
	// snapshot covers is kept for longer.
	Retain time.Duration
	// After is an entry up to which numbers must not be given again, since something
	// was written down elsewhere by an earlier log that is gone, or whose tail is. An
	// embedded log that ends before it goes on behind it; 0: no such entry.
	After uint64
	// HoldBytes is how large the log may grow, in bytes, for a follower that does not
	// keep up (Log.Hold); default 4 GiB.
	HoldBytes uint64
	// Window is how many appended events may be on their way at once; default 8192,
	// rounded up to a power of two.
	Window int
	// LeaseTTL is how long a silent leader stays leader; default 3 s, at least 300 ms.
	LeaseTTL time.Duration
	// Leads is told when this node begins to lead and when it does no more, before
	// another one does. It does not wait. nil: nobody wants to know.
	Leads func(yes bool)
	// Log takes the messages of the log and of the embedded server.
	Log zerolog.Logger
}

const (
	minLeaseTTL = 300 * time.Millisecond
	maxWindow   = 1 << 20
)

// withDefaults returns the options with every default filled in, or what is wrong with them.
func (o Options) withDefaults() (Options, error) {
	name := regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)
	if o.Name == "" {
		o.Name = "centrala"
	}
	if o.SnapshotEvery == 0 {
		o.SnapshotEvery = 10_000
	}
	if o.Retain == 0 {
		o.Retain = 7 * 24 * time.Hour
	}
	if o.HoldBytes == 0 {
		o.HoldBytes = 4 << 30
	}
	if o.Window == 0 {
		o.Window = 8192
	}
	if o.LeaseTTL == 0 {
		o.LeaseTTL = 3 * time.Second
	}
	if o.Replicas == 0 {
		o.Replicas = 1
		if strings.Count(o.URL, ",") >= 2 {
			o.Replicas = 3
		}
	}
	switch {
	case o.Dir == "":
		return o, errors.New("event log: no folder given")
	case !name.MatchString(string(o.Node)):
		return o, fmt.Errorf("event log: node id %q: 1 to 64 letters, digits, dots, dashes or underscores are needed", o.Node)
	case !name.MatchString(o.Name) || strings.Contains(o.Name, "."):
		return o, fmt.Errorf("event log: name %q: 1 to 64 letters, digits, dashes or underscores are needed", o.Name)
	case o.SnapshotEvery < 1:
		return o, fmt.Errorf("event log: a snapshot every %d entries is not possible", o.SnapshotEvery)
	case o.Retain < 0:
		return o, fmt.Errorf("event log: entries cannot be kept for %v", o.Retain)
	case o.Window < 1 || o.Window > maxWindow:
		return o, fmt.Errorf("event log: window of %d: 1 to %d are possible", o.Window, maxWindow)
	case o.LeaseTTL < minLeaseTTL:
		return o, fmt.Errorf("event log: lease of %v: at least %v is needed", o.LeaseTTL, minLeaseTTL)
	case o.Replicas < 1 || o.Replicas > 5:
		return o, fmt.Errorf("event log: %d replicas: 1 to 5 are possible", o.Replicas)
	}
	return o, nil
}
