package sim

import (
	"cmp"
	"fmt"
	"slices"

	"centrala/acd"
)

// name gives the offers of the entry the ids that the core gave its own, if both
// made the same, in the same order.
func (n *naive) name(rings []rung) error {
	if len(rings) != len(n.made) {
		return fmt.Errorf("the core offers %+v, the naive one makes %d offers: %s", rings, len(n.made), n.wouldOffer())
	}
	for k, o := range n.made {
		want := rung{interaction: o.call.id, agent: o.agent.def.ID, offer: rings[k].offer}
		if o.agent.outside {
			want.number = o.agent.def.Phone
		}
		if rings[k] != want {
			return fmt.Errorf("the core offers %+v, the naive one %+v", rings[k], want)
		}
		o.id = rings[k].offer
		n.due[ofOffer("offer", o)] = o.until
	}
	return nil
}

func (n *naive) wouldOffer() string {
	out := ""
	for _, o := range n.made {
		out += fmt.Sprintf(" %d to %s%s", o.call.id, o.agent.def.ID, o.agent.def.Phone)
	}
	return out
}

// compare finds the first difference between the core and the naive one.
func (n *naive) compare(s *acd.State, v *acd.Standing) error {
	if err := n.compareEnds(s.Ended()); err != nil {
		return err
	}
	if len(v.Interactions) != len(n.calls) || len(v.Agents) != len(n.agents) || len(v.Groups) != len(n.groups) {
		return fmt.Errorf("the core has %d interactions, %d agents and %d groups, the naive one %d, %d and %d",
			len(v.Interactions), len(v.Agents), len(v.Groups), len(n.calls), len(n.agents), len(n.groups))
	}
	for k := range v.Interactions {
		i := &v.Interactions[k]
		c := n.call(i.ID)
		if c == nil {
			return fmt.Errorf("the core has interaction %+v, the naive one has not", *i)
		}
		if want := n.standing(c, i); want != *i {
			return fmt.Errorf("the core has interaction %+v, the naive one %+v", *i, want)
		}
	}
	for k := range v.Agents {
		i := v.Agents[k]
		a := n.agents[k]
		want := acd.AgentStanding{ID: a.def.ID, Status: n.status(a), CanTake: n.canTake(a, nil), Misses: a.misses}
		want.Calls, want.Chats, want.Counted, _ = a.hands(nil)
		if want != i {
			return fmt.Errorf("the core has agent %+v, the naive one %+v", i, want)
		}
	}
	for k := range v.Groups {
		if want := n.groupStanding(n.groups[k], &v.Groups[k]); want != v.Groups[k] {
			return fmt.Errorf("the core has group %+v, the naive one %+v", v.Groups[k], want)
		}
	}
	return n.compareDeadlines(s)
}

// standing is how the naive one sees a call; what does not matter in its phase is
// taken from the core's.
func (n *naive) standing(c *nCall, i *acd.InteractionStanding) acd.InteractionStanding {
	want := acd.InteractionStanding{
		ID: c.id, Group: c.group.def.ID, Phase: c.phase, Leg: c.caller.id, Offers: len(c.offers), Slot: c.slot,
		Credit: c.credit, Round: i.Round, Needs: i.Needs, Tier: i.Tier,
	}
	if c.kept != nil {
		want.For = c.kept.def.ID
	} else if c.phase == acd.PhaseQueued || c.phase == acd.PhaseOffered {
		want.Needs, want.Tier = skills(n.need(c)), c.tier
	}
	if c.agent != nil {
		want.Agent, want.AgentLeg = c.agent.def.ID, c.other.id
	}
	if c.consult != nil && c.consult.leg != nil {
		want.Consults, want.Aside = c.consult.leg.id, c.consult.aside
	}
	for _, l := range n.legs {
		if l.held && l.call == c && (l == c.caller || l == c.other || c.consult != nil && l == c.consult.leg) {
			want.Holds++
		}
	}
	return want
}

func (n *naive) groupStanding(g *nGroup, i *acd.GroupStanding) acd.GroupStanding {
	want := acd.GroupStanding{ID: g.def.ID, Condition: g.cond, Since: g.since}
	if g.cond == somebodyFree {
		want.Since = i.Since
	}
	for _, c := range n.calls {
		if c.group == g {
			want.Interactions++
			if c.phase == acd.PhaseQueued && c.kept == nil {
				want.Waiting++
			}
		}
	}
	for _, t := range g.seats {
		if n.eligible(t) {
			want.Free++
		}
	}
	return want
}

// compareDeadlines: whatever is to happen by itself happens at the same time, and
// nothing else does. What waiting changes for a call that is kept for one agent
// does not matter before it comes to the queue.
func (n *naive) compareDeadlines(s *acd.State) error {
	more := 0
	for _, c := range n.calls {
		id := ofCall("stage", c)
		if c.kept == nil {
			continue
		}
		n.disarm(id)
		if _, _, armed := s.Deadline(id); armed {
			more++
		}
	}
	for id, want := range n.due {
		if at, _, armed := s.Deadline(id); !armed || !at.Equal(want) {
			return fmt.Errorf("the deadline %v is at %v (%v) in the core, at %v in the naive one", id, at, armed, want)
		}
	}
	if s.Deadlines() != len(n.due)+more {
		return fmt.Errorf("the core has %d deadlines, the naive one %d: %v", s.Deadlines(), len(n.due)+more, n.due)
	}
	return nil
}

// compareEnds: the same calls end in the same way.
func (n *naive) compareEnds(records []acd.Record) error {
	got := make([]nEnd, 0, len(records))
	for _, r := range records {
		got = append(got, nEnd{r.Interaction, r.End, r.Agent})
	}
	order := func(a, b nEnd) int { return cmp.Compare(a.id, b.id) }
	slices.SortFunc(got, order)
	slices.SortFunc(n.ended, order)
	if !slices.Equal(got, n.ended) {
		return fmt.Errorf("the core ends %v, the naive one %v", got, n.ended)
	}
	return nil
}
