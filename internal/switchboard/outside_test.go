package switchboard

import (
	"fmt"
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
			b.board.SetConfig(&queuegroups.Config{Region: "PL", Trunks: []queuegroups.Trunk{{ID: "loop", NumberFormat: format}}})
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
