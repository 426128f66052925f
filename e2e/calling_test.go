package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// withTrunk is the office whose trunk leads to the carrier's telephone.
func withTrunk(c *carrier, agent string) string {
	return strings.Replace(withTrunkIn(office, c), "sip_password: anna-secret-1}", "sip_password: anna-secret-1"+agent+"}", 1)
}

// withTrunkIn is a configuration whose trunk leads to the carrier's telephone.
func withTrunkIn(groups string, c *carrier) string {
	return strings.Replace(groups, "carrier: {from: [CARRIER]}",
		fmt.Sprintf("carrier: {from: [CARRIER], host: %q, check: 0s, caller_id: \"+48 22 123 45 67\", emergency: \"112\"}", c.sipp), 1)
}

// An agent calls a telephone outside, through the trunk, and both hear each other.
func TestAgentCallsOutside(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ dialled, agent, number string }{
		"national":                   {"601000002", "", "+48601000002"},
		"international, for who may": {"+442079460000", ", calls: international", "+442079460000"},
		"premium rate, for who may":  {"+48701234567", ", calls: any", "+48701234567"},
		"emergency, for everybody":   {"112", ", calls: internal", "112"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			site := newSite(t)
			telephone := newCarrier(t, site, 1300, "carrier.xml")
			s := newServer(t, site, withTrunk(telephone, test.agent))
			before := s.footprint()
			anna := s.softphone("anna", "anna-secret-1", "udp", "manual", 900)
			anna.dial(test.dialled)
			invite := telephone.waitCall()
			if want := fmt.Sprintf("INVITE sip:%s@%v SIP/2.0", test.number, telephone.sipp); invite.start != want {
				t.Errorf("the carrier got %q, want %q", invite.start, want)
			}
			if from := uri(invite.header("From")); from != "sip:+48221234567@"+domain {
				t.Errorf("the carrier is shown %s", from)
			}
			anna.wait("talks", "CALL_ESTABLISHED")
			telephone.waitTone("the telephone hears Anna", 900, 500*time.Millisecond)
			anna.hearsMore(500 * time.Millisecond)
			anna.hangUp()
			telephone.waitOver()
			anna.wait("is free", "CALL_CLOSED")
			s.waitAgents("sales", "available", 1)
			s.waitFootprint(before)
			anna.heardOnly(1300, 900, calmHertz)
			if n := s.metrics()["centrala_calls_denied_total"]; n != 0 {
				t.Errorf("%v calls denied", n)
			}
		})
	}
}

// An agent's call for which no trunk is named: the first trunk refuses it, the
// second by priority takes it, though it is written before. Figures tell the limits.
func TestAgentCallsOutside_NextTrunk(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	telephone := newCarrier(t, site, 1300, "carrier.xml")
	refuses := newCarrier(t, site, 700, "carrier-refuses.xml", "STATUS", "503 Service Unavailable")
	groups := withTrunk(telephone, "")
	groups = strings.Replace(groups, "check: 0s", "check: 0s, priority: 2, max_calls: 5, max_calls_per_second: 20", 1)
	groups = strings.Replace(groups, "trunks:\n", fmt.Sprintf("trunks:\n  first: {host: %q, from: [192.0.2.77], check: 0s, priority: 1}\n", refuses.sipp), 1)
	s := newServer(t, site, groups)
	before := s.footprint()
	anna := s.softphone("anna", "anna-secret-1", "udp", "manual", 900)
	anna.dial("601000002")
	refuses.waitOver()
	telephone.waitCall()
	anna.wait("talks", "CALL_ESTABLISHED")
	telephone.waitTone("the telephone hears Anna", 900, 500*time.Millisecond)
	s.waitMetric(`centrala_trunk_calls{trunk="carrier"}`, 1)
	s.waitMetric(`centrala_trunk_calls_limit{trunk="carrier"}`, 5)
	s.waitMetric(`centrala_trunk_calls_per_second_limit{trunk="carrier"}`, 20)
	s.waitMetric(`centrala_trunk_limited_total{limit="rate",trunk="carrier"}`, 0)
	anna.hangUp()
	telephone.waitOver()
	anna.wait("is free", "CALL_CLOSED")
	s.waitFootprint(before)
	if n := len(s.log("calling by the next trunk")); n != 1 {
		t.Errorf("said %d times that the next trunk is called", n)
	}
}

// Toll fraud: what an agent may not call is refused, logged and counted, and the
// carrier hears nothing of it, whether it is dialled or a caller is sent there.
func TestTollFraud(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	telephone := newCarrier(t, site, 1300, "carrier.xml")
	s := newServer(t, site, withTrunk(telephone, ""))
	before := s.footprint()
	anna := s.softphone("anna", "anna-secret-1", "udp", "auto", 900)
	numbers := []string{"+442079460000", "+48701234567", "+881612345678", "0018765230123"}
	for i, number := range numbers {
		anna.dial(number)
		if e := anna.waitNth("is refused", "CALL_CLOSED", i+1); e.Param != "403 Not Entitled" {
			t.Errorf("%s: %s", number, e.Param)
		}
		s.waitMetric("centrala_calls_denied_total", float64(i+1))
	}
	s.waitLog("number outside denied: the agent may not call it", "agent", "anna", "number", "+18765230123", "class", "international")
	c := s.call("+48600100200", "+48221234567", 500)
	c.waitAnswered()
	c.waitTone("the caller hears Anna", 900, 300*time.Millisecond)
	anna.transfer("+48701234567")
	s.waitMetric("centrala_calls_denied_total", float64(len(numbers)+1))
	c.waitOver() // baresip hangs up when a transfer is refused
	s.waitFootprint(before)
	if _, called := telephone.find(request("INVITE")); called {
		t.Error("the carrier was called")
	}
}

// What an agent may call, they may send a caller to.
func TestBlindTransfer_Outside(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	telephone := newCarrier(t, site, 1300, "carrier.xml")
	s := newServer(t, site, withTrunk(telephone, ""))
	before := s.footprint()
	anna := s.softphone("anna", "anna-secret-1", "udp", "auto", 900)
	c := s.call("+48600100200", "+48221234567", 500)
	c.waitAnswered()
	c.waitTone("the caller hears Anna", 900, 300*time.Millisecond)
	anna.transfer("+48601000002")
	telephone.waitCall()
	anna.wait("is free", "CALL_CLOSED")
	s.waitAgents("sales", "available", 1)
	c.waitTone("the caller hears the telephone", 1300, 300*time.Millisecond)
	telephone.waitTone("the telephone hears the caller", 500, 300*time.Millisecond)
	c.hangUp()
	c.waitOver()
	telephone.waitOver()
	s.waitFootprint(before)
}
