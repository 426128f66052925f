package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"centrala/acd"
	"centrala/internal/events"
	"centrala/queuegroups"
)

const (
	// streamPing is how long a stream is silent at most, and how often it is looked at whether its
	// caller may still see it.
	streamPing = 15 * time.Second
	// streamPatience is how long a client may take for what it was sent. One who is slower is cut
	// off, and misses nothing by coming again.
	streamPatience = 10 * time.Second
	// streamRest is how long a stream that was just sent something waits before it is sent more: what comes
	// meanwhile goes out together. What comes after a pause goes out at once.
	streamRest = 100 * time.Millisecond
	// streamPage is how many events are read and sent at once.
	streamPage = 500
	// streamsMax is how many streams a user, or a key, may have at once.
	streamsMax = 20
)

// streams are those that are open. The zero value is ready.
type streams struct {
	mu    sync.Mutex
	open  map[string]int
	again chan struct{} // closed when callers' rights may have changed
}

// enter counts a stream of a caller; nil: they have too many. What it returns ends it.
func (x *streams) enter(name string) (leave func()) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.open[name] >= streamsMax {
		return nil
	}
	if x.open == nil {
		x.open = map[string]int{}
	}
	x.open[name]++
	return sync.OnceFunc(func() {
		x.mu.Lock()
		defer x.mu.Unlock()
		if x.open[name]--; x.open[name] == 0 {
			delete(x.open, name)
		}
	})
}

// signal returns a channel that is closed when it must be looked again at who may see what.
func (x *streams) signal() <-chan struct{} {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.again == nil {
		x.again = make(chan struct{})
	}
	return x.again
}

func (x *streams) recheck() {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.again != nil {
		close(x.again)
		x.again = nil
	}
}

// stream is one client that follows events. Accessed by its request only.
type stream struct {
	s      *Server
	caller *Caller
	types  []string
	group  queuegroups.GroupID
	wants  map[events.Type]bool // of the types, those asked for that the caller's rights show
	sees   outlook

	last    int64 // the id of the last event looked at
	changed <-chan struct{}
	leave   func()

	out   *http.ResponseController
	w     http.ResponseWriter
	buf   []byte
	wrote bool // the last send did
}

// errEnded ends a stream whose caller may not see it any more.
var errEnded = errors.New("the session is over")

// again is the caller of a stream as they are now. The error is errEnded, what they lack, or why
// it cannot be found out.
func (s *Server) again(ctx context.Context, old *Caller, right queuegroups.Right) (*Caller, error) {
	c, err := s.accounts.Again(ctx, &old.Caller)
	switch {
	case err != nil:
		return nil, err
	case c == nil:
		return nil, errEnded
	}
	now := &Caller{Caller: *c, From: old.From}
	if p := Needs(right).met(now); p != nil {
		return nil, p
	}
	return now, nil
}

// run sends events until the client goes, is too slow, may not see them any more, or the server stops.
func (st *stream) run(ctx context.Context, w http.ResponseWriter, list []*events.Event) {
	st.w, st.out = w, http.NewResponseController(w)
	_ = st.out.SetReadDeadline(time.Time{}) // the request has been read; not every connection has deadlines
	again := st.s.streams.signal()
	ping := time.NewTicker(streamPing)
	defer ping.Stop()
	err := st.send(list, true)
	for err == nil {
		if st.wrote && len(list) < streamPage || len(list) == 0 {
			changed, rested := st.changed, (<-chan time.Time)(nil)
			if st.wrote {
				changed, rested = nil, time.After(streamRest)
			}
			st.wrote = false
			select {
			case <-changed:
			case <-rested:
			case <-ping.C:
				if err = st.recheck(ctx); err == nil {
					err = st.send(nil, true)
				}
			case <-again:
				again = st.s.streams.signal()
				err = st.recheck(ctx)
			case <-st.s.stopping:
				return
			case <-ctx.Done():
				return
			}
			if err != nil {
				break
			}
		}
		st.changed = st.s.events.Changed()
		if list, err = st.s.events.After(ctx, st.last, streamPage); err == nil && len(list) > 0 {
			err = st.send(list, false)
		}
	}
	if r := requestOf(ctx); r != nil {
		r.cause = err
	}
}

// send writes the events of the list that the client is to see, and as a comment how far it has
// come, where it is to be heard of or the last event was not for it: a client that connects anew says that id.
func (st *stream) send(list []*events.Event, ping bool) error {
	st.buf, st.wrote = st.buf[:0], false
	told := int64(0)
	for _, e := range list {
		st.last = e.ID
		if e.Type == events.ConfigReloaded {
			st.look() // groups may have other agents now
		}
		if !st.shows(e) {
			continue
		}
		told = e.ID
		st.buf = append(st.buf, e.Frame()...)
	}
	if ping && (told == 0 || told != st.last) || len(list) == streamPage && told == 0 {
		st.buf = fmt.Appendf(st.buf, ": here\nid: %d\n\n", st.last)
	}
	if len(st.buf) == 0 {
		return nil
	}
	if err := st.out.SetWriteDeadline(time.Now().Add(streamPatience)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	st.wrote = true
	if _, err := st.w.Write(st.buf); err != nil {
		return err
	}
	return st.out.Flush()
}

// recheck finds out whether the caller may still see the stream, and what.
func (st *stream) recheck(ctx context.Context) error {
	c, err := st.s.again(ctx, st.caller, queuegroups.RightEventsRead)
	if err != nil {
		return err
	}
	st.caller = c
	st.look()
	return nil
}

// outlook is what a caller sees, without looking at the state at each event.
type outlook struct {
	serves []queuegroups.GroupID        // with pick-up, where they see who waits
	agents map[queuegroups.AgentID]bool // whose state they see; nil: all
}

// look brings the outlook up to date.
func (st *stream) look() {
	st.sees, st.wants = outlook{}, map[events.Type]bool{}
	for _, k := range events.Kinds() {
		st.wants[k.Type] = k.Type.Matches(st.types) && st.caller.Role.Has(k.Right)
	}
	if st.caller.Role.Reach == queuegroups.ReachAll {
		return
	}
	st.sees.agents = map[queuegroups.AgentID]bool{}
	st.s.core.View(func(state *acd.State) {
		x := st.caller.look(state)
		for _, a := range state.Agents() {
			if x.agent(&a) {
				st.sees.agents[a.ID] = true
			}
		}
		for _, g := range x.serves {
			if state.LetsPickUp(g) {
				st.sees.serves = append(st.sees.serves, g)
			}
		}
	})
}

// shows tells whether the client is to see an event.
func (st *stream) shows(e *events.Event) bool {
	if !st.wants[e.Type] || st.group != "" && e.Group != st.group {
		return false
	}
	c := st.caller
	switch {
	case c.Role.Reach == queuegroups.ReachAll, e.Type == events.EventsLost, e.Type == events.ConfigReloaded:
		return true
	case e.Interaction == 0:
		return e.Agent != "" && st.sees.agents[e.Agent] && (e.Group == "" || c.own(e.Agent) || c.inReach(e.Group) || c.Role.Reach == queuegroups.ReachOwn)
	}
	return c.inReach(e.Group) || slices.ContainsFunc(e.Agents(), c.own) || ofQueue(e.Type) && slices.Contains(st.sees.serves, e.Group)
}
