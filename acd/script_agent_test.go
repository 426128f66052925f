package acd_test

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"centrala/acd"
	"centrala/queuegroups"
)

// doAgent runs the lines about agents; false: it is none.
func (r *script) doAgent(verb string, args []string) bool {
	after := func(word string) string {
		if k := slices.Index(args, word); k >= 0 && k+1 < len(args) {
			return args[k+1]
		}
		return ""
	}
	if len(args) == 0 {
		return false
	}
	agent, by := queuegroups.AgentID(args[0]), queuegroups.AgentID(after("by"))
	switch verb {
	case "client": // client AGENT KIND STATE [at NODE]: STATE may be registered or unregistered, too
		node, kind := acd.NodeID("n1"), acd.ClientKind(args[1])
		if n := after("at"); n != "" {
			node = acd.NodeID(n)
		}
		switch args[2] {
		case "registered":
			r.apply(&acd.AgentOnline{Agent: agent, Node: node, Client: kind})
		case "unregistered":
			r.apply(&acd.AgentOffline{Agent: agent, Node: node, Client: kind})
		default:
			r.apply(&acd.ClientSeen{Agent: agent, Node: node, Client: kind, State: acd.ClientState(args[2])})
		}
	case "duty": // duty AGENT on|break|leave|off [reason REASON] [by AGENT] [next]
		r.apply(&acd.DutySet{Agent: agent, Duty: acd.Duty(args[1]), Reason: after("reason"), By: by, Next: slices.Contains(args, "next")})
	case "trunk": // trunk TRUNK STATE [because WHY] [at NODE]
		node := acd.NodeID(cmp.Or(after("at"), "n1"))
		r.apply(&acd.TrunkSeen{Node: node, Trunk: queuegroups.TrunkID(args[0]), State: acd.TrunkState(args[1]), Why: after("because")})
	case "dnd": // dnd AGENT on|off
		r.apply(&acd.DNDSet{Agent: agent, On: args[1] == "on", By: by})
	case "wrapup": // wrapup AGENT end|DURATION [by AGENT]
		extend, err := time.ParseDuration(args[1])
		if err != nil && args[1] != "end" {
			r.t.Fatal(err)
		}
		r.apply(&acd.WrapUpSet{Agent: agent, Extend: extend, By: by})
	case "seat": // seat AGENT GROUP in|out|paused [reason REASON] [by AGENT]
		r.apply(&acd.SeatSet{Agent: agent, Group: queuegroups.GroupID(args[1]), State: acd.SeatState(args[2]), Reason: after("reason"), By: by})
	case "status": // status AGENT: all that is known of them
		for _, a := range r.s.Agents() {
			if a.ID == agent {
				fmt.Fprintf(&r.out, "  %s: %s, duty %s %q next %q, dnd %v, missed %d and %d, wrap-up until %s, clients %v, seats %v\n", a.ID, a.Status, a.Duty, a.Reason, a.Next, a.DND, a.NoAnswer, a.Unreachable, r.since(a.WrapUpUntil), a.Clients, len(a.Seats))
			}
		}
	default:
		return false
	}
	return true
}

// since is a time as the scripts write it.
func (r *script) since(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.Sub(r.start).String()
}
