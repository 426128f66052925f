package e2e

import (
	"slices"
	"strings"
	"testing"
	"time"
)

const twoAgents = `
agents:
  anna: {sip_password: anna-secret-1}
  bartek: {sip_password: bartek-secret-1}
groups:
  sales: {agents: [anna, bartek], distribution: in_order, rings: 10, ring_length: 1s, wrap_up: 0s, hold_music: calm}
trunks:
  carrier: {from: [CARRIER]}
numbers:
  "+48 22 123 45 67": {trunk: carrier, group: sales}
`

// The process is killed while one agent talks, another one's phone rings and
// three callers wait. Started again, it knows who can be reached, offers none of
// the old calls a second time, and both agents get calls at once.
func TestKilledAndStartedAgain(t *testing.T) {
	t.Parallel()
	s := newServer(t, newSite(t), twoAgents)
	anna := s.softphone("anna", "anna-secret-1", "udp", "manual", 900)
	bartek := s.softphone("bartek", "bartek-secret-1", "udp", "manual", 1100)

	anna.serves(900)
	s.call("+48600100201", "+48221234567", 600).waitRinging()
	bartek.wait("rings", "CALL_INCOMING")
	old := []string{"+48600100200", "+48600100201"}
	for _, from := range []string{"+48600100202", "+48600100203", "+48600100204"} {
		c := s.call(from, "+48221234567", 700)
		c.waitAnswered()
		c.waitTone("music", calmHertz, 100*time.Millisecond)
		old = append(old, from)
	}
	s.waitWaiting("sales", 3)
	s.kill()
	offers := len(s.log("offer"))
	// The phones notice nothing of it by themselves: who used them hangs up.
	anna.hangUp()
	anna.wait("is free", "CALL_CLOSED")
	bartek.hangUp()
	bartek.wait("is free", "CALL_CLOSED")

	s.run()
	s.waitAgents("sales", "available", 2)
	s.waitWaiting("sales", 0)
	s.waitMetric(`centrala_interactions{group="sales"}`, 0)
	s.waitMetric("centrala_media_endpoints", 0)
	for i, from := range old {
		steps := s.story(from)
		if want := "ended"; i >= 2 && !strings.HasPrefix(steps[len(steps)-1], want) {
			t.Errorf("the story of %s, who waited, ends with %q", from, steps[len(steps)-1])
		}
		made := slices.DeleteFunc(steps, func(step string) bool { return !strings.HasPrefix(step, "offer") })
		if slices.Sort(made); len(slices.Compact(slices.Clone(made))) != len(made) {
			t.Errorf("%s was offered twice: %q", from, made)
		}
	}
	for _, line := range s.log("offer")[offers:] {
		t.Errorf("an offer was made again: %s", line.text)
	}

	// Nobody has registered anew; both are rung as before.
	one := s.call("+48600100205", "+48221234567", 500)
	anna.picksUp(2)
	one.waitAnswered()
	one.waitTone("the caller hears anna", 900, 200*time.Millisecond)
	two := s.call("+48600100206", "+48221234567", 600)
	bartek.waitNth("rings", "CALL_INCOMING", 2)
	bartek.accept()
	two.waitAnswered()
	two.waitTone("the caller hears bartek", 1100, 200*time.Millisecond)
	for _, c := range []*caller{one, two} {
		c.hangUp()
		c.waitOver()
	}
	s.waitAgents("sales", "available", 2)
	s.wantStory("+48600100205", "arrived +48221234567", "offer anna", "ringing anna", "outcome anna answered",
		"bridged anna", "ended anna completed_by_caller")
	s.stop()
}
