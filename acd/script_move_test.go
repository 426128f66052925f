package acd_test

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"centrala/acd"
	"centrala/queuegroups"
)

// doMove runs the lines about transfers, pickup and calls by agents; false: it is none.
func (r *script) doMove(verb string, args []string) bool {
	if len(args) == 0 {
		return false
	}
	after := func(word string) string {
		if k := slices.Index(args, word); k >= 0 && k+1 < len(args) {
			return args[k+1]
		}
		return ""
	}
	leg, by := acd.LegID(args[0]), queuegroups.AgentID(after("by"))
	switch verb {
	case "transfers": // transfers LEG to agent:ID|group:ID|NUMBER
		r.apply(&acd.TransferAsked{Leg: leg, To: target(after("to"))})
	case "consults": // consults LEG with TARGET
		r.apply(&acd.ConsultAsked{Leg: leg, To: target(after("with"))})
	case "holds":
		r.apply(&acd.Held{Leg: leg, On: true})
	case "resumes":
		r.apply(&acd.Held{Leg: leg})
	case "disposes": // disposes INTERACTION as CODE of AGENT [by AGENT]
		r.apply(&acd.Disposed{Interaction: r.interaction(args[0]), Agent: queuegroups.AgentID(after("of")), Code: after("as"), By: by})
	case "swaps":
		r.apply(&acd.ConsultSwapped{Leg: leg})
	case "connects":
		r.apply(&acd.ConsultDone{Leg: leg, Connect: true})
	case "returns":
		r.apply(&acd.ConsultDone{Leg: leg})
	case "joins": // joins LEG with LEG
		r.apply(&acd.Joined{Leg: leg, With: acd.LegID(after("with"))})
	case "parks": // parks LEG in SLOT
		r.apply(&acd.Parked{Leg: leg, Slot: after("in")})
	case "moves": // moves INTERACTION to TARGET by AGENT
		r.apply(&acd.Moved{Interaction: r.interaction(args[0]), To: target(after("to")), By: by})
	case "prioritises": // prioritises LEG DURATION by AGENT
		credit, err := time.ParseDuration(args[1])
		if err != nil {
			r.t.Fatal(err)
		}
		r.apply(&acd.Prioritised{Interaction: r.interaction(args[0]), Credit: credit, By: by})
	case "claims": // claims AGENT as LEG group [ID] | agent ID | slot SLOT | call LEG | leg LEG [by AGENT]
		r.apply(&acd.Claimed{
			Agent: queuegroups.AgentID(args[0]), Leg: acd.LegID(args[2]), Node: "n1", Kind: claims[args[3]],
			From: queuegroups.AgentID(after("agent")), Group: queuegroups.GroupID(after("group")),
			Slot: after("slot"), Interaction: r.interaction(after("call")), Of: acd.LegID(after("leg")), By: by,
		})
	case "asks": // asks AGENT as LEG to EXTENSION|NUMBER [at NODE]: at their desk, for a call
		r.apply(&acd.CallAsked{Agent: queuegroups.AgentID(args[0]), Leg: acd.LegID(after("as")), To: after("to"), Node: acd.NodeID(cmp.Or(after("at"), "n1"))})
	case "dials": // dials AGENT as LEG to EXTENSION|NUMBER [group GROUP] [outside yes] [of LEG]
		r.apply(&acd.CallArrived{
			Agent: queuegroups.AgentID(args[0]), Leg: acd.LegID(args[2]), Node: "n1", To: after("to"),
			Group: queuegroups.GroupID(after("group")), Outside: after("outside") != "", Asked: acd.LegID(after("of")),
		})
	default:
		return false
	}
	return true
}

var claims = map[string]acd.ClaimKind{"group": acd.ClaimGroup, "agent": acd.ClaimAgent, "slot": acd.ClaimParked, "call": acd.ClaimInteraction, "leg": acd.ClaimLeg}

func target(text string) acd.Target {
	kind, name, _ := strings.Cut(text, ":")
	switch kind {
	case "agent":
		return acd.Target{Agent: queuegroups.AgentID(name)}
	case "group":
		return acd.Target{Group: queuegroups.GroupID(name)}
	}
	return acd.Target{Number: text}
}

// interaction finds one by its caller's leg, or by its number.
func (r *script) interaction(name string) acd.InteractionID {
	for _, i := range r.s.Interactions() {
		if string(i.Leg) == name {
			return i.ID
		}
	}
	n, _ := strconv.ParseUint(name, 10, 64)
	return acd.InteractionID(n)
}
