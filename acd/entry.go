package acd

import "time"

// Entry is one entry of the log. At is set when the entry is logged and never
// goes back from one entry to the next; Index grows by any amount.
type Entry struct {
	Index uint64    `json:"index"`
	At    time.Time `json:"at"`
	Event Event     `json:"event"`
}

// instant is a time in the state: nanoseconds since 1970 UTC. Zero means never.
type instant int64

func instantOf(t time.Time) instant {
	if t.IsZero() {
		return 0
	}
	return instant(t.UnixNano())
}

// Time returns the instant as a time in UTC; never is the zero time.
func (i instant) Time() time.Time {
	if i == 0 {
		return time.Time{}
	}
	return time.Unix(0, int64(i)).UTC()
}

func (i instant) after(d time.Duration) instant { return i + instant(d) }
