package sip

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"
)

// dialSized calls an address with a session description of so many bytes.
func (s *side) dialSized(t *testing.T, addr string, size int) (*Leg, *owner) {
	t.Helper()
	c, err := s.ContactURI("sip:lobby@" + addr)
	if err != nil {
		t.Fatal(err)
	}
	sdp := testSDP + "a=x:"
	sdp += strings.Repeat("x", max(0, size-len(sdp)-2)) + "\r\n"
	o := newOwner(t)
	var l *Leg
	o.do(func() { l = s.Dial(o, o, Dial{To: c, From: Party{User: "600"}, SDP: []byte(sdp)}) })
	return l, o
}

// RFC 3261 section 18.1.1: a request of more than 1300 bytes goes by TCP, its CANCEL
// with it; a small one by UDP.
func TestOutbound_LargeRequestGoesByTCP(t *testing.T) {
	s := start(t)
	p := newPeer(t, s.addr("udp"))
	listener, err := net.Listen("tcp", p.addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })

	_, first := s.dialSized(t, p.addr(), 200)
	invite := p.recv("INVITE")
	if len(invite) > 1300 || !strings.HasPrefix(field(invite, "Via"), "SIP/2.0/UDP") {
		t.Errorf("a small one, by UDP:\n%s", invite)
	}
	p.send(p.reply(invite, 486, "busy", "", ""))
	first.wantEnd(ClassBusy, 486)

	l, o := s.dialSized(t, p.addr(), 1400)
	conn, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(patience))
	r := bufio.NewReader(conn)
	invite = readMessage(t, r)
	if via := field(invite, "Via"); !strings.HasPrefix(invite, "INVITE ") || !strings.HasPrefix(via, fmt.Sprintf("SIP/2.0/TCP %v;", s.addr("tcp"))) {
		t.Errorf("a large one, by TCP:\n%s", invite)
	}
	answer := func(req string, code int) {
		if _, err := conn.Write([]byte(p.reply(req, code, "phone", "", ""))); err != nil {
			t.Fatal(err)
		}
	}
	answer(invite, 180)
	o.want("progress")
	o.do(func() { l.Hangup("") })
	cancel := readMessage(t, r)
	if !strings.HasPrefix(cancel, "CANCEL ") || field(cancel, "Via") != field(invite, "Via") {
		t.Errorf("CANCEL by another way:\n%s", cancel)
	}
	answer(cancel, 200)
	answer(invite, 487)
	if ack := readMessage(t, r); !strings.HasPrefix(ack, "ACK ") {
		t.Errorf("want ACK, got\n%s", ack)
	}
	o.wantEnd(ClassCancelled, 0)
	s.idle(t)
}

// A peer that takes no TCP gets it by UDP, and is not asked again for some time.
func TestOutbound_LargeRequestFallsBackToUDP(t *testing.T) {
	s := start(t)
	p := newPeer(t, s.addr("udp"))
	for range 2 {
		_, o := s.dialSized(t, p.addr(), 1400)
		invite := p.recv("INVITE")
		if len(invite) <= 1300 || !strings.HasPrefix(field(invite, "Via"), "SIP/2.0/UDP") {
			t.Errorf("a large one, by UDP:\n%s", invite)
		}
		p.send(p.reply(invite, 486, "busy", "", ""))
		p.recv("ACK")
		o.wantEnd(ClassBusy, 486)
		listener, err := net.Listen("tcp", p.addr()) // too late for the second one
		if err == nil {
			t.Cleanup(func() { _ = listener.Close() })
		}
	}
	s.idle(t)
}

// readMessage reads one message from a connection.
func readMessage(t *testing.T, r *bufio.Reader) string {
	t.Helper()
	var b strings.Builder
	for !strings.HasSuffix(b.String(), "\r\n\r\n") {
		text, err := r.ReadString('\n')
		if err != nil {
			t.Fatalf("no message: %v, %q", err, b.String())
		}
		b.WriteString(text)
	}
	body := make([]byte, atoi(field(b.String(), "Content-Length")))
	if _, err := readFull(r, body); err != nil {
		t.Fatal(err)
	}
	return b.String() + string(body)
}
