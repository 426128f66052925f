package eventlog

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"centrala/acd"
	"centrala/queuegroups"
)

// patience is how long a test waits for what should happen at once.
const patience = 20 * time.Second

func TestMain(m *testing.M) {
	if dir := os.Getenv("EVENTLOG_TEST_CHILD"); dir != "" {
		childMain(dir)
		return
	}
	goleak.VerifyTestMain(m)
}

// recorder is a handler that remembers.
type recorder struct {
	mu       sync.Mutex
	entries  []acd.Entry
	commands []acd.Command
	more     chan struct{} // capacity 1
	hook     func(acd.Entry)
}

func newRecorder() *recorder { return &recorder{more: make(chan struct{}, 1)} }

func (r *recorder) Applied(e acd.Entry, commands []acd.Command) {
	r.mu.Lock()
	r.entries = append(r.entries, e)
	r.commands = append(r.commands, commands...)
	hook := r.hook
	r.mu.Unlock()
	select {
	case r.more <- struct{}{}:
	default:
	}
	if hook != nil {
		hook(e)
	}
}

func (r *recorder) all() []acd.Entry {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]acd.Entry(nil), r.entries...)
}

// await waits for an entry that is as asked for.
func (r *recorder) await(t testing.TB, what string, is func(acd.Entry) bool) acd.Entry {
	t.Helper()
	late := time.After(patience)
	for {
		for _, e := range r.all() {
			if is(e) {
				return e
			}
		}
		select {
		case <-r.more:
		case <-late:
			t.Fatalf("no entry came: %s", what)
		}
	}
}

func testContext(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

func testLog(t testing.TB) zerolog.Logger {
	if !testing.Verbose() {
		return zerolog.Nop()
	}
	return zerolog.New(zerolog.NewTestWriter(t)).Level(zerolog.InfoLevel)
}

// opened returns an open log that is closed with the test.
func opened(t testing.TB, o Options) *Log {
	t.Helper()
	if o.Node == "" {
		o.Node = "n1"
	}
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	o.Log = testLog(t)
	l, err := Open(testContext(t), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { shut(t, l) })
	return l
}

// started is opened, with a recorder.
func started(t testing.TB, o Options) (*Log, *recorder) {
	t.Helper()
	l := opened(t, o)
	r := newRecorder()
	if err := l.Start(r); err != nil {
		t.Fatal(err)
	}
	return l, r
}

func shut(t testing.TB, l *Log) {
	t.Helper()
	if err := l.Close(testContext(t)); err != nil && l.Err() == nil {
		t.Error(err)
	}
}

// logged appends an event and waits for it.
func logged(t testing.TB, l *Log, e acd.Event) uint64 {
	t.Helper()
	index, err := l.Append(e).Wait(testContext(t))
	if err != nil {
		t.Fatal(err)
	}
	return index
}

func hash(l *Log) (h uint64) {
	l.View(func(s *acd.State) { h = s.Hash() })
	return h
}

const number = "+48221112233"

// site is a configuration with one group, in which calls wait for as long as said.
func site(maxWait time.Duration) *acd.ConfigApplied {
	return &acd.ConfigApplied{Config: &queuegroups.Config{
		Version: "1",
		Region:  "PL",
		Agents:  []queuegroups.Agent{{ID: "anna", Name: "Anna", Capacity: queuegroups.Capacity{Voice: 1}}},
		Groups: []queuegroups.Group{{
			ID: "sales", Name: "Sales", Agents: []queuegroups.AgentID{"anna"}, Distribution: queuegroups.Evenly,
			Rings: 4, RingLength: 5 * time.Second, DialLimit: 10 * time.Second, MaxWait: maxWait,
			NoAnswer: []queuegroups.Action{{Kind: queuegroups.ActionWait}},
		}},
		Numbers: []queuegroups.Number{{Number: number, Group: "sales"}},
	}}
}

func call(leg string) *acd.CallArrived {
	return &acd.CallArrived{
		Leg: acd.LegID(leg), Node: "n1", Trunk: "carrier", To: number, From: acd.Party{Number: "+48601234567"},
	}
}

func hangup(leg string) *acd.LegEnded {
	return &acd.LegEnded{Leg: acd.LegID(leg), Cause: acd.EndHangup}
}

// legOf returns the leg that an event of these tests is about.
func legOf(e acd.Event) string {
	switch e := e.(type) {
	case *acd.CallArrived:
		return string(e.Leg)
	case *acd.LegEnded:
		return "end of " + string(e.Leg)
	}
	return fmt.Sprintf("%T", e)
}

// content reads the whole log without any of the code that it is to test: the
// state that follows from it, and the index of each leg's entry.
func content(t testing.TB, l *Log) (*acd.State, map[string]uint64) {
	t.Helper()
	ctx := testContext(t)
	info, err := l.stream.Info(ctx)
	if err != nil {
		t.Fatal(err)
	}
	state, legs, last := acd.NewState(), map[string]uint64{}, map[string]string{}
	var at time.Time
	for i := info.State.FirstSeq; i <= info.State.LastSeq; i++ {
		m, err := l.stream.GetMsg(ctx, i)
		if err != nil {
			t.Fatalf("entry %d: %v", i, err)
		}
		var format, n int
		var node, session string
		var body []byte
		if _, err := fmt.Sscanf(string(m.Data), "%d %s %s %d\n", &format, &node, &session, &n); err != nil {
			t.Fatalf("entry %d: %q: %v", i, m.Data, err)
		}
		for j, c := range m.Data {
			if c == '\n' {
				body = m.Data[j+1:]
				break
			}
		}
		if n > 0 && last[node] != fmt.Sprint(session, n-1) {
			continue
		}
		last[node] = fmt.Sprint(session, n)
		if n == 0 {
			continue
		}
		e, err := acd.DecodeEvent(body)
		if err != nil {
			t.Fatalf("entry %d: %v", i, err)
		}
		if m.Time.After(at) {
			at = m.Time
		}
		if p, ok := e.(*acd.DeadlinePassed); ok {
			if due, id, generation, _ := state.NextDeadline(); id == p.Deadline && generation == p.Generation && due.After(at) {
				at = due
			}
		}
		state.Apply(acd.Entry{Index: i, At: at, Event: e})
		if before, doubled := legs[legOf(e)]; doubled && legOf(e)[0] != '*' {
			t.Errorf("%s is in the log twice: entries %d and %d", legOf(e), before, i)
		}
		legs[legOf(e)] = i
	}
	return state, legs
}

// external is a server with a listener on loopback, which can be stopped and started again.
type external struct {
	t    testing.TB
	dir  string
	port int
	srv  *server.Server
}

func newExternal(t testing.TB) *external {
	t.Helper()
	// A port that is free now; it must be the same again after a restart.
	probe, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	x := &external{t: t, dir: t.TempDir(), port: probe.Addr().(*net.TCPAddr).Port}
	if err := probe.Close(); err != nil {
		t.Fatal(err)
	}
	x.start()
	t.Cleanup(x.stop)
	return x
}

func (x *external) start() {
	x.t.Helper()
	srv, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: x.port, NoSigs: true, NoLog: true, JetStream: true, StoreDir: x.dir,
		JetStreamMaxMemory: maxMemory, JetStreamMaxStore: maxStore,
	})
	if err != nil {
		x.t.Fatal(err)
	}
	srv.Start()
	if !srv.ReadyForConnections(patience) {
		x.t.Fatal("the external server does not start")
	}
	x.srv = srv
}

func (x *external) stop() {
	x.srv.Shutdown()
	x.srv.WaitForShutdown()
}

func (x *external) url() string { return fmt.Sprintf("nats://127.0.0.1:%d", x.port) }

// connect returns a connection of the test's own.
func (x *external) connect() *nats.Conn {
	x.t.Helper()
	nc, err := nats.Connect(x.url())
	if err != nil {
		x.t.Fatal(err)
	}
	x.t.Cleanup(nc.Close)
	return nc
}

func snapshotsOf(t testing.TB, l *Log) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(l.snapshots(), "snapshot-*"))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

var errCrash = errors.New("ended by the test")
