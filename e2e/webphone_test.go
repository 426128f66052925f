package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"centrala/media/tone"
	"centrala/media/wav"
)

const webPhoneSite = `
agents:
  anna: {name: Anna Nowak, extension: "101"}
  bartek: {name: Bartek Lis, extension: "102", sip_password: bartek-secret-1}
groups:
  sales: {name: Sales, agents: [anna], rings: 12, misses: 0, wrap_up: 30s, hold_music: calm, retry: {declined: 1s}}
  short: {name: Short, agents: [anna], rings: 1, misses: 0, hold_music: calm, retry: {no_answer: 1s}}
  pair: {name: Pair, agents: [bartek, anna], distribution: in_order, rings: 12, misses: 0, hold_music: calm}
  everybody: {name: Everybody, agents: [anna, bartek], distribution: all, rings: 12, misses: 0, hold_music: calm}
trunks: {carrier: {from: [CARRIER]}}
numbers:
  "+48 22 123 45 61": {trunk: carrier, group: sales}
  "+48 22 123 45 62": {trunk: carrier, group: short}
  "+48 22 123 45 63": {trunk: carrier, group: pair}
  "+48 22 123 45 64": {trunk: carrier, group: everybody}
work_time: {tracked: false}
hold_music:
  calm: {files: [calm.wav]}
`

// The numbers of its groups.
const (
	toSales     = "+48221234561"
	toShort     = "+48221234562"
	toPair      = "+48221234563"
	toEverybody = "+48221234564"
)

// bartekHertz is the voice of the telephone on a desk.
const bartekHertz = 1300

// annaHertz is what Chromium's microphone hears.
const annaHertz = 900

// newTalkingBrowser is Chromium with a microphone that hears a tone; more goes into its environment.
func newTalkingBrowser(t *testing.T, web string, hertz float64, more ...string) *browser {
	t.Helper()
	var voice strings.Builder
	if err := wav.Write(&voice, 48000, tone.Sine(hertz, toneLevel, 48000, 10*time.Second)); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "voice.wav")
	if err := os.WriteFile(file, []byte(voice.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return newBrowser(t, web, append(more, "CENTRALA_MICROPHONE="+file)...)
}

// listen is the browser's ear: how loud a tone is in what the far end says, in dB, by the browser's own analyser.
const listen = `(() => {
	const sound = document.querySelector('.far-end')?.srcObject;
	if (!sound) return false;
	if (globalThis.ear?.sound !== sound) {
		const context = new AudioContext(), analyser = context.createAnalyser();
		analyser.fftSize = 8192;
		analyser.smoothingTimeConstant = 0;
		context.createMediaStreamSource(sound).connect(analyser);
		globalThis.ear = { sound, analyser, levels: new Float32Array(analyser.frequencyBinCount), rate: context.sampleRate };
	}
	const { analyser, levels, rate } = globalThis.ear;
	analyser.getFloatFrequencyData(levels);
	const at = hertz => Math.max(...levels.slice(Math.floor(hertz * 8192 / rate) - 1, Math.floor(hertz * 8192 / rate) + 3));
	return %s;
})()`

// hears waits until the page hears a tone, and none of the others.
func (b *browser) hears(hertz float64, others ...float64) {
	b.t.Helper()
	heard := fmt.Sprintf("at(%v) > -40", hertz)
	for _, x := range others {
		heard += fmt.Sprintf(" && at(%v) < at(%v) - 25", x, hertz)
	}
	b.do("until", step{Text: fmt.Sprintf(listen, heard)})
}

// hearsNothing waits until the page hears none of the tones.
func (b *browser) hearsNothing(hertz ...float64) {
	b.t.Helper()
	heard := "true"
	for _, x := range hertz {
		heard += fmt.Sprintf(" && at(%v) < -60", x)
	}
	b.do("until", step{Text: fmt.Sprintf(listen, heard)})
}

// phoneIs waits until the telephone of the page stands so.
func (b *browser) phoneIs(what string) {
	b.t.Helper()
	b.see("[data-phone='phone." + what + "']")
}

// webPhone is anna, who talks in the browser, and bartek with a telephone on his desk.
type webPhone struct {
	*browser
	v      *server
	bartek *softphone
	calls  int
}

// answers has a customer call, and anna accept in the page.
func (p *webPhone) answers(number string) *caller {
	p.t.Helper()
	c := p.dials(number)
	p.see("[role=alertdialog] button.main:enabled")
	p.press("Accept")
	p.gone("[role=alertdialog]")
	c.waitAnswered()
	p.talks(c)
	return c
}

// dials has a customer call.
func (p *webPhone) dials(number string) *caller {
	p.t.Helper()
	p.calls++
	return p.v.call(fmt.Sprintf("+4860010%04d", p.calls), number, 500)
}

// talks waits until anna and a customer hear each other.
func (p *webPhone) talks(c *caller) {
	p.t.Helper()
	p.seeText(".call .label", "On a call")
	c.waitTone("the caller hears the browser's microphone", annaHertz, 300*time.Millisecond)
	p.hears(500, calmHertz, annaHertz)
}

// over waits until a call is over for everybody, and ends the time after it.
func (p *webPhone) over(c *caller) {
	p.t.Helper()
	c.waitOver()
	p.gone(".call")
	if p.do("count", step{CSS: ".wrap-up"}) != 0.0 {
		p.press("Done")
	}
	p.seeText(".word", "Available")
}

// An agent without another telephone signs in; the browser refuses the microphone at first, and the agent is not
// called; once it is allowed, calls are answered, muted, held, declined, missed, picked up, and handed to a telephone on
// a desk and back. Everything is measured in the sound itself, in the page and at the caller.
func TestWebPhone(t *testing.T) {
	v, web := newConsole(t, newSite(t), webPhoneSite, "anna")
	b := newTalkingBrowser(t, web, annaHertz)
	p := &webPhone{browser: b, v: v}
	p.refuses()
	p.talksAndHolds()
	p.declinesAndMisses()
	p.bartek = v.softphone("bartek", "bartek-secret-1", "udp", "manual", bartekHertz)
	v.waitAgents("pair", "available", 2)
	p.ringsBoth()
	p.picksUpForBartek()
	p.handsOver()
	p.asksFirst()
	p.callsColleague()
	b.wantQuiet("the end")
}

// refuses: without a microphone nobody is called, and the page says why.
func (p *webPhone) refuses() {
	p.t.Helper()
	p.open("#/desk")
	p.do("permit", step{Value: []string{}})
	p.signIn("anna", consolePassword)
	p.phoneIs("refused")
	p.seeText("[data-phone]", "refuses the microphone")
	p.wantClean("refused")
	p.v.waitAgents("sales", "offline", 1)
	p.do("permit", step{Value: []string{"microphone"}}) // the page sees it by itself
	p.phoneIs("ready")
	p.v.waitAgents("sales", "available", 1)
	p.seeText(".word", "Available")
	p.press("Sound and microphone")
	p.do("until", step{Text: "document.querySelector('.level')?.value > 0.3"}) // the microphone is heard
	p.wantClean("sound and microphone")
	p.do("click", step{Role: "checkbox", Name: "Take out echo and noise"}) // a tone is noise
	p.press("Close")
}

// typeAtOnce opens the keypad and types before it has been painted.
const typeAtOnce = `(async () => {
	[...document.querySelectorAll('.call button')].find(b => b.textContent === 'Keypad').click();
	for (const key of '7*') {
		await null;
		document.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
	}
	return null;
})()`

// talksAndHolds: accept, mute, keys, hold, hang up.
func (p *webPhone) talksAndHolds() {
	p.t.Helper()
	c := p.dials(toSales)
	p.see("[role=alertdialog] button.main:enabled")
	p.seeText(".offer-times", "Rings for")
	p.wantClean("offer")
	p.keys("Digit1", nil)
	c.waitAnswered()
	p.talks(c)
	p.wantClean("call")

	p.press("Mute")
	p.see(".call button.on")
	c.waitSilence("the caller hears nothing of one who is muted", annaHertz)
	p.keys("Digit4", nil)
	c.waitTone("the caller hears anna again", annaHertz, 300*time.Millisecond)

	p.do("run", step{Text: typeAtOnce})
	p.seeText(".sent", "7*")
	p.wantClean("keypad")
	p.press("5")
	p.do("press", step{Text: "#"})
	p.seeText(".sent", "7*5#")
	c.waitKeys("7*5#")
	p.press("Close")

	p.press("Hold")
	p.seeText(".call .label", "On hold, hears music")
	c.waitTone("the caller hears music", calmHertz, 300*time.Millisecond)
	p.hearsNothing(500, calmHertz)
	p.press("Take from hold")
	p.talks(c)

	p.press("Hang up")
	c.waitOver()
	p.see(".wrap-up")
	p.seeText(".word", "After the call")
	p.over(c)
}

// declinesAndMisses: what is declined or not answered stops ringing here, and the caller waits on.
func (p *webPhone) declinesAndMisses() {
	p.t.Helper()
	c := p.dials(toSales)
	p.see("[role=alertdialog] button.main:enabled")
	p.press("Decline")
	p.gone("[role=alertdialog]")
	c.waitAnswered()
	p.v.waitWaiting("sales", 1)
	c.hangUp()
	c.waitOver()
	p.seeText(".word", "Available")

	c = p.dials(toShort)
	p.see("[role=alertdialog] button.main:enabled")
	p.gone("[role=alertdialog]") // after one ring
	c.waitAnswered()
	p.v.waitWaiting("short", 1)
	c.hangUp()
	c.waitOver()
	p.seeText(".word", "Available")
}

// ringsBoth: a call rings in the browser and at the telephone; whoever answers has it, and the other one stops.
func (p *webPhone) ringsBoth() {
	p.t.Helper()
	c := p.dials(toEverybody)
	p.bartek.waitNth("rings", "CALL_INCOMING", 1)
	p.see("[role=alertdialog] button.main:enabled")
	p.press("Accept")
	p.bartek.waitNth("stops ringing", "CALL_CLOSED", 1)
	c.waitAnswered()
	p.talks(c)
	c.hangUp()
	p.over(c)

	c = p.dials(toEverybody)
	p.bartek.waitNth("rings", "CALL_INCOMING", 2)
	p.see("[role=alertdialog] button.main:enabled")
	p.bartek.accept()
	p.gone("[role=alertdialog]")
	c.waitAnswered()
	c.waitTone("the caller hears the telephone", bartekHertz, 300*time.Millisecond)
	c.hangUp()
	c.waitOver()
	p.bartek.waitNth("is hung up on", "CALL_CLOSED", 2)
}

// picksUpForBartek: what rings at a colleague's is picked up from the page, and answered by it at once.
func (p *webPhone) picksUpForBartek() {
	p.t.Helper()
	p.v.waitAgents("pair", "available", 2)
	c := p.dials(toPair)
	p.bartek.waitNth("rings", "CALL_INCOMING", 3)
	p.press("Pick up A caller")
	c.waitAnswered()
	p.talks(c)
	p.bartek.waitNth("stops ringing", "CALL_CLOSED", 3)
	p.press("Hang up")
	p.over(c)
}

// handsOver: blindly from the browser to the telephone, and from there to the browser.
func (p *webPhone) handsOver() {
	p.t.Helper()
	p.v.waitAgents("pair", "available", 2)
	c := p.answers(toSales)
	p.press("Transfer")
	p.press("Hand over to Bartek Lis")
	p.bartek.waitNth("rings", "CALL_INCOMING", 4)
	p.gone(".call")
	p.press("Done")
	p.bartek.accept()
	c.waitTone("the caller hears the telephone", bartekHertz, 300*time.Millisecond)
	p.bartek.press("##101#")
	p.see("[role=alertdialog] button.main:enabled")
	p.press("Accept")
	p.talks(c)
	c.hangUp()
	p.over(c)
	p.bartek.waitNth("is free", "CALL_CLOSED", 4)
}

// asksFirst: the same with a question first, while the caller hears music.
func (p *webPhone) asksFirst() {
	p.t.Helper()
	p.v.waitAgents("pair", "available", 2)
	c := p.answers(toSales)
	p.press("Transfer")
	p.press("Ask first: Bartek Lis")
	p.bartek.waitNth("rings", "CALL_INCOMING", 5)
	c.waitTone("the caller hears music", calmHertz, 300*time.Millisecond)
	p.bartek.accept()
	p.seeText(".call .label", "You are asking")
	p.hears(bartekHertz, 500, calmHertz)
	p.wantClean("asking")
	p.press("Connect them")
	c.waitTone("the caller hears the telephone", bartekHertz, 300*time.Millisecond)
	p.gone(".call")
	p.press("Done")
	p.v.waitAgents("sales", "available", 1)

	p.bartek.press("*2101#")
	p.see("[role=alertdialog] button.main:enabled")
	p.press("Accept")
	p.seeText(".call .label", "asks you")
	p.hears(bartekHertz, 500, calmHertz)
	p.wantClean("asked")
	p.bartek.press("*3")
	p.bartek.waitNth("is free", "CALL_CLOSED", 5)
	p.talks(c)
	p.press("Hang up")
	p.over(c)
}

// callsColleague: who calls can hang up while it rings, and by the keys; the call has the name of who was called, also after the
// page was loaded anew; of one that does not get through the page says why.
func (p *webPhone) callsColleague() {
	p.t.Helper()
	calls := func(number, whom string) {
		p.t.Helper()
		p.press("Call")
		p.fill("dialog input", number)
		p.press("Call " + whom)
	}
	calls("199", "199")
	p.seeText(".toast", "There is no such number.")

	calls("102", "Bartek Lis")
	p.bartek.waitNth("rings", "CALL_INCOMING", 6)
	p.seeText(".call .label", "Your call")
	p.press("Hang up")
	p.bartek.waitNth("stops ringing", "CALL_CLOSED", 6)
	p.gone(".call")

	calls("102", "Bartek Lis")
	p.bartek.waitNth("rings", "CALL_INCOMING", 7)
	p.bartek.accept()
	p.hears(bartekHertz, 500, calmHertz)
	p.do("reload", step{})
	p.phoneIs("ready")
	p.hears(bartekHertz, 500, calmHertz)
	p.seeText(".call .name", "102")
	p.keys("Digit2", nil)
	p.bartek.waitNth("is hung up on", "CALL_CLOSED", 7)
	p.gone(".call")

	calls("102", "Bartek Lis")
	p.bartek.waitNth("rings", "CALL_INCOMING", 8)
	p.bartek.accept()
	p.hears(bartekHertz, 500, calmHertz)
	p.keys("Digit2", nil) // it is not anna's by the core's book
	p.bartek.waitNth("is hung up on", "CALL_CLOSED", 8)
	p.gone(".call")
}

// A call in the browser outlives what happens to pages: it is loaded anew, its network is away for five seconds, and
// the tab that has the telephone is closed while another one is open.
func TestWebPhone_Survives(t *testing.T) {
	v, web := newConsole(t, newSite(t), webPhoneSite, "anna")
	b := newTalkingBrowser(t, web, annaHertz)
	p := &webPhone{browser: b, v: v}
	p.open("#/desk")
	p.do("run", step{Text: `localStorage.setItem('centrala.clean-voice', 'false'), null`}) // a tone is noise
	p.do("reload", step{})
	p.do("permit", step{Value: []string{"microphone"}})
	p.signIn("anna", consolePassword)
	p.do("cut", step{Value: false})
	p.phoneIs("ready")
	c := p.answers(toSales)
	p.press("Mute")
	c.waitSilence("anna is muted", annaHertz)

	p.do("reload", step{})
	v.waitLog("agent reachable", "online", "false")
	p.phoneIs("ready")
	p.seeText(".call .label", "On a call")
	p.hears(500, calmHertz, annaHertz)
	p.press("Unmute") // who was muted, is still
	p.talks(c)

	p.cuts(c, 5*time.Second)
	p.talks(c)
	p.phoneIs("ready")

	p.tabs(c)
	p.press("Hang up")
	p.over(c)
	v.wantStory("+48600100001", "arrived "+toSales, "offer anna", "ringing anna", "outcome anna answered", "bridged anna",
		"claim anna leg", "claim anna leg", "ended anna completed_by_agent") // by the page loaded anew, and by the other tab
}

// cuts takes the network away from the page for a while. Its workers keep theirs: what they follow goes on.
func (p *webPhone) cuts(c *caller, length time.Duration) {
	p.t.Helper()
	p.do("cut", step{Value: true})
	<-time.After(length) // the length of the cut is what is tried
	if n := len(c.heard(time.Now().Add(-length / 2))); n > 0 {
		p.t.Errorf("%d packets came from a browser without a network", n)
	}
	p.do("cut", step{Value: false})
	p.v.waitLog("browser came back to its call") // by another WebSocket
	p.do("complaints", step{})                   // of addresses that could not be reached
}

// tabs: another tab shows the call and commands it; it goes on with it when the first one is closed.
func (p *webPhone) tabs(c *caller) {
	p.t.Helper()
	p.do("tab", step{Number: 1})
	p.open("#/desk")
	p.phoneIs("elsewhere")
	p.seeText(".call .label", "On a call")
	p.press("Mute")
	c.waitSilence("anna is muted in the other tab", annaHertz)
	p.press("Unmute")
	c.waitTone("the caller hears anna", annaHertz, 300*time.Millisecond)
	p.wantClean("another tab")
	p.do("tab", step{Number: 0})
	p.do("leave", step{})
	p.phoneIs("ready")
	p.talks(c)
}
