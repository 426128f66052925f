package e2e

import (
	"slices"
	"strings"
	"testing"
	"time"

	"centrala/holdmusic"
	"centrala/media/tone"
)

// office is two agents and two groups that colleagues reach by their extensions.
const office = `
agents:
  anna: {name: Anna Nowak, extension: "101", sip_password: anna-secret-1}
  bartek: {name: Bartek Lis, extension: "102", sip_password: bartek-secret-1}
groups:
  sales: {name: Sales, extension: "600", agents: [anna], rings: 20, ring_length: 1s, wrap_up: 0s, hold_music: calm}
  support: {name: Support, extension: "601", agents: [bartek], rings: 20, ring_length: 1s, wrap_up: 0s}
trunks:
  carrier: {from: [CARRIER]}
numbers:
  "+48 22 123 45 67": {trunk: carrier, group: sales}
`

// dial has the phone call somebody.
func (p *softphone) dial(to string) {
	p.t.Helper()
	p.command("dial", "sip:"+to+"@"+domain)
}

// heardOnly checks that it heard one voice in its one call, which is over.
func (p *softphone) heardOnly(hertz float64, not ...float64) {
	p.t.Helper()
	heard := p.recordings()
	if len(heard) != 1 {
		p.t.Fatalf("%s: %d recordings of one call", p.name, len(heard))
	}
	wantOnly(p.t, heard[0], 8000, hertz, not...)
}

// An agent calls a colleague's extension: the colleague's phone rings, both hear
// each other, and whoever hangs up, both are free again.
func TestCallBetweenAgents(t *testing.T) {
	t.Parallel()
	for _, transport := range []string{"udp", "tcp"} {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			s := newServer(t, newSite(t), office)
			before := s.footprint()
			anna := s.softphone("anna", "anna-secret-1", transport, "manual", 900)
			bartek := s.softphone("bartek", "bartek-secret-1", transport, "manual", 500)
			bartek.dial("101")
			anna.wait("rings", "CALL_INCOMING")
			bartek.wait("hears that it rings", "CALL_RINGING")
			s.waitAgents("sales", "ringing", 1)
			anna.accept()
			anna.wait("talks", "CALL_ESTABLISHED")
			bartek.wait("talks", "CALL_ESTABLISHED")
			s.waitAgents("sales", "talking", 1)
			s.waitAgents("support", "talking", 1)
			anna.hearsMore(time.Second)
			bartek.hearsMore(time.Second)
			if transport == "udp" {
				bartek.hangUp()
			} else {
				anna.hangUp()
			}
			anna.wait("hangs up", "CALL_CLOSED")
			bartek.wait("hangs up", "CALL_CLOSED")
			s.waitAgents("sales", "available", 1)
			s.waitAgents("support", "available", 1)
			s.waitFootprint(before)
			anna.heardOnly(500, 900, calmHertz)
			bartek.heardOnly(900, 500, calmHertz)
			end := "completed_by_caller"
			if transport == "tcp" {
				end = "completed_by_agent"
			}
			s.wantStory("102", "arrived 101", "kept anna", "offer anna", "ringing anna", "outcome anna answered",
				"bridged anna", "ended anna "+end)
		})
	}
}

// wantSome checks that a tone was heard for a while, if not all the time.
func wantSome(t *testing.T, pcm []int16, rate int, hertz float64) {
	t.Helper()
	if got := slices.Max(tone.Levels(pcm, rate, hertz, 200*time.Millisecond)); got < loud {
		t.Errorf("%v Hz at %.0f dB at most, want %v", hertz, got, loud)
	}
}

// An agent calls a group's extension and waits in its queue with its music, like
// any caller, until somebody is there.
func TestAgentCallsGroup(t *testing.T) {
	t.Parallel()
	for name, dialled := range map[string]string{"by extension": "600", "by a number of ours": "221234567"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			callsGroup(t, dialled)
		})
	}
}

func callsGroup(t *testing.T, dialled string) {
	t.Helper()
	s := newServer(t, newSite(t), office)
	before := s.footprint()
	bartek := s.softphone("bartek", "bartek-secret-1", "udp", "manual", 500)
	bartek.dial(dialled)
	bartek.wait("is answered by the queue", "CALL_ESTABLISHED")
	s.waitWaiting("sales", 1)
	bartek.hearsMore(time.Second) // music
	anna := s.softphone("anna", "anna-secret-1", "udp", "auto", 900)
	anna.wait("talks", "CALL_ESTABLISHED")
	anna.hearsMore(time.Second)
	bartek.hearsMore(time.Second)
	anna.hangUp()
	bartek.wait("hangs up", "CALL_CLOSED")
	s.waitFootprint(before)
	anna.heardOnly(500, calmHertz)
	heard := bartek.recordings()
	if len(heard) != 1 {
		t.Fatalf("%d recordings of one call", len(heard))
	}
	wantSome(t, heard[0], 8000, 900)
	wantSome(t, heard[0], 8000, calmHertz)
}

// An extension that nobody has, a colleague who is not there, one's own
// extension, and a number that they may not call: each call is refused, and nothing is left of it.
func TestAgentCallsNobody(t *testing.T) {
	t.Parallel()
	s := newServer(t, newSite(t), office)
	before := s.footprint()
	bartek := s.softphone("bartek", "bartek-secret-1", "udp", "manual", 500)
	for i, c := range []struct{ to, want string }{
		{"999", "404 Nobody to Call by That Number"}, {"101", "486 Busy Here"}, {"102", "404 Nobody to Call by That Number"},
		{"+881234567890", "403 Not Entitled"},
	} {
		bartek.dial(c.to)
		if e := bartek.waitNth("is refused", "CALL_CLOSED", i+1); e.Param != c.want {
			t.Errorf("%s: %s, want %s", c.to, e.Param, c.want)
		}
	}
	s.waitAgents("support", "available", 1)
	s.waitFootprint(before)
}

// A caller's call rings at Anna's; Bartek takes it by dialling *8, or ** and her
// extension (R93). Her phone stops, both hear each other, and she has missed nothing.
func TestPickup(t *testing.T) {
	t.Parallel()
	for name, code := range map[string]string{"of the group": "*8", "directed": "**101"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t, newSite(t), strings.Replace(office, "agents: [anna]", "agents: [anna, bartek], distribution: in_order", 1))
			before := s.footprint()
			anna := s.softphone("anna", "anna-secret-1", "udp", "manual", 900)
			bartek := s.softphone("bartek", "bartek-secret-1", "udp", "manual", 500)
			c := s.call("+48600100200", "+48221234567", 700)
			anna.wait("rings", "CALL_INCOMING")
			s.waitAgents("sales", "ringing", 1)
			bartek.dial(code)
			bartek.wait("is answered", "CALL_ESTABLISHED")
			anna.wait("stops ringing", "CALL_CLOSED")
			c.waitAnswered()
			c.waitTone("the caller hears Bartek", 500, time.Second)
			c.wantOnly(500*time.Millisecond, 500, 900, calmHertz)
			s.waitAgents("sales", "talking", 1)
			s.waitAgents("sales", "available", 1) // Anna
			bartek.hangUp()
			c.waitOver()
			bartek.wait("hangs up", "CALL_CLOSED")
			s.waitAgents("sales", "available", 2)
			c.wantOneStream()
			s.waitFootprint(before)
			bartek.heardOnly(700, 900)
			s.wantStory("+48600100200", "arrived +48221234567", "offer anna", "ringing anna",
				"claim bartek "+map[string]string{"*8": "group", "**101": "agent"}[code], "outcome bartek answered", "outcome anna lost_race",
				"bridged bartek", "ended bartek completed_by_agent")
		})
	}
}

// There is nothing to pick up, or nothing that Bartek may have: he hears the tone
// of what was not done, and is hung up on.
func TestPickup_Nothing(t *testing.T) {
	t.Parallel()
	s := newServer(t, newSite(t), office)
	before := s.footprint()
	anna := s.softphone("anna", "anna-secret-1", "udp", "manual", 900)
	bartek := s.softphone("bartek", "bartek-secret-1", "udp", "manual", 500)
	bartek.dial("*8")
	bartek.wait("is hung up on", "CALL_CLOSED")
	c := s.call("+48600100200", "+48221234567", 700)
	anna.wait("rings", "CALL_INCOMING")
	bartek.dial("**101") // he is in no group with her
	bartek.waitNth("is hung up on", "CALL_CLOSED", 2)
	anna.accept()
	c.waitAnswered()
	c.waitTone("the caller hears Anna", 900, 500*time.Millisecond)
	c.hangUp()
	c.waitOver()
	s.waitFootprint(before)
	for _, heard := range bartek.recordings() {
		wantSome(t, heard, 8000, 425)
	}
}

// Bartek goes on a break, comes back, and ends and begins his day, each by a code.
func TestFeatureCodes(t *testing.T) {
	t.Parallel()
	s := newServer(t, newSite(t), office+"work_time: {breaks: [lunch, training]}\n")
	before := s.footprint()
	bartek := s.softphone("bartek", "bartek-secret-1", "udp", "manual", 500)
	s.waitAgents("support", "available", 1)
	for i, c := range []struct{ code, status string }{
		{"*42", "on_break"}, {"*40", "available"}, {"*90", "day_not_started"}, {"*91", "available"},
	} {
		bartek.dial(c.code)
		s.waitAgents("support", c.status, 1)
		bartek.waitNth("is hung up on", "CALL_CLOSED", i+1)
	}
	bartek.dial("*43")
	if e := bartek.waitNth("is refused", "CALL_CLOSED", 5); e.Param != "404 No Such Feature Code" {
		t.Errorf("an unknown code: %s", e.Param)
	}
	s.waitFootprint(before)
	for _, heard := range bartek.recordings() {
		wantSome(t, heard, 8000, 1000)
	}
}

// Bartek is told what the test does, and hears himself. If the server was held up and
// left words out, he calls again.
func TestFeatureCodes_Echo(t *testing.T) {
	t.Parallel()
	s := newServer(t, newSite(t), office)
	before := s.footprint()
	bartek := s.softphone("bartek", "bartek-secret-1", "udp", "manual", 500)
	said := newSpeech(t, "pl", holdmusic.WordEcho)
	for nth := 1; nth <= 5 && !said.whole(); nth++ {
		sent := s.metrics()["centrala_rtp_sent_packets_total"]
		bartek.dial("*99")
		bartek.waitNth("is answered", "CALL_ESTABLISHED", nth)
		eventually(t, "the test is explained, and a second of his voice sent back", func() bool {
			return s.metrics()["centrala_rtp_sent_packets_total"] >= sent+300
		})
		s.waitAgents("support", "available", 1) // it is no call of the queue's
		bartek.hangUp()
		bartek.waitNth("has hung up", "CALL_CLOSED", nth)
		heard := bartek.recordings()
		if len(heard) != nth {
			t.Fatalf("%d recordings of %d calls", len(heard), nth)
		}
		wantSome(t, heard[nth-1], 8000, 500)
		said.hear(heard[nth-1])
	}
	s.waitFootprint(before)
	if !said.whole() {
		t.Errorf("not heard:%v", said)
	}
}

// Bartek logs out of his group, so that Anna waits there with music, and in again,
// so that his phone rings for her.
func TestFeatureCodes_Seats(t *testing.T) {
	t.Parallel()
	s := newServer(t, newSite(t), office)
	anna := s.softphone("anna", "anna-secret-1", "udp", "manual", 900)
	bartek := s.softphone("bartek", "bartek-secret-1", "udp", "manual", 500)
	bartek.dial("*20601")
	bartek.wait("is hung up on", "CALL_CLOSED")
	anna.dial("601")
	anna.wait("is answered by the queue", "CALL_ESTABLISHED")
	s.waitWaiting("support", 1)
	bartek.dial("*21")
	bartek.wait("rings", "CALL_INCOMING")
	anna.hangUp()
	bartek.waitNth("stops ringing", "CALL_CLOSED", 2)
}

// Anna parks a caller by dialling on her other line, and Bartek fetches them.
func TestParking(t *testing.T) {
	t.Parallel()
	s := newServer(t, newSite(t), office)
	before := s.footprint()
	anna := s.softphone("anna", "anna-secret-1", "udp", "manual", 900)
	bartek := s.softphone("bartek", "bartek-secret-1", "udp", "manual", 500)
	c := s.call("+48600100200", "+48221234567", 700)
	anna.picksUp(1)
	c.waitAnswered()
	c.waitTone("the caller hears Anna", 900, 300*time.Millisecond)
	anna.dial("*67")
	anna.waitNth("is hung up on, on both lines", "CALL_CLOSED", 2)
	c.waitTone("the caller hears music", calmHertz, 300*time.Millisecond)
	s.waitAgents("sales", "available", 1)
	bartek.dial("*57")
	c.waitTone("the caller hears Bartek", 500, 500*time.Millisecond)
	c.wantOnly(300*time.Millisecond, 500, 900, calmHertz)
	c.hangUp()
	c.waitOver()
	bartek.wait("is hung up on", "CALL_CLOSED")
	c.wantOneStream()
	s.waitFootprint(before)
	s.wantStory("+48600100200", "arrived +48221234567", "offer anna", "ringing anna", "outcome anna answered", "bridged anna",
		"parked anna 7", "claim bartek parked", "outcome bartek answered", "bridged bartek", "ended bartek completed_by_caller")
}
