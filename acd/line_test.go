package acd_test

import (
	"fmt"
	"slices"
	"testing"

	"centrala/acd"
	"centrala/queuegroups"

	"github.com/google/go-cmp/cmp"
)

// lampLines are the lines of every agent and group as every agent sees them.
type lampLines map[string]string

// look notes what there is to see and returns whose lines are others than before.
func (l *lampLines) look(s *acd.State) (changed []string) {
	now := lampLines{}
	for i := range s.Config().Agents {
		watcher := s.Config().Agents[i].ID
		for _, a := range s.Config().Agents {
			lines, _ := s.AgentLines(a.ID, watcher)
			now[string(a.ID)] += fmt.Sprint(lines)
		}
		for _, g := range s.Config().Groups {
			lines, _ := s.GroupLines(g.ID, watcher)
			now[string(g.ID)] += fmt.Sprint(lines)
		}
	}
	for name, lines := range now {
		if (*l)[name] != lines {
			changed = append(changed, name)
		}
	}
	*l = now
	return changed
}

// untouched is somebody whose lines the last entry has changed without touching
// them; empty: nobody.
func (l *lampLines) untouched(s *acd.State) string {
	agents, groups := s.Touched()
	for _, name := range l.look(s) {
		if !slices.Contains(agents, queuegroups.AgentID(name)) && !slices.Contains(groups, queuegroups.GroupID(name)) {
			return name
		}
	}
	return ""
}

// lamps is a world whose lamps are looked at: anna and bartek share sales, which
// has pickup, bartek and celina share support, which has not.
type lamps struct {
	*world
	lines lampLines
}

func newLamps(t testing.TB) *lamps {
	l := &lamps{world: newWorld(t)}
	voice := queuegroups.Capacity{Voice: 2}
	l.apply(&acd.ConfigApplied{Config: &queuegroups.Config{
		Version: "lamps",
		Agents: []queuegroups.Agent{
			{ID: "anna", Extension: "101", Name: "Anna", Capacity: voice},
			{ID: "bartek", Extension: "102", Name: "Bartek", Capacity: voice},
			{ID: "celina", Extension: "103", Capacity: voice},
		},
		Groups: []queuegroups.Group{
			{ID: "sales", Extension: "600", Agents: []queuegroups.AgentID{"anna", "bartek"}, Distribution: queuegroups.InOrder, Pickup: true, Rings: 4},
			{ID: "support", Extension: "601", Agents: []queuegroups.AgentID{"bartek", "celina"}, Distribution: queuegroups.InOrder, Rings: 4},
		},
		Numbers: []queuegroups.Number{{Number: "+481", Group: "sales"}, {Number: "+482", Group: "support"}},
	}})
	for _, a := range []queuegroups.AgentID{"anna", "bartek", "celina"} {
		l.apply(&acd.AgentOnline{Agent: a, Node: "n1"})
	}
	l.lines.look(l.s)
	return l
}

// do applies the entries and checks each for changes that nobody was told of.
func (l *lamps) do(events ...acd.Event) {
	l.t.Helper()
	for _, e := range events {
		l.apply(e)
		if name := l.lines.untouched(l.s); name != "" {
			l.t.Errorf("after %T%+v: %s has changed and was not touched", e, e, name)
		}
	}
}

func (l *lamps) want(agent, watcher queuegroups.AgentID, want ...acd.Line) {
	l.t.Helper()
	got, ok := l.s.AgentLines(agent, watcher)
	if diff := cmp.Diff(want, got); diff != "" || !ok {
		l.t.Errorf("%s as %s sees it (-want +got):\n%s", agent, watcher, diff)
	}
}

func (l *lamps) wantGroup(group queuegroups.GroupID, watcher queuegroups.AgentID, want ...acd.Line) {
	l.t.Helper()
	got, ok := l.s.GroupLines(group, watcher)
	if diff := cmp.Diff(want, got); diff != "" || !ok {
		l.t.Errorf("%s as %s sees it (-want +got):\n%s", group, watcher, diff)
	}
}

func (l *lamps) wantPickup(id acd.InteractionID, by queuegroups.AgentID, want *acd.Claimed, in acd.Phase) {
	l.t.Helper()
	got, phase := l.s.PickupOf(id, by)
	if diff := cmp.Diff(want, got); diff != "" || phase != in {
		l.t.Errorf("%s picks up, %s, want %s (-want +got):\n%s", by, phase, in, diff)
	}
}

// A call of a group: who may pick it up sees who calls, others that it rings. (R93)
func TestLines_OfAGroupsCall(t *testing.T) {
	l := newLamps(t)
	jan := acd.Party{Number: "+48601", Name: "Jan"}
	l.want("anna", "bartek")
	l.do(&acd.CallArrived{Leg: "c", Node: "n1", From: jan, To: "+481"})
	id := l.s.Interactions()[0].ID
	l.want("anna", "bartek") // her phone does not ring yet
	l.wantGroup("sales", "bartek", acd.Line{Interaction: id, Rings: true, Pickup: true, With: jan})
	l.wantGroup("sales", "celina", acd.Line{Interaction: id, Rings: true})
	l.do(&acd.OfferRinging{Offer: l.offer})
	l.want("anna", "bartek", acd.Line{Interaction: id, Rings: true, Pickup: true, With: jan})
	l.want("anna", "celina", acd.Line{Interaction: id, Rings: true})
	l.wantPickup(id, "bartek", &acd.Claimed{Agent: "bartek", Kind: acd.ClaimInteraction, Interaction: id}, acd.PhaseOffered)
	l.wantPickup(id, "celina", nil, acd.PhaseOffered)
	l.want("anna", "anna", acd.Line{Interaction: id, Rings: true, With: jan}) // nobody picks up their own
	l.do(&acd.OfferAnswered{Offer: l.offer, Leg: "p", Node: "n1"})
	l.want("anna", "bartek", acd.Line{Interaction: id, With: jan})
	l.want("anna", "celina", acd.Line{Interaction: id})
	l.wantPickup(id, "bartek", nil, acd.PhaseConnecting)
	l.wantGroup("sales", "bartek", acd.Line{})
	l.do(&acd.LegEnded{Leg: "c", Cause: acd.EndHangup})
	l.want("anna", "bartek")
	l.wantGroup("sales", "bartek")
	l.wantPickup(id, "bartek", nil, "")
}

// Where the group has no pickup colleagues see that it rings and no more.
func TestLines_WithoutPickup(t *testing.T) {
	l := newLamps(t)
	l.do(&acd.CallArrived{Leg: "c", Node: "n1", From: acd.Party{Number: "+48601"}, To: "+482"})
	id := l.s.Interactions()[0].ID
	l.do(&acd.OfferRinging{Offer: l.offer})
	l.want("bartek", "celina", acd.Line{Interaction: id, Rings: true})
	l.wantGroup("support", "celina", acd.Line{Interaction: id, Rings: true})
	// Anna shares another group with Bartek: she may know who calls him, and not take it.
	l.want("bartek", "anna", acd.Line{Interaction: id, Rings: true, With: acd.Party{Number: "+48601"}})
}

// A call from a colleague to another, and what is claimed of it.
func TestLines_BetweenAgents(t *testing.T) {
	l := newLamps(t)
	bartek := acd.Party{Number: "102", Name: "Bartek"}
	l.do(&acd.CallArrived{Leg: "b", Node: "n1", Agent: "bartek", From: bartek, To: "101"})
	id := l.s.Interactions()[0].ID
	l.want("bartek", "anna", acd.Line{Interaction: id, Outgoing: true, Direct: true, With: acd.Party{Number: "101"}})
	l.do(&acd.OfferRinging{Offer: l.offer})
	l.want("anna", "bartek", acd.Line{Interaction: id, Rings: true, Direct: true, Pickup: true, With: bartek})
	l.want("anna", "celina", acd.Line{Interaction: id, Rings: true, Direct: true})
	l.wantPickup(id, "bartek", &acd.Claimed{Agent: "bartek", Kind: acd.ClaimAgent, From: "anna"}, acd.PhaseOffered)
	l.wantPickup(id, "anna", nil, acd.PhaseOffered)
	l.wantPickup(id, "celina", nil, acd.PhaseOffered)
	l.do(&acd.LegEnded{Leg: "b", Cause: acd.EndHangup})
	l.want("anna", "bartek")
	l.want("bartek", "anna")
}

// Of several that wait a group shows the first, and one that is claimed no more.
func TestLines_Waiting(t *testing.T) {
	l := newLamps(t)
	for _, a := range []queuegroups.AgentID{"anna", "bartek"} {
		l.do(&acd.DutySet{Agent: a, Duty: acd.DutyBreak})
	}
	one, two := acd.Party{Number: "+481111"}, acd.Party{Number: "+482222"}
	l.do(&acd.CallArrived{Leg: "c1", Node: "n1", From: one, To: "+481"}, &acd.CallArrived{Leg: "c2", Node: "n1", From: two, To: "+481"})
	first, second := l.s.Interactions()[0].ID, l.s.Interactions()[1].ID
	l.wantGroup("sales", "anna", acd.Line{Interaction: first, Rings: true, Pickup: true, With: one})
	l.do(&acd.Claimed{Agent: "anna", Leg: "x", Node: "n1", Kind: acd.ClaimInteraction, Interaction: first})
	l.wantGroup("sales", "anna", acd.Line{Interaction: second, Rings: true, Pickup: true, With: two})
	l.want("anna", "bartek", acd.Line{Interaction: first, With: one})
	l.do(&acd.LegEnded{Leg: "c2", Cause: acd.EndHangup})
	l.wantGroup("sales", "anna", acd.Line{})
}

// A consultation: the colleague sees who asks them, not the customer's call twice.
func TestLines_Consultation(t *testing.T) {
	l := newLamps(t)
	l.do(&acd.CallArrived{Leg: "c", Node: "n1", From: acd.Party{Number: "+48601"}, To: "+481"})
	l.do(&acd.OfferRinging{Offer: l.offer}, &acd.OfferAnswered{Offer: l.offer, Leg: "p", Node: "n1"}, &acd.Bridged{A: "c", B: "p"})
	id := l.s.Interactions()[0].ID
	anna := acd.Party{Number: "101", Name: "Anna"}
	l.do(&acd.ConsultAsked{Leg: "p", To: acd.Target{Agent: "bartek"}})
	l.do(&acd.OfferRinging{Offer: l.offer})
	l.want("bartek", "anna", acd.Line{Interaction: id, Rings: true, With: anna})
	l.do(&acd.OfferAnswered{Offer: l.offer, Leg: "q", Node: "n1"})
	l.want("bartek", "anna", acd.Line{Interaction: id, With: anna})
	l.do(&acd.ConsultDone{Leg: "p", Connect: true})
	l.want("bartek", "anna", acd.Line{Interaction: id, With: acd.Party{Number: "+48601"}})
	l.want("anna", "bartek")
}

// Nobody is there to be watched, or to watch.
func TestLines_Nobody(t *testing.T) {
	l := newLamps(t)
	for _, c := range [][2]queuegroups.AgentID{{"dora", "anna"}, {"anna", "dora"}} {
		if _, ok := l.s.AgentLines(c[0], c[1]); ok {
			t.Errorf("%v", c)
		}
	}
	for _, c := range []struct {
		g queuegroups.GroupID
		a queuegroups.AgentID
	}{{"none", "anna"}, {"sales", "dora"}} {
		if _, ok := l.s.GroupLines(c.g, c.a); ok {
			t.Errorf("%v", c)
		}
	}
}
