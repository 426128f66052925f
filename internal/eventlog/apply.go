package eventlog

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/nats-io/nats.go"

	"centrala/acd"
)

// outcome is what became of a message of the stream.
type outcome struct {
	entry    acd.Entry
	commands []acd.Command
	own      uint64 // number of the record in this process's session; 0: not ours
}

// step applies one message of the stream: replayed or new, it is the same. ok: it
// was an entry; else it opened a session or was passed over. The error ends the log.
func (l *Log) step(m message) (o outcome, ok bool, err error) {
	defer func() {
		if err == nil { // else the entry stays the next to be read
			l.index = m.index
			l.seen.Store(m.index)
			l.behind.Store(m.pending)
		}
	}()
	rec, err := parseRecord(m.data)
	if err != nil {
		return o, false, unreadable(m.index, err)
	}
	switch l.sessions.take(rec) {
	case passOver:
		l.passed.Add(1)
		return o, false, nil
	case takeOpening:
		if l.window != nil && string(rec.node) == string(l.opts.Node) {
			return o, false, fmt.Errorf("%w: %s, at entry %d", ErrSuperseded, l.opts.Node, m.index)
		}
		return o, false, nil
	case takeEvent:
	}
	event, err := acd.DecodeEvent(rec.body)
	if err != nil {
		return o, false, unreadable(m.index, err)
	}
	if string(rec.nonce) == l.nonce {
		o.own = rec.n
	}
	o.entry = acd.Entry{Index: m.index, At: clamp(m, event, l.at, l.state), Event: event}
	if o.commands, err = l.applyEntry(o.entry); err != nil {
		return o, false, err
	}
	l.at = o.entry.At
	l.applied.Add(1)
	l.keeper.note(o.entry, snapshotHead{Index: m.index, At: l.at, Sessions: l.sessions})
	return o, true, nil
}

func unreadable(index uint64, err error) error {
	return fmt.Errorf("entry %d cannot be read by this version of the program, which must not go on without it: %w", index, err)
}

// clamp is the time of an entry: when it was stored, but no earlier than the entry
// before, nor, for a deadline, than the deadline itself. It is a function of the
// log, not of any clock here; state is as the entry before left it, at its time.
func clamp(m message, e acd.Event, last time.Time, state *acd.State) time.Time {
	at := time.Unix(0, m.at).UTC()
	if at.Before(last) {
		at = last
	}
	if passed, ok := e.(*acd.DeadlinePassed); ok {
		next := nextDeadline(state)
		if next.ok && next.id == passed.Deadline && next.generation == passed.Generation && at.Before(next.at) {
			at = next.at
		}
	}
	return at
}

// applyEntry is the only place where the state changes. A panic of the core means
// that the state is broken, so the log must end.
func (l *Log) applyEntry(e acd.Entry) (commands []acd.Command, err error) {
	l.stateMu.Lock()
	defer l.stateMu.Unlock()
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("applying entry %d (%T): panic: %v\n%s", e.Index, e.Event, p, debug.Stack())
		}
	}()
	return l.state.Apply(e), nil
}

// apply is the applier: it takes what the reader brings until the log ends.
func (l *Log) apply() {
	defer close(l.applier)
	tick := time.NewTicker(heartbeat)
	defer tick.Stop()
	lost := l.engine.nc.StatusChanged(nats.CONNECTED, nats.CLOSED)
	defer l.engine.nc.RemoveStatusListener(lost)
	for {
		var err error
		select {
		case m := <-l.reader.ch:
			if err = l.incoming(m); err == nil && l.reader.overrun() {
				l.reopen()
			}
		case <-tick.C:
			if l.reader.ch == nil || l.reader.silent() {
				l.reopen()
			}
		case <-lost:
			if l.engine.nc.IsClosed() {
				err = fmt.Errorf("connection closed: %w", l.engine.nc.LastError())
			}
			l.reopen()
			l.window.rewind()
		case <-l.stopped.Done():
			return
		}
		if err != nil {
			l.end(err)
			return
		}
	}
}

// incoming takes one message from the reader, tells everybody and looks what to
// wait for next.
func (l *Log) incoming(m *nats.Msg) error {
	msg, ok, again, err := l.reader.accept(m)
	if err != nil {
		return err
	}
	if again {
		l.reopen()
	}
	if !ok {
		return nil
	}
	o, isEntry, err := l.step(msg)
	if err != nil || !isEntry {
		return err
	}
	var receipt *Receipt
	if o.own != 0 {
		receipt = l.window.arrived(o.own)
	}
	l.deadlines.applied(o.entry, nextDeadline(l.state)) // the state is changed by this goroutine only
	l.handOut(o)
	if receipt != nil {
		receipt.resolve(o.entry.Index, nil)
	}
	return nil
}

// handOut calls the handler. Its panic is told and goes no further: the state is
// sound, and other calls go on.
func (l *Log) handOut(o outcome) {
	defer func() {
		if p := recover(); p != nil {
			l.panics.Add(1)
			l.opts.Log.Error().Uint64("index", o.entry.Index).Interface("panic", p).Bytes("stack", debug.Stack()).
				Msg("panic while handing out commands")
		}
	}()
	l.handler.Applied(o.entry, o.commands)
}

// reopen begins to read anew; where that fails the next heartbeat tries again.
func (l *Log) reopen() {
	ctx, cancel := context.WithTimeout(l.stopped, heartbeat)
	defer cancel()
	if err := l.reader.open(ctx); err != nil && l.stopped.Err() == nil {
		l.opts.Log.Warn().Err(err).Msg("event log not readable; will be tried again")
	}
}
