package trace

import (
	"container/list"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// Options bound a Recorder. All but Keys have to be above 0.
type Options struct {
	Calls    int  // calls that are kept, and as many SIP dialogs that belong to no call
	Messages int  // SIP messages of one dialog, and entries of other kinds of one call
	Bytes    int  // of everything together, roughly
	Keys     bool // telephone keys stay readable; they may be card numbers and PINs
}

// Message is a SIP message on its way by one of our sockets.
type Message struct {
	At            time.Time
	Sent          bool // by us
	Network       string
	Local, Remote netip.AddrPort
	Data          []byte
}

// Note is anything else that happened to a call. What is put into words only when
// somebody asks for it, maybe much later and on another goroutine: it must not change.
type Note struct {
	At    time.Time
	Kind  Kind
	Index uint64 // of the log entry that it belongs to; 0: none
	Leg   string // empty: it concerns the whole call
	What  fmt.Stringer
}

// Kind says what an entry of a trace tells of.
type Kind string

// The kinds of entries.
const (
	KindMessage  Kind = "message"  // a SIP message
	KindFact     Kind = "fact"     // what the core was told
	KindCommand  Kind = "command"  // what the core wants done
	KindDecision Kind = "decision" // what the core decided, and why
	KindMedia    Kind = "media"    // what happened to audio
)

// Text is a Note's What that is in words already.
type Text string

func (t Text) String() string { return string(t) }

// Party is the far end of a leg.
type Party struct {
	Leg    string `json:"leg"`
	CallID string `json:"sip_call_id"`
	Who    string `json:"who"` // such as "trunk carrier" or "agent anna"
}

// Recorder remembers calls. Its methods may be called from any goroutine; they
// take a lock that is held for some copying of small things and never while
// anything else is called.
type Recorder struct {
	o Options

	mu      sync.Mutex
	dialogs map[string]*dialog // by Call-ID
	calls   map[string]*call   // by id
	byItem  map[uint64][]*call // by interaction
	// The oldest first: dialogs of no call by their newest message, calls that go
	// on and calls that are over by when they began and ended.
	strays, live, over list.List
	bytes, strayBytes  int    // strayBytes of the bytes are of dialogs in strays
	forgotten          uint64 // calls that made room for others
}

// dialog is what was said under one Call-ID.
type dialog struct {
	id       string
	call     *call // nil: none, it is in strays
	place    *list.Element
	messages []Message
	bytes    int
	omitted  int // from the middle
}

// call is one call of this node with all its legs.
type call struct {
	id      string
	over    bool
	place   *list.Element
	parties []Party
	dialogs []*dialog
	items   []uint64 // interactions
	notes   []Note
	omitted int // notes, from the middle
}

// What the bookkeeping of one thing costs beside its text, in bytes, roughly.
const (
	messageCost = 160
	noteCost    = 250
)

// New makes a Recorder.
func New(o Options) *Recorder {
	return &Recorder{o: o, dialogs: map[string]*dialog{}, calls: map[string]*call{}, byItem: map[uint64][]*call{}}
}

// Message stores a copy of a message with what is secret in it made unreadable.
// One without a Call-ID is stored with the others of its kind.
func (r *Recorder) Message(m Message) {
	data, callID := clean(m.Data, r.o.Keys)
	m.Data = data
	r.mu.Lock()
	defer r.mu.Unlock()
	d := r.dialogs[callID]
	if d == nil {
		d = &dialog{id: callID}
		r.dialogs[callID] = d
		d.place = r.strays.PushBack(d)
	} else if d.call == nil {
		r.strays.MoveToBack(d.place)
	}
	var dropped []Message
	if d.messages, dropped = bounded(d.messages, m, r.o.Messages, d.call != nil); dropped != nil {
		d.omitted++
		r.weigh(d, -messageCost-len(dropped[0].Data))
	}
	r.weigh(d, messageCost+len(m.Data))
	r.makeRoom()
}

// weigh accounts for bytes more of a dialog.
func (r *Recorder) weigh(d *dialog, bytes int) {
	r.bytes += bytes
	d.bytes += bytes
	if d.call == nil {
		r.strayBytes += bytes
	}
}

// bounded appends to a list of limited length. What makes room is in the middle if
// the beginning counts most, else at the beginning.
func bounded[T any](list []T, x T, limit int, beginning bool) (grown, dropped []T) {
	if len(list) >= limit {
		at := 0
		if beginning {
			at = limit / 2
		}
		dropped = []T{list[at]}
		list = slices.Delete(list, at, at+1)
	}
	return append(list, x), dropped
}

// Leg tells that a leg belongs to a call. The first of a call makes it known.
func (r *Recorder) Leg(id string, p Party) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.calls[id]
	if c == nil {
		c = &call{id: id}
		r.calls[id] = c
		c.place = r.live.PushBack(c)
	}
	c.parties = append(c.parties, p)
	d := r.dialogs[p.CallID]
	switch {
	case d == nil:
		d = &dialog{id: p.CallID}
		r.dialogs[p.CallID] = d
	case d.call != nil:
		r.makeRoom()
		return // a Call-ID that comes again: the first call keeps it
	default:
		r.strays.Remove(d.place)
		r.strayBytes -= d.bytes
	}
	d.call, d.place = c, nil
	c.dialogs = append(c.dialogs, d)
	r.makeRoom()
}

// Note stores what happened to a call. Calls that are not known are ignored: they
// are another node's, or forgotten.
func (r *Recorder) Note(id string, n Note) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.calls[id]
	if c == nil {
		return
	}
	var dropped []Note
	if c.notes, dropped = bounded(c.notes, n, r.o.Messages, true); dropped != nil {
		c.omitted++
	} else {
		r.bytes += noteCost
	}
	r.makeRoom()
}

// Interaction tells that a call is or was part of an interaction of the core.
func (r *Recorder) Interaction(id string, item uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.calls[id]
	if c == nil || slices.Contains(c.items, item) {
		return
	}
	c.items = append(c.items, item)
	r.byItem[item] = append(r.byItem[item], c)
}

// Over tells that nothing is left of a call. It is kept until others need the room.
func (r *Recorder) Over(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.calls[id]
	if c == nil || c.over {
		return
	}
	r.live.Remove(c.place)
	c.over, c.place = true, r.over.PushBack(c)
}

// strayShare is the part of the room that messages of no call may take.
const strayShare = 4

// makeRoom forgets what is over the bounds: first dialogs of no call, then calls
// that are over, and last those that go on, the oldest first.
func (r *Recorder) makeRoom() {
	for r.strays.Len() > r.o.Calls {
		r.forgetStray()
	}
	for len(r.calls) > r.o.Calls {
		r.forgetCall()
	}
	for r.bytes > r.o.Bytes {
		switch {
		case r.strayBytes > r.o.Bytes/strayShare || len(r.calls) == 0 && r.strays.Len() > 0:
			r.forgetStray()
		case len(r.calls) > 0:
			r.forgetCall()
		default:
			return
		}
	}
}

func (r *Recorder) forgetStray() {
	d := r.strays.Remove(r.strays.Front()).(*dialog)
	r.forgetDialog(d)
}

func (r *Recorder) forgetDialog(d *dialog) {
	delete(r.dialogs, d.id)
	r.weigh(d, -d.bytes)
}

func (r *Recorder) forgetCall() {
	oldest, from := r.over.Front(), &r.over
	if oldest == nil {
		oldest, from = r.live.Front(), &r.live
	}
	c := from.Remove(oldest).(*call)
	delete(r.calls, c.id)
	for _, d := range c.dialogs {
		r.forgetDialog(d)
	}
	for _, item := range c.items {
		r.byItem[item] = slices.DeleteFunc(r.byItem[item], func(x *call) bool { return x == c })
		if len(r.byItem[item]) == 0 {
			delete(r.byItem, item)
		}
	}
	r.bytes -= noteCost * len(c.notes)
	r.forgotten++
}

// Stats are gauges of now, and Forgotten a count since the start.
type Stats struct {
	Calls, Strays, Bytes int
	Forgotten            uint64 // calls that made room for others
}

// Stats returns the present figures.
func (r *Recorder) Stats() Stats {
	r.mu.Lock()
	defer r.mu.Unlock()
	return Stats{Calls: len(r.calls), Strays: r.strays.Len(), Bytes: r.bytes, Forgotten: r.forgotten}
}
