package store

import (
	"context"
	"fmt"

	"centrala/chat"
	"centrala/internal/journal/db"
)

const cannedQuery = "select id, channel, grp, body, saved_by, at from chat_canned "

func scanCanned(r row) (x chat.Canned, err error) {
	var at int64
	err = r.Scan(&x.ID, &x.Channel, &x.Group, &x.Text, &x.By, &at)
	x.At = db.Instant(at)
	return x, missing(err)
}

// Canned returns a channel's canned answers by group, in each by text (R69). The error is the database's.
func (s *Store) Canned(ctx context.Context, channel string) ([]chat.Canned, error) {
	return list(ctx, s.read, scanCanned, cannedQuery+"where channel = $1 order by grp, body, id", channel)
}

// AddCanned keeps a canned answer. One that is there already, in the same group, is what it was.
// The error is chat.ErrFull or the database's.
func (s *Store) AddCanned(ctx context.Context, c chat.Canned) (out chat.Canned, err error) {
	err = s.write(ctx, func(tx db.Tx) error {
		var n int
		if err := tx.QueryRowContext(ctx, "select count(*) from chat_canned where channel = $1", c.Channel).Scan(&n); err != nil {
			return err
		}
		if n >= chat.CannedMost {
			return chat.ErrFull
		}
		if _, err := tx.ExecContext(ctx, `insert into chat_canned (channel, grp, body, saved_by, at) values ($1, $2, $3, $4, $5)
			on conflict (channel, grp, body) do nothing`, c.Channel, c.Group, c.Text, c.By, db.Micros(s.now())); err != nil {
			return err
		}
		out, err = scanCanned(tx.QueryRowContext(ctx, cannedQuery+"where channel = $1 and grp = $2 and body = $3", c.Channel, c.Group, c.Text))
		return err
	})
	if err != nil {
		return out, fmt.Errorf("keep a canned answer: %w", err)
	}
	return out, nil
}

// CannedAnswer finds a canned answer of a channel. The error is chat.ErrNotFound or the database's.
func (s *Store) CannedAnswer(ctx context.Context, channel string, id int64) (chat.Canned, error) {
	return scanCanned(s.read.QueryRowContext(ctx, cannedQuery+"where channel = $1 and id = $2", channel, id))
}

// RemoveCanned removes a canned answer, if it is there. The error is the database's.
func (s *Store) RemoveCanned(ctx context.Context, id int64) error {
	return s.write(ctx, func(tx db.Tx) error {
		_, err := tx.ExecContext(ctx, "delete from chat_canned where id = $1", id)
		return err
	})
}
