package eventlog

import (
	"errors"
	"fmt"
	"testing"

	"github.com/nats-io/nats.go"

	"centrala/acd"
)

func delivery(index, consumer uint64, data string) *nats.Msg {
	return &nats.Msg{
		Reply: fmt.Sprintf("$JS.ACK.log.c.1.%d.%d.1700000000000000000.0", index, consumer),
		Data:  []byte(data),
	}
}

func TestReader_Accept(t *testing.T) {
	heartbeatAt := func(consumer string) *nats.Msg {
		return &nats.Msg{Header: nats.Header{"Status": {"100"}, "Nats-Last-Consumer": {consumer}}}
	}
	for name, c := range map[string]struct {
		m         *nats.Msg
		ok, again bool
		gap       bool
	}{
		"the next":                 {m: delivery(6, 3, "x"), ok: true},
		"one was lost on the way":  {m: delivery(7, 4, "x"), again: true},
		"one read before":          {m: delivery(5, 3, "x")},
		"one is not in the stream": {m: delivery(7, 3, "x"), gap: true},
		"not from a stream":        {m: &nats.Msg{Reply: "x", Data: []byte("x")}, again: true},
		"heartbeat":                {m: heartbeatAt("2")},
		"heartbeat after a loss":   {m: heartbeatAt("3"), again: true},
		"the consumer was deleted": {m: &nats.Msg{Header: nats.Header{"Status": {"409"}}}, again: true},
	} {
		r := &reader{next: 6, consumer: 2}
		msg, ok, again, err := r.accept(c.m)
		if ok != c.ok || again != c.again || errors.Is(err, ErrGap) != c.gap {
			t.Errorf("%s: %v %v %v", name, ok, again, err)
		}
		if ok && (msg.index != 6 || r.next != 7) {
			t.Errorf("%s: entry %d, next %d", name, msg.index, r.next)
		}
	}
}

// The reader is overrun again and again; each time it reads on where it was, and at once:
// it does not wait for the next heartbeat to learn what it lost, which would take minutes.
func TestReader_OverrunIsReadAgain(t *testing.T) {
	l := opened(t, Options{})
	l.reader.ahead = 16
	if err := l.reader.open(testContext(t)); err != nil {
		t.Fatal(err)
	}
	r := newRecorder()
	if err := l.Start(r); err != nil {
		t.Fatal(err)
	}
	const calls = 500
	for i := range calls {
		if err := l.Append(call(fmt.Sprint(i))).Err(); err != nil {
			t.Fatal(err)
		}
	}
	r.await(t, "the last call", isLeg(fmt.Sprint(calls-1)))
	for i, e := range r.all() {
		if legOf(e.Event) != fmt.Sprint(i) {
			t.Fatalf("call %s where %d is due", legOf(e.Event), i)
		}
	}
}

// What the disk of a single node lost does not keep it from starting; a node of a
// cluster, which might differ from the others, does not go on.
func TestReplay_HoleInTheStream(t *testing.T) {
	for _, url := range []string{"", "nats://of.a.cluster"} {
		l := opened(t, Options{})
		l.opts.URL = url
		body, err := acd.EncodeEvent(call("a"))
		if err != nil {
			t.Fatal(err)
		}
		l.reader.ch = make(chan *nats.Msg, 1)
		index := l.index + 5
		l.reader.ch <- delivery(index, l.reader.consumer+1, string(appendRecord(nil, l.window.prefix, 1, body)))
		err = l.readTo(testContext(t), index)
		if url == "" && (err != nil || l.index != index || l.Stats().Applied != 1) {
			t.Errorf("the only node: at %d of %d, %v", l.index, index, err)
		}
		if url != "" && !errors.Is(err, ErrGap) {
			t.Errorf("a node of a cluster: %v, want ErrGap", err)
		}
		l.opts.URL = ""
	}
}
