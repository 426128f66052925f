package sim_test

import (
	"flag"
	"testing"

	"centrala/acd/sim"
)

// make sim SEED=… RUNS=… sets these; without them a bounded number is lived through.
var (
	seed    = flag.Uint64("seed", 1, "the first seed to live through")
	runs    = flag.Uint64("runs", 60, "how many seeds")
	entries = flag.Int("entries", 600, "entries of the log of each seed")
)

func TestSim(t *testing.T) {
	total := 0
	for s := *seed; s < *seed+*runs; s++ {
		for _, wild := range []bool{false, true} {
			n, err := sim.Run(sim.Options{Seed: s, Entries: *entries, Restore: int(1 + s%50), Wild: wild})
			total += n
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	t.Logf("%d entries of %d seeds, each of them twice", total, *runs)
}
