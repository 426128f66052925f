package sip

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"centrala/sip/edge"
)

// certify makes a certificate for names and addresses that is its own authority.
func certify(t testing.TB, names ...string) (*tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true,
	}
	for _, name := range names {
		if ip := net.ParseIP(name); ip != nil {
			c.IPAddresses = append(c.IPAddresses, ip)
		} else {
			c.DNSNames = append(c.DNSNames, name)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, roots
}

// overTLS lets a stack listen on TLS and believe the authorities. It returns
// what believes the stack.
func overTLS(t testing.TB, believes *x509.CertPool) (change func(o *Options), believed *x509.CertPool) {
	t.Helper()
	cert, roots := certify(t, "pbx.test", "127.0.0.1")
	return func(o *Options) {
		o.Listen = append(o.Listen, Listen{"tls", netip.AddrPortFrom(loopback, 0)})
		o.Secure = edge.TLS{Certificate: func() (*tls.Certificate, error) { return cert, nil }, Roots: believes}
		if o.Resolver == nil { // the machine may not know its own name
			o.Resolver = &zone{hosts: map[string][]netip.Addr{"localhost": {loopback}}}
		}
	}, roots
}

// newSecure connects a raw peer over TLS that wants the stack to be pbx.test.
func newSecure(t testing.TB, s *side, roots *x509.CertPool) *stream {
	t.Helper()
	nc, err := tls.Dial("tcp", s.addr("tls").String(), &tls.Config{RootCAs: roots, ServerName: "pbx.test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = nc.Close() })
	return secureStream(t, nc, s.addr("tls"))
}

func secureStream(t testing.TB, nc net.Conn, to netip.AddrPort) *stream {
	return &stream{peer: newPeer(t, to), nc: nc, in: bufio.NewReader(nc)}
}

// secure is a request as it is sent over TLS.
func (p *stream) secure(r request) string {
	return strings.Replace(p.peer.request(r), "SIP/2.0/UDP", "SIP/2.0/TLS", 1)
}

// registerSecure registers anna with a Contact of the scheme.
func (p *stream) registerSecure(t *testing.T, scheme string) {
	t.Helper()
	r := request{
		method: "REGISTER", uri: "sip:pbx.test", callID: "reg", to: "<sip:anna@pbx.test>",
		from: "<sip:anna@pbx.test>;tag=r", extra: "Expires: 600\r\n",
	}
	contact := strings.NewReplacer("<sip:caller@"+p.addr()+">", "<"+scheme+":caller@"+p.addr()+";transport=tls>")
	p.write(contact.Replace(p.secure(r)))
	challenge := p.read()
	r.seq, r.extra = 2, r.extra+credentials(t, challenge, "REGISTER", r.uri, "anna", "secret")
	p.write(contact.Replace(p.secure(r)))
	if got := p.read(); !strings.HasPrefix(got, "SIP/2.0 200") {
		t.Fatal(got)
	}
}

// A phone registers over TLS, is called by its connection, and is gone with it
// (RFC 3261 section 26.2.1, RFC 5626 section 5.3).
func TestTLS_PhoneRegistersAndIsCalled(t *testing.T) {
	secure, roots := overTLS(t, nil)
	s := start(t, strangers, secure)
	p := newSecure(t, s, roots)
	p.registerSecure(t, "sip")
	s.wantReachable(t, "anna true")
	contacts := s.Contacts("anna")
	if len(contacts) != 1 || !contacts[0].Secure() || contacts[0].Local != loopback {
		t.Fatalf("%+v", contacts)
	}
	o := newOwner(t)
	o.do(func() { s.Dial(o, o, Dial{To: contacts[0], From: Party{User: "1"}, SDP: []byte(testSDP)}) })
	invite := p.read()
	if !strings.HasPrefix(invite, "INVITE sip:caller@"+p.addr()+";transport=tls SIP/2.0\r\n") || !strings.HasPrefix(field(invite, "Via"), "SIP/2.0/TLS "+s.addr("tls").String()) {
		t.Error(invite)
	}
	if contact := field(invite, "Contact"); contact != "<sip:1@"+s.addr("tls").String()+";transport=tls>" {
		t.Errorf("Contact %s", contact)
	}
	p.write(p.reply(invite, 200, "p1", "", testSDP))
	if ack := p.read(); !strings.HasPrefix(ack, "ACK") {
		t.Error(ack)
	}
	o.want("answered")
	p.write(p.secure(request{method: "BYE", callID: field(invite, "Call-ID"), to: field(invite, "From"), from: field(invite, "To") + ";tag=p1"}))
	if got := p.read(); !strings.HasPrefix(got, "SIP/2.0 200") {
		t.Error(got)
	}
	o.wantEnd(ClassHangup, 0)
	_ = p.nc.Close()
	s.wantReachable(t, "anna false")
	s.idle(t)
}

// RFC 3261 sections 8.1.1.8 and 12.1.1: who is called by sips:, or calls so, is
// told a sips: Contact.
func TestTLS_SIPS(t *testing.T) {
	secure, roots := overTLS(t, nil)
	t.Run("to a phone", func(t *testing.T) {
		s := start(t, strangers, secure)
		p := newSecure(t, s, roots)
		p.registerSecure(t, "sips")
		o := newOwner(t)
		o.do(func() {
			s.Dial(o, o, Dial{To: s.Contacts("anna")[0], From: Party{User: "1"}, SDP: []byte(testSDP)})
		})
		invite := p.read()
		if contact := field(invite, "Contact"); !strings.HasPrefix(invite, "INVITE sips:caller@") || contact != "<sips:1@"+s.addr("tls").String()+">" {
			t.Error(invite)
		}
		p.write(p.reply(invite, 486, "p1", "", ""))
		o.wantEnd(ClassBusy, 486)
	})
	for name, change := range map[string]*strings.Replacer{
		"called by sips":       strings.NewReplacer("INVITE sip:", "INVITE sips:"),
		"sips in Contact":      strings.NewReplacer("Contact: <sip:", "Contact: <sips:"),
		"sips in Record-Route": strings.NewReplacer("Contact:", "Record-Route: <sips:proxy.test;lr>\r\nContact:"),
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, secure)
			p := newSecure(t, s, roots)
			p.write(change.Replace(p.secure(request{method: "INVITE", body: testSDP})))
			l, o := s.call(t)
			if !l.Secure() {
				t.Error("not told that the leg is secure")
			}
			o.do(func() { _ = l.Answer([]byte(testSDP)) })
			got := p.read()
			if contact := field(got, "Contact"); !strings.HasPrefix(got, "SIP/2.0 200") || !strings.HasPrefix(contact, "<sips:") {
				t.Error(got)
			}
		})
	}
}

// carrier is a raw server over TLS.
type carrier struct {
	t    testing.TB
	ln   net.Listener
	port string
	seen chan tls.ConnectionState // of each handshake, also of those that fail
}

func newCarrier(t testing.TB, cert *tls.Certificate) *carrier {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	_ = ln.(*net.TCPListener).SetDeadline(time.Now().Add(4 * patience)) // for all that it is to wait for
	_, port, _ := net.SplitHostPort(ln.Addr().String())
	c := &carrier{t: t, port: port, seen: make(chan tls.ConnectionState, 16)}
	c.ln = tls.NewListener(ln, &tls.Config{Certificates: []tls.Certificate{*cert}, ClientAuth: tls.RequestClientCert})
	return c
}

// accept waits for a connection; nil: its handshake failed.
func (c *carrier) accept() *stream {
	c.t.Helper()
	nc, err := c.ln.Accept()
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { _ = nc.Close() })
	secure := nc.(*tls.Conn)
	_ = secure.SetDeadline(time.Now().Add(patience))
	err = secure.HandshakeContext(c.t.Context())
	c.seen <- secure.ConnectionState()
	if err != nil {
		return nil
	}
	return secureStream(c.t, nc, netip.MustParseAddrPort("127.0.0.1:"+c.port))
}

// A call leaves by a trunk over TLS; everything of it goes by one connection,
// whatever the Contact says; the next call uses that connection, too; and what
// the carrier asks there is answered there.
func TestTLS_TrunkIsCalled(t *testing.T) {
	cert, roots := certify(t, "localhost")
	secure, _ := overTLS(t, roots)
	c := newCarrier(t, cert)
	s := start(t, secure, withTrunk(func(t *Trunk) { t.Host, t.Transport = "localhost:"+c.port, "tls" }))
	_, o := s.outside(t, "+48601")
	p := c.accept()
	if p == nil {
		t.Fatal("no handshake")
	}
	if state := <-c.seen; state.ServerName != "localhost" || len(state.PeerCertificates) != 1 {
		t.Errorf("asked for %q, with %d certificates", state.ServerName, len(state.PeerCertificates))
	}
	invite := p.read()
	if !strings.HasPrefix(invite, "INVITE sip:+48601@localhost:"+c.port+";transport=tls SIP/2.0\r\n") {
		t.Error(invite)
	}
	p.write(p.reply(invite, 200, "p1", "", testSDP)) // whose Contact is an address for UDP
	if got := p.read(); !strings.HasPrefix(got, "ACK") {
		t.Error(got)
	}
	o.want("answered")
	p.write(p.secure(request{method: "OPTIONS", callID: "ping"}))
	if got := p.read(); !strings.HasPrefix(got, "SIP/2.0 200") {
		t.Error(got)
	}
	l2, o2 := s.outside(t, "+48602")
	second := p.read()
	if !strings.HasPrefix(second, "INVITE sip:+48602@") {
		t.Error(second)
	}
	p.write(p.reply(second, 180, "p2", "", ""))
	o2.want("progress")
	o2.do(func() { l2.Hangup("") })
	if got := p.read(); !strings.HasPrefix(got, "CANCEL") {
		t.Error(got)
	}
	o2.wantEnd(ClassCancelled, 0)
	if n := s.Stats().Connections; n != 1 {
		t.Errorf("%d connections", n)
	}
}

// A trunk's name is looked up as that of sips (RFC 3263 section 4.2); what the
// server has to prove is the name of the trunk, not that of the record (RFC 5922
// section 4).
func TestTLS_TrunkByName(t *testing.T) {
	for proves, ok := range map[string]bool{"carrier.test": true, "sip0.carrier.test": false} {
		t.Run(proves, func(t *testing.T) {
			cert, roots := certify(t, proves)
			secure, _ := overTLS(t, roots)
			c := newCarrier(t, cert)
			z := &zone{
				hosts: map[string][]netip.Addr{"sip0.carrier.test.": {loopback}},
				srv:   map[string][]*net.SRV{"_sips._tcp.carrier.test": {{Target: "sip0.carrier.test.", Port: uint16(atoi(c.port))}}},
			}
			s := start(t, secure, at(z), withTrunk(func(t *Trunk) { t.Transport = "tls" }))
			_, o := s.outside(t, "+48601")
			p := c.accept()
			if state := <-c.seen; state.ServerName != "carrier.test" {
				t.Errorf("asked for %q", state.ServerName)
			}
			if !ok {
				o.wantEnd(ClassUnreachable, 0)
				return
			}
			invite := p.read()
			p.write(p.reply(invite, 486, "p1", "", ""))
			o.wantEnd(ClassBusy, 486)
		})
	}
}

// We register with a carrier over TLS, and its call comes in by that connection.
func TestTLS_TrunkRegisters(t *testing.T) {
	listens, roots := overTLS(t, nil)
	far := start(t, strangers, listens, func(o *Options) { o.Directory.Users = []User{{Name: "acme", Password: "secret"}} })
	secure, _ := overTLS(t, roots)
	s := start(t, secure, withTrunk(func(c *Trunk) {
		c.Host, c.Transport, c.User, c.Password, c.Register = far.addr("tls").String(), "tls", "acme", "secret", true
	}))
	s.registered(t, true)
	far.wantReachable(t, "acme true")
	contacts := far.Contacts("acme")
	if len(contacts) != 1 || !contacts[0].Secure() {
		t.Fatalf("%+v", contacts)
	}
	o := newOwner(t)
	o.do(func() { far.Dial(o, o, Dial{To: contacts[0], From: Party{User: "1"}, SDP: []byte(testSDP)}) })
	l, called := s.call(t)
	if l.Trunk() != "carrier" || !l.Secure() {
		t.Errorf("by trunk %q, secure: %v", l.Trunk(), l.Secure())
	}
	called.do(func() { l.Reject(486, "") })
	o.wantEnd(ClassBusy, 486)
	if n := s.Stats().Connections; n != 1 {
		t.Errorf("%d connections", n)
	}
}

// RFC 5922 section 7: who cannot prove to be the trunk is told nothing.
func TestTLS_TrunkIsSomebodyElse(t *testing.T) {
	other, otherRoots := certify(t, "evil.test")
	same, _ := certify(t, "localhost")
	for name, c := range map[string]struct {
		cert     *tls.Certificate
		believes *x509.CertPool
	}{
		"another name":         {other, otherRoots},
		"an unknown authority": {same, otherRoots},
	} {
		t.Run(name, func(t *testing.T) {
			secure, _ := overTLS(t, c.believes)
			carrier := newCarrier(t, c.cert)
			s := start(t, secure, withTrunk(func(t *Trunk) { t.Host, t.Transport = "localhost:"+carrier.port, "tls" }))
			_, o := s.outside(t, "+48601")
			if p := carrier.accept(); p != nil { // with TLS 1.3 the server may not know yet
				_ = p.nc.SetReadDeadline(time.Now().Add(patience))
				if n, err := p.nc.Read(make([]byte, 1)); n > 0 || err == nil {
					t.Error("something was sent")
				}
			}
			if end := o.wantEnd(ClassUnreachable, 0); !strings.Contains(end.Reason, "certificate") {
				t.Errorf("%+v", end)
			}
			s.idle(t)
		})
	}
}

// Without an address to listen on TLS nothing can be called by it.
func TestTLS_NoListener(t *testing.T) {
	s := start(t, withTrunk(func(t *Trunk) { t.Host, t.Transport = "192.0.2.1", "tls" }))
	if _, err := s.TrunkContact("carrier", "1"); err == nil {
		t.Error("a trunk over TLS is called")
	}
	for _, uri := range []string{"sips:a@192.0.2.1", "sip:a@192.0.2.1;transport=tls"} {
		if _, err := s.ContactURI(uri); err == nil {
			t.Errorf("%s is called", uri)
		}
	}
}

// Who connects and does not shake hands, or speaks plainly, is cut and counted,
// and holds up nobody.
func TestTLS_NoHandshake(t *testing.T) {
	secure, roots := overTLS(t, nil)
	s := start(t, strangers, secure, func(o *Options) { o.Streams = edge.StreamLimits{FirstByte: 2 * time.Second} })
	connect := func() *stream {
		nc, err := net.Dial("tcp", s.addr("tls").String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = nc.Close() })
		return secureStream(t, nc, s.addr("tls"))
	}
	silent, plain := connect(), connect()
	p := newSecure(t, s, roots)
	p.write(p.secure(request{method: "OPTIONS"}))
	if got := p.read(); !strings.HasPrefix(got, "SIP/2.0 200") {
		t.Error(got)
	}
	plain.write(plain.secure(request{method: "OPTIONS"}))
	plain.closed()
	silent.closed()
	eventually(t, "both are counted", func() bool { return s.Stats().Handshakes == 2 })
}
