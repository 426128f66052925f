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

// tryingFor is after how long an attempt to send a letter is over of which nobody said how it ended.
const tryingFor = 15 * time.Minute

// AddLetter keeps a letter that is to be sent, with its Message-ID; there is one of a session
// at most. The error is the database's.
func (s *Store) AddLetter(ctx context.Context, l chat.Letter) error {
	err := s.write(ctx, func(tx db.Tx) error {
		_, err := tx.ExecContext(ctx, `insert into chat_letters (session, conversation, seq, address, language, zone, message_id, state, attempts, next, reason, made)
			values ($1, $2, $3, $4, $5, $6, $7, 'waiting', 0, 0, '', $8) on conflict (session) do nothing`,
			string(l.Session), l.Conversation, l.Seq, l.Address, l.Language, l.Zone, l.MessageID, db.Micros(s.now()))
		return err
	})
	if err != nil {
		return fmt.Errorf("keep a letter: %w", err)
	}
	return nil
}

// HasLetter tells whether a session has one. The error is the database's.
func (s *Store) HasLetter(ctx context.Context, id chat.SessionID) (bool, error) {
	var n int
	err := s.read.QueryRowContext(ctx, "select count(*) from chat_letters where session = $1", string(id)).Scan(&n)
	return n > 0, err
}

// NextLetter takes a letter that is due, to be sent by whoever has it now; of those whose
// sending was interrupted nobody knows whether they arrived, so that they have failed. The
// error is chat.ErrNotFound or the database's.
func (s *Store) NextLetter(ctx context.Context) (l chat.Letter, err error) {
	err = s.write(ctx, func(tx db.Tx) error {
		now := s.now()
		_, err := tx.ExecContext(ctx, `update chat_letters set state = 'failed', address = '', reason = 'it was interrupted: nobody knows whether it arrived'
			where state = 'trying' and next < $1`, db.Micros(now.Add(-tryingFor)))
		if err != nil {
			return err
		}
		var made int64
		err = tx.QueryRowContext(ctx, `update chat_letters set state = 'trying', attempts = attempts + 1, next = $1 where id = (
			select id from chat_letters where state = 'waiting' and next <= $1 order by next, id limit 1) and state = 'waiting'
			returning id, session, conversation, seq, address, language, zone, message_id, attempts, made`, db.Micros(now)).
			Scan(&l.ID, &l.Session, &l.Conversation, &l.Seq, &l.Address, &l.Language, &l.Zone, &l.MessageID, &l.Attempts, &made)
		l.Made = db.Instant(made)
		return missing(err)
	})
	if err != nil && !errors.Is(err, chat.ErrNotFound) {
		err = fmt.Errorf("look for letters: %w", err)
	}
	return l, err
}

// LetterLater puts the next attempt off. The error is the database's.
func (s *Store) LetterLater(ctx context.Context, l chat.Letter, next time.Time, reason string) error {
	return s.letter(ctx, "update chat_letters set state = 'waiting', next = $1, reason = $2 where id = $3", db.Micros(next), told(reason), l.ID)
}

// LetterSent notes that a letter was taken, or why it never will be; empty: it was. The
// address is forgotten. The error is the database's.
func (s *Store) LetterSent(ctx context.Context, l chat.Letter, failure string) error {
	state := "sent"
	if failure != "" {
		state = "failed"
	}
	return s.letter(ctx, "update chat_letters set state = $1, address = '', reason = $2 where id = $3", state, told(failure), l.ID)
}

func (s *Store) letter(ctx context.Context, change string, args ...any) error {
	err := s.write(ctx, func(tx db.Tx) error {
		_, err := tx.ExecContext(ctx, change, args...)
		return err
	})
	if err != nil {
		return fmt.Errorf("note what became of a letter: %w", err)
	}
	return nil
}

// LetterState is how a letter stands: waiting, trying, sent or failed, and why. The error is
// chat.ErrNotFound or the database's.
func (s *Store) LetterState(ctx context.Context, id chat.SessionID) (state, reason string, err error) {
	err = s.read.QueryRowContext(ctx, "select state, reason from chat_letters where session = $1", string(id)).Scan(&state, &reason)
	if errors.Is(err, sql.ErrNoRows) {
		err = chat.ErrNotFound
	}
	return state, reason, err
}
