package e2e

import (
	"bufio"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// told is a stream of events that somebody follows.
func (d *desk) told(last string) (next func() (id, of string), end func()) {
	d.t.Helper()
	q, err := http.NewRequest(http.MethodGet, d.base+"/events", nil)
	if err != nil {
		d.t.Fatal(err)
	}
	if last != "" {
		q.Header.Set("Last-Event-ID", last)
	}
	p, err := d.http.Do(q)
	if err != nil {
		d.t.Fatal(err)
	}
	if p.StatusCode != http.StatusOK {
		d.t.Fatalf("the stream: %s", p.Status)
	}
	limit := time.AfterFunc(2*patience, func() { _ = p.Body.Close() })
	lines := bufio.NewScanner(p.Body)
	lines.Scan() // from here on nothing is missed
	return func() (id, of string) {
		for lines.Scan() {
			switch name, value, _ := strings.Cut(lines.Text(), ": "); name {
			case "id":
				id = value
			case "event":
				return id, value
			}
		}
		return "", "the stream has ended"
	}, func() { limit.Stop(); _ = p.Body.Close() }
}

// What an administrator does is told by the stream and by a webhook, which a program verifies as the
// guide says; a client that comes again after the server was killed goes on where it was.
func TestEvents(t *testing.T) {
	type request struct {
		header http.Header
		body   string
	}
	got := make(chan request, 100)
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, q *http.Request) {
		body, _ := io.ReadAll(q.Body)
		got <- request{q.Header, string(body)}
	}))
	defer hook.Close()
	s := newSite(t)
	v := prepareServer(t, s, "agents: {anna: {}, bartek: {}}\ngroups: {sales: {agents: [anna, bartek]}}\n")
	admin := v.administrator("webhooks: {allow: [127.0.0.0/8]}\n")
	made := admin.do("POST", "/webhooks", map[string]any{"title": "crm", "url": hook.URL, "types": []string{"agent.*", "config.reloaded"}}, 201)

	next, end := admin.told("")
	admin.do("POST", "/agents/anna/duty", map[string]string{"duty": "break", "reason": "lunch"}, 200)
	last, of := next()
	if of != "agent.state_changed" {
		t.Fatalf("%s %s", last, of)
	}
	select {
	case q := <-got:
		if q.header.Get("webhook-id") != last || !strings.Contains(q.body, `"type":"agent.state_changed"`) || !strings.Contains(q.body, `"agent":"anna"`) {
			t.Errorf("%v %s", q.header, q.body)
		}
		verify(t, made["secret"].(string), q.header, q.body)
	case <-time.After(30 * time.Second):
		t.Fatal("the webhook was not called")
	}
	end()
	v.writeFile("queuegroups.yaml", "agents: {anna: {}, bartek: {}}\ngroups: {sales: {agents: [anna, bartek]}, support: {agents: [anna]}}\n")
	admin.do("POST", "/config/reload", nil, 200)
	v.kill()
	v.run()
	next, end = admin.told(last)
	defer end()
	if id, of := next(); of != "config.reloaded" {
		t.Errorf("%s %s", id, of)
	}
	for again := true; again; {
		select {
		case q := <-got:
			if again = q.header.Get("webhook-id") == last; again {
				continue // it was under way when the server was killed
			}
			if !strings.Contains(q.body, `"type":"config.reloaded"`) || !strings.Contains(q.body, `"id":"support"`) {
				t.Errorf("%s", q.body)
			}
		case <-time.After(30 * time.Second):
			t.Fatal("the webhook was not called again")
		}
	}
	end()
	v.stop()
}

// verify runs what docs/guides/api.md shows.
func verify(t *testing.T, secret string, header http.Header, body string) {
	t.Helper()
	guide, err := os.ReadFile("../docs/guides/api.md")
	if err != nil {
		t.Fatal(err)
	}
	program := "import base64, hashlib, hmac, sys\nsecret, id, timestamp, signature = sys.argv[1:]\nbody = sys.stdin.buffer.read()\n"
	for line := range strings.Lines(string(guide)) {
		code := strings.TrimPrefix(line, "    ")
		for _, name := range []string{"key = ", "mac = ", "ok = "} {
			if strings.HasPrefix(code, name) && code != line {
				program += code
			}
		}
	}
	for _, x := range []struct{ body, want string }{{body, "True"}, {body + " ", "False"}} {
		c := exec.Command("python3", "-c", program+"print(ok)\n", secret, header.Get("webhook-id"), header.Get("webhook-timestamp"), header.Get("webhook-signature"))
		c.Stdin = strings.NewReader(x.body)
		if out, err := c.CombinedOutput(); err != nil || strings.TrimSpace(string(out)) != x.want {
			t.Errorf("%v: %s, want %s", err, out, x.want)
		}
	}
}
