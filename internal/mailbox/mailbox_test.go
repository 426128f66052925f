package mailbox

import (
	"runtime"
	"sync"
	"testing"
)

func newTestBox() (m *Box, overflows *int) {
	overflows = new(int)
	return &Box{
		Run:      func(f func()) { f() },
		Idle:     func() bool { return false },
		Overflow: func() { *overflows++ },
	}, overflows
}

func TestBox_RunsInOrderAndNeverTwoAtOnce(t *testing.T) {
	m, _ := newTestBox()
	const posters, each = 8, 100
	var seen [posters][]int // written by the mailbox only; the race detector watches
	var all, posting sync.WaitGroup
	for p := range posters {
		posting.Add(1)
		go func() {
			defer posting.Done()
			for i := range each {
				all.Add(1)
				if !m.Post(func() { seen[p] = append(seen[p], i); all.Done() }) {
					t.Error("refused")
					all.Done()
				}
			}
		}()
	}
	posting.Wait()
	all.Wait()
	for p := range seen {
		for i, v := range seen[p] {
			if i != v {
				t.Fatalf("poster %d: item %d ran at place %d", p, v, i)
			}
		}
	}
}

func TestBox_TellsOnceThatItOverflows(t *testing.T) {
	m, overflows := newTestBox()
	release, started := make(chan struct{}), make(chan struct{})
	m.Post(func() { close(started); <-release })
	<-started
	ran, accepted := 0, 0
	for range hardLimit + 10 {
		if m.Post(func() { ran++ }) {
			accepted++
		}
		if accepted < Limit && *overflows > 0 {
			t.Fatalf("told of an overflow at %d", accepted)
		}
	}
	if accepted != hardLimit || *overflows != 1 {
		t.Errorf("accepted %d, told %d times; want %d and once", accepted, *overflows, hardLimit)
	}
	close(release)
	done := make(chan struct{})
	for !m.Post(func() { close(done) }) { // until the first batch is taken
		runtime.Gosched()
	}
	<-done
	if ran != accepted {
		t.Errorf("ran %d of %d accepted", ran, accepted)
	}
}

func TestBox_ClosesOnlyWhenEmptyAndIdle(t *testing.T) {
	finished := make(chan struct{})
	m := &Box{Run: func(f func()) { f() }, Overflow: func() {}}
	m.Idle = func() bool { close(finished); return true }
	ran := false
	m.Post(func() { ran = true })
	<-finished
	m.mu.Lock() // the drain sets closed under this lock after idle
	closed := m.closed
	m.mu.Unlock()
	if !ran || !closed {
		t.Errorf("ran=%v closed=%v", ran, closed)
	}
	if m.Post(func() { t.Error("ran after the end") }) {
		t.Error("a closed mailbox accepted work")
	}
}

// BenchmarkBox_DeepItem posts to an idle box an item as deep as the handling of a SIP message: what a
// goroutine of its own costs each time, its stack above all.
func BenchmarkBox_DeepItem(b *testing.B) {
	m, _ := newTestBox()
	done := make(chan byte)
	for b.Loop() {
		m.Post(func() { done <- deep(40) })
		<-done
	}
}

//go:noinline
func deep(n int) byte {
	var frame [160]byte
	if n == 0 {
		return frame[n]
	}
	return deep(n-1) + frame[n]
}
