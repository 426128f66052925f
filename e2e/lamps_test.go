package e2e

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/icholy/digest"
)

// deskPhone is the phone of an agent with a busy lamp field, played to the message.
type deskPhone struct {
	*party
	agent, password string
	challenge       *digest.Challenge
	proofs          int
}

// deskPhone lets an agent's phone be played by hand.
func (v *server) deskPhone(agent, password string, hertz int) *deskPhone {
	v.t.Helper()
	return &deskPhone{party: v.partyAt(v.site.phoneHost(), agent, "", hertz), agent: agent, password: password}
}

// proof answers the challenge, for a request to the number.
func (d *deskPhone) proof(method string) string {
	d.t.Helper()
	d.proofs++
	answer, err := digest.Digest(d.challenge, digest.Options{
		Method: method, URI: fmt.Sprintf("sip:%s@%v", d.number, d.server), Username: d.agent, Password: d.password, Count: d.proofs,
	})
	if err != nil {
		d.t.Fatal(err)
	}
	return "Authorization: " + answer.String() + "\r\n"
}

// watch subscribes to the calls of an extension.
func (d *deskPhone) watch(extension string) {
	d.t.Helper()
	const lines = "Event: dialog\r\nAccept: application/dialog-info+xml\r\nExpires: 600\r\n"
	d.number = extension
	d.ask("SUBSCRIBE", 1, lines, "")
	var err error
	if d.challenge, err = digest.ParseChallenge(d.answer("SUBSCRIBE", 1, 401).header("WWW-Authenticate")); err != nil {
		d.t.Fatal(err)
	}
	d.ask("SUBSCRIBE", 2, lines+d.proof("SUBSCRIBE"), "")
	d.answer("SUBSCRIBE", 2, 200)
}

// lamp waits for the nth NOTIFY, whose document has to say so.
func (d *deskPhone) lamp(nth int, state string) message {
	d.t.Helper()
	m := d.wait("the lamp: "+state, nth, request("NOTIFY"))
	if !strings.Contains(m.body, "<state>"+state+"</state>") {
		d.t.Errorf("NOTIFY %d: not %s:\n%s", nth, state, m.body)
	}
	return m
}

var earlyDialog = regexp.MustCompile(`call-id="([^"]+)" local-tag="([^"]+)" remote-tag="([^"]+)"`)

// A lamp shows that a colleague's phone rings and who calls; the key takes the
// call, the colleague's phone stops, and who pressed it and the caller hear each
// other. (R93)
func TestLamp_PickUp(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	anna := newPhone(t, site, "anna", 900, rings)
	s := newServer(t, site, fmt.Sprintf(`
agents:
  anna: {extension: "101", contact: %q}
  bartek: {extension: "102", sip_password: bartek-secret-1}
groups:
  sales: {agents: [anna, bartek], distribution: in_order, rings: 8, wrap_up: 0s, hold_music: calm, pickup: true}
trunks:
  carrier: {from: [CARRIER]}
numbers:
  "+48 22 123 45 67": {trunk: carrier, group: sales}
`, anna.contact()))
	before := s.footprint()
	bartek := s.deskPhone("bartek", "bartek-secret-1", 700)
	bartek.watch("101")
	bartek.lamp(1, "terminated")
	s.waitMetric("centrala_sip_watches", 1)

	caller := s.party("+48600100200", "+48221234567", 500)
	caller.invite()
	anna.waitCall(1)
	told := bartek.lamp(2, "early")
	if !strings.Contains(told.body, "sip:+48600100200@"+domain) {
		t.Errorf("who calls is not told:\n%s", told.body)
	}
	early := earlyDialog.FindStringSubmatch(told.body)
	if early == nil {
		t.Fatalf("no dialog to replace:\n%s", told.body)
	}
	bartek.id += "-pickup"
	bartek.ask("INVITE", 1, fmt.Sprintf("Require: replaces\r\nReplaces: %s;to-tag=%s;from-tag=%s;early-only\r\n", early[1], early[3], early[2])+
		bartek.proof("INVITE"), bartek.description(""))
	bartek.waitAnswered()
	caller.waitAnswered()
	caller.waitTone("the caller hears who picked up", 700, 200*time.Millisecond)
	bartek.waitTone("who picked up hears the caller", 500, 200*time.Millisecond)
	if reason := anna.waitFor("CANCEL", 1).header("Reason"); !strings.Contains(reason, "cause=200") {
		t.Errorf("the phone that rang is cancelled with Reason %q", reason)
	}
	bartek.lamp(3, "terminated")
	s.waitAgents("sales", "talking", 1)

	bartek.hangUp(2)
	caller.waitBye(time.Second)
	s.waitAgents("sales", "talking", 0)
	s.wantStory("+48600100200", "arrived +48221234567", "offer anna", "ringing anna", "claim bartek interaction", "outcome bartek answered",
		"outcome anna lost_race", "bridged bartek", "ended bartek completed_by_agent")
	s.waitFootprint(before)
}
