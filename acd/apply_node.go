package acd

import (
	"cmp"
	"maps"
	"slices"
)

// sortedKeys returns the keys of a map in order: the only way in which the core
// walks through a map.
func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K {
	return slices.Sorted(maps.Keys(m))
}

// applyNodeStarted: a node came up. Its former legs are gone; the phones it
// still holds registrations of are online there, and no others.
func (s *State) applyNodeStarted(e *NodeStarted) {
	online := map[string]bool{}
	for _, id := range e.Online {
		online[string(id)] = true
		if a := s.agents[id]; a != nil { // nobody is away in between
			a.register(e.Node)
		}
	}
	s.endNode(e.Node)
	for _, a := range slices.Clone(s.agentOrder) {
		if !online[string(a.def.ID)] {
			s.leftNode(a, e.Node)
			continue
		}
		for _, c := range slices.Clone(a.clients) { // they come back by themselves
			if c.node == e.Node {
				s.dropClient(a, c)
			}
		}
		a.register(e.Node)
		s.presenceChanged(a, "registered at "+string(e.Node))
	}
}

// applyNodeLost: a node is gone with all its legs and registrations.
func (s *State) applyNodeLost(e *NodeLost) {
	s.endNode(e.Node)
	for _, a := range slices.Clone(s.agentOrder) {
		s.leftNode(a, e.Node)
	}
}

// after is when the end of a leg is dealt with, of all that end with a node.
func (s *State) after(l *leg) int {
	if i := s.interactions[l.of]; l.agent == nil || i != nil && i.caller == l || i == nil && l.own {
		return 0
	}
	return 1
}

// endNode ends the legs and offers that the node carried.
func (s *State) endNode(n NodeID) {
	var gone []*leg
	for _, id := range sortedKeys(s.legs) {
		l := s.legs[id]
		if i := s.interactions[l.of]; i != nil && i.caller == l && i.isChat() {
			continue // the customer did not go anywhere, and what they wrote is kept elsewhere
		}
		if l.node == n {
			l.state = legGone // nothing more is to be asked of it
			gone = append(gone, l)
		}
	}
	var quiet []*offer
	for _, id := range sortedKeys(s.offers) {
		if o := s.offers[id]; o.node == n {
			quiet = append(quiet, o)
		}
	}
	for _, o := range quiet {
		if i := s.interactions[o.of]; i != nil && o.outcome == "" {
			s.closeOffer(i, o, OutcomeWithdrawn, "lost with its node")
		}
		s.forgetOffer(o)
		if i := s.interactions[o.of]; i != nil && i.isChat() {
			s.offerAnew(i)
		}
		s.refresh(o.agent, "lost with its node")
		s.drop(o.agent)
	}
	slices.SortStableFunc(gone, func(a, b *leg) int { // callers first: what ends with them is not dealt with twice
		return cmp.Compare(s.after(a), s.after(b))
	})
	for _, l := range gone {
		s.legOver(l, endLost)
	}
}
