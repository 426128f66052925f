package e2e

import (
	"path/filepath"
	"testing"
	"time"

	"centrala/internal/journal/db"
)

// The agent puts the caller on hold: the caller hears the group's music and not
// the agent, the agent hears nobody. Resumed, both hear each other again, on the
// same streams (RFC 3264 section 8.4; R101 asks for no less during a consultation).
func TestHold(t *testing.T) {
	t.Parallel()
	s := newServer(t, newSite(t), oneAgent)
	s.stop()
	admin := s.administrator("")
	before := s.footprint()
	anna := s.softphone("anna", "anna-secret-1", "udp", "manual", 900)
	c := s.call("+48600100200", "+48221234567", 500)
	c.waitRinging()
	anna.picksUp(1)
	anna.wait("talks", "CALL_ESTABLISHED")
	c.waitTone("the caller hears the agent", 900, time.Second)
	for range 2 {
		anna.command("hold", "")
		c.waitTone("music while on hold", calmHertz, time.Second)
		c.wantOnly(500*time.Millisecond, calmHertz, 900, 500)
		anna.command("resume", "")
		c.waitTone("the caller hears the agent again", 900, time.Second)
		c.wantOnly(500*time.Millisecond, 900, calmHertz, 500)
	}
	s.waitAgents("sales", "talking", 1)
	wantAudio(t, admin)

	anna.command("hold", "")
	c.waitTone("music while on hold", calmHertz, 500*time.Millisecond)
	c.hangUp() // on hold
	c.waitOver()
	anna.wait("is hung up on", "CALL_CLOSED")
	s.waitAgents("sales", "available", 1)
	c.wantOneStream()
	s.waitFootprint(before)

	// The core was told each time, and it is in the record.
	s.wantStory("+48600100200",
		"arrived +48221234567", "offer anna", "ringing anna", "outcome anna answered", "bridged anna",
		"held anna", "resumed anna", "held anna", "resumed anna", "held anna", "ended anna completed_by_caller")
	s.stop()
	d, err := db.Open(t.Context(), db.Options{Source: db.SQLite, Dir: filepath.Join(s.dir, "data")})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	var rows, held, holds int64
	if err := d.Read().QueryRow("select count(*), sum(ended - began) from holds where kind = 'hold'").Scan(&rows, &held); err != nil {
		t.Fatal(err)
	}
	if err := d.Read().QueryRow("select holds from talks where held = $1", held).Scan(&holds); err != nil || rows != 3 || holds != 3 {
		t.Errorf("%d times on hold for %d µs in all, %d with the talk, %v", rows, held, holds, err)
	}
}

// wantAudio asks how the audio of the only call is: the agent is heard, and what they say goes to the caller, who is silent.
func wantAudio(t *testing.T, d *desk) {
	t.Helper()
	items := d.do("GET", "/interactions", nil, 200)["items"].([]any)
	if len(items) != 1 {
		t.Fatalf("%d calls", len(items))
	}
	id := items[0].(map[string]any)["id"].(string)
	legs := d.do("GET", "/interactions/"+id, nil, 200)["legs"].([]any)
	if len(legs) != 2 {
		t.Fatalf("%d legs: %v", len(legs), legs)
	}
	caller, agent := legs[0].(map[string]any), legs[1].(map[string]any)
	if sent := caller["out"].(map[string]any)["packets"].(float64); caller["agent"] != nil || caller["codec"] != "PCMA" || sent < 100 {
		t.Errorf("the caller's leg: %v", caller)
	}
	in := agent["in"].(map[string]any)
	if mos, _ := in["mos"].(float64); agent["agent"] != "anna" || agent["codec"] == nil || in["packets"].(float64) < 50 || mos < 1 || mos > 4.5 || in["lost"] == nil {
		t.Errorf("the agent's leg: %v", agent)
	}
}
