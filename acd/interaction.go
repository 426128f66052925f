package acd

import (
	"fmt"

	"centrala/queuegroups"
)

// interaction is a call (later also a chat) from its arrival to its end.
type interaction struct {
	id       InteractionID
	arrived  instant
	trunk    queuegroups.TrunkID
	from     Party
	to       string
	music    queuegroups.MusicID // the number's; empty: the group's
	group    *group
	caller   *leg  // the customer's: as a rule who calls, see reverse
	party    Party // the customer, where that is who was called; zero: from
	phase    Phase
	since    instant                      // in the phase
	offers   []*offer                     // live ones
	cursor   cursor                       // where the last offer of this round stood in the group's order
	lane     *lane                        // in the group, by what it needs now
	needs    []queuegroups.Skill          // beside what the group needs
	entered  instant                      // in the group
	relaxed  int                          // how many of the group's relaxations are in effect
	tier     int                          // the last of the group's tiers that waiting has opened
	personal *agent                       // it waits for them, or is being offered to them, and to nobody else
	round    int                          // completed times round the group
	tried    map[queuegroups.AgentID]bool // `all`: offered to in this round
	agent    *agent                       // who answered
	other    *leg                         // that agent's
	answered instant                      // by the agent
	credit   int64                        // ns of waiting that it is given on top: the group's and bonus
	bonus    int64                        // ns of it that it keeps in other groups: its number's
	overdue  bool                         // max_wait passed while somebody was being rung
	alerted  bool                         // the caller hears that somebody is rung
	via      chainName                    // the chain of actions that it follows
	chain    int                          // the present one of its actions
	remedied condition                    // for which it has begun a chain in this group
	promised instant                      // when it was to be answered, as far as could be told; 0: never told
	hops     int                          // from group to group
	rung     bool                         // somebody was rung for it
	service  queuegroups.ActionKind       // PhaseServed: which
	admitted bool                         // has been let into the queue

	trail   []Step
	omitted int

	stints   []Stint               // who had it, one after another
	told     []queuegroups.AgentID // who told what came of it
	handover *handover             // a blind transfer of it is under way
	consult  *consult              // PhaseConsulting
	slot     string                // PhaseParked
	parkedBy queuegroups.AgentID

	// of a chat
	lastAt     instant // of the last message
	lastBy     wrote
	unanswered bool    // for too long (R24)
	toldNobody bool    // that nobody can answer now (R27)
	closedBy   EndKind // PhaseClosing
	// PhaseAsleep: whom the customer's card names, to be asked when the channel opens
	responsible queuegroups.AgentID
	beside      []queuegroups.AgentID // who of the staff writes in it, too, in the order in which they joined

	undecided bool // is in turn.undecided
}

// key orders waiting interactions: arrival less credit, then index.
func (i *interaction) key() key { return key{A: int64(i.arrived) - i.credit, C: int64(i.id)} }

func (s *State) become(i *interaction, p Phase) {
	switch {
	case p == PhaseOffered:
		i.group.ringing.insert(i.key(), i)
	case i.phase == PhaseOffered:
		i.group.ringing.remove(i.key())
	}
	i.phase, i.since = p, s.now
	if i.isChat() {
		s.armSilence(i)
	}
	if p != PhaseQueued && p != PhaseOffered {
		i.lane = nil
		s.deadlines.disarm(DeadlineID{Kind: deadlineStage, N: uint64(i.id)})
	}
}

// enqueue puts the interaction where the match finds it.
func (s *State) enqueue(i *interaction) {
	s.become(i, PhaseQueued)
	s.advance(i)
	s.toLane(i)
	s.undecide(i)
}

// undecide notes that the caller has to be told how things stand.
func (s *State) undecide(i *interaction) {
	if !i.undecided {
		i.undecided = true
		s.turn.undecided = append(s.turn.undecided, i)
	}
}

// toLane puts a waiting interaction into its lane.
func (s *State) toLane(i *interaction) {
	i.lane.waiting[i.tier].insert(i.key(), i)
	i.group.waiting++
	s.touch(i.lane)
}

// leaveQueue takes the interaction from where it waits, or is open to more agents.
func (i *interaction) leaveQueue() {
	if i.personal != nil {
		i.personal.personal.remove(i.key())
	}
	if i.lane == nil {
		return
	}
	if i.lane.waiting[i.tier].remove(i.key()) {
		i.group.waiting--
	}
	i.lane.open[i.tier].remove(i.key())
}

// entertain tells the caller how things stand after the match: somebody is being
// rung (180), or wait and listen to music (R98), or there is no room.
func (s *State) entertain(i *interaction) {
	if s.interactions[i.id] != i {
		return // ended in this very entry
	}
	switch i.phase {
	case PhaseOffered:
		i.admitted = true
		s.ringback(i)
	case PhaseQueued:
		switch {
		case i.isChat():
			s.waitsAsChat(i)
			return
		case i.personal != nil && i.direct():
			s.ringback(i)
			return
		case i.personal != nil:
			i.admitted = true
			s.music(i)
			return
		}
		if i.overdue {
			i.leaveQueue()
			s.pastWaiting(i)
			return
		}
		if s.remediate(i) {
			return
		}
		if !s.circling(i) {
			i.admitted = true
			i.leaveQueue()
			s.proceed(i)
			return
		}
		if m := i.group.def.MaxWaiting; !i.admitted && i.via != chainFull && m > 0 && i.group.waiting > m {
			i.leaveQueue()
			s.step(i, Step{Kind: StepUnavailable, Group: i.group.def.ID, Why: fmt.Sprintf("%d wait already", m)})
			i.via, i.chain, i.admitted = chainFull, 0, true // once: what follows is the chain's to say
			s.proceed(i)
			return
		}
		i.admitted = true
		s.promise(i)
		s.step(i, Step{Kind: StepQueued, Group: i.group.def.ID, Choice: &Choice{Census: i.group.census, Needs: i.lane.name}})
		s.music(i)
	case PhaseConnecting, PhaseTalking, PhaseDialled, PhaseServed, PhaseConsulting, PhaseParked, PhaseClosing, PhaseAsleep:
	}
}

// waitsAsChat tells the customer, once, that nobody can answer now (R27), or that
// there is no room in the queue (R5).
func (s *State) waitsAsChat(i *interaction) {
	if room := i.group.chat.MaxWaiting; !i.admitted && i.personal == nil && room > 0 && i.group.waiting > room {
		s.step(i, Step{Kind: StepUnavailable, Group: i.group.def.ID, Why: fmt.Sprintf("%d wait already", room)})
		s.tell(i, NoticeFull)
		s.finish(i, Rejected, "full", RejectUnavailable)
		return
	}
	i.admitted = true
	s.armOnce(DeadlineID{Kind: deadlineSweep}, chatSweep)
	if i.personal != nil {
		return
	}
	s.promise(i)
	s.step(i, Step{Kind: StepQueued, Group: i.group.def.ID, Choice: &Choice{Census: i.group.census, Needs: i.lane.name}})
	if !i.toldNobody && !i.rung { // whom it was offered to may still be there
		i.toldNobody = true
		s.tell(i, NoticeNobody)
	}
}

// finish ends the interaction: offers are withdrawn, legs are ended, its record
// is made. An unanswered caller is refused with the reason.
func (s *State) finish(i *interaction, end EndKind, class string, reject RejectReason) {
	for len(i.offers) > 0 {
		s.withdraw(i, i.offers[0], OutcomeWithdrawn, "the caller is gone")
	}
	s.report(i, false, FailCancelled)
	i.leaveQueue()
	i.group.ringing.remove(i.key())
	i.group.asleep.remove(i.key())
	for _, k := range []DeadlineKind{deadlineUnanswered, deadlineExpire, deadlineSilence, deadlineClosing} {
		s.deadlines.disarm(i.deadline(k))
	}
	s.unpark(i)
	s.endStint(i)
	s.deadlines.disarm(DeadlineID{Kind: deadlineMaxWait, N: uint64(i.id)})
	s.deadlines.disarm(DeadlineID{Kind: deadlineServe, N: uint64(i.id)})
	s.deadlines.disarm(DeadlineID{Kind: deadlineStage, N: uint64(i.id)})
	s.release(i)
	i.group.interactions--
	delete(s.interactions, i.id)
	if i.phase != PhaseClosing { // which has been dealt with
		s.handled(i)
	}
	if i.other != nil {
		if i.phase != PhaseClosing {
			s.startWrapUp(i.agent, i)
		}
		s.endLeg(i.other)
		s.refresh(i.agent, string(end))
	}
	if c := i.consult; c != nil && c.leg != nil {
		s.endLeg(c.leg)
		s.refresh(c.agent, string(end))
	}
	s.refuseOrEnd(i.caller, reject)
	if i.caller.agent != nil {
		s.refresh(i.caller.agent, string(end))
	}
	s.ended(i, end, class)
	s.dropGroup(i.group)
}

// ended records the end.
func (s *State) ended(i *interaction, end EndKind, class string) {
	s.counters.Ended[end]++
	r := Record{
		Interaction: i.id, Trunk: i.trunk, From: i.from, To: i.to,
		Leg: i.caller.call, Node: i.caller.node,
		Arrived: i.arrived.Time(), Answered: i.answered.Time(), Ended: s.now.Time(),
		End: end, Class: class, Promised: i.promised.Time(), Stints: i.stints, Unanswered: i.unanswered,
	}
	st := Step{Kind: StepEnded, What: string(end), Why: class}
	if i.group != nil {
		r.Group, st.Group = i.group.def.ID, i.group.def.ID
	}
	if i.agent != nil {
		r.Number = i.agent.def.Phone
		if !i.agent.outside {
			r.Number = ""
		}
		r.Agent, st.Agent = i.agent.def.ID, i.agent.def.ID
	}
	s.step(i, st)
	r.Steps, r.Omitted = i.trail, i.omitted
	s.turn.ended = append(s.turn.ended, r)
}
