package sim

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"time"

	"centrala/acd"
	"centrala/queuegroups"
)

// world is everything outside of the core, made up from a seed: callers with
// little patience, agents with phones of all sorts, nodes that carry out commands
// late, in another order, twice or never, and that die; and a leader whose clock
// tells of deadlines.
type world struct {
	rng     *rand.Rand
	judge   *judge
	now     time.Time
	index   uint64
	plan    agenda
	seq     int
	maker   maker
	pace    time.Duration // a caller in twice that, at most
	config  *queuegroups.Config
	others  []*queuegroups.Config
	own     map[acd.LegID]queuegroups.AgentID // calls that agents made
	nodes   []acd.NodeID
	calls   int
	phones  int
	entries []acd.Entry
	quiet   bool // no new callers, no new trouble: everything is to come to its end
}

// plan is a fact that is going to be.
type planned struct {
	at    time.Time
	seq   int
	event acd.Event
	then  func()
}

type agenda []planned

func (a agenda) Len() int { return len(a) }
func (a agenda) Less(i, j int) bool {
	if !a[i].at.Equal(a[j].at) {
		return a[i].at.Before(a[j].at)
	}
	return a[i].seq < a[j].seq
}
func (a agenda) Swap(i, j int) { a[i], a[j] = a[j], a[i] }
func (a *agenda) Push(x any)   { *a = append(*a, x.(planned)) }
func (a *agenda) Pop() any {
	old := *a
	x := old[len(old)-1]
	*a = old[:len(old)-1]
	return x
}

// in plans a fact; a few of them come twice.
func (w *world) in(d time.Duration, e acd.Event) {
	w.seq++
	heap.Push(&w.plan, planned{at: w.now.Add(d), seq: w.seq, event: e})
	if w.chance(60) {
		w.seq++
		heap.Push(&w.plan, planned{at: w.now.Add(d + w.upTo(time.Second)), seq: w.seq, event: e})
	}
}

func (w *world) later(d time.Duration, f func()) {
	w.seq++
	heap.Push(&w.plan, planned{at: w.now.Add(d), seq: w.seq, then: f})
}

// chance is true once in n times.
func (w *world) chance(n int) bool { return w.rng.IntN(n) == 0 }

func (w *world) upTo(d time.Duration) time.Duration { return time.Duration(w.rng.Int64N(int64(d))) }

// oneOf picks from a list.
func oneOf[T any](w *world, list ...T) T { return list[w.rng.IntN(len(list))] }

// run lives until the number of entries is logged and then lets everything end.
func (w *world) run(entries int) error {
	w.own = map[acd.LegID]queuegroups.AgentID{}
	if w.chance(2) {
		if err := w.log(&acd.LevelRaised{Level: acd.LevelMax}); err != nil {
			return err
		}
	}
	if err := w.log(&acd.ConfigApplied{Config: w.config}); err != nil {
		return err
	}
	for _, a := range w.config.Agents {
		w.in(w.upTo(20*time.Second), &acd.AgentOnline{Agent: a.ID, Node: w.node()})
		if w.config.WorkTime.Tracked {
			w.in(w.upTo(20*time.Second), &acd.DutySet{Agent: a.ID, Duty: acd.DutyOn})
		}
	}
	w.later(0, w.caller)
	if len(w.config.Channels) > 0 {
		w.later(0, w.customer)
	}
	w.later(w.upTo(time.Minute), w.trouble)
	if !w.maker.plain {
		w.later(w.upTo(time.Minute), w.ado)
	}
	for len(w.entries) < entries {
		if err := w.step(); err != nil {
			return err
		}
	}
	w.quiet = true
	for end := w.now.Add(2 * time.Hour); w.now.Before(end); {
		more := len(w.plan) > 0
		if _, _, _, ok := w.judge.core.NextDeadline(); !more && !ok {
			break
		}
		if err := w.step(); err != nil {
			return err
		}
	}
	return w.rest()
}

// rest: when all is over nothing is left: everybody who came has gone, one way or
// another, every slot is free, nothing is still to be carried out, and nobody is
// left alone for ever.
func (w *world) rest() error {
	s := w.judge.core
	ended := uint64(0)
	for _, n := range s.Counters().Ended {
		ended += n
	}
	if n := s.Counters().Interactions; n != ended || len(s.Interactions()) > 0 {
		return fmt.Errorf("%d interactions came, %d ended, %d never end", n, ended, len(s.Interactions()))
	}
	var v acd.Standing
	s.Standing(&v)
	for _, a := range v.Agents {
		switch a.Status {
		case acd.Available, acd.Offline, acd.DayNotStarted, acd.OnBreak, acd.OnLeave:
		default:
			return fmt.Errorf("%s is %s for ever", a.ID, a.Status)
		}
		if a.Calls+a.Chats > 0 {
			return fmt.Errorf("%s has %d slots taken for ever", a.ID, a.Calls+a.Chats)
		}
	}
	for _, n := range w.nodes {
		if p := s.Pending(n); len(p) > 0 {
			return fmt.Errorf("%s is to carry out for ever: %s", n, acd.Describe(p[0]))
		}
	}
	for id := range w.judge.naive.due {
		switch id.Kind {
		case "client", "hours", "condition", "review": // which come round for ever
		default:
			return fmt.Errorf("the deadline %v never passes", id)
		}
	}
	return nil
}

// step lets the next thing happen: a planned fact, or a deadline.
func (w *world) step() error {
	at, id, generation, ok := w.judge.core.NextDeadline()
	if ok && (len(w.plan) == 0 || at.Before(w.plan[0].at)) {
		if at.After(w.now) {
			w.now = at
		}
		if w.chance(50) { // word of one that has been moved
			if err := w.log(&acd.DeadlinePassed{Deadline: id, Generation: generation - 1}); err != nil {
				return err
			}
		}
		return w.log(&acd.DeadlinePassed{Deadline: id, Generation: generation})
	}
	p := heap.Pop(&w.plan).(planned)
	if p.at.After(w.now) {
		w.now = p.at
	}
	if p.then != nil {
		p.then()
		return nil
	}
	return w.log(p.event)
}

// log applies a fact and has the nodes carry out what follows.
func (w *world) log(e acd.Event) error {
	w.index += uint64(1 + w.rng.IntN(2))
	entry := acd.Entry{Index: w.index, At: w.now, Event: e}
	w.entries = append(w.entries, entry)
	commands, err := w.judge.apply(entry)
	if err != nil {
		return err
	}
	for _, c := range commands {
		w.carryOut(c)
	}
	for _, r := range w.judge.core.Ended() {
		w.wrapUp(r)
	}
	return nil
}

func (w *world) node() acd.NodeID { return w.nodes[w.rng.IntN(len(w.nodes))] }

// caller calls, and sends for the next one.
func (w *world) caller() {
	if w.quiet {
		return
	}
	w.calls++
	leg := acd.LegID(fmt.Sprintf("c%d", w.calls))
	numbers := w.config.Numbers
	e := &acd.CallArrived{Leg: leg, Node: w.node(), Trunk: "carrier", To: numbers[w.rng.IntN(len(numbers))].Number}
	if w.chance(50) {
		e.To = "+48999"
	}
	if !w.maker.plain {
		if !w.chance(4) {
			e.From.Number = fmt.Sprintf("+4850000000%d", w.rng.IntN(8))
		}
		if w.chance(3) {
			e.Responsible = w.someone()
		}
		if w.maker.picky || w.chance(5) {
			e.Needs = w.maker.skills(2)
		}
	}
	w.in(0, e)
	patience := w.upTo(3 * time.Minute)
	switch {
	case w.chance(5):
		patience = w.upTo(2 * time.Second)
	case w.chance(12):
		patience = w.upTo(30 * time.Minute)
	}
	w.in(time.Second+patience, &acd.LegEnded{Leg: leg, Cause: w.cause()}) // after the last word of its arrival
	w.later(w.upTo(w.pace), w.caller)
}

func (w *world) cause() acd.EndCause {
	if w.chance(10) {
		return oneOf(w, acd.EndFailed, acd.EndTimeout, acd.EndByUs)
	}
	return acd.EndHangup
}

// someone is an agent, as a rule one of those who are declared.
func (w *world) someone() queuegroups.AgentID {
	if w.chance(40) {
		return "nobody"
	}
	return w.config.Agents[w.rng.IntN(len(w.config.Agents))].ID
}

// trouble: phones come and go, nodes die, the admin changes their mind.
func (w *world) trouble() {
	if w.quiet {
		return
	}
	agent := w.someone()
	switch w.rng.IntN(12) {
	case 0, 1, 2, 3:
		w.in(0, &acd.AgentOffline{Agent: agent, Node: w.node()})
	case 4, 5, 6, 7, 8:
		w.in(0, &acd.AgentOnline{Agent: agent, Node: w.node()})
	case 9:
		if w.chance(6) {
			w.in(0, &acd.NodeLost{Node: w.node()})
		}
	case 10:
		if w.chance(2) {
			break
		}
		e, all := &acd.NodeStarted{Node: w.node()}, w.chance(2)
		for _, a := range w.config.Agents {
			if all || w.chance(2) {
				e.Online = append(e.Online, a.ID)
			}
		}
		w.in(0, e)
	case 11:
		if w.chance(3) {
			w.in(0, &acd.ConfigApplied{Config: w.others[w.rng.IntN(len(w.others))]})
		}
	}
	w.later(w.upTo(10*time.Second), w.trouble)
}

// carryOut plays the node that a command is for.
func (w *world) carryOut(c acd.Command) {
	soon := w.upTo(300 * time.Millisecond)
	if w.chance(40) { // a slow network: the outcome may come when nobody waits for it any more
		soon = w.upTo(70 * time.Second)
	}
	lost := w.chance(60)
	switch c := c.(type) {
	case *acd.Answer:
		if !lost {
			w.in(soon, &acd.LegAnswered{Leg: c.Call})
		}
	case *acd.Reject:
		if !lost {
			w.in(soon, &acd.LegEnded{Leg: c.Call, Cause: acd.EndByUs})
		}
	case *acd.EndLeg:
		if !lost {
			w.in(soon, &acd.LegEnded{Leg: c.Leg, Cause: acd.EndByUs})
		}
	case *acd.Bridge:
		switch {
		case w.chance(20):
			w.in(soon, &acd.LegEnded{Leg: c.B, Cause: w.cause()})
		case !lost:
			w.in(soon, &acd.Bridged{A: c.A, B: c.B})
		}
		talk := w.upTo(90 * time.Second)
		w.in(soon+talk, &acd.LegEnded{Leg: c.B, Cause: w.cause()})
		if !w.maker.plain {
			w.talk(c.B, soon, talk)
		}
	case *acd.CancelRing:
		switch {
		case w.chance(12): // the phone was faster
			w.answer(soon, c.Offer, c.Node)
		case !lost:
			w.in(soon, &acd.OfferFailed{Offer: c.Offer, Class: acd.FailCancelled})
		}
	case *acd.Ring:
		if c.Channel != "" {
			w.chatOffered(soon, c.Offer, c.Node)
			return
		}
		w.ring(soon, c.Offer, c.Node)
	case *acd.Dial:
		w.ring(soon, c.Offer, c.Node)
	case *acd.Serve:
		if !lost {
			w.in(10*soon, &acd.Served{Leg: c.Call, Done: !w.chance(3)})
		}
	}
}

// ring plays the phones of an agent, or the network outside.
func (w *world) ring(soon time.Duration, o acd.OfferID, node acd.NodeID) {
	if !w.chance(4) {
		w.in(soon, &acd.OfferRinging{Offer: o})
	}
	fail := func(class acd.FailureClass) { w.in(2*soon, &acd.OfferFailed{Offer: o, Class: class}) }
	switch w.rng.IntN(12) {
	case 0:
		fail(acd.FailBusy)
	case 1:
		fail(acd.FailDeclined)
	case 2:
		fail(acd.FailUnreachable)
	case 3:
		fail(acd.FailNoAnswer)
	case 4, 5: // silence
	case 6: // in the same moment as everybody else
		w.answer(time.Second, o, node)
	case 7:
		w.answer(soon, o, node)
		w.answer(soon, o, node)
	default:
		w.answer(soon+w.upTo(25*time.Second), o, node)
	}
}

func (w *world) answer(d time.Duration, o acd.OfferID, node acd.NodeID) acd.LegID {
	w.phones++
	if w.chance(6) {
		node = w.node()
	}
	leg := acd.LegID(fmt.Sprintf("p%d", w.phones))
	w.in(d, &acd.OfferAnswered{Offer: o, Leg: leg, Node: node})
	return leg
}
