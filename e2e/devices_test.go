package e2e

import (
	"testing"
	"time"
)

// The microphone, the speaker and the ringer are chosen, tried and kept over a reload; a microphone that is taken away
// while it rings is not the agent's fault: the call is taken back, is nobody's miss, and comes again once there is one.
func TestWebPhone_Devices(t *testing.T) {
	v, web := newConsole(t, newSite(t), webPhoneSite, "anna")
	p := &webPhone{browser: newTalkingBrowser(t, web, annaHertz), v: v}
	p.open("#/desk")
	p.do("run", step{Text: `localStorage.setItem('centrala.clean-voice', 'false'), null`}) // a tone is noise
	p.do("permit", step{Value: []string{"microphone"}})
	p.signIn("anna", consolePassword)
	p.phoneIs("ready")
	p.choosesDevices()

	c := p.answers(toSales)
	const sink = `document.querySelector('.far-end').sinkId === JSON.parse(localStorage['centrala.speaker'])`
	p.do("until", step{Text: sink + ` && document.querySelector('.far-end').sinkId !== ''`})
	p.press("Sound and microphone") // another microphone in the middle of the call
	p.do("choose", step{Within: &step{CSS: "dialog"}, CSS: "select >> nth=0", Number: 2})
	p.do("until", step{Text: "document.querySelector('.level')?.value > 0.3"})
	p.press("Close")
	p.talks(c)
	c.hangUp()
	p.over(c)

	c = p.dials(toSales)
	p.see("[role=alertdialog] button.main:enabled")
	p.do("permit", step{Value: []string{}})
	p.press("Accept")
	p.seeText(".toast", "is not counted as missed")
	p.gone("[role=alertdialog]")
	p.phoneIs("refused")
	v.waitAgents("sales", "offline", 1)
	v.waitWaiting("sales", 1)
	c.waitAnswered()
	p.do("permit", step{Value: []string{"microphone"}})
	p.phoneIs("ready")
	p.see("[role=alertdialog] button.main:enabled")
	p.press("Accept")
	p.talks(c)
	c.hangUp()
	p.over(c)
	v.wantStory("+48600100002", "arrived "+toSales, "offer anna", "ringing anna", "outcome anna withdrawn", "queued",
		"offer anna", "ringing anna", "outcome anna answered", "bridged anna", "ended anna completed_by_caller")
	p.wantQuiet("the end")
}

// choosesDevices tries and chooses all three, and finds them again after a reload.
func (p *webPhone) choosesDevices() {
	p.t.Helper()
	p.press("Sound and microphone")
	p.do("until", step{Text: "document.querySelector('.level')?.value > 0.3"})
	for i := range 3 { // microphone, speaker, ringer: the last of those that there are
		p.do("choose", step{CSS: "dialog select >> nth=" + string(rune('0'+i)), Number: 2})
	}
	p.press("Play a test tone")
	p.do("until", step{Text: `document.querySelector('.speaker')?.sinkId === JSON.parse(localStorage['centrala.speaker'])`})
	p.do("until", step{Text: `!document.querySelector('.speaker').paused`})
	p.press("Let it ring")
	p.do("until", step{Text: `document.querySelector('.ringer')?.sinkId === JSON.parse(localStorage['centrala.ringer'])`})
	const chosen = `[...document.querySelectorAll('dialog select')].map(e => e.value).join()`
	before := p.do("run", step{Text: chosen})
	p.do("reload", step{})
	p.phoneIs("ready")
	p.press("Sound and microphone")
	p.do("until", step{Text: "document.querySelector('.level')?.value > 0.3"})
	if after := p.do("run", step{Text: chosen}); after != before || len(after.(string)) < 10 {
		p.t.Errorf("%v were chosen, after a reload it is %v", before, after)
	}
	p.press("Close")
}

// An agent whose browser may send no UDP is told why nothing is heard. A customer does not notice: they go on hearing
// what they heard, and colleagues go on being rung. A call that the agent began ends soon after the answer.
func TestWebPhone_NoWay(t *testing.T) {
	v, web := newConsole(t, newSite(t), webPhoneSite, "anna")
	bartek := v.softphone("bartek", "bartek-secret-1", "udp", "manual", bartekHertz)
	p := &webPhone{v: v, browser: newTalkingBrowser(t, web, annaHertz, "CENTRALA_CHROMIUM_FLAGS=--webrtc-ip-handling-policy=disable_non_proxied_udp")}
	p.open("#/desk")
	p.do("permit", step{Value: []string{"microphone"}})
	p.signIn("anna", consolePassword)
	p.phoneIs("ready")
	c := p.dials(toEverybody)
	p.see("[role=alertdialog] button.main:enabled")
	bartek.waitNth("rings", "CALL_INCOMING", 1)
	p.press("Accept")
	p.seeText("[role=alertdialog]", "Being connected")
	p.seeText(".toasts", "No sound gets through")
	p.gone("[role=alertdialog]")
	v.waitLog("offer failed", "agent", "anna", "class", "unreachable")
	p.gaveUp("browser answered, sound is awaited", 1)
	if len(v.log("caller answered")) > 0 {
		t.Error("the customer was answered though nobody could talk to them")
	}
	bartek.accept()
	c.waitTone("the customer hears bartek", bartekHertz, 300*time.Millisecond)
	c.hangUp()
	bartek.waitNth("is hung up on", "CALL_CLOSED", 1)

	// as another tab would ask for it
	p.do("run", step{Text: `new BroadcastChannel('centrala.phone.anna').postMessage({ do: 'dial', digit: '102' }), null`})
	bartek.waitNth("rings", "CALL_INCOMING", 2)
	bartek.accept()
	bartek.waitNth("is hung up on", "CALL_CLOSED", 2)
	p.gone(".call")
	p.gaveUp("phone answered", 2)
}

// gaveUp: the nth call that was answered, as a line of the log tells, ended for want of a way, when it had to.
func (p *webPhone) gaveUp(line string, n int) {
	p.t.Helper()
	var lost []logLine
	eventually(p.t, "the call is given up", func() bool {
		lost = p.v.log("no media from the far end: leg ended", "why", "ICE found no way to the browser")
		return len(lost) >= n
	})
	answered := p.v.log(line)
	if len(lost) != n || len(answered) != n {
		p.t.Fatalf("%d calls answered, %d given up, want %d", len(answered), len(lost), n)
	}
	if took := lost[n-1].at.Sub(answered[n-1].at); took < 14*time.Second || took > 40*time.Second {
		p.t.Errorf("given up after %v", took)
	}
}

// Without a microphone, or with one that another program has, agents are told what to do, and are not called.
func TestWebPhone_NoMicrophone(t *testing.T) {
	v, web := newConsole(t, newSite(t), webPhoneSite, "anna")
	for flag, want := range map[string]struct{ is, text string }{
		"--disable-audio-input":        {"missing", "Plug one in"},
		"--fail-audio-stream-creation": {"busy", "another program"},
	} {
		t.Run(want.is, func(t *testing.T) {
			var b *browser
			if want.is == "missing" {
				b = newBrowser(t, web, "CENTRALA_CHROMIUM_FLAGS="+flag)
			} else {
				b = newTalkingBrowser(t, web, annaHertz, "CENTRALA_CHROMIUM_FLAGS="+flag)
			}
			b.open("#/desk")
			b.do("permit", step{Value: []string{"microphone"}})
			b.signIn("anna", consolePassword)
			b.phoneIs(want.is)
			b.seeText("[data-phone] [role=alert]", want.text)
			b.do("complaints", step{}) // Chromium's own, of sound that it may not make
			b.wantClean(want.is)
			v.waitAgents("sales", "offline", 1)
		})
	}
}
