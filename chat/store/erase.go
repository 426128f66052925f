package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"centrala/internal/journal/db"
)

// Names returns all by which the history may have a customer that it has by one: who wrote before they
// signed in is there as the visitor that they were, and as the customer since (R57). The one that is asked for comes first.
func (s *Store) Names(ctx context.Context, external string) ([]string, error) {
	name := func(r row) (name string, err error) { return name, r.Scan(&name) }
	found, err := list(ctx, s.read, name, `select customer from chat_signed_in where visitor = $1 union select visitor from chat_signed_in where customer = $1 union
		select o.visitor from chat_signed_in n join chat_signed_in o on o.customer = n.customer where n.visitor = $1 and o.visitor <> $1 order by 1`, external)
	if err != nil {
		return nil, fmt.Errorf("names of a customer: %w", err)
	}
	return append([]string{external}, found...), nil
}

// Unname forgets which visitors signed in as whom, of names that are erased. The error is the database's.
func (s *Store) Unname(ctx context.Context, names []string) error {
	err := s.write(ctx, func(tx db.Tx) error {
		for _, name := range names {
			if _, err := tx.ExecContext(ctx, "delete from chat_signed_in where visitor = $1 or customer = $1", name); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("forget the names of a customer: %w", err)
	}
	return nil
}

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
