package acd

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"centrala/queuegroups"
)

// busyDay is a state in which there is one of everything.
func busyDay(t *testing.T) *State {
	t.Helper()
	s := NewState()
	p := player{s: s, at: time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)}
	agent := func(id queuegroups.AgentID) queuegroups.Agent {
		return queuegroups.Agent{ID: id, Extension: string(id), Capacity: queuegroups.Capacity{Voice: 1, Chat: 2, ChatsDuringCall: true}}
	}
	retry := queuegroups.Retry{Declined: time.Minute, NoAnswer: time.Minute, Unreachable: time.Minute}
	group := func(id queuegroups.GroupID, d queuegroups.Distribution, agents ...queuegroups.AgentID) queuegroups.Group {
		return queuegroups.Group{ID: id, Agents: agents, Distribution: d, WrapUp: time.Minute, Misses: 1, Rings: 9, Retry: retry}
	}
	channel := func(id queuegroups.ChannelID, hours queuegroups.HoursID) queuegroups.Channel {
		return queuegroups.Channel{ID: id, Agents: []queuegroups.AgentID{"chatter"}, Distribution: queuegroups.InOrder, AnyPresence: true, CloseDelay: time.Hour, Hours: hours}
	}
	support := group("support", queuegroups.InOrder, "busy")
	support.Tiers = []queuegroups.Tier{{After: time.Hour, Agents: []queuegroups.AgentID{"tired", "resting"}}}
	support.Preferred = queuegroups.Preferred{Agent: queuegroups.PreferResponsible, Wait: time.Hour}
	mail := group("mail", queuegroups.InOrder, "absent")
	mail.NoAnswer = []queuegroups.Action{{Kind: queuegroups.ActionVoicemail}}
	config := &queuegroups.Config{
		Groups: []queuegroups.Group{
			group("sales", queuegroups.All, "ringing", "other"), support, mail,
			group("desk", queuegroups.InOrder, "talking"), group("help", queuegroups.InOrder, "asking", "declining"), group("lost", queuegroups.InOrder, "silent"),
		},
		Channels: []queuegroups.Channel{channel("website", ""), channel("night", "office")},
		Hours:    []queuegroups.Hours{{ID: "office"}},
	}
	for _, id := range []queuegroups.AgentID{"ringing", "other", "busy", "tired", "resting", "absent", "talking", "asking", "asked", "declining", "silent", "chatter", "free"} {
		config.Agents = append(config.Agents, agent(id))
	}
	for _, g := range config.Groups {
		config.Numbers = append(config.Numbers, queuegroups.Number{Number: "+" + string(g.ID), Group: g.ID})
	}
	p.tell(&LevelRaised{Level: LevelMax})
	p.tell(&ConfigApplied{Config: config})
	p.tell(&HoursForced{Hours: "office", State: HoursClosed})
	for _, a := range config.Agents {
		if a.ID != "absent" {
			p.tell(&AgentOnline{Agent: a.ID, Node: "n1"})
		}
	}
	p.tell(&ClientSeen{Agent: "chatter", Node: "n1", Client: ClientBrowser, State: ClientUsed})
	// offered returns the offer that the last fact made.
	offered := func() OfferID {
		for _, c := range p.todo {
			if r, is := c.(*Ring); is {
				p.todo = nil
				return r.Offer
			}
		}
		t.Fatal("nobody is rung")
		return 0
	}
	call := func(leg LegID, to string) { p.tell(&CallArrived{Leg: leg, Node: "n1", To: "+" + to}) }
	answered := func(leg, phone LegID, to string) {
		call(leg, to)
		p.tell(&OfferAnswered{Offer: offered(), Leg: phone, Node: "n1"})
		p.tell(&Bridged{A: leg, B: phone})
	}
	answered("c-before", "p-before", "support") // busy is going to be in wrap-up
	p.tell(&LegEnded{Leg: "c-before", Cause: EndHangup})
	p.tell(&LegEnded{Leg: "p-before", Cause: EndByUs})
	call("c-waits", "support")
	p.tell(&CallArrived{Leg: "c-kept", Node: "n1", To: "+support", Responsible: "busy"})
	p.todo = nil
	call("c-rings", "sales")
	call("c-mail", "mail")
	p.todo = nil
	answered("c-parks", "p-parks", "desk")
	p.tell(&Parked{Leg: "p-parks", Slot: "1"})
	p.todo = nil
	answered("c-asks", "p-asks", "help")
	p.tell(&ConsultAsked{Leg: "p-asks", To: Target{Agent: "asked"}})
	p.tell(&OfferAnswered{Offer: offered(), Leg: "p-asked", Node: "n1"})
	call("c-lost", "lost")
	p.tell(&OfferFailed{Offer: offered(), Class: FailNoAnswer})
	call("c-gone", "help")
	cancelled := offered()
	p.tell(&LegEnded{Leg: "c-gone", Cause: EndHangup})
	if cancelled == 0 {
		t.Fatal("declining is not rung")
	}
	chat := func(leg, end LegID) {
		p.todo = nil
		p.tell(&ChatArrived{Leg: leg, Node: "n1", Channel: "website"})
		p.tell(&OfferAnswered{Offer: offered(), Leg: end, Node: "n1"})
	}
	chat("k-talks", "m-talks")
	chat("k-closes", "m-closes")
	p.tell(&ChatClosed{Leg: "m-closes"})
	p.tell(&ChatArrived{Leg: "k-sleeps", Node: "n1", Channel: "night"})
	if err := s.Check(); err != nil {
		t.Fatal(err)
	}
	return s
}

// Check notices whatever is wrong with a state: each of its rules is broken here,
// in a copy.
func TestCheck_NoticesEverything(t *testing.T) {
	var snapshot bytes.Buffer
	if err := busyDay(t).Snapshot(&snapshot); err != nil {
		t.Fatal(err)
	}
	of := func(s *State, leg LegID) *interaction { return s.interactions[s.legs[leg].of] }
	disarm := func(s *State, k DeadlineKind, n uint64, name string) {
		s.deadlines.disarm(DeadlineID{Kind: k, N: n, Name: name})
	}
	cancelled := func(s *State) *offer {
		for _, o := range s.offers {
			if o.outcome == OutcomeWithdrawn {
				return o
			}
		}
		return nil
	}
	for _, c := range []struct {
		name  string
		spoil func(s *State)
		want  string
	}{
		{"a leg ends for ever", func(s *State) { disarm(s, deadlineLeg, 0, "p-parks") }, "leg p-parks ends without a deadline"},
		{"a leg of nothing", func(s *State) { s.legs["c-waits"].of = 9999 }, "leg c-waits is up, its interaction 9999 is over"},
		{"one too few", func(s *State) { s.counters.Interactions++ }, "are accounted for"},
		{"a deadline in the heap only", func(s *State) { s.deadlines.byID = map[DeadlineID]*deadline{} }, "deadlines armed, 0 known"},
		{"not in its lane", func(s *State) { i := of(s, "c-waits"); i.lane.waiting[0].remove(i.key()) }, "among the waiting: false"},
		{"counted as waiting", func(s *State) { of(s, "c-waits").group.waiting++ }, "group support counts 2 waiting, there are 1"},
		{"no lane", func(s *State) { of(s, "c-waits").lane = nil }, "in a lane: false"},
		{"the wrong lane", func(s *State) { of(s, "c-waits").needs = []queuegroups.Skill{{ID: "polish", Level: 3}} }, "needs polish>=3 and is in the lane"},
		{"not among the agent's", func(s *State) { i := of(s, "c-kept"); i.personal.personal.remove(i.key()) }, "wait for one agent: false"},
		{"kept after the end of waiting", func(s *State) { i := of(s, "c-kept"); i.leaveQueue(); i.phase, i.lane = PhaseDialled, nil }, "is dialled and still kept for busy"},
		{"not open to others", func(s *State) { i := of(s, "c-rings"); i.lane.open[0].remove(i.key()) }, "open to more agents: false"},
		{"rings nowhere", func(s *State) { of(s, "c-rings").offers = nil }, "is offered with 0 live offers"},
		{"rings at too many", func(s *State) { i := of(s, "c-rings"); i.group.def.Distribution, i.tried = queuegroups.InOrder, nil }, "has 2 live offers"},
		{"not among the ringing", func(s *State) { i := of(s, "c-rings"); i.group.ringing.remove(i.key()) }, "among the ringing: false"},
		{"among the ringing of another group", func(s *State) { i := of(s, "c-rings"); of(s, "c-waits").group.ringing.insert(i.key(), i) }, "group support still counts interaction"},
		{"served for ever", func(s *State) { disarm(s, deadlineServe, uint64(of(s, "c-mail").id), "") }, "with a limit to being served: false"},
		{"consults nobody", func(s *State) { delete(s.legs, "p-asked") }, "is consulting without a colleague"},
		{"parked nowhere", func(s *State) { delete(s.slots, "1") }, `is parked in the slot "1"`},
		{"talks to nobody", func(s *State) { of(s, "c-asks").agent = nil }, "is consulting, answered by an agent: false"},
		{"talks to a leg without a slot", func(s *State) { s.legs["p-asks"].slot = false }, "has lost hold of the agent's leg"},
		{"without its caller", func(s *State) { s.legs["c-waits"].state = legEnding }, "goes on without its caller"},
		{"without music", func(s *State) { s.legs["c-waits"].state = legOffered }, "waits unanswered, without music"},
		{"an offer for ever", func(s *State) { disarm(s, deadlineOffer, uint64(of(s, "c-rings").offers[0].id), "") }, "is live without a slot or a deadline"},
		{"an answer without a leg", func(s *State) { delete(s.legs, "m-talks") }, "was answered by a leg that is gone"},
		{"a phone cancelled for ever", func(s *State) { disarm(s, deadlineSlot, uint64(cancelled(s).id), "") }, "is cancelled without a deadline"},
		{"an offer that is not the agent's", func(s *State) { of(s, "c-rings").offers[0].agent = s.agents["free"] }, "which does not hold them"},
		{"a leg that is not the agent's", func(s *State) { s.legs["p-asks"].agent = s.agents["free"] }, "asking holds leg p-asks, which does not hold them"},
		{"a slot held for ever", func(s *State) { disarm(s, deadlineLegSlot, 0, "p-parks") }, "is held by leg p-parks, which may never end"},
		{"above capacity", func(s *State) { s.agents["asking"].def.Capacity.Voice = 0 }, "asking has 1 calls at once, may have 0"},
		{"wrap-up for ever", func(s *State) { disarm(s, deadlineWrapUp, 0, "busy") }, "busy is left alone without an end"},
		{"not responding for ever", func(s *State) { disarm(s, deadlineReturn, 0, "silent") }, "silent is left alone without an end"},
		{"shown wrongly", func(s *State) { s.agents["free"].status = Talking }, "free is available, shown as talking"},
		{"ready or not", func(s *State) { s.agents["free"].ready = false }, "free is ready: true, counts as ready: false"},
		{"no chats for ever", func(s *State) { s.agents["free"].chatRest = FailDeclined }, "free is left alone with chats without an end"},
		{"does not go on", func(s *State) { s.agents["free"].next = &nextDuty{Duty: DutyBreak} }, "free is done and does not go on to break"},
		{"a closed client", func(s *State) { s.agents["chatter"].clients[0].open = false }, "chatter has a client at n1 that is closed"},
		{"at a browser for ever", func(s *State) { a := s.agents["chatter"]; s.deadlines.disarm(a.clients[0].deadline(a)) }, "chatter is at a browser for ever"},
		{"waited for, and free", func(s *State) { i := of(s, "c-kept"); s.agents["free"].personal.insert(i.key(), i) }, "free is available and interaction"},
		{"dismissed long since", func(s *State) { s.agents["free"].removed = true }, "free should have been dropped"},
		{"excluded for nothing", func(s *State) { s.legs["m-talks"].excluded = true }, "the chat of leg m-talks is excluded: false, counts as that: true"},
		{"miscounted", func(s *State) { s.agents["free"].calls++ }, "free counts 1 calls, 0 chats"},
		{"chats not reviewed", func(s *State) { s.agents["free"].seen ^= 1 }, "free's chats have not been reviewed"},
		{"a chat for ever", func(s *State) { disarm(s, deadlineExpire, uint64(of(s, "k-talks").id), "") }, "is talking without an end"},
		{"asleep nowhere", func(s *State) { i := of(s, "k-sleeps"); i.group.asleep.remove(i.key()) }, "waits for its channel to open: false"},
		{"a chat with somebody who left", func(s *State) { s.agents["chatter"].duty = DutyLeave }, "waits for chatter, who is gone"},
		{"a seat not free", func(s *State) { s.unseat(s.agents["tired"].seats[0]) }, "tired may be offered an interaction of support: true; counts as free: false"},
		{"census", func(s *State) { s.groups["support"].census[Talking]++ }, "group support counts"},
		{"free seats", func(s *State) { s.groups["support"].freeSeats++ }, "group support counts 3 free"},
		{"a group long gone", func(s *State) { g := s.groups["desk"]; g.removed, g.interactions = true, 0 }, "group desk should have been dropped"},
		{"a lane that does not know", func(s *State) { t := s.agents["tired"].seats[0]; t.lanes[0].free[1].remove(t.key) }, `tired is free and lane support "" does not know`},
		{"a strong lane", func(s *State) { s.groups["support"].lanes[0].strength++ }, "should be"},
		{"waits while somebody is free", func(s *State) {
			g := s.groups["support"]
			t := s.agents["tired"].seats[0]
			t.tier = 0
			g.lanes[0].free[0].insert(t.key, t)
		}, "wait while 1 agents are free"},
		{"waits for an empty tier", func(s *State) { s.groups["support"].atWork[0] = 0 }, "wait for an empty tier while 2 agents of tier 2 are free"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := Restore(bytes.NewReader(snapshot.Bytes()))
			if err != nil {
				t.Fatal(err)
			}
			c.spoil(s)
			if err := s.Check(); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Check says %v, want %q", err, c.want)
			}
		})
	}
}
