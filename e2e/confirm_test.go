package e2e

import (
	"testing"
	"time"

	"github.com/pion/rtp"

	"centrala/holdmusic"
)

// press sends a key of RFC 4733 to an address, before the party speaks there: five
// packets and the end three times.
func (e *ear) press(to message, code byte) {
	e.t.Helper()
	addr, ok := to.audio()
	if !ok {
		e.t.Fatal("the offer names no audio")
	}
	for i := range 8 {
		volume := byte(10)
		if i >= 5 {
			volume |= 0x80
		}
		p := rtp.Packet{
			Header: rtp.Header{
				Version: 2, Marker: i == 0, PayloadType: 101, SSRC: uint32(e.hertz),
				SequenceNumber: uint16(65528 + i), Timestamp: 1<<32 - 1600,
			},
			Payload: []byte{code, volume, byte(min(i+1, 5) * 160 >> 8), byte(min(i+1, 5) * 160 & 0xff)},
		}
		data, err := p.Marshal()
		if err == nil {
			_, err = e.socket.WriteToUDPAddrPort(data, addr)
		}
		if err != nil {
			e.t.Fatal(err)
		}
		<-time.After(20 * time.Millisecond)
	}
}

// The group wants calls outside to be accepted: who answers hears for whom the
// call is, and the caller goes on hearing that it rings until 1 is pressed. A
// voicemail presses nothing; the caller never hears it, and the chain goes on.
func TestForwardingOutside_Confirmed(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		key      int // -1: none, it is a voicemail
		accepted bool
	}{"1": {1, true}, "another key": {2, false}, "voicemail": {-1, false}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			site := newSite(t)
			telephone := newCarrier(t, site, 1300, "carrier.xml")
			p := newPhone(t, site, "anna", 900, declines)
			s := newServer(t, site, outside(telephone, p, `rings: 4, extension: "600", forward_confirm: true, announce: {language: ru}`, "",
				"[agent, hangup]"))
			before := s.footprint()
			c := s.call("+48600100200", "+48221234567", 500)
			invite := telephone.wait("the carrier is called", request("INVITE"))
			telephone.id = invite.header("Call-ID")
			s.waitLog("asked to accept the call", "number", "+48601000002")
			prompt := newSpeech(t, "ru", append(append([]string{holdmusic.WordCallForGroup}, holdmusic.Digits("600")...), holdmusic.WordPressOne)...)
			var since time.Time
			eventually(t, "the telephone hears the words, which are said again and again", func() bool {
				now := time.Now()
				prompt.hear(samples(telephone.heard(since)))
				since = now
				return prompt.whole()
			})
			if test.key >= 0 {
				telephone.press(invite, byte(test.key))
			}
			addr, _ := invite.audio()
			telephone.speak(addr)
			story := []string{"arrived +48221234567", "offer anna", "outcome anna declined", "action agent", "offer +48601000002", "ringing"}
			if test.accepted {
				c.waitAnswered()
				c.waitTone("the caller hears the telephone", 1300, 300*time.Millisecond)
				telephone.waitTone("the telephone hears the caller", 500, 300*time.Millisecond)
				c.hangUp()
				c.waitOver()
				story = append(story, "outcome answered", "bridged", "ended forwarded_outside")
			} else {
				if err := <-c.over; err == nil {
					t.Error("the caller was connected")
				}
				if len(c.heard(time.Time{})) > 0 {
					t.Error("the caller heard something")
				}
				story = append(story, "outcome no_answer", "action hangup", "ended missed")
			}
			telephone.waitOver()
			s.wantStory("+48600100200", story...)
			s.waitFootprint(before)
		})
	}
}
