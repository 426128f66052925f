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

// voices are those that the groups' announcements are made with.
func voices(c *queuegroups.Config) (list []holdmusic.Voice) {
	for i := range c.Groups {
		if a := c.Groups[i].Announce; a.On() {
			list = append(list, holdmusic.Voice{Language: a.Language, Folder: a.Prompts})
		}
	}
	return list
}
