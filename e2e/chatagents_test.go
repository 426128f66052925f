package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"centrala/media/tone"
)

// agentsSite is a shop with two agents, a number that visitors call, and a channel that is closed today.
const agentsSite = `
agents:
  anna: {name: Anna Nowak, extension: "101", capacity: {chat: 3}, sip_password: anna-secret-1}
  bartek: {name: Bartek Lis, extension: "102", role: director, capacity: {chat: 3}, sip_password: bartek-secret-1}
groups: {sales: {agents: [bartek, anna], distribution: in_order, preferred: {agent: responsible}, hold_music: calm}}
trunks: {carrier: {from: [CARRIER]}}
numbers: {"+48 22 123 45 67": {trunk: carrier, group: sales}}
hold_music: {calm: {files: [calm.wav]}}
work_time: {tracked: false}
hours: {rarely: {timezone: UTC, open: {DAY: ["10:00-11:00"]}}}
channels:
  website:
    connector: widget
    agents: [anna, bartek]
    distribution: in_order
    widget: {origins: ["SITE"], call: "+48 22 123 45 67"}
  night: {connector: widget, agents: [anna], hours: rarely}
  shop: {connector: http, url: "SHOP", secret: "WHSEC", agents: [bartek]}
`

// shop is a visitor on a shop's page and the agents, by their programs.
type shop struct {
	visitor
	anna, bartek *desk
	at           string // where the chat is in the API
}

// A chat is declined by one agent and goes to the other, who hands it back. The visitor has the
// window in two tabs; one of them is asleep in the background, and 20 minutes later has everything, once.
// Then they call: the agent who has the chat answers, both hear each other, and the chat goes on (R41, R50, R62).
func TestChatAgents(t *testing.T) {
	var script string
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, `<!doctype html><html lang="en"><title>A shop</title><main><h1>A shop</h1></main><script async src="%s/widget.js" data-channel="website" data-language="en"></script>`, script)
	}))
	defer site.Close()
	day := strings.ToLower(time.Now().UTC().AddDate(0, 0, 3).Format("Mon"))
	shops := newThirdParty(t)
	v, web := newConsole(t, newSite(t), strings.NewReplacer("SITE", site.URL, "DAY", day, "SHOP", shops.in.URL, "WHSEC", chatSecret).Replace(agentsSite), "anna", "bartek")
	script = "http://" + web
	phone := v.softphone("anna", "anna-secret-1", "udp", "manual", bartekHertz)
	v.softphone("bartek", "bartek-secret-1", "udp", "manual", 700) // whose turn it would be
	v.waitAgents("sales", "available", 2)
	s := &shop{visitor: visitor{newTalkingBrowser(t, strings.TrimPrefix(site.URL, "http://"), annaHertz)}}
	s.anna, s.bartek = newDesk(t, web), newDesk(t, web)
	s.anna.do("POST", "/session", map[string]string{"name": "anna", "password": consolePassword}, 200)
	s.bartek.do("POST", "/session", map[string]string{"name": "bartek", "password": consolePassword}, 200)
	for name, d := range map[string]*desk{"anna": s.anna, "bartek": s.bartek} {
		d.attends(name)
	}
	s.do("permit", step{Value: []string{"microphone"}})
	s.do("clock", step{})
	s.open("")
	s.passesOn()
	s.twoTabs()
	s.sleeps()
	s.supervised(web)
	s.calls(phone)
	s.undelivered(web, shops)
	s.remembered(web)
	s.closedToday(web)
	s.wantQuiet("the end")
}

// attends has an agent's program say that it is used, and again and again, as programs do, until the test ends.
func (d *desk) attends(agent string) {
	d.t.Helper()
	used := map[string]string{"id": "w1", "kind": "browser", "state": "used"}
	d.do("POST", "/agents/"+agent+"/client", used, 200)
	body, err := json.Marshal(used)
	if err != nil {
		d.t.Fatal(err)
	}
	stop := make(chan struct{})
	done := make(chan struct{})
	d.t.Cleanup(func() { close(stop); <-done })
	go func() {
		defer close(done)
		again := time.NewTicker(15 * time.Second)
		defer again.Stop()
		for {
			select {
			case <-stop:
				return
			case <-again.C:
			}
			if p, err := d.http.Post(d.base+"/agents/"+agent+"/client", "application/json", bytes.NewReader(body)); err == nil {
				_ = p.Body.Close()
			}
		}
	}()
}

// passesOn: anna declines, bartek takes it and hands it to anna.
func (s *shop) passesOn() {
	s.t.Helper()
	s.presses("Open the chat")
	s.writes("Good morning")
	s.sees(".message.customer:not(.waiting)")
	offered := s.anna.waitList("/chats", 1)[0]["interaction"].(map[string]any)["id"].(string)
	s.at = "/interactions/" + offered
	s.anna.do("POST", s.at+"/decline", nil, 200)
	s.bartek.waitList("/chats", 1)
	s.bartek.do("POST", s.at+"/accept", nil, 200)
	s.sees("header p:has-text('You are talking to Bartek Lis')")
	s.says(s.bartek, "a colleague knows more")
	s.bartek.do("POST", s.at+"/transfer", map[string]any{"to": map[string]string{"agent": "anna"}}, 200)
	eventually(s.t, "anna is offered it", func() bool {
		list := s.anna.list("/chats")
		return len(list) == 1 && list[0]["offered"] == true
	})
	s.anna.do("POST", s.at+"/accept", nil, 200)
	s.sees("header p:has-text('You are talking to Anna Nowak')")
}

// says has an agent write, and the visitor see it.
func (s *shop) says(d *desk, text string) {
	s.t.Helper()
	d.do("POST", s.at+"/messages", map[string]string{"id": text, "text": text}, 200)
	s.sees(".message.agent:has-text('" + text + "')")
}

// twoTabs: what is written in one is in the other, once.
func (s *shop) twoTabs() {
	s.t.Helper()
	s.do("tab", step{Number: 1})
	s.open("")
	s.presses("Open the chat")
	s.sees(".message.agent:has-text('a colleague knows more')")
	s.writes("from the other tab")
	s.sees(".message.customer:not(.waiting):has-text('from the other tab')")
	s.says(s.anna, "seen in both")
	wantShown(s.t, s.visitor, s.anna, s.at)
	s.do("tab", step{Number: 0})
	s.sees(".message.agent:has-text('seen in both')")
	wantShown(s.t, s.visitor, s.anna, s.at)
}

// sleeps: the tab is frozen as browsers freeze those in the background; both sides write
// meanwhile, the visitor in the other tab.
func (s *shop) sleeps() {
	s.t.Helper()
	s.do("freeze", step{Value: true})
	s.do("tab", step{Number: 1})
	for k := range 3 {
		s.writes(fmt.Sprint("meanwhile ", k))
		s.says(s.anna, fmt.Sprint("answered ", k))
	}
	s.do("leave", step{})
	s.do("tab", step{Number: 0})
	s.do("freeze", step{Value: false})
	s.do("forward", step{Text: "20:00"})
	s.sees(".message.agent:has-text('answered 2')")
	wantShown(s.t, s.visitor, s.anna, s.at)
	s.writes("I am back")
	s.sees(".message.customer:not(.waiting):has-text('I am back')")
}

// supervised: bartek, whose rights reach the channel, reads the chat that anna has, as text, writes
// a note that the visitor does not get, and rates it (R73, R76).
func (s *shop) supervised(web string) {
	s.t.Helper()
	const nasty = "<img src=x id=x onerror=alert(1)> <svg onload=alert(2)>"
	s.writes(nasty)
	s.sees(".message.customer:not(.waiting):has-text('<svg onload')")
	s.do("tab", step{Number: 1})
	s.do("open", step{URL: "http://" + web + "/#/wallboard"})
	s.signIn("bartek", consolePassword)
	s.see(".watch li:has-text('Anna Nowak')")
	s.press("Read the chat with A visitor of the website")
	s.seeText("dialog .talk-thread", nasty)
	s.fill("dialog .compose textarea", "be kind to them")
	s.press("Save the note")
	s.see("dialog .said.note:has-text('be kind to them')")
	s.click("dialog input[value='5']")
	s.press("Save the rating")
	s.seeText("dialog", "The rating is saved.")
	s.picture("chat-watch")
	s.wantClean("a chat is read by a supervisor")
	s.joined()
	if n := s.do("count", step{CSS: "#x"}); n != 0.0 {
		s.t.Errorf("what was written became %v elements", n)
	}
	s.do("leave", step{})
	s.do("tab", step{Number: 0})
	wantShown(s.t, s.visitor, s.anna, s.at)
}

// joined: bartek writes to the visitor beside anna, who sees that and goes on having the chat; a note
// of his reaches the visitor no more than before, and he leaves again. All of it is in the audit log.
func (s *shop) joined() {
	s.t.Helper()
	s.bartek.do("POST", s.at+"/messages", map[string]string{"id": "early", "text": "too early"}, 403)
	s.press("Join the chat")
	s.seeText("dialog", "You write to the customer beside Anna Nowak")
	s.fill("dialog .compose textarea", "I may help, too")
	s.do("click", step{Role: "button", Name: "Send", Within: &step{CSS: "dialog"}})
	s.see("dialog .said.agent:has-text('Bartek Lis'):has-text('I may help, too')")
	s.picture("chat-joined")
	s.wantClean("a supervisor has joined")
	s.do("tab", step{Number: 0})
	s.sees("header p:has-text('You are talking to Anna Nowak, Bartek Lis')")
	s.sees(".message.agent:has-text('Bartek Lis'):has-text('I may help, too')")
	s.writes("there are two of you")
	s.sees(".message.customer:not(.waiting):has-text('there are two of you')")
	mine := s.anna.waitList("/chats", 1)[0]["interaction"].(map[string]any)
	if mine["agent"] != "anna" || fmt.Sprint(mine["beside"]) != "[bartek]" || mine["last_by"] != "customer" {
		s.t.Errorf("anna's chat is %v", mine)
	}
	s.says(s.anna, "we are")
	s.do("tab", step{Number: 1})
	s.see("dialog .said.agent:has-text('we are')")
	s.press("Leave the chat")
	s.see("dialog .compose.note")
	s.do("tab", step{Number: 0})
	s.sees("header p:text-is('You are talking to Anna Nowak')")
	s.bartek.do("POST", s.at+"/messages", map[string]string{"id": "late", "text": "too late"}, 403)
	for _, what := range []string{"join-chat", "part-from-chat", "send-message"} {
		if list := s.bartek.list("/audit?who=bartek&what=" + what); len(list) != 1 {
			s.t.Errorf("the audit log has %d of %s: %v", len(list), what, list)
		}
	}
	s.do("tab", step{Number: 1})
}

// calls: the chat becomes a call with the same agent, and goes on.
func (s *shop) calls(phone *softphone) {
	s.t.Helper()
	s.presses("Call")
	s.sees("[role=group] p:has-text('Calling')")
	phone.waitNth("rings", "CALL_INCOMING", 1)
	phone.accept()
	s.sees("[role=group] p:has-text('On the phone')")
	phone.waitHeard(1, time.Second)
	s.in("until", step{Text: fmt.Sprintf(listen, fmt.Sprintf("at(%d) > -40 && at(%d) < at(%d) - 25", bartekHertz, annaHertz, bartekHertz))})
	s.picture("chat-call")
	s.says(s.anna, "while we talk")
	s.presses("Hang up")
	phone.waitNth("is free", "CALL_CLOSED", 1)
	clear := false // browsers take a tone for noise, and out, after a while
	for _, heard := range phone.recordings() {
		for part := range slices.Chunk(heard, 1600) {
			clear = clear || len(part) == 1600 && tone.Level(part, 8000, annaHertz) > -25 && tone.Level(part, 8000, bartekHertz) < -40
		}
	}
	if !clear {
		s.t.Error("anna did not hear the visitor")
	}
	s.in("gone", step{CSS: "[role=group]"})
	s.says(s.anna, "and after it")
}

// closedToday: whoever writes outside the hours is told so, and what they write is kept.
func (s *shop) closedToday(web string) {
	s.t.Helper()
	s.do("open", step{URL: "http://" + web + "/widget/night"})
	s.see("header p:has-text('Closed now, open again')")
	s.fill("textarea", "Are you there?")
	s.press("Send")
	s.see(".message.customer:not(.waiting):has-text('Are you there?')")
	s.see(".message.system:has-text('We are closed now')")
}
