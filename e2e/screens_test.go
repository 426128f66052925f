package e2e

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"
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
  zhanna: {name: Жанна Иванова, extension: "106", contact: %q}
groups:
  sales: {name: Sales, agents: [anna], rings: 100, wrap_up: 30s, hold_music: calm}
  support: {name: Support, agents: [bartek, celina, anna], distribution: in_order, rings: 100, hold_music: calm, wrap_up: 15s}
  orders: {name: Orders and returns, agents: [damian, ewa], rings: 100, hold_music: calm}
  night: {name: Night shift, agents: [ewa], hold_music: calm}
trunks: {carrier: {from: [CARRIER]}}
numbers:
  "+48 22 123 45 67": {trunk: carrier, group: sales}
  "+48 22 123 45 68": {trunk: carrier, group: support}
  "+48 22 123 45 69": {trunk: carrier, group: orders}
work_time: {tracked: true, breaks: [lunch, coffee, training]}
hold_music:
  calm: {files: [calm.wav]}
`

// screens takes pictures in every language, light and dark, wide and narrow, and fails at what is cut off.
type screens struct {
	*browser
	taken int
}

func (s *screens) take(name, ready string) {
	s.t.Helper()
	if *screensOnly != "" && *screensOnly != name {
		return
	}
	for i, language := range []string{"en", "pl", "ru"} {
		for j, scheme := range []string{"light", "dark"} {
			s.do("run", step{Text: fmt.Sprintf(`localStorage.setItem('centrala.language', '"%s"'), null`, language)})
			s.do("scheme", step{Text: scheme})
			for k, width := range []int{1280, 390} {
				s.do("size", step{Width: width, Height: 800})
				s.do("reload", step{})
				s.see(ready)
				if name == "transfer" {
					s.click(".call .buttons button:nth-child(2)")
					s.see("dialog li")
				}
				switch name {
				case "call-page":
					s.click(".section-head button")
					s.see(".rung")
				case "path":
					s.click("form button.main")
					s.see("[data-stop=end]")
				}
				for _, x := range s.do("clipped", step{}).([]any) {
					s.t.Errorf("%s, %s, %s, %d wide: cut off: %v", name, language, scheme, width, x)
				}
				if (i+j+k)%2 == 0 { // half of them tell enough for the eye
					s.picture(fmt.Sprintf("%s-%s-%s-%s.png", name, language, scheme, map[int]string{1280: "wide", 390: "narrow"}[width]))
				}
			}
			s.wantClean(name + " " + language + " " + scheme)
		}
	}
}

func (s *screens) picture(file string) {
	s.t.Helper()
	s.taken++
	s.do("picture", step{Path: filepath.Join(*screensFolder, file)})
}

// Pictures of every screen, for docs/screens: make screens.
func TestScreens(t *testing.T) {
	if *screensFolder == "" {
		t.Skip("make screens takes the pictures")
	}
	folder, err := filepath.Abs(filepath.Join("..", *screensFolder))
	if err != nil {
		t.Fatal(err)
	}
	*screensFolder = folder
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	site := newSite(t)
	bartek, celina := newPhone(t, site, "bartek", 700, rings), newPhone(t, site, "celina", 800, rings)
	damian, zhanna := newPhone(t, site, "damian", 1000, picksUp), newPhone(t, site, "zhanna", 1100, rings)
	v, web := newConsole(t, site, fmt.Sprintf(screensSite, bartek.contact(), celina.contact(), damian.contact(), zhanna.contact()), "anna")
	anna := v.softphone("anna", "anna-secret-1", "udp", "manual", 900)
	v.waitAgents("sales", "day_not_started", 1)
	s := &screens{browser: newBrowser(t, web)}
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
	v.call("+48501200300", "+48221234569", 500)
	v.waitAgents("orders", "talking", 1)
	for i := range 3 {
		v.call(fmt.Sprintf("+4850120031%d", i), "+48221234569", 500)
	}
	call := v.call("+48600100200", "+48221234567", 500)
	anna.wait("rings", "CALL_INCOMING")
	s.see("[role=alertdialog]")
	s.take("offer", "[role=alertdialog]")
	anna.accept()
	s.see(".call")
	second := v.call("+48604555666", "+48221234567", 500)
	s.see("#waiting")
	s.take("call", ".call")
	s.take("transfer", ".call")
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
	s.take("call-page", ".story")
	s.open("#/reports")
	s.take("reports", ".chart canvas")
	s.open("#/path")
	s.take("path", "form")
	t.Logf("%d pictures", s.taken)
}
