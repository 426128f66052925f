package sip

import (
	"strconv"
	"strings"
	"testing"
	"time"
)

// required brings a call to a bound leg whose caller requires RFC 3262.
func required(t *testing.T, s *side, body string) (*peer, *Leg, *owner) {
	t.Helper()
	p := newPeer(t, s.addr("udp"))
	p.send(p.request(request{method: "INVITE", extra: "Require: 100rel\r\n", body: body}))
	l, o := s.call(t)
	return p, l, o
}

// prack acknowledges a provisional answer.
func (p *peer) prack(ringing string, seq int, body string) {
	p.t.Helper()
	p.send(p.request(request{
		method: "PRACK", seq: seq, to: field(ringing, "To"), extra: "RAck: " + field(ringing, "RSeq") + " 1 INVITE\r\n", body: body,
	}))
	for got := ""; field(got, "CSeq") != strconv.Itoa(seq)+" PRACK"; {
		got = p.recv("SIP/2.0 200")
	}
}

func rseq(t *testing.T, msg string) int {
	t.Helper()
	n, err := strconv.Atoi(field(msg, "RSeq"))
	if err != nil || n < 1 || n >= 1<<31 || field(msg, "Require") != "100rel" { // RFC 3262 sections 3 and 7.1
		t.Fatalf("not reliable:\n%s", msg)
	}
	return n
}

// RFC 3262 section 3: repeated until acknowledged, one at a time, RSeq by one.
func TestReliable_Ringing(t *testing.T) {
	s := start(t, brisk)
	p, l, o := required(t, s, testSDP)
	o.do(func() {
		l.Ring(180, nil)
		l.Ring(182, nil) // overtaken by the next
		l.Ring(183, nil)
	})
	ringing := p.recv("SIP/2.0 1")
	for range 3 {
		if again := p.recv("SIP/2.0 1"); again != ringing {
			t.Errorf("before the PRACK:\n%s\n%s", ringing, again)
		}
	}
	first := rseq(t, ringing)
	for i, rack := range []string{"", sprintf("%d 1 INVITE", first+1), sprintf("%d 2 INVITE", first), sprintf("%d 1 BYE", first), "x"} {
		p.send(p.request(request{method: "PRACK", seq: 2 + i, to: field(ringing, "To"), extra: "RAck: " + rack + "\r\n"}))
		p.recv("SIP/2.0 481")
	}
	p.prack(ringing, 10, "")
	next := p.recv("SIP/2.0 183")
	if n := rseq(t, next); n != first+1 {
		t.Errorf("RSeq %d after %d", n, first)
	}
	p.prack(next, 11, "")
	if msg, ok := p.within(200*time.Millisecond, "SIP/2.0 1"); ok {
		t.Errorf("after the PRACK:\n%s", msg)
	}
	p.send(p.request(request{method: "PRACK", seq: 12, to: field(next, "To"), extra: sprintf("RAck: %d 1 INVITE\r\n", first+1)}))
	p.recv("SIP/2.0 481") // no second time
	o.do(func() { _ = l.Answer([]byte(testSDP)) })
	if got := p.recv("SIP/2.0 200"); field(got, "Require") != "" || !strings.HasSuffix(got, testSDP) {
		t.Errorf("200:\n%s", got)
	}
	p.send(p.request(request{method: "ACK", to: field(next, "To")}))
	o.want("answered")
	o.do(func() { l.Hangup("") })
	p.send(p.reply(p.recv("BYE"), 200, "", "", ""))
	o.wantEnd(ClassHangup, 0)
	s.idle(t)
}

// Section 3: without a session description in it, the answer need not wait for
// the PRACK, and the PRACK is taken afterwards all the same.
func TestReliable_AnswerBeforeThePrack(t *testing.T) {
	s := start(t)
	p, l, o := required(t, s, testSDP)
	o.do(func() {
		l.Ring(180, nil)
		_ = l.Answer([]byte(testSDP))
	})
	ringing := p.recv("SIP/2.0 180")
	p.recv("SIP/2.0 200")
	if msg, ok := p.within(100*time.Millisecond, "SIP/2.0 1"); ok {
		t.Errorf("after the 200:\n%s", msg)
	}
	p.prack(ringing, 2, "")
	p.send(p.request(request{method: "ACK", to: field(ringing, "To")}))
	o.want("answered")
	o.do(func() { l.Hangup("") })
	p.send(p.reply(p.recv("BYE"), 200, "", "", ""))
	o.wantEnd(ClassHangup, 0)
	s.idle(t)
}

// Section 3: with one it has to wait; and then it carries none itself.
func TestReliable_AnswerWaitsForThePrack(t *testing.T) {
	s := start(t)
	p, l, o := required(t, s, testSDP)
	o.do(func() {
		l.Ring(183, []byte(testSDP))
		if err := l.Answer([]byte(testSDP)); err != nil {
			t.Error(err)
		}
	})
	ringing := p.recv("SIP/2.0 183")
	p.send(p.request(request{method: "UPDATE", seq: 2, to: field(ringing, "To"), body: testSDP}))
	p.recv("SIP/2.0 500") // RFC 3311 section 5.2: the answer is not there yet
	if msg, ok := p.within(100*time.Millisecond, "SIP/2.0 200"); ok {
		t.Errorf("before the PRACK:\n%s", msg)
	}
	p.send(p.request(request{method: "PRACK", seq: 3, to: field(ringing, "To"), extra: "RAck: " + field(ringing, "RSeq") + " 1 INVITE\r\n"}))
	if got := p.recv("SIP/2.0 200"); field(got, "CSeq") != "3 PRACK" {
		t.Errorf("first 200 for %s", field(got, "CSeq"))
	}
	if got := p.recv("SIP/2.0 200"); field(got, "CSeq") != "1 INVITE" || strings.Contains(got, "m=audio") {
		t.Errorf("answer:\n%s", got)
	}
	p.send(p.request(request{method: "ACK", to: field(ringing, "To")}))
	o.want("answered")
	o.do(func() { l.Hangup("") })
	p.send(p.reply(p.recv("BYE"), 200, "", "", ""))
	o.wantEnd(ClassHangup, 0)
	s.idle(t)
}

// Section 3: nobody acknowledges, the call is refused. A CANCEL and a hangup
// while it waits end it as ever.
func TestReliable_EndsBeforeThePrack(t *testing.T) {
	t.Run("never", func(t *testing.T) {
		s := start(t, func(o *Options) { o.T1 = 5 * time.Millisecond })
		p, l, o := required(t, s, testSDP)
		o.do(func() {
			l.Ring(183, []byte(testSDP))
			_ = l.Answer([]byte(testSDP))
		})
		got := p.recv("SIP/2.0 5")
		if !strings.HasPrefix(got, "SIP/2.0 504 ") {
			t.Errorf("refused with\n%s", got)
		}
		p.send(p.request(request{method: "ACK", branch: "z9hG4bKINVITE1", to: field(got, "To")}))
		if e := o.wantEnd(ClassUnreachable, 504); !e.ByUs {
			t.Errorf("%+v", e)
		}
		s.idle(t)
	})
	t.Run("hangup", func(t *testing.T) {
		s := start(t)
		p, l, o := required(t, s, testSDP)
		o.do(func() {
			l.Ring(183, []byte(testSDP))
			_ = l.Answer([]byte(testSDP))
			l.Hangup("")
		})
		p.recv("SIP/2.0 480")
		o.wantEnd(ClassHangup, 480)
		s.idle(t)
	})
	t.Run("cancel", func(t *testing.T) {
		s := start(t)
		p, l, o := required(t, s, testSDP)
		o.do(func() { l.Ring(180, nil) })
		ringing := p.recv("SIP/2.0 180")
		p.send(p.request(request{method: "CANCEL", branch: "z9hG4bKINVITE1"}))
		p.recv("SIP/2.0 487")
		o.wantEnd(ClassCancel, 487)
		p.send(p.request(request{method: "PRACK", seq: 2, to: field(ringing, "To"), extra: "RAck: " + field(ringing, "RSeq") + " 1 INVITE\r\n"}))
		p.recv("SIP/2.0 481")
		s.idle(t)
	})
}

// Section 5: a caller without an offer gets ours in the first reliable answer and
// answers it in the PRACK. From then on UPDATE changes the session before the
// call is answered (RFC 3311 section 5.1).
func TestReliable_LateOfferAndUpdateInTheEarlyDialog(t *testing.T) {
	s := start(t)
	p, l, o := required(t, s, "")
	ours, theirs := strings.Replace(testSDP, "4000", "6000", 1), strings.Replace(testSDP, "4000", "5000", 1)
	o.do(func() { l.Ring(180, []byte(ours)) })
	ringing := p.recv("SIP/2.0 180")
	if !strings.HasSuffix(ringing, ours) {
		t.Errorf("no offer:\n%s", ringing)
	}
	p.send(p.request(request{method: "UPDATE", seq: 2, to: field(ringing, "To"), body: theirs}))
	p.recv("SIP/2.0 491") // ours is open
	p.prack(ringing, 3, theirs)
	if string(l.SDP()) != theirs {
		t.Errorf("their description %q", l.SDP())
	}
	p.send(p.request(request{method: "UPDATE", seq: 4, to: field(ringing, "To"), body: testSDP}))
	if e := o.want("offer"); e.sdp != testSDP {
		t.Errorf("offer %q", e.sdp)
	}
	if got := p.recv("SIP/2.0 200"); !strings.HasSuffix(got, testSDP) {
		t.Errorf("answer to the UPDATE:\n%s", got)
	}
	o.do(func() { _ = l.Answer([]byte(ours)) })
	if got := p.recv("SIP/2.0 200"); field(got, "CSeq") != "1 INVITE" || strings.Contains(got, "m=audio") {
		t.Errorf("200:\n%s", got)
	}
	p.send(p.request(request{method: "ACK", to: field(ringing, "To")}))
	if e := o.want("answered"); e.sdp != theirs {
		t.Errorf("their answer %q", e.sdp)
	}
}

// Who cannot take reliable answers gets none, and no offer of ours in an answer that
// may be lost; who can but does not insist gets none without a session description.
func TestReliable_OnlyWhereItMatters(t *testing.T) {
	for name, c := range map[string]struct{ extra, sdp string }{
		"cannot": {"Supported: timer\r\n", testSDP},
		"can":    {"Supported: timer, 100rel\r\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t)
			p := newPeer(t, s.addr("udp"))
			p.send(p.request(request{method: "INVITE", extra: c.extra}))
			l, o := s.call(t)
			o.do(func() { l.Ring(180, sdpOrNone(c.sdp)) })
			got := p.recv("SIP/2.0 180")
			if field(got, "Require") != "" || field(got, "RSeq") != "" || strings.Contains(got, "m=audio") {
				t.Errorf("ringing:\n%s", got)
			}
			if msg, ok := p.within(100*time.Millisecond, "SIP/2.0 1"); ok {
				t.Errorf("again:\n%s", msg)
			}
			p.send(p.request(request{method: "PRACK", seq: 2, to: field(got, "To"), extra: "RAck: 1 1 INVITE\r\n"}))
			p.recv("SIP/2.0 481")
		})
	}
}

// Section 3: a caller who can take reliable answers gets those with a session
// description so, and acknowledges them, while others pass; the 2xx waits for that.
func TestReliable_EarlyMediaOfWhoSupportsIt(t *testing.T) {
	s := start(t, brisk)
	p := newPeer(t, s.addr("udp"))
	p.send(p.request(request{method: "INVITE", extra: "Supported: 100rel\r\n", body: testSDP}))
	l, o := s.call(t)
	o.do(func() { l.Ring(180, nil) })
	if got := p.recv("SIP/2.0 1"); !strings.HasPrefix(got, "SIP/2.0 180") || field(got, "RSeq") != "" {
		t.Errorf("ringing:\n%s", got)
	}
	o.do(func() { l.Ring(183, []byte(testSDP)) })
	got := p.recv("SIP/2.0 183")
	if field(got, "Require") != "100rel" || !strings.Contains(got, "m=audio") {
		t.Errorf("early media:\n%s", got)
	}
	o.do(func() { l.Ring(181, nil) })
	if between := p.recv("SIP/2.0 181"); field(between, "RSeq") != "" {
		t.Errorf("between:\n%s", between)
	}
	if again := p.recv("SIP/2.0 183"); field(again, "RSeq") != field(got, "RSeq") {
		t.Errorf("again:\n%s", again)
	}
	o.do(func() { _ = l.Answer([]byte(testSDP)) })
	p.send(p.request(request{method: "PRACK", seq: 2, to: field(got, "To"), extra: "RAck: " + field(got, "RSeq") + " 1 INVITE\r\n"}))
	p.recv("SIP/2.0 200")
	ok := p.recv("SIP/2.0 200")
	if field(ok, "CSeq") != "1 INVITE" || strings.Contains(ok, "m=audio") {
		t.Errorf("answer:\n%s", ok)
	}
	p.send(p.request(request{method: "ACK", to: field(got, "To")}))
	o.want("answered")
	p.send(p.request(request{method: "BYE", seq: 3, to: field(got, "To")}))
	p.recv("SIP/2.0 200")
	o.wantEnd(ClassHangup, 0)
	s.idle(t)
}

// Section 4: we acknowledge each reliable answer once and in order, in its own
// early dialog; one with a session description has answered our offer.
func TestReliable_PeerRingsReliably(t *testing.T) {
	s := start(t)
	p, l, o, invite := dialled(t, s)
	if !strings.Contains(field(invite, "Supported"), "100rel") {
		t.Errorf("Supported %q", field(invite, "Supported"))
	}
	rel := func(n int) string { return sprintf("Require: 100rel\r\nRSeq: %d\r\n", n) }
	ack := func(rack, tag string) {
		t.Helper()
		prack := p.recv("PRACK")
		if field(prack, "RAck") != rack || !strings.HasSuffix(field(prack, "To"), "tag="+tag) {
			t.Errorf("want %s to %s:\n%s", rack, tag, prack)
		}
		p.send(p.reply(prack, 200, "", "", ""))
	}
	p.send(p.reply(invite, 180, "p1", rel(7), ""))
	ack("7 1 INVITE", "p1")
	o.want("progress")
	p.send(p.reply(invite, 180, "p1", rel(7), "")) // again: it is the PRACK that was lost, which repeats itself
	p.send(p.reply(invite, 183, "p1", rel(9), "")) // too early
	if msg, ok := p.within(100*time.Millisecond, "PRACK"); ok {
		t.Errorf("acknowledged:\n%s", msg)
	}
	p.send(p.reply(invite, 180, "p2", rel(100), "")) // of another branch
	ack("100 1 INVITE", "p2")
	o.want("progress")
	to, from := inverse(invite, "p1")
	update := request{method: "UPDATE", callID: field(invite, "Call-ID"), to: to, from: from, seq: 7, body: testSDP}
	p.send(p.request(update))
	p.recv("SIP/2.0 491")
	p.send(p.reply(invite, 183, "p1", rel(8), testSDP))
	ack("8 1 INVITE", "p1")
	if e := o.want("progress"); e.code != 183 || e.sdp != testSDP {
		t.Errorf("%+v", e)
	}
	update.seq++
	p.send(p.request(update)) // RFC 3311 section 5.1: offer and answer are exchanged
	o.want("offer")
	p.recv("SIP/2.0 200")
	p.send(p.reply(invite, 200, "p1", "", ""))
	p.recv("ACK")
	if e := o.want("answered"); e.sdp != testSDP {
		t.Errorf("answer %q", e.sdp)
	}
	o.do(func() { l.Hangup("") })
	bye := p.recv("BYE")
	if field(bye, "CSeq") != "5 BYE" { // after the INVITE and three PRACKs
		t.Errorf("CSeq of the BYE %s", field(bye, "CSeq"))
	}
	p.send(p.reply(bye, 200, "", "", ""))
	o.wantEnd(ClassHangup, 0)
	s.idle(t)
}

// A PRACK that nobody answers harms nothing but itself.
func TestReliable_PrackLost(t *testing.T) {
	s := start(t)
	p, l, o, invite := dialled(t, s)
	p.send(p.reply(invite, 180, "p1", "Require: 100rel\r\nRSeq: 1\r\n", ""))
	o.want("progress")
	first := p.recv("PRACK")
	if again := p.recv("PRACK"); again != first { // RFC 3261 section 17.1.2: it is a transaction
		t.Errorf("again:\n%s", again)
	}
	o.do(func() { l.Hangup("") })
	p.send(p.reply(p.recv("CANCEL"), 200, "p1", "", ""))
	p.send(p.reply(invite, 487, "p1", "", ""))
	o.wantEnd(ClassCancelled, 0)
	p.send(p.reply(first, 481, "", "", ""))
	s.idle(t)
}

func sdpOrNone(s string) []byte {
	if s == "" {
		return nil
	}
	return []byte(s)
}
