package sip

import (
	"net/netip"
	"strings"
	"testing"
)

// withTrunk changes the trunk that start declares.
func withTrunk(change func(*Trunk)) func(o *Options) {
	return func(o *Options) { change(&o.Directory.Trunks[0]) }
}

// outside calls a number by the trunk.
func (s *side) outside(t testing.TB, number string, change ...func(*Dial)) (*Leg, *owner) {
	t.Helper()
	c, err := s.TrunkContact("carrier", number)
	if err != nil {
		t.Fatal(err)
	}
	d := Dial{To: c, From: Party{User: "+48221234567"}, SDP: []byte(testSDP)}
	for _, f := range change {
		f(&d)
	}
	o := newOwner(t)
	var l *Leg
	o.do(func() { l = s.Dial(o, o, d) })
	return l, o
}

func TestTrunk_CallLeaves(t *testing.T) {
	p := newPeer(t, netip.AddrPort{})
	s := start(t, withTrunk(func(c *Trunk) { c.Host = p.addr() }))
	l, o := s.outside(t, "+48 601", func(d *Dial) { d.MaxForwards = 12 })
	invite := p.recv("INVITE")
	if want := "INVITE sip:+48%20601@" + p.addr() + " SIP/2.0\r\n"; !strings.HasPrefix(invite, want) {
		t.Errorf("got %q, want %q", invite[:len(want)], want)
	}
	if got := field(invite, "Max-Forwards"); got != "12" {
		t.Errorf("Max-Forwards %s", got)
	}
	if from := field(invite, "From"); !strings.HasPrefix(from, "<sip:+48221234567@pbx.test>;tag=") {
		t.Errorf("From %s", from)
	}
	if l.Trunk() != "carrier" || l.MaxForwards() != 70 {
		t.Errorf("trunk %q, %d", l.Trunk(), l.MaxForwards())
	}
	p.send(p.reply(invite, 200, "p1", "", testSDP))
	p.recv("ACK")
	o.want("answered")
	bye := p.request(request{method: "BYE", callID: field(invite, "Call-ID"), to: field(invite, "From"), from: field(invite, "To") + ";tag=p1"})
	p.send(bye)
	p.recv("SIP/2.0 200")
	o.wantEnd(ClassHangup, 0)
	s.idle(t)
}

// RFC 3263 section 4.1: a transport that is not UDP is named in the URI.
func TestTrunk_URI(t *testing.T) {
	for _, c := range []struct{ host, transport, want string }{
		{"192.0.2.1", "udp", "sip:1@192.0.2.1"},
		{"192.0.2.1:5070", "", "sip:1@192.0.2.1:5070"},
		{"sip.example", "tcp", "sip:1@sip.example;transport=tcp"},
		{"2001:db8::1", "udp", "sip:1@[2001:db8::1]"},
		{"[2001:db8::1]:5070", "TCP", "sip:1@[2001:db8::1]:5070;transport=tcp"},
	} {
		conf := Trunk{Host: c.host, Transport: c.transport}
		u := conf.uri("1")
		if got := u.String(); got != c.want {
			t.Errorf("%s: %s, want %s", c.host, got, c.want)
		}
	}
}

// max_calls counts calls of both directions, and the count goes down again.
func TestTrunk_MaxCalls(t *testing.T) {
	p := newPeer(t, netip.AddrPort{})
	s := start(t, withTrunk(func(c *Trunk) { c.Host, c.MaxCalls = p.addr(), 1 }))
	l, o := s.outside(t, "+48601")
	invite := p.recv("INVITE")
	_, second := s.outside(t, "+48602")
	if e := second.wantEnd(ClassUnreachable, 0); !strings.Contains(e.Reason, "as many calls as it may") {
		t.Errorf("%+v", e)
	}
	caller := newPeer(t, s.addr("udp"))
	caller.send(caller.request(request{method: "INVITE", body: testSDP}))
	caller.recv("SIP/2.0 503")
	p.send(p.reply(invite, 486, "p1", "", ""))
	p.recv("ACK")
	o.wantEnd(ClassBusy, 486)
	s.idle(t)
	s.outside(t, "+48603")
	p.recv("INVITE")
	if l.Trunk() != "carrier" {
		t.Errorf("trunk %q", l.Trunk())
	}
}

func TestTrunk_NoWayOut(t *testing.T) {
	s := start(t)
	for id, want := range map[string]string{"carrier": "has no host", "other": "there is no trunk"} {
		if _, err := s.TrunkContact(id, "+48601"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", id, err)
		}
	}
	if _, err := s.TrunkContact("carrier", ""); err == nil {
		t.Error("a call to nobody")
	}
	s.SetDirectory(Directory{Trunks: []Trunk{{ID: "carrier", Host: "192.0.2.1", Transport: "quic"}}})
	if _, err := s.TrunkContact("carrier", "1"); err == nil || !strings.Contains(err.Error(), "no socket for transport quic") {
		t.Errorf("%v", err)
	}
	o := newOwner(t)
	c, err := s.ContactURI("sip:x@127.0.0.1:9")
	if err != nil {
		t.Fatal(err)
	}
	o.do(func() { s.Dial(o, o, Dial{To: c, SDP: []byte(testSDP), MaxForwards: 71}) })
	o.wantEnd(ClassUnreachable, 0)
}

// RFC 7332: what a caller's INVITE has left of its hops can be told to the next.
func TestInbound_MaxForwards(t *testing.T) {
	s := start(t)
	p := newPeer(t, s.addr("udp"))
	p.send(strings.Replace(p.request(request{method: "INVITE", body: testSDP}), "Max-Forwards: 70", "Max-Forwards: 3", 1))
	if l, _ := s.call(t); l.MaxForwards() != 3 {
		t.Errorf("%d", l.MaxForwards())
	}
}
