package eventlog

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"centrala/acd"
)

// applyTimes is a handler that notes when entries come.
type applyTimes struct{ came chan time.Time }

func (a *applyTimes) Applied(acd.Entry, []acd.Command) { a.came <- time.Now() }

func benchLog(b *testing.B, h Handler) *Log {
	b.Helper()
	l := opened(b, Options{})
	if err := l.Start(h); err != nil {
		b.Fatal(err)
	}
	return l
}

// BenchmarkLatency is the time from Append to the Handler, one event at a time.
func BenchmarkLatency(b *testing.B) {
	h := &applyTimes{came: make(chan time.Time, 1)}
	l := benchLog(b, h)
	took := make([]time.Duration, 0, b.N)
	event := &acd.LegAnswered{Leg: "n1-000001"}
	b.ReportAllocs()
	for b.Loop() {
		begun := time.Now()
		l.Append(event)
		took = append(took, (<-h.came).Sub(begun))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Nanoseconds()), "p50-ns")
	b.ReportMetric(float64(took[len(took)*99/100].Nanoseconds()), "p99-ns")
}

// BenchmarkLatencyBesideSnapshots is the same with 10,000 calls waiting, while nobody and while the keeper
// writes a snapshot of them all the time.
func BenchmarkLatencyBesideSnapshots(b *testing.B) {
	const waiting = 10_000
	for _, every := range []int{1_000_000, 100} {
		b.Run(fmt.Sprint("one every ", every), func(b *testing.B) {
			l := opened(b, Options{SnapshotEvery: every})
			h := &applyTimes{came: make(chan time.Time, 2*waiting)}
			if err := l.Start(h); err != nil {
				b.Fatal(err)
			}
			logged(b, l, site(0))
			for i := range waiting {
				if r := l.Append(call(fmt.Sprintf("n1-%06d", i))); i%1000 == 0 || i == waiting-1 {
					if _, err := r.Wait(context.Background()); err != nil {
						b.Fatal(err)
					}
				}
			}
			for len(h.came) > 0 {
				<-h.came
			}
			took := make([]time.Duration, 0, b.N)
			event := &acd.LegAnswered{Leg: "nobody"}
			begun, snapshots, last := time.Now(), 0, l.Stats().SnapshotIndex
			for b.Loop() {
				begun := time.Now()
				l.Append(event)
				took = append(took, (<-h.came).Sub(begun))
				if now := l.Stats().SnapshotIndex; now != last {
					last = now
					snapshots++
				}
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
			b.ReportMetric(float64(took[len(took)-1].Microseconds()), "worst-µs")
			b.ReportMetric(float64(snapshots)/time.Since(begun).Seconds(), "snapshots/s")
			b.ReportMetric(float64(l.Stats().SnapshotDuration.Milliseconds()), "ms-each")
		})
	}
}

// BenchmarkThroughput is entries per second with the window kept full.
func BenchmarkThroughput(b *testing.B) {
	for _, c := range []struct {
		name  string
		event acd.Event
	}{
		{"small", &acd.LegAnswered{Leg: "n1-000001"}},
		{"call", call("n1-000001")},
	} {
		b.Run(c.name, func(b *testing.B) {
			l := benchLog(b, nothing{})
			ctx := context.Background()
			ring := make([]*Receipt, l.Stats().Window)
			b.ReportAllocs()
			i := 0
			begun := time.Now()
			for b.Loop() {
				slot := &ring[i%len(ring)]
				if *slot != nil {
					if _, err := (*slot).Wait(ctx); err != nil {
						b.Fatal(err)
					}
				}
				*slot = l.Append(c.event)
				i++
			}
			if last := ring[(i-1)%len(ring)]; last != nil {
				if _, err := last.Wait(ctx); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(i)/time.Since(begun).Seconds(), "entries/s")
		})
	}
}

type nothing struct{}

func (nothing) Applied(acd.Entry, []acd.Command) {}

// BenchmarkOpen is the start of the embedded server up to a log that can be used:
// an empty one, and one with entries to replay.
func BenchmarkOpen(b *testing.B) {
	for _, entries := range []int{0, 1000, 10_000} {
		b.Run(fmt.Sprint("replay ", entries), func(b *testing.B) {
			dir := b.TempDir()
			o := Options{Dir: dir, Node: "n1", SnapshotEvery: 1_000_000}
			l, err := Open(context.Background(), o)
			if err != nil {
				b.Fatal(err)
			}
			if err := l.Start(nothing{}); err != nil {
				b.Fatal(err)
			}
			var last *Receipt
			for i := range entries {
				if last != nil && i%1000 == 0 {
					_, _ = last.Wait(context.Background())
				}
				last = l.Append(call(fmt.Sprint("leg", i)))
			}
			if last != nil {
				if _, err := last.Wait(context.Background()); err != nil {
					b.Fatal(err)
				}
			}
			crash(l)
			for b.Loop() {
				l, err := Open(context.Background(), o)
				if err != nil {
					b.Fatal(err)
				}
				b.StopTimer()
				crash(l)
				b.StartTimer()
			}
		})
	}
}

// crash ends a log without any of what Close does for the next start.
func crash(l *Log) {
	l.end(errCrash)
	_ = l.Close(context.Background())
}
