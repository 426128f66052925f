package acd_test

import (
	"fmt"
	"testing"
	"time"

	"centrala/acd"
	"centrala/queuegroups"

	"github.com/google/go-cmp/cmp"
)

// Whoever waits is told the same whether they are looked at alone or with all others: in lanes that
// wait for some of the same agents, or for none, with tiers and priorities.
func TestLookout_Expect(t *testing.T) {
	w := newWorld(t)
	skill := func(id queuegroups.SkillID) []queuegroups.Skill { return []queuegroups.Skill{{ID: id, Level: 1}} }
	w.apply(&acd.ConfigApplied{Config: &queuegroups.Config{
		Version: "lookout",
		Agents:  []queuegroups.Agent{{ID: "anna", Skills: skill("polish")}, {ID: "bartek", Skills: skill("german")}, {ID: "celina"}},
		Groups: []queuegroups.Group{{
			ID: "sales", Agents: []queuegroups.AgentID{"anna", "bartek"}, Distribution: queuegroups.InOrder, Rings: 4,
			Tiers: []queuegroups.Tier{{After: 100 * time.Second, Agents: []queuegroups.AgentID{"celina"}}},
		}},
		Numbers: []queuegroups.Number{{Number: "+481", Group: "sales", Needs: skill("polish")}, {Number: "+482", Group: "sales"}, {Number: "+483", Group: "sales", Needs: skill("german")}},
	}})
	for n := range 300 {
		w.apply(&acd.CallArrived{Leg: acd.LegID(fmt.Sprint("c", n)), Node: "n1", To: fmt.Sprint("+48", 1+n*7%3)})
		for {
			at, id, generation, ok := w.s.NextDeadline()
			if !ok || at.After(w.at) {
				break
			}
			w.apply(&acd.DeadlinePassed{Deadline: id, Generation: generation})
		}
	}
	for n, v := range w.s.Interactions() {
		if n%11 == 0 {
			w.apply(&acd.Prioritised{Interaction: v.ID, Credit: time.Duration(n) * time.Second, By: "boss"})
		}
	}
	look, most := w.s.Lookout(), 0
	for v := range w.s.Underway(0) {
		want, waits := w.s.Expect(v.ID, w.at)
		if got, ok := look.Expect(v.ID, w.at); got != want || ok != waits {
			t.Errorf("%d is told %+v, %v with the others, %+v, %v alone", v.ID, got, ok, want, waits)
		}
		most = max(most, want.Position)
	}
	if most != 299 { // of those who need no skill; others wait for half of them alone
		t.Errorf("the last is in place %d", most)
	}
}

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
