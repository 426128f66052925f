package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"centrala/chat"
	"centrala/internal/journal/db"
)

// Archived counts what is kept of the dialogs of every channel that ever had one, by its
// id (R9). The error is the database's.
func (s *Store) Archived(ctx context.Context) ([]chat.Dialogs, error) {
	scan := func(r row) (d chat.Dialogs, err error) {
		return d, r.Scan(&d.Channel, &d.Conversations, &d.Messages, &d.Open)
	}
	found, err := list(ctx, s.read, scan, `select c.channel, count(*), sum(c.seq),
		sum((select count(*) from chat_sessions s where s.conversation = c.id and s.closed = 0)) from chat_conversations c group by c.channel order by c.channel`)
	if err != nil {
		return nil, fmt.Errorf("count dialogs: %w", err)
	}
	return found, nil
}

// DeleteChannel deletes all dialogs of a channel for good: conversations with their
// messages and files, what came in and its canned answers, and customers who are known
// by nothing else. It tells what it deleted. The error is the database's or the disk's;
// what was deleted until then is gone, and the rest is deleted when asked again.
func (s *Store) DeleteChannel(ctx context.Context, channel string) (d chat.Dialogs, err error) {
	d.Channel = channel
	type found struct{ conversation, identity, contact, messages int64 }
	all, err := list(ctx, s.read, func(r row) (f found, err error) {
		return f, r.Scan(&f.conversation, &f.identity, &f.contact, &f.messages)
	}, "select c.id, i.id, i.contact, c.seq from chat_conversations c join chat_identities i on i.id = c.identity where c.channel = $1 order by c.id", channel)
	if err != nil {
		return d, fmt.Errorf("delete a channel: %w", err)
	}
	for _, f := range all {
		if err := s.deleteConversation(ctx, f.conversation, f.identity, f.contact); err != nil {
			return d, fmt.Errorf("delete a channel: %w", err)
		}
		d.Conversations++
		d.Messages += f.messages
	}
	err = s.write(ctx, func(tx db.Tx) error {
		for _, table := range []string{"chat_inbox", "chat_positions", "chat_canned", "chat_signed_in"} {
			if _, err := tx.ExecContext(ctx, "delete from "+table+" where channel = $1", channel); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return d, fmt.Errorf("delete a channel: %w", err)
	}
	return d, nil
}

// deleteConversation deletes a conversation and all that belongs to it.
func (s *Store) deleteConversation(ctx context.Context, conversation, identity, contact int64) error {
	files, err := list(ctx, s.read, func(r row) (id string, err error) { return id, r.Scan(&id) },
		"select id from chat_attachments where conversation = $1", conversation)
	if err != nil {
		return err
	}
	err = s.write(ctx, func(tx db.Tx) error {
		const ratings = "session in (select id from chat_sessions where conversation = $1)"
		if err := s.counted(ctx, tx, ratings, []any{conversation}); err != nil {
			return err
		}
		for _, x := range []struct {
			change string
			of     int64
		}{
			{"delete from chat_outbox where conversation = $1", conversation},
			{"delete from chat_letters where conversation = $1", conversation},
			{"delete from chat_externals where conversation = $1", conversation},
			{"delete from chat_attachments where conversation = $1", conversation},
			{"delete from chat_consents where conversation = $1", conversation},
			{"delete from chat_ratings where " + ratings, conversation},
			{"delete from chat_messages where conversation = $1", conversation},
			{"delete from chat_sessions where conversation = $1", conversation},
			{"delete from chat_conversations where id = $1", conversation},
			{"delete from chat_identities where id = $1", identity},
			{"delete from chat_vouched where contact = $1 and not exists (select 1 from chat_identities i where i.contact = $1)", contact},
			{"delete from chat_contacts where id = $1 and not exists (select 1 from chat_identities i where i.contact = $1)", contact},
		} {
			if _, err := tx.ExecContext(ctx, x.change, x.of); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, id := range files {
		if err := os.Remove(filepath.Join(s.dir, id)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}
