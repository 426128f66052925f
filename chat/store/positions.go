package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"centrala/chat"
	"centrala/internal/journal/db"
)

// Position is up to where a channel's source of events has been read, and when that
// was noted; 0: never. The error is the database's.
func (s *Store) Position(ctx context.Context, channel, source string) (position int64, at time.Time, err error) {
	var us int64
	err = s.read.QueryRowContext(ctx, "select position, at from chat_positions where channel = $1 and source = $2", channel, source).Scan(&position, &us)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, time.Time{}, nil
	}
	if err != nil {
		return 0, time.Time{}, fmt.Errorf("position of %s: %w", source, err)
	}
	return position, db.Instant(us), nil
}

// SetPosition notes it. The error is the database's.
func (s *Store) SetPosition(ctx context.Context, channel, source string, position int64) error {
	err := s.write(ctx, func(tx db.Tx) error {
		_, err := tx.ExecContext(ctx, `insert into chat_positions (channel, source, position, at) values ($1, $2, $3, $4)
			on conflict (channel, source) do update set position = excluded.position, at = excluded.at`, channel, source, position, db.Micros(s.now()))
		return err
	})
	if err != nil {
		return fmt.Errorf("note the position of %s: %w", source, err)
	}
	return nil
}

// Blocked notes whether a customer lets messages through. The error is
// chat.ErrNotFound, or the database's.
func (s *Store) Blocked(ctx context.Context, channel, customer string, blocked bool) (conversation int64, err error) {
	err = s.write(ctx, func(tx db.Tx) error {
		c, err := scanConversation(tx.QueryRowContext(ctx, conversationQuery+"where i.channel = $1 and i.external = $2", channel, customer))
		if err != nil {
			return err
		}
		conversation = c.ID
		_, err = tx.ExecContext(ctx, "update chat_conversations set blocked = $1 where id = $2", db.Flag(blocked), c.ID)
		return err
	})
	if errors.Is(err, chat.ErrNotFound) {
		return 0, chat.ErrNotFound
	}
	if err != nil {
		return 0, fmt.Errorf("note who lets messages through: %w", err)
	}
	return conversation, nil
}

// Announced is the address that a channel's connector was told last; empty: none. The error is the database's.
func (s *Store) Announced(ctx context.Context, channel string) (address string, err error) {
	err = s.read.QueryRowContext(ctx, "select address from chat_announced where channel = $1", channel).Scan(&address)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("what a connector was told: %w", err)
	}
	return address, nil
}

// SetAnnounced notes it. The error is the database's.
func (s *Store) SetAnnounced(ctx context.Context, channel, address string) error {
	err := s.write(ctx, func(tx db.Tx) error {
		_, err := tx.ExecContext(ctx, `insert into chat_announced (channel, address) values ($1, $2)
			on conflict (channel) do update set address = excluded.address`, channel, address)
		return err
	})
	if err != nil {
		return fmt.Errorf("note what a connector was told: %w", err)
	}
	return nil
}
