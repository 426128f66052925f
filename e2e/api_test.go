package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// desk is somebody at the API.
type desk struct {
	t    *testing.T
	base string
	http http.Client
}

func newDesk(t *testing.T, web string) *desk {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &desk{t: t, base: "http://" + web + "/api/v1", http: http.Client{Jar: jar}}
}

// do sends a request, wants the status, and returns what was answered.
func (d *desk) do(method, path string, body any, want int) (got map[string]any) {
	d.t.Helper()
	data, err := json.Marshal(body)
	if err != nil {
		d.t.Fatal(err)
	}
	if body == nil {
		data = nil
	}
	q, err := http.NewRequest(method, d.base+path, bytes.NewReader(data))
	if err != nil {
		d.t.Fatal(err)
	}
	q.Header.Set("Content-Type", "application/json")
	p, err := d.http.Do(q)
	if err != nil {
		d.t.Fatal(err)
	}
	defer p.Body.Close()
	_ = json.NewDecoder(p.Body).Decode(&got) // 204 has no body
	if p.StatusCode != want {
		d.t.Fatalf("%s %s: %d %v, want %d", method, path, p.StatusCode, got, want)
	}
	return got
}

// administrator gives a server a web listener and further settings, starts it, and signs in as its first administrator.
func (v *server) administrator(settings string) *desk {
	v.t.Helper()
	web := v.withWeb().String()
	text, err := os.ReadFile(filepath.Join(v.dir, "centrala.yaml"))
	if err != nil {
		v.t.Fatal(err)
	}
	v.writeFile("centrala.yaml", settings+string(text))
	v.run()
	first, err := os.ReadFile(filepath.Join(v.dir, "data", "first-sign-in.txt"))
	if err != nil {
		v.t.Fatal(err)
	}
	var name, once string
	if _, err := fmt.Sscanf(string(first), "name: %s\npassword: %s\n", &name, &once); err != nil {
		v.t.Fatal(err)
	}
	admin := newDesk(v.t, web)
	admin.do("POST", "/session", map[string]string{"name": name, "password": once}, 200)
	admin.do("POST", "/session/password", map[string]string{"new": "a password of mine"}, 204)
	return admin
}

// An administrator signs in for the first time, an agent is given a password on the command line
// while the server runs, signs in, and takes a break: the core knows it, the others see it.
func TestAPI(t *testing.T) {
	s := newSite(t)
	v := prepareServer(t, s, "agents: {anna: {}, bartek: {}}\ngroups: {sales: {agents: [anna, bartek]}}\n")
	web := s.local(s.ports(2)).String()
	settings, err := os.ReadFile(filepath.Join(v.dir, "centrala.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	v.writeFile("centrala.yaml", strings.Replace(string(settings), "listen:\n", "listen:\n  web: http://"+web+"\n", 1))
	v.run()

	first, err := os.ReadFile(filepath.Join(v.dir, "data", "first-sign-in.txt"))
	if err != nil {
		t.Fatal(err)
	}
	var name, once string
	if _, err := fmt.Sscanf(string(first), "name: %s\npassword: %s\n", &name, &once); err != nil {
		t.Fatal(err)
	}
	admin := newDesk(t, web)
	admin.do("GET", "/agents", nil, 401)
	admin.do("POST", "/session", map[string]string{"name": name, "password": once}, 200)
	admin.do("GET", "/agents", nil, 403)
	admin.do("POST", "/session/password", map[string]string{"new": "a password of mine"}, 204)
	admin.do("GET", "/agents", nil, 200)

	command := exec.Command(os.Getenv(serverProgram), "agent", "passwd", "anna", "--config", filepath.Join(v.dir, "centrala.yaml"))
	command.Stdin = strings.NewReader("a password of anna's\n")
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	anna := newDesk(t, web)
	anna.do("POST", "/session", map[string]string{"name": "anna", "password": "a password of bartek's"}, 401)
	anna.do("POST", "/session", map[string]string{"name": "anna", "password": "a password of anna's"}, 200)
	if got := anna.do("POST", "/agents/anna/duty", map[string]string{"duty": "break", "reason": "lunch"}, 200); got["duty"] != "break" {
		t.Errorf("%v", got)
	}
	anna.do("POST", "/agents/bartek/duty", map[string]string{"duty": "break"}, 403)
	anna.do("GET", "/config", nil, 403)
	if got := admin.do("GET", "/agents/anna", nil, 200); got["duty"] != "break" || got["reason"] != "lunch" {
		t.Errorf("%v", got)
	}

	v.writeFile("queuegroups.yaml", "agents: {anna: {}, bartek: {}}\ngroups: {sales: {agents: [anna, bartek]}, support: {agents: [anna]}}\n")
	admin.do("POST", "/config/reload", nil, 200)
	admin.do("GET", "/groups/support", nil, 200)
	items := admin.do("GET", "/audit", nil, 200)["items"].([]any)
	var did []string
	for _, x := range items {
		e := x.(map[string]any)
		did = append(did, fmt.Sprint(e["who"], " ", e["what"], " ", e["target"]))
	}
	if got := strings.Join(did, ", "); got != name+" reload-config config, command line reset-password users/anna" {
		t.Error(got)
	}
	// All of it outlives the server.
	v.stop()
	v.run()
	if got := admin.do("GET", "/agents/anna", nil, 200); got["duty"] != "break" {
		t.Errorf("%v", got)
	}
	v.stop()
}
