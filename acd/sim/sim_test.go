package sim_test

import (
	"flag"
	"maps"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"centrala/acd/sim"
)

// make sim SEED=… RUNS=… sets these; without them a bounded number is lived through.
var (
	seed    = flag.Uint64("seed", 1, "the first seed to live through")
	runs    = flag.Uint64("runs", 24, "how many seeds")
	whole   = flag.Bool("whole", false, "do not shorten the days that end badly")
	entries = flag.Int("entries", 600, "entries of the log of each seed")
)

// TestSim lives through seeds, as many at a time as there are processors. Of
// those that end badly the first is shown.
func TestSim(t *testing.T) {
	begun := time.Now()
	var (
		next  atomic.Uint64
		stop  atomic.Bool
		mu    sync.Mutex
		bad   = map[uint64]error{}
		total = sim.NewTally()
		wait  sync.WaitGroup
	)
	for range runtime.GOMAXPROCS(0) {
		wait.Go(func() {
			for !stop.Load() {
				s := *seed + next.Add(1) - 1
				if s >= *seed+*runs {
					return
				}
				tally, err := sim.Run(sim.Options{Seed: s, Entries: *entries, Restore: restore(s), Whole: *whole})
				mu.Lock()
				total.Add(tally)
				if err != nil {
					bad[s] = err
					stop.Store(true)
				}
				mu.Unlock()
			}
		})
	}
	wait.Wait()
	for _, s := range slices.Sorted(maps.Keys(bad)) {
		t.Fatal(bad[s])
	}
	t.Logf("%s in %s\n%s", total.Summary(), time.Since(begun).Round(100*time.Millisecond), total)
}

// restore: a few days are lived through with a restart at each entry, most with one now and then.
func restore(seed uint64) int {
	return []int{61, 127, 251, 17, 509, 89, 199, 5}[seed%8] - int(seed%5)
}
