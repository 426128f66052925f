package app

import (
	"fmt"
	"testing"
	"time"

	"centrala/acd"
	"centrala/chat"
	"centrala/chat/widget"
	"centrala/queuegroups"
)

// Of many sessions each is told how it stands itself, and of those that the core does not know nothing is told.
func TestStanding_Many(t *testing.T) {
	s, at := acd.NewState(), time.Unix(1_700_000_000, 0)
	apply := func(e acd.Event) {
		s.Apply(acd.Entry{Index: s.Index() + 1, At: at, Event: e})
	}
	apply(&acd.ConfigApplied{Config: &queuegroups.Config{
		Agents:  []queuegroups.Agent{{ID: "anna"}},
		Groups:  []queuegroups.Group{{ID: "sales", Agents: []queuegroups.AgentID{"anna"}, Distribution: queuegroups.InOrder}},
		Numbers: []queuegroups.Number{{Number: "+481", Group: "sales"}},
	}})
	const known = standingAtOnce + 50
	var ids []chat.SessionID
	for n := range known {
		id := fmt.Sprint("s", n)
		apply(&acd.CallArrived{Leg: acd.LegID(id), Node: "n1", To: "+481"})
		ids = append(ids, chat.SessionID(id), "nobody's")
	}
	c, told := &chats{facts: func(f func(*acd.State)) { f(s) }}, 0
	c.standing(ids, func(n int, x widget.Standing) {
		if told++; n%2 != 0 || x.Phase != widget.PhaseWaiting || x.Position != n/2+1 {
			t.Errorf("session %d of the list is told %+v", n, x)
		}
	})
	if told != known {
		t.Errorf("%d were told, of %d that are there", told, known)
	}
}
