package accounts

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"centrala/internal/journal/db"
	"centrala/queuegroups"
)

// writer is what is done in one transaction.
type writer = func(*sql.Tx) error

// User is somebody who can sign in.
type User struct {
	Name     string
	Agent    bool   // the agent of that name; role and place are the configuration's
	Role     string // at present; empty: an agent who is no longer declared
	Password bool   // they have one
	Once     bool   // it must be changed at the first sign-in
	Disabled bool
	Created  time.Time // zero: an agent who never had a password
	Changed  time.Time // the password

	hash string
}

const userColumns = "name, agent, role, password, once, disabled, created, changed"

type row interface{ Scan(...any) error }

func scanUser(r row) (*User, error) {
	var u User
	var agent, once, disabled, created, changed int64
	if err := r.Scan(&u.Name, &agent, &u.Role, &u.hash, &once, &disabled, &created, &changed); err != nil {
		return nil, err
	}
	u.Agent, u.Once, u.Disabled, u.Password = agent != 0, once != 0, disabled != 0, u.hash != ""
	u.Created, u.Changed = db.Instant(created), db.Instant(changed)
	return &u, nil
}

// usable tells whether the password, if right, lets the user in: one for a single sign-in is not good for ever.
func (u *User) usable(now time.Time) bool {
	return u.Password && !(u.Once && now.Sub(u.Changed) > onceFor)
}

// onceFor is how long a password for a single sign-in is good.
const onceFor = 7 * 24 * time.Hour

// find reads a user; nil: there is none.
func (a *Accounts) find(ctx context.Context, name string) (*User, error) {
	u, err := scanUser(a.db.Read().QueryRowContext(ctx, "select "+userColumns+" from users where name = $1", name))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the user %s: %w", name, err)
	}
	return u, nil
}

// User finds a user, or an agent who could be one. The error is ErrNotFound or the database's.
func (a *Accounts) User(ctx context.Context, name string) (*User, error) {
	if !validName(name) {
		return nil, ErrNotFound
	}
	u, err := a.find(ctx, name)
	if err != nil {
		return nil, err
	}
	agent := a.config().Agent(queuegroups.AgentID(name))
	switch {
	case u == nil && agent == nil:
		return nil, ErrNotFound
	case u == nil:
		u = &User{Name: name, Agent: true}
	}
	a.complete(u)
	return u, nil
}

// complete fills in what the configuration says.
func (a *Accounts) complete(u *User) {
	if !u.Agent {
		return
	}
	u.Role = ""
	if agent := a.config().Agent(queuegroups.AgentID(u.Name)); agent != nil {
		u.Role = agent.Role
	}
}

// Users returns all users by name: those kept here, and all agents.
func (a *Accounts) Users(ctx context.Context) ([]User, error) {
	rows, err := a.db.Read().QueryContext(ctx, "select "+userColumns+" from users")
	if err != nil {
		return nil, fmt.Errorf("read the users: %w", err)
	}
	defer rows.Close()
	var list []User
	have := map[string]bool{}
	for rows.Next() {
		u, err := scanUser(rows)
		if err != nil {
			return nil, fmt.Errorf("read the users: %w", err)
		}
		a.complete(u)
		have[u.Name] = true
		list = append(list, *u)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read the users: %w", err)
	}
	for _, agent := range a.config().Agents {
		if !have[string(agent.ID)] {
			list = append(list, User{Name: string(agent.ID), Agent: true, Role: agent.Role})
		}
	}
	slices.SortFunc(list, func(x, y User) int { return strings.Compare(x.Name, y.Name) })
	return list, nil
}

// AddUser makes a user who is no agent, without a password.
func (a *Accounts) AddUser(ctx context.Context, name, role string) error {
	c := a.config()
	switch {
	case !validName(name):
		return ErrName
	case c.Role(role) == nil:
		return ErrRole
	case c.Agent(queuegroups.AgentID(name)) != nil:
		return ErrExists
	}
	now := db.Micros(a.now())
	return a.write(ctx, func(tx *sql.Tx) error {
		n, err := affected(tx.ExecContext(ctx, "insert into users ("+userColumns+") values ($1, 0, $2, '', 0, 0, $3, 0) on conflict (name) do nothing", name, role, now))
		if err == nil && n == 0 {
			return ErrExists
		}
		return err
	})
}

// SetRole gives a user who is no agent another role.
func (a *Accounts) SetRole(ctx context.Context, name, role string) error {
	if a.config().Role(role) == nil {
		return ErrRole
	}
	u, err := a.User(ctx, name)
	if err != nil {
		return err
	}
	if u.Agent {
		return ErrAgent
	}
	return a.update(ctx, "update users set role = $1 where name = $2", role, name)
}

// SetDisabled keeps a user out, at once, or lets them in again.
func (a *Accounts) SetDisabled(ctx context.Context, name string, yes bool) error {
	if _, err := a.User(ctx, name); err != nil {
		return err
	}
	now := db.Micros(a.now())
	return a.write(ctx, func(tx *sql.Tx) error {
		if err := a.ensure(ctx, tx, name, now); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "update users set disabled = $1 where name = $2", db.Flag(yes), name); err != nil {
			return err
		}
		if yes {
			_, err := tx.ExecContext(ctx, "delete from sessions where name = $1", name)
			return err
		}
		return nil
	})
}

// RemoveUser forgets a user with their sessions and keys; of an agent it is the password.
func (a *Accounts) RemoveUser(ctx context.Context, name string) error {
	return a.write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "delete from api_keys where owner = $1", name); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "delete from sessions where name = $1", name); err != nil {
			return err
		}
		n, err := affected(tx.ExecContext(ctx, "delete from users where name = $1", name))
		if err == nil && n == 0 {
			return ErrNotFound
		}
		return err
	})
}

// SetPassword gives a user, or an agent, a password and ends their sessions. With once it
// serves for one sign-in, at which another must be chosen.
func (a *Accounts) SetPassword(ctx context.Context, name, password string, once bool) error {
	if _, err := a.User(ctx, name); err != nil {
		return err
	}
	return a.setPassword(ctx, name, password, once, "")
}

// OneTimePassword gives a user a random password that serves for one sign-in.
func (a *Accounts) OneTimePassword(ctx context.Context, name string) (string, error) {
	password := strings.ToLower(rand.Text()[:20]) // 100 bits
	return password, a.SetPassword(ctx, name, password, true)
}

// setPassword ends all sessions but the one named.
func (a *Accounts) setPassword(ctx context.Context, name, password string, once bool, keep string) error {
	if !goodPassword(name, password) {
		return ErrPassword
	}
	hash, err := a.hasher.hash(ctx, password)
	if err != nil {
		return err
	}
	now := db.Micros(a.now())
	return a.write(ctx, func(tx *sql.Tx) error {
		if err := a.ensure(ctx, tx, name, now); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "update users set password = $1, once = $2, changed = $3 where name = $4", hash, db.Flag(once), now, name); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, "delete from sessions where name = $1 and id <> $2", name, keep)
		return err
	})
}

// ensure has a row for an agent who has none. A user of that name from before becomes the agent.
func (a *Accounts) ensure(ctx context.Context, tx *sql.Tx, name string, now int64) error {
	if a.config().Agent(queuegroups.AgentID(name)) == nil {
		return nil
	}
	_, err := tx.ExecContext(ctx, "insert into users ("+userColumns+") values ($1, 1, '', '', 0, 0, $2, 0) on conflict (name) do update set agent = 1, role = ''", name, now)
	return err
}

// ChangePassword is the user's own change, in a session of theirs. The other sessions end.
// The old password is asked for, unless it served for one sign-in and is used up.
func (a *Accounts) ChangePassword(ctx context.Context, name, session, old, password string) error {
	limits := []limit{{"change " + name, freePair, pauseMax}}
	if wait := a.guesses.begin(limits); wait > 0 {
		return &TooManyError{wait}
	}
	u, err := a.find(ctx, name)
	if err != nil {
		return err
	}
	var once int64
	err = a.db.Read().QueryRowContext(ctx, "select once from sessions where id = $1 and name = $2", session, name).Scan(&once)
	switch {
	case errors.Is(err, sql.ErrNoRows) || u == nil:
		return ErrNotFound
	case err != nil:
		return fmt.Errorf("read the session: %w", err)
	}
	if once == 0 {
		ok, _, err := a.hasher.verify(ctx, u.hash, old)
		switch {
		case err != nil:
			return err
		case !ok:
			return ErrRefused
		case old == password:
			return ErrPassword
		}
	}
	a.guesses.succeeded(limits)
	if err := a.setPassword(ctx, name, password, false, session); err != nil {
		return err
	}
	return a.update(ctx, "update sessions set once = 0 where id = $1", session)
}

// update runs a statement that must change something.
func (a *Accounts) update(ctx context.Context, statement string, args ...any) error {
	return a.write(ctx, func(tx *sql.Tx) error {
		n, err := affected(tx.ExecContext(ctx, statement, args...))
		if err == nil && n == 0 {
			return ErrNotFound
		}
		return err
	})
}

func affected(r sql.Result, err error) (int64, error) {
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}
