package e2e

import (
	"bytes"
	"errors"
	"net"
	"net/netip"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"centrala/media"
	"centrala/media/tone"
)

// sprayer fires at every port that the server has for voice, from an address of its own, and counts what
// comes back.
type sprayer struct {
	conn  *net.UDPConn
	to    netip.Addr
	first uint16
	back  chan int
	seq   uint16
}

func newSprayer(t *testing.T, s *server) *sprayer {
	t.Helper()
	conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.MustParseAddrPort("127.0.0.66:0")))
	if err != nil {
		t.Fatal(err)
	}
	p := &sprayer{conn: conn, to: s.sip.Addr(), first: s.rtp, back: make(chan int, 1)}
	go func() {
		b, n := make([]byte, 2000), 0
		for {
			_, _, err := conn.ReadFromUDPAddrPort(b)
			switch {
			case err == nil:
				n++
			case errors.Is(err, syscall.ECONNREFUSED): // nobody listens at a port
			default:
				p.back <- n
				return
			}
		}
	}()
	t.Cleanup(func() { conn.Close() })
	return p
}

// fire sends audio of 172 bytes, a packet that is too long, one that is too short and a goodbye to each port,
// in the name of an SSRC.
func (p *sprayer) fire(t *testing.T, ssrc uint32) {
	t.Helper()
	p.seq++
	packet := rtp.Packet{
		Header:  rtp.Header{Version: 2, PayloadType: 8, SequenceNumber: p.seq, Timestamp: uint32(p.seq) * 160, SSRC: ssrc},
		Payload: bytes.Repeat([]byte{0x33}, 160),
	}
	audio, err := packet.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	bye, err := rtcp.Marshal([]rtcp.Packet{&rtcp.ReceiverReport{SSRC: ssrc}, &rtcp.Goodbye{Sources: []uint32{ssrc}}})
	if err != nil {
		t.Fatal(err)
	}
	for port := range uint16(rtpPorts) {
		to := netip.AddrPortFrom(p.to, p.first+port)
		for _, b := range [][]byte{audio, bye, audio[:11], bytes.Repeat(audio, 10)} {
			_, _ = p.conn.WriteToUDPAddrPort(b, to)
		}
	}
}

// RTP bleed and injection against the whole server: all its ports for voice are sprayed while a caller waits,
// talks to an agent, is on hold and talks again. The attacker gets nothing, caller and agent hear each other and
// nothing else, in one stream, and the call ends when they want it to.
func TestSpray(t *testing.T) {
	t.Parallel()
	for name, config := range map[string]string{"plain": oneAgent, "SRTP": secureAgent} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t, newSite(t), config)
			before := s.footprint()
			p := newSprayer(t, s)
			c := s.call("+48600100200", "+48221234567", 500)
			spray := func(when string, hertz float64) {
				t.Helper()
				for i := range uint32(6) {
					p.fire(t, []uint32{500, 0x06060606}[i%2]) // 500: the caller's own
					c.waitTone(when, hertz, block)
				}
				c.wantOnly(500*time.Millisecond, hertz)
			}
			p.fire(t, 500)
			c.waitAnswered()
			c.waitTone("music", calmHertz, 500*time.Millisecond)
			spray("music under the spray", calmHertz)
			var anna *softphone
			if config == secureAgent {
				anna = s.securePhone(900)
			} else {
				anna = s.softphone("anna", "anna-secret-1", "udp", "auto", 900)
			}
			p.fire(t, 500) // while the agent's leg comes up
			anna.wait("talks", "CALL_ESTABLISHED")
			c.waitTone("the agent", 900, 500*time.Millisecond)
			spray("the agent under the spray", 900)
			anna.hearsMore(time.Second) // which is all that it records: it stops when it holds
			anna.command("hold", "")
			c.waitTone("music on hold", calmHertz, 500*time.Millisecond)
			spray("music on hold under the spray", calmHertz)
			anna.command("resume", "")
			c.waitTone("the agent again", 900, 500*time.Millisecond)
			spray("the agent again under the spray", 900)
			c.hangUp()
			c.waitOver()
			anna.wait("is hung up on", "CALL_CLOSED")
			p.fire(t, 500) // the ports are in quarantine
			s.waitFootprint(before)

			c.wantOneStream()
			for i, packet := range c.heard(time.Time{}) {
				if flat(packet.samples) > 0 {
					t.Errorf("packet %d that the caller heard is the attacker's", i)
				}
			}
			calls := anna.recordings()
			if len(calls) == 0 || len(calls[0]) < media.SampleRate {
				t.Fatalf("the agent recorded %d calls", len(calls))
			}
			if n := flat(calls[0]); n > 0 {
				t.Errorf("%d stretches of the attacker's audio at the agent's", n)
			}
			if level := slices.Max(tone.Levels(calls[0], media.SampleRate, 500, block)); level < loud {
				t.Errorf("the agent hears the caller at %.0f dB", level)
			}
			p.conn.Close()
			if n := <-p.back; n != 0 {
				t.Errorf("%d packets to the attacker", n)
			}
		})
	}
}

// flat counts stretches of 10 ms that do not move and are not silent, as the attacker's audio does.
func flat(pcm []int16) (n int) {
	const length = media.SampleRate / 100
	run := 0
	for i := range pcm {
		if i > 0 && pcm[i] == pcm[i-1] && (pcm[i] > 100 || pcm[i] < -100) {
			run++
		} else {
			run = 0
		}
		if run == length {
			n++
		}
	}
	return n
}
