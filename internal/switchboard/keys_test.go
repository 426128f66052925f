package switchboard

import (
	"bytes"
	"regexp"
	"slices"
	"testing"
	"time"

	"centrala/acd"
	"centrala/media"
	"centrala/sip"
)

// keyed is how a peer's next leg takes keys, and what keys came in.
type keyed struct {
	noEvents bool        // it knows no telephone-events
	named    string      // of its leg, in what comes in
	keys     chan string // nil: nobody looks
}

func (k *keyed) pressed(by string, key byte) {
	if k.keys != nil {
		k.keys <- by + " " + string(rune(key))
	}
}

func (k *keyed) event(name string) func(media.Event) {
	return func(e media.Event) {
		if e.Kind == media.EventDTMF {
			k.pressed(name, e.Digit)
		}
	}
}

// without is a description without telephone-events, if the peer knows none.
func (k *keyed) without(sdp []byte) []byte {
	if !k.noEvents {
		return sdp
	}
	for _, m := range regexp.MustCompile(`a=rtpmap:(\d+) telephone-event`).FindAllSubmatch(sdp, -1) {
		sdp = regexp.MustCompile(`(m=audio .*) `+string(m[1])+`\b`).ReplaceAll(sdp, []byte("$1"))
		sdp = regexp.MustCompile(`a=(rtpmap|fmtp):`+string(m[1])+` .*\r\n`).ReplaceAll(sdp, nil)
	}
	return bytes.Clone(sdp)
}

// Keys that one end of a call presses come out at the other end, whichever way
// either of them tells keys: as telephone-events where those were agreed on, once
// each, in order, and else by INFO.
func TestKeys_PassedOn(t *testing.T) {
	for _, c := range []struct {
		what         string
		callerEvents bool
		agentEvents  bool
		by           string // how the caller presses
		want         string // how the agent is told
	}{
		{"events to events", true, true, "events", "agent"},
		{"INFO to events", true, true, "INFO", "agent"},
		{"INFO of one who knows no events", false, true, "INFO", "agent"},
		{"events to INFO", true, false, "events", "INFO"},
		{"INFO to INFO", false, false, "INFO", "INFO"},
	} {
		t.Run(c.what, func(t *testing.T) {
			b := newBench(t, nil)
			b.peer.keys = make(chan string, 64)
			b.peer.named, b.peer.noEvents = "caller", !c.callerEvents
			call, leg := b.arrive()
			b.peer.named, b.peer.noEvents = "agent", !c.agentEvents
			b.do(call, &acd.Ring{Offer: 1, Agent: "anna"})
			phone := b.peer.waitRung()
			b.want(&acd.OfferRinging{Offer: 1})
			b.peer.answer(phone)
			agent := b.want(&acd.OfferAnswered{Offer: 1}).(*acd.OfferAnswered).Leg
			before := b.peer.stack.Stats().Transactions
			press(b, leg, c.by, "9") // nobody is there to be told
			b.settled(before)
			b.do(call, &acd.Bridge{A: call, B: agent})
			b.want(&acd.LegAnswered{Leg: call})
			b.want(&acd.Bridged{A: call, B: agent})
			for <-b.peer.answered != leg { // its ACK is under way then
			}
			want := []string{"1", "2", "2", "#", "A"}
			var got []string
			for _, key := range want {
				press(b, leg, c.by, key)
				select {
				case k := <-b.peer.keys:
					got = append(got, k)
				case <-time.After(patience):
					t.Fatalf("key %s did not arrive; before it %v", key, got)
				}
			}
			select {
			case k := <-b.peer.keys:
				t.Errorf("%s came, too", k)
			case <-time.After(400 * time.Millisecond):
			}
			for i := range want {
				want[i] = c.want + " " + want[i]
			}
			if !slices.Equal(got, want) {
				t.Errorf("%q, want %q", got, want)
			}
			b.peer.do(func() { leg.Hangup("") })
			b.want(&acd.LegEnded{Leg: call, Cause: acd.EndHangup})
			b.do(call, &acd.EndLeg{Leg: agent})
			b.want(&acd.LegEnded{Leg: agent, Cause: acd.EndByUs})
		})
	}
}

// settled waits until no more than some of the peer's transactions are unanswered.
func (b *bench) settled(most int) {
	b.t.Helper()
	for deadline := time.Now().Add(patience); b.peer.stack.Stats().Transactions > most; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			b.t.Fatal("the key was not answered")
		}
	}
}

// press has the peer press keys in one of its legs.
func press(b *bench, l *sip.Leg, by, keys string) {
	b.t.Helper()
	b.peer.do(func() {
		if by == "INFO" {
			for _, key := range keys {
				l.Press(byte(key), 100*time.Millisecond)
			}
			return
		}
		if ep := b.peer.legs[l]; ep.TakesKeys() {
			if err := ep.Press(keys, 0); err != nil {
				b.t.Error(err)
			}
		}
	})
}
