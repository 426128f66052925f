package sip

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"
)

// zone is a Resolver with the records that it holds.
type zone struct {
	mu    sync.Mutex
	srv   map[string][]*net.SRV // by _service._proto.name
	hosts map[string][]netip.Addr
	asked int // for addresses
	down  bool
}

var errNoRecord = errors.New("no such record")

func (z *zone) LookupSRV(_ context.Context, service, proto, name string) (string, []*net.SRV, error) {
	z.mu.Lock()
	defer z.mu.Unlock()
	if list := z.srv["_"+service+"._"+proto+"."+name]; list != nil && !z.down {
		return name, list, nil
	}
	return "", nil, errNoRecord
}

func (z *zone) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.asked++
	if list := z.hosts[host]; list != nil && !z.down {
		return list, nil
	}
	return nil, errNoRecord
}

// carriers makes peers that are the SRV targets of carrier.test over UDP, in order.
func carriers(t *testing.T, n int) ([]*peer, *zone) {
	z := &zone{hosts: map[string][]netip.Addr{}, srv: map[string][]*net.SRV{}}
	var peers []*peer
	for k := range n {
		p := newPeer(t, netip.AddrPort{})
		host := sprintf("sip%d.carrier.test.", k)
		port := p.conn.LocalAddr().(*net.UDPAddr).Port
		z.hosts[host] = []netip.Addr{loopback}
		z.srv["_sip._udp.carrier.test"] = append(z.srv["_sip._udp.carrier.test"], &net.SRV{Target: host, Port: uint16(port)})
		peers = append(peers, p)
	}
	return peers, z
}

func at(z *zone) func(o *Options) {
	return func(o *Options) { o.Resolver, o.Directory.Trunks[0].Host = z, "carrier.test" }
}

// RFC 3263 section 4.3: the next address of the name is tried when one answers
// 503, or not at all; the owner hears of the last one only. The one that failed
// is the last to be tried for a while.
func TestTrunk_FailOver(t *testing.T) {
	for name, failing := range map[string]func(p *peer, invite string){
		"503": func(p *peer, invite string) {
			p.send(p.reply(invite, 503, "x", "", ""))
			p.recv("ACK")
		},
		"503 after 100": func(p *peer, invite string) {
			p.send(p.reply(invite, 100, "", "", ""))
			p.send(p.reply(invite, 503, "x", "", ""))
			p.recv("ACK")
		},
		"silence": func(*peer, string) {},
	} {
		t.Run(name, func(t *testing.T) {
			p, z := carriers(t, 2)
			s := start(t, at(z), func(o *Options) {
				if name == "silence" {
					brisk(o)
				}
			})
			_, o := s.outside(t, "+48601")
			invite := p[0].recv("INVITE")
			if want := "INVITE sip:+48601@carrier.test SIP/2.0\r\n"; !strings.HasPrefix(invite, want) {
				t.Errorf("got %q", invite[:len(want)])
			}
			failing(p[0], invite)
			again := p[1].recv("INVITE")
			if field(again, "Via") == field(invite, "Via") || field(again, "Call-ID") != field(invite, "Call-ID") || strings.Contains(field(again, "To"), "tag=") {
				t.Errorf("to the next address:\n%s", again)
			}
			p[1].send(p[1].reply(again, 180, "p1", "", ""))
			o.want("progress")
			p[1].send(p[1].reply(again, 200, "p1", "", testSDP))
			if ack := p[1].recv("ACK"); field(ack, "CSeq") != strings.Replace(field(again, "CSeq"), "INVITE", "ACK", 1) {
				t.Errorf("ACK\n%s", ack)
			}
			o.want("answered")
			_, o = s.outside(t, "+48602")
			third := p[1].recv("INVITE sip:+48602")
			p[1].send(p[1].reply(third, 486, "p2", "", ""))
			o.wantEnd(ClassBusy, 486)
		})
	}
}

func TestTrunk_FailOverEnds(t *testing.T) {
	p, z := carriers(t, 2)
	s := start(t, at(z))
	_, o := s.outside(t, "+48601")
	for _, x := range p {
		x.send(x.reply(x.recv("INVITE"), 503, "x", "", ""))
		x.recv("ACK")
	}
	o.wantEnd(ClassUnreachable, 503)
	s.idle(t)
}

// A refusal by the telephone is no reason to ask elsewhere.
func TestTrunk_NoFailOverAfterARefusal(t *testing.T) {
	p, z := carriers(t, 2)
	s := start(t, at(z))
	_, o := s.outside(t, "+48601")
	p[0].send(p[0].reply(p[0].recv("INVITE"), 486, "x", "", ""))
	o.wantEnd(ClassBusy, 486)
	if msg, ok := p[1].within(30*time.Millisecond, "INVITE"); ok {
		t.Errorf("%s", msg)
	}
}

// RFC 3263 section 4.2: what is looked up for a host.
func TestNames_Lookup(t *testing.T) {
	a, b, c := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2"), netip.MustParseAddr("2001:db8::1")
	z := &zone{
		hosts: map[string][]netip.Addr{"h": {a, c}, "x.": {a}, "y.": {b}, "many": nil},
		srv: map[string][]*net.SRV{
			"_sip._udp.h":    {{Target: "x.", Port: 5070}, {Target: "gone.", Port: 1}, {Target: "y.", Port: 5080}},
			"_sips._tcp.h":   {{Target: "y.", Port: 5061}},
			"_sip._udp.none": {{Target: "."}},
			"_sip._udp.bad":  {{Target: "gone.", Port: 1}},
		},
	}
	for p, want := range map[place]string{
		{"192.0.2.9", "udp", 0}:      "192.0.2.9:5060",
		{"192.0.2.9", "tls", 0}:      "192.0.2.9:5061",
		{"2001:db8::9", "tcp", 5070}: "[2001:db8::9]:5070",
		{"h", "udp", 0}:              "192.0.2.1:5070 192.0.2.2:5080",
		{"h", "udp", 5090}:           "192.0.2.1:5090 [2001:db8::1]:5090",
		{"h", "tcp", 0}:              "192.0.2.1:5060 [2001:db8::1]:5060",
		{"h", "tls", 0}:              "192.0.2.2:5061",
		{"none", "udp", 0}:           "",
		{"bad", "udp", 0}:            "",
		{"gone", "udp", 0}:           "",
	} {
		addrs, err := newNames(z, time.Now).lookup(t.Context(), p)
		var got []string
		for _, addr := range addrs {
			got = append(got, addr.String())
		}
		if strings.Join(got, " ") != want || (err == nil) != (want != "") {
			t.Errorf("%v: %v %v, want %s", p, got, err, want)
		}
	}
}

// Names are not asked for again at once, are when they are old, and stay known
// while the DNS is down; what failed comes last for a while.
func TestNames_KeepAndForget(t *testing.T) {
	a, b := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	z := &zone{hosts: map[string][]netip.Addr{"h": {a, b}}}
	now := time.Now()
	n := newNames(z, func() time.Time { return now })
	look := func(wantAsked int, want ...netip.Addr) {
		t.Helper()
		addrs, err := n.lookup(t.Context(), place{"h", "udp", 5060})
		if err != nil && len(want) > 0 || len(addrs) != len(want) || z.asked != wantAsked {
			t.Fatalf("%v %v, asked %d times, want %v and %d", addrs, err, z.asked, want, wantAsked)
		}
		for k := range want {
			if addrs[k].Addr() != want[k] {
				t.Fatalf("%v, want %v", addrs, want)
			}
		}
	}
	look(1, a, b)
	n.fail(netip.AddrPortFrom(a, 5060))
	look(1, b, a)
	now = now.Add(nameFresh + 1)
	look(2, b, a)
	now = now.Add(addressRest)
	look(3, a, b)
	z.down = true
	now = now.Add(nameFresh + 1)
	look(4, a, b)
	look(4, a, b) // it is not asked again at once
	now = now.Add(nameRetry)
	look(5, a, b)
	z.down, z.hosts["h"] = false, []netip.Addr{b} // as soon as it answers, what it says counts
	now = now.Add(nameRetry)
	look(6, b)
	z.hosts["h"] = []netip.Addr{a, b} // the TTL is over
	now = now.Add(time.Second)
	look(7, a, b)
	z.down = true
	now = now.Add(nameStale + 1)
	look(8)
	z.down = false
	look(9, a, b)
	if len(n.failed) != 0 || len(n.found) != 1 {
		t.Errorf("kept %v %v", n.failed, n.found)
	}
}
