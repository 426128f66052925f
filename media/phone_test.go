package media_test

import (
	"fmt"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"centrala/media"
	"centrala/media/sdp"

	"github.com/pion/rtp"
	"github.com/rs/zerolog"
)

var loopback = netip.MustParseAddr("127.0.0.1")

func newEngine(t testing.TB, o media.Options) *media.Engine {
	t.Helper()
	o.Log = zerolog.New(zerolog.NewTestWriter(t))
	if o.Quarantine == 0 {
		o.Quarantine = -1
	}
	e, err := media.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	return e
}

func newEndpoint(t testing.TB, e *media.Engine, o media.EndpointOptions) *media.Endpoint {
	t.Helper()
	if !o.Local.IsValid() {
		o.Local = loopback
	}
	ep, err := e.NewEndpoint(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ep.Close() })
	return ep
}

// phone is a peer: it notes all it gets and sends what it is told.
type phone struct {
	conn *net.UDPConn
	via  netip.AddrPort // the address it tells; invalid: its own

	mu    sync.Mutex
	got   []heard
	news  chan struct{}                // closed and replaced with each packet
	other [][]byte                     // what is not RTP
	open  func([]byte) ([]byte, error) // decrypts what comes; nil: it is plain

	seq  uint16 // of the next packet sent
	ts   uint32
	ssrc uint32
}

type heard struct {
	rtp.Packet
	at time.Time
}

func newPhone(t testing.TB) *phone {
	t.Helper()
	conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(loopback, 0)))
	if err != nil {
		t.Fatal(err)
	}
	p := &phone{conn: conn, news: make(chan struct{}), seq: 65500, ts: 1<<32 - 3200, ssrc: uint32(time.Now().UnixNano())}
	done := make(chan struct{})
	t.Cleanup(func() { conn.Close(); <-done })
	go func() {
		defer close(done)
		for {
			b := make([]byte, 2000)
			n, _, err := conn.ReadFromUDPAddrPort(b)
			if err != nil {
				return
			}
			p.note(b[:n])
		}
	}()
	return p
}

func (p *phone) note(b []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.open != nil {
		plain, err := p.open(b)
		if err != nil {
			return
		}
		b = plain
	}
	var packet rtp.Packet
	if len(b) > 1 && b[1] >= 192 && b[1] <= 223 || packet.Unmarshal(b) != nil {
		p.other = append(p.other, b)
	} else {
		p.got = append(p.got, heard{packet, time.Now()})
	}
	close(p.news)
	p.news = make(chan struct{})
}

func (p *phone) addr() netip.AddrPort {
	return p.conn.LocalAddr().(*net.UDPAddr).AddrPort()
}

// sdp describes the phone; lines follow the m= line.
func (p *phone) sdp(m string, lines ...string) []byte {
	addr := p.addr()
	if p.via.IsValid() {
		addr = p.via
	}
	s := fmt.Sprintf("v=0\r\no=- 1 %d IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio %d RTP/AVP %s\r\n", time.Now().UnixNano(), addr.Port(), m)
	for _, l := range lines {
		s += l + "\r\n"
	}
	return []byte(s)
}

// dial connects the phone with an endpoint and returns where to send.
func (p *phone) dial(t testing.TB, ep *media.Endpoint, m string, lines ...string) netip.AddrPort {
	t.Helper()
	answer, err := ep.AcceptOffer(p.sdp(m, lines...))
	if err != nil {
		t.Fatal(err)
	}
	s, err := sdp.Parse(answer)
	if err != nil {
		t.Fatal(err)
	}
	return netip.AddrPortFrom(s.Streams[0].Addr, s.Streams[0].Port)
}

// send sends one packet of 20 ms.
func (p *phone) send(to netip.AddrPort, pt uint8, payload []byte) {
	p.mu.Lock()
	packet := rtp.Packet{
		Header:  rtp.Header{Version: 2, PayloadType: pt, SequenceNumber: p.seq, Timestamp: p.ts, SSRC: p.ssrc},
		Payload: payload,
	}
	p.seq++
	p.ts += uint32(len(payload))
	p.mu.Unlock()
	p.sendRTP(to, &packet)
}

func (p *phone) sendRTP(to netip.AddrPort, packet *rtp.Packet) {
	b, err := packet.Marshal()
	if err != nil {
		panic(err)
	}
	p.sendRaw(to, b)
}

func (p *phone) sendRaw(to netip.AddrPort, b []byte) {
	_, _ = p.conn.WriteToUDPAddrPort(b, to)
}

// talk sends a programme every 20 ms until stop is closed.
func (p *phone) talk(to netip.AddrPort, c media.Codec, program media.Program, stop <-chan struct{}) {
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for tick := uint64(0); ; tick++ {
		p.send(to, c.PayloadType(), program.Frame(c, tick))
		select {
		case <-ticker.C:
		case <-stop:
			return
		}
	}
}

// await waits until the phone has n packets of RTP and returns all it has.
func (p *phone) await(t testing.TB, n int) []heard {
	t.Helper()
	return p.awaitThat(t, fmt.Sprintf("%d packets", n), func(got []heard) bool { return len(got) >= n })
}

// awaitThat waits until what the phone has heard is enough.
func (p *phone) awaitThat(t testing.TB, what string, enough func([]heard) bool) []heard {
	t.Helper()
	limit := time.NewTimer(20 * time.Second)
	defer limit.Stop()
	for {
		p.mu.Lock()
		got, news := p.got, p.news
		p.mu.Unlock()
		if enough(got) {
			return got
		}
		select {
		case <-news:
		case <-limit.C:
			t.Fatalf("after 20 s: %d packets, not %s", len(got), what)
		}
	}
}

func (p *phone) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.got)
}

// pcm decodes the audio of the packets, in order of arrival.
func pcm(packets []heard) []int16 {
	var out []int16
	for _, h := range packets {
		switch h.PayloadType {
		case 0:
			out = media.PCMU.AppendDecoded(out, h.Payload)
		case 8:
			out = media.PCMA.AppendDecoded(out, h.Payload)
		}
	}
	return out
}
