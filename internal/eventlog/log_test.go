package eventlog

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"centrala/acd"
	"centrala/queuegroups"
)

func TestLog_OrderOfEachCallerIsKept(t *testing.T) {
	l, r := started(t, Options{})
	logged(t, l, site(0))
	const callers, each = 8, 300
	var all sync.WaitGroup
	for c := range callers {
		all.Go(func() {
			var last *Receipt
			for i := range each {
				last = l.Append(call(fmt.Sprintf("c%d-%d", c, i)))
				if err := last.Err(); err != nil {
					t.Error(err)
				}
			}
			if _, err := last.Wait(testContext(t)); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	entries := r.all()
	if want := 1 + callers*each; len(entries) != want {
		t.Fatalf("%d entries handed out, want %d", len(entries), want)
	}
	next := map[string]int{}
	var before acd.Entry
	for _, e := range entries {
		if e.Index <= before.Index || e.At.Before(before.At) {
			t.Fatalf("entry %d at %v comes after %d at %v", e.Index, e.At, before.Index, before.At)
		}
		before = e
		if arrived, ok := e.Event.(*acd.CallArrived); ok {
			caller, i, _ := strings.Cut(string(arrived.Leg), "-")
			if fmt.Sprint(next[caller]) != i {
				t.Fatalf("%s appended its event %s out of order, want %d", caller, i, next[caller])
			}
			next[caller]++
		}
	}
	if len(r.commands) == 0 {
		t.Error("no commands were handed out")
	}
	state, _ := content(t, l)
	if state.Hash() != hash(l) {
		t.Error("the state is not what follows from the log")
	}
}

func TestLog_ReopenedHasTheSameState(t *testing.T) {
	for _, every := range []int{1, 7, 10_000} {
		t.Run(fmt.Sprintf("snapshot every %d", every), func(t *testing.T) {
			dir := t.TempDir()
			l, _ := started(t, Options{Dir: dir, SnapshotEvery: every})
			logged(t, l, site(time.Hour))
			for i := range 40 {
				l.Append(call(fmt.Sprint("leg", i)))
			}
			index := logged(t, l, hangup("leg7"))
			want := hash(l)
			shut(t, l)

			l, r := started(t, Options{Dir: dir, SnapshotEvery: every})
			if got := hash(l); got != want {
				t.Errorf("hash is %x after the restart, %x before", got, want)
			}
			var pending int
			l.View(func(s *acd.State) { pending = len(s.Pending("n1")) })
			if pending == 0 {
				t.Error("nothing is pending of the commands that were not carried out")
			}
			next := logged(t, l, hangup("leg8"))
			if entries := r.all(); len(entries) != 1 || entries[0].Index != next {
				t.Errorf("handed out after the restart: %v, want entry %d alone", entries, next)
			}
			if next <= index {
				t.Errorf("entry %d follows entry %d", next, index)
			}
			if n := len(snapshotsOf(t, l)); n < 1 || n > 2 {
				t.Errorf("%d snapshots kept", n)
			}
		})
	}
}

func TestLog_ReplaysWithoutASnapshot(t *testing.T) {
	dir := t.TempDir()
	l, _ := started(t, Options{Dir: dir})
	logged(t, l, site(0))
	logged(t, l, call("a"))
	want := hash(l)
	shut(t, l)
	for _, file := range snapshotsOf(t, l) {
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
	}
	if l := opened(t, Options{Dir: dir}); hash(l) != want {
		t.Error("replay of the whole log gives another state")
	}
}

func TestLog_CorruptSnapshotFallsBackToTheOlder(t *testing.T) {
	dir := t.TempDir()
	var want uint64
	for i := range 2 { // a snapshot at each close
		l, _ := started(t, Options{Dir: dir})
		logged(t, l, site(0))
		logged(t, l, call(fmt.Sprint("leg", i)))
		want = hash(l)
		shut(t, l)
	}
	found, err := snapshotFiles(filepath.Join(dir, "snapshots"))
	if err != nil || len(found) != 2 {
		t.Fatalf("snapshots %v, %v", found, err)
	}
	newest := filepath.Join(dir, "snapshots", snapshotName(found[0]))
	data, err := os.ReadFile(newest)
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)-10] ^= 1
	if err := os.WriteFile(newest, data, 0o600); err != nil {
		t.Fatal(err)
	}
	l := opened(t, Options{Dir: dir})
	if hash(l) != want {
		t.Error("the older snapshot and the rest of the log give another state")
	}
	if s := l.Stats(); s.SnapshotIndex != found[1] {
		t.Errorf("began with snapshot %d, want %d", s.SnapshotIndex, found[1])
	}
}

// After a loss of power the log may be shorter than the snapshot.
func TestLog_LostTailGoesOnBehindTheSnapshot(t *testing.T) {
	dir := t.TempDir()
	l, _ := started(t, Options{Dir: dir})
	logged(t, l, site(0))
	last := logged(t, l, call("a"))
	want := hash(l)
	shut(t, l)
	if err := os.RemoveAll(filepath.Join(dir, "log")); err != nil {
		t.Fatal(err)
	}
	l, _ = started(t, Options{Dir: dir})
	if hash(l) != want {
		t.Error("the snapshot was not used")
	}
	if next := logged(t, l, call("b")); next <= last {
		t.Errorf("new entry %d has an index of the snapshot, which goes to %d", next, last)
	}
	want = hash(l)
	shut(t, l)
	if l := opened(t, Options{Dir: dir}); hash(l) != want {
		t.Error("state is another after one more restart")
	}
}

// What was written down elsewhere keeps its numbers: the log goes on behind them,
// whether it is another one or has lost its tail, and not a second time.
func TestLog_GoesOnBehindWhatIsWrittenElsewhere(t *testing.T) {
	for _, before := range []int{0, 3} {
		t.Run(fmt.Sprintf("%d entries before", before), func(t *testing.T) {
			o := Options{Dir: t.TempDir()}
			l, _ := started(t, o)
			logged(t, l, site(0))
			for i := range before {
				logged(t, l, call(fmt.Sprint("early", i)))
			}
			shut(t, l)
			if before == 0 {
				o.Dir = t.TempDir()
			}
			o.After = 1000
			l, _ = started(t, o)
			logged(t, l, site(0))
			first := logged(t, l, call("late"))
			if first <= o.After || first > o.After+10 {
				t.Errorf("entry %d, want one behind %d", first, o.After)
			}
			var calls int
			l.View(func(s *acd.State) { calls = len(s.Interactions()) })
			if calls != before+1 {
				t.Errorf("%d calls, want %d", calls, before+1)
			}
			want := hash(l)
			shut(t, l)
			l, _ = started(t, o)
			if hash(l) != want {
				t.Error("state is another after one more restart")
			}
			f, err := l.Follow(nil)
			if err != nil || f.Index() < o.After {
				t.Errorf("followed from %d, %v", f.Index(), err)
			}
			next := logged(t, l, call("later"))
			if next <= first || next > first+10 {
				t.Errorf("entry %d follows %d", next, first)
			}
			shut(t, l)
			o.After = next // all of it is written down elsewhere: nothing is left out
			l, _ = started(t, o)
			if info, err := l.stream.Info(testContext(t)); err != nil || info.State.FirstSeq > first {
				t.Errorf("the log begins at %d, %v", info.State.FirstSeq, err)
			}
		})
	}
}

func TestLog_MissingEntriesAreAnError(t *testing.T) {
	dir := t.TempDir()
	l, _ := started(t, Options{Dir: dir})
	for i := range 5 {
		logged(t, l, call(fmt.Sprint("leg", i)))
	}
	if err := l.stream.Purge(testContext(t)); err != nil {
		t.Fatal(err)
	}
	shut(t, l)
	for _, file := range snapshotsOf(t, l) {
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
	}
	_, err := Open(testContext(t), Options{Dir: dir, Node: "n1"})
	if !errors.Is(err, ErrGap) {
		t.Errorf("error %v, want ErrGap", err)
	}
}

func TestLog_UnknownEventStops(t *testing.T) {
	for name, body := range map[string]string{
		"kind":    `{"v":1,"t":"moon_phase","e":{}}`,
		"version": `{"v":9,"t":"call_arrived","e":{}}`,
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			l, r := started(t, Options{Dir: dir})
			logged(t, l, site(0))
			l.window.add([]byte(body))
			waiting := l.Append(call("a"))
			select {
			case <-l.Done():
			case <-time.After(patience):
				t.Fatal("the log goes on")
			}
			if err := l.Err(); !errors.Is(err, acd.ErrUnknownEvent) || !strings.Contains(err.Error(), "entry 3") {
				t.Errorf("the log ended with %v", err)
			}
			if _, err := waiting.Wait(testContext(t)); !errors.Is(err, ErrClosed) || !errors.Is(err, acd.ErrUnknownEvent) {
				t.Errorf("the event behind it got %v", err)
			}
			if err := l.Append(call("b")).Err(); !errors.Is(err, ErrClosed) {
				t.Errorf("a later event got %v", err)
			}
			if l.Healthy() == nil {
				t.Error("healthy")
			}
			if len(r.all()) != 1 {
				t.Errorf("handed out: %v", r.all())
			}
			shut(t, l)
			if _, err := Open(testContext(t), Options{Dir: dir, Node: "n1"}); !errors.Is(err, acd.ErrUnknownEvent) {
				t.Errorf("opened again with %v", err)
			}
		})
	}
}

func TestLog_FullWindowRefusesAtOnce(t *testing.T) {
	l := opened(t, Options{Window: 4})
	var kept []*Receipt
	for i := range 4 {
		kept = append(kept, l.Append(call(fmt.Sprint("leg", i))))
	}
	if err := l.Append(call("one too many")).Err(); !errors.Is(err, ErrOverloaded) {
		t.Errorf("error %v, want ErrOverloaded", err)
	}
	if s := l.Stats(); s.InFlight != 4 || s.Window != 4 {
		t.Errorf("stats %+v", s)
	}
	if err := l.Start(newRecorder()); err != nil {
		t.Fatal(err)
	}
	for _, r := range kept {
		if _, err := r.Wait(testContext(t)); err != nil {
			t.Error(err)
		}
	}
	logged(t, l, call("there is room again"))
}

func TestLog_ClosedRefuses(t *testing.T) {
	l, _ := started(t, Options{})
	before := l.Append(call("a"))
	shut(t, l)
	if _, err := before.Wait(testContext(t)); err != nil {
		t.Errorf("appended before Close, but %v", err)
	}
	if _, err := l.Append(call("b")).Wait(testContext(t)); !errors.Is(err, ErrClosed) {
		t.Errorf("appended after Close: %v", err)
	}
	if err := l.Err(); !errors.Is(err, ErrClosed) {
		t.Errorf("Err is %v", err)
	}
	if err := l.Start(newRecorder()); err == nil {
		t.Error("a closed log was started")
	}
	if err := l.Close(testContext(t)); err != nil {
		t.Errorf("closed again: %v", err)
	}
}

func TestLog_CloseDoesNotWaitLongerThanToldTo(t *testing.T) {
	l, r := started(t, Options{})
	goOn, inHandler := make(chan struct{}), make(chan struct{})
	r.hook = func(acd.Entry) { close(inHandler); <-goOn }
	l.Append(call("a"))
	<-inHandler
	behind := l.Append(&acd.LegAnswered{Leg: "a"})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	closed := make(chan error)
	go func() { closed <- l.Close(ctx) }()
	<-l.Done()
	close(goOn)
	if err := <-closed; !errors.Is(err, context.Canceled) {
		t.Errorf("Close: %v", err)
	}
	if _, err := behind.Wait(testContext(t)); !errors.Is(err, ErrClosed) {
		t.Errorf("the event behind the handler got %v", err)
	}
}

func TestLog_WaitEndsWithItsContext(t *testing.T) {
	l := opened(t, Options{})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := l.Append(call("a")).Wait(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func TestLog_TooLarge(t *testing.T) {
	l, _ := started(t, Options{})
	huge := &acd.ConfigApplied{Config: &queuegroups.Config{Version: strings.Repeat("x", maxPayload)}}
	if err := l.Append(huge).Err(); !errors.Is(err, ErrTooLarge) {
		t.Errorf("error %v, want ErrTooLarge", err)
	}
	large := &acd.ConfigApplied{Config: &queuegroups.Config{Version: strings.Repeat("x", maxPayload-1000)}}
	logged(t, l, large)
}

func TestLog_HandlersPanicEndsNothing(t *testing.T) {
	l, r := started(t, Options{})
	r.hook = func(e acd.Entry) {
		if legOf(e.Event) == "bad" {
			panic("cannot carry that out")
		}
	}
	logged(t, l, call("bad"))
	logged(t, l, call("good"))
	if s := l.Stats(); s.Panics != 1 {
		t.Errorf("%d panics counted", s.Panics)
	}
	if err := l.Healthy(); err != nil {
		t.Error(err)
	}
}

// What the core would do with a broken state cannot be known, so the log ends, and
// a restart meets the same entry again.
func TestLog_CoresPanicEndsTheLog(t *testing.T) {
	dir := t.TempDir()
	l, _ := started(t, Options{Dir: dir})
	last := logged(t, l, site(0))
	var sound *acd.State
	l.stateMu.Lock()
	sound, l.state = l.state, nil
	l.stateMu.Unlock()
	r := l.Append(call("a"))
	if _, err := r.Wait(testContext(t)); !errors.Is(err, ErrClosed) {
		t.Errorf("error %v", err)
	}
	if err := l.Err(); err == nil || !strings.Contains(err.Error(), fmt.Sprint("entry ", last+1)) {
		t.Errorf("the log ended with %v", err)
	}
	shut(t, l)
	l = opened(t, Options{Dir: dir})
	want, legs := content(t, l)
	if legs["a"] == 0 || want.Hash() != hash(l) || hash(l) == sound.Hash() {
		t.Error("the entry was passed over after the restart")
	}
}

func TestLog_FolderIsOpenOnce(t *testing.T) {
	dir := t.TempDir()
	opened(t, Options{Dir: dir})
	if _, err := Open(testContext(t), Options{Dir: dir, Node: "n2"}); !errors.Is(err, ErrInUse) {
		t.Errorf("error %v, want ErrInUse", err)
	}
}

func TestLog_StartIsCalledOnce(t *testing.T) {
	l, r := started(t, Options{})
	if l.Start(r) == nil {
		t.Error("started twice")
	}
	if opened(t, Options{}).Start(nil) == nil {
		t.Error("started without a handler")
	}
}

func TestOptions_Refused(t *testing.T) {
	for what, o := range map[string]Options{
		"no folder":     {Node: "n1"},
		"no node":       {Dir: "x"},
		"bad node":      {Dir: "x", Node: "a b"},
		"bad name":      {Dir: "x", Node: "a", Name: "a.b"},
		"few snapshots": {Dir: "x", Node: "a", SnapshotEvery: -1},
		"past":          {Dir: "x", Node: "a", Retain: -1},
		"small window":  {Dir: "x", Node: "a", Window: -1},
		"large window":  {Dir: "x", Node: "a", Window: maxWindow + 1},
		"short lease":   {Dir: "x", Node: "a", LeaseTTL: time.Millisecond},
		"replicas":      {Dir: "x", Node: "a", Replicas: 9},
	} {
		if _, err := Open(testContext(t), o); err == nil {
			t.Errorf("%s: opened", what)
		}
	}
	o, err := Options{Dir: "x", Node: "a", URL: "nats://a,nats://b,nats://c"}.withDefaults()
	if err != nil || o.Replicas != 3 {
		t.Errorf("%d replicas on three servers, %v", o.Replicas, err)
	}
}

// Records that were sent twice or come out of order count for nothing.
func TestLog_PassesOverDoubledRecords(t *testing.T) {
	l, r := started(t, Options{})
	logged(t, l, site(0))
	send := func(prefix string, n uint64, e acd.Event) {
		t.Helper()
		body, err := acd.EncodeEvent(e)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := l.engine.js.Publish(testContext(t), "centrala.log", appendRecord(nil, prefix, n, body)); err != nil {
			t.Fatal(err)
		}
	}
	logged(t, l, call("a"))                            // record 2
	send(l.window.prefix, 2, call("a"))                // an acknowledgement was lost
	send(l.window.prefix, 4, call("early"))            // its predecessor was lost
	send("1 n1 0.dead ", 1, call("of a dead process")) // older than the session
	send("1 n2 1.dead ", 1, call("of no session"))
	logged(t, l, call("b"))
	var legs []string
	for _, e := range r.all() {
		legs = append(legs, legOf(e.Event))
	}
	if fmt.Sprint(legs) != "[*acd.ConfigApplied a b]" {
		t.Errorf("applied: %v", legs)
	}
	if s := l.Stats(); s.PassedOver != 4 {
		t.Errorf("%d records passed over, want 4", s.PassedOver)
	}
}

func TestLog_TimeNeverGoesBack(t *testing.T) {
	l, _ := started(t, Options{})
	logged(t, l, site(time.Hour))
	logged(t, l, call("a"))
	shut(t, l)
	late := time.Unix(1_800_000_000, 0).UTC()
	clamped := func(at time.Time, e acd.Event) time.Time { return clamp(message{at: at.UnixNano()}, e, l.at, l.state) }
	l.at = late
	if at := clamped(late.Add(-time.Hour), call("b")); !at.Equal(late) {
		t.Errorf("an entry after %v is at %v", late, at)
	}
	d := nextDeadline(l.state)
	if !d.ok {
		t.Fatal("no deadline")
	}
	l.at = d.at.Add(-time.Minute)
	passed := &acd.DeadlinePassed{Deadline: d.id, Generation: d.generation}
	if at := clamped(l.at, passed); !at.Equal(d.at) {
		t.Errorf("a deadline of %v passed at %v", d.at, at)
	}
	passed.Generation++
	if at := clamped(l.at, passed); !at.Equal(l.at) {
		t.Errorf("a stale deadline moved the time to %v", at)
	}
}
