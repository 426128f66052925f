package media

import (
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/rs/zerolog"
)

// listener is a peer's pair of sockets, read when asked.
type listener struct {
	rtp, rtcp *net.UDPConn
}

func newListener(t *testing.T) *listener {
	t.Helper()
	l := &listener{}
	for _, c := range []**net.UDPConn{&l.rtp, &l.rtcp} {
		conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(localhost, 0)))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		*c = conn
	}
	return l
}

func addrOf(c *net.UDPConn) netip.AddrPort { return c.LocalAddr().(*net.UDPAddr).AddrPort() }

func read(t *testing.T, c *net.UDPConn) []rtcp.Packet {
	t.Helper()
	b := make([]byte, 1500)
	_ = c.SetReadDeadline(time.Now().Add(20 * time.Second))
	for {
		n, err := c.Read(b)
		if err != nil {
			t.Fatal(err)
		}
		if isRTCP(b[:n]) {
			packets, err := rtcp.Unmarshal(b[:n])
			if err != nil {
				t.Fatal(err)
			}
			return packets
		}
	}
}

// session is an endpoint that has agreed with a listener on RTCP at its own port, or on RTP's.
func session(t *testing.T, mux bool) (*Endpoint, *listener) {
	t.Helper()
	e, err := New(Options{Log: zerolog.Nop(), Quarantine: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	ep, err := e.NewEndpoint(EndpointOptions{Local: localhost})
	if err != nil {
		t.Fatal(err)
	}
	l := newListener(t)
	offer := "v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio " + port(l.rtp) + " RTP/AVP 8\r\na=rtcp:" + port(l.rtcp) + "\r\n"
	if mux {
		offer += "a=rtcp-mux\r\n"
	}
	if _, err := ep.AcceptOffer([]byte(offer)); err != nil {
		t.Fatal(err)
	}
	return ep, l
}

func port(c *net.UDPConn) string {
	_, p, _ := net.SplitHostPort(c.LocalAddr().String())
	return p
}

func (ep *Endpoint) reportNow() {
	ep.mu.Lock()
	defer ep.mu.Unlock()
	ep.report(int64(ep.engine.clock()), false)
}

func sendTo(t *testing.T, c *net.UDPConn, to uint16, b []byte) {
	t.Helper()
	if _, err := c.WriteToUDPAddrPort(b, netip.AddrPortFrom(localhost, to)); err != nil {
		t.Fatal(err)
	}
}

// until waits for what a packet on its way will make true of the endpoint's figures.
func until(t *testing.T, ep *Endpoint, enough func(Stats) bool) {
	t.Helper()
	eventually(t, func() bool { return enough(ep.Stats()) })
}

// eventually asks until the answer is yes: packets on loopback take their time, and tell nobody.
func eventually(t *testing.T, yes func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for limit := time.Now().Add(20 * time.Second); !yes(); <-tick.C {
		if time.Now().After(limit) {
			t.Fatal("it did not happen within 20 s")
		}
	}
}

// Reports of both kinds with a CNAME, then the peer's view of us, then the end.
func TestRTCP_Reports(t *testing.T) {
	for _, mux := range []bool{false, true} {
		ep, l := session(t, mux)
		conn, to := l.rtcp, ep.local.Port()+1
		if mux {
			conn, to = l.rtp, ep.local.Port()
		}
		for i, seq := range []uint16{65534, 65535, 1} { // number 0 is lost
			sendTo(t, l.rtp, ep.local.Port(), bytesOf(8, seq, uint32(i)*160, 77, 1))
		}
		until(t, ep, func(s Stats) bool { return s.Received == 3 })

		ep.reportNow()
		packets := read(t, conn)
		rr, ok := packets[0].(*rtcp.ReceiverReport)
		if !ok || rr.SSRC != ep.out.ssrc || len(rr.Reports) != 1 {
			t.Fatalf("mux %v: nothing sent yet, and it says %v", mux, packets)
		}
		if r := rr.Reports[0]; r.SSRC != 77 || r.TotalLost != 1 || r.FractionLost != 51 || r.LastSequenceNumber != 1<<16+1 {
			t.Errorf("%+v", r)
		}
		if s, ok := packets[1].(*rtcp.SourceDescription); !ok || s.Chunks[0].Source != ep.out.ssrc || s.Chunks[0].Items[0].Text == "" {
			t.Errorf("%v", packets[1])
		}

		p := &ticks{}
		ep.Play(p)
		until(t, ep, func(s Stats) bool { return s.Sent >= 2 })
		ep.Play(nil)
		ep.reportNow()
		sr, ok := read(t, conn)[0].(*rtcp.SenderReport)
		if !ok || uint64(sr.PacketCount) != ep.Stats().Sent || sr.OctetCount != 160*sr.PacketCount {
			t.Fatalf("mux %v: %+v, sent %d", mux, sr, ep.Stats().Sent)
		}
		if d := time.Until(time.Unix(int64(sr.NTPTime>>32)-2208988800, 0)); d.Abs() > time.Minute {
			t.Errorf("NTP time off by %v", d)
		}

		// The peer answers half a second after our report, as it says.
		report, err := rtcp.Marshal([]rtcp.Packet{
			&rtcp.SenderReport{SSRC: 77, NTPTime: 0x0001_2345_6789_0000, Reports: []rtcp.ReceptionReport{
				{SSRC: 1, TotalLost: 99},
				{SSRC: ep.out.ssrc, TotalLost: 5, LastSequenceNumber: uint32(ep.out.first) + 99, Jitter: 80, LastSenderReport: uint32(sr.NTPTime>>16) - 1<<15, Delay: 1 << 14},
			}},
			&rtcp.Goodbye{Sources: []uint32{77}},
		})
		if err != nil {
			t.Fatal(err)
		}
		sendTo(t, conn, to, report)
		until(t, ep, func(s Stats) bool { return s.PeerLost == 5 })
		if s := ep.Stats(); s.PeerExpected != 100 || s.PeerLoss() != 0.05 || s.PeerMOS < 2 || s.PeerMOS > 4 {
			t.Errorf("%+v", s)
		}
		if s := ep.Stats(); s.PeerJitter != 10*time.Millisecond || s.RTT < 250*time.Millisecond || s.RTT > 5*time.Second {
			t.Errorf("%+v", s)
		}
		ep.reportNow() // the BYE ended nothing
		if rr := read(t, conn)[0].(*rtcp.ReceiverReport); rr.Reports[0].LastSenderReport != 0x2345_6789 || rr.Reports[0].FractionLost != 0 {
			t.Errorf("%+v", rr.Reports[0])
		}

		ep.Close()
		packets = read(t, conn)
		if bye, ok := packets[len(packets)-1].(*rtcp.Goodbye); !ok || bye.Sources[0] != ep.out.ssrc {
			t.Errorf("mux %v: no BYE but %v", mux, packets)
		}
	}
}

// What the peer says of the jitter is kept for all of the call, the latest and the worst apart.
func TestRTCP_JitterAtThePeer(t *testing.T) {
	ep, _ := session(t, false)
	ep.in.mu.Lock()
	for _, jitter := range []uint32{80, 160, 240} {
		ep.peerReports([]rtcp.ReceptionReport{{SSRC: ep.out.ssrc, Jitter: jitter}, {SSRC: ep.out.ssrc + 1, Jitter: 9999}}, 0)
	}
	ep.in.mu.Unlock()
	const ms = time.Millisecond
	if s := ep.Stats(); s.PeerJitter != 30*ms || s.PeerJitterMean != 20*ms || s.PeerJitterMax != 30*ms {
		t.Errorf("jitter at the peer %v, mean %v, worst %v", s.PeerJitter, s.PeerJitterMean, s.PeerJitterMax)
	}
}

// RTCP from elsewhere is counted and not believed; nonsense from the peer neither.
func TestRTCP_FromStrangers(t *testing.T) {
	ep, l := session(t, false)
	other, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.MustParseAddrPort("127.0.0.66:0")))
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	lie, err := rtcp.Marshal([]rtcp.Packet{&rtcp.ReceiverReport{SSRC: 77, Reports: []rtcp.ReceptionReport{{SSRC: ep.out.ssrc, TotalLost: 9}}}})
	if err != nil {
		t.Fatal(err)
	}
	sendTo(t, other, ep.local.Port()+1, lie)
	sendTo(t, other, ep.local.Port(), lie)
	until(t, ep, func(s Stats) bool { return s.Strangers == 2 })
	sendTo(t, l.rtcp, ep.local.Port()+1, []byte{0x80, 200, 0xff, 0xff})
	sendTo(t, l.rtcp, ep.local.Port()+1, []byte{1})
	until(t, ep, func(s Stats) bool { return s.Malformed == 2 })
	if s := ep.Stats(); s.PeerLost != 0 {
		t.Errorf("%+v", s)
	}
}

// The first report comes in half the interval, by itself; the rest vary around 5 s.
func TestRTCP_Interval(t *testing.T) {
	ep, l := session(t, false)
	ep.mu.Lock()
	ep.schedule(ep.reports.due)
	next := ep.reports.due
	ep.mu.Unlock()
	read(t, l.rtcp)
	for range 1000 {
		if d := time.Duration(randomInterval()); d < reportInterval/2 || d > reportInterval*3/2 {
			t.Fatalf("%v between reports", d)
		}
	}
	if first := time.Duration(next); first < reportInterval/2 {
		t.Errorf("the second report is due at %v", first)
	}
}

// Behind NAT reports go where the peer's come from, and nowhere before that is known.
func TestRTCP_BehindNAT(t *testing.T) {
	ep, _ := session(t, false)
	elsewhere := newListener(t)
	sendTo(t, elsewhere.rtp, ep.local.Port(), bytesOf(8, 1, 160, 77, 1)) // same host, other port: a NAT's doing
	until(t, ep, func(s Stats) bool { return s.Received == 1 })
	ep.reportNow()
	ep.in.mu.Lock()
	said := ep.reports.said
	ep.in.mu.Unlock()
	if said {
		t.Error("a report went to the signalled address")
	}
	empty, err := rtcp.Marshal([]rtcp.Packet{&rtcp.ReceiverReport{SSRC: 77}})
	if err != nil {
		t.Fatal(err)
	}
	sendTo(t, elsewhere.rtcp, ep.local.Port()+1, empty)
	eventually(t, func() bool {
		ep.in.mu.Lock()
		defer ep.in.mu.Unlock()
		return ep.reports.learnt == addrOf(elsewhere.rtcp)
	})
	ep.reportNow()
	read(t, elsewhere.rtcp)
}
