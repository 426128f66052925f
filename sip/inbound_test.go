package sip

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// ring brings a call from a raw peer to a bound leg with 180.
func ring(t *testing.T, s *side, body string) (*peer, *Leg, *owner, string) {
	t.Helper()
	p := newPeer(t, s.addr("udp"))
	p.send(p.request(request{method: "INVITE", body: body}))
	l, o := s.call(t)
	o.do(func() { l.Ring(180, nil) })
	return p, l, o, p.recv("SIP/2.0 180")
}

// established brings a call to the state after the ACK.
func established(t *testing.T, s *side) (*peer, *Leg, *owner, string) {
	t.Helper()
	p, l, o, ringing := ring(t, s, testSDP)
	o.do(func() {
		if err := l.Answer([]byte(testSDP)); err != nil {
			t.Error(err)
		}
	})
	p.recv("SIP/2.0 200")
	to := field(ringing, "To")
	p.send(p.request(request{method: "ACK", to: to}))
	o.want("answered")
	return p, l, o, to
}

func TestInbound_CancelGets200And487WithTheTagOf180(t *testing.T) {
	s := start(t)
	p, _, o, ringing := ring(t, s, testSDP)
	p.send(p.request(request{method: "CANCEL", branch: "z9hG4bKINVITE1"}))
	got := p.recv("SIP/2.0 200")
	if field(got, "CSeq") != "1 CANCEL" {
		t.Errorf("200 for %s", field(got, "CSeq"))
	}
	if field(got, "To") != field(ringing, "To") { // RFC 3261 section 9.2
		t.Errorf("To of the 200 %q, of 180 %q", field(got, "To"), field(ringing, "To"))
	}
	gone := p.recv("SIP/2.0 487")
	if field(gone, "To") != field(ringing, "To") {
		t.Errorf("To of 487 %q, of 180 %q", field(gone, "To"), field(ringing, "To"))
	}
	p.send(p.request(request{method: "ACK", branch: "z9hG4bKINVITE1", to: field(gone, "To")}))
	if e := o.wantEnd(ClassCancel, 487); e.ByUs {
		t.Errorf("%+v", e)
	}
	s.idle(t)
}

func TestInbound_CancelThatOvertookTheInvite(t *testing.T) {
	s := start(t)
	p := newPeer(t, s.addr("udp"))
	p.send(p.request(request{method: "CANCEL", branch: "z9hG4bKINVITE1"}))
	p.send(p.request(request{method: "INVITE", body: testSDP}))
	p.recv("SIP/2.0 200")
	p.recv("SIP/2.0 487")
	_, o := s.call(t)
	o.wantEnd(ClassCancel, 487)
	s.idle(t)
}

func TestInbound_CancelAfterThe200ChangesNothing(t *testing.T) {
	s := start(t)
	p, l, o, ringing := ring(t, s, testSDP)
	o.do(func() { _ = l.Answer([]byte(testSDP)) })
	p.recv("SIP/2.0 200")
	p.send(p.request(request{method: "CANCEL", branch: "z9hG4bKINVITE1"}))
	for got := ""; field(got, "CSeq") != "1 CANCEL"; { // 200 of the INVITE may come again
		got = p.recv("SIP/2.0 200")
	}
	p.send(p.request(request{method: "ACK", to: field(ringing, "To")}))
	o.want("answered")
	o.do(func() { l.Hangup("") })
	p.send(p.reply(p.recv("BYE"), 200, "", "", ""))
	o.wantEnd(ClassHangup, 0)
	s.idle(t)
}

func TestInbound_CancelRacesTheAnswer(t *testing.T) {
	// The usual timers: with those of the other tests an answer whose ACK has to wait for
	// a busy machine is given up after two and a half seconds, and with it the call.
	s := start(t, func(o *Options) { o.T1, o.T2 = 0, 0 })
	for i := range 50 {
		p := newPeer(t, s.addr("udp"))
		id := sprintf("race-%d", i)
		p.send(p.request(request{method: "INVITE", callID: id, branch: "z9hG4bK" + id, body: testSDP}))
		l, o := s.call(t)
		go p.send(p.request(request{method: "CANCEL", callID: id, branch: "z9hG4bK" + id}))
		var err error
		o.do(func() { err = l.Answer([]byte(testSDP)) })
		final := ""
		for !strings.Contains(field(final, "CSeq"), "INVITE") {
			final = p.recv("SIP/2.0 200", "SIP/2.0 487")
		}
		p.send(p.request(request{method: "ACK", callID: id, to: field(final, "To")}))
		if strings.HasPrefix(final, "SIP/2.0 487") {
			if err == nil && l.SDP() == nil {
				t.Error("cancelled, but answered without an error")
			}
			o.wantEnd(ClassCancel, 487)
			continue
		}
		if err != nil {
			t.Errorf("200 went out, Answer says %v", err)
		}
		o.want("answered")
		o.do(func() { l.Hangup("") })
		p.send(p.reply(p.recv("BYE"), 200, "", "", ""))
		o.wantEnd(ClassHangup, 0)
	}
	s.idle(t)
}

func TestInbound_RejectAndHangupBeforeTheAnswer(t *testing.T) {
	for _, c := range []struct {
		name  string
		do    func(l *Leg)
		line  string
		class Class
	}{
		{"busy", func(l *Leg) { l.Reject(486, "") }, "SIP/2.0 486 Busy Here", ClassBusy},
		{"unknown number", func(l *Leg) { l.Reject(404, "No Such Number") }, "SIP/2.0 404 No Such Number", ClassUnreachable},
		{"bad code", func(l *Leg) { l.Reject(200, "") }, "SIP/2.0 500 Server Internal Error", ClassFailed},
		{"reason with a line end", func(l *Leg) { l.Reject(603, "No\r\nX: y") }, "SIP/2.0 603 Decline", ClassDeclined},
		{"hung up", func(l *Leg) { l.Hangup(`SIP;cause=480;text="later"`) }, "SIP/2.0 480 Temporarily Unavailable", ClassHangup},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := start(t)
			p, l, o, ringing := ring(t, s, testSDP)
			o.do(func() { c.do(l) })
			got := p.recv("SIP/2.0 4", "SIP/2.0 5", "SIP/2.0 6")
			if line, _, _ := strings.Cut(got, "\r\n"); line != c.line {
				t.Errorf("%s, want %s", line, c.line)
			}
			if field(got, "To") != field(ringing, "To") || field(got, "X") != "" {
				t.Errorf("answer:\n%s", got)
			}
			p.send(p.request(request{method: "ACK", branch: "z9hG4bKINVITE1", to: field(got, "To")}))
			if e := o.wantEnd(c.class, 0); !e.ByUs {
				t.Errorf("%+v", e)
			}
			o.do(func() {
				if err := l.Answer([]byte(testSDP)); !errors.Is(err, ErrState) {
					t.Errorf("answer after the end: %v", err)
				}
			})
			s.idle(t)
		})
	}
}

func TestInbound_AnswerIsRepeatedUntilTheAck(t *testing.T) {
	s := start(t, brisk)
	p, l, o, ringing := ring(t, s, testSDP)
	o.do(func() { _ = l.Answer([]byte(testSDP)) })
	first := p.recv("SIP/2.0 200")
	for range 3 {
		if again := p.recv("SIP/2.0 200"); again != first {
			t.Errorf("repeated answer differs:\n%s\n%s", first, again)
		}
	}
	p.send(p.request(request{method: "ACK", to: field(ringing, "To")}))
	o.want("answered")
	p.forget()
	if msg, ok := p.within(300*time.Millisecond, "SIP/2.0 200"); ok {
		t.Errorf("after the ACK:\n%s", msg)
	}
	o.do(func() { l.Hangup("") })
	p.send(p.reply(p.recv("BYE"), 200, "", "", ""))
	o.wantEnd(ClassHangup, 0)
	s.idle(t)
}

func TestInbound_WithoutAckTheCallEndsWithBye(t *testing.T) {
	s := start(t, func(o *Options) { o.T1, o.T2 = 5*time.Millisecond, 20*time.Millisecond })
	p, l, o, _ := ring(t, s, testSDP)
	o.do(func() { _ = l.Answer([]byte(testSDP)) })
	p.send(p.reply(p.recv("BYE"), 200, "", "", ""))
	if e := o.wantEnd(ClassTimeout, 0); !e.ByUs {
		t.Errorf("%+v", e)
	}
	s.idle(t)
}

func TestInbound_HangupBeforeTheAckWaitsForIt(t *testing.T) {
	s := start(t)
	p, l, o, ringing := ring(t, s, testSDP)
	o.do(func() {
		_ = l.Answer([]byte(testSDP))
		l.Hangup("")
	})
	o.wantEnd(ClassHangup, 0)
	p.recv("SIP/2.0 200")
	if msg, ok := p.within(100*time.Millisecond, "BYE"); ok {
		t.Fatalf("BYE before the ACK:\n%s", msg) // RFC 3261 section 15
	}
	p.send(p.request(request{method: "ACK", to: field(ringing, "To")}))
	p.send(p.reply(p.recv("BYE"), 200, "", "", ""))
	s.idle(t)
}

func TestInbound_ByeBeforeTheAckEndsTheCall(t *testing.T) {
	s := start(t)
	p, l, o, ringing := ring(t, s, testSDP)
	o.do(func() { _ = l.Answer([]byte(testSDP)) })
	p.recv("SIP/2.0 200")
	p.send(p.request(request{method: "BYE", seq: 2, to: field(ringing, "To"), extra: "Reason: Q.850;cause=16;text=\"Done\"\r\n"}))
	for got := ""; field(got, "CSeq") != "2 BYE"; {
		got = p.recv("SIP/2.0 200")
	}
	if e := o.wantEnd(ClassHangup, 0); e.ByUs || e.Reason != "Done" {
		t.Errorf("%+v", e)
	}
	s.idle(t)
}

func TestInbound_AckWithTheBranchOfTheInvite(t *testing.T) {
	s := start(t)
	p, l, o, ringing := ring(t, s, testSDP)
	o.do(func() { _ = l.Answer([]byte(testSDP)) })
	p.recv("SIP/2.0 200")
	p.send(p.request(request{method: "ACK", branch: "z9hG4bKINVITE1", to: field(ringing, "To")}))
	o.want("answered")
}

func TestInbound_LateOffer(t *testing.T) {
	s := start(t)
	p, l, o, ringing := ring(t, s, "")
	if l.SDP() != nil {
		t.Errorf("offer %q", l.SDP())
	}
	o.do(func() { _ = l.Answer([]byte(testSDP)) })
	p.recv("SIP/2.0 200")
	p.send(p.request(request{method: "INVITE", seq: 2, to: field(ringing, "To"), body: testSDP}))
	p.recv("SIP/2.0 491") // ours is open: RFC 3261 section 14.2
	p.send(p.request(request{method: "ACK", to: field(ringing, "To"), body: testSDP}))
	if e := o.want("answered"); e.sdp != testSDP {
		t.Errorf("answer in the ACK: %q", e.sdp)
	}
	o.do(func() { l.Hangup("") })
	p.send(p.reply(p.recv("BYE"), 200, "", "", ""))
	o.wantEnd(ClassHangup, 0)
	s.idle(t)
}

func TestInbound_RetransmissionsAndMergedRequests(t *testing.T) {
	s := start(t)
	p, _, o, ringing := ring(t, s, testSDP)
	p.send(p.request(request{method: "INVITE", body: testSDP}))
	if again := p.recv("SIP/2.0 180"); again != ringing {
		t.Errorf("retransmission got\n%s", again)
	}
	p.send(p.request(request{method: "INVITE", branch: "z9hG4bKother", body: testSDP}))
	p.recv("SIP/2.0 482")
	select {
	case <-s.calls:
		t.Error("a second call")
	case e := <-o.events:
		t.Errorf("%+v", e)
	default:
	}
}

func TestInbound_Limits(t *testing.T) {
	t.Run("calls of the trunk", func(t *testing.T) {
		s := start(t, func(o *Options) { o.Directory.Trunks[0].MaxCalls = 1 })
		p, l, o, _ := ring(t, s, testSDP)
		second := newPeer(t, s.addr("udp"))
		second.send(second.request(request{method: "INVITE", callID: "second", body: testSDP}))
		if got := second.recv("SIP/2.0 503"); field(got, "Retry-After") == "" {
			t.Errorf("no Retry-After:\n%s", got)
		}
		o.do(func() { l.Reject(486, "") })
		p.recv("SIP/2.0 486")
		s.idle(t)
		second.send(second.request(request{method: "INVITE", callID: "third", body: testSDP}))
		s.call(t)
	})
	t.Run("all legs", func(t *testing.T) {
		s := start(t, func(o *Options) { o.MaxLegs = 1 })
		ring(t, s, testSDP)
		second := newPeer(t, s.addr("udp"))
		second.send(second.request(request{method: "INVITE", callID: "second", body: testSDP}))
		second.recv("SIP/2.0 503")
	})
	t.Run("draining", func(t *testing.T) {
		s := start(t)
		p, l, o, to := established(t, s)
		s.Drain()
		second := newPeer(t, s.addr("udp"))
		second.send(second.request(request{method: "INVITE", callID: "second", body: testSDP}))
		second.recv("SIP/2.0 503")
		p.send(p.request(request{method: "INFO", seq: 2, to: to}))
		p.recv("SIP/2.0 200")
		o.do(func() { l.Hangup("") })
		p.recv("BYE")
	})
}

func TestInbound_RequestsInTheDialog(t *testing.T) {
	s := start(t)
	p, l, o, to := established(t, s)
	_ = l
	for _, c := range []struct {
		name string
		r    request
		want string
	}{
		{"INFO with a digit", request{method: "INFO", seq: 10, to: to, extra: "Content-Type: application/dtmf-relay\r\n"}, "SIP/2.0 200"},
		{"OPTIONS", request{method: "OPTIONS", seq: 11, to: to}, "SIP/2.0 200"},
		{"UPDATE without an offer", request{method: "UPDATE", seq: 12, to: to}, "SIP/2.0 200"},
		{"MESSAGE", request{method: "MESSAGE", seq: 13, to: to}, "SIP/2.0 405"},
		{"unknown method", request{method: "DANCE", seq: 14, to: to}, "SIP/2.0 501"},
		{"old CSeq", request{method: "INFO", seq: 11, to: to, branch: "z9hG4bKold"}, "SIP/2.0 500"},
		{"wrong peer tag", request{method: "INFO", seq: 15, to: to, from: "<sip:caller@carrier.test>;tag=other"}, "SIP/2.0 481"},
		{"wrong call", request{method: "INFO", seq: 16, to: to, callID: "other"}, "SIP/2.0 481"},
		{"unknown dialog", request{method: "BYE", seq: 17, to: "<sip:100@pbx.test>;tag=nobody"}, "SIP/2.0 481"},
		{"requires what we lack", request{method: "INFO", seq: 18, to: to, extra: "Require: precondition\r\n"}, "SIP/2.0 420"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p.t = t
			p.send(p.request(c.r))
			got := p.recv("SIP/2.0")
			if !strings.HasPrefix(got, c.want) {
				t.Errorf("%s, want %s", strings.SplitN(got, "\r\n", 2)[0], c.want)
			}
			switch c.want {
			case "SIP/2.0 405":
				if !strings.Contains(field(got, "Allow"), "INVITE") {
					t.Errorf("Allow %q", field(got, "Allow"))
				}
			case "SIP/2.0 420":
				if field(got, "Unsupported") != "precondition" {
					t.Errorf("Unsupported %q", field(got, "Unsupported"))
				}
			}
		})
	}
	select {
	case e := <-o.events:
		t.Errorf("the owner was told %+v", e)
	default:
	}
}

func TestInbound_ReInvite(t *testing.T) {
	s := start(t)
	p, l, o, to := established(t, s)
	offer := strings.Replace(testSDP, "4000", "5000", 1)
	o.do(func() {
		o.offer = func(_ *Leg, sdp []byte) ([]byte, error) {
			if strings.Contains(string(sdp), "9999") {
				return nil, errors.New("no")
			}
			return []byte("v=0\r\ns=ours\r\n"), nil
		}
	})
	p.send(p.request(request{method: "INVITE", seq: 2, to: to, body: offer}))
	if e := o.want("offer"); e.sdp != offer {
		t.Errorf("offer %q", e.sdp)
	}
	got := p.recv("SIP/2.0 200")
	if !strings.HasSuffix(got, "s=ours\r\n") || field(got, "Contact") == "" {
		t.Errorf("answer\n%s", got)
	}
	p.recv("SIP/2.0 200") // again: no ACK yet
	p.send(p.request(request{method: "ACK", seq: 2, to: to}))
	if string(l.SDP()) != offer {
		t.Errorf("SDP %q", l.SDP())
	}
	p.send(p.request(request{method: "INVITE", seq: 3, to: to, body: strings.Replace(testSDP, "4000", "9999", 1)}))
	o.want("offer")
	p.recv("SIP/2.0 488")
	p.send(p.request(request{method: "ACK", seq: 3, branch: "z9hG4bKINVITE3", to: to}))
	p.send(p.request(request{method: "INVITE", seq: 4, to: to})) // asks for ours
	o.want("offer")
	p.recv("SIP/2.0 200")
	p.send(p.request(request{method: "UPDATE", seq: 5, to: to, body: offer}))
	p.recv("SIP/2.0 491")
	p.send(p.request(request{method: "ACK", seq: 4, to: to, body: offer}))
	if e := o.want("offer"); e.sdp != offer {
		t.Errorf("answer in the ACK %q", e.sdp)
	}
	p.send(p.request(request{method: "UPDATE", seq: 6, to: to, body: offer}))
	o.want("offer")
	p.recv("SIP/2.0 200")
	p.send(p.request(request{method: "INVITE", seq: 7, to: to, extra: "Content-Type: text/plain\r\n", body: ""}))
	o.want("offer")
}

func TestInbound_ReInviteWithoutAckEndsTheCall(t *testing.T) {
	s := start(t, brisk)
	p, _, o, to := established(t, s)
	p.send(p.request(request{method: "INVITE", seq: 2, to: to, body: testSDP}))
	o.want("offer")
	p.send(p.reply(p.recv("BYE"), 200, "", "", ""))
	o.wantEnd(ClassHangup, 0)
	s.idle(t)
}

func TestInbound_ReInviteThatOvertookTheAck(t *testing.T) {
	s := start(t)
	p, l, o, ringing := ring(t, s, testSDP)
	o.do(func() { _ = l.Answer([]byte(testSDP)) })
	p.recv("SIP/2.0 200")
	p.send(p.request(request{method: "INVITE", seq: 2, to: field(ringing, "To"), body: testSDP}))
	o.want("answered")
	o.want("offer")
	p.send(p.request(request{method: "ACK", seq: 2, to: field(ringing, "To")}))
	o.do(func() { l.Hangup("") })
	p.send(p.reply(p.recv("BYE"), 200, "", "", ""))
	o.wantEnd(ClassHangup, 0)
	s.idle(t)
}

func TestInbound_OffersBeforeTheAnswer(t *testing.T) {
	s := start(t)
	p, l, o, ringing := ring(t, s, testSDP)
	p.send(p.request(request{method: "UPDATE", seq: 2, to: field(ringing, "To"), body: testSDP}))
	if got := p.recv("SIP/2.0 500"); field(got, "Retry-After") == "" {
		t.Errorf("no Retry-After:\n%s", got)
	}
	p.send(p.request(request{method: "INVITE", seq: 3, to: field(ringing, "To"), body: testSDP}))
	if got := p.recv("SIP/2.0 500"); field(got, "Retry-After") == "" {
		t.Errorf("no Retry-After:\n%s", got)
	}
	o.do(func() { l.Reject(486, "") })
	p.recv("SIP/2.0 486")
	p.send(p.request(request{method: "ACK", branch: "z9hG4bKINVITE1", to: field(ringing, "To")}))
	s.idle(t)
}

func TestInbound_OwnerGone(t *testing.T) {
	t.Run("before the answer", func(t *testing.T) {
		s := start(t)
		p, _, o, ringing := ring(t, s, testSDP)
		o.leave()
		p.send(p.request(request{method: "UPDATE", seq: 2, to: field(ringing, "To")}))
		p.recv("SIP/2.0 480")
		s.idle(t)
	})
	t.Run("in the call", func(t *testing.T) {
		s := start(t)
		p, _, o, to := established(t, s)
		o.leave()
		p.send(p.request(request{method: "INFO", seq: 2, to: to}))
		p.send(p.reply(p.recv("BYE"), 200, "", "", ""))
		s.idle(t)
	})
	t.Run("after the end", func(t *testing.T) {
		s := start(t)
		p, l, o, ringing := ring(t, s, testSDP)
		o.do(func() {
			_ = l.Answer([]byte(testSDP))
			l.Hangup("")
		})
		o.wantEnd(ClassHangup, 0)
		o.leave()
		p.recv("SIP/2.0 200")
		p.send(p.request(request{method: "ACK", to: field(ringing, "To")}))
		p.send(p.reply(p.recv("BYE"), 200, "", "", ""))
		s.idle(t)
	})
}

func TestInbound_PanicCostsOneCall(t *testing.T) {
	s := start(t, func(o *Options) {
		h := o.Handler.(*side)
		h.onInvite = func(l *Leg) {
			if l.To() == "666" {
				panic("no")
			}
			h.calls <- l
		}
	})
	p := newPeer(t, s.addr("udp"))
	p.send(p.request(request{method: "INVITE", callID: "bad", uri: "sip:666@" + p.target().String(), body: testSDP}))
	p.send(p.request(request{method: "INVITE", callID: "good", body: testSDP}))
	l, o := s.call(t)
	o.do(func() { l.Reject(486, "") })
	for field(p.recv("SIP/2.0 486"), "Call-ID") != "good" {
	}
	eventually(t, "the fault to be counted", func() bool { return s.Stats().Panics == 1 })
}

func TestInbound_MultipartBodyHoldsTheOffer(t *testing.T) {
	s := start(t)
	p := newPeer(t, s.addr("udp"))
	body := "--b1\r\nContent-Type: application/isup;version=itu-t92+\r\n\r\n\x01\x02\r\n--b1\r\nContent-Type: application/sdp\r\n\r\n" + testSDP + "\r\n--b1--\r\n"
	msg := p.request(request{method: "INVITE"})
	msg = strings.Replace(msg, "Content-Length: 0\r\n\r\n", sprintf("Content-Type: multipart/mixed;boundary=b1\r\nContent-Length: %d\r\n\r\n%s", len(body), body), 1)
	p.send(msg)
	l, _ := s.call(t)
	if string(l.SDP()) != testSDP {
		t.Errorf("offer %q", l.SDP())
	}
}

func TestInbound_ViaGetsReceived(t *testing.T) {
	s := start(t)
	p := newPeer(t, s.addr("udp"))
	msg := p.request(request{method: "OPTIONS"})
	msg = strings.Replace(msg, "Via: SIP/2.0/UDP 127.0.0.1:", "Via: SIP/2.0/UDP client.example:", 1)
	p.send(strings.Replace(msg, ";rport", "", 1)) // no rport: RFC 3261 section 18.2.1 all the same
	if got := p.recv("SIP/2.0 200"); !strings.Contains(field(got, "Via"), "received=127.0.0.1") {
		t.Errorf("Via %s", field(got, "Via"))
	}
}
