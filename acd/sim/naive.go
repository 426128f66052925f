package sim

import (
	"cmp"
	"slices"
	"time"

	"centrala/acd"
	"centrala/queuegroups"
)

// naive is the second opinion on who gets what: the same requirements written
// down in the plainest way, with lists that are searched from one end to the
// other and nothing kept that can be found out. It is compared with the core
// after every entry, deadlines included.
type naive struct {
	index     uint64
	now       time.Time
	level     acd.Level
	config    *queuegroups.Config
	agents    []*nAgent // as declared, then those who are gone but not done
	groups    []*nGroup // likewise
	nowhere   *nGroup   // of calls that are in no group
	calls     []*nCall
	legs      map[acd.LegID]*nLeg
	offers    []*nOffer
	forced    map[queuegroups.HoursID]acd.HoursForced
	talked    map[string]queuegroups.AgentID // who talked to a customer last
	due       map[acd.DeadlineID]time.Time
	made      []*nOffer // by the present entry, in order
	ended     []nEnd    // by the present entry
	unsettled []*nCall  // have come to wait and been told nothing yet
}

type nAgent struct {
	def     queuegroups.Agent
	removed bool
	outside bool // a number that a call was forwarded to
	phones  []acd.NodeID
	clients []*nClient
	duty    acd.Duty
	reason  string
	next    *acd.DutySet
	dnd     bool
	places  map[queuegroups.GroupID]acd.SeatSet
	offers  []*nOffer // that take a slot
	legs    []*nLeg   // that take a slot
	last    time.Time // answer; zero: none
	misses  int
	seen    [5]bool          // presence, when their chats were last looked at
	resting acd.FailureClass // left alone with calls
	refused acd.FailureClass // left alone with chats
	silent  bool
	wrapUp  bool
	owes    *nCall // of which they have to tell what came
}

type nClient struct {
	id                        uint64
	node                      acd.NodeID
	kind                      acd.ClientKind
	rings, open, away, hidden bool
}

type nGroup struct {
	def     queuegroups.Group
	chat    *queuegroups.Channel // nil: it serves calls
	removed bool
	seats   []nSeat
	cond    string
	since   time.Time
}

// nSeat is an agent's place in a group.
type nSeat struct {
	agent *nAgent
	group *nGroup
	tier  int
	place int
}

// nRank is where a seat comes in the order in which a group is gone through.
type nRank struct {
	tier  int
	used  int
	last  time.Time
	place int
}

func (r nRank) compare(o nRank) int {
	return cmp.Or(cmp.Compare(r.tier, o.tier), cmp.Compare(r.used, o.used), r.last.Compare(o.last), cmp.Compare(r.place, o.place))
}

type nCall struct {
	id       acd.InteractionID
	arrived  time.Time
	from     string
	to       string
	group    *nGroup
	caller   *nLeg
	phase    acd.Phase
	offers   []*nOffer // live ones
	needs    map[queuegroups.SkillID]int
	entered  time.Time // the group
	relaxed  int
	tier     int
	cursor   *nRank
	tried    map[queuegroups.AgentID]bool
	kept     *nAgent // it waits for them, or rings at theirs, and at nobody else's
	agent    *nAgent
	other    *nLeg
	overdue  bool
	let      bool // into the queue
	credit   time.Duration
	bonus    time.Duration       // the part of it that goes along to other groups
	answered bool                // by an agent, at some time
	card     queuegroups.AgentID // asleep: whom the customer's card names
	via      string              // the chain that it follows
	chain    int                 // the present action of it
	remedied int                 // the worst condition that it has been taken care of for
	hops     int
	rung     bool
	service  queuegroups.ActionKind
	handed   *nHanded
	consult  *nConsult
	slot     string
	parkedBy queuegroups.AgentID
	waits    bool                         // is in unsettled
	answers  bool                         // the agent wrote last in the chat
	told     map[queuegroups.AgentID]bool // who told what came of it
	closedBy acd.EndKind
}

func (c *nCall) chat() bool { return c.group.chat != nil }

// nHanded is a blind transfer under way.
type nHanded struct {
	by       queuegroups.AgentID
	returned bool
}

type nConsult struct {
	agent *nAgent
	offer *nOffer
	leg   *nLeg // nil: being rung
	aside bool
}

// nState is how far a leg is.
type nState int

const (
	nUnanswered nState = iota
	nAnswering
	nUp
	nEnding
	nGone
)

type nLeg struct {
	id     acd.LegID
	node   acd.NodeID
	call   *nCall // nil: none, or over
	agent  *nAgent
	own    bool // the agent made the call
	asked  bool // or has only asked for it
	slot   bool
	chat   *nGroup // it is an agent's end of a chat of this channel
	free   bool    // which counts against no limit (R47)
	held   bool    // it holds whom it is bridged with
	state  nState
	won    *nOffer
	bridge acd.LegID // with which it is being bridged
}

type nOffer struct {
	id      acd.OfferID
	call    *nCall
	node    acd.NodeID
	agent   *nAgent
	ringing bool
	live    bool
	won     bool
	slot    bool
	chat    *nGroup // it is a chat of this channel
	until   time.Time
}

type nEnd struct {
	id    acd.InteractionID
	end   acd.EndKind
	agent queuegroups.AgentID
}

func newNaive() *naive {
	return &naive{
		level: acd.LevelFirst, config: &queuegroups.Config{}, legs: map[acd.LegID]*nLeg{},
		forced: map[queuegroups.HoursID]acd.HoursForced{}, talked: map[string]queuegroups.AgentID{},
		due: map[acd.DeadlineID]time.Time{},
		nowhere: &nGroup{def: queuegroups.Group{
			Distribution: queuegroups.InOrder, Rings: 6, RingLength: 5 * time.Second,
			NoAnswer: []queuegroups.Action{{Kind: queuegroups.ActionHangup}}, BlindTransferNoAnswer: queuegroups.TransferReturn,
		}},
	}
}

func (n *naive) agent(id queuegroups.AgentID) *nAgent {
	for _, a := range n.agents {
		if a.def.ID == id {
			return a
		}
	}
	return nil
}

func (n *naive) group(id queuegroups.GroupID) *nGroup {
	for _, g := range n.groups {
		if g.def.ID == id {
			return g
		}
	}
	return nil
}

func (n *naive) call(id acd.InteractionID) *nCall {
	for _, c := range n.calls {
		if c.id == id {
			return c
		}
	}
	return nil
}

func (n *naive) offer(id acd.OfferID) *nOffer {
	for _, o := range n.offers {
		if o.id == id {
			return o
		}
	}
	return nil
}

func (n *naive) number(to string) *queuegroups.Number {
	for k := range n.config.Numbers {
		if n.config.Numbers[k].Number == to {
			return &n.config.Numbers[k]
		}
	}
	return nil
}

// without returns the list without x.
func without[T comparable](list []T, x T) []T {
	return slices.DeleteFunc(slices.Clone(list), func(y T) bool { return x == y })
}

func (n *naive) arm(id acd.DeadlineID, in time.Duration) { n.due[id] = n.now.Add(in) }

func (n *naive) disarm(id acd.DeadlineID) { delete(n.due, id) }

func ofCall(k acd.DeadlineKind, c *nCall) acd.DeadlineID {
	return acd.DeadlineID{Kind: k, N: uint64(c.id)}
}

func ofOffer(k acd.DeadlineKind, o *nOffer) acd.DeadlineID {
	return acd.DeadlineID{Kind: k, N: uint64(o.id)}
}

func ofAgent(k acd.DeadlineKind, a *nAgent) acd.DeadlineID {
	return acd.DeadlineID{Kind: k, Name: string(a.def.ID)}
}

func ofLeg(k acd.DeadlineKind, l *nLeg) acd.DeadlineID {
	return acd.DeadlineID{Kind: k, Name: string(l.id)}
}

func ofClient(a *nAgent, c *nClient) acd.DeadlineID {
	return acd.DeadlineID{Kind: "client", N: c.id, Name: string(a.def.ID)}
}

// closed: it is an agent's end of a chat that only awaits its rating.
func (l *nLeg) closed() bool { return l.call != nil && l.call.phase == acd.PhaseClosing }
