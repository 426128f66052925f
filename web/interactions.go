package web

import (
	"context"
	"net/http"
	"strconv"

	"centrala/acd"
	"centrala/queuegroups"
)

func (s *Server) interactionRoutes() {
	read := Needs(queuegroups.RightInteractionsRead)
	Operation(s, read, Route{
		ID: "list-interactions", Method: http.MethodGet, Path: "/interactions", Tag: "interactions",
		Summary: "Calls and chats that go on", Description: "Those in the caller's reach, by arrival, without their stories.",
	}, s.listInteractions)
	Operation(s, read, Route{
		ID: "get-interaction", Method: http.MethodGet, Path: "/interactions/{interaction}", Tag: "interactions",
		Summary: "One call or chat that goes on", Description: "With what happened to it, who was chosen and why, and how the audio of each leg of a call is now.",
	}, s.getInteraction)
}

// InteractionPath names an interaction in the path.
type InteractionPath struct {
	Interaction uint64 `path:"interaction"`
}

type interactionsIn struct {
	PageIn
	Group string `query:"group" maxLength:"80" doc:"Only those of the group."`
	Phase string `query:"phase" maxLength:"40" doc:"Only those in the phase."`
	Agent string `query:"agent" maxLength:"64" doc:"Only those that the agent has."`
}

type storyOut struct{ Body Story }

func (s *Server) listInteractions(_ context.Context, c *Caller, in *interactionsIn) (*PageOut[Interaction], error) {
	position, bad := in.position()
	if bad != nil {
		return nil, bad
	}
	after, err := strconv.ParseUint(position, 10, 64)
	if err != nil && position != "" {
		return nil, problem(http.StatusBadRequest, codeBadCursor, "that is no cursor of ours")
	}
	list := []Interaction{}
	s.core.View(func(st *acd.State) {
		sees := c.look(st)
		for v := range st.Underway(acd.InteractionID(after)) {
			if in.Group != "" && string(v.Group) != in.Group || in.Phase != "" && string(v.Phase) != in.Phase ||
				in.Agent != "" && string(v.Agent) != in.Agent || !sees.interaction(&v) {
				continue
			}
			list = append(list, positioned(st, v, s.now()))
			if len(list) > in.Limit {
				return
			}
		}
	})
	all := func(Interaction) bool { return true }
	return &PageOut[Interaction]{cut(list, &in.PageIn, func(i Interaction) string { return i.ID }, all)}, nil
}

// interaction looks at one that the caller may see.
func (s *Server) interaction(c *Caller, id uint64) (v acd.InteractionView, p *Problem) {
	s.core.View(func(st *acd.State) {
		var ok bool
		if v, ok = st.Interaction(acd.InteractionID(id)); !ok || !c.look(st).interaction(&v) {
			p = notFound("interaction", strconv.FormatUint(id, 10))
		}
	})
	return v, p
}

func (s *Server) getInteraction(ctx context.Context, c *Caller, in *InteractionPath) (*storyOut, error) {
	v, p := s.interaction(c, in.Interaction)
	if p != nil {
		return nil, p
	}
	return &storyOut{viewStory(v, s.legsOf(ctx, &v))}, nil
}
