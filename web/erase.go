package web

import (
	"context"
	"net/http"

	"centrala/queuegroups"
)

func (s *Server) eraseRoutes() {
	Operation(s, Needs(queuegroups.RightHistoryErase), Route{
		ID: "erase-person", Method: http.MethodPost, Path: "/erasures", Tag: "history",
		Summary: "Erase a person's data", Description: "A pseudonym takes the place of a number, or of a customer's name in a channel, in history, events, " +
			"webhooks that are still to be sent and the audit log; callers' names, notes about the talks, texts and files of chats are deleted. Sums stay. " +
			"What goes on is left as it is: ask again when it has ended. The guide to operations says what remains elsewhere.",
	}, s.erasePerson)
}

type eraseIn struct {
	Body struct {
		Number string `json:"number" minLength:"1" maxLength:"200" example:"+48600100200" doc:"As the history shows it."`
	}
}

// Erased is what became of a person's data.
type Erased struct {
	Pseudonym     string `json:"pseudonym" doc:"What stands in their place."`
	Interactions  int    `json:"interactions" doc:"In which they were."`
	Notes         int    `json:"notes" doc:"Which are gone."`
	Events        int    `json:"events" doc:"In which they were named."`
	Conversations int    `json:"conversations" doc:"Of chats, of which nothing but the times is left."`
	GoingOn       int    `json:"going_on" doc:"Calls, chats and conversations that have not ended, and are left as they are."`
}

type eraseOut struct{ Body Erased }

func (s *Server) erasePerson(ctx context.Context, _ *Caller, in *eraseIn) (*eraseOut, error) {
	e, err := s.record.Erase(ctx, in.Body.Number)
	s.events.Forget()
	if err != nil {
		return nil, unavailable(err)
	}
	changed(ctx, "erasures/"+e.Pseudonym, nil, e)
	return &eraseOut{e}, nil
}
