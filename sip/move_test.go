package sip

import (
	"strings"
	"testing"
)

// takenCall is a call that was taken, with its peer.
func takenCall(t *testing.T, s *side, id string) (*peer, *Leg, *owner) {
	t.Helper()
	p := newPeer(t, s.addr("udp"))
	p.send(p.request(request{method: "INVITE", callID: id, body: testSDP}))
	l, o := s.call(t)
	o.do(func() { _ = l.Answer([]byte(testSDP)) })
	ok := p.recv("SIP/2.0 200")
	p.send(p.request(request{method: "ACK", branch: "z9hG4bKack" + id, callID: id, to: field(ok, "To")}))
	o.want("answered")
	return p, l, o
}

// A leg that is moved tells its new owner all that happens from then on, and
// what was queued at the old one besides.
func TestMove_NewOwnerHearsEverything(t *testing.T) {
	s := start(t)
	p, l, old := takenCall(t, s, "moved")
	taker := newOwner(t)
	first := make(chan bool, 1)
	old.do(func() {
		// The BYE is queued at the old owner, who is busy with this.
		p.send(p.request(request{method: "BYE", callID: "moved", seq: 2, to: "<sip:100@pbx.test>;tag=" + l.tag}))
		eventually(t, "the BYE is queued", func() bool {
			old.mu.Lock()
			defer old.mu.Unlock()
			return len(old.queue) > 0
		})
		if !l.Move(taker, taker, func() { first <- true }) {
			t.Error("not moved")
		}
	})
	<-first
	taker.wantEnd(ClassHangup, 0)
	if got := p.recv("SIP/2.0 200"); !strings.Contains(field(got, "CSeq"), "BYE") {
		t.Errorf("got\n%s", got)
	}
	old.do(func() {}) // all that it had is done
	if len(old.events) > 0 {
		t.Errorf("the old owner was told %+v", <-old.events)
	}
	s.idle(t)
}

// Hanging up and moving in one go: the end is told to the new owner, once, and
// after what it was to do first.
func TestMove_EndOfOnesOwnMaking(t *testing.T) {
	s := start(t)
	p, l, old := takenCall(t, s, "ended")
	taker := newOwner(t)
	old.do(func() {
		l.Hangup("")
		if !l.Move(taker, taker, func() { taker.tell(event{what: "first"}) }) {
			t.Error("not moved")
		}
	})
	taker.want("first")
	taker.wantEnd(ClassHangup, 0)
	p.send(p.reply(p.recv("BYE"), 200, "", "", ""))
	s.idle(t)
}

// A leg cannot be moved to an owner who is gone; it stays where it is.
func TestMove_NobodyThere(t *testing.T) {
	s := start(t)
	p, l, old := takenCall(t, s, "stays")
	gone := newOwner(t)
	gone.leave()
	old.do(func() {
		if l.Move(gone, gone, func() {}) {
			t.Error("moved to nobody")
		}
	})
	p.send(p.request(request{method: "BYE", callID: "stays", seq: 2, to: "<sip:100@pbx.test>;tag=" + l.tag}))
	old.wantEnd(ClassHangup, 0)
	s.idle(t)
}
