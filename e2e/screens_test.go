package e2e

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

var (
	screensFolder = flag.String("screens", "", "write pictures of the console's screens to this folder")
	screensOnly   = flag.String("screen", "", "only of this screen")
)

// screensSite is a small company on a busy morning. The phones of all but Anna are at fixed addresses.
const screensSite = `
agents:
  anna: {name: Anna Nowak, extension: "101", sip_password: anna-secret-1, role: director}
  bartek: {name: Bartek Lis, extension: "102", contact: %q}
  celina: {name: Celina Mazur, extension: "103", contact: %q}
  damian: {name: Damian Wójcik, extension: "104", contact: %q}
  ewa: {name: Ewa Zielińska, extension: "105", sip_password: ewa-secret-1}
  zofia: {name: Zofia Kamińska, extension: "107", calls: internal}
  zhanna: {name: Жанна Иванова, extension: "106", contact: %q}
groups:
  sales: {name: Sales, agents: [anna], rings: 100, wrap_up: 30s, hold_music: calm}
  support: {name: Support, agents: [bartek, celina, anna], distribution: in_order, rings: 100, hold_music: calm, wrap_up: 15s}
  orders: {name: Orders and returns, agents: [damian, ewa], rings: 100, hold_music: calm}
  online: {name: Online, agents: [zofia], rings: 100, hold_music: calm, wrap_up: 15m, dispositions: [sale, call_back, not_interested, wrong_number], disposition_required: true}
  night: {name: Night shift, agents: [ewa], hold_music: calm}
trunks: {carrier: {from: [CARRIER]}}
numbers:
  "+48 22 123 45 67": {trunk: carrier, group: sales}
  "+48 22 123 45 68": {trunk: carrier, group: support}
  "+48 22 123 45 69": {trunk: carrier, group: orders}
  "+48 22 123 45 70": {trunk: carrier, group: online}
work_time: {tracked: true, breaks: [lunch, coffee, training]}
hold_music:
  calm: {files: [calm.wav]}
`

// screens takes pictures in every language, light and dark, wide and narrow, and fails at what is cut off.
type screens struct {
	*browser
	folder string // where the pictures go
	frame  string // CSS of the frame that is looked at; "": the page itself
	taken  int
}

// newScreens makes the folder of the pictures, and skips a test that was not asked for any.
func newScreens(t *testing.T) *screens {
	t.Helper()
	if *screensFolder == "" {
		t.Skip("make screens takes the pictures")
	}
	folder := *screensFolder
	if !filepath.IsAbs(folder) {
		folder = filepath.Join("..", folder)
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	folder, err := filepath.Abs(folder)
	if err != nil {
		t.Fatal(err)
	}
	return &screens{folder: folder}
}

// take takes pictures of a screen that is there when ready is seen, once what is in press was pressed. What comes of that is
// gone after Escape.
func (s *screens) take(name, ready string, press ...string) {
	s.t.Helper()
	if *screensOnly != "" && *screensOnly != name {
		return
	}
	for i, language := range []string{"en", "pl", "ru"} {
		s.speak(i, language)
		s.do("see", step{CSS: ready, Frame: s.frame})
		for _, css := range press {
			s.click(css)
		}
		if len(press) > 0 {
			s.see("dialog[open]")
		}
		for j, scheme := range []string{"light", "dark"} {
			s.do("scheme", step{Text: scheme})
			if name == "reports" { // what is drawn on a canvas keeps its colours
				s.do("reload", step{})
				s.see(ready)
			}
			for k, width := range []int{1280, 390} {
				s.do("size", step{Width: width, Height: 800})
				for _, x := range s.do("clipped", step{Frame: s.frame}).([]any) {
					s.t.Errorf("%s, %s, %s, %d wide: cut off: %v", name, language, scheme, width, x)
				}
				if (i+j+k)%2 == 0 { // half of them tell enough for the eye
					s.picture(fmt.Sprintf("%s-%s-%s-%s.png", name, language, scheme, map[int]string{1280: "wide", 390: "narrow"}[width]))
				}
			}
			if i == 0 && s.frame == "" { // what people are shut out by does not depend on the language
				s.wantClean(name + " " + scheme)
			}
		}
		if len(press) > 0 {
			s.do("press", step{Text: "Escape"})
			s.gone("dialog[open]")
		}
	}
	s.speak(0, "en")
	s.do("size", step{Width: 1280, Height: 800})
}

// speak has the page speak the language: the chat window by what sites have for that, a page by its menu, where it has one,
// else by loading it anew.
func (s *screens) speak(n int, language string) {
	s.t.Helper()
	switch {
	case s.frame != "":
		s.do("run", step{Text: fmt.Sprintf("centrala.language('%s'), null", language)})
	case s.do("count", step{CSS: ".top > .menu"}) == 0.0:
		s.do("run", step{Text: fmt.Sprintf(`localStorage.setItem('centrala.language', '"%s"'), null`, language)})
		s.do("reload", step{})
	default:
		s.do("run", step{Text: `document.querySelector('.top > .menu > button').click()`})
		s.see(".top > .menu [role=menu]")
		s.do("run", step{Text: fmt.Sprintf(`document.querySelector('.top > .menu [role=menu] > :nth-child(%d)').click()`, n+1)})
	}
	s.do("until", step{Frame: s.frame, Text: fmt.Sprintf("document.documentElement.lang === %q", language)})
}

func (s *screens) picture(file string) {
	s.t.Helper()
	s.taken++
	s.do("picture", step{Path: filepath.Join(s.folder, file)})
}

// Pictures of every screen, for docs/screens: make screens.
func TestScreens(t *testing.T) {
	s := newScreens(t)
	site := newSite(t)
	bartek, celina := newPhone(t, site, "bartek", 700, rings), newPhone(t, site, "celina", 800, rings)
	damian, zhanna := newPhone(t, site, "damian", 1000, picksUp), newPhone(t, site, "zhanna", 1100, rings)
	v, web := newConsole(t, site, fmt.Sprintf(screensSite, bartek.contact(), celina.contact(), damian.contact(), zhanna.contact()), "anna", "zofia")
	anna := v.softphone("anna", "anna-secret-1", "udp", "manual", 900)
	anna.speaks(900, 15*time.Minute)
	v.waitAgents("sales", "day_not_started", 1)
	s.browser = newTalkingBrowser(t, web, annaHertz)
	s.do("permit", step{Value: []string{"microphone"}})
	s.open("")
	s.see(".login")
	s.take("sign-in", ".login")
	s.signIn("anna", consolePassword)
	s.see(".desk")
	api := newDesk(t, web)
	api.do("POST", "/session", map[string]string{"name": "anna", "password": consolePassword}, 200)
	for _, who := range []string{"anna", "bartek", "damian"} {
		api.do("POST", "/agents/"+who+"/duty", map[string]string{"duty": "on"}, 200)
	}
	api.do("POST", "/agents/celina/duty", map[string]string{"duty": "break", "reason": "lunch"}, 200)
	s.take("desk", ".word")
	v.call("+48501200300", "+48221234569", 500).waitAnswered() // whoever is silent for a minute is taken to be gone
	v.waitAgents("orders", "talking", 1)
	for i := range 3 {
		v.call(fmt.Sprintf("+4850120031%d", i), "+48221234569", 500).waitAnswered()
	}
	call := v.call("+48600100200", "+48221234567", 500)
	anna.wait("rings", "CALL_INCOMING")
	s.see("[role=alertdialog]")
	s.take("offer", "[role=alertdialog]")
	anna.accept()
	call.waitAnswered()
	s.see(".call")
	second := v.call("+48604555666", "+48221234567", 500)
	second.waitAnswered()
	s.see("#waiting")
	s.take("call", ".call")
	s.take("transfer", ".call", ".call .buttons button:nth-child(2)")
	api.do("POST", "/interactions/"+ids(api.list("/interactions?group=orders&phase=queued"))[2]+"/priority", map[string]int{"seconds": 600}, 200)
	gone := v.call("+48700800900", "+48221234569", 500)
	api.waitList("/interactions?group=orders", 5)
	gone.hangUp()
	gone.waitOver()
	s.open("#/wallboard")
	s.seeText("[data-group=orders] [data-abandoned]", "1")
	s.take("wallboard", "[data-interaction]")
	s.open("#/wallboard/tv")
	s.take("television", ".tv [data-waiting]")
	second.hangUp()
	second.waitOver()
	call.hangUp()
	call.waitOver()
	eventually(t, "what ended is written down", func() bool {
		return len(api.list("/history?end=completed_by_caller")) == 1 && len(api.list("/missed")) == 2
	})
	s.open("#/history")
	s.take("history", "[data-past]")
	s.open("#/history/missed")
	s.take("call-back", "[data-missed]")
	s.open("#/history/" + ids(api.list("/history?end=completed_by_caller"))[0])
	s.see(".story")
	s.click(".section-head button")
	s.take("call-page", ".rung")
	s.open("#/reports")
	s.take("reports", ".chart canvas")
	s.open("#/path")
	s.see("form")
	s.click("form button.main")
	s.take("path", "[data-stop=end]")
	s.talks(v, api, bartek)
	t.Logf("%d pictures", s.taken)
}

// talks takes the states of the telephone in the browser, at the desk of an agent who has no other one.
func (s *screens) talks(v *server, api *desk, colleague *phone) {
	s.t.Helper()
	s.do("run", step{Text: "fetch('/api/v1/session', { method: 'DELETE' }).then(() => null)"})
	s.open("#/desk")
	s.do("reload", step{})
	s.signIn("zofia", consolePassword)
	s.phoneIs("ready")
	api.do("POST", "/agents/zofia/duty", map[string]string{"duty": "on"}, 200)
	s.take("devices", ".phone-line", ".phone-line > button.quiet")
	c := v.call("+48502600700", "+48221234570", 500)
	s.see("[role=alertdialog] button.main:enabled")
	s.take("offer-in-the-browser", "[role=alertdialog] button.main:enabled")
	s.press("Accept")
	c.waitAnswered()
	s.see(".call .buttons")
	s.take("call-in-the-browser", ".call .buttons")
	s.take("keypad", ".call", ".call .buttons button:nth-child(3)")
	id := ids(api.list("/interactions?group=online"))[0]
	api.do("POST", "/interactions/"+id+"/consult", map[string]any{"to": map[string]string{"agent": "bartek"}}, 200)
	s.seeText(".call .label", "It rings at")
	colleague.pickUp()
	s.seeText(".call .label", "You are asking")
	s.take("consultation", ".call button.main")
	api.do("POST", "/interactions/"+id+"/consult/cancel", nil, 200)
	s.seeText(".call .label", "On a call")
	c.hangUp()
	c.waitOver()
	s.take("wrap-up", ".wrap-up .codes")
}
