package sim

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"centrala/acd"
	"centrala/queuegroups"
)

// naive is the second implementation of who gets what: the same rules written
// down in the plainest way, with lists that are searched from one end to the
// other. It is compared with the core after every entry.
type naive struct {
	index  uint64
	now    time.Time
	config *queuegroups.Config
	groups map[queuegroups.GroupID]*queuegroups.Group
	agents []*nAgent
	calls  []*nCall
	legs   map[acd.LegID]*nLeg
	offers map[acd.OfferID]*nOffer
	made   []*nOffer // by the present entry, in order
	queued int       // how often a call was put to wait, to keep the order
}

type nAgent struct {
	def     queuegroups.Agent
	removed bool
	outside bool // a number that a call was forwarded to
	online  map[acd.NodeID]bool
	slots   int
	refs    int
	last    time.Time // answer; zero: none
	misses  int
	resting bool
	silent  bool
	wrapUp  bool
}

type nCall struct {
	id      acd.InteractionID
	arrived time.Time
	group   queuegroups.GroupID
	caller  *nLeg
	phase   acd.Phase
	offers  []*nOffer
	cursor  *nRank
	tried   map[*nAgent]bool
	agent   *nAgent
	other   *nLeg
	overdue bool
	let     bool // into the queue
	credit  time.Duration
	chain   int // the present no-answer action
	hops    int
	turn    int // when it was put to wait
}

type nLeg struct {
	id     acd.LegID
	node   acd.NodeID
	call   *nCall // nil: over
	agent  *nAgent
	slot   bool
	ending bool
	won    *nOffer
}

type nOffer struct {
	id      acd.OfferID
	call    *nCall
	node    acd.NodeID
	agent   *nAgent
	ringing bool
	live    bool
	slot    bool
	leg     *nLeg
}

// nRank is an agent's place in the order of a group.
type nRank struct {
	used  int
	last  time.Time
	place int
}

func (r nRank) compare(o nRank) int {
	return cmp.Or(cmp.Compare(r.used, o.used), r.last.Compare(o.last), cmp.Compare(r.place, o.place))
}

func newNaive() *naive {
	return &naive{
		config: &queuegroups.Config{}, groups: map[queuegroups.GroupID]*queuegroups.Group{},
		legs: map[acd.LegID]*nLeg{}, offers: map[acd.OfferID]*nOffer{},
	}
}

func (n *naive) agent(id queuegroups.AgentID) *nAgent {
	for _, a := range n.agents {
		if a.def.ID == id {
			return a
		}
	}
	return nil
}

func (a *nAgent) reachable() bool { return len(a.online) > 0 || a.def.Contact != "" }

func (a *nAgent) canTake() bool {
	return !a.removed && a.reachable() && !a.resting && !a.silent && !a.wrapUp && a.slots < a.def.Capacity.Voice
}

func (n *naive) call(id acd.InteractionID) *nCall {
	for _, c := range n.calls {
		if c.id == id {
			return c
		}
	}
	return nil
}

// match pairs calls and agents: again and again the earliest call that anybody
// can serve.
func (n *naive) match() {
	for again := true; again; {
		for n.matchOne() {
		}
		again = false
		calls := slices.Clone(n.calls)
		slices.SortFunc(calls, func(a, b *nCall) int { return cmp.Compare(a.turn, b.turn) })
		for _, c := range calls {
			if c.phase != acd.PhaseQueued {
				c.let = true
				continue
			}
			g := n.groups[c.group]
			switch {
			case c.overdue:
				n.pastWaiting(c)
				again = true
			case !n.circling(c):
				c.let = true
				n.proceed(c)
				again = true
			case !c.let && g.MaxWaiting > 0 && n.waiting(c.group) > g.MaxWaiting:
				n.end(c)
			default:
				c.let = true
			}
		}
	}
}

func (n *naive) waiting(g queuegroups.GroupID) int {
	sum := 0
	for _, c := range n.calls {
		if c.group == g && c.phase == acd.PhaseQueued {
			sum++
		}
	}
	return sum
}

func (n *naive) matchOne() bool {
	slices.SortFunc(n.calls, func(a, b *nCall) int {
		return cmp.Or(a.arrived.Add(-a.credit).Compare(b.arrived.Add(-b.credit)), cmp.Compare(a.id, b.id))
	})
	for _, c := range n.calls {
		g := n.groups[c.group]
		free := n.free(g)
		all := g.Distribution == queuegroups.All
		switch {
		case c.phase == acd.PhaseQueued && len(free) > 0:
			c.phase = acd.PhaseOffered
			if all {
				for _, a := range free {
					n.offer(c, a)
				}
				return true
			}
			n.offer(c, n.next(c, g, free))
			return true
		case c.phase == acd.PhaseOffered && all:
			for _, a := range free {
				if !c.tried[a] {
					n.offer(c, a)
					return true
				}
			}
		}
	}
	return false
}

// free returns who of the group can take a call, in the order of the list.
func (n *naive) free(g *queuegroups.Group) []*nAgent {
	var out []*nAgent
	for _, id := range g.Agents {
		if a := n.agent(id); a != nil && a.canTake() {
			out = append(out, a)
		}
	}
	return out
}

// next chooses for evenly and in_order.
func (n *naive) next(c *nCall, g *queuegroups.Group, free []*nAgent) *nAgent {
	slices.SortFunc(free, func(a, b *nAgent) int { return rank(g, a).compare(rank(g, b)) })
	chosen := n.more(c, g, free)
	if chosen == nil {
		clear(c.tried) // round again
		chosen = free[0]
	}
	r := rank(g, chosen)
	c.cursor = &r
	return chosen
}

// more returns the first free agent of this round after the last one.
func (n *naive) more(c *nCall, g *queuegroups.Group, free []*nAgent) *nAgent {
	slices.SortFunc(free, func(a, b *nAgent) int { return rank(g, a).compare(rank(g, b)) })
	for _, a := range free {
		if c.cursor == nil || rank(g, a).compare(*c.cursor) > 0 {
			return a
		}
	}
	return nil
}

func rank(g *queuegroups.Group, a *nAgent) nRank {
	r := nRank{place: slices.Index(g.Agents, a.def.ID)}
	if g.Distribution == queuegroups.Evenly {
		r.used, r.last = a.slots, a.last
	}
	return r
}

func (n *naive) offer(c *nCall, a *nAgent) {
	o := &nOffer{call: c, node: c.caller.node, agent: a, live: true, slot: true}
	a.slots++
	a.refs++
	c.offers = append(c.offers, o)
	if n.groups[c.group].Distribution == queuegroups.All && !a.outside {
		c.tried[a] = true
	}
	n.made = append(n.made, o)
}

// name gives the offers of the entry the ids that the core gave its own, if both
// made the same.
func (n *naive) name(rings []rung) error {
	if len(rings) != len(n.made) {
		return fmt.Errorf("the core offers %+v, the naive one makes %d offers", rings, len(n.made))
	}
	for k, o := range n.made {
		want := rung{o.call.id, o.agent.def.ID, o.agent.def.Phone, rings[k].offer}
		if !o.agent.outside {
			want.number = ""
		}
		if rings[k] != want {
			return fmt.Errorf("the core offers %+v, the naive one %+v", rings[k], want)
		}
		o.id = rings[k].offer
		n.offers[o.id] = o
	}
	n.made = nil
	return nil
}

// compare finds the first difference between the core and the naive one.
func (n *naive) compare(s *acd.State) error {
	interactions := s.Interactions()
	if len(interactions) != len(n.calls) {
		return fmt.Errorf("the core has %d interactions, the naive one %d", len(interactions), len(n.calls))
	}
	for _, i := range interactions {
		c := n.call(i.ID)
		if c == nil || c.phase != i.Phase || c.group != i.Group || len(c.offers) != len(i.Offers) {
			return fmt.Errorf("the core has interaction %+v, the naive one %+v", i, c)
		}
	}
	agents := s.Agents()
	if len(agents) != len(n.agents) {
		return fmt.Errorf("the core has %d agents, the naive one %d", len(agents), len(n.agents))
	}
	for _, v := range agents {
		a := n.agent(v.ID)
		if a == nil || a.canTake() != v.CanTake || a.slots != len(v.Interactions) {
			return fmt.Errorf("the core has agent %+v, the naive one %+v", v, a)
		}
	}
	return nil
}
