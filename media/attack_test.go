package media_test

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"centrala/media"
	"centrala/media/sdp"
	"centrala/media/tone"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
)

// attacker is somebody with an address of their own. What comes to them is counted.
type attacker struct {
	conn *net.UDPConn
	done chan int // how many packets came, once closed
	seq  uint16
}

func newAttacker(t testing.TB, addr string) *attacker {
	t.Helper()
	conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.MustParseAddrPort(addr)))
	if err != nil {
		t.Fatal(err)
	}
	a := &attacker{conn: conn, done: make(chan int, 1)}
	go func() {
		b, n := make([]byte, 2000), 0
		for {
			_, _, err := conn.ReadFromUDPAddrPort(b)
			switch {
			case err == nil:
				n++
			case errors.Is(err, syscall.ECONNREFUSED): // nobody listens at a port
			default:
				a.done <- n
				return
			}
		}
	}()
	t.Cleanup(func() { conn.Close() })
	return a
}

// received ends the attack and tells how many packets came back.
func (a *attacker) received() int {
	a.conn.Close()
	return <-a.done
}

// volley is what is fired at each port: audio of 172 bytes as of a stranger and as of the victim, with numbers
// that follow on and that jump, far too long and far too short, and a goodbye in the victim's name.
func (a *attacker) volley(victim uint32) (packets [][]byte) {
	audio := bytes.Repeat([]byte{0x33}, 160)
	for _, ssrc := range []uint32{0x06060606, victim} {
		for _, seq := range []uint16{a.seq, a.seq + 1, a.seq + 30000, 0} {
			p := rtp.Packet{Header: rtp.Header{Version: 2, PayloadType: 8, SequenceNumber: seq, Timestamp: uint32(seq) * 160, SSRC: ssrc}, Payload: audio}
			b, err := p.Marshal()
			if err != nil {
				panic(err)
			}
			packets = append(packets, b)
		}
	}
	bye, err := rtcp.Marshal([]rtcp.Packet{&rtcp.ReceiverReport{SSRC: victim}, &rtcp.Goodbye{Sources: []uint32{victim}, Reason: "over"}})
	if err != nil {
		panic(err)
	}
	a.seq += 2
	return append(packets, bye, []byte{0x80}, packets[0][:12], packets[0][:13], bytes.Repeat(packets[0], 8), bytes.Repeat([]byte{0x80}, 9000))
}

func (a *attacker) fire(victim uint32, to netip.AddrPort) {
	for _, b := range a.volley(victim) {
		_, _ = a.conn.WriteToUDPAddrPort(b, to)
	}
}

// RTP bleed and injection: over the whole range of ports, from another address, before the calls, during them,
// on hold and after one of them has ended, plain and by SRTP. Nothing is sent to the attacker, nothing of
// theirs is heard, nothing of the calls is lost, and no call ends.
func TestAttack_SprayOverThePorts(t *testing.T) {
	const first, ports = 42000, 24
	for _, secure := range []bool{false, true} {
		t.Run(fmt.Sprint("SRTP ", secure), func(t *testing.T) {
			e := newEngine(t, media.Options{PortMin: first, PortMax: first + ports - 1, Quarantine: time.Hour})
			attacker := newAttacker(t, "127.0.0.66:0")
			a, b := newEndpoint(t, e, media.EndpointOptions{}), newEndpoint(t, e, media.EndpointOptions{})
			over := newEndpoint(t, e, media.EndpointOptions{})
			alice, bob := newSecurePhone(t, sdp.CM128), newPhone(t)
			victim := alice.ssrc
			spray := func() {
				for port := range uint16(ports) {
					attacker.fire(victim, netip.AddrPortFrom(loopback, first+port))
				}
			}
			spray() // nobody has negotiated yet
			var toA netip.AddrPort
			if secure {
				toA = alice.dial(a, "a=rtcp-mux")
			} else {
				toA = alice.phone.dial(t, a, "8", "a=rtcp-mux")
			}
			toB := bob.dial(t, b, "8")
			media.Bridge(a, b)
			spray() // neither has sent yet
			over.Close()
			const talk = 40
			voice := tone.NewProgram(1000, -10)
			say := func(i int) {
				if secure {
					alice.say(toA, voice, uint64(i))
				} else {
					alice.send(toA, 8, voice.Frame(media.PCMA, uint64(i)))
				}
				bob.send(toB, 8, voice.Frame(media.PCMA, uint64(i)))
			}
			for i := range talk {
				say(i)
				spray()
				bob.await(t, i+1) // in step, so that the flood and not our own rate is tested
				alice.await(t, i+1)
				if i == talk/2 { // the description is renewed: the ports are open for a moment
					if secure {
						alice.dial(a, "a=rtcp-mux", "a=ptime:20")
					} else {
						alice.phone.dial(t, a, "8", "a=rtcp-mux", "a=ptime:20")
					}
					spray()
				}
			}
			for name, p := range map[string]*phone{"alice": alice.phone, "bob": bob} {
				got := p.await(t, talk)
				if len(got) != talk {
					t.Errorf("%s heard %d packets of %d", name, len(got), talk)
				}
				for i, h := range got {
					if want := voice.Frame(media.PCMA, uint64(i)); !bytes.Equal(h.Payload, want) {
						t.Fatalf("%s: packet %d is not the other's", name, i)
					}
				}
			}
			for name, ep := range map[string]*media.Endpoint{"alice": a, "bob": b} {
				s := ep.Close()
				if s.Received != talk || s.Lost != 0 {
					t.Errorf("of %s: %+v", name, s)
				}
				if s.Strangers+s.Forged+s.Malformed == 0 {
					t.Errorf("of %s: nothing was counted: %+v", name, s)
				}
			}
			spray() // the ports are in quarantine
			if n := attacker.received(); n != 0 {
				t.Errorf("%d packets to the attacker", n)
			}
			if s := e.Stats(); s.PortPairsFree != s.PortPairs-3 {
				t.Errorf("%d of %d pairs are free; three should be in quarantine", s.PortPairsFree, s.PortPairs)
			}
		})
	}
}

// A phone behind NAT, where even the source of SIP is not known, is learnt by five packets; the flood that began
// before it is not, and no more than five frames of it could get through.
func TestAttack_WhileLearning(t *testing.T) {
	e := newEngine(t, media.Options{})
	attacker := newAttacker(t, "127.0.0.66:0")
	a, b := newEndpoint(t, e, media.EndpointOptions{}), newEndpoint(t, e, media.EndpointOptions{})
	alice, bob := newPhone(t), newPhone(t)
	private := bytes.ReplaceAll(alice.sdp("8"), []byte("IN IP4 127.0.0.1"), []byte("IN IP4 127.0.0.99"))
	if _, err := a.AcceptOffer(private); err != nil {
		t.Fatal(err)
	}
	bob.dial(t, b, "8")
	media.Bridge(a, b)
	stop, stopped := make(chan struct{}), make(chan struct{})
	// Sound audio, faster than speech: a packet has 200 ms of it by its timestamps, so that the flood runs ahead of the
	// clock even where it is held up with the machine.
	go func() {
		defer close(stopped)
		p := rtp.Packet{Header: rtp.Header{Version: 2, PayloadType: 8, SSRC: 0x06060606}, Payload: bytes.Repeat([]byte{0x33}, 160)}
		for tick := time.NewTicker(500 * time.Microsecond); ; {
			p.SequenceNumber++
			p.Timestamp += 1600
			if b, err := p.Marshal(); err == nil {
				_, _ = attacker.conn.WriteToUDPAddrPort(b, a.LocalAddr())
			}
			select {
			case <-tick.C:
			case <-stop:
				tick.Stop()
				return
			}
		}
	}()
	voice := tone.NewProgram(1000, -10)
	talking := make(chan struct{})
	go alice.talk(a.LocalAddr(), media.PCMA, voice, talking)
	got := bob.awaitThat(t, "50 packets of alice's", func(got []heard) bool {
		n := 0
		for _, h := range got {
			if h.Payload[0] != 0x33 {
				n++
			}
		}
		return n >= 50
	})
	close(talking)
	close(stop)
	<-stopped
	injected := 0
	for _, h := range got {
		if bytes.Count(h.Payload, []byte{0x33}) == len(h.Payload) {
			injected++
		}
	}
	if injected > 5 {
		t.Errorf("%d frames of the attacker's were heard", injected)
	}
	if a.RemoteAddr() != alice.addr() {
		t.Errorf("RTP goes to %v, alice is %v", a.RemoteAddr(), alice.addr())
	}
	if s := a.Close(); s.Strangers == 0 {
		t.Errorf("%+v", s)
	}
	if n := attacker.received(); n != 0 {
		t.Errorf("%d packets to the attacker", n)
	}
}

// Packets that come from the peer's own address, as a forged source would make them: single ones of another
// SSRC, with numbers that jump, and goodbyes change nothing of the call.
func TestAttack_ForgedSource(t *testing.T) {
	e := newEngine(t, media.Options{})
	c := newBridge(t, e, media.EndpointOptions{}, "8", "8")
	attacker := &attacker{}
	const talk = 20
	voice := tone.NewProgram(1000, -10)
	for i := range talk {
		c.alice.send(c.toA, 8, voice.Frame(media.PCMA, uint64(i)))
		volley := attacker.volley(c.alice.ssrc)
		for k, forged := range volley {
			// Two of one SSRC that follow on would be a sender who starts afresh, and the victim's SSRC with a
			// number near its own is the victim for all that plain RTP can tell.
			if k >= 1 && k <= 5 || k == 7 {
				continue
			}
			c.alice.sendRaw(c.toA, forged)
			c.alice.sendRaw(netip.AddrPortFrom(c.toA.Addr(), c.toA.Port()+1), forged)
		}
		c.bob.await(t, i+1)
	}
	got := c.bob.await(t, talk)
	for i, h := range got {
		if want := voice.Frame(media.PCMA, uint64(i)); !bytes.Equal(h.Payload, want) {
			t.Fatalf("packet %d of %d is not alice's", i, len(got))
		}
	}
	if s := c.a.Stats(); s.Received != talk || s.Lost != 0 || s.Malformed == 0 || len(got) != talk {
		t.Errorf("%+v", s)
	}
}
