package e2e

import (
	"net/url"
	"os"
	"path/filepath"
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

// rang waits until the nth call rings, and the server knows. Who answers or declines sooner sends
// 180 and the final answer so close together that the former may be lost, and the story with it.
// Of several phones of one agent the server logs the first.
func (p *softphone) rang(nth int) {
	p.t.Helper()
	p.waitNth("rings", "CALL_INCOMING", nth)
	eventually(p.t, "the server knows that "+p.name+" rings", func() bool { return len(p.server.log("phone rings", "agent", p.name)) >= nth })
}

// picksUp answers the nth call that rings.
func (p *softphone) picksUp(nth int) {
	p.t.Helper()
	p.rang(nth)
	p.accept()
}

// declines turns down the nth call that rings, by 486.
func (p *softphone) declines(nth int) {
	p.t.Helper()
	p.rang(nth)
	p.hangUp()
}

// serves answers a customer's call, the first that rings, and speaks to them at so many Hz.
func (p *softphone) serves(hertz float64) *caller {
	p.t.Helper()
	c := p.server.call("+48600100200", "+48221234567", 500)
	p.picksUp(1)
	c.waitAnswered()
	c.waitTone("the caller hears "+p.name, hertz, 300*time.Millisecond)
	return c
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
			anna := s.softphone("anna", "anna-secret-1", transport, "manual", 900)
			bartek := s.softphone("bartek", "bartek-secret-1", transport, "manual", 700)
			c := anna.serves(900)
			anna.transfer("102")
			bartek.wait("rings", "CALL_INCOMING")
			c.waitTone("music until bartek answers", calmHertz, 200*time.Millisecond)
			s.waitAgents("sales", "available", 1)
			bartek.accept()
			anna.wait("is told, and free", "CALL_CLOSED")
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
	anna := s.softphone("anna", "anna-secret-1", "udp", "manual", 900)
	bartek := s.softphone("bartek", "bartek-secret-1", "udp", "manual", 700)
	c := anna.serves(900)
	anna.transfer("102")
	bartek.declines(1)
	anna.picksUp(2)
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
	phones[0].hangsUpReferred()
	phones[0].refer("b")
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

// RFC 3515 section 2.4.5: a phone is told that the transfer went well when the other one
// has answered, not when it rings; and of a failure with its status, before it rings for
// the caller who comes back. Until then it is not hung up on.
func TestBlindTransfer_Reports(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	phones := threePhones(t, site, picksUp)
	a, b, c := phones[0], phones[1], phones[2]
	b.does(rings)
	b.hasLines() // it is rung again when its call is over, and the datagrams may change places
	c.does(isBusy)
	s := newServer(t, site, withPhones("in_order", "blind_transfer_no_answer: return", phones...))
	before := s.footprint()
	caller := s.call("+48600100200", "+48221234567", 500)
	caller.waitAnswered()
	caller.waitTone("the caller hears a", float64(a.hertz), 200*time.Millisecond)
	a.refer("b")
	a.waitReport("SIP/2.0 100 ")
	eventually(t, "b rings", b.ringing)
	if n := len(a.got("NOTIFY")) + len(a.got("BYE")); n != 1 {
		t.Errorf("a got %d messages before b has answered", n)
	}
	b.pickUp()
	a.waitReport("SIP/2.0 200 ")
	a.waitFor("BYE", 1)
	caller.waitTone("the caller hears b", float64(b.hertz), 200*time.Millisecond)

	b.refer("c")
	b.waitReport("SIP/2.0 486 ")
	b.waitFor("BYE", 1)
	eventually(t, "b rings again", b.ringing)
	b.pickUp()
	caller.waitTone("the caller hears b again", float64(b.hertz), 200*time.Millisecond)
	caller.hangUp()
	caller.waitOver()
	s.waitAgents("sales", "available", 3)
	s.waitFootprint(before)
}

// hasLines makes the phone ring while it has a call, which it knows no more of then.
func (p *phone) hasLines() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lines = true
}

// hangsUpReferred makes the phone hang up as soon as its REFER is accepted.
func (p *phone) hangsUpReferred() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hasty = true
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

// dialog names a call of the phone's for a Replaces header (RFC 3891): the nth
// INVITE that came (to is empty) or that went to somebody. The phone prints all messages.
func (p *softphone) dialog(to string) string {
	p.t.Helper()
	mine, theirs := "From", "To"
	if to == "" {
		to, mine, theirs = p.name, "To", "From"
	}
	var replaces string
	eventually(p.t, p.name+" has a call of "+to, func() bool {
		replaces = p.replaces(to, mine, theirs)
		return replaces != ""
	})
	return replaces
}

// replaces is dialog as the phone's output tells it by now; empty if it does not yet.
func (p *softphone) replaces(to, mine, theirs string) string {
	p.t.Helper()
	text, err := os.ReadFile(filepath.Join(p.dir, "output"))
	if err != nil {
		p.t.Fatal(err)
	}
	id := ""
	for part := range strings.SplitSeq(string(text), " -> ") { // the addresses are the first line of each
		_, part, _ = strings.Cut(part, "\n")
		m, ok := parseMessage(strings.ReplaceAll(strings.ReplaceAll(part, "\r\n", "\n"), "\n", "\r\n"))
		switch {
		case !ok:
		case id == "" && strings.HasPrefix(m.start, "INVITE sip:"+to):
			id = m.header("Call-ID")
		case id != "" && id == m.header("Call-ID") && m.status() == 200:
			tag := func(name string) string {
				_, tag, _ := strings.Cut(m.header(name), ";tag=")
				return tag
			}
			return url.QueryEscape(id + ";to-tag=" + tag(theirs) + ";from-tag=" + tag(mine))
		}
	}
	return ""
}

// consults puts the customer on hold and calls a colleague, who answers the nth call.
func (p *softphone) consults(customer *caller, colleague *softphone, extension string, nth int) {
	p.t.Helper()
	p.command("hold", "")
	customer.waitTone("music on hold", calmHertz, 200*time.Millisecond)
	talks := p.count("CALL_ESTABLISHED")
	p.dial(extension)
	colleague.waitNth("talks to "+p.name, "CALL_ESTABLISHED", nth)
	p.waitNth("talks to "+colleague.name, "CALL_ESTABLISHED", talks+1)
}

// Anna puts the customer on hold, calls Bartek, talks to him and joins the two
// calls (R101, RFC 5589 section 7.3). The customer hears music meanwhile and then
// Bartek; Anna is free. The REFER goes out in either of the two calls.
func TestAttendedTransfer(t *testing.T) {
	t.Parallel()
	for _, in := range []string{"the call to bartek", "the customer's call"} {
		t.Run("in "+in, func(t *testing.T) {
			t.Parallel()
			s := newServer(t, newSite(t), office)
			before := s.footprint()
			anna := s.softphone("anna", "anna-secret-1", "udp", "manual", 900)
			bartek := s.softphone("bartek", "bartek-secret-1", "udp", "auto", 700)
			c := anna.serves(900)
			anna.consults(c, bartek, "102", 1)
			bartek.hearsMore(time.Second)
			c.waitTone("the caller hears music", calmHertz, 500*time.Millisecond)
			c.wantOnly(500*time.Millisecond, calmHertz, 500, 700, 900)
			if in == "the customer's call" {
				anna.command("line", "1")
				anna.command("transfer", "<sip:102@"+domain+"?Replaces="+anna.dialog("102")+">")
			} else {
				anna.command("transfer", "<sip:anna@"+domain+"?Replaces="+anna.dialog("")+">")
			}
			anna.waitNth("is free", "CALL_CLOSED", 2)
			c.waitTone("the caller hears bartek", 700, 500*time.Millisecond)
			c.wantOnly(300*time.Millisecond, 700, calmHertz, 900, 500)
			s.waitAgents("sales", "available", 1)
			s.waitAgents("support", "talking", 1)
			bartek.hearsMore(time.Second)
			c.hangUp()
			c.waitOver()
			bartek.wait("hangs up", "CALL_CLOSED")
			s.waitAgents("support", "available", 1)
			c.wantOneStream()
			s.waitFootprint(before)
			s.wantStory("+48600100200", "arrived +48221234567", "offer anna", "ringing anna", "outcome anna answered", "bridged anna",
				"held anna", "transfer anna to bartek", "ended bartek completed_by_caller")
			heard := bartek.recordings()
			if len(heard) != 1 {
				t.Fatalf("%d recordings of one call", len(heard))
			}
			wantSome(t, heard[0], 8000, 900) // anna first
			wantSome(t, heard[0], 8000, 500) // then the customer
		})
	}
}

// A call that was transferred is transferred again, blindly and with a
// consultation, by whoever got it: each time all lines of who leaves are free.
func TestTransferOfATransferredCall(t *testing.T) {
	t.Parallel()
	s := newServer(t, newSite(t), office)
	before := s.footprint()
	anna := s.softphone("anna", "anna-secret-1", "udp", "auto", 900)
	bartek := s.softphone("bartek", "bartek-secret-1", "tcp", "auto", 700)
	c := s.call("+48600100200", "+48221234567", 500)
	c.waitAnswered()
	c.waitTone("the caller hears anna", 900, 200*time.Millisecond)
	anna.consults(c, bartek, "102", 1)
	anna.command("transfer", "<sip:anna@"+domain+"?Replaces="+anna.dialog("")+">")
	anna.waitNth("is free", "CALL_CLOSED", 2)
	c.waitTone("the caller hears bartek", 700, 200*time.Millisecond)
	bartek.transfer("101")
	bartek.wait("is free", "CALL_CLOSED")
	c.waitTone("the caller hears anna again", 900, 200*time.Millisecond)
	s.waitAgents("support", "available", 1)
	c.hangUp()
	c.waitOver()
	s.waitAgents("sales", "available", 1)
	c.wantOneStream()
	s.waitFootprint(before)
}

// The customer hangs up while the agents talk about them: the agents go on, and
// joining is refused then.
func TestAttendedTransfer_CustomerHangsUp(t *testing.T) {
	t.Parallel()
	s := newServer(t, newSite(t), office)
	before := s.footprint()
	anna := s.softphone("anna", "anna-secret-1", "udp", "auto", 900)
	bartek := s.softphone("bartek", "bartek-secret-1", "udp", "auto", 700)
	c := s.call("+48600100200", "+48221234567", 500)
	c.waitAnswered()
	c.waitTone("the caller hears anna", 900, 200*time.Millisecond)
	anna.consults(c, bartek, "102", 1)
	c.hangUp()
	c.waitOver()
	anna.wait("loses the customer", "CALL_CLOSED")
	anna.command("transfer", "<sip:anna@"+domain+"?Replaces="+anna.dialog("")+">")
	anna.wait("is told", "TRANSFER_FAILED") // and hangs up, as it does on any failure
	bartek.wait("is hung up on", "CALL_CLOSED")
	s.waitAgents("sales", "available", 1)
	s.waitAgents("support", "available", 1)
	s.waitFootprint(before)
}
