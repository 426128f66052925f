package sim

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"centrala/acd"
)

// Tally is what was lived through.
type Tally struct {
	Seeds    int
	Entries  int
	Groups   int // at most, in one configuration
	Restores int // from snapshots
	Events   map[string]int
	Ended    map[acd.EndKind]int
	Offers   map[acd.Outcome]int
}

// NewTally returns an empty tally.
func NewTally() *Tally {
	return &Tally{Events: map[string]int{}, Ended: map[acd.EndKind]int{}, Offers: map[acd.Outcome]int{}}
}

// Add joins another tally to this one.
func (t *Tally) Add(o *Tally) {
	t.Seeds += o.Seeds
	t.Entries += o.Entries
	t.Groups = max(t.Groups, o.Groups)
	t.Restores += o.Restores
	add(t.Events, o.Events)
	add(t.Ended, o.Ended)
	add(t.Offers, o.Offers)
}

func add[K comparable](to, from map[K]int) {
	for k, n := range from {
		to[k] += n
	}
}

// Summary tells the figures in a line.
func (t *Tally) Summary() string {
	calls, offers := 0, 0
	for _, n := range t.Ended {
		calls += n
	}
	for _, n := range t.Offers {
		offers += n
	}
	return fmt.Sprintf("%d entries of %d seeds: %d interactions, %d offers, %d restarts from a snapshot, up to %d groups",
		t.Entries, t.Seeds, calls, offers, t.Restores, t.Groups)
}

// String tells how often everything happened.
func (t *Tally) String() string {
	return "events:" + listed(t.Events) + "\nends:" + listed(t.Ended) + "\noffers:" + listed(t.Offers)
}

func listed[K ~string](m map[K]int) string {
	var b strings.Builder
	for _, k := range slices.Sorted(maps.Keys(m)) {
		fmt.Fprintf(&b, " %s %d", k, m[k])
	}
	return b.String()
}

func (w *world) tally() *Tally {
	t := NewTally()
	t.Seeds, t.Entries = 1, len(w.entries)
	for _, e := range w.entries {
		t.Events[strings.TrimPrefix(fmt.Sprintf("%T", e.Event), "*acd.")]++
		if c, is := e.Event.(*acd.ConfigApplied); is {
			t.Groups = max(t.Groups, len(c.Config.Groups)+len(c.Config.Channels))
		}
	}
	if w.judge.restore > 0 {
		t.Restores = w.judge.entries / w.judge.restore
	}
	c := w.judge.core.Counters()
	for k, n := range c.Ended {
		t.Ended[k] = int(n)
	}
	for k, n := range c.Offers {
		t.Offers[k] = int(n)
	}
	return t
}
