package switchboard

import (
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"

	"centrala/queuegroups"
	"centrala/sip"
)

// rawPhone is an agent's phone, its messages written out by hand. It is at an
// address that is no trunk's, and knows its agent's password.
type rawPhone struct {
	t       *testing.T
	conn    *net.UDPConn
	at      netip.AddrPort // of the Board's stack
	agent   string
	callID  string
	to, uri string
	lines   string // further headers of its INVITE or SUBSCRIBE
}

// agents puts the agents of the configuration into the stack's directory, each
// with their id as the password.
func (b *bench) agents(config *queuegroups.Config) {
	b.board.SetConfig(config)
	d := sip.Directory{Realm: "localhost", Trunks: []sip.Trunk{{ID: "loop", From: loopbackOnly}}}
	for _, a := range config.Agents {
		d.Users = append(d.Users, sip.User{Name: string(a.ID), Password: string(a.ID)})
	}
	b.board.stack.SetDirectory(d)
}

func (b *bench) phone(agent string) *rawPhone {
	b.t.Helper()
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.MustParseAddrPort("127.0.0.2:0")))
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = conn.Close() })
	return &rawPhone{t: b.t, conn: conn, at: b.at, agent: agent, callID: agent + conn.LocalAddr().String()}
}

func (p *rawPhone) send(method string, seq int, branch, extra, body string) {
	p.t.Helper()
	msg := fmt.Sprintf("%s %s SIP/2.0\r\nVia: SIP/2.0/UDP %v;branch=z9hG4bK%s;rport\r\nMax-Forwards: 70\r\n"+
		"From: <sip:%s@localhost>;tag=f\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %d %s\r\nContact: <sip:%s@%v>\r\n%s",
		method, p.uri, p.conn.LocalAddr(), branch, p.agent, p.to, p.callID, seq, method, p.agent, p.conn.LocalAddr(), extra)
	if body != "" {
		msg += "Content-Type: application/sdp\r\n"
	}
	msg += fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(body), body)
	if _, err := p.conn.WriteToUDPAddrPort([]byte(msg), p.at); err != nil {
		p.t.Fatal(err)
	}
}

// recv waits for a message that begins with the prefix.
func (p *rawPhone) recv(prefix string) string {
	p.t.Helper()
	_ = p.conn.SetReadDeadline(time.Now().Add(patience))
	buf := make([]byte, 65536)
	for {
		n, err := p.conn.Read(buf)
		if err != nil {
			p.t.Fatalf("no %s: %v", prefix, err)
		}
		if msg := string(buf[:n]); strings.HasPrefix(msg, prefix) {
			return msg
		}
	}
}

func headerOf(msg, name string) string {
	for line := range strings.SplitSeq(msg, "\r\n") {
		if n, v, ok := strings.Cut(line, ": "); ok && strings.EqualFold(n, name) {
			return v
		}
	}
	return ""
}

// dial places a call, with the password when asked for it.
func (p *rawPhone) dial(to string) {
	p.t.Helper()
	sdp := fmt.Sprintf("v=0\r\no=- 1 1 IN IP4 127.0.0.2\r\ns=-\r\nc=IN IP4 127.0.0.2\r\nt=0 0\r\nm=audio %d RTP/AVP 8\r\n", 20000)
	p.prove("INVITE", to, sdp)
}

// prove sends a request that begins a dialog, with the password when asked for it.
func (p *rawPhone) prove(method, to, body string) {
	p.t.Helper()
	p.uri = fmt.Sprintf("sip:%s@%v", to, p.at)
	p.to = "<" + p.uri + ">"
	p.send(method, 1, "first"+p.callID, p.lines, body)
	challenge := p.recv("SIP/2.0 401")
	p.send(method, 2, "second"+p.callID, p.lines+p.proof(method, challenge), body)
}

// proof answers a challenge.
func (p *rawPhone) proof(method, challenge string) string {
	nonce := regexp.MustCompile(`nonce="([^"]+)"`).FindStringSubmatch(challenge)[1]
	hash := func(s string) string { sum := md5.Sum([]byte(s)); return hex.EncodeToString(sum[:]) }
	response := hash(hash(p.agent+":localhost:"+p.agent) + ":" + nonce + ":00000001:c:auth:" + hash(method+":"+p.uri))
	return fmt.Sprintf(
		"Authorization: Digest username=%q,realm=\"localhost\",nonce=%q,uri=%q,response=%q,algorithm=MD5,qop=auth,nc=00000001,cnonce=\"c\"\r\n",
		p.agent, nonce, p.uri, response)
}

// register makes the phone one of its agent's, to be rung.
func (p *rawPhone) register() {
	p.t.Helper()
	p.uri = fmt.Sprintf("sip:%v", p.at)
	p.to = "<sip:" + p.agent + "@localhost>"
	p.send("REGISTER", 1, "r1"+p.callID, "", "")
	p.send("REGISTER", 2, "r2"+p.callID, p.proof("REGISTER", p.recv("SIP/2.0 401")), "")
	p.recv("SIP/2.0 200")
}

// answered waits for the 200 and acknowledges it.
func (p *rawPhone) answered() {
	p.t.Helper()
	p.to = headerOf(p.recv("SIP/2.0 200"), "To")
	p.ack()
}

// refused waits for a refusal of its INVITE and acknowledges it, with the branch of the
// INVITE (RFC 3261 section 17.1.1.3): without, the refusal comes again until the end.
func (p *rawPhone) refused(status string) {
	p.t.Helper()
	p.to = headerOf(p.recv("SIP/2.0 "+status), "To")
	p.send("ACK", 2, "second"+p.callID, "", "")
}

func (p *rawPhone) ack() {
	p.t.Helper()
	p.send("ACK", 2, "ack"+p.callID, "", "")
}

func (p *rawPhone) hangUp() {
	p.t.Helper()
	p.send("BYE", 3, "bye"+p.callID, "", "")
	p.recv("SIP/2.0 200")
}

// hungUp waits for the BYE and answers it.
func (p *rawPhone) hungUp() {
	p.t.Helper()
	p.ok(p.recv("BYE"))
}

// ok answers a request with 200.
func (p *rawPhone) ok(request string) {
	p.t.Helper()
	p.reply(request, "200 OK", "")
}

// reply answers a request.
func (p *rawPhone) reply(request, status, body string) {
	p.t.Helper()
	if _, err := p.conn.WriteToUDPAddrPort([]byte(p.answer(request, status, body)), p.at); err != nil {
		p.t.Fatal(err)
	}
}

// answer writes an answer to a request.
func (p *rawPhone) answer(request, status, body string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "SIP/2.0 %s\r\n", status)
	for _, name := range []string{"Via", "From", "To", "Call-ID", "CSeq"} {
		v := headerOf(request, name)
		if name == "To" && !strings.Contains(v, ";tag=") {
			v += ";tag=a"
		}
		fmt.Fprintf(&b, "%s: %s\r\n", name, v)
	}
	fmt.Fprintf(&b, "Contact: <sip:%s@%v>\r\n", p.agent, p.conn.LocalAddr())
	if body != "" {
		b.WriteString("Content-Type: application/sdp\r\n")
	}
	fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n%s", len(body), body)
	return b.String()
}
