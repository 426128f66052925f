// Package store keeps chats in the server's database, and their attachments as
// files of the data folder.
//
// Every method that writes has committed when it returns without an error. What
// comes a second time is found by its unique id, in the same transaction that
// would have written it, so that two who bring the same message at once both get
// the one that was kept. The row of the conversation is locked first, which gives
// its messages their numbers one after another.
package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"centrala/chat"
	"centrala/internal/journal/db"
)

// Options are what a Store needs; all but Now and Log are required.
type Options struct {
	DB  *db.DB
	Dir string // for attachments; it is made if need be
	Log zerolog.Logger
	Now func() time.Time // nil: time.Now
	// Rated is called in the transaction that writes, replaces or deletes ratings, before
	// it does, with the times of all of them. nil: nobody counts them.
	Rated func(ctx context.Context, tx db.Tx, times ...time.Time) error
}

// Store keeps chats. Its methods may be called from any goroutine.
type Store struct {
	db   *db.DB
	read *db.Queries
	dir  string
	log  zerolog.Logger
	now  func() time.Time

	rated func(ctx context.Context, tx db.Tx, times ...time.Time) error
}

// New opens the store.
func New(o Options) *Store {
	s := &Store{db: o.DB, read: o.DB.Queries(), dir: o.Dir, log: o.Log, now: o.Now, rated: o.Rated}
	if s.now == nil {
		s.now = time.Now
	}
	return s
}

// write runs f in a transaction whose statements are kept prepared.
func (s *Store) write(ctx context.Context, f func(db.Tx) error) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error { return f(s.db.Kept(tx)) })
}

// newID makes an id that nobody guesses.
func newID() string { return strings.ToLower(rand.Text()) }

// told is what somebody else's program said, as every database takes it: in what letters it comes is theirs to say.
func told(reason string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(reason, "\ufffd"), "\x00", "")
}

// querier is a transaction, or the connections for reading.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

type row interface{ Scan(...any) error }

// missing turns the database's word for nothing found into ours.
func missing(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return chat.ErrNotFound
	}
	return err
}

// list reads rows.
func list[T any](ctx context.Context, q querier, scan func(row) (T, error), query string, args ...any) ([]T, error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := []T{}
	for rows.Next() {
		x, err := scan(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, x)
	}
	return out, rows.Err()
}

const conversationQuery = `select c.id, c.channel, i.external, i.verified, c.blocked, t.id, t.name, t.details, t.created, c.seq, c.read_customer, c.read_agent
	from chat_conversations c join chat_identities i on i.id = c.identity join chat_contacts t on t.id = i.contact `

func scanConversation(r row) (c chat.Conversation, err error) {
	var created, verified, blocked int64
	var details []byte
	if err := r.Scan(&c.ID, &c.Channel, &c.Customer, &verified, &blocked, &c.Contact.ID, &c.Contact.Name, &details, &created, &c.Seq, &c.ReadCustomer, &c.ReadAgent); err != nil {
		return c, missing(err)
	}
	c.Contact.Created, c.Verified, c.Blocked = db.Instant(created), verified == 1, blocked == 1
	return c, json.Unmarshal(details, &c.Contact.Details)
}

// Conversation finds one by its id. The error is chat.ErrNotFound or the database's.
func (s *Store) Conversation(ctx context.Context, id int64) (chat.Conversation, error) {
	return scanConversation(s.read.QueryRowContext(ctx, conversationQuery+"where c.id = $1", id))
}

// ConversationOf finds that of a customer in a channel. The error is chat.ErrNotFound or the database's.
func (s *Store) ConversationOf(ctx context.Context, channel, customer string) (chat.Conversation, error) {
	return scanConversation(s.read.QueryRowContext(ctx, conversationQuery+"where i.channel = $1 and i.external = $2", channel, customer))
}

const sessionQuery = `select s.id, s.conversation, c.channel, i.external, t.name, s.first, s.opened, s.closed,
	s.bot, s.bot_state, s.bot_answered, s.to_channel, s.to_agent, t.responsible, s.taken from chat_sessions s
	join chat_conversations c on c.id = s.conversation join chat_identities i on i.id = c.identity join chat_contacts t on t.id = i.contact `

func scanSession(r row) (x chat.Session, err error) {
	var opened, closed, bot int64
	b := &x.Bot
	err = r.Scan(&x.ID, &x.Conversation, &x.Channel, &x.Customer, &x.Name, &x.First, &opened, &closed, &bot, &b.State, &b.Answered, &b.ToChannel, &b.ToAgent, &x.Responsible, &x.Taken)
	x.Opened, x.Closed, b.Has = db.Instant(opened), db.Instant(closed), bot == 1
	return x, missing(err)
}

// Session finds one. The error is chat.ErrNotFound or the database's.
func (s *Store) Session(ctx context.Context, id chat.SessionID) (chat.Session, error) {
	return scanSession(s.read.QueryRowContext(ctx, sessionQuery+"where s.id = $1", string(id)))
}

// Open returns all sessions that are open, by when they were opened: after a
// restart they go on.
func (s *Store) Open(ctx context.Context) ([]chat.Session, error) {
	return list(ctx, s.read, scanSession, sessionQuery+"where s.closed = 0 order by s.opened, s.id")
}

// OpenOf finds the open session of a customer in a channel. The error is
// chat.ErrNotFound or the database's.
func (s *Store) OpenOf(ctx context.Context, channel, customer string) (chat.Session, error) {
	return scanSession(s.read.QueryRowContext(ctx, sessionQuery+"where i.channel = $1 and i.external = $2 and s.closed = 0", channel, customer))
}

// Close ends a session: the customer's next message begins another. Once more is
// no error. The error is the database's.
func (s *Store) Close(ctx context.Context, id chat.SessionID) error {
	err := s.write(ctx, func(tx db.Tx) error {
		_, err := tx.ExecContext(ctx, "update chat_sessions set closed = $1 where id = $2 and closed = 0", db.Micros(s.now()), string(id))
		return err
	})
	if err != nil {
		return fmt.Errorf("close the session: %w", err)
	}
	return nil
}

// Read notes up to which message the customer, or the agents, have read a
// conversation. It never goes back, nor beyond the last message.
func (s *Store) Read(ctx context.Context, conversation int64, by chat.Author, seq int64) error {
	mark := "read_agent"
	if by == chat.ByCustomer {
		mark = "read_customer"
	}
	err := s.write(ctx, func(tx db.Tx) error {
		_, err := tx.ExecContext(ctx, "update chat_conversations set "+mark+" = $1 where id = $2 and "+mark+" < $1 and $1 <= seq", seq, conversation)
		return err
	})
	if err != nil {
		return fmt.Errorf("note what was read: %w", err)
	}
	return nil
}

// Rate keeps what somebody thinks of a session; what they said before is replaced.
func (s *Store) Rate(ctx context.Context, r chat.Rating) error {
	switch {
	case r.Score < 1 || r.Score > 5:
		return chat.ErrScore
	case len(r.Comment) > chat.TextMax:
		return chat.ErrTooLong
	}
	return s.write(ctx, func(tx db.Tx) error {
		if _, err := scanSession(tx.QueryRowContext(ctx, sessionQuery+"where s.id = $1", string(r.Session))); err != nil {
			return err
		}
		at := s.now()
		if err := s.counted(ctx, tx, "session = $1 and who = $2", []any{string(r.Session), r.Who}, at); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `insert into chat_ratings (session, who, score, comment, at) values ($1, $2, $3, $4, $5)
			on conflict (session, who) do update set score = excluded.score, comment = excluded.comment, at = excluded.at`,
			string(r.Session), r.Who, r.Score, r.Comment, db.Micros(at))
		return err
	})
}

// counted tells of ratings that are about to change, those for which a condition holds,
// and of when others are about to be written.
func (s *Store) counted(ctx context.Context, tx db.Tx, where string, args []any, times ...time.Time) error {
	if s.rated == nil {
		return nil
	}
	before, err := list(ctx, tx, func(r row) (at int64, err error) { return at, r.Scan(&at) }, "select at from chat_ratings where "+where, args...)
	if err != nil {
		return err
	}
	for _, at := range before {
		times = append(times, db.Instant(at))
	}
	if len(times) == 0 {
		return nil
	}
	return s.rated(ctx, tx, times...)
}

// Ratings returns those of a session, the oldest first.
func (s *Store) Ratings(ctx context.Context, id chat.SessionID) ([]chat.Rating, error) {
	scan := func(r row) (x chat.Rating, err error) {
		var at int64
		err = r.Scan(&x.Session, &x.Who, &x.Score, &x.Comment, &at)
		x.At = db.Instant(at)
		return x, err
	}
	return list(ctx, s.read, scan, "select session, who, score, comment, at from chat_ratings where session = $1 order by at, who", string(id))
}

// Consent keeps a customer's agreement to a text; the same version again is kept once.
func (s *Store) Consent(ctx context.Context, c chat.Consent) error {
	return s.write(ctx, func(tx db.Tx) error {
		if _, err := lock(ctx, tx, c.Conversation); err != nil {
			return err
		}
		return s.consent(ctx, tx, c)
	})
}

// consent keeps it in a conversation that is locked.
func (s *Store) consent(ctx context.Context, tx db.Tx, c chat.Consent) error {
	var n int
	err := tx.QueryRowContext(ctx, "select count(*) from chat_consents where conversation = $1 and version = $2", c.Conversation, c.Version).Scan(&n)
	if err != nil || n > 0 {
		return err
	}
	_, err = tx.ExecContext(ctx, "insert into chat_consents (conversation, version, at, address) values ($1, $2, $3, $4)",
		c.Conversation, c.Version, db.Micros(s.now()), c.Address)
	return err
}

// Consents returns what the customer of a conversation agreed to, the oldest first.
func (s *Store) Consents(ctx context.Context, conversation int64) ([]chat.Consent, error) {
	scan := func(r row) (c chat.Consent, err error) {
		var at int64
		err = r.Scan(&c.Conversation, &c.Version, &at, &c.Address)
		c.At = db.Instant(at)
		return c, err
	}
	return list(ctx, s.read, scan, "select conversation, version, at, address from chat_consents where conversation = $1 order by id", conversation)
}

// lock takes the conversation's row until the transaction ends, and returns the
// number of its last message. The error is chat.ErrNotFound or the database's.
func lock(ctx context.Context, tx db.Tx, conversation int64) (seq int64, err error) {
	err = tx.QueryRowContext(ctx, "update chat_conversations set seq = seq where id = $1 returning seq", conversation).Scan(&seq)
	return seq, missing(err)
}
