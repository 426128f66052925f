package sim

import (
	"bytes"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"centrala/acd"
	"centrala/queuegroups"
)

// judge applies entries to the core and finds out whether everything that must
// hold does: the invariants of the state, the naive second implementation, a twin
// that is restored from snapshots, and what can be seen from outside.
type judge struct {
	core    *acd.State
	twin    *acd.State
	naive   *naive
	outside *outside
	restore int // the twin is restored before every so many entries; 0: never
	entries int
	wild    bool // without the naive implementation, which does not know all of it
}

func newJudge(restore int, wild bool) *judge {
	j := &judge{core: acd.NewState(), twin: acd.NewState(), naive: newNaive(), outside: newOutside(), restore: restore, wild: wild}
	j.outside.wild = wild
	return j
}

// apply applies one entry and returns the commands, or the first thing that is wrong.
func (j *judge) apply(e acd.Entry) (commands []acd.Command, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	due := false
	if d, ok := e.Event.(*acd.DeadlinePassed); ok {
		due = j.core.Armed(d.Deadline) == d.Generation && d.Generation > 0
	}
	if j.wild {
		commands = j.core.Apply(e)
		j.entries++
		err = errors.Join(j.core.Check(), j.outside.see(e, commands, j.core.Ended()))
		if err == nil && j.restore > 0 {
			err = j.follow(e, commands)
		}
		return commands, err
	}
	waiting := j.waiting()
	commands = j.core.Apply(e)
	rings := rungs(commands)
	j.naive.apply(e, due)
	j.entries++
	err = errors.Join(
		j.core.Check(),
		j.naive.name(rings),
		j.overtaking(waiting, rings),
		j.outside.see(e, commands, j.core.Ended()),
	)
	if err == nil {
		err = j.naive.compare(j.core)
	}
	if err == nil && j.restore > 0 {
		err = j.follow(e, commands)
	}
	return commands, err
}

// rung is an interaction offered to an agent or to a number outside.
type rung struct {
	interaction acd.InteractionID
	agent       queuegroups.AgentID
	number      string
	offer       acd.OfferID
}

func rungs(commands []acd.Command) []rung {
	var out []rung
	for _, c := range commands {
		switch c := c.(type) {
		case *acd.Ring:
			out = append(out, rung{interaction: c.Interaction, agent: c.Agent, offer: c.Offer})
		case *acd.Dial:
			out = append(out, rung{interaction: c.Interaction, number: c.Number, offer: c.Offer})
		}
	}
	return out
}

// follow has the twin apply the entry, from a snapshot now and then.
func (j *judge) follow(e acd.Entry, want []acd.Command) error {
	again := j.entries%j.restore == 0
	if again {
		var buf bytes.Buffer
		if err := j.twin.Snapshot(&buf); err != nil {
			return err
		}
		var err error
		if j.twin, err = acd.Restore(&buf); err != nil {
			return err
		}
	}
	got := j.twin.Apply(e)
	same := slices.EqualFunc(want, got, func(a, b acd.Command) bool {
		return *a.Head() == *b.Head() && acd.Describe(a) == acd.Describe(b)
	})
	if !same {
		return fmt.Errorf("a state restored from a snapshot commands otherwise: %s, not %s", described(got), described(want))
	}
	if again && j.core.Hash() != j.twin.Hash() {
		return fmt.Errorf("a state restored from a snapshot has another hash: %s", difference(j.core, j.twin))
	}
	return nil
}

// difference returns the first line of two snapshots in which they differ.
func difference(a, b *acd.State) string {
	var x, y bytes.Buffer
	if err := errors.Join(a.Snapshot(&x), b.Snapshot(&y)); err != nil {
		return err.Error()
	}
	other := strings.Split(y.String(), "\n")
	for k, line := range strings.Split(x.String(), "\n") {
		if k >= len(other) {
			return "it has more lines"
		}
		if line == other[k] {
			continue
		}
		at := 0
		for at < min(len(line), len(other[k])) && line[at] == other[k][at] {
			at++
		}
		around := func(text string) string { return text[max(at-80, 0):min(at+80, len(text))] }
		return fmt.Sprintf("line %d: %.80s … is\n%s\nnot\n%s", k+1, line, around(other[k]), around(line))
	}
	return "none in the snapshots"
}

func described(commands []acd.Command) (all []string) {
	for _, c := range commands {
		all = append(all, acd.Describe(c))
	}
	return all
}

// waiting returns who waits, by group, in order of arrival.
func (j *judge) waiting() []acd.InteractionView {
	return slices.DeleteFunc(j.core.Interactions(), func(i acd.InteractionView) bool { return i.Phase != acd.PhaseQueued })
}

// overtaking: nobody is offered while somebody who came before them to the same
// group waits on.
func (j *judge) overtaking(before []acd.InteractionView, rings []rung) error {
	if len(rings) == 0 {
		return nil
	}
	still := map[acd.InteractionID]bool{}
	for _, i := range j.waiting() {
		still[i.ID] = true
	}
	offered := map[acd.InteractionID]bool{}
	for _, r := range rings {
		offered[r.interaction] = r.agent != ""
	}
	for _, late := range before {
		for _, early := range before {
			if early.Group == late.Group && early.ID < late.ID && still[early.ID] && offered[late.ID] {
				return fmt.Errorf("interaction %d overtakes %d in %s", late.ID, early.ID, late.Group)
			}
		}
	}
	return nil
}

// outside is what a bystander sees who knows the commands and the facts but not
// the state.
type outside struct {
	open    map[acd.InteractionID]bool
	phones  map[acd.OfferID]*phone
	legs    map[acd.LegID]acd.InteractionID // answered phones that have a caller
	nodes   map[acd.LegID]acd.NodeID
	bridged map[acd.InteractionID]acd.LegID
	wild    bool // a caller may be bridged with one agent after the other
}

// phone is an agent's phones as one offer makes them ring.
type phone struct {
	agent     string
	cancelled time.Time
}

func newOutside() *outside {
	return &outside{
		open: map[acd.InteractionID]bool{}, phones: map[acd.OfferID]*phone{},
		legs: map[acd.LegID]acd.InteractionID{}, nodes: map[acd.LegID]acd.NodeID{},
		bridged: map[acd.InteractionID]acd.LegID{},
	}
}

// see takes note of an entry and finds: a caller given to two agents, an agent
// with a phone still ringing rung again, an end told twice or of nobody.
func (o *outside) see(e acd.Entry, commands []acd.Command, ended []acd.Record) error {
	switch ev := e.Event.(type) {
	case *acd.OfferFailed:
		delete(o.phones, ev.Offer)
	case *acd.OfferAnswered:
		delete(o.phones, ev.Offer)
		o.nodes[ev.Leg] = ev.Node
	case *acd.LegEnded:
		o.hungUp(ev.Leg)
	case *acd.NodeLost:
		o.lost(ev.Node)
	case *acd.NodeStarted:
		o.lost(ev.Node)
	case *acd.ConfigApplied:
		clear(o.phones) // an agent taken away and declared again is another one
	}
	for _, r := range ended {
		o.open[r.Interaction] = false
	}
	for _, c := range commands {
		switch c := c.(type) {
		case *acd.Ring:
			if err := o.ring(e.At, c); err != nil {
				return err
			}
		case *acd.CancelRing:
			if p := o.phones[c.Offer]; p != nil {
				p.cancelled = e.At
			}
		case *acd.Bridge:
			if other, is := o.bridged[c.Interaction]; is && other != c.B && !o.wild {
				return fmt.Errorf("interaction %d is bridged with %s and with %s", c.Interaction, other, c.B)
			}
			o.bridged[c.Interaction], o.legs[c.B] = c.B, c.Interaction
		case *acd.EndLeg:
			o.hungUp(c.Leg)
		}
	}
	return nil
}

// lost: a node is gone, and who is still ringing where is anybody's guess.
func (o *outside) lost(n acd.NodeID) {
	clear(o.phones)
	for leg := range o.legs {
		if o.nodes[leg] == n {
			o.hungUp(leg)
		}
	}
}

func (o *outside) hungUp(leg acd.LegID) {
	delete(o.bridged, o.legs[leg])
	delete(o.legs, leg)
}

// ring: the phone must not be ringing for the same agent already, unless it was
// told to stop two seconds ago. Agents with room for more calls are left out.
func (o *outside) ring(at time.Time, c *acd.Ring) error {
	if c.Channel != "" { // an agent may be offered several chats
		return nil
	}
	for id, p := range o.phones {
		if p.agent == string(c.Agent) && !roomy(p.agent) && (p.cancelled.IsZero() || at.Sub(p.cancelled) < 2*time.Second) {
			return fmt.Errorf("%s is rung for offer %s while %s still rings", c.Agent, c.Offer, id)
		}
	}
	o.phones[c.Offer] = &phone{agent: string(c.Agent)}
	return nil
}
