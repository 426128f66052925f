package switchboard

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"centrala/acd"
	"centrala/queuegroups"
)

// team is a configuration with two agents, bartek in two groups.
func team(b *bench) *queuegroups.Config {
	return &queuegroups.Config{
		Region: "PL",
		Agents: []queuegroups.Agent{
			{ID: "anna", Extension: "101", Contact: fmt.Sprintf("sip:anna@%v", b.peer.stack.Addrs()[0].Addr)},
			{ID: "bartek", Name: "Bartek Lis", Extension: "102"},
		},
		Groups: []queuegroups.Group{
			{ID: "sales", Extension: "600", Agents: []queuegroups.AgentID{"anna", "bartek"}},
			{ID: "support", Extension: "601", Agents: []queuegroups.AgentID{"anna"}, Tiers: []queuegroups.Tier{{Agents: []queuegroups.AgentID{"bartek"}}}},
			{ID: "board", Extension: "602", Agents: []queuegroups.AgentID{"anna"}},
		},
	}
}

// What each code means, and what is no code.
func TestFeature_Codes(t *testing.T) {
	b := newBench(t, nil)
	reasons := []string{"lunch", "training"}
	for _, c := range []struct {
		dialled string
		breaks  []string
		want    *feature // nil: no code
	}{
		{"*8", nil, &feature{claim: &acd.Claimed{Agent: "bartek", Kind: acd.ClaimGroup}}},
		{"**101", nil, &feature{claim: &acd.Claimed{Agent: "bartek", Kind: acd.ClaimAgent, From: "anna"}}},
		{"**601", nil, &feature{claim: &acd.Claimed{Agent: "bartek", Kind: acd.ClaimGroup, Group: "support"}}},
		{"*51", nil, &feature{claim: &acd.Claimed{Agent: "bartek", Kind: acd.ClaimParked, Slot: "1"}}},
		{"*61", nil, &feature{park: "1"}},
		{"*61234", nil, &feature{park: "1234"}},
		{"*98", nil, &feature{own: true}},
		{"*99", nil, &feature{echo: true}},
		{"*7", nil, &feature{facts: []acd.Event{&acd.WrapUpSet{Agent: "bartek"}}}},
		{"*40", nil, &feature{facts: []acd.Event{&acd.DutySet{Agent: "bartek", Duty: acd.DutyOn}}}},
		{"*91", nil, &feature{facts: []acd.Event{&acd.DutySet{Agent: "bartek", Duty: acd.DutyOn}}}},
		{"*90", nil, &feature{facts: []acd.Event{&acd.DutySet{Agent: "bartek", Duty: acd.DutyOff}}}},
		{"*41", nil, &feature{facts: []acd.Event{&acd.DutySet{Agent: "bartek", Duty: acd.DutyBreak}}}},
		{"*41", reasons, &feature{facts: []acd.Event{&acd.DutySet{Agent: "bartek", Duty: acd.DutyBreak, Reason: "lunch"}}}},
		{"*42", reasons, &feature{facts: []acd.Event{&acd.DutySet{Agent: "bartek", Duty: acd.DutyBreak, Reason: "training"}}}},
		{"*21", nil, &feature{facts: []acd.Event{
			&acd.SeatSet{Agent: "bartek", Group: "sales", State: acd.SeatIn}, &acd.SeatSet{Agent: "bartek", Group: "support", State: acd.SeatIn}}}},
		{"*20600", nil, &feature{facts: []acd.Event{&acd.SeatSet{Agent: "bartek", Group: "sales", State: acd.SeatOut}}}},
		{dialled: "*42"}, {dialled: "*43", breaks: reasons}, {dialled: "*4"}, {dialled: "*401"}, {dialled: "*4x"},
		{dialled: "*20602"}, {dialled: "*20999"}, {dialled: "*5"}, {dialled: "*5x"}, {dialled: "*512345"}, {dialled: "*6"},
		{dialled: "**999"}, {dialled: "**"}, {dialled: "*"}, {dialled: "*2"}, {dialled: "*88"}, {dialled: "8"}, {dialled: ""}, {dialled: "*22"},
	} {
		t.Run(c.dialled+strings.Join(c.breaks, ","), func(t *testing.T) {
			config := team(b)
			config.WorkTime.Breaks = c.breaks
			b.board.SetConfig(config)
			got, ok := b.board.feature(config.Agent("bartek"), c.dialled)
			if ok != (c.want != nil) {
				t.Fatalf("a code: %v", ok)
			}
			if !ok {
				return
			}
			got.name = ""
			if !reflect.DeepEqual(got, c.want) {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

// A code that only tells of the agent: the phone is answered, the fact logged,
// and the phone hung up.
func TestFeature_FactsOfTheAgent(t *testing.T) {
	b := newBench(t, nil)
	b.agents(team(b))
	p := b.phone("bartek")
	p.dial("*21")
	p.answered()
	b.apply(b.want(&acd.SeatSet{Agent: "bartek", Group: "sales", State: acd.SeatIn}), false)
	b.apply(b.want(&acd.SeatSet{Agent: "bartek", Group: "support", State: acd.SeatIn}), false)
	p.hungUp()
	b.want(&acd.LegEnded{Cause: acd.EndByUs})
}

// Dialling what is no code is refused, before anything is logged.
func TestFeature_UnknownCode(t *testing.T) {
	b := newBench(t, nil)
	b.agents(team(b))
	p := b.phone("bartek")
	p.dial("*97")
	p.refused("404 No Such Feature Code")
	b.want(&acd.LegEnded{Cause: acd.EndByUs})
}

// claims has bartek dial *8 while a caller waits, and gives the caller's leg and bartek's.
func (b *bench) claims() (p *rawPhone, call, claimed acd.LegID) {
	b.t.Helper()
	b.agents(team(b))
	call, _ = b.arrive()
	p = b.phone("bartek")
	p.dial("*8")
	p.answered()
	claimed = b.want(&acd.Claimed{Agent: "bartek", Node: "n1", Kind: acd.ClaimGroup}).(*acd.Claimed).Leg
	return p, call, claimed
}

// R93: the phone that dialled becomes a leg of the call that is picked up, and
// whoever hangs up, nothing is left.
func TestFeature_PickupMovesTheLeg(t *testing.T) {
	for _, first := range []string{"the phone", "the core", "the core, which has forgotten the call"} {
		t.Run(first, func(t *testing.T) {
			b := newBench(t, nil)
			p, call, claimed := b.claims()
			b.do(call, &acd.Bridge{A: call, B: claimed})
			b.want(&acd.LegAnswered{Leg: call})
			b.want(&acd.Bridged{A: call, B: claimed})
			b.do(call, &acd.Bridge{A: call, B: claimed}) // again, as after a restart of the leader
			b.want(&acd.Bridged{A: call, B: claimed})
			b.callsLeft(1) // the one dialled is part of the other, or soon will be
			switch first {
			case "the phone":
				p.hangUp()
				b.want(&acd.LegEnded{Leg: claimed, Cause: acd.EndHangup})
			case "the core":
				b.do(call, &acd.EndLeg{Leg: claimed})
				p.hungUp()
				b.want(&acd.LegEnded{Leg: claimed, Cause: acd.EndByUs})
			default:
				b.do("", &acd.EndLeg{Leg: claimed})
				p.hungUp()
				b.want(&acd.LegEnded{Leg: claimed, Cause: acd.EndByUs})
			}
			b.do(call, &acd.EndLeg{Leg: call})
			b.want(&acd.LegEnded{Leg: call, Cause: acd.EndByUs})
		})
	}
}

// The bridge and the end of the leg come in one go, in either order: it ends, once.
func TestFeature_PickupAndEndAtOnce(t *testing.T) {
	for range 20 {
		b := newBench(t, nil)
		p, call, claimed := b.claims()
		b.do(call, &acd.Bridge{A: call, B: claimed})
		b.do(call, &acd.EndLeg{Leg: claimed})
		p.hungUp()
		seen := 0
		for seen == 0 {
			switch e := (<-b.facts.ch).(type) {
			case *acd.LegEnded:
				if e.Leg != claimed {
					t.Fatalf("%s ended", e.Leg)
				}
				seen++
			case *acd.LegAnswered, *acd.Bridged:
			default:
				t.Fatalf("fact %T", e)
			}
		}
		b.do(call, &acd.EndLeg{Leg: call})
		b.want(&acd.LegEnded{Leg: call})
	}
}

// The phone hangs up while the core has it take the call: the end is logged, once.
func TestFeature_PhoneHangsUpBeforeTheBridge(t *testing.T) {
	b := newBench(t, nil)
	p, call, claimed := b.claims()
	p.hangUp()
	b.want(&acd.LegEnded{Leg: claimed, Cause: acd.EndHangup})
	b.do(call, &acd.Bridge{A: call, B: claimed}) // nothing comes of it
	b.do(call, &acd.EndLeg{Leg: call})
	b.want(&acd.LegEnded{Leg: call})
}

// Nothing to pick up: the agent hears a tone, and is hung up on.
func TestFeature_NothingToPickUp(t *testing.T) {
	b := newBench(t, nil)
	b.agents(team(b))
	p := b.phone("bartek")
	p.dial("**101")
	p.answered()
	claimed := b.want(&acd.Claimed{Agent: "bartek", Kind: acd.ClaimAgent, From: "anna"}).(*acd.Claimed).Leg
	b.do("", &acd.EndLeg{Leg: claimed, Why: acd.EndNothing})
	p.hungUp()
	b.want(&acd.LegEnded{Leg: claimed, Cause: acd.EndByUs})
}

// The log does not take the claim: nobody will bridge the phone, so it is hung up.
func TestFeature_ClaimNotLogged(t *testing.T) {
	b := newBench(t, func(e acd.Event) error {
		if _, is := e.(*acd.Claimed); is {
			return errLegGone
		}
		return nil
	})
	b.agents(team(b))
	p := b.phone("bartek")
	p.dial("*8")
	p.answered()
	p.hungUp()
	b.want(&acd.LegEnded{Cause: acd.EndByUs})
}

// An agent parks the call on one line by dialling on another. Whether that was
// possible is known by what the core does.
func TestFeature_Park(t *testing.T) {
	for _, done := range []bool{true, false} {
		t.Run(fmt.Sprint(done), func(t *testing.T) {
			b := newBench(t, nil)
			talks, call, claimed := b.claims() // that is a call bartek has
			b.do(call, &acd.Bridge{A: call, B: claimed})
			b.want(&acd.LegAnswered{Leg: call})
			b.want(&acd.Bridged{A: call, B: claimed})
			p := b.phone("bartek")
			p.dial("*61")
			p.answered()
			parked := b.want(&acd.Parked{Leg: claimed, Slot: "1"}).(*acd.Parked)
			end := &acd.EndLeg{Leg: claimed, Why: acd.EndTransferred}
			*end.Head() = acd.Header{Node: "n1", Call: call}
			var commands []acd.Command
			if done {
				commands = append(commands, end)
			}
			b.board.Applied(acd.Entry{Event: parked}, commands)
			if done {
				talks.hungUp()
				b.want(&acd.LegEnded{Leg: claimed, Cause: acd.EndByUs})
			}
			p.hungUp()
			b.want(&acd.LegEnded{Cause: acd.EndByUs})
			if !done {
				talks.hangUp()
				b.want(&acd.LegEnded{Leg: claimed, Cause: acd.EndHangup})
			}
			b.do(call, &acd.EndLeg{Leg: call})
			b.want(&acd.LegEnded{Leg: call})
		})
	}
}

func TestFeature_NothingToPark(t *testing.T) {
	b := newBench(t, nil)
	b.agents(team(b))
	p := b.phone("bartek")
	p.dial("*61")
	p.answered()
	p.hungUp()
	b.want(&acd.LegEnded{Cause: acd.EndByUs})
}

// An agent's call is theirs, whatever their phone says of itself; extensions are
// not taken for numbers.
func TestPhone_CallArrives(t *testing.T) {
	b := newBench(t, nil)
	b.agents(team(b))
	p := b.phone("bartek")
	p.dial("101")
	arrived := b.want(&acd.CallArrived{Agent: "bartek", Node: "n1", To: "101", From: acd.Party{Number: "102", Name: "Bartek Lis"}}).(*acd.CallArrived)
	if arrived.Trunk != "" {
		t.Errorf("trunk %s", arrived.Trunk)
	}
	b.do(arrived.Leg, &acd.Reject{Reason: acd.RejectBusy})
	p.recv("SIP/2.0 486")
	p.ack()
	b.want(&acd.LegEnded{Leg: arrived.Leg})
}

// The other way of parking: a blind transfer to the code.
func TestFeature_ParkByTransfer(t *testing.T) {
	for _, done := range []bool{true, false} {
		t.Run(fmt.Sprint(done), func(t *testing.T) {
			b := newBench(t, nil)
			p := b.deskphone()
			call, phone := b.talks(p)
			p.ask("REFER", "Refer-To: <sip:*612@pbx.test>\r\n", "")
			p.get("SIP/2.0 202")
			parked := b.want(&acd.Parked{Leg: phone, Slot: "12"})
			p.notified()
			if !done {
				b.board.Applied(acd.Entry{Event: parked}, nil)
				if got := p.notified(); got != "SIP/2.0 603 Decline" {
					t.Errorf("last report %q", got)
				}
				p.ask("BYE", "", "")
			} else {
				end := &acd.EndLeg{Header: acd.Header{Node: "n1", Call: call}, Leg: phone, Why: acd.EndTransferred}
				b.board.Applied(acd.Entry{Event: parked}, []acd.Command{end})
				if got := p.notified(); got != "SIP/2.0 200 OK" {
					t.Errorf("last report %q", got)
				}
				p.reply(p.get("BYE "), "200 OK", "")
			}
			b.want(&acd.LegEnded{Leg: phone})
			b.leave(call)
		})
	}
}

// Who picked a call up can hand it over like anybody whose phone rang.
func TestFeature_TransferAfterPickup(t *testing.T) {
	b := newBench(t, nil)
	p, call, claimed := b.claims()
	b.do(call, &acd.Bridge{A: call, B: claimed})
	b.want(&acd.LegAnswered{Leg: call})
	b.want(&acd.Bridged{A: call, B: claimed})
	p.send("REFER", 3, "refer", "Refer-To: <sip:101@localhost>\r\n", "")
	p.recv("SIP/2.0 202")
	asked := b.want(&acd.TransferAsked{Leg: claimed, To: acd.Target{Agent: "anna"}})
	p.ok(p.recv("NOTIFY"))
	end := &acd.EndLeg{Header: acd.Header{Node: "n1", Call: call}, Leg: claimed, Why: acd.EndTransferred}
	done := &acd.Report{Header: acd.Header{Node: "n1", Call: call}, Leg: claimed, Done: true}
	b.board.Applied(acd.Entry{Event: asked}, []acd.Command{end, done})
	p.ok(p.recv("NOTIFY"))
	p.hungUp()
	b.want(&acd.LegEnded{Leg: claimed, Cause: acd.EndByUs})
	b.leave(call)
}
