package acd

import (
	"cmp"
	"slices"

	"centrala/queuegroups"
)

// condition is whether, and why not, anybody can serve a group now.
type condition uint8

const (
	served    condition = iota // somebody is free
	busy                       // somebody is at work, and nobody free
	onBreak                    // who is logged in is on a break or paused
	loggedOut                  // nobody is logged in
)

func (c condition) String() string {
	return [...]string{"somebody is free", "all who are at work are busy", "all who are logged in are on a break", "nobody is logged in"}[c]
}

// attendance is whether an agent is there for a group.
type attendance uint8

const (
	absent attendance = iota // not logged in, in any way
	paused                   // on a break, or paused in the group
	working
)

// attendance tells whether the seat's agent is there for its group.
func (t *seat) attendance() attendance {
	switch {
	case t.state == SeatOut:
		return absent
	case t.group.isChat():
		return t.chatAttendance()
	case t.agent.status == OnBreak, t.state == SeatPaused && t.agent.status.atWork():
		return paused
	case t.agent.status.atWork():
		return working
	}
	return absent
}

// chatAttendance tells whether the seat's agent is there for chats, which a phone
// says nothing of.
func (t *seat) chatAttendance() attendance {
	switch there := t.agent.attends(t.group, t.agent.tracked); {
	case there && t.state == SeatIn:
		return working
	case there, t.agent.duty == DutyBreak:
		return paused
	}
	return absent
}

// recount keeps the group's count of who is there.
func (s *State) recount(t *seat, now attendance) {
	was, g := t.counted, t.group
	if was == now {
		return
	}
	t.counted = now
	if was == paused || now == paused {
		g.paused += sign(now == paused)
	}
	if was == working || now == working {
		for _, l := range t.lanes {
			l.strength += int64(sign(now == working)) * t.share()
		}
		g.atWork[t.tier] += int32(sign(now == working))
		if n := g.atWork[t.tier]; n == 0 || now == working && n == 1 {
			for _, l := range g.lanes {
				s.reopened(l)
			}
		}
	}
	s.judge(g)
}

// sign is 1 for up and -1 for down.
func sign(up bool) int {
	if up {
		return 1
	}
	return -1
}

// reopened looks at a lane whose open tiers changed: everybody who is free in it
// may join in where others are rung.
func (s *State) reopened(l *lane) {
	s.touch(l)
	for k := range l.free {
		l.free[k].each(func(t *seat) bool { l.freshen(s, t); return true })
	}
}

// condition tells whether anybody can serve the group.
func (g *group) condition() condition {
	if g.freeSeats > 0 {
		return served
	}
	for _, n := range g.atWork {
		if n > 0 {
			return busy
		}
	}
	if g.paused > 0 {
		return onBreak
	}
	return loggedOut
}

// remedy is what is declared for a condition; nil: nothing, the group's no-answer
// actions apply.
func (g *group) remedy(c condition) []queuegroups.Action {
	u := &g.def.Unavailable
	chain := [...][]queuegroups.Action{served: nil, busy: u.Busy, onBreak: u.OnBreak, loggedOut: u.LoggedOut}[c]
	if len(chain) > 0 && chain[0].Kind == queuegroups.ActionWait {
		return nil
	}
	return chain
}

// judge notes that the group's condition may have changed: it counts as it is
// when the entry's facts are in, and again when all matches are made, not as it
// seems while one agent after another is brought up to date.
func (s *State) judge(g *group) {
	if !g.touched {
		g.touched = true
		s.turn.groups = append(s.turn.groups, g)
	}
}

// judgeAll looks at the groups whose condition may have changed.
func (s *State) judgeAll() {
	t := &s.turn
	for k, g := range t.groups {
		g.touched = false
		t.groups[k] = nil
		s.judgeNow(g)
	}
	t.groups = t.groups[:0]
}

// judgeNow notes the group's condition, and sets when those who wait are to be told.
func (s *State) judgeNow(g *group) {
	c := g.condition()
	if c == g.cond {
		return
	}
	g.cond, g.condSince = c, s.now
	id := DeadlineID{Kind: deadlineCondition, Name: string(g.def.ID)}
	if g.remedy(c) != nil && !g.removed {
		s.deadlines.arm(id, s.now.after(g.def.Unavailable.Grace))
	} else {
		s.deadlines.disarm(id)
	}
}

// rejudge looks at the group's condition anew when what is declared for it may
// have changed. How long it has lasted stays.
func (s *State) rejudge(g *group) {
	if g.condition() != g.cond {
		s.judgeNow(g)
		return
	}
	id := DeadlineID{Kind: deadlineCondition, Name: string(g.def.ID)}
	due := g.condSince.after(g.def.Unavailable.Grace)
	if g.remedy(g.cond) != nil && !g.removed {
		s.deadlines.arm(id, max(due, s.now)) // those who wait already are seen to as well
	} else {
		s.deadlines.disarm(id)
	}
}

// lasting: the group's condition has lasted so long that something is to be done
// for those who wait.
func (s *State) lasting(g *group) bool {
	return g.remedy(g.cond) != nil && s.now >= g.condSince.after(g.def.Unavailable.Grace)
}

// conditionPassed: nobody has been able to serve the group for the time of grace.
// All who wait in it go on, in order.
func (s *State) conditionPassed(g *group) {
	var all []*interaction
	for _, l := range g.lanes {
		for k := range l.waiting {
			l.waiting[k].each(func(i *interaction) bool { all = append(all, i); return true })
		}
	}
	slices.SortFunc(all, func(a, b *interaction) int { return a.key().compare(b.key()) })
	for _, i := range all {
		s.remediate(i)
	}
}

// remediate begins the chain for the group's condition, once in its time in the
// group. It returns false where there is nothing to begin.
func (s *State) remediate(i *interaction) bool {
	g := i.group
	if i.remedied >= g.cond || !s.lasting(g) {
		return false
	}
	i.remedied = g.cond
	i.leaveQueue()
	s.step(i, Step{Kind: StepUnavailable, Group: g.def.ID, Why: g.cond.String() + " for " + g.def.Unavailable.Grace.String(), Choice: &Choice{Census: g.census}})
	i.via, i.chain = [...]chainName{served: chainNoAnswer, busy: chainBusy, onBreak: chainOnBreak, loggedOut: chainLoggedOut}[g.cond], 0
	s.proceed(i)
	return true
}

// chainName says which of its chains an interaction follows.
type chainName string

const (
	chainNoAnswer  chainName = ""
	chainFull      chainName = "full"
	chainClosed    chainName = "closed"
	chainBusy      chainName = "busy"
	chainOnBreak   chainName = "on_break"
	chainLoggedOut chainName = "logged_out"
)

// actions returns the chain that the interaction follows.
func (s *State) actions(i *interaction) []queuegroups.Action {
	def := &i.group.def
	switch i.via {
	case chainFull:
		return def.Full
	case chainClosed:
		if n := s.numbers[i.to]; n != nil {
			return n.Closed
		}
		return nil
	case chainBusy:
		return def.Unavailable.Busy
	case chainOnBreak:
		return def.Unavailable.OnBreak
	case chainLoggedOut:
		return def.Unavailable.LoggedOut
	case chainNoAnswer:
	}
	return def.NoAnswer
}

// hungUp is the end of a chain.
func (s *State) hungUp(i *interaction) {
	switch {
	case i.via == chainFull:
		s.finish(i, QueueFull, "", RejectQueueFull)
	case i.via == chainClosed:
		s.finish(i, ClosedHours, string(s.hoursOf(i)), RejectClosed)
	case i.overdue:
		s.finish(i, Missed, "max_wait", RejectNobody)
	case i.rung:
		s.finish(i, Missed, "", RejectNobody)
	default:
		s.finish(i, Nobody, cmp.Or(string(i.via), ""), RejectNobody)
	}
}

func (s *State) hoursOf(i *interaction) queuegroups.HoursID {
	if n := s.numbers[i.to]; n != nil {
		return n.Hours
	}
	return ""
}
