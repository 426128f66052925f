package stats

import (
	"context"

	"centrala/internal/journal/db"
)

// ComputeRaw makes a report from the facts alone.
func ComputeRaw(ctx context.Context, d *db.DB, q Query) (*Report, error) {
	return compute(ctx, d, q, true)
}
