package store

import (
	"context"
	"fmt"
	"time"

	"centrala/chat"
	"centrala/internal/journal/db"
)

// SetBot notes how an open session stands with its channel's bot. What the bot has
// given away it does not get again. The error is the database's.
func (s *Store) SetBot(ctx context.Context, id chat.SessionID, b chat.BotState) error {
	err := s.write(ctx, func(tx db.Tx) error {
		_, err := tx.ExecContext(ctx, `update chat_sessions set bot = $1, bot_state = $2, bot_answered = $3, to_channel = $4, to_agent = $5
			where id = $6 and bot = 1 and bot_answered < $3`, db.Flag(b.Has), b.State, b.Answered, b.ToChannel, b.ToAgent, string(id))
		return err
	})
	if err != nil {
		return fmt.Errorf("note how a bot stands: %w", err)
	}
	return nil
}

// Answered tells whether an agent wrote to the customer in a session. The error is the database's.
func (s *Store) Answered(ctx context.Context, id chat.SessionID) (bool, error) {
	var n int
	err := s.read.QueryRowContext(ctx, "select count(*) from chat_messages where session = $1 and author = $2 and kind = $3",
		string(id), string(chat.ByAgent), string(chat.KindText)).Scan(&n)
	return n > 0, err
}

// LastWritten is when the last message of a conversation was written. The error is
// chat.ErrNotFound or the database's.
func (s *Store) LastWritten(ctx context.Context, conversation int64) (time.Time, error) {
	var at int64
	err := s.read.QueryRowContext(ctx, "select at from chat_messages where conversation = $1 order by seq desc limit 1", conversation).Scan(&at)
	return db.Instant(at), missing(err)
}
