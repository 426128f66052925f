package acd_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"centrala/acd"
	"centrala/queuegroups"

	"github.com/google/go-cmp/cmp"
)

// samples is one event of each kind with every field filled in.
func samples() []acd.Event {
	return []acd.Event{
		&acd.NodeStarted{Node: "n1", Online: []queuegroups.AgentID{"anna"}},
		&acd.NodeLost{Node: "n1"},
		&acd.AgentOnline{Agent: "anna", Node: "n1"},
		&acd.AgentOffline{Agent: "anna", Node: "n1"},
		&acd.CallArrived{Leg: "c1", Node: "n1", Trunk: "carrier", From: acd.Party{Number: "+48601", Name: "Jan"}, To: "+4822"},
		&acd.LegAnswered{Leg: "c1"},
		&acd.LegEnded{Leg: "c1", Cause: acd.EndTimeout, Code: 408},
		&acd.OfferRinging{Offer: 3<<16 | 1},
		&acd.OfferAnswered{Offer: 3<<16 | 1, Leg: "a", Node: "n2"},
		&acd.OfferFailed{Offer: 3<<16 | 1, Class: acd.FailBusy, Code: 486},
		&acd.Bridged{A: "c1", B: "a"},
		&acd.Served{Leg: "c1", Done: true},
		&acd.DeadlinePassed{Deadline: acd.DeadlineID{Kind: "offer", N: 196609, Name: "x"}, Generation: 7},

		&acd.LevelRaised{Level: 2},
		&acd.AgentOnline{Agent: "anna", Node: "n1", Client: acd.ClientBrowser},
		&acd.AgentOffline{Agent: "anna", Node: "n1", Client: acd.ClientMobile},
		&acd.ClientSeen{Agent: "anna", Node: "n1", Client: acd.ClientDesktop, State: acd.ClientLocked},
		&acd.DutySet{Agent: "anna", Duty: acd.DutyBreak, Reason: "lunch", By: "bartek", Next: true},
		&acd.DNDSet{Agent: "anna", On: true, By: "bartek"},
		&acd.WrapUpSet{Agent: "anna", Extend: time.Minute, By: "bartek"},
		&acd.SeatSet{Agent: "anna", Group: "sales", State: acd.SeatPaused, Reason: "paperwork", By: "bartek"},
		&acd.HoursForced{Hours: "office", State: acd.HoursClosed, Until: time.Unix(1_800_000_000, 0).UTC(), By: "anna"},
		&acd.CallArrived{
			Leg: "c1", Node: "n1", Trunk: "carrier", From: acd.Party{Number: "+48601", Name: "Jan"}, To: "+4822",
			Agent: "anna", Responsible: "bartek", Needs: []queuegroups.Skill{{ID: "polish", Level: 3}},
		},
		&acd.TransferAsked{Leg: "a", To: acd.Target{Agent: "anna"}},
		&acd.ConsultAsked{Leg: "a", To: acd.Target{Group: "sales"}},
		&acd.ConsultSwapped{Leg: "a"},
		&acd.ConsultDone{Leg: "a", Connect: true},
		&acd.Joined{Leg: "a", With: "b"},
		&acd.Claimed{Agent: "anna", Leg: "a", Node: "n1", Kind: acd.ClaimAgent, From: "bartek", Group: "sales", Interaction: 7, Slot: "1"},
		&acd.Parked{Leg: "a", Slot: "1"},
		&acd.Moved{Interaction: 7, To: acd.Target{Number: "+4822"}, By: "anna"},
		&acd.Prioritised{Interaction: 7, Credit: time.Minute, By: "anna"},
		&acd.ChatArrived{
			Leg: "k1", Node: "n1", Channel: "website", From: acd.Party{Number: "x", Name: "Jan"}, Responsible: "anna",
			Needs: []queuegroups.Skill{{ID: "polish", Level: 3}},
		},
		&acd.ChatWritten{Leg: "k1"},
		&acd.ChatClosed{Leg: "k1"},
		&acd.LegEnded{Leg: "c1", Cause: acd.EndHangup, Media: &acd.MediaFigures{
			Codec: "PCMA", SRTP: "AES_CM_128_HMAC_SHA1_80", RoundTrip: 41_250, Discarded: 3,
			In:  acd.MediaWay{Packets: 990, Expected: 1000, Lost: 10, JitterMean: 1375, JitterMax: 11_000, MOS: 431},
			Out: acd.MediaWay{Packets: 1010, Expected: 1008, Lost: 2, JitterMean: 250, JitterMax: 500, MOS: 440},
		}},
		&acd.Held{Leg: "a", On: true},
		&acd.Disposed{Interaction: 7, Agent: "anna", Group: "sales", Code: "sale", Note: 8, By: "bartek"},
		&acd.ChatWritten{Leg: "k1", By: "bartek"},
		&acd.ChatJoined{Leg: "k1", By: "bartek", Left: true},
	}
}

// TestEventFormat holds the encoding of every kind: a released log must be
// readable for ever, so a line of the file may be added but never changed.
func TestEventFormat(t *testing.T) {
	file := filepath.Join("testdata", "format1.jsonl")
	var got bytes.Buffer
	for _, e := range samples() {
		raw, err := acd.EncodeEvent(e)
		if err != nil {
			t.Fatal(err)
		}
		got.Write(append(raw, '\n'))
	}
	if *update {
		if err := os.WriteFile(file, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("the encoding changed (-want +got):\n%s", diff)
	}
	for n, line := range strings.Split(strings.TrimSpace(string(want)), "\n") {
		e, err := acd.DecodeEvent([]byte(line))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(samples()[n], e); diff != "" {
			t.Errorf("line %d reads otherwise (-want +got):\n%s", n+1, diff)
		}
	}
}

func TestDecodeEvent_Refuses(t *testing.T) {
	for name, c := range map[string]struct {
		data    string
		unknown bool
	}{
		"nothing":        {``, false},
		"no JSON":        {`hello`, false},
		"newer version":  {`{"v":2,"t":"bridged","e":{}}`, true},
		"no version":     {`{"t":"bridged","e":{}}`, true},
		"unknown kind":   {`{"v":1,"t":"moon_rose","e":{}}`, true},
		"no body":        {`{"v":1,"t":"bridged"}`, false},
		"null body":      {`{"v":1,"t":"bridged","e":null}`, false},
		"wrong type":     {`{"v":1,"t":"bridged","e":{"a":5}}`, false},
		"trailing bytes": {`{"v":1,"t":"bridged","e":{}}x`, false},
		"negative":       {`{"v":1,"t":"offer_ringing","e":{"offer":-1}}`, false},
	} {
		e, err := acd.DecodeEvent([]byte(c.data))
		if err == nil || e != nil {
			t.Errorf("%s: got %v, %v", name, e, err)
		}
		if errors.Is(err, acd.ErrUnknownEvent) != c.unknown {
			t.Errorf("%s: unknown: want %v, error %v", name, c.unknown, err)
		}
	}
	if _, err := acd.EncodeEvent(nil); !errors.Is(err, acd.ErrUnknownEvent) {
		t.Errorf("nil event: %v", err)
	}
}

func FuzzDecodeEvent(f *testing.F) {
	for _, e := range samples() {
		raw, err := acd.EncodeEvent(e)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := acd.DecodeEvent(data)
		if err != nil {
			return
		}
		raw, err := acd.EncodeEvent(e)
		if err != nil {
			t.Fatal(err)
		}
		again, err := acd.DecodeEvent(raw)
		if err != nil {
			t.Fatalf("%s: %v", raw, err)
		}
		a, _ := json.Marshal(e)
		b, _ := json.Marshal(again)
		if !bytes.Equal(a, b) {
			t.Fatalf("%s became %s", a, b)
		}
		s := acd.NewState()
		s.Apply(acd.Entry{Index: 1, At: time.Unix(1, 0), Event: e})
		if err := s.Check(); err != nil {
			t.Fatal(err)
		}
	})
}

// FuzzApply feeds nonsense in any order: facts about legs and offers that exist,
// existed, or never did. Nothing panics, every invariant holds after each entry,
// and a state restored from a snapshot goes on alike.
func FuzzApply(f *testing.F) {
	f.Add(uint64(1), uint16(200))
	f.Add(uint64(2), uint16(400))
	f.Fuzz(func(t *testing.T, seed uint64, n uint16) {
		chaos(t, seed, int(n%1000))
	})
}

func TestChaos(t *testing.T) {
	for seed := range uint64(60) {
		chaos(t, seed, 400)
	}
}

func chaos(t *testing.T, seed uint64, n int) {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 7))
	configs := []*queuegroups.Config{chaosConfig(queuegroups.Evenly, false), chaosConfig(queuegroups.InOrder, true), chaosConfig(queuegroups.All, false)}
	s, twin := acd.NewState(), acd.NewState()
	at := time.Unix(1_700_000_000, 0)
	var offers []acd.OfferID
	var done []acd.Event
	for index := uint64(1); index <= uint64(n); index++ {
		at = at.Add(time.Duration(rng.IntN(4000)) * time.Millisecond)
		e := chaosEvent(rng, s, configs, offers)
		done = append(done, e)
		entry := acd.Entry{Index: index, At: at, Event: e}
		commands := s.Apply(entry)
		if err := s.Check(); err != nil {
			t.Fatalf("seed %d, entry %d %T %+v: %v", seed, index, e, e, err)
		}
		for _, c := range commands {
			if ring, ok := c.(*acd.Ring); ok {
				offers = append(offers, ring.Offer)
			}
		}
		if rng.IntN(10) == 0 {
			var snapshot bytes.Buffer
			if err := twin.Snapshot(&snapshot); err != nil {
				t.Fatal(err)
			}
			var err error
			if twin, err = acd.Restore(&snapshot); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff(commands, twin.Apply(entry)); diff != "" {
			t.Fatalf("seed %d, entry %d %T: the restored state commands otherwise:\n%s", seed, index, e, diff)
		}
	}
	if s.Hash() != twin.Hash() {
		t.Fatalf("seed %d: hashes differ after %d entries", seed, len(done))
	}
}

func chaosConfig(d queuegroups.Distribution, fewer bool) *queuegroups.Config {
	c := &queuegroups.Config{Region: "PL"}
	names := []queuegroups.AgentID{"anna", "bartek", "celina", "darek"}
	if fewer {
		names = names[1:]
	}
	for n, id := range names {
		a := queuegroups.Agent{ID: id, Name: string(id), Capacity: queuegroups.Capacity{Voice: 1 + n%2}}
		if id == "darek" {
			a.Contact = "sip:darek@192.0.2.1"
		}
		c.Agents = append(c.Agents, a)
	}
	c.Groups = []queuegroups.Group{
		{ID: "sales", Name: "Sales", Agents: names, Distribution: d, Rings: 2, RingLength: 5 * time.Second, WrapUp: 3 * time.Second, MaxWait: time.Minute, Misses: 2},
		{ID: "support", Name: "Support", Agents: names[1:], Distribution: queuegroups.Evenly, MaxWaiting: 2},
	}
	c.Numbers = []queuegroups.Number{{Number: "+481", Group: "sales"}, {Number: "+482", Group: "support", HoldMusic: "jazz"}}
	if fewer {
		c.Groups = c.Groups[:1]
		c.Numbers = c.Numbers[:1]
	}
	return c
}

func chaosEvent(rng *rand.Rand, s *acd.State, configs []*queuegroups.Config, offers []acd.OfferID) acd.Event {
	agents := []queuegroups.AgentID{"anna", "bartek", "celina", "darek", "nobody"}
	legs := []acd.LegID{"c1", "c2", "c3", "c4", "c5", "c6", "a1", "a2", "a3", "a4"}
	nodes := []acd.NodeID{"n1", "n1", "n1", "n2"}
	classes := []acd.FailureClass{acd.FailBusy, acd.FailDeclined, acd.FailNoAnswer, acd.FailUnreachable, acd.FailCancelled, "odd"}
	causes := []acd.EndCause{acd.EndHangup, acd.EndCancel, acd.EndByUs, acd.EndFailed, acd.EndTimeout, "odd"}
	agent, leg, node := agents[rng.IntN(len(agents))], legs[rng.IntN(6)], nodes[rng.IntN(len(nodes))]
	offer := acd.OfferID(rng.IntN(9))
	if len(offers) > 0 && rng.IntN(8) > 0 {
		offer = offers[max(0, len(offers)-1-rng.IntN(4))]
	}
	switch rng.IntN(30) {
	case 0:
		return &acd.ConfigApplied{Config: configs[rng.IntN(len(configs))]}
	case 1:
		return &acd.NodeStarted{Node: node, Online: agents[rng.IntN(len(agents)):]}
	case 2:
		return &acd.NodeLost{Node: node}
	case 3, 4, 5:
		return &acd.AgentOnline{Agent: agent, Node: node}
	case 6:
		return &acd.AgentOffline{Agent: agent, Node: node}
	case 7, 8, 9, 10:
		return &acd.CallArrived{Leg: leg, Node: node, To: []string{"+481", "+482", "+483"}[rng.IntN(3)]}
	case 11, 12:
		return &acd.LegAnswered{Leg: leg}
	case 13, 14, 15:
		return &acd.LegEnded{Leg: legs[rng.IntN(len(legs))], Cause: causes[rng.IntN(len(causes))]}
	case 16, 17, 18:
		return &acd.OfferRinging{Offer: offer}
	case 19, 20, 21, 22:
		return &acd.OfferAnswered{Offer: offer, Leg: legs[6+rng.IntN(4)], Node: node}
	case 23, 24:
		return &acd.OfferFailed{Offer: offer, Class: classes[rng.IntN(len(classes))]}
	case 25:
		return &acd.Bridged{A: leg, B: legs[6+rng.IntN(4)]}
	}
	if _, id, generation, ok := s.NextDeadline(); ok {
		return &acd.DeadlinePassed{Deadline: id, Generation: generation - uint64(rng.IntN(5)/4)}
	}
	return &acd.DeadlinePassed{}
}
