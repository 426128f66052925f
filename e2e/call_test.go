package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// oneAgent is a group with the agent anna, whose number is +48221234567.
const oneAgent = `
agents:
  anna: {name: Anna Nowak, extension: "101", sip_password: anna-secret-1}
groups:
  sales: {name: Sales, agents: [anna], distribution: evenly, rings: 20, ring_length: 1s, wrap_up: 0s, hold_music: calm}
trunks:
  carrier: {from: [CARRIER]}
numbers:
  "+48 22 123 45 67": {trunk: carrier, group: sales}
`

// A caller who finds nobody hears music; an agent becomes free and their phone
// rings; both hear each other and no music; either of them hangs up, the other
// leg ends and the agent is free again. The log tells one complete story.
func TestFirstCall(t *testing.T) {
	t.Parallel()
	for _, transport := range []string{"udp", "tcp"} {
		for _, first := range []string{"the caller", "the agent"} {
			t.Run(transport+", "+first+" hangs up", func(t *testing.T) {
				t.Parallel()
				s := newServer(t, newSite(t), oneAgent)
				before := s.footprint()
				c := s.call("+48600100200", "+48221234567", 500)
				c.waitAnswered()
				c.waitTone("music while nobody is there", calmHertz, 500*time.Millisecond)

				anna := s.softphone("anna", "anna-secret-1", transport, "manual", 900)
				anna.rang(1)
				c.waitTone("music while the phone rings", calmHertz, 200*time.Millisecond)
				anna.accept()
				anna.wait("talks", "CALL_ESTABLISHED")
				c.waitTone("the caller hears the agent", 900, time.Second)
				c.wantOnly(500*time.Millisecond, 900, calmHertz, 500)
				s.waitAgents("sales", "talking", 1)

				if first == "the caller" {
					c.hangUp()
				} else {
					anna.hangUp()
				}
				c.waitOver()
				anna.wait("hangs up", "CALL_CLOSED")
				s.waitAgents("sales", "available", 1)
				c.wantOneStream()
				s.waitFootprint(before)
				s.wantStory("+48600100200", "arrived +48221234567", "queued", "offer anna", "ringing anna",
					"outcome anna answered", "bridged anna", "ended anna completed_by_"+strings.TrimPrefix(first, "the "))

				heard := anna.recordings()
				if len(heard) != 1 {
					t.Fatalf("%d recordings of one call", len(heard))
				}
				wantOnly(t, heard[0], 8000, 500, calmHertz, 900)
			})
		}
	}
}

// Three callers wait and one agent serves them, in order of arrival.
func TestCallersAreServedInOrder(t *testing.T) {
	t.Parallel()
	s := newServer(t, newSite(t), oneAgent)
	var callers []*caller
	for i, hertz := range []int{500, 700, 1100} {
		c := s.call(fmt.Sprintf("+4860010020%d", i), "+48221234567", hertz)
		c.waitAnswered()
		c.waitTone("music", calmHertz, 200*time.Millisecond)
		s.waitWaiting("sales", i+1)
		callers = append(callers, c)
	}
	anna := s.softphone("anna", "anna-secret-1", "udp", "auto", 900)
	for i, c := range callers {
		anna.waitNth("talks", "CALL_ESTABLISHED", i+1)
		c.waitTone("the caller hears the agent", 900, 300*time.Millisecond)
		for _, other := range callers[i+1:] {
			other.waitTone("who comes later still hears music", calmHertz, 200*time.Millisecond)
			other.wantOnly(200*time.Millisecond, calmHertz, 900, float64(c.hertz))
		}
		// baresip names its recordings by the second: let this one last into the next.
		c.waitTone("they talk for a while", 900, time.Second)
		c.hangUp()
		c.waitOver()
		anna.waitNth("hangs up", "CALL_CLOSED", i+1)
	}
	s.waitAgents("sales", "available", 1)
	for i, pcm := range anna.recordings() {
		wantOnly(t, pcm, 8000, float64(callers[i].hertz), calmHertz)
	}
	if n := len(anna.recordings()); n != len(callers) {
		t.Errorf("%d recordings of %d calls", n, len(callers))
	}
}

// A phone with a wrong password and a caller who comes from no carrier are refused.
func TestStrangersAreRefused(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	s := newServer(t, site, oneAgent)
	p := newSoftphone(t, site, "anna", 900, fmt.Sprintf(
		`<sip:anna@%s>;auth_user=anna;auth_pass=wrong;outbound="sip:%v";regint=60`, domain, s.sip))
	p.wait("is refused", "REGISTER_FAIL")
	c := callTo(t, site.phoneHost(), s.sip, "+48600100200", "+48221234567", 500)
	select {
	case err := <-c.over:
		if err == nil {
			t.Error("the call of a stranger was not refused")
		}
	case <-time.After(patience):
		t.Error("the call of a stranger was not answered at all")
	}
	s.waitAgents("sales", "offline", 1)
	if n := s.metrics()["centrala_calls_arrived_total"]; n != 0 {
		t.Errorf("%v calls came in", n)
	}
	s.stop()
}
