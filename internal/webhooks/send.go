package webhooks

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"centrala/internal/events"
	"centrala/internal/journal/db"
)

const (
	timeLimit  = 20 * time.Second // of an attempt
	bodyMax    = 20_000           // bytes
	flightsMax = 4                // attempts at once to an endpoint
	lookEvery  = time.Second      // for what is due
	pageSize   = 500
	noteEvery  = time.Minute // the cursor is written down though nothing was for the endpoint
	keep       = 7 * 24 * time.Hour
	tidyEvery  = 10 * time.Minute
	afterMax   = 24 * time.Hour // of Retry-After
)

// pauses are how long is waited before each attempt (Standard Webhooks).
func pauses() []time.Duration {
	return []time.Duration{
		0, 5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour,
	}
}

// Outcomes of attempts, for metrics.
const (
	OutcomeDelivered = "delivered"
	OutcomeRetried   = "retried" // it failed and is tried again
	OutcomeFailed    = "failed"  // it failed for the last time
	OutcomeGone      = "gone"    // the endpoint wants no more
)

// Outcomes lists them.
func Outcomes() []string {
	return []string{OutcomeDelivered, OutcomeRetried, OutcomeFailed, OutcomeGone}
}

// flight is an attempt that is under way.
type flight struct {
	webhook string
	event   int64
}

// sender is the part that works by itself.
type sender struct {
	w             *Webhooks
	secure, plain *http.Client
	flying        sync.WaitGroup

	mu       sync.Mutex
	flights  map[flight]bool
	at       map[string]int64     // how far each endpoint has been looked at
	noted    map[string]time.Time // when that was written down
	outcomes map[string]uint64
}

func newSender(w *Webhooks) sender {
	return sender{
		w: w, secure: w.guard.client(true, w.opts.TLS), plain: w.guard.client(false, nil),
		flights: map[flight]bool{}, at: map[string]int64{}, noted: map[string]time.Time{}, outcomes: map[string]uint64{},
	}
}

// position is how far an endpoint has been looked at.
func (s *sender) position(id string) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.at[id]
}

// Stats is how many attempts had which outcome.
func (w *Webhooks) Stats() map[string]uint64 {
	s := &w.sender
	s.mu.Lock()
	defer s.mu.Unlock()
	counts := map[string]uint64{}
	for _, o := range Outcomes() {
		counts[o] = s.outcomes[o]
	}
	return counts
}

// Start begins to send.
func (w *Webhooks) Start() {
	ctx, stop := context.WithCancel(context.Background())
	w.stop = stop
	w.done.Go(func() { w.sender.run(ctx) })
}

// Stop ends that; attempts under way are broken off, and made again after the next start.
func (w *Webhooks) Stop() {
	if w.stop != nil {
		w.stop()
	}
	w.done.Wait()
	w.sender.flying.Wait()
}

func (s *sender) run(ctx context.Context) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	failed, tidied := false, time.Time{}
	for {
		changed := s.w.opts.Events.Changed()
		var err error
		if s.w.opts.Leader == nil || s.w.opts.Leader() {
			err = s.round(ctx)
			if now := s.w.opts.Now(); err == nil && now.Sub(tidied) > tidyEvery {
				tidied, err = now, s.tidy(ctx, now.Add(-keep))
			}
		}
		if ctx.Err() != nil {
			return
		}
		if err != nil && !failed {
			s.w.opts.Log.Warn().Err(err).Msg("webhooks wait for the database")
		}
		failed = err != nil
		select {
		case <-changed:
		case <-s.w.poke:
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// round writes down what is new for each endpoint, and begins the attempts that are due.
func (s *sender) round(ctx context.Context) error {
	list, err := s.w.List(ctx)
	if err != nil {
		return err
	}
	for k := range list {
		if !list[k].Disabled.IsZero() {
			continue
		}
		if err := s.collect(ctx, &list[k]); err != nil {
			return err
		}
		if err := s.launch(ctx, &list[k]); err != nil {
			return err
		}
	}
	return nil
}

// collect moves an endpoint's cursor and writes down what is to be sent, both or neither.
func (s *sender) collect(ctx context.Context, e *Endpoint) error {
	at := max(e.cursor, s.position(e.ID))
	for {
		list, err := s.w.opts.Events.After(ctx, at, pageSize)
		if errors.Is(err, events.ErrGone) {
			newest, err := s.w.opts.Events.Newest(ctx)
			if err != nil {
				return err
			}
			s.w.opts.Log.Error().Str("webhook", e.ID).Int64("from", at).Int64("to", newest).Msg("events are no longer kept that a webhook was not sent")
			if err := s.note(ctx, e, newest, nil); err != nil {
				return err
			}
			at = newest
			continue
		}
		if err != nil {
			return err
		}
		if len(list) == 0 {
			return nil
		}
		at = list[len(list)-1].ID
		var wanted []*events.Event // the list itself is everybody's
		for _, x := range list {
			if e.wants(x) {
				wanted = append(wanted, x)
			}
		}
		if err := s.note(ctx, e, at, wanted); err != nil {
			return err
		}
	}
}

// wants tells whether an event is for the endpoint.
func (e *Endpoint) wants(x *events.Event) bool {
	return x.Type.Matches(e.Types) && (len(e.Groups) == 0 || slices.Contains(e.Groups, string(x.Group)))
}

func (s *sender) note(ctx context.Context, e *Endpoint, at int64, list []*events.Event) error {
	now := s.w.opts.Now()
	s.mu.Lock()
	idle := len(list) == 0 && now.Sub(s.noted[e.ID]) < noteEvery
	s.mu.Unlock()
	if !idle {
		err := s.w.opts.DB.Write(ctx, func(tx *sql.Tx) error {
			moved, err := tx.ExecContext(ctx, "update webhooks set cursor = $1 where id = $2 and cursor < $1", at, e.ID)
			if err != nil {
				return err
			}
			if n, err := moved.RowsAffected(); err != nil || n == 0 {
				return err // removed, or another node was faster
			}
			for _, x := range list {
				if _, err := tx.ExecContext(ctx, `insert into webhook_deliveries (webhook, event, state, attempts, due, status, why, created, tried)
					values ($1, $2, 'pending', 0, $3, 0, '', $3, 0) on conflict (webhook, event) do nothing`, e.ID, x.ID, now.UnixMicro()); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.at[e.ID] = at; !idle {
		s.noted[e.ID] = now
	}
	return nil
}

// launch begins what is due for an endpoint, a few attempts at once.
func (s *sender) launch(ctx context.Context, e *Endpoint) error {
	s.mu.Lock()
	busy := 0
	for f := range s.flights {
		if f.webhook == e.ID {
			busy++
		}
	}
	s.mu.Unlock()
	if busy >= flightsMax {
		return nil
	}
	rows, err := s.w.opts.DB.Read().QueryContext(ctx, `select event, attempts, created from webhook_deliveries
		where webhook = $1 and state = 'pending' and due <= $2 order by due, event limit $3`, e.ID, s.w.opts.Now().UnixMicro(), flightsMax+busy)
	if err != nil {
		return fmt.Errorf("read the deliveries: %w", err)
	}
	defer rows.Close()
	for rows.Next() && busy < flightsMax {
		f, d := flight{webhook: e.ID}, Delivery{}
		var created int64
		if err := rows.Scan(&d.Event, &d.Attempts, &created); err != nil {
			return fmt.Errorf("read the deliveries: %w", err)
		}
		f.event, d.Created = d.Event, db.Instant(created)
		s.mu.Lock()
		if s.flights[f] {
			s.mu.Unlock()
			continue
		}
		s.flights[f] = true
		s.mu.Unlock()
		busy++
		s.flying.Go(func() {
			s.attempt(ctx, e, d)
			s.mu.Lock()
			delete(s.flights, f)
			s.mu.Unlock()
			s.w.nudge()
		})
	}
	return rows.Err()
}

// attempt sends an event once, and writes down what came of it.
func (s *sender) attempt(ctx context.Context, e *Endpoint, d Delivery) {
	x, err := s.w.opts.Events.Event(ctx, d.Event)
	if err != nil && !errors.Is(err, events.ErrGone) {
		return // the database's: tried again
	}
	var a answer
	if err != nil {
		a, d.Attempts = answer{why: "the event is no longer kept"}, len(pauses())
	} else {
		a = s.post(ctx, e, strconv.FormatInt(x.ID, 10), x.JSON())
	}
	if ctx.Err() != nil {
		return // broken off
	}
	if err := s.settle(ctx, e, d, a); err != nil && ctx.Err() == nil {
		s.w.opts.Log.Warn().Err(err).Str("webhook", e.ID).Int64("event", d.Event).Msg("what came of a delivery could not be written down; it is sent again")
	}
}

// answer is what came of an attempt.
type answer struct {
	status int
	why    string // it is no success
	after  time.Duration
}

// post sends a body, signed.
func (s *sender) post(ctx context.Context, e *Endpoint, id string, body []byte) answer {
	if len(body) >= bodyMax {
		return answer{why: "the event is larger than 20 kB"}
	}
	now := s.w.opts.Now()
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, e.URL, bytes.NewReader(body))
	if err != nil {
		return answer{why: err.Error()}
	}
	secrets := []string{e.secret}
	if e.previous != "" && now.Before(e.previousUntil) {
		secrets = append(secrets, e.previous)
	}
	q.Header.Set("Content-Type", "application/json")
	q.Header.Set("User-Agent", "Centrala/"+s.w.opts.Version)
	q.Header.Set("webhook-id", id)
	q.Header.Set("webhook-timestamp", strconv.FormatInt(now.Unix(), 10))
	q.Header.Set("webhook-signature", sign(secrets, id, now, body))
	client := s.secure
	if q.URL.Scheme == "http" {
		client = s.plain
	}
	p, err := client.Do(q)
	if err != nil {
		return answer{why: reason(err)}
	}
	defer p.Body.Close()
	_, _ = io.CopyN(io.Discard, p.Body, 64<<10) // so that the connection can be used again
	if p.StatusCode >= 200 && p.StatusCode < 300 {
		return answer{status: p.StatusCode}
	}
	return answer{status: p.StatusCode, why: "answered " + p.Status, after: retryAfter(p.Header.Get("Retry-After"), now)}
}

// reason is why a request failed, without its address, which people know.
func reason(err error) string {
	var of *url.Error
	if errors.As(err, &of) {
		err = of.Err
	}
	text := err.Error()
	return strings.ToValidUTF8(text[:min(len(text), 500)], "?")
}

// retryAfter reads Retry-After (RFC 9110 10.2.3).
func retryAfter(text string, now time.Time) time.Duration {
	after := time.Duration(0)
	if n, err := strconv.ParseUint(text, 10, 31); err == nil {
		after = time.Duration(n) * time.Second
	} else if at, err := http.ParseTime(text); err == nil {
		after = at.Sub(now)
	}
	return min(max(after, 0), afterMax)
}

// settle writes down what came of an attempt.
func (s *sender) settle(ctx context.Context, e *Endpoint, d Delivery, a answer) error {
	now := s.w.opts.Now()
	d.Attempts++
	state, outcome, due, disable := Delivered, OutcomeDelivered, now, ""
	switch list := pauses(); {
	case a.why == "":
	case a.status == http.StatusGone:
		state, outcome, disable = Failed, OutcomeGone, "answered 410 Gone"
	case d.Attempts < len(list):
		state, outcome = Pending, OutcomeRetried
		pause := list[d.Attempts]
		due = now.Add(max(pause+rand.N(pause/5), a.after))
	default:
		state, outcome = Failed, OutcomeFailed
		if e.Succeeded.Before(d.Created) {
			disable = "nothing could be delivered since " + d.Created.Format(time.RFC3339)
		}
	}
	err := s.w.opts.DB.Write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `update webhook_deliveries set state = $1, attempts = $2, due = $3, status = $4, why = $5, tried = $6
			where webhook = $7 and event = $8`, state, d.Attempts, due.UnixMicro(), a.status, a.why, now.UnixMicro(), e.ID, d.Event); err != nil {
			return err
		}
		if state == Delivered {
			_, err := tx.ExecContext(ctx, "update webhooks set succeeded = $1 where id = $2", now.UnixMicro(), e.ID)
			return err
		}
		if disable == "" {
			return nil
		}
		_, err := tx.ExecContext(ctx, "update webhooks set disabled = $1, why = $2 where id = $3 and disabled = 0 and succeeded < $4",
			now.UnixMicro(), disable, e.ID, disabledAbove(a, d))
		return err
	})
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.outcomes[outcome]++
	s.mu.Unlock()
	if disable != "" {
		s.w.opts.Log.Warn().Str("webhook", e.ID).Str("why", disable).Msg("a webhook was disabled")
	}
	return nil
}

// disabledAbove is the time of the last success, in microseconds, from which on an endpoint stays enabled.
func disabledAbove(a answer, d Delivery) int64 {
	if a.status == http.StatusGone {
		return 1 << 62 // whatever was before
	}
	return d.Created.UnixMicro()
}

// tidy removes deliveries that are over.
func (s *sender) tidy(ctx context.Context, before time.Time) error {
	return s.w.opts.DB.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "delete from webhook_deliveries where created < $1 and state <> 'pending'", before.UnixMicro())
		return err
	})
}

// Test sends an event of the type webhook.test at once, and returns the status of the answer and why it is no success.
func (w *Webhooks) Test(ctx context.Context, id string) (status int, why string, err error) {
	e, err := w.Get(ctx, id)
	if err != nil {
		return 0, "", err
	}
	now := w.opts.Now().UTC()
	name := "test_" + strconv.FormatInt(now.UnixMicro(), 36)
	body := fmt.Appendf(nil, `{"id":%q,"type":"webhook.test","timestamp":%q,"data":{}}`, name, now.Format(time.RFC3339Nano))
	a := w.sender.post(ctx, e, name, body)
	return a.status, a.why, nil
}
