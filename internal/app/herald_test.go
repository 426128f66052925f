package app

import (
	"net/http"
	"os"
	"strings"
	"testing"
)

// A whole server: a third party is told once where it brings events when the server's public
// address has changed (R6), and neither told anything nor listened to where its connector is
// switched off (R7).
func TestR6_PublicAddressChanges(t *testing.T) {
	x := newShop(t)
	config := webSite(t, `
agents: {anna: {}}
groups: {sales: {agents: [anna]}}
channels: {shop: {connector: http, url: "`+x.serve.URL+`", secret: "`+shopSecret+`", agents: [anna], texts: {first: Welcome!, nobody: ""}}}
`)
	before, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	run := func(connectors string, f func(a *App)) {
		t.Helper()
		if err := os.WriteFile(config, append(before, "connectors: "+connectors+"\n"...), 0o600); err != nil {
			t.Fatal(err)
		}
		a := started(t, config)
		f(a)
		stopped(t, a)
	}
	told := func(a *App) {
		t.Helper()
		x.gets("events to https://one.example/connectors/shop/events")
		eventually(t, "it is noted that it was told", func() bool {
			address, err := a.chats.Announced(t.Context(), "shop")
			return err == nil && address != ""
		})
	}
	run("{public: https://one.example/}", told)
	run("{public: https://one.example}", func(a *App) {
		x.brings(a, "m1", "hello") // is it told again, it is before the welcome or before the next address
		x.gets("Welcome!")
	})
	// The server may stop before that is noted: then it does not take the old address for what is known.
	run("{public: https://two.example}", func(*App) { x.gets("events to https://two.example/connectors/shop/events") })
	run("{public: https://one.example}", told)
	run("{public: https://three.example, off: [http]}", func(a *App) {
		res, err := http.Post("http://"+a.WebAddr().String()+"/connectors/shop/events", "application/json", strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		if _ = res.Body.Close(); res.StatusCode != http.StatusUnauthorized {
			t.Errorf("a connector that is switched off answers %d", res.StatusCode)
		}
		if a.chats.connector("shop") != nil {
			t.Error("it can be sent to")
		}
	})
	run("{public: https://one.example}", func(a *App) { x.brings(a, "m2", "it works again") })
	http.DefaultClient.CloseIdleConnections()
	if len(x.got) > 0 {
		t.Errorf("told %q", <-x.got)
	}
}
