package web

import (
	"context"
	"net/http"
	"slices"

	"centrala/acd"
	"centrala/queuegroups"
)

// besideRoutes are for those who write in a chat beside the agent who has it.
func (s *Server) besideRoutes() {
	write := Needs(queuegroups.RightInteractionsWrite)
	at := func(id, path, summary, description string) Route {
		return Route{ID: id, Method: http.MethodPost, Path: "/interactions/{interaction}/" + path, Tag: "chats", Summary: summary, Description: description}
	}
	Operation(s, write, at("join-chat", "join", "Join a chat", "To write in it beside the agent who has it, and goes on having it. Customer and agent see who joined. For those whose rights reach its channel."), s.joinChat)
	Operation(s, write, at("part-from-chat", "join/end", "Leave a chat that one joined", "Who joined leaves by themselves, too, when it ends or is given to them."), s.partFromChat)
}

// self is how the core and the record name the caller: the agent, or the user who is none.
func (c *Caller) self() queuegroups.AgentID {
	if c.Agent != "" {
		return c.Agent
	}
	return queuegroups.AgentID(c.Name)
}

// beside tells whether the caller joined a chat.
func (c *Caller) beside(v *acd.InteractionView) bool { return slices.Contains(v.Beside, c.self()) }

func (s *Server) joinChat(ctx context.Context, c *Caller, in *InteractionPath) (*afterOut, error) {
	v, p := s.reached(c, in.Interaction)
	switch {
	case p != nil:
		return nil, p
	case v.Channel == "":
		return nil, conflict(codeOnlyForChats, "this is for chats")
	case c.own(v.Agent):
		return nil, conflict(codeTaken, "you have this chat")
	case v.Agent == "" || v.Phase != acd.PhaseTalking:
		return nil, conflict(codeWrongPhase, "it is %s", v.Phase)
	case c.beside(&v):
		return s.done(ctx, c, v)
	}
	if err := s.core.Append(ctx, &acd.ChatJoined{Leg: v.Leg, By: c.self()}); err != nil {
		return nil, unavailable(err)
	}
	return s.besides(ctx, c, v, true)
}

func (s *Server) partFromChat(ctx context.Context, c *Caller, in *InteractionPath) (*afterOut, error) {
	v, p := s.interaction(c, in.Interaction)
	switch {
	case p != nil:
		return nil, p
	case !c.beside(&v):
		return nil, conflict(codeNotYours, "you did not join this chat")
	}
	if err := s.core.Append(ctx, &acd.ChatJoined{Leg: v.Leg, By: c.self(), Left: true}); err != nil {
		return nil, unavailable(err)
	}
	return s.besides(ctx, c, v, false)
}

// besides looks at whether the caller is beside a chat's agent now, as they wished.
func (s *Server) besides(ctx context.Context, c *Caller, before acd.InteractionView, wanted bool) (*afterOut, error) {
	is := false
	s.core.View(func(st *acd.State) {
		now, ok := st.Interaction(before.ID)
		is = ok && c.beside(&now)
	})
	if is != wanted {
		return nil, conflict(codeNotPossible, "it has just changed")
	}
	return s.done(ctx, c, before)
}

// writer looks at a chat in which the caller writes to the customer: they have it, or joined
// it. The leg is the one by which the core knows them.
func (s *Server) writer(c *Caller, id uint64) (v acd.InteractionView, leg acd.LegID, p *Problem) {
	if v, p = s.interaction(c, id); p == nil && v.Channel != "" && c.beside(&v) {
		return v, v.Leg, nil
	}
	v, p = s.chatOf(c, id, false)
	return v, v.AgentLeg, p
}
