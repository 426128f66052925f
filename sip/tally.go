package sip

import (
	"maps"
	"sync"
)

// CallKind says which calls are counted together.
type CallKind struct {
	Trunk   string // empty: calls of and to our own users' phones
	Inbound bool
	// Outcome is OutcomeAnswered, or the Class of the end of a call that nobody answered.
	Outcome string
}

// OutcomeAnswered is the outcome of calls that were answered, however they ended.
const OutcomeAnswered = "answered"

// tally counts calls that are over. It has as many entries as there are trunks,
// directions and outcomes.
type tally struct {
	mu   sync.Mutex
	over map[CallKind]uint64
}

// count adds a leg that has ended. It is called with l.mu held.
func (t *tally) count(l *Leg, class Class) {
	k := CallKind{Trunk: l.Trunk(), Inbound: l.inbound, Outcome: class}
	if l.answered || l.answer != nil {
		k.Outcome = OutcomeAnswered
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.over == nil {
		t.over = map[CallKind]uint64{}
	}
	t.over[k]++
}

// Calls returns how many calls are over since the start, by outcome, and how many
// go on now, whose Outcome is empty.
func (s *Stack) Calls() (over map[CallKind]uint64, active map[CallKind]int) {
	s.calls.mu.Lock()
	over = maps.Clone(s.calls.over)
	s.calls.mu.Unlock()
	active = map[CallKind]int{}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.legs {
		active[CallKind{Trunk: l.Trunk(), Inbound: l.inbound}]++
	}
	return over, active
}
