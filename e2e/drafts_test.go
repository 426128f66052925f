package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// draftsSite has an agent who telephones and chats, and a colleague who takes their calls.
const draftsSite = `
agents:
  anna: {name: Anna Nowak, extension: "101", sip_password: anna-secret-1, capacity: {chat: 3}, role: director}
  bartek: {name: Bartek Lis, extension: "102", sip_password: bartek-secret-1}
groups:
  sales: {name: Sales, agents: [anna, bartek], distribution: in_order, rings: 6, wrap_up: 10m, hold_music: calm}
trunks: {carrier: {from: [CARRIER]}}
numbers: {"+48 22 123 45 67": {trunk: carrier, group: sales}}
work_time: {tracked: false}
channels: {website: {connector: widget, name: The shop, agents: [anna]}}
hold_music: {calm: {files: [calm.wav]}}
`

// visits has a new visitor of a website's window write something.
func visits(t *testing.T, web, text string) {
	t.Helper()
	token := ""
	ask := func(path string, body, into any) {
		t.Helper()
		data, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		q, err := http.NewRequest("POST", "http://"+web+"/widget/website/"+path, bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		q.Header.Set("Origin", "http://"+web)
		q.Header.Set("Authorization", "Bearer "+token)
		p, err := http.DefaultClient.Do(q)
		if err != nil {
			t.Fatal(err)
		}
		defer p.Body.Close()
		if err := json.NewDecoder(p.Body).Decode(into); err != nil || p.StatusCode != http.StatusOK {
			t.Fatalf("%s: %d %v", path, p.StatusCode, err)
		}
	}
	var session struct{ Token string }
	ask("session", map[string]string{}, &session)
	token = session.Token
	ask("frames", map[string]string{"type": "message", "id": "m1", "text": text}, &struct{}{})
}

// drafts is a browser in which somebody types while their session ends.
type drafts struct{ *browser }

// waitValue waits until a field has this in it.
func (d drafts) waitValue(css, want string) {
	d.t.Helper()
	d.do("until", step{Text: fmt.Sprintf("document.querySelector(%q)?.value === %q", css, want)})
}

// ends has the session end elsewhere, and somebody sign in where it was.
func (d drafts) ends(user string) {
	d.t.Helper()
	d.do("run", step{Text: "fetch('/api/v1/session', { method: 'DELETE' }).then(() => null)"})
	d.see(".login .hint")
	d.signIn(user, consolePassword)
	d.see(".desk .state")
}

// wantNothingOf fails the test if the browser keeps something that somebody typed.
func (d drafts) wantNothingOf(agent string) {
	d.t.Helper()
	if kept := fmt.Sprint(d.do("run", step{Text: "localStorage['centrala.drafts'] ?? ''"})); strings.Contains(kept, agent) {
		d.t.Errorf("kept after %s signed out: %s", agent, kept)
	}
}

// What an agent has typed and not sent outlives the session and the page: they find it when they sign in again, a note to
// colleagues is still one, nobody else sees it, and nothing is left of it when they sign out.
func TestConsole_DraftsOutliveTheSession(t *testing.T) {
	v, web := newConsole(t, newSite(t), draftsSite, "anna", "bartek")
	phone := v.softphone("anna", "anna-secret-1", "udp", "auto", 900)
	colleague := v.softphone("bartek", "bartek-secret-1", "udp", "auto", 1300)
	v.waitAgents("sales", "available", 2)
	api := newDesk(t, web)
	api.do("POST", "/session", map[string]string{"name": "anna", "password": consolePassword}, 200)
	api.attends("anna")
	visits(t, web, "Do you ship abroad?")
	visits(t, web, "Is it in stock?")
	for _, chat := range api.waitList("/chats", 2) {
		api.do("POST", fmt.Sprintf("/interactions/%v/accept", chat["interaction"].(map[string]any)["id"]), nil, 200)
	}
	c := v.call("+48600100200", "+48221234567", 500)
	phone.wait("talks", "CALL_ESTABLISHED")
	c.waitAnswered()

	d := drafts{newBrowser(t, web)}
	d.open("#/desk")
	d.signIn("anna", consolePassword)
	d.fill(".call textarea", "anna's of the call")
	d.press("Note")
	d.fill(".compose textarea", "anna's of the chat")
	d.click(".chat-row:not([aria-current])")
	d.waitValue(".compose textarea", "")
	d.see(".compose [aria-pressed=false]")
	d.click(".chat-row:not([aria-current])")
	d.waitValue(".compose textarea", "anna's of the chat")
	d.see(".compose [aria-pressed=true]") // else it would go to the customer
	d.press("Transfer")
	d.fill("dialog input", "anna's search")

	d.ends("anna")
	d.waitValue(".call textarea", "anna's of the call")
	d.do("until", step{Text: "document.querySelectorAll('.chat-row').length === 2"})
	if d.do("count", step{CSS: ".compose [aria-pressed=true]"}) == 0.0 {
		d.click(".chat-row:not([aria-current])") // whichever was looked at
	}
	d.waitValue(".compose textarea", "anna's of the chat")
	d.press("Transfer")
	d.waitValue("dialog input", "anna's search")
	d.click("dialog header button") // what was looked for is not wanted any more
	d.gone("dialog")
	d.press("Transfer")
	d.waitValue("dialog input", "")
	d.fill("dialog input", "anna's search")

	// The call goes to bartek, who signs in in the same tab.
	id := ids(api.list("/interactions?group=sales"))[0]
	d.do("run", step{Text: "globalThis.asItWas = true, fetch('/api/v1/session', { method: 'DELETE' }).then(() => null)"})
	d.see(".login .hint")
	api.do("POST", "/interactions/"+id+"/transfer", map[string]any{"to": map[string]string{"agent": "bartek"}}, 200)
	colleague.wait("talks", "CALL_ESTABLISHED")
	c.waitTone("the caller hears the colleague", 1300, 500*time.Millisecond)
	d.signIn("bartek", consolePassword)
	d.see(".call textarea")
	d.waitValue(".call textarea", "")
	d.press("Transfer")
	d.seeText("dialog", "Anna Nowak")
	d.waitValue("dialog input", "")
	if seen := fmt.Sprint(d.do("run", step{Text: "[document.body.innerText, ...[...document.querySelectorAll('input, textarea')].map(e => e.value)].join(' ')"})); strings.Contains(seen, "anna's") {
		t.Errorf("bartek sees what anna typed: %s", seen)
	}
	if d.do("run", step{Text: "globalThis.asItWas ?? false"}) == true {
		t.Error("bartek has the page that anna had")
	}
	d.click("dialog header button")
	d.fill(".call textarea", "bartek's of the call")
	d.press("bartek: language, appearance, sign out")
	d.choose("Sign out")
	d.see(".login")
	d.wantNothingOf("bartek")
	c.hangUp()
	c.waitOver()
	again := v.call("+48600100200", "+48221234567", 500) // to look up what there was before
	again.waitAnswered()
	path := "/interactions/" + ids(api.waitList("/interactions?group=sales&phase=queued", 1))[0] + "/earlier"
	waitNote := func(want string) {
		eventually(t, "there is with the call: "+want, func() bool { return fmt.Sprint(api.list(path)[0]["note"]) == want })
	}
	waitNote("bartek's of the call")

	d.signIn("anna", consolePassword)
	d.waitValue(".wrap-up textarea", "anna's of the call")
	d.do("until", step{Text: "document.querySelectorAll('.chat-row').length === 2"})
	if d.do("count", step{CSS: ".compose [aria-pressed=true]"}) == 0.0 {
		d.click(".chat-row:not([aria-current])")
	}
	d.waitValue(".compose textarea", "anna's of the chat")
	d.press("Save the note")
	d.see(".said.note:not(.unsent):has-text(\"anna's of the chat\")")
	d.waitValue(".compose textarea", "")
	d.fill(".compose textarea", "anna's to the customer")
	d.press("anna: language, appearance, sign out")
	d.choose("Sign out")
	d.see(".login")
	d.wantNothingOf("anna")
	waitNote("anna's of the call")
	d.signIn("anna", consolePassword)
	d.waitValue(".compose textarea", "")

	// Both are on the page of the call, each with the talk of who wrote it.
	d.open("#/history/" + id)
	d.see("[aria-labelledby=talks] blockquote")
	d.do("until", step{Text: "document.querySelectorAll('[aria-labelledby=talks] blockquote').length === 2"})
	for nth, want := range map[int][2]string{1: {"Anna Nowak", "anna's of the call"}, 2: {"Bartek Lis", "bartek's of the call"}} {
		row := fmt.Sprintf("[aria-labelledby=talks] li:nth-child(%d)", nth)
		d.seeText(row, want[0])
		d.seeText(row+" blockquote", want[1])
	}
	d.wantClean("a call with remarks")
}
