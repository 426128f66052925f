package acd

import (
	"slices"
	"time"

	"centrala/queuegroups"
)

// notRespondingFor is how long an agent who missed too many offers is left alone,
// unless a phone of theirs registers anew (R25: what could not be assigned is
// retried every 2 minutes).
const notRespondingFor = 120_000_000_000 // ns

// minRest is the shortest back-off, whatever is declared: without one, a phone
// that refuses at once would be rung in an endless loop.
const minRest = 1_000_000_000 // ns

// agent is a person (or fixed phone) and what they are doing.
type agent struct {
	def        queuegroups.Agent
	removed    bool
	outside    bool     // a number outside that a call was forwarded to; in no list
	online     []NodeID // where telephones are registered, sorted
	clients    []*client
	duty       Duty // empty: never told
	reason     string
	next       *nextDuty
	dnd        bool
	places     []seatState                 // in groups, where it is not SeatIn
	seats      []*seat                     // in the groups they serve, in order of declaration
	listed     int                         // in how many groups that are declared
	channels   int                         // in how many channels
	offers     []*offer                    // that hold a capacity slot
	legs       []*leg                      // that hold a capacity slot
	lastAnswer instant                     // R19: one clock
	misses     int                         // offers in a row that nobody reacted to
	missed     [2]int                      // of these: no answer, unreachable
	resting    FailureClass                // left alone with calls
	chatRest   FailureClass                // and with chats: a phone says nothing of the person (P18)
	silent     bool                        // not responding
	ready      bool                        // on duty, and does not ask to be left alone
	tracked    bool                        // the work day is
	seen       uint8                       // presenceKey, when chats were last reviewed
	calls      int                         // in hand, offers included
	open       int                         // chats, likewise
	chats      int                         // of these, those that count (R47)
	chatsIn    map[queuegroups.GroupID]int // those that count, by channel
	wrapUp     bool
	owes       *owed // what they have to tell before they may end their wrap-up; nil: nothing
	status     AgentStatus
	since      instant
	lowered    bool                  // a reload took capacity away that was in use
	personal   ordered[*interaction] // that wait for this agent and nobody else
	touched    bool                  // is in turn.callees
	refs       int                   // offers and legs that name the agent
}

// present returns what the agent is doing now. Calls come first, then what keeps
// the agent from work for long, then what does for a moment, then chats: an agent
// may have some open and be on a break (R42).
func (a *agent) present(s *State) AgentStatus {
	calling, chats := false, Available
	for _, l := range a.legs {
		switch {
		case l.state == legUp && !l.chat:
			return Talking
		case l.state == legUp && l.chat && !l.excluded && !l.quiet:
			chats = Talking
		case l.own && l.state < legUp:
			calling = true
		}
	}
	ringing, reserved := false, false
	for _, o := range a.offers {
		switch {
		case o.outcome != "":
		case !o.chat:
			ringing, reserved = ringing || o.ringing, true
		case chats != Talking && (o.ringing || chats == Ringing):
			chats = Ringing
		case chats != Talking:
			chats = Reserved
		}
	}
	switch {
	case ringing:
		return Ringing
	case calling:
		return BusyElsewhere
	case reserved:
		return Reserved
	case a.wrapUp:
		return WrapUp
	case a.removed:
		return Dismissed
	case a.calls > 0: // a phone is still being cancelled or hanging up
		return Reserved
	}
	switch a.onDuty(s.config) {
	case DutyLeave:
		return OnLeave
	case DutyOff:
		return DayNotStarted
	case DutyBreak:
		return OnBreak
	case DutyOn:
	}
	switch {
	case a.dnd && s.config.Presence.DNDBlocks:
		return OnBreak
	case !a.reachable() && !a.attending():
		return Offline
	case a.silent:
		return NotResponding
	case a.resting == FailBusy:
		return BusyElsewhere
	case a.resting != "":
		return BackingOff
	}
	return chats
}

// available: nothing but their limits keeps an interaction of the group from the
// agent (R28).
func (a *agent) available(g *group) bool {
	switch {
	case a.wrapUp || !a.attends(g, a.tracked):
		return false
	case g.isChat(): // who wants to go once the present work is done gets no more of it
		return a.chatRest == "" && (a.next == nil || a.next.Duty == DutyOn)
	}
	return !a.silent && a.resting == ""
}

// canTake: the agent may be offered one more call now.
func (a *agent) canTake() bool { return a.available(nil) && a.room(nil) }

// refresh brings all that is derived from the agent up to date: the visible
// state, the census of their groups, and their place in the free sets.
func (s *State) refresh(a *agent, why string) {
	if a.outside {
		return
	}
	s.turn.agents = append(s.turn.agents, a.def.ID)
	s.onward(a)
	a.ready, a.tracked = a.isReady(s.config), s.config.WorkTime.Tracked
	if st := a.present(s); st != a.status {
		for _, t := range a.seats {
			t.group.census[a.status]--
			t.group.census[st]++
		}
		a.status, a.since = st, s.now
		for _, t := range a.seats {
			s.recount(t, t.attendance())
		}
		s.step(nil, Step{Kind: StepAgent, Agent: a.def.ID, What: st.String(), Why: why})
	}
	for _, t := range a.seats {
		if t.group.isChat() {
			s.recount(t, t.attendance())
		}
		s.reseat(t)
	}
	if key := a.presenceKey(); key != a.seen {
		a.seen = key
		if a.open > 0 {
			s.reviewChats(a)
		}
	}
	s.attend(a)
}

// rest leaves the agent alone after an offer of the group that came to nothing,
// and counts a miss where nobody reacted at all.
func (s *State) rest(a *agent, g *group, class FailureClass) {
	if a.outside {
		return
	}
	if g.isChat() {
		s.restFromChats(a, g, class)
		return
	}
	switch class {
	case FailBusy, FailDeclined: // somebody is there
		a.misses, a.missed = 0, [2]int{}
	default:
		a.misses++
		if class == FailNoAnswer {
			a.missed[0]++
		} else {
			a.missed[1]++
		}
		if g.def.Misses > 0 && a.misses >= g.def.Misses {
			a.silent = true
			s.deadlines.arm(DeadlineID{Kind: deadlineReturn, Name: string(a.def.ID)}, s.now+notRespondingFor)
		}
	}
	a.resting = class
	s.deadlines.arm(DeadlineID{Kind: deadlineRest, Name: string(a.def.ID)}, s.now.after(max(g.backOff(class), minRest)))
}

// recovered ends every penalty: the agent answered, or a phone registered anew.
func (s *State) recovered(a *agent) {
	a.misses, a.missed, a.silent, a.resting = 0, [2]int{}, false, ""
	s.deadlines.disarm(DeadlineID{Kind: deadlineReturn, Name: string(a.def.ID)})
	s.deadlines.disarm(DeadlineID{Kind: deadlineRest, Name: string(a.def.ID)})
}

// wrapUpAfter is how long the agent's wrap-up after an interaction of the group is.
func (a *agent) wrapUpAfter(g *group) time.Duration {
	if a.def.WrapUp != nil && g.def.ID != "" {
		return *a.def.WrapUp
	}
	return g.def.WrapUp
}

// owed is an interaction of which an agent has not told what came, though its group requires that.
type owed struct {
	Of    InteractionID       `json:"of"`
	Group queuegroups.GroupID `json:"group"`
}

// mustTell is the interaction of which the agent has to tell what came before they may end
// their wrap-up, if its group still requires that; 0: none.
func (s *State) mustTell(a *agent) InteractionID {
	if a.owes == nil {
		return 0
	}
	if g := s.config.Group(a.owes.Group); g == nil || !g.DispositionRequired {
		return 0
	}
	return a.owes.Of
}

// startWrapUp begins the agent's work after an interaction: as long as the agent, or
// else its group, says.
func (s *State) startWrapUp(a *agent, i *interaction) {
	g := i.group
	length := a.wrapUpAfter(g)
	if length > 0 && !a.removed && !a.outside {
		a.wrapUp, a.owes = true, nil
		if s.level >= 4 && g.def.DispositionRequired && !slices.Contains(i.told, a.def.ID) {
			a.owes = &owed{i.id, g.def.ID}
		}
		s.deadlines.arm(DeadlineID{Kind: deadlineWrapUp, Name: string(a.def.ID)}, s.now.after(length))
	}
}

// endWrapUp ends it, for a reason.
func (s *State) endWrapUp(a *agent, why string) {
	if s.mustTell(a) != 0 {
		why = "what came of it not told, " + why
	}
	a.wrapUp, a.owes = false, nil
	s.refresh(a, why)
}

// drop forgets an agent who is no longer declared once nothing names them.
func (s *State) drop(a *agent) {
	if !a.removed || a.refs > 0 || s.agents[a.def.ID] != a {
		return
	}
	s.recovered(a)
	s.endChatRest(a)
	s.deadlines.disarm(DeadlineID{Kind: deadlineWrapUp, Name: string(a.def.ID)})
	for len(a.clients) > 0 {
		s.dropClient(a, a.clients[0])
	}
	for _, t := range a.seats {
		s.unseat(t)
		t.group.census[a.status]--
		s.recount(t, absent)
		t.group.seats = removeOne(t.group.seats, t)
	}
	a.seats = nil
	delete(s.agents, a.def.ID)
	s.agentOrder = removeOne(s.agentOrder, a)
}
