package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"centrala/chat"
	"centrala/internal/journal/db"
)

// Keep puts what came in into the inbox. Fresh tells that it was not there yet,
// by its channel and its sender's id.
func (s *Store) Keep(ctx context.Context, e chat.Event) (id int64, fresh bool, err error) {
	err = s.write(ctx, func(tx db.Tx) error {
		id, fresh = 0, false
		err := tx.QueryRowContext(ctx, `insert into chat_inbox (channel, event, customer, body, received, done, fault) values ($1, $2, $3, $4, $5, 0, '')
			on conflict (channel, event) do nothing returning id`, e.Channel, e.Event, e.Customer, e.Body, db.Micros(s.now())).Scan(&id)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		fresh = err == nil
		return err
	})
	if err != nil {
		return 0, false, fmt.Errorf("keep an event: %w", err)
	}
	return id, fresh, nil
}

// Left returns the events that nothing was made of yet, in the order in which they came.
func (s *Store) Left(ctx context.Context) ([]chat.Event, error) {
	scan := func(r row) (e chat.Event, err error) {
		err = r.Scan(&e.ID, &e.Channel, &e.Event, &e.Customer, &e.Body)
		return e, err
	}
	return list(ctx, s.read, scan, "select id, channel, event, customer, body from chat_inbox where done = 0 order by id")
}

// Done notes that an event was dealt with; fault says why nothing came of it.
func (s *Store) Done(ctx context.Context, id int64, fault string) error {
	err := s.write(ctx, func(tx db.Tx) error {
		_, err := tx.ExecContext(ctx, "update chat_inbox set done = $1, fault = $2 where id = $3", db.Micros(s.now()), told(fault), id)
		return err
	})
	if err != nil {
		return fmt.Errorf("note an event as dealt with: %w", err)
	}
	return nil
}

const outboxQuery = `select o.id, o.channel, i.external, o.attempts, o.state, o.next, o.parts, m.conversation, m.seq, m.session, m.author, m.name, m.kind,
	m.client, m.body, m.status, m.reason, m.at, o.buttons from chat_outbox o join chat_messages m on m.conversation = o.conversation and m.seq = o.seq
	join chat_conversations c on c.id = o.conversation join chat_identities i on i.id = c.identity `

// Outbox returns, of most conversations that are due first, those of some channels left out, the first message
// that has not gone out yet: the others wait for it, so that they arrive in order.
func (s *Store) Outbox(ctx context.Context, most int, but ...string) ([]chat.Outgoing, error) {
	args, others := []any{most}, ""
	for _, channel := range but {
		args = append(args, channel)
		others += fmt.Sprintf(" and o.channel <> $%d", len(args))
	}
	out, err := list(ctx, s.read, scanOutgoing, outboxQuery+`where o.state in ('waiting', 'trying')`+others+` and not exists (
		select 1 from chat_outbox p where p.conversation = o.conversation and p.seq < o.seq and p.state in ('waiting', 'trying')) order by o.next, o.id limit $1`, args...)
	if err != nil {
		return nil, err
	}
	for k := range out {
		m := []chat.Message{out[k].Message}
		if err := attach(ctx, s.read, m, m[0].Seq, m[0].Seq); err != nil {
			return nil, err
		}
		out[k].Message = m[0]
	}
	return out, nil
}

func scanOutgoing(r row) (o chat.Outgoing, err error) {
	var at, next int64
	var state, buttons string
	m := &o.Message
	err = r.Scan(&o.ID, &o.Channel, &o.Customer, &o.Attempts, &state, &next, &o.Parts, &m.Conversation, &m.Seq, &m.Session, &m.Author, &m.Name, &m.Kind,
		&m.Client, &m.Text, &m.Status, &m.Reason, &at, &buttons)
	if err == nil && buttons != "" {
		err = json.Unmarshal([]byte(buttons), &o.Buttons)
	}
	m.At, o.Next, o.Trying = db.Instant(at), db.Instant(next), state == "trying"
	return o, err
}

// marshalButtons makes the text of buttons, which the database keeps.
func marshalButtons(list []chat.Button) (string, error) {
	if len(list) == 0 {
		return "", nil
	}
	text, err := json.Marshal(list)
	return string(text), err
}

// Trying notes that an attempt to send begins, and by which id the other side may
// speak of the message from then on; empty: none of ours. Whoever finds it so after
// a restart does not know how the attempt ended.
func (s *Store) Trying(ctx context.Context, o chat.Outgoing, id string) error {
	return s.outgoing(ctx, func(tx db.Tx) error {
		_, err := tx.ExecContext(ctx, "update chat_outbox set state = 'trying', attempts = attempts + 1 where id = $1 and state in ('waiting', 'trying')", o.ID)
		if err != nil || id == "" {
			return err
		}
		return external(ctx, tx, o.Channel, ours(id), &o.Message)
	})
}

// Partly notes how many of the messages that it makes the other side has, and what
// those of this attempt are called there. The attempts are counted anew.
func (s *Store) Partly(ctx context.Context, o chat.Outgoing, parts int, externals []string) error {
	return s.outgoing(ctx, func(tx db.Tx) error {
		if _, err := tx.ExecContext(ctx, "update chat_outbox set parts = $1, attempts = 0 where id = $2", parts, o.ID); err != nil {
			return err
		}
		for _, id := range externals {
			if err := external(ctx, tx, o.Channel, ours(id), &o.Message); err != nil {
				return err
			}
		}
		return nil
	})
}

// Later puts the next attempt off.
func (s *Store) Later(ctx context.Context, o chat.Outgoing, next time.Time) error {
	return s.outgoing(ctx, func(tx db.Tx) error {
		_, err := tx.ExecContext(ctx, "update chat_outbox set state = 'waiting', next = $1 where id = $2", db.Micros(next), o.ID)
		return err
	})
}

// Sent notes that a message got to the channel's other side, and what it is called there.
func (s *Store) Sent(ctx context.Context, o chat.Outgoing, externals []string) error {
	return s.settle(ctx, o, "sent", chat.StatusSent, "", externals)
}

// Failed notes that a message will not get there, and why.
func (s *Store) Failed(ctx context.Context, o chat.Outgoing, reason string) error {
	return s.settle(ctx, o, "failed", chat.StatusFailed, reason, nil)
}

func (s *Store) settle(ctx context.Context, o chat.Outgoing, state string, status chat.Status, reason string, externals []string) error {
	err := s.write(ctx, func(tx db.Tx) error {
		if _, err := tx.ExecContext(ctx, "update chat_outbox set state = $1 where id = $2", state, o.ID); err != nil {
			return err
		}
		for _, id := range externals {
			if err := external(ctx, tx, o.Channel, ours(id), &o.Message); err != nil {
				return err
			}
		}
		return setStatus(ctx, tx, o.Message.Conversation, o.Message.Seq, status, reason)
	})
	if err != nil {
		return fmt.Errorf("note what became of a message: %w", err)
	}
	return nil
}

func (s *Store) outgoing(ctx context.Context, f func(db.Tx) error) error {
	if err := s.write(ctx, f); err != nil {
		return fmt.Errorf("note how sending stands: %w", err)
	}
	return nil
}
