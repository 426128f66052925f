package switchboard

import (
	"slices"

	"centrala/acd"
	"centrala/queuegroups"
)

// This file holds how a leg goes from one call to another: who picks up a call
// has dialled for it, and so begun a call of their own.

// fetched is a leg of another call that is to come here.
type fetched struct {
	then  []func()
	ended bool // the core wants its end by now
}

// fetch runs then as soon as the leg is one of this call's, or cannot become one.
func (c *call) fetch(id acd.LegID, then func()) {
	if w := c.wanted[id]; w != nil {
		w.then = append(w.then, then)
		return
	}
	from := c.board.holder(id)
	if from == nil || from == c || c.legByID(id) != nil {
		then()
		return
	}
	c.wanted[id] = &fetched{then: []func(){then}}
	if !from.box.Post(func() { from.handOver(id, c) }) {
		c.taken(id, nil)
	}
}

// handOver gives a leg to another call, if it is here and up.
func (c *call) handOver(id acd.LegID, to *call) {
	l := c.legByID(id)
	if l == nil || c.ending || l.offer != nil && !l.up {
		to.box.Post(func() { to.taken(id, nil) })
		return
	}
	c.part(l)
	c.board.settle(id, to)
	if !l.sip.Move(&to.box, to, func() { to.taken(id, l) }) {
		c.board.settle(id, nil)
		l.sip.Hangup("")
		return
	}
	delete(c.legs, l.sip)
	c.hushFor(l)
}

// taken notes what came of fetch; nil: the leg is not to be had.
func (c *call) taken(id acd.LegID, l *leg) {
	w := c.wanted[id]
	delete(c.wanted, id)
	if l != nil {
		l.up = true
		l.home.Store(c)
		c.legs[l.sip] = l
		c.board.busyWith(l)
		c.log.Debug().Str("leg_id", string(id)).Msg("leg taken over")
		if c.ending || w.ended {
			l.sip.Hangup("")
		}
	}
	for _, then := range w.then {
		then()
	}
}

// elsewhere deals with the end of a leg that is on its way here, or went on.
func (c *call) elsewhere(cmd *acd.EndLeg) bool {
	if w := c.wanted[cmd.Leg]; w != nil {
		w.ended = true
		return true
	}
	if !c.board.movedOn(cmd.Leg, c) {
		return false
	}
	c.board.Execute(cmd)
	return true
}

// holder is the call that has the leg, as far as is known; nil: none.
func (b *Board) holder(id acd.LegID) *call {
	b.mu.Lock()
	defer b.mu.Unlock()
	if c := b.homes[id]; c != nil {
		return c
	}
	return b.calls[callOf(id)]
}

// movedOn: the leg is that of a call other than c, and not of the one that it began with.
func (b *Board) movedOn(id acd.LegID, c *call) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.homes[id] != nil && b.homes[id] != c
}

// settle notes where a leg went; nil: it stayed.
func (b *Board) settle(id acd.LegID, c *call) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if c == nil {
		delete(b.homes, id)
		return
	}
	b.homes[id] = c
}

// busyWith notes that an agent talks on a leg.
func (b *Board) busyWith(l *leg) {
	if l.agent == "" {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	list := slices.DeleteFunc(b.busy[l.agent], func(x *leg) bool { return x == l })
	b.busy[l.agent] = append(list, l)
}

// talksOn is the newest leg on which an agent talks; empty: none.
func (b *Board) talksOn(agent queuegroups.AgentID) acd.LegID {
	b.mu.Lock()
	defer b.mu.Unlock()
	list := b.busy[agent]
	if len(list) == 0 {
		return ""
	}
	return list[len(list)-1].id
}

// talksWith tells whether an agent talks on a leg.
func (b *Board) talksWith(agent queuegroups.AgentID, id acd.LegID) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.ContainsFunc(b.busy[agent], func(l *leg) bool { return l.id == id })
}

// forget takes an ended leg off the books.
func (b *Board) forget(l *leg) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.homes, l.id)
	delete(b.parks, l.id)
	delete(b.await, l)
	b.idle(l)
}

// idle: the agent talks on the leg no more. Under mu.
func (b *Board) idle(l *leg) {
	list := slices.DeleteFunc(b.busy[l.agent], func(x *leg) bool { return x == l })
	if len(list) == 0 {
		delete(b.busy, l.agent)
		return
	}
	b.busy[l.agent] = list
}
