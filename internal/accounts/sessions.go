package accounts

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/netip"
	"time"
	"unicode/utf8"

	"centrala/internal/journal/db"
)

// How long a session lives, and how often its token is replaced. A token that was replaced is good
// for a moment more, for requests that were on their way.
const (
	idleLimit     = 2 * time.Hour  // without a request
	absoluteLimit = 24 * time.Hour // whatever happens
	rotateAfter   = time.Hour
	graceFor      = time.Minute
	seenEvery     = time.Minute
	sessionsMax   = 50 // of a user; the oldest end
	programMax    = 200
)

// Session is a sign-in that lasts.
type Session struct {
	ID      string
	Name    string
	Created time.Time
	Seen    time.Time // to the minute
	Address string
	Program string // the browser, as it calls itself
}

// SignIn checks a password and begins a session; the token is for the cookie. The error is
// ErrRefused for whatever is wrong with name and password, *TooManyError, ErrBusy, or the database's.
func (a *Accounts) SignIn(ctx context.Context, name, password string, from netip.Addr, program string) (token string, c *Caller, err error) {
	limits := signInLimits(name, source(from))
	if wait := a.guesses.begin(limits); wait > 0 {
		return "", nil, &TooManyError{wait}
	}
	var u *User
	if validName(name) {
		if u, err = a.find(ctx, name); err != nil {
			return "", nil, err
		}
	}
	hash := ""
	if u != nil {
		hash = u.hash
	}
	if len(password) > 4*passwordMax {
		password = "" // nobody's, and not worth hashing as it is
	}
	ok, stale, err := a.hasher.verify(ctx, hash, password)
	if err != nil {
		return "", nil, err
	}
	if ok && u.usable(a.now()) {
		c = a.caller(u)
	}
	if c == nil {
		a.log.Warn().Str("user", printable(name)).Stringer("from", from).Msg("sign-in refused")
		return "", nil, ErrRefused
	}
	a.guesses.succeeded(limits)
	if stale {
		if hash, err = a.hasher.hash(ctx, password); err != nil {
			return "", nil, err
		}
	}
	c.Session, c.Once = newID(), u.Once
	token = newSecret()
	now := db.Micros(a.now())
	err = a.write(ctx, func(tx *sql.Tx) error {
		// A password for one sign-in is used up, unless another sign-in was faster. One that was hashed
		// anew is kept.
		used, err := affected(tx.ExecContext(ctx, "update users set password = $1, once = 0 where name = $2 and password = $3",
			spent(u.Once, hash), name, u.hash))
		if err != nil {
			return err
		}
		if used == 0 {
			return ErrRefused
		}
		if err := a.tidy(ctx, tx, name); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `insert into sessions (id, name, token, rotated, created, seen, once, address, program)
			values ($1, $2, $3, $4, $4, $4, $5, $6, $7)`, c.Session, name, hashed(token), now, db.Flag(u.Once), from.String(), printable(program))
		return err
	})
	if err != nil {
		return "", nil, err
	}
	a.log.Info().Str("user", name).Stringer("from", from).Str("session", c.Session).Msg("signed in")
	return token, c, nil
}

// spent is what is left of a password after a sign-in.
func spent(once bool, hash string) string {
	if once {
		return ""
	}
	return hash
}

// tidy ends the sessions whose time is over, and the oldest of a user who has too many.
func (a *Accounts) tidy(ctx context.Context, tx *sql.Tx, name string) error {
	now := a.now()
	if _, err := tx.ExecContext(ctx, "delete from sessions where seen < $1 or created < $2", db.Micros(now.Add(-idleLimit)), db.Micros(now.Add(-absoluteLimit))); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `delete from sessions where name = $1 and id not in
		(select id from sessions where name = $1 order by seen desc limit $2)`, name, sessionsMax-1)
	return err
}

// Session finds the caller of a session by its token; nil: there is none, or its time is over.
func (a *Accounts) Session(ctx context.Context, token string, from netip.Addr) (*Caller, error) {
	h := hashed(token)
	var id, name string
	var current []byte
	var rotated, created, seen, once int64
	err := a.db.Read().QueryRowContext(ctx, "select id, name, token, rotated, created, seen, once from sessions where token = $1 or previous = $1", h).
		Scan(&id, &name, &current, &rotated, &created, &seen, &once)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the session: %w", err)
	}
	now := a.now()
	replaced := string(current) != string(h)
	if now.Sub(db.Instant(seen)) >= idleLimit || now.Sub(db.Instant(created)) >= absoluteLimit || replaced && now.Sub(db.Instant(rotated)) >= graceFor {
		return nil, nil
	}
	u, err := a.find(ctx, name)
	if err != nil || u == nil {
		return nil, err
	}
	c := a.caller(u)
	if c == nil {
		return nil, nil
	}
	c.Session, c.Once = id, once != 0
	if !replaced && now.Sub(db.Instant(rotated)) >= rotateAfter {
		c.Renewed, err = a.rotate(ctx, id, h, now, from)
	} else if now.Sub(db.Instant(seen)) >= seenEvery {
		err = a.update(ctx, "update sessions set seen = $1, address = $2 where id = $3", db.Micros(now), from.String(), id)
	}
	if errors.Is(err, ErrNotFound) {
		return nil, nil // ended meanwhile
	}
	return c, err
}

// Again finds out what a caller found earlier may do by now, for what lasts longer than a request; nil:
// the session or the key is over. It does not count as use.
func (a *Accounts) Again(ctx context.Context, c *Caller) (*Caller, error) {
	if c.Session == "" {
		return a.keyAgain(ctx, c)
	}
	var created, seen, once int64
	err := a.db.Read().QueryRowContext(ctx, "select created, seen, once from sessions where id = $1 and name = $2", c.Session, c.Name).
		Scan(&created, &seen, &once)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the session: %w", err)
	}
	now := a.now()
	if now.Sub(db.Instant(seen)) >= idleLimit || now.Sub(db.Instant(created)) >= absoluteLimit {
		return nil, nil
	}
	u, err := a.find(ctx, c.Name)
	if err != nil || u == nil {
		return nil, err
	}
	again := a.caller(u)
	if again != nil {
		again.Session, again.Once = c.Session, once != 0
	}
	return again, nil
}

// rotate gives the session a new token. Where another request was faster, it keeps that one's.
func (a *Accounts) rotate(ctx context.Context, id string, old []byte, now time.Time, from netip.Addr) (string, error) {
	token := newSecret()
	err := a.update(ctx, "update sessions set token = $1, previous = $2, rotated = $3, seen = $3, address = $4 where id = $5 and token = $2",
		hashed(token), old, db.Micros(now), from.String(), id)
	if errors.Is(err, ErrNotFound) {
		return "", nil
	}
	return token, err
}

// SignOut ends a session of the user's. The error is ErrNotFound or the database's.
func (a *Accounts) SignOut(ctx context.Context, name, session string) error {
	return a.update(ctx, "delete from sessions where id = $1 and name = $2", session, name)
}

// SignOutAll ends all sessions of a user.
func (a *Accounts) SignOutAll(ctx context.Context, name string) error {
	return a.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "delete from sessions where name = $1", name)
		return err
	})
}

// Sessions returns those of a user that live, the newest first.
func (a *Accounts) Sessions(ctx context.Context, name string) ([]Session, error) {
	now := a.now()
	rows, err := a.db.Read().QueryContext(ctx, `select id, name, created, seen, address, program from sessions
		where name = $1 and seen > $2 and created > $3 order by created desc, id`, name, db.Micros(now.Add(-idleLimit)), db.Micros(now.Add(-absoluteLimit)))
	if err != nil {
		return nil, fmt.Errorf("read the sessions: %w", err)
	}
	defer rows.Close()
	list := []Session{}
	for rows.Next() {
		var s Session
		var created, seen int64
		if err := rows.Scan(&s.ID, &s.Name, &created, &seen, &s.Address, &s.Program); err != nil {
			return nil, fmt.Errorf("read the sessions: %w", err)
		}
		s.Created, s.Seen = db.Instant(created), db.Instant(seen)
		list = append(list, s)
	}
	return list, rows.Err()
}

// printable is a text from outside as it may be kept and logged.
func printable(s string) string {
	out := make([]rune, 0, min(len(s), programMax))
	for _, r := range s {
		if len(out) == programMax {
			break
		}
		if r < ' ' || r == 0x7f || r == utf8.RuneError {
			r = '?'
		}
		out = append(out, r)
	}
	return string(out)
}
