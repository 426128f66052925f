package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// movesOnWithin is how soon a call that an agent does not take rings the next
// one. It is far more than it takes: a busy machine must not fail a test.
const movesOnWithin = 10 * time.Second

// withPhones declares a group of phones with fixed addresses; settings are
// further ones of the group, as YAML in one line.
func withPhones(distribution, settings string, phones ...*phone) string {
	var agents, names strings.Builder
	for i, p := range phones {
		fmt.Fprintf(&agents, "  %s: {contact: %q}\n", p.name, p.contact())
		if i > 0 {
			names.WriteString(", ")
		}
		names.WriteString(p.name)
	}
	if settings != "" {
		settings = ", " + settings
	}
	return fmt.Sprintf(`
agents:
%sgroups:
  sales: {agents: [%s], distribution: %s, wrap_up: 0s, hold_music: calm%s}
trunks:
  carrier: {from: [CARRIER]}
numbers:
  "+48 22 123 45 67": {trunk: carrier, group: sales}
`, agents.String(), names.String(), distribution, settings)
}

// threePhones are phones named a, b and c.
func threePhones(t *testing.T, s *site, does reaction) []*phone {
	t.Helper()
	var phones []*phone
	for i, name := range []string{"a", "b", "c"} {
		phones = append(phones, newPhone(t, s, name, 900+200*i, does))
	}
	return phones
}

// whoAnswers lets a number of callers call and hang up one after the other, and
// tells which phones answered them.
func whoAnswers(t *testing.T, s *server, phones []*phone, calls int) (names []string) {
	t.Helper()
	for n := range calls {
		c := s.call(fmt.Sprintf("+48600100%03d", n), "+48221234567", 500)
		c.waitAnswered()
		talking := -1
		eventually(t, "an agent answers", func() bool {
			talking = slices.IndexFunc(phones, func(p *phone) bool { return p.talking() })
			return talking >= 0
		})
		p := phones[talking]
		c.waitTone("the caller hears "+p.name, float64(p.hertz), 100*time.Millisecond)
		p.waitTone(p.name+" hears the caller", 500, 100*time.Millisecond)
		c.hangUp()
		c.waitOver()
		eventually(t, p.name+" is hung up on", func() bool { return !p.talking() })
		s.waitAgents("sales", "available", len(phones))
		names = append(names, p.name)
	}
	return names
}

func TestDistribution(t *testing.T) {
	t.Parallel()
	for distribution, want := range map[string]string{
		"evenly":   "a b c a b c",
		"in_order": "a a a",
	} {
		t.Run(distribution, func(t *testing.T) {
			t.Parallel()
			site := newSite(t)
			phones := threePhones(t, site, picksUp)
			s := newServer(t, site, withPhones(distribution, "", phones...))
			got := strings.Join(whoAnswers(t, s, phones, len(strings.Fields(want))), " ")
			if got != want {
				t.Errorf("calls went to %s, want %s", got, want)
			}
		})
	}
	t.Run("all", func(t *testing.T) {
		t.Parallel()
		site := newSite(t)
		phones := threePhones(t, site, rings)
		s := newServer(t, site, withPhones("all", "", phones...))
		c := s.call("+48600100200", "+48221234567", 500)
		for _, p := range phones {
			p.waitCall(1)
		}
		phones[1].pickUp()
		c.waitAnswered()
		c.waitTone("the caller hears b", float64(phones[1].hertz), 200*time.Millisecond)
		for _, p := range []*phone{phones[0], phones[2]} {
			cancel := p.waitFor("CANCEL", 1)
			// RFC 3326: a phone that is told so lists no missed call.
			if reason := cancel.header("Reason"); !strings.Contains(reason, "SIP") || !strings.Contains(reason, "cause=200") {
				t.Errorf("%s is cancelled with Reason %q", p.name, reason)
			}
		}
		phones[1].hangUp()
		c.waitOver()
		s.waitAgents("sales", "available", 3)
	})
}

// With rings: 3 a call moves on to the next agent after three ring signals, and
// comes round to the first again.
func TestRingsMoveOn(t *testing.T) {
	t.Parallel()
	const ringLength = time.Second
	site := newSite(t)
	phones := threePhones(t, site, rings)
	s := newServer(t, site, withPhones("in_order",
		fmt.Sprintf("rings: 3, ring_length: %v, misses: 0, retry: {no_answer: 1s}", ringLength), phones...))
	c := s.call("+48600100200", "+48221234567", 500)
	for i, p := range phones {
		began := p.waitCall(1).at
		over := p.waitFor("CANCEL", 1).at
		if rang := over.Sub(began); rang < 2*ringLength || rang > 3*ringLength+movesOnWithin {
			t.Errorf("%s rang for %v, want 3 × %v", p.name, rang, ringLength)
		}
		next := phones[(i+1)%len(phones)]
		if gap := next.waitCall(1 + (i+1)/len(phones)).at.Sub(over); gap > movesOnWithin {
			t.Errorf("%v passed between %s and %s", gap, p.name, next.name)
		}
		for _, other := range phones {
			if other != p && other != next && other.ringing() {
				t.Errorf("%s rings as well", other.name)
			}
		}
	}
	phones[0].pickUp()
	c.waitAnswered()
	c.waitTone("the caller hears a", float64(phones[0].hertz), 200*time.Millisecond)
	c.hangUp()
	c.waitOver()
}

// Two phones that answer in the same millisecond: one gets the call, the other
// is ended in good order, and the caller and the agent hear each other.
func TestTwoAnswerAtOnce(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	phones := threePhones(t, site, rings)
	s := newServer(t, site, withPhones("all", "", phones...))
	before := s.footprint()
	const rounds = 10
	for round := range rounds {
		c := s.call(fmt.Sprintf("+48600100%03d", round), "+48221234567", 500)
		for _, p := range phones {
			p.waitCall(round + 1)
		}
		c.waitRinging()
		winner, loser := phones[round%3], phones[(round+1)%3]
		byes := []int{len(winner.got("BYE")), len(loser.got("BYE"))}
		pickUpAtOnce(winner, loser)
		c.waitAnswered()
		// Both 200s are acknowledged; who lost the race is hung up on.
		eventually(t, "one of the two is ended", func() bool {
			if len(winner.got("BYE")) > byes[0] {
				winner, loser = loser, winner
				return true
			}
			return len(loser.got("BYE")) > byes[1]
		})
		c.waitTone("the caller hears "+winner.name, float64(winner.hertz), 300*time.Millisecond)
		winner.waitTone(winner.name+" hears the caller", 500, 200*time.Millisecond)
		c.wantOnly(200*time.Millisecond, float64(winner.hertz), float64(loser.hertz), calmHertz)
		if !winner.talking() || loser.talking() {
			t.Fatalf("round %d: %s talks: %v, %s talks: %v", round, winner.name, winner.talking(), loser.name, loser.talking())
		}
		winner.hangUp()
		c.waitOver()
		s.waitAgents("sales", "available", 3)
	}
	s.waitFootprint(before)
	m := s.metrics()
	if got := m["centrala_bridges_total"]; got != rounds {
		t.Errorf("%v calls were connected, want %d", got, rounds)
	}
	if m[`centrala_offers_total{outcome="answered"}`] != rounds {
		t.Errorf("%v offers were answered, want %d", m[`centrala_offers_total{outcome="answered"}`], rounds)
	}
}
