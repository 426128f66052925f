package acd

import (
	"container/heap"
	"time"
)

// DeadlineKind says what ends when a deadline passes.
type DeadlineKind string

// The kinds of deadlines.
const (
	deadlineOffer      DeadlineKind = "offer"      // N = offer: the phone did not ring, or rang long enough (R91)
	deadlineSlot       DeadlineKind = "slot"       // N = offer: the phone has had its time to stop ringing
	deadlineForget     DeadlineKind = "forget"     // N = offer: no outcome of the cancelled offer will come any more
	deadlineLeg        DeadlineKind = "leg"        // Name = leg: its end should have been told by now
	deadlineLegSlot    DeadlineKind = "legslot"    // Name = leg: the agent's phone has had its time to hang up
	deadlineMaxWait    DeadlineKind = "maxwait"    // N = interaction
	deadlineStage      DeadlineKind = "stage"      // N = interaction: a relaxation or a tier is due
	deadlinePersonal   DeadlineKind = "personal"   // N = interaction: it has waited long enough for one agent
	deadlineCondition  DeadlineKind = "condition"  // Name = group: nobody could serve it for the time of grace
	deadlineHours      DeadlineKind = "hours"      // Name = hours: they decide again
	deadlineParked     DeadlineKind = "parked"     // N = interaction: parked for too long
	deadlineUnanswered DeadlineKind = "unanswered" // N = interaction: nobody answered the chat (R24)
	deadlineExpire     DeadlineKind = "expire"     // N = interaction: nobody has written for too long (R30)
	deadlineSilence    DeadlineKind = "silence"    // N = interaction: nobody has written in the chat that an agent has (R67)
	deadlineClosing    DeadlineKind = "closing"    // N = interaction: the closed chat has awaited its rating (R66)
	deadlineOpening    DeadlineKind = "opening"    // Name = group: the channel opens
	deadlineSweep      DeadlineKind = "sweep"      // chats that wait are looked at again (R25)
	deadlineReview     DeadlineKind = "review"     // chats of agents who are gone are looked at again (R29)
	deadlineServe      DeadlineKind = "serve"      // N = interaction: voicemail or callback took too long
	deadlineRest       DeadlineKind = "rest"       // Name = agent: the back-off after a failed offer is over
	deadlineChatRest   DeadlineKind = "chatrest"   // Name = agent: the back-off after a chat that they did not want is over
	deadlineReturn     DeadlineKind = "return"     // Name = agent: not responding is over
	deadlineClient     DeadlineKind = "client"     // Name = agent, N = client: left alone for too long
	deadlineWrapUp     DeadlineKind = "wrapup"     // Name = agent
)

// DeadlineID names a deadline of the state. It is comparable.
type DeadlineID struct {
	Kind DeadlineKind `json:"k"`
	N    uint64       `json:"n,omitempty"`
	Name string       `json:"s,omitempty"`
}

// deadline is an armed deadline. Generations are unique for ever, so that word
// of one that has been moved or disarmed since is known to be stale.
type deadline struct {
	ID         DeadlineID `json:"id"`
	At         instant    `json:"at"`
	Generation uint64     `json:"g"`
	place      int
}

// deadlines is a heap by time, then by generation, with an index by id.
type deadlines struct {
	heap       deadlineHeap
	byID       map[DeadlineID]*deadline
	generation uint64
}

func (d *deadlines) arm(id DeadlineID, at instant) {
	d.generation++
	if x, ok := d.byID[id]; ok {
		x.At, x.Generation = at, d.generation
		heap.Fix(&d.heap, x.place)
		return
	}
	x := &deadline{ID: id, At: at, Generation: d.generation}
	d.byID[id] = x
	heap.Push(&d.heap, x)
}

func (d *deadlines) disarm(id DeadlineID) {
	if x, ok := d.byID[id]; ok {
		heap.Remove(&d.heap, x.place)
		delete(d.byID, id)
	}
}

// pass disarms the deadline if the generation is its present one.
func (d *deadlines) pass(id DeadlineID, generation uint64) bool {
	x, ok := d.byID[id]
	if !ok || x.Generation != generation {
		return false
	}
	d.disarm(id)
	return true
}

// put takes over a deadline from a snapshot.
func (d *deadlines) put(x *deadline) {
	d.byID[x.ID] = x
	heap.Push(&d.heap, x)
}

// NextDeadline returns the earliest deadline of the state, if there is any. O(1).
func (s *State) NextDeadline() (at time.Time, id DeadlineID, generation uint64, ok bool) {
	if len(s.deadlines.heap) == 0 {
		return time.Time{}, DeadlineID{}, 0, false
	}
	d := s.deadlines.heap[0]
	return d.At.Time(), d.ID, d.Generation, true
}

type deadlineHeap []*deadline

func (h deadlineHeap) Len() int { return len(h) }
func (h deadlineHeap) Less(i, j int) bool {
	if h[i].At != h[j].At {
		return h[i].At < h[j].At
	}
	return h[i].Generation < h[j].Generation
}
func (h deadlineHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].place, h[j].place = i, j
}
func (h *deadlineHeap) Push(x any) {
	d := x.(*deadline)
	d.place = len(*h)
	*h = append(*h, d)
}
func (h *deadlineHeap) Pop() any {
	old := *h
	d := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	return d
}
