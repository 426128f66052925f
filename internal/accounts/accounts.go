// Package accounts keeps who may use console and API: users with their passwords,
// sessions, API keys, and the audit log of what was done.
//
// Agents of the configuration are users as soon as they have a password, with the role that
// the configuration gives them; others are kept here. Roles themselves are declared in the
// configuration (queuegroups.Role), so that they are checked and versioned with it.
//
// Of passwords only Argon2id hashes are kept, of the random secrets of sessions and keys only
// their SHA-256. Whoever guesses is slowed down; somebody unknown is answered as somebody
// with a wrong password, after the same time.
package accounts

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"centrala/internal/journal/db"
	"centrala/queuegroups"
)

// What can be wrong.
var (
	ErrRefused  = errors.New("name or password is wrong")
	ErrNotFound = errors.New("there is no such thing")
	ErrExists   = errors.New("there is one of that name already")
	ErrName     = errors.New("a name has 1 to 64 letters, digits, dots, - and _")
	ErrRole     = errors.New("there is no such role")
	ErrPassword = errors.New("a password has 10 to 200 characters, and is not the name")
	ErrBusy     = errors.New("too many sign-ins at once")
	ErrAgent    = errors.New("an agent's role and place are the configuration's to say")
	ErrRight    = errors.New("there is no such right")
)

// TooManyError tells that somebody has tried too often.
type TooManyError struct{ After time.Duration }

// Error implements error.
func (e *TooManyError) Error() string {
	return "too many attempts, the next one in " + e.After.Round(time.Second).String()
}

// Options are what accounts need; all but Now and Log are required.
type Options struct {
	DB *db.DB
	// Config is the configuration in force, asked for at each use.
	Config func() *queuegroups.Config
	Log    zerolog.Logger
	Now    func() time.Time // nil: time.Now
}

// Accounts keeps them. Its methods may be called from any goroutine.
type Accounts struct {
	db     *db.DB
	config func() *queuegroups.Config
	log    zerolog.Logger
	now    func() time.Time

	hasher  *hasher
	guesses *guesses
}

// New opens the accounts.
func New(o Options) *Accounts {
	a := &Accounts{db: o.DB, config: o.Config, log: o.Log, now: o.Now, hasher: newHasher(params)}
	if a.now == nil {
		a.now = time.Now
	}
	a.guesses = newGuesses(a.now)
	return a
}

// Caller is who makes a request, as far as accounts know.
type Caller struct {
	Name    string              // of the user; of a program: key and its id
	Agent   queuegroups.AgentID // whose deeds these are; empty: no agent's
	Role    queuegroups.Role    // what may be done, narrowed by the scopes of a key
	Session string              // the id of the session; empty: it is a program with a key
	Renewed string              // the session's new token, for the cookie; empty: it stays
	Once    bool                // they must choose a password before anything else
}

// newSecret makes 256 random bits, as text.
func newSecret() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails
	return base64.RawURLEncoding.EncodeToString(b)
}

// newID makes an id that names a thing and protects nothing.
func newID() string { return strings.ToLower(rand.Text()[:10]) }

func hashed(secret string) []byte {
	h := sha256.Sum256([]byte(secret))
	return h[:]
}

// role is what a user may do now; nil: nothing, not even sign in.
func (a *Accounts) role(u *User) *queuegroups.Role {
	if u.Disabled {
		return nil
	}
	c := a.config()
	if u.Agent {
		agent := c.Agent(queuegroups.AgentID(u.Name))
		if agent == nil {
			return nil // no longer declared
		}
		return c.Role(agent.Role)
	}
	if c.Agent(queuegroups.AgentID(u.Name)) != nil {
		return nil // the name has become an agent's: nobody signs in as somebody else
	}
	return c.Role(u.Role)
}

// caller is what a request of the user's may do; nil: nothing.
func (a *Accounts) caller(u *User) *Caller {
	r := a.role(u)
	if r == nil {
		return nil
	}
	c := &Caller{Name: u.Name, Role: *r}
	if u.Agent {
		c.Agent = queuegroups.AgentID(u.Name)
	}
	return c
}

// source is what guesses are counted by: an address, of IPv6 the network that a customer of a carrier has.
func source(from netip.Addr) string {
	if from.Is6() && !from.Is4In6() {
		if p, err := from.WithZone("").Prefix(64); err == nil {
			return p.String()
		}
	}
	return from.String()
}

// write is Write of the database.
func (a *Accounts) write(ctx context.Context, f writer) error { return a.db.Write(ctx, f) }

func validName(name string) bool {
	if name == "" || len(name) > 64 {
		return false
	}
	for _, r := range name {
		if !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_.", r)) {
			return false
		}
	}
	return true
}

// knownRights tells whether all of them are rights.
func knownRights(rights []queuegroups.Right) bool {
	all := queuegroups.Rights()
	return !slices.ContainsFunc(rights, func(r queuegroups.Right) bool { return !slices.Contains(all, r) })
}
