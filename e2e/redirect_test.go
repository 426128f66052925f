package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/icholy/digest"
)

// movesTo answers every call with 302: the phone is set to forward its calls.
func movesTo(number string) reaction {
	return reaction(fmt.Sprintf("302 Moved Temporarily\r\nContact: <sip:%s@%s>\r\nDiversion: <sip:101@%s>;reason=unconditional", number, domain, domain))
}

// follows has agents' redirections followed.
func follows(groups string) string {
	return strings.Replace(groups, "{phone:", "{redirects: follow, phone:", 1)
}

// An agent's phone sends its calls to a number outside, and the configuration says that
// this is followed: the number rings through the trunk as the agent's, and the caller
// and whoever answers hear each other. A busy number is a busy agent.
func TestRedirect(t *testing.T) {
	t.Parallel()
	for name, busy := range map[string]bool{"answered": false, "busy": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			site := newSite(t)
			scenario := map[bool]string{false: "carrier.xml", true: "carrier-refuses.xml"}[busy]
			telephone := newCarrier(t, site, 1300, scenario, "STATUS", "486 Busy Here")
			p := newPhone(t, site, "anna", 900, movesTo("601000002"))
			s := newServer(t, site, follows(outside(telephone, p, "rings: 2", "", "[hangup]")))
			before := s.footprint()
			c := s.call("+48600100200", "+48221234567", 500)
			invite := telephone.wait("the carrier is called", request("INVITE"))
			if want := fmt.Sprintf("INVITE sip:+48601000002@%v SIP/2.0", telephone.sipp); invite.start != want {
				t.Errorf("the carrier got %q, want %q", invite.start, want)
			}
			if diversion := invite.header("Diversion"); diversion != "<sip:+48221234567@"+domain+">;reason=unconditional;counter=1" {
				t.Errorf("Diversion: %s", diversion)
			}
			if busy {
				if err := <-c.over; err == nil {
					t.Error("the caller was not refused")
				}
				telephone.waitOver()
				s.wantStory("+48600100200", "arrived +48221234567", "offer anna", "outcome anna busy", "action hangup", "ended missed")
			} else {
				telephone.waitCall()
				c.waitAnswered()
				c.waitTone("the caller hears the telephone", 1300, 300*time.Millisecond)
				telephone.waitTone("the telephone hears the caller", 500, 300*time.Millisecond)
				s.waitAgents("sales", "talking", 1)
				telephone.hangUp()
				c.waitOver()
				telephone.waitOver()
				s.wantStory("+48600100200", "arrived +48221234567", "offer anna", "ringing anna", "outcome anna answered", "bridged anna",
					"ended anna completed_by_agent")
			}
			s.waitMetric(`centrala_redirections_total{result="followed"}`, 1)
			s.waitMetric("centrala_calls_denied_total", 0)
			s.waitFootprint(before)
		})
	}
}

// Toll fraud: without that word in the configuration, or to a number that the agent may
// not call, nobody is called; it is logged, counted, and the agent has declined.
func TestTollFraud_Redirection(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		number, why string
		follow      bool
		denied      float64
	}{
		"refused by policy": {"601000002", "the agent's redirects are refused", false, 0},
		"not entitled":      {"+48701234567", "the agent may not call that number", true, 1},
		"an extension":      {"600", "that is somebody of ours", true, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			site := newSite(t)
			telephone := newPhone(t, site, "mobile", 1300, picksUp)
			p := newPhone(t, site, "anna", 900, movesTo(test.number))
			groups := outside(&carrier{&caller{sipp: telephone.sipAddr()}}, p, `rings: 2, extension: "600"`, "", "[hangup]")
			if test.follow {
				groups = follows(groups)
			}
			s := newServer(t, site, groups)
			before := s.footprint()
			c := s.call("+48600100200", "+48221234567", 500)
			if err := <-c.over; err == nil {
				t.Error("the caller was not refused")
			}
			s.wantStory("+48600100200", "arrived +48221234567", "offer anna", "outcome anna declined", "action hangup", "ended missed")
			s.waitLog("a phone sends its calls elsewhere: not followed", "agent", "anna", "to", test.number, "why", test.why)
			s.waitMetric(`centrala_redirections_total{result="refused"}`, 1)
			s.waitMetric("centrala_calls_denied_total", test.denied)
			if n := telephone.calls(); n != 0 {
				t.Errorf("the carrier was called %d times", n)
			}
			s.waitFootprint(before)
		})
	}
}

// register makes the phone one of its agent's.
func (d *deskPhone) register() {
	d.t.Helper()
	d.number = d.agent
	d.ask("REGISTER", 1, "", "")
	var err error
	if d.challenge, err = digest.ParseChallenge(d.answer("REGISTER", 1, 401).header("WWW-Authenticate")); err != nil {
		d.t.Fatal(err)
	}
	d.ask("REGISTER", 2, d.proof("REGISTER"), "")
	d.answer("REGISTER", 2, 200)
}

// One of an agent's two phones sends the call to their mobile: mobile and desk phone
// ring, the mobile is answered, and the desk phone is told so.
func TestRedirect_OtherPhoneRings(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	mobile := newPhone(t, site, "mobile", 1300, rings)
	s := newServer(t, site, fmt.Sprintf(`
agents:
  anna: {sip_password: anna-secret-1, redirects: follow}
groups:
  sales: {agents: [anna], rings: 8, wrap_up: 0s, hold_music: calm}
trunks:
  carrier: {from: [CARRIER], host: %q, check: 0s}
numbers:
  "+48 22 123 45 67": {trunk: carrier, group: sales}
`, mobile.sipAddr()))
	desk := s.softphone("anna", "anna-secret-1", "udp", "manual", 900)
	forwarding := s.deskPhone("anna", "anna-secret-1", 700)
	forwarding.register()
	before := s.footprint()
	c := s.call("+48600100200", "+48221234567", 500)
	invite := forwarding.wait("the phone is called", 1, request("INVITE"))
	forwarding.send(answerTo(invite, string(movesTo("601000002"))))
	desk.wait("rings", "CALL_INCOMING")
	mobile.waitCall(1)
	s.waitAgents("sales", "ringing", 1)
	mobile.pickUp()
	desk.wait("stops ringing", "CALL_CLOSED")
	c.waitAnswered()
	c.waitTone("the caller hears the mobile", 1300, 300*time.Millisecond)
	mobile.waitTone("the mobile hears the caller", 500, 300*time.Millisecond)
	c.wantOnly(300*time.Millisecond, 1300, 900, calmHertz)
	s.waitAgents("sales", "talking", 1)
	c.hangUp()
	c.waitOver()
	mobile.waitFor("BYE", 1)
	s.wantStory("+48600100200", "arrived +48221234567", "offer anna", "ringing anna", "outcome anna answered", "bridged anna",
		"ended anna completed_by_caller")
	s.waitAgents("sales", "available", 1)
	s.waitFootprint(before)
}
