package switchboard

import (
	"slices"
	"strings"

	"centrala/acd"
	"centrala/queuegroups"
	"centrala/sip"
)

// This file holds what becomes of a phone that sends its calls elsewhere by 302 (RFC
// 3261 section 21.3.3). That costs whoever runs the server, so it is followed only for
// agents whose configuration says so, to numbers outside that they may call, by our
// trunks: the host that the phone names is not looked at. The number rings within the
// agent's offer, as another phone of theirs. Everybody else is taken to have declined:
// extensions and numbers of ours, for which the core decides who is rung, and carriers.

// redirected follows a 3xx, or says in the log why not.
func (c *call) redirected(l *leg, t sip.Termination) (followed bool) {
	o := l.offer
	log := c.log.With().Str("leg_id", string(l.id)).Int("code", t.Code).Logger()
	number, refusal := c.redirectTarget(l, t.Elsewhere)
	if refusal == "" {
		o.followed = append(o.followed, number)
		x := c.exitTo(&acd.Dial{
			Header: acd.Header{Call: c.id}, Offer: o.id, Number: number, Trunk: c.board.config.Load().TrunkOut(o.agent),
			From: o.from, Group: c.board.groupOf(o), By: o.by,
		}, diversionReason(t.Elsewhere.Why))
		o.live++ // so that it is not settled yet
		c.nextWay(o, x)
		o.live--
		if x.open {
			c.board.counts.redirectsFollowed.Add(1)
			o.whom(log.Info()).Str("to", number).Msg("a phone sends its calls elsewhere: followed")
			return true
		}
		refusal = "that number cannot be called"
	}
	c.board.counts.redirectsRefused.Add(1)
	e := o.whom(log.Warn()).Str("why", refusal)
	if t.Elsewhere != nil {
		e = e.Str("to", t.Elsewhere.To.User)
	}
	e.Msg("a phone sends its calls elsewhere: not followed")
	return false
}

// redirectTarget is the number outside to call instead of a phone, or why none is.
func (c *call) redirectTarget(l *leg, r *sip.Redirection) (number, refusal string) {
	o := l.offer
	agent := c.board.config.Load().Agent(o.agent)
	switch {
	case l.exit != nil:
		return "", "it is at a number outside"
	case agent == nil || !agent.FollowRedirects:
		return "", "the agent's redirects are refused"
	case o.answered || o.cancelled || o.declined || c.ending:
		return "", "the call is over, or somebody else's"
	case r == nil:
		return "", "it names nobody who can be called"
	}
	to, ok := c.board.target(r.To)
	switch {
	case !ok:
		return "", "it names nobody who can be called"
	case !strings.HasPrefix(to.Number, "+"):
		return "", "that is somebody of ours"
	case slices.Contains(o.followed, to.Number):
		return "", "that number is called already"
	case !c.entitled(l, to.Number):
		return "", "the agent may not call that number"
	}
	return to.Number, ""
}

// groupOf is the group whose call is offered: of several with the same name, one that
// wants calls outside to be accepted by a key. Empty: there is none of that name.
func (b *Board) groupOf(o *offer) (id queuegroups.GroupID) {
	groups := b.config.Load().Groups
	for i := range groups {
		if g := &groups[i]; g.Name == o.group && (id == "" || g.ForwardConfirm) {
			id = g.ID
		}
	}
	return id
}

// diversionReason is the reason of our Diversion (RFC 5806 section 4.1): that of the
// phone, if it gives one that there is.
func diversionReason(given string) string {
	switch given {
	case "user-busy", "no-answer", "unavailable", "unconditional", "time-of-day", "do-not-disturb", "follow-me",
		"out-of-service", "away":
		return given
	}
	return "deflection"
}
