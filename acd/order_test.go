package acd

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestOrdered compares the ordered set with a plain sorted list.
func TestOrdered(t *testing.T) {
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 1))
		var o ordered[int]
		var naive []key
		for range 3000 {
			k := key{A: int64(rng.IntN(3)), B: int64(rng.IntN(20)), C: int64(rng.IntN(40))}
			at, found := slices.BinarySearchFunc(naive, k, key.compare)
			if rng.IntN(5) < 3 {
				o.insert(k, int(k.A))
				if !found {
					naive = slices.Insert(naive, at, k)
				}
			} else {
				if o.remove(k) != found {
					t.Fatalf("seed %d: remove of %v: found %v", seed, k, found)
				}
				if found {
					naive = slices.Delete(naive, at, at+1)
				}
			}
			probe := key{A: int64(rng.IntN(3)), B: int64(rng.IntN(20)), C: int64(rng.IntN(40))}
			compareSets(t, &o, naive, probe)
		}
	}
}

func compareSets(t *testing.T, o *ordered[int], naive []key, probe key) {
	t.Helper()
	if o.Len() != len(naive) {
		t.Fatalf("%d items, want %d", o.Len(), len(naive))
	}
	at, found := slices.BinarySearchFunc(naive, probe, key.compare)
	if o.has(probe) != found {
		t.Fatalf("has %v: %v", probe, !found)
	}
	ranks := o.ranks()
	if one, of := o.rank(probe), ranks.of(probe); one != at || of != at {
		t.Fatalf("rank of %v: %d, %d of many, should be %d", probe, one, of, at)
	}
	if found {
		at++
	}
	k, _, ok := o.after(probe)
	if ok != (at < len(naive)) || ok && k != naive[at] {
		t.Fatalf("after %v: %v %v", probe, k, ok)
	}
	k, _, ok = o.first()
	if ok != (len(naive) > 0) || ok && k != naive[0] {
		t.Fatalf("first: %v %v", k, ok)
	}
	n := 0
	o.each(func(v int) bool {
		if int64(v) != naive[n].A {
			t.Fatalf("item %d is %d", n, v)
		}
		n++
		return n < 10
	})
}

// TestDeadlines: earliest first, those of the same time in the order of arming;
// moved and disarmed ones are stale.
func TestDeadlines(t *testing.T) {
	s := NewState()
	if _, _, _, ok := s.NextDeadline(); ok {
		t.Fatal("a deadline from nothing")
	}
	id := func(n uint64) DeadlineID { return DeadlineID{Kind: deadlineOffer, N: n} }
	d := &s.deadlines
	d.arm(id(1), 30)
	d.arm(id(2), 10)
	d.arm(id(3), 10)
	d.arm(id(4), 5)
	old := d.byID[id(1)].Generation
	d.arm(id(1), 20)
	d.disarm(id(4))
	d.disarm(id(9))
	if d.pass(id(1), old) || d.pass(id(4), 4) {
		t.Error("a stale deadline passed")
	}
	var order []uint64
	for {
		_, id, generation, ok := s.NextDeadline()
		if !ok {
			break
		}
		order = append(order, id.N)
		if !d.pass(id, generation) {
			t.Fatal("the present generation is refused")
		}
	}
	if want := []uint64{2, 3, 1}; !slices.Equal(order, want) {
		t.Errorf("order %v, want %v", order, want)
	}
}
