package e2e

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"
)

// phone is a desk phone with a fixed address, played by the test to the
// millisecond: SIP on a UDP socket, written out by hand. It takes one call at a time.
type phone struct {
	*ear
	t      *testing.T
	name   string
	answer reaction
	sip    *net.UDPConn

	mu       sync.Mutex
	server   netip.AddrPort // where the call comes from
	invite   message        // of the call; zero: none
	last     string         // response to the INVITE that is repeated when asked again
	answered bool
	acked    bool
	seq      int  // of the phone's last request
	hasty    bool // hangs up as soon as its REFER is accepted
	lines    bool // takes another call while it has one
	events   []phoneEvent
}

// reaction is what a phone does with a call.
type reaction string

const (
	rings     reaction = "rings until told otherwise"
	isBusy    reaction = "486 Busy Here"
	declines  reaction = "603 Decline"
	sendsAway reaction = "302 Moved Temporarily\r\nContact: <sip:+881234567890@carrier.test>" // where a minute is dear
	isSilent  reaction = "says nothing"
	picksUp   reaction = "answers at once"
	ringsMute reaction = "answers after 100 only, when told to" // a phone that never says that it rings

	answersCancelled reaction = "rings, and answers when it is told to stop"
)

// phoneEvent is a message that came in: INVITE, CANCEL, ACK, BYE.
type phoneEvent struct {
	at     time.Time
	method string
	message
}

// newPhone puts a phone on an address outside of the carrier's network.
func newPhone(t *testing.T, s *site, name string, hertz int, does reaction) *phone {
	t.Helper()
	host := s.phoneHost()
	socket, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(host, peerPort)))
	if err != nil {
		t.Fatal(err)
	}
	p := &phone{ear: newEar(t, host, hertz), t: t, name: name, answer: does, sip: socket}
	var ended sync.WaitGroup
	ended.Go(p.serve)
	t.Cleanup(func() {
		_ = socket.Close()
		ended.Wait()
		if t.Failed() {
			dump(t, "phone "+name, p.story())
		}
	})
	return p
}

// contact is the phone's address as queuegroups.yaml has it.
func (p *phone) contact() string {
	return fmt.Sprintf("sip:%s@%v", p.name, p.sip.LocalAddr())
}

func (p *phone) serve() {
	buf := make([]byte, 64<<10)
	for {
		n, from, err := p.sip.ReadFromUDPAddrPort(buf)
		if err != nil {
			return
		}
		if m, ok := parseMessage(string(buf[:n])); ok {
			p.mu.Lock()
			p.events = append(p.events, phoneEvent{time.Now(), m.method(), m})
			p.handle(m, from)
			p.mu.Unlock()
		}
	}
}

// handle does what a phone does. Accessed with mu held.
func (p *phone) handle(m message, from netip.AddrPort) {
	sameCall := m.header("Call-ID") == p.invite.header("Call-ID")
	switch m.method() {
	case "INVITE":
		switch {
		case sameCall && m.header("CSeq") == p.invite.header("CSeq"):
			if p.last != "" {
				p.send(from, p.last) // a repetition
			}
		case p.invite.start != "" && !sameCall && !(p.lines && p.acked):
			p.send(from, p.response(m, "486 Busy Here", "")) // a second call
		default:
			p.server, p.invite, p.answered, p.acked, p.last = from, m, false, false, ""
			p.react()
		}
	case "CANCEL":
		p.send(from, p.response(m, "200 OK", ""))
		if sameCall && p.answer == answersCancelled {
			p.pick()
		} else if sameCall && !p.answered {
			p.reply("487 Request Terminated", "")
			p.invite.start = ""
		}
	case "ACK":
		p.acked = p.acked || sameCall
	case "BYE":
		p.send(from, p.response(m, "200 OK", ""))
		if sameCall && strings.HasSuffix(m.header("To"), p.tag()) {
			p.invite.start = ""
		}
	case "OPTIONS", "UPDATE", "PRACK", "NOTIFY":
		p.send(from, p.response(m, "200 OK", ""))
	case "": // a response
		if p.hasty && m.status() == 202 && p.invite.start != "" {
			p.request("BYE", "")
			p.invite.start = ""
		}
	}
}

// react answers a new INVITE. Accessed with mu held.
func (p *phone) react() {
	switch p.answer {
	case rings, answersCancelled:
		p.reply("180 Ringing", "")
	case isSilent:
		p.invite.start = ""
	case picksUp:
		p.pick()
	case ringsMute:
		p.reply("100 Trying", "")
	default: // it refuses
		p.reply(string(p.answer), "")
		p.invite.start = ""
	}
}

// pick answers the call. Accessed with mu held.
func (p *phone) pick() {
	p.answered = true
	p.reply("200 OK", audioDescription(p.addr()))
	if addr, ok := p.invite.audio(); ok {
		p.speak(addr)
	}
	go p.repeat(p.invite.header("Call-ID"), p.last)
}

// repeat sends a 200 again until it is acknowledged (RFC 3261 13.3.1.4).
func (p *phone) repeat(call, text string) {
	for interval := 500 * time.Millisecond; interval < 8*time.Second; interval *= 2 {
		<-time.After(interval)
		p.mu.Lock()
		over := p.acked || p.invite.start == "" || p.invite.header("Call-ID") != call
		if !over {
			p.send(p.server, text)
		}
		p.mu.Unlock()
		if over {
			return
		}
	}
}

// pickUp answers the call that rings.
func (p *phone) pickUp() {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.invite.start == "" || p.answered {
		p.t.Fatalf("%s: no call to answer", p.name)
	}
	p.pick()
}

// pickUpAtOnce lets two phones answer, one datagram right behind the other: no
// answer of the server to the first comes between.
func pickUpAtOnce(a, b *phone) {
	a.t.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, p := range []*phone{a, b} {
		if p.invite.start == "" || p.answered {
			p.t.Fatalf("%s: no call to answer", p.name)
		}
		p.pick()
	}
}

// reply responds to the call's INVITE. Accessed with mu held.
func (p *phone) reply(status, body string) {
	p.last = p.response(p.invite, status, body)
	p.send(p.server, p.last)
}

func (p *phone) send(to netip.AddrPort, text string) {
	_, _ = p.sip.WriteToUDPAddrPort([]byte(text), to) // a server that is gone is part of some tests
}

// response builds a response to a request.
func (p *phone) response(m message, status, body string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "SIP/2.0 %s\r\n", status)
	for _, name := range []string{"Via", "Record-Route", "From", "To", "Call-ID", "CSeq"} {
		for _, value := range m.all(name) {
			if name == "To" && !strings.Contains(value, ";tag=") {
				value += ";tag=" + p.tag()
			}
			fmt.Fprintf(&b, "%s: %s\r\n", name, value)
		}
	}
	fmt.Fprintf(&b, "Contact: <%s>\r\n", p.contact())
	if body != "" {
		b.WriteString("Content-Type: application/sdp\r\n")
	}
	fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n%s", len(body), body)
	return b.String()
}

func (p *phone) tag() string { return "phone-" + p.name }

// hangUp ends the call that the phone answered.
func (p *phone) hangUp() time.Time {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.request("BYE", "")
	p.invite.start = ""
	return time.Now()
}

// refer asks for whom the phone talks to to be put through to somebody else (RFC 3515).
func (p *phone) refer(to string) {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.request("REFER", fmt.Sprintf("Refer-To: <sip:%s@%s>\r\nContact: <%s>\r\n", to, domain, p.contact()))
}

// request sends a request in the call that the phone answered. Accessed with mu held.
func (p *phone) request(method, lines string) {
	p.t.Helper()
	m := p.invite
	if m.start == "" || !p.answered {
		p.t.Fatalf("%s: no call for a %s", p.name, method)
	}
	p.seq++
	p.send(p.server, fmt.Sprintf("%s %s SIP/2.0\r\nVia: SIP/2.0/UDP %v;branch=z9hG4bK-%s-%d\r\nMax-Forwards: 70\r\n"+
		"From: %s;tag=%s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %d %s\r\n%sContent-Length: 0\r\n\r\n",
		method, uri(m.header("Contact")), p.sip.LocalAddr(), p.name, p.seq,
		m.header("To"), p.tag(), m.header("From"), m.header("Call-ID"), p.seq, method, lines))
}

// got gives the messages of a method that came in.
func (p *phone) got(method string) (found []phoneEvent) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, e := range p.events {
		if e.method == method {
			found = append(found, e)
		}
	}
	return found
}

// calls counts the calls that came in: INVITEs of different Call-IDs.
func (p *phone) calls() int {
	ids := make(map[string]bool)
	for _, e := range p.got("INVITE") {
		ids[e.header("Call-ID")] = true
	}
	return len(ids)
}

// waitCall waits until the nth call came in, and gives its INVITE.
func (p *phone) waitCall(nth int) phoneEvent {
	p.t.Helper()
	eventually(p.t, fmt.Sprintf("%s is called, call %d", p.name, nth), func() bool { return p.calls() >= nth })
	seen := make(map[string]bool)
	for _, e := range p.got("INVITE") {
		if seen[e.header("Call-ID")] = true; len(seen) == nth {
			return e
		}
	}
	return phoneEvent{} // cannot be: calls counted them
}

// waitFor waits until the nth message of a method came in.
func (p *phone) waitFor(method string, nth int) phoneEvent {
	p.t.Helper()
	eventually(p.t, fmt.Sprintf("%s gets %s %d", p.name, method, nth), func() bool { return len(p.got(method)) >= nth })
	return p.got(method)[nth-1]
}

// story tells what came in.
func (p *phone) story() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var b strings.Builder
	for _, e := range p.events {
		fmt.Fprintf(&b, "%s %s\n", e.at.Format("15:04:05.000000"), e.start)
	}
	return b.String()
}

// sipAddr is the phone's address for SIP.
func (p *phone) sipAddr() netip.AddrPort { return p.sip.LocalAddr().(*net.UDPAddr).AddrPort() }

// talking tells whether the phone answered a call, had that acknowledged and was not hung up on.
func (p *phone) talking() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.invite.start != "" && p.answered && p.acked
}

// ringing tells whether there is a call that the phone has not answered.
func (p *phone) ringing() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.invite.start != "" && !p.answered
}

// does makes the phone treat the calls that come from now on in another way.
func (p *phone) does(r reaction) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answer = r
}
