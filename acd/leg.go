package acd

import (
	"slices"

	"centrala/queuegroups"
)

// How long the core waits for the end of a leg that it asked to end.
const (
	legOverdue  = 60_000_000_000 // ns: then the leg is taken as gone
	slotOverdue = 2_000_000_000  // ns: then the agent's slot is given back
	// askedOverdue is how long the core waits for an agent's phone to be picked up, or not, for a call that they asked
	// for: longer than it is rung.
	askedOverdue = 120_000_000_000 // ns
)

// legState is how far a leg is.
type legState uint8

const (
	legOffered   legState = iota // the caller's INVITE is unanswered
	legAnswering                 // Answer or Bridge has been issued
	legUp                        // answered
	legEnding                    // EndLeg or Reject has been issued
	legGone                      // has ended
)

// leg is one SIP dialog: the caller's, or an answered phone of an agent.
type leg struct {
	id       LegID
	node     NodeID
	call     LegID // the leg that its call began with, by which its node finds the call
	of       InteractionID
	agent    *agent // nil: the caller's
	own      bool   // the agent is the caller
	offer    OfferID
	slot     bool                // holds a capacity slot of the agent
	group    queuegroups.GroupID // for which it holds the slot
	chat     bool                // it is an agent's end of a chat
	excluded bool                // and counts against no limit (R47)
	quiet    bool                // and is closed: nothing to do but to await its rating
	held     instant             // since when it holds whom it is bridged with; 0: it does not
	state    legState
	pending  []Command // issued, outcome not yet known
}

// onlyAsked: the leg stands for a call that its agent asked for at their desk, and that is none yet.
func (l *leg) onlyAsked() bool { return l.own && l.of == 0 }

// occupy has the leg hold a slot of its agent for an interaction of the group.
func (l *leg) occupy(g queuegroups.GroupID, chat bool) {
	l.slot, l.group, l.chat = true, g, chat
	l.agent.legs = append(l.agent.legs, l)
	l.agent.hold(g, chat, 1)
}

// include has a chat that counted against no limit count again.
func (l *leg) include() {
	if l.excluded {
		l.excluded = false
		l.agent.tally(l.group, 1)
	}
}

// settled drops the pending commands of a kind: their outcome is known.
func settled[C Command](l *leg) {
	keep := l.pending[:0]
	for _, c := range l.pending {
		if _, is := c.(C); !is {
			keep = append(keep, c)
		}
	}
	clear(l.pending[len(keep):])
	l.pending = keep
}

// awaits tells whether a command of a kind is pending.
func awaits[C Command](l *leg) bool {
	return slices.ContainsFunc(l.pending, func(c Command) bool { _, is := c.(C); return is })
}

// alert lets the caller hear that somebody is being rung.
func (s *State) alert(i *interaction) {
	c := &Alert{}
	s.emit(c, i.caller.node, i.id, i.caller.call)
	i.caller.pending = append(i.caller.pending, c)
}

// answer takes the caller's call.
func (s *State) answer(i *interaction) {
	i.caller.state = legAnswering
	settled[*Alert](i.caller)
	a := &Answer{}
	s.emit(a, i.caller.node, i.id, i.caller.call)
	i.caller.pending = append(i.caller.pending, a)
}

// music lets a waiting caller hear music: the number's instead of the group's
// (R98). The caller is answered first, also one whom a bridge that came to nothing
// was to answer; one who hears the music already goes on hearing it.
func (s *State) music(i *interaction) {
	if i.isChat() {
		return
	}
	if i.caller.state == legOffered || i.caller.state == legAnswering && !awaits[*Answer](i.caller) {
		s.answer(i)
	}
	music := i.musicNow()
	for _, c := range i.caller.pending {
		if p, is := c.(*Play); is && p.Music == music {
			return
		}
	}
	settled[*Play](i.caller)
	p := &Play{Music: music}
	if i.caller.id != i.caller.call { // who was called, not who calls
		p.Leg = i.caller.id
	}
	s.emit(p, i.caller.node, i.id, i.caller.call)
	i.caller.pending = append(i.caller.pending, p)
}

// musicNow is what the customer hears: the number's music instead of the group's (R98).
func (i *interaction) musicNow() queuegroups.MusicID {
	if i.music != "" {
		return i.music
	}
	return i.group.def.HoldMusic
}

// bridge connects caller and agent.
func (s *State) bridge(i *interaction) {
	settled[*Alert](i.caller)
	settled[*Play](i.caller)
	if i.caller.state == legOffered {
		i.caller.state = legAnswering
	}
	b := &Bridge{A: i.caller.id, B: i.other.id, Music: i.musicNow()}
	s.emit(b, i.caller.node, i.id, i.caller.call)
	i.caller.pending = append(i.caller.pending, b)
}

// refuseOrEnd ends the caller's leg: an unanswered one is refused.
func (s *State) refuseOrEnd(l *leg, why RejectReason) {
	if l.state != legOffered {
		s.endLeg(l)
		return
	}
	s.ending(l, &Reject{Reason: why})
}

// endLeg ends a leg, once.
func (s *State) endLeg(l *leg) { s.endLegFor(l, "") }

// endLegFor ends a leg, once, and says why.
func (s *State) endLegFor(l *leg, why EndReason) {
	if l.state == legEnding || l.state == legGone {
		return
	}
	s.ending(l, &EndLeg{Leg: l.id, Why: why})
}

func (s *State) ending(l *leg, c Command) {
	l.state = legEnding
	l.pending = append(l.pending[:0], c)
	s.emit(c, l.node, l.of, l.call)
	s.deadlines.arm(DeadlineID{Kind: deadlineLeg, Name: string(l.id)}, s.now+legOverdue)
	if l.slot {
		l.include()
		s.deadlines.arm(DeadlineID{Kind: deadlineLegSlot, Name: string(l.id)}, s.now+slotOverdue)
	}
}

// dropLeg forgets a leg that has ended. The caller refreshes the agent.
func (s *State) dropLeg(l *leg) {
	l.state = legGone
	l.pending = nil
	delete(s.legs, l.id)
	if o := s.offers[l.offer]; o != nil && o.leg == l {
		s.forgetOffer(o)
	}
	if l.agent != nil {
		l.agent.refs--
	}
	s.deadlines.disarm(DeadlineID{Kind: deadlineLeg, Name: string(l.id)})
	s.freeLegSlot(l)
}

func (s *State) freeLegSlot(l *leg) {
	if l.slot {
		l.slot = false
		l.agent.legs = removeOne(l.agent.legs, l)
		l.include()
		l.agent.hold(l.group, l.chat, -1)
		s.deadlines.disarm(DeadlineID{Kind: deadlineLegSlot, Name: string(l.id)})
	}
}
