package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"centrala/chat/partner"
	"centrala/internal/journal/db"
)

const chatSecret = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="

// hurriedShop is a third party whose customers write without a pause: the next message when
// the one before is acknowledged, and the same again until then.
type hurriedShop struct {
	t   *testing.T
	c   *partner.Connector
	url string // of the server's connector
	in  *httptest.Server

	mu    sync.Mutex
	acked map[string]int // of each customer, the messages that the server acknowledged
	total int
	more  chan struct{} // closed at the next
	got   map[string]int
}

func newChatShop(t *testing.T) *hurriedShop {
	c, err := partner.New(partner.Options{Secret: chatSecret})
	if err != nil {
		t.Fatal(err)
	}
	x := &hurriedShop{t: t, c: c, acked: map[string]int{}, more: make(chan struct{}), got: map[string]int{}}
	x.in = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		id, err := c.Verify(r.Header, body)
		if err != nil {
			t.Error(err)
		}
		var e struct{ Customer struct{ ID string } }
		if err := json.Unmarshal(body, &e); err != nil {
			t.Error(err)
		}
		x.mu.Lock()
		defer x.mu.Unlock()
		x.got[e.Customer.ID+" "+id]++ // the same again is the same message
	}))
	t.Cleanup(x.in.Close)
	return x
}

// write brings message after message of a customer until the context ends.
func (x *hurriedShop) write(ctx context.Context, customer string) {
	for k := 1; ctx.Err() == nil; {
		id := fmt.Sprintf("%s-%d", customer, k)
		body := fmt.Appendf(nil, `{"type":"message","customer":{"id":%q},"message":{"id":%q,"text":"%d"}}`, customer, id, k)
		req, err := http.NewRequest(http.MethodPost, x.url, bytes.NewReader(body))
		if err != nil {
			x.t.Error(err)
			return
		}
		req.Header.Set("Content-Type", "application/json")
		x.c.Sign(req.Header, id, body)
		res, err := http.DefaultClient.Do(req)
		if err == nil {
			_, _ = io.Copy(io.Discard, res.Body)
			_ = res.Body.Close()
		}
		if err != nil || res.StatusCode != http.StatusOK {
			<-time.After(5 * time.Millisecond) // the server is down
			continue
		}
		x.mu.Lock()
		x.acked[customer] = k
		x.total++
		close(x.more)
		x.more = make(chan struct{})
		x.mu.Unlock()
		k++
	}
}

// await waits until so many more messages are acknowledged.
func (x *hurriedShop) await(n int) {
	x.t.Helper()
	x.mu.Lock()
	want := x.total + n
	x.mu.Unlock()
	for timeout := time.After(4 * patience); ; {
		x.mu.Lock()
		total, more := x.total, x.more
		x.mu.Unlock()
		if total >= want {
			return
		}
		select {
		case <-more:
		case <-timeout:
			x.t.Fatalf("%d messages acknowledged, want %d", total, want)
		}
	}
}

// written are the texts of a customer's messages as they are kept, and how many of
// their sessions are open.
func written(t *testing.T, d *db.DB, customer string) (texts []string, open int) {
	t.Helper()
	rows, err := d.Read().QueryContext(t.Context(), `select m.body from chat_messages m join chat_conversations c on c.id = m.conversation
		join chat_identities i on i.id = c.identity where i.external = $1 and m.author = 'customer' order by m.conversation, m.seq`, customer)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			t.Fatal(err)
		}
		texts = append(texts, text)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	err = d.Read().QueryRowContext(t.Context(), `select count(*) from chat_sessions s join chat_conversations c on c.id = s.conversation
		join chat_identities i on i.id = c.identity where i.external = $1 and s.closed = 0`, customer).Scan(&open)
	if err != nil {
		t.Fatal(err)
	}
	return texts, open
}

// The whole server is killed at random moments while customers write, and started
// again: of what it acknowledged nothing is lost, doubled or out of order, each customer has one
// open session, and the core each of these once, in the queue (P4, P6, P7, P8):
//
//	go test ./e2e -run ChatsSurviveKill9 -kills 100 -timeout 60m
func TestChatsSurviveKill9(t *testing.T) {
	t.Parallel()
	x := newChatShop(t)
	s := newSite(t)
	v := prepareServer(t, s, `
agents: {anna: {}}
groups: {sales: {agents: [anna]}}
channels:
  shop: {connector: http, url: "`+x.in.URL+`", secret: "`+chatSecret+`", agents: [anna], texts: {first: Welcome!, nobody: ""}}
`)
	x.url = fmt.Sprintf("http://%v/connectors/shop/events", v.withWeb())
	v.expectFault("chats are not taken up yet", "chats wait", `"status":503`) // who writes then is asked to do so again
	v.run()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var customers sync.WaitGroup
	names := []string{"jan", "ewa", "ola", "iza"}
	for _, name := range names {
		customers.Go(func() { x.write(ctx, name) })
	}
	random := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 1))
	for range *kills {
		x.await(1 + random.IntN(30))
		<-time.After(time.Duration(random.IntN(20_000)) * time.Microsecond) // anywhere between two steps
		v.kill()
		v.run()
	}
	x.await(10)
	cancel()
	customers.Wait()
	k := &killed{t: t, data: filepath.Join(v.dir, "data"), source: db.SQLite}
	d := k.open()
	defer d.Close()
	for _, name := range names {
		var want []string
		for n := range x.acked[name] {
			want = append(want, fmt.Sprint(n+1))
		}
		var got []string
		var open int
		eventually(t, "what was acknowledged is dealt with", func() bool {
			got, open = written(t, d, name)
			return len(got) >= len(want)
		})
		if !slices.Equal(got, want) || open != 1 {
			t.Errorf("%s has %d open sessions, and wrote %q, want %d in order", name, open, got, len(want))
		}
	}
	v.waitMetric(`centrala_interactions{group="channel:shop"}`, float64(len(names)))
	v.waitMetric(`centrala_queue_waiting{group="channel:shop"}`, float64(len(names)))
	v.stop()
	x.mu.Lock()
	defer x.mu.Unlock()
	welcomes := map[string]int{}
	for id := range x.got {
		customer, _, _ := strings.Cut(id, " ")
		welcomes[customer]++
	}
	for _, name := range names {
		if welcomes[name] != 1 {
			t.Errorf("%s was greeted %d times", name, welcomes[name])
		}
	}
	t.Logf("%d kills, %d messages acknowledged", *kills, x.total)
}
