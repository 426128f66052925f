package media

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"
	"github.com/rs/zerolog"
)

// bareBrowser is the least that a browser can be: one check of ICE, and DTLS.
type bareBrowser struct {
	conn *net.UDPConn
	dtls *dtls.Conn
	out  *srtp.Context
}

func (b *bareBrowser) close() {
	_ = b.dtls.Close()
	_ = b.conn.Close()
}

func newBareBrowser(t testing.TB, ep *Endpoint) *bareBrowser {
	t.Helper()
	must := func(err error) {
		if err != nil {
			t.Helper()
			t.Fatal(err)
		}
	}
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	must(err)
	identity, err := newWebIdentity()
	must(err)
	answer, err := ep.AcceptOffer(fmt.Appendf(nil, "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 8\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=rtcp-mux\r\n"+
		"a=ice-ufrag:peer\r\na=ice-pwd:a-password-of-the-peers\r\na=setup:actpass\r\na=fingerprint:sha-256 %s\r\n", identity.fingerprint))
	must(err)
	value := func(name string) string {
		_, rest, _ := strings.Cut(string(answer), "a="+name+":")
		v, _, _ := strings.Cut(rest, "\r\n")
		return v
	}
	port := net.UDPAddrFromAddrPort(ep.LocalAddr())
	_, err = conn.WriteToUDP(MakeCheck(value("ice-ufrag")+":peer", value("ice-pwd"), true), port)
	must(err)
	_, _, err = conn.ReadFromUDP(make([]byte, 1500))
	must(err)
	c, err := dtls.ClientWithOptions(conn, port, dtls.WithCertificates(tls.Certificate(identity.certificate)), dtls.WithInsecureSkipVerify(true),
		dtls.WithExtendedMasterSecret(dtls.RequireExtendedMasterSecret), dtls.WithSRTPProtectionProfiles(dtls.SRTP_AEAD_AES_128_GCM))
	must(err)
	must(c.Handshake())
	k, err := keysOf(c, true)
	must(err)
	out, err := srtp.CreateContext([]byte(k.Out[:16]), []byte(k.Out[16:]), srtp.ProtectionProfileAeadAes128Gcm)
	must(err)
	for deadline := time.Now().Add(10 * time.Second); ep.Encrypted() == ""; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("not proven")
		}
	}
	return &bareBrowser{conn, c, out}
}

func webEngineOf(t testing.TB) *Engine {
	e, err := New(Options{WebRTC: netip.MustParseAddrPort("127.0.0.1:0"), Log: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	return e
}

func webLegOf(t testing.TB, e *Engine) (*Endpoint, *bareBrowser) {
	ep, err := e.NewEndpoint(EndpointOptions{WebRTC: true, Timeout: -1})
	if err != nil {
		t.Fatal(err)
	}
	return ep, newBareBrowser(t, ep)
}

// What a packet from one browser to another costs between the two system calls, and the second one.
func BenchmarkWeb_Relay(b *testing.B) {
	e := webEngineOf(b)
	x, from := webLegOf(b, e)
	y, to := webLegOf(b, e)
	defer from.close()
	defer to.close()
	Bridge(x, y)
	idle, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)}) // or what the peer does with it is measured, too
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = idle.Close() }()
	y.out.lead(y.out.sock, idle.LocalAddr().(*net.UDPAddr).AddrPort())
	payload := make([]byte, FrameSamples)
	packets := make([][]byte, b.N)
	for i := range packets {
		p := rtp.Packet{Header: rtp.Header{Version: 2, PayloadType: 8, SequenceNumber: uint16(i), Timestamp: uint32(i) * FrameSamples, SSRC: 1}, Payload: payload}
		plain, err := p.Marshal()
		if err != nil {
			b.Fatal(err)
		}
		if packets[i], err = from.out.EncryptRTP(nil, plain, nil); err != nil {
			b.Fatal(err)
		}
	}
	source := from.conn.LocalAddr().(*net.UDPAddr).AddrPort()
	buf := make([]byte, maxPacket+1+srtpOverhead)
	b.ReportAllocs()
	b.ResetTimer()
	for _, p := range packets {
		x.readWeb(buf, copy(buf, p), source, int64(e.clock()))
	}
	b.StopTimer()
	if s := x.Stats(); s.Received != uint64(b.N) {
		b.Fatalf("%d of %d were taken", s.Received, b.N)
	}
}

// What a browser's leg holds while it talks. The browser's half of DTLS is in it, since it is in this
// process: at most half as much is the server's.
func BenchmarkWeb_Leg(b *testing.B) {
	e := webEngineOf(b)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	goroutines := runtime.NumGoroutine()
	legs := make([]*bareBrowser, b.N)
	for i := range legs {
		_, legs[i] = webLegOf(b, e)
	}
	b.StopTimer()
	runtime.GC()
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(int64(after.HeapAlloc)-int64(before.HeapAlloc))/float64(b.N)/1024, "KB-heap/leg+peer")
	b.ReportMetric(float64(int64(after.StackInuse)-int64(before.StackInuse))/float64(b.N)/1024, "KB-stack/leg+peer")
	b.ReportMetric(float64(runtime.NumGoroutine()-goroutines)/float64(b.N), "goroutines/leg+peer")
	for _, l := range legs {
		l.close()
	}
}

// Legs leave nothing behind: neither in the port's tables nor as goroutines.
func TestWeb_LegsLeaveNothing(t *testing.T) {
	e := webEngineOf(t)
	for range 5 {
		ep, peer := webLegOf(t, e)
		if e.web.mu.Lock(); len(e.web.byName) != 1 || len(e.web.byPath) != 1 {
			t.Errorf("%d names, %d ways", len(e.web.byName), len(e.web.byPath))
		}
		e.web.mu.Unlock()
		ep.Close()
		peer.close()
		if e.web.mu.Lock(); len(e.web.byName) != 0 || len(e.web.byPath) != 0 {
			t.Errorf("%d names, %d ways are left", len(e.web.byName), len(e.web.byPath))
		}
		e.web.mu.Unlock()
	}
	if n := e.Stats().Endpoints; n != 0 {
		t.Errorf("%d endpoints are left", n)
	}
}

// One browser can come by so many ways only, and not by one that is somebody else's.
func TestWeb_WaysAreBounded(t *testing.T) {
	e := webEngineOf(t)
	x, peer := webLegOf(t, e)
	defer peer.close()
	y, other := webLegOf(t, e)
	defer other.close()
	own := x.web.agreed.Own.Ufrag
	port := e.web.list[0]
	for i := range 3 * maxPaths {
		if !x.checked(path{port, netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 9}), uint16(1000+i))}, own, "peer", false) {
			t.Fatal("a way was refused")
		}
	}
	if len(x.web.paths) != maxPaths || len(e.web.byPath) != maxPaths+1 {
		t.Errorf("%d ways, %d in the table", len(x.web.paths), len(e.web.byPath))
	}
	if x.RemoteAddr() != peer.conn.LocalAddr().(*net.UDPAddr).AddrPort() {
		t.Errorf("at %v", x.RemoteAddr())
	}
	if x.checked(path{port, y.RemoteAddr()}, own, "peer", true) {
		t.Error("somebody else's way was taken")
	}
}
