package dialog

import (
	"fmt"
	"strings"
	"testing"
)

// TestMachine_EveryTransition writes the whole table out and compares it with
// what RFC 3261 (sections given) and the contract of a leg ask for.
func TestMachine_EveryTransition(t *testing.T) {
	want := strings.TrimSpace(`
incoming + ring -> incoming: 180>
incoming + answer -> answered: 200>
incoming + reject -> ended: reject> (we rejected)
incoming + hangup -> ended: 480> (we hung up)
incoming + <cancel -> ended: (peer cancelled)
incoming + <bye -> ended: 487> (peer cancelled)
incoming + tx failed -> ended: (broken)
incoming + flow dead -> ended: (broken)
answered + hangup -> leaving: (we hung up)
answered + <cancel -> ended: stop timers (peer cancelled)
answered + <ack -> confirmed: stop timers, tell answered
answered + <bye -> ended: stop timers (peer hung up)
answered + resend -> answered: 200> again
answered + ack late -> ended: stop timers, BYE> (no ack)
leaving + <cancel -> ended: stop timers
leaving + <ack -> ended: stop timers, BYE>
leaving + <bye -> ended: stop timers
leaving + resend -> leaving: 200> again
leaving + ack late -> ended: stop timers, BYE>
calling + hangup -> withdrawn: (we cancelled)
calling + <bye -> withdrawn: (peer hung up)
calling + <1xx -> proceeding: stop timers, tell progress
calling + <2xx -> confirmed: stop timers, ACK>, tell answered
calling + <fail -> ended: stop timers (peer rejected)
calling + tx failed -> ended: stop timers, drop (no response)
calling + flow dead -> ended: stop timers, drop (no response)
calling + sent again -> calling:
proceeding + hangup -> cancelling: CANCEL> (we cancelled)
proceeding + <bye -> cancelling: CANCEL> (peer hung up)
proceeding + <1xx -> proceeding: tell progress
proceeding + <2xx -> confirmed: ACK>, tell answered
proceeding + <fail -> ended: (peer rejected)
proceeding + tx failed -> ended: drop (no response)
proceeding + flow dead -> ended: drop (no response)
proceeding + sent again -> calling:
withdrawn + <bye -> withdrawn:
withdrawn + <1xx -> cancelling: stop timers, CANCEL>
withdrawn + <2xx -> ended: stop timers, ACK>, BYE>
withdrawn + <fail -> ended: stop timers
withdrawn + tx failed -> ended: stop timers, drop
withdrawn + flow dead -> ended: stop timers, drop
cancelling + <bye -> cancelling:
cancelling + <2xx -> ended: stop timers, ACK>, BYE>
cancelling + <fail -> ended: stop timers
cancelling + tx failed -> ended: stop timers, drop
cancelling + flow dead -> ended: stop timers, drop
cancelling + cancel late -> ended: stop timers, drop
confirmed + hangup -> ended: BYE> (we hung up)
confirmed + <bye -> ended: (peer hung up)
confirmed + <2xx again -> confirmed: ACK>
confirmed + <2xx fork -> confirmed: fork: ACK> BYE>
confirmed + session over -> ended: BYE> (unrefreshed)
ended + <2xx -> ended: ACK>, BYE>
ended + <2xx again -> ended: ACK>
ended + <2xx fork -> ended: fork: ACK> BYE>`)
	var got strings.Builder
	for s := range states {
		for in := range inputs {
			step, ok := Next(s, in)
			if !ok {
				continue
			}
			fmt.Fprintf(&got, "%v + %v -> %v:", s, in, step.Next)
			for i, a := range step.Do {
				if i > 0 {
					got.WriteByte(',')
				}
				fmt.Fprintf(&got, " %v", a)
			}
			if step.End != NoCause {
				fmt.Fprintf(&got, " (%v)", step.End)
			}
			got.WriteByte('\n')
		}
	}
	have, wanted := strings.Split(strings.TrimSpace(got.String()), "\n"), strings.Split(want, "\n")
	for i := range max(len(have), len(wanted)) {
		h, w := "", ""
		if i < len(have) {
			h = have[i]
		}
		if i < len(wanted) {
			w = wanted[i]
		}
		if h != w {
			t.Fatalf("line %d:\n got %s\nwant %s", i+1, h, w)
		}
	}
}

// TestMachine_EndIsToldExactlyOnce walks every path of up to eight inputs.
func TestMachine_EndIsToldExactlyOnce(t *testing.T) {
	type node struct {
		s    State
		told bool
	}
	for _, first := range []State{Incoming, Calling} {
		now := map[node]string{{first, false}: ""}
		for range 8 {
			next := map[node]string{}
			for n, path := range now {
				for in := range inputs {
					step, ok := Next(n.s, in)
					if !ok {
						continue
					}
					way := path + " " + in.String()
					if step.End != NoCause && n.told {
						t.Fatalf("told twice:%s", way)
					}
					m := node{step.Next, n.told || step.End != NoCause}
					if m.s == Ended && !m.told {
						t.Fatalf("ended and never told:%s", way)
					}
					next[m] = way
				}
			}
			now = next
		}
	}
}

func TestMachine_EveryStateHasAWayOutWithoutThePeer(t *testing.T) {
	for s := range states {
		if s == Ended {
			continue
		}
		out := false
		for _, in := range []Input{UserHangup, TimerAck, TimerCancelled, TxFailed} {
			step, ok := Next(s, in)
			out = out || ok && step.Next != s
		}
		if !out {
			t.Errorf("%v cannot be left", s)
		}
	}
}

func TestOffers_Glare(t *testing.T) {
	var o Offers
	if g := o.Receive(); g != NoGlare {
		t.Errorf("first offer: %v", g)
	}
	if g := o.Receive(); g != BusyWith {
		t.Errorf("second while the first is answered: %v", g)
	}
	o.Answered()
	o.Offer()
	if g := o.Receive(); g != OursOpen || !o.Open() {
		t.Errorf("while ours is open: %v", g)
	}
	o.GotAnswer()
	if g := o.Receive(); g != NoGlare || o.Open() {
		t.Errorf("after the answer: %v", g)
	}
}
