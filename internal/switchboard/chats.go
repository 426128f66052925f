package switchboard

import (
	"cmp"
	"context"
	"fmt"

	"centrala/acd"
	"centrala/chat"
	"centrala/chat/hub"
	"centrala/queuegroups"
)

// Chats is the customers' side of chats. Its methods do not wait.
type Chats interface {
	// Tell sends the customer a text of the channel's, once for each id.
	Tell(session chat.SessionID, id string, n chat.Notice)
	// End ends the session, and logs that the customer's end is no more.
	End(session chat.SessionID)
}

// inChat carries out a command that concerns a chat. An offer is shown to its agent
// by the core's own view of it, so that nothing is to be done but to say so.
func (b *Board) inChat(session acd.LegID, cmd acd.Command) {
	id := chat.SessionID(session)
	switch cmd := cmd.(type) {
	case *acd.Ring:
		b.counts.offers.Add(1)
		b.fact(&acd.OfferRinging{Offer: cmd.Offer})
	case *acd.Tell:
		c := cmd.Head().ID
		b.chats.Tell(id, fmt.Sprintf("%d.%d", c.Index, c.N), chat.Notice(cmd.Notice))
	case *acd.EndLeg:
		if cmd.Leg == session {
			b.chats.End(id)
			return
		}
		b.fact(&acd.LegEnded{Leg: cmd.Leg, Cause: acd.EndByUs})
	default: // CancelRing; the others are for calls
		b.unexecutable(cmd)
	}
}

// ChatsLeft carries out again what the core asked of chats before this node
// started, and whose outcome it does not know.
func (b *Board) ChatsLeft(commands []acd.Command) {
	for _, cmd := range commands {
		call := cmd.Head().Call
		if end, ok := cmd.(*acd.EndLeg); ok && call == "" {
			call = callOf(end.Leg)
		}
		if b.chats != nil && chat.IsSession(string(call)) {
			b.inChat(call, cmd)
		}
	}
}

// ChatFacts tells the core what happens in the chats of this node.
type ChatFacts struct {
	Node acd.NodeID
	// Append logs a fact and returns once it has been applied here.
	Append func(context.Context, acd.Event) error
	View   func(func(*acd.State))
}

// Arrived implements hub.Core.
func (f ChatFacts) Arrived(ctx context.Context, s chat.Session) error {
	return f.Append(ctx, &acd.ChatArrived{
		Leg: acd.LegID(s.ID), Node: f.Node, Channel: queuegroups.ChannelID(cmp.Or(s.Bot.ToChannel, s.Channel)), From: acd.Party{Number: s.Customer, Name: s.Name},
		Responsible: queuegroups.AgentID(cmp.Or(s.Bot.ToAgent, s.Responsible)),
	})
}

// Written implements hub.Core.
func (f ChatFacts) Written(ctx context.Context, leg, by string) error {
	alive := false
	f.View(func(s *acd.State) {
		of, _, _, ok := s.LegOf(acd.LegID(leg))
		if ok {
			_, _, alive = s.CallOf(of)
		}
	})
	if !alive {
		return hub.ErrOver
	}
	return f.Append(ctx, &acd.ChatWritten{Leg: acd.LegID(leg), By: queuegroups.AgentID(by)})
}

// Closed implements hub.Core.
func (f ChatFacts) Closed(ctx context.Context, leg string) error {
	return f.Append(ctx, &acd.ChatClosed{Leg: acd.LegID(leg)})
}

// Ended implements hub.Core.
func (f ChatFacts) Ended(ctx context.Context, leg string) error {
	return f.Append(ctx, &acd.LegEnded{Leg: acd.LegID(leg), Cause: acd.EndByUs})
}

// Underway implements hub.Core.
func (f ChatFacts) Underway() (out []chat.SessionID) {
	f.View(func(s *acd.State) {
		for v := range s.Underway(0) {
			if v.Channel != "" && v.Node == f.Node {
				out = append(out, chat.SessionID(v.Leg))
			}
		}
	})
	return out
}
