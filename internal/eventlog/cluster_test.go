package eventlog

import (
	"bytes"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/rs/zerolog"

	"centrala/acd"
)

func isLeg(leg string) func(acd.Entry) bool {
	return func(e acd.Entry) bool { return legOf(e.Event) == leg }
}

// elected has the log tell when it gains (true) or loses (false) the lease.
func elected(l *Log) <-chan bool {
	told := make(chan bool, 16)
	tell := l.lease.changed
	l.lease.changed = func(leads bool) { tell(leads); told <- leads }
	return told
}

func expect(t *testing.T, told <-chan bool, want bool) {
	t.Helper()
	select {
	case got := <-told:
		if got != want {
			t.Fatalf("leads: %v", got)
		}
	case <-time.After(patience):
		t.Fatalf("no word that it leads: %v", want)
	}
}

func TestCluster_NodesHaveTheSameState(t *testing.T) {
	x := newExternal(t)
	const nodes, each = 2, 200
	var logs [nodes]*Log
	var seen [nodes]*recorder
	for i := range nodes {
		logs[i], seen[i] = started(t, Options{URL: x.url(), Node: acd.NodeID(fmt.Sprint("n", i+1)), SnapshotEvery: 50})
	}
	logged(t, logs[0], site(0))
	var all sync.WaitGroup
	for i, l := range logs {
		all.Go(func() {
			for k := range each {
				if err := l.Append(call(fmt.Sprintf("%d-%d", i, k))).Err(); err != nil {
					t.Error(err)
				}
			}
			logged(t, l, hangup(fmt.Sprint("last of ", i)))
		})
	}
	all.Wait()
	for i := range nodes {
		for k := range nodes {
			seen[i].await(t, "the other node's last entry", isLeg(fmt.Sprint("end of last of ", k)))
		}
	}
	if a, b := hash(logs[0]), hash(logs[1]); a != b {
		t.Errorf("hashes %x and %x", a, b)
	}
	a, b := seen[0].all(), seen[1].all()
	if len(a) != 1+nodes*(each+1) || len(a) != len(b) {
		t.Fatalf("%d and %d entries", len(a), len(b))
	}
	for i := range a {
		if a[i].Index != b[i].Index || !a[i].At.Equal(b[i].At) || legOf(a[i].Event) != legOf(b[i].Event) {
			t.Fatalf("entry %d: %v here, %v there", i, a[i], b[i])
		}
	}
	state, _ := content(t, logs[0])
	if state.Hash() != hash(logs[0]) {
		t.Error("the state is not what follows from the log")
	}
}

// The leader dies without a word: after its lease the other arms the timers.
func TestCluster_TheOtherNodeTakesOver(t *testing.T) {
	x := newExternal(t)
	o := Options{URL: x.url(), LeaseTTL: 600 * time.Millisecond, Node: "n1"}
	first := opened(t, o)
	leads := elected(first)
	if err := first.Start(newRecorder()); err != nil {
		t.Fatal(err)
	}
	expect(t, leads, true)
	o.Node = "n2"
	second := opened(t, o)
	leads2, seen := elected(second), newRecorder()
	if err := second.Start(seen); err != nil {
		t.Fatal(err)
	}
	logged(t, second, site(time.Second))
	logged(t, second, call("a"))
	if second.Leader() {
		t.Fatal("two nodes lead")
	}
	first.engine.nc.Close() // as if killed: nothing is given back
	died := time.Now()
	expect(t, leads2, true)
	t.Logf("took over after %v", time.Since(died))
	seen.await(t, "DeadlinePassed", isDeadline)
	expect(t, leads, false)
	if first.Leader() {
		t.Error("the dead node leads")
	}
	if first.Err() == nil {
		t.Error("the log goes on without a connection")
	}
}

func TestCluster_ClosingGivesTheLeaseToTheOther(t *testing.T) {
	x := newExternal(t)
	o := Options{URL: x.url(), Node: "n1", LeaseTTL: 15 * time.Second}
	first := opened(t, o)
	leads := elected(first)
	if err := first.Start(newRecorder()); err != nil {
		t.Fatal(err)
	}
	expect(t, leads, true)
	o.Node = "n2"
	second := opened(t, o)
	leads2 := elected(second)
	if err := second.Start(newRecorder()); err != nil {
		t.Fatal(err)
	}
	shut(t, first)
	begun := time.Now()
	expect(t, leads2, true)
	// The lease was renewed a third of its time ago at most: left alone it would have gone on for two.
	if took := time.Since(begun); took > o.LeaseTTL*2/3 {
		t.Errorf("took %v", took)
	}
}

// A node that crashed leads again at once, whatever is left of its lease.
func TestCluster_RetakesItsOwnLease(t *testing.T) {
	x := newExternal(t)
	o := Options{URL: x.url(), Node: "n1", LeaseTTL: time.Hour}
	first := opened(t, o)
	leads := elected(first)
	if err := first.Start(newRecorder()); err != nil {
		t.Fatal(err)
	}
	expect(t, leads, true)
	before := first.lease.revision
	first.engine.nc.Close()
	<-first.Done()
	second := opened(t, o)
	leads = elected(second)
	if err := second.Start(newRecorder()); err != nil {
		t.Fatal(err)
	}
	expect(t, leads, true) // within patience, which is far less than the lease
	if second.lease.revision <= before {
		t.Error("the lease was not taken anew")
	}
}

func TestCluster_NewerProcessWithTheSameIDWins(t *testing.T) {
	x := newExternal(t)
	first, _ := started(t, Options{URL: x.url()})
	logged(t, first, site(0))
	second, _ := started(t, Options{URL: x.url()})
	select {
	case <-first.Done():
	case <-time.After(patience):
		t.Fatal("two processes go on with one id")
	}
	if !errors.Is(first.Err(), ErrSuperseded) {
		t.Errorf("the older process ended with %v", first.Err())
	}
	logged(t, second, call("a"))
}

// The servers restart while events are on their way: each gets into the log once,
// in order.
func TestCluster_ServerRestarts(t *testing.T) {
	x := newExternal(t)
	l, r := started(t, Options{URL: x.url(), SnapshotEvery: 100})
	logged(t, l, site(0))
	const calls = 900
	away := l.engine.nc.StatusChanged(nats.RECONNECTING)
	defer l.engine.nc.RemoveStatusListener(away)
	receipts := make([]*Receipt, calls)
	for i := range calls {
		receipts[i] = l.Append(call(fmt.Sprint(i)))
		switch i {
		case calls / 3:
			x.stop()
		case calls * 2 / 3:
			<-away
			if l.Healthy() == nil {
				t.Error("healthy without a server")
			}
			x.start()
		}
	}
	var last uint64
	for i, receipt := range receipts {
		index, err := receipt.Wait(testContext(t))
		if err != nil || index <= last {
			t.Fatalf("event %d: entry %d after %d, %v", i, index, last, err)
		}
		last = index
	}
	i := 0
	for _, e := range r.all() {
		if arrived, ok := e.Event.(*acd.CallArrived); ok {
			if string(arrived.Leg) != fmt.Sprint(i) {
				t.Fatalf("call %s where %d is due", arrived.Leg, i)
			}
			i++
		}
	}
	state, _ := content(t, l)
	if state.Hash() != hash(l) {
		t.Error("the state is not what follows from the log")
	}
	t.Logf("%+v", l.Stats())
}

// Messages that never reached the stream, and ones that came twice.
func TestCluster_LostAndDoubledOnTheWay(t *testing.T) {
	x := newExternal(t)
	l, r := started(t, Options{URL: x.url()})
	logged(t, l, site(0))
	logged(t, l, call("a"))
	// The window believes that this one was sent; no server ever got it.
	l.window.mu.Lock()
	l.window.next++
	l.window.mu.Unlock()
	for _, leg := range []string{"b", "c", "d"} {
		l.Append(call(leg))
	}
	l.window.rewind()
	r.await(t, "the last", isLeg("d"))
	var legs string
	for _, e := range r.all()[1:] {
		legs += legOf(e.Event)
	}
	if legs != "abcd" {
		t.Errorf("applied %s", legs)
	}
}

// What is silently lost is noticed, since nothing comes back, and sent again.
func TestCluster_SilentLossIsNoticed(t *testing.T) {
	x := newExternal(t)
	l := opened(t, Options{URL: x.url()})
	first, second := l.Append(site(0)), l.Append(call("a"))
	l.window.unsent(nil) // sent, it believes
	if err := l.Start(newRecorder()); err != nil {
		t.Fatal(err)
	}
	for _, r := range []*Receipt{first, second} {
		if _, err := r.Wait(testContext(t)); err != nil {
			t.Fatal(err)
		}
	}
	if l.Stats().Resent == 0 {
		t.Error("sent again, but not counted")
	}
}

func TestTrim_KeepsWhatIsNotCovered(t *testing.T) {
	for _, engine := range []string{"embedded", "external"} {
		t.Run(engine, func(t *testing.T) {
			o := Options{Dir: t.TempDir(), Node: "n1", SnapshotEvery: 20}
			if engine == "external" {
				o.URL = newExternal(t).url()
			}
			l, _ := started(t, o)
			logged(t, l, site(0))
			var times []time.Time
			for i := range 60 {
				logged(t, l, call(fmt.Sprint(i)))
				times = append(times, l.at)
			}
			ctx := testContext(t)
			first := func() uint64 {
				info, err := l.stream.Info(ctx)
				if err != nil {
					t.Fatal(err)
				}
				return info.State.FirstSeq
			}
			for l.keeper.busy.Load() { // nothing else trims meanwhile
				runtime.Gosched()
			}
			covered, err := snapshotFiles(l.snapshots())
			if err != nil || len(covered) == 0 {
				t.Fatalf("snapshots %v, %v", covered, err)
			}
			oldest := covered[len(covered)-1]
			if err := l.trim(ctx, oldest, times[0].Add(-time.Hour)); err != nil || first() != 1 {
				t.Errorf("begins at %d though nothing is old (%v)", first(), err)
			}
			if err := l.trim(ctx, oldest, times[9]); err != nil || first() != 12 { // opening, site, then ten calls
				t.Errorf("begins at %d after all before entry 12 was trimmed (%v)", first(), err)
			}
			if err := l.trim(ctx, oldest, time.Now().Add(time.Hour)); err != nil || first() != oldest+1 {
				t.Errorf("begins at %d though the snapshot covers up to %d (%v)", first(), oldest, err)
			}
			want := hash(l)
			if engine == "external" {
				// A node without a snapshot of its own gets the shared one.
				o.Dir, o.Node = t.TempDir(), "n2"
				if other := opened(t, o); hash(other) != want {
					t.Error("the new node has another state")
				}
			}
		})
	}
}

// A leader whose lease another one wrote over does not lead any more, and cannot
// renew; when that lease has expired it may lead again.
func TestCluster_LeaseTakenAway(t *testing.T) {
	x := newExternal(t)
	l := opened(t, Options{URL: x.url(), LeaseTTL: 600 * time.Millisecond})
	leads := elected(l)
	if err := l.Start(newRecorder()); err != nil {
		t.Fatal(err)
	}
	expect(t, leads, true)
	js, err := jetstream.New(x.connect())
	if err != nil {
		t.Fatal(err)
	}
	kv, err := js.KeyValue(testContext(t), "centrala_lease")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := kv.Put(testContext(t), leaseKey, []byte("n2")); err != nil {
		t.Fatal(err)
	}
	expect(t, leads, false)
	expect(t, leads, true)
}

func TestCluster_NoServer(t *testing.T) {
	x := newExternal(t)
	x.stop()
	if _, err := Open(testContext(t), Options{Dir: t.TempDir(), Node: "n1", URL: x.url()}); err == nil {
		t.Error("opened without a server")
	}
}

func TestLog_TellsWhyServersRefuse(t *testing.T) {
	var out bytes.Buffer
	l := &Log{opts: Options{Log: zerolog.New(&out)}}
	l.answered(&nats.Msg{Header: nats.Header{"Status": {"503"}}})
	l.answered(&nats.Msg{Data: []byte(`{"error":{"code":500,"description":"insufficient resources"}}`)})
	before := out.String()
	l.answered(&nats.Msg{Data: []byte(`{"stream":"log","seq":5}`)})
	if !strings.Contains(before, "no server") || !strings.Contains(before, "insufficient resources") || out.String() != before {
		t.Errorf("logged %s", out.String())
	}
}
