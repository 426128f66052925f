package acd

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"slices"
	"time"

	"centrala/queuegroups"
)

// snapshotFormat is the version of the encoding of snapshots.
const snapshotFormat = 1

// A snapshot is a stream of JSON lines: a header, then groups, agents, legs,
// offers, interactions and deadlines, each in order, then the number of lines.
// What can be derived is left out.
type (
	snapLine struct {
		Header      *snapHeader      `json:"header,omitempty"`
		Group       *snapGroup       `json:"group,omitempty"`
		Agent       *snapAgent       `json:"agent,omitempty"`
		Leg         *snapLeg         `json:"leg,omitempty"`
		Offer       *snapOffer       `json:"offer,omitempty"`
		Interaction *snapInteraction `json:"interaction,omitempty"`
		Deadline    *deadline        `json:"deadline,omitempty"`
		Talk        *talk            `json:"talk,omitempty"`
		Hours       *forcedHours     `json:"hours,omitempty"`
		Lines       int              `json:"lines,omitempty"`
	}
	snapHeader struct {
		Format     int                 `json:"format"`
		Index      uint64              `json:"index"`
		Now        instant             `json:"now"`
		Level      Level               `json:"level,omitempty"`
		Generation uint64              `json:"generation"`
		Counters   Counters            `json:"counters"`
		Config     *queuegroups.Config `json:"config"`
	}
	snapGroup struct {
		ID        queuegroups.GroupID  `json:"id"`
		Removed   *queuegroups.Group   `json:"removed,omitempty"` // as it was last declared
		Cond      condition            `json:"cond,omitempty"`
		CondSince instant              `json:"cond_since,omitempty"`
		Handle    time.Duration        `json:"handle,omitempty"`
		Promises  Promises             `json:"promises,omitzero"`
		Channel   *queuegroups.Channel `json:"channel,omitempty"` // as last declared, of one that is removed
	}
	snapAgent struct {
		ID         queuegroups.AgentID `json:"id"`
		Removed    *queuegroups.Agent  `json:"removed,omitempty"` // as last declared
		Online     []NodeID            `json:"online,omitempty"`
		Offers     []OfferID           `json:"offers,omitempty"`
		Legs       []LegID             `json:"legs,omitempty"`
		LastAnswer instant             `json:"last_answer,omitempty"`
		Misses     int                 `json:"misses,omitempty"`
		Resting    FailureClass        `json:"resting,omitempty"`
		ChatRest   FailureClass        `json:"chat_rest,omitempty"`
		Silent     bool                `json:"silent,omitempty"`
		WrapUp     bool                `json:"wrap_up,omitempty"`
		Owes       *owed               `json:"owes,omitempty"`
		Status     AgentStatus         `json:"status"`
		Since      instant             `json:"since,omitempty"`
		Missed     [2]int              `json:"missed,omitzero"`
		Duty       Duty                `json:"duty,omitempty"`
		Reason     string              `json:"reason,omitempty"`
		Next       *nextDuty           `json:"next,omitempty"`
		DND        bool                `json:"dnd,omitempty"`
		Places     []seatState         `json:"places,omitempty"`
		Clients    []snapClient        `json:"clients,omitempty"`
	}
	snapClient struct {
		ID     uint64     `json:"id"`
		Node   NodeID     `json:"node"`
		Kind   ClientKind `json:"kind"`
		Rings  bool       `json:"rings,omitempty"`
		Open   bool       `json:"open,omitempty"`
		Away   bool       `json:"away,omitempty"`
		Hidden bool       `json:"hidden,omitempty"`
	}
	snapLeg struct {
		ID      LegID               `json:"id"`
		Node    NodeID              `json:"node"`
		Call    LegID               `json:"call,omitempty"`
		Of      InteractionID       `json:"of,omitempty"`
		Agent   queuegroups.AgentID `json:"agent,omitempty"`
		Outside string              `json:"outside,omitempty"` // the number outside, instead of an agent
		Offer   OfferID             `json:"offer,omitempty"`
		Own     bool                `json:"own,omitempty"`
		Group   queuegroups.GroupID `json:"group,omitempty"` // for which it holds a slot
		Chat    bool                `json:"chat,omitempty"`
		Slot    bool                `json:"slot,omitempty"`
		Held    instant             `json:"held,omitempty"`
		State   legState            `json:"state"`
		Pending []json.RawMessage   `json:"pending,omitempty"`
	}
	snapChat struct {
		LastAt     instant `json:"last_at"`
		LastBy     wrote   `json:"last_by,omitempty"`
		Unanswered bool    `json:"unanswered,omitempty"`
		ToldNobody bool    `json:"told_nobody,omitempty"`
		ClosedBy   EndKind `json:"closed_by,omitempty"`

		Responsible queuegroups.AgentID   `json:"responsible,omitempty"`
		Beside      []queuegroups.AgentID `json:"beside,omitempty"`
	}
	snapConsult struct {
		Offer OfferID `json:"offer"`
		Leg   LegID   `json:"leg,omitempty"`
		Aside bool    `json:"aside,omitempty"`
	}
	snapOffer struct {
		ID      OfferID             `json:"id"`
		Of      InteractionID       `json:"of"`
		Node    NodeID              `json:"node"`
		Call    LegID               `json:"call"`
		Agent   queuegroups.AgentID `json:"agent,omitempty"`
		Outside string              `json:"outside,omitempty"` // the number outside, instead of an agent
		Group   queuegroups.GroupID `json:"group"`
		Made    instant             `json:"made"`
		Ringing bool                `json:"ringing,omitempty"`
		Outcome Outcome             `json:"outcome,omitempty"`
		Chat    bool                `json:"chat,omitempty"`
		Slot    bool                `json:"slot,omitempty"`
		Leg     LegID               `json:"leg,omitempty"`
		Pending json.RawMessage     `json:"pending,omitempty"`
	}
	snapInteraction struct {
		ID       InteractionID          `json:"id"`
		Arrived  instant                `json:"arrived"`
		Trunk    queuegroups.TrunkID    `json:"trunk,omitempty"`
		From     Party                  `json:"from"`
		Party    Party                  `json:"party,omitzero"`
		To       string                 `json:"to"`
		Music    queuegroups.MusicID    `json:"music,omitempty"`
		Group    queuegroups.GroupID    `json:"group"`
		Caller   LegID                  `json:"caller"`
		Phase    Phase                  `json:"phase"`
		Since    instant                `json:"since"`
		Offers   []OfferID              `json:"offers,omitempty"`
		Cursor   key                    `json:"cursor"`
		Round    int                    `json:"round,omitempty"`
		Tried    []queuegroups.AgentID  `json:"tried,omitempty"`
		Agent    queuegroups.AgentID    `json:"agent,omitempty"`
		Other    LegID                  `json:"other,omitempty"`
		Answered instant                `json:"answered,omitempty"`
		Credit   int64                  `json:"credit,omitempty"`
		Overdue  bool                   `json:"overdue,omitempty"`
		Alerted  bool                   `json:"alerted,omitempty"`
		Admitted bool                   `json:"admitted,omitempty"`
		Chain    int                    `json:"chain,omitempty"`
		Hops     int                    `json:"hops,omitempty"`
		Rung     bool                   `json:"rung,omitempty"`
		Service  queuegroups.ActionKind `json:"service,omitempty"`
		Trail    []Step                 `json:"trail"`
		Omitted  int                    `json:"omitted,omitempty"`
		Needs    []queuegroups.Skill    `json:"needs,omitempty"`
		Entered  instant                `json:"entered,omitempty"`
		Relaxed  int                    `json:"relaxed,omitempty"`
		Tier     int                    `json:"tier,omitempty"`
		At       int                    `json:"cursor_tier,omitempty"`
		Bonus    int64                  `json:"bonus,omitempty"`
		Personal queuegroups.AgentID    `json:"personal,omitempty"`
		Via      chainName              `json:"via,omitempty"`
		Remedied condition              `json:"remedied,omitempty"`
		Promised instant                `json:"promised,omitempty"`
		Stints   []Stint                `json:"stints,omitempty"`
		Told     []queuegroups.AgentID  `json:"told,omitempty"`
		Handover *handover              `json:"handover,omitempty"`
		Consult  *snapConsult           `json:"consult,omitempty"`
		Slot     string                 `json:"slot,omitempty"`
		ParkedBy queuegroups.AgentID    `json:"parked_by,omitempty"`
		Chat     *snapChat              `json:"chat,omitempty"`
	}
)

// Hash returns a hash of the whole state: equal on two nodes that applied the
// same log, wherever either began from a snapshot. O(n); for checks, not for
// each call.
func (s *State) Hash() uint64 {
	h := fnv.New64a()
	if err := s.Snapshot(h); err != nil {
		return 0
	}
	return h.Sum64()
}

// Snapshot writes the state so that Restore gives it back. The error is the
// writer's. O(n) in all that is in the state, about 1 µs for each thing.
func (s *State) Snapshot(w io.Writer) error {
	buf := bufio.NewWriter(w)
	enc := json.NewEncoder(buf)
	lines := 0
	var failed error
	put := func(l snapLine) {
		lines++
		if failed == nil {
			failed = enc.Encode(l)
		}
	}
	put(snapLine{Header: &snapHeader{
		Format: snapshotFormat, Index: s.index, Now: s.now, Level: s.level, Generation: s.deadlines.generation,
		Counters: s.counters, Config: s.config,
	}})
	for _, g := range s.groupOrder {
		put(snapLine{Group: g.snap()})
	}
	for _, a := range s.agentOrder {
		put(snapLine{Agent: a.snap()})
	}
	for _, id := range sortedKeys(s.legs) {
		l, err := s.legs[id].snap()
		failed = errors.Join(failed, err)
		put(snapLine{Leg: l})
	}
	for _, id := range sortedKeys(s.offers) {
		o, err := s.offers[id].snap()
		failed = errors.Join(failed, err)
		put(snapLine{Offer: o})
	}
	for _, id := range sortedKeys(s.interactions) {
		put(snapLine{Interaction: s.interactions[id].snap()})
	}
	armed := slices.Clone(s.deadlines.heap)
	slices.SortFunc(armed, func(a, b *deadline) int {
		if a.Generation < b.Generation {
			return -1
		}
		return 1
	})
	for _, d := range armed {
		put(snapLine{Deadline: d})
	}
	s.talks.order.each(func(customer string) bool {
		x := s.talks.byCustomer[customer]
		put(snapLine{Talk: &x})
		return true
	})
	for _, id := range sortedKeys(s.forcedHours) {
		x := s.forcedHours[id]
		put(snapLine{Hours: &x})
	}
	put(snapLine{Lines: lines})
	if failed != nil {
		return fmt.Errorf("snapshot: %w", failed)
	}
	if err := buf.Flush(); err != nil {
		return fmt.Errorf("snapshot: %w", err)
	}
	return nil
}

func (g *group) snap() *snapGroup {
	x := &snapGroup{ID: g.def.ID, Cond: g.cond, CondSince: g.condSince, Handle: g.handle, Promises: g.promises}
	if g.removed {
		x.Removed, x.Channel = &g.def, g.chat
	}
	return x
}

func (a *agent) snap() *snapAgent {
	x := &snapAgent{
		ID: a.def.ID, Online: a.online, LastAnswer: a.lastAnswer, Misses: a.misses, Resting: a.resting,
		ChatRest: a.chatRest, Silent: a.silent, WrapUp: a.wrapUp, Owes: a.owes, Status: a.status, Since: a.since,
		Missed: a.missed, Duty: a.duty, Reason: a.reason, Next: a.next, DND: a.dnd, Places: a.places,
	}
	for _, c := range a.clients {
		x.Clients = append(x.Clients, snapClient{c.id, c.node, c.kind, c.rings, c.open, c.away, c.hidden})
	}
	if a.removed {
		x.Removed = &a.def
	}
	for _, o := range a.offers {
		x.Offers = append(x.Offers, o.id)
	}
	for _, l := range a.legs {
		x.Legs = append(x.Legs, l.id)
	}
	return x
}

func (l *leg) snap() (*snapLeg, error) {
	x := &snapLeg{
		ID: l.id, Node: l.node, Call: l.call, Of: l.of, Offer: l.offer, Slot: l.slot, Own: l.own, State: l.state, Held: l.held, Group: l.group, Chat: l.chat,
	}
	if l.agent != nil {
		x.Agent = l.agent.def.ID
		if l.agent.outside {
			x.Outside = l.agent.def.Phone
		}
	}
	for _, c := range l.pending {
		raw, err := encodeCommand(c)
		if err != nil {
			return nil, err
		}
		x.Pending = append(x.Pending, raw)
	}
	return x, nil
}

func (o *offer) snap() (*snapOffer, error) {
	raw, err := encodeCommand(o.pending)
	if err != nil {
		return nil, err
	}
	x := &snapOffer{
		ID: o.id, Of: o.of, Node: o.node, Call: o.call, Agent: o.agent.def.ID, Group: o.group, Made: o.made,
		Ringing: o.ringing, Outcome: o.outcome, Slot: o.slot, Chat: o.chat, Pending: raw,
	}
	if o.agent.outside {
		x.Outside = o.agent.def.Phone
	}
	if o.leg != nil {
		x.Leg = o.leg.id
	}
	return x, nil
}

func (i *interaction) snap() *snapInteraction {
	x := &snapInteraction{
		ID: i.id, Arrived: i.arrived, Trunk: i.trunk, From: i.from, Party: i.party, To: i.to, Music: i.music,
		Group: i.group.def.ID, Caller: i.caller.id, Phase: i.phase, Since: i.since, Cursor: i.cursor.key,
		Round: i.round, Tried: sortedKeys(i.tried), Answered: i.answered, Credit: i.credit, Overdue: i.overdue,
		Alerted: i.alerted, Admitted: i.admitted, Chain: i.chain, Hops: i.hops, Rung: i.rung, Service: i.service,
		Trail: i.trail, Omitted: i.omitted,
		Needs: i.needs, Entered: i.entered, Relaxed: i.relaxed, Tier: i.tier, At: i.cursor.tier, Bonus: i.bonus,
		Via: i.via, Remedied: i.remedied, Promised: i.promised,
		Stints: i.stints, Told: i.told, Handover: i.handover, Slot: i.slot, ParkedBy: i.parkedBy,
	}
	if i.isChat() {
		x.Chat = &snapChat{i.lastAt, i.lastBy, i.unanswered, i.toldNobody, i.closedBy, i.responsible, i.beside}
	}
	if c := i.consult; c != nil {
		x.Consult = &snapConsult{Offer: c.offer, Aside: c.aside}
		if c.leg != nil {
			x.Consult.Leg = c.leg.id
		}
	}
	if i.personal != nil {
		x.Personal = i.personal.def.ID
	}
	for _, o := range i.offers {
		x.Offers = append(x.Offers, o.id)
	}
	if i.agent != nil {
		x.Agent, x.Other = i.agent.def.ID, i.other.id
	}
	return x
}
