package acd

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"centrala/queuegroups"
)

// AgentView is what the world may see of an agent.
type AgentView struct {
	ID           queuegroups.AgentID   `json:"id"`
	Name         string                `json:"name"`
	Status       AgentStatus           `json:"status"`
	Since        time.Time             `json:"since"`
	Nodes        []NodeID              `json:"nodes,omitempty"` // where phones are registered
	Groups       []queuegroups.GroupID `json:"groups,omitempty"`
	Interactions []InteractionID       `json:"interactions,omitempty"` // offered to or held by the agent
	LastAnswer   time.Time             `json:"last_answer"`            // zero: none yet
	Misses       int                   `json:"misses"`                 // in a row
	CanTake      bool                  `json:"can_take"`               // may be offered a call now
	Duty         Duty                  `json:"duty"`
	Reason       string                `json:"reason,omitempty"` // of the break
	Next         Duty                  `json:"next,omitempty"`   // once the present work is done
	DND          bool                  `json:"dnd,omitempty"`
	NoAnswer     int                   `json:"missed_no_answer,omitempty"`   // of Misses
	Unreachable  int                   `json:"missed_unreachable,omitempty"` // of Misses
	WrapUpUntil  time.Time             `json:"wrap_up_until,omitzero"`
	// MustTell is the interaction of which they have to tell what came before they may end their wrap-up, and
	// MustTellIn its group.
	MustTell     InteractionID       `json:"must_tell,omitempty"`
	MustTellIn   queuegroups.GroupID `json:"must_tell_in,omitempty"`
	Chats        int                 `json:"chats,omitempty"`         // in hand, offers included
	Counted      int                 `json:"chats_counted,omitempty"` // of these, those that count against their limit
	ChatsCanTake int                 `json:"chats_can_take"`          // more that they may be offered now, by their own limit
	Clients      []ClientView        `json:"clients,omitempty"`       // other than telephones
	Seats        []SeatView          `json:"seats,omitempty"`         // in groups, where they are not logged in or paused
}

// ClientView is what the world may see of a program that an agent works with.
type ClientView struct {
	Node  NodeID     `json:"node"`
	Kind  ClientKind `json:"kind"`
	Rings bool       `json:"rings"` // is registered for calls
	Open  bool       `json:"open"`  // chats can be shown in it
	Away  bool       `json:"away"`  // left alone for too long, hidden or locked
}

// SeatView is what the world may see of an agent's place in a group.
type SeatView struct {
	Group  queuegroups.GroupID `json:"group"`
	State  SeatState           `json:"state"`
	Reason string              `json:"reason,omitempty"`
	Since  time.Time           `json:"since"`
}

// OfferView is what the world may see of a live offer.
type OfferView struct {
	ID      OfferID             `json:"id"`
	Agent   queuegroups.AgentID `json:"agent"`
	Made    time.Time           `json:"made"`
	Ringing bool                `json:"ringing"`
}

// InteractionView is what the world may see of an interaction.
type InteractionView struct {
	ID         InteractionID         `json:"id"`
	Node       NodeID                `json:"node"`
	Leg        LegID                 `json:"leg"` // that the call began with
	Trunk      queuegroups.TrunkID   `json:"trunk,omitempty"`
	From       Party                 `json:"from"`
	To         string                `json:"to"`
	Group      queuegroups.GroupID   `json:"group"`
	Phase      Phase                 `json:"phase"`
	Since      time.Time             `json:"since"` // in the phase
	Arrived    time.Time             `json:"arrived"`
	Round      int                   `json:"round"` // completed times round the group
	Offers     []OfferView           `json:"offers,omitempty"`
	Agent      queuegroups.AgentID   `json:"agent,omitempty"`      // who answered
	AgentLeg   LegID                 `json:"agent_leg,omitempty"`  // that agent's leg
	For        queuegroups.AgentID   `json:"for,omitempty"`        // it waits for this agent only
	Consults   queuegroups.AgentID   `json:"consults,omitempty"`   // the colleague
	Slot       string                `json:"slot,omitempty"`       // where it is parked
	Channel    queuegroups.ChannelID `json:"channel,omitempty"`    // of a chat
	LastBy     string                `json:"last_by,omitempty"`    // who wrote last in a chat: customer or agent
	LastAt     time.Time             `json:"last_at,omitzero"`     // and when
	Unanswered bool                  `json:"unanswered,omitempty"` // the chat counts as such
	Beside     []queuegroups.AgentID `json:"beside,omitempty"`     // who of the staff writes in the chat beside its agent
	Stints     []Stint               `json:"stints,omitempty"`     // which agents had it
	Holds      []HoldView            `json:"holds,omitempty"`      // who has put whom they talk to on hold
	Needs      []queuegroups.Skill   `json:"needs,omitempty"`      // skills that it needs now
	Tier       int                   `json:"tier"`                 // the last that waiting has opened, from 1
	Steps      []Step                `json:"steps"`
	Omitted    int                   `json:"omitted,omitempty"` // steps left out of the middle
}

// GroupView is what the world may see of a group.
type GroupView struct {
	ID           queuegroups.GroupID   `json:"id"`
	Name         string                `json:"name"`
	Waiting      int                   `json:"waiting"`           // nobody is being rung for them
	Interactions int                   `json:"interactions"`      // in any phase
	Longest      time.Time             `json:"longest"`           // arrival of the first waiting one; zero: none
	Free         int                   `json:"free"`              // agents who may be offered a call now
	Agents       map[string]int        `json:"agents"`            // by AgentStatus
	Condition    string                `json:"condition"`         // whether, and why not, anybody can serve it
	Channel      queuegroups.ChannelID `json:"channel,omitempty"` // whose agents they are; empty: it serves calls
	Since        time.Time             `json:"since"`             // of the condition
	Handle       time.Duration         `json:"handle"`            // mean time of handling an interaction; 0: no experience yet
	Promises     Promises              `json:"promises"`
	Dispositions []string              `json:"dispositions,omitempty"` // codes for what came of a call; not to be changed
	// DispositionRequired: agents are to choose one of them after each call.
	DispositionRequired bool `json:"disposition_required,omitempty"`
}

// Agents returns a view of every agent, in order of declaration.
func (s *State) Agents() []AgentView {
	out := make([]AgentView, 0, len(s.agentOrder))
	for _, a := range s.agentOrder {
		out = append(out, s.viewAgent(a))
	}
	return out
}

// Agent returns a view of one agent; false: there is none.
func (s *State) Agent(id queuegroups.AgentID) (AgentView, bool) {
	a := s.agents[id]
	if a == nil {
		return AgentView{}, false
	}
	return s.viewAgent(a), true
}

func (s *State) viewAgent(a *agent) AgentView {
	v := AgentView{
		ID: a.def.ID, Name: a.def.Name, Status: a.status, Since: a.since.Time(),
		Nodes: slices.Clone(a.online), LastAnswer: a.lastAnswer.Time(), Misses: a.misses, CanTake: a.canTake(),
	}
	v.Duty, v.Reason, v.DND, v.NoAnswer, v.Unreachable = a.onDuty(s.config), a.reason, a.dnd, a.missed[0], a.missed[1]
	v.Chats, v.Counted, v.ChatsCanTake = a.open, a.chats, a.chatsLeft()
	if a.next != nil {
		v.Next = a.next.Duty
	}
	if d := s.deadlines.byID[DeadlineID{Kind: deadlineWrapUp, Name: string(a.def.ID)}]; d != nil {
		if v.WrapUpUntil, v.MustTell = d.At.Time(), s.mustTell(a); v.MustTell != 0 {
			v.MustTellIn = a.owes.Group
		}
	}
	for _, c := range a.clients {
		v.Clients = append(v.Clients, ClientView{c.node, c.kind, c.rings, c.open, c.away})
	}
	for _, x := range a.places {
		v.Seats = append(v.Seats, SeatView{x.Group, x.State, x.Reason, x.Since.Time()})
	}
	for _, t := range a.seats {
		v.Groups = append(v.Groups, t.group.def.ID)
	}
	for _, o := range a.offers {
		v.Interactions = append(v.Interactions, o.of)
	}
	for _, l := range a.legs {
		if !l.onlyAsked() {
			v.Interactions = append(v.Interactions, l.of)
		}
	}
	return v
}

// Interactions returns a view of every interaction that has not ended, by arrival.
func (s *State) Interactions() []InteractionView {
	out := make([]InteractionView, 0, len(s.interactions))
	for _, id := range sortedKeys(s.interactions) {
		out = append(out, s.interactions[id].story())
	}
	return out
}

// Underway goes through the interactions that have not ended and came after the one given, by
// arrival, in views that lack the steps.
func (s *State) Underway(after InteractionID) func(yield func(InteractionView) bool) {
	return func(yield func(InteractionView) bool) {
		for _, id := range sortedKeys(s.interactions) {
			if id > after && !yield(s.interactions[id].view()) {
				return
			}
		}
	}
}

// Interaction returns a view of one interaction that has not ended; false: there is none.
func (s *State) Interaction(id InteractionID) (InteractionView, bool) {
	i := s.interactions[id]
	if i == nil {
		return InteractionView{}, false
	}
	return i.story(), true
}

// Brief returns what Interaction does without the steps.
func (s *State) Brief(id InteractionID) (InteractionView, bool) {
	i := s.interactions[id]
	if i == nil {
		return InteractionView{}, false
	}
	return i.view(), true
}

// OfferDeadline returns when a live offer passes on unless it is accepted; false: there is none.
// Of a phone that does not ring yet it is when its ringing is no longer waited for.
func (s *State) OfferDeadline(id OfferID) (time.Time, bool) {
	d := s.deadlines.byID[DeadlineID{Kind: deadlineOffer, N: uint64(id)}]
	if d == nil {
		return time.Time{}, false
	}
	return d.At.Time(), true
}

func (i *interaction) story() InteractionView {
	v := i.view()
	v.Steps, v.Omitted = slices.Clone(i.trail), i.omitted
	return v
}

func (i *interaction) view() InteractionView {
	v := InteractionView{
		ID: i.id, Node: i.caller.node, Leg: i.caller.call, Trunk: i.trunk, From: i.from, To: i.to,
		Group: i.group.def.ID, Phase: i.phase, Since: i.since.Time(), Arrived: i.arrived.Time(),
		Round: i.round,
	}
	for _, o := range i.offers {
		v.Offers = append(v.Offers, OfferView{ID: o.id, Agent: o.agent.def.ID, Made: o.made.Time(), Ringing: o.ringing})
	}
	v.Needs, v.Tier = i.need(), i.tier+1
	v.Slot, v.Stints, v.Holds = i.slot, slices.Clone(i.stints), i.holds()
	if i.isChat() {
		v.Channel, v.LastAt, v.Unanswered, v.LastBy = i.group.chat.ID, i.lastAt.Time(), i.unanswered, "customer"
		if i.lastBy == wroteAgent {
			v.LastBy = "agent"
		}
		v.Beside = slices.Clone(i.beside)
	}
	if i.consult != nil {
		v.Consults = i.consult.agent.def.ID
	}
	if i.personal != nil {
		v.For = i.personal.def.ID
	}
	if i.agent != nil {
		v.Agent, v.AgentLeg = i.agent.def.ID, i.other.id
	}
	return v
}

// Groups returns a view of every group, in order of declaration.
func (s *State) Groups() []GroupView {
	out := make([]GroupView, 0, len(s.groupOrder))
	for _, g := range s.groupOrder {
		out = append(out, g.view())
	}
	return out
}

// Group returns a view of one group; false: there is none.
func (s *State) Group(id queuegroups.GroupID) (GroupView, bool) {
	g := s.groups[id]
	if g == nil {
		return GroupView{}, false
	}
	return g.view(), true
}

// LetsPickUp tells whether who serves the group may take what waits or rings there (R93); false, too, where there is none.
func (s *State) LetsPickUp(id queuegroups.GroupID) bool {
	g := s.groups[id]
	return g != nil && g.def.Pickup
}

func (g *group) view() GroupView {
	v := GroupView{
		ID: g.def.ID, Name: g.def.Name, Waiting: g.waiting, Interactions: g.interactions,
		Free: g.freeSeats, Agents: map[string]int{}, Dispositions: g.def.Dispositions, DispositionRequired: g.def.DispositionRequired,
	}
	if g.isChat() {
		v.Channel = g.chat.ID
	}
	v.Condition, v.Since, v.Handle, v.Promises = g.cond.String(), g.condSince.Time(), g.handle, g.promises
	if i := g.longest(); i != nil {
		v.Longest = i.arrived.Time()
	}
	for st, n := range g.census {
		if n > 0 {
			v.Agents[AgentStatus(st).String()] = int(n)
		}
	}
	return v
}

// Counters returns a copy of the counters.
func (s *State) Counters() Counters {
	c := s.counters
	c.Offers, c.Ended = maps.Clone(c.Offers), maps.Clone(c.Ended)
	return c
}

// Pending returns the commands for the node whose outcome is not yet known, in
// the order in which they were issued. After a failover they are to be carried
// out again; each has its first id.
func (s *State) Pending(node NodeID) []Command {
	var out []Command
	add := func(c Command) {
		if c != nil && c.Head().Node == node {
			out = append(out, c)
		}
	}
	for _, id := range sortedKeys(s.legs) {
		for _, c := range s.legs[id].pending {
			add(c)
		}
	}
	for _, id := range sortedKeys(s.offers) {
		add(s.offers[id].pending)
	}
	slices.SortFunc(out, func(a, b Command) int { return a.Head().ID.compare(b.Head().ID) })
	return out
}

func (c CommandID) compare(o CommandID) int {
	return cmp.Or(cmp.Compare(c.Index, o.Index), cmp.Compare(c.N, o.N))
}

// CallOf returns the leg that the call of an interaction began with, and the node that
// owns it; ok is false once the interaction has ended.
func (s *State) CallOf(id InteractionID) (leg LegID, node NodeID, ok bool) {
	i := s.interactions[id]
	if i == nil {
		return "", "", false
	}
	return i.caller.call, i.caller.node, true
}
