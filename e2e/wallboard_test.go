package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// boardSite has more groups than a television shows at once, and names that a page must show as text.
const boardSite = `
agents:
  anna: {name: "Anna <b id=x>Nowak</b>", extension: "101", sip_password: anna-secret-1, role: director}
  bartek: {name: Bartek Lis, extension: "102", sip_password: bartek-secret-1}
  celina: {name: Celina Mazur, extension: "103", sip_password: celina-secret-1}
groups:
  sales: {name: "Sales <i id=x>& more</i>", agents: [anna], distribution: in_order, rings: 20, pickup: true}
  support: {name: Support, agents: [celina], pickup: true, wallboard: {late: 1s, too_late: 1h}}
  g3: {name: Third, agents: [bartek]}
  g4: {name: Fourth, agents: [bartek]}
  g5: {name: Fifth, agents: [bartek]}
  g6: {name: Sixth, agents: [bartek]}
  g7: {name: Seventh, agents: [bartek]}
trunks: {carrier: {from: [CARRIER]}}
numbers:
  "+48 22 123 45 67": {trunk: carrier, group: sales}
  "+48 22 123 45 68": {trunk: carrier, group: support}
work_time: {tracked: false, breaks: [lunch]}
`

// gate is what is between the browser and the server, and can be shut.
type gate struct {
	*httptest.Server
	shut  atomic.Int32 // gateOpen and so on
	lives atomic.Int32 // live streams that go through it
}

const (
	gateOpen      int32 = iota
	gateNoStreams       // questions go through, streams do not
	gateClosed
)

func newGate(t *testing.T, web string) *gate {
	t.Helper()
	g := &gate{}
	proxy := &httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(&url.URL{Scheme: "http", Host: web}); r.Out.Host = r.In.Host },
		FlushInterval: -1,
		ErrorHandler:  func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
	}
	g.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		live := r.URL.Path == "/api/v1/live"
		if shut := g.shut.Load(); shut == gateClosed || live && shut == gateNoStreams {
			panic(http.ErrAbortHandler) // as a network that is not there
		}
		if live {
			g.lives.Add(1)
			defer g.lives.Add(-1)
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(g.Close)
	return g
}

// set shuts or opens the gate, and cuts what goes through it.
func (g *gate) set(how int32) {
	g.shut.Store(how)
	g.CloseClientConnections()
}

// watchBoard has the page note how long after it happened it shows a caller who came, or an agent's new
// state, in milliseconds by the one clock of this machine; and how long it was busy at a stretch.
const watchBoard = `(() => {
  const lags = globalThis.lags = [], long = globalThis.long = [], seen = new Set();
  const ago = row => Date.now() - Date.parse(row.querySelector('time').dateTime);
  new PerformanceObserver(l => { for (const e of l.getEntries()) long.push(Math.round(e.duration)); }).observe({ entryTypes: ['longtask'] });
  for (const row of document.querySelectorAll('[data-interaction]')) seen.add(row.dataset.interaction);
  new MutationObserver(list => {
    for (const m of list) {
      if (m.type === 'attributes') lags.push(ago(m.target));
      for (const n of m.addedNodes) {
        for (const row of n.nodeType === 1 ? [n, ...n.querySelectorAll('[data-interaction]')] : []) {
          if (!row.dataset.interaction || seen.has(row.dataset.interaction)) continue;
          seen.add(row.dataset.interaction);
          lags.push(ago(row));
        }
      }
    }
  }).observe(document.querySelector('main'), { subtree: true, childList: true, attributeFilter: ['data-status'] });
  globalThis.seenCallers = seen;
  return null;
})()`

// lags are what the page noted, sorted.
func (b *browser) lags() []float64 {
	b.t.Helper()
	return numbers(b.do("run", step{Text: "globalThis.lags"}))
}

func numbers(v any) (list []float64) {
	for _, x := range v.([]any) {
		list = append(list, x.(float64))
	}
	slices.Sort(list)
	return list
}

// callers has sipp place n calls to a number, so many a second, each of a length.
func (v *server) callers(number string, rate, n int, length time.Duration) (wait func()) {
	v.t.Helper()
	host, dir := v.site.carrierHost().String(), v.t.TempDir()
	ports := filepath.Join(dir, "ports.csv")
	if err := os.WriteFile(ports, []byte("SEQUENTIAL\n9\n"), 0o600); err != nil {
		v.t.Fatal(err)
	}
	command := exec.Command(needPeer(v.t, "sipp"), "-sf", "callbench/caller.xml", "-inf", ports, "-i", host, "-p", fmt.Sprint(peerPort), "-s", number,
		"-r", fmt.Sprint(rate), "-m", fmt.Sprint(n), "-l", fmt.Sprint(2*n), "-d", fmt.Sprint(length.Milliseconds()), "-nostdin", v.sip.String())
	var out strings.Builder
	command.Stdout, command.Stderr = &out, &out
	if err := start(command); err != nil {
		v.t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	v.t.Cleanup(func() { _ = command.Process.Kill() })
	return func() {
		v.t.Helper()
		if err := <-ended; err != nil {
			v.t.Errorf("sipp: %v\n%s", err, out.String())
		}
	}
}

// shownBoard is what the page shows, in the order of wantBoard.
const shownBoard = `JSON.stringify([
  [...document.querySelectorAll('[data-interaction]')].map(e => e.dataset.interaction + ' ' + e.querySelector('.place').innerText).sort(),
  [...document.querySelectorAll('[data-agent]')].map(e => e.dataset.agent + ' ' + e.dataset.status).sort(),
  [...document.querySelectorAll('.tile')].map(e => e.dataset.group + ' ' + e.querySelector('[data-waiting]').innerText)])`

// wantBoard waits until the page shows what the API says.
func (b *browser) wantBoard(api *desk, what string) {
	b.t.Helper()
	eventually(b.t, what+": the page shows what the API says", func() bool {
		calls, agents, groups, waits := []string{}, []string{}, []string{}, map[string]int{}
		for _, i := range api.list("/interactions?limit=500") {
			if i["phase"] == "queued" || i["phase"] == "offered" {
				place := i["position"]
				if place == nil {
					place = "\u2013"
				}
				calls = append(calls, fmt.Sprint(i["id"], " ", place))
				waits[fmt.Sprint(i["group"])]++
			}
		}
		for _, a := range api.list("/agents?limit=500") {
			agents = append(agents, fmt.Sprint(a["id"], " ", a["status"]))
		}
		for _, g := range api.list("/groups?limit=500") {
			groups = append(groups, fmt.Sprint(g["id"], " ", waits[fmt.Sprint(g["id"])]))
		}
		slices.Sort(calls)
		slices.Sort(agents)
		want, err := json.Marshal([][]string{calls, agents, groups})
		return err == nil && string(want) == b.do("run", step{Text: shownBoard})
	})
}

// The wallboard follows the core under a stream of calls, says so when it is cut off from the server, and
// comes back to what is; all tabs of a browser share one stream; a supervisor picks up from it; and a
// television gets large figures of groups that take turns.
func TestWallboard(t *testing.T) {
	t.Parallel()
	v, web := newConsole(t, newSite(t), boardSite, "anna")
	phone := v.softphone("anna", "anna-secret-1", "udp", "manual", 900)
	v.waitAgents("sales", "available", 1)
	api := newDesk(t, web)
	api.do("POST", "/session", map[string]string{"name": "anna", "password": consolePassword}, 200)
	api.do("POST", "/agents/anna/duty", map[string]any{"duty": "break", "reason": "lunch"}, 200)
	g := newGate(t, web)
	b := newBrowser(t, strings.TrimPrefix(g.URL, "http://"))
	b.open("#/wallboard")
	b.signIn("anna", consolePassword)
	b.see("[data-freshness=live]")
	b.do("run", step{Text: watchBoard})

	// Calls to a group where nobody is: forty come, wait and hang up.
	wait := v.callers("+48221234568", 10, 40, 3*time.Second)
	b.seeText(".why", "Offline: 1")
	wait()
	b.do("until", step{Text: "globalThis.seenCallers.size >= 40"})
	b.seeText("[data-group=support] [data-abandoned]", "40")
	b.seeText("[data-group=support] .formula", "0 of 40 answered within 20 s")
	b.wantBoard(api, "after the calls")
	lags := b.lags()
	t.Logf("shown after %v ms at most, half of them within %v ms", lags[len(lags)-1], lags[len(lags)/2])
	if lags[len(lags)/2] > 5000 {
		t.Errorf("half of what happens is shown later than %v ms after it: nothing tells the page of it", lags[len(lags)/2])
	}

	// Without the stream it asks; without the server it says how old it is.
	first := v.call("+48600100200", "+48221234568", 500)
	g.set(gateNoStreams)
	b.see("[data-freshness=asking]")
	second := v.call("+48600100201", "+48221234568", 501)
	api.waitList("/interactions", 2)
	b.wantBoard(api, "asking")
	g.set(gateClosed)
	b.see("[data-freshness=lost]")
	b.seeText(".lost", "cannot be reached")
	third := v.call("+48600100202", "+48221234567", 502)
	api.waitList("/interactions", 3)
	g.set(gateOpen)
	b.see("[data-freshness=live]")
	b.wantBoard(api, "back again")
	b.wantClean("wallboard")

	// Anna comes back from her break, and picks up the one that rings at hers.
	mine := ids(api.list("/interactions?group=sales"))[0]
	b.seeText("[data-group=support] .verdict", "Late") // as is declared for it
	b.do("run", step{Text: "localStorage.setItem('centrala.too-late', '1'), null"})
	b.do("reload", step{})
	b.seeText("[data-group=support] .verdict", "Far too late") // as the viewer would have it
	b.click("[data-agent=anna] .menu > button")
	b.choose("Ready")
	phone.wait("rings", "CALL_INCOMING")
	b.press("Decline")
	b.gone("[role=alertdialog]")
	b.seeText("[data-interaction='"+mine+"'] .why", "Anna <b id=x>Nowak</b> declined")
	b.click("[data-interaction='" + mine + "'] .menu > button")
	b.choose("Pick up")
	phone.waitNth("rings", "CALL_INCOMING", 2)
	phone.accept()
	b.do("until", step{Text: "document.querySelector('[data-agent=anna]').dataset.status === 'talking'"})
	b.wantBoard(api, "picked up")

	// A second tab needs no second stream.
	b.do("tab", step{Number: 1})
	b.open("#/wallboard")
	b.see("[data-freshness=live]")
	if n := g.lives.Load(); n != 1 {
		t.Errorf("two tabs have %d streams", n)
	}
	first.hangUp()
	first.waitOver()
	b.wantBoard(api, "in another tab")

	// On a television the groups take turns, as many at once as there is room for, and nobody can read who calls.
	b.open("?tv=1")
	b.see(".tv[data-page='0']")
	b.seeText(".tv .screens", "Sales <i id=x>& more</i>")
	b.wantClean("television")
	for _, of := range []step{{Width: 1920, Height: 1080}, {Width: 1366, Height: 768}, {Width: 1280, Height: 720}} {
		b.do("size", of)
		b.do("until", step{Text: `document.documentElement.scrollHeight <= innerHeight && document.querySelectorAll('.screen').length > 1`})
	}
	b.seeText(".tv .screens", "Seventh")
	if n := b.do("count", step{CSS: "#x"}); n != 0.0 {
		t.Errorf("names became %v elements", n)
	}
	if n := b.do("run", step{Text: "document.body.innerText.includes('600100201')"}); n != false {
		t.Error("the television shows numbers of callers")
	}
	for _, c := range []*caller{second, third} {
		c.hangUp()
		c.waitOver()
	}
}
