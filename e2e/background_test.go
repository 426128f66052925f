package e2e

import (
	"fmt"
	"testing"
)

// rung is how loud the first note of the ring is in what the page's ringer plays, in dB, by the browser's own analyser.
const rung = `(() => {
	const sound = document.querySelector('.ringer')?.srcObject;
	if (!sound) return false;
	if (!globalThis.bell) {
		const context = new AudioContext(), analyser = context.createAnalyser();
		analyser.smoothingTimeConstant = 0;
		analyser.fftSize = 4096;
		context.createMediaStreamSource(sound).connect(analyser);
		globalThis.bell = { analyser, levels: new Float32Array(analyser.frequencyBinCount), bin: Math.round(659 * 4096 / context.sampleRate) };
	}
	const { analyser, levels, bin } = globalThis.bell;
	analyser.getFloatFrequencyData(levels);
	return Math.max(...levels.slice(bin - 2, bin + 3)) %s;
})()`

// A call for an agent who looks at another tab rings there, and is announced by the title and by a notification,
// which goes when the call does.
func TestWebPhone_Background(t *testing.T) {
	v, web := newConsole(t, newSite(t), webPhoneSite, "anna")
	p := &webPhone{browser: newTalkingBrowser(t, web, annaHertz), v: v}
	p.open("#/desk")
	p.do("permit", step{Value: []string{"microphone", "notifications"}})
	p.signIn("anna", consolePassword)
	p.phoneIs("ready")
	v.waitAgents("sales", "available", 1)

	c := p.dials(toSales)
	p.see("[role=alertdialog]")
	p.do("until", step{Text: fmt.Sprintf(rung, "> -50")})
	if noted := p.do("run", step{Text: "document.documentElement.dataset.notification ?? ''"}); noted != "" {
		t.Errorf("a notification for whom the page is before the eyes: %v", noted)
	}
	c.hangUp()
	p.gone("[role=alertdialog]")
	c.waitOver()

	p.do("background", step{})
	p.do("until", step{Text: "document.hidden"})
	c = p.dials(toSales)
	p.do("until", step{Text: "document.documentElement.dataset.notification === 'shown'"})
	p.do("until", step{Text: "document.title.includes('A caller')"})
	p.do("until", step{Text: "document.title === 'Incoming call'"})
	p.do("until", step{Text: fmt.Sprintf(rung, "> -50")})
	c.hangUp()
	c.waitOver()
	p.do("until", step{Text: "document.title === 'Centrala'"})
	p.do("until", step{Text: "document.documentElement.dataset.notification === 'closed'"})
	p.do("until", step{Text: fmt.Sprintf(rung, "< -80")})
	p.wantQuiet("the end")
}
