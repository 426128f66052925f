package eventlog

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	// heartbeat is how often the server tells an idle reader that it is still there.
	heartbeat = 2 * time.Second
	// silence is when a reader gives up a server that says nothing.
	silence = 3 * heartbeat
	// readAhead is how many messages may wait here. The server holds back after
	// 32 MB; what does not fit is read again.
	readAhead = 1 << 17
)

// message is one message of the stream.
type message struct {
	index   uint64 // sequence in the stream
	at      int64  // when it was stored, nanoseconds since 1970
	pending uint64 // messages of the stream behind it
	data    []byte
}

// reader reads the stream in order through an ephemeral consumer without
// acknowledgements, and makes a new one wherever it lost touch. Not safe for
// concurrent use.
type reader struct {
	nc     *nats.Conn
	js     jetstream.JetStream
	stream string
	ahead  int // messages that may wait here

	ch       chan *nats.Msg
	sub      *nats.Subscription
	consumer uint64 // sequence of the consumer's last message seen
	next     uint64 // index wanted next
	heard    time.Time
}

func newReader(e *engine, stream string, from uint64) *reader {
	return &reader{nc: e.nc, js: e.js, stream: stream, ahead: readAhead, next: from}
}

// open begins to read at next, anew if it was reading.
func (r *reader) open(ctx context.Context) error {
	r.close()
	inbox := r.nc.NewInbox()
	ch := make(chan *nats.Msg, r.ahead)
	sub, err := r.nc.ChanSubscribe(inbox, ch)
	if err != nil {
		return err
	}
	_, err = r.js.CreatePushConsumer(ctx, r.stream, jetstream.ConsumerConfig{
		DeliverSubject:    inbox,
		DeliverPolicy:     jetstream.DeliverByStartSequencePolicy,
		OptStartSeq:       r.next,
		AckPolicy:         jetstream.AckNonePolicy,
		MaxDeliver:        1,
		MemoryStorage:     true,
		Replicas:          1,
		FlowControl:       true,
		IdleHeartbeat:     heartbeat,
		InactiveThreshold: time.Minute,
	})
	if err != nil {
		_ = sub.Unsubscribe() // the connection is gone with it, or the inbox stays empty
		return err
	}
	r.ch, r.sub, r.consumer, r.heard = ch, sub, 0, time.Now()
	return nil
}

// close ends reading; the server forgets the consumer by itself.
func (r *reader) close() {
	if r.sub != nil {
		_ = r.sub.Unsubscribe() // fails only where the connection is closed
	}
	r.sub, r.ch = nil, nil
}

// accept looks at what came in on ch. It returns a message that is next in the
// stream with ok; again asks for open, since messages were lost on the way here.
// The error is ErrGap where the stream itself has a hole before the message, which
// is returned with it.
func (r *reader) accept(m *nats.Msg) (msg message, ok, again bool, err error) {
	r.heard = time.Now()
	if len(m.Header) > 0 && len(m.Data) == 0 {
		return msg, false, r.control(m), nil
	}
	msg, consumer, fine := parseMessage(m)
	switch {
	case !fine, consumer != r.consumer+1:
		return msg, false, true, nil
	case msg.index < r.next:
		r.consumer = consumer
		return msg, false, false, nil
	case msg.index > r.next:
		err = fmt.Errorf("%w: %d to %d", ErrGap, r.next, msg.index-1)
	}
	r.consumer = consumer
	r.next = msg.index + 1
	return msg, err == nil, false, err
}

// control answers the server's flow control, and returns whether messages were lost.
func (r *reader) control(m *nats.Msg) (again bool) {
	if m.Header.Get("Status") != "100" {
		return true // the consumer is gone
	}
	reply := m.Reply
	if reply == "" {
		reply = m.Header.Get("Nats-Consumer-Stalled")
	}
	if reply != "" {
		_ = r.nc.Publish(reply, nil) // lost with the connection, and asked for again
	}
	last, ok := parseUint(m.Header.Get("Nats-Last-Consumer"))
	return ok && last != r.consumer
}

// overrun tells that messages were lost here because they came faster than they were
// read, and that nothing is left that would show it: the server may have sent all that
// there is, and say so at its next heartbeat only.
func (r *reader) overrun() bool {
	if r.sub == nil || len(r.ch) > 0 {
		return false
	}
	n, err := r.sub.Dropped()
	return err == nil && n > 0
}

// silent tells whether the server has said nothing for too long.
func (r *reader) silent() bool { return time.Since(r.heard) > silence }

// parseMessage reads what the server says about a message in its reply subject:
//
//	$JS.ACK.<stream>.<consumer>.<delivered>.<sequence>.<consumer sequence>.<stored>.<pending>
//
// or, with a domain and an account before the stream, the same with two more.
func parseMessage(m *nats.Msg) (msg message, consumer uint64, ok bool) {
	rest := m.Reply
	tokens := strings.Count(rest, ".") + 1
	skip := 5
	switch {
	case tokens >= 11:
		skip = 7
	case tokens != 9:
		return msg, 0, false
	}
	for range skip {
		_, rest, _ = strings.Cut(rest, ".")
	}
	var n [4]uint64
	for i := range n {
		var field string
		field, rest, _ = strings.Cut(rest, ".")
		if n[i], ok = parseUint(field); !ok {
			return msg, 0, false
		}
	}
	return message{index: n[0], at: int64(n[2]), pending: n[3], data: m.Data}, n[1], true
}
