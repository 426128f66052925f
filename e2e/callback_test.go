package e2e

import (
	"fmt"
	"testing"
	"time"
)

// A caller whom nobody answered is called back from the list of missed calls, by the telephone in the
// browser: both hear each other, and then the caller is in the list no more.
func TestConsoleCallBack(t *testing.T) {
	site := newSite(t)
	telephone := newCarrier(t, site, 1300, "carrier.xml")
	v, web := newConsole(t, site, withTrunkIn(webPhoneSite, telephone), "anna")
	b := newTalkingBrowser(t, web, annaHertz)
	b.open("#/desk")
	b.do("run", step{Text: `localStorage.setItem('centrala.clean-voice', 'false'), null`}) // a tone is noise
	b.do("permit", step{Value: []string{"microphone"}})
	b.signIn("anna", consolePassword)
	b.phoneIs("ready")
	v.waitAgents("sales", "available", 1)
	c := v.call("+48601000002", "+48221234561", 500)
	b.see("[role=alertdialog]")
	b.press("Decline")
	c.waitAnswered() // waiting now
	c.hangUp()
	c.waitOver()
	b.seeText("[aria-labelledby=missed]", "A caller")
	b.press("Call back: A caller")
	invite := telephone.waitCall()
	if want := fmt.Sprintf("INVITE sip:+48601000002@%v SIP/2.0", telephone.sipp); invite.start != want {
		t.Errorf("the carrier got %q, want %q", invite.start, want)
	}
	telephone.waitTone("the caller hears the browser's microphone", annaHertz, 500*time.Millisecond)
	b.hears(1300, calmHertz, annaHertz)
	b.seeText(".call .name", "+48601000002")
	b.seeText(".call .label", "Your call")
	b.wantClean("calling back")
	b.press("Hang up")
	telephone.waitOver()
	b.gone("[aria-labelledby=missed]")
	b.wantQuiet("the end")
}
