package switchboard

import (
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"testing"
	"time"

	"centrala/acd"
	"centrala/media"
	"centrala/queuegroups"
)

// voice is the payload of what is before a telephone outside.
const voice = 0x2a

// early answers an INVITE with 183 and speaks until the test ends.
func (p *rawPhone) early(invite string) {
	p.t.Helper()
	port := regexp.MustCompile(`m=audio (\d+)`).FindStringSubmatch(invite)
	rtp, err := net.Dial("udp", "127.0.0.1:"+port[1])
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { _ = rtp.Close() })
	at := netip.MustParseAddrPort(rtp.LocalAddr().String())
	p.reply(invite, "183 Session Progress", fmt.Sprintf(
		"v=0\r\no=- 1 1 IN IP4 %v\r\ns=-\r\nc=IN IP4 %v\r\nt=0 0\r\nm=audio %d RTP/AVP 8\r\n", at.Addr(), at.Addr(), at.Port()))
	packet := make([]byte, 12+160)
	packet[0], packet[1], packet[11] = 0x80, 8, 1
	for i := 12; i < len(packet); i++ {
		packet[i] = voice
	}
	go func() {
		for n := 0; ; n++ {
			packet[2], packet[3] = byte(n>>8), byte(n)
			stamp := n * 160
			packet[4], packet[5], packet[6], packet[7] = byte(stamp>>24), byte(stamp>>16), byte(stamp>>8), byte(stamp)
			if _, err := rtp.Write(packet); err != nil {
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
	}()
}

// hears counts what the next leg of the peer hears: the voice, and anything else.
func (b *bench) hears() (spoken, other chan struct{}) {
	spoken, other = make(chan struct{}, 1), make(chan struct{}, 1)
	b.peer.hear = func(_ media.Codec, _ uint32, payload []byte) {
		c := other
		if len(payload) > 0 && payload[0] == voice && payload[len(payload)-1] == voice {
			c = spoken
		}
		select {
		case c <- struct{}{}:
		default:
		}
	}
	return spoken, other
}

func (b *bench) await(what string, c chan struct{}) {
	b.t.Helper()
	select {
	case <-c:
	case <-time.After(patience):
		b.t.Fatalf("the caller does not hear %s", what)
	}
}

// A caller who hears music hears what is before the telephone that is called for them
// (RFC 3261 section 13.2.1); when that comes to nothing, they hear the music again.
func TestEarly_MusicComesBack(t *testing.T) {
	b := newBench(t, nil)
	carrier := b.carriers(1, nil)[0]
	spoken, music := b.hears()
	call, _ := b.arrive()
	b.do(call, &acd.Play{})
	b.want(&acd.LegAnswered{Leg: call})
	b.await("the music", music)
	b.do(call, &acd.Dial{Offer: 5, Number: "+48229998877", Trunk: "carrier0"})
	invite := carrier.recv("INVITE")
	carrier.reply(invite, "180 Ringing", "") // so that the session description comes with the second
	b.want(&acd.OfferRinging{Offer: 5})
	carrier.early(invite)
	b.await("the announcement", spoken)
	carrier.reply(invite, "486 Busy Here", "")
	b.want(&acd.OfferFailed{Offer: 5, Class: acd.FailBusy})
	for len(music) > 0 {
		<-music // what was heard before
	}
	b.await("the music again", music)
	b.leave(call)
}

// A caller who has not been answered is let hear it by 183, and answered when the
// telephone is.
func TestEarly_BeforeTheAnswer(t *testing.T) {
	b := newOutward(t, &queuegroups.Config{Region: "PL", Trunks: []queuegroups.Trunk{{ID: "in"}, {ID: "out"}}})
	carrier := b.carrier
	caller, arrived := b.caller("+48601000000", "")
	b.do(arrived.Leg, &acd.Alert{})
	caller.recv("SIP/2.0 180")
	b.do(arrived.Leg, &acd.Dial{Offer: 5, Number: "+48229998877", Trunk: "out", From: arrived.From})
	invite := carrier.recv("INVITE")
	carrier.early(invite)
	b.want(&acd.OfferRinging{Offer: 5})
	if progress := caller.recv("SIP/2.0 183"); !regexp.MustCompile(`m=audio \d+`).MatchString(progress) {
		t.Errorf("no session description:\n%s", progress)
	}
	carrier.reply(invite, "200 OK", "v=0\r\no=- 1 1 IN IP4 127.0.0.2\r\ns=-\r\nc=IN IP4 127.0.0.2\r\nt=0 0\r\nm=audio 20002 RTP/AVP 8\r\n")
	answered := b.want(&acd.OfferAnswered{Offer: 5}).(*acd.OfferAnswered)
	b.do(arrived.Leg, &acd.Bridge{A: arrived.Leg, B: answered.Leg})
	caller.answered()
	b.want(&acd.LegAnswered{Leg: arrived.Leg})
	b.want(&acd.Bridged{A: arrived.Leg})
	caller.hangUp()
	b.want(&acd.LegEnded{Leg: arrived.Leg, Cause: acd.EndHangup})
	b.do(arrived.Leg, &acd.EndLeg{Leg: answered.Leg})
	carrier.hungUp()
	b.want(&acd.LegEnded{Leg: answered.Leg})
}
