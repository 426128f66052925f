package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// An agent whose phone is not registered, busy, declining or silent never blocks
// the queue: the call goes on to the next one.
func TestPhonesThatDoNotAnswer(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		does   reaction
		within time.Duration // after which the next phone must ring
		want   string        // the outcome that the story tells; empty: the agent was offered nothing
	}{
		"busy":     {isBusy, movesOnWithin, "busy"},
		"declines": {declines, movesOnWithin, "declined"},
		// Toll fraud: calls do not go where a phone sends them; that is refused as if the agent declined.
		"sends callers elsewhere": {sendsAway, movesOnWithin, "declined"},
		"silent":                  {isSilent, time.Second + movesOnWithin, "unreachable"},
		"mute":                    {ringsMute, time.Second + movesOnWithin, "unreachable"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			site := newSite(t)
			bad := newPhone(t, site, "bad", 1100, test.does)
			good := newPhone(t, site, "good", 900, picksUp)
			s := newServer(t, site, withPhones("in_order", "dial_limit: 1s", bad, good))
			c := s.call("+48600100200", "+48221234567", 500)
			began := bad.waitCall(1).at
			if took := good.waitCall(1).at.Sub(began); took > test.within {
				t.Errorf("the next phone rang after %v, want at most %v", took, test.within)
			}
			c.waitAnswered()
			c.waitTone("the caller hears the good phone", 900, 200*time.Millisecond)
			c.hangUp()
			c.waitOver()
			s.wantStory("+48600100200", "arrived +48221234567", "offer bad", "outcome bad "+test.want,
				"offer good", "outcome good answered", "bridged good", "ended good completed_by_caller")
		})
	}
	t.Run("unregistered", func(t *testing.T) {
		t.Parallel()
		site := newSite(t)
		good := newPhone(t, site, "good", 900, picksUp)
		groups := withPhones("in_order", "", good)
		groups = strings.Replace(groups, "agents:\n", "agents:\n  away: {sip_password: away-secret-1}\n", 1)
		groups = strings.Replace(groups, "[good]", "[away, good]", 1)
		s := newServer(t, site, groups)
		c := s.call("+48600100200", "+48221234567", 500)
		c.waitAnswered()
		c.waitTone("the caller hears the good phone", 900, 200*time.Millisecond)
		c.hangUp()
		c.waitOver()
		s.waitAgents("sales", "offline", 1)
		s.waitAgents("sales", "available", 1)
	})
}

// With nobody else to turn to, each of these phones is tried again, and a caller
// for whom nobody answers goes on hearing music, with others behind them.
func TestOnlyPhoneDoesNotAnswer(t *testing.T) {
	t.Parallel()
	for _, does := range []reaction{isBusy, declines, isSilent} {
		t.Run(fmt.Sprint(does), func(t *testing.T) {
			t.Parallel()
			site := newSite(t)
			anna := newPhone(t, site, "anna", 900, does)
			s := newServer(t, site, withPhones("evenly",
				"dial_limit: 1s, misses: 0, retry: {busy: 1s, declined: 1s, unreachable: 1s, no_answer: 1s}", anna))
			first := s.call("+48600100201", "+48221234567", 500)
			anna.waitCall(2)
			first.waitAnswered()
			first.waitTone("music", calmHertz, 200*time.Millisecond)
			second := s.call("+48600100202", "+48221234567", 700)
			second.waitAnswered()
			anna.does(picksUp)
			first.waitTone("the first caller hears the agent", 900, 200*time.Millisecond)
			second.waitTone("the second still hears music", calmHertz, 200*time.Millisecond)
			first.hangUp()
			first.waitOver()
			second.waitTone("then it is the second's turn", 900, 200*time.Millisecond)
			second.hangUp()
			second.waitOver()
		})
	}
}
