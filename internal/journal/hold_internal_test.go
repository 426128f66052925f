package journal

import (
	"testing"
	"time"

	"centrala/acd"
	"centrala/queuegroups"

	"github.com/google/go-cmp/cmp"
)

// story has a book follow events, each a second after the one before, and returns
// the rows.
func story(s *acd.State, events ...acd.Event) Rows {
	b := newBook()
	for _, e := range events {
		at := time.Date(2026, 11, 2, 9, 0, int(s.Index()), 0, time.UTC)
		b.apply(s, acd.Entry{Index: s.Index() + 1, At: at, Event: e})
	}
	return b.take()
}

// Each time that an agent holds the customer is a row, and their sum stands with
// the talk; that the customer holds the agent is told, and counted nowhere. Who
// hands the customer over holds them no longer.
func TestBook_Holds(t *testing.T) {
	s := acd.NewState()
	offer := func(index uint64) acd.OfferID { return acd.OfferID(index<<16 | 1) }
	c := &queuegroups.Config{
		Agents: []queuegroups.Agent{{ID: "anna", Capacity: queuegroups.Capacity{Voice: 1}}, {ID: "bartek", Capacity: queuegroups.Capacity{Voice: 1}}},
		Groups: []queuegroups.Group{{
			ID: "sales", Agents: []queuegroups.AgentID{"anna"}, Distribution: queuegroups.InOrder, Rings: 6, RingLength: 5 * time.Second,
			NoAnswer: []queuegroups.Action{{Kind: queuegroups.ActionHangup}}, DialLimit: time.Minute,
		}},
		Numbers: []queuegroups.Number{{Number: "+4822", Group: "sales"}},
	}
	rows := story(s,
		&acd.ConfigApplied{Config: c}, &acd.AgentOnline{Agent: "anna", Node: "n1"}, &acd.AgentOnline{Agent: "bartek", Node: "n1"},
		&acd.CallArrived{Leg: "c", Node: "n1", To: "+4822"}, // 4: 09:00:03
		&acd.OfferAnswered{Offer: offer(4), Leg: "a", Node: "n1"}, &acd.Bridged{A: "c", B: "a"},
		&acd.Held{Leg: "a", On: true}, &acd.Held{Leg: "c", On: true}, &acd.Held{Leg: "a"}, &acd.Held{Leg: "c"}, // 7 to 10
		&acd.Held{Leg: "a", On: true}, &acd.Held{Leg: "a", On: true}, &acd.Held{Leg: "a", On: true}, // 11 to 13
		&acd.TransferAsked{Leg: "a", To: acd.Target{Agent: "bartek"}}, // 14: 09:00:13
		&acd.LegEnded{Leg: "a", Cause: acd.EndByUs},
		&acd.OfferAnswered{Offer: offer(14), Leg: "b", Node: "n1"}, &acd.Bridged{A: "c", B: "b"},
		&acd.Held{Leg: "b", On: true}, &acd.LegEnded{Leg: "c", Cause: acd.EndHangup}, // 18, 19
	)
	at := func(second int) Micros { return MicrosOf(time.Date(2026, 11, 2, 9, 0, second, 0, time.UTC)) }
	want := []Hold{
		{Interaction: 4, N: 1, Talk: 1, Kind: HoldHold, Began: at(6), Ended: at(8)},
		{Interaction: 4, N: 2, Talk: 1, Kind: HoldHold, Began: at(10), Ended: at(13)},
		{Interaction: 4, N: 3, Talk: 2, Kind: HoldHold, Began: at(17), Ended: at(18)},
	}
	if diff := cmp.Diff(want, rows.Holds); diff != "" {
		t.Errorf("holds (-want +got):\n%s", diff)
	}
	if len(rows.Talks) != 2 || rows.Talks[0].Held != 5_000_000 || rows.Talks[0].Holds != 2 || rows.Talks[1].Held != 1_000_000 || rows.Talks[1].Holds != 1 {
		t.Errorf("talks %+v", rows.Talks)
	}
	var told []string
	for _, e := range rows.Events {
		if e.Type == "call.held" || e.Type == "call.resumed" {
			told = append(told, e.Type+" "+string(e.Agent))
		}
	}
	if diff := cmp.Diff([]string{
		"call.held anna", "call.held ", "call.resumed anna", "call.resumed ", "call.held anna", "call.held bartek",
	}, told); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}
