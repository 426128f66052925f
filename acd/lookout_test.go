package acd_test

import (
	"testing"
	"time"

	"centrala/acd"
	"centrala/queuegroups"

	"github.com/google/go-cmp/cmp"
)

// Who waits is told what keeps each agent who could take it: those without the skill, and of tiers that
// are not open yet, are not counted; and what was decided about it last.
func TestLookout(t *testing.T) {
	w := newWorld(t)
	polish := []queuegroups.Skill{{ID: "polish", Level: 2}}
	w.apply(&acd.ConfigApplied{Config: &queuegroups.Config{
		Version: "lookout",
		Agents: []queuegroups.Agent{
			{ID: "anna", Skills: []queuegroups.Skill{{ID: "polish", Level: 3}}}, {ID: "bartek"}, {ID: "celina", Skills: polish}, {ID: "dorota", Skills: polish}, {ID: "ewa"},
		},
		Groups: []queuegroups.Group{{
			ID: "sales", Agents: []queuegroups.AgentID{"anna", "bartek", "celina", "ewa"}, Distribution: queuegroups.InOrder, Rings: 4,
			Tiers: []queuegroups.Tier{{After: time.Hour, Agents: []queuegroups.AgentID{"dorota"}}},
		}},
		Numbers: []queuegroups.Number{{Number: "+481", Group: "sales", Needs: polish}, {Number: "+482", Group: "sales"}},
	}})
	for _, a := range []queuegroups.AgentID{"anna", "bartek", "celina", "dorota", "ewa"} { // ewa may have nothing at once
		w.apply(&acd.AgentOnline{Agent: a, Node: "n1"})
	}
	w.apply(&acd.DutySet{Agent: "anna", Duty: acd.DutyBreak})
	w.apply(&acd.SeatSet{Agent: "bartek", Group: "sales", State: acd.SeatOut})
	w.apply(&acd.SeatSet{Agent: "celina", Group: "sales", State: acd.SeatPaused})
	for _, to := range []string{"+481", "+481", "+482"} {
		w.apply(&acd.CallArrived{Leg: acd.LegID("c" + to), Node: "n1", To: to})
		w.apply(&acd.CallArrived{Leg: acd.LegID("d" + to), Node: "n1", To: to})
	}
	calls := w.s.Interactions()
	w.apply(&acd.Prioritised{Interaction: calls[1].ID, Credit: time.Minute, By: "boss"})
	look := w.s.Lookout()
	want := func(id acd.InteractionID, needs string, agents map[string]int) acd.Waits {
		t.Helper()
		got, ok := look.Of(id)
		if diff := cmp.Diff(agents, got.Agents); diff != "" || !ok || got.Needs != needs {
			t.Errorf("%d waits for %+v (-want +got):\n%s", id, got, diff)
		}
		return got
	}
	skilled := map[string]int{"on_break": 1, "paused": 1}
	first, second := want(calls[0].ID, "polish>=2", skilled), want(calls[1].ID, "polish>=2", skilled)
	if first.For != second.For {
		t.Errorf("%q and %q are the same agents", first.For, second.For)
	}
	if first.Last.Kind != "" || second.Last.Kind != acd.StepPriority {
		t.Errorf("decided were %+v and %+v", first.Last, second.Last)
	}
	third := want(calls[len(calls)-1].ID, "", map[string]int{"on_break": 1, "logged_out": 1, "paused": 1, "full": 1})
	if third.For == first.For {
		t.Error("those who need a skill wait for the same as those who need none")
	}
	if _, ok := look.Of(12345); ok {
		t.Error("what is not there waits")
	}
}
