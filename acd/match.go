package acd

import (
	"slices"
	"time"

	"centrala/queuegroups"
)

// match pairs waiting interactions with free agents until no pair is left. It
// looks only where the entry changed something: in the lanes of agents who became
// free and of interactions that came to wait, and at agents for whom somebody
// waits personally. The earliest interaction that anybody can serve goes first,
// over all groups, whatever waits before it for somebody else.
func (s *State) match() {
	for {
		c := s.earliest()
		if c.i == nil {
			break
		}
		switch {
		case c.callee != nil:
			s.assignPersonally(c.i, c.callee)
		case c.joiner != nil:
			s.ringToo(c.i, c.joiner)
		default:
			s.assign(c.i)
		}
	}
	t := &s.turn
	for k, l := range t.lanes {
		l.touched = false
		clear(l.fresh)
		l.fresh = l.fresh[:0]
		t.lanes[k] = nil
	}
	t.lanes = t.lanes[:0]
	for k, a := range t.callees {
		a.touched = false
		t.callees[k] = nil
	}
	t.callees = t.callees[:0]
}

// candidate is an interaction that can be offered now.
type candidate struct {
	i      *interaction
	callee *agent // it waits for them personally
	joiner *seat  // it rings others already, and this agent may join in
}

// earliest returns the first interaction in order that can be offered now.
func (s *State) earliest() (best candidate) {
	var at key
	for _, l := range s.turn.lanes {
		if i, k := l.head(); i != nil && (best.i == nil || k.less(at)) {
			best, at = candidate{i: i}, k
		}
		if i, t := l.joinable(); i != nil && (best.i == nil || i.key().less(at)) {
			best, at = candidate{i: i, joiner: t}, i.key()
		}
	}
	for _, a := range s.turn.callees {
		if i := s.nextPersonal(a); i != nil && (best.i == nil || i.key().less(at)) {
			best, at = candidate{i: i, callee: a}, i.key()
		}
	}
	return best
}

// assign offers a waiting interaction to whom its group's distribution chooses.
// Somebody is free.
func (s *State) assign(i *interaction) {
	i.leaveQueue()
	s.become(i, PhaseOffered)
	if i.group.def.Distribution == queuegroups.All {
		s.assignAll(i)
		return
	}
	t := i.nextSeat()
	if t == nil { // after the last the first again (R21)
		s.nextRound(i)
		t = i.nextSeat()
	}
	i.cursor = cursor{t.tier, t.key}
	if i.isChat() && i.group.def.Distribution == queuegroups.Evenly {
		if i.tried == nil {
			i.tried = map[queuegroups.AgentID]bool{}
		}
		i.tried[t.agent.def.ID] = true
	}
	s.offerTo(i, t.agent, s.choice(i, t), "")
}

// nextSeat returns the seat that is next in this round; nil: the round is over.
// Evenly, an agent who is being offered a chat may be free for another, and has
// moved on in the order meanwhile: who has been asked is remembered by name.
func (i *interaction) nextSeat() *seat {
	if !i.isChat() || i.group.def.Distribution != queuegroups.Evenly {
		return i.laneNow().next(i.cursor, i.tier)
	}
	c := cursor{}
	for t := i.laneNow().next(c, i.tier); t != nil; t = i.lane.next(c, i.tier) {
		if !i.tried[t.agent.def.ID] {
			return t
		}
		c = cursor{t.tier, t.key}
	}
	return nil
}

// assignAll offers the interaction to everybody who is free, at once (R22).
func (s *State) assignAll(i *interaction) {
	i.lane.open[i.tier].insert(i.key(), i)
	if i.tried == nil {
		i.tried = map[queuegroups.AgentID]bool{}
	}
	s.ringAll(i, i.lane.all(i.tier))
}

// ringOthers rings everybody who is free and has not been rung for it in this round.
func (s *State) ringOthers(i *interaction) {
	s.ringAll(i, slices.DeleteFunc(i.lane.all(i.tier), func(t *seat) bool { return i.tried[t.agent.def.ID] }))
}

func (s *State) ringAll(i *interaction, seats []*seat) {
	if len(seats) == 0 {
		return
	}
	c := s.choice(i, seats[0])
	for _, t := range seats {
		i.tried[t.agent.def.ID] = true
		each := *c
		each.Place, each.Tier = t.place+1, tierShown(t)
		s.offerTo(i, t.agent, &each, "")
	}
}

// ringToo has one more agent join in.
func (s *State) ringToo(i *interaction, t *seat) {
	i.tried[t.agent.def.ID] = true
	s.offerTo(i, t.agent, s.choice(i, t), "")
}

// maxOffers bounds the offers that one entry makes: an OfferID has 16 bits for them.
const maxOffers = 1<<16 - 1

// choice explains why the seat's agent is offered the interaction.
func (s *State) choice(i *interaction, t *seat) *Choice {
	c := &Choice{
		Rule: string(i.group.def.Distribution), Place: t.place + 1, Round: i.round + 1,
		Free: i.lane.freeCount(i.tier), Census: i.group.census, Tier: tierShown(t), Needs: i.lane.name,
	}
	if t.agent.lastAnswer > 0 {
		c.Idle = time.Duration(s.now - t.agent.lastAnswer)
	}
	return c
}

// tierShown is the seat's tier as people count; 0: the first, which goes without saying.
func tierShown(t *seat) int {
	if t.tier == 0 {
		return 0
	}
	return t.tier + 1
}
