package app

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"centrala/acd"
	"centrala/internal/accounts"
	"centrala/queuegroups"
)

// A whole server, R9: of a channel that a reload takes out, the chats that go on end; what
// was written stays, marked archived, until an administrator deletes it for good. So it is
// when the server was down when the channel was taken out.
func TestR9_ChannelIsRemoved(t *testing.T) {
	x := newShop(t)
	const rest = "agents: {anna: {}}\ngroups: {sales: {agents: [anna]}}\n"
	with := rest + `channels: {shop: {connector: http, url: "` + x.serve.URL + `", secret: "` + shopSecret + `", agents: [anna], texts: {nobody: ""}}}` + "\n"
	config := webSite(t, with)
	write := func(text string) {
		if err := os.WriteFile(filepath.Join(filepath.Dir(config), "queuegroups.yaml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var a *App
	start := func() { a = started(t, config) }
	stop := func() {
		stopped(t, a)
	}
	underway := func() (n int) {
		a.State(func(s *acd.State) {
			for range s.Underway(0) {
				n++
			}
		})
		return n
	}
	over := func() bool {
		open, err := a.chats.Open(t.Context())
		return err == nil && len(open) == 0 && underway() == 0
	}
	start()
	x.brings(a, "m1", "hello")
	eventually(t, "a chat goes on", func() bool { return underway() == 1 })
	write(rest)
	if err := a.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it has ended", over)
	write(with)
	if err := a.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	x.brings(a, "m2", "hello again")
	eventually(t, "the channel works again", func() bool { return underway() == 1 })
	stop()
	write(rest)
	start()
	eventually(t, "it has ended, too", over)
	key, _, err := a.accounts.AddKey(t.Context(), accounts.Key{Title: "admin", Owner: "admin", Rights: []queuegroups.Right{queuegroups.RightHistoryRead, queuegroups.RightHistoryErase}})
	if err != nil {
		t.Fatal(err)
	}
	do := func(method, path string) string {
		t.Helper()
		req, err := http.NewRequest(method, "http://"+a.WebAddr().String()+"/api/v1"+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+key)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		answer, _ := io.ReadAll(res.Body)
		return res.Status + " " + string(answer)
	}
	for _, step := range [][3]string{
		{"GET", "/channels", `"archived":true,"conversations":1,"messages":2,"open":0`},
		{"GET", "/conversations/1/messages", "hello again"},
		{"DELETE", "/channels/shop", "deletes 1 conversations with 2 messages for good"},
		{"DELETE", "/channels/shop?confirm=shop", `"conversations":1,"messages":2`},
		{"GET", "/channels", `"items":[]`},
		{"GET", "/conversations/1/messages", "404"},
	} {
		if got := do(step[0], step[1]); !strings.Contains(got, step[2]) {
			t.Errorf("%s %s: %s, want %s", step[0], step[1], got, step[2])
		}
	}
	stop()
	http.DefaultClient.CloseIdleConnections()
}
