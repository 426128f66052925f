package e2e

import (
	"testing"
	"time"
)

// press has the phone send keys, by telephone-events (RFC 4733).
func (p *softphone) press(keys string) {
	p.t.Helper()
	for _, key := range keys {
		p.command("sndcode", string(key))
	}
}

// An agent transfers by keys: blindly, and after asking a colleague, to whom she
// turns from the caller and back before she connects the two (R100, R101).
func TestTransferByKeys(t *testing.T) {
	t.Parallel()
	t.Run("blindly", func(t *testing.T) {
		t.Parallel()
		s := newServer(t, newSite(t), office)
		before := s.footprint()
		anna := s.softphone("anna", "anna-secret-1", "udp", "auto", 900)
		bartek := s.softphone("bartek", "bartek-secret-1", "udp", "auto", 700)
		c := s.call("+48600100200", "+48221234567", 500)
		c.waitAnswered()
		c.waitTone("the caller hears anna", 900, 200*time.Millisecond)
		anna.press("##102#")
		anna.wait("is free", "CALL_CLOSED")
		c.waitTone("the caller hears bartek", 700, 500*time.Millisecond)
		c.hangUp()
		c.waitOver()
		bartek.wait("hangs up", "CALL_CLOSED")
		s.waitFootprint(before)
	})
	t.Run("after asking", func(t *testing.T) {
		t.Parallel()
		s := newServer(t, newSite(t), office)
		before := s.footprint()
		anna := s.softphone("anna", "anna-secret-1", "udp", "auto", 900)
		bartek := s.softphone("bartek", "bartek-secret-1", "udp", "auto", 700)
		c := s.call("+48600100200", "+48221234567", 500)
		c.waitAnswered()
		c.waitTone("the caller hears anna", 900, 200*time.Millisecond)
		anna.press("*2102#")
		bartek.wait("answers", "CALL_ESTABLISHED")
		c.waitTone("music while anna asks", calmHertz, 500*time.Millisecond)
		anna.press("*1")
		c.waitTone("anna has turned to the caller", 900, 300*time.Millisecond)
		anna.press("*1")
		c.waitTone("and back to bartek", calmHertz, 300*time.Millisecond)
		anna.press("*3")
		anna.wait("is free", "CALL_CLOSED")
		c.waitTone("the caller hears bartek", 700, 500*time.Millisecond)
		c.wantOnly(300*time.Millisecond, 700, calmHertz, 900, 500)
		c.hangUp()
		c.waitOver()
		bartek.wait("hangs up", "CALL_CLOSED")
		s.waitFootprint(before)
	})
}
