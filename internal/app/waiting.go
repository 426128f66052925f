package app

import (
	"time"

	"centrala/acd"
	"centrala/holdmusic"
	"centrala/internal/eventlog"
	"centrala/queuegroups"
)

// waiting tells the switchboard what callers can be told, from this node's copy
// of the core's state.
type waiting struct{ log *eventlog.Log }

// Expect is what the customer of a waiting interaction can be told now.
func (w waiting) Expect(id acd.InteractionID) (e acd.Expectation, ok bool) {
	w.log.View(func(s *acd.State) { e, ok = s.Expect(id, time.Now()) })
	return e, ok
}

// sounds is all that is played and said.
func sounds(c *queuegroups.Config) holdmusic.Wanted {
	w := holdmusic.Wanted{Programs: musicFiles(c)}
	reply := func(s queuegroups.Speech) {
		w.Voices = append(w.Voices, holdmusic.Voice{Language: s.Language, Folder: s.Prompts, Replies: true})
	}
	announce := func(a queuegroups.Announce) {
		if a.On() {
			w.Voices = append(w.Voices, holdmusic.Voice{Language: a.Language, Folder: a.Prompts})
		}
	}
	for i := range c.Groups {
		g := &c.Groups[i]
		announce(g.Announce)
		if g.ForwardConfirm {
			reply(c.SpeechFor(g))
		}
		w.Names = append(w.Names, holdmusic.GroupName(string(g.ID)))
	}
	for i := range c.Numbers {
		if a := c.Numbers[i].Announce; a != nil {
			announce(*a)
		}
	}
	for i := range c.Agents {
		reply(c.SpeechTo(&c.Agents[i]))
	}
	for _, reason := range c.WorkTime.Breaks {
		w.Names = append(w.Names, holdmusic.BreakName(reason))
	}
	return w
}
