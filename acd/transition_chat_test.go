package acd_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"centrala/acd"
	"centrala/queuegroups"

	"github.com/google/go-cmp/cmp"
)

// newChatWorld: anna and bartek serve the channel in order, anna is at her desk
// and bartek is not; a closed chat awaits its rating. It is Monday, 9:00 UTC.
func newChatWorld(t testing.TB, away, closed bool) *world {
	w := &world{t: t, s: acd.NewState(), at: time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)}
	c := &queuegroups.Config{
		Agents: []queuegroups.Agent{
			{ID: "anna", Capacity: queuegroups.Capacity{Voice: 1, Chat: 1}},
			{ID: "bartek", Capacity: queuegroups.Capacity{Voice: 1, Chat: 1}},
		},
		Groups: []queuegroups.Group{{ID: "sales", Agents: []queuegroups.AgentID{"anna"}, Distribution: queuegroups.InOrder}},
		Channels: []queuegroups.Channel{
			{
				ID: "website", Agents: []queuegroups.AgentID{"anna", "bartek"}, Distribution: queuegroups.InOrder,
				CloseDelay: time.Hour, Hours: "office",
			},
			{ID: "mail", Agents: []queuegroups.AgentID{"bartek"}, Distribution: queuegroups.InOrder},
		},
		Hours: []queuegroups.Hours{{ID: "office", TimeZone: "UTC"}},
	}
	if !closed {
		for day := range c.Hours[0].Week {
			c.Hours[0].Week[day] = []queuegroups.Interval{{From: 0, To: 1440}}
		}
	}
	w.apply(&acd.ConfigApplied{Config: c})
	if !away {
		w.apply(&acd.ClientSeen{Agent: "anna", Node: "n2", Client: acd.ClientMobile, State: acd.ClientUsed})
	}
	return w
}

// chatPhases is where a chat k may stand, and how it gets there.
var chatPhases = []string{"none", "asleep", "queued", "offered", "shown", "talking", "replied", "closing", "handed over", "ended"}

func enterChat(t testing.TB, phase string) *world {
	w := newChatWorld(t, phase == "queued", phase == "asleep")
	n := slices.Index(chatPhases, phase)
	do := func(from string, e func() acd.Event) {
		if slices.Index(chatPhases, from) <= n {
			w.apply(e())
		}
	}
	do("asleep", func() acd.Event { return &acd.ChatArrived{Leg: "k", Node: "n1", Channel: "website"} })
	do("shown", func() acd.Event { return &acd.OfferRinging{Offer: w.offer} })
	do("talking", func() acd.Event { return &acd.OfferAnswered{Offer: w.offer, Leg: "a", Node: "n2"} })
	do("replied", func() acd.Event { return &acd.ChatWritten{Leg: "a"} })
	switch phase {
	case "closing":
		w.apply(&acd.ChatClosed{Leg: "a"})
	case "handed over":
		w.apply(&acd.TransferAsked{Leg: "a", To: acd.Target{Agent: "bartek"}})
	case "ended":
		w.apply(&acd.LegEnded{Leg: "k", Cause: acd.EndHangup})
	}
	return w
}

type chatFact struct {
	name string
	make func(w *world) acd.Event
}

func chatFacts() []chatFact {
	fact := func(name string, e acd.Event) chatFact {
		return chatFact{name, func(*world) acd.Event { return e }}
	}
	target := func(to acd.Target) acd.Event { return &acd.TransferAsked{Leg: "a", To: to} }
	return []chatFact{
		fact("arrived", &acd.ChatArrived{Leg: "k", Node: "n1", Channel: "website"}),
		fact("arrived elsewhere", &acd.ChatArrived{Leg: "k", Node: "n3", Channel: "website"}),
		fact("customer wrote", &acd.ChatWritten{Leg: "k"}),
		fact("agent wrote", &acd.ChatWritten{Leg: "a"}),
		fact("a supervisor joined", &acd.ChatJoined{Leg: "k", By: "marta"}),
		fact("a supervisor left", &acd.ChatJoined{Leg: "k", By: "marta", Left: true}),
		fact("a supervisor wrote", &acd.ChatWritten{Leg: "k", By: "marta"}),
		fact("customer closed", &acd.ChatClosed{Leg: "k"}),
		fact("agent closed", &acd.ChatClosed{Leg: "a"}),
		{"shown", func(w *world) acd.Event { return &acd.OfferRinging{Offer: w.offer} }},
		{"accepted", func(w *world) acd.Event { return &acd.OfferAnswered{Offer: w.offer, Leg: "b", Node: "n2"} }},
		{"refused", func(w *world) acd.Event { return &acd.OfferFailed{Offer: w.offer, Class: acd.FailDeclined} }},
		fact("customer gone", &acd.LegEnded{Leg: "k", Cause: acd.EndHangup}),
		fact("agent gone", &acd.LegEnded{Leg: "a", Cause: acd.EndHangup}),
		fact("customer's node lost", &acd.NodeLost{Node: "n1"}),
		fact("agent's node lost", &acd.NodeLost{Node: "n2"}),
		fact("agent not online", &acd.ClientSeen{Agent: "anna", Node: "n2", Client: acd.ClientMobile, State: acd.ClientClosed}),
		fact("agent on a break", &acd.DutySet{Agent: "anna", Duty: acd.DutyBreak}),
		fact("agent on leave", &acd.DutySet{Agent: "anna", Duty: acd.DutyLeave}),
		fact("bartek online", &acd.ClientSeen{Agent: "bartek", Node: "n2", Client: acd.ClientMobile, State: acd.ClientUsed}),
		fact("handed to bartek", target(acd.Target{Agent: "bartek"})),
		fact("handed to mail", target(acd.Target{Group: acd.ChannelGroup("mail")})),
		fact("handed to sales", target(acd.Target{Group: "sales"})),
		{"moved to mail", func(w *world) acd.Event {
			return &acd.Moved{Interaction: w.only(), To: acd.Target{Group: acd.ChannelGroup("mail")}}
		}},
		{"claimed by bartek", func(w *world) acd.Event {
			return &acd.Claimed{Agent: "bartek", Leg: "x", Node: "n2", Kind: acd.ClaimInteraction, Interaction: w.only()}
		}},
		fact("opened", &acd.HoursForced{Hours: "office", State: acd.HoursOpen}),
		fact("parked", &acd.Parked{Leg: "a", Slot: "1"}),
		fact("consulted", &acd.ConsultAsked{Leg: "a", To: acd.Target{Agent: "bartek"}}),
		fact("answered", &acd.LegAnswered{Leg: "k"}),
		fact("bridged", &acd.Bridged{A: "k", B: "a"}),
	}
}

// only is the only interaction; 0: there is none.
func (w *world) only() acd.InteractionID {
	for _, i := range w.s.Interactions() {
		return i.ID
	}
	return 0
}

// TestChatTransitions is the table of what each fact does to a chat in each
// phase: testdata/chat_transitions.tsv. "late" means that it changes nothing but
// the counter.
func TestChatTransitions(t *testing.T) {
	var got strings.Builder
	for _, phase := range chatPhases {
		for _, f := range chatFacts() {
			w := enterChat(t, phase)
			before := w.s.Counters()
			w.apply(f.make(w))
			after := w.s.Counters()
			late := ""
			switch {
			case after.Late > before.Late:
				late = "late"
			case after.Unknown > before.Unknown:
				late = "unknown"
			}
			who := ""
			for _, i := range w.s.Interactions() {
				who = string(i.Agent)
				for _, o := range i.Offers {
					who = string(o.Agent) + "?"
				}
			}
			end := ""
			for _, r := range w.s.Ended() {
				end = string(r.End)
			}
			fmt.Fprintf(&got, "%s\t%s\t%s\t%s\t%s\t%s\n", phase, f.name, late, strings.TrimSpace(w.phase()+" "+end), who, w.commands())
		}
	}
	file := "testdata/chat_transitions.tsv"
	if *update {
		if err := os.WriteFile(file, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got.String(), "\n")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
