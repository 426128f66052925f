package acd_test

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"centrala/acd"
	"centrala/queuegroups"
)

// doChat runs the lines about chats; false: it is none.
func (r *script) doChat(verb string, args []string) bool {
	if len(args) == 0 {
		return false
	}
	after := func(word string) string {
		if k := slices.Index(args, word); k >= 0 && k+1 < len(args) {
			return args[k+1]
		}
		return ""
	}
	leg := acd.LegID(args[0])
	switch verb {
	case "chat": // chat LEG on CHANNEL [responsible AGENT] [at NODE]
		r.apply(&acd.ChatArrived{Leg: leg, Node: acd.NodeID(cmp.Or(after("at"), "n1")), Channel: queuegroups.ChannelID(after("on")), From: acd.Party{Number: string(leg)}, Responsible: queuegroups.AgentID(after("responsible"))})
	case "chats": // chats N on CHANNEL: so many at once, k1, k2 …
		n := 0
		_, _ = fmt.Sscan(args[0], &n)
		for k := range n {
			r.apply(&acd.ChatArrived{Leg: acd.LegID(fmt.Sprintf("k%d", k+1)), Node: "n1", Channel: queuegroups.ChannelID(after("on"))})
		}
	case "writes": // writes LEG [by SOMEBODY]: the customer or the agent, by the leg; or somebody who joined
		r.apply(&acd.ChatWritten{Leg: leg, By: queuegroups.AgentID(after("by"))})
	case "enters": // enters LEG by SOMEBODY: they join the chat
		r.apply(&acd.ChatJoined{Leg: leg, By: queuegroups.AgentID(after("by"))})
	case "parts": // parts LEG by SOMEBODY: who joined leaves again
		r.apply(&acd.ChatJoined{Leg: leg, By: queuegroups.AgentID(after("by")), Left: true})
	case "closes":
		r.apply(&acd.ChatClosed{Leg: leg})
	case "inbox": // inbox AGENT...: what they have in hand
		for _, a := range r.s.Agents() {
			if slices.Contains(args, string(a.ID)) {
				fmt.Fprintf(&r.out, "  %s: %s, %d chats, %d count, can take %d more, a call: %v\n", a.ID, a.Status, a.Chats, a.Counted, a.ChatsCanTake, a.CanTake)
			}
		}
		for _, i := range r.s.Interactions() {
			if i.Channel != "" {
				mark := ""
				if i.Unanswered {
					mark = " unanswered"
				}
				var to []string
				for _, o := range i.Offers {
					to = append(to, string(o.Agent))
				}
				fmt.Fprintf(&r.out, "  %s: %s%s, with %q, offered to %s, last written by the %s\n", i.Leg, i.Phase, mark, i.Agent, strings.Join(to, " "), i.LastBy)
			}
		}
	default:
		return false
	}
	return true
}

// R44: with 1000 open dialogs an agent gets no new ones, whatever the
// distribution. Not a script, for its length.
func TestR44_NoMoreThan1000Dialogs(t *testing.T) {
	c := loadConfig(t, "config", `
agents: {anna: {capacity: {chat: 1000}}}
channels: {website: {connector: widget, agents: [anna], distribution: all}}
`)
	s := acd.NewState()
	index, at := uint64(0), time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	apply := func(e acd.Event) (out []acd.Command) {
		index++
		return s.Apply(acd.Entry{Index: index, At: at, Event: e})
	}
	apply(&acd.ConfigApplied{Config: c})
	apply(&acd.ClientSeen{Agent: "anna", Node: "n1", Client: acd.ClientDesktop, State: acd.ClientUsed})
	arrive := func(k int) (offered acd.OfferID) {
		for _, c := range apply(&acd.ChatArrived{Leg: acd.LegID(fmt.Sprintf("k%d", k)), Node: "n1", Channel: "website"}) {
			if r, ok := c.(*acd.Ring); ok {
				offered = r.Offer
			}
		}
		return offered
	}
	for k := range 1000 {
		offer := arrive(k)
		if offer == 0 {
			t.Fatalf("chat %d was not offered", k)
		}
		apply(&acd.OfferAnswered{Offer: offer, Leg: acd.LegID(fmt.Sprintf("m%d", k)), Node: "n1"})
	}
	if offer := arrive(1000); offer != 0 {
		t.Error("chat 1001 was offered")
	}
	freed := apply(&acd.ChatClosed{Leg: "m1"})
	freed = append(freed, apply(&acd.LegEnded{Leg: "m1", Cause: acd.EndByUs})...)
	if !slices.ContainsFunc(freed, func(c acd.Command) bool { _, ok := c.(*acd.Ring); return ok }) {
		t.Errorf("one was closed, and no new one came: %v", freed)
	}
	if err := s.Check(); err != nil {
		t.Error(err)
	}
}
