package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// chatScreensSite is the shop that the pictures of chats are taken of.
const chatScreensSite = `
agents:
  anna: {name: Anna Nowak, extension: "101", capacity: {chat: 5}, contact: "sip:anna@127.0.0.1:1"}
  bartek: {name: Bartek Lis, extension: "102", role: director, capacity: {chat: 5}, contact: "sip:bartek@127.0.0.1:2"}
groups: {sales: {agents: [bartek]}}
work_time: {tracked: false}
hours: {rarely: {timezone: UTC, open: {DAY: ["10:00-11:00"]}}}
channels:
  website:
    connector: widget
    name: Ask the shop
    agents: [anna]
    texts: {first: "Welcome to the shop! We answer in a few minutes.", ended: "Thank you, and good-bye."}
    widget: {origins: ["SITE"], form: [name, email], consent: {version: "1", text: I agree that the shop stores what I write here to answer me.}, rating: ask}
  night: {connector: widget, name: Night desk, agents: [bartek], hours: rarely, widget: {origins: ["SITE"]}}
`

// Pictures of the chat window, of chats at the desk and of what a supervisor sees of them, for docs/screens: make screens.
func TestScreens_Chats(t *testing.T) {
	s := newScreens(t)
	var script string
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, `<!doctype html><html lang="en"><meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark"><title>A shop</title><main><h1>A shop</h1></main><script async src="%s/widget.js" data-channel="%s"></script>`,
			script, strings.TrimPrefix(r.URL.Path, "/"))
	}))
	defer site.Close()
	day := strings.ToLower(time.Now().UTC().AddDate(0, 0, 3).Format("Mon"))
	_, web := newConsole(t, newSite(t), strings.NewReplacer("SITE", site.URL, "DAY", day).Replace(chatScreensSite), "anna", "bartek")
	script = "http://" + web
	anna := newDesk(t, web)
	anna.do("POST", "/session", map[string]string{"name": "anna", "password": consolePassword}, 200)

	s.browser = newBrowser(t, strings.TrimPrefix(site.URL, "http://"))
	v := visitor{s.browser}
	s.windowBegins(v)
	anna.attends("anna")
	anna.waitList("/chats", 1)
	s.frame = ""
	s.do("tab", step{Number: 1}) // another customer, whose window is a page of its own
	_, port, _ := strings.Cut(web, ":")
	s.do("open", step{URL: "http://localhost:" + port + "/widget/website"})
	s.fill("input[name=name]", "Ewa Malinowska")
	s.fill("input[name=email]", "ewa@example.com")
	s.click("input[type=checkbox]")
	s.press("Start the chat")
	s.fill("textarea", "Do you ship to Gdańsk, and what does it cost?")
	s.press("Send")
	s.see(".message.customer:not(.waiting)")
	list := anna.waitList("/chats", 2)
	at := "/interactions/" + list[0]["interaction"].(map[string]any)["id"].(string)
	if list[0]["customer"] != "Jan Kowalski" {
		at = "/interactions/" + list[1]["interaction"].(map[string]any)["id"].(string)
	}

	s.do("open", step{URL: "http://" + web + "/#/desk"})
	s.signIn("anna", consolePassword)
	s.seeText(".chats", "Jan Kowalski")
	s.do("click", step{CSS: ".chat-row:has-text('Jan Kowalski')"})
	s.seeText(".talk-thread", "where is my order")
	s.take("chat-offered", ".talk .buttons .main")
	anna.do("POST", at+"/accept", nil, 200)
	for k, text := range []string{"Good morning, Jan. One moment, I look it up.", "It left our warehouse yesterday: https://shop.example/track?id=4711"} {
		anna.do("POST", at+"/messages", map[string]string{"id": fmt.Sprint("a", k), "text": text}, 200)
	}
	anna.do("POST", at+"/notes", map[string]string{"id": "n", "text": "Third parcel this month that was late."}, 200)
	anna.do("POST", "/channels/website/canned", map[string]string{"group": "Delivery", "text": "We ship within two days, to all of the country."}, 200)
	s.do("tab", step{Number: 0})
	v.sees(".message.agent:has-text('warehouse')")
	v.writes("Thank you, that was quick!")
	v.sees(".message.customer:not(.waiting):has-text('that was quick')")
	s.frame = windowFrame
	s.take("chat-window", ".message.agent")
	s.do("tab", step{Number: 1})
	s.frame = ""
	s.seeText(".talk-thread", "that was quick")
	s.take("chat", ".said.customer")
	s.take("chat-answers", ".compose", ".compose .buttons button:nth-child(3)")
	s.do("run", step{Text: "fetch('/api/v1/session', { method: 'DELETE' }).then(() => null)"})
	s.do("open", step{URL: "http://" + web + "/#/wallboard"})
	s.do("reload", step{})
	s.signIn("bartek", consolePassword)
	s.see(".top > .menu")
	s.take("chat-watch", ".watch li:has-text('Jan Kowalski')", ".watch li:has-text('Jan Kowalski') button")
	s.do("tab", step{Number: 0})
	anna.do("POST", at+"/close", nil, 200)
	s.frame = windowFrame
	s.take("chat-window-rating", ".rate")
	s.do("tab", step{Number: 1})
	s.frame = ""
	s.do("open", step{URL: "http://" + web + "/#/reports"})
	s.do("select", step{Role: "combobox", Name: "Lines by", Text: "channel"})
	s.press("Chats")
	s.take("reports-chats", "[data-line=website] [data-of=first_answers][data-value='1']")
	s.do("tab", step{Number: 0})
	s.frame = windowFrame
	s.open("night")
	v.presses("Open the chat")
	s.take("chat-window-closed", "header p:not(:empty)")
	t.Logf("%d pictures", s.taken)
}

// windowBegins takes the chat window until somebody waits in it.
func (s *screens) windowBegins(v visitor) {
	s.t.Helper()
	s.do("size", step{Width: 1280, Height: 800})
	s.open("website")
	s.frame = windowFrame
	v.presses("Open the chat")
	v.sees("input[name=name]")
	s.take("chat-window-begin", "input[name=name]")
	v.in("fill", step{CSS: "input[name=name]", Text: "Jan Kowalski"})
	v.in("fill", step{CSS: "input[name=email]", Text: "jan@example.com"})
	v.in("click", step{CSS: "input[type=checkbox]"})
	v.presses("Start the chat")
	v.writes("Good morning, where is my order 4711?")
	v.sees(".message.customer:not(.waiting)")
	s.take("chat-window-waiting", ".message.system")
}
