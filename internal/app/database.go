package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"centrala/internal/eventlog"
	"centrala/internal/journal"
	"centrala/internal/journal/db"
)

// openDatabase opens the database of the settings.
func openDatabase(ctx context.Context, a *App) (*db.DB, error) {
	d, err := db.Open(ctx, db.Options{Source: a.server.Database, Dir: a.server.Data, Log: part(a.log, "database")})
	if err != nil {
		return nil, fmt.Errorf("open the database: %w", err)
	}
	return d, nil
}

// openLog opens the log. It goes on behind what the record has of an earlier one,
// which a loss of power cut short or which a backup was restored without.
func openLog(ctx context.Context, a *App) (*eventlog.Log, error) {
	o := eventLogOptions(a.server, a.log)
	written, err := journal.Checkpoint(ctx, a.database)
	switch {
	case a.database.Away(err):
		a.log.Warn().Err(err).Msg("the database cannot tell what it has of the log; a log that lost its tail is not noticed at this start")
	case err != nil:
		return nil, fmt.Errorf("read how far the record goes: %w", err)
	}
	o.After = written
	if exists(filepath.Join(a.server.Data, restoredMark)) {
		a.restored = written
		a.log.Info().Uint64("written", written).Msg("the data folder was restored from a backup: the log goes on behind what was recorded then")
	}
	o.Leads = func(yes bool) { a.chats.bots.lead(yes) } // which are made before the log starts
	l, err := eventlog.Open(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("open the log: %w", err)
	}
	return l, nil
}

// committed is told of each commit of the record: with the first, a backup that it was restored from is past.
func (a *App) committed() {
	a.past.Do(func() {
		if err := os.Remove(filepath.Join(a.server.Data, restoredMark)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			a.log.Warn().Err(err).Msg("remove this file, which tells of a restore that is past")
		}
	})
	a.events.Wake()
}
