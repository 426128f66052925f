package sip

import (
	"net/netip"
	"strings"
	"testing"
	"time"
)

// What RFC 3261 demands of whoever calls, at a trunk, section by section, as far as no
// other test shows it.

// Section 8.1.3.2: a final answer that is not known counts as the x00 of its hundred,
// a provisional one as 183.
func TestTrunkMust_UnknownAnswers(t *testing.T) {
	for code, want := range map[int]Class{499: ClassOf(400), 599: ClassOf(500), 699: ClassOf(600), 399: ClassOf(300)} {
		p := newPeer(t, netip.AddrPort{})
		s := start(t, withTrunk(func(c *Trunk) { c.Host = p.addr() }))
		_, o := s.outside(t, "+48601")
		invite := p.recv("INVITE")
		p.send(p.reply(invite, 199, "p1", "", ""))
		if e := o.want("progress"); e.code != 199 {
			t.Errorf("%+v", e)
		}
		p.send(p.reply(invite, code, "p1", "", ""))
		p.recv("ACK")
		o.wantEnd(want, code)
		s.idle(t)
	}
}

// Section 8.1.3.3: an answer with more than one Via is not for us and is dropped.
func TestTrunkMust_TwoVias(t *testing.T) {
	p := newPeer(t, netip.AddrPort{})
	s := start(t, withTrunk(func(c *Trunk) { c.Host = p.addr() }), func(o *Options) { o.T1 = time.Second })
	_, o := s.outside(t, "+48601")
	invite := p.recv("INVITE")
	p.send(p.reply(invite, 180, "p1", "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKother\r\n", ""))
	p.send(p.reply(invite, 183, "p1", "", ""))
	if e := o.want("progress"); e.code != 183 {
		t.Errorf("%+v", e)
	}
	p.send(p.reply(invite, 486, "p1", "", ""))
	o.wantEnd(ClassBusy, 486)
}

// Section 17.1.1.3: the ACK of a failure has the branch, Request-URI, From, Call-ID and
// number of the INVITE, the To of the answer, and one Via; section 17.1.1.2: it is sent
// again for each repetition of the failure.
func TestTrunkMust_AckOfAFailure(t *testing.T) {
	p := newPeer(t, netip.AddrPort{})
	s := start(t, withTrunk(func(c *Trunk) { c.Host = p.addr() }))
	_, o := s.outside(t, "+48601")
	invite := p.recv("INVITE")
	busy := p.reply(invite, 486, "p1", "", "")
	for range 2 {
		p.send(busy)
		ack := p.recv("ACK")
		uri := func(msg string) string { return strings.Fields(msg)[1] }
		if len(fields(ack, "Via")) != 1 || field(ack, "Via") != field(invite, "Via") || uri(ack) != uri(invite) ||
			field(ack, "From") != field(invite, "From") || field(ack, "Call-ID") != field(invite, "Call-ID") ||
			field(ack, "CSeq") != strings.Replace(field(invite, "CSeq"), "INVITE", "ACK", 1) || field(ack, "To") != field(invite, "To")+";tag=p1" {
			t.Errorf("acknowledged by\n%s", ack)
		}
	}
	o.wantEnd(ClassBusy, 486)
	s.idle(t)
}

// Sections 12.1.2 and 12.2.1.1: the route set of the answer, reversed, and its Contact
// are in the requests of the dialog, which go to the first loose router; a Contact in
// the 2xx goes before that of the 1xx.
func TestTrunkMust_RouteSet(t *testing.T) {
	p, router := newPeer(t, netip.AddrPort{}), newPeer(t, netip.AddrPort{})
	s := start(t, withTrunk(func(c *Trunk) { c.Host = p.addr() }))
	l, o := s.outside(t, "+48601")
	invite := p.recv("INVITE")
	routes := sprintf("Record-Route: <sip:far.test;lr>\r\nRecord-Route: <sip:%s;lr>\r\n", router.addr())
	p.send(p.reply(invite, 180, "p1", routes, ""))
	o.want("progress")
	p.send(strings.Replace(p.reply(invite, 200, "p1", routes, testSDP), "<sip:phone@"+p.addr()+">", "<sip:moved@192.0.2.77:5090>", 1))
	ack := router.recv("ACK")
	o.want("answered")
	o.do(func() { l.Hangup("") })
	bye := router.recv("BYE")
	for _, msg := range []string{ack, bye} {
		route := strings.Join(fields(msg, "Route"), ", ")
		if want := sprintf("<sip:%s;lr>, <sip:far.test;lr>", router.addr()); route != want || strings.Fields(msg)[1] != "sip:moved@192.0.2.77:5090" {
			t.Errorf("Route %s, want %s:\n%s", route, want, msg)
		}
	}
	router.send(router.reply(bye, 200, "", "", ""))
	o.wantEnd(ClassHangup, 0)
	s.idle(t)
}

// Section 20.43, 8.2.6.2: a refusal that the owner gives a reason for has it in a
// Warning, quoted, and the tag that a ringing answer had.
func TestTrunkMust_RefusalWithAReason(t *testing.T) {
	s := start(t)
	p := newPeer(t, s.addr("udp"))
	p.send(p.request(request{method: "INVITE", body: testSDP}))
	l, o := s.call(t)
	o.do(func() { l.Ring(180, nil) })
	ringing := p.recv("SIP/2.0 180")
	o.do(func() { l.Reject(404, "Nobody to Call") })
	res := p.recv("SIP/2.0 404 Nobody to Call")
	if field(res, "Warning") != `399 pbx.test "Nobody to Call"` || field(res, "To") != field(ringing, "To") {
		t.Errorf("refused by\n%s", res)
	}
	p.send(p.request(request{method: "ACK", branch: "z9hG4bKINVITEcall-11", to: field(res, "To")}))
	o.wantEnd(ClassOf(404), 404)
}
