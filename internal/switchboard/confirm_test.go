package switchboard

import (
	"fmt"
	"testing"
	"time"

	"centrala/acd"
	"centrala/holdmusic"
	"centrala/queuegroups"
	"centrala/sip"
)

// forwards has a caller be forwarded to a telephone outside that answers, and
// gives the caller's leg, the telephone's at the peer, and what it hears.
func (b *bench) forwards(d *acd.Dial) (call acd.LegID, telephone *sip.Leg, ear *listener) {
	b.t.Helper()
	b.board.SetConfig(&queuegroups.Config{Region: "PL", Groups: []queuegroups.Group{
		{ID: "sales", Extension: "600", ForwardConfirm: true, Announce: queuegroups.Announce{Language: "pl", Prompts: "spoken"}},
		{ID: "support", Extension: "601"},
	}})
	b.board.music = spoken(b.t, map[string]string{holdmusic.WordCallForGroup: ""})
	b.board.stack.SetDirectory(sip.Directory{Realm: "localhost", Trunks: []sip.Trunk{
		{ID: "loop", From: loopbackOnly, Host: fmt.Sprint(b.peer.stack.Addrs()[0].Addr)},
	}})
	call, _ = b.arrive()
	d.Offer, d.Number, d.Trunk, d.From = 5, "+48229998877", "loop", acd.Party{Number: "+48601000000"}
	b.do(call, d)
	telephone = b.peer.waitRung()
	b.want(&acd.OfferRinging{Offer: 5})
	ear = &listener{more: make(chan struct{})}
	b.peer.hear = ear.hear
	b.peer.answer(telephone)
	return call, telephone, ear
}

// R95, R96: who answers outside is told of the group, and has the caller when
// they press 1, by RFC 4733 or INFO, and by no other key.
func TestConfirm_Accepted(t *testing.T) {
	for _, by := range []string{"RFC 4733", "INFO"} {
		t.Run(by, func(t *testing.T) {
			b := newBench(t, nil)
			began := time.Now()
			call, telephone, ear := b.forwards(&acd.Dial{Group: "sales"})
			ear.wait(t, began, spokenHertz)
			ear.wait(t, time.Now().Add(time.Second), spokenHertz) // again
			press := func(keys string) {
				b.peer.do(func() {
					if by == "INFO" {
						for _, key := range keys {
							telephone.Press(byte(key), 100*time.Millisecond)
						}
						return
					}
					if err := b.peer.legs[telephone].Press(keys, 0); err != nil {
						t.Error(err)
					}
				})
			}
			press("2#0")
			b.noFact(t, 400*time.Millisecond)
			press("1")
			answered := b.want(&acd.OfferAnswered{Offer: 5, Node: "n1"}).(*acd.OfferAnswered)
			b.do(call, &acd.Bridge{A: call, B: answered.Leg})
			b.want(&acd.LegAnswered{Leg: call})
			b.want(&acd.Bridged{A: call, B: answered.Leg})
			press("1") // nothing comes of it
			b.peer.do(func() { telephone.Hangup("") })
			b.want(&acd.LegEnded{Leg: answered.Leg, Cause: acd.EndHangup})
			b.leave(call)
		})
	}
}

// noFact checks that nothing is logged for a while.
func (b *bench) noFact(t *testing.T, d time.Duration) {
	t.Helper()
	select {
	case e := <-b.facts.ch:
		t.Fatalf("fact %T%+v", e, e)
	case <-time.After(d):
	}
}

// A voicemail presses nothing, and somebody may hang up; the core may want it no
// more. The leg ends, and the core never hears of an answer.
func TestConfirm_NotAccepted(t *testing.T) {
	for _, c := range []struct {
		what string
		does func(b *bench, call acd.LegID, telephone *sip.Leg)
		want acd.FailureClass
	}{
		{"nobody presses", func(*bench, acd.LegID, *sip.Leg) {}, acd.FailNoAnswer},
		{"hangs up", func(b *bench, _ acd.LegID, l *sip.Leg) { b.peer.do(func() { l.Hangup("") }) }, acd.FailDeclined},
		{"the core calls it off", func(b *bench, call acd.LegID, _ *sip.Leg) { b.do(call, &acd.CancelRing{Offer: 5}) }, acd.FailCancelled},
	} {
		t.Run(c.what, func(t *testing.T) {
			b := newBench(t, nil)
			b.board.confirmTime = time.Minute
			if c.want == acd.FailNoAnswer {
				b.board.confirmTime = 2 * time.Second
			}
			began := time.Now()
			call, telephone, ear := b.forwards(&acd.Dial{Group: "sales"})
			ear.wait(t, began, spokenHertz)
			c.does(b, call, telephone)
			b.want(&acd.OfferFailed{Offer: 5, Class: c.want})
			b.do(call, &acd.EndLeg{Leg: call})
			b.want(&acd.LegEnded{Leg: call})
		})
	}
}

// Other groups' calls are taken by answering, and so are consultations: the agent
// who asks hears for themself whether that is a voicemail.
func TestConfirm_NotAsked(t *testing.T) {
	for name, d := range map[string]*acd.Dial{
		"another group": {Group: "support"}, "no group": {}, "consultation": {Group: "sales", By: "anna"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, nil)
			call, telephone, _ := b.forwards(d)
			answered := b.want(&acd.OfferAnswered{Offer: 5, Node: "n1"}).(*acd.OfferAnswered)
			b.peer.do(func() { telephone.Hangup("") })
			b.want(&acd.LegEnded{Leg: answered.Leg, Cause: acd.EndHangup})
			b.do(call, &acd.EndLeg{Leg: call})
			b.want(&acd.LegEnded{Leg: call})
		})
	}
}
