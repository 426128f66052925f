package app

import (
	"context"
	"fmt"

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
