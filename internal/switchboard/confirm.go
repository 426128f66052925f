package switchboard

import (
	"time"

	"centrala/acd"
	"centrala/holdmusic"
	"centrala/sip"
)

// This file holds how a telephone outside accepts a call: whoever answers is asked
// to press a key, so that neither a voicemail nor a pocket takes the caller (R95,
// R96). Until then the core is not told that anybody answered, and the caller goes
// on hearing what they hear.

const (
	confirmKey  = '1'
	confirmTime = 20 * time.Second // for the key to be pressed
)

// ask tells who answered for which group the call is, again and again, and ends
// the leg if they do not accept it in time.
func (c *call) ask(l *leg) {
	if l.asked {
		return
	}
	l.asked = true
	g := l.exit.confirm
	voice := replies(c.board.config.Load().SpeechFor(g))
	words := []string{holdmusic.WordCall}
	if name := c.board.music.Group(voice, string(g.ID), g.Extension); len(name) > 0 {
		words = append([]string{holdmusic.WordCallForGroup}, name...)
	}
	words = append(words, holdmusic.WordPause, holdmusic.WordPressOne)
	l.offer.whom(c.log.Info().Str("leg_id", string(l.id))).Strs("words", words).Msg("asked to accept the call")
	if p, _, ok := c.board.music.Say(voice, true, words...); ok {
		l.media.Play(p)
	} else {
		l.media.Play(&c.board.beeps[1])
	}
	time.AfterFunc(c.board.confirmTime, func() {
		c.box.Post(func() {
			if c.legs[l.sip] == l && !l.up {
				l.sip.Hangup("")
			}
		})
	})
}

// unconfirmed is the core's word for the end of a leg that answered, and did not
// accept the call: somebody hung up, or nobody was there.
func unconfirmed(t sip.Termination) acd.FailureClass {
	if t.ByUs {
		return acd.FailNoAnswer
	}
	return acd.FailDeclined
}
