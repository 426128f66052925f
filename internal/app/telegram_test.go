package app

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"centrala/acd"
	"centrala/internal/botserver"
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
	a, err := New(t.Context(), Options{Config: config, Console: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := a.Stop(t.Context()); err != nil {
			t.Error(err)
		}
		http.DefaultClient.CloseIdleConnections()
	}()
	eventually := func(what string, is func() bool) {
		t.Helper()
		for deadline := time.Now().Add(time.Minute); !is(); time.Sleep(10 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("not in time: %s; fault %q", what, a.chats.bots.faults()["bot"])
			}
		}
	}
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
	eventually("the chat waits", waiting(1))
	if sent := api.Sent(1, time.Minute); len(sent) != 1 || sent[0].Text != "Welcome!" || sent[0].Chat != 1 {
		t.Errorf("%+v", sent)
	}
	reload(groups(token+"x", ""))
	eventually("the channel is broken", func() bool { return strings.Contains(a.chats.bots.faults()["bot"], "token") })
	api.Write(2, "Ewa", "hello", nil)
	reload(groups(token, ""))
	eventually("it works again", func() bool { return waiting(2)() && a.chats.bots.faults()["bot"] == "" })
	reload(groups(token, `, webhook: "https://chat.example.com"`))
	eventually("the webhook is set", func() bool {
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
