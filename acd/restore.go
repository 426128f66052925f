package acd

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"centrala/queuegroups"
)

// ErrSnapshot is returned for a snapshot that is cut off, damaged, or of a format
// that this program does not know.
var ErrSnapshot = errors.New("bad snapshot")

// Restore reads a snapshot. The state goes on from it as the one that wrote it
// would have. The error is ErrSnapshot or the reader's.
func Restore(r io.Reader) (*State, error) {
	s := NewState()
	dec := json.NewDecoder(bufio.NewReader(r))
	for n := 0; ; n++ {
		var l snapLine
		if err := dec.Decode(&l); err != nil {
			if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
				return nil, fmt.Errorf("%w: cut off after %d lines", ErrSnapshot, n)
			}
			return nil, fmt.Errorf("%w: line %d: %w", ErrSnapshot, n+1, err)
		}
		if (n == 0) != (l.Header != nil) {
			return nil, fmt.Errorf("%w: line %d: header out of place", ErrSnapshot, n+1)
		}
		if l.Lines > 0 {
			if l.Lines != n {
				return nil, fmt.Errorf("%w: %d lines of %d", ErrSnapshot, n, l.Lines)
			}
			s.rejoin()
			return s, nil
		}
		if err := s.restoreLine(&l); err != nil {
			return nil, fmt.Errorf("%w: line %d: %w", ErrSnapshot, n+1, err)
		}
	}
}

func (s *State) restoreLine(l *snapLine) error {
	switch {
	case l.Header != nil:
		return s.restoreHeader(l.Header)
	case l.Group != nil:
		return s.restoreGroup(l.Group)
	case l.Agent != nil:
		return s.restoreAgent(l.Agent)
	case l.Leg != nil:
		return s.restoreLeg(l.Leg)
	case l.Offer != nil:
		return s.restoreOffer(l.Offer)
	case l.Interaction != nil:
		return s.restoreInteraction(l.Interaction)
	case l.Deadline != nil:
		return s.restoreDeadline(l.Deadline)
	case l.Hours != nil:
		s.forcedHours[l.Hours.Hours] = *l.Hours
		return nil
	case l.Talk != nil:
		s.talks.put(*l.Talk)
		return nil
	}
	return errors.New("empty")
}

func (s *State) restoreHeader(h *snapHeader) error {
	if h.Format != snapshotFormat {
		return fmt.Errorf("format %d", h.Format)
	}
	if h.Config == nil {
		return errors.New("no configuration")
	}
	s.index, s.now, s.counters, s.config = h.Index, h.Now, h.Counters, h.Config
	s.level = max(h.Level, LevelFirst)
	if s.level > LevelMax {
		return fmt.Errorf("level %d is newer than this program", s.level)
	}
	if s.counters.Offers == nil || s.counters.Ended == nil {
		return errors.New("no counters")
	}
	s.deadlines.generation = h.Generation
	s.indexNumbers()
	return nil
}

func (s *State) restoreGroup(x *snapGroup) error {
	var g *group
	switch {
	case x.Removed != nil:
		g = newGroup(*x.Removed)
		g.removed, g.chat = true, x.Channel
	case s.config.Channel(channelOf(x.ID)) != nil:
		c := s.config.Channel(channelOf(x.ID))
		g = newGroup(channelGroup(c))
		g.chat = c
	case s.config.Group(x.ID) != nil:
		g = newGroup(*s.config.Group(x.ID))
	default:
		return fmt.Errorf("unknown group %q", x.ID)
	}
	g.cond, g.condSince, g.handle, g.promises = x.Cond, x.CondSince, x.Handle, x.Promises
	if s.groups[x.ID] != nil {
		return fmt.Errorf("group %q twice", x.ID)
	}
	s.groups[x.ID] = g
	s.groupOrder = append(s.groupOrder, g)
	return nil
}

func (s *State) restoreAgent(x *snapAgent) error {
	a := &agent{
		online: x.Online, lastAnswer: x.LastAnswer, misses: x.Misses, resting: x.Resting,
		chatRest: x.ChatRest, silent: x.Silent, wrapUp: x.WrapUp, owes: x.Owes, status: x.Status, since: x.Since,
		missed: x.Missed, duty: x.Duty, reason: x.Reason, next: x.Next, dnd: x.DND, places: x.Places,
	}
	for _, c := range x.Clients {
		a.clients = append(a.clients, &client{c.ID, c.Node, c.Kind, c.Rings, c.Open, c.Away, c.Hidden})
	}
	switch {
	case x.Removed != nil:
		a.def, a.removed = *x.Removed, true
	case s.config.Agent(x.ID) != nil:
		a.def = *s.config.Agent(x.ID)
	default:
		return fmt.Errorf("unknown agent %q", x.ID)
	}
	if s.agents[x.ID] != nil {
		return fmt.Errorf("agent %q twice", x.ID)
	}
	// Their place in the list is kept; legs and offers that come later fill it.
	for _, id := range x.Offers {
		o := &offer{id: id, agent: a}
		s.offers[id] = o
		a.offers = append(a.offers, o)
	}
	for _, id := range x.Legs {
		l := &leg{id: id, agent: a}
		s.legs[id] = l
		a.legs = append(a.legs, l)
	}
	s.agents[x.ID] = a
	s.agentOrder = append(s.agentOrder, a)
	return nil
}

func (s *State) restoreLeg(x *snapLeg) error {
	l := s.legs[x.ID]
	if l == nil {
		l = &leg{id: x.ID}
		s.legs[x.ID] = l
	}
	l.group, l.chat, l.held = x.Group, x.Chat, x.Held
	l.node, l.call, l.of, l.offer, l.slot, l.own, l.state = x.Node, x.Call, x.Of, x.Offer, x.Slot, x.Own, x.State
	if x.Outside != "" {
		l.agent = outsider(x.Outside)
		l.agent.refs++
		if l.slot {
			l.agent.legs = append(l.agent.legs, l)
		}
	}
	if x.Agent != "" {
		if l.agent = s.agents[x.Agent]; l.agent == nil {
			return fmt.Errorf("leg %q of unknown agent %q", x.ID, x.Agent)
		}
		l.agent.refs++
	}
	for _, raw := range x.Pending {
		c, err := decodeCommand(raw)
		if err != nil {
			return err
		}
		l.pending = append(l.pending, c)
	}
	return nil
}

func (s *State) restoreOffer(x *snapOffer) error {
	o := s.offers[x.ID]
	if o == nil {
		o = &offer{id: x.ID}
		s.offers[x.ID] = o
	}
	switch o.agent = s.agents[x.Agent]; {
	case x.Outside != "" && x.Leg != "" && s.legs[x.Leg] != nil && s.legs[x.Leg].agent != nil:
		o.agent = s.legs[x.Leg].agent
	case x.Outside != "":
		o.agent = outsider(x.Outside)
		if x.Slot {
			o.agent.offers = append(o.agent.offers, o)
		}
	case o.agent == nil:
		return fmt.Errorf("offer %d to unknown agent %q", x.ID, x.Agent)
	}
	o.agent.refs++
	o.chat = x.Chat
	o.of, o.node, o.call, o.group, o.made = x.Of, x.Node, x.Call, x.Group, x.Made
	o.ringing, o.outcome, o.slot = x.Ringing, x.Outcome, x.Slot
	if x.Leg != "" {
		if o.leg = s.legs[x.Leg]; o.leg == nil {
			return fmt.Errorf("offer %d with unknown leg %q", x.ID, x.Leg)
		}
	}
	var err error
	o.pending, err = decodeCommand(x.Pending)
	return err
}

func (s *State) restoreInteraction(x *snapInteraction) error {
	i := &interaction{
		id: x.ID, arrived: x.Arrived, trunk: x.Trunk, from: x.From, party: x.Party, to: x.To, music: x.Music,
		group: s.groups[x.Group], caller: s.legs[x.Caller], phase: x.Phase, since: x.Since, cursor: cursor{x.At, x.Cursor},
		round: x.Round, answered: x.Answered, credit: x.Credit, overdue: x.Overdue,
		alerted: x.Alerted, admitted: x.Admitted, trail: x.Trail, omitted: x.Omitted,
		chain: x.Chain, hops: x.Hops, rung: x.Rung, service: x.Service, other: s.legs[x.Other],
		needs: x.Needs, entered: x.Entered, relaxed: x.Relaxed, tier: x.Tier, bonus: x.Bonus,
		via: x.Via, remedied: x.Remedied, promised: x.Promised,
		stints: x.Stints, told: x.Told, handover: x.Handover, slot: x.Slot, parkedBy: x.ParkedBy,
	}
	if i.entered == 0 { // written before there was anything that waiting changes
		i.entered = i.arrived
	}
	if i.other != nil {
		i.agent = i.other.agent
	}
	if x.Group == "" {
		i.group = s.direct
	}
	if c := x.Consult; c != nil {
		o := s.offers[c.Offer]
		if o == nil || c.Leg != "" && s.legs[c.Leg] == nil {
			return fmt.Errorf("interaction %d consults over an unknown offer or leg", x.ID)
		}
		i.consult = &consult{agent: o.agent, offer: c.Offer, leg: s.legs[c.Leg], aside: c.Aside}
	}
	if i.group == nil || i.caller == nil || (x.Other != "") != (i.agent != nil) || x.Agent != "" && i.agent != s.agents[x.Agent] {
		return fmt.Errorf("interaction %d of unknown group, agent or leg", x.ID)
	}
	if len(x.Tried) > 0 || i.group.def.Distribution == queuegroups.All {
		i.tried = map[queuegroups.AgentID]bool{}
	}
	for _, id := range x.Tried {
		i.tried[id] = true
	}
	for _, id := range x.Offers {
		if s.offers[id] == nil {
			return fmt.Errorf("interaction %d with unknown offer %d", x.ID, id)
		}
		i.offers = append(i.offers, s.offers[id])
	}
	s.interactions[x.ID] = i
	if x.Chat != nil {
		c := x.Chat
		i.lastAt, i.lastBy, i.unanswered, i.toldNobody, i.closedBy = c.LastAt, c.LastBy, c.Unanswered, c.ToldNobody, c.ClosedBy
		i.responsible, i.beside = c.Responsible, c.Beside
	}
	if i.phase == PhaseAsleep {
		i.group.asleep.insert(i.key(), i)
	}
	if i.slot != "" {
		s.slots[i.slot] = i
	}
	if i.phase == PhaseOffered {
		i.group.ringing.insert(i.key(), i)
	}
	i.group.interactions++
	if i.relaxed > len(i.group.def.Relax) || i.tier > len(i.group.def.Tiers) {
		return fmt.Errorf("interaction %d has waited for more than there is", x.ID)
	}
	if x.Personal != "" {
		if i.personal = s.agents[x.Personal]; i.personal == nil {
			return fmt.Errorf("interaction %d is for unknown agent %q", x.ID, x.Personal)
		}
		i.personal.refs++
		if i.phase == PhaseQueued {
			i.personal.personal.insert(i.key(), i)
		}
	}
	return nil
}

func (s *State) restoreDeadline(x *deadline) error {
	if s.deadlines.byID[x.ID] != nil {
		return fmt.Errorf("deadline %v twice", x.ID)
	}
	s.deadlines.put(x)
	return nil
}

func outsider(number string) *agent {
	return &agent{outside: true, def: queuegroups.Agent{Phone: number}}
}

// recountSlots counts what each agent has in hand.
func (s *State) recountSlots() {
	for _, id := range sortedKeys(s.offers) {
		if o := s.offers[id]; o.slot {
			o.agent.hold(o.group, o.chat, 1)
		}
	}
	for _, id := range sortedKeys(s.legs) {
		l := s.legs[id]
		if !l.slot {
			continue
		}
		l.agent.hold(l.group, l.chat, 1)
		i := s.interactions[l.of]
		if i == nil || i.other != l {
			continue
		}
		l.quiet = i.phase == PhaseClosing
		if i.excluded() {
			l.excluded = true
			l.agent.tally(l.group, -1)
		}
	}
}

// channelsSince declares the channels that a snapshot does not have because it was
// written before channels were groups.
func (s *State) channelsSince() {
	for k := range s.config.Channels {
		c := &s.config.Channels[k]
		if def := channelGroup(c); s.groups[def.ID] == nil {
			s.declareGroup(def, c)
		}
	}
}

// rejoin derives what a snapshot leaves out: seats, census and free sets.
func (s *State) rejoin() {
	s.remembers = remembers(s.config)
	for _, a := range s.agentOrder {
		a.tracked = s.config.WorkTime.Tracked
		a.ready = a.isReady(s.config)
		a.seen = a.presenceKey()
	}
	s.channelsSince()
	s.seat()
	for _, id := range sortedKeys(s.interactions) {
		s.relane(s.interactions[id])
	}
	s.recountSlots()
	for _, a := range s.agentOrder {
		for _, t := range a.seats {
			s.reseat(t)
		}
	}
	s.judgeAll() // finds nothing, as match does; both clear what reseat noted
	s.match()
}
