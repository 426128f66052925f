package e2e

import (
	"bufio"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// demonstration is `centrala demo` in a process of its own.
type demonstration struct {
	t    *testing.T
	cmd  *exec.Cmd
	gone chan struct{}

	mu   sync.Mutex
	said strings.Builder
}

func newDemonstration(t *testing.T, temp string) *demonstration {
	t.Helper()
	d := &demonstration{t: t, cmd: exec.Command(os.Getenv(serverProgram), "demo"), gone: make(chan struct{})}
	d.cmd.Env = append(os.Environ(), "TMPDIR="+temp, "GORACE=halt_on_error=1")
	d.cmd.Stderr = os.Stderr
	out, err := d.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := start(d.cmd); err != nil {
		t.Fatal(err)
	}
	go func() {
		for lines := bufio.NewScanner(out); lines.Scan(); {
			d.mu.Lock()
			fmt.Fprintln(&d.said, lines.Text())
			d.mu.Unlock()
		}
		_ = d.cmd.Wait() // the test sees how it ended
		close(d.gone)
	}()
	t.Cleanup(func() {
		_ = d.cmd.Process.Kill()
		<-d.gone
		if t.Failed() {
			dump(t, "demonstration", d.text())
		}
	})
	return d
}

func (d *demonstration) text() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.said.String()
}

// link waits for somebody's way to sign in, and takes it apart.
func (d *demonstration) link(who string) (link, web, password string) {
	d.t.Helper()
	find := regexp.MustCompile(`http://\S+/#/sign-in/` + who + `/\S+`)
	eventually(d.t, "a link for "+who, func() bool {
		link = find.FindString(d.text())
		return link != ""
	})
	u, err := url.Parse(link)
	if err != nil {
		d.t.Fatal(err)
	}
	return link, u.Host, u.Fragment[strings.LastIndex(u.Fragment, "/")+1:]
}

// Robots call and answer, and go on breaks. A newcomer comes by the link, which works once, chooses a
// password, gets a telephone and at once a call. Ctrl-C ends everything and leaves nothing behind.
func TestDemo(t *testing.T) {
	temp := t.TempDir()
	d := newDemonstration(t, temp)
	_, web, once := d.link("admin")
	link, _, _ := d.link("you")
	api := newDesk(t, web)
	api.do("POST", "/session", map[string]string{"name": "admin", "password": once}, 200)
	api.do("POST", "/session/password", map[string]string{"new": consolePassword}, 204)
	some := func(what, path string, is func(map[string]any) bool) {
		t.Helper()
		waitLong(t, what, func() bool {
			for _, x := range api.list(path) {
				if is(x) {
					return true
				}
			}
			return false
		})
	}
	some("a robot talks to a robot", "/interactions", func(x map[string]any) bool { return x["phase"] == "talking" && x["agent"] != nil })

	b := newBrowser(t, web)
	b.do("open", step{URL: link})
	b.see("input[name=again]")
	b.do("until", step{Text: "!location.href.includes('sign-in')"})
	b.fill("input[name=new]", consolePassword)
	b.fill("input[name=again]", consolePassword)
	b.press("Save and go on")
	b.see(".desk")
	b.press("you: language, appearance, sign out")
	b.choose("Sign out")
	b.see(".login")
	b.do("open", step{URL: link})
	b.seeText(".hint", "has been used")
	b.wantClean("a link that was used")
	b.signIn("you", consolePassword)
	b.see(".desk")

	domain := regexp.MustCompile(`domain (127\.0\.0\.1:\d+)`).FindStringSubmatch(d.text())
	if domain == nil {
		t.Fatal("no address for a desk phone")
	}
	phone := newSoftphone(t, newSite(t), "you", 900, "<sip:201@"+domain[1]+">;auth_user=201;auth_pass=you-demo;regint=60;answermode=auto")
	phone.wait("is there", "REGISTER_OK")
	some("the newcomer has a call", "/agents", func(x map[string]any) bool { return x["id"] == "you" && x["status"] == "talking" })
	b.see(".call")
	b.wantQuiet("the desk of a newcomer")

	some("a robot is on a break", "/agents", func(x map[string]any) bool { return x["status"] == "on_break" })
	if err := d.cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	select {
	case <-d.gone:
	case <-time.After(4 * patience):
		t.Fatal("it does not end")
	}
	if !d.cmd.ProcessState.Success() {
		t.Errorf("it ended with %v", d.cmd.ProcessState)
	}
	if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
		t.Errorf("it left %v, %v", left, err)
	}
}

// waitLong is eventually for what people, or robots like people, take their time for.
func waitLong(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.Now().Add(8 * patience)
	for !holds() {
		if time.Now().After(deadline) {
			t.Fatalf("did not happen: %s", what)
		}
		time.Sleep(100 * time.Millisecond)
	}
}
