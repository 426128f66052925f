package e2e

import (
	"fmt"
	"testing"
	"time"
)

// The peers themselves, without a server between them: if this fails, so does
// everything, and the server is not to blame.
func TestPeersHearEachOther(t *testing.T) {
	t.Parallel()
	for _, answer := range []string{"auto", "manual"} {
		t.Run(answer, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			p := newSoftphone(t, s, "anna", 900, "<sip:anna@127.0.0.1>;regint=0;audio_codecs=PCMA,PCMU;answermode="+answer)
			c := callTo(t, s.carrierHost(), p.addr, "+48600100200", "anna", 500)
			if answer == "manual" {
				p.wait("rings", "CALL_INCOMING")
				c.waitRinging()
				p.accept()
			}
			c.waitAnswered()
			p.wait("talks", "CALL_ESTABLISHED")
			c.waitTone("the caller hears the phone", 900, 500*time.Millisecond)
			c.wantOnly(400*time.Millisecond, 900, 500, calmHertz)
			if answer == "manual" {
				p.hangUp()
			} else {
				c.hangUp()
			}
			c.waitOver()
			p.wait("is free", "CALL_CLOSED")
			heard := p.recordings()
			if len(heard) != 1 {
				t.Fatalf("%d recordings", len(heard))
			}
			wantOnly(t, heard[0], 8000, 500, 900, calmHertz)
		})
	}
}

func TestCallerCancels(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p := newSoftphone(t, s, "anna", 900, "<sip:anna@127.0.0.1>;regint=0;answermode=manual")
	c := callTo(t, s.carrierHost(), p.addr, "+48600100200", "anna", 500)
	c.waitRinging()
	c.hangUp()
	c.waitOver()
	p.wait("stops ringing", "CALL_CLOSED")
}

func TestOwnPhone(t *testing.T) {
	t.Parallel()
	for name, does := range map[string]reaction{"rings": rings, "at once": picksUp} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			p := newPhone(t, s, "anna", 900, does)
			c := callTo(t, s.carrierHost(), p.sipAddr(), "+48600100200", "anna", 500)
			if does == rings {
				c.waitRinging()
				p.pickUp()
			}
			c.waitAnswered()
			p.waitFor("ACK", 1)
			c.waitTone("the caller hears the phone", 900, 200*time.Millisecond)
			p.waitTone("the phone hears the caller", 500, 200*time.Millisecond)
			c.wantOneStream()
			p.hangUp()
			c.waitOver()
		})
	}
	t.Run("cancelled", func(t *testing.T) {
		t.Parallel()
		s := newSite(t)
		p := newPhone(t, s, "anna", 900, rings)
		c := callTo(t, s.carrierHost(), p.sipAddr(), "+48600100200", "anna", 500)
		c.waitRinging()
		c.hangUp()
		c.waitOver()
		p.waitFor("CANCEL", 1)
	})
	for _, does := range []reaction{isBusy, declines} {
		t.Run(fmt.Sprint(does), func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			p := newPhone(t, s, "anna", 900, does)
			c := callTo(t, s.carrierHost(), p.sipAddr(), "+48600100200", "anna", 500)
			p.waitFor("ACK", 1)
			if err := <-c.over; err == nil {
				t.Error("the caller was not refused")
			}
		})
	}
}
