package sip

import (
	"net/netip"
	"strings"

	"github.com/emiago/sipgo/sip"

	"centrala/sip/dialog"
	"centrala/sip/edge"
	"centrala/sip/header"
	"centrala/sip/tx"
)

// This file holds what a leg sends. All of it runs under the leg's lock.

// response makes an answer to the INVITE that makes or may make a dialog.
func (l *Leg) response(code int, reason string, sdp []byte) *sip.Response {
	res := l.invite.Response(code, reason)
	l.dress(res, sdp)
	return res
}

// dress adds what every message that makes or refreshes the dialog carries.
func (l *Leg) dress(m sip.Message, sdp []byte) {
	m.AppendHeader(l.contact())
	m.AppendHeader(l.s.allow)
	m.AppendHeader(l.s.inCalls)
	if sdp != nil {
		l.session.local = sdp
		m.AppendHeader(l.s.sdpType)
		m.SetBody(sdp)
	}
}

// contact is our Contact towards the peer.
func (l *Leg) contact() *sip.ContactHeader {
	user := l.to
	if !l.inbound {
		user = l.from.User
	}
	c := l.s.contact(user, l.flow)
	if l.sips { // RFC 3261 sections 8.1.1.8 and 12.1.1
		c.Address.Scheme, c.Address.UriParams = "sips", nil
	}
	return c
}

// contact is our Contact by that name towards whom the flow leads to.
func (s *Stack) contact(user string, f edge.Flow) *sip.ContactHeader {
	at := s.tx.Sent(f)
	c := &sip.ContactHeader{Address: sip.Uri{Scheme: "sip", User: header.EscapedUser(user), Host: at.Addr().String(), Port: int(at.Port())}}
	if f.Stream() {
		c.Address.UriParams = sip.HeaderParams{{K: "transport", V: f.Network}}
		if f.Web() { // RFC 7118 section 5: ws in URIs, also where it is wss
			c.Address.UriParams[0].V = "ws"
		}
	}
	return c
}

// sendAnswer sends the 2xx and starts repeating it (RFC 3261 section 13.3.1.4).
func (l *Leg) sendAnswer(sdp []byte) error {
	if l.reliable != nil && l.reliable.settled {
		sdp = nil
	}
	l.answer = l.response(sip.StatusOK, "OK", sdp)
	l.grant(l.answer, l.session.Session)
	l.offers.Answered()
	if l.sdp == nil && sdp != nil {
		l.offers.Offer() // a late offer: the answer comes with the ACK
	}
	l.interval, l.deadline = l.s.t1, l.s.now().Add(64*l.s.t1)
	l.arm(l.interval, dialog.TimerResend)
	if err := l.invite.Respond(l.answer); err != nil {
		return err
	}
	l.settled = make(chan struct{})
	go l.awaitBranchAck(l.invite, l.settled)
	return nil
}

// awaitBranchAck takes the ACK of peers who send it with the branch of the INVITE.
func (l *Leg) awaitBranchAck(r *tx.Request, settled <-chan struct{}) {
	select {
	case ack := <-r.Acks():
		l.post(func() { l.acked(ack) })
	case <-settled:
	case <-r.Done():
	}
}

// sendAck acknowledges the 2xx, again with the same message.
func (l *Leg) sendAck() error {
	flow := l.destination(l.dlg)
	if l.ack != nil {
		return l.s.tx.Repeat(l.ack, flow)
	}
	l.ack = l.dlg.Request(sip.ACK, l.inviteSeq)
	l.credentialsOf(l.client.Request(), l.ack)
	return l.s.tx.SendAck(l.ack, flow)
}

// endFork acknowledges the 2xx of a branch that nobody waits for, and ends it
// (section 13.2.2.4).
func (l *Leg) endFork(res *sip.Response) error {
	fork, err := l.dlg.Fork(res, header.Contact(res))
	if err != nil {
		return err
	}
	ack := fork.Request(sip.ACK, l.inviteSeq)
	l.credentialsOf(l.client.Request(), ack)
	if err := l.s.tx.SendAck(ack, l.destination(fork)); err != nil {
		return err
	}
	return l.sendBye(fork)
}

// sendBye ends the dialog. Nobody waits for the answer, unless it asks for a password.
func (l *Leg) sendBye(d *dialog.Dialog) error {
	l.sendInDialog(d, sip.BYE, maxProofs, l.reasonHeader()...)
	return nil
}

// sendInDialog sends a request for whose answer nobody waits, again if it asks
// for a password.
func (l *Leg) sendInDialog(d *dialog.Dialog, method sip.RequestMethod, tries int, extra ...sip.Header) {
	req := d.Request(method, 0)
	for _, h := range extra {
		req.AppendHeader(h)
	}
	for _, h := range l.tries.auth.Headers(req) {
		req.AppendHeader(h)
	}
	l.s.tx.Send(req, l.destination(d), func(res *sip.Response, _ error) {
		l.mu.Lock()
		defer l.mu.Unlock()
		if res != nil && tries > 0 && l.tries.auth.Challenged(res) {
			l.sendInDialog(d, method, tries-1, extra...)
		}
	})
}

// destination is the path of requests in the dialog: the registered flow of a
// phone; else where route set or Contact point, if that is an address that can
// be right; else where the peer's messages come from. What began over TLS stays
// with the peer that it began with: an address in the signalling has no
// certificate to prove it by. A browser has no address at all.
func (l *Leg) destination(d *dialog.Dialog) edge.Flow {
	if l.fixed || l.flow.Network == "tls" || l.flow.Web() {
		return l.flow
	}
	hop := d.NextHop()
	ip, err := netip.ParseAddr(strings.Trim(hop.Host, "[]"))
	if err != nil || ip.IsUnspecified() {
		return l.flow
	}
	ip = ip.Unmap()
	here := l.flow.Remote.Addr()
	if ip != here && unroutable(ip) && !unroutable(here) {
		return l.flow // the inside of somebody's NAT
	}
	network, _ := networkOf(&hop) // RFC 3263 section 4.1, for numeric hosts
	port := defaultPort(network)
	if hop.Port > 0 && hop.Port < 1<<16 {
		port = uint16(hop.Port)
	}
	remote := netip.AddrPortFrom(ip, port)
	open := l.flow.ID == "" || l.s.tx.Flows().Alive(l.flow.ID) // a connection that closed is opened anew (section 18)
	if network == l.flow.Network && open && (remote == l.flow.Remote || network == "tcp" && ip == here && l.flow.ID != "") {
		return l.flow
	}
	if flow, err := l.s.tx.Towards(network, remote, hop.Host); err == nil {
		return flow
	}
	return l.flow
}

func unroutable(a netip.Addr) bool {
	return a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast()
}
