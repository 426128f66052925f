package acd

import (
	"cmp"
	"slices"
	"time"

	"centrala/queuegroups"
)

// How often what cannot happen is looked for: chats that wait though somebody is
// free (R25), and chats of agents who are gone (R29). Both are acted upon at once
// when they come about; this is for safety.
const (
	chatSweep  = 2 * time.Minute
	chatReview = 24 * time.Hour
)

// Where nothing is declared: how long a chat may stay unaccepted, with one agent
// (R23) or at all (R24); and how long an agent is left alone with chats after one
// that they refused, or that could not be shown to them.
const (
	chatPatience = time.Minute
	chatRefused  = 30 * time.Second
	chatUnshown  = 10 * time.Second
)

// autoExpire is after how long without a message a chat ends where nothing is declared (R30).
const autoExpire = 7 * 24 * time.Hour

// wrote says who wrote the last message of a chat.
type wrote uint8

const (
	wroteCustomer wrote = iota
	wroteAgent
)

// isChat: the group is an open channel.
func (g *group) isChat() bool { return g != nil && g.chat != nil }

// isChat: the interaction is a chat.
func (i *interaction) isChat() bool { return i.group.isChat() }

// channelGroup makes a group of an open channel: its agents, and the rules by
// which they are offered chats.
func channelGroup(c *queuegroups.Channel) queuegroups.Group {
	return queuegroups.Group{
		ID: ChannelGroup(c.ID), Name: c.Name, Agents: c.Agents, Distribution: c.Distribution, Tiers: c.Tiers,
		Needs: c.Needs, Relax: c.Relax, Preferred: c.Preferred, Priority: c.Priority, WrapUp: c.WrapUp,
		NoAnswer: []queuegroups.Action{{Kind: queuegroups.ActionWait}}, Pickup: !c.NoPickup,
		DialLimit: cmp.Or(c.PassAfter, chatPatience), Rings: 1, RingLength: cmp.Or(c.PassAfter, chatPatience),
		Retry: queuegroups.Retry{Busy: chatRefused, Declined: chatRefused, Unreachable: chatUnshown},
	}
}

// attends: the agent's presence and duty let them serve the group now, apart from
// what they are doing (R28, R31, R32, R34, R35).
func (a *agent) attends(g *group, tracked bool) bool {
	switch {
	case a.removed:
		return false
	case !g.isChat():
		return a.ready && a.reachable()
	case a.duty == DutyLeave:
		return false
	case !g.chat.AnyDuty && !a.ready:
		return false
	case g.chat.AnyPresence:
		return true
	case tracked && !g.chat.AnyDuty:
		return true // the day is started, whatever their programs do
	}
	return a.attending()
}

// tell sends the customer of a chat a text.
func (s *State) tell(i *interaction, n Notice) {
	s.step(i, Step{Kind: StepTold, What: string(n)})
	s.emit(&Tell{Notice: n}, i.caller.node, i.id, i.caller.call)
}

// applyChatArrived begins a chat: into the queue of its channel, or, outside the
// hours, into waiting for them (R62).
func (s *State) applyChatArrived(e *ChatArrived) {
	if l := s.legs[e.Leg]; l != nil {
		s.rehome(l, e.Node)
		return
	}
	s.counters.Interactions++
	i := &interaction{id: InteractionID(s.index), arrived: s.now, from: e.From, to: string(e.Channel), lastAt: s.now}
	i.caller = &leg{id: e.Leg, node: e.Node, call: e.Leg, of: i.id, state: legUp}
	s.legs[e.Leg] = i.caller
	g := s.groups[ChannelGroup(e.Channel)]
	if g == nil || g.removed {
		s.counters.Unknown++
		s.step(i, Step{Kind: StepArrived, What: i.to})
		s.endLeg(i.caller)
		s.ended(i, Rejected, "unknown channel")
		return
	}
	i.needs = merge(e.Needs)
	s.begin(i, g, i.to)
	s.deadlines.arm(i.deadline(deadlineExpire), s.now.after(cmp.Or(g.chat.AutoExpire, autoExpire)))
	s.armOnce(DeadlineID{Kind: deadlineReview}, chatReview)
	if s.sleepsOver(i) {
		i.responsible = e.Responsible
		return
	}
	s.armUnanswered(i)
	if !s.prefer(i, e.Responsible) {
		s.enqueue(i)
	}
}

// rehome: another node looks after the customer's end of a chat now, after its own
// was lost. An offer that the lost one was to show is made anew.
func (s *State) rehome(l *leg, n NodeID) {
	i := s.interactions[l.of]
	if i == nil || !i.isChat() || i.caller != l || l.node == n {
		s.counters.Late++
		return
	}
	l.node = n
	s.step(i, Step{Kind: StepMovedNode, What: string(n)})
	for _, o := range slices.Clone(i.offers) {
		s.closeOffer(i, o, OutcomeWithdrawn, "lost with its node")
		s.forgetOffer(o)
		s.offerAnew(i)
		s.refresh(o.agent, "lost with its node")
		s.drop(o.agent)
	}
}

// offerAnew offers a chat again, of which an offer was lost with a node: nobody is
// the worse for it, so that all of the present round are asked once more.
func (s *State) offerAnew(i *interaction) {
	switch {
	case len(i.offers) > 0 || i.phase != PhaseOffered:
	case i.personal != nil:
		s.become(i, PhaseQueued)
		i.personal.personal.insert(i.key(), i)
		s.call(i.personal)
	default:
		i.leaveQueue()
		i.cursor = cursor{}
		clear(i.tried)
		s.enqueue(i)
	}
}

func (i *interaction) deadline(k DeadlineKind) DeadlineID {
	return DeadlineID{Kind: k, N: uint64(i.id)}
}

func (s *State) armOnce(id DeadlineID, d time.Duration) {
	if !s.deadlines.armed(id) {
		s.deadlines.arm(id, s.now.after(d))
	}
}

// armUnanswered sets when the chat counts as unanswered (R24).
func (s *State) armUnanswered(i *interaction) {
	s.deadlines.arm(i.deadline(deadlineUnanswered), s.now.after(cmp.Or(i.group.chat.UnansweredAfter, chatPatience)))
}

// sleepsOver has a chat that comes to wait while its channel is closed wait until
// it opens, and tells its customer (R62). What waited before goes on waiting for
// the agents who are still there; hours change no agent's state (P12).
func (s *State) sleepsOver(i *interaction) bool {
	if !i.isChat() || s.open(i.group.chat.Hours) {
		return false
	}
	i.admitted = true // whoever was told to wait is not sent away when it opens
	s.tell(i, NoticeClosed)
	s.deadlines.disarm(i.deadline(deadlineUnanswered))
	s.become(i, PhaseAsleep)
	i.group.asleep.insert(i.key(), i)
	s.armOpening(i.group)
	return true
}

// wake takes the chat from those that wait for the channel to open.
func (s *State) wake(i *interaction) {
	if i.isChat() && i.group.asleep.remove(i.key()) {
		s.armOpening(i.group)
	}
}

// armOpening sets when the channel's hours are to be looked at again.
func (s *State) armOpening(g *group) {
	id := DeadlineID{Kind: deadlineOpening, Name: string(g.def.ID)}
	at, ok := s.opens(g.chat.Hours)
	if ok && g.asleep.Len() > 0 {
		s.deadlines.arm(id, at)
	} else {
		s.deadlines.disarm(id)
	}
}

// awaken has those who waited for the channel to open into its queue, in order.
func (s *State) awaken(g *group) {
	if s.open(g.chat.Hours) {
		for {
			k, i, ok := g.asleep.first()
			if !ok {
				break
			}
			g.asleep.remove(k)
			s.armUnanswered(i)
			responsible := i.responsible
			i.responsible = ""
			if i.answered > 0 || !s.prefer(i, responsible) {
				s.enqueue(i)
			}
		}
	}
	s.armOpening(g)
}

// applyChatWritten: the customer or the agent wrote. On the customer's message
// the agent's availability is looked at, if the channel wants that (R40).
func (s *State) applyChatWritten(e *ChatWritten) {
	i, l := s.chatOf(e.Leg)
	if i == nil {
		s.counters.Late++
		return
	}
	i.lastAt, i.lastBy = s.now, wroteAgent
	if l == i.caller && e.By == "" {
		i.lastBy = wroteCustomer
	}
	s.deadlines.arm(i.deadline(deadlineExpire), s.now.after(cmp.Or(i.group.chat.AutoExpire, autoExpire)))
	look := i.group.chat.Monitor
	if i.phase == PhaseClosing && i.lastBy == wroteCustomer {
		look = true // the agent may have gone since they closed it
		s.deadlines.disarm(i.deadline(deadlineClosing))
		s.become(i, PhaseTalking)
		s.step(i, Step{Kind: StepReopened})
	}
	s.armSilence(i)
	if look && i.lastBy == wroteCustomer && i.phase == PhaseTalking && !i.agent.attends(i.group, s.config.WorkTime.Tracked) {
		s.chatBack(i, s.absence(i.agent))
		return
	}
	s.recountChat(i)
}

// chatOf finds the chat that a leg is an end of: the customer's, or the present agent's.
func (s *State) chatOf(id LegID) (*interaction, *leg) {
	l := s.legs[id]
	if l == nil {
		return nil, nil
	}
	i := s.interactions[l.of]
	if i == nil || !i.isChat() || l != i.caller && l != i.other {
		return nil, nil
	}
	return i, l
}

// applyChatClosed: the agent or the customer closed the chat.
func (s *State) applyChatClosed(e *ChatClosed) {
	i, l := s.chatOf(e.Leg)
	if i == nil || i.phase == PhaseClosing {
		s.counters.Late++
		return
	}
	i.closedBy = CompletedByCaller
	if l == i.other {
		i.closedBy = CompletedByAgent
	}
	s.tell(i, NoticeEnded)
	if i.phase != PhaseTalking { // nobody has it
		s.customerLeft(i)
		return
	}
	s.close(i, "")
}

// unansweredPassed: nobody has answered the chat for too long (R24). What is done
// about it is the channel's to say (R48, R49).
func (s *State) unansweredPassed(i *interaction) {
	i.unanswered = true
	action := i.group.chat.NoAnswer.Kind
	s.step(i, Step{Kind: StepUnanswered, What: string(action)})
	switch action {
	case queuegroups.ChatText:
		s.tell(i, NoticeUnanswered)
	case queuegroups.ChatRequeue:
		s.armUnanswered(i)
		for len(i.offers) > 0 {
			s.withdraw(i, i.offers[0], OutcomeWithdrawn, "put back in the queue")
			s.afterOffer(i)
			if i.phase != PhaseOffered {
				return
			}
		}
	case queuegroups.ChatNothing:
	}
}

// chatBack puts a chat that an agent has back into the queue, with its arrival.
func (s *State) chatBack(i *interaction, why string) {
	a := i.agent
	s.endStint(i)
	s.step(i, Step{Kind: StepRequeue, Group: i.group.def.ID, Agent: a.def.ID, Why: why})
	l := i.other
	i.agent, i.other = nil, nil
	s.endLegFor(l, EndTransferred)
	i.rung, i.toldNobody, i.cursor = false, false, cursor{}
	clear(i.tried)
	s.armUnanswered(i)
	if !s.sleepsOver(i) {
		s.enqueue(i)
	}
	s.refresh(a, why)
}

// absence says why the agent is not there for chats.
func (s *State) absence(a *agent) string {
	switch d := a.onDuty(s.config); {
	case a.removed:
		return "is dismissed"
	case d != DutyOn:
		return "is not on duty: " + forced(string(d), a.reason, "")
	}
	return "is not online"
}

// presenceKey sums up all of an agent that attends looks at.
func (a *agent) presenceKey() uint8 {
	key := uint8(0)
	for k, is := range []bool{a.removed, a.ready, a.attending(), a.duty == DutyLeave, a.tracked} {
		if is {
			key |= 1 << k
		}
	}
	return key
}

// reviewChats takes from an agent whose presence changed the chats that are not
// to wait for them: those not accepted yet (R41), those whose customer wrote last
// (R43), not those whose agent did (R42), and all of one who left for long (R29).
func (s *State) reviewChats(a *agent) {
	gone := a.removed || a.duty == DutyLeave
	tracked := s.config.WorkTime.Tracked
	for _, o := range slices.Clone(a.offers) {
		if i := s.interactions[o.of]; i != nil && o.chat && o.outcome == "" && !s.awaits(i, a) {
			s.withdraw(i, o, OutcomeWithdrawn, s.absence(a))
			i.rung = false
			s.afterOffer(i)
		}
	}
	for _, l := range slices.Clone(a.legs) {
		i := s.interactions[l.of]
		if i == nil || !l.chat || i.other != l || i.phase != PhaseTalking {
			continue
		}
		if gone || i.lastBy == wroteCustomer && !a.attends(i.group, tracked) {
			s.chatBack(i, s.absence(a))
		}
	}
}

// awaits: a chat that is offered to the agent may wait for them.
func (s *State) awaits(i *interaction, a *agent) bool {
	if i.personal != nil {
		return s.mayCall(i, a)
	}
	return a.attends(i.group, s.config.WorkTime.Tracked)
}

// sweepChats looks again at every chat that waits (R25).
func (s *State) sweepChats() {
	waiting := false
	for _, g := range s.groupOrder {
		if g.isChat() && g.waiting > 0 {
			waiting = true
			for _, l := range g.lanes {
				s.touch(l)
			}
		}
	}
	if waiting {
		s.armOnce(DeadlineID{Kind: deadlineSweep}, chatSweep)
	}
}

// reviewAll looks again at the chats of all agents who are gone (R29).
func (s *State) reviewAll() {
	any := false
	for _, a := range slices.Clone(s.agentOrder) {
		if a.open > 0 && (a.removed || a.duty == DutyLeave) {
			s.reviewChats(a)
		}
	}
	for _, g := range s.groupOrder {
		any = any || g.isChat() && g.interactions > 0
	}
	if any {
		s.armOnce(DeadlineID{Kind: deadlineReview}, chatReview)
	}
}
