package sip

import (
	"bufio"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// streamCarrier is a raw carrier that takes connections.
type streamCarrier struct {
	t  *testing.T
	ln net.Listener
}

func newStreamCarrier(t *testing.T, addr string) *streamCarrier {
	t.Helper()
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	return &streamCarrier{t, ln}
}

func (c *streamCarrier) addr() string { return c.ln.Addr().String() }

// accept takes the next connection.
func (c *streamCarrier) accept() *stream {
	c.t.Helper()
	_ = c.ln.(*net.TCPListener).SetDeadline(time.Now().Add(patience))
	nc, err := c.ln.Accept()
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { _ = nc.Close() })
	return &stream{peer: newPeer(c.t, netip.AddrPort{}), nc: nc, in: bufio.NewReader(nc)}
}

// reply writes an answer whose Contact is where the carrier takes connections.
func (c *streamCarrier) reply(p *stream, req string, code int, tag, body string) {
	c.t.Helper()
	p.write(strings.Replace(p.peer.reply(req, code, tag, "", body), "<sip:phone@"+p.addr()+">", "<sip:phone@"+c.addr()+";transport=tcp>", 1))
}

func (p *stream) want(prefix string) string {
	p.t.Helper()
	msg := p.read()
	if !strings.HasPrefix(msg, prefix) {
		p.t.Fatalf("got %s, want %s", msg, prefix)
	}
	return msg
}

func withStreamTrunk(c *streamCarrier) func(o *Options) {
	return withTrunk(func(conf *Trunk) { conf.Host, conf.Transport = c.addr(), "tcp" })
}

// RFC 3261 sections 8.1.3.1, 17.1.4: a connection that we opened and that closes fails
// the calls that wait for an answer by it, at once and not when the timers run out.
func TestStreamTrunk_ClosesBeforeTheAnswer(t *testing.T) {
	for name, code := range map[string]int{"before any answer": 0, "while it rings": 180} {
		t.Run(name, func(t *testing.T) {
			c := newStreamCarrier(t, "127.0.0.1:0")
			s := start(t, withStreamTrunk(c), func(o *Options) { o.T1 = 10 * time.Second }) // no timer is to help
			_, o := s.outside(t, "+48601")
			p := c.accept()
			invite := p.want("INVITE")
			if code != 0 {
				c.reply(p, invite, code, "p1", "")
				o.want("progress")
			}
			_ = p.nc.Close()
			o.wantEnd(ClassUnreachable, 0)
			s.idle(t)
			_, o = s.outside(t, "+48602") // the next call opens another one
			p = c.accept()
			c.reply(p, p.want("INVITE"), 486, "p1", "")
			o.wantEnd(ClassBusy, 486)
		})
	}
}

// RFC 3261 section 18: a call outlives the connection that it was made by. Requests
// within the dialog open another one, to where the peer's Contact is (section 12.2.1.1),
// and the peer may open one itself.
func TestStreamTrunk_CallOutlivesTheConnection(t *testing.T) {
	for name, we := range map[string]bool{"we hang up": true, "the peer hangs up": false} {
		t.Run(name, func(t *testing.T) {
			c := newStreamCarrier(t, "127.0.0.1:0")
			s := start(t, withStreamTrunk(c))
			l, o := s.outside(t, "+48601")
			p := c.accept()
			invite := p.want("INVITE")
			c.reply(p, invite, 200, "p1", testSDP)
			p.want("ACK")
			o.want("answered")
			_ = p.nc.Close()
			eventually(t, "the connection is gone", func() bool { return s.Stats().Connections == 0 })
			if n := s.Stats().Legs; n != 1 {
				t.Fatalf("%d legs", n)
			}
			if we {
				o.do(func() { l.Hangup("") })
				p = c.accept()
				c.reply(p, p.want("BYE"), 200, "", "")
				o.wantEnd(ClassHangup, 0)
			} else {
				q := newStream(t, s)
				q.write(q.request(request{method: "BYE", callID: field(invite, "Call-ID"), to: field(invite, "From"), from: field(invite, "To") + ";tag=p1"}))
				q.want("SIP/2.0 200")
				o.wantEnd(ClassHangup, 0)
			}
			s.idle(t)
		})
	}
}

// RFC 3261 section 13.2.2.4: a 2xx that comes again by another connection, because its
// ACK was lost with the first one, is acknowledged again, and the call goes on.
func TestStreamTrunk_AnswerAgainByAnotherConnection(t *testing.T) {
	c := newStreamCarrier(t, "127.0.0.1:0")
	s := start(t, withStreamTrunk(c))
	l, o := s.outside(t, "+48601")
	p := c.accept()
	invite := p.want("INVITE")
	ok := strings.Replace(p.peer.reply(invite, 200, "p1", "", testSDP), "<sip:phone@"+p.addr()+">", "<sip:phone@"+c.addr()+";transport=tcp>", 1)
	p.write(ok)
	ack := p.want("ACK")
	o.want("answered")
	_ = p.nc.Close()
	eventually(t, "the connection is gone", func() bool { return s.Stats().Connections == 0 })
	q := newStream(t, s)
	q.write(ok)
	again := c.accept()
	if got := again.want("ACK"); field(got, "CSeq") != field(ack, "CSeq") || field(got, "To") != field(ack, "To") {
		t.Errorf("acknowledged by\n%s", got)
	}
	if n := s.Stats().Legs; n != 1 {
		t.Errorf("%d legs", n)
	}
	o.do(func() { l.Hangup("") })
	c.reply(again, again.want("BYE"), 200, "", "")
	o.wantEnd(ClassHangup, 0)
	s.idle(t)
}

// The same for a call that came in by a connection: also where the peer's Contact is
// the very port that the connection came from.
func TestStreamTrunk_CallThatCameInOutlivesTheConnection(t *testing.T) {
	for name, same := range map[string]bool{"Contact elsewhere": false, "Contact is the port of the connection": true} {
		t.Run(name, func(t *testing.T) {
			s := start(t)
			p := newStream(t, s)
			contact := ""
			var c *streamCarrier
			if same {
				contact = p.nc.LocalAddr().String()
			} else {
				c = newStreamCarrier(t, "127.0.0.1:0")
				contact = c.addr()
			}
			p.write(strings.Replace(p.request(request{method: "INVITE", body: testSDP}), "Contact: <sip:caller@"+p.addr()+">", "Contact: <sip:caller@"+contact+";transport=tcp>", 1))
			l, o := s.call(t)
			o.do(func() { _ = l.Answer([]byte(testSDP)) })
			ok := p.read()
			for !strings.HasPrefix(ok, "SIP/2.0 200") {
				ok = p.read()
			}
			p.write(p.request(request{method: "ACK", to: field(ok, "To")}))
			o.want("answered")
			_ = p.nc.(*net.TCPConn).SetLinger(0) // so that its port can be listened on
			_ = p.nc.Close()
			eventually(t, "the connection is gone", func() bool { return s.Stats().Connections == 0 })
			if same {
				c = newStreamCarrier(t, contact)
			}
			o.do(func() { l.Hangup("") })
			q := c.accept()
			c.reply(q, q.want("BYE"), 200, "", "")
			o.wantEnd(ClassHangup, 0)
			s.idle(t)
		})
	}
}

// RFC 3261 section 13.3.1.4: a 2xx is repeated until its ACK though the transport is
// reliable, for what is behind the next hop may not be.
func TestInbound_AnswerIsRepeatedOverTCP(t *testing.T) {
	s := start(t, brisk)
	p := newStream(t, s)
	p.write(p.request(request{method: "INVITE", body: testSDP}))
	l, o := s.call(t)
	o.do(func() { _ = l.Answer([]byte(testSDP)) })
	first := p.read()
	for !strings.HasPrefix(first, "SIP/2.0 200") {
		first = p.read()
	}
	for range 2 {
		if again := p.read(); again != first {
			t.Errorf("repeated answer differs:\n%s\n%s", first, again)
		}
	}
	p.write(p.request(request{method: "ACK", to: field(first, "To")}))
	o.want("answered")
	p.write(p.request(request{method: "BYE", seq: 2, to: field(first, "To")}))
	for field(p.read(), "CSeq") != "2 BYE" { // another repetition may have been on its way
	}
	o.wantEnd(ClassHangup, 0)
	s.idle(t)
}

// A carrier by name that is reached from another of our addresses: signalling and
// audio are where the kernel sends from, and not at the first that is listened on.
func TestTrunk_OwnAddressOfSeveral(t *testing.T) {
	six := netip.MustParseAddr("::1")
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(six, 0)))
	if err != nil {
		t.Skipf("no IPv6 here: %v", err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	port := conn.LocalAddr().(*net.UDPAddr).AddrPort().Port()
	z := &zone{
		hosts: map[string][]netip.Addr{"six.test.": {six}, "four.test.": {loopback}},
		srv: map[string][]*net.SRV{"_sip._udp.carrier.test": {
			{Target: "six.test.", Port: port}, {Target: "four.test.", Port: 9},
		}},
	}
	s := start(t, at(z), func(o *Options) {
		o.Listen = []Listen{{"udp", netip.AddrPortFrom(loopback, 0)}, {"udp", netip.AddrPortFrom(six, 0)}}
	})
	c, err := s.TrunkContact("carrier", "+48601")
	if err != nil || c.Located() {
		t.Fatalf("%+v %v", c, err)
	}
	found := make(chan Contact, 1)
	s.Locate(c, func(c Contact, err error) {
		if err != nil {
			t.Error(err)
		}
		found <- c
	})
	c = <-found
	if c.Local != six || !c.Located() || len(c.flows) != 1 {
		t.Fatalf("audio is to be at %v, by %v", c.Local, c.flows)
	}
	o := newOwner(t)
	var l *Leg
	o.do(func() { l = s.Dial(o, o, Dial{To: c, From: Party{User: "1"}, SDP: []byte(testSDP)}) })
	p := &peer{t: t, conn: conn}
	invite := p.recv("INVITE")
	if want := s.Addrs()[1].Addr; l.Local() != six || !strings.Contains(field(invite, "Via"), want.String()) || !strings.Contains(field(invite, "Contact"), want.String()) {
		t.Errorf("from %v:\n%s", l.Local(), invite)
	}
	p.send(p.reply(invite, 486, "p1", "", ""))
	o.wantEnd(ClassBusy, 486)
	s.idle(t)
}
