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
  sales: {name: Sales, agents: [anna], rings: 12, wrap_up: 30s, hold_music: calm}
  support: {name: Support, agents: [bartek], hold_music: jazz}
trunks: {carrier: {from: [CARRIER]}}
numbers:
  "+48 22 123 45 67": {trunk: carrier, group: sales}
  "+48 22 123 45 68": {trunk: carrier, group: support}
work_time: {tracked: false}
hold_music:
  calm: {files: [calm.wav]}
  jazz: {files: [jazz.wav]}
`

// annaHertz is what Chromium's microphone hears.
const annaHertz = 900

// newTalkingBrowser is Chromium with a microphone that hears a tone.
func newTalkingBrowser(t *testing.T, web string) *browser {
	t.Helper()
	var voice strings.Builder
	if err := wav.Write(&voice, 48000, tone.Sine(annaHertz, toneLevel, 48000, 10*time.Second)); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "voice.wav")
	if err := os.WriteFile(file, []byte(voice.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return newBrowser(t, web, "CENTRALA_MICROPHONE="+file)
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

// phoneIs waits until the telephone of the page stands so.
func (b *browser) phoneIs(what string) {
	b.t.Helper()
	b.see("[data-phone='phone." + what + "']")
}

// An agent without another telephone signs in; the browser refuses the microphone at first, and the agent is not
// called; once it is allowed, a call is answered in the page and each hears the other.
func TestWebPhone(t *testing.T) {
	v, web := newConsole(t, newSite(t), webPhoneSite, "anna")
	b := newTalkingBrowser(t, web)
	b.open("#/desk")
	b.do("run", step{Text: `localStorage.setItem('centrala.clean-voice', 'false'), null`}) // a tone is noise
	b.do("permit", step{Name: "microphone", Text: "denied"})
	b.signIn("anna", consolePassword)
	b.phoneIs("refused")
	b.seeText("[data-phone]", "refuses the microphone")
	b.wantClean("refused")
	v.waitAgents("sales", "offline", 1)
	b.do("permit", step{Name: "microphone", Text: "granted"}) // the page sees it by itself
	b.phoneIs("ready")
	v.waitAgents("sales", "available", 1)
	b.seeText(".word", "Available")
	b.wantClean("ready")

	c := v.call("+48600100200", "+48221234567", 500)
	b.see("[role=alertdialog]")
	b.see("[role=alertdialog] button.main:enabled")
	b.wantClean("offer")
	b.press("Accept")
	b.gone("[role=alertdialog]")
	c.waitAnswered()
	b.seeText(".call .label", "On a call")
	c.waitTone("the caller hears the browser's microphone", annaHertz, 500*time.Millisecond)
	b.hears(500, calmHertz, annaHertz)
	b.wantClean("call")
	b.press("Hang up")
	c.waitOver()
	b.see(".wrap-up")
	b.press("Done")
	v.waitAgents("sales", "available", 1)
	b.wantQuiet("the end")
}
