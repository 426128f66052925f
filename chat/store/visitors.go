package store

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"centrala/chat"
	"centrala/internal/journal/db"
)

// keySize is how long keys are, in bytes.
const keySize = 32

// Key returns the secret key of a name, and makes it the first time. All nodes on one
// database have the same. The error is the database's.
func (s *Store) Key(ctx context.Context, name string) (key []byte, err error) {
	err = s.write(ctx, func(tx db.Tx) error {
		made := make([]byte, keySize)
		_, _ = rand.Read(made) // it never fails
		if _, err := tx.ExecContext(ctx, "insert into chat_keys (name, value) values ($1, $2) on conflict (name) do nothing", name, made); err != nil {
			return err
		}
		return tx.QueryRowContext(ctx, "select value from chat_keys where name = $1", name).Scan(&key)
	})
	if err != nil {
		return nil, fmt.Errorf("the key %s: %w", name, err)
	}
	return key, nil
}

// LastSession finds the newest session of a conversation, open or not. The error is
// chat.ErrNotFound or the database's.
func (s *Store) LastSession(ctx context.Context, conversation int64) (chat.Session, error) {
	return scanSession(s.read.QueryRowContext(ctx, sessionQuery+"where s.conversation = $1 order by s.first desc limit 1", conversation))
}

// Identify tells that a visitor nobody vouched for is a customer for whom somebody does. What
// the visitor wrote becomes the customer's: their conversation, if the customer has none in the
// channel; else both belong to one contact (R57). The error is the database's.
func (s *Store) Identify(ctx context.Context, channel, visitor, customer string) error {
	err := s.write(ctx, func(tx db.Tx) error {
		from, err := scanConversation(tx.QueryRowContext(ctx, conversationQuery+"where i.channel = $1 and i.external = $2", channel, visitor))
		if errors.Is(err, chat.ErrNotFound) || err == nil && from.Verified {
			return nil
		}
		if err != nil {
			return err
		}
		// The history goes on knowing them by the name of before.
		if _, err := tx.ExecContext(ctx, "insert into chat_signed_in (channel, visitor, customer) values ($1, $2, $3) on conflict (channel, visitor) do update set customer = excluded.customer",
			channel, visitor, customer); err != nil {
			return err
		}
		to, err := scanConversation(tx.QueryRowContext(ctx, conversationQuery+"where i.channel = $1 and i.external = $2", channel, customer))
		switch {
		case errors.Is(err, chat.ErrNotFound):
			if _, err = tx.ExecContext(ctx, "update chat_identities set external = $1, verified = 1 where channel = $2 and external = $3", customer, channel, visitor); err != nil {
				return err
			}
			// What came in is theirs, too: it is to be erased with the rest.
			_, err = tx.ExecContext(ctx, "update chat_inbox set customer = $1 where channel = $2 and customer = $3", customer, channel, visitor)
		case err == nil && to.Contact.ID != from.Contact.ID:
			_, err = tx.ExecContext(ctx, "update chat_identities set contact = $1 where channel = $2 and external = $3", to.Contact.ID, channel, visitor)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("identify a visitor: %w", err)
	}
	return nil
}
