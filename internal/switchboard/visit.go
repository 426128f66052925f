package switchboard

import (
	"centrala/acd"
	"centrala/queuegroups"
)

// Visit is what a visitor of a website calls for, with whom an agent has a chat.
type Visit struct {
	From   acd.Party           // the customer, as in the chat
	Number string              // of ours, in E.164
	Agent  queuegroups.AgentID // who has the chat; empty: nobody any more
}

// beginVisit takes in a call from a website's visitor. Whom it is for is known by what they
// were let in with: what they dialled counts for nothing. The agent of their chat is asked
// first, as one who is responsible for them (R58), and then whoever serves the number.
func (c *call) beginVisit(guest string) {
	var v Visit
	ok := false
	if c.board.visit != nil {
		v, ok = c.board.visit(guest)
	}
	if !ok {
		c.refuse(403, "")
		return
	}
	c.arrived(&acd.CallArrived{From: v.From, To: v.Number, Responsible: v.Agent})
}
