package switchboard

import (
	"centrala/acd"
	"centrala/media"
	"centrala/queuegroups"
)

// arrange has both ends of a bridge hear what they are to hear: each other; music,
// if the other end has put the call on hold (RFC 3264 section 8.4, RFC 6337 section
// 5.3); nothing, if they hold it themselves. It may be called as often as one likes.
func (c *call) arrange(l *leg) {
	if l == nil || l.with == nil {
		return
	}
	a, b := l, l.with
	if a.waits == b.holding() && b.waits == a.holding() {
		return
	}
	a.waits, b.waits = b.holding(), a.holding()
	media.Bridge(a.media, b.media)
	for _, end := range []*leg{a, b} {
		switch {
		case end.waits:
			end.media.Play(c.programme(c.held))
		case end.holds: // a phone that holds is silent by itself
			end.media.Play(nil)
		}
	}
	c.log.Debug().Str("leg_id", string(l.id)).Str("with", string(b.id)).Bool("waits", a.waits).Bool("other_waits", b.waits).Msg("hold changed")
}

// holding tells whether the leg keeps the other end on hold: its phone does, or
// the agent did it at their desk.
func (l *leg) holding() bool { return l.holds || l.media.Held() }

// tellHold tells the core of a leg that has begun to hold whom it is bridged with,
// or has ceased to.
func (b *Board) tellHold(l *leg) {
	if on := l.with != nil && l.holding(); on != l.toldHold && b.fact(&acd.Held{Leg: l.id, On: on}) {
		l.toldHold = on
	}
}

// programme is the music of that name, or the server's own tune.
func (c *call) programme(music queuegroups.MusicID) media.Program {
	if p, ok := c.board.music.Program(string(music)); ok {
		return p
	}
	return c.board.music.Default()
}
