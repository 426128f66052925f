package sip

import (
	"crypto/md5"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/icholy/digest"
	"github.com/rs/zerolog"

	"centrala/sip/edge"
)

// socket is a browser's WebSocket, seen from the browser.
type socket struct {
	t    testing.TB
	in   chan []byte // from the browser
	out  chan []byte
	gone chan struct{}
	once sync.Once

	contact string // what it registers; empty: browserContact
}

func newSocket(t testing.TB) *socket {
	return &socket{t: t, in: make(chan []byte), out: make(chan []byte, 64), gone: make(chan struct{})}
}

func (w *socket) Read() ([]byte, error) {
	select {
	case b := <-w.in:
		return b, nil
	case <-w.gone:
		return nil, io.EOF
	}
}

func (w *socket) Write(b []byte, _ time.Duration) error {
	select {
	case w.out <- append([]byte(nil), b...):
		return nil
	case <-w.gone:
		return io.EOF
	}
}

func (w *socket) Close() error {
	w.once.Do(func() { close(w.gone) })
	return nil
}

func (w *socket) send(msg string) {
	w.t.Helper()
	select {
	case w.in <- []byte(msg):
	case <-w.gone:
		w.t.Fatal("the WebSocket is closed")
	case <-time.After(patience):
		w.t.Fatal("nobody reads the WebSocket")
	}
}

// recv returns the next message, which must begin with prefix.
func (w *socket) recv(prefix string) string {
	w.t.Helper()
	select {
	case b := <-w.out:
		if !strings.HasPrefix(string(b), prefix) {
			w.t.Fatalf("got %s\nwant %s", b, prefix)
		}
		return string(b)
	case <-time.After(patience):
		w.t.Fatalf("no %s within %v", prefix, patience)
	}
	return ""
}

func (w *socket) wantClosed() {
	w.t.Helper()
	select {
	case <-w.gone:
	case <-time.After(patience):
		w.t.Fatal("the WebSocket was not closed")
	}
}

var (
	webAddr     = netip.MustParseAddrPort("127.0.0.1:8443")
	browserAddr = netip.MustParseAddrPort("203.0.113.9:50000")
)

// webbed gives anna a name and a password in session s1.
func webbed(o *Options) {
	strangers(o)
	o.Browsers = func(session, name string) (string, string, bool) {
		if session != "s1" || name != "anna.x1" {
			return "", "", false
		}
		return "anna", fmt.Sprintf("%x", md5.Sum([]byte("anna.x1:pbx.test:random"))), true
	}
}

func (s *side) browser(t testing.TB, session string) *socket {
	t.Helper()
	w := newSocket(t)
	if err := s.Connect(w, Browser{Local: webAddr, Remote: browserAddr, Secure: true, Session: session}); err != nil {
		t.Fatal(err)
	}
	return w
}

var registrations atomic.Int32

const browserContact = `<sip:k3j@df7jal23ls0d.invalid;transport=ws;ob>;+sip.instance="<urn:uuid:0001>";reg-id=1`

// web writes a request as JsSIP does, without Content-Length where there is no body.
func web(method, uri, to string, seq int, extra, body string) string {
	msg := fmt.Sprintf("%s %s SIP/2.0\r\nVia: SIP/2.0/WSS df7jal23ls0d.invalid;branch=z9hG4bK%s%d\r\nMax-Forwards: 69\r\nTo: %s\r\n"+
		"From: <sip:anna@pbx.test>;tag=b1\r\nCall-ID: c-%s\r\nCSeq: %d %s\r\nContact: %s\r\n%s", method, uri, method, seq, to, method, seq, method, browserContact, extra)
	if body != "" {
		msg += fmt.Sprintf("Content-Type: application/sdp\r\nContent-Length: %d\r\n", len(body))
	}
	return msg + "\r\n" + body
}

// prove answers a challenge by MD5, as JsSIP can.
func prove(t testing.TB, challenge, method, uri, user, password string) string {
	t.Helper()
	list := fields(challenge, "WWW-Authenticate")
	if len(list) == 0 {
		t.Fatalf("no challenge:\n%s", challenge)
	}
	chal, err := digest.ParseChallenge(list[0]) // JsSIP looks at the first one only
	if err != nil || chal.Algorithm != "MD5" {
		t.Fatalf("challenge %v %v", list, err)
	}
	cred, err := digest.Digest(chal, digest.Options{Method: method, URI: uri, Username: user, Password: password, Count: 1})
	if err != nil {
		t.Fatal(err)
	}
	return "Authorization: " + cred.String() + "\r\n"
}

func (w *socket) register(user, password, expires string) string {
	w.t.Helper()
	const uri, to = "sip:pbx.test", "<sip:anna@pbx.test>"
	extra := "Supported: path, outbound\r\nExpires: " + expires + "\r\n"
	seq := int(registrations.Add(2))
	request := func(seq int, extra string) string {
		msg := web("REGISTER", uri, to, seq, extra, "")
		if w.contact != "" {
			msg = strings.Replace(msg, browserContact, w.contact, 1)
		}
		return msg
	}
	w.send(request(seq, extra))
	challenge := w.recv("SIP/2.0 401")
	w.send(request(seq+1, extra+prove(w.t, challenge, "REGISTER", uri, user, password)))
	var before []string // requests of a call that it has come back to
	for {
		msg := w.recv("")
		if strings.HasPrefix(msg, "SIP/2.0 ") {
			for _, m := range before {
				w.out <- []byte(m)
			}
			return msg
		}
		before = append(before, msg)
	}
}

// RFC 7118: a browser registers, is called by its WebSocket and calls by it; when it ends, all of
// that has ended.
func TestBrowser_RegistersCallsAndIsCalled(t *testing.T) {
	s := start(t, webbed)
	w := s.browser(t, "s1")
	ok := w.register("anna.x1", "random", "600")
	if !strings.HasPrefix(ok, "SIP/2.0 200") || field(ok, "Require") != "outbound" || !strings.Contains(field(ok, "Contact"), "df7jal23ls0d.invalid") {
		t.Fatalf("answer\n%s", ok)
	}
	s.wantReachable(t, "anna true")
	contacts := s.Contacts("anna")
	if len(contacts) != 1 || !contacts[0].Browser() || !contacts[0].Secure() || contacts[0].Remote != browserAddr.Addr() {
		t.Fatalf("contacts %+v", contacts)
	}

	o := newOwner(t)
	var l *Leg
	o.do(func() { l = s.Dial(o, o, Dial{To: contacts[0], From: Party{User: "1"}, SDP: []byte(testSDP)}) })
	invite := w.recv("INVITE sip:k3j@df7jal23ls0d.invalid;transport=ws;ob SIP/2.0")
	if !strings.HasPrefix(field(invite, "Via"), "SIP/2.0/WSS 127.0.0.1:8443") || !strings.Contains(field(invite, "Contact"), ";transport=ws>") {
		t.Errorf("INVITE\n%s", invite)
	}
	answer := "SIP/2.0 200 OK\r\nVia: " + field(invite, "Via") + "\r\nFrom: " + field(invite, "From") + "\r\nTo: " + field(invite, "To") + ";tag=p1\r\nCall-ID: " +
		field(invite, "Call-ID") + "\r\nCSeq: " + field(invite, "CSeq") + "\r\nContact: " + browserContact + "\r\nContent-Type: application/sdp\r\n\r\n" + testSDP
	w.send(answer) // which says nothing of its length
	if e := o.want("answered"); e.sdp != testSDP {
		t.Errorf("answer %q", e.sdp)
	}
	w.recv("ACK sip:k3j@")
	o.do(func() { l.Hangup("") })
	bye := w.recv("BYE sip:k3j@")
	w.send(strings.Replace(strings.Replace(answer, field(invite, "Via"), field(bye, "Via"), 1), field(invite, "CSeq"), field(bye, "CSeq"), 1))
	o.wantEnd(ClassHangup, 0)

	const uri = "sip:102@pbx.test"
	w.send(web("INVITE", uri, "<"+uri+">", 1, "", testSDP))
	challenge := w.recv("SIP/2.0 401")
	w.send("ACK " + uri + " SIP/2.0\r\nVia: SIP/2.0/WSS df7jal23ls0d.invalid;branch=z9hG4bKINVITE1\r\nTo: " + field(challenge, "To") +
		"\r\nFrom: <sip:anna@pbx.test>;tag=b1\r\nCall-ID: c-INVITE\r\nCSeq: 1 ACK\r\n\r\n")
	w.send(web("INVITE", uri, "<"+uri+">", 2, prove(t, challenge, "INVITE", uri, "anna.x1", "random"), testSDP))
	in, owner := s.call(t)
	if in.User() != "anna" || !in.Browser() || !in.Secure() || in.Trunk() != "" {
		t.Errorf("user %q browser %v", in.User(), in.Browser())
	}
	owner.do(func() { in.Ring(180, nil) })
	for got := ""; !strings.HasPrefix(got, "SIP/2.0 180"); got = w.recv("SIP/2.0 1") {
		continue
	}
	_ = w.Close()
	s.wantReachable(t, "anna false")
	owner.wantEnd(ClassFailed, 0)
	s.idle(t)
	if n := s.Stats().Connections; n != 0 {
		t.Errorf("%d connections left", n)
	}
}

// A guest, who is in no directory, calls once at a time, as nobody of ours; they do not register,
// and take no place in others' calls.
func TestBrowser_Guest(t *testing.T) {
	s := start(t, func(o *Options) {
		strangers(o)
		o.Browsers = func(session, name string) (string, string, bool) {
			return name, fmt.Sprintf("%x", md5.Sum([]byte(name+":pbx.test:random"))), session == "g1"
		}
		o.Grace = time.Millisecond
		o.Guest = func(user string) bool { return user == "guest-1" }
	})
	w := s.browser(t, "g1")
	if got := w.register("guest-1", "random", "600"); !strings.HasPrefix(got, "SIP/2.0 403") {
		t.Errorf("registers: %s", got)
	}
	const uri = "sip:102@pbx.test"
	seq := 10
	invite := func(user, extra string) {
		w.send(web("INVITE", uri, "<"+uri+">", seq, extra, testSDP))
		challenge := w.recv("SIP/2.0 401")
		w.send("ACK " + uri + fmt.Sprintf(" SIP/2.0\r\nVia: SIP/2.0/WSS df7jal23ls0d.invalid;branch=z9hG4bKINVITE%d\r\nTo: ", seq) + field(challenge, "To") +
			fmt.Sprintf("\r\nFrom: <sip:anna@pbx.test>;tag=b1\r\nCall-ID: c-INVITE\r\nCSeq: %d ACK\r\n\r\n", seq))
		w.send(web("INVITE", uri, "<"+uri+">", seq+1, extra+prove(t, challenge, "INVITE", uri, user, "random"), testSDP))
		seq += 2
	}
	invite("guest-1", "")
	in, owner := s.call(t)
	if in.User() != "" || in.Guest() != "guest-1" || !in.Browser() || in.Trunk() != "" {
		t.Errorf("user %q guest %q", in.User(), in.Guest())
	}
	owner.do(func() { in.Ring(180, nil) })
	w.recv("SIP/2.0 180")
	invite("guest-1", "")
	w.recv("SIP/2.0 486")
	invite("guest-2", "") // whom nobody knows
	w.recv("SIP/2.0 401")
	owner.do(func() { _ = in.Answer([]byte(testSDP)) })
	ok := w.recv("SIP/2.0 200")
	w.send("ACK " + uri + " SIP/2.0\r\nVia: SIP/2.0/WSS df7jal23ls0d.invalid;branch=z9hG4bKack\r\nTo: " + field(ok, "To") +
		"\r\nFrom: <sip:anna@pbx.test>;tag=b1\r\nCall-ID: c-INVITE\r\nCSeq: 11 ACK\r\n\r\n")
	invite("guest-1", "Replaces: c-INVITE;to-tag="+in.ID()+";from-tag=b1\r\n")
	w.recv("SIP/2.0 403")
	_ = w.Close()
	s.idle(t)
}

// What proves a browser is worth nothing in another session and elsewhere than on a WebSocket;
// the password of desk phones is worth nothing there.
func TestBrowser_Refused(t *testing.T) {
	s := start(t, webbed)
	for _, c := range []struct{ name, session, user, password string }{
		{"another session's", "s2", "anna.x1", "random"},
		{"no session's", "", "anna.x1", "random"},
		{"a wrong one", "s1", "anna.x1", "guess"},
		{"the password of desk phones", "s1", "anna", "secret"},
	} {
		w := s.browser(t, c.session)
		if got := w.register(c.user, c.password, "600"); !strings.HasPrefix(got, "SIP/2.0 401") {
			t.Errorf("%s: %s", c.name, got)
		}
		_ = w.Close()
	}
	p := newPeer(t, s.addr("udp"))
	if got := p.register(t, "anna.x1", "random", "anna", "600"); !strings.HasPrefix(got, "SIP/2.0 401") {
		t.Errorf("by UDP: %s", got)
	}
	// An address where a carrier is makes no carrier of a browser.
	s.SetDirectory(Directory{Realm: "pbx.test", Trunks: []Trunk{{ID: "carrier", From: []netip.Prefix{netip.PrefixFrom(browserAddr.Addr(), 32)}}}})
	w := s.browser(t, "s1")
	w.send(web("INVITE", "sip:102@pbx.test", "<sip:102@pbx.test>", 1, "", testSDP))
	w.recv("SIP/2.0 401")
}

// One message of the WebSocket is one of SIP (RFC 7118 section 5).
func TestBrowser_Messages(t *testing.T) {
	s := start(t, webbed)
	const head = "OPTIONS sip:pbx.test SIP/2.0\r\nVia: SIP/2.0/WS x.invalid;branch=z9hG4bK%d\r\nMax-Forwards: 70\r\nTo: <sip:pbx.test>\r\nFrom: <sip:a@x>;tag=1\r\nCall-ID: c%d\r\nCSeq: 1 OPTIONS\r\n%s\r\n%s"
	w := s.browser(t, "s1")
	w.send("\r\n\r\n") // RFC 5626 section 3.5.1
	if got := w.recv(""); got != "\r\n" {
		t.Errorf("the ping was answered %q", got)
	}
	for i, c := range []struct{ length, body string }{
		{"", ""},
		{"", "no length says how long this is"},
		{"Content-Length: 0\r\n", "OPTIONS sip:smuggled SIP/2.0\r\n\r\n"},
		{"l: 2\r\n", "ab"},
		{"Content-Length: 3\r\n", "abcdef"},
	} {
		w.send(fmt.Sprintf(head, i, i, c.length, c.body))
		if got := w.recv("SIP/2.0 200"); field(got, "Call-ID") != fmt.Sprintf("c%d", i) {
			t.Errorf("%q: %s", c.length, got)
		}
	}
	for i, bad := range []string{
		fmt.Sprintf(head, 10, 10, "Content-Length: 4\r\n", "abc"),
		fmt.Sprintf(head, 11, 11, "Content-Length: x\r\n", ""),
		fmt.Sprintf(head, 12, 12, "Content-Length: 1\r\nl: 2\r\n", "ab"),
		fmt.Sprintf(head, 13, 13, "", strings.Repeat("x", 65536)),
		"\x16\x03\x01 is TLS", "no SIP at all", "GET / HTTP/1.1\r\n", "\x00\x00\x00\x00",
	} {
		w := s.browser(t, "s1")
		w.send(bad)
		w.wantClosed()
		if got := len(w.out); got != 1 == (i < 4) {
			t.Errorf("%.40q: %d answers", bad, got)
		}
	}
}

// Who connects and does not register is cut off, and nobody has more connections than allowed.
func TestBrowser_Limits(t *testing.T) {
	s := start(t, webbed, func(o *Options) {
		o.Streams = edge.StreamLimits{PerSource: 2, FirstByte: 2 * time.Second, Idle: 2 * time.Second}
	})
	kept := s.browser(t, "s1")
	if ok := kept.register("anna.x1", "random", "600"); !strings.HasPrefix(ok, "SIP/2.0 200") {
		t.Fatal(ok)
	}
	silent := s.browser(t, "s1")
	if err := s.Connect(newSocket(t), Browser{Local: webAddr, Remote: browserAddr, Session: "s1"}); err == nil {
		t.Error("a third connection of one address was taken")
	}
	silent.wantClosed()
	select {
	case <-kept.gone:
		t.Error("the registered one was cut off, too")
	default:
	}
}

// talking has the browser called and answer, with these lines in its answer.
func (s *side) talking(t testing.TB, w *socket, lines string) (*Leg, *owner, string) {
	t.Helper()
	o := newOwner(t)
	var l *Leg
	o.do(func() {
		l = s.Dial(o, o, Dial{To: s.Contacts("anna")[0], From: Party{User: "1"}, SDP: []byte(testSDP)})
	})
	invite := w.recv("INVITE ")
	w.send("SIP/2.0 200 OK\r\nVia: " + field(invite, "Via") + "\r\nFrom: " + field(invite, "From") + "\r\nTo: " + field(invite, "To") + ";tag=p1\r\nCall-ID: " +
		field(invite, "Call-ID") + "\r\nCSeq: " + field(invite, "CSeq") + "\r\nContact: " + browserContact + "\r\n" + lines + "Content-Type: application/sdp\r\n\r\n" + testSDP)
	o.want("answered")
	w.recv("ACK ")
	return l, o, field(invite, "Call-ID")
}

// A browser whose WebSocket breaks goes on with its call by the next one.
func TestBrowser_ComesBackToItsCall(t *testing.T) {
	s := start(t, webbed)
	w := s.browser(t, "s1")
	w.register("anna.x1", "random", "600")
	l, o, callID := s.talking(t, w, "")
	for range 2 { // it may happen again
		_ = w.Close()
		eventually(t, "the connection is gone", func() bool { return s.Stats().Connections == 0 })
		w = s.browser(t, "s1")
		if ok := w.register("anna.x1", "random", "600"); !strings.HasPrefix(ok, "SIP/2.0 200") {
			t.Fatal(ok)
		}
	}
	o.do(func() { l.Hangup("") })
	if bye := w.recv("BYE sip:k3j@"); field(bye, "Call-ID") != callID {
		t.Errorf("BYE of another call\n%s", bye)
	}
	o.wantEnd(ClassHangup, 0)
}

// The call of a browser that does not come back ends after the grace time, as one whose peer is lost; also
// where another browser of the user's registers meanwhile.
func TestBrowser_DoesNotComeBack(t *testing.T) {
	s := start(t, webbed, func(o *Options) { o.Grace = 150 * time.Millisecond })
	w := s.browser(t, "s1")
	w.register("anna.x1", "random", "600")
	_, o, _ := s.talking(t, w, "")
	began := time.Now()
	_ = w.Close()
	other := s.browser(t, "s1")
	other.contact = strings.Replace(browserContact, "k3j", "other", 1)
	other.register("anna.x1", "random", "600")
	o.wantEnd(ClassTimeout, 0)
	if d := time.Since(began); d < 150*time.Millisecond {
		t.Errorf("after %v", d)
	}
	s.idle(t)
}

// heard is a log that tells when a text is in it.
type heard struct {
	text string
	once sync.Once
	ok   chan struct{}
}

func (h *heard) Write(b []byte) (int, error) {
	if strings.Contains(string(b), h.text) {
		h.once.Do(func() { close(h.ok) })
	}
	return len(b), nil
}

// The session of a browser that knows of session timers is not over because it cannot be refreshed while its
// WebSocket is gone: it is refreshed once the browser is back.
func TestBrowser_RefreshedOnceItIsBack(t *testing.T) {
	tried := &heard{text: "session not refreshed while its browser is away", ok: make(chan struct{})}
	s := start(t, webbed, fast, func(o *Options) { o.Log = zerolog.New(tried) })
	w := s.browser(t, "s1")
	w.register("anna.x1", "random", "600")
	const lines = "Require: timer\r\nAllow: UPDATE\r\nSession-Expires: 90;refresher=uac\r\n"
	_, o, callID := s.talking(t, w, lines)
	_ = w.Close()
	select {
	case <-tried.ok:
	case <-time.After(patience):
		t.Fatal("no refresh was tried, or the call has ended of it")
	}
	w = s.browser(t, "s1")
	w.register("anna.x1", "random", "600")
	update := w.recv("UPDATE sip:k3j@")
	if field(update, "Call-ID") != callID {
		t.Errorf("UPDATE of another call\n%s", update)
	}
	w.send("SIP/2.0 481 Gone\r\nVia: " + field(update, "Via") + "\r\nFrom: " + field(update, "From") + "\r\nTo: " + field(update, "To") + "\r\nCall-ID: " + callID +
		"\r\nCSeq: " + field(update, "CSeq") + "\r\n\r\n") // whoever answers so has no such call
	o.wantEnd(ClassTimeout, 0)
}
