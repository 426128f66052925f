package app

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"centrala/chat/partner"
	"centrala/internal/accounts"
	"centrala/queuegroups"
)

// shop is a third party with a connector: it signs what it brings, looks at the
// signature of what it is brought, and knows a message that it has had.
type shop struct {
	t     *testing.T
	c     *partner.Connector
	got   chan string
	seen  sync.Map
	serve *httptest.Server
}

const shopSecret = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="

func newShop(t *testing.T) *shop {
	x := &shop{t: t, got: make(chan string, 100)}
	var err error
	if x.c, err = partner.New(partner.Options{Secret: shopSecret}); err != nil {
		t.Fatal(err)
	}
	x.serve = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		id, err := x.c.Verify(r.Header, body)
		if err != nil {
			t.Error(err)
		}
		var e struct {
			Type, Address string
			Message       struct{ Text string }
		}
		_ = json.Unmarshal(body, &e)
		if e.Type == "address" {
			e.Message.Text = "events to " + e.Address
		}
		if _, again := x.seen.LoadOrStore(id, true); !again {
			x.got <- e.Message.Text
		}
	}))
	t.Cleanup(x.serve.Close)
	return x
}

// brings posts an event until the server has taken it.
func (x *shop) brings(a *App, id, text string) {
	x.t.Helper()
	body := fmt.Appendf(nil, `{"type":"message","customer":{"id":"jan","name":"Jan"},"message":{"id":%q,"text":%q}}`, id, text)
	for deadline := time.Now().Add(20 * time.Second); ; {
		req, err := http.NewRequest(http.MethodPost, "http://"+a.WebAddr().String()+"/connectors/shop/events", bytes.NewReader(body))
		if err != nil {
			x.t.Fatal(err)
		}
		x.c.Sign(req.Header, id, body)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			x.t.Fatal(err)
		}
		answer, _ := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if res.StatusCode == http.StatusOK {
			return
		}
		if res.StatusCode != http.StatusServiceUnavailable || time.Now().After(deadline) {
			x.t.Fatalf("%d %s", res.StatusCode, answer)
		}
	}
}

func (x *shop) gets(want string) {
	x.t.Helper()
	select {
	case got := <-x.got:
		if got != want {
			x.t.Errorf("the customer got %q, want %q", got, want)
		}
	case <-time.After(20 * time.Second):
		x.t.Fatalf("the customer did not get %q", want)
	}
}

// A whole server: a third party's customer writes, an agent accepts and answers by the
// API, the server is restarted, the chat goes on and is closed (R7, R64, R65).
func TestChats(t *testing.T) {
	x := newShop(t)
	config := webSite(t, `
agents: {anna: {}}
groups: {sales: {agents: [anna]}}
channels:
  shop:
    connector: http
    url: "`+x.serve.URL+`"
    secret: "`+shopSecret+`"
    agents: [anna]
    texts: {first: Welcome!, nobody: "", ended: Good-bye.}
`)
	var a *App
	start := func() { a = started(t, config) }
	start()
	key, _, err := a.accounts.AddKey(t.Context(), accounts.Key{Title: "desk", Owner: "anna", Rights: []queuegroups.Right{
		queuegroups.RightAgentsRead, queuegroups.RightAgentsWrite, queuegroups.RightInteractionsRead, queuegroups.RightInteractionsWrite,
	}})
	if err != nil {
		t.Fatal(err)
	}
	call := func(method, path, body string) (int, string) {
		t.Helper()
		req, err := http.NewRequest(method, "http://"+a.WebAddr().String()+"/api/v1"+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+key)
		req.Header.Set("Content-Type", "application/json")
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		answer, _ := io.ReadAll(res.Body)
		return res.StatusCode, string(answer)
	}
	do := func(method, path, body string) string {
		t.Helper()
		status, answer := call(method, path, body)
		if status/100 != 2 {
			t.Fatalf("%s %s: %d %s", method, path, status, answer)
		}
		return answer
	}
	offered := func() string { // the interaction that waits for anna to accept it
		t.Helper()
		do("POST", "/agents/anna/client", `{"id":"w1","kind":"browser","state":"used"}`)
		for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); {
			var page struct {
				Items []struct {
					Offered     bool
					Interaction struct{ ID string }
				}
			}
			if err := json.Unmarshal([]byte(do("GET", "/chats", "")), &page); err != nil {
				t.Fatal(err)
			}
			if len(page.Items) == 1 && page.Items[0].Offered {
				return "/interactions/" + page.Items[0].Interaction.ID
			}
		}
		t.Fatal("anna is offered nothing")
		return ""
	}
	x.brings(a, "m1", "hello")
	x.gets("Welcome!")
	at := offered()
	do("POST", at+"/accept", "")
	for range 2 { // said again, it is the same message
		do("POST", at+"/messages", `{"id":"a1","text":"hi Jan"}`)
	}
	x.gets("hi Jan")
	stopped(t, a)
	start()
	x.brings(a, "m1", "hello") // again, and nothing comes of it
	x.brings(a, "m2", "thank you")
	at = offered()
	do("POST", at+"/accept", "")
	if list := do("GET", at+"/messages?after=3&wait=10", ""); !strings.Contains(list, `"thank you"`) || strings.Contains(list, `"hello"`) {
		t.Errorf("messages: %s", list)
	}
	do("POST", at+"/close", "")
	x.gets("Good-bye.")
	if status, answer := call("POST", at+"/messages", `{"id":"a2","text":"late"}`); status/100 != 4 {
		t.Errorf("into a closed chat: %d %s", status, answer)
	}
	stopped(t, a)
	http.DefaultClient.CloseIdleConnections()
}
