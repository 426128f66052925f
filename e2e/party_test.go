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

// party is a caller played by the test to the message: SIP on a UDP socket,
// written out by hand. It answers BYE and NOTIFY; all else is the test's to do or to leave.
type party struct {
	*ear
	t      *testing.T
	sip    *net.UDPConn
	server netip.AddrPort
	number string
	from   string
	id     string // Call-ID

	mu  sync.Mutex
	got []message // all that came in
}

// party lets a caller from the carrier's network be played by hand.
func (v *server) party(from, number string, hertz int) *party {
	v.t.Helper()
	return v.partyAt(v.site.carrierHost(), from, number, hertz)
}

// partyAt is party at an address of either network.
func (v *server) partyAt(host netip.Addr, from, number string, hertz int) *party {
	v.t.Helper()
	socket, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(host, peerPort)))
	if err != nil {
		v.t.Fatal(err)
	}
	c := &party{
		ear: newEar(v.t, host, hertz), t: v.t, sip: socket, server: v.sip, number: number, from: from,
		id: fmt.Sprintf("party-%v", host),
	}
	var ended sync.WaitGroup
	ended.Go(c.serve)
	v.t.Cleanup(func() {
		_ = socket.Close()
		ended.Wait()
		if v.t.Failed() {
			c.mu.Lock()
			defer c.mu.Unlock()
			for _, m := range c.got {
				v.t.Logf("party %s got %s (CSeq %s)", from, m.start, m.header("CSeq"))
			}
		}
	})
	return c
}

func (c *party) serve() {
	buf := make([]byte, 64<<10)
	for {
		n, _, err := c.sip.ReadFromUDPAddrPort(buf)
		if err != nil {
			return
		}
		m, ok := parseMessage(string(buf[:n]))
		if !ok {
			continue
		}
		if m.method() == "BYE" || m.method() == "NOTIFY" {
			c.send(answerTo(m, "200 OK"))
		}
		c.mu.Lock()
		c.got = append(c.got, m)
		c.mu.Unlock()
	}
}

// answerTo is a response without a body to a request in a dialog.
func answerTo(m message, status string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "SIP/2.0 %s\r\n", status)
	for _, name := range []string{"Via", "From", "To", "Call-ID", "CSeq"} {
		for _, value := range m.all(name) {
			fmt.Fprintf(&b, "%s: %s\r\n", name, value)
		}
	}
	b.WriteString("Content-Length: 0\r\n\r\n")
	return b.String()
}

func (c *party) send(text string) {
	_, _ = c.sip.WriteToUDPAddrPort([]byte(text), c.server) // nobody listens any more: part of the test
}

// ask sends a request of the call; lines are further headers, each with its line end.
func (c *party) ask(method string, seq int, lines, body string) {
	c.t.Helper()
	c.send(c.request(method, fmt.Sprintf("%s%d", method, seq), seq, lines, body))
}

// request writes a request of the call. The tag of the server is that of the
// last response to an INVITE that had one, but for a CANCEL and the INVITE that it ends.
func (c *party) request(method, branch string, seq int, lines, body string) string {
	uri1, to := fmt.Sprintf("sip:%s@%v", c.number, c.server), fmt.Sprintf("<sip:%s@%v>", c.number, c.server)
	if method != "CANCEL" {
		c.mu.Lock()
		for _, m := range c.got {
			if m.status() > 100 && strings.HasSuffix(m.header("CSeq"), " INVITE") && strings.Contains(m.header("To"), ";tag=") {
				to = m.header("To")
			}
			if contact := m.header("Contact"); contact != "" && branch != "INVITE1" {
				uri1 = uri(contact)
			}
		}
		c.mu.Unlock()
	}
	text := fmt.Sprintf("%s %s SIP/2.0\r\nVia: SIP/2.0/UDP %v;branch=z9hG4bK-%s-%s\r\nMax-Forwards: 70\r\nFrom: <sip:%s@%v>;tag=party\r\n"+
		"To: %s\r\nCall-ID: %s\r\nCSeq: %d %s\r\nContact: <sip:party@%v>\r\n%s",
		method, uri1, c.sip.LocalAddr(), c.id, branch, c.from, c.sip.LocalAddr(), to, c.id, seq, method, c.sip.LocalAddr(), lines)
	if body != "" {
		text += "Content-Type: application/sdp\r\n"
	}
	return text + fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(body), body)
}

// description is the party's session description; direction is an attribute or empty.
func (c *party) description(direction string) string {
	sdp := audioDescription(c.addr())
	if direction != "" {
		sdp += "a=" + direction + "\r\n"
	}
	return sdp
}

// invite calls, offering audio.
func (c *party) invite() {
	c.t.Helper()
	c.ask("INVITE", 1, "", c.description(""))
}

// cancel takes the call back.
func (c *party) cancel() {
	c.t.Helper()
	c.send(c.request("CANCEL", "INVITE1", 1, "", ""))
}

// ack acknowledges the final answer to an INVITE: within its transaction if it was refused.
func (c *party) ack(answer message, body string) {
	c.t.Helper()
	var seq int
	if _, err := fmt.Sscanf(answer.header("CSeq"), "%d", &seq); err != nil {
		c.t.Fatal(err)
	}
	branch := fmt.Sprintf("ACK%d", seq)
	if answer.status() >= 300 {
		branch = fmt.Sprintf("INVITE%d", seq)
	}
	c.send(c.request("ACK", branch, seq, "", body))
}

// hangUp sends BYE.
func (c *party) hangUp(seq int) {
	c.t.Helper()
	c.ask("BYE", seq, "", "")
	c.answer("BYE", seq, 200)
}

// wait waits for the nth message that is wanted.
func (c *party) wait(what string, nth int, wanted func(message) bool) (found message) {
	c.t.Helper()
	eventually(c.t, what, func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		n := 0
		for _, m := range c.got {
			if wanted(m) {
				if n++; n == nth {
					found = m
					return true
				}
			}
		}
		return false
	})
	return found
}

// finalTo tells whether a message is a final answer to a request of the party.
func finalTo(method string, seq int) func(message) bool {
	return func(m message) bool {
		return m.status() >= 200 && m.header("CSeq") == fmt.Sprintf("%d %s", seq, method)
	}
}

// final waits for the final answer to a request.
func (c *party) final(method string, seq int) message {
	c.t.Helper()
	return c.wait(fmt.Sprintf("an answer to %s %d", method, seq), 1, finalTo(method, seq))
}

// answer waits for the final answer to a request, which has to be this one.
func (c *party) answer(method string, seq, status int) message {
	c.t.Helper()
	m := c.final(method, seq)
	if m.status() != status {
		c.t.Fatalf("%s %d: %s, want %d", method, seq, m.start, status)
	}
	return m
}

// waitRinging waits for 180.
func (c *party) waitRinging() {
	c.t.Helper()
	c.wait("the caller hears it ring", 1, response("INVITE", 180))
}

// waitAnswered waits for the 200 to the first INVITE, acknowledges it and speaks.
func (c *party) waitAnswered() message {
	c.t.Helper()
	m := c.answer("INVITE", 1, 200)
	c.ack(m, "")
	c.speakTo(m)
	return m
}

// speakTo sends audio to where a description wants it.
func (c *party) speakTo(m message) {
	c.t.Helper()
	addr, ok := m.audio()
	if !ok {
		c.t.Fatalf("no audio in %s\n%s", m.start, m.body)
	}
	c.speak(addr)
}

// count tells how many messages that came in are wanted.
func (c *party) count(wanted func(message) bool) (n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, m := range c.got {
		if wanted(m) {
			n++
		}
	}
	return n
}

// waitBye waits until the server hangs up.
func (c *party) waitBye(within time.Duration) {
	c.t.Helper()
	deadline := time.Now().Add(within - patience)
	for time.Now().Before(deadline) && c.count(request("BYE")) == 0 {
		<-time.After(pollEvery)
	}
	c.wait("the server hangs up", 1, request("BYE"))
}
