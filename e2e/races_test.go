package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// The races of SIP, each with peers written out by hand. After each the agent can
// be offered the next call, and no dialog, port or goroutine is left.

// raced is the scene of a race: a server with the phone of the only agent.
type raced struct {
	*server
	anna   *phone
	before footprint
}

func race(t *testing.T, does reaction) raced {
	t.Helper()
	t.Parallel()
	site := newSite(t)
	anna := newPhone(t, site, "anna", 900, does)
	s := newServer(t, site, withPhones("evenly", "dial_limit: 2s, misses: 0", anna))
	return raced{s, anna, s.footprint()}
}

func (r raced) caller() *party {
	r.t.Helper()
	return r.party("+48600100200", "+48221234567", 500)
}

// talk brings a call to where caller and agent hear each other.
func (r raced) talk() *party {
	r.t.Helper()
	c := r.caller()
	c.invite()
	c.waitAnswered()
	c.waitTone("the caller hears the agent", 900, 200*time.Millisecond)
	r.anna.waitTone("the agent hears the caller", 500, 200*time.Millisecond)
	r.waitAgents("sales", "talking", 1)
	return c
}

// wantNothingLeft checks what has to be so after every race.
func (r raced) wantNothingLeft() {
	r.t.Helper()
	r.waitAgents("sales", "available", 1)
	r.waitFootprint(r.before)
	if r.anna.ringing() || r.anna.talking() {
		r.t.Error("the agent's phone was not told that the call is over")
	}
}

// The caller gives up in the moment in which the agent picks up (RFC 3261
// section 9.2): either is fine, and all agree on it.
func TestRace_CancelAgainstAnswer(t *testing.T) {
	r := race(t, rings)
	for i := range 10 {
		c := r.caller()
		c.invite()
		c.waitRinging()
		r.anna.waitCall(i + 1)
		eventually(t, "the phone rings", r.anna.ringing)
		if i%2 == 0 {
			c.cancel()
			r.anna.pickUpIfRinging()
		} else {
			r.anna.pickUp()
			c.cancel()
		}
		c.answer("CANCEL", 1, 200)
		final := c.final("INVITE", 1)
		c.ack(final, "")
		switch final.status() {
		case 487:
		case 200: // the answer was faster: section 15 asks the caller to hang up
			c.hangUp(2)
		default:
			t.Errorf("the INVITE got %s", final.start)
		}
		r.waitAgents("sales", "available", 1)
		r.waitMetric("centrala_sip_legs", 0)
	}
	r.wantNothingLeft()
}

// The phone answers although it was told to stop (RFC 3261 section 9.1): it is
// acknowledged and hung up on.
func TestRace_AnswerAfterCancel(t *testing.T) {
	r := race(t, answersCancelled)
	c := r.caller()
	c.invite()
	c.waitRinging()
	r.anna.waitCall(1)
	r.waitAgents("sales", "ringing", 1)
	c.cancel()
	c.ack(c.answer("INVITE", 1, 487), "")
	r.anna.waitFor("CANCEL", 1)
	r.anna.waitFor("ACK", 1)
	r.anna.waitFor("BYE", 1)
	r.wantNothingLeft()
	r.wantStory("+48600100200", "arrived +48221234567", "offer anna", "ringing anna", "outcome anna withdrawn", "ended abandoned_ringing")
}

// The caller's ACK is lost twice: our 200 is sent again until one comes (section 13.3.1.4).
func TestRace_LostAck(t *testing.T) {
	r := race(t, picksUp)
	c := r.caller()
	c.invite()
	c.wait("the third 200", 3, finalTo("INVITE", 1))
	c.waitAnswered()
	c.waitTone("the caller hears the agent", 900, 200*time.Millisecond)
	c.hangUp(2)
	r.anna.waitFor("BYE", 1)
	r.wantNothingLeft()
}

// The caller never acknowledges: after 64*T1 the call is over for all (section 13.3.1.4).
func TestRace_NoAckAtAll(t *testing.T) {
	r := race(t, picksUp)
	c := r.caller()
	c.invite()
	c.answer("INVITE", 1, 200)
	c.waitBye(34*time.Second + patience)
	r.anna.waitFor("BYE", 1)
	r.wantNothingLeft()
}

// Our ACK to the phone is lost: each 200 that it sends again is acknowledged
// (section 13.2.2.4), and nothing else changes.
func TestRace_PhoneSendsItsAnswerAgain(t *testing.T) {
	r := race(t, picksUp)
	c := r.talk()
	acks := len(r.anna.got("ACK"))
	for i := range 3 {
		r.anna.again()
		r.anna.waitFor("ACK", acks+i+1)
	}
	c.waitTone("the caller still hears the agent", 900, 200*time.Millisecond)
	if n := len(r.anna.got("BYE")); n > 0 {
		t.Error("the phone was hung up on")
	}
	r.anna.hangUp()
	c.waitBye(patience)
	r.wantNothingLeft()
}

// Behind a phone's address are two that answer (a proxy forked): one talks, the
// other is acknowledged and hung up on (section 13.2.2.4).
func TestRace_TwoAnswersToOneInvite(t *testing.T) {
	r := race(t, picksUp)
	c := r.talk()
	r.anna.forked()
	bye := r.anna.waitFor("BYE", 1)
	if !strings.Contains(bye.header("To"), "tag=forked") {
		t.Errorf("BYE to %s, want the other one", bye.header("To"))
	}
	c.waitTone("the caller still hears the agent", 900, 200*time.Millisecond)
	r.waitAgents("sales", "talking", 1)
	c.hangUp(2)
	r.anna.waitFor("BYE", 2)
	r.wantNothingLeft()
}

// The caller asks for our offer in the first INVITE and in a later one (section
// 13.3.1): their answers come with the ACKs. Until then an offer of theirs is
// too early: 491 (section 14.2), and fine afterwards.
func TestRace_LateOffer(t *testing.T) {
	r := race(t, picksUp)
	c := r.caller()
	c.ask("INVITE", 1, "", "")
	ours := c.answer("INVITE", 1, 200)
	c.ask("UPDATE", 2, "", c.description(""))
	c.answer("UPDATE", 2, 491)
	c.ack(ours, c.description(""))
	c.speakTo(ours)
	c.waitTone("the caller hears the agent", 900, 200*time.Millisecond)
	r.anna.waitTone("the agent hears the caller", 500, 200*time.Millisecond)

	c.ask("INVITE", 3, "", "")
	ours = c.answer("INVITE", 3, 200)
	c.ask("INVITE", 4, "", c.description("sendonly"))
	c.ack(c.answer("INVITE", 4, 491), "")
	c.ack(ours, c.description(""))
	c.speakTo(ours)
	c.waitTone("the caller hears the agent still", 900, 300*time.Millisecond)
	c.ask("INVITE", 5, "", c.description(""))
	c.ack(c.answer("INVITE", 5, 200), "")
	c.waitTone("and once more", 900, 200*time.Millisecond)
	c.hangUp(6)
	r.anna.waitFor("BYE", 1)
	c.wantOneStream()
	r.wantNothingLeft()
}

// A re-INVITE that says what was said before refreshes the session and changes
// nothing: our description stays to the letter, its version too (RFC 3264 section
// 8, RFC 4028 section 7.4), the audio goes on.
func TestRace_RefreshKeepsTheSession(t *testing.T) {
	r := race(t, picksUp)
	c := r.caller()
	c.invite()
	first := c.waitAnswered()
	c.waitTone("the caller hears the agent", 900, 200*time.Millisecond)
	for seq := 2; seq < 6; seq++ {
		method := []string{"INVITE", "UPDATE"}[seq%2]
		c.ask(method, seq, "", c.description(""))
		again := c.answer(method, seq, 200)
		if method == "INVITE" {
			c.ack(again, "")
		}
		if again.body != first.body {
			t.Errorf("%s %d: answered with\n%s\nbefore with\n%s", method, seq, again.body, first.body)
		}
	}
	c.waitTone("the caller hears the agent still", 900, 300*time.Millisecond)
	c.hangUp(9)
	r.anna.waitFor("BYE", 1)
	c.wantOneStream()
	if n := len(r.anna.got("INVITE")); n != 1 {
		t.Errorf("the phone got %d INVITEs", n)
	}
	r.wantNothingLeft()
}

// The caller who waits with music puts us on hold while the phone rings: the
// agent who answers hears them once they are back.
func TestRace_HoldWhileThePhoneRings(t *testing.T) {
	r := race(t, isBusy)
	c := r.caller()
	c.invite()
	c.waitAnswered()
	c.waitTone("music", calmHertz, 200*time.Millisecond)
	r.anna.does(rings)
	eventually(t, "the phone rings", r.anna.ringing)
	c.ask("INVITE", 2, "", c.description("sendonly"))
	held := c.answer("INVITE", 2, 200)
	c.ack(held, "")
	if !strings.Contains(held.body, "a=recvonly") {
		t.Errorf("held, we answer\n%s", held.body)
	}
	r.anna.pickUp()
	r.waitAgents("sales", "talking", 1)
	eventually(t, "what was on its way has come", func() bool { return len(c.heard(time.Now().Add(-200*time.Millisecond))) == 0 })
	since := time.Now()
	r.anna.waitTone("the agent is held and hears music", calmHertz, 200*time.Millisecond)
	if n := len(c.heard(since)); n > 0 {
		t.Errorf("%d packets sent to a caller who wants none", n)
	}
	c.ask("INVITE", 3, "", c.description(""))
	c.ack(c.answer("INVITE", 3, 200), "")
	c.waitTone("the caller hears the agent", 900, 200*time.Millisecond)
	r.anna.waitTone("the agent hears the caller", 500, 200*time.Millisecond)
	c.hangUp(4)
	r.anna.waitFor("BYE", 1)
	r.wantNothingLeft()
}

// BYE right behind a re-INVITE, and before its ACK (section 15.1.2).
func TestRace_ByeBehindReInvite(t *testing.T) {
	r := race(t, picksUp)
	for i := range 5 {
		c := r.talk()
		c.ask("INVITE", 2, "", c.description("sendonly"))
		if i%2 == 0 {
			c.answer("INVITE", 2, 200) // whose ACK never comes
		}
		c.hangUp(3)
		final := c.final("INVITE", 2)
		if s := final.status(); s != 200 && s != 481 && s != 487 && s != 500 {
			t.Errorf("the re-INVITE got %s", final.start)
		}
		r.anna.waitFor("BYE", i+1)
		r.waitAgents("sales", "available", 1)
		r.waitMetric("centrala_sip_legs", 0)
	}
	r.wantNothingLeft()
}

// The phone's re-INVITE and its BYE cross our BYE: both get 481 (section 12.2.2),
// which ends it all.
func TestRace_OurByeAgainstReInvite(t *testing.T) {
	r := race(t, picksUp)
	c := r.talk()
	c.hangUp(2)
	r.anna.waitFor("BYE", 1)
	r.anna.ask("INVITE", 5, "", audioDescription(r.anna.addr()))
	if got := r.anna.waitFinal("5 INVITE"); got.status() != 481 {
		t.Errorf("the re-INVITE got %s", got.start)
	}
	r.anna.ask("BYE", 6, "", "")
	if got := r.anna.waitFinal("6 BYE"); got.status() != 481 {
		t.Errorf("the BYE got %s", got.start)
	}
	r.wantNothingLeft()
}

// The caller hangs up by BYE before the answer (section 15: a caller may) and
// before the ACK.
func TestRace_ByeOfTheCallerTooEarly(t *testing.T) {
	r := race(t, rings)
	c := r.caller()
	c.invite()
	c.waitRinging()
	r.anna.waitCall(1)
	c.hangUp(2)
	c.ack(c.answer("INVITE", 1, 487), "")
	r.anna.waitFor("CANCEL", 1)
	r.wantNothingLeft()

	r.anna.does(picksUp)
	c = r.caller()
	c.invite()
	c.answer("INVITE", 1, 200)
	c.hangUp(2)
	r.anna.waitFor("BYE", 1)
	r.wantNothingLeft()
}

// A phone that rings sends BYE, which section 15 forbids, and never answers the
// INVITE: the call goes on to the next phone and nothing waits for ever.
func TestRace_ByeOfAPhoneThatRings(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	rude := newPhone(t, site, "anna", 900, rings)
	good := newPhone(t, site, "good", 1100, picksUp)
	s := newServer(t, site, withPhones("in_order", "misses: 0", rude, good))
	r := raced{s, rude, s.footprint()}
	c := r.caller()
	c.invite()
	c.waitRinging()
	eventually(t, "the phone rings", rude.ringing)
	rude.ask("BYE", 1, "", "")
	if got := rude.waitFinal("1 BYE"); got.status() != 200 {
		t.Errorf("the BYE got %s", got.start)
	}
	c.waitAnswered()
	c.waitTone("the caller hears the next phone", 1100, 200*time.Millisecond)
	c.hangUp(2)
	good.waitFor("BYE", 1)
	r.waitAgents("sales", "available", 2)
	deadline := time.Now().Add(36*time.Second - patience) // 64*T1, after which it is given up
	for time.Now().Before(deadline) && r.taken().legs > 0 {
		<-time.After(100 * time.Millisecond)
	}
	r.waitFootprint(r.before)
}

// A caller who requires that ringing is not lost (RFC 3262), with and without an
// offer of their own: lost PRACKs are waited for, then the call goes on as any.
func TestPrack(t *testing.T) {
	r := race(t, rings)
	for i, offered := range []bool{true, false} {
		c := r.caller()
		body, theirs := c.description(""), ""
		if !offered {
			body, theirs = "", body
		}
		c.ask("INVITE", 1, "Require: 100rel\r\n", body)
		ringing := c.wait("it rings again for want of a PRACK", 3, response("INVITE", 180))
		if got := len(ringing.body) > 0; got == offered {
			t.Errorf("offer of ours in the ringing: %v", got)
		}
		c.ask("PRACK", 2, "RAck: "+ringing.header("RSeq")+" 1 INVITE\r\n", theirs)
		c.answer("PRACK", 2, 200)
		r.anna.waitCall(i + 1)
		eventually(t, "the phone rings", r.anna.ringing)
		if !offered { // offer and answer are exchanged: UPDATE works before the answer (RFC 3311)
			c.ask("UPDATE", 3, "", c.description(""))
			if got := c.answer("UPDATE", 3, 200); !strings.Contains(got.body, "m=audio") {
				t.Errorf("UPDATE answered with\n%s", got.body)
			}
		}
		r.anna.pickUp()
		answer := c.answer("INVITE", 1, 200)
		c.ack(answer, "")
		if offered {
			c.speakTo(answer)
		} else {
			c.speakTo(ringing)
		}
		c.waitTone("the caller hears the agent", 900, 200*time.Millisecond)
		r.anna.waitTone("the agent hears the caller", 500, 200*time.Millisecond)
		c.hangUp(4)
		r.anna.waitFor("BYE", i+1)
		r.waitAgents("sales", "available", 1)
	}
	r.wantNothingLeft()
}

// A phone that rings reliably gets a PRACK (RFC 3262 section 4) and is called as any other.
func TestPrack_ByThePhone(t *testing.T) {
	r := race(t, ringsMute)
	c := r.caller()
	c.invite()
	r.anna.waitCall(1)
	r.anna.ringReliably(17)
	if got := r.anna.waitFor("PRACK", 1); got.header("RAck") != "17 "+r.anna.waitCall(1).header("CSeq") {
		t.Errorf("RAck %q", got.header("RAck"))
	}
	c.waitRinging()
	r.anna.pickUp()
	c.waitAnswered()
	c.waitTone("the caller hears the agent", 900, 200*time.Millisecond)
	c.hangUp(2)
	r.anna.waitFor("BYE", 1)
	r.wantNothingLeft()
}

// A REFER that comes after the end moves nobody (RFC 3515 section 2.4.4).
func TestRace_ReferAfterBye(t *testing.T) {
	r := race(t, picksUp)
	c := r.talk()
	c.hangUp(2)
	r.anna.waitFor("BYE", 1)
	r.anna.ask("REFER", 5, "Refer-To: <sip:anna@pbx.test>\r\n", "")
	if got := r.anna.waitFinal("5 REFER"); got.status() != 481 {
		t.Errorf("the REFER got %s", got.start)
	}
	r.wantNothingLeft()
}

// The caller holds while they are put through, and is back only when the second
// phone has answered.
func TestRace_HoldDuringTransfer(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	a, b := newPhone(t, site, "a", 900, picksUp), newPhone(t, site, "b", 1100, rings)
	s := newServer(t, site, withPhones("in_order", "", a, b))
	r := raced{s, b, s.footprint()}
	c := r.caller()
	c.invite()
	c.waitAnswered()
	c.waitTone("the caller hears a", 900, 200*time.Millisecond)
	a.refer("b")
	eventually(t, "b rings", b.ringing)
	c.ask("INVITE", 2, "", c.description("inactive"))
	held := c.answer("INVITE", 2, 200)
	c.ack(held, "")
	if !strings.Contains(held.body, "a=inactive") {
		t.Errorf("held, we answer\n%s", held.body)
	}
	b.pickUp()
	s.waitAgents("sales", "talking", 1)
	c.ask("INVITE", 3, "", c.description(""))
	c.ack(c.answer("INVITE", 3, 200), "")
	c.waitTone("the caller hears b", 1100, 200*time.Millisecond)
	b.waitTone("b hears the caller", 500, 200*time.Millisecond)
	c.hangUp(4)
	b.waitFor("BYE", 1)
	s.waitAgents("sales", "available", 2)
	s.waitFootprint(r.before)
}

// ask sends a request in the dialog of the call that came in.
func (p *phone) ask(method string, seq int, lines, body string) {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	var m message
	for _, e := range p.events {
		if e.method == "INVITE" {
			m = e.message
		}
	}
	if body != "" {
		lines += "Content-Type: application/sdp\r\n"
	}
	p.send(p.server, fmt.Sprintf("%s %s SIP/2.0\r\nVia: SIP/2.0/UDP %v;branch=z9hG4bK-%s-%s-%d\r\nMax-Forwards: 70\r\n"+
		"From: %s;tag=%s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %d %s\r\nContact: <%s>\r\n%sContent-Length: %d\r\n\r\n%s",
		method, uri(m.header("Contact")), p.sip.LocalAddr(), p.name, method, seq, m.header("To"), p.tag(), m.header("From"),
		m.header("Call-ID"), seq, method, p.contact(), lines, len(body), body))
}

// waitFinal waits for the final answer to a request of the phone.
func (p *phone) waitFinal(cseq string) (found message) {
	p.t.Helper()
	eventually(p.t, "the phone gets an answer to "+cseq, func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, e := range p.events {
			if e.status() >= 200 && e.header("CSeq") == cseq {
				found = e.message
				return true
			}
		}
		return false
	})
	return found
}

// pickUpIfRinging answers unless the call was taken back.
func (p *phone) pickUpIfRinging() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.invite.start != "" && !p.answered {
		p.pick()
	}
}

// ringReliably says that the phone rings, by an answer that has to be acknowledged.
func (p *phone) ringReliably(rseq int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	ringing := p.response(p.invite, "180 Ringing", "")
	p.send(p.server, strings.Replace(ringing, "Contact: ", fmt.Sprintf("Require: 100rel\r\nRSeq: %d\r\nContact: ", rseq), 1))
}

// again sends the phone's last answer once more, as if its ACK was lost.
func (p *phone) again() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.send(p.server, p.last)
}

// forked sends the answer of another phone behind the same address.
func (p *phone) forked() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.send(p.server, strings.ReplaceAll(p.last, "tag="+p.tag(), "tag=forked"))
}
