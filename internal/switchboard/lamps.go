package switchboard

import (
	"slices"
	"strconv"
	"strings"

	"centrala/acd"
	"centrala/queuegroups"
	"centrala/sip"
)

// This file holds what agents' phones show of their colleagues and groups (busy
// lamp fields, RFC 4235), and how they take a call that is shown there (R93). All
// of it is the core's word: which calls there are, who may know of whom they are,
// and who may take them.

// Core is the state of the core.
type Core interface {
	// View lets f look at the state between two entries; f must not keep it.
	View(f func(*acd.State))
}

// lamps is the Board as the stack's lamps see it.
type lamps struct{ board *Board }

var _ sip.Lamps = lamps{}

// Lamps are what phones may watch; nil where the Board knows no core.
func (b *Board) Lamps() sip.Lamps {
	if b.core == nil {
		return nil
	}
	return lamps{b}
}

// The names of lamps, in front of an id.
const (
	agentLamp = "agent "
	groupLamp = "group "
)

// Lamp finds whom an agent's phone wants to watch: an agent or a group by
// extension, or an agent by id.
func (l lamps) Lamp(_, target string) (name string, ok bool) {
	config := l.board.config.Load()
	switch agent, group := config.ByExtension(target); {
	case agent != nil:
		return agentLamp + string(agent.ID), true
	case group != nil:
		return groupLamp + string(group.ID), true
	}
	if id := l.board.agentNamed(target); id != "" {
		return agentLamp + string(id), true
	}
	return "", false
}

// Calls lists what a lamp shows to an agent.
func (l lamps) Calls(user, name string) (calls []sip.LampCall, ok bool) {
	watcher := queuegroups.AgentID(user)
	var lines []acd.Line
	l.board.core.View(func(s *acd.State) {
		if id, is := strings.CutPrefix(name, agentLamp); is {
			lines, ok = s.AgentLines(queuegroups.AgentID(id), watcher)
		} else {
			lines, ok = s.GroupLines(queuegroups.GroupID(strings.TrimPrefix(name, groupLamp)), watcher)
		}
	})
	for _, line := range lines {
		id := strconv.FormatUint(uint64(line.Interaction), 10)
		c := sip.LampCall{ID: id, Up: !line.Rings, Outgoing: line.Outgoing, With: sip.Party{User: line.With.Number, Name: line.With.Name}}
		if line.Pickup {
			c.Pickup = id
		}
		calls = append(calls, c)
	}
	return calls, ok
}

// lampsApplied has phones told of what an entry changed for them.
func (b *Board) lampsApplied(e acd.Event) {
	if b.core == nil || !b.stack.Watched() {
		return
	}
	if _, all := e.(*acd.ConfigApplied); all {
		b.stack.LampsChanged()
		return
	}
	var names []string
	b.core.View(func(s *acd.State) {
		agents, groups := s.Touched()
		for _, id := range agents {
			names = append(names, agentLamp+string(id))
		}
		for _, id := range groups {
			names = append(names, groupLamp+string(id))
		}
	})
	slices.Sort(names)
	b.stack.LampChanged(slices.Compact(names)...)
}

// beginPickup takes in an INVITE for a call that a lamp shows. It is the same claim
// as by a feature code, of this one call.
func (c *call) beginPickup(agent *queuegroups.Agent, token string) {
	var claim *acd.Claimed
	var phase acd.Phase
	if id, err := strconv.ParseUint(token, 10, 64); err == nil && c.board.core != nil {
		c.board.core.View(func(s *acd.State) { claim, phase = s.PickupOf(acd.InteractionID(id), agent.ID) })
	}
	switch {
	case claim != nil:
		c.beginFeature(&feature{name: "pickup", claim: claim})
	case phase == "": // RFC 3891 section 3
		c.refuse(481, "Call Does Not Exist")
	case phase == acd.PhaseQueued || phase == acd.PhaseOffered:
		c.log.Warn().Str("agent", string(agent.ID)).Msg("pickup refused: the agent may not take that call")
		c.refuse(403, "Not Entitled")
	default: // somebody else was faster
		c.refuse(486, "")
	}
}
