package acd

import (
	"time"

	"centrala/queuegroups"
)

// match pairs waiting interactions with free agents until no pair is left. It
// looks only where the entry changed something: in the pools of agents who became
// free and of interactions that came to wait. The earliest interaction that
// anybody can serve goes first, whatever waits before it for somebody else.
func (s *State) match() {
	t := &s.turn
	for {
		i, joiner := s.earliest()
		if i == nil {
			break
		}
		if joiner != nil {
			i.tried[joiner.agent.def.ID] = true
			s.offerTo(i, joiner, s.choice(i, joiner))
			continue
		}
		s.assign(i)
	}
	for k, p := range t.pools {
		p.touched = false
		for n, seat := range p.fresh {
			seat.fresh = false
			p.fresh[n] = nil
		}
		p.fresh = p.fresh[:0]
		t.pools[k] = nil
	}
	t.pools = t.pools[:0]
}

// earliest returns the first interaction in order that can be offered now, and
// the seat of the agent who is to join in, if it is one that already rings others.
func (s *State) earliest() (*interaction, *seat) {
	var best *interaction
	var bestKey key
	var joiner *seat
	for _, p := range s.turn.pools {
		if p.free.Len() == 0 {
			continue
		}
		if k, i, ok := p.waiting.first(); ok && (best == nil || k.less(bestKey)) {
			best, bestKey, joiner = i, k, nil
		}
		if i, t := p.joinable(); i != nil && (best == nil || i.key().less(bestKey)) {
			best, bestKey, joiner = i, i.key(), t
		}
	}
	return best, joiner
}

// joinable returns the first interaction of `all` that rings others already and,
// of the agents who just became free and were not offered it in this round, the
// first in the list.
func (p *pool) joinable() (*interaction, *seat) {
	var joined *interaction
	var joiner *seat
	p.open.each(func(i *interaction) bool {
		for _, t := range p.fresh {
			if t.free && !i.tried[t.agent.def.ID] && (joiner == nil || t.place < joiner.place) {
				joined, joiner = i, t
			}
		}
		return joiner == nil
	})
	return joined, joiner
}

// assign offers a waiting interaction to whom its group's distribution chooses.
// Somebody is free.
func (s *State) assign(i *interaction) {
	p := i.group.pool
	p.waiting.remove(i.key())
	s.become(i, PhaseOffered)
	if i.group.def.Distribution == queuegroups.All {
		s.assignAll(i)
		return
	}
	k, t, ok := p.free.after(i.cursor)
	if !ok { // after the last the first again (R21)
		s.nextRound(i)
		k, t, _ = p.free.first()
	}
	i.cursor = k
	s.offerTo(i, t, s.choice(i, t))
}

// assignAll offers the interaction to everybody who is free, at once (R22).
func (s *State) assignAll(i *interaction) {
	p := i.group.pool
	p.open.insert(i.key(), i)
	if i.tried == nil {
		i.tried = map[queuegroups.AgentID]bool{}
	}
	seats := make([]*seat, 0, p.free.Len())
	p.free.each(func(t *seat) bool {
		seats = append(seats, t)
		return len(seats) < maxOffers
	})
	c := s.choice(i, seats[0])
	for _, t := range seats {
		i.tried[t.agent.def.ID] = true
		each := *c
		each.Place = t.place + 1
		s.offerTo(i, t, &each)
	}
}

// maxOffers bounds the offers that one entry makes: an OfferID has 16 bits for them.
const maxOffers = 1<<16 - 1

// choice explains why the seat's agent is offered the interaction.
func (s *State) choice(i *interaction, t *seat) *Choice {
	c := &Choice{
		Rule: string(i.group.def.Distribution), Place: t.place + 1, Round: i.round + 1,
		Free: i.group.pool.free.Len(), Census: i.group.census,
	}
	if t.agent.lastAnswer > 0 {
		c.Idle = time.Duration(s.now - t.agent.lastAnswer)
	}
	return c
}
