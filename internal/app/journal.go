package app

import (
	"time"

	"centrala/acd"
	"centrala/internal/eventlog"
	"centrala/internal/events"
	"centrala/internal/journal"
	"centrala/internal/journal/stats"
	"centrala/internal/webhooks"
)

// newJournal makes the journal, which follows the log from Start on.
func newJournal(a *App) *journal.Journal {
	return journal.New(journal.Options{
		DB: a.database, Log: recorded{a.facts}, Node: nodeID(a.server), Keep: time.Duration(a.server.Record.KeepDays) * 24 * time.Hour,
		Logs: part(a.log, "journal"), Committed: a.committed, Restored: a.restored,
	})
}

// newRoller makes what counts the record ahead for reports.
func newRoller(a *App) *stats.Roller {
	return stats.NewRoller(stats.RollerOptions{DB: a.database, Leader: a.facts.Leader, Log: part(a.log, "journal")})
}

// newEvents makes the hub that reads what the journal tells.
func newEvents(a *App) *events.Hub {
	return events.New(events.Options{DB: a.database, Leader: a.facts.Leader, Log: part(a.log, "events")})
}

func newWebhooks(a *App) *webhooks.Webhooks {
	return webhooks.New(webhooks.Options{
		DB: a.database, Events: a.events, Allow: a.server.Webhooks.Allow, Leader: a.facts.Leader, Version: Version(), Log: part(a.log, "webhooks"),
	})
}

// recorded lets the journal follow the log.
type recorded struct{ *eventlog.Log }

// Follow implements journal.Log.
func (r recorded) Follow(saved []byte) (journal.Follower, error) {
	f, err := r.Log.Follow(saved)
	if err != nil {
		return nil, err // not a follower that is nil
	}
	return f, nil
}

// Seen implements journal.Log.
func (r recorded) Seen() (index uint64) {
	r.View(func(s *acd.State) { index = s.Index() })
	return index
}

// Gap implements journal.Log.
func (r recorded) Gap(err error) bool { return eventlog.Gap(err) }
