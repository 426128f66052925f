package acd

import (
	"cmp"
	"time"

	"centrala/queuegroups"
)

// A number outside may take long until it rings: the networks between have to
// find it.
const outsideDialLimit = 30 * time.Second

// serveLimit is how long voicemail or callback may take with one caller.
const serveLimit = 10 * time.Minute

// hopsMax is how often an interaction may go from group to group; a loop is a
// mistake that the configuration is checked for, but two reloads can make one.
const hopsMax = 16

// action returns what is done for the interaction when nobody answers; the end
// of a chain is hanging up.
func (s *State) action(i *interaction) queuegroups.Action {
	chain := s.actions(i)
	if i.chain < len(chain) {
		return chain[i.chain]
	}
	if len(chain) == 0 && i.chain == 0 && i.via == chainNoAnswer {
		return queuegroups.Action{Kind: queuegroups.ActionWait}
	}
	return queuegroups.Action{Kind: queuegroups.ActionHangup}
}

// circling: the interaction stays in the queue until somebody answers (R98).
func (s *State) circling(i *interaction) bool { return s.action(i).Kind == queuegroups.ActionWait }

// pastWaiting goes on to what follows waiting in the chain.
func (s *State) pastWaiting(i *interaction) {
	for s.circling(i) {
		i.chain++
	}
	s.proceed(i)
}

// proceed carries out the chain from its present action on, until something is
// under way (R92). The interaction is in no lane.
func (s *State) proceed(i *interaction) {
	for {
		a, declared := s.action(i), i.chain < len(s.actions(i))
		i.chain++
		if declared {
			s.step(i, Step{Kind: StepAction, Group: i.group.def.ID, What: string(a.Kind), Choice: &Choice{Census: i.group.census}})
		}
		switch a.Kind {
		case queuegroups.ActionWait:
			i.chain-- // stays the present one
			s.enqueue(i)
			return
		case queuegroups.ActionAgent:
			if number := s.lastPhone(i.group); number != "" {
				s.dial(i, number)
				return
			}
		case queuegroups.ActionNumber:
			n := s.numbers[a.Number]
			if n == nil {
				s.dial(i, a.Number)
				return
			}
			if g := s.groups[n.Group]; g != nil && i.hops < hopsMax { // one of our own: no need to go outside
				s.move(i, g)
				return
			}
		case queuegroups.ActionGroup:
			if g := s.groups[a.Group]; g != nil && i.hops < hopsMax {
				s.move(i, g)
				return
			}
		case queuegroups.ActionVoicemail, queuegroups.ActionCallback:
			s.serve(i, a.Kind)
			return
		case queuegroups.ActionHangup:
			s.hungUp(i)
			return
		}
	}
}

// lastPhone is the telephone of the last agent of the list (R95).
func (s *State) lastPhone(g *group) string {
	if len(g.def.Agents) == 0 {
		return ""
	}
	if a := s.agents[g.def.Agents[len(g.def.Agents)-1]]; a != nil {
		return a.def.Phone
	}
	return ""
}

// dial calls a number outside. It is an offer like any other, to a party that is
// no agent of ours: it has no state, no capacity and no back-off.
func (s *State) dial(i *interaction, number string) {
	s.become(i, PhaseDialled)
	i.rung = true
	o := s.newOffer(i, outsider(number))
	s.step(i, Step{Kind: StepOffer, Group: o.group, Offer: o.id, What: number})
	by := queuegroups.AgentID("")
	if i.handover != nil {
		by = i.handover.By
	}
	d := &Dial{Offer: o.id, Number: number, Trunk: s.trunkFor(i, by), From: i.customer(), Group: i.group.def.ID}
	o.pending = d
	s.emit(d, o.node, o.of, o.call)
	s.deadlines.arm(DeadlineID{Kind: deadlineOffer, N: uint64(o.id)}, s.now.after(outsideDialLimit))
	s.ringback(i)
}

// trunkFor is where a call forwarded outside leaves. One that came by no trunk leaves,
// from level 3 on, where a call of the agent who sends it there would.
func (s *State) trunkFor(i *interaction, by queuegroups.AgentID) queuegroups.TrunkID {
	t := cmp.Or(i.group.def.Trunk, i.trunk)
	if t == "" && by != "" && s.level >= 3 {
		t = s.config.TrunkOut(by)
	}
	return t
}

// ringback lets a caller who has not been answered yet hear that somebody is rung.
func (s *State) ringback(i *interaction) {
	if i.caller.state == legOffered && !i.alerted {
		i.alerted = true
		s.alert(i)
	}
}

// move puts the interaction into the queue of another group, with its arrival (R97).
func (s *State) move(i *interaction, g *group) {
	old := i.group
	old.ringing.remove(i.key())
	old.interactions--
	i.group, i.hops = g, i.hops+1
	i.round, i.cursor, i.overdue = 0, cursor{}, false
	s.enter(i)
	i.credit = int64(g.def.Priority) + i.bonus
	clear(i.tried)
	g.interactions++
	s.armMaxWait(i)
	if i.isChat() {
		i.rung, i.toldNobody = false, false
		s.armUnanswered(i)
	}
	if !s.sleepsOver(i) {
		s.enqueue(i)
	}
	s.dropGroup(old)
}

// armMaxWait sets how long the caller may wait in the group.
func (s *State) armMaxWait(i *interaction) {
	id := DeadlineID{Kind: deadlineMaxWait, N: uint64(i.id)}
	if w := i.group.def.MaxWait; w > 0 {
		s.deadlines.arm(id, s.now.after(w))
	} else {
		s.deadlines.disarm(id)
	}
}

// serve hands the caller over to voicemail or callback (R102).
func (s *State) serve(i *interaction, service queuegroups.ActionKind) {
	s.become(i, PhaseServed)
	i.service = service
	s.deadlines.disarm(DeadlineID{Kind: deadlineMaxWait, N: uint64(i.id)})
	s.deadlines.arm(DeadlineID{Kind: deadlineServe, N: uint64(i.id)}, s.now.after(serveLimit))
	settled[*Alert](i.caller)
	settled[*Play](i.caller)
	if i.caller.state == legOffered {
		i.caller.state = legAnswering
	}
	c := &Serve{Service: service, Group: i.group.def.ID}
	s.emit(c, i.caller.node, i.id, i.caller.call)
	i.caller.pending = append(i.caller.pending, c)
}

// applyServed: the caller left a message or their wish, or the service failed and
// the chain goes on.
func (s *State) applyServed(e *Served) {
	l := s.legs[e.Leg]
	if l == nil || s.interactions[l.of] == nil || s.interactions[l.of].phase != PhaseServed {
		s.counters.Late++
		return
	}
	i := s.interactions[l.of]
	if !e.Done {
		s.unserved(i, "could not be had")
		return
	}
	end := Voicemail
	if i.service == queuegroups.ActionCallback {
		end = CallbackTaken
	}
	s.finish(i, end, "", RejectUnavailable)
}

// unserved: no voicemail, no callback; the chain goes on.
func (s *State) unserved(i *interaction, why string) {
	s.deadlines.disarm(DeadlineID{Kind: deadlineServe, N: uint64(i.id)})
	settled[*Serve](i.caller)
	s.step(i, Step{Kind: StepServed, What: string(i.service), Why: why})
	s.proceed(i)
}
