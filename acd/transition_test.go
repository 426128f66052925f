package acd_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"centrala/acd"
	"centrala/queuegroups"
)

// world is a small one for tests that are no scripts: anna and bartek serve
// sales in order; every entry comes a second after the one before.
type world struct {
	t     testing.TB
	s     *acd.State
	index uint64
	at    time.Time
	last  []acd.Command
	offer acd.OfferID // the latest
}

func newWorld(t testing.TB) *world {
	w := &world{t: t, s: acd.NewState(), at: time.Unix(1_700_000_000, 0)}
	w.apply(&acd.ConfigApplied{Config: &queuegroups.Config{
		Agents: []queuegroups.Agent{
			{ID: "anna", Capacity: queuegroups.Capacity{Voice: 1}},
			{ID: "bartek", Capacity: queuegroups.Capacity{Voice: 1}},
		},
		Groups:  []queuegroups.Group{{ID: "sales", Agents: []queuegroups.AgentID{"anna", "bartek"}, Distribution: queuegroups.InOrder}},
		Numbers: []queuegroups.Number{{Number: "+481", Group: "sales"}},
	}})
	return w
}

func (w *world) apply(e acd.Event) {
	w.t.Helper()
	w.index++
	w.at = w.at.Add(time.Second)
	w.last = w.s.Apply(acd.Entry{Index: w.index, At: w.at, Event: e})
	for _, c := range w.last {
		if ring, ok := c.(*acd.Ring); ok {
			w.offer = ring.Offer
		}
	}
	if err := w.s.Check(); err != nil {
		w.t.Fatalf("after %T %+v: %v", e, e, err)
	}
}

// phase of the only interaction; "gone" when there is none.
func (w *world) phase() string {
	list := w.s.Interactions()
	if len(list) == 0 {
		return "gone"
	}
	return string(list[0].Phase)
}

func (w *world) commands() string {
	var names []string
	for _, c := range w.last {
		names = append(names, strings.ToLower(strings.TrimPrefix(fmt.Sprintf("%T", c), "*acd.")))
	}
	return strings.Join(names, " ")
}

// enter brings a fresh world to a phase.
func enter(t testing.TB, phase string) *world {
	w := newWorld(t)
	arrived := &acd.CallArrived{Leg: "c", Node: "n1", To: "+481"}
	online := &acd.AgentOnline{Agent: "anna", Node: "n1"}
	switch phase {
	case "none":
	case "queued":
		w.apply(arrived)
	case "waiting":
		w.apply(arrived)
		w.apply(&acd.LegAnswered{Leg: "c"})
	default:
		w.apply(online)
		w.apply(arrived)
	}
	steps := []string{"offered", "ringing", "connecting", "talking", "ended"}
	n := slices.Index(steps, phase)
	if n >= 1 {
		w.apply(&acd.OfferRinging{Offer: w.offer})
	}
	if n >= 2 {
		w.apply(&acd.OfferAnswered{Offer: w.offer, Leg: "a", Node: "n1"})
	}
	if n >= 3 {
		w.apply(&acd.Bridged{A: "c", B: "a"})
	}
	if n >= 4 {
		w.apply(&acd.LegEnded{Leg: "c", Cause: acd.EndHangup})
	}
	return w
}

// TestTransitions is the table of what each fact does in each phase. "late" means
// that it changes nothing but the counter.
func TestTransitions(t *testing.T) {
	facts := map[string]func(w *world) acd.Event{
		"arrived again":   func(*world) acd.Event { return &acd.CallArrived{Leg: "c", Node: "n1", To: "+481"} },
		"caller answered": func(*world) acd.Event { return &acd.LegAnswered{Leg: "c"} },
		"agent answered":  func(*world) acd.Event { return &acd.LegAnswered{Leg: "a"} },
		"ringing":         func(w *world) acd.Event { return &acd.OfferRinging{Offer: w.offer} },
		"accepted":        func(w *world) acd.Event { return &acd.OfferAnswered{Offer: w.offer, Leg: "b", Node: "n1"} },
		"accepted twice":  func(w *world) acd.Event { return &acd.OfferAnswered{Offer: w.offer, Leg: "a", Node: "n1"} },
		"failed":          func(w *world) acd.Event { return &acd.OfferFailed{Offer: w.offer, Class: acd.FailBusy} },
		"bridged":         func(*world) acd.Event { return &acd.Bridged{A: "c", B: "a"} },
		"bridged wrongly": func(*world) acd.Event { return &acd.Bridged{A: "a", B: "c"} },
		"caller gone":     func(*world) acd.Event { return &acd.LegEnded{Leg: "c", Cause: acd.EndHangup} },
		"agent gone":      func(*world) acd.Event { return &acd.LegEnded{Leg: "a", Cause: acd.EndHangup} },
		"node lost":       func(*world) acd.Event { return &acd.NodeLost{Node: "n1"} },
		"other node lost": func(*world) acd.Event { return &acd.NodeLost{Node: "n2"} },
		"agent offline":   func(*world) acd.Event { return &acd.AgentOffline{Agent: "anna", Node: "n1"} },
	}
	// phase → fact → "phase after: commands"; a fact not named is late.
	table := map[string]map[string]string{
		"none": {
			"arrived again":   "queued: answer play",
			"accepted":        "gone, late: endleg",
			"accepted twice":  "gone, late: endleg",
			"node lost":       "gone: ",
			"other node lost": "gone: ",
		},
		"queued": {
			"caller answered": "queued: ",
			"accepted":        "queued, late: endleg",
			"accepted twice":  "queued, late: endleg",
			"caller gone":     "gone: ",
			"node lost":       "gone: ",
			"other node lost": "queued: ",
		},
		"waiting": {
			"accepted":        "queued, late: endleg",
			"accepted twice":  "queued, late: endleg",
			"caller gone":     "gone: ",
			"node lost":       "gone: ",
			"other node lost": "queued: ",
		},
		"offered": {
			"ringing":         "offered: ",
			"accepted":        "connecting: bridge",
			"accepted twice":  "connecting: bridge",
			"failed":          "queued: answer play",
			"caller gone":     "gone: cancelring",
			"node lost":       "gone: ",
			"other node lost": "offered: ",
			"agent offline":   "queued: cancelring answer play",
		},
		"ringing": {
			"accepted":        "connecting: bridge",
			"accepted twice":  "connecting: bridge",
			"failed":          "queued: answer play",
			"caller gone":     "gone: cancelring",
			"node lost":       "gone: ",
			"other node lost": "ringing: ",
			"agent offline":   "queued: cancelring answer play",
		},
		"connecting": {
			"caller answered": "connecting: ",
			"accepted":        "connecting, late: endleg", // her second phone
			"bridged":         "talking: ",
			"caller gone":     "gone: endleg",
			"agent gone":      "queued: answer play",
			"node lost":       "gone: ",
			"other node lost": "connecting: ",
			"agent offline":   "connecting: ",
		},
		"talking": {
			"accepted":        "talking, late: endleg",
			"caller gone":     "gone: endleg",
			"agent gone":      "gone: endleg",
			"node lost":       "gone: ",
			"other node lost": "talking: ",
			"agent offline":   "talking: ",
		},
		"ended": {
			"arrived again":   "queued: answer play",
			"accepted":        "gone, late: endleg",
			"agent gone":      "gone: ",
			"node lost":       "gone: ",
			"other node lost": "gone: ",
			"agent offline":   "gone: ",
		},
	}
	for phase, row := range table {
		for fact, make := range facts {
			t.Run(fmt.Sprintf("%s->%s", phase, fact), func(t *testing.T) {
				w := enter(t, phase)
				before := w.s.Counters().Late
				was := w.phase()
				w.apply(make(w))
				got := w.phase()
				late := w.s.Counters().Late > before
				want, legal := row[fact]
				if !legal { // (invalid)
					want = was + ", late: "
				}
				want = strings.Replace(want, "ringing", "offered", 1)
				if late {
					got += ", late"
				}
				if got += ": " + w.commands(); got != want {
					t.Errorf("got %q, want %q", got, want)
				}
			})
		}
	}
}

// TestApply_SameIndex: an entry applied twice counts once.
func TestApply_SameIndex(t *testing.T) {
	w := enter(t, "queued")
	e := acd.Entry{Index: w.index, At: w.at, Event: &acd.CallArrived{Leg: "d", Node: "n1", To: "+481"}}
	if c := w.s.Apply(e); len(c) != 0 || len(w.s.Interactions()) != 1 {
		t.Errorf("applied again: %v", c)
	}
}

// TestApply_TimeNeverGoesBack: a node whose clock is behind cannot turn time back.
func TestApply_TimeNeverGoesBack(t *testing.T) {
	w := enter(t, "queued")
	now := w.s.Now()
	w.at = w.at.Add(-time.Hour)
	w.apply(&acd.LegAnswered{Leg: "c"})
	if !w.s.Now().Equal(now) {
		t.Errorf("the time went from %s to %s", now, w.s.Now())
	}
}

// TestRecord: an ended interaction leaves its whole story.
func TestRecord(t *testing.T) {
	w := enter(t, "talking")
	w.apply(&acd.LegEnded{Leg: "a", Cause: acd.EndHangup})
	records := w.s.Ended()
	if len(records) != 1 {
		t.Fatalf("%d records", len(records))
	}
	r := records[0]
	if r.End != acd.CompletedByAgent || r.Agent != "anna" || r.Group != "sales" || r.Leg != "c" ||
		!r.Ended.Equal(w.at) || r.Answered.IsZero() || !r.Arrived.Before(r.Answered) {
		t.Errorf("record %+v", r)
	}
	var kinds []acd.StepKind
	for _, st := range r.Steps {
		kinds = append(kinds, st.Kind)
	}
	want := []acd.StepKind{acd.StepArrived, acd.StepOffer, acd.StepRinging, acd.StepOutcome, acd.StepBridged, acd.StepEnded}
	if !slices.Equal(kinds, want) {
		t.Errorf("steps %v, want %v", kinds, want)
	}
}

// TestTrail_Bounded: a caller whom nobody answers for a day does not fill the memory.
func TestTrail_Bounded(t *testing.T) {
	w := enter(t, "offered")
	for range 300 {
		w.apply(&acd.OfferFailed{Offer: w.offer, Class: acd.FailBusy})
		for !strings.Contains(w.commands(), "ring") {
			_, id, generation, ok := w.s.NextDeadline()
			if !ok {
				t.Fatal("nothing will ever happen again")
			}
			w.apply(&acd.DeadlinePassed{Deadline: id, Generation: generation})
		}
	}
	i := w.s.Interactions()[0]
	if len(i.Steps) > 64 || i.Omitted < 500 || i.Steps[0].Kind != acd.StepArrived {
		t.Errorf("%d steps, %d omitted, first %s", len(i.Steps), i.Omitted, i.Steps[0].Kind)
	}
}
