// Package sim lives through made-up days with the core under a virtual clock and
// finds out after every entry of the log whether all that must hold does. It is
// for tests: nothing of the product imports it.
package sim

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"centrala/acd"
)

// Options says what to live through.
type Options struct {
	Seed    uint64
	Entries int  // of the log, before everything is let to end
	Restore int  // a twin is restored from a snapshot every so many entries; 0: never
	Whole   bool // a day that ends badly is not shortened, which takes time
}

// Failure is a day that ended badly.
type Failure struct {
	Seed    uint64
	Err     error
	Entries []acd.Entry // the shortest script found that shows it
}

// Error tells the seed, what is wrong, and the script.
func (f *Failure) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "seed %d: %v\nthe shortest script found, %d entries:\n", f.Seed, f.Err, len(f.Entries))
	for _, e := range f.Entries {
		raw, err := acd.EncodeEvent(e.Event)
		if err != nil {
			raw = []byte(err.Error())
		}
		fmt.Fprintf(&b, "%d %s %s\n", e.Index, e.At.Format("15:04:05.000"), raw)
	}
	return b.String()
}

// Run lives through one seed and tells what happened; the error is a *Failure.
func Run(o Options) (*Tally, error) {
	rng := rand.New(rand.NewPCG(o.Seed, 0x5eed))
	w := &world{rng: rng, judge: newJudge(o.Restore), now: time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)}
	w.nodes = []acd.NodeID{"n1", "n2", "n3"}[:1+rng.IntN(3)]
	m := maker{rng: rng, agents: 1 + rng.IntN(8), groups: 1 + rng.IntN(4), plain: o.Seed%4 == 0}
	switch o.Seed % 16 {
	case 7: // agents in many groups
		m.groups = 5 + rng.IntN(46)
	case 11: // and more agents
		m.agents, m.groups = 9+rng.IntN(20), 5+rng.IntN(16)
	case 13: // and callers who each need something else
		m.groups, m.picky = 1, true
	}
	w.maker, w.pace = m, 8*time.Second/time.Duration(1+m.agents/8)
	if m.picky {
		w.pace = 300 * time.Millisecond
	}
	w.config = m.config()
	for range 2 {
		w.others = append(w.others, m.change(w.config))
	}
	w.others = append(w.others, w.config)
	err := w.run(o.Entries)
	if err == nil {
		return w.tally(), nil
	}
	f := &Failure{Seed: o.Seed, Err: err, Entries: w.entries}
	if o.Whole {
		return w.tally(), f
	}
	f.Entries = shorten(w.entries, o.Restore)
	if again := replay(f.Entries, o.Restore); again != nil {
		f.Err = again
	}
	return w.tally(), f
}

// replay applies a script and returns the first thing that is wrong.
func replay(entries []acd.Entry, restore int) error {
	j := newJudge(restore)
	for _, e := range entries {
		if _, err := j.apply(e); err != nil {
			return err
		}
	}
	return nil
}

// shorten leaves out facts, in ever smaller runs, as long as something stays
// wrong. A failure that only shows at the end of the day cannot be shortened.
func shorten(entries []acd.Entry, restore int) []acd.Entry {
	if replay(entries, restore) == nil {
		return entries
	}
	for size := len(entries) / 2; size > 0; {
		shorter := false
		for at := 0; at+size <= len(entries); {
			try := append(append([]acd.Entry(nil), entries[:at]...), entries[at+size:]...)
			if replay(try, restore) != nil {
				entries, shorter = try, true
			} else {
				at += size
			}
		}
		if !shorter || size > 1 {
			size /= 2
		}
	}
	return entries
}
