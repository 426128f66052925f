package web

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"centrala/acd"
	"centrala/queuegroups"
)

// BenchmarkBoard is what a change costs the server with 200 agents, 500 who wait and so many different
// scopes looking on: a picture, and what is sent to each scope.
func BenchmarkBoard(b *testing.B) {
	r := newRig(b)
	names := make([]string, 200)
	var text strings.Builder
	text.WriteString("agents:\n  anna: {skills: {klingon: 3}}\n  bartek: {}\n  celina: {}\n")
	for k := range names {
		names[k] = fmt.Sprintf("a%d", k)
		fmt.Fprintf(&text, "  %s: {}\n", names[k])
	}
	fmt.Fprintf(&text, "groups:\n  sales: {agents: [anna, %s], pickup: true, misses: 0}\n", strings.Join(names, ", "))
	for k := range 50 {
		fmt.Fprintf(&text, "  g%d: {agents: [a%d], pickup: true}\n", k, k)
	}
	text.WriteString("trunks: {carrier: {from: [192.0.2.1/32]}}\nnumbers:\n  \"+48 22 123 45 67\": {trunk: carrier, group: sales, needs: {klingon: 3}}\n")
	config, err := queuegroups.Load(queuegroups.Options{Region: "PL", Files: []queuegroups.File{{Name: "site", Data: []byte(text.String())}}})
	if err != nil {
		b.Fatal(err)
	}
	r.fact(&acd.ConfigApplied{Config: config})
	for _, name := range names {
		r.fact(&acd.AgentOnline{Agent: queuegroups.AgentID(name), Node: "n1"})
	}
	for k := range 500 {
		r.fact(&acd.CallArrived{Leg: acd.LegID(fmt.Sprint("w", k)), Node: "n1", Trunk: "carrier", From: acd.Party{Number: fmt.Sprint("+4850110", k)}, To: "+48221234567"})
	}
	for _, scopes := range []int{1, 50} {
		b.Run(fmt.Sprintf("scopes=%d", scopes), func(b *testing.B) {
			r.s.board.scenes = map[string]*scene{}
			for k := range scopes {
				x := scope{all: true, calls: true}
				if k > 0 {
					x = scope{serves: []queuegroups.GroupID{"sales", queuegroups.GroupID(fmt.Sprint("g", k))}, calls: true}
				}
				if _, _, err := r.s.board.since(x, ""); err != nil {
					b.Fatal(err)
				}
			}
			n := 0
			for b.Loop() {
				n++ // the first of those who wait goes, another comes, and ten agents have a break or not
				var first acd.InteractionView
				r.core.View(func(s *acd.State) {
					for v := range s.Underway(0) {
						if v.Phase == acd.PhaseQueued {
							first = v
							return
						}
					}
				})
				r.fact(&acd.LegEnded{Leg: first.Leg, Cause: acd.EndHangup})
				r.fact(&acd.CallArrived{Leg: acd.LegID(fmt.Sprint(b.Name(), n)), Node: "n1", Trunk: "carrier", To: "+48221234567"})
				for k := range 10 {
					r.fact(&acd.DutySet{Agent: queuegroups.AgentID(names[(n*10+k)%200]), Duty: []acd.Duty{acd.DutyOn, acd.DutyBreak}[n/20%2], By: "boss"})
				}
				r.s.board.turnNow(b)
			}
			r.s.board.mu.Lock()
			defer r.s.board.mu.Unlock()
			for _, sc := range r.s.board.scenes {
				if c := sc.changes; len(c) > 0 && sc.all {
					b.ReportMetric(float64(len(c[len(c)-1].body))/1000, "kB/change")
				}
				sc.used = time.Now()
			}
		})
	}
}
