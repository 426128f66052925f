package dialog

import (
	"testing"
	"time"
)

func TestSession_Grant(t *testing.T) {
	for name, c := range map[string]struct {
		ask  SessionAsk
		want Session
		no   bool
	}{
		"who asks knows of no timers":                {SessionAsk{}, Session{}, false},
		"knows of them, asks for nothing":            {SessionAsk{Supported: true}, Session{1800, false}, false},
		"asks, and refreshes":                        {SessionAsk{Supported: true, Interval: 600}, Session{600, false}, false},
		"asks, and we are to refresh":                {SessionAsk{Supported: true, Interval: 600, Ours: true}, Session{600, true}, false},
		"a proxy asks, whoever sent it cannot":       {SessionAsk{Interval: 600}, Session{600, true}, false},
		"a proxy asks for too little: it is no help": {SessionAsk{Interval: 30}, Session{}, false},
		"too short":          {SessionAsk{Supported: true, Interval: 89}, Session{}, true},
		"the shortest":       {SessionAsk{Supported: true, Interval: 90}, Session{90, false}, false},
		"longer than needed": {SessionAsk{Supported: true, Interval: 7200}, Session{1800, false}, false},
		"but not less than the minimum on the way": {SessionAsk{Supported: true, Interval: 7200, Min: 3600}, Session{3600, false}, false},
	} {
		if got, ok := c.ask.Grant(); got != c.want || ok == c.no {
			t.Errorf("%s: %+v %v", name, got, ok)
		}
	}
}

// RFC 4028 section 10: 32 s before the end, or a third of a short one.
func TestSession_Times(t *testing.T) {
	for interval, want := range map[uint32][2]time.Duration{
		1800: {900 * time.Second, 1768 * time.Second},
		90:   {45 * time.Second, 60 * time.Second},
	} {
		s := Session{Interval: interval}
		if s.RefreshAfter() != want[0] || s.OverAfter() != want[1] {
			t.Errorf("%d: %v %v", interval, s.RefreshAfter(), s.OverAfter())
		}
	}
}
