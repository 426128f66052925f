package acd

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"testing"
	"time"

	"centrala/queuegroups"
)

// Facts that come too late, twice, or from somebody who is wrong: nothing happens,
// but that they are counted.
func TestApply_WhatCannotBe(t *testing.T) {
	var snapshot bytes.Buffer
	if err := busyDay(t).Snapshot(&snapshot); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	restored := func(t *testing.T) *State {
		t.Helper()
		s, err := Restore(bytes.NewReader(snapshot.Bytes()))
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	of := func(leg LegID) InteractionID { s := restored(t); return s.legs[leg].of }
	rung := func(leg LegID) OfferID { s := restored(t); return s.interactions[s.legs[leg].of].offers[0].id }
	answered := func(leg LegID) OfferID { s := restored(t); return s.legs[leg].offer }
	elsewhere := Target{Agent: "nobody"}
	for _, e := range []Event{
		&ConfigApplied{},
		&LevelRaised{Level: LevelFirst}, &LevelRaised{Level: LevelMax}, &LevelRaised{Level: LevelMax + 1},
		&AgentOnline{Agent: "nobody", Node: "n1"}, &AgentOnline{Agent: "free", Node: "n1", Client: "telex"},
		&AgentOffline{Agent: "nobody", Node: "n1"}, &AgentOffline{Agent: "free", Node: "n2"}, &AgentOffline{Agent: "free", Node: "n1", Client: ClientMobile},
		&AgentOffline{Agent: "free", Node: "n1", Client: "telex"},
		&ClientSeen{Agent: "nobody", Node: "n1", Client: ClientBrowser, State: ClientUsed}, &ClientSeen{Agent: "free", Node: "n1", State: ClientUsed},
		&ClientSeen{Agent: "free", Node: "n1", Client: ClientBrowser, State: "asleep"},
		&DutySet{Agent: "nobody", Duty: DutyOn}, &DutySet{Agent: "free", Duty: "asleep"}, &DutySet{Agent: "free", Duty: DutyOn},
		&DNDSet{Agent: "nobody", On: true}, &DNDSet{Agent: "free"},
		&WrapUpSet{Agent: "nobody"}, &WrapUpSet{Agent: "free"}, &WrapUpSet{Agent: "busy", Extend: -1}, &WrapUpSet{Agent: "busy", Extend: WrapUpExtendMax + 1},
		&SeatSet{Agent: "nobody", Group: "sales", State: SeatOut}, &SeatSet{Agent: "busy", Group: "nowhere", State: SeatOut},
		&SeatSet{Agent: "busy", Group: "support", State: "asleep"}, &SeatSet{Agent: "busy", Group: "support", State: SeatIn},
		&Disposed{Interaction: of("c-asks"), Agent: "nobody", Code: "sale"}, &Disposed{Interaction: 9999, Agent: "busy", Code: "sale"}, &Disposed{Interaction: of("c-asks"), Agent: "busy"},
		&HoursForced{Hours: "nowhere", State: HoursOpen}, &HoursForced{Hours: "office", State: "ajar"},
		&HoursForced{Hours: "office", State: HoursOpen, Until: time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)},
		&CallArrived{Leg: "c-waits", Node: "n1", To: "+support"}, &CallAsked{Leg: "a-1", Node: "n1", Agent: "nobody"}, &CallAsked{Leg: "c-waits", Node: "n1", Agent: "free"},
		&LegAnswered{Leg: "nothing"}, &LegAnswered{Leg: "p-asks"}, &LegEnded{Leg: "nothing"},
		&Bridged{A: "nothing", B: "p-asks"}, &Bridged{A: "c-waits", B: "p-asks"}, &Bridged{A: "c-asks", B: "p-asks"},
		&OfferRinging{Offer: 1}, &OfferRinging{Offer: answered("p-asks")},
		&OfferAnswered{Offer: rung("c-rings"), Leg: "p-asks", Node: "n1"},
		&OfferFailed{Offer: 1}, &OfferFailed{Offer: answered("p-asks"), Class: FailBusy},
		&Held{Leg: "nothing", On: true}, &Held{Leg: "c-asks"}, &Held{Leg: "k-talks", On: true}, &Held{Leg: "p-parks", On: true},
		&Served{Leg: "nothing", Done: true}, &Served{Leg: "c-waits", Done: true},
		&TransferAsked{Leg: "nothing", To: Target{Agent: "free"}}, &TransferAsked{Leg: "c-waits", To: Target{Agent: "free"}},
		&TransferAsked{Leg: "p-asks", To: Target{Agent: "free"}}, // in a consultation
		&TransferAsked{Leg: "m-talks", To: elsewhere}, &TransferAsked{Leg: "m-talks", To: Target{Agent: "chatter"}}, &TransferAsked{Leg: "m-talks"},
		&TransferAsked{Leg: "m-talks", To: Target{Group: "sales"}}, &TransferAsked{Leg: "m-talks", To: Target{Group: "nowhere"}}, &TransferAsked{Leg: "m-talks", To: Target{Number: "+48601"}},
		&ConsultAsked{Leg: "nothing", To: Target{Agent: "free"}}, &ConsultAsked{Leg: "m-talks", To: Target{Agent: "free"}}, &ConsultAsked{Leg: "p-asks", To: Target{Agent: "free"}},
		&ConsultSwapped{Leg: "nothing"}, &ConsultSwapped{Leg: "m-talks"}, &ConsultDone{Leg: "nothing"}, &ConsultDone{Leg: "m-talks", Connect: true},
		&Joined{Leg: "nothing", With: "p-asks"}, &Joined{Leg: "p-asks", With: "nothing"}, &Joined{Leg: "m-talks", With: "p-asks"},
		&Claimed{Agent: "free", Leg: "p-asks", Node: "n1", Kind: ClaimParked, Slot: "1"},
		&Parked{Leg: "nothing", Slot: "2"}, &Parked{Leg: "p-asks", Slot: "2"}, &Parked{Leg: "m-talks", Slot: "2"},
		&Moved{Interaction: 9999, To: Target{Agent: "free"}}, &Moved{Interaction: of("c-asks"), To: Target{Agent: "free"}},
		&Moved{Interaction: of("c-waits"), To: elsewhere}, &Moved{Interaction: of("c-waits"), To: Target{Group: ChannelGroup("website")}}, &Moved{Interaction: of("c-waits")},
		&Prioritised{Interaction: 9999, Credit: time.Minute}, &Prioritised{Interaction: of("c-asks"), Credit: time.Minute},
		&ChatArrived{Leg: "k-talks", Node: "n1", Channel: "website"}, &ChatArrived{Leg: "c-waits", Node: "n1", Channel: "website"},
		&ChatWritten{Leg: "nothing"}, &ChatWritten{Leg: "c-waits"}, &ChatClosed{Leg: "nothing"}, &ChatClosed{Leg: "k-closes"}, &ChatClosed{Leg: "p-asks"},
		&ChatJoined{Leg: "nothing", By: "busy"}, &ChatJoined{Leg: "c-waits", By: "busy"}, &ChatJoined{Leg: "m-talks", By: "busy"}, &ChatJoined{Leg: "k-talks"}, &ChatJoined{Leg: "k-talks", By: "busy", Left: true},
		&TrunkSeen{Node: "n1", Trunk: "nobody", State: TrunkUp}, &TrunkSeen{Node: "n1", Trunk: "carrier", State: "asleep"},
		&DeadlinePassed{Deadline: DeadlineID{Kind: deadlineWrapUp, Name: "busy"}, Generation: 1}, &DeadlinePassed{Deadline: DeadlineID{Kind: "never"}},
	} {
		seen[fmt.Sprintf("%T", e)] = true
		raw, err := EncodeEvent(e)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(string(raw), func(t *testing.T) {
			s, want := restored(t), restored(t)
			count := func(s *State) uint64 { c := s.Counters(); return c.Late + c.Unknown + c.Stale }
			before := count(s)
			commands := s.Apply(Entry{Index: s.index + 1, At: s.now.Time(), Event: e})
			if len(commands) > 0 {
				t.Errorf("it has %d commands, the first: %s", len(commands), Describe(commands[0]))
			}
			if got := count(s); got != before+1 {
				t.Errorf("it was counted %d times", got-before)
			}
			if err := s.Check(); err != nil {
				t.Error(err)
			}
			s.counters, s.index = want.counters, want.index
			for id, i := range s.interactions { // why it could not be is told in the story
				i.trail = want.interactions[id].trail
			}
			if s.Hash() != want.Hash() {
				t.Errorf("the state is another one: %s", difference(want, s))
			}
		})
	}
	for _, k := range []any{&NodeStarted{}, &NodeLost{}} { // of these nothing can be wrong
		seen[fmt.Sprintf("%T", k)] = true
	}
	kinds, err := os.ReadFile("kinds.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`kind\(\) string +\{ return "(\w+)"`).FindAllSubmatch(kinds, -1) {
		if e := newEvent(string(m[1])); e != nil && !seen[fmt.Sprintf("%T", e)] {
			t.Errorf("nothing of the table is a %s", m[1])
		}
	}
}

// difference returns the first lines in which two snapshots differ.
func difference(a, b *State) string {
	var x, y bytes.Buffer
	if err := a.Snapshot(&x); err != nil {
		return err.Error()
	}
	if err := b.Snapshot(&y); err != nil {
		return err.Error()
	}
	other := bytes.Split(y.Bytes(), []byte("\n"))
	for k, line := range bytes.Split(x.Bytes(), []byte("\n")) {
		if k >= len(other) || !bytes.Equal(line, other[k]) {
			return fmt.Sprintf("\n%s\nis now\n%s", line, other[min(k, len(other)-1)])
		}
	}
	return "it has more lines"
}

// Who talked to a customer last is known of the latest customers only.
func TestTalks_TheOldestAreForgotten(t *testing.T) {
	x := &talks{byCustomer: map[string]talk{}}
	x.note("", "anna")
	for k := range talksKept + 5 {
		x.note(fmt.Sprint(k), queuegroups.AgentID(fmt.Sprint("agent", k%3)))
		if k == 10 {
			x.note("0", "bartek") // talked to again: not the oldest any more
		}
	}
	if n := len(x.byCustomer); n != talksKept || x.order.Len() != talksKept {
		t.Errorf("%d customers are remembered, %d in order; want %d", n, x.order.Len(), talksKept)
	}
	if a := x.with("0"); a != "bartek" {
		t.Errorf("customer 0 was last with %q", a)
	}
	if a := x.with("1"); a != "" {
		t.Errorf("customer 1 is still known to have been with %q", a)
	}
	if a := x.with(""); a != "" {
		t.Errorf("a customer without a number was with %q", a)
	}
}
