package webhooks

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"database/sql"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"centrala/internal/events"
	"centrala/internal/journal/db"
)

// What can be wrong.
var (
	ErrNotFound = errors.New("there is no such thing")
	ErrURL      = errors.New("a webhook's address is https://, or http:// to an address that the server's settings allow, with a host and without a password")
	ErrTooMany  = errors.New("there are too many webhooks")
)

const (
	endpointsMax = 50
	// rotation is how long signatures are made with the secret before, too.
	rotation = 24 * time.Hour
)

// Endpoint is somebody who is sent events.
type Endpoint struct {
	ID        string
	Title     string
	URL       string
	Types     []string // only these; none: all
	Groups    []string // likewise
	Created   time.Time
	Succeeded time.Time // last; zero: never
	Disabled  time.Time // since; zero: it is sent events
	Why       string    // it is disabled

	secret, previous string
	previousUntil    time.Time
	cursor           int64
}

// Delivery is one event that is sent to an endpoint.
type Delivery struct {
	Event    int64
	State    string // Pending, Delivered, Failed
	Attempts int
	Due      time.Time // of one that is pending
	Status   int       // of the last answer; 0: none
	Why      string    // the last attempt failed
	Created  time.Time
	Tried    time.Time // last; zero: never
}

// The states of a delivery.
const (
	Pending   = "pending"
	Delivered = "delivered"
	Failed    = "failed"
)

// Events are what is sent: *events.Hub.
type Events interface {
	After(ctx context.Context, after int64, limit int) ([]*events.Event, error)
	Newest(ctx context.Context) (int64, error)
	Event(ctx context.Context, id int64) (*events.Event, error)
	Changed() <-chan struct{}
}

// Options of webhooks; DB and Events are required.
type Options struct {
	DB      *db.DB
	Events  Events
	Allow   []netip.Prefix // networks that are connected to though they are not public
	Leader  func() bool    // this node sends; nil: it does
	TLS     *tls.Config    // nil: as usual
	Version string
	Log     zerolog.Logger
	Now     func() time.Time // nil: time.Now
}

// Webhooks are the endpoints and what is sent to them. Make them with New; they work from Start to Stop.
type Webhooks struct {
	opts   Options
	guard  *guard
	sender sender

	poke chan struct{}
	stop context.CancelFunc
	done sync.WaitGroup
}

// New makes webhooks.
func New(o Options) *Webhooks {
	if o.Now == nil {
		o.Now = time.Now
	}
	w := &Webhooks{opts: o, guard: &guard{allow: o.Allow, refuse: special()}, poke: make(chan struct{}, 1)}
	w.sender = newSender(w)
	return w
}

func (w *Webhooks) nudge() {
	select {
	case w.poke <- struct{}{}:
	default:
	}
}

// check tells whether an address can be an endpoint's.
func (w *Webhooks) check(address string) error {
	u, err := url.Parse(address)
	if err != nil || len(address) > 2000 || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || u.User != nil || u.Fragment != "" {
		return ErrURL
	}
	if a, err := netip.ParseAddr(u.Hostname()); err == nil {
		return w.guard.check(a, u.Scheme == "https")
	}
	return nil // what a name leads to is looked at each time
}

// Add makes an endpoint of the title, address and filters given, which is sent what happens from now on. The secret is
// shown this once. The error is ErrURL, ErrAddress, ErrTooMany or the database's.
func (w *Webhooks) Add(ctx context.Context, e Endpoint) (secret string, made Endpoint, err error) {
	if err := w.check(e.URL); err != nil {
		return "", e, err
	}
	if e.cursor, err = w.opts.Events.Newest(ctx); err != nil {
		return "", e, err
	}
	e.ID, e.secret = strings.ToLower(rand.Text()[:10]), newSecret()
	e.Created = time.UnixMicro(w.opts.Now().UnixMicro()).UTC()
	err = w.opts.DB.Write(ctx, func(tx *sql.Tx) error {
		var n int
		if err := tx.QueryRowContext(ctx, "select count(*) from webhooks").Scan(&n); err != nil {
			return err
		}
		if n >= endpointsMax {
			return ErrTooMany
		}
		_, err := tx.ExecContext(ctx, `insert into webhooks (id, title, url, types, groups, secret, previous, previous_until, cursor, created, succeeded, disabled, why)
			values ($1, $2, $3, $4, $5, $6, '', 0, $7, $8, 0, 0, '')`,
			e.ID, e.Title, e.URL, strings.Join(e.Types, " "), strings.Join(e.Groups, " "), e.secret, e.cursor, e.Created.UnixMicro())
		return err
	})
	w.nudge()
	return e.secret, e, err
}

const columns = "id, title, url, types, groups, secret, previous, previous_until, cursor, created, succeeded, disabled, why"

// List returns all endpoints, the oldest first.
func (w *Webhooks) List(ctx context.Context) ([]Endpoint, error) {
	rows, err := w.opts.DB.Read().QueryContext(ctx, "select "+columns+" from webhooks order by created, id")
	if err != nil {
		return nil, fmt.Errorf("read the webhooks: %w", err)
	}
	defer rows.Close()
	list := []Endpoint{}
	for rows.Next() {
		var e Endpoint
		var types, groups string
		var until, created, succeeded, disabled int64
		if err := rows.Scan(&e.ID, &e.Title, &e.URL, &types, &groups, &e.secret, &e.previous, &until, &e.cursor, &created, &succeeded, &disabled, &e.Why); err != nil {
			return nil, fmt.Errorf("read the webhooks: %w", err)
		}
		e.Types, e.Groups = strings.Fields(types), strings.Fields(groups)
		e.previousUntil, e.Created, e.Succeeded, e.Disabled = db.Instant(until), db.Instant(created), db.Instant(succeeded), db.Instant(disabled)
		list = append(list, e)
	}
	return list, rows.Err()
}

// Get returns one. The error is ErrNotFound or the database's.
func (w *Webhooks) Get(ctx context.Context, id string) (*Endpoint, error) {
	list, err := w.List(ctx)
	for k := range list {
		if list[k].ID == id {
			return &list[k], err
		}
	}
	if err == nil {
		err = ErrNotFound
	}
	return nil, err
}

// Change gives an endpoint another title, address and filters, and disables it or has it sent events again: what
// happened meanwhile is sent then, as far as it is kept. The error is as of Add, or ErrNotFound.
func (w *Webhooks) Change(ctx context.Context, e Endpoint) error {
	if err := w.check(e.URL); err != nil {
		return err
	}
	disabled, why := int64(0), ""
	if !e.Disabled.IsZero() {
		disabled, why = w.opts.Now().UnixMicro(), e.Why
	}
	defer w.nudge()
	return w.update(ctx, `update webhooks set title = $1, url = $2, types = $3, groups = $4, why = $5,
		disabled = case when cast($6 as bigint) > 0 and disabled > 0 then disabled else cast($6 as bigint) end, cursor = case when cursor < $7 then $7 else cursor end where id = $8`,
		e.Title, e.URL, strings.Join(e.Types, " "), strings.Join(e.Groups, " "), why, disabled, w.sender.position(e.ID), e.ID)
}

// Remove removes an endpoint and all its deliveries.
func (w *Webhooks) Remove(ctx context.Context, id string) error {
	return w.update(ctx, "delete from webhooks where id = $1", id)
}

// Rotate gives an endpoint a new secret; for a day signatures are made with the one before, too.
func (w *Webhooks) Rotate(ctx context.Context, id string) (secret string, err error) {
	secret = newSecret()
	return secret, w.update(ctx, "update webhooks set previous = secret, previous_until = $1, secret = $2 where id = $3",
		w.opts.Now().Add(rotation).UnixMicro(), secret, id)
}

// Deliveries returns the latest of an endpoint, at most limit before an event (0: from the newest on), of a state
// unless it is empty.
func (w *Webhooks) Deliveries(ctx context.Context, id, state string, before int64, limit int) ([]Delivery, error) {
	rows, err := w.opts.DB.Read().QueryContext(ctx, `select event, state, attempts, due, status, why, created, tried from webhook_deliveries
		where webhook = $1 and (cast($2 as text) = '' or state = cast($2 as text)) and (cast($3 as bigint) = 0 or event < cast($3 as bigint)) order by event desc limit $4`, id, state, before, limit)
	if err != nil {
		return nil, fmt.Errorf("read the deliveries: %w", err)
	}
	defer rows.Close()
	list := []Delivery{}
	for rows.Next() {
		var d Delivery
		var due, created, tried int64
		if err := rows.Scan(&d.Event, &d.State, &d.Attempts, &due, &d.Status, &d.Why, &created, &tried); err != nil {
			return nil, fmt.Errorf("read the deliveries: %w", err)
		}
		d.Created, d.Tried = db.Instant(created), db.Instant(tried)
		if d.State == Pending {
			d.Due = db.Instant(due)
		}
		list = append(list, d)
	}
	return list, rows.Err()
}

// Replay has a delivery tried from the beginning. The error is ErrNotFound or the database's.
func (w *Webhooks) Replay(ctx context.Context, id string, event int64) error {
	defer w.nudge()
	return w.update(ctx, "update webhook_deliveries set state = 'pending', attempts = 0, due = $1 where webhook = $2 and event = $3",
		w.opts.Now().UnixMicro(), id, event)
}

func (w *Webhooks) update(ctx context.Context, query string, args ...any) error {
	return w.opts.DB.Write(ctx, func(tx *sql.Tx) error {
		done, err := tx.ExecContext(ctx, query, args...)
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return errors.Join(ErrNotFound, err)
		}
		return nil
	})
}
