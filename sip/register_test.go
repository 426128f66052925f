package sip

import (
	"bufio"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/icholy/digest"
)

// strangers makes loopback no trunk.
func strangers(o *Options) { o.Directory.Trunks = nil }

// credentials answers a challenge.
func credentials(t *testing.T, challenge, method, uri, user, password string) string {
	t.Helper()
	challenges := fields(challenge, "WWW-Authenticate")
	if len(challenges) == 0 {
		t.Fatalf("no challenge:\n%s", challenge)
	}
	chal, err := digest.ParseChallenge(challenges[0]) // the strongest
	if err != nil {
		t.Fatal(err)
	}
	cred, err := digest.Digest(chal, digest.Options{Method: method, URI: uri, Username: user, Password: password, Count: 1})
	if err != nil {
		t.Fatal(err)
	}
	return "Authorization: " + cred.String() + "\r\n"
}

// register registers the peer over UDP and returns the final answer.
func (p *peer) register(t *testing.T, user, password, aor, expires string) string {
	t.Helper()
	r := request{
		method: "REGISTER", uri: "sip:pbx.test", callID: "reg-" + user + p.addr(), to: "<sip:" + aor + "@pbx.test>",
		from: "<sip:" + aor + "@pbx.test>;tag=r", extra: "Expires: " + expires + "\r\n",
	}
	p.send(p.request(r))
	got := p.recv("SIP/2.0")
	if !strings.HasPrefix(got, "SIP/2.0 401") {
		return got
	}
	r.seq, r.extra = 2, r.extra+credentials(t, got, "REGISTER", r.uri, user, password)
	r.branch = "z9hG4bK" + user + aor + expires + "second"
	p.send(p.request(r))
	return p.recv("SIP/2.0")
}

func (s *side) wantReachable(t *testing.T, want string) {
	t.Helper()
	select {
	case got := <-s.reachable:
		if got != want {
			t.Fatalf("reachable: %s, want %s", got, want)
		}
	case <-time.After(patience):
		t.Fatalf("not told: %s", want)
	}
}

func TestRegister_ThenCallAndUnregister(t *testing.T) {
	s := start(t, strangers)
	p := newPeer(t, s.addr("udp"))
	got := p.register(t, "101", "secret", "anna", "600")
	if !strings.HasPrefix(got, "SIP/2.0 200") || !strings.Contains(field(got, "Contact"), "expires=") {
		t.Fatalf("answer\n%s", got)
	}
	s.wantReachable(t, "anna true")
	if r := s.Stack.Reachable(); len(r) != 1 || r[0] != "anna" {
		t.Errorf("reachable %v", r)
	}
	contacts := s.Contacts("anna")
	if len(contacts) != 1 || contacts[0].URI != "sip:caller@"+p.addr() || contacts[0].Local != loopback || contacts[0].User != "anna" {
		t.Fatalf("contacts %+v", contacts)
	}
	if s.Contacts("101") != nil || s.Contacts("nobody") != nil {
		t.Error("contacts of somebody else")
	}
	o := newOwner(t)
	o.do(func() { s.Dial(o, o, Dial{To: contacts[0], From: Party{User: "1"}, SDP: []byte(testSDP)}) })
	invite := p.recv("INVITE")
	if line, _, _ := strings.Cut(invite, "\r\n"); line != "INVITE sip:caller@"+p.addr()+" SIP/2.0" {
		t.Error(line)
	}
	if to := field(invite, "To"); to != "<sip:anna@pbx.test>" {
		t.Errorf("To: %s", to)
	}
	p.send(p.reply(invite, 486, "p1", "", ""))
	p.recv("ACK")
	o.wantEnd(ClassBusy, 486)
	if got := p.register(t, "anna", "secret", "anna", "0"); !strings.HasPrefix(got, "SIP/2.0 200") {
		t.Errorf("unregistering\n%s", got)
	}
	s.wantReachable(t, "anna false")
}

func TestRegister_Refused(t *testing.T) {
	s := start(t, strangers, func(o *Options) {
		o.Directory.Users = append(o.Directory.Users, User{Name: "bartek", Password: "other"}, User{Name: "door"})
	})
	p := newPeer(t, s.addr("udp"))
	for _, c := range []struct{ name, user, password, aor, want string }{
		{"wrong password", "anna", "guess", "anna", "SIP/2.0 401"},
		{"unknown user", "eve", "secret", "eve", "SIP/2.0 401"},
		{"somebody else's address", "bartek", "other", "anna", "SIP/2.0 403"},
		{"no such address", "bartek", "other", "nobody", "SIP/2.0 403"},
		{"user without a password", "door", "", "door", "SIP/2.0 401"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p.t = t
			if got := p.register(t, c.user, c.password, c.aor, "600"); !strings.HasPrefix(got, c.want) {
				t.Errorf("%s, want %s", strings.SplitN(got, "\r\n", 2)[0], c.want)
			}
		})
	}
	if r := s.Stack.Reachable(); len(r) != 0 {
		t.Errorf("reachable %v", r)
	}
}

func TestTrunks_LongestPrefixWins(t *testing.T) {
	s := start(t, func(o *Options) {
		o.Directory.Trunks = []Trunk{
			{ID: "wide", From: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}},
			{ID: "narrow", From: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("127.0.0.1/32")}},
		}
	})
	p := newPeer(t, s.addr("udp"))
	p.send(p.request(request{method: "INVITE", body: testSDP}))
	if l, _ := s.call(t); l.Trunk() != "narrow" {
		t.Errorf("trunk %q", l.Trunk())
	}
	s.SetDirectory(Directory{Trunks: []Trunk{{ID: "wide", From: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}}})
	p.send(p.request(request{method: "INVITE", callID: "two", body: testSDP}))
	if l, _ := s.call(t); l.Trunk() != "wide" {
		t.Errorf("trunk %q", l.Trunk())
	}
	s.SetDirectory(Directory{})
	p.send(p.request(request{method: "INVITE", callID: "three", body: testSDP}))
	for !strings.HasPrefix(p.recv("SIP/2.0"), "SIP/2.0 401") {
	}
}

// stream is a raw SIP peer on a TCP connection.
type stream struct {
	*peer
	nc net.Conn
	in *bufio.Reader
}

func newStream(t testing.TB, s *side) *stream {
	t.Helper()
	nc, err := net.Dial("tcp", s.addr("tcp").String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = nc.Close() })
	return &stream{peer: newPeer(t, s.addr("tcp")), nc: nc, in: bufio.NewReader(nc)}
}

func (p *stream) request(r request) string {
	return strings.Replace(p.peer.request(r), "SIP/2.0/UDP", "SIP/2.0/TCP", 1)
}

func (p *stream) write(s string) {
	p.t.Helper()
	if _, err := p.nc.Write([]byte(s)); err != nil {
		p.t.Fatal(err)
	}
}

// read returns the next message without a body.
func (p *stream) read() string {
	p.t.Helper()
	_ = p.nc.SetReadDeadline(time.Now().Add(patience))
	var b strings.Builder
	for !strings.HasSuffix(b.String(), "\r\n\r\n") {
		line, err := p.in.ReadString('\n')
		if err != nil {
			p.t.Fatalf("after %q: %v", b.String(), err)
		}
		b.WriteString(line)
	}
	body := make([]byte, atoi(field(b.String(), "Content-Length")))
	if _, err := readFull(p.in, body); err != nil {
		p.t.Fatal(err)
	}
	return b.String() + string(body)
}

// closed waits until the server has closed the connection.
func (p *stream) closed() {
	p.t.Helper()
	_ = p.nc.SetReadDeadline(time.Now().Add(patience))
	for {
		if _, err := p.in.ReadByte(); err != nil {
			if strings.Contains(err.Error(), "timeout") {
				p.t.Fatal("the connection stays open")
			}
			return
		}
	}
}

func TestRegister_OverTCPEndsWithTheConnection(t *testing.T) {
	s := start(t, strangers)
	p := newStream(t, s)
	r := request{method: "REGISTER", uri: "sip:pbx.test", callID: "r", to: "<sip:anna@pbx.test>", from: "<sip:anna@pbx.test>;tag=r", extra: "Expires: 600\r\n"}
	p.write(p.request(r))
	r.extra += credentials(t, p.read(), "REGISTER", r.uri, "anna", "secret")
	r.seq, r.branch = 2, "z9hG4bK2"
	p.write(p.request(r))
	if got := p.read(); !strings.HasPrefix(got, "SIP/2.0 200") {
		t.Fatal(got)
	}
	s.wantReachable(t, "anna true")
	contact := s.Contacts("anna")[0]
	o := newOwner(t)
	dial := func() { s.Dial(o, o, Dial{To: contact, From: Party{User: "1"}, SDP: []byte(testSDP)}) }
	o.do(dial)
	invite := p.read()
	if !strings.Contains(field(invite, "Via"), "SIP/2.0/TCP "+s.addr("tcp").String()) {
		t.Errorf("Via: %s", field(invite, "Via"))
	}
	p.write(p.reply(invite, 180, "p1", "", ""))
	o.want("progress")
	_ = p.nc.Close()
	o.wantEnd(ClassUnreachable, 0)
	s.wantReachable(t, "anna false")
	o.do(dial) // the port that the phone came from is not dialled
	if e := o.wantEnd(ClassUnreachable, 0); !strings.Contains(e.Reason, "gone") {
		t.Errorf("%+v", e)
	}
	s.idle(t)
}
