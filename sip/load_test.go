package sip

import (
	"context"
	"runtime"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// switcher is the owner of a call of two legs: it dials onward when a call
// comes, answers when that is answered, and ends one with the other. Each leg
// pair has its own mailbox, as in the switchboard.
type switcher struct {
	owner
	in, out *Leg
	done    func(ok bool)
	up      bool
	ended   int
}

func (c *switcher) LegProgress(l *Leg, code int, _ []byte) {
	if l == c.out {
		c.in.Ring(code, nil)
	}
}

func (c *switcher) LegAnswered(l *Leg, sdp []byte) {
	if l == c.out {
		c.up = c.in.Answer(sdp) == nil
	}
}

func (c *switcher) LegOffer(*Leg, []byte) ([]byte, error) { return nil, ErrState }

func (c *switcher) LegEnded(l *Leg, t Termination) {
	if c.ended++; c.ended == 2 {
		c.done(c.up && t.Class == ClassHangup)
		return
	}
	if l == c.in {
		c.out.Hangup("")
	} else {
		c.in.Hangup("")
	}
}

// caller answers and makes calls for load tests; as a caller it hangs up when hold is closed, at once where that is nil.
type caller struct {
	owner
	hold <-chan struct{}
	up   func() // nil: nobody is told
	leg  *Leg
	got  chan Termination
}

func (c *caller) LegProgress(*Leg, int, []byte) {}
func (c *caller) LegAnswered(l *Leg, _ []byte) {
	if l.Inbound() {
		return
	}
	if c.up != nil {
		c.up()
	}
	if c.hold == nil {
		l.Hangup("")
		return
	}
	go func() {
		<-c.hold
		c.Post(func() { l.Hangup("") })
	}()
}
func (c *caller) LegEnded(_ *Leg, t Termination) {
	if c.got != nil {
		c.got <- t
	}
}

// exchange is three stacks: callers, a B2BUA, and phones that answer at once.
type exchange struct {
	a, b, c *side
	up      atomic.Int64
	failed  atomic.Int64
	ended   atomic.Int64
	uri     string
}

func newExchange(t testing.TB) *exchange {
	x := &exchange{}
	slow := func(o *Options) { o.T1, o.T2 = 500*time.Millisecond, 4*time.Second }
	x.c = start(t, slow, func(o *Options) {
		o.Handler.(*side).onInvite = func(l *Leg) {
			ow := &caller{owner: owner{silent: true}}
			l.Bind(ow, ow)
			ow.Post(func() {
				l.Ring(180, nil)
				_ = l.Answer([]byte(testSDP)) // an error means that it was cancelled
			})
		}
	})
	phone := "sip:phone@" + x.c.addr("udp").String()
	x.b = start(t, slow, func(o *Options) {
		h := o.Handler.(*side)
		h.onInvite = func(l *Leg) {
			sw := &switcher{in: l, owner: owner{silent: true}}
			sw.done = func(ok bool) {
				x.ended.Add(1)
				if !ok {
					x.failed.Add(1)
				}
			}
			l.Bind(sw, sw)
			sw.Post(func() {
				to, err := h.ContactURI(phone)
				if err != nil {
					t.Error(err)
					return
				}
				sw.out = h.Dial(sw, sw, Dial{To: to, From: l.From(), SDP: l.SDP()})
			})
		}
	})
	x.a = start(t, slow)
	x.uri = "sip:100@" + x.b.addr("udp").String()
	return x
}

// call makes one call and reports its end to got.
func (x *exchange) call(t testing.TB, hold <-chan struct{}, got chan Termination) {
	to, err := x.a.ContactURI(x.uri)
	if err != nil {
		t.Fatal(err)
	}
	c := &caller{owner: owner{silent: true}, hold: hold, got: got, up: func() { x.up.Add(1) }}
	c.Post(func() { c.leg = x.a.Dial(c, c, Dial{To: to, From: Party{User: "1"}, SDP: []byte(testSDP)}) })
}

func TestLoad_ThousandCallsAtOnce(t *testing.T) {
	x := newExchange(t)
	const n = 1000
	got, hold := make(chan Termination, n), make(chan struct{})
	for i := range int64(n) {
		eventually(t, "calls to be answered", func() bool { return i-x.up.Load() < 100 || len(got) > 0 }) // no burst
		x.call(t, hold, got)
	}
	eventually(t, "all calls are up", func() bool { return x.up.Load() == n || len(got) > 0 })
	if legs := x.b.Stats().Legs; legs != 2*n {
		t.Errorf("%d legs at once, want %d", legs, 2*n)
	}
	close(hold)
	timeout := time.After(3 * patience)
	for i := range n {
		select {
		case end := <-got:
			if end.Class != ClassHangup {
				t.Errorf("a call ended by %+v", end)
			}
		case <-timeout:
			t.Fatalf("%d of %d calls ended; B has %+v", i, n, x.b.Stats())
		}
	}
	eventually(t, "the B2BUA's calls to end", func() bool { return x.ended.Load() == n })
	if x.failed.Load() != 0 {
		t.Errorf("%d calls failed", x.failed.Load())
	}
	for _, s := range []*side{x.a, x.b, x.c} {
		s.idle(t)
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		if err := s.Close(ctx); err != nil {
			t.Error(err)
		}
		cancel()
	}
}

// BenchmarkB2BUA is a whole call of two legs through a stack: INVITE, 180, 200,
// ACK, BYE, 200 on both sides. Its figures hold the cost of all three stacks
// (caller, B2BUA, phone); the B2BUA's own is about half.
func BenchmarkB2BUA(b *testing.B) {
	x := newExchange(b)
	const parallel = 50
	got := make(chan Termination, parallel)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	cpu := cpuTime()
	b.ResetTimer()
	running := 0
	for range b.N {
		if running == parallel {
			if end := <-got; end.Class != ClassHangup {
				b.Fatalf("%+v", end)
			}
			running--
		}
		x.call(b, nil, got)
		running++
	}
	for ; running > 0; running-- {
		<-got
	}
	b.StopTimer()
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(cpuTime()-cpu)/1e3/float64(b.N), "cpu-µs/call")
	b.ReportMetric(float64(after.Mallocs-before.Mallocs)/float64(b.N), "mallocs/call")
	b.ReportMetric(float64(after.TotalAlloc-before.TotalAlloc)/float64(b.N), "B/call")
}

// cpuTime is what this process has used, in nanoseconds.
func cpuTime() int64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return u.Utime.Nano() + u.Stime.Nano()
}
