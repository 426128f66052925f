package e2e

import (
	"fmt"
	"testing"
)

// offerSite waits for a phone to ring for as long as would be remarkable on a card that counts it.
const offerSite = `
agents:
  anna: {name: Anna Nowak, extension: "101", contact: %q}
groups:
  sales: {name: Sales, agents: [anna], rings: 6, ring_length: 10s, dial_limit: 5m, hold_music: calm}
trunks: {carrier: {from: [CARRIER]}}
numbers: {"+48 22 123 45 67": {trunk: carrier, group: sales}}
hold_music: {calm: {files: [calm.wav]}}
`

// newOfferSite is anna at her desk, free, with a phone that says nothing by itself but that it tries.
func newOfferSite(t *testing.T) (*server, *browser, *phone) {
	t.Helper()
	s := newSite(t)
	p := newPhone(t, s, "anna", 900, ringsMute)
	v, web := newConsole(t, s, fmt.Sprintf(offerSite, p.contact()), "anna")
	v.waitAgents("sales", "available", 1)
	b := newBrowser(t, web)
	b.open("#/desk")
	b.signIn("anna", consolePassword)
	b.seeText(".word", "Available")
	return v, b, p
}

// ring has a phone that has only said that it tries say that it rings.
func (p *phone) ring() {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.invite.start == "" || p.answered {
		p.t.Fatalf("%s: no call to ring for", p.name)
	}
	p.reply("180 Ringing", "")
}

// A call that comes while a dialog is open lies over it, and can be declined there; so do messages.
func TestConsole_OfferOverADialog(t *testing.T) {
	v, b, phone := newOfferSite(t)
	b.press("Call")
	b.fill("dialog input", "601")
	c := v.call("+48600100200", "+48221234567", 500)
	phone.waitCall(1)
	phone.ring()
	b.seeText(".offer-times", "Rings for")
	b.do("until", step{Text: "document.activeElement.getAttribute('role') === 'alertdialog'"})
	b.wantClean("an offer over a dialog")
	b.press("Decline")
	b.gone("[role=alertdialog]")
	b.do("until", step{Text: "document.querySelector('dialog input')?.value === '601'"}) // what was done there goes on
	c.hangUp()
	c.waitOver()
}

// Until the phone rings the card says that it is called and counts nothing down; then it counts how long it rings. What is
// to be pressed stays where it is meanwhile.
func TestConsole_PhoneThatRingsLate(t *testing.T) {
	v, b, phone := newOfferSite(t)
	c := v.call("+48600100200", "+48221234567", 500)
	phone.waitCall(1)
	b.seeText("[role=alertdialog]", "Calling your phone…")
	b.seeText(".offer-times", "Waiting for")
	b.do("until", step{Text: `!document.querySelector('.offer progress').hasAttribute('value')`})
	if n := b.do("count", step{CSS: ".offer-times time"}); n != 1.0 {
		t.Errorf("%v times on the card of a phone that does not ring", n)
	}
	b.wantClean("a phone that is called")
	const place = `document.querySelector('.offer .buttons').getBoundingClientRect().y`
	before := b.do("run", step{Text: place})

	phone.ring()
	b.seeText(".offer-times", "Rings for")
	b.seeText("[role=alertdialog]", "Pick up your phone to answer.")
	b.do("until", step{Text: `(p => p.value > 0 && p.max < 90)(document.querySelector('.offer progress'))`}) // of the ringing alone
	if after := b.do("run", step{Text: place}); after != before {
		t.Errorf("the buttons went from %v to %v", before, after)
	}
	b.wantClean("a phone that rings")

	phone.pickUp()
	b.gone("[role=alertdialog]")
	b.seeText(".call .label", "On a call")
	c.hangUp()
	c.waitOver()
}
