package switchboard

import (
	"strings"

	"centrala/acd"
	"centrala/queuegroups"
	"centrala/sip"
)

// beginOwn takes in a call that an agent makes from a phone of theirs. Who calls
// is known by the password: what the phone says in From counts for nothing.
func (c *call) beginOwn(id queuegroups.AgentID) {
	config := c.board.config.Load()
	agent := config.Agent(id)
	if agent == nil { // taken out of the configuration a moment ago
		c.refuse(403, "")
		return
	}
	if token := c.caller.sip.Pickup(); token != "" {
		c.beginPickup(agent, token)
		return
	}
	if other := c.caller.sip.Replaces(); other != nil {
		c.beginReplacing(agent, other)
		return
	}
	if dialled := c.caller.sip.To(); strings.HasPrefix(dialled, "*") {
		f, ok := c.board.feature(agent, dialled)
		if !ok {
			c.refuse(404, "No Such Feature Code")
			return
		}
		c.beginFeature(f)
		return
	}
	arrived, may := c.board.ownCall(agent, c.caller.sip.To())
	if !may {
		if strings.HasPrefix(arrived.To, "+") {
			c.entitled(c.caller, arrived.To) // says why not
		}
		c.refuse(403, "Not Entitled")
		return
	}
	c.arrived(arrived)
}

// ownCall is what the core is told of a call that an agent makes; false: they may not call that.
func (b *Board) ownCall(agent *queuegroups.Agent, dialled string) (e *acd.CallArrived, may bool) {
	config := b.config.Load()
	e = &acd.CallArrived{
		Agent: agent.ID, From: acd.Party{Number: agent.Extension, Name: agent.Name}, To: b.dialled(dialled),
	}
	if agent, group := config.ByExtension(e.To); agent != nil || group != nil {
		return e, true
	}
	own := config.Number(e.To)
	short, mayShort, emergency := config.MayCallShort(agent.ID, e.To)
	switch {
	case own != nil: // no need to go outside
		e.Group = own.Group
	case short && !mayShort:
		return e, false
	case short:
		e.Outside = true
		if emergency {
			b.log.Warn().Str("agent", string(agent.ID)).Str("number", e.To).Msg("an agent calls an emergency service")
		}
	case strings.HasPrefix(e.To, "+"):
		if _, ok := config.MayCall(agent.ID, e.To); !ok {
			return e, false
		}
		e.Trunk = config.TrunkOut(agent.ID)
	}
	return e, true
}

// beginReplacing takes in an INVITE with Replaces (RFC 3891): a call that rings at
// a colleague's phone is picked up (R93), as by ** and their extension. The place in a
// call that goes on is for other phones of its agent, for whom that agent sent here
// (RFC 3892), and for those who may pick up the agent's calls.
func (c *call) beginReplacing(agent *queuegroups.Agent, other *sip.Leg) {
	if other.Answered() && c.board.core != nil {
		claim := &acd.Claimed{Agent: agent.ID, Of: acd.LegID(other.ID()), By: c.board.agentNamed(c.caller.sip.ReferredBy())}
		may := false
		c.board.core.View(func(s *acd.State) { may = s.TakeOver(claim) })
		if may {
			c.beginFeature(&feature{name: "taking over", claim: claim})
			return
		}
	}
	if other.Inbound() || other.Answered() || other.User() == "" {
		c.log.Warn().Str("agent", string(agent.ID)).Msg("call refused: it wants the place of one that is no pickup")
		c.refuse(603, "")
		return
	}
	from := queuegroups.AgentID(other.User())
	c.beginFeature(&feature{name: "pickup", claim: &acd.Claimed{Agent: agent.ID, Kind: acd.ClaimAgent, From: from}})
}

// agentNamed is the agent of a name or an extension; empty: there is none.
func (b *Board) agentNamed(user string) queuegroups.AgentID {
	config := b.config.Load()
	if a, _ := config.ByExtension(user); a != nil {
		return a.ID
	}
	if a := config.Agent(queuegroups.AgentID(strings.ToLower(user))); a != nil {
		return a.ID
	}
	return ""
}

// HasPassword tells whether an agent has the password of a telephone.
func (b *Board) HasPassword(id queuegroups.AgentID) bool {
	agent := b.config.Load().Agent(id)
	return agent != nil && !agent.SIPPassword.Empty()
}

// entitled: the agent whose leg it is may call a number outside, or send
// somebody there. It says so in the log where they may not.
func (c *call) entitled(l *leg, number string) bool {
	class, ok := c.board.config.Load().MayCall(l.agent, number)
	if !ok {
		c.board.counts.denied.Add(1)
		c.log.Warn().Str("leg_id", string(l.id)).Str("agent", string(l.agent)).Str("number", number).Stringer("class", class).
			Stringer("source", l.sip.Remote()).Msg("number outside denied: the agent may not call it")
	}
	return ok
}

// dialled is what an agent dialled as the core compares it: an extension as it
// is, anything else as a number. An extension goes before a number of the same
// digits.
func (b *Board) dialled(s string) string {
	if agent, group := b.config.Load().ByExtension(s); agent != nil || group != nil {
		return s
	}
	if known, _, _ := b.config.Load().MayCallShort("", s); known {
		return s
	}
	return b.number(s)
}
