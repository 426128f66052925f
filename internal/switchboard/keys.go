package switchboard

import (
	"time"

	"centrala/acd"
	"centrala/media"
	"centrala/sip"
)

// key takes a telephone key pressed at a leg, by RFC 4733 or by INFO. Whom it is
// bridged with is told, and what agents type while they have a customer may be a code.
func (c *call) key(l *leg, key byte, info bool) {
	c.log.Debug().Str("leg_id", string(l.id)).Str("key", string(rune(key))).Bool("info", info).Msg("key")
	if l.with != nil {
		c.passOn(l.with, key, info)
	}
	c.board.trace.Key(c.id, l.id, key)
	if l.asked && !l.up && key == confirmKey && !l.offer.cancelled {
		c.log.Info().Str("leg_id", string(l.id)).Msg("call accepted by key")
		c.accepted(l)
		return
	}
	if l.agent == "" || !l.up {
		return // the keys of customers, and of telephones outside, are none of ours
	}
	asked, number := l.keys.press(key, time.Now())
	c.grant(l, asked, number)
	if l.keys.typed == "" {
		return
	}
	typed := l.keys
	time.AfterFunc(keyPause, func() {
		c.box.Post(func() {
			if c.legs[l.sip] == l && l.keys == typed {
				asked, number := l.keys.pause()
				c.grant(l, asked, number)
			}
		})
	})
}

// keyHeld is how long a key that is passed on is pressed.
const keyHeld = 100 * time.Millisecond

// passOn tells a leg of a key that whom it is bridged with has pressed, by
// telephone-events if it takes them, else by INFO. Telephone-events from one to
// the other go through the bridge by themselves.
func (c *call) passOn(to *leg, key byte, info bool) {
	switch takes := to.media.TakesKeys(); {
	case !takes:
		to.sip.Press(key, keyHeld)
	case info:
		if err := to.media.Press(string(rune(key)), keyHeld); err != nil {
			c.log.Info().Err(err).Str("leg_id", string(to.id)).Msg("key not passed on")
		}
	}
}

// grant does what an agent asks for by keys (R100, R101): the core decides whether
// that can be. A number that nobody has is answered by a low tone.
func (c *call) grant(l *leg, w wish, number string) {
	var e acd.Event
	switch w {
	case wishNothing:
		return
	case wishBlind, wishConsult:
		to, ok := c.board.target(sip.Party{User: number})
		if !ok || to.Number != "" && !c.entitled(l, to.Number) {
			c.log.Warn().Str("agent", string(l.agent)).Str("to", number).Msg("transfer by keys refused: nobody has that number, or the agent may not call it")
			c.hint(l)
			return
		}
		if e = (&acd.ConsultAsked{Leg: l.id, To: to}); w == wishBlind {
			e = &acd.TransferAsked{Leg: l.id, To: to}
		}
	case wishSwap:
		e = &acd.ConsultSwapped{Leg: l.id}
	case wishConnect:
		e = &acd.ConsultDone{Leg: l.id, Connect: true}
	case wishBack:
		e = &acd.ConsultDone{Leg: l.id}
	}
	c.log.Info().Str("agent", string(l.agent)).Str("to", number).Type("event", e).Msg("asked for by keys")
	c.board.fact(e)
}

// hint plays the tone that says that something could not be done, in the middle of
// a talk.
func (c *call) hint(l *leg) {
	l.media.Play(&c.board.beeps[0])
	with := l.with
	time.AfterFunc(beepsFor, func() {
		c.box.Post(func() {
			if c.legs[l.sip] == l && with != nil && l.with == with {
				media.Bridge(l.media, with.media)
				l.waits, with.waits = false, false
				c.arrange(l)
			}
		})
	})
}

// ringback has an agent who asks a colleague hear that the colleague's phone rings,
// as it sounds in their country, until the core bridges somebody.
func (c *call) ringback(o *offer, first bool) {
	if l := c.asker(o); l != nil && first && o.by != "" {
		l.media.Play(c.board.ringing.Load().Begin())
	}
}
