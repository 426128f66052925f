package switchboard

import (
	"time"

	"centrala/acd"
	"centrala/holdmusic"
	"centrala/media"
	"centrala/queuegroups"
)

// Waiting tells what the customer of a waiting interaction can be told now; false
// while it does not wait for its group.
type Waiting interface {
	Expect(acd.InteractionID) (acd.Expectation, bool)
}

// How long after a moment at which nothing could be told the next one comes:
// while somebody is being rung, or the caller is elsewhere; and while the group
// announces nothing, which a reload may change.
const (
	lookAgain      = time.Second
	lookForChanges = 10 * time.Second
)

// announcer tells the customer of one Play command how things stand, from time to
// time. It is this node's own doing: nothing of it is in the log.
type announcer struct {
	to    *leg
	of    acd.InteractionID
	music media.Program
	since time.Time
	timer *time.Timer
}

// told is what the caller was told last, to which later announcements keep.
type told struct {
	of       acd.InteractionID
	group    queuegroups.GroupID
	position int       // 0: none
	until    time.Time // when the wait that was told ends; zero: none was
}

// announce begins to tell the customer, who hears music from now on, how things stand.
func (c *call) announce(l *leg, of acd.InteractionID, music media.Program) {
	c.hush()
	if c.board.waiting == nil {
		return
	}
	a := &announcer{to: l, of: of, music: music, since: time.Now()}
	c.announcer = a
	a.timer = time.AfterFunc(c.announceNow(a), func() {
		c.box.Post(func() {
			if c.announcer == a {
				a.timer.Reset(c.announceNow(a))
			}
		})
	})
}

// hush ends announcements; what the caller hears is up to who calls it.
func (c *call) hush() {
	if c.announcer != nil {
		c.announcer.timer.Stop()
		c.announcer = nil
	}
}

// hushFor ends announcements to the leg.
func (c *call) hushFor(l *leg) {
	if c.announcer != nil && c.announcer.to == l {
		c.hush()
	}
}

// announceNow announces what there is to announce at this moment, and returns how long
// it is until the next.
func (c *call) announceNow(a *announcer) (next time.Duration) {
	e, ok := c.board.waiting.Expect(a.of)
	if !ok {
		return lookAgain
	}
	rules, now := c.board.config.Load().Announcements(e.Number, e.Group), time.Now()
	if !rules.On() {
		return lookForChanges
	}
	if left := rules.First - now.Sub(a.since); left > 0 {
		return left
	}
	c.told.turnTo(a.of, e.Group)
	notice := c.told.notice(rules, e, now)
	voice := holdmusic.Voice{Language: rules.Language, Folder: rules.Prompts}
	p, length, ok := c.board.music.Announce(voice, notice, a.music)
	if !ok {
		return rules.Every
	}
	a.to.media.Play(p)
	c.told.keep(notice, now)
	c.log.Debug().Int("position", notice.Position).Stringer("wait", notice.Promise()).Stringer("length", length).Msg("announced")
	return max(rules.Every, length)
}

// turnTo forgets what another interaction's customer was told, and the position in
// another group: what was promised of the wait holds wherever they wait.
func (t *told) turnTo(of acd.InteractionID, group queuegroups.GroupID) {
	if t.of != of {
		*t = told{of: of}
	}
	if t.group != group {
		t.group, t.position = group, 0
	}
}

// notice is what the caller is told: not that they have fallen back, nor that
// they will wait longer than they were told before, nor anything of the wait once
// that has passed.
func (t *told) notice(rules queuegroups.Announce, e acd.Expectation, now time.Time) (n holdmusic.Notice) {
	if rules.Position && (t.position == 0 || e.Position <= t.position) {
		n.Position = e.Position
	}
	if rules.Wait && e.Known {
		n.Wait = e.Wait
		if !t.until.IsZero() {
			n.Wait = min(n.Wait, t.until.Sub(now))
		}
	}
	n.Wait = max(n.Wait, 0)
	return n
}

// keep notes what was told.
func (t *told) keep(n holdmusic.Notice, now time.Time) {
	if n.Position > 0 {
		t.position = n.Position
	}
	if until := now.Add(n.Promise()); n.Promise() > 0 && (t.until.IsZero() || until.Before(t.until)) {
		t.until = until
	}
}
