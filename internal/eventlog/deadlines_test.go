package eventlog

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"centrala/acd"
)

// armed is a deadlines whose appends are counted.
type armed struct {
	*deadlines
	begun    time.Time
	appended []string // generation and time
	refuse   bool
}

func newArmed() *armed {
	a := &armed{begun: time.Now()}
	a.deadlines = newDeadlines(func(e acd.Event) *Receipt {
		if a.refuse {
			return failed(ErrOverloaded)
		}
		a.appended = append(a.appended, fmt.Sprintf("%d@%v", e.(*acd.DeadlinePassed).Generation, time.Since(a.begun)))
		return &Receipt{}
	})
	return a
}

// entry tells of an entry logged at a time of the log, and what the state then waits for.
func (a *armed) entry(at time.Duration, e acd.Event, next deadline) {
	a.applied(acd.Entry{At: a.begun.Add(at), Event: e}, next)
}

func (a *armed) in(d time.Duration, generation uint64) deadline {
	return deadline{at: a.begun.Add(d), id: acd.DeadlineID{Kind: "test", N: generation}, generation: generation, ok: true}
}

func (a *armed) passedBy(t *testing.T, d time.Duration, want ...string) {
	t.Helper()
	time.Sleep(d - time.Since(a.begun)) // the bubble's time
	synctest.Wait()
	a.mu.Lock()
	defer a.mu.Unlock()
	if fmt.Sprint(a.appended) != fmt.Sprint(want) {
		t.Errorf("after %v appended %v, want %v", d, a.appended, want)
	}
}

func TestDeadlines(t *testing.T) {
	event := &acd.LegAnswered{}
	for name, run := range map[string]func(*testing.T, *armed){
		"appended once when its time has come": func(t *testing.T, a *armed) {
			a.lead(true)
			a.entry(0, event, a.in(2*time.Second, 1))
			a.entry(0, event, a.in(2*time.Second, 1))
			a.passedBy(t, 1999*time.Millisecond)
			a.passedBy(t, 10*time.Second, "1@2s")
			a.entry(0, event, a.in(2*time.Second, 1)) // not applied yet
			a.passedBy(t, 20*time.Second, "1@2s")
		},
		"an earlier one goes first": func(t *testing.T, a *armed) {
			a.lead(true)
			a.entry(0, event, a.in(5*time.Second, 1))
			a.entry(0, event, a.in(3*time.Second, 2))
			a.passedBy(t, 4*time.Second, "2@3s")
			a.entry(0, &acd.DeadlinePassed{Generation: 2}, a.in(5*time.Second, 1))
			a.passedBy(t, 6*time.Second, "2@3s", "1@5s")
		},
		"never twice, though another came between": func(t *testing.T, a *armed) {
			a.lead(true)
			a.entry(0, event, a.in(1*time.Second, 1))
			a.passedBy(t, 2*time.Second, "1@1s")
			a.entry(0, event, a.in(0, 2))
			a.passedBy(t, 3*time.Second, "1@1s", "2@2s")
			a.entry(0, event, a.in(1*time.Second, 1))
			a.passedBy(t, 4*time.Second, "1@1s", "2@2s")
		},
		"moved": func(t *testing.T, a *armed) {
			a.lead(true)
			a.entry(0, event, a.in(time.Second, 1))
			a.entry(0, event, a.in(3*time.Second, 2))
			a.passedBy(t, 2*time.Second)
			a.entry(0, event, deadline{})
			a.passedBy(t, 5*time.Second)
		},
		"only the leader appends": func(t *testing.T, a *armed) {
			a.entry(0, event, a.in(time.Second, 1))
			a.passedBy(t, 2*time.Second)
			a.lead(true) // late: at once
			a.passedBy(t, 3*time.Second, "1@2s")
		},
		"a lost lease disarms": func(t *testing.T, a *armed) {
			a.lead(true)
			a.entry(0, event, a.in(2*time.Second, 1))
			a.passedBy(t, time.Second)
			a.lead(false)
			a.passedBy(t, 5*time.Second)
			a.lead(true)
			a.passedBy(t, 6*time.Second, "1@5s")
		},
		"stopped for good": func(t *testing.T, a *armed) {
			a.lead(true)
			a.entry(0, event, a.in(time.Second, 1))
			a.stop()
			a.lead(true)
			a.passedBy(t, 2*time.Second)
		},
		"refused ones are tried again": func(t *testing.T, a *armed) {
			a.lead(true)
			a.refuse = true
			a.entry(0, event, a.in(time.Second, 1))
			a.passedBy(t, 1010*time.Millisecond)
			a.mu.Lock()
			a.refuse = false
			a.mu.Unlock()
			a.passedBy(t, 2*time.Second, "1@1.05s")
		},
		// The log is ahead of this clock by an hour, as after the clock was set back.
		"by the log's time, not the clock's": func(t *testing.T, a *armed) {
			a.lead(true)
			a.entry(time.Hour, event, a.in(time.Hour+10*time.Second, 1))
			a.passedBy(t, 5*time.Second)
			a.entry(time.Hour, event, a.in(time.Hour+10*time.Second, 1)) // time stands still in the log
			a.passedBy(t, 20*time.Second, "1@10s")
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := newArmed()
				run(t, a)
				a.stop()
			})
		})
	}
}

// The whole way: a call waits no longer than its group allows.
func TestLog_DeadlinePasses(t *testing.T) {
	dir := t.TempDir()
	l, r := started(t, Options{Dir: dir, LeaseTTL: minLeaseTTL})
	logged(t, l, site(50*time.Millisecond))
	logged(t, l, call("a"))
	var due deadline
	l.View(func(s *acd.State) { due = nextDeadline(s) })
	e := r.await(t, "DeadlinePassed", isDeadline)
	if got := e.Event.(*acd.DeadlinePassed); got.Deadline != due.id || got.Generation != due.generation || e.At.Before(due.at) {
		t.Errorf("%+v passed at %v, want %+v", got, e.At, due)
	}
	if !l.Leader() || !l.Stats().Leader {
		t.Error("the only node does not lead")
	}
	shut(t, l)

	// One that came due while nothing ran passes at once after the start.
	l, _ = started(t, Options{Dir: dir})
	logged(t, l, site(time.Millisecond))
	logged(t, l, call("b"))
	crash(l)
	l, r = started(t, Options{Dir: dir})
	if len(r.all()) == 0 {
		r.await(t, "an entry", func(acd.Entry) bool { return true })
	}
	want, _ := content(t, l)
	if want.Hash() != hash(l) {
		t.Error("the state is not what follows from the log")
	}
}

func isDeadline(e acd.Entry) bool {
	_, is := e.Event.(*acd.DeadlinePassed)
	return is
}
