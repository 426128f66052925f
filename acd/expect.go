package acd

import (
	"time"

	"centrala/queuegroups"
)

// handleAssumed is how long handling an interaction is taken to last while a
// group has no experience.
const handleAssumed = 90 * time.Second

// handleWeight is how many interactions the mean handling time is made of, about.
const handleWeight = 8

// share is what an agent is worth to one of the groups that list them, or one of
// the channels, in thousandths. Chats are served several at once.
func (t *seat) share() int64 {
	if !t.group.isChat() {
		return 1000 / int64(max(t.agent.listed, 1))
	}
	atOnce := max(t.agent.def.Capacity.Chat, 1)
	if limit := t.group.chat.Limit; limit > 0 {
		atOnce = min(atOnce, limit)
	}
	return 1000 * int64(atOnce) / int64(max(t.agent.channels, 1))
}

// Expectation is what a customer who waits can be told.
type Expectation struct {
	Group    queuegroups.GroupID
	Number   string        // that was called, E.164; empty or of no number of ours: by an agent, or since removed
	Position int           // 1: the next
	Wait     time.Duration // from the time asked for; only if Known
	Known    bool          // somebody who could serve it is at work, and what was promised has not passed
	Assumed  bool          // the group has no experience yet, Wait builds on an assumption
	Overdue  bool          // what was promised has passed
}

// Expect returns what the customer of a waiting interaction can be told at a time,
// false if it does not wait for its group. Position counts those who wait in the
// group for agents whom this one could have too. Wait is the mean handling time
// of the group times those who are served before, divided by the agents at work
// who have the skills it needs; an agent who serves k groups counts 1/k.
//
// What was promised when it came to wait is kept: Wait never grows while the
// customer waits, whatever happens, and once the promise has passed nothing more
// is promised. How far off promises were is in GroupView.
func (s *State) Expect(id InteractionID, at time.Time) (Expectation, bool) {
	return s.expect(id, at, (*interaction).ahead)
}

// expect is Expect with a way to count who waits before an interaction.
func (s *State) expect(id InteractionID, at time.Time, ahead func(*interaction) int) (Expectation, bool) {
	i := s.interactions[id]
	if i == nil || i.phase != PhaseQueued || i.personal != nil {
		return Expectation{}, false
	}
	e := Expectation{Group: i.group.def.ID, Number: i.to, Position: ahead(i) + 1, Assumed: i.group.handle == 0}
	wait, ok := i.estimate(e.Position)
	left := time.Duration(i.promised - instantOf(at))
	switch {
	case !ok || i.promised == 0:
	case left <= 0:
		e.Overdue = true
	default:
		e.Known, e.Wait = true, max(min(wait, left), 0)
	}
	return e, true
}

// ahead counts who waits in the group before the interaction for agents whom it
// could have too. O(n/64) in those who wait.
func (i *interaction) ahead() int {
	n := 0
	for l := range i.lane.rivals {
		for k := range l.waiting {
			n += l.waiting[k].rank(i.key())
		}
	}
	return n
}

// rivals goes through the lanes whose interactions wait for agents whom those of this one
// could have too, itself among them.
func (l *lane) rivals(yield func(*lane) bool) {
	for _, other := range l.group.lanes {
		if (other == l || other.shares(l)) && !yield(other) {
			return
		}
	}
}

// shares: somebody of the group has what both lanes need.
func (l *lane) shares(other *lane) bool {
	for _, t := range l.group.seats {
		if t.agent.meets(l.needs) && t.agent.meets(other.needs) {
			return true
		}
	}
	return false
}

// estimate is how long the interaction will wait from now on at its position; false:
// nobody who could serve it is at work.
func (i *interaction) estimate(position int) (time.Duration, bool) {
	strength := i.lane.strength
	if strength <= 0 {
		return 0, false
	}
	handle := i.group.handle
	if handle == 0 {
		handle = handleAssumed
	}
	return handle * time.Duration(position) / time.Duration(strength) * 1000, true
}

// promise notes what the customer can be told when they come to wait.
func (s *State) promise(i *interaction) {
	if i.promised != 0 {
		return
	}
	if wait, ok := i.estimate(i.ahead() + 1); ok {
		i.promised = s.now.after(wait)
	}
}

// kept notes how well the promise was kept.
func (s *State) kept(i *interaction) {
	if i.promised == 0 {
		return
	}
	p := &i.group.promises
	off := time.Duration(s.now - i.promised)
	p.Count++
	p.Signed += off
	p.Absolute += max(off, -off)
}

// handled learns from an interaction that an agent of the group has handled.
func (s *State) handled(i *interaction) {
	if i.agent == nil || i.agent.outside || i.answered == 0 {
		return
	}
	took := time.Duration(s.now-i.answered) + i.agent.wrapUpAfter(i.group)
	if h := &i.group.handle; *h == 0 {
		*h = max(took, 1)
	} else {
		*h = max(*h+(took-*h)/handleWeight, 1)
	}
}

// Promises is how far off the expected waits of a group were.
type Promises struct {
	Count    uint64        `json:"count"`
	Absolute time.Duration `json:"absolute"` // sum of how far off, either way
	Signed   time.Duration `json:"signed"`   // sum of how much longer the wait was; negative: shorter
}
