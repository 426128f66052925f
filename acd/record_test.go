package acd_test

import (
	"slices"
	"testing"

	"centrala/acd"
)

// TestRecord_ThroughTransfers: through a chain of transfers, blind and after asking, an
// interaction keeps its id, its arrival and every reason; each agent is charged for
// the time that they had it, and free afterwards. (R100, R101)
func TestRecord_ThroughTransfers(t *testing.T) {
	w := newWorld(t)
	w.apply(&acd.AgentOnline{Agent: "anna", Node: "n1"})
	w.apply(&acd.AgentOnline{Agent: "bartek", Node: "n1"})
	w.apply(&acd.CallArrived{Leg: "c", Node: "n1", To: "+481"})
	id, arrived := acd.InteractionID(w.index), w.at
	answers := func(leg, old acd.LegID) {
		w.apply(&acd.OfferAnswered{Offer: w.offer, Leg: leg, Node: "n1"})
		w.apply(&acd.Bridged{A: "c", B: leg})
		if old != "" {
			w.apply(&acd.LegEnded{Leg: old, Cause: acd.EndByUs})
		}
	}
	answers("a1", "")
	w.apply(&acd.TransferAsked{Leg: "a1", To: acd.Target{Agent: "bartek"}})
	answers("b1", "a1")
	w.apply(&acd.ConsultAsked{Leg: "b1", To: acd.Target{Agent: "anna"}})
	w.apply(&acd.OfferAnswered{Offer: w.offer, Leg: "a2", Node: "n1"})
	w.apply(&acd.ConsultDone{Leg: "b1", Connect: true})
	w.apply(&acd.Bridged{A: "c", B: "a2"})
	w.apply(&acd.LegEnded{Leg: "b1", Cause: acd.EndByUs})
	w.apply(&acd.TransferAsked{Leg: "a2", To: acd.Target{Group: "sales"}})
	w.apply(&acd.LegEnded{Leg: "a2", Cause: acd.EndByUs})
	answers("b2", "")
	w.apply(&acd.LegEnded{Leg: "c", Cause: acd.EndHangup})
	records := w.s.Ended()
	if len(records) != 1 {
		t.Fatalf("%d records", len(records))
	}
	r := records[0]
	if r.Interaction != id || r.Leg != "c" || !r.Arrived.Equal(arrived) || r.Agent != "bartek" || r.Omitted != 0 {
		t.Errorf("record %+v", r)
	}
	var had, kinds []string
	for i, x := range r.Stints {
		had = append(had, string(x.Agent))
		if x.To.Before(x.From) || i > 0 && x.From.Before(r.Stints[i-1].To) {
			t.Errorf("%s had it from %s to %s", x.Agent, x.From, x.To)
		}
	}
	if want := []string{"anna", "bartek", "anna", "bartek"}; !slices.Equal(had, want) {
		t.Errorf("had it: %v, want %v", had, want)
	}
	for _, st := range r.Steps {
		kinds = append(kinds, string(st.Kind))
	}
	want := []string{
		"arrived", "offer", "outcome", "bridged", "transfer", "kept", "offer", "outcome", "bridged",
		"consult", "outcome", "transfer", "transfer", "offer", "outcome", "bridged", "ended",
	}
	if !slices.Equal(kinds, want) {
		t.Errorf("steps\n%v, want\n%v", kinds, want)
	}
	w.apply(&acd.LegEnded{Leg: "b2", Cause: acd.EndByUs})
	for _, a := range w.s.Agents() {
		if a.Status != acd.Available || !a.CanTake {
			t.Errorf("%s is %s", a.ID, a.Status)
		}
	}
}
