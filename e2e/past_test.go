package e2e

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"
)

// pastSite has opening hours, a group that overflows into another, and names with markup.
const pastSite = `
agents:
  anna: {name: "Anna <b id=x>Nowak</b>", extension: "101", sip_password: anna-secret-1, role: director}
  bartek: {name: Bartek Lis, extension: "102", sip_password: bartek-secret-1}
groups:
  sales: {name: "Sales <i id=x>& more</i>", agents: [anna], distribution: in_order, rings: 2, wrap_up: 0s, hold_music: calm, no_answer: [{action: group, to: support}], dispositions: [sale]}
  support: {name: Support, agents: [bartek], distribution: in_order, rings: 1, hold_music: calm, no_answer: [{action: hangup}]}
trunks: {carrier: {from: [CARRIER]}}
numbers:
  "+48 22 123 45 67": {trunk: carrier, group: sales}
  "+48 22 123 45 68": {trunk: carrier, group: sales, hours: office}
hours:
  office: {timezone: Europe/Warsaw, open: {mon-fri: "09:00-17:00"}}
hold_music:
  calm: {files: [calm.wav]}
`

// refused calls a number from the carrier's address, and waits until that is refused.
func (v *server) refused(from, to string) {
	v.t.Helper()
	line, err := net.DialUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(v.site.carrierHost(), 0)), net.UDPAddrFromAddrPort(v.sip))
	if err != nil {
		v.t.Fatal(err)
	}
	defer func() { _ = line.Close() }()
	request := func(method, party string) string {
		return fmt.Sprintf("%s sip:%s@%s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bK%s\r\nMax-Forwards: 70\r\nFrom: <sip:%s@carrier.test>;tag=a\r\nTo: %s\r\n"+
			"Call-ID: %s\r\nCSeq: 1 %s\r\nContact: <sip:%s@%s>\r\nContent-Length: 0\r\n\r\n",
			method, to, v.sip, line.LocalAddr(), from, from, party, from, method, from, line.LocalAddr())
	}
	_ = line.SetDeadline(time.Now().Add(patience))
	if _, err := line.Write([]byte(request("INVITE", "<sip:"+to+"@centrala.test>"))); err != nil {
		v.t.Fatal(err)
	}
	for answer := make([]byte, 4096); ; {
		n, err := line.Read(answer)
		if err != nil {
			v.t.Fatal(err)
		}
		if text := string(answer[:n]); !strings.HasPrefix(text, "SIP/2.0 1") {
			if _, err := line.Write([]byte(request("ACK", headerOf(text, "To")))); err != nil {
				v.t.Fatal(err)
			}
			return
		}
	}
}

// past is a browser, and the API beside it, that look back.
type past struct {
	*browser
	api   *desk
	phone *softphone
}

// attributes are those of all elements that there are, in order.
func (p *past) attributes(css, name string) (list []string) {
	p.t.Helper()
	for _, x := range p.do("run", step{Text: fmt.Sprintf("[...document.querySelectorAll(%q)].map(e => e.getAttribute(%q))", css, name)}).([]any) {
		list = append(list, fmt.Sprint(x))
	}
	return list
}

// waitCount waits until there are so many.
func (p *past) waitCount(css string, n int) {
	p.t.Helper()
	p.do("until", step{Text: fmt.Sprintf("document.querySelectorAll(%q).length === %d && !document.querySelector('[aria-busy=true]')", css, n)})
}

// set changes a field of a form by its label.
func (p *past) set(label, value string) {
	p.t.Helper()
	p.do("select", step{Role: "combobox", Name: label, Text: value})
}

// get asks the API as the browser's user.
func (p *past) get(path string) map[string]any {
	p.t.Helper()
	return p.api.do("GET", path, nil, 200)
}

// What has been is looked at by real calls: the list and its filters, the page of a call with its story, messages and
// notes, who is to be called back, reports and their CSV, and what would become of a call.
func TestConsolePast(t *testing.T) {
	v, web := newConsole(t, newSite(t), pastSite, "anna", "bartek")
	phone := v.softphone("anna", "anna-secret-1", "udp", "manual", 900)
	v.waitAgents("sales", "available", 1)
	p := &past{browser: newBrowser(t, web), api: newDesk(t, web), phone: phone}
	p.api.do("POST", "/session", map[string]string{"name": "anna", "password": consolePassword}, 200)

	// One call is answered, held and written about, one is given up; then more than a page of calls to nobody.
	c := v.call("+48600100200", "+48221234567", 500)
	phone.wait("rings", "CALL_INCOMING")
	phone.accept()
	c.waitTone("the caller hears the agent", 900, 500*time.Millisecond)
	id := ids(p.api.waitList("/interactions", 1))[0]
	p.api.do("POST", "/interactions/"+id+"/hold", nil, 200)
	c.waitTone("the caller hears music", calmHertz, 500*time.Millisecond)
	p.api.do("POST", "/interactions/"+id+"/resume", nil, 200)
	c.waitTone("the caller hears the agent again", 900, 500*time.Millisecond)
	p.api.do("POST", "/interactions/"+id+"/disposition", map[string]string{"code": "sale", "note": "wants <b id=x>two</b>"}, 200)
	c.hangUp()
	c.waitOver()
	phone.wait("is hung up on", "CALL_CLOSED")
	c = v.call("+48600100201", "+48221234567", 500)
	phone.waitNth("rings", "CALL_INCOMING", 2)
	c.hangUp()
	c.waitOver()
	for i := range 52 {
		v.refused(fmt.Sprintf("+486005000%02d", i), "+48221239999")
	}
	eventually(t, "all is written down", func() bool {
		return len(p.api.list("/history?limit=500")) == 54 && len(p.api.list("/history?limit=500&end=rejected")) == 52 && len(p.api.list("/history?missed=true&end=abandoned_ringing")) == 1
	})

	t.Run("history", func(t *testing.T) { p.t, p.api.t = t, t; p.testHistory(id) })
	t.Run("call", func(t *testing.T) { p.t, p.api.t = t, t; p.testCall(id) })
	t.Run("missed", func(t *testing.T) { p.t, p.api.t = t, t; p.testMissed() })
	t.Run("reports", func(t *testing.T) { p.t, p.api.t = t, t; p.testReports() })
	t.Run("path", func(t *testing.T) { p.t, p.api.t = t, t; p.testPath() })
	t.Run("narrow", func(t *testing.T) { p.t, p.api.t = t, t; p.testNarrow(id) })
	t.Run("own", func(t *testing.T) { p.t, p.api.t = t, t; p.testOwn() })
}

func (p *past) testHistory(answered string) {
	p.open("#/history")
	p.signIn("anna", consolePassword)
	p.see("[data-past]")
	p.waitCount("[data-past]", 50)
	p.wantClean("history")
	p.set("Period", "own")
	p.fill("label:has-text('First day') input", "0002-11-22") // the year is being typed
	p.do("until", step{Text: "document.querySelector('input[type=date]').value === '0002-11-22'"})
	p.wantQuiet("a year that is being typed")
	p.set("Period", "week")
	p.press("Show more")
	p.waitCount("[data-past]", 54)
	if got, want := p.attributes("[data-past]", "data-past"), ids(p.api.list("/history?limit=500")); !slices.Equal(got, want) {
		p.t.Errorf("the page has %q, the API %q", got, want)
	}
	p.seeText(".list", "Sales <i id=x>& more</i>")
	p.seeText(".list", "Anna <b id=x>Nowak</b>")
	p.fill("input[type=search]", "600 100 201")
	p.press("Search")
	p.waitCount("[data-past]", 1)
	p.fill("input[type=search]", "0200")
	p.do("press", step{Text: "Enter"})
	p.waitCount(fmt.Sprintf("[data-past='%s']", answered), 1)
	p.fill("input[type=search]", "999999")
	p.press("Search")
	p.seeText(".empty", "Nothing was found.")
	p.wantClean("nothing found")
	p.fill("input[type=search]", "1")
	p.press("Search")
	p.seeText("[role=alert]", "That cannot be asked like this.")
	p.fill("input[type=search]", "")
	p.press("Search")
	p.do("click", step{Role: "checkbox", Name: "Missed only"})
	p.waitCount("[data-past]", 50) // with those to a number that is nobody's
	p.set("Group", "sales")
	p.waitCount("[data-past]", 1)
	p.do("click", step{Role: "checkbox", Name: "Missed only"})
	p.waitCount("[data-past]", 2)
	p.set("Outcome", "abandoned_ringing")
	p.waitCount("[data-past]", 1)
	p.set("Outcome", "")
	p.set("Agent", "anna")
	p.waitCount("[data-past]", 1)
	p.set("Agent", "")
	p.click("details > summary")
	p.wantClean("all filters")
	p.set("Called", "+48221234568")
	p.waitCount("[data-past]", 0)
	p.press("Clear all filters")
	p.waitCount("[data-past]", 50)
	p.set("Period", "yesterday")
	p.waitCount("[data-past]", 0)
	p.set("Period", "today")
	p.set("Group", "sales")
	p.waitCount("[data-past]", 2)

	// By keyboard to the older one.
	p.do("run", step{Text: "document.querySelector('a.line').focus()"})
	p.do("press", step{Text: "ArrowDown"})
	p.do("press", step{Text: "Enter"})
	p.see(".story")
	if at := p.do("run", step{Text: "location.hash"}); at != "#/history/"+answered {
		p.t.Errorf("at %v", at)
	}
}

func (p *past) testCall(id string) {
	p.open("#/history/" + id)
	p.see(".story")
	p.wantClean("a call")
	facts := p.get("/history/" + id)
	var told []string
	for _, x := range facts["steps"].([]any) {
		told = append(told, x.(map[string]any)["told"].(map[string]any)["code"].(string))
	}
	if got := p.attributes("[data-step]", "data-step"); !slices.Equal(got, told) || !slices.Contains(told, "held") || !slices.Contains(told, "outcome_answered") {
		p.t.Errorf("the page tells %q, the API %q", got, told)
	}
	p.seeText(".story", "Offered to Anna <b id=x>Nowak</b>")
	p.seeText(".story", "In order of the list · place 1 · round 1 · free: 1")
	p.seeText("blockquote", "wants <b id=x>two</b>")
	p.seeText(".rows", "Sale")
	p.seeText(".story", "noted: Sale")
	p.seeText(".rows", "held 1 time")
	p.seeText(".audio", "Good")
	if n := p.do("count", step{CSS: "#x"}); n != 0.0 {
		p.t.Errorf("names became %v elements", n)
	}
	messages := p.get("/history/" + id + "/trace")["messages"].([]any)
	p.press("Show")
	p.waitCount(".rung", len(messages))
	p.seeText(".ladder", "INVITE sip:+48221234567@")
	p.wantClean("messages")
	p.do("run", step{Text: "document.querySelector('.ladder summary').focus()"})
	p.do("press", step{Text: "Enter"})
	p.seeText(".ladder pre", "From: ")
	for language, word := range map[string]string{"pl": "Zaoferowano: Anna", "ru": "Предложено: Anna"} {
		p.do("run", step{Text: fmt.Sprintf(`localStorage.setItem('centrala.language', '"%s"'), null`, language)})
		p.do("reload", step{})
		p.seeText(".story", word)
	}
	p.do("run", step{Text: `localStorage.setItem('centrala.language', '"en"'), null`})
	p.do("reload", step{})
	p.open("#/history/99999999")
	p.seeText("[role=alert]", "It is no longer there.")
	p.wantClean("no such call")
}

func (p *past) testMissed() {
	p.open("#/history/missed")
	p.see("[data-missed]")
	p.set("Group", "sales")
	p.waitCount("[data-missed]", 1)
	p.seeText("[data-missed]", "Nobody has called back yet")
	p.wantClean("to call back")
	p.press("Call back +48600100201") // by her own phone, which rings first
	p.seeText(".toast", "Your phone rings")
	p.phone.waitNth("rings for a call of its own", "CALL_INCOMING", 3)
	p.phone.hangUp()
	p.phone.waitNth("is free", "CALL_CLOSED", 3)
}

// report is one of the API, as far as it is compared.
type report struct {
	Definitions []struct{ Name string }
	Lines       []reportLine
	Total       reportLine
}

type reportLine struct {
	Key     map[string]string
	Figures map[string]struct{ Value *float64 }
}

func (p *past) report(path string) (r report) {
	p.t.Helper()
	data, err := json.Marshal(p.get(path))
	if err != nil {
		p.t.Fatal(err)
	}
	if err := json.Unmarshal(data, &r); err != nil {
		p.t.Fatal(err)
	}
	return r
}

// value is a figure as the page keeps it.
func (l reportLine) value(figure string) string {
	if v := l.Figures[figure].Value; v != nil {
		return fmt.Sprint(*v)
	}
	return "null"
}

func (p *past) testReports() {
	p.open("#/reports")
	p.see("[data-line]")
	p.wantClean("reports")
	want, seen := p.report("/reports/groups"), map[string]bool{}
	for _, set := range p.do("texts", step{CSS: ".tabs button"}).([]any) {
		p.press(set.(string))
		for i, name := range p.attributes("[data-figure]", "data-figure") {
			seen[name] = true
			if got := p.attributes("[data-figure] .value", "data-value")[i]; got != want.Total.value(name) {
				p.t.Errorf("%s: %s in all, the API says %s", name, got, want.Total.value(name))
			}
			for _, l := range want.Lines {
				if got := p.attributes(fmt.Sprintf("[data-line='%s'] [data-of='%s']", l.Key["group"], name), "data-value"); !slices.Equal(got, []string{l.value(name)}) {
					p.t.Errorf("%s of %s: %s, the API says %s", name, l.Key["group"], got, l.value(name))
				}
			}
		}
		if n := p.do("run", step{Text: "[...document.querySelectorAll('.formula')].filter(e => e.innerText.length < 8).length"}); n != 0.0 {
			p.t.Errorf("%v figures of %v have no definition", n, set)
		}
	}
	for _, d := range want.Definitions {
		if !seen[d.Name] {
			p.t.Errorf("%s is not shown", d.Name)
		}
	}
	p.press("Waiting")
	p.do("select", step{Role: "combobox", Name: "Chart", Text: "answered"})
	p.wantDrawn()
	p.do("run", step{Text: "document.querySelector('#report-table th button').focus()"})
	p.do("until", step{Text: "getComputedStyle(document.querySelector('#report-table th [role=tooltip]')).display === 'block'"})
	p.wantClean("a definition")
	p.click("details > summary")
	p.do("fill", step{Role: "spinbutton", Name: "Answered within, seconds", Text: "3600"})
	p.do("press", step{Text: "Tab"})
	p.do("select", step{Role: "combobox", Name: "Who hung up in time", Text: "ignored"})
	p.do("fill", step{Role: "spinbutton", Name: "Short, below seconds", Text: "0"})
	p.do("press", step{Text: "Tab"})
	level := p.report("/reports/groups?within=3600&abandons=ignored").Total
	if level.value("service_level") != "1" {
		p.t.Errorf("a service level of %s", level.value("service_level"))
	}
	p.do("until", step{Text: "document.querySelector('[data-figure=service_level] .value').dataset.value === '1'"})
	p.wantClean("another service level")
	p.do("fill", step{Role: "spinbutton", Name: "Answered within, seconds", Text: ""})
	p.do("press", step{Text: "Tab"})
	for _, by := range []string{"agent", "number", "trunk", "channel", "hour", "weekday", "day"} {
		p.set("Lines by", by)
		p.waitCount("[data-line]", len(p.report("/reports/"+by+"s?timezone=Europe/Warsaw").Lines))
	}
	p.testExport()
}

// wantDrawn waits until the chart is drawn, and drawn anew in the colours of the dark.
func (p *past) wantDrawn() {
	p.t.Helper()
	const colours = `(() => {
		const c = document.querySelector('.chart canvas');
		if (!c || !c.width) return 0;
		const all = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
		let sum = 0, painted = 0;
		for (let i = 0; i < all.length; i += 4) if (all[i + 3] > 200) { painted++; sum += all[i] * 65536 + all[i + 1] * 256 + all[i + 2]; }
		return painted > 500 ? Math.round(sum / painted) : 0;
	})()`
	p.do("until", step{Text: colours + " > 0"})
	light := p.do("run", step{Text: colours}).(float64)
	p.do("scheme", step{Text: "dark"})
	p.do("until", step{Text: fmt.Sprintf("![0, %d].includes(%s)", int(light), colours)})
	p.wantClean("reports in the dark")
	p.do("scheme", step{Text: "light"})
}

// testExport takes both exports by the links of the page, and compares them with the API.
func (p *past) testExport() {
	take := func(link string) [][]string {
		p.t.Helper()
		p.see(link)
		text := p.do("run", step{Text: fmt.Sprintf(`fetch(document.querySelector(%q).href).then(a => a.arrayBuffer()).then(b => new TextDecoder('utf-8', {ignoreBOM: true}).decode(b))`, link)}).(string)
		text, marked := strings.CutPrefix(text, "\ufeff")
		rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
		if err != nil || !marked {
			p.t.Fatalf("%v in %q", err, text)
		}
		return rows
	}
	p.set("Lines by", "group")
	p.waitCount("[data-line]", 1)
	rows, want := take("a[download='report-group.csv']"), p.report("/reports/groups")
	if len(rows) != len(want.Lines)+2 || rows[1][0] != "sales" {
		p.t.Fatalf("%q", rows)
	}
	for i, name := range rows[0][1:] {
		got := rows[1][i+1]
		if got == "" {
			got = "null"
		}
		if got != want.Lines[0].value(name) {
			p.t.Errorf("%s: %s, the API says %s", name, got, want.Lines[0].value(name))
		}
	}
	p.open("#/history")
	p.see("[data-past]")
	rows = take("a[download='history.csv']")
	list := p.api.list("/history?limit=500")
	if len(rows) != len(list)+1 {
		p.t.Fatalf("%d lines, the API has %d", len(rows)-1, len(list))
	}
	caller := slices.Index(rows[0], "caller")
	for i, x := range list {
		if rows[i+1][0] != x["id"] || rows[i+1][caller] != "'"+x["caller"].(map[string]any)["number"].(string) {
			p.t.Errorf("%q is not %v", rows[i+1], x)
		}
	}
	var did []string
	for _, x := range p.api.list("/audit") {
		did = append(did, fmt.Sprint(x["what"]))
	}
	for _, what := range []string{"export-report-groups", "export-history"} {
		if !slices.Contains(did, what) {
			p.t.Errorf("the audit log has no %s: %q", what, did)
		}
	}
}

func (p *past) testPath() {
	p.open("#/path")
	p.see("form")
	p.set("Number called", "+48221234568")
	ask := func(date, time string, want ...string) {
		p.t.Helper()
		p.fill("input[type=date]", date)
		p.fill("input[type=time]", time)
		p.press("Show the path")
		p.seeText("#path", time)
		p.do("until", step{Text: fmt.Sprintf("JSON.stringify([...document.querySelectorAll('[data-stop]')].map(e => e.dataset.stop)) === %q", `["`+strings.Join(want, `","`)+`"]`)})
	}
	ask("2026-12-06", "12:00", "number", "hours", "end") // a Sunday
	p.seeText("[data-stop=hours]", "Outside the hours “office”")
	p.wantClean("outside the hours")
	p.fill("input[type=date]", "0002-12-06") // is not asked
	p.press("Show the path")
	p.fill("input[type=tel]", "nobody's")
	p.fill("input[type=date]", "2026-12-07")
	p.press("Show the path")
	p.seeText("#path", "Call path")
	p.seeText("[role=alert]", "That cannot be asked like this")
	p.fill("input[type=tel]", "")
	ask("2026-12-07", "09:00", "number", "hours", "group", "action", "group", "action", "end")
	p.seeText("[data-stop=group]", "Anna <b id=x>Nowak</b>")
	p.seeText("[data-stop=group]", "no answer")
	p.seeText("[data-stop=action]", "on to another group")
	p.wantClean("a path")
	ask("2026-12-07", "08:59", "number", "hours", "end")
	if e := p.get("/explain?to=%2B48221234568&at=2026-12-07T07:59:00Z"); e["open"] != false {
		p.t.Errorf("%v", e)
	}
	p.click("details > summary")
	p.do("click", step{Role: "checkbox", Name: "Bartek Lis"})
	ask("2026-12-07", "10:00", "number", "hours", "group", "action", "group", "action", "end")
	p.seeText("[data-stop=action]", "Offline: 1")
	if n := p.do("count", step{CSS: "#x"}); n != 0.0 {
		p.t.Errorf("names became %v elements", n)
	}
}

// testNarrow: on a telephone nothing is cut off, in any language.
func (p *past) testNarrow(id string) {
	p.do("size", step{Width: 390, Height: 800})
	for _, language := range []string{"pl", "ru", "en"} {
		p.do("run", step{Text: fmt.Sprintf(`localStorage.setItem('centrala.language', '"%s"'), null`, language)})
		p.do("reload", step{})
		for _, screen := range [][2]string{{"history", "[data-past]"}, {"history/missed", "[data-missed]"}, {"history/" + id, ".story"}, {"reports", ".chart canvas"}, {"path", "form"}} {
			p.open("#/" + screen[0])
			p.see(screen[1])
			if screen[0] == "path" {
				p.click("form button.main")
				p.see("[data-stop=end]")
			}
			for _, x := range p.do("clipped", step{}).([]any) {
				p.t.Errorf("%s in %s: cut off: %v", screen[0], language, x)
			}
			if rows := p.do("run", step{Text: "new Set([...document.querySelectorAll('.top nav a')].map(a => a.offsetTop)).size"}); rows != 1.0 {
				p.t.Errorf("%s in %s: the names of the screens are in %v rows", screen[0], language, rows)
			}
		}
		p.wantClean("narrow, " + language)
	}
	p.do("size", step{Width: 1280, Height: 800})
}

// testOwn: who reaches no further than themself sees what they did, and takes nothing away.
func (p *past) testOwn() {
	p.press("anna: language, appearance, sign out")
	p.choose("Sign out")
	p.see(".login")
	p.open("#/history")
	p.signIn("bartek", consolePassword)
	p.seeText(".empty", "Nothing was found.")
	if got := fmt.Sprint(p.do("texts", step{CSS: ".top nav a"})); got != "[Desk Wallboard History Reports]" {
		p.t.Errorf("the screens are %s", got)
	}
	if n := p.do("count", step{CSS: "a[download]"}); n != 0.0 {
		p.t.Error("there is an export")
	}
	p.open("#/reports")
	p.seeText(".past-head", "Your own figures.")
	p.wantClean("own reports")
}
