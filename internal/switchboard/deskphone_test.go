package switchboard

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"centrala/acd"
	"centrala/media"
	"centrala/queuegroups"
)

// deskphone is an agent's phone whose SIP the test writes out by hand.
type deskphone struct {
	t     *testing.T
	conn  *net.UDPConn
	board netip.AddrPort
	media *media.Endpoint

	from, to, id string // of the call, as they stand in requests of the phone
	seq          int
}

// deskphone gives the agent anna such a phone; the other agents stay.
func (b *bench) deskphone() *deskphone {
	b.t.Helper()
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		b.t.Fatal(err)
	}
	p := &deskphone{t: b.t, conn: conn, board: b.at, media: b.peer.endpoint()}
	b.t.Cleanup(func() {
		_ = conn.Close()
		p.media.Close()
	})
	b.board.SetConfig(&queuegroups.Config{
		Region: "PL",
		Agents: []queuegroups.Agent{
			{ID: "anna", Extension: "101", Contact: fmt.Sprintf("sip:anna@%v", conn.LocalAddr())},
			{ID: "bartek", Extension: "102", Contact: fmt.Sprintf("sip:bartek@%v", b.peer.stack.Addrs()[0].Addr)},
		},
		Groups:  []queuegroups.Group{{ID: "support", Extension: "601"}},
		Numbers: []queuegroups.Number{{Number: "+48221234567", Group: "support"}},
	})
	return p
}

// get waits for a message that begins so, passing over others.
func (p *deskphone) get(begin string) string {
	p.t.Helper()
	_ = p.conn.SetReadDeadline(time.Now().Add(patience))
	buf := make([]byte, 1<<16)
	for {
		n, _, err := p.conn.ReadFromUDPAddrPort(buf)
		if err != nil {
			p.t.Fatalf("no %s: %v", begin, err)
		}
		if msg := string(buf[:n]); strings.HasPrefix(msg, begin) {
			return msg
		}
	}
}

func (p *deskphone) send(msg string) {
	p.t.Helper()
	if _, err := p.conn.WriteToUDPAddrPort([]byte(msg), p.board); err != nil {
		p.t.Fatal(err)
	}
}

// line gives the value of a header.
func line(msg, name string) string {
	for l := range strings.SplitSeq(msg, "\r\n") {
		if v, ok := strings.CutPrefix(l, name+": "); ok {
			return v
		}
	}
	return ""
}

// reply answers a request.
func (p *deskphone) reply(req, status, body string) {
	p.t.Helper()
	to := line(req, "To")
	if !strings.Contains(to, ";tag=") {
		to += ";tag=desk"
	}
	p.send(fmt.Sprintf("SIP/2.0 %s\r\nVia: %s\r\nFrom: %s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %s\r\nContact: <sip:anna@%v>\r\n"+
		"Content-Type: application/sdp\r\nContent-Length: %d\r\n\r\n%s",
		status, line(req, "Via"), line(req, "From"), to, line(req, "Call-ID"), line(req, "CSeq"), p.conn.LocalAddr(), len(body), body))
}

// answer takes the call that comes.
func (p *deskphone) answer() {
	p.t.Helper()
	p.take(p.get("INVITE "))
}

// take answers an INVITE.
func (p *deskphone) take(invite string) {
	p.t.Helper()
	p.from, p.to, p.id = line(invite, "To")+";tag=desk", line(invite, "From"), line(invite, "Call-ID")
	_, offer, _ := strings.Cut(invite, "\r\n\r\n")
	sdp, err := p.media.AcceptOffer([]byte(offer))
	if err != nil {
		p.t.Fatal(err)
	}
	p.reply(invite, "200 OK", string(sdp))
	p.get("ACK ")
}

// call dials a number of the board.
func (p *deskphone) call(number string) {
	p.t.Helper()
	p.id, p.from, p.to = fmt.Sprint("desk-", number), "<sip:+48601000000@carrier>;tag=desk", fmt.Sprintf("<sip:%s@%v>", number, p.board)
	p.ask("INVITE", "Content-Type: application/sdp\r\n", string(p.media.Offer()))
}

// ask sends a request in the dialog of the call.
func (p *deskphone) ask(method, lines, body string) {
	p.t.Helper()
	p.seq++
	p.send(fmt.Sprintf("%s sip:board@%v SIP/2.0\r\nVia: SIP/2.0/UDP %v;branch=z9hG4bK-%s-%d\r\nMax-Forwards: 70\r\nFrom: %s\r\nTo: %s\r\n"+
		"Call-ID: %s\r\nCSeq: %d %s\r\nContact: <sip:anna@%v>\r\n%sContent-Length: %d\r\n\r\n%s",
		method, p.board, p.conn.LocalAddr(), method, p.seq, p.from, p.to,
		p.id, p.seq, method, p.conn.LocalAddr(), lines, len(body), body))
}

// notified takes the next report and gives its status line.
func (p *deskphone) notified() string {
	p.t.Helper()
	msg := p.get("NOTIFY ")
	p.reply(msg, "200 OK", "")
	_, body, _ := strings.Cut(msg, "\r\n\r\n")
	return strings.TrimSpace(body)
}

// talks brings a call to where the caller talks to anna at a desk phone.
func (b *bench) talks(p *deskphone) (call, phone acd.LegID) {
	b.t.Helper()
	call, _ = b.arrive()
	b.do(call, &acd.Answer{})
	b.want(&acd.LegAnswered{Leg: call})
	b.do(call, &acd.Ring{Offer: 1, Agent: "anna"})
	p.answer()
	phone = b.want(&acd.OfferAnswered{Offer: 1}).(*acd.OfferAnswered).Leg
	b.do(call, &acd.Bridge{A: call, B: phone})
	b.want(&acd.Bridged{A: call, B: phone})
	return call, phone
}
