package e2e

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// carrier is where a call of ours leaves: sipp carries the signalling of the
// telephone that it puts the call through to, the test the audio.
type carrier struct{ *caller }

// newCarrier starts a carrier that takes one call by a scenario, in which words
// are replaced by others, in pairs; hertz is the tone of the voice at the telephone.
func newCarrier(t *testing.T, s *site, hertz int, scenario string, words ...string) *carrier {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", scenario))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), scenario)
	if err := os.WriteFile(file, []byte(strings.NewReplacer(words...).Replace(string(text))), 0o600); err != nil {
		t.Fatal(err)
	}
	host := s.carrierHost()
	c := &carrier{&caller{
		ear:   newEar(t, host, hertz),
		sipp:  netip.AddrPortFrom(host, peerPort),
		trace: filepath.Join(t.TempDir(), "messages"),
		over:  make(chan error, 1),
		since: time.Now(),
	}}
	// A machine that was held up repeats its INVITE, at which sipp would give up.
	c.run("carrier", "-sf", file, "-default_behaviors", "all,-abortunexp")
	return c
}

func request(method string) func(message) bool {
	return func(m message) bool { return m.method() == method }
}

// waitCall waits until the call reaches the telephone, lets it speak, and gives the INVITE.
func (c *carrier) waitCall() message {
	c.t.Helper()
	invite := c.wait("the carrier is called", request("INVITE"))
	addr, ok := invite.audio()
	if !ok {
		c.t.Fatalf("the offer names no audio:\n%s", invite.body)
	}
	c.id = invite.header("Call-ID")
	c.speak(addr)
	return invite
}

// hangUp lets the telephone hang up.
func (c *carrier) hangUp() { c.t.Helper(); c.goOn() }

// goOn tells the carrier to go on with its scenario.
func (c *carrier) goOn() {
	c.t.Helper()
	conn, err := net.Dial("udp", c.sipp.String())
	if err != nil {
		c.t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "INFO sip:telephone@%v SIP/2.0\r\nVia: SIP/2.0/UDP %v;branch=z9hG4bK-tell\r\n"+
		"From: <sip:test@localhost>;tag=1\r\nTo: <sip:telephone@localhost>;tag=2\r\nCall-ID: %s\r\nCSeq: 9 INFO\r\nContent-Length: 0\r\n\r\n",
		c.sipp, conn.LocalAddr(), c.id)
}

// outside declares a group whose calls leave by a trunk to the carrier when nobody answers.
func outside(c *carrier, p *phone, settings, trunk, noAnswer string) string {
	groups := withPhones("in_order", settings+", no_answer: "+noAnswer, p)
	groups = strings.Replace(groups, "carrier: {from: [CARRIER]}",
		fmt.Sprintf("carrier: {from: [CARRIER], host: %q, check: 0s%s}", c.sipp, trunk), 1)
	return strings.Replace(groups, "{contact:", `{phone: "+48 601 000 002", contact:`, 1)
}

// Nobody answers: the caller is connected with a given number (R96) or with the
// telephone of the last agent (R95), through the trunk, and both hear each other.
func TestForwardingOutside(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		noAnswer, trunk string
		number          string // that the carrier is to be called for
		from, diversion string // user parts shown to the carrier
		telephoneEnds   bool
	}{
		"R96 number": {
			noAnswer: `[{action: number, to: "+48 (22) 999-88-77"}, hangup]`, trunk: `, caller_id: "+48 22 123 45 67"`,
			number: "+48229998877", from: "+48221234567", diversion: "+48221234567", telephoneEnds: true,
		},
		"R95 agent": {
			noAnswer: "[agent, hangup]", number: "+48601000002", from: "+48600100200", diversion: "+48221234567",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			site := newSite(t)
			telephone := newCarrier(t, site, 1300, "carrier.xml")
			p := newPhone(t, site, "anna", 900, declines)
			s := newServer(t, site, outside(telephone, p, "rings: 2", test.trunk, test.noAnswer))
			before := s.footprint()
			c := s.call("+48600100200", "+48221234567", 500)
			invite := telephone.waitCall()
			if want := fmt.Sprintf("INVITE sip:%s@%v SIP/2.0", test.number, telephone.sipp); invite.start != want {
				t.Errorf("the carrier got %q, want %q", invite.start, want)
			}
			if from := uri(invite.header("From")); from != "sip:"+test.from+"@"+domain {
				t.Errorf("the carrier is shown %s, want %s", from, test.from)
			}
			if got := strings.Contains(invite.header("Diversion"), "<sip:"+test.diversion+"@"+domain+">"); got != (test.diversion != "") {
				t.Errorf("Diversion %q, want %q", invite.header("Diversion"), test.diversion)
			}
			// RFC 7332: a loop through us and a carrier ends.
			if got := invite.header("Max-Forwards"); got != "69" {
				t.Errorf("Max-Forwards %s for a caller's 70", got)
			}
			c.waitAnswered()
			c.waitTone("the caller hears the telephone", 1300, 300*time.Millisecond)
			telephone.waitTone("the telephone hears the caller", 500, 300*time.Millisecond)
			if test.telephoneEnds {
				telephone.hangUp()
			} else {
				c.hangUp()
			}
			c.waitOver()
			telephone.waitOver()
			s.wantStory("+48600100200", "arrived +48221234567", "offer anna", "outcome anna declined",
				"action "+strings.Fields(name)[1], "offer "+test.number, "ringing", "outcome answered", "bridged", "ended forwarded_outside")
			s.waitFootprint(before)
		})
	}
}

// The carrier asks for a password (RFC 3261 section 22.3): the account is that of auth.
func TestForwardingOutsideWithPassword(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		password string
		right    bool
	}{"right": {"secret-of-acme", true}, "wrong": {"secret-of-others", false}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			site := newSite(t)
			telephone := newCarrier(t, site, 1300, "carrier-digest.xml")
			p := newPhone(t, site, "anna", 900, declines)
			s := newServer(t, site, outside(telephone, p, "rings: 2",
				fmt.Sprintf(", auth: {user: acme, password: %s}", test.password), "[agent, hangup]"))
			before := s.footprint()
			c := s.call("+48600100200", "+48221234567", 500)
			if test.right {
				telephone.waitCall()
				c.waitAnswered()
				c.waitTone("the caller hears the telephone", 1300, 300*time.Millisecond)
				telephone.waitTone("the telephone hears the caller", 500, 300*time.Millisecond)
				c.hangUp()
				c.waitOver()
			} else {
				s.waitLog("offer failed", "number", "+48601000002", "code", "403")
			}
			telephone.waitOver()
			s.waitFootprint(before)
		})
	}
}

// Early media: what is before the telephone, and whoever is called for it, hear each
// other before the answer. The caller is answered only when the telephone is.
func TestEarlyMedia_Forwarded(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	telephone := newCarrier(t, site, 1300, "carrier-early.xml", "STATUS", "200 OK")
	p := newPhone(t, site, "anna", 900, declines)
	s := newServer(t, site, outside(telephone, p, "rings: 2", "", "[agent, hangup]"))
	before := s.footprint()
	c := s.call("+48600100200", "+48221234567", 500)
	telephone.waitCall()
	progress := c.wait("early media", response("INVITE", 183))
	if _, ok := progress.audio(); !ok {
		t.Errorf("183 without a session description:\n%s", progress.body)
	}
	c.waitTone("the caller hears what is before the telephone", 1300, 500*time.Millisecond)
	if _, answered := c.find(response("INVITE", 200)); answered {
		t.Error("the caller was answered before the telephone")
	}
	telephone.goOn()
	c.waitAnswered()
	c.waitTone("the caller hears the telephone", 1300, 300*time.Millisecond)
	telephone.waitTone("the telephone hears the caller", 500, 300*time.Millisecond)
	c.hangUp()
	c.waitOver()
	telephone.waitOver()
	s.wantStory("+48600100200", "arrived +48221234567", "offer anna", "outcome anna declined",
		"action agent", "offer +48601000002", "ringing", "outcome answered", "bridged", "ended forwarded_outside")
	s.waitFootprint(before)
}

// An agent calls outside and hears what is before the telephone.
func TestEarlyMedia_AgentCalls(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	telephone := newCarrier(t, site, 1300, "carrier-early.xml", "STATUS", "200 OK")
	s := newServer(t, site, withTrunk(telephone, ""))
	before := s.footprint()
	anna := s.softphone("anna", "anna-secret-1", "udp", "manual", 900)
	anna.dial("601000002")
	telephone.waitCall()
	anna.wait("hears something before the answer", "CALL_PROGRESS")
	s.waitMetric("centrala_media_endpoints", 2)
	anna.hearsMore(time.Second)
	telephone.goOn()
	anna.wait("talks", "CALL_ESTABLISHED")
	telephone.waitTone("the telephone hears Anna", 900, 500*time.Millisecond)
	anna.hangUp()
	telephone.waitOver()
	anna.wait("is free", "CALL_CLOSED")
	s.waitFootprint(before)
	anna.heardOnly(1300, 900, calmHertz)
}

// The telephone outside is busy: the chain goes on, and the caller is told at last.
func TestForwardingOutsideFails(t *testing.T) {
	t.Parallel()
	for status, outcome := range map[string]string{
		"486 Busy Here": "busy", "603 Decline": "declined", "480 Temporarily Unavailable": "no_answer", "404 Not Found": "unreachable",
	} {
		t.Run(status, func(t *testing.T) {
			t.Parallel()
			site := newSite(t)
			telephone := newCarrier(t, site, 1300, "carrier-refuses.xml", "STATUS", status)
			p := newPhone(t, site, "anna", 900, declines)
			s := newServer(t, site, outside(telephone, p, "rings: 2", "", "[agent, hangup]"))
			before := s.footprint()
			c := s.call("+48600100200", "+48221234567", 500)
			telephone.waitOver()
			if err := <-c.over; err == nil {
				t.Error("the caller was not refused")
			}
			s.wantStory("+48600100200", "arrived +48221234567", "offer anna", "outcome anna declined",
				"action agent", "offer +48601000002", "outcome "+outcome, "action hangup", "ended missed")
			s.waitFootprint(before)
		})
	}
}

// The caller gives up while the telephone outside is called: it stops ringing.
func TestForwardingOutsideCancelled(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	p := newPhone(t, site, "anna", 900, declines)
	telephone := newPhone(t, site, "mobile", 1300, rings)
	groups := withPhones("in_order", "no_answer: [agent, hangup]", p)
	groups = strings.Replace(groups, "carrier: {from: [CARRIER]}", fmt.Sprintf("carrier: {from: [CARRIER], host: %q, check: 0s}", telephone.sipAddr()), 1)
	groups = strings.Replace(groups, "{contact:", `{phone: "+48 601 000 002", contact:`, 1)
	s := newServer(t, site, groups)
	before := s.footprint()
	c := s.call("+48600100200", "+48221234567", 500)
	telephone.waitCall(1)
	c.waitRinging()
	c.hangUp()
	c.waitOver()
	telephone.waitFor("CANCEL", 1)
	s.waitFootprint(before)
}

// The server registers with a carrier, for as long as that wants, and says goodbye
// when it stops.
func TestRegistersWithCarrier(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	registrar := newCarrier(t, site, 1300, "registrar.xml")
	p := newPhone(t, site, "anna", 900, picksUp)
	groups := strings.Replace(withPhones("in_order", "", p), "carrier: {from: [CARRIER]}",
		fmt.Sprintf("carrier: {host: %q, register: {user: acme, password: secret-of-acme}, check: 0s}", registrar.sipp), 1)
	s := newServer(t, site, groups)
	s.waitMetric(`centrala_trunk_registered{trunk="carrier"}`, 1)
	sent := func() (expires []string) {
		for _, m := range registrar.messages() {
			if m.method() == "REGISTER" {
				expires = append(expires, m.header("Expires"))
			}
		}
		return expires
	}
	if got := sent(); !slices.Equal(got, []string{"600", "600", "1800"}) {
		t.Errorf("registered for %v", got)
	}
	s.stop()
	registrar.waitOver()
	if got := sent(); len(got) != 4 || got[3] != "0" {
		t.Errorf("at the end: %v", got)
	}
}

func TestRegistersInVain(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	registrar := newCarrier(t, site, 1300, "registrar.xml")
	p := newPhone(t, site, "anna", 900, picksUp)
	groups := strings.Replace(withPhones("in_order", "", p), "carrier: {from: [CARRIER]}",
		fmt.Sprintf("carrier: {host: %q, register: {user: acme, password: secret-of-others}, check: 0s}", registrar.sipp), 1)
	s := newServer(t, site, groups)
	s.waitLog("not registered with the carrier", "trunk", "carrier", "error", "refused with 403 Forbidden")
	registrar.waitOver()
	s.waitMetric(`centrala_trunk_registered{trunk="carrier"}`, 0)
}

// Carriers are asked whether they are there: one answers, at the other's address
// is nobody. The figure and the log tell.
func TestTrunk_UpOrDown(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	there := newPhone(t, site, "carrier", 900, isBusy)
	groups := withPhones("in_order", "", newPhone(t, site, "anna", 700, picksUp))
	s := newServer(t, site, strings.Replace(groups, "  carrier: {from: [CARRIER]}",
		fmt.Sprintf("  carrier: {from: [CARRIER], host: %q, check: 1s}\n  gone: {host: \"%v:%d\"}", there.sipAddr(), site.phoneHost(), peerPort), 1))
	s.waitMetric(`centrala_trunk_up{trunk="carrier"}`, 1)
	there.waitFor("OPTIONS", 2)
	s.waitLog("the carrier does not answer", "trunk", "gone")
	figures := s.metrics()
	if up, told := figures[`centrala_trunk_up{trunk="gone"}`]; !told || up != 0 {
		t.Errorf("gone: up %v, told %v", up, told)
	}
	if n := len(s.log("the carrier answers")); n != 1 {
		t.Errorf("that the carrier answers is logged %d times", n)
	}
}
