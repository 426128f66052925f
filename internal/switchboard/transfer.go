package switchboard

import (
	"slices"
	"strings"
	"time"

	"centrala/acd"
	"centrala/queuegroups"
	"centrala/sip"
)

// This file holds transfers that a phone asks for by REFER (R100, R101). The
// phone is told by NOTIFY: 100 at once, and what becomes of it when the core knows
// (RFC 3515 section 2.4.5): 200 when whom the customer was sent to has answered, or
// they are in a group's queue; a failure when nobody took them, or the core did not.
// Until then the phone is not hung up on, for many show a failure if they are. For the
// core the agent has left the call and is free: whenever their phone is to ring,
// it is hung up on before.

// LegRefer: a phone wants whom it talks to put through to somebody else.
func (c *call) LegRefer(sl *sip.Leg, r *sip.Refer) int {
	l := c.legs[sl]
	if l == nil || l.agent == "" || !l.up && l != c.caller {
		c.log.Warn().Str("to", r.To.User).Msg("transfer refused: not asked for by an agent with a customer")
		return 403 // a carrier or a caller must not send calls about
	}
	log := c.log.With().Str("leg_id", string(l.id)).Str("agent", string(l.agent)).Str("to", r.To.User).Logger()
	if c.refers[l.id] != nil {
		log.Info().Msg("transfer refused: another one is under way")
		return 491
	}
	if r.Replaces != nil {
		customer, own, ok := c.joins(l, r.Replaces)
		if !ok {
			log.Info().Msg("transfer refused: the agent has no such other call")
			return 603
		}
		log.Info().Str("customer", string(customer)).Str("own", string(own)).Msg("joining of two calls asked for")
		return c.refer(l, r, &acd.Joined{Leg: customer, With: own})
	}
	if slot, ok := parkingSlot(r.To.User); ok {
		return c.refer(l, r, &acd.Parked{Leg: l.id, Slot: slot})
	}
	to, ok := c.board.target(r.To)
	if !ok {
		log.Info().Msg("transfer refused: nobody has that number")
		return 404
	}
	if to.Number != "" && !c.entitled(l, to.Number) {
		return 403
	}
	log.Info().Msg("transfer asked for")
	if to.Number != "" {
		c.sent = &sentAway{number: to.Number, by: c.board.referrer(l.agent, r)}
	}
	return c.refer(l, r, &acd.TransferAsked{Leg: l.id, To: to})
}

// refer hands over to the core what a phone asks for, and keeps its REFER until
// the core has spoken.
func (c *call) refer(l *leg, r *sip.Refer, e acd.Event) int {
	if !c.board.fact(e) {
		return 503
	}
	w := &requested{Refer: r, agent: l.agent}
	if _, ok := e.(*acd.Parked); ok { // nobody is to answer
		w.status = 200
	}
	c.refers[l.id] = w
	return sip.ReferAccepted
}

// requested is a transfer that a phone asked for.
type requested struct {
	*sip.Refer
	agent   queuegroups.AgentID
	granted bool // the core has taken the customer over
	status  int  // what became of it; 0: that is not known
	ending  *leg // to be hung up on when that is known; nil: none
}

// reportWithin is how long a phone is kept that asked for a transfer of which nothing
// is known. The core gives every offer less time, except where very many rings are set.
const reportWithin = 55 * time.Second

// joins finds out which two calls the agent wants to connect (RFC 5589 section
// 7.3): the one with the customer and the one with a colleague. The REFER may come
// in either and names the other. Both must be theirs. The colleague's is one that
// they made, if they did not make both, or neither: then it is the one that is named.
func (c *call) joins(l *leg, r *sip.Replaces) (customer, own acd.LegID, ok bool) {
	other := c.board.stack.Replaced(*r)
	if other == nil || other == l.sip {
		return "", "", false
	}
	id := acd.LegID(other.ID())
	made := other.Inbound() && other.User() == string(l.agent)
	if l.sip.Inbound() && !made {
		return id, l.id, c.board.talksWith(l.agent, id)
	}
	return l.id, id, made || c.board.talksWith(l.agent, id)
}

// target is whom a phone means: an agent or a group by extension, an agent by
// the name that their phone registers with, the group that a number of ours leads
// to, else a number outside.
func (b *Board) target(to sip.Party) (acd.Target, bool) {
	cfg := b.config.Load()
	switch a, g := cfg.ByExtension(to.User); {
	case a != nil:
		return acd.Target{Agent: a.ID}, true
	case g != nil:
		return acd.Target{Group: g.ID}, true
	}
	if a := cfg.Agent(queuegroups.AgentID(strings.ToLower(to.User))); a != nil {
		return acd.Target{Agent: a.ID}, true
	}
	number, err := queuegroups.Normalize(to.User, cfg.Region)
	if err != nil {
		return acd.Target{}, false
	}
	if n := cfg.Number(number); n != nil {
		return acd.Target{Group: n.Group}, true
	}
	return acd.Target{Number: number}, true
}

// transferApplied looks at what the core made of a transfer that a phone of this
// node asked for: without the end of the agent's leg, it refused it.
func (b *Board) transferApplied(e acd.Event, commands []acd.Command) {
	var leg, own acd.LegID
	switch e := e.(type) {
	case *acd.TransferAsked:
		leg = e.Leg
	case *acd.Parked:
		leg = e.Leg
	case *acd.Joined:
		leg, own = e.Leg, e.With
	default:
		return
	}
	done := endsLeg(commands, leg)
	b.parked(leg, done)
	for _, id := range []acd.LegID{leg, own} {
		if c := b.holder(id); c != nil {
			c.box.Post(func() { c.decided(id, done) })
		}
	}
}

// decided: the core has done what a phone asked for, which is reported with the
// end of its leg, or has not.
func (c *call) decided(id acd.LegID, done bool) {
	if w := c.refers[id]; w != nil && done {
		w.granted = true
		return
	}
	c.reported(id, 603)
}

func endsLeg(commands []acd.Command, leg acd.LegID) bool {
	return slices.ContainsFunc(commands, func(cmd acd.Command) bool {
		end, ok := cmd.(*acd.EndLeg)
		return ok && end.Leg == leg
	})
}

// endLeg ends a leg, that of an agent who handed their customer over as soon as
// their phone knows that it was done: one that is hung up on first shows a failure.
func (c *call) endLeg(cmd *acd.EndLeg) {
	l, r := c.legByID(cmd.Leg), c.refers[cmd.Leg]
	if l == nil && c.elsewhere(cmd) {
		return
	}
	if l == nil {
		c.board.fact(&acd.LegEnded{Leg: cmd.Leg, Cause: acd.EndByUs})
	}
	switch {
	case l != nil && l == c.caller && c.feature != nil && cmd.Why == acd.EndNothing:
		c.nothing()
	case r == nil && l != nil:
		l.sip.Hangup("")
	case r != nil && (r.granted || cmd.Why == acd.EndTransferred):
		c.transferred(r, l, cmd.Leg)
	case r != nil:
		c.reported(cmd.Leg, 487)
		if l != nil {
			l.sip.Hangup("")
		}
	}
}

// transferred: the agent's part is over, and their leg, which may be gone, is to end
// when the phone knows what became of the transfer.
func (c *call) transferred(r *requested, l *leg, id acd.LegID) {
	r.granted = true
	if r.ending = l; l != nil {
		c.part(l)
		c.board.leaves(l)
	}
	if r.status != 0 {
		c.conclude(r, id)
		return
	}
	time.AfterFunc(c.board.patient, func() {
		c.box.Post(func() {
			if c.refers[id] == r {
				c.log.Info().Str("leg_id", string(id)).Msg("nothing is known of the transfer: the phone is not kept waiting")
				delete(c.refers, id)
				r.GiveUp(func() { c.hangUp(r.ending) })
			}
		})
	})
}

// report notes what became of a transfer.
func (c *call) report(cmd *acd.Report) {
	r := c.refers[cmd.Leg]
	if r == nil {
		return // it was not asked for by REFER
	}
	r.status = reportCode(cmd)
	c.log.Debug().Str("leg_id", string(cmd.Leg)).Int("status", r.status).Msg("transfer reported")
	if r.granted || r.ending != nil {
		c.conclude(r, cmd.Leg)
	}
}

// conclude tells the phone what became of the transfer, and hangs it up: after a
// failure at once, for the customer may come back to it.
func (c *call) conclude(r *requested, id acd.LegID) {
	delete(c.refers, id)
	if r.status == 200 {
		r.Notify(200, func() { c.hangUp(r.ending) })
		return
	}
	r.Notify(r.status, nil)
	c.hangUp(r.ending)
}

// hangUp ends a leg, if it is still there.
func (c *call) hangUp(l *leg) {
	if l != nil && c.legs[l.sip] == l {
		l.sip.Hangup("")
	}
}

// reportCode is the SIP status for what became of a transfer.
func reportCode(cmd *acd.Report) int {
	switch {
	case cmd.Done:
		return 200
	case cmd.Class == acd.FailBusy:
		return 486
	case cmd.Class == acd.FailDeclined:
		return 603
	case cmd.Class == acd.FailNoAnswer:
		return 408
	case cmd.Class == acd.FailCancelled:
		return 487
	}
	return 480
}

// leaves notes that a phone of an agent who has handed their call over is still to be
// told what became of it.
func (b *Board) leaves(l *leg) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.idle(l)
	b.await[l] = true
}

// release hangs up those of an agent's phones that wait to be told of transfers: they
// are to ring. The reports follow when there are any. Of a phone that talks its call may
// not know yet that it is to leave, but was told before this.
func (b *Board) release(agent queuegroups.AgentID) {
	b.mu.Lock()
	legs := slices.Clone(b.busy[agent])
	for l := range b.await {
		if l.agent == agent {
			legs = append(legs, l)
		}
	}
	b.mu.Unlock()
	for _, l := range legs {
		c := l.home.Load()
		c.box.Post(func() {
			if b.awaits(l) {
				c.hangUp(l)
			}
		})
	}
}

func (b *Board) awaits(l *leg) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.await[l]
}

// reported tells a phone what became of the transfer that it asked for.
func (c *call) reported(id acd.LegID, status int) {
	if r := c.refers[id]; r != nil {
		delete(c.refers, id)
		r.Notify(status, nil)
	}
}

// LegKey: somebody pressed a key and their phone tells it by INFO.
func (c *call) LegKey(sl *sip.Leg, key byte) {
	if l := c.legs[sl]; l != nil {
		c.key(l, key, true)
	}
}
