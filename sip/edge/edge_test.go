package edge

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"centrala/sip/header"

	"github.com/emiago/sipgo/sip"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var loopback = netip.MustParseAddrPort("127.0.0.1:0")

const options = "OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP c;branch=z9hG4bK1\r\nContent-Length: 0\r\n\r\n"

func TestFlowID_RoundTrip(t *testing.T) {
	for _, f := range []Flow{
		UDPFlow(netip.MustParseAddrPort("192.0.2.1:5060"), netip.MustParseAddrPort("198.51.100.7:1024")),
		UDPFlow(netip.MustParseAddrPort("[2001:db8::1]:5060"), netip.MustParseAddrPort("[2001:db8::2]:5060")),
		{ID: "tcp/192.0.2.1:5060/192.0.2.2:40000/z", Network: "tcp", Local: netip.MustParseAddrPort("192.0.2.1:5060"), Remote: netip.MustParseAddrPort("192.0.2.2:40000")},
		{ID: "tls/192.0.2.1:5061/192.0.2.2:40000/z", Network: "tls", Local: netip.MustParseAddrPort("192.0.2.1:5061"), Remote: netip.MustParseAddrPort("192.0.2.2:40000")},
	} {
		if got, ok := ParseFlowID(f.ID); !ok || got != f {
			t.Errorf("%s: %+v", f.ID, got)
		}
	}
	for _, id := range []FlowID{"", "udp", "udp/a/b", "udp/1.2.3.4:5/1.2.3.4:6/7", "tcp/1.2.3.4:5/1.2.3.4:6", "ws/1.2.3.4:5/1.2.3.4:6"} {
		if f, ok := ParseFlowID(id); ok {
			t.Errorf("%s: %+v", id, f)
		}
	}
}

func TestLimiter(t *testing.T) {
	now := time.Unix(1e9, 0)
	carrier := netip.MustParseAddr("198.51.100.1")
	l := NewLimiter(Rate{10, 5}, Rate{100, 50}, func(a netip.Addr) bool { return a == carrier })
	l.now = func() time.Time { return now }
	pass := func(a netip.Addr, n int) (passed int) {
		for range n {
			if l.Allow(a) {
				passed++
			}
		}
		return passed
	}
	a := netip.MustParseAddr("192.0.2.1")
	if n := pass(a, 100); n != 5 {
		t.Errorf("%d passed at once, want the burst of 5", n)
	}
	now = now.Add(time.Second)
	if n := pass(a, 100); n != 5 {
		t.Errorf("%d passed after a second, want 5", n)
	}
	if n := pass(carrier, 1000); n != 1000 {
		t.Errorf("%d of the carrier's passed", n)
	}
	l.Trust(a)
	if n := pass(a, 1000); n != 1000 {
		t.Errorf("%d of a trusted source passed", n)
	}
	now = now.Add(trustFor)
	if n := pass(a, 1000); n != 5 {
		t.Errorf("%d passed after trust ended", n)
	}
	if n := pass(netip.MustParseAddr("2001:db8::1"), 5) + pass(netip.MustParseAddr("2001:db8::2"), 5); n != 5 {
		t.Errorf("%d of one /64 passed", n)
	}
}

func TestLimiter_MemoryIsBoundedAndFloodsOfNewSourcesAreSlow(t *testing.T) {
	now := time.Unix(1e9, 0)
	l := NewLimiter(Rate{10, 5}, Rate{1000, 100}, nil)
	l.now = func() time.Time { return now }
	passed := 0
	for i := range 200000 {
		if i%1000 == 0 {
			now = now.Add(100 * time.Millisecond)
		}
		if l.Allow(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})) {
			passed++
		}
	}
	if passed > 20200 { // 20 s
		t.Errorf("%d new sources passed in 20 s", passed)
	}
	if n := len(l.young) + len(l.old); n > 2*limiterSize {
		t.Errorf("%d sources remembered", n)
	}
}

func TestLooksLikeSIP(t *testing.T) {
	for text, want := range map[string]bool{
		options: true, "SIP/2.0 200 OK\r\nVia: x\r\n\r\n": true, "NEW-METHOD sip:a SIP/7.0\r\n\r\n": true,
		"": false, "\r\n\r\n": false, "\x00\x01\x00\x00\x21\x12\xa4\x42aaaaaaaaaaaa": false, "GET / HTTP/1.1\r\nHost: x\r\n": false,
		"hello world, this is text": false, "\x80\x08aaaaaaaaaaaaaaaaaaaaaa": false,
	} {
		if got := looksLikeSIP([]byte(text)); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func TestFramer_AnySplitGivesTheSameMessages(t *testing.T) {
	var want []string
	var all bytes.Buffer
	for i := range 30 {
		body := strings.Repeat("b", i*37%200)
		name := []string{"Content-Length", "l", "CONTENT-LENGTH ", "content-length"}[i%4]
		msg := fmt.Sprintf("OPTIONS sip:%d@b SIP/2.0\r\n%s: %d\r\nX: y\r\n\r\n%s", i, name, len(body), body)
		want = append(want, msg)
		all.WriteString(msg)
		all.WriteString(strings.Repeat("\r\n", i%3))
	}
	for seed := range uint64(200) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		f := framer{max: 65535}
		rest := all.Bytes()
		var got []string
		for len(rest) > 0 {
			n := copy(f.space(), rest[:min(len(rest), 1+rnd.IntN(300))])
			rest = rest[n:]
			f.added(n)
			for {
				msg, err := f.next()
				if err != nil {
					t.Fatalf("seed %d: %v", seed, err)
				}
				if msg == nil {
					break
				}
				got = append(got, string(msg))
			}
		}
		if len(got) != len(want) {
			t.Fatalf("seed %d: %d messages of %d", seed, len(got), len(want))
		}
		for i := range want {
			if got[i] != want[i] {
				t.Fatalf("seed %d: message %d is %q", seed, i, got[i])
			}
		}
	}
}

func FuzzFramer(f *testing.F) {
	f.Add([]byte(options+options), uint8(7))
	f.Add([]byte("\r\n\r\nA b SIP/2.0\r\nl:3\r\n\r\nxyz"), uint8(1))
	f.Fuzz(func(t *testing.T, data []byte, step uint8) {
		fr := framer{max: 1000}
		total := 0
		for len(data) > 0 {
			n := copy(fr.space(), data[:min(len(data), 1+int(step))])
			data = data[n:]
			fr.added(n)
			for {
				msg, err := fr.next()
				if err != nil {
					_ = badFrame(fr.message(), err)
					return
				}
				if msg == nil {
					break
				}
				if len(msg) == 0 || len(msg) > 1000 {
					t.Fatalf("message of %d bytes", len(msg))
				}
				total += len(msg)
			}
			if len(fr.buf)-fr.off > 2000+frameChunk {
				t.Fatalf("%d bytes held", len(fr.buf)-fr.off)
			}
		}
	})
}

// Messages that were cut out of a stream and passed the screen can be read by the library, each as one and in pieces: it would
// close the connection otherwise, and end what is going on there.
func FuzzStream(f *testing.F) {
	f.Add([]byte(options+options), uint8(7))
	f.Add([]byte("A b: SIP/2.0\r\nl:3\r\n\r\nxyz"), uint8(1))
	f.Add([]byte("SIP/2.0 100 \r\nl :00\r\n \r\n\r\n"), uint8(1))                          // a piece ends before the folded line
	f.Add([]byte("OPTIONS sip:a@b SIP/2.0\r\nContent-Length: 0\r\n 0\r\n\r\n"), uint8(99)) // a folded length
	f.Add([]byte("OPTIONS sip:a@b SIP/2.0\r\nContent-Length:\r\n 1\r\n\r\nx"), uint8(99))
	f.Add([]byte("SIP/2.0 200 \r\nl : 1\r\nFrom: <sip:a\r\n b>\r\n\r\n\r"), uint8(3))
	f.Add([]byte("OPTIONS sip:a@b SIP/2.0\r\nContent-Length: 0\r\nCONTENT-LENGTH: 0\r\nVia: x\r\n\r\n"), uint8(3))
	f.Fuzz(func(t *testing.T, data []byte, step uint8) {
		fr := framer{max: 1000}
		stream := header.NewParser().NewSIPStream()
		defer stream.Close()
		fr.added(copy(fr.space(), data))
		for {
			msg, err := fr.next()
			if err != nil || msg == nil {
				return
			}
			if header.Screen(msg) != nil {
				continue
			}
			read := 0
			for rest := msg; len(rest) > 0; {
				n := piece(rest, 2+int(step))
				if err := stream.ParseSIPStream(rest[:n], func(sip.Message) { read++ }); err != nil && !errors.Is(err, sip.ErrParseSipPartial) {
					t.Fatalf("passed the screen, not the parser: %v\n%q", err, msg)
				}
				rest = rest[n:]
			}
			if read != 1 {
				t.Fatalf("read as %d messages: %q", read, msg)
			}
		}
	})
}

func FuzzReply(f *testing.F) {
	f.Add([]byte(options))
	f.Add([]byte("INVITE  x SIP/2.0\r\nv: a\r\n b\r\nTo:\r\n\r\n"))
	f.Fuzz(func(t *testing.T, msg []byte) {
		res := Reply(msg, 400, "Bad Request", "tag")
		if res == nil {
			return
		}
		head, rest, ok := bytes.Cut(res, []byte("\r\n\r\n"))
		if !ok || len(rest) != 0 || !bytes.HasPrefix(head, []byte("SIP/2.0 400 Bad Request\r\n")) {
			t.Fatalf("reply %q", res)
		}
		for line := range bytes.SplitSeq(head, []byte("\r\n")) {
			if bytes.ContainsAny(line, "\r\n\x00") {
				t.Fatalf("line %q", line)
			}
		}
	})
}

// serveLoop reads like the library does.
func serveLoop(got chan<- string) func(net.PacketConn) error {
	return func(c net.PacketConn) error {
		buf := make([]byte, 65536)
		for {
			n, from, err := c.ReadFrom(buf)
			if err != nil {
				return err
			}
			if strings.Contains(string(buf[:n]), "panic") {
				panic("parser")
			}
			got <- from.String() + " " + string(buf[:n])
		}
	}
}

func TestUDP_SurvivesPanicsAndFilters(t *testing.T) {
	var count Counters
	u, err := ListenUDP(loopback, nil, func(msg []byte) ([]byte, []byte) {
		if bytes.Contains(msg, []byte("refuse")) {
			return nil, []byte("no")
		}
		return msg, nil
	}, &count)
	if err != nil {
		t.Fatal(err)
	}
	got, done := make(chan string, 10), make(chan struct{})
	go func() { u.Serve(serveLoop(got)); close(done) }()
	c, err := net.Dial("udp", u.Local().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	for _, msg := range []string{"\r\n\r\n", "not sip at all, not at all", "REFUSE sip:refuse SIP/2.0\r\n\r\n", "X sip:panic SIP/2.0\r\n\r\n", options} {
		if _, err := c.Write([]byte(msg)); err != nil {
			t.Fatal(err)
		}
	}
	if msg := <-got; msg != c.LocalAddr().String()+" "+options {
		t.Errorf("got %q", msg)
	}
	answer := make([]byte, 10)
	if n, err := c.Read(answer); err != nil || string(answer[:n]) != "no" {
		t.Errorf("answer %q %v", answer[:n], err)
	}
	if count.NotSIP.Load() != 2 || count.Malformed.Load() != 1 {
		t.Errorf("not SIP %d, malformed %d", count.NotSIP.Load(), count.Malformed.Load())
	}
	_ = u.Close()
	<-done
}

func TestUDP_ReaderIsReplacedWithoutAGap(t *testing.T) {
	var count Counters
	u, err := ListenUDP(loopback, nil, nil, &count)
	if err != nil {
		t.Fatal(err)
	}
	var readers, reading atomic.Int32
	second, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		u.Serve(func(c net.PacketConn) error {
			r := c.(*Reader)
			n := readers.Add(1)
			reading.Add(1)
			defer reading.Add(-1)
			if n == 1 {
				for i := range turnover {
					r.sources[netip.AddrPortFrom(loopback.Addr(), uint16(i))] = &sourceAddr{}
				}
			} else {
				if reading.Load() < 2 {
					t.Error("the old reader was gone before the new one began")
				}
				close(second)
			}
			_, _, err := c.ReadFrom(make([]byte, 10))
			return err
		})
	}()
	<-second
	if count.Turnovers.Load() != 1 {
		t.Errorf("%d turnovers", count.Turnovers.Load())
	}
	_ = u.Close()
	<-done
}

func TestTCP_PeerThatDoesNotReadHoldsUpNobody(t *testing.T) {
	var count Counters
	closed := make(chan Flow, 1)
	l, err := ListenTCP(loopback, StreamLimits{MaxPending: 1 << 16, Write: 50 * time.Millisecond}, NewFlows(func(f Flow) { closed <- f }), nil, nil, &count)
	if err != nil {
		t.Fatal(err)
	}
	conns, done := make(chan net.Conn, 1), make(chan struct{})
	go func() {
		defer close(done)
		l.Serve(func(ln net.Listener) error {
			for {
				c, err := ln.Accept()
				if err != nil {
					return err
				}
				conns <- c
			}
		})
	}()
	peer, err := net.Dial("tcp", l.Local().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = peer.Close() }()
	c := <-conns
	flow := c.(*Conn).Flow()
	if !l.flows.Alive(flow.ID) || l.flows.Len() != 1 {
		t.Error("not listed")
	}
	for {
		if _, err := c.Write(make([]byte, 1<<15)); err != nil {
			break
		}
	}
	if f := <-closed; f != flow || l.flows.Alive(flow.ID) {
		t.Errorf("closed %v, alive %v", f, l.flows.Alive(flow.ID))
	}
	_ = l.Close()
	<-done
	if _, err := c.Read(make([]byte, 1)); err == nil {
		t.Error("read after close")
	}
}

// stalled is a connection whose peer sent garbage and takes nothing.
type stalled struct {
	writing chan struct{} // closed once somebody writes
	end     chan struct{} // closed by Close
	once    sync.Once
}

func (m *stalled) Read() ([]byte, error) { return []byte("garbage\r\n\r\n" + options), nil }
func (m *stalled) Write([]byte, time.Duration) error {
	close(m.writing)
	<-m.end
	return net.ErrClosed
}

func (m *stalled) Close() error {
	m.once.Do(func() { close(m.end) })
	return nil
}

// Nor does one that takes not even the answer to what ends its connection.
func TestConn_LastWordsHoldUpNobody(t *testing.T) {
	l := ForMessages(StreamLimits{}, NewFlows(nil), nil, new(Counters))
	m := &stalled{writing: make(chan struct{}), end: make(chan struct{})}
	c := l.adopt(&messageConn{Messages: m}, Flow{Network: "ws", Remote: netip.MustParseAddrPort("192.0.2.1:1")})
	read := make(chan struct{})
	go func() {
		defer close(read)
		c.bad([]byte(options), ErrTooLong)
	}()
	<-m.writing
	if _, err := c.Write([]byte(options)); err == nil {
		t.Error("written after the last words")
	}
	_ = m.Close()
	<-read
	_ = l.Close()
}

// The library closes connections under locks that whoever is told of that may be waiting for.
func TestConn_CloseDoesNotWaitForWhoIsTold(t *testing.T) {
	told, proceed := make(chan struct{}), make(chan struct{})
	l := ForMessages(StreamLimits{}, NewFlows(func(Flow) { close(told); <-proceed }), nil, new(Counters))
	m := &stalled{writing: make(chan struct{}), end: make(chan struct{})}
	c := l.adopt(&messageConn{Messages: m}, Flow{Network: "ws", Remote: netip.MustParseAddrPort("192.0.2.1:1")})
	_ = c.Close()
	<-told
	close(proceed)
	<-m.end
	_ = l.Close()
}

// Whoever reads a connection hears of its end when nobody holds it any more, and nobody holds one that has ended.
func TestFlows_Hold(t *testing.T) {
	l, err := ListenTCP(loopback, StreamLimits{}, NewFlows(nil), nil, nil, new(Counters))
	if err != nil {
		t.Fatal(err)
	}
	conns, done, told := make(chan *Conn, 1), make(chan struct{}), make(chan error, 1)
	go func() {
		defer close(done)
		l.Serve(func(ln net.Listener) error {
			c, err := ln.Accept()
			if err != nil {
				return err
			}
			conns <- c.(*Conn)
			_, err = c.Read(make([]byte, 1))
			told <- err
			return err
		})
	}()
	peer, err := net.Dial("tcp", l.Local().String())
	if err != nil {
		t.Fatal(err)
	}
	id := (<-conns).Flow().ID
	if !l.flows.Hold(id, func() {
		_ = peer.Close()
		for l.flows.Alive(id) {
			runtime.Gosched()
		}
		for range 1000 {
			runtime.Gosched()
		}
		select {
		case err := <-told:
			t.Error("the reader was told:", err)
		default:
		}
	}) {
		t.Error("not held")
	}
	if !t.Failed() && <-told == nil {
		t.Error("the reader was not told")
	}
	if l.flows.Hold(id, func() { t.Error("held after its end") }) {
		t.Error("held after its end")
	}
	_ = l.Close()
	<-done
}

func TestExpand(t *testing.T) {
	list, err := Expand(netip.MustParseAddrPort("0.0.0.0:5060"))
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for _, a := range list {
		found = found || a == netip.MustParseAddrPort("127.0.0.1:5060")
		if a.Addr().IsUnspecified() || !a.Addr().Is4() || a.Port() != 5060 {
			t.Errorf("%v", a)
		}
	}
	if !found {
		t.Errorf("no loopback in %v", list)
	}
	if list, _ := Expand(loopback); len(list) != 1 || list[0] != loopback {
		t.Errorf("%v", list)
	}
}
