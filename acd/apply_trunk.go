package acd

import "centrala/queuegroups"

// TrunkState is how a node sees a carrier.
type TrunkState string

// The states of a trunk. The first two are found by asking the carrier whether it is
// there, the others by registering with it; a trunk may have one of each.
const (
	TrunkUp           TrunkState = "up"           // one of its addresses answers
	TrunkDown         TrunkState = "down"         // none does
	TrunkRegistered   TrunkState = "registered"   // it knows where we are
	TrunkUnregistered TrunkState = "unregistered" // it refused, did not answer in time, or was left
)

// TrunkSeen tells that a node found a carrier in another state than before, or in its
// first since the node started. It decides nothing: calls leave by the trunk as before.
type TrunkSeen struct {
	Node  NodeID              `json:"node"`
	Trunk queuegroups.TrunkID `json:"trunk"`
	State TrunkState          `json:"state"`
	Why   string              `json:"why,omitempty"` // in words, where it is not well
}

// applyTrunkSeen: the record tells of it, the state keeps nothing.
func (s *State) applyTrunkSeen(e *TrunkSeen) {
	switch e.State {
	case TrunkUp, TrunkDown, TrunkRegistered, TrunkUnregistered:
	default:
		s.counters.Late++
		return
	}
	if s.config.Trunk(e.Trunk) == nil { // a reload took it away meanwhile
		s.counters.Late++
		return
	}
	s.step(nil, Step{Kind: StepTrunk, What: string(e.Trunk) + " " + string(e.State), Why: e.Why})
}
