package sip

import (
	"strings"
	"sync/atomic"
	"testing"
)

// recvNew waits for a request of that method that is not one sent again.
func (p *peer) recvNew(method, last string) string {
	p.t.Helper()
	msg := p.recv(method)
	for field(msg, "CSeq") == field(last, "CSeq") {
		msg = p.recv(method)
	}
	return msg
}

// proposes has the owner offer another port than it has, and counts how often it is asked to.
func (o *owner) proposes() *atomic.Int32 {
	o.t.Helper()
	offers := new(atomic.Int32)
	o.do(func() {
		o.offer = func(_ *Leg, sdp []byte) ([]byte, error) {
			if sdp == nil {
				offers.Add(1)
			}
			return []byte(strings.Replace(testSDP, "4000", "4002", 1)), nil
		}
	})
	return offers
}

// The owner has the session changed: by one re-INVITE for two wishes, not before the ACK, and with what it offers then. 491 and
// Retry-After have it asked for again (RFC 3261 section 14.1); the answer is handed over, a refusal changes nothing.
func TestPropose(t *testing.T) {
	s := start(t)
	p := newPeer(t, s.addr("udp"))
	p.send(p.request(request{method: "INVITE", body: testSDP}))
	l, o := s.call(t)
	offers := o.proposes()
	o.do(func() { _ = l.Answer([]byte(testSDP)) })
	ok := p.recv("SIP/2.0 200")
	o.do(func() { l.Propose(); l.Propose() })
	if offers.Load() != 0 {
		t.Fatal("asked for an offer before the ACK")
	}
	p.send(p.request(request{method: "ACK", to: field(ok, "To")}))
	o.want("answered")
	o.want("offer")
	invite := p.recvNew("INVITE", "")
	if !strings.Contains(invite, "m=audio 4002") || field(invite, "Session-Expires") != "" {
		t.Errorf("proposed:\n%s", invite)
	}
	p.send(p.reply(invite, 491, "", "", ""))
	p.recv("ACK")
	o.want("offer")
	second := p.recvNew("INVITE", invite)
	p.send(p.reply(second, 500, "", "Retry-After: 0\r\n", ""))
	p.recv("ACK")
	o.want("offer")
	third := p.recvNew("INVITE", second)
	o.do(l.Propose) // while that one is open: once more behind it
	changed := strings.Replace(testSDP, "4000", "4004", 1)
	p.send(p.reply(third, 200, "", "", changed))
	p.recv("ACK")
	if e := o.want("offer"); e.sdp != changed {
		t.Errorf("handed over %q", e.sdp)
	}
	o.want("offer")
	fourth := p.recvNew("INVITE", third)
	p.send(p.reply(fourth, 488, "", "", "")) // and that is all
	p.recv("ACK")
	p.send(p.request(request{method: "OPTIONS", seq: 2, to: field(ok, "To")}))
	p.recv("SIP/2.0 200")
	p.send(p.request(request{method: "BYE", seq: 3, to: field(ok, "To")}))
	p.recv("SIP/2.0 200")
	o.wantEnd(ClassHangup, 0)
	if n := offers.Load(); n != 4 {
		t.Errorf("%d offers", n)
	}
	o.do(l.Propose) // too late
	s.idle(t)
}

// A re-INVITE of the peer comes first, and ours when that has its ACK; a peer that knows the call no more has ended it.
func TestPropose_AfterThePeers(t *testing.T) {
	s := start(t)
	p := newPeer(t, s.addr("udp"))
	p.send(p.request(request{method: "INVITE", body: testSDP}))
	l, o := s.call(t)
	offers := o.proposes()
	o.do(func() { _ = l.Answer([]byte(testSDP)) })
	to := field(p.recv("SIP/2.0 200"), "To")
	p.send(p.request(request{method: "ACK", to: to}))
	o.want("answered")
	p.send(p.request(request{method: "INVITE", seq: 2, to: to, body: testSDP}))
	o.want("offer")
	for res := ""; field(res, "CSeq") != "2 INVITE"; {
		res = p.recv("SIP/2.0 200")
	}
	o.do(l.Propose)
	p.send(p.request(request{method: "OPTIONS", seq: 3, to: to}))
	for res := ""; field(res, "CSeq") != "3 OPTIONS"; {
		res = p.recv("SIP/2.0 200")
	}
	if offers.Load() != 0 {
		t.Fatal("asked for an offer before the ACK")
	}
	p.send(p.request(request{method: "ACK", seq: 2, to: to}))
	o.want("offer")
	invite := p.recvNew("INVITE", "")
	p.send(p.reply(invite, 481, "", "", ""))
	p.recv("ACK")
	p.send(p.reply(p.recv("BYE"), 481, "", "", ""))
	o.wantEnd(ClassTimeout, 0)
	s.idle(t)
}
