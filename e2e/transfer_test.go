package e2e

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// transfer has the phone put whom it talks to through to somebody else, by REFER.
func (p *softphone) transfer(to string) {
	p.t.Helper()
	p.command("transfer", "sip:"+to+"@"+domain)
}

// An agent transfers the customer blindly: the agent is free at once, the
// customer hears music until the colleague answers, and then the colleague.
func TestBlindTransfer(t *testing.T) {
	t.Parallel()
	for _, transport := range []string{"udp", "tcp"} {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			s := newServer(t, newSite(t), office)
			before := s.footprint()
			anna := s.softphone("anna", "anna-secret-1", transport, "auto", 900)
			bartek := s.softphone("bartek", "bartek-secret-1", transport, "manual", 700)
			c := s.call("+48600100200", "+48221234567", 500)
			c.waitAnswered()
			c.waitTone("the caller hears anna", 900, 200*time.Millisecond)
			anna.transfer("102")
			anna.wait("is free", "CALL_CLOSED")
			bartek.wait("rings", "CALL_INCOMING")
			c.waitTone("music until bartek answers", calmHertz, 200*time.Millisecond)
			s.waitAgents("sales", "available", 1)
			bartek.accept()
			c.waitTone("the caller hears bartek", 700, 500*time.Millisecond)
			c.wantOnly(300*time.Millisecond, 700, calmHertz, 900, 500)
			c.hangUp()
			c.waitOver()
			bartek.wait("hangs up", "CALL_CLOSED")
			c.wantOneStream()
			s.waitFootprint(before)
			s.wantStory("+48600100200", "arrived +48221234567", "offer anna", "ringing anna", "outcome anna answered", "bridged anna",
				"transfer anna to bartek", "kept bartek", "offer bartek", "ringing bartek", "outcome bartek answered",
				"bridged bartek", "ended bartek completed_by_caller")
			anna.heardOnly(500, calmHertz, 700)
			bartek.heardOnly(500, calmHertz, 900)
		})
	}
}

// Nobody takes the transferred customer: they come back to the agent, who is
// asked once more.
func TestBlindTransfer_ComesBack(t *testing.T) {
	t.Parallel()
	s := newServer(t, newSite(t), office)
	anna := s.softphone("anna", "anna-secret-1", "udp", "auto", 900)
	bartek := s.softphone("bartek", "bartek-secret-1", "udp", "manual", 700)
	c := s.call("+48600100200", "+48221234567", 500)
	c.waitAnswered()
	c.waitTone("the caller hears anna", 900, 200*time.Millisecond)
	anna.transfer("102")
	bartek.wait("rings", "CALL_INCOMING")
	bartek.hangUp()
	anna.waitNth("has the caller again", "CALL_ESTABLISHED", 2)
	c.waitTone("the caller hears anna again", 900, 500*time.Millisecond)
	c.hangUp()
	c.waitOver()
	s.waitAgents("sales", "available", 1)
	s.wantStory("+48600100200", "arrived +48221234567", "offer anna", "ringing anna", "outcome anna answered", "bridged anna",
		"transfer anna to bartek", "kept bartek", "offer bartek", "ringing bartek", "outcome bartek busy",
		"transfer anna failed", "kept anna", "offer anna", "ringing anna", "outcome anna answered", "bridged anna",
		"ended anna completed_by_caller")
}

// A transfer into a group whose only member is the one who transfers: the
// customer waits there and the agent is rung again.
func TestBlindTransfer_IntoTheGroup(t *testing.T) {
	t.Parallel()
	s := newServer(t, newSite(t), office)
	anna := s.softphone("anna", "anna-secret-1", "udp", "auto", 900)
	bartek := s.softphone("bartek", "bartek-secret-1", "udp", "auto", 700)
	c := s.call("+48600100200", "+48221234567", 500)
	c.waitAnswered()
	c.waitTone("the caller hears anna", 900, 200*time.Millisecond)
	anna.transfer("600")
	anna.waitNth("has the caller again", "CALL_ESTABLISHED", 2)
	c.waitTone("the caller hears anna again", 900, 200*time.Millisecond)
	anna.transfer("601")
	bartek.wait("has the caller", "CALL_ESTABLISHED")
	c.waitTone("the caller hears bartek", 700, 200*time.Millisecond)
	bartek.hangUp()
	c.waitOver()
	s.waitAgents("sales", "available", 1)
	s.waitAgents("support", "available", 1)
}

// Somebody whom the agent cannot have: the phone is told, the call stays where it is.
func TestBlindTransfer_Refused(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	anna := newPhone(t, site, "anna", 900, picksUp)
	s := newServer(t, site, withPhones("evenly", "", anna))
	c := s.call("+48600100200", "+48221234567", 500)
	c.waitAnswered()
	c.waitTone("the caller hears anna", 900, 200*time.Millisecond)
	for _, r := range []struct{ to, want string }{
		{"999", "SIP/2.0 404 "},
		{"+881234567890", "SIP/2.0 403 "}, // whatever it costs is ours to pay
	} {
		anna.refer(r.to)
		anna.waitResponse(r.want)
		c.waitTone("the caller still hears anna", 900, 200*time.Millisecond)
	}
	anna.refer("anna") // the core's to refuse
	anna.waitResponse("SIP/2.0 202 ")
	anna.waitReport("SIP/2.0 603 ")
	c.waitTone("the caller still hears anna", 900, 200*time.Millisecond)
	c.hangUp()
	c.waitOver()
}

// The phone hangs up as soon as it has asked, without waiting for reports, as
// many do: that must not take the customer along.
func TestBlindTransfer_PhoneHangsUpAtOnce(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	phones := threePhones(t, site, picksUp)
	s := newServer(t, site, withPhones("in_order", "", phones...))
	before := s.footprint()
	c := s.call("+48600100200", "+48221234567", 500)
	c.waitAnswered()
	c.waitTone("the caller hears a", float64(phones[0].hertz), 200*time.Millisecond)
	phones[0].refer("b")
	phones[0].hangUp()
	c.waitTone("the caller hears b", float64(phones[1].hertz), 200*time.Millisecond)
	phones[0].waitReport("SIP/2.0 200 ")
	phones[1].refer("c")
	c.waitTone("the caller hears c", float64(phones[2].hertz), 200*time.Millisecond)
	phones[1].waitFor("BYE", 1)
	phones[1].waitReport("SIP/2.0 200 ")
	c.hangUp()
	c.waitOver()
	s.waitAgents("sales", "available", 3)
	s.waitFootprint(before)
}

// waitResponse waits for an answer to a request of the phone's.
func (p *phone) waitResponse(start string) {
	p.t.Helper()
	eventually(p.t, p.name+" gets "+start, func() bool {
		return slices.ContainsFunc(p.got(""), func(e phoneEvent) bool { return strings.HasPrefix(e.start, start) })
	})
}

// waitReport waits for a NOTIFY that tells of a status.
func (p *phone) waitReport(start string) {
	p.t.Helper()
	eventually(p.t, p.name+" is told of "+start, func() bool {
		return slices.ContainsFunc(p.got("NOTIFY"), func(e phoneEvent) bool { return strings.HasPrefix(e.body, start) })
	})
}
