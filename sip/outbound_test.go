package sip

import (
	"strings"
	"testing"
	"time"
)

// dialled calls a raw peer and returns its INVITE.
func dialled(t *testing.T, s *side) (*peer, *Leg, *owner, string) {
	t.Helper()
	p := newPeer(t, s.addr("udp"))
	l, o := s.dial(t, "sip:phone@"+p.addr())
	return p, l, o, p.recv("INVITE")
}

// answered brings an outbound leg to the state after the ACK.
func answered(t *testing.T, s *side) (p *peer, l *Leg, o *owner, invite, ack string) {
	t.Helper()
	p, l, o, invite = dialled(t, s)
	p.send(p.reply(invite, 200, "p1", "", testSDP))
	ack = p.recv("ACK")
	o.want("answered")
	return p, l, o, invite, ack
}

// inverse turns the From and To of our request into those of the peer's.
func inverse(msg, tag string) (to, from string) {
	from = field(msg, "To")
	if !strings.Contains(from, ";tag=") {
		from += ";tag=" + tag
	}
	return field(msg, "From"), from
}

func TestOutbound_Invite(t *testing.T) {
	s := start(t)
	p := newPeer(t, s.addr("udp"))
	c, err := s.ContactURI("sip:phone@" + p.addr())
	if err != nil {
		t.Fatal(err)
	}
	if c.Local != loopback || c.Remote != loopback {
		t.Errorf("local %v remote %v", c.Local, c.Remote)
	}
	o := newOwner(t)
	o.do(func() {
		s.Dial(o, o, Dial{
			ID: "leg-7", To: c, From: Party{User: "+48 22 1", Name: "Zażółć \"x\"\r\nX: y"}, SDP: []byte(testSDP),
			Header: []Header{{"Alert-Info", "<urn:alert:source:external>"}},
		})
	})
	msg := p.recv("INVITE")
	for name, want := range map[string]string{
		"Alert-Info": "<urn:alert:source:external>", "Max-Forwards": "70", "CSeq": "1 INVITE",
		"Content-Type": "application/sdp", "User-Agent": "Centrala/test", "X": "",
		"Contact": "<sip:+48%2022%201@" + s.addr("udp").String() + ">",
	} {
		if got := field(msg, name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if from := field(msg, "From"); !strings.HasPrefix(from, "\"Zażółć \\\"x\\\"  X: y\" <sip:+48%2022%201@pbx.test>;tag=") {
		t.Errorf("From: %s", from)
	}
	if via := field(msg, "Via"); !strings.Contains(via, ";rport") || !strings.Contains(via, "branch=z9hG4bK") {
		t.Errorf("Via: %s", via)
	}
	if !strings.HasSuffix(msg, testSDP) {
		t.Errorf("no offer:\n%s", msg)
	}
}

func TestOutbound_FailuresByClass(t *testing.T) {
	for code, class := range map[int]Class{
		302: ClassDeclined, 400: ClassFailed, 401: ClassFailed, 403: ClassDeclined, 404: ClassUnreachable,
		407: ClassFailed, 408: ClassUnreachable, 410: ClassUnreachable, 415: ClassFailed, 433: ClassDeclined,
		480: ClassNoAnswer, 481: ClassUnreachable, 486: ClassBusy, 487: ClassNoAnswer, 488: ClassFailed,
		500: ClassFailed, 503: ClassUnreachable, 504: ClassUnreachable, 600: ClassBusy, 603: ClassDeclined,
		604: ClassUnreachable, 606: ClassFailed, 607: ClassDeclined, 699: ClassBusy,
	} {
		t.Run(sprintf("%d", code), func(t *testing.T) {
			s := start(t)
			p, _, o, invite := dialled(t, s)
			p.send(p.reply(invite, 100, "", "", ""))
			p.send(p.reply(invite, 180, "p1", "", ""))
			o.want("progress")
			p.send(p.reply(invite, code, "p1", "", ""))
			if ack := p.recv("ACK"); !strings.Contains(field(ack, "To"), "tag=p1") {
				t.Errorf("ACK to %s", field(ack, "To"))
			}
			if e := o.wantEnd(class, code); e.ByUs || e.Reason != "Text" {
				t.Errorf("%+v", e)
			}
			s.idle(t)
		})
	}
}

func TestOutbound_NoAnswerAtAllIsUnreachable(t *testing.T) {
	s := start(t, func(o *Options) { o.T1 = 3 * time.Millisecond })
	_, _, o, _ := dialled(t, s)
	o.wantEnd(ClassUnreachable, 0)
	s.idle(t)
}

func TestOutbound_TryingStopsTheNoAnswerLimit(t *testing.T) {
	s := start(t, func(o *Options) { o.T1 = 20 * time.Millisecond }) // 1.28 s
	p, l, o, invite := dialled(t, s)
	p.send(p.reply(invite, 100, "", "", ""))
	select {
	case e := <-o.events:
		t.Fatalf("%+v", e)
	case <-time.After(1500 * time.Millisecond):
	}
	o.do(func() { l.Hangup("") })
	cancel := p.recv("CANCEL")
	if field(cancel, "Via") != field(invite, "Via") || field(cancel, "CSeq") != "1 CANCEL" || field(cancel, "To") != field(invite, "To") {
		t.Errorf("CANCEL of another transaction:\n%s", cancel)
	}
	o.wantEnd(ClassCancelled, 0)
	p.send(p.reply(cancel, 200, "p1", "", ""))
	p.send(p.reply(invite, 487, "p1", "", ""))
	p.recv("ACK")
	s.idle(t)
}

func TestOutbound_HangupWaitsForAProvisionalAnswer(t *testing.T) {
	s := start(t)
	p, l, o, invite := dialled(t, s)
	o.do(func() { l.Hangup(`SIP;cause=200;text="Call completed elsewhere"`) })
	o.wantEnd(ClassCancelled, 0)
	if msg, ok := p.within(50*time.Millisecond, "CANCEL"); ok {
		t.Fatalf("before a 1xx (RFC 3261 section 9.1):\n%s", msg)
	}
	p.send(p.reply(invite, 180, "p1", "", ""))
	cancel := p.recv("CANCEL")
	if r := field(cancel, "Reason"); r != `SIP;cause=200;text="Call completed elsewhere"` {
		t.Errorf("Reason: %s", r)
	}
	p.send(p.reply(cancel, 200, "p1", "", ""))
	p.send(p.reply(invite, 487, "p1", "", ""))
	p.recv("ACK")
	s.idle(t)
}

func TestOutbound_AnswerFasterThanTheCancel(t *testing.T) {
	for _, ringing := range []bool{true, false} {
		t.Run(sprintf("ringing %v", ringing), func(t *testing.T) {
			s := start(t)
			p, l, o, invite := dialled(t, s)
			if ringing {
				p.send(p.reply(invite, 180, "p1", "", ""))
				o.want("progress")
			}
			o.do(func() { l.Hangup("") })
			o.wantEnd(ClassCancelled, 0)
			p.send(p.reply(invite, 200, "p1", "", testSDP))
			want := []string{"ACK", "BYE"}
			if ringing {
				want = append(want, "CANCEL")
			}
			got := p.each(want...)
			if bye := got["BYE"]; field(bye, "CSeq") != "2 BYE" || !strings.Contains(field(bye, "To"), "tag=p1") {
				t.Errorf("BYE:\n%s", bye)
			}
			p.send(p.reply(got["BYE"], 200, "", "", ""))
			if ringing {
				p.send(p.reply(got["CANCEL"], 481, "p1", "", ""))
			}
			s.idle(t)
		})
	}
}

// each returns one message of each method, in whatever order they come.
func (p *peer) each(methods ...string) map[string]string {
	p.t.Helper()
	got := map[string]string{}
	for len(got) < len(methods) {
		msg := p.recv(methods...)
		method, _, _ := strings.Cut(msg, " ")
		got[method] = msg
	}
	return got
}

func TestOutbound_EachRepeatedAnswerIsAcknowledged(t *testing.T) {
	s := start(t)
	p, l, o, invite, ack := answered(t, s)
	for range 3 {
		p.send(p.reply(invite, 200, "p1", "", testSDP))
		if again := p.recv("ACK"); again != ack {
			t.Errorf("another ACK:\n%s\n%s", ack, again)
		}
	}
	o.do(func() { l.Hangup("") })
	p.send(p.reply(p.recv("BYE"), 200, "", "", ""))
	o.wantEnd(ClassHangup, 0)
	p.send(p.reply(invite, 200, "p1", "", testSDP))
	p.recv("ACK") // also after the end
	s.idle(t)
}

func TestOutbound_OtherBranchesAreEnded(t *testing.T) {
	s := start(t)
	p, l, o, invite, _ := answered(t, s)
	p.send(p.reply(invite, 200, "p2", "", testSDP))
	if ack := p.recv("ACK"); !strings.Contains(field(ack, "To"), "tag=p2") {
		t.Errorf("ACK to %s", field(ack, "To"))
	}
	bye := p.recv("BYE")
	if !strings.Contains(field(bye, "To"), "tag=p2") {
		t.Errorf("BYE to %s", field(bye, "To"))
	}
	p.send(p.reply(bye, 200, "", "", ""))
	o.do(func() { l.Hangup("") })
	bye = p.recv("BYE")
	if !strings.Contains(field(bye, "To"), "tag=p1") {
		t.Errorf("BYE to %s", field(bye, "To"))
	}
	p.send(p.reply(bye, 200, "", "", ""))
	o.wantEnd(ClassHangup, 0)
	s.idle(t)
}

func TestOutbound_StrayAnswerIsEnded(t *testing.T) {
	s := start(t, brisk)
	p, l, o, invite := dialled(t, s)
	p.send(p.reply(invite, 180, "p1", "", ""))
	o.want("progress")
	o.do(func() { l.Hangup("") })
	o.wantEnd(ClassCancelled, 0)
	// The CANCEL is not answered within 64*T1: the INVITE is given up.
	eventually(t, "the leg to end", func() bool { return s.Stats().Legs == 0 })
	p.send(p.reply(p.recv("CANCEL"), 481, "p1", "", "")) // too late
	p.send(p.reply(invite, 200, "p1", "", testSDP))
	p.recv("ACK")
	p.send(p.reply(p.recv("BYE"), 200, "", "", ""))
	s.idle(t)
}

func TestOutbound_ByeOvertakesTheAnswer(t *testing.T) {
	for _, answer := range []int{200, 487, 0} {
		t.Run(sprintf("then %d", answer), func(t *testing.T) {
			s := start(t, brisk)
			p, _, o, invite := dialled(t, s)
			p.send(p.reply(invite, 180, "p1", "", ""))
			o.want("progress")
			to, from := inverse(invite, "p1")
			for seq := 7; seq < 9; seq++ { // one more changes nothing
				p.send(p.request(request{method: "BYE", callID: field(invite, "Call-ID"), to: to, from: from, seq: seq}))
				p.recv("SIP/2.0 200")
			}
			o.wantEnd(ClassHangup, 0)
			p.send(p.reply(p.recv("CANCEL"), 481, "p1", "", ""))
			switch answer {
			case 200: // of this branch or of another one
				p.send(p.reply(invite, 200, "p1", "", testSDP))
				p.recv("ACK")
				p.send(p.reply(p.recv("BYE"), 481, "", "", ""))
			case 487:
				p.send(p.reply(invite, 487, "p1", "", ""))
				p.recv("ACK")
			} // 0: never
			s.idle(t)
		})
	}
}

func TestOutbound_PeerHangsUpAndReInvites(t *testing.T) {
	s := start(t)
	p, l, o, invite, _ := answered(t, s)
	to, from := inverse(invite, "p1")
	id := field(invite, "Call-ID")
	p.send(p.request(request{method: "INVITE", callID: id, to: to, from: from, seq: 7, body: testSDP}))
	o.want("offer")
	p.recv("SIP/2.0 200")
	p.send(p.request(request{method: "ACK", callID: id, to: to, from: from, seq: 7}))
	p.send(p.request(request{method: "BYE", callID: id, to: to, from: from, seq: 8}))
	for field(p.recv("SIP/2.0 200"), "CSeq") != "8 BYE" {
	}
	o.wantEnd(ClassHangup, 0)
	o.do(func() { l.Hangup("") }) // nothing more
	s.idle(t)
	if msg, ok := p.within(50*time.Millisecond, "BYE"); ok {
		t.Errorf("after the end:\n%s", msg)
	}
}

func TestOutbound_OfferBeforeTheAnswerIsGlare(t *testing.T) {
	s := start(t)
	p, l, o, invite := dialled(t, s)
	p.send(p.reply(invite, 180, "p1", "", ""))
	o.want("progress")
	to, from := inverse(invite, "p1")
	p.send(p.request(request{method: "UPDATE", callID: field(invite, "Call-ID"), to: to, from: from, seq: 7, body: testSDP}))
	p.recv("SIP/2.0 491")
	o.do(func() { l.Hangup("") })
	o.wantEnd(ClassCancelled, 0)
	p.send(p.reply(p.recv("CANCEL"), 200, "p1", "", ""))
	p.send(p.reply(invite, 487, "p1", "", ""))
	p.recv("ACK")
	s.idle(t)
}

func TestOutbound_EarlyMediaAndRouteSet(t *testing.T) {
	s := start(t)
	p, l, o, invite := dialled(t, s)
	p.send(p.reply(invite, 183, "p1", "", testSDP))
	if e := o.want("progress"); e.code != 183 || e.sdp != testSDP {
		t.Errorf("%+v", e)
	}
	routes := "Record-Route: <sip:" + p.addr() + ";lr;n=2>\r\nRecord-Route: <sip:192.0.2.1;lr;n=1>\r\n"
	p.send(p.reply(invite, 200, "p1", routes, ""))
	if e := o.want("answered"); e.sdp != testSDP {
		t.Errorf("the answer of the 183 is that of the 200 too: %q", e.sdp)
	}
	if string(l.SDP()) != testSDP {
		t.Errorf("SDP %q", l.SDP())
	}
	// Record-Route in reverse: the first hop would be 192.0.2.1, which nobody
	// reaches here; what matters is that the peer itself gets nothing.
	if msg, ok := p.within(50*time.Millisecond, "ACK"); ok {
		t.Errorf("ACK by the wrong way:\n%s", msg)
	}
}

func TestOutbound_RefusedBeforeAnythingIsSent(t *testing.T) {
	s := start(t)
	p := newPeer(t, s.addr("udp"))
	c, err := s.ContactURI("sip:phone@" + p.addr())
	if err != nil {
		t.Fatal(err)
	}
	for name, d := range map[string]Dial{
		"no contact":      {SDP: []byte(testSDP)},
		"no offer":        {To: c},
		"header with CR":  {To: c, SDP: []byte(testSDP), Header: []Header{{"A", "b\r\nC: d"}}},
		"header name":     {To: c, SDP: []byte(testSDP), Header: []Header{{"A b", "c"}}},
		"domain":          {To: c, SDP: []byte(testSDP), From: Party{Host: "a>;x=<"}},
		"unresolvable":    {To: mustContact(t, s, "sip:phone@no-such-host.invalid"), SDP: []byte(testSDP)},
		"nobody over tcp": {To: mustContact(t, s, "sip:phone@127.0.0.1:1;transport=tcp"), SDP: []byte(testSDP)},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOwner(t)
			o.do(func() { s.Dial(o, o, d) })
			if e := o.wantEnd(ClassUnreachable, 0); e.Reason == "" {
				t.Errorf("%+v", e)
			}
			s.idle(t)
		})
	}
	for _, uri := range []string{"", "phone", "tel:+48221234567", "sips:a@b", "sip:a@b;transport=ws", "sip:a b@c"} {
		if _, err := s.ContactURI(uri); err == nil {
			t.Errorf("%q accepted", uri)
		}
	}
}

func mustContact(t *testing.T, s *side, uri string) Contact {
	t.Helper()
	c, err := s.ContactURI(uri)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestOutbound_OwnerGone(t *testing.T) {
	s := start(t)
	p, _, o, invite := dialled(t, s)
	o.leave()
	p.send(p.reply(invite, 200, "p1", "", testSDP))
	p.recv("ACK")
	p.send(p.reply(p.recv("BYE"), 200, "", "", ""))
	s.idle(t)
}
