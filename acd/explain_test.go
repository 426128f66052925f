package acd_test

import (
	"strings"
	"testing"
	"time"

	"centrala/acd"
	"centrala/queuegroups"
)

// What Explain tells is what Apply does: each end, and waiting.
func TestExplain_Ends(t *testing.T) {
	c := loadConfig(t, "config", `
agents: {anna: {}, bartek: {phone: "+48601234567"}}
groups:
  chain: {agents: [anna], no_answer: [{action: number, to: "+48229998877"}, {action: voicemail}]}
  waits: {agents: [anna, bartek], distribution: in_order}
  rings: {agents: [anna, bartek], distribution: all, no_answer: [{action: hangup}]}
  callback: {agents: [bartek], no_answer: [{action: callback}]}
hours:
  office: {timezone: UTC, open: {mon: ["08:00-16:00"]}}
trunks: {carrier: {from: [198.51.100.1]}}
numbers:
  "+48221111111": {trunk: carrier, group: chain}
  "+48222222222": {trunk: carrier, group: waits}
  "+48223333333": {trunk: carrier, group: rings}
  "+48224444444": {trunk: carrier, group: callback}
  "+48225555555": {trunk: carrier, group: waits, hours: office}
`)
	monday := time.Date(2026, 11, 2, 11, 0, 0, 0, time.UTC)
	for _, x := range []struct {
		name    string
		q       acd.Question
		away    []queuegroups.AgentID
		end     acd.EndKind // empty: it waits on
		offers  int
		minimum int // rounds
	}{
		{name: "a chain to its end", q: acd.Question{To: "+48221111111"}, end: acd.Voicemail, offers: 2},
		// The round is over when the first is rung again.
		{name: "waits on, twice round", q: acd.Question{To: "+48222222222"}, offers: 5, minimum: 2},
		{name: "waits on, once round", q: acd.Question{To: "+48222222222", Rounds: 1}, offers: 3, minimum: 1},
		{name: "nobody at work", q: acd.Question{To: "+48222222222"}, away: []queuegroups.AgentID{"anna", "bartek"}},
		{name: "all at once", q: acd.Question{To: "+48223333333"}, end: acd.Missed, offers: 2},
		{name: "a callback", q: acd.Question{To: "+48224444444"}, end: acd.CallbackTaken, offers: 1},
		{name: "open", q: acd.Question{To: "+48225555555"}, offers: 5, minimum: 2},
		{name: "closed", q: acd.Question{To: "+48225555555", At: monday.Add(12 * time.Hour)}, end: acd.ClosedHours},
		{name: "unknown", q: acd.Question{To: "+48220000000"}, end: acd.Rejected},
		{name: "nobody is that good", q: acd.Question{To: "+48223333333", Needs: []queuegroups.Skill{{ID: "polish", Level: 9}}}, end: acd.Nobody},
		{name: "not for so long", q: acd.Question{To: "+48223333333", Horizon: time.Second}, offers: 2},
	} {
		t.Run(x.name, func(t *testing.T) {
			if x.q.At.IsZero() {
				x.q.At = monday
			}
			s := acd.Rehearsal(c, x.q.At, x.away)
			e := s.Explain(x.q)
			end := acd.EndKind("")
			if e.End != nil {
				end = e.End.End
			}
			offers := 0
			for _, st := range e.Steps {
				if st.Kind == acd.StepOffer {
					offers++
				}
			}
			if end != x.end || offers != x.offers || e.Round < x.minimum {
				var all []string
				for _, st := range e.Steps {
					all = append(all, st.String())
				}
				t.Errorf("end %q, %d offers, %d rounds; want %q, %d, at least %d:\n%s", end, offers, e.Round, x.end, x.offers, x.minimum, strings.Join(all, "\n"))
			}
			if err := s.Check(); err != nil {
				t.Error(err)
			}
		})
	}
}
