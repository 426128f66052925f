package acd

// consult is a consultation: the customer hears music while the agent talks to a
// colleague, or the other way round (R101).
type consult struct {
	agent *agent // the colleague, or a number outside
	offer OfferID
	leg   *leg // the colleague's; nil: they are being rung
	aside bool // the agent is with the customer, the colleague hears music
}

// applyConsultAsked: the agent wants to talk to somebody else first. That does
// not count as an answered call of the queue: the colleague's clock goes on.
func (s *State) applyConsultAsked(e *ConsultAsked) {
	i, l := s.talksBy(e.Leg)
	if i == nil || i.phase != PhaseTalking || i.isChat() {
		s.counters.Late++
		return
	}
	b, why := s.consultant(i, e.To, l.agent)
	if why != "" {
		s.counters.Unknown++
		s.step(i, Step{Kind: StepConsult, Agent: l.agent.def.ID, What: string(CourseNot), Why: why})
		return
	}
	s.reverseFor(i, l)
	s.step(i, Step{Kind: StepConsult, Agent: l.agent.def.ID, What: CourseWith.whom(e.To.String())})
	s.become(i, PhaseConsulting)
	s.music(i)
	o := s.newOffer(i, b)
	i.consult = &consult{agent: b, offer: o.id}
	from := l.agent.shown()
	limit := i.group.dialLimit()
	if b.outside {
		limit = outsideDialLimit
		o.pending = &Dial{Offer: o.id, Number: b.def.Phone, Trunk: s.trunkFor(i, l.agent.def.ID), From: from, Group: i.group.def.ID, By: l.agent.def.ID}
	} else {
		o.pending = &Ring{Offer: o.id, Agent: b.def.ID, From: from, Group: i.group.def.Name, By: l.agent.def.ID}
	}
	s.emit(o.pending, o.node, o.of, o.call)
	s.deadlines.arm(DeadlineID{Kind: deadlineOffer, N: uint64(o.id)}, s.now.after(limit))
	s.refresh(b, "")
}

// consultant finds out with whom the agent wants to talk: of a group it is whom
// its distribution chooses. The string says why nobody can be had.
func (s *State) consultant(i *interaction, to Target, by *agent) (*agent, string) {
	a, g, why := s.reachableTarget(to, by)
	if why == "" && g != nil {
		why = i.unfit(g, to)
	}
	switch {
	case why != "":
		return nil, why
	case g != nil:
		l := g.lane(merge(g.def.Needs))
		c := cursor{}
		for t := l.next(c, g.tiers()-1); t != nil; t = l.next(c, g.tiers()-1) {
			if t.agent != by {
				return t.agent, ""
			}
			c = cursor{t.tier, t.key}
		}
		return nil, "nobody of " + string(to.Group) + " is free"
	case a != nil:
		if !s.mayCall(i, a) || !a.room(s.direct) {
			return nil, string(a.def.ID) + " is " + a.status.String()
		}
		return a, ""
	}
	return outsider(to.Number), ""
}

// consultAnswered: the colleague is there; agent and colleague hear each other.
func (s *State) consultAnswered(i *interaction, o *offer, l *leg) {
	b := o.agent
	s.closeOffer(i, o, OutcomeAnswered, "")
	s.freeOfferSlot(o)
	o.pending = nil
	o.leg = l
	l.occupy(o.group, false)
	s.recovered(b)
	i.consult.leg = l
	s.connect(i, i.other, l)
	s.refresh(b, "")
}

// connect has two legs of an interaction hear each other.
func (s *State) connect(i *interaction, a, b *leg) {
	settled[*Bridge](a)
	settled[*Play](a)
	settled[*Play](b)
	c := &Bridge{A: a.id, B: b.id, Music: i.musicNow()}
	s.emit(c, i.caller.node, i.id, i.caller.call)
	a.pending = append(a.pending, c)
}

// applyConsultSwapped: the agent turns from the colleague to the customer, or back.
func (s *State) applyConsultSwapped(e *ConsultSwapped) {
	i, _ := s.talksBy(e.Leg)
	if i == nil || i.phase != PhaseConsulting || i.consult.leg == nil {
		s.counters.Late++
		return
	}
	c := i.consult
	c.aside = !c.aside
	if c.aside {
		p := &Play{Music: i.musicNow(), Leg: c.leg.id}
		s.emit(p, i.caller.node, i.id, i.caller.call)
		c.leg.pending = append(c.leg.pending, p)
		s.step(i, Step{Kind: StepConsult, Agent: i.agent.def.ID, What: string(CourseAside)})
		s.connect(i, i.caller, i.other)
		return
	}
	s.step(i, Step{Kind: StepConsult, Agent: i.agent.def.ID, What: string(CourseAgain)})
	s.music(i)
	s.connect(i, i.other, c.leg)
}

// applyConsultDone: the agent connects customer and colleague and leaves, or lets
// the colleague go.
func (s *State) applyConsultDone(e *ConsultDone) {
	i, _ := s.talksBy(e.Leg)
	if i == nil || i.phase != PhaseConsulting {
		s.counters.Late++
		return
	}
	if e.Connect {
		s.handOver(i)
		return
	}
	s.consultOver(i, "let go")
}

// handOver gives the interaction to the colleague. One who has not answered yet
// is rung on: it is a blind transfer now.
func (s *State) handOver(i *interaction) {
	by, c := i.agent, i.consult
	i.consult = nil
	s.step(i, Step{Kind: StepTransfer, Agent: by.def.ID, What: CourseTo.whom(c.agent.name())})
	s.leaveTalk(i)
	if c.leg == nil {
		i.handover = &handover{By: by.def.ID}
		if c.agent.outside {
			s.become(i, PhaseDialled)
		} else {
			s.become(i, PhaseOffered)
			s.advance(i)
			s.keepFor(i, c.agent, s.now.after(i.group.ringTime()))
		}
	} else {
		settled[*Play](i.caller)
		i.agent, i.other = c.agent, c.leg
		s.become(i, PhaseTalking)
		s.beginStint(i)
		s.connect(i, i.caller, i.other)
	}
	s.refresh(by, "transferred")
}

// consultOver ends the consultation; agent and customer hear each other again.
func (s *State) consultOver(i *interaction, why string) {
	c := i.consult
	i.consult = nil
	s.step(i, Step{Kind: StepConsult, Agent: i.agent.def.ID, What: string(CourseOver), Why: why})
	if o := s.offers[c.offer]; o != nil && o.outcome == "" {
		s.withdraw(i, o, OutcomeWithdrawn, why)
	}
	if c.leg != nil {
		s.endLegFor(c.leg, "")
		s.refresh(c.agent, why)
	}
	s.become(i, PhaseTalking)
	if !c.aside || c.leg == nil {
		s.connect(i, i.caller, i.other)
	}
}

// applyJoined: an agent connects the other sides of their two calls and leaves
// (RFC 5589 7.3). What is left is the interaction of Leg; the call to the
// colleague is over. A colleague who has not answered yet is rung for it.
func (s *State) applyJoined(e *Joined) {
	i, l := s.talksBy(e.Leg)
	own := s.legs[e.With]
	if i == nil || i.phase != PhaseTalking || i.isChat() || own == nil || own.agent != l.agent || own == l {
		s.counters.Late++
		return
	}
	call := s.interactions[own.of]
	if call == nil || call == i || call.caller != own && (s.level < 3 || call.other != own || call.phase != PhaseTalking || call.caller.agent == nil) {
		s.counters.Late++
		return
	}
	if call.phase != PhaseTalking && call.personal == nil {
		s.counters.Late++
		s.refresh(l.agent, "transferred")
		return
	}
	by := l.agent
	s.reverseFor(i, l)
	if call.other == own { // the colleague called them
		s.reverse(call)
	}
	switch {
	case call.phase == PhaseTalking:
		b, lb := call.agent, call.other
		call.agent, call.other = nil, nil
		s.endStint(call)
		settled[*Bridge](call.caller)
		s.finish(call, CompletedByCaller, "joined", RejectUnavailable)
		s.step(i, Step{Kind: StepTransfer, Agent: by.def.ID, What: CourseTo.whom(b.name()), Why: "joined"})
		s.leaveTalk(i)
		settled[*Play](i.caller)
		lb.of, lb.call = i.id, i.caller.call
		i.agent, i.other = b, lb
		s.beginStint(i)
		s.connect(i, i.caller, lb)
		i.handover = &handover{By: by.def.ID, Asked: []asked{l.asked(), own.asked()}}
		s.report(i, true, "")
		i.handover = nil
	default:
		b := call.personal
		s.finish(call, CompletedByCaller, "joined", RejectUnavailable)
		s.step(i, Step{Kind: StepTransfer, Agent: by.def.ID, What: CourseTo.whom(b.name()), Why: "joined"})
		s.leaveTalk(i)
		i.handover = &handover{By: by.def.ID, Asked: []asked{l.asked(), own.asked()}}
		s.enqueueFor(i, b, s.now.after(i.group.ringTime()), "transferred by "+string(by.def.ID))
	}
	s.refresh(by, "transferred")
}

// name is who the agent is to people: a number outside has no other.
func (a *agent) name() string {
	if a.outside {
		return a.def.Phone
	}
	return string(a.def.ID)
}
