package app

import (
	"net/http"
	"strings"
	"testing"

	"centrala/acd"
)

// A whole server with a menu: the customer chooses, and is in the queue of the channel
// that the menu names, with the agent it names asked (R74).
func TestBots(t *testing.T) {
	x := newShop(t)
	config := webSite(t, `
agents: {anna: {}, bartek: {}}
groups: {sales: {agents: [anna]}}
channels:
  shop:
    connector: http
    url: "`+x.serve.URL+`"
    secret: "`+shopSecret+`"
    agents: [anna]
    texts: {nobody: ""}
    bot:
      menus:
        start: {text: "Hi", choices: [{label: Orders, text: "One moment.", hand_over: "channel:orders"}, {label: Anna, hand_over: "agent:anna"}, {label: Any, hand_over: queue}]}
  orders: {connector: http, url: "`+x.serve.URL+`", secret: "`+shopSecret+`", agents: [bartek]}
`)
	a := started(t, config)
	defer http.DefaultClient.CloseIdleConnections()
	defer stopped(t, a)
	channels := func() (out string) {
		a.State(func(s *acd.State) {
			for v := range s.Underway(0) {
				out += string(v.Channel) + " "
			}
		})
		return strings.TrimSpace(out)
	}
	x.brings(a, "m1", "hello")
	x.gets("Hi\n1. Orders\n2. Anna\n3. Any")
	if got := channels(); got != "" {
		t.Errorf("the core has chats in %s", got)
	}
	x.brings(a, "m2", "1")
	x.gets("One moment.")
	eventually(t, "the chat is in orders", func() bool { return channels() == "orders" })
	for to, want := range map[string][3]any{"channel:shop": {"shop", "", true}, "channel:none": {"", "", false}, "agent:anna": {"", "anna", true},
		"agent:none": {"", "", false}, "queue": {"", "", true}, "": {"", "", false}} {
		channel, agent, ok := a.chats.target(to)
		if got := [3]any{channel, agent, ok}; got != want {
			t.Errorf("%q: %v", to, got)
		}
	}
}
