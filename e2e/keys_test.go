package e2e

import (
	"testing"
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
		x := newCrossed(t, "auto")
		x.anna.press("##102#")
		x.anna.wait("is free", "CALL_CLOSED")
		x.hears("bartek", 700)
		x.c.hangUp()
		x.over()
	})
	t.Run("after asking", func(t *testing.T) {
		t.Parallel()
		x := newCrossed(t, "auto")
		x.anna.press("*2102#")
		x.bartek.wait("answers", "CALL_ESTABLISHED")
		x.hears("music", calmHertz)
		x.anna.press("*1")
		x.hears("anna, who has turned to the caller", 900)
		x.anna.press("*1")
		x.hears("music, with anna back at bartek", calmHertz)
		x.anna.press("*3")
		x.anna.wait("is free", "CALL_CLOSED")
		x.hears("bartek", 700)
		x.c.hangUp()
		x.over()
	})
}
