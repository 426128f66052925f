package e2e

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var (
	boardFigures = flag.Bool("figures", false, "measure the wallboard with 200 agents and 500 who wait")
	openConsoles = flag.Int("consoles", 0, "with so many open consoles beside it, up to 200; each has to sign in first, which takes minutes")
)

// figuresSite is 200 agents whose phones answer at once at one address, and callers who need what none of them can, so
// that they wait where all of them see it.
func figuresSite(phones string) string {
	var agents strings.Builder
	names := make([]string, 200)
	for i := range names {
		names[i] = fmt.Sprintf("a%d", i)
		fmt.Fprintf(&agents, "  %s: {name: Agent %d, contact: \"sip:%s@%s\"}\n", names[i], i, names[i], phones)
	}
	return fmt.Sprintf(`
agents:
  expert: {name: The expert, skills: {klingon: 3}, sip_password: expert-secret-1}
%s
groups:
  served: {name: Served, agents: [%s], misses: 0, wrap_up: 1s, pickup: true}
  waits: {name: Waits, agents: [%s, expert], misses: 0, pickup: true}
trunks: {carrier: {from: [CARRIER]}}
numbers:
  "+48 22 123 45 67": {trunk: carrier, group: served}
  "+48 22 123 45 68": {trunk: carrier, group: waits, needs: {klingon: 3}}
work_time: {tracked: false}
hold_music:
  calm: {files: [calm.wav]}
`, agents.String(), strings.Join(names, ", "), strings.Join(names, ", "))
}

// cpu is the processor time that the server has used.
func (v *server) cpu() time.Duration {
	v.t.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", v.cmd.Process.Pid))
	if err != nil {
		v.t.Fatal(err)
	}
	f := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	user, _ := strconv.Atoi(f[11])
	system, _ := strconv.Atoi(f[12])
	return time.Duration(user+system) * 10 * time.Millisecond
}

// The wallboard where it is hard: 200 agents, 500 who wait, 20 calls a second; what the page shows how late, how long
// it is busy at a stretch, and what open consoles cost the server. For docs/benchmarks.md.
func TestWallboardFigures(t *testing.T) {
	if !*boardFigures {
		t.Skip("-figures measures")
	}
	site := newSite(t)
	phones := fmt.Sprintf("%v:%d", site.phoneHost(), peerPort)
	v, web := newConsole(t, site, figuresSite(phones))
	var name, once string
	first, err := os.ReadFile(filepath.Join(v.dir, "data", "first-sign-in.txt"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Sscanf(string(first), "name: %s\npassword: %s\n", &name, &once); err != nil {
		t.Fatal(err)
	}
	v.kill() // more ports for audio than the other tests need
	settings, err := os.ReadFile(filepath.Join(v.dir, "centrala.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	v.writeFile("centrala.yaml", regexp.MustCompile(`(?m)^rtp: .*$`).ReplaceAllString(string(settings), "rtp: 30000-39999"))
	v.run()
	host, _, _ := strings.Cut(phones, ":")
	phone := exec.Command(needPeer(t, "sipp"), "-sf", "callbench/phone.xml", "-i", host, "-p", fmt.Sprint(peerPort), "-nostdin", host)
	if err := start(phone); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = phone.Process.Kill(); _ = phone.Wait() })
	api := newDesk(t, web)
	api.do("POST", "/session", map[string]string{"name": name, "password": once}, 200)
	api.do("POST", "/session/password", map[string]string{"new": consolePassword}, 204)
	v.callers("+48221234568", 50, 500, 10*time.Minute)
	eventually(t, "500 wait", func() bool { return len(api.list("/interactions?group=waits&limit=500")) == 500 })
	v.callers("+48221234567", 20, 20*600, 2*time.Second)
	b := newBrowser(t, web)
	b.open("#/wallboard")
	b.signIn(name, consolePassword)
	b.see("[data-freshness=live]")
	b.do("until", step{Text: "document.querySelector('[data-group=waits] [data-waiting]').innerText === '500'"})
	v.callers("+48221234568", 5, 5*600, 3*time.Second) // who come and go at the end of the list
	look := func(what string) {
		b.do("run", step{Text: watchBoard})
		busy := b.durations()
		before, began := v.cpu(), time.Now()
		time.Sleep(20 * time.Second)
		cores := (v.cpu() - before).Seconds() / time.Since(began).Seconds()
		lags, long := b.lags(), numbers(b.do("run", step{Text: "globalThis.long"}))
		worked := b.durations()
		if len(lags) == 0 {
			t.Fatal("the page shows nothing new")
		}
		over := 0
		for _, ms := range long {
			if ms > 100 {
				over++
			}
		}
		t.Logf("%s: the page at work %.1f s: scripts %.1f, styles %.1f, layout %.1f", what, worked["TaskDuration"]-busy["TaskDuration"],
			worked["ScriptDuration"]-busy["ScriptDuration"], worked["RecalcStyleDuration"]-busy["RecalcStyleDuration"], worked["LayoutDuration"]-busy["LayoutDuration"])
		t.Logf("%s: server %.2f cores; %d changes shown after %v / %v / %v ms (p50 / p95 / most); %d long tasks, %d over 100 ms, the longest %v",
			what, cores, len(lags), lags[len(lags)/2], lags[len(lags)*95/100], lags[len(lags)-1], len(long), over, append([]float64{0}, long...)[len(long)])
	}
	look("one wallboard")
	if *openConsoles == 0 {
		return
	}
	open := signedIn(t, v, web, *openConsoles)
	open.open("?desk=true")
	look(fmt.Sprint(*openConsoles, " desks beside it"))
	open.close()
	open.open("?desk=true&board=true")
	look(fmt.Sprint(*openConsoles, " desks and wallboards beside it"))
	t.Logf("the consoles read %.1f MB/s", float64(open.read.Load())/1e6/20)
	open.close()
	cpu, began := v.cpu(), time.Now()
	b.open("#/desk")
	time.Sleep(20 * time.Second)
	t.Logf("nobody looks: server %.2f cores", (v.cpu()-cpu).Seconds()/time.Since(began).Seconds())
}

// durations are how long the page has been at what, in seconds.
func (b *browser) durations() map[string]float64 {
	b.t.Helper()
	all := map[string]float64{}
	for name, v := range b.do("metrics", step{}).(map[string]any) {
		all[name] = v.(float64)
	}
	return all
}

// consoles are agents with open consoles.
type consoles struct {
	t    *testing.T
	web  string
	list []*desk
	read atomic.Int64 // bytes
	ends []func()
}

// signedIn makes agents sign in, who have no phones of their own.
func signedIn(t *testing.T, v *server, web string, n int) *consoles {
	t.Helper()
	c := &consoles{t: t, web: web, list: make([]*desk, n)}
	var all sync.WaitGroup
	slots := make(chan struct{}, 4)
	for i := range n {
		all.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			passwd := exec.Command(os.Getenv(serverProgram), "agent", "passwd", fmt.Sprintf("a%d", i), "--config", filepath.Join(v.dir, "centrala.yaml"))
			passwd.Stdin = strings.NewReader(consolePassword + "\n")
			if out, err := passwd.CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
	all.Wait()
	for i := range n {
		c.list[i] = newDesk(t, web)
		for c.list[i].signIn(fmt.Sprintf("a%d", i)) == http.StatusTooManyRequests {
			time.Sleep(time.Second)
		}
	}
	return c
}

// signIn tries to sign in and returns the status.
func (d *desk) signIn(name string) int {
	p, err := d.http.Post(d.base+"/session", "application/json", strings.NewReader(fmt.Sprintf(`{"name":%q,"password":%q}`, name, consolePassword)))
	if err != nil {
		d.t.Fatal(err)
	}
	defer p.Body.Close()
	return p.StatusCode
}

// open opens all their live streams and reads them.
func (c *consoles) open(query string) {
	c.t.Helper()
	for _, d := range c.list {
		p, err := d.http.Get(d.base + "/live" + query)
		if err != nil || p.StatusCode != http.StatusOK {
			c.t.Fatalf("%v %v", err, p)
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			for r := bufio.NewReader(p.Body); ; {
				line, err := r.ReadSlice('\n')
				c.read.Add(int64(len(line)))
				if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
					return
				}
			}
		}()
		c.ends = append(c.ends, func() { _ = p.Body.Close(); <-done })
	}
	c.read.Store(0)
}

func (c *consoles) close() {
	for _, end := range c.ends {
		end()
	}
	c.ends = nil
}
