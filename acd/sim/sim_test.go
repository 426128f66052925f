package sim_test

import (
	"flag"
	"testing"

	"centrala/acd/sim"
)

// With -seed one seed is lived through at length; without it, a bounded number.
var (
	seed    = flag.Uint64("seed", 0, "the seed to live through; 0: as many as -seeds says")
	seeds   = flag.Uint64("seeds", 150, "how many seeds to live through, from 1")
	entries = flag.Int("entries", 600, "entries of the log of each seed")
)

func TestSim(t *testing.T) {
	first, last := uint64(1), *seeds
	if *seed > 0 {
		first, last = *seed, *seed
	}
	total := 0
	for s := first; s <= last; s++ {
		n, err := sim.Run(sim.Options{Seed: s, Entries: *entries, Restore: int(1 + s%50)})
		total += n
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d entries of %d seeds", total, last-first+1)
}
