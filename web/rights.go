package web

import (
	"net/http"
	"net/netip"
	"slices"

	"centrala/acd"
	"centrala/internal/accounts"
	"centrala/queuegroups"
)

// Caller is who makes a request, and from where.
type Caller struct {
	accounts.Caller
	From netip.Addr
}

// own tells whether the agent is the caller themself.
func (c *Caller) own(agent queuegroups.AgentID) bool { return agent != "" && c.Agent == agent }

// by is how the core writes down that the caller acted on an agent; empty: the agent themself did.
func (c *Caller) by(agent queuegroups.AgentID) queuegroups.AgentID {
	switch {
	case c.own(agent):
		return ""
	case c.Agent != "":
		return c.Agent
	}
	return queuegroups.AgentID(c.Name)
}

// Need is what an operation asks of its caller. The zero Need is none, and is refused.
type Need struct {
	right queuegroups.Right
	kind  needKind
}

type needKind uint8

const (
	needRight needKind = iota + 1
	needSession
	needNothing
)

// Needs asks for a right.
func Needs(r queuegroups.Right) Need { return Need{right: r, kind: needRight} }

// SignedIn asks for a session, whatever its user may do. Programs with keys have none.
func SignedIn() Need { return Need{kind: needSession} }

// Anybody asks for nothing.
func Anybody() Need { return Need{kind: needNothing} }

// String is how the need is written in the OpenAPI document.
func (n Need) String() string {
	switch n.kind {
	case needRight:
		return string(n.right)
	case needSession:
		return "session"
	case needNothing:
		return "nothing"
	}
	return ""
}

// met tells whether the caller may use the operation; nil: they may.
func (n Need) met(c *Caller) *Problem {
	switch {
	case n.kind == needNothing:
		return nil
	case c == nil:
		return problem(http.StatusUnauthorized, codeNotSignedIn, "sign in, or send an API key")
	case c.Once && n.kind != needSession:
		return problem(http.StatusForbidden, codeChoosePassword, "choose a password first: POST "+Prefix+"/session/password")
	case n.kind == needSession && c.Session == "":
		return forbidden("this is for people who signed in, not for API keys")
	case n.kind == needRight && !c.Role.Has(n.right):
		return forbidden("this needs the right %s", n.right)
	}
	return nil
}

// inReach tells whether the caller's rights reach what belongs to a group; what is in no group
// (empty) is for those alone whose rights have no bounds.
func (c *Caller) inReach(g queuegroups.GroupID) bool {
	switch c.Role.Reach {
	case queuegroups.ReachAll:
		return true
	case queuegroups.ReachGroups:
		return g != "" && slices.Contains(c.Role.Groups, g)
	case queuegroups.ReachOwn:
	}
	return false
}

// sight is what a caller sees of a state, while it stands still.
type sight struct {
	*Caller
	state  *acd.State
	serves []queuegroups.GroupID // the groups that list the caller
}

// look begins to look at a state, within Core.View.
func (c *Caller) look(s *acd.State) *sight {
	x := &sight{Caller: c, state: s}
	if c.Agent != "" && c.Role.Reach != queuegroups.ReachAll {
		if own, ok := s.Agent(c.Agent); ok {
			x.serves = own.Groups
		}
	}
	return x
}

// agent tells whether the caller may see an agent: themself, and who is in a group that they may see.
func (x *sight) agent(v *acd.AgentView) bool {
	return x.own(v.ID) || x.Role.Reach == queuegroups.ReachAll || slices.ContainsFunc(v.Groups, x.group)
}

// group tells whether the caller may see a group: one in reach, or, of those who reach no
// further than themself, one that they serve.
func (x *sight) group(g queuegroups.GroupID) bool {
	return x.inReach(g) || x.Role.Reach == queuegroups.ReachOwn && slices.Contains(x.serves, g)
}

// interaction tells whether the caller may see an interaction: one of a group in reach, one
// that they have, had or are being offered, and what they may pick up.
func (x *sight) interaction(v *acd.InteractionView) bool {
	return x.inReach(v.Group) || x.partOf(v) || x.mayPickUp(v)
}

// mayPickUp tells whether the interaction waits or rings in a group that the caller serves, and
// that lets colleagues pick up (R93).
func (x *sight) mayPickUp(v *acd.InteractionView) bool {
	return (v.Phase == acd.PhaseQueued || v.Phase == acd.PhaseOffered) && slices.Contains(x.serves, v.Group) && x.state.LetsPickUp(v.Group)
}

// commandsAgent tells whether the caller may change how an agent stands.
func (c *Caller) commandsAgent(v *acd.AgentView) bool {
	return c.own(v.ID) || c.Role.Reach == queuegroups.ReachAll || slices.ContainsFunc(v.Groups, c.inReach)
}

// partOf tells whether the caller has, had or is being offered an interaction.
func (c *Caller) partOf(v *acd.InteractionView) bool {
	if c.Agent == "" {
		return false
	}
	return v.Agent == c.Agent || v.Consults == c.Agent || v.For == c.Agent ||
		slices.ContainsFunc(v.Offers, func(o acd.OfferView) bool { return o.Agent == c.Agent }) ||
		slices.ContainsFunc(v.Stints, func(x acd.Stint) bool { return x.Agent == c.Agent })
}

// partsOf are the agents who are part of an interaction, as partOf has it, each once.
func partsOf(v *acd.InteractionView) []queuegroups.AgentID {
	var list []queuegroups.AgentID
	add := func(a queuegroups.AgentID) {
		if a != "" && !slices.Contains(list, a) {
			list = append(list, a)
		}
	}
	add(v.Agent)
	add(v.Consults)
	add(v.For)
	for _, o := range v.Offers {
		add(o.Agent)
	}
	for _, x := range v.Stints {
		add(x.Agent)
	}
	return list
}
