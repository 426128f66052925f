package sim

import (
	"fmt"
	"math/rand/v2"
	"time"

	"centrala/acd"
	"centrala/queuegroups"
)

// A wild day has everything that the core knows of: skills, tiers, chains for each
// trouble, work days, programs left alone, transfers, pickups, parking, calls
// between agents, chats; any of it at any moment, sensible or not. It is judged by
// the invariants, the twin and the bystander, not by the naive implementation.

// declareWild makes up a configuration with everything in it. Some days have few
// agents in very many groups.
func declareWild(rng *rand.Rand) *queuegroups.Config {
	groups := 1 + rng.IntN(5)
	if rng.IntN(5) == 0 {
		groups = 10 + rng.IntN(41)
	}
	c := declare(rng, 1+rng.IntN(8), groups)
	c.WorkTime.Tracked = rng.IntN(3) == 0
	c.Presence.DNDBlocks = rng.IntN(2) == 0
	var ids []queuegroups.AgentID
	for k := range c.Agents {
		a := &c.Agents[k]
		a.Extension = fmt.Sprintf("1%02d", k)
		a.Capacity.Chat = rng.IntN(4)
		a.Capacity.ChatsDuringCall, a.Capacity.NoCallsDuringChat = rng.IntN(2) == 0, rng.IntN(3) == 0
		for _, skill := range []queuegroups.SkillID{"billing", "polish"} {
			if rng.IntN(2) == 0 {
				a.Skills = append(a.Skills, queuegroups.Skill{ID: skill, Level: 1 + rng.IntN(9)})
			}
		}
		if rng.IntN(4) == 0 {
			own := second(rng, 20)
			a.WrapUp = &own
		}
		ids = append(ids, a.ID)
	}
	for k := range c.Groups {
		wildGroup(rng, &c.Groups[k], k, groups)
	}
	for k := range c.Numbers {
		n := &c.Numbers[k]
		if rng.IntN(3) == 0 {
			n.Needs = []queuegroups.Skill{{ID: "polish", Level: 1 + rng.IntN(9)}}
		}
		n.Priority = second(rng, 3) * 20
		if rng.IntN(2) == 0 {
			n.Closed = chain(rng, groups)
		}
	}
	for k := range rng.IntN(3) {
		c.Channels = append(c.Channels, wildChannel(rng, k, ids))
	}
	return c
}

func wildGroup(rng *rand.Rand, g *queuegroups.Group, k, groups int) {
	g.Extension = fmt.Sprintf("6%02d", k)
	g.Pickup = rng.IntN(4) > 0
	g.BlindTransferNoAnswer = []queuegroups.TransferEnd{queuegroups.TransferEnds, queuegroups.TransferReturn, queuegroups.TransferQueue}[rng.IntN(3)]
	g.Preferred = wildPreferred(rng)
	if rng.IntN(3) == 0 {
		g.Needs = []queuegroups.Skill{{ID: "billing", Level: 1 + rng.IntN(9)}}
	}
	g.Relax, g.Agents, g.Tiers = wildStages(rng, g.Agents)
	if rng.IntN(3) == 0 {
		g.Full = chain(rng, groups)
	}
	if rng.IntN(2) == 0 {
		g.Unavailable = queuegroups.Unavailable{Grace: second(rng, 20), LoggedOut: chain(rng, groups), OnBreak: chain(rng, groups), Busy: chain(rng, groups)}
	}
}

func wildPreferred(rng *rand.Rand) queuegroups.Preferred {
	return queuegroups.Preferred{
		Agent: []queuegroups.PreferredKind{queuegroups.PreferNobody, queuegroups.PreferResponsible, queuegroups.PreferLast}[rng.IntN(3)],
		Wait:  second(rng, 30),
	}
}

// wildStages makes up relaxations, and cuts a list of agents into tiers.
func wildStages(rng *rand.Rand, agents []queuegroups.AgentID) (relax []queuegroups.Relaxation, first []queuegroups.AgentID, tiers []queuegroups.Tier) {
	if rng.IntN(2) == 0 {
		relax = append(relax, queuegroups.Relaxation{After: time.Second + second(rng, 20), Lower: []queuegroups.Skill{{ID: "billing", Level: 1}, {ID: "polish", Level: 1}}})
		relax = append(relax, queuegroups.Relaxation{After: 30 * time.Second, Drop: []queuegroups.SkillID{"polish", "billing"}})
	}
	for after := time.Second + second(rng, 10); len(agents) > 1 && rng.IntN(2) == 0; after *= 2 {
		last := agents[len(agents)-1]
		agents = agents[:len(agents)-1]
		tiers = append(tiers, queuegroups.Tier{After: after, Agents: []queuegroups.AgentID{last}})
	}
	return relax, agents, tiers
}

func wildChannel(rng *rand.Rand, k int, ids []queuegroups.AgentID) queuegroups.Channel {
	c := queuegroups.Channel{
		ID: queuegroups.ChannelID(fmt.Sprintf("chan%d", k)), Distribution: distribution(rng),
		PassAfter: 10*time.Second + second(rng, 60), UnansweredAfter: 10*time.Second + second(rng, 60),
		NoAnswer:    queuegroups.ChatAction{Kind: []queuegroups.ChatActionKind{queuegroups.ChatRequeue, queuegroups.ChatText, queuegroups.ChatNothing}[rng.IntN(3)]},
		AnyPresence: rng.IntN(3) == 0, AnyDuty: rng.IntN(3) == 0, Monitor: rng.IntN(2) == 0,
		Limit: rng.IntN(3), CloseDelay: second(rng, 2) * 30, WrapUp: second(rng, 10), Preferred: wildPreferred(rng), AutoExpire: time.Minute + second(rng, 300),
	}
	if rng.IntN(3) == 0 {
		c.Hours = "office"
	}
	for _, e := range []queuegroups.ChatExclusion{queuegroups.ExcludeAnswered, queuegroups.ExcludeWaiting, queuegroups.ExcludeClosed} {
		if rng.IntN(3) == 0 {
			c.Exclude = append(c.Exclude, e)
		}
	}
	for _, at := range rng.Perm(len(ids)) {
		c.Agents = append(c.Agents, ids[at])
	}
	c.Relax, c.Agents, c.Tiers = wildStages(rng, c.Agents)
	return c
}

// wilder: agents and supervisors do what they can, and what they cannot.
func (w *world) wilder() {
	if w.quiet {
		return
	}
	agent := w.someAgent()
	switch w.rng.IntN(9) {
	case 0:
		duty := []acd.Duty{acd.DutyOn, acd.DutyOn, acd.DutyOn, acd.DutyBreak, acd.DutyLeave, acd.DutyOff}[w.rng.IntN(6)]
		w.in(0, &acd.DutySet{Agent: agent, Duty: duty, Reason: "lunch", By: w.someAgent(), Next: w.chance(2)})
	case 1:
		w.in(0, &acd.DNDSet{Agent: agent, On: w.chance(3)})
	case 2:
		w.in(0, &acd.WrapUpSet{Agent: agent, Extend: second(w.rng, 3) * 10})
	case 3:
		state := []acd.SeatState{acd.SeatIn, acd.SeatIn, acd.SeatOut, acd.SeatPaused}[w.rng.IntN(4)]
		w.in(0, &acd.SeatSet{Agent: agent, Group: w.someGroup(), State: state})
	case 4, 5:
		w.client(agent)
	case 6:
		state := []acd.HoursState{acd.HoursAuto, acd.HoursOpen, acd.HoursClosed}[w.rng.IntN(3)]
		e := &acd.HoursForced{Hours: "office", State: state}
		if w.chance(2) {
			e.Until = w.now.Add(w.upTo(5 * time.Minute))
		}
		w.in(0, e)
	case 7:
		w.calls++
		leg := acd.LegID(fmt.Sprintf("o%d", w.calls))
		to := []string{fmt.Sprintf("1%02d", w.rng.IntN(9)), fmt.Sprintf("6%02d", w.rng.IntN(5)), "+48601234567", "nobody"}[w.rng.IntN(4)]
		w.in(0, &acd.CallArrived{Agent: agent, Leg: leg, Node: w.node(), To: to})
		w.in(time.Second+w.upTo(2*time.Minute), &acd.LegEnded{Leg: leg, Cause: w.cause()})
	case 8:
		w.supervise()
	}
	w.later(w.upTo(4*time.Second), w.wilder)
}

func (w *world) client(agent queuegroups.AgentID) {
	kind := []acd.ClientKind{acd.ClientBrowser, acd.ClientDesktop, acd.ClientMobile}[w.rng.IntN(3)]
	if w.chance(3) {
		w.in(0, &acd.AgentOnline{Agent: agent, Node: w.node(), Client: kind})
		return
	}
	if w.chance(6) {
		w.in(0, &acd.AgentOffline{Agent: agent, Node: w.node(), Client: kind})
		return
	}
	state := []acd.ClientState{acd.ClientUsed, acd.ClientUsed, acd.ClientUsed, acd.ClientMinimised, acd.ClientLocked, acd.ClientClosed}[w.rng.IntN(6)]
	w.in(0, &acd.ClientSeen{Agent: agent, Node: w.node(), Client: kind, State: state})
}

// supervise moves, prioritises or claims one of the interactions there are.
func (w *world) supervise() {
	list := w.judge.core.Interactions()
	if len(list) == 0 {
		return
	}
	i := list[w.rng.IntN(len(list))]
	switch w.rng.IntN(3) {
	case 0:
		w.in(0, &acd.Moved{Interaction: i.ID, To: w.target(), By: w.someAgent()})
	case 1:
		w.in(0, &acd.Prioritised{Interaction: i.ID, Credit: second(w.rng, 300), By: w.someAgent()})
	case 2:
		w.phones++
		leg := acd.LegID(fmt.Sprintf("x%d", w.phones))
		kind := []acd.ClaimKind{acd.ClaimGroup, acd.ClaimAgent, acd.ClaimInteraction, acd.ClaimParked}[w.rng.IntN(4)]
		w.in(0, &acd.Claimed{Agent: w.someAgent(), Leg: leg, Node: w.node(), Kind: kind, From: w.someAgent(), Interaction: i.ID, Slot: "1"})
		w.meddle(leg)
	}
}

// meddle has an agent whose leg is up do things with it: transfer, consult, park,
// write, close; in the end the leg ends.
func (w *world) meddle(leg acd.LegID) {
	at := w.upTo(10 * time.Second)
	for range w.rng.IntN(5) {
		at += w.upTo(10 * time.Second)
		var e acd.Event
		switch w.rng.IntN(9) {
		case 0:
			e = &acd.TransferAsked{Leg: leg, To: w.target()}
		case 1, 2:
			e = &acd.ConsultAsked{Leg: leg, To: w.target()}
		case 3:
			e = &acd.ConsultSwapped{Leg: leg}
		case 4:
			e = &acd.ConsultDone{Leg: leg, Connect: w.chance(2)}
		case 5:
			e = &acd.Parked{Leg: leg, Slot: []string{"1", "2"}[w.rng.IntN(2)]}
		case 6:
			e = &acd.Joined{Leg: leg, With: acd.LegID(fmt.Sprintf("o%d", w.rng.IntN(w.calls+1)))}
		case 7:
			e = &acd.ChatWritten{Leg: leg}
		case 8:
			e = &acd.ChatClosed{Leg: leg}
		}
		w.in(at, e)
	}
	w.in(at+w.upTo(time.Minute), &acd.LegEnded{Leg: leg, Cause: w.cause()})
}

// customer begins a chat, writes now and then, and leaves.
func (w *world) customer() {
	if w.quiet || len(w.config.Channels) == 0 {
		return
	}
	w.calls++
	leg := acd.LegID(fmt.Sprintf("k%d", w.calls))
	w.in(0, &acd.ChatArrived{
		Leg: leg, Node: w.node(), Channel: w.config.Channels[w.rng.IntN(len(w.config.Channels))].ID,
		From: acd.Party{Number: fmt.Sprintf("customer%d", w.rng.IntN(5))}, Responsible: w.someAgent(),
	})
	at := time.Second
	for range w.rng.IntN(4) {
		at += w.upTo(time.Minute)
		w.in(at, &acd.ChatWritten{Leg: leg})
	}
	if w.chance(4) {
		w.in(at+w.upTo(time.Minute), &acd.ChatClosed{Leg: leg})
	}
	w.in(at+w.upTo(5*time.Minute), &acd.LegEnded{Leg: leg, Cause: acd.EndHangup})
	w.later(w.upTo(10*time.Second), w.customer)
}

func (w *world) target() acd.Target {
	switch w.rng.IntN(6) {
	case 0, 1, 2:
		return acd.Target{Agent: w.someAgent()}
	case 3, 4:
		return acd.Target{Group: w.someGroup()}
	}
	return acd.Target{Number: "+48601234567"}
}

func (w *world) someAgent() queuegroups.AgentID {
	if w.chance(20) {
		return "nobody"
	}
	return w.config.Agents[w.rng.IntN(len(w.config.Agents))].ID
}

func (w *world) someGroup() queuegroups.GroupID {
	if len(w.config.Channels) > 0 && w.chance(4) {
		return acd.ChannelGroup(w.config.Channels[w.rng.IntN(len(w.config.Channels))].ID)
	}
	return w.config.Groups[w.rng.IntN(len(w.config.Groups))].ID
}
