package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"centrala/chat"
	"centrala/internal/journal/db"
)

// PageMax is how many messages are read at once.
const PageMax = 200

// Take keeps a customer's message, and whatever of contact, conversation and
// session it begins. One that was taken before, by the connector's id or the
// customer's own, is found again. The error is what is wrong with the message, or
// the database's.
func (s *Store) Take(ctx context.Context, in chat.Incoming) (t chat.Taken, err error) {
	if err := in.Check(); err != nil {
		return t, err
	}
	if in.At.IsZero() {
		in.At = s.now()
	}
	err = s.write(ctx, func(tx db.Tx) error {
		t = chat.Taken{}
		conversation, err := s.conversation(ctx, tx, in)
		if err != nil {
			return err
		}
		last, err := lock(ctx, tx, conversation)
		if err != nil {
			return err
		}
		if t.Message, err = known(ctx, tx, conversation, in); err == nil {
			t.Again = true
			t.Session, err = scanSession(tx.QueryRowContext(ctx, sessionQuery+"where s.id = $1", string(t.Message.Session)))
			t.Begins = t.Session.First == t.Message.Seq
			return err
		} else if !errors.Is(err, chat.ErrNotFound) {
			return err
		}
		if err := recognise(ctx, tx, conversation, in.Vouched); err != nil {
			return err
		}
		t.Session, err = scanSession(tx.QueryRowContext(ctx, sessionQuery+"where s.conversation = $1 and s.closed = 0", conversation))
		if errors.Is(err, chat.ErrNotFound) {
			t.Begins = true
			t.Session, err = s.begin(ctx, tx, conversation, last+1, in.Bot)
		}
		if err != nil {
			return err
		}
		t.Message = chat.Message{
			Conversation: conversation, Seq: last + 1, Session: t.Session.ID, Author: chat.ByCustomer, Kind: chat.KindText,
			Client: in.Client, Text: in.Text, Status: chat.StatusAccepted, At: in.At, Attachments: in.Files,
		}
		if t.Message.Corrects, err = corrected(ctx, tx, conversation, in); err != nil {
			return err
		}
		if err := s.insert(ctx, tx, &t.Message); err != nil {
			return err
		}
		if in.Consent.Version != "" {
			in.Consent.Conversation = conversation
			if err := s.consent(ctx, tx, in.Consent); err != nil {
				return err
			}
		}
		if in.External == "" {
			return nil
		}
		return external(ctx, tx, in.Channel, theirs(in.External), &t.Message)
	})
	if err != nil {
		return chat.Taken{}, fmt.Errorf("take a message: %w", err)
	}
	return t, nil
}

// conversation finds or begins that of a customer in a channel.
func (s *Store) conversation(ctx context.Context, tx db.Tx, in chat.Incoming) (id int64, err error) {
	c, err := scanConversation(tx.QueryRowContext(ctx, conversationQuery+"where i.channel = $1 and i.external = $2", in.Channel, in.Customer))
	switch {
	case errors.Is(err, chat.ErrNotFound):
		return s.newConversation(ctx, tx, in)
	case err != nil:
		return 0, err
	}
	name, details := cmp.Or(in.Name, c.Contact.Name), c.Contact.Details.Merge(in.Details)
	if name != c.Contact.Name || details != c.Contact.Details {
		_, err = tx.ExecContext(ctx, "update chat_contacts set name = $1, details = $2 where id = $3", name, marshal(details), c.Contact.ID)
	}
	if err == nil && c.Blocked { // whoever writes lets us answer
		_, err = tx.ExecContext(ctx, "update chat_conversations set blocked = 0 where id = $1", c.ID)
	}
	if err == nil && in.Verified && !c.Verified {
		_, err = tx.ExecContext(ctx, "update chat_identities set verified = 1 where channel = $1 and external = $2", in.Channel, in.Customer)
	}
	return c.ID, err
}

// unmarshal reads what marshal made.
func unmarshal(text string, d *chat.Details) error { return json.Unmarshal([]byte(text), d) }

// marshal makes the text of details, which the database keeps.
func marshal(d chat.Details) string {
	text, err := json.Marshal(d)
	if err != nil {
		return "{}" // it cannot be: these are strings
	}
	return string(text)
}

// newConversation begins one. Of two who do so at once the second waits at the
// identity's unique key until the first is done, and then takes what is there.
func (s *Store) newConversation(ctx context.Context, tx db.Tx, in chat.Incoming) (id int64, err error) {
	now := db.Micros(s.now())
	var contact, identity int64
	if err := tx.QueryRowContext(ctx, "insert into chat_contacts (name, details, created) values ($1, $2, $3) returning id", in.Name, marshal(in.Details), now).Scan(&contact); err != nil {
		return 0, err
	}
	err = tx.QueryRowContext(ctx, `insert into chat_identities (contact, channel, external, verified, created) values ($1, $2, $3, $4, $5)
		on conflict (channel, external) do nothing returning id`, contact, in.Channel, in.Customer, db.Flag(in.Verified), now).Scan(&identity)
	if errors.Is(err, sql.ErrNoRows) {
		if _, err := tx.ExecContext(ctx, "delete from chat_contacts where id = $1", contact); err != nil {
			return 0, err
		}
		c, err := scanConversation(tx.QueryRowContext(ctx, conversationQuery+"where i.channel = $1 and i.external = $2", in.Channel, in.Customer))
		return c.ID, err
	}
	if err != nil {
		return 0, err
	}
	err = tx.QueryRowContext(ctx, `insert into chat_conversations (identity, channel, seq, read_customer, read_agent, created)
		values ($1, $2, 0, 0, 0, $3) returning id`, identity, in.Channel, now).Scan(&id)
	return id, err
}

// begin opens a session.
func (s *Store) begin(ctx context.Context, tx db.Tx, conversation, first int64, bot bool) (chat.Session, error) {
	id := chat.NewSessionID(newID())
	_, err := tx.ExecContext(ctx, "insert into chat_sessions (id, conversation, first, opened, closed, bot) values ($1, $2, $3, $4, 0, $5)",
		string(id), conversation, first, db.Micros(s.now()), db.Flag(bot))
	if err != nil {
		return chat.Session{}, err
	}
	return scanSession(tx.QueryRowContext(ctx, sessionQuery+"where s.id = $1", string(id)))
}

// known finds a customer's message that was taken before.
func known(ctx context.Context, tx db.Tx, conversation int64, in chat.Incoming) (m chat.Message, err error) {
	if in.External != "" {
		m, err = one(ctx, tx, messageQuery+`join chat_externals e on e.conversation = m.conversation and e.seq = m.seq
			where e.channel = $1 and e.external = $2`, in.Channel, theirs(in.External))
	}
	if in.Client != "" && (in.External == "" || errors.Is(err, chat.ErrNotFound)) {
		m, err = one(ctx, tx, messageQuery+"where m.conversation = $1 and m.author = $2 and m.client = $3", conversation, string(chat.ByCustomer), in.Client)
	}
	return m, err
}

// corrected finds the message that a customer's corrects; 0: none that is there.
func corrected(ctx context.Context, tx db.Tx, conversation int64, in chat.Incoming) (seq int64, err error) {
	if in.Corrects == "" {
		return 0, nil
	}
	err = tx.QueryRowContext(ctx, "select seq from chat_externals where channel = $1 and external = $2 and conversation = $3",
		in.Channel, theirs(in.Corrects), conversation).Scan(&seq)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return seq, err
}

// Write keeps a message of an agent's or the channel's own in an open session, to
// go out unless it is a note or fetched. Again tells that it was there before, by the
// writer's own id. The error is what is wrong with the draft, chat.ErrNotFound or
// chat.ErrClosed of the session, or the database's.
func (s *Store) Write(ctx context.Context, d chat.Draft) (m chat.Message, again bool, err error) {
	if err := d.Check(); err != nil {
		return m, false, err
	}
	err = s.write(ctx, func(tx db.Tx) error {
		again = false
		session, err := scanSession(tx.QueryRowContext(ctx, sessionQuery+"where s.id = $1", string(d.Session)))
		if err != nil {
			return err
		}
		last, err := lock(ctx, tx, session.Conversation)
		if err != nil {
			return err
		}
		m, err = one(ctx, tx, messageQuery+"where m.conversation = $1 and m.author = $2 and m.client = $3", session.Conversation, string(d.Author), d.Client)
		if !errors.Is(err, chat.ErrNotFound) {
			again = true
			return err
		}
		// Whether it is open may have changed while the lock was waited for.
		if session, err = scanSession(tx.QueryRowContext(ctx, sessionQuery+"where s.id = $1", string(d.Session))); err != nil {
			return err
		}
		if !session.Closed.IsZero() && d.Author == chat.ByAgent && d.Kind != chat.KindNote {
			return chat.ErrClosed
		}
		m = chat.Message{
			Conversation: session.Conversation, Seq: last + 1, Session: d.Session, Author: d.Author, Name: d.Name, Kind: d.Kind,
			Client: d.Client, Text: d.Text, Status: chat.StatusAccepted, At: s.now(), Attachments: d.Files,
		}
		fetched := d.Kind != chat.KindNote && d.Fetched != nil && d.Fetched(session.Channel)
		if fetched {
			m.Status = chat.StatusSent
		}
		if err := s.insert(ctx, tx, &m); err != nil || d.Kind == chat.KindNote || fetched {
			return err
		}
		buttons, err := marshalButtons(d.Buttons)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `insert into chat_outbox (channel, conversation, seq, state, attempts, next, buttons) values ($1, $2, $3, 'waiting', 0, 0, $4)`,
			session.Channel, m.Conversation, m.Seq, buttons)
		return err
	})
	if err != nil {
		return chat.Message{}, false, fmt.Errorf("write a message: %w", err)
	}
	return m, again, nil
}

// insert writes a message with the number after the conversation's last.
func (s *Store) insert(ctx context.Context, tx db.Tx, m *chat.Message) error {
	m.At = db.Instant(db.Micros(m.At))
	_, err := tx.ExecContext(ctx, `insert into chat_messages (conversation, seq, session, author, name, kind, client, body, status, rank, reason, at, corrects)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, '', $11, $12)`, m.Conversation, m.Seq, string(m.Session), string(m.Author), m.Name,
		string(m.Kind), m.Client, m.Text, string(m.Status), m.Status.Rank(), db.Micros(m.At), m.Corrects)
	if err != nil {
		return err
	}
	for _, a := range m.Attachments {
		_, err := tx.ExecContext(ctx, "insert into chat_attachments (id, conversation, seq, name, type, size) values ($1, $2, $3, $4, $5, $6)",
			a.ID, m.Conversation, m.Seq, a.Name, a.Type, a.Size)
		if err != nil {
			return err
		}
	}
	_, err = tx.ExecContext(ctx, "update chat_conversations set seq = $1 where id = $2", m.Seq, m.Conversation)
	return err
}

// theirs and ours keep apart what others call customers' messages and messages of
// ours: some number them alike.
func theirs(id string) string { return "in " + id }
func ours(id string) string   { return "out " + id }

func external(ctx context.Context, tx db.Tx, channel, id string, m *chat.Message) error {
	_, err := tx.ExecContext(ctx, `insert into chat_externals (channel, external, conversation, seq) values ($1, $2, $3, $4)
		on conflict (channel, external) do nothing`, channel, id, m.Conversation, m.Seq)
	return err
}

// Status notes how far a message has got, if that is further than before.
func (s *Store) Status(ctx context.Context, conversation, seq int64, status chat.Status, reason string) error {
	err := s.write(ctx, func(tx db.Tx) error { return setStatus(ctx, tx, conversation, seq, status, reason) })
	if err != nil {
		return fmt.Errorf("note a message's status: %w", err)
	}
	return nil
}

func setStatus(ctx context.Context, tx db.Tx, conversation, seq int64, status chat.Status, reason string) error {
	_, err := tx.ExecContext(ctx, "update chat_messages set status = $1, rank = $2, reason = $3 where conversation = $4 and seq = $5 and rank < $2",
		string(status), status.Rank(), told(reason), conversation, seq)
	return err
}

// StatusOf is Status for a message by what the channel's other side calls it. The
// error is chat.ErrNotFound or the database's.
func (s *Store) StatusOf(ctx context.Context, channel, id string, status chat.Status, reason string) error {
	err := s.write(ctx, func(tx db.Tx) error {
		var conversation, seq int64
		err := tx.QueryRowContext(ctx, "select conversation, seq from chat_externals where channel = $1 and external = $2", channel, ours(id)).Scan(&conversation, &seq)
		if err != nil {
			return missing(err)
		}
		return setStatus(ctx, tx, conversation, seq, status, reason)
	})
	if err != nil {
		return fmt.Errorf("note a message's status: %w", err)
	}
	return nil
}

const messageQuery = `select m.conversation, m.seq, m.session, m.author, m.name, m.kind, m.client, m.body, m.status, m.reason, m.at, m.corrects from chat_messages m `

func scanMessage(r row) (m chat.Message, err error) {
	var at int64
	err = r.Scan(&m.Conversation, &m.Seq, &m.Session, &m.Author, &m.Name, &m.Kind, &m.Client, &m.Text, &m.Status, &m.Reason, &at, &m.Corrects)
	m.At = db.Instant(at)
	return m, missing(err)
}

// one reads a message with its attachments.
func one(ctx context.Context, q querier, query string, args ...any) (chat.Message, error) {
	m, err := scanMessage(q.QueryRowContext(ctx, query, args...))
	if err != nil {
		return m, err
	}
	found := []chat.Message{m}
	err = attach(ctx, q, found, m.Seq, m.Seq)
	return found[0], err
}

// After returns the messages of a conversation after the one numbered, in order,
// at most limit of them.
func (s *Store) After(ctx context.Context, conversation, seq int64, limit int) ([]chat.Message, error) {
	return s.page(ctx, "where m.conversation = $1 and m.seq > $2 order by m.seq limit $3", conversation, seq, min(limit, PageMax))
}

// Before returns those before the one numbered, the nearest of them and in order, at most limit.
func (s *Store) Before(ctx context.Context, conversation, seq int64, limit int) ([]chat.Message, error) {
	return s.page(ctx, "where m.conversation = $1 and m.seq < $2 and m.seq >= $2 - $3 order by m.seq", conversation, seq, min(limit, PageMax))
}

func (s *Store) page(ctx context.Context, where string, args ...any) ([]chat.Message, error) {
	found, err := list(ctx, s.read, scanMessage, messageQuery+where, args...)
	if err != nil || len(found) == 0 {
		return found, err
	}
	return found, attach(ctx, s.read, found, found[0].Seq, found[len(found)-1].Seq)
}

// attach reads the attachments of messages of one conversation, which are in order without a gap.
func attach(ctx context.Context, q querier, found []chat.Message, from, to int64) error {
	type attached struct {
		seq int64
		a   chat.Attachment
	}
	scan := func(r row) (x attached, err error) {
		err = r.Scan(&x.seq, &x.a.ID, &x.a.Name, &x.a.Type, &x.a.Size)
		return x, err
	}
	files, err := list(ctx, q, scan, "select seq, id, name, type, size from chat_attachments where conversation = $1 and seq >= $2 and seq <= $3 order by seq, id",
		found[0].Conversation, from, to)
	for _, f := range files {
		m := &found[f.seq-from]
		m.Attachments = append(m.Attachments, f.a)
	}
	return err
}

// Restart begins a session with a customer's message that came into one which was
// over already: nobody would have seen it there. What followed goes with it. The
// error is chat.ErrNotFound or the database's.
func (s *Store) Restart(ctx context.Context, m chat.Message) (session chat.Session, err error) {
	err = s.write(ctx, func(tx db.Tx) error {
		if _, err := lock(ctx, tx, m.Conversation); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, "update chat_sessions set closed = $1 where conversation = $2 and closed = 0", db.Micros(s.now()), m.Conversation)
		if err != nil {
			return err
		}
		if session, err = s.begin(ctx, tx, m.Conversation, m.Seq, false); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "update chat_messages set session = $1 where conversation = $2 and seq >= $3", string(session.ID), m.Conversation, m.Seq)
		return err
	})
	if err != nil {
		return chat.Session{}, fmt.Errorf("begin a session anew: %w", err)
	}
	return session, nil
}
