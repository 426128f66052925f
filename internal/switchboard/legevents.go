package switchboard

import (
	"centrala/acd"
	"centrala/queuegroups"
	"centrala/sip"
)

var _ sip.LegEvents = (*call)(nil)

// LegProgress: a phone rings, or what is before it speaks.
func (c *call) LegProgress(sl *sip.Leg, code int, sdp []byte) {
	l := c.legs[sl]
	if l == nil || l.offer == nil || code < 180 {
		return
	}
	first := !l.offer.ringing
	l.offer.ringing = true
	if l.exit != nil {
		l.exit.ringing = true
	}
	if sdp == nil || !c.early(l, sdp) {
		c.ringback(l.offer, first)
	}
	if !first {
		return
	}
	c.board.fact(&acd.OfferRinging{Offer: l.offer.id})
	l.offer.whom(c.log.Debug().Str("leg_id", string(l.id))).Int("code", code).Msg("phone rings")
}

// LegAnswered: a phone answered, or the caller's ACK is here.
func (c *call) LegAnswered(sl *sip.Leg, sdp []byte) {
	l := c.legs[sl]
	if l == nil {
		return
	}
	l.answered = true
	defer l.media.Answered()
	switch {
	case l.own:
		c.ownAnswered(l, sdp)
	case l.offer != nil:
		c.phoneAnswered(l, sdp)
	case l.late && !c.lateAnswer(l, sdp):
	case l == c.caller && c.feature != nil:
		c.perform()
	}
}

// lateAnswer takes the answer to our offer from the ACK.
func (c *call) lateAnswer(l *leg, sdp []byte) bool {
	if len(sdp) == 0 {
		c.log.Warn().Msg("caller's ACK carries no answer")
		l.sip.Hangup(`SIP;cause=488;text="No answer in the ACK"`)
		return false
	}
	l.late = false
	if err := l.media.AcceptAnswer(sdp); err != nil {
		c.log.Warn().Err(err).Msg("caller's answer unusable")
		l.sip.Hangup(`SIP;cause=488;text="Not acceptable"`)
		return false
	}
	return true
}

// LegOffer: the far end renegotiates (hold, resume, refresh, new address).
func (c *call) LegOffer(sl *sip.Leg, sdp []byte) ([]byte, error) {
	l := c.legs[sl]
	if l == nil {
		return nil, errLegGone
	}
	if len(sdp) == 0 {
		return l.media.Offer(), nil
	}
	answer, err := l.media.AcceptOffer(sdp)
	if err == nil {
		c.arrange(l)
		c.board.tellHold(l)
	}
	return answer, err
}

// LegEnded: a leg is over; the last that is heard of it.
func (c *call) LegEnded(sl *sip.Leg, t sip.Termination) {
	l := c.legs[sl]
	if l == nil {
		return
	}
	delete(c.legs, sl)
	c.board.forget(l)
	c.earlyOver(l)
	c.hushFor(l)
	if l == c.caller && c.feature != nil {
		c.stopAwaiting()
	}
	e := c.log.Info().Str("leg_id", string(l.id)).Str("class", string(t.Class)).Int("code", t.Code).Bool("by_us", t.ByUs)
	var figures *acd.MediaFigures
	if l.media != nil {
		s := l.media.Close()
		c.silent(l, s)
		figures = figuresOf(l.media, s)
		e = quality(e, figures)
	}
	if l.own {
		c.ownEnded(l, e)
		return
	}
	e.Msg("leg ended")
	if len(c.legs) == 0 {
		for id := range c.refers {
			c.reported(id, 487) // whom they wanted to put through is gone
		}
	}
	switch {
	case l.offer == nil || l.up:
		c.board.fact(&acd.LegEnded{Leg: l.id, Cause: endCause(l, t), Code: t.Code, Media: figures})
	default:
		c.phoneFailed(l, t)
	}
}

func trunkID(l *sip.Leg) queuegroups.TrunkID { return queuegroups.TrunkID(l.Trunk()) }
