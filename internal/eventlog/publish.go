package eventlog

import (
	"encoding/json"
	"time"

	"github.com/nats-io/nats.go"
)

const (
	// stallAfter is when records that do not come back are sent again for the first
	// time; the time doubles up to stallMax.
	stallAfter = time.Second
	stallMax   = 8 * time.Second
)

// publish sends what is in the window until the log ends. It asks for no
// acknowledgements: that a record is applied is all that is of interest. When none
// is for a while, everything is sent again, now with a reply subject, to learn why.
func (l *Log) publish() {
	answers := l.engine.nc.NewInbox()
	sub, err := l.engine.nc.Subscribe(answers, l.answered)
	if err == nil {
		defer func() { _ = sub.Unsubscribe() }() // fails only where the connection is closed
	}
	var (
		batch  [][]byte
		pause  = stallAfter
		timer  = time.NewTimer(pause)
		oldest uint64
		reply  string
	)
	defer timer.Stop()
	for {
		batch = l.window.unsent(batch[:0])
		if len(batch) > 0 {
			l.send(batch, reply)
			clear(batch)
			reply = ""
			continue
		}
		select {
		case <-l.window.wake:
		case <-timer.C:
			head, waiting := l.window.progress()
			switch {
			case !waiting:
				oldest = 0 // of no record
				pause = stallAfter
				l.stalled.Store(0)
			case head != oldest || l.behind.Load() > 0:
				oldest = head
				pause = stallAfter
				l.stalled.Store(0)
			default:
				pause = min(2*pause, stallMax)
				l.stalled.CompareAndSwap(0, time.Now().UnixNano())
				l.resent.Add(1)
				reply = answers
				l.window.rewind()
			}
			timer.Reset(pause)
		case <-l.stopped.Done():
			return
		}
	}
}

// send puts records on the wire; the first asks for an answer if reply is given.
// Where it fails the rest is sent when the connection is back.
func (l *Log) send(batch [][]byte, reply string) {
	subject := subjectName(l.opts.Name)
	for _, data := range batch {
		if err := l.engine.nc.PublishRequest(subject, reply, data); err != nil {
			l.opts.Log.Debug().Err(err).Msg("event log: not sent; will be tried again")
			l.window.hold()
			return
		}
		reply = ""
	}
}

// answered tells what a server says about a record that did not come back.
func (l *Log) answered(m *nats.Msg) {
	log := l.opts.Log.Warn()
	if m.Header.Get("Status") == "503" {
		log.Msg("event log: no server has the stream at present")
		return
	}
	var ack struct {
		Error *struct {
			Description string `json:"description"`
		} `json:"error"`
	}
	if json.Unmarshal(m.Data, &ack) == nil && ack.Error != nil {
		log.Str("why", ack.Error.Description).Msg("event log: the server refuses entries")
	}
}
