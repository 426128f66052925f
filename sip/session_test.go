package sip

import (
	"strings"
	"testing"
	"time"
)

// fast runs session timers a thousand times faster: 90 s last 90 ms.
func fast(o *Options) { o.haste = 1000 }

// timed brings a call with these lines in its INVITE to the state after the ACK,
// and gives the 200.
func timed(t *testing.T, s *side, lines string) (*peer, *owner, string) {
	t.Helper()
	p := newPeer(t, s.addr("udp"))
	p.send(p.request(request{method: "INVITE", body: testSDP, extra: lines}))
	l, o := s.call(t)
	o.do(func() { _ = l.Answer([]byte(testSDP)) })
	ok := p.recv("SIP/2.0 200")
	p.send(p.request(request{method: "ACK", to: field(ok, "To")}))
	o.want("answered")
	return p, o, ok
}

func wantExpires(t *testing.T, msg, want string) {
	t.Helper()
	if got := field(msg, "Session-Expires"); got != want {
		t.Errorf("Session-Expires %q, want %q:\n%s", got, want, msg)
	}
}

// RFC 4028 sections 9 and 10: the peer refreshes, and the call ends when it does not any more.
func TestSession_PeerRefreshes(t *testing.T) {
	s := start(t, func(o *Options) { o.haste = 150 }) // 300 s last 2 s
	p, o, ok := timed(t, s, "Supported: timer\r\nSession-Expires: 300\r\n")
	wantExpires(t, ok, "300;refresher=uac")
	if field(ok, "Require") != "timer" {
		t.Errorf("200:\n%s", ok)
	}
	to := field(ok, "To")
	began := time.Now()
	for seq := 2; seq < 5; seq++ {
		if msg, early := p.within(700*time.Millisecond, "BYE"); early {
			t.Fatalf("ended although refreshed:\n%s", msg)
		}
		p.send(p.request(request{method: "UPDATE", seq: seq, to: to, extra: "Supported: timer\r\nSession-Expires: 300;refresher=uac\r\n"}))
		wantExpires(t, p.recv("SIP/2.0 200"), "300;refresher=uac")
	}
	bye := p.recv("BYE")
	if lasted := time.Since(began); lasted < 3800*time.Millisecond { // 2.1 s and the last 1.78 s
		t.Errorf("ended after %v", lasted)
	}
	if !strings.Contains(field(bye, "Reason"), "cause=408") {
		t.Errorf("BYE:\n%s", bye)
	}
	p.send(p.reply(bye, 200, "", "", ""))
	if e := o.wantEnd(ClassTimeout, 0); !e.ByUs || e.Reason != "session not refreshed" {
		t.Errorf("%+v", e)
	}
	s.idle(t)
}

// Section 7.4: we refresh by UPDATE, without a session description, at half time.
func TestSession_WeRefreshByUpdate(t *testing.T) {
	s := start(t, fast)
	p, o, ok := timed(t, s, "Supported: timer\r\nAllow: INVITE, ACK, BYE, UPDATE\r\nSession-Expires: 90;refresher=uas\r\n")
	wantExpires(t, ok, "90;refresher=uas")
	last := ""
	for range 3 {
		update := p.recv("UPDATE")
		for update == last {
			update = p.recv("UPDATE")
		}
		last = update
		wantExpires(t, update, "90;refresher=uac")
		if !strings.HasSuffix(update, "\r\n\r\n") || !strings.Contains(field(update, "Supported"), "timer") {
			t.Errorf("refresh:\n%s", update)
		}
		p.send(p.reply(update, 200, "", "Require: timer\r\nSession-Expires: 90;refresher=uac\r\n", ""))
	}
	update := p.recv("UPDATE")
	for update == last {
		update = p.recv("UPDATE")
	}
	p.send(p.reply(update, 500, "", "", "")) // an answer, if not a nice one: the peer is there
	last = update
	for update == last {
		update = p.recv("UPDATE")
	}
	p.send(p.reply(update, 481, "", "", ""))
	p.send(p.reply(p.recv("BYE"), 481, "", "", ""))
	o.wantEnd(ClassTimeout, 0)
	s.idle(t)
}

// A peer without UPDATE is sent the same session description by INVITE; 491 has
// it sent again (RFC 3261 section 14.1), a lost ACK is made good.
func TestSession_WeRefreshByInvite(t *testing.T) {
	s := start(t, fast)
	p, o, ok := timed(t, s, "Supported: timer\r\nSession-Expires: 90;refresher=uas\r\n")
	_, sdp, _ := strings.Cut(ok, "\r\n\r\n")
	glare := p.recv("INVITE")
	if _, again, _ := strings.Cut(glare, "\r\n\r\n"); again != sdp {
		t.Errorf("offered anew:\n%s", again)
	}
	p.send(p.reply(glare, 491, "", "", ""))
	p.recv("ACK")
	second := p.recv("INVITE")
	for field(second, "CSeq") == field(glare, "CSeq") {
		second = p.recv("INVITE")
	}
	changed := strings.Replace(testSDP, "4000", "4002", 1)
	accept := p.reply(second, 200, "", "Session-Expires: 90;refresher=uas\r\n", changed)
	p.send(accept)
	ack := p.recv("ACK")
	if seq, _, _ := strings.Cut(field(second, "CSeq"), " "); field(ack, "CSeq") != seq+" ACK" {
		t.Errorf("ACK %s of INVITE %s", field(ack, "CSeq"), field(second, "CSeq"))
	}
	p.send(accept)
	p.recv("ACK")
	if e := o.want("offer"); e.sdp != changed { // the peer's answer says something new
		t.Errorf("handed over %q", e.sdp)
	}
	bye := p.recv("BYE") // it took the refreshing over, and did not do it
	p.send(p.reply(bye, 200, "", "", ""))
	o.wantEnd(ClassTimeout, 0)
	s.idle(t)
}

// Both sides send a re-INVITE at once: each gets 491 (RFC 3261 section 14.2), ours is
// sent again after a while (section 14.1), and then theirs is taken, too.
func TestSession_BothSidesReInvite(t *testing.T) {
	s := start(t, func(o *Options) { o.haste = 30 }) // 90 s last 3 s
	p, o, ok := timed(t, s, "Supported: timer\r\nSession-Expires: 90;refresher=uas\r\n")
	ours := p.recv("INVITE")
	p.send(p.request(request{method: "INVITE", seq: 2, to: field(ok, "To"), body: testSDP}))
	p.recv("SIP/2.0 491")
	p.send(p.request(request{method: "ACK", seq: 2, branch: "z9hG4bKINVITE2", to: field(ok, "To")}))
	p.send(p.reply(ours, 491, "", "", ""))
	p.recv("ACK")
	again := p.recv("INVITE")
	for field(again, "CSeq") == field(ours, "CSeq") {
		again = p.recv("INVITE")
	}
	p.send(p.reply(again, 200, "", "", testSDP)) // without a timer from now on
	p.recv("ACK")
	p.send(p.request(request{method: "INVITE", seq: 3, to: field(ok, "To"), body: testSDP}))
	for res := ""; field(res, "CSeq") != "3 INVITE"; {
		res = p.recv("SIP/2.0 200")
	}
	p.send(p.request(request{method: "ACK", seq: 3, to: field(ok, "To")}))
	p.send(p.request(request{method: "BYE", seq: 4, to: field(ok, "To")}))
	for res := ""; field(res, "CSeq") != "4 BYE"; {
		res = p.recv("SIP/2.0 200")
	}
	o.want("offer")
	o.wantEnd(ClassHangup, 0)
	s.idle(t)
}

// No timer where the peer knows of none; 422 where it asks for too little, for
// the call as for a refresh (section 9).
func TestSession_NoneAndTooShort(t *testing.T) {
	s := start(t, fast)
	p, _, ok := timed(t, s, "")
	wantExpires(t, ok, "")
	if msg, ended := p.within(150*time.Millisecond, "BYE"); ended {
		t.Errorf("ended:\n%s", msg)
	}
	p.send(p.request(request{method: "UPDATE", seq: 2, to: field(ok, "To"), extra: "Supported: timer\r\nx: 30\r\n"}))
	if short := p.recv("SIP/2.0 422"); field(short, "Min-SE") != "90" {
		t.Errorf("422:\n%s", short)
	}
	p.send(p.request(request{method: "INVITE", callID: "short", body: testSDP, extra: "Require: timer\r\nSession-Expires: 89\r\n"}))
	if short := p.recv("SIP/2.0 422"); field(short, "Min-SE") != "90" {
		t.Errorf("422:\n%s", short)
	}
}

// Section 7: calls that we make ask the peer to refresh; 422 has the INVITE sent
// again with what it wants, and what the 200 grants counts.
func TestSession_CallsThatWeMake(t *testing.T) {
	s := start(t, fast)
	p := newPeer(t, s.addr("udp"))
	_, o := s.dial(t, "sip:bartek@"+p.addr())
	invite := p.recv("INVITE")
	wantExpires(t, invite, "1800;refresher=uas")
	if field(invite, "Min-SE") != "90" || !strings.Contains(field(invite, "Supported"), "timer") {
		t.Errorf("INVITE:\n%s", invite)
	}
	p.send(p.reply(invite, 422, "a", "Min-SE: 3600\r\n", ""))
	p.recv("ACK")
	again := p.recv("INVITE")
	wantExpires(t, again, "3600;refresher=uas")
	if field(again, "Min-SE") != "3600" || field(again, "Call-ID") != field(invite, "Call-ID") || field(again, "CSeq") != "2 INVITE" {
		t.Errorf("second INVITE:\n%s", again)
	}
	p.send(p.reply(again, 200, "b", "Session-Expires: 120;refresher=uas\r\n", testSDP))
	p.recv("ACK")
	o.want("answered")
	p.send(p.reply(p.recv("BYE"), 200, "", "", ""))
	o.wantEnd(ClassTimeout, 0)
	s.idle(t)
}
