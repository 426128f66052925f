package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/rs/zerolog"

	"centrala/acd"
	"centrala/chat/store"
	"centrala/chat/telegram"
	"centrala/internal/botserver"
	"centrala/internal/eventlog"
	"centrala/internal/journal/db/dbtest"
	"centrala/queuegroups"
)

// A whole server with a bot: a customer writes and is in the queue; with a wrong
// token the channel is told to be broken, and works again with the right one, by
// reloads, and by a webhook.
func TestTelegram(t *testing.T) {
	const token = "123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"
	api := botserver.New(token)
	defer api.Close()
	groups := func(token, more string) string {
		return fmt.Sprintf(`
agents: {anna: {}}
groups: {sales: {agents: [anna]}}
channels:
  bot: {connector: telegram, agents: [anna], telegram: {token: %q, server: %q%s}, texts: {first: Welcome!, nobody: ""}}
`, token, api.URL(), more)
	}
	config := webSite(t, groups(token, ""))
	a := started(t, config)
	defer http.DefaultClient.CloseIdleConnections()
	defer stopped(t, a)
	waiting := func(n int) func() bool {
		return func() bool {
			got := 0
			a.State(func(s *acd.State) {
				for v := range s.Underway(0) {
					if v.Channel == "bot" {
						got++
					}
				}
			})
			return got == n
		}
	}
	reload := func(text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(filepath.Dir(config), "queuegroups.yaml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := a.Reload(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	api.Write(1, "Jan", "hello", nil)
	eventually(t, "the chat waits", waiting(1))
	if sent := api.Sent(1, time.Minute); len(sent) != 1 || sent[0].Text != "Welcome!" || sent[0].Chat != 1 {
		t.Errorf("%+v", sent)
	}
	reload(groups(token+"x", ""))
	eventually(t, "the channel is broken", func() bool { return strings.Contains(a.chats.Faults()["bot"], "token") })
	api.Write(2, "Ewa", "hello", nil)
	reload(groups(token, ""))
	eventually(t, "it works again", func() bool { return waiting(2)() && len(a.chats.Faults()) == 0 })
	reload(groups(token, `, webhook: "https://chat.example.com"`))
	eventually(t, "the webhook is set", func() bool {
		hook, _ := api.Hook()
		return hook == "https://chat.example.com/connectors/bot/events"
	})
	res, err := http.Post("http://"+a.WebAddr().String()+"/connectors/bot/events", "application/json", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	if _ = res.Body.Close(); res.StatusCode != http.StatusUnauthorized {
		t.Errorf("a stranger is answered %d", res.StatusCode)
	}
}

// member is a node of a cluster: the bots that it has, and its log, which tells it whether it leads.
type member struct {
	bots *bots
	log  *eventlog.Log
}

type nothing struct{}

func (nothing) Applied(acd.Entry, []acd.Command) {}

// Of the nodes of a cluster the one that leads asks for a bot's updates, so that none is turned
// away; when it ends, another goes on where it stopped: each update comes in once.
func TestTelegram_Cluster(t *testing.T) {
	const token = "123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"
	api := botserver.New(token)
	defer api.Close()
	nats, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, NoSigs: true, NoLog: true, JetStream: true, StoreDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	nats.Start()
	defer func() { nats.Shutdown(); nats.WaitForShutdown() }()
	if !nats.ReadyForConnections(time.Minute) {
		t.Fatal("the cluster's log does not start")
	}
	var mu sync.Mutex
	var got []string // by whom, and what
	known := map[string]bool{}
	shared := store.New(store.Options{DB: dbtest.Open(t, dbtest.SQLite(t)), Dir: t.TempDir(), Log: zerolog.Nop()})
	join := func(node string) *member {
		m := &member{bots: &bots{of: map[queuegroups.ChannelID]*runningBot{}, make: func(d queuegroups.Channel) *telegram.Connector {
			return telegram.New(telegram.Options{
				Channel: string(d.ID), Token: d.Telegram.Token.Value(), URL: d.Telegram.Server, Client: telegram.NewClient(), Store: shared, Log: zerolog.Nop(),
				Receive: func(_ context.Context, _, event string, _ []byte) error {
					mu.Lock()
					defer mu.Unlock()
					if !known[event] { // what a node leaves with comes again
						known[event] = true
						got = append(got, node+" "+event)
					}
					return nil
				},
				Wrong: func(error) bool { return false },
			})
		}}}
		m.bots.declare(queuegroups.Channel{ID: "bot", Telegram: &queuegroups.Telegram{Token: queuegroups.NewSecret(token), Server: api.URL()}})
		m.bots.start()
		if m.log, err = eventlog.Open(t.Context(), eventlog.Options{Dir: t.TempDir(), URL: nats.ClientURL(), Node: acd.NodeID(node), Leads: m.bots.lead, Log: zerolog.Nop()}); err == nil {
			err = m.log.Start(nothing{})
		}
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	leave := func(m *member) {
		t.Helper()
		m.bots.stop()
		if err := m.log.Close(context.WithoutCancel(t.Context())); err != nil && !errors.Is(err, eventlog.ErrClosed) {
			t.Error(err)
		}
	}
	runs := func(m *member) bool { return len(m.bots.faults()) == 1 }
	has := func(n int) func() bool {
		return func() bool { mu.Lock(); defer mu.Unlock(); return len(got) == n }
	}
	a := join("a")
	eventually(t, "the first node leads", func() bool { return runs(a) })
	b := join("b")
	for k := range 5 {
		api.Write(1, "Jan", fmt.Sprint("to a ", k), nil)
	}
	eventually(t, "what was written has come", has(5))
	if fault := a.bots.faults()["bot"]; runs(b) || fault != "" {
		t.Errorf("both ask: %q", fault)
	}
	leave(a)
	eventually(t, "the second node leads", func() bool { return runs(b) })
	for k := range 5 {
		api.Write(1, "Jan", fmt.Sprint("to b ", k), nil)
	}
	eventually(t, "what was written later has come", has(10))
	if fault := b.bots.faults()["bot"]; fault != "" {
		t.Errorf("somebody else asks, too: %q", fault)
	}
	leave(b)
	mu.Lock()
	defer mu.Unlock()
	for k, x := range got {
		if want := map[bool]string{true: "a ", false: "b "}[k < 5]; !strings.HasPrefix(x, want) {
			t.Errorf("%d: %s of %q", k, x, got)
		}
	}
}
