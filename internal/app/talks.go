package app

import (
	"context"
	"time"

	"centrala/acd"
	"centrala/internal/journal"
	"centrala/queuegroups"
	"centrala/web"
)

// talks are talks of the record as the web server knows them.
type talks struct{ a *App }

var _ web.Talks = talks{}

// LastTalk implements web.Talks.
func (t talks) LastTalk(ctx context.Context, id acd.InteractionID, agent queuegroups.AgentID) (web.Talk, bool, error) {
	x, ok, err := journal.LastTalk(ctx, t.a.database, id, agent)
	return web.Talk{Agent: x.Agent, Group: x.Group, Ended: x.Ended.Time(), WrapUp: x.WrapUp != 0 && x.Wrapped == 0}, ok, err
}

// AddNote implements web.Talks.
func (t talks) AddNote(ctx context.Context, id acd.InteractionID, agent queuegroups.AgentID, by, text string) (int64, error) {
	return journal.AddNote(ctx, t.a.database, journal.Note{Interaction: id, Agent: agent, At: journal.MicrosOf(time.Now()), By: by, Text: text})
}
