package sip

import (
	"crypto/md5"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"
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

// challenge is a 407 or 401 to a request of ours, and takes the ACK of an INVITE.
func (p *peer) challenge(req string, code int, params string) {
	p.t.Helper()
	name := map[int]string{401: "WWW-Authenticate", 407: "Proxy-Authenticate"}[code]
	p.send(p.reply(req, code, "c1", name+": Digest "+params+"\r\n", ""))
	if strings.HasPrefix(req, "INVITE") {
		p.recv("ACK")
	}
}

// withAccount is a trunk with an account at the peer.
func withAccount(p *peer) func(o *Options) {
	return withTrunk(func(c *Trunk) { c.Host, c.User, c.Password = p.addr(), "acme", "secret" })
}

// proven checks the credentials of a request as a carrier does, with MD5 and without qop.
func proven(t *testing.T, req, header, realm, nonce string) {
	t.Helper()
	method, rest, _ := strings.Cut(req, " ")
	uri, _, _ := strings.Cut(rest, " ")
	sum := func(s string) string { return sprintf("%x", md5.Sum([]byte(s))) }
	want := sum(sum("acme:"+realm+":secret") + ":" + nonce + ":" + sum(method+":"+uri))
	for _, text := range fields(req, header) {
		if strings.Contains(text, `realm="`+realm+`"`) {
			if !strings.Contains(text, `response="`+want+`"`) || !strings.Contains(text, `uri="`+uri+`"`) || !strings.Contains(text, `username="acme"`) {
				t.Errorf("%s", text)
			}
			return
		}
	}
	t.Errorf("no credentials for %s in\n%s", realm, req)
}

// RFC 3261 section 22.3: a 407 of the proxy, then a 401 of the server behind it;
// the INVITE comes with a higher number and a new branch (8.1.3.5), the ACK of
// the 2xx has its credentials (13.2.2.4), and the BYE has some, too.
func TestTrunk_Digest(t *testing.T) {
	p := newPeer(t, netip.AddrPort{})
	s := start(t, withAccount(p))
	l, o := s.outside(t, "+48601")
	first := p.recv("INVITE")
	if from := field(first, "From"); !strings.Contains(from, "<sip:+48221234567@127.0.0.1>") {
		t.Errorf("From %s: the carrier knows the account by its own domain", from)
	}
	if len(fields(first, "Authorization"))+len(fields(first, "Proxy-Authorization")) != 0 {
		t.Errorf("credentials that nobody asked for:\n%s", first)
	}
	p.send(p.reply(first, 100, "", "", ""))
	p.challenge(first, 407, `realm="proxy", nonce="n1"`)
	second := p.recv("INVITE")
	proven(t, second, "Proxy-Authorization", "proxy", "n1")
	p.challenge(second, 401, `realm="server", nonce="n2"`)
	third := p.recv("INVITE")
	proven(t, third, "Proxy-Authorization", "proxy", "n1")
	proven(t, third, "Authorization", "server", "n2")
	if field(third, "CSeq") != "3 INVITE" || field(third, "Via") == field(first, "Via") ||
		field(third, "Call-ID") != field(first, "Call-ID") || field(third, "From") != field(first, "From") || strings.Contains(field(third, "To"), "tag=") {
		t.Errorf("sent anew as\n%s", third)
	}
	if !strings.HasSuffix(third, testSDP) {
		t.Errorf("no offer:\n%s", third)
	}
	p.send(p.reply(third, 180, "p1", "", ""))
	o.want("progress")
	p.send(p.reply(third, 200, "p1", "", testSDP))
	ack := p.recv("ACK")
	if field(ack, "CSeq") != "3 ACK" || field(ack, "Authorization") != field(third, "Authorization") ||
		field(ack, "Proxy-Authorization") != field(third, "Proxy-Authorization") {
		t.Errorf("ACK\n%s", ack)
	}
	o.want("answered")
	o.do(func() { l.Hangup("") })
	bye := p.recv("BYE")
	proven(t, bye, "Authorization", "server", "n2")
	p.challenge(bye, 401, `realm="server", nonce="n3"`)
	bye = p.recv("BYE")
	proven(t, bye, "Authorization", "server", "n3")
	p.send(p.reply(bye, 200, "", "", ""))
	o.wantEnd(ClassHangup, 0)
	s.idle(t)
}

// A wrong password is told once, not tried for ever; without an account a
// challenge is a failure, and so is one after another without end.
func TestTrunk_DigestInVain(t *testing.T) {
	for name, c := range map[string]struct {
		user    string
		params  string
		invites int
	}{
		"wrong password": {"acme", `realm="r", nonce="n%d"`, 2},
		"no account":     {"", `realm="r", nonce="n%d"`, 1},
		"always stale":   {"acme", `realm="r", nonce="n%d", stale=true`, 1 + maxProofs},
		"unknown sum":    {"acme", `realm="r", nonce="n%d", algorithm=X`, 1},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPeer(t, netip.AddrPort{})
			s := start(t, withAccount(p), withTrunk(func(tr *Trunk) { tr.User = c.user }))
			_, o := s.outside(t, "+48601")
			for n := range c.invites {
				p.challenge(p.recv("INVITE"), 401, sprintf(c.params, n))
			}
			o.wantEnd(ClassFailed, 401)
			if msg, ok := p.within(50*time.Millisecond, "INVITE"); ok {
				t.Errorf("one more:\n%s", msg)
			}
			s.idle(t)
		})
	}
}

// RFC 3261 section 9.1: after a challenge the new INVITE has got no 1xx yet, and
// what is hung up then is not cancelled before there is one.
func TestTrunk_HangupAfterChallenge(t *testing.T) {
	p := newPeer(t, netip.AddrPort{})
	s := start(t, withAccount(p))
	l, o := s.outside(t, "+48601")
	invite := p.recv("INVITE")
	p.send(p.reply(invite, 100, "", "", ""))
	p.challenge(invite, 401, `realm="r", nonce="n"`)
	invite = p.recv("INVITE")
	o.do(func() { l.Hangup("") })
	o.wantEnd(ClassCancelled, 0)
	if msg, ok := p.within(30*time.Millisecond, "CANCEL"); ok {
		t.Errorf("too early:\n%s", msg)
	}
	p.send(p.reply(invite, 100, "", "", ""))
	cancel := p.recv("CANCEL")
	if field(cancel, "CSeq") != "2 CANCEL" || field(cancel, "Via") != field(invite, "Via") {
		t.Errorf("CANCEL of another INVITE:\n%s", cancel)
	}
	p.send(p.reply(cancel, 200, "", "", ""))
	p.send(p.reply(invite, 487, "p1", "", ""))
	p.recv("ACK")
	s.idle(t)
}

// A real server's challenge: another stack takes the call for an account of its own.
func TestTrunk_DigestWithAStack(t *testing.T) {
	for _, network := range []string{"udp", "tcp"} {
		t.Run(network, func(t *testing.T) {
			far := start(t, func(o *Options) {
				o.Directory.Trunks = nil
				o.Directory.Users = []User{{Name: "acme", Password: "secret"}}
			})
			s := start(t, withTrunk(func(c *Trunk) {
				c.Host, c.Transport, c.User, c.Password = far.addr(network).String(), network, "acme", "secret"
			}))
			l, o := s.outside(t, "600")
			there, other := far.call(t)
			if there.User() != "acme" {
				t.Errorf("the account is %q", there.User())
			}
			other.do(func() { _ = there.Answer([]byte(testSDP)) })
			o.want("answered")
			o.do(func() { l.Hangup("") })
			o.wantEnd(ClassHangup, 0)
			other.wantEnd(ClassHangup, 0)
			s.idle(t)
		})
	}
}

// max_calls_per_second: so many calls may begin in any second, in both directions.
func TestTrunk_MaxRate(t *testing.T) {
	p := newPeer(t, netip.AddrPort{})
	var clock atomic.Int64
	begin := time.Now()
	s := start(t, withTrunk(func(c *Trunk) { c.Host, c.MaxRate = p.addr(), 2 }), func(o *Options) {
		o.clock = func() time.Time { return begin.Add(time.Duration(clock.Load())) }
	})
	caller := newPeer(t, s.addr("udp"))
	calls := 0
	refused := func() string {
		t.Helper()
		calls++
		caller.send(caller.request(request{method: "INVITE", callID: sprintf("rate-%d", calls), body: testSDP}))
		return caller.recv("SIP/2.0 503")
	}
	taken := func() {
		t.Helper()
		calls++
		caller.send(caller.request(request{method: "INVITE", callID: sprintf("rate-%d", calls), body: testSDP}))
		l, o := s.call(t)
		o.do(func() { l.Reject(486, "") })
		caller.recv("SIP/2.0 486")
	}
	taken()
	clock.Add(int64(600 * time.Millisecond))
	_, out := s.outside(t, "+48601")
	p.send(p.reply(p.recv("INVITE"), 486, "p1", "", ""))
	out.wantEnd(ClassBusy, 486)
	if res := refused(); field(res, "Retry-After") != "1" {
		t.Errorf("refused with\n%s", res)
	}
	_, out = s.outside(t, "+48602")
	if e := out.wantEnd(ClassUnreachable, 0); !strings.Contains(e.Reason, "in this second") {
		t.Errorf("%+v", e)
	}
	clock.Add(int64(400 * time.Millisecond)) // the first was a second ago
	taken()
	refused()
	if st := s.Trunks()[0]; st.Fast != 3 || st.Full != 0 || st.MaxRate != 2 {
		t.Errorf("%+v", st)
	}
	s.idle(t)
}
