package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"centrala/internal/journal/db"
)

// Erase deletes what was written in the conversations of a customer, known to channels
// by an external name, with its attachments, what they said of us and from where they agreed; the
// pseudonym stands in place of their names. That there were conversations, when and how many messages, stays. A conversation
// with an open session is left as it is; open tells how many. The error is the database's or the disk's.
func (s *Store) Erase(ctx context.Context, external, pseudonym string) (conversations, open int, err error) {
	type found struct{ conversation, identity, contact, open int64 }
	all, err := list(ctx, s.read, func(r row) (f found, err error) {
		return f, r.Scan(&f.conversation, &f.identity, &f.contact, &f.open)
	}, `select c.id, i.id, i.contact, (select count(*) from chat_sessions s where s.conversation = c.id and s.closed = 0)
		from chat_conversations c join chat_identities i on i.id = c.identity where i.external = $1`, external)
	if err != nil {
		return 0, 0, fmt.Errorf("erase chats: %w", err)
	}
	for _, f := range all {
		if f.open > 0 {
			open++
			continue
		}
		files, err := list(ctx, s.read, func(r row) (id string, err error) { return id, r.Scan(&id) },
			"select id from chat_attachments where conversation = $1", f.conversation)
		if err != nil {
			return conversations, open, fmt.Errorf("erase chats: %w", err)
		}
		err = s.write(ctx, func(tx db.Tx) error {
			for _, x := range []struct {
				change string
				args   []any
			}{
				{"delete from chat_inbox where customer = $1 and done <> 0", []any{external}},
				{"delete from chat_attachments where conversation = $1", []any{f.conversation}},
				{"delete from chat_letters where conversation = $1", []any{f.conversation}},
				{"delete from chat_externals where conversation = $1", []any{f.conversation}}, // some have the customer's name in them
				{"update chat_messages set body = '' where conversation = $1", []any{f.conversation}},
				{"update chat_sessions set bot_state = '' where conversation = $1", []any{f.conversation}},
				{"update chat_consents set address = '' where conversation = $1", []any{f.conversation}},
				{"update chat_ratings set comment = '' where session in (select id from chat_sessions where conversation = $1)", []any{f.conversation}},
				{"update chat_contacts set name = $1, details = '{}' where id = $2", []any{pseudonym, f.contact}},
				{"delete from chat_vouched where contact = $1", []any{f.contact}},
				{"update chat_identities set external = $1 where id = $2", []any{pseudonym, f.identity}},
			} {
				if _, err := tx.ExecContext(ctx, x.change, x.args...); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return conversations, open, fmt.Errorf("erase chats: %w", err)
		}
		for _, id := range files {
			if err := os.Remove(filepath.Join(s.dir, id)); err != nil && !errors.Is(err, os.ErrNotExist) {
				return conversations, open, fmt.Errorf("erase chats: %w", err)
			}
		}
		conversations++
	}
	return conversations, open, nil
}
