package acd

import (
	"cmp"
	"slices"
	"time"
)

// The defaults of queuegroups.Presence (R37 to R39).
const (
	browserIdle  = 15 * time.Minute
	desktopIdle  = 10 * time.Minute
	mobileHidden = 5 * time.Minute
)

// client is a program, other than a telephone, that an agent works with at a node.
type client struct {
	id     uint64 // of its deadline
	node   NodeID
	kind   ClientKind
	rings  bool // it is registered, so that it can be rung for calls
	open   bool // chats can be shown in it
	away   bool // left alone for too long, hidden or locked
	hidden bool // minimised
}

// reachable: the agent can be rung for a call: a telephone is registered, or a
// client that they are at. A fixed contact cannot register and counts as
// reachable always.
func (a *agent) reachable() bool {
	return len(a.online) > 0 || a.def.Contact != "" ||
		slices.ContainsFunc(a.clients, func(c *client) bool { return c.rings && !c.away })
}

// registered: something of the agent's is registered, so that what rings at theirs
// may go on ringing, whether they are at it or not.
func (a *agent) registered() bool {
	return len(a.online) > 0 || a.def.Contact != "" || slices.ContainsFunc(a.clients, func(c *client) bool { return c.rings })
}

// attending: the agent is at a client in which chats can be shown (R35).
func (a *agent) attending() bool {
	return slices.ContainsFunc(a.clients, func(c *client) bool { return c.open && !c.away })
}

// limit is how long the client may be left as it is until its agent is away; 0: for ever.
func (s *State) limit(c *client) time.Duration {
	p := s.config.Presence
	switch {
	case c.kind == ClientBrowser: // R38
		return cmp.Or(p.Browser, browserIdle)
	case c.kind == ClientDesktop: // R39
		return cmp.Or(p.Desktop, desktopIdle)
	case c.kind == ClientMobile && c.hidden: // R37
		return cmp.Or(p.Mobile, mobileHidden)
	}
	return 0
}

// known: there are clients of the kind.
func (k ClientKind) known() bool {
	return k == ClientPhone || k == ClientBrowser || k == ClientDesktop || k == ClientMobile
}

// clientAt returns the agent's client of the kind at the node; it is made if there is none.
func (s *State) clientAt(a *agent, n NodeID, k ClientKind) *client {
	for _, c := range a.clients {
		if c.node == n && c.kind == k {
			return c
		}
	}
	c := &client{id: s.index, node: n, kind: k}
	a.clients = append(a.clients, c)
	slices.SortFunc(a.clients, func(x, y *client) int { return cmp.Or(cmp.Compare(x.node, y.node), cmp.Compare(x.kind, y.kind)) })
	return c
}

func (c *client) deadline(a *agent) DeadlineID {
	return DeadlineID{Kind: deadlineClient, N: c.id, Name: string(a.def.ID)}
}

// used notes that the agent is at the client.
func (s *State) used(a *agent, c *client) {
	c.away = false
	if d := s.limit(c); d > 0 {
		s.deadlines.arm(c.deadline(a), s.now.after(d))
	} else {
		s.deadlines.disarm(c.deadline(a))
	}
}

// dropClient forgets a client.
func (s *State) dropClient(a *agent, c *client) {
	s.deadlines.disarm(c.deadline(a))
	a.clients = removeOne(a.clients, c)
}

// applyClientSeen: a client changed its state, or was used (R36 to R39).
func (s *State) applyClientSeen(e *ClientSeen) {
	a := s.agents[e.Agent]
	if a == nil || e.Client == ClientPhone || !e.Client.known() {
		s.counters.Unknown++
		return
	}
	c := s.clientAt(a, e.Node, e.Client)
	why := string(e.Client) + " " + string(e.State)
	switch e.State {
	case ClientUsed:
		c.open, c.hidden = true, false
		s.used(a, c)
	case ClientMinimised:
		first, hidden := !c.open, c.hidden
		c.open, c.hidden = true, true
		if !c.away && (first || c.kind == ClientMobile && !hidden) {
			s.used(a, c)
		}
	case ClientLocked:
		c.open, c.away = true, true
		s.deadlines.disarm(c.deadline(a))
	case ClientClosed:
		c.open = false
		if !c.rings {
			s.dropClient(a, c)
		}
	default:
		s.counters.Unknown++
		if !c.open && !c.rings {
			s.dropClient(a, c)
		}
		return
	}
	s.presenceChanged(a, why)
}

// clientLeft: nobody has used the client for too long.
func (s *State) clientLeft(a *agent, id uint64) {
	for _, c := range a.clients {
		if c.id == id {
			c.away = true
			s.presenceChanged(a, string(c.kind)+" left alone")
			return
		}
	}
}

// presenceChanged: an agent of whom nothing is registered any more loses the
// offers of calls made to them; calls go on.
func (s *State) presenceChanged(a *agent, why string) {
	if !a.registered() {
		s.withdrawFrom(a, "the agent's phone is gone", func(o *offer) bool { return !o.chat })
	}
	s.refresh(a, why)
}

// withdrawFrom takes back offers that the agent has not answered, without a miss:
// they go to others at once.
func (s *State) withdrawFrom(a *agent, why string, which func(*offer) bool) {
	for _, o := range slices.Clone(a.offers) {
		if i := s.interactions[o.of]; i != nil && o.outcome == "" && which(o) {
			s.withdraw(i, o, OutcomeWithdrawn, why)
			s.afterOffer(i)
		}
	}
}
