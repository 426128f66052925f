package sip

import (
	"strings"
	"testing"
	"time"
)

// referred brings a call to the state after the ACK and has the peer ask for a
// transfer with the given lines of header.
func referred(t *testing.T, s *side, status int, lines string) (*peer, *Leg, *owner, string) {
	t.Helper()
	p, l, o, to := established(t, s)
	o.do(func() { o.refer = func(*Refer) int { return status } })
	p.send(p.request(request{method: "REFER", seq: 2, to: to, extra: lines}))
	return p, l, o, to
}

// fragment is the status line that a NOTIFY tells.
func fragment(t *testing.T, notify string) string {
	t.Helper()
	if kind := field(notify, "Content-Type"); kind != "message/sipfrag;version=2.0" { // RFC 3515 section 2.4.5
		t.Errorf("Content-Type %q", kind)
	}
	_, body, _ := strings.Cut(notify, "\r\n\r\n")
	return strings.TrimSuffix(body, "\r\n")
}

func TestRefer_AcceptedAndReportedUntilTheEnd(t *testing.T) {
	s := start(t)
	p, _, o, to := referred(t, s, ReferAccepted,
		"Refer-To: \"Bartek\" <sip:102@pbx.test;user=phone>\r\nReferred-By: <sip:anna@pbx.test>\r\n")
	accepted := p.recv("SIP/2.0 202")
	if field(accepted, "Contact") == "" || field(accepted, "Refer-Sub") != "" {
		t.Errorf("answer:\n%s", accepted)
	}
	e := o.want("refer")
	want := Party{User: "102", Name: "Bartek", Host: "pbx.test"}
	if e.refer.To != want || e.refer.By != "<sip:anna@pbx.test>" || e.refer.Replaces != nil {
		t.Errorf("asked for %+v", e.refer)
	}
	first := p.recv("NOTIFY") // section 2.4.4: at once
	if got := fragment(t, first); got != "SIP/2.0 100 Trying" {
		t.Errorf("first report %q", got)
	}
	if field(first, "Event") != "refer" || !strings.HasPrefix(field(first, "Subscription-State"), "active;expires=") ||
		field(first, "From") != to || field(first, "Contact") == "" {
		t.Errorf("first report:\n%s", first)
	}
	done := make(chan struct{})
	o.do(func() {
		e.refer.Notify(180, nil)
		e.refer.Notify(200, func() { close(done) })
		e.refer.Notify(503, nil) // nothing after the end
	})
	if msg, ok := p.within(30*time.Millisecond, "NOTIFY"); ok && msg != first {
		t.Errorf("a report overtook the answer to the one before:\n%s", msg)
	}
	p.send(p.reply(first, 200, "", "", ""))
	last := p.recv("NOTIFY sip:caller@" + p.addr())
	for last == first {
		last = p.recv("NOTIFY")
	}
	if got := fragment(t, last); got != "SIP/2.0 200 OK" || field(last, "Subscription-State") != "terminated;reason=noresource" {
		t.Errorf("last report:\n%s", last)
	}
	p.send(p.reply(last, 200, "", "", ""))
	<-done
	if msg, ok := p.within(60*time.Millisecond, "NOTIFY"); ok && msg != last {
		t.Errorf("after the last report:\n%s", msg)
	}
}

// A peer who does not answer reports must not keep the owner from going on.
func TestRefer_DoneWithoutAnAnswerToTheReport(t *testing.T) {
	s := start(t, brisk)
	p, _, o, _ := referred(t, s, ReferAccepted, "Refer-To: <tel:+48601000000>\r\n")
	e := o.want("refer")
	if e.refer.To != (Party{User: "+48601000000"}) {
		t.Errorf("asked for %+v", e.refer.To)
	}
	p.recv("NOTIFY")
	done := make(chan struct{})
	o.do(func() { e.refer.Notify(200, func() { close(done) }) })
	select {
	case <-done:
	case <-time.After(patience):
		t.Fatal("never done")
	}
}

// The report comes although the peer has hung up meanwhile, as many phones do (RFC 5589 section 6.1).
func TestRefer_ReportedAfterTheBye(t *testing.T) {
	s := start(t)
	p, _, o, to := referred(t, s, ReferAccepted, "r: <sip:102@pbx.test>\r\n") // the compact form
	e := o.want("refer")
	first := p.recv("NOTIFY")
	p.send(p.reply(first, 200, "", "", ""))
	p.send(p.request(request{method: "BYE", seq: 3, to: to}))
	p.recv("SIP/2.0 200")
	o.wantEnd(ClassHangup, 0)
	o.do(func() { e.refer.Notify(200, nil) })
	last := p.recv("NOTIFY")
	for last == first {
		last = p.recv("NOTIFY")
	}
	if got := fragment(t, last); got != "SIP/2.0 200 OK" {
		t.Errorf("last report %q", got)
	}
	p.send(p.reply(last, 481, "", "", ""))
	s.idle(t)
}

// A peer that refuses a report gets no more of them (RFC 6665 section 4.2.2).
func TestRefer_ReportsRefused(t *testing.T) {
	s := start(t)
	p, _, o, _ := referred(t, s, ReferAccepted, "Refer-To: <sip:102@pbx.test>\r\n")
	e := o.want("refer")
	first := p.recv("NOTIFY")
	p.send(p.reply(first, 481, "", "", ""))
	eventually(t, "the refusal to arrive", func() bool { return s.Stats().Transactions == 0 })
	done := make(chan struct{})
	o.do(func() { e.refer.Notify(200, func() { close(done) }) })
	<-done
	if msg, ok := p.within(60*time.Millisecond, "NOTIFY"); ok && msg != first {
		t.Errorf("after the refusal:\n%s", msg)
	}
}

// RFC 4488: no subscription where none is wanted, and the answer says so.
func TestRefer_WithoutReports(t *testing.T) {
	s := start(t)
	p, _, o, _ := referred(t, s, ReferAccepted, "Refer-To: <sip:102@pbx.test>\r\nRefer-Sub: false\r\nRequire: norefersub\r\n")
	if accepted := p.recv("SIP/2.0 202"); field(accepted, "Refer-Sub") != "false" {
		t.Errorf("answer:\n%s", accepted)
	}
	e := o.want("refer")
	done := make(chan struct{})
	o.do(func() { e.refer.Notify(200, func() { close(done) }) })
	<-done
	if msg, ok := p.within(60*time.Millisecond, "NOTIFY"); ok {
		t.Errorf("reported all the same:\n%s", msg)
	}
}

// RFC 3515 section 2.4.6: reports of a second REFER are told apart by its CSeq.
func TestRefer_SecondOneHasAnID(t *testing.T) {
	s := start(t)
	p, _, o, to := referred(t, s, ReferAccepted, "Refer-To: <sip:102@pbx.test>\r\n")
	first := p.recv("NOTIFY")
	p.send(p.reply(first, 200, "", "", ""))
	o.want("refer")
	p.send(p.request(request{method: "REFER", seq: 7, to: to, extra: "Refer-To: <sip:103@pbx.test>\r\n"}))
	second := p.recv("NOTIFY")
	for field(second, "CSeq") == field(first, "CSeq") {
		second = p.recv("NOTIFY")
	}
	if field(second, "Event") != "refer;id=7" {
		t.Errorf("Event %q", field(second, "Event"))
	}
}

func TestRefer_Replaces(t *testing.T) {
	s := start(t)
	_, _, o, _ := referred(t, s, ReferAccepted,
		"Refer-To: <sip:102@pbx.test?Replaces=a%40b%3Bto-tag%3Dours%3Bfrom-tag%3Dtheirs&Require=replaces>\r\n")
	want := Replaces{CallID: "a@b", LocalTag: "ours", RemoteTag: "theirs"}
	if e := o.want("refer"); e.refer.Replaces == nil || *e.refer.Replaces != want || e.refer.To.User != "102" {
		t.Errorf("asked for %+v", e.refer)
	}
}

func TestRefer_Refused(t *testing.T) {
	for _, c := range []struct {
		name, lines string
		owner       int
		want        string
	}{
		{"by the owner", "Refer-To: <sip:102@pbx.test>\r\n", 403, "SIP/2.0 403 Forbidden"},
		{"nobody named", "", 0, "SIP/2.0 400 "}, // section 2.4.2
		{"two named", "Refer-To: <sip:102@pbx.test>\r\nRefer-To: <sip:103@pbx.test>\r\n", 0, "SIP/2.0 400 "},
		{"two in a line", "Refer-To: <sip:102@pbx.test>, <sip:103@pbx.test>\r\n", 0, "SIP/2.0 400 "},
		{"no address", "Refer-To: <sip:>\r\n", 0, "SIP/2.0 400 "},
		{"no call", "Refer-To: <sip:102@pbx.test;method=BYE>\r\n", 0, "SIP/2.0 603 "},
		{"another scheme", "Refer-To: <http://pbx.test/>\r\n", 0, "SIP/2.0 416 "},
		{"malformed Replaces", "Refer-To: <sip:102@pbx.test?Replaces=a%40b%3Bto-tag%3Dx>\r\n", 0, "SIP/2.0 400 "},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := start(t)
			p, l, o, _ := referred(t, s, c.owner, c.lines)
			got := p.recv("SIP/2.0 4", "SIP/2.0 6")
			if !strings.HasPrefix(got, c.want) {
				t.Errorf("answer:\n%s", got)
			}
			if msg, ok := p.within(40*time.Millisecond, "NOTIFY"); ok {
				t.Errorf("reported all the same:\n%s", msg)
			}
			o.do(func() { l.Hangup("") })
			p.send(p.reply(p.recv("BYE"), 200, "", "", ""))
		})
	}
}

// A REFER outside of a call asks nothing of us that we know how to do.
func TestRefer_OutsideOfACall(t *testing.T) {
	s := start(t)
	p := newPeer(t, s.addr("udp"))
	p.send(p.request(request{method: "REFER", extra: "Refer-To: <sip:102@pbx.test>\r\n"}))
	p.recv("SIP/2.0 481")
}

func TestInfo_KeysAreToldToTheOwner(t *testing.T) {
	s := start(t)
	p, _, o, to := established(t, s)
	for i, c := range []struct {
		kind, body string
		key        byte
		status     string
	}{
		{"application/dtmf-relay", "Signal=5\r\nDuration=160\r\n", '5', "200"},
		{"application/dtmf-relay", "Duration= 160\r\nsignal= *\r\n", '*', "200"},
		{"Application/DTMF-relay; x=y", "Signal=11", '#', "200"},
		{"application/dtmf", "0", '0', "200"},
		{"application/dtmf", "d\r\n", 'D', "200"},
		{"application/dtmf", "E", 0, "400"},
		{"application/dtmf-relay", "Duration=5", 0, "400"},
		{"text/plain", "5", 0, "415"},
	} {
		msg := p.request(request{method: "INFO", seq: i + 2, to: to, body: c.body})
		p.send(strings.Replace(msg, "Content-Type: application/sdp", "Content-Type: "+c.kind, 1))
		got := p.recv("SIP/2.0 ")
		for !strings.HasSuffix(field(got, "CSeq"), "INFO") {
			got = p.recv("SIP/2.0 ")
		}
		if !strings.HasPrefix(got, "SIP/2.0 "+c.status) {
			t.Errorf("%q: answer\n%s", c.body, got)
		}
		if c.key != 0 {
			if e := o.want("key"); byte(e.code) != c.key {
				t.Errorf("%q: key %c", c.body, e.code)
			}
		}
	}
	select {
	case e := <-o.events:
		t.Errorf("told of %+v", e)
	default:
	}
}
