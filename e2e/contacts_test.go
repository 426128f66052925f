package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// All phones of an agent ring at once. The one that answers has the call, and the
// other is told that it was completed elsewhere (RFC 3326), so that it lists no
// missed call. When the caller gives up, both stop and are told no such thing.
func TestTwoPhonesOfOneAgent(t *testing.T) {
	t.Parallel()
	const elsewhere = `Reason: SIP;cause=200;text="Call completed elsewhere"`
	s := newServer(t, newSite(t), oneAgent)
	desk := s.softphone("anna", "anna-secret-1", "udp", "manual", 900)
	mobile := s.softphone("anna", "anna-secret-1", "tcp", "manual", 1100)
	before := s.footprint()
	messages := func(p *softphone) string {
		text, err := os.ReadFile(filepath.Join(p.dir, "output"))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	c := s.call("+48600100200", "+48221234567", 500)
	desk.rang(1)
	mobile.wait("rings", "CALL_INCOMING")
	c.hangUp()
	c.waitOver()
	desk.wait("stops ringing", "CALL_CLOSED")
	mobile.wait("stops ringing", "CALL_CLOSED")
	s.waitAgents("sales", "available", 1)
	for _, p := range []*softphone{desk, mobile} {
		if strings.Contains(messages(p), elsewhere) {
			t.Errorf("%s was told that somebody has the call", p.addr)
		}
	}

	c = s.call("+48600100201", "+48221234567", 500)
	desk.rang(2)
	mobile.waitNth("rings", "CALL_INCOMING", 2)
	mobile.accept()
	desk.waitNth("stops ringing", "CALL_CLOSED", 2)
	eventually(t, "the desk phone is told why", func() bool { return strings.Contains(messages(desk), elsewhere) })
	c.waitTone("the caller hears the mobile", 1100, 500*time.Millisecond)
	c.wantOnly(300*time.Millisecond, 1100, 900, calmHertz)
	s.waitAgents("sales", "talking", 1)
	c.hangUp()
	c.waitOver()
	mobile.waitNth("is hung up on", "CALL_CLOSED", 2)
	s.waitFootprint(before)
	if strings.Contains(messages(mobile), elsewhere) {
		t.Error("the phone that answered was told that another did")
	}
	s.wantStory("+48600100201", "arrived +48221234567", "offer anna", "ringing anna", "outcome anna answered", "bridged anna",
		"ended anna completed_by_caller")
}

// An agent of two groups logs out of one of them by code: only calls of the other
// reach them. Out of all, none does; in again, both.
func TestFeatureCodes_SeveralGroups(t *testing.T) {
	t.Parallel()
	s := newServer(t, newSite(t), strings.Replace(office, "agents: [anna],", "agents: [bartek],", 1))
	anna := s.softphone("anna", "anna-secret-1", "udp", "manual", 900)
	bartek := s.softphone("bartek", "bartek-secret-1", "udp", "manual", 500)
	closed, incoming, calls := 0, 0, 0
	dial := func(code string) {
		t.Helper()
		bartek.dial(code)
		closed++
		bartek.waitNth("is hung up on after "+code, "CALL_CLOSED", closed)
	}
	reaches := func(extension, group string, yes bool) {
		t.Helper()
		anna.dial(extension)
		calls++
		if yes {
			incoming++
			bartek.waitNth("rings for "+group, "CALL_INCOMING", incoming)
			closed++
		} else {
			s.waitWaiting(group, 1)
		}
		anna.hangUp()
		anna.waitNth("has hung up", "CALL_CLOSED", calls)
		if yes {
			bartek.waitNth("stops ringing", "CALL_CLOSED", closed)
		}
		s.waitWaiting(group, 0)
		s.waitAgents(group, "available", 1)
	}
	dial("*20600")
	reaches("600", "sales", false)
	reaches("601", "support", true)
	dial("*20")
	reaches("601", "support", false)
	dial("*21601")
	reaches("600", "sales", false)
	reaches("601", "support", true)
	dial("*21")
	reaches("600", "sales", true)
}
