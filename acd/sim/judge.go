package sim

import (
	"bytes"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"

	"centrala/acd"
	"centrala/queuegroups"
)

// judge applies entries to the core and finds out whether everything that must
// hold does: the invariants of the state, the naive second opinion, a twin that
// is restored from snapshots, and what can be seen from outside.
type judge struct {
	core     *acd.State
	twin     *acd.State
	naive    *naive
	outside  *outside
	restore  int // the twin is restored before every so many entries; 0: never
	entries  int
	before   acd.Standing
	standing acd.Standing
}

func newJudge(restore int) *judge {
	return &judge{core: acd.NewState(), twin: acd.NewState(), naive: newNaive(), outside: newOutside(), restore: restore}
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
		_, generation, armed := j.core.Deadline(d.Deadline)
		due = armed && generation == d.Generation
	}
	j.before, j.standing = j.standing, j.before
	commands = j.core.Apply(e)
	j.core.Standing(&j.standing)
	rings := rungs(commands)
	j.naive.apply(e, due)
	j.entries++
	err = errors.Join(
		j.core.Check(),
		j.naive.name(rings),
		j.overtaking(rings),
		j.outside.see(e, commands, j.core.Ended()),
		j.outside.hears(&j.standing),
	)
	if err == nil {
		err = j.naive.compare(j.core, &j.standing)
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
		return errors.New("a state restored from a snapshot commands otherwise")
	}
	if again && j.core.Hash() != j.twin.Hash() {
		return errors.New("a state restored from a snapshot has another hash")
	}
	return nil
}

// overtaking: nobody is offered to the group while somebody waits on who came
// before them, has as much credit, and needs no more.
func (j *judge) overtaking(rings []rung) error {
	if len(rings) == 0 {
		return nil
	}
	waited := map[acd.InteractionID]bool{}
	for _, i := range j.before.Interactions {
		waited[i.ID] = i.Phase == acd.PhaseQueued && i.For == ""
	}
	for _, late := range j.standing.Interactions {
		if late.Phase != acd.PhaseOffered || late.For != "" || !waited[late.ID] {
			continue
		}
		for _, early := range j.standing.Interactions {
			first := early.ID < late.ID && early.Credit >= late.Credit && early.Tier >= late.Tier && early.Needs == late.Needs
			if first && early.Group == late.Group && early.Phase == acd.PhaseQueued && early.For == "" && waited[early.ID] {
				return fmt.Errorf("interaction %d overtakes %d in %s", late.ID, early.ID, late.Group)
			}
		}
	}
	return nil
}
