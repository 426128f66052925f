package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// consoleSite has names that a page must show as text, whatever is in them.
const consoleSite = `
agents:
  anna: {name: "Anna <b id=x>Nowak</b>", extension: "101", sip_password: anna-secret-1}
  bartek: {name: Bartek Lis, extension: "102", sip_password: bartek-secret-1}
  celina: {name: Celina Mazur, extension: "103", sip_password: celina-secret-1}
groups:
  sales: {name: "Sales <i id=x>& more</i>", agents: [anna, bartek], distribution: in_order, rings: 6, wrap_up: 30s, hold_music: calm, dispositions: [sale, call_back], disposition_required: true}
  support: {name: Support, agents: [celina], hold_music: jazz}
trunks: {carrier: {from: [CARRIER]}}
numbers:
  "+48 22 123 45 67": {trunk: carrier, group: sales}
  "+48 22 123 45 68": {trunk: carrier, group: support}
work_time: {tracked: false, breaks: [lunch, coffee]}
hold_music:
  calm: {files: [calm.wav]}
  jazz: {files: [jazz.wav]}
`

const consolePassword = "a password for the tests"

// newConsole starts a server with a web listener, whose users have the tests' password.
func newConsole(t *testing.T, s *site, queuegroups string, users ...string) (v *server, web string) {
	t.Helper()
	v = prepareServer(t, s, queuegroups)
	v.writeTone("calm.wav", calmHertz, 44100)
	v.writeTone("jazz.wav", jazzHertz, 8000)
	web = s.local(s.ports(2)).String()
	settings, err := os.ReadFile(filepath.Join(v.dir, "centrala.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	v.writeFile("centrala.yaml", strings.Replace(string(settings), "listen:\n", "listen:\n  web: http://"+web+"\n", 1))
	v.run()
	for _, user := range users {
		command := exec.Command(os.Getenv(serverProgram), "agent", "passwd", user, "--config", filepath.Join(v.dir, "centrala.yaml"))
		command.Stdin = strings.NewReader(consolePassword + "\n")
		if out, err := command.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	return v, web
}

// breakOff has answers about reports break off, as a network does that changes meanwhile.
const breakOff = `(() => {
	const before = fetch;
	globalThis.fetch = (path, ...more) => String(path).includes('/reports/')
		? Promise.resolve(new Response(new ReadableStream({ start(body) { body.error(new TypeError('network error')); } })))
		: before(path, ...more);
	return null;
})()`

// An agent with a telephone on the desk signs in, takes a break and comes back, is told of a call,
// answers it on the telephone, holds it and hangs up in the browser, and ends the time after it.
func TestConsoleDesk(t *testing.T) {
	v, web := newConsole(t, newSite(t), strings.Replace(consoleSite, "wrap_up: 30s", "wrap_up: 10m", 1), "anna")
	phone := v.softphone("anna", "anna-secret-1", "udp", "manual", 900)
	v.waitAgents("sales", "available", 1)
	b := newBrowser(t, web)
	b.open("")
	b.see(".login")
	b.wantClean("sign-in")
	b.signIn("anna", "not her password")
	b.seeText("[role=alert]", "Name or password is wrong.")
	// As a program for passwords does it: no key is pressed, and the form is sent at once.
	b.do("run", step{Text: fmt.Sprintf("(() => { const f = document.forms[0]; f.username.value = 'anna'; f.password.value = '%s'; f.requestSubmit() })()", consolePassword)})
	b.seeText(".word", "Available")
	b.wantClean("desk")
	b.seeText(".desk", "Sales <i id=x>& more</i>")

	b.press("Take a break")
	b.choose("lunch")
	b.seeText(".word", "On a break: lunch")
	v.waitAgents("sales", "on_break", 1)
	b.keys("Digit7", nil)
	v.waitAgents("sales", "available", 1)
	b.seeText(".word", "Available")

	api := newDesk(t, web)
	api.do("POST", "/session", map[string]string{"name": "anna", "password": consolePassword}, 200)
	c := v.call("+48600100200", "+48221234567", 500)
	phone.wait("rings", "CALL_INCOMING")
	b.see("[role=alertdialog]")
	b.seeText("[role=alertdialog]", "600100200")
	b.seeText("[role=alertdialog]", "Sales <i id=x>& more</i>")
	b.do("until", step{Text: "document.activeElement.getAttribute('role') === 'alertdialog'"})
	b.wantClean("offer")
	phone.accept()
	b.gone("[role=alertdialog]")
	b.seeText(".call .label", "On a call")
	c.waitTone("the caller hears the agent", 900, 500*time.Millisecond)
	b.wantClean("call")

	b.press("Hold")
	b.seeText(".call .label", "On hold, hears music")
	c.waitTone("the caller hears music", calmHertz, 500*time.Millisecond)
	b.do("reload", step{})
	b.seeText(".call .label", "On hold, hears music")
	b.keys("Digit3", map[string]any{"modifierAltGraph": true}) // types a letter in Polish
	b.keys("Digit3", map[string]any{"altKey": true})
	b.seeText(".call .label", "On hold, hears music")
	b.keys("Digit3", nil)
	b.seeText(".call .label", "On a call")
	c.waitTone("the caller hears the agent again", 900, 500*time.Millisecond)

	b.fill(".call textarea", "wants <b>two</b>")
	b.press("Break after this call")
	b.choose("lunch")
	b.seeText(".state", "Next: break")
	b.press("Stay ready")
	b.press("Hang up")
	c.waitOver()
	phone.wait("is hung up on", "CALL_CLOSED")
	b.see(".wrap-up")
	b.seeText(".word", "After the call")
	b.wantClean("after the call")
	b.press("One minute more")
	b.seeText(".wrap-up .timer", "10:")
	b.see(".wrap-up button.main:disabled") // what came of it is required
	b.see("#needed")
	if p := api.do("POST", "/agents/anna/wrap-up/end", nil, 409); p["code"] != "disposition_required" { // and not by the console alone
		t.Errorf("%v", p)
	}
	b.click(".code:first-of-type")
	b.gone("#needed")
	b.do("reload", step{}) // nothing is lost
	b.do("until", step{Text: `document.querySelector('.wrap-up textarea')?.value === 'wants <b>two</b>'`})
	b.do("until", step{Text: `document.querySelector('.code input')?.checked`})
	b.press("Done")
	b.gone(".wrap-up")
	b.seeText(".word", "Available")
	v.waitAgents("sales", "available", 1)
	b.seeText(".my-day", "Talking")
	if n := b.do("count", step{CSS: "#x"}); n != 0.0 {
		t.Errorf("names became %v elements", n)
	}

	eventually(t, "the record tells what came of the call", func() bool {
		list := api.list("/history?caller=%2B48600100200")
		talks := api.do("GET", fmt.Sprintf("/history/%v", list[0]["id"]), nil, 200)["talks"].([]any)
		return len(talks) == 1 && talks[0].(map[string]any)["disposition"] == "sale"
	})
	c = v.call("+48600100200", "+48221234567", 500)
	phone.waitNth("rings", "CALL_INCOMING", 2)
	phone.accept()
	b.seeText(".earlier", "Sale")
	b.seeText(".earlier", "wants <b>two</b>")
	c.hangUp()
	b.see(".wrap-up")
	b.do("run", step{Text: `localStorage.removeItem('centrala.drafts'), null`}) // as in another browser, which has not seen the call
	b.do("reload", step{})
	b.see(".wrap-up button.main:disabled")
	b.click(".code:first-of-type")
	b.press("Done")

	c = v.call("+48600100201", "+48221234567", 500)
	b.see("[role=alertdialog]")
	b.press("Decline")
	phone.waitNth("no longer rings", "CALL_CLOSED", 3)
	b.gone("[role=alertdialog]")
	c.hangUp()
	c.waitOver()
	b.seeText("[aria-labelledby=missed]", "+48600100201")
	b.press("Call back: A caller") // the phone on the desk rings first, and nobody is called who may not be
	b.seeText(".toast", "Your phone rings")
	phone.waitNth("rings for a call of its own", "CALL_INCOMING", 4)
	phone.hangUp()
	b.press("Call")
	b.fill("dialog input", "+44 20 7123 4567")
	b.wantClean("calling somebody")
	b.press("Call +442071234567")
	b.seeText(".toast", "You may not call that number")
	b.wantClean("the day in figures, missed calls")

	b.do("run", step{Text: breakOff})
	b.open("#/reports")
	b.seeText("[role=alert]", "The server cannot be reached.")
	b.wantQuiet("an answer that broke off")
	b.do("reload", step{})
	b.gone("[role=alert]")
	b.do("until", step{Text: `(f => f && getComputedStyle(f).fontWeight === '400')(document.querySelector('.formula'))`}) // the figures stand out, not what they are made of
	b.open("#/desk")
	b.do("until", step{Text: `(f => f && getComputedStyle(f).fontWeight === '400')(document.querySelector('.my-day dt'))`}) // as before the reports were looked at

	b.do("cut", step{Value: true})
	b.press("anna: language, appearance, sign out")
	b.choose("Sign out")
	b.seeText(".toast", "The server cannot be reached.") // and not as if it had been done
	b.do("cut", step{Value: false})
	b.do("complaints", step{}) // of addresses that could not be reached
	b.press("anna: language, appearance, sign out")
	b.choose("Sign out")
	b.see(".login")
	b.wantQuiet("the end")
}

// From the desk a call is handed over with and without a question first, parked and fetched.
func TestConsoleTransfer(t *testing.T) {
	v, web := newConsole(t, newSite(t), consoleSite, "anna")
	anna := v.softphone("anna", "anna-secret-1", "udp", "auto", 900)
	celina := v.softphone("celina", "celina-secret-1", "udp", "manual", 1300)
	v.waitAgents("sales", "available", 1)
	v.waitAgents("support", "available", 1)
	b := newBrowser(t, web)
	b.open("#/desk")
	b.signIn("anna", consolePassword)
	c := v.call("+48600100200", "+48221234567", 500)
	anna.wait("talks", "CALL_ESTABLISHED")
	b.seeText(".call .label", "On a call")

	b.press("Transfer")
	b.seeText("dialog", "Celina Mazur")
	b.seeText("dialog", "Free")
	b.wantClean("transfer")
	b.fill("dialog input", "cel")
	b.press("Ask first: Celina Mazur")
	b.gone("dialog")
	celina.wait("rings", "CALL_INCOMING")
	b.seeText(".call .label", "It rings at")
	celina.accept()
	b.seeText(".call .label", "You are asking")
	c.waitTone("the caller hears music", calmHertz, 500*time.Millisecond)
	b.wantClean("asking")
	b.press("Back to the caller")
	b.seeText(".call .label", "On a call")
	celina.wait("is let go", "CALL_CLOSED")
	c.waitTone("the caller hears the agent", 900, 500*time.Millisecond)

	b.press("Park")
	b.wantClean("parking")
	b.do("cut", step{Value: true})
	b.do("click", step{Role: "button", Name: "Park", Within: &step{CSS: "dialog"}})
	b.seeText(".toast", "The server cannot be reached.")
	b.do("click", step{Role: "button", Name: "Close", Within: &step{CSS: ".toast"}}) // the dialog lies under it
	b.do("cut", step{Value: false})
	b.do("complaints", step{}) // of addresses that could not be reached
	b.fill("dialog input", "7")
	b.do("click", step{Role: "button", Name: "Park", Within: &step{CSS: "dialog"}})
	b.seeText(".side", "Slot 7")
	b.click(".code:first-of-type")
	b.press("Done") // with the time after the call
	b.press("Fetch A caller")
	anna.waitNth("talks", "CALL_ESTABLISHED", 2)
	b.seeText(".call .label", "On a call")

	b.keys("Digit5", nil)
	b.fill("dialog input", "103")
	b.seeText("dialog", "Celina Mazur")
	if n := b.do("count", step{CSS: "dialog li"}); n != 1.0 {
		t.Errorf("for an extension %v are offered, somebody and a number that nobody has", n)
	}
	b.press("Hand over to Celina Mazur")
	celina.waitNth("rings", "CALL_INCOMING", 2)
	celina.accept()
	c.waitTone("the caller hears the colleague", 1300, 500*time.Millisecond)
	b.gone(".call")
	c.hangUp()
	c.waitOver()
	b.wantQuiet("the end")
}

// list asks the API for a list.
func (d *desk) list(path string) (items []map[string]any) {
	d.t.Helper()
	for _, x := range d.do("GET", path, nil, 200)["items"].([]any) {
		items = append(items, x.(map[string]any))
	}
	return items
}

// waitList waits until the API lists so many, and returns them.
func (d *desk) waitList(path string, n int) (items []map[string]any) {
	d.t.Helper()
	eventually(d.t, fmt.Sprintf("the API lists %d at %s", n, path), func() bool {
		items = d.list(path)
		return len(items) == n
	})
	return items
}

// The first administrator signs in by the file that the server wrote, chooses a password, and looks at the
// wallboard: it comes to show what the API says. From it callers are sent elsewhere and
// to the front, and agents' states changed.
func TestConsoleWallboard(t *testing.T) {
	v, web := newConsole(t, newSite(t), consoleSite)
	first, err := os.ReadFile(filepath.Join(v.dir, "data", "first-sign-in.txt"))
	if err != nil {
		t.Fatal(err)
	}
	var name, once string
	if _, err := fmt.Sscanf(string(first), "name: %s\npassword: %s\n", &name, &once); err != nil {
		t.Fatal(err)
	}
	b := newBrowser(t, web)
	b.open("#/wallboard")
	b.signIn(name, once)
	b.see("input[name=again]")
	b.wantClean("choosing a password")
	b.fill("input[name=new]", consolePassword)
	b.fill("input[name=again]", "something else")
	b.press("Save and go on")
	b.seeText("[role=alert]", "not the same")
	b.fill("input[name=again]", consolePassword)
	b.press("Save and go on")
	b.seeText("h1", "Wallboard")
	b.wantClean("wallboard")
	api := newDesk(t, web)
	api.do("POST", "/session", map[string]string{"name": name, "password": consolePassword}, 200)

	// the page comes to be as the API was when we asked; TestWallboard and its benchmark measure how soon.
	soon := func(condition string) {
		t.Helper()
		b.do("until", step{Text: condition})
	}
	var callers []*caller
	for i := range 4 {
		callers = append(callers, v.call(fmt.Sprintf("+4860010020%d", i), "+48221234567", 500+i))
		api.waitList("/interactions?group=sales", i+1)
		soon(fmt.Sprintf(`document.querySelector('[data-group=sales] [data-waiting]').innerText === '%d'`, i+1))
	}
	want, err := json.Marshal(ids(api.list("/interactions?group=sales")))
	if err != nil {
		t.Fatal(err)
	}
	const shown = `[...document.querySelectorAll('[data-interaction]')].map(e => e.dataset.interaction)`
	soon(fmt.Sprintf(`JSON.stringify(%s) === %q`, shown, want))
	b.wantClean("callers wait")

	// The last caller to the front, the first to another group.
	rows := ids(api.list("/interactions?group=sales"))
	act := func(row, item string) {
		t.Helper()
		b.click("tr" + row + " .menu > button")
		b.choose(item)
	}
	act("[data-interaction='"+rows[3]+"']", "To the front (10 minutes of waiting)")
	eventually(t, "the last caller is the next", func() bool {
		return api.do("GET", "/interactions/"+rows[3], nil, 200)["steps"] != nil && position(api, rows[3]) == 1.0
	})
	soon(fmt.Sprintf(`%s[0] === '%s'`, shown, rows[3]))
	act("[data-interaction='"+rows[0]+"']", "Send elsewhere")
	b.wantClean("sending elsewhere")
	b.do("select", step{CSS: "dialog select", Text: "group support"})
	b.do("click", step{Role: "button", Name: "Send elsewhere", Within: &step{CSS: "dialog"}})
	api.waitList("/interactions?group=support", 1)
	soon(`document.querySelector('[data-group=support] [data-waiting]').innerText === '1'`)

	act("[data-agent=bartek]", "Take a break: lunch")
	eventually(t, "bartek is on a break", func() bool { return api.do("GET", "/agents/bartek", nil, 200)["status"] == "on_break" })
	soon(`document.querySelector('[data-agent=bartek]').dataset.status === 'on_break'`)
	act("[data-agent=bartek]", "Ready")
	soon(`document.querySelector('[data-agent=bartek]').dataset.status === 'offline'`)

	// What was done is in the audit log, by whom.
	done := map[string]bool{}
	for _, e := range api.list("/audit?limit=500") {
		done[fmt.Sprint(e["who"], " ", e["what"], " ", e["target"])] = true
	}
	for _, want := range []string{" prioritise interactions/" + rows[3], " move interactions/" + rows[0], " set-duty agents/bartek"} {
		if !done[name+want] {
			t.Errorf("the audit log lacks %q: %v", name+want, done)
		}
	}

	for _, c := range callers {
		c.hangUp()
		c.waitOver()
	}
	api.waitList("/interactions", 0)
	soon(`document.querySelector('[data-total=waiting]').innerText === '0'`)
	b.open("#/wallboard/tv")
	b.see(".tv")
	b.wantClean("television")
	if n := b.do("count", step{CSS: "#x"}); n != 0.0 {
		t.Errorf("names became %v elements", n)
	}
}

func ids(items []map[string]any) (list []string) {
	for _, x := range items {
		list = append(list, fmt.Sprint(x["id"]))
	}
	return list
}

// position is that of a waiting interaction.
func position(api *desk, id string) any {
	for _, x := range api.list("/interactions") {
		if x["id"] == id {
			return x["position"]
		}
	}
	return nil
}
