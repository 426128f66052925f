package switchboard

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"centrala/acd"
	"centrala/queuegroups"
	"centrala/sip"
)

// R95, R96: a telephone outside is called by the trunk, as an offer like any other.
func TestBoard_DialsOutside(t *testing.T) {
	b := newBench(t, nil)
	b.board.stack.SetDirectory(sip.Directory{Realm: "localhost", Trunks: []sip.Trunk{
		{ID: "loop", From: loopbackOnly, Host: fmt.Sprint(b.peer.stack.Addrs()[0].Addr)},
	}})
	call, leg := b.arrive()
	dial := &acd.Dial{Offer: 5, Number: "+48229998877", Trunk: "loop", From: acd.Party{Number: "+48601000000"}}
	b.do(call, dial)
	telephone := b.peer.waitRung()
	b.want(&acd.OfferRinging{Offer: 5})
	b.do(call, dial) // again: it rings once
	if telephone.To() != "+48229998877" || telephone.From().User != "+48601000000" || telephone.MaxForwards() != 69 {
		t.Errorf("called %s from %+v with %d hops", telephone.To(), telephone.From(), telephone.MaxForwards())
	}
	b.peer.answer(telephone)
	answered := b.want(&acd.OfferAnswered{Offer: 5, Node: "n1"}).(*acd.OfferAnswered)
	b.do(call, &acd.Bridge{A: call, B: answered.Leg})
	b.want(&acd.LegAnswered{Leg: call})
	b.want(&acd.Bridged{A: call, B: answered.Leg})
	b.peer.do(func() { telephone.Hangup("") })
	b.want(&acd.LegEnded{Leg: answered.Leg, Cause: acd.EndHangup})
	b.peer.do(func() { leg.Hangup("") })
	b.want(&acd.LegEnded{Leg: call, Cause: acd.EndHangup})
}

// Numbers are written as the trunk's carrier wants them: called, calling and diverting.
func TestBoard_NumbersOutside(t *testing.T) {
	for format, want := range map[queuegroups.NumberFormat][3]string{
		queuegroups.NumberE164:     {"+48229998877", "+48601000000", "+48221234567"},
		queuegroups.NumberPlain:    {"48229998877", "48601000000", "48221234567"},
		queuegroups.NumberNational: {"229998877", "601000000", "221234567"},
	} {
		t.Run(string("to "+format), func(t *testing.T) {
			b := newBench(t, nil)
			b.board.SetConfig(&queuegroups.Config{Region: "PL", Trunks: []queuegroups.Trunk{{ID: "loop", Host: "x", NumberFormat: format}}})
			b.board.stack.SetDirectory(sip.Directory{Realm: "localhost", Trunks: []sip.Trunk{
				{ID: "loop", From: loopbackOnly, Host: fmt.Sprint(b.peer.stack.Addrs()[0].Addr)},
			}})
			call, _ := b.arrive()
			dial := &acd.Dial{Offer: 5, Number: "+48229998877", Trunk: "loop", From: acd.Party{Number: "+48601000000"}}
			b.do(call, dial)
			telephone := b.peer.waitRung()
			b.want(&acd.OfferRinging{Offer: 5})
			origin := telephone.Origin()
			if telephone.To() != want[0] || telephone.From().User != want[1] || len(origin.Diversions) != 1 || origin.Diversions[0].User != want[2] {
				t.Errorf("%q: called %s from %s, %+v; want %v", format, telephone.To(), telephone.From().User, origin, want)
			}
			b.board.EndAll()
			for range 2 { // the caller's leg and the telephone's: the peer must not be gone before
				b.peer.waitEnd()
			}
		})
	}
}

func TestBoard_CannotDialOutside(t *testing.T) {
	b := newBench(t, nil)
	call, leg := b.arrive()
	for k, trunk := range []queuegroups.TrunkID{"loop", "unknown"} { // loop has no host
		offer := acd.OfferID(k + 1)
		b.do(call, &acd.Dial{Offer: offer, Number: "+48229998877", Trunk: trunk})
		b.want(&acd.OfferFailed{Offer: offer, Class: acd.FailUnreachable})
	}
	b.peer.do(func() { leg.Hangup("") })
	b.want(&acd.LegEnded{Leg: call, Cause: acd.EndCancel})
	b.do(call, &acd.Dial{Offer: 9, Number: "+48229998877", Trunk: "loop"}) // its call is gone
	b.want(&acd.OfferFailed{Offer: 9, Class: acd.FailUnreachable})
}

// Trunks take turns by priority and weight (RFC 2782); those that are down come last,
// those without a weight behind those that have one.
func TestInTurn(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	first := map[queuegroups.TrunkID]int{}
	const calls = 10000
	for range calls {
		turn := inTurn([]way{
			{"backup", 5, 9, false}, {"plain", 1, 0, false}, {"down", 0, 0, true}, {"small", 1, 10, false},
			{"other", 1, 0, false}, {"large", 1, 30, false}, {"spare", 2, 0, true},
		}, random.IntN)
		if rest := []queuegroups.TrunkID{"plain", "other", "backup", "down", "spare"}; !slices.Equal(turn[2:], rest) {
			t.Fatalf("%v: want %v last", turn, rest)
		}
		first[turn[0]]++
	}
	if n := first["large"]; n < calls*70/100 || n > calls*80/100 || first["large"]+first["small"] != calls {
		t.Errorf("of %d calls: %v; want three quarters by large", calls, first)
	}
}

// carriers are raw ones, and trunks to them of rising priority; change changes them.
func (b *bench) carriers(n int, change func(i int, c *queuegroups.Trunk, d *sip.Trunk)) (list []*rawPhone) {
	conf := &queuegroups.Config{Region: "PL"}
	d := sip.Directory{Realm: "localhost", Trunks: []sip.Trunk{{ID: "loop", From: loopbackOnly}}}
	for i := range n {
		p := b.phone(fmt.Sprint("carrier", i))
		host := p.conn.LocalAddr().String()
		trunk := queuegroups.Trunk{ID: queuegroups.TrunkID(p.agent), Host: host, Priority: i}
		entry := sip.Trunk{ID: p.agent, Host: host}
		if change != nil {
			change(i, &trunk, &entry)
		}
		conf.Trunks, d.Trunks, list = append(conf.Trunks, trunk), append(d.Trunks, entry), append(list, p)
	}
	b.board.SetConfig(conf)
	b.board.stack.SetDirectory(d)
	return list
}

// A call for which no trunk is named goes to the next where one answers 5xx or 408,
// and stays where somebody was found, or was said to be.
func TestBoard_NextTrunk(t *testing.T) {
	for status, next := range map[string]bool{
		"500 Server Internal Error": true, "503 Service Unavailable": true, "408 Request Timeout": true,
		"486 Busy Here": false, "404 Not Found": false, "403 Forbidden": false, "603 Decline": false,
	} {
		t.Run(status, func(t *testing.T) {
			b := newBench(t, nil)
			carriers := b.carriers(2, nil)
			call, _ := b.arrive()
			b.do(call, &acd.Dial{Offer: 5, Number: "+48229998877"})
			carriers[0].reply(carriers[0].recv("INVITE"), status, "")
			if next {
				carriers[0].recv("ACK")
				carriers[1].reply(carriers[1].recv("INVITE"), "486 Busy Here", "")
				b.want(&acd.OfferFailed{Offer: 5, Class: acd.FailBusy, Code: 486})
			} else {
				var code int
				_, _ = fmt.Sscan(status, &code)
				b.want(&acd.OfferFailed{Offer: 5, Code: code})
			}
			b.leave(call)
		})
	}
}

// One that is named has the call alone; one that has rung keeps it; a call that is
// taken back goes to nobody else.
func TestBoard_NoOtherTrunk(t *testing.T) {
	b := newBench(t, nil)
	carriers := b.carriers(2, nil)
	call, _ := b.arrive()
	b.do(call, &acd.Dial{Offer: 5, Number: "+48229998877", Trunk: "carrier1"})
	carriers[1].reply(carriers[1].recv("INVITE"), "503 Service Unavailable", "")
	b.want(&acd.OfferFailed{Offer: 5, Class: acd.FailUnreachable, Code: 503})

	b.do(call, &acd.Dial{Offer: 6, Number: "+48229998877"})
	invite := carriers[0].recv("INVITE")
	carriers[0].reply(invite, "180 Ringing", "")
	b.want(&acd.OfferRinging{Offer: 6})
	carriers[0].reply(invite, "500 Server Internal Error", "")
	b.want(&acd.OfferFailed{Offer: 6, Class: acd.FailUnreachable, Code: 500})

	b.do(call, &acd.Dial{Offer: 7, Number: "+48229998877"})
	invite = carriers[0].recv("INVITE")
	b.do(call, &acd.CancelRing{Offer: 7})
	carriers[0].reply(invite, "503 Service Unavailable", "")
	b.want(&acd.OfferFailed{Offer: 7, Class: acd.FailCancelled})
	b.leave(call)
}

// Trunks that are full or cannot be found are passed over. (Those that had their calls of this second look
// the same from here; sip tests them with a clock of its own.)
func TestBoard_TrunkPassedOver(t *testing.T) {
	b := newBench(t, nil)
	carriers := b.carriers(3, func(i int, _ *queuegroups.Trunk, d *sip.Trunk) {
		switch i {
		case 0:
			d.Host = "no-such-host.invalid"
		case 1:
			d.MaxCalls = 1
		}
	})
	call, _ := b.arrive()
	var ringing []func()
	for i, trunk := range []int{1, 2, 2} {
		offer := acd.OfferID(5 + i)
		b.do(call, &acd.Dial{Offer: offer, Number: "+48229998877"})
		invite := carriers[trunk].recv("INVITE")
		carriers[trunk].reply(invite, "180 Ringing", "")
		b.want(&acd.OfferRinging{Offer: offer})
		ringing = append(ringing, func() { b.withdraw(call, offer, carriers[trunk], invite) })
	}
	full := map[string]uint64{}
	for _, s := range b.board.stack.Trunks() {
		full[s.ID] = s.Full
	}
	if want := map[string]uint64{"loop": 0, "carrier0": 0, "carrier1": 2, "carrier2": 0}; !maps.Equal(full, want) {
		t.Errorf("full so many times: %v; want %v", full, want)
	}
	for _, withdraw := range ringing {
		withdraw()
	}
	b.leave(call)
}

// Short numbers go to the trunks that take them as they are dialled, whichever is
// named; those of emergency services though the trunk is full.
func TestBoard_ShortNumbers(t *testing.T) {
	b := newBench(t, nil)
	carriers := b.carriers(3, func(i int, c *queuegroups.Trunk, d *sip.Trunk) {
		c.NumberFormat = queuegroups.NumberPlain
		switch i {
		case 1:
			c.Emergency, d.MaxCalls = []string{"112"}, 1
		case 2:
			c.Emergency, c.Short = []string{"112"}, []string{"19115"}
		}
	})
	call, _ := b.arrive()
	var ringing []func()
	dial := func(offer acd.OfferID, number string, trunk int) {
		t.Helper()
		b.do(call, &acd.Dial{Offer: offer, Number: number, Trunk: "carrier0"})
		invite := carriers[trunk].recv("INVITE")
		if want := fmt.Sprintf("INVITE sip:%s@%v ", number, carriers[trunk].conn.LocalAddr()); !strings.HasPrefix(invite, want) {
			t.Errorf("got %s, want %s", invite, want)
		}
		carriers[trunk].reply(invite, "180 Ringing", "")
		b.want(&acd.OfferRinging{Offer: offer})
		ringing = append(ringing, func() { b.withdraw(call, offer, carriers[trunk], invite) })
	}
	dial(5, "19115", 2)
	dial(6, "112", 1)
	dial(7, "112", 1)
	b.do(call, &acd.Dial{Offer: 8, Number: "999", Trunk: "carrier0"})
	b.want(&acd.OfferFailed{Offer: 8, Class: acd.FailUnreachable})
	for _, withdraw := range ringing {
		withdraw()
	}
	b.leave(call)
}

// withdraw takes an offer back from a carrier where it rings.
func (b *bench) withdraw(call acd.LegID, offer acd.OfferID, carrier *rawPhone, invite string) {
	b.t.Helper()
	b.do(call, &acd.CancelRing{Offer: offer})
	carrier.reply(carrier.recv("CANCEL"), "200 OK", "")
	carrier.reply(invite, "487 Request Terminated", "")
	carrier.recv("ACK")
	b.want(&acd.OfferFailed{Offer: offer, Class: acd.FailCancelled})
}

// What agents dial: a number of ours leads to its group, an emergency service may be
// called by everybody, and a number that nobody has is refused with a reason.
func TestBoard_AgentsDial(t *testing.T) {
	for dialled, c := range map[string]struct {
		want    *acd.CallArrived
		refused string
	}{
		"+48221234567": {want: &acd.CallArrived{To: "+48221234567", Group: "sales"}},
		"221234567":    {want: &acd.CallArrived{To: "+48221234567", Group: "sales"}},
		"112":          {want: &acd.CallArrived{To: "112", Outside: true}},
		"19115":        {refused: "SIP/2.0 403"},
		"601234567":    {refused: "SIP/2.0 403"},
		"999":          {want: &acd.CallArrived{To: "999"}},
	} {
		t.Run(dialled, func(t *testing.T) {
			b := newBench(t, nil)
			b.agents(&queuegroups.Config{
				Region:  "PL",
				Agents:  []queuegroups.Agent{{ID: "anna", Extension: "101", Calls: queuegroups.CallInternal}},
				Groups:  []queuegroups.Group{{ID: "sales"}},
				Numbers: []queuegroups.Number{{Number: "+48221234567", Group: "sales"}},
				Trunks:  []queuegroups.Trunk{{ID: "out", Host: "192.0.2.1", Emergency: []string{"112"}, Short: []string{"19115"}}},
			})
			p := b.phone("anna")
			p.dial(dialled)
			if c.refused != "" {
				if res := p.recv(c.refused); headerOf(res, "Warning") != `399 localhost "Not Entitled"` {
					t.Errorf("refused by\n%s", res)
				}
				p.ack()
				return
			}
			arrived := b.want(c.want).(*acd.CallArrived)
			if arrived.Group != c.want.Group || arrived.Outside != c.want.Outside || arrived.Trunk != "" {
				t.Errorf("%+v", arrived)
			}
			b.do(arrived.Leg, &acd.Reject{Reason: acd.RejectUnknownNumber})
			if res := p.recv("SIP/2.0 404"); headerOf(res, "Warning") != `399 localhost "Nobody to Call by That Number"` {
				t.Errorf("refused by\n%s", res)
			}
			p.ack()
			b.want(&acd.LegEnded{Leg: arrived.Leg})
		})
	}
}
