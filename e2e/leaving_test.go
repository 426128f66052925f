package e2e

import (
	"slices"
	"testing"
	"time"
)

// stopsWithin is how soon a phone must stop ringing after its caller left: far more
// than it takes on an idle machine, far less than the phone would ring otherwise.
const stopsWithin = 15 * time.Second

func wantStopped(t *testing.T, took []time.Duration) {
	t.Helper()
	if slices.Sort(took); took[len(took)/2] > stopsWithin {
		t.Errorf("the phone rang for another %v", took)
	}
}

// Callers who hang up while they wait leave nothing behind.
func TestCallerLeavesWhileWaiting(t *testing.T) {
	t.Parallel()
	s := newServer(t, newSite(t), oneAgent)
	before := s.footprint()
	for range 5 {
		c := s.call("+48600100200", "+48221234567", 500)
		c.waitAnswered()
		c.waitTone("music", calmHertz, 100*time.Millisecond)
		c.hangUp()
		c.waitOver()
		s.waitWaiting("sales", 0)
		s.wantStory("+48600100200", "arrived +48221234567", "queued", "ended abandoned_waiting")
	}
	s.waitFootprint(before)
}

// Callers who hang up while a phone rings leave nothing behind and the phone
// stops ringing: those who heard it ring (CANCEL), and those who waited with
// music before (BYE).
func TestCallerLeavesWhileRinging(t *testing.T) {
	t.Parallel()
	t.Run("before the call is answered", func(t *testing.T) {
		t.Parallel()
		site := newSite(t)
		anna := newPhone(t, site, "anna", 900, rings)
		s := newServer(t, site, withPhones("evenly", "", anna))
		before := s.footprint()
		var took []time.Duration
		for i := range 5 {
			c := s.call("+48600100200", "+48221234567", 500)
			c.waitRinging() // said when the offer was made: the phone's own 180 may be on its way
			s.waitAgents("sales", "ringing", 1)
			left := c.hangUp()
			c.waitOver()
			took = append(took, anna.waitFor("CANCEL", i+1).at.Sub(left))
			s.waitAgents("sales", "available", 1)
			s.wantStory("+48600100200", "arrived +48221234567", "offer anna", "ringing anna",
				"outcome anna withdrawn", "ended abandoned_ringing")
		}
		s.waitFootprint(before)
		wantStopped(t, took)
	})
	t.Run("after music", func(t *testing.T) {
		t.Parallel()
		s := newServer(t, newSite(t), oneAgent)
		var took []time.Duration
		for range 3 {
			c := s.call("+48600100200", "+48221234567", 500)
			c.waitAnswered()
			anna := s.softphone("anna", "anna-secret-1", "tcp", "manual", 900)
			anna.wait("rings", "CALL_INCOMING")
			left := c.hangUp()
			c.waitOver()
			took = append(took, anna.wait("stops ringing", "CALL_CLOSED").at.Sub(left))
			s.waitAgents("sales", "available", 1)
			anna.end()
			s.waitAgents("sales", "offline", 1)
		}
		wantStopped(t, took)
		s.waitMetric("centrala_media_endpoints", 0)
		s.waitMetric("centrala_sip_legs", 0)
	})
}
