package acd

import (
	"slices"
	"time"

	"centrala/queuegroups"
)

// enqueueFor has the interaction wait for one agent, whatever group they are in,
// until a time. It competes with what waits in the agent's groups by arrival and
// credit, as if it were in the queue; then, or when the agent does not answer,
// personalOver takes it on.
func (s *State) enqueueFor(i *interaction, a *agent, until instant, why string) {
	i.leaveQueue()
	s.release(i)
	s.become(i, PhaseQueued)
	if i.lane == nil {
		s.advance(i)
	}
	s.keepFor(i, a, until)
	a.personal.insert(i.key(), i)
	s.step(i, Step{Kind: StepKept, Group: i.group.def.ID, Agent: a.def.ID, Why: why})
	if !s.mayCall(i, a) {
		s.personalOver(i, "is "+a.status.String(), FailUnreachable)
		return
	}
	s.call(a)
	s.undecide(i)
}

// keepFor keeps the interaction for one agent until a time.
func (s *State) keepFor(i *interaction, a *agent, until instant) {
	i.personal = a
	a.refs++
	s.deadlines.arm(DeadlineID{Kind: deadlinePersonal, N: uint64(i.id)}, until)
}

// release ends that the interaction is for one agent only.
func (s *State) release(i *interaction) {
	if i.personal == nil {
		return
	}
	a := i.personal
	a.personal.remove(i.key())
	i.personal = nil
	a.refs--
	s.deadlines.disarm(DeadlineID{Kind: deadlinePersonal, N: uint64(i.id)})
	s.drop(a)
}

// personalOver: the agent whom the interaction waited for does not have it. It
// goes into the queue of its group, with its arrival.
func (s *State) personalOver(i *interaction, why string, class FailureClass) {
	a := i.personal
	i.leaveQueue()
	s.release(i)
	if i.handover != nil {
		s.handoverFailed(i, string(a.def.ID)+": "+why, class)
		return
	}
	s.step(i, Step{Kind: StepRequeue, Group: i.group.def.ID, Agent: a.def.ID, Why: why})
	s.requeue(i)
}

// personalPassed: the interaction has waited long enough for one agent. If their
// phone rings for it they keep their chance.
func (s *State) personalPassed(i *interaction) {
	switch {
	case i.phase == PhaseQueued:
		s.personalOver(i, "waited long enough", FailBusy)
	case i.isChat() && !i.personal.attends(i.group, i.personal.tracked): // it was left on an empty desk (R59)
		for _, o := range slices.Clone(i.offers) {
			s.withdraw(i, o, OutcomeNoAnswer, "waited long enough")
		}
		s.afterOffer(i)
	}
}

// call notes that the agent may be able to take what waits for them.
func (s *State) call(a *agent) {
	if !a.touched && a.personal.Len() > 0 {
		a.touched = true
		s.turn.callees = append(s.turn.callees, a)
	}
}

// attend sees to those who wait for the agent personally: they are offered to an
// agent who is free, and do not wait for one who is not there.
func (s *State) attend(a *agent) {
	if a.personal.Len() == 0 {
		return
	}
	var gone []*interaction
	a.personal.each(func(i *interaction) bool {
		if !s.mayCall(i, a) {
			gone = append(gone, i)
		}
		return true
	})
	for _, i := range gone {
		s.personalOver(i, "is "+a.status.String(), FailUnreachable)
	}
	s.call(a)
}

// nextPersonal returns the first of those who wait for the agent whom they can take now.
func (s *State) nextPersonal(a *agent) (first *interaction) {
	a.personal.each(func(i *interaction) bool {
		if s.mayTake(i, a) {
			first = i
		}
		return first == nil
	})
	return first
}

// expected: the agent is at work, so that waiting for them makes sense (R59).
func (a *agent) expected() bool { return !a.removed && a.status.atWork() }

// assignPersonally offers the interaction to the one agent whom it waits for.
func (s *State) assignPersonally(i *interaction, a *agent) {
	a.personal.remove(i.key())
	s.become(i, PhaseOffered)
	s.offerTo(i, a, nil, "kept for them")
}

// prefer keeps a new interaction for the agent whom its customer is to have: the
// one whom their card names (R58), or who talked to them last. It returns false
// where there is no such agent, or none that can be expected to answer (R59).
func (s *State) prefer(i *interaction, responsible queuegroups.AgentID) bool {
	p := i.group.def.Preferred
	id, why := responsible, "responsible for the customer"
	switch p.Agent {
	case queuegroups.PreferNobody:
		return false
	case queuegroups.PreferLast:
		id, why = s.talks.with(i.from.Number), "talked to the customer last"
	case queuegroups.PreferResponsible:
	}
	a := s.agents[id]
	if a == nil {
		return false
	}
	if !s.mayCall(i, a) {
		s.step(i, Step{Kind: StepKept, Agent: a.def.ID, What: "not", Why: why + ", but is " + a.status.String()})
		return false
	}
	wait := p.Wait
	if wait <= 0 {
		wait = preferredWait
	}
	s.enqueueFor(i, a, s.now.after(wait), why)
	return true
}

// preferredWait is how long an interaction is kept for an agent where nothing else is declared.
const preferredWait = 20 * time.Second

// talksKept is of how many customers is known who talked to them last.
const talksKept = 10_000

// talks knows which agent talked to a customer last: of the latest customers only.
type talks struct {
	byCustomer map[string]talk
	order      ordered[string] // by turn
	turns      int64
}

type talk struct {
	Customer string              `json:"customer"`
	Agent    queuegroups.AgentID `json:"agent"`
	Turn     int64               `json:"turn"`
}

func (t *talks) with(customer string) queuegroups.AgentID { return t.byCustomer[customer].Agent }

// note remembers that the agent talks to the customer; whom nobody has talked to
// for the longest time is forgotten.
func (t *talks) note(customer string, a queuegroups.AgentID) {
	if customer == "" {
		return
	}
	t.put(talk{customer, a, t.turns + 1})
	if t.order.Len() > talksKept {
		k, oldest, _ := t.order.first()
		t.order.remove(k)
		delete(t.byCustomer, oldest)
	}
}

func (t *talks) put(x talk) {
	if old, ok := t.byCustomer[x.Customer]; ok {
		t.order.remove(key{A: old.Turn})
	}
	t.turns = max(t.turns, x.Turn)
	t.byCustomer[x.Customer] = x
	t.order.insert(key{A: x.Turn}, x.Customer)
}

// remembers: somebody asks for the agent who talked to a customer last.
func remembers(c *queuegroups.Config) bool {
	for k := range c.Groups {
		if c.Groups[k].Preferred.Agent == queuegroups.PreferLast {
			return true
		}
	}
	for k := range c.Channels {
		if c.Channels[k].Preferred.Agent == queuegroups.PreferLast {
			return true
		}
	}
	return false
}
