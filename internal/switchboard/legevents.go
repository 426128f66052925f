package switchboard

import (
	"math"
	"time"

	"centrala/acd"
	"centrala/media"
	"centrala/queuegroups"
	"centrala/sip"

	"github.com/rs/zerolog"
)

var _ sip.LegEvents = (*call)(nil)

// LegProgress: a phone rings.
func (c *call) LegProgress(sl *sip.Leg, code int, _ []byte) {
	l := c.legs[sl]
	if l == nil || l.offer == nil || code < 180 || l.offer.ringing {
		return
	}
	l.offer.ringing = true
	c.ringback(l.offer)
	c.board.fact(&acd.OfferRinging{Offer: l.offer.id})
	l.offer.whom(c.log.Debug().Str("leg_id", string(l.id))).Int("code", code).Msg("phone rings")
}

// LegAnswered: a phone answered, or the caller's ACK is here.
func (c *call) LegAnswered(sl *sip.Leg, sdp []byte) {
	l := c.legs[sl]
	switch {
	case l == nil:
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
	if l == c.caller {
		c.hush()
	}
	e := c.log.Info().Str("leg_id", string(l.id)).Str("class", string(t.Class)).Int("code", t.Code).Bool("by_us", t.ByUs)
	if l.media != nil {
		s := l.media.Close()
		e = quality(e, s)
		if suite := l.media.Encrypted(); suite != "" {
			e = e.Str("srtp", string(suite))
		}
	}
	e.Msg("leg ended")
	if len(c.legs) == 0 {
		for id := range c.refers {
			c.reported(id, 487) // whom they wanted to put through is gone
		}
	}
	switch {
	case l.offer == nil || l.up:
		c.board.fact(&acd.LegEnded{Leg: l.id, Cause: endCause(l, t), Code: t.Code})
	default:
		c.phoneFailed(l, t)
	}
}

// quality adds how the audio of a leg was: what came, what the far end says of ours where it
// reports, and the estimates of media.Stats. Times are in milliseconds.
func quality(e *zerolog.Event, s media.Stats) *zerolog.Event {
	e = e.Uint64("rtp_in", s.Received).Uint64("rtp_out", s.Sent).Uint64("rtp_lost", s.Lost)
	if s.Received > 0 {
		e = e.Float64("rtp_jitter_ms", milliseconds(s.JitterMean)).Float64("rtp_jitter_max_ms", milliseconds(s.JitterMax)).
			Float64("mos", tenths(s.MOS))
	}
	if s.PeerExpected > 0 {
		e = e.Uint64("peer_lost", s.PeerLost).Float64("peer_jitter_ms", milliseconds(s.PeerJitter)).
			Float64("peer_mos", tenths(s.PeerMOS))
	}
	if s.RTT > 0 {
		e = e.Float64("rtt_ms", milliseconds(s.RTT))
	}
	return e
}

func milliseconds(d time.Duration) float64 { return tenths(float64(d) / float64(time.Millisecond)) }

// tenths rounds for the log.
func tenths(n float64) float64 { return math.Round(n*10) / 10 }

func trunkID(l *sip.Leg) queuegroups.TrunkID { return queuegroups.TrunkID(l.Trunk()) }
