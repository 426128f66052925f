package sip

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/rs/zerolog"
)

const (
	patience = 30 * time.Second // for what must come, on a machine that does other things as well
	testSDP  = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\n"
)

// event is something that an owner was told.
type event struct {
	what  string // "progress", "answered", "offer", "ended"
	leg   *Leg
	code  int
	sdp   string
	end   Termination
	refer *Refer
}

// owner is a mailbox and the events of its legs.
type owner struct {
	t      testing.TB
	events chan event
	offer  func(l *Leg, sdp []byte) ([]byte, error)
	refer  func(r *Refer) int

	mu     sync.Mutex
	queue  []func()
	busy   bool
	gone   bool
	silent bool // events are not kept
}

func newOwner(t testing.TB) *owner {
	return &owner{t: t, events: make(chan event, 64)}
}

func (o *owner) Post(f func()) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.gone {
		return false
	}
	o.queue = append(o.queue, f)
	if !o.busy {
		o.busy = true
		go o.drain()
	}
	return true
}

func (o *owner) drain() {
	for {
		o.mu.Lock()
		if len(o.queue) == 0 {
			o.busy = false
			o.mu.Unlock()
			return
		}
		f := o.queue[0]
		o.queue = o.queue[1:]
		o.mu.Unlock()
		f()
	}
}

// do runs f in the mailbox and waits for it.
func (o *owner) do(f func()) {
	o.t.Helper()
	done := make(chan struct{})
	if !o.Post(func() { f(); close(done) }) {
		o.t.Fatal("mailbox closed")
	}
	<-done
}

func (o *owner) leave() {
	o.mu.Lock()
	o.gone, o.queue = true, nil
	o.mu.Unlock()
}

func (o *owner) tell(e event) {
	if !o.silent {
		o.events <- e
	}
}

func (o *owner) LegProgress(l *Leg, code int, sdp []byte) {
	o.tell(event{what: "progress", leg: l, code: code, sdp: string(sdp)})
}

func (o *owner) LegAnswered(l *Leg, sdp []byte) {
	o.tell(event{what: "answered", leg: l, sdp: string(sdp)})
}

func (o *owner) LegOffer(l *Leg, sdp []byte) ([]byte, error) {
	o.tell(event{what: "offer", leg: l, sdp: string(sdp)})
	if o.offer != nil {
		return o.offer(l, sdp)
	}
	return []byte(testSDP), nil
}

func (o *owner) LegKey(l *Leg, key byte) { o.tell(event{what: "key", leg: l, code: int(key)}) }

func (o *owner) LegRefer(l *Leg, r *Refer) int {
	status := ReferAccepted
	if o.refer != nil {
		status = o.refer(r)
	}
	o.tell(event{what: "refer", leg: l, refer: r, code: status})
	return status
}

func (o *owner) LegEnded(l *Leg, t Termination) { o.tell(event{what: "ended", leg: l, end: t}) }

// want waits for the next event, which must be of that kind.
func (o *owner) want(what string) event {
	o.t.Helper()
	select {
	case e := <-o.events:
		if e.what != what {
			o.t.Fatalf("got %+v, want %s", e, what)
		}
		return e
	case <-time.After(patience):
		o.t.Fatalf("no %s within %v", what, patience)
		return event{}
	}
}

// wantEnd waits for the end, passing over progress.
func (o *owner) wantEnd(class Class, code int) Termination {
	o.t.Helper()
	for {
		select {
		case e := <-o.events:
			if e.what == "progress" || e.what == "answered" {
				continue
			}
			if e.what != "ended" || e.end.Class != class || code != 0 && e.end.Code != code {
				o.t.Fatalf("got %+v, want the end %s %d", e, class, code)
			}
			return e.end
		case <-time.After(patience):
			o.t.Fatalf("no end within %v", patience)
		}
	}
}

// side is a stack under test with what its handler got.
type side struct {
	*Stack
	calls     chan *Leg
	reachable chan string
	onInvite  func(l *Leg)
}

func (s *side) Invite(l *Leg) {
	if s.onInvite != nil {
		s.onInvite(l)
		return
	}
	s.calls <- l
}

func (s *side) Reachable(user string, yes bool) { s.reachable <- fmt.Sprintf("%s %v", user, yes) }

var loopback = netip.MustParseAddr("127.0.0.1")

func testLog() zerolog.Logger {
	if os.Getenv("SIP_TEST_LOG") == "" {
		return zerolog.Nop()
	}
	return zerolog.New(zerolog.ConsoleWriter{Out: os.Stderr, TimeFormat: "05.000"}).With().Timestamp().Logger()
}

// start starts a stack that takes calls from loopback as from a trunk.
func start(t testing.TB, change ...func(o *Options)) *side {
	t.Helper()
	s := &side{calls: make(chan *Leg, 16), reachable: make(chan string, 16)}
	o := Options{
		Listen:    []Listen{{"udp", netip.AddrPortFrom(loopback, 0)}, {"tcp", netip.AddrPortFrom(loopback, 0)}},
		Domain:    "pbx.test",
		UserAgent: "Centrala/test",
		Directory: Directory{
			Users:  []User{{Name: "anna", Aliases: []string{"101"}, Password: "secret"}},
			Trunks: []Trunk{{ID: "carrier", From: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}}},
		},
		Handler: s,
		Log:     testLog(),
		T1:      2 * time.Second, // nothing is sent again because a busy machine held the test up
		T2:      4 * time.Second,
	}
	for _, f := range change {
		f(&o)
	}
	var err error
	if s.Stack, err = New(o); err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() {
		// Most peers do not answer the last BYE; tests that care close by themselves.
		ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
		defer cancel()
		_ = s.Close(ctx)
	})
	return s
}

// brisk has messages sent again after 40 ms, and given up after 2.6 s.
func brisk(o *Options) { o.T1, o.T2 = 40*time.Millisecond, 160*time.Millisecond }

func (s *side) addr(network string) netip.AddrPort {
	for _, l := range s.Addrs() {
		if l.Network == network {
			return l.Addr
		}
	}
	return netip.AddrPort{}
}

// call takes the next incoming call on.
func (s *side) call(t testing.TB) (*Leg, *owner) {
	t.Helper()
	select {
	case l := <-s.calls:
		o := newOwner(t)
		l.Bind(o, o)
		return l, o
	case <-time.After(patience):
		t.Fatal("no call came")
		return nil, nil
	}
}

// dial calls uri.
func (s *side) dial(t testing.TB, uri string) (*Leg, *owner) {
	t.Helper()
	c, err := s.ContactURI(uri)
	if err != nil {
		t.Fatal(err)
	}
	o := newOwner(t)
	var l *Leg
	o.do(func() {
		l = s.Dial(o, o, Dial{To: c, From: Party{User: "600", Name: `Sales "1"`}, SDP: []byte(testSDP)})
	})
	return l, o
}

// idle waits until no leg and no transaction without an answer is left.
func (s *side) idle(t testing.TB) {
	t.Helper()
	eventually(t, "legs and transactions to end", func() bool {
		st := s.Stats()
		return st.Legs == 0 && st.Transactions == 0
	})
}

// eventually polls for a state that no event announces.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("still waiting for %s", what)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// peer is a raw SIP peer on a UDP socket. Any goroutine may send.
type peer struct {
	t     testing.TB
	conn  *net.UDPConn
	to    atomic.Pointer[netip.AddrPort] // where the last message came from
	asked int                            // by SUBSCRIBE
}

func newPeer(t testing.TB, to netip.AddrPort) *peer {
	t.Helper()
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(loopback, 0)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	p := &peer{t: t, conn: conn}
	p.aim(to)
	return p
}

// target is where the next message goes; aim changes it.
func (p *peer) target() netip.AddrPort { return *p.to.Load() }
func (p *peer) aim(to netip.AddrPort)  { p.to.Store(&to) }

func (p *peer) addr() string { return p.conn.LocalAddr().String() }

func (p *peer) send(msg string) {
	p.t.Helper()
	if _, err := p.conn.WriteToUDPAddrPort([]byte(msg), p.target()); err != nil {
		p.t.Fatal(err)
	}
}

// recv returns the next message that begins with one of the prefixes, passing
// over others; without prefixes any.
func (p *peer) recv(prefixes ...string) string {
	p.t.Helper()
	msg, ok := p.within(patience, prefixes...)
	if !ok {
		p.t.Fatalf("no %v within %v", prefixes, patience)
	}
	return msg
}

// forget passes over what has come so far.
func (p *peer) forget() {
	p.t.Helper()
	raw, err := p.conn.SyscallConn()
	if err != nil {
		p.t.Fatal(err)
	}
	_ = p.conn.SetReadDeadline(time.Time{})
	if err := raw.Read(func(fd uintptr) bool {
		for {
			if _, _, err := syscall.Recvfrom(int(fd), make([]byte, 1), syscall.MSG_DONTWAIT); err != nil {
				return true
			}
		}
	}); err != nil {
		p.t.Fatal(err)
	}
}

// within gives the next message that begins with one of these, or any. A 100 is passed over: whether there is one
// depends on how soon the next answer follows (RFC 3261 section 17.2.1).
func (p *peer) within(d time.Duration, prefixes ...string) (string, bool) {
	p.t.Helper()
	_ = p.conn.SetReadDeadline(time.Now().Add(d))
	buf := make([]byte, 65536)
	for {
		n, from, err := p.conn.ReadFromUDPAddrPort(buf)
		if err != nil {
			return "", false
		}
		p.aim(from)
		msg := string(buf[:n])
		if strings.HasPrefix(msg, "SIP/2.0 100") {
			continue
		}
		if len(prefixes) == 0 {
			return msg, true
		}
		for _, x := range prefixes {
			if strings.HasPrefix(msg, x) {
				return msg, true
			}
		}
	}
}

// field is the value of the first header of that name.
func field(msg, name string) string {
	for line := range strings.SplitSeq(msg, "\r\n") {
		if n, v, ok := strings.Cut(line, ":"); ok && strings.EqualFold(strings.TrimSpace(n), name) {
			return strings.TrimSpace(v)
		}
	}
	return ""
}

func fields(msg, name string) (list []string) {
	for line := range strings.SplitSeq(msg, "\r\n") {
		if n, v, ok := strings.Cut(line, ":"); ok && strings.EqualFold(strings.TrimSpace(n), name) {
			list = append(list, strings.TrimSpace(v))
		}
	}
	return list
}

// request writes a request of this peer. To, From, Call-ID and CSeq are given
// where they matter; extra lines end in CRLF.
type request struct {
	method, branch, callID, to, from string
	uri                              string
	seq                              int
	extra, body                      string
}

func (p *peer) request(r request) string {
	set := func(v *string, d string) {
		if *v == "" {
			*v = d
		}
	}
	if r.seq == 0 {
		r.seq = 1
	}
	set(&r.branch, "z9hG4bK"+r.method+r.callID+fmt.Sprint(r.seq))
	set(&r.callID, "call-1")
	set(&r.to, "<sip:100@pbx.test>")
	set(&r.from, "<sip:caller@carrier.test>;tag=c1")
	set(&r.uri, "sip:100@"+p.target().String())
	cseq := r.method
	msg := fmt.Sprintf("%s %s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=%s;rport\r\nMax-Forwards: 70\r\nTo: %s\r\nFrom: %s\r\nCall-ID: %s\r\nCSeq: %d %s\r\nContact: <sip:caller@%s>\r\n%s",
		r.method, r.uri, p.addr(), r.branch, r.to, r.from, r.callID, r.seq, cseq, p.addr(), r.extra)
	if r.body != "" {
		msg += "Content-Type: application/sdp\r\n"
	}
	return msg + fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(r.body), r.body)
}

// reply writes a response of this peer to a request it got.
func (p *peer) reply(req string, code int, tag, extra, body string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "SIP/2.0 %d Text\r\n", code)
	for _, v := range fields(req, "Via") {
		fmt.Fprintf(&b, "Via: %s\r\n", v)
	}
	to := field(req, "To")
	if tag != "" && !strings.Contains(to, ";tag=") {
		to += ";tag=" + tag
	}
	fmt.Fprintf(&b, "From: %s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %s\r\n", field(req, "From"), to, field(req, "Call-ID"), field(req, "CSeq"))
	if code > 100 && code < 300 {
		fmt.Fprintf(&b, "Contact: <sip:phone@%s>\r\n", p.addr())
	}
	if body != "" {
		b.WriteString("Content-Type: application/sdp\r\n")
	}
	fmt.Fprintf(&b, "%sContent-Length: %d\r\n\r\n%s", extra, len(body), body)
	return b.String()
}

func sprintf(format string, a ...any) string { return fmt.Sprintf(format, a...) }
