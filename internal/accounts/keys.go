package accounts

import (
	"context"
	"crypto/subtle"
	"database/sql"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"centrala/internal/journal/db"
	"centrala/queuegroups"
)

// keyPrefix begins every API key, so that one can be recognised where it should not be.
const keyPrefix = "centrala_"

// keyName begins the name of a caller with a key. No user's name has a blank.
const keyName = "key "

// titleMax is the longest title of a key, in bytes.
const titleMax = 100

// Key is an API key, without its secret.
type Key struct {
	ID      string
	Title   string
	Owner   string // whose rights bound those of the key; empty: the administrator's
	Rights  []queuegroups.Right
	Groups  []queuegroups.GroupID // that they reach; none: as far as the owner's
	Created time.Time
	Expires time.Time // zero: never
	Used    time.Time // to the minute; zero: never
}

// AddKey makes a key of the title, owner, rights, groups and end given; the key itself is
// shown this once. The error is ErrName, ErrRight, ErrNotFound (of the owner) or the database's.
func (a *Accounts) AddKey(ctx context.Context, k Key) (secret string, made Key, err error) {
	switch {
	case k.Title == "" || len(k.Title) > titleMax || printable(k.Title) != k.Title:
		return "", k, ErrName
	case len(k.Rights) == 0 || !knownRights(k.Rights):
		return "", k, fmt.Errorf("%w; there are %s", ErrRight, strings.ReplaceAll(joined(queuegroups.Rights()), " ", ", "))
	}
	if k.Owner != "" {
		if _, err := a.User(ctx, k.Owner); err != nil {
			return "", k, err
		}
	}
	k.ID, k.Created, k.Used = newID(), db.Instant(db.Micros(a.now())), time.Time{}
	random := newSecret()
	err = a.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `insert into api_keys (id, secret, title, owner, rights, groups, created, expires, used)
			values ($1, $2, $3, $4, $5, $6, $7, $8, 0)`, k.ID, hashed(random), k.Title, k.Owner, joined(k.Rights), joined(k.Groups), db.Micros(k.Created), db.Micros(k.Expires))
		return err
	})
	if err != nil {
		return "", k, fmt.Errorf("keep the API key: %w", err)
	}
	return keyPrefix + k.ID + "_" + random, k, nil
}

const keyColumns = "id, title, owner, rights, groups, created, expires, used"

func scanKey(r row, more ...any) (k Key, err error) {
	var rights, groups string
	var created, expires, used int64
	if err := r.Scan(append([]any{&k.ID, &k.Title, &k.Owner, &rights, &groups, &created, &expires, &used}, more...)...); err != nil {
		return k, err
	}
	for _, x := range strings.Fields(rights) {
		k.Rights = append(k.Rights, queuegroups.Right(x))
	}
	for _, x := range strings.Fields(groups) {
		k.Groups = append(k.Groups, queuegroups.GroupID(x))
	}
	k.Created, k.Expires, k.Used = db.Instant(created), db.Instant(expires), db.Instant(used)
	return k, nil
}

// Keys returns all keys, the newest first.
func (a *Accounts) Keys(ctx context.Context) ([]Key, error) {
	rows, err := a.db.Read().QueryContext(ctx, "select "+keyColumns+" from api_keys order by created desc, id")
	if err != nil {
		return nil, fmt.Errorf("read the API keys: %w", err)
	}
	defer rows.Close()
	list := []Key{}
	for rows.Next() {
		k, err := scanKey(rows)
		if err != nil {
			return nil, fmt.Errorf("read the API keys: %w", err)
		}
		list = append(list, k)
	}
	return list, rows.Err()
}

// RemoveKey revokes a key. The error is ErrNotFound or the database's.
func (a *Accounts) RemoveKey(ctx context.Context, id string) error {
	return a.update(ctx, "delete from api_keys where id = $1", id)
}

// Key finds the caller with an API key; nil: there is none. The error may be *TooManyError.
func (a *Accounts) Key(ctx context.Context, secret string, from netip.Addr) (*Caller, error) {
	limits := []limit{{"keys " + source(from), freeKeys, pauseMaxUser}}
	rest, ok := strings.CutPrefix(secret, keyPrefix)
	id, random, found := strings.Cut(rest, "_")
	if !ok || !found || !validName(id) {
		return nil, nil // no guess: it cannot be a key
	}
	var want []byte
	k, err := scanKey(a.db.Read().QueryRowContext(ctx, "select "+keyColumns+", secret from api_keys where id = $1", id), &want)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("read the API key: %w", err)
	}
	if err != nil || subtle.ConstantTimeCompare(want, hashed(random)) != 1 {
		if wait := a.guesses.begin(limits); wait > 0 {
			return nil, &TooManyError{wait}
		}
		return nil, nil
	}
	return a.keyCaller(ctx, &k, true)
}

// keyCaller is what a program with the key may do now; nil: nothing.
func (a *Accounts) keyCaller(ctx context.Context, k *Key, use bool) (*Caller, error) {
	now := a.now()
	if !k.Expires.IsZero() && !now.Before(k.Expires) {
		return nil, nil
	}
	owner := &Caller{Role: *a.config().Role(queuegroups.RoleAdministrator)}
	if k.Owner != "" {
		u, err := a.User(ctx, k.Owner)
		if errors.Is(err, ErrNotFound) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		if owner = a.caller(u); owner == nil {
			return nil, nil
		}
	}
	if use && now.Sub(k.Used) >= seenEvery {
		if err := a.update(ctx, "update api_keys set used = $1 where id = $2", db.Micros(now), k.ID); errors.Is(err, ErrNotFound) {
			return nil, nil // revoked meanwhile
		} else if err != nil {
			return nil, err
		}
	}
	return &Caller{Name: keyName + k.ID, Agent: owner.Agent, Role: owner.Role.Narrowed(k.Rights, k.Groups)}, nil
}

// keyAgain is Again for a program with a key.
func (a *Accounts) keyAgain(ctx context.Context, c *Caller) (*Caller, error) {
	id, ok := strings.CutPrefix(c.Name, keyName)
	if !ok {
		return nil, nil
	}
	k, err := scanKey(a.db.Read().QueryRowContext(ctx, "select "+keyColumns+" from api_keys where id = $1", id))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the API key: %w", err)
	}
	return a.keyCaller(ctx, &k, false)
}

func joined[T ~string](list []T) string {
	words := make([]string, len(list))
	for i, x := range list {
		words[i] = string(x)
	}
	return strings.Join(words, " ")
}
