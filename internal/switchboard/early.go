package switchboard

import "centrala/media"

// This file holds early media: what a telephone outside lets be heard before it is
// answered, such as the ringing tone of its country, or a voice that says that it
// cannot be reached (RFC 3261 section 13.2.1, RFC 3960). It is passed on; for the core
// the telephone rings, and is answered when it answers.

// early lets whoever the leg is called for hear it. False: there is nothing to hear.
func (c *call) early(l *leg, sdp []byte) bool {
	o := l.offer
	if o.agent != "" || l.up || o.cancelled || c.ending || l.exit.confirm != nil {
		return false // a call that has to be accepted is not heard before that is done
	}
	to := c.asker(o)
	if to == nil {
		return false
	}
	if err := l.media.AcceptAnswer(sdp); err != nil {
		c.log.Info().Err(err).Str("leg_id", string(l.id)).Msg("early media unusable")
		return false
	}
	c.hushFor(to)
	if to == c.caller && !c.answered && c.made == nil {
		c.caller.sip.Ring(183, c.answer)
	}
	if l.early != to {
		l.early = to
		media.Bridge(to.media, l.media)
		c.log.Debug().Str("leg_id", string(l.id)).Str("to", string(to.id)).Msg("early media")
	}
	return true
}

// earlyOver has those who heard a leg before it answered hear something else, now that
// it has failed: what they heard before, or, if they have not been answered, that
// somebody else is rung.
func (c *call) earlyOver(l *leg) {
	to := l.early
	l.early = nil
	if to == nil || l.up || c.legs[to.sip] == nil {
		return
	}
	media.Unbridge(to.media, l.media)
	switch {
	case to.playing != nil:
		music := c.programme(to.playing.Music)
		to.media.Play(music)
		c.announce(to, to.playing.Interaction, music)
	case to == c.caller && !c.answered:
		to.media.Play(c.board.ringing.Load().Begin())
	}
}

// asker is for whom a telephone or phone is called: the agent who asks for it; else
// the caller, or whoever is left of the call; nil: they are in no call now.
func (c *call) asker(o *offer) *leg {
	if o.by == "" && c.callerAlive() {
		if c.caller.with == nil {
			return c.caller
		}
		return nil
	}
	for _, l := range c.legs {
		if l.up && l.with == nil && (o.by == "" || l.agent == o.by) {
			return l
		}
	}
	return nil
}
