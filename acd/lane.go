package acd

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"centrala/queuegroups"
)

// lane is a part of a group's queue: the interactions that need the same skills,
// and those of the group's agents who have them. Who waits is kept by the tiers
// that have been opened for them, who is free by the tier they are in, so that
// the first interaction that somebody may serve is found without a search.
type lane struct {
	group   *group
	needs   []queuegroups.Skill // by skill; none in the plain lane
	name    string              // of needs
	waiting []ordered[*interaction]
	open    []ordered[*interaction] // `all`: being rung for, and more agents may join in
	free    []ordered[*seat]
	fresh   []*seat // of agents who became free by this entry
	// strength is the agents at work in it, in thousandths: who serves k groups counts 1/k.
	strength int64
	touched  bool // is in turn.lanes
	dropped  bool // is not kept any more
}

// lanesKept is how many lanes a group keeps when nobody is in them, so that a
// usual requirement need not be looked through the group's agents each time.
const lanesKept = 32

// requirement writes needs as the name of a lane: "billing>=2 polish>=3".
func requirement(needs []queuegroups.Skill) string {
	var b strings.Builder
	for _, n := range needs {
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		fmt.Fprintf(&b, "%s>=%d", n.ID, n.Level)
	}
	return b.String()
}

// meets tells whether the agent has every skill that is needed, at that level at least.
func (a *agent) meets(needs []queuegroups.Skill) bool {
	for _, n := range needs {
		if a.level(n.ID) < n.Level {
			return false
		}
	}
	return true
}

// level is how well the agent has a skill; 0: not at all.
func (a *agent) level(id queuegroups.SkillID) int {
	at, has := slices.BinarySearchFunc(a.def.Skills, id, func(s queuegroups.Skill, id queuegroups.SkillID) int {
		return cmp.Compare(s.ID, id)
	})
	if !has {
		return 0
	}
	return a.def.Skills[at].Level
}

// merge joins needs; of a skill that is in both the higher level counts.
func merge(lists ...[]queuegroups.Skill) []queuegroups.Skill {
	var out []queuegroups.Skill
	for _, list := range lists {
		for _, n := range list {
			at, has := slices.BinarySearchFunc(out, n, func(a, b queuegroups.Skill) int { return cmp.Compare(a.ID, b.ID) })
			if has {
				out[at].Level = max(out[at].Level, n.Level)
			} else {
				out = slices.Insert(out, at, n)
			}
		}
	}
	return out
}

// lane returns the group's lane for what is needed; it is made if there is none.
// O(agents of the group) when it is made.
func (g *group) lane(needs []queuegroups.Skill) *lane {
	name := requirement(needs)
	for _, l := range g.lanes {
		if l.name == name {
			return l
		}
	}
	g.dropLanes()
	l := &lane{group: g, needs: needs, name: name}
	l.waiting = make([]ordered[*interaction], g.tiers())
	l.open = make([]ordered[*interaction], g.tiers())
	l.free = make([]ordered[*seat], g.tiers())
	g.lanes = append(g.lanes, l)
	for _, t := range g.seats {
		if t.agent.meets(needs) {
			t.lanes = append(t.lanes, l)
			if t.counted == working {
				l.strength += t.share()
			}
			if t.free {
				l.free[t.tier].insert(t.key, t)
			}
		}
	}
	return l
}

// dropLanes makes room where too many lanes are kept.
func (g *group) dropLanes() {
	if len(g.lanes) < lanesKept {
		return
	}
	keep := g.lanes[:0]
	for _, l := range g.lanes {
		if l.touched || l.busy() {
			keep = append(keep, l)
			continue
		}
		l.dropped = true
		for _, t := range g.seats {
			t.lanes = removeOne(t.lanes, l)
		}
	}
	clear(g.lanes[len(keep):])
	g.lanes = keep
}

// laneNow returns the interaction's lane, which may have been dropped while nobody
// waited in it.
func (i *interaction) laneNow() *lane {
	if i.lane.dropped {
		i.lane = i.group.lane(i.need())
	}
	return i.lane
}

// busy: somebody waits in the lane or is rung for.
func (l *lane) busy() bool {
	for k := range l.waiting {
		if l.waiting[k].Len() > 0 || l.open[k].Len() > 0 {
			return true
		}
	}
	return false
}

// join puts a free seat into the lane.
func (l *lane) join(s *State, t *seat) {
	l.free[t.tier].insert(t.key, t)
	l.freshen(s, t)
}

// freshen notes that the seat may join in where others are rung already.
func (l *lane) freshen(s *State, t *seat) {
	s.touch(l)
	for k := range l.open {
		if l.open[k].Len() > 0 {
			l.fresh = append(l.fresh, t)
			return
		}
	}
}

// touch notes that the lane may have a match.
func (s *State) touch(l *lane) {
	if !l.touched {
		l.touched = true
		s.turn.lanes = append(s.turn.lanes, l)
	}
}

// reach is the last tier that serves what the tiers up to the opened one have
// been opened for: while nobody in them is at work, the next is open as well.
func (l *lane) reach(opened int) int {
	g := l.group
	for k := range opened + 1 {
		if g.atWork[k] > 0 {
			return opened
		}
	}
	for k := opened + 1; k < len(g.atWork); k++ {
		if g.atWork[k] > 0 {
			return k
		}
	}
	return opened
}

// somebody: an agent is free who may serve what the tiers up to opened are open for.
func (l *lane) somebody(opened int) bool {
	for k := range l.reach(opened) + 1 {
		if l.free[k].Len() > 0 {
			return true
		}
	}
	return false
}

// freeCount is how many agents are free in the tiers open to the interaction.
func (l *lane) freeCount(opened int) int {
	n := 0
	for k := range l.reach(opened) + 1 {
		n += l.free[k].Len()
	}
	return n
}

// cursor is a place in the order in which a group's agents are offered things:
// tier by tier, and in a tier by rank.
type cursor struct {
	tier int
	key  key
}

// next returns the seat that comes after the cursor; nil: the round is over.
func (l *lane) next(c cursor, opened int) *seat {
	for k := c.tier; k <= l.reach(opened); k++ {
		at := key{}
		if k == c.tier {
			at = c.key
		}
		if _, t, ok := l.free[k].after(at); ok {
			return t
		}
	}
	return nil
}

// head returns the first interaction that somebody who is free may serve.
func (l *lane) head() (first *interaction, at key) {
	for k := range l.waiting {
		if l.waiting[k].Len() == 0 || !l.somebody(k) {
			continue
		}
		if x, i, ok := l.waiting[k].first(); ok && (first == nil || x.less(at)) {
			first, at = i, x
		}
	}
	return first, at
}

// joinable returns the first interaction of `all` that rings others already and,
// of the agents who just became free and were not offered it in this round, the
// first in the list.
func (l *lane) joinable() (joined *interaction, joiner *seat) {
	if len(l.fresh) == 0 {
		return nil, nil
	}
	for k := range l.open {
		reach := l.reach(k)
		l.open[k].each(func(i *interaction) bool {
			if joined != nil && !i.key().less(joined.key()) {
				return false
			}
			var first *seat
			for _, t := range l.fresh {
				if t.free && t.tier <= reach && !i.tried[t.agent.def.ID] && (first == nil || t.place < first.place) {
					first = t
				}
			}
			if first != nil {
				joined, joiner = i, first
			}
			return first == nil
		})
	}
	return joined, joiner
}

// all lists the free seats that serve what the tiers up to opened are open for,
// tier by tier.
func (l *lane) all(opened int) []*seat {
	var seats []*seat
	for k := range l.reach(opened) + 1 {
		l.free[k].each(func(t *seat) bool {
			seats = append(seats, t)
			return len(seats) < maxOffers
		})
	}
	return seats
}
