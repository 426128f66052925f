package webhooks

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"centrala/internal/events"
	"centrala/internal/journal"
	"centrala/internal/journal/db"
	"centrala/internal/journal/db/dbtest"
)

const patience = 30 * time.Second

// receiver is somebody's server: it answers as it is told and keeps what it got.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	answer func(w http.ResponseWriter, id string)
	got    []string // ids, in order
	last   *http.Request
	body   string
}

func newReceiver(t *testing.T) *receiver {
	r := &receiver{answer: func(http.ResponseWriter, string) {}}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, _ := io.ReadAll(q.Body)
		r.mu.Lock()
		r.got, r.last, r.body = append(r.got, q.Header.Get("webhook-id")), q, string(body)
		answer := r.answer
		r.mu.Unlock()
		answer(w, q.Header.Get("webhook-id"))
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) ids() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.got)
}

func (r *receiver) answers(status int, header ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = func(w http.ResponseWriter, _ string) {
		for k := 0; k+1 < len(header); k += 2 {
			w.Header().Set(header[k], header[k+1])
		}
		w.WriteHeader(status)
	}
}

// rig is webhooks with a clock that stands still until it is moved.
type rig struct {
	*testing.T
	*Webhooks
	db    *db.DB
	hub   *events.Hub
	clock time.Time
}

func newRig(t *testing.T, d *db.DB) *rig {
	r := &rig{T: t, db: d, clock: time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)}
	r.hub = events.New(events.Options{DB: d, Log: zerolog.Nop()})
	r.Webhooks = New(Options{
		DB: d, Events: r.hub, Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, Log: zerolog.Nop(), Now: func() time.Time { return r.clock },
	})
	return r
}

func (r *rig) add(address string, types ...string) (string, Endpoint) {
	r.Helper()
	secret, e, err := r.Add(r.Context(), Endpoint{Title: "crm", URL: address, Types: types})
	if err != nil {
		r.Fatal(err)
	}
	return secret, e
}

func (r *rig) tell(ids ...int64) {
	r.Helper()
	var rows journal.Rows
	for _, id := range ids {
		rows.Events = append(rows.Events, journal.Event{ID: id, At: 1, Type: "call.ended", Group: "sales", Data: []byte(`{"n":1}`)})
	}
	if err := r.db.Write(r.Context(), func(tx *sql.Tx) error { return rows.Insert(r.Context(), tx, r.db.Mark) }); err != nil {
		r.Fatal(err)
	}
	if _, err := r.hub.Newest(r.Context()); err != nil {
		r.Fatal(err)
	}
}

// round lets the sender work until nothing is due.
func (r *rig) round() {
	r.Helper()
	for range 20 {
		if err := r.sender.round(r.Context()); err != nil {
			r.Fatal(err)
		}
		r.sender.flying.Wait()
	}
}

func (r *rig) deliveries(id string) []Delivery {
	r.Helper()
	list, err := r.Deliveries(r.Context(), id, "", 0, 100)
	if err != nil {
		r.Fatal(err)
	}
	return list
}

func (r *rig) endpoint(id string) *Endpoint {
	r.Helper()
	e, err := r.Get(r.Context(), id)
	if err != nil {
		r.Fatal(err)
	}
	return e
}

// An event arrives once, in its envelope and signed by each of the secrets.
func TestWebhooks_Delivers(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r, to := newRig(t, d), newReceiver(t)
		r.tell(100)
		secret, e := r.add(to.URL, "call.*")
		_, other := r.add(to.URL, "chat.*")
		r.tell(200, 300)
		r.round()
		r.round()
		got := to.ids()
		slices.Sort(got)
		if !slices.Equal(got, []string{"200", "300"}) || len(r.deliveries(other.ID)) != 0 {
			t.Fatalf("got %v", got)
		}
		for _, d := range r.deliveries(e.ID) {
			if d.State != Delivered || d.Attempts != 1 || d.Status != 200 || d.Why != "" || !d.Due.IsZero() || !d.Tried.Equal(r.clock) {
				t.Errorf("%+v", d)
			}
		}
		if !r.endpoint(e.ID).Succeeded.Equal(r.clock) || r.Stats()[OutcomeDelivered] != 2 {
			t.Errorf("%+v %v", r.endpoint(e.ID), r.Stats())
		}
		id := to.last.Header.Get("webhook-id")
		if to.body != `{"id":"`+id+`","type":"call.ended","timestamp":"1970-01-01T00:00:00.000001Z","data":{"n":1}}` ||
			to.last.Header.Get("Content-Type") != "application/json" || to.last.Header.Get("webhook-timestamp") != strconv.FormatInt(r.clock.Unix(), 10) {
			t.Errorf("%s %v", to.body, to.last.Header)
		}
		if want := signature(secret, to.last, to.body); to.last.Header.Get("webhook-signature") != want {
			t.Errorf("signature %q, want %q", to.last.Header.Get("webhook-signature"), want)
		}
		// A day long the old secret is good, too.
		next, err := r.Rotate(t.Context(), e.ID)
		if err != nil {
			t.Fatal(err)
		}
		for day, want := range map[time.Duration][]string{rotation - time.Second: {next, secret}, rotation: {next}} {
			began := r.clock
			r.clock = r.clock.Add(day)
			if status, why, err := r.Test(t.Context(), e.ID); err != nil || status != 200 || why != "" {
				t.Errorf("%d %s %v", status, why, err)
			}
			var list []string
			for _, s := range want {
				list = append(list, signature(s, to.last, to.body))
			}
			if got := to.last.Header.Get("webhook-signature"); got != strings.Join(list, " ") || !strings.Contains(to.body, `"webhook.test"`) {
				t.Errorf("after %v: %s", day, got)
			}
			r.clock = began
		}
		// Sent again, if asked for.
		if err := r.Replay(t.Context(), e.ID, 200); err != nil {
			t.Fatal(err)
		}
		if err := r.Replay(t.Context(), e.ID, 100); !errors.Is(err, ErrNotFound) {
			t.Errorf("%v", err)
		}
		r.round()
		if n := len(slices.DeleteFunc(to.ids(), func(id string) bool { return id != "200" })); n != 2 {
			t.Errorf("200 came %d times", n)
		}
		if err := r.Remove(t.Context(), e.ID); err != nil || len(r.deliveries(e.ID)) != 0 {
			t.Errorf("%v, %d deliveries are left", err, len(r.deliveries(e.ID)))
		}
	})
}

// signature is made as the specification has it, by other means than ours.
func signature(secret string, q *http.Request, body string) string {
	key, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	mac := hmac.New(sha256.New, key)
	_, _ = io.WriteString(mac, q.Header.Get("webhook-id")+"."+q.Header.Get("webhook-timestamp")+"."+body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// What fails is tried ten times, at the times that the specification has, and then the endpoint is disabled.
func TestWebhooks_Retries(t *testing.T) {
	for _, status := range []int{500, 404, 302, 304, 199 + 200} {
		t.Run(strconv.Itoa(status), func(t *testing.T) {
			r, to := newRig(t, dbtest.Open(t, dbtest.SQLite(t))), newReceiver(t)
			elsewhere := newReceiver(t)
			to.answers(status, "Location", elsewhere.URL)
			_, e := r.add(to.URL)
			r.tell(100)
			r.round()
			for n, pause := range pauses()[1:] {
				d := r.deliveries(e.ID)[0]
				if got := d.Due.Sub(r.clock); d.State != Pending || d.Attempts != n+1 || d.Status != status || got < pause || got > pause+pause/5 {
					t.Fatalf("attempt %d: %+v, in %v", n+1, d, got)
				}
				r.clock = d.Due.Add(-time.Second)
				r.round()
				if len(to.ids()) != n+1 {
					t.Fatalf("attempt %d came too early", n+2)
				}
				r.clock = d.Due
				r.round()
			}
			d := r.deliveries(e.ID)[0]
			if e := r.endpoint(e.ID); d.State != Failed || len(to.ids()) != 10 || e.Disabled.IsZero() || e.Why == "" || len(elsewhere.ids()) != 0 {
				t.Errorf("%+v %+v, %d attempts, %d redirected", d, e, len(to.ids()), len(elsewhere.ids()))
			}
			if s := r.Stats(); s[OutcomeRetried] != 9 || s[OutcomeFailed] != 1 {
				t.Errorf("%v", s)
			}
			// Enabled again, it is sent what happened meanwhile.
			r.tell(200)
			r.round()
			to.answers(204)
			back := r.endpoint(e.ID)
			back.Disabled = time.Time{}
			if err := r.Change(t.Context(), *back); err != nil {
				t.Fatal(err)
			}
			r.round()
			if got := to.ids(); got[len(got)-1] != "200" {
				t.Errorf("%v", got)
			}
		})
	}
}

func TestWebhooks_Answers(t *testing.T) {
	r, to := newRig(t, dbtest.Open(t, dbtest.SQLite(t))), newReceiver(t)
	_, e := r.add(to.URL)
	to.answers(503, "Retry-After", "3600")
	r.tell(100)
	r.round()
	if d := r.deliveries(e.ID)[0]; d.Due.Sub(r.clock) != time.Hour {
		t.Errorf("%+v", d)
	}
	to.answers(429, "Retry-After", r.clock.Add(2*time.Hour).Format(http.TimeFormat))
	r.tell(200)
	r.round()
	if d := r.deliveries(e.ID)[0]; d.Due.Sub(r.clock) != 2*time.Hour {
		t.Errorf("%+v", d)
	}
	// One delivery that fails while others succeed disables nothing; 410 does at once.
	to.answers(200)
	r.tell(300)
	r.round()
	to.answers(410)
	r.tell(400)
	r.round()
	if e := r.endpoint(e.ID); e.Disabled.IsZero() || !strings.Contains(e.Why, "410") || r.Stats()[OutcomeGone] != 1 {
		t.Errorf("%+v %v", e, r.Stats())
	}
	for text, want := range map[string]time.Duration{"": 0, "-5": 0, "x": 0, "1": time.Second, "999999": afterMax, "99999999999999": 0} {
		if got := retryAfter(text, r.clock); got != want {
			t.Errorf("Retry-After %q is %v, want %v", text, got, want)
		}
	}
	if a := r.sender.post(t.Context(), &e, "1", make([]byte, bodyMax)); a.why == "" || len(to.ids()) != 4 {
		t.Errorf("a large body: %+v", a)
	}
}

// However often the sender is killed, each event arrives; twice at most where it was under way.
func TestWebhooks_Killed(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r, to := newRig(t, d), newReceiver(t)
		_, e := r.add(to.URL)
		const total = 300
		for k := range total {
			r.tell(int64(1000 + k))
			if k%10 != 0 {
				continue
			}
			ctx, kill := context.WithCancel(t.Context())
			w := New(r.opts) // knows nothing but what is in the database
			seen := len(to.ids())
			go func() {
				for deadline := time.Now().Add(patience); len(to.ids()) < seen+k%7 && time.Now().Before(deadline); {
					time.Sleep(100 * time.Microsecond)
				}
				kill()
			}()
			for ctx.Err() == nil {
				_ = w.sender.round(ctx)
			}
			w.sender.flying.Wait()
		}
		w := New(r.opts)
		w.Start()
		defer w.Stop()
		for deadline := time.Now().Add(patience); ; {
			open, err := w.Deliveries(t.Context(), e.ID, Delivered, 0, total+1)
			if err != nil {
				t.Fatal(err)
			}
			if len(open) == total {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("%d of %d are delivered", len(open), total)
			}
			time.Sleep(5 * time.Millisecond)
		}
		got := to.ids()
		slices.Sort(got)
		if unique := slices.Compact(slices.Clone(got)); len(unique) != total || len(got) > total+total/10*flightsMax {
			t.Errorf("%d arrived, %d different ones, want %d", len(got), len(unique), total)
		}
	})
}

// Nothing inside is reached: not by its address in any spelling, not by a name, not by a redirect.
func TestWebhooks_RefusedAddresses(t *testing.T) {
	inside := newReceiver(t)
	port := inside.URL[strings.LastIndex(inside.URL, ":"):]
	r := newRig(t, dbtest.Open(t, dbtest.SQLite(t)))
	r.Webhooks = New(Options{DB: r.db, Events: r.hub, Log: zerolog.Nop(), Now: r.opts.Now}) // allows nothing
	for _, scheme := range []string{"http://", "https://"} {
		for _, host := range []string{
			"127.0.0.1", "localhost", "2130706433", "0x7f000001", "0177.0.0.1", "127.1", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "0.0.0.0", "[::]",
		} {
			a := r.sender.post(t.Context(), &Endpoint{URL: scheme + host + port}, "1", []byte("{}"))
			if a.status != 0 || !strings.Contains(a.why, "not public") && !strings.Contains(a.why, "lookup "+host) {
				t.Errorf("%s%s: %+v", scheme, host, a)
			}
		}
	}
	if n := len(inside.ids()); n != 0 {
		t.Errorf("%d requests reached what is inside", n)
	}
	g := &guard{refuse: special(), allow: []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16")}}
	for _, text := range []string{
		"127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.1", "224.0.0.1", "255.255.255.255", "198.18.0.1", "::1", "fe80::1",
		"fe80::1%eth0", "fc00::1", "ff02::1", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "2001:0:1::1", "fec0::1",
	} {
		if err := g.check(netip.MustParseAddr(text), true); !errors.Is(err, ErrAddress) {
			t.Errorf("%s: %v", text, err)
		}
	}
	for text, plain := range map[string]bool{"10.1.2.3": true, "::ffff:10.1.2.3": true, "93.184.216.34": false, "2606:4700::1": false} {
		if err := g.check(netip.MustParseAddr(text), true); err != nil {
			t.Errorf("%s: %v", text, err)
		}
		if err := g.check(netip.MustParseAddr(text), false); (err == nil) != plain {
			t.Errorf("%s without TLS: %v", text, err)
		}
	}
	for _, address := range []string{"", "ftp://example.com", "//example.com", "https://", "https://a:b@example.com", "https://example.com/#x", "javascript:1", "https://127.0.0.1", "https://[::ffff:10.0.0.1]/"} {
		if _, _, err := r.Add(t.Context(), Endpoint{URL: address}); !errors.Is(err, ErrURL) && !errors.Is(err, ErrAddress) {
			t.Errorf("%q: %v", address, err)
		}
	}
	if _, _, err := r.Add(t.Context(), Endpoint{URL: "https://example.com/" + fmt.Sprint(make([]int, 2000))}); !errors.Is(err, ErrURL) {
		t.Errorf("a long one: %v", err)
	}
}
