package sim

import (
	"cmp"
	"slices"
	"time"

	"centrala/acd"
	"centrala/queuegroups"
)

// settle pairs calls and agents until no pair is left, and tells those who have
// come to wait how things stand; which may have them go elsewhere, and so on.
func (n *naive) settle() {
	n.attend()
	for {
		n.watch()
		for n.matchOne() {
		}
		n.watch()
		if len(n.unsettled) == 0 {
			return
		}
		now := n.unsettled
		n.unsettled = nil
		for _, c := range now {
			c.waits = false
			if n.call(c.id) == c {
				n.tell(c)
			}
		}
	}
}

// attend has agents go on to what they wanted to do next, and lets nobody wait
// for an agent who is not there.
func (n *naive) attend() {
	for _, a := range n.agents {
		n.onward(a)
	}
	n.sort()
	for _, a := range n.agents {
		n.review(a)
		for _, c := range slices.Clone(n.calls) {
			if c.kept == a && c.phase == acd.PhaseQueued && !n.mayCall(c, a) {
				n.keptOver(c)
			}
		}
	}
}

// onward: the agent goes on to what they wanted to do once their work is done.
func (n *naive) onward(a *nAgent) {
	if a.next == nil || a.load() > 0 || a.wrapUp {
		return
	}
	a.duty, a.reason, a.next = a.next.Duty, a.next.Reason, nil
	if a.duty == acd.DutyOn {
		n.recovered(a)
	}
}

// look brings an agent up to date before the rest of what happened is dealt with:
// of a node that is lost one thing is taken after the other.
func (n *naive) look(a *nAgent) {
	n.onward(a)
	n.review(a)
}

// sort puts calls in the order in which they are served: arrival less credit.
func (n *naive) sort() {
	slices.SortFunc(n.calls, func(a, b *nCall) int {
		return cmp.Or(a.arrived.Add(-a.credit).Compare(b.arrived.Add(-b.credit)), cmp.Compare(a.id, b.id))
	})
}

// matchOne offers the earliest call that anybody can be offered.
func (n *naive) matchOne() bool {
	n.sort()
	for _, c := range n.calls {
		all := c.group.def.Distribution == queuegroups.All
		switch {
		case c.phase == acd.PhaseQueued && c.kept != nil:
			if n.mayTake(c, c.kept) {
				c.phase = acd.PhaseOffered
				n.ring(c, c.kept)
				return true
			}
		case c.phase == acd.PhaseQueued:
			free := n.free(c)
			if len(free) == 0 {
				continue
			}
			c.phase = acd.PhaseOffered
			if !all {
				n.ring(c, n.choose(c, free))
				return true
			}
			for _, t := range free {
				c.tried[t.agent.def.ID] = true
				n.ring(c, t.agent)
			}
			return true
		case c.phase == acd.PhaseOffered && c.kept == nil && all:
			for _, t := range n.free(c) {
				if !c.tried[t.agent.def.ID] {
					c.tried[t.agent.def.ID] = true
					n.ring(c, t.agent)
					return true
				}
			}
		}
	}
	return false
}

// free returns the seats whose agents can be offered the call, in the order in
// which the group is gone through.
func (n *naive) free(c *nCall) []nSeat {
	needs := n.need(c)
	last := n.reach(c.group, c.tier)
	var out []nSeat
	for _, t := range c.group.seats {
		if t.tier <= last && n.eligible(t) && meets(t.agent, needs) {
			out = append(out, t)
		}
	}
	slices.SortFunc(out, func(x, y nSeat) int { return x.rank().compare(y.rank()) })
	return out
}

// rank: `evenly` takes who has the least in hand, then who answered longest ago
// (R19); everything else is the list (R21).
func (t nSeat) rank() nRank {
	r := nRank{tier: t.tier, place: t.place}
	if t.group.def.Distribution == queuegroups.Evenly {
		calls, _, counted, _ := t.agent.hands(nil)
		r.used, r.last = calls+counted, t.agent.last
	}
	return r
}

// reach is the last tier that serves a call for which waiting has opened the
// tiers up to one: where nobody in those is at work, the next that has somebody.
func (n *naive) reach(g *nGroup, opened int) int {
	for tier := range 1 + len(g.def.Tiers) {
		some := slices.ContainsFunc(g.seats, func(t nSeat) bool { return t.tier == tier && n.working(t) })
		if some {
			return max(opened, tier)
		}
	}
	return opened
}

// choose takes the next of the group after the one who was offered it last, and
// after the last the first again.
func (n *naive) choose(c *nCall, free []nSeat) *nAgent {
	chosen, more := c.next(free)
	if !more {
		n.round(c)
		chosen = free[0]
	}
	r := chosen.rank()
	c.cursor = &r
	if c.asksOnce() {
		c.tried[chosen.agent.def.ID] = true
	}
	return chosen.agent
}

// asksOnce: who was asked is remembered by name: evenly, an agent who is offered
// one chat may be free for another, and has moved on in the order (R49).
func (c *nCall) asksOnce() bool {
	return c.chat() && c.group.def.Distribution == queuegroups.Evenly
}

func (c *nCall) next(free []nSeat) (nSeat, bool) {
	for _, t := range free {
		if c.asksOnce() {
			if !c.tried[t.agent.def.ID] {
				return t, true
			}
			continue
		}
		if c.cursor == nil || t.rank().compare(*c.cursor) > 0 {
			return t, true
		}
	}
	return nSeat{}, false
}

func (n *naive) round(c *nCall) {
	c.cursor = nil
	clear(c.tried)
}

// need is what a call needs now: by group, number and itself, less what waiting
// has made up for.
func (n *naive) need(c *nCall) map[queuegroups.SkillID]int {
	out := map[queuegroups.SkillID]int{}
	for _, s := range c.group.def.Needs {
		out[s.ID] = s.Level
	}
	for id, level := range c.needs {
		out[id] = max(out[id], level)
	}
	for _, r := range c.group.def.Relax[:c.relaxed] {
		for _, id := range r.Drop {
			delete(out, id)
		}
		for _, lower := range r.Lower {
			if level, is := out[lower.ID]; is {
				out[lower.ID] = min(level, lower.Level)
			}
		}
	}
	return out
}

func meets(a *nAgent, needs map[queuegroups.SkillID]int) bool {
	for id, level := range needs {
		if !slices.ContainsFunc(a.def.Skills, func(s queuegroups.Skill) bool { return s.ID == id && s.Level >= level }) {
			return false
		}
	}
	return true
}

// advance finds out what the call's waiting in its group has changed, and when it
// will change something next.
func (n *naive) advance(c *nCall) {
	waited := n.now.Sub(c.entered)
	next := time.Duration(0)
	later := func(d time.Duration) bool {
		if d > waited && (next == 0 || d < next) {
			next = d
		}
		return d > waited
	}
	c.relaxed, c.tier = 0, 0
	for _, r := range c.group.def.Relax {
		if !later(r.After) {
			c.relaxed++
		}
	}
	for _, t := range c.group.def.Tiers {
		if !later(t.After) {
			c.tier++
		}
	}
	n.disarm(ofCall("stage", c))
	if next > 0 {
		n.due[ofCall("stage", c)] = c.entered.Add(next)
	}
}

// stage: less skill, or another tier, from now on.
func (n *naive) stage(c *nCall) {
	if c.phase == acd.PhaseQueued || c.phase == acd.PhaseOffered {
		n.advance(c)
	}
}

// What a group may lack; worse ones come later.
const (
	somebodyFree  = "somebody is free"
	everybodyBusy = "all who are at work are busy"
	allOnBreak    = "all who are logged in are on a break"
	nobodyThere   = "nobody is logged in"
)

func severity(cond string) int {
	return slices.Index([]string{somebodyFree, everybodyBusy, allOnBreak, nobodyThere}, cond)
}

func (n *naive) condition(g *nGroup) string {
	switch {
	case slices.ContainsFunc(g.seats, n.eligible):
		return somebodyFree
	case slices.ContainsFunc(g.seats, n.working):
		return everybodyBusy
	case slices.ContainsFunc(g.seats, n.pausing):
		return allOnBreak
	}
	return nobodyThere
}

// remedy is the chain for what the group lacks, if there is any.
func (n *naive) remedy(g *nGroup) []queuegroups.Action {
	u := g.def.Unavailable
	chain := map[string][]queuegroups.Action{everybodyBusy: u.Busy, allOnBreak: u.OnBreak, nobodyThere: u.LoggedOut}[g.cond]
	if len(chain) > 0 && chain[0].Kind == queuegroups.ActionWait {
		return nil
	}
	return chain
}

// watch notes when groups begin to lack something.
func (n *naive) watch() {
	for _, g := range n.groups {
		cond := n.condition(g)
		if cond == g.cond {
			continue
		}
		g.cond, g.since = cond, n.now
		id := acd.DeadlineID{Kind: "condition", Name: string(g.def.ID)}
		n.disarm(id)
		if n.remedy(g) != nil && !g.removed {
			n.arm(id, g.def.Unavailable.Grace)
		}
	}
}

// conditionLasts: all who wait are seen to.
func (n *naive) conditionLasts(g *nGroup) {
	n.sort()
	for _, c := range slices.Clone(n.calls) {
		if c.group == g && c.phase == acd.PhaseQueued && c.kept == nil {
			n.remediate(c)
		}
	}
}

// remediate begins the chain for what the group has lacked for long enough, once
// for each worse condition.
func (n *naive) remediate(c *nCall) bool {
	g := c.group
	lasts := !n.now.Before(g.since.Add(g.def.Unavailable.Grace))
	if n.remedy(g) == nil || !lasts || c.remedied >= severity(g.cond) {
		return false
	}
	c.remedied, c.via, c.chain = severity(g.cond), g.cond, 0
	n.proceed(c)
	return true
}

// tell has a call that came to wait go on where there is no waiting for it.
func (n *naive) tell(c *nCall) {
	g := c.group
	if c.phase == acd.PhaseOffered {
		c.let = true
	}
	if c.phase != acd.PhaseQueued {
		return
	}
	waiting := 0
	for _, x := range n.calls {
		if x.group == g && x.phase == acd.PhaseQueued && x.kept == nil {
			waiting++
		}
	}
	if g.chat != nil {
		if !c.let && c.kept == nil && g.chat.MaxWaiting > 0 && waiting > g.chat.MaxWaiting { // R5
			n.end(c, acd.Rejected)
			return
		}
		c.let = true
		n.armOnce(sweep, 2*time.Minute)
		return
	}
	switch {
	case c.kept != nil && g == n.nowhere:
	case c.kept != nil:
		c.let = true
		n.music(c)
	case c.overdue:
		n.pastWaiting(c)
	case n.remediate(c):
	case !n.circling(c):
		c.let = true
		n.proceed(c)
	case !c.let && c.via != "full" && g.def.MaxWaiting > 0 && waiting > g.def.MaxWaiting:
		c.via, c.chain = "full", 0
		n.proceed(c)
	default:
		c.let = true
		n.music(c)
	}
}

// music: a caller who waits hears it, and has been answered for that.
func (n *naive) music(c *nCall) {
	if c.caller.state == nUnanswered && c.group.chat == nil {
		c.caller.state = nAnswering
	}
}

// mayCall: the agent can be rung for the call, if not at once. A person who is
// called, or to whom a call is handed, need only have a phone; for a call of a
// group they must be at work (R59).
func (n *naive) mayCall(c *nCall, a *nAgent) bool {
	if c.group.chat != nil { // R59: without limit and online
		duty := n.dutyOf(a) == acd.DutyOn && !n.quiet(a)
		return !a.removed && a.duty != acd.DutyLeave && (duty || c.group.chat.AnyDuty)
	}
	if c.group == n.nowhere || c.handed != nil {
		return !a.removed && a.reachable()
	}
	return !a.removed && n.atWork(a)
}

func (n *naive) mayTake(c *nCall, a *nAgent) bool {
	if c.group.chat != nil {
		_, chats, _, _ := a.hands(nil)
		return n.mayCall(c, a) && chats < 1000
	}
	if c.group == n.nowhere || c.handed != nil {
		return !a.removed && a.reachable() && a.room(nil)
	}
	return n.canTake(a, nil)
}
