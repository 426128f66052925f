package sim

import (
	"fmt"
	"time"

	"centrala/acd"
	"centrala/queuegroups"
)

// ado is what people do beside answering: agents come, go, take breaks and calls
// of others, supervisors interfere. Much of it at a moment when it cannot be.
func (w *world) ado() {
	if w.quiet {
		return
	}
	agent := w.someone()
	by := queuegroups.AgentID("")
	if w.chance(4) {
		by = w.someone()
	}
	switch w.rng.IntN(20) {
	case 0, 1, 2, 3:
		w.in(0, &acd.DutySet{
			Agent: agent, Duty: oneOf(w, acd.DutyOn, acd.DutyOn, acd.DutyOn, acd.DutyBreak, acd.DutyBreak, acd.DutyLeave, acd.DutyOff, "asleep"),
			Reason: oneOf(w, "", "lunch", "training"), By: by, Next: w.chance(3),
		})
	case 4:
		w.in(0, &acd.DNDSet{Agent: agent, On: w.chance(2), By: by})
	case 5:
		w.in(0, &acd.WrapUpSet{Agent: agent, Extend: oneOf(w, 0, 0, 20*time.Second, -time.Second, 2*time.Hour), By: by})
	case 6, 7:
		w.in(0, &acd.SeatSet{
			Agent: agent, Group: w.somewhere(), State: oneOf(w, acd.SeatIn, acd.SeatIn, acd.SeatOut, acd.SeatPaused, "asleep"),
			Reason: oneOf(w, "", "lunch"), By: by,
		})
	case 8, 9:
		w.in(0, &acd.ClientSeen{
			Agent: agent, Node: w.node(), Client: w.client(),
			State: oneOf(w, acd.ClientUsed, acd.ClientUsed, acd.ClientMinimised, acd.ClientLocked, acd.ClientClosed, "asleep"),
		})
	case 10:
		w.in(0, &acd.AgentOnline{Agent: agent, Node: w.node(), Client: w.client()})
	case 11:
		w.in(0, &acd.AgentOffline{Agent: agent, Node: w.node(), Client: w.client()})
	case 12:
		w.in(0, &acd.HoursForced{
			Hours: oneOf[queuegroups.HoursID](w, "office", "office", "nowhere"), State: oneOf(w, acd.HoursAuto, acd.HoursOpen, acd.HoursClosed, "ajar"),
			Until: oneOf(w, time.Time{}, w.now.Add(w.upTo(time.Minute)), w.now.Add(-time.Minute)), By: by,
		})
	case 13, 14, 15:
		w.claim(agent)
	case 16, 17:
		w.in(0, &acd.Moved{Interaction: w.something(), To: w.target(), By: by})
	case 18:
		w.in(0, &acd.Prioritised{Interaction: w.something(), Credit: w.upTo(5 * time.Minute), By: by})
	case 19:
		w.outgoing(agent)
	}
	if w.chance(20) {
		w.in(0, &acd.Disposed{Interaction: w.something(), Agent: agent, Code: oneOf(w, "sale", ""), By: by})
	}
	if w.chance(20) {
		w.in(0, &acd.TrunkSeen{
			Node: w.node(), Trunk: oneOf[queuegroups.TrunkID](w, "carrier", "nobody"), Why: "silence",
			State: oneOf(w, acd.TrunkUp, acd.TrunkDown, acd.TrunkRegistered, acd.TrunkUnregistered, "asleep"),
		})
	}
	if w.chance(60) {
		w.in(0, &acd.LevelRaised{Level: acd.LevelMax})
	}
	w.later(w.upTo(6*time.Second), w.ado)
}

// wrapUp is what an agent does after an interaction: tells what came of it, or not, and
// wants to be done with it.
func (w *world) wrapUp(r acd.Record) {
	if w.quiet || w.maker.plain || r.Agent == "" {
		return
	}
	if w.chance(2) {
		w.in(w.upTo(4*time.Second), &acd.Disposed{Interaction: r.Interaction, Agent: r.Agent, Code: "sale"})
	}
	if w.chance(2) {
		w.in(w.upTo(6*time.Second), &acd.WrapUpSet{Agent: r.Agent, By: oneOf(w, "", "", r.Agent, w.someone())})
	}
}

func (w *world) client() acd.ClientKind {
	return oneOf(w, acd.ClientBrowser, acd.ClientDesktop, acd.ClientMobile, acd.ClientPhone, "telex")
}

// somewhere is a group, as a rule one of those that are declared.
func (w *world) somewhere() queuegroups.GroupID {
	if w.chance(40) {
		return "nowhere"
	}
	if n := len(w.config.Channels); n > 0 && w.chance(3) {
		return acd.ChannelGroup(w.config.Channels[w.rng.IntN(n)].ID)
	}
	return w.config.Groups[w.rng.IntN(len(w.config.Groups))].ID
}

// something is an interaction, as a rule one that has not ended.
func (w *world) something() acd.InteractionID {
	going := w.judge.standing.Interactions
	if len(going) == 0 || w.chance(20) {
		return acd.InteractionID(w.index)
	}
	return going[w.rng.IntN(len(going))].ID
}

func (w *world) target() acd.Target {
	switch w.rng.IntN(8) {
	case 0, 1, 2, 3:
		return acd.Target{Agent: w.someone()}
	case 4, 5:
		return acd.Target{Group: w.somewhere()}
	case 6:
		return acd.Target{Number: "+48229998877"}
	}
	return acd.Target{}
}

// claim: an agent wants what rings, waits or is parked.
func (w *world) claim(agent queuegroups.AgentID) {
	w.phones++
	w.in(0, &acd.Claimed{
		Agent: agent, Leg: acd.LegID(fmt.Sprintf("p%d", w.phones)), Node: w.node(),
		Kind: oneOf(w, acd.ClaimGroup, acd.ClaimGroup, acd.ClaimAgent, acd.ClaimInteraction, acd.ClaimParked, acd.ClaimLeg, acd.ClaimLeg, "theft"),
		From: w.someone(), Group: oneOf(w, "", "", w.somewhere()), Interaction: w.something(), Slot: w.slot(),
		Of: w.leg(), By: oneOf(w, "", w.someone()),
	})
}

// leg is one on which an agent talks, as a rule.
func (w *world) leg() acd.LegID {
	going := w.judge.standing.Interactions
	if len(going) == 0 || w.chance(20) {
		return "nothing"
	}
	i := going[w.rng.IntN(len(going))]
	return oneOf(w, i.AgentLeg, i.AgentLeg, i.Leg, i.Consults)
}

func (w *world) slot() string { return oneOf(w, "71", "72", "") }

// outgoing: an agent calls a colleague, a group, somebody outside, or nonsense.
func (w *world) outgoing(agent queuegroups.AgentID) {
	if w.chance(2) {
		w.dials(agent, w.node(), "")
		return
	}
	w.calls++
	node, leg := w.node(), acd.LegID(fmt.Sprintf("a%d", w.calls)) // at their desk: their phone rings first
	w.in(0, &acd.CallAsked{Leg: leg, Node: node, Agent: agent, To: "102"})
	switch w.rng.IntN(8) {
	case 0: // it is never heard of again
	case 1, 2:
		w.in(time.Second+w.upTo(45*time.Second), &acd.LegEnded{Leg: leg, Cause: w.cause()})
	default:
		w.later(w.upTo(20*time.Second), func() { w.dials(agent, node, leg) })
	}
}

// dials: an agent's phone calls, by itself or because it was asked for.
func (w *world) dials(agent queuegroups.AgentID, node acd.NodeID, asked acd.LegID) {
	w.calls++
	leg := acd.LegID(fmt.Sprintf("o%d", w.calls))
	if asked != "" && w.chance(2) {
		leg = asked
	}
	w.own[leg] = agent
	w.talk(leg, time.Second, 40*time.Second)
	n := w.rng.IntN(len(w.config.Agents))
	to := oneOf(w, fmt.Sprintf("1%02d", n), fmt.Sprintf("1%02d", n), fmt.Sprintf("6%02d", w.rng.IntN(len(w.config.Groups))), "+48229998877", "9")
	e := &acd.CallArrived{Leg: leg, Node: node, To: to, Agent: agent, Asked: asked}
	switch w.rng.IntN(10) {
	case 0:
		e.To, e.Group = "+48221234567", w.somewhere()
	case 1:
		e.To, e.Outside = "112", true
	}
	w.in(0, e)
	talk := w.upTo(time.Minute)
	w.in(time.Second+talk, &acd.LegEnded{Leg: leg, Cause: w.cause()})
	for range 3 {
		w.later(w.upTo(time.Second+talk), func() { w.join(leg, agent) })
	}
}

// join: an agent who is in two calls connects the others, if they still are.
func (w *world) join(own acd.LegID, agent queuegroups.AgentID) {
	for _, i := range w.judge.standing.Interactions {
		if i.Agent == agent && i.AgentLeg != own {
			w.in(0, &acd.Joined{Leg: i.AgentLeg, With: own})
			return
		}
	}
}

// talk is what an agent may do with a call while it lasts.
func (w *world) talk(leg acd.LegID, soon, talk time.Duration) {
	at := func() time.Duration { return soon + w.upTo(talk+time.Second) }
	switch w.rng.IntN(10) {
	case 8, 9:
		held := at()
		w.in(held, &acd.Held{Leg: leg, On: true})
		w.in(held+w.upTo(20*time.Second), &acd.Held{Leg: leg})
		w.in(at(), &acd.Held{Leg: w.leg(), On: w.chance(2)})
	case 0, 1:
		w.in(at(), &acd.TransferAsked{Leg: leg, To: w.target()})
	case 2, 3:
		begun := at()
		w.in(begun, &acd.ConsultAsked{Leg: leg, To: w.target()})
		for range w.rng.IntN(3) {
			w.in(begun+w.upTo(40*time.Second), &acd.ConsultSwapped{Leg: leg})
		}
		if !w.chance(3) {
			w.in(begun+w.upTo(40*time.Second), &acd.ConsultDone{Leg: leg, Connect: w.chance(2)})
		}
	case 4:
		w.in(at(), &acd.Parked{Leg: leg, Slot: w.slot()})
	case 5:
		w.later(at(), func() { // a colleague's number is dialled meanwhile
			for _, i := range w.judge.standing.Interactions {
				if i.AgentLeg == leg && !w.quiet {
					w.outgoing(i.Agent)
				}
			}
		})
	}
}

// customer begins a chat, writes now and then, and sends for the next one.
func (w *world) customer() {
	if w.quiet {
		return
	}
	w.calls++
	leg := acd.LegID(fmt.Sprintf("k%d", w.calls))
	e := &acd.ChatArrived{Leg: leg, Node: w.node(), Channel: w.config.Channels[w.rng.IntN(len(w.config.Channels))].ID}
	if w.chance(50) {
		e.Channel = "void"
	}
	e.From.Number = fmt.Sprintf("guest%d", w.rng.IntN(8))
	if w.chance(3) {
		e.Responsible = w.someone()
	}
	if w.chance(5) {
		e.Needs = w.maker.skills(2)
	}
	w.in(0, e)
	stays := w.upTo(10 * time.Minute)
	w.in(time.Second+stays, &acd.LegEnded{Leg: leg, Cause: w.cause()})
	w.writes(leg, stays)
	if w.chance(4) { // another node looks after them from some time on
		again := *e
		again.Node = w.node()
		w.in(w.upTo(stays+1), &again)
	}
	w.later(w.upTo(15*time.Second), w.customer)
}

// writes is what one end of a chat does while it lasts.
func (w *world) writes(leg acd.LegID, stays time.Duration) {
	for range w.rng.IntN(4) {
		w.in(w.upTo(stays+time.Second), &acd.ChatWritten{Leg: leg})
	}
	if w.chance(4) { // a supervisor joins, writes and leaves again
		at, by := w.upTo(stays+time.Second), w.someone()
		w.in(at, &acd.ChatJoined{Leg: leg, By: by})
		w.in(at+w.upTo(10*time.Second), &acd.ChatWritten{Leg: leg, By: by})
		w.in(at+w.upTo(time.Minute), &acd.ChatJoined{Leg: leg, By: by, Left: true})
	}
	if w.chance(2) {
		w.in(w.upTo(stays+time.Second), &acd.ChatClosed{Leg: leg})
	}
}

// chatOffered plays an agent to whom a chat is offered.
func (w *world) chatOffered(soon time.Duration, o acd.OfferID, node acd.NodeID) {
	switch w.rng.IntN(6) {
	case 0:
		w.in(2*soon, &acd.OfferFailed{Offer: o, Class: oneOf(w, acd.FailDeclined, acd.FailUnreachable, acd.FailCancelled)})
		return
	case 1: // does not care
		return
	}
	begun := soon + w.upTo(20*time.Second)
	leg := w.answer(begun, o, node)
	stays := w.upTo(3 * time.Minute)
	w.in(begun+stays, &acd.LegEnded{Leg: leg, Cause: w.cause()})
	w.later(begun, func() {
		w.writes(leg, stays)
		if w.chance(4) {
			w.talk(leg, 0, stays)
		}
	})
}
