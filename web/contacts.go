package web

import (
	"context"
	"net/http"

	"centrala/acd"
	"centrala/internal/journal"
	"centrala/queuegroups"
)

// contactsShown is how many earlier contacts an agent is shown.
const contactsShown = 5

func (s *Server) contactRoutes() {
	Operation(s, Needs(queuegroups.RightInteractionsRead), Route{
		ID: "list-earlier", Method: http.MethodGet, Path: "/interactions/{interaction}/earlier", Tag: "interactions",
		Summary: "The latest contacts with the same customer", Description: "Before this one, the newest first, those made to them included: " +
			"of the groups that the caller serves or that are in their reach. None of somebody who withholds their number.",
	}, s.earlier)
	Operation(s, Needs(queuegroups.RightInteractionsWrite), Route{
		ID: "add-remark", Method: http.MethodPost, Path: "/interactions/{interaction}/remarks", Tag: "interactions",
		Summary: "Write something down about it", Description: "While the agent has it, is in wrap-up after it, and for 15 minutes; those whose " +
			"rights reach the group may do so later. It is kept in the record, and is in no event.",
	}, s.remark)
}

// Contact is an earlier call or chat with a customer, and what came of it.
type Contact struct {
	Past
	Disposition string `json:"disposition,omitempty" doc:"Of its last talk."`
	Note        string `json:"note,omitempty" doc:"The newest."`
}

type contactsOut struct {
	Body struct {
		Items []Contact `json:"items" nullable:"false"`
	}
}

func (s *Server) earlier(ctx context.Context, c *Caller, in *InteractionPath) (*contactsOut, error) {
	v, p := s.interaction(c, in.Interaction)
	if p != nil {
		return nil, p
	}
	out := &contactsOut{}
	out.Body.Items = []Contact{}
	if v.From.Number == "" {
		return out, nil
	}
	f := journal.Filter{Caller: v.From.Number, Before: v.ID, Limit: contactsShown}
	s.core.View(func(st *acd.State) {
		switch c.Role.Reach {
		case queuegroups.ReachAll:
		case queuegroups.ReachGroups:
			f.Groups = append([]queuegroups.GroupID{}, c.Role.Groups...)
		case queuegroups.ReachOwn:
			f.Groups = append([]queuegroups.GroupID{}, ownGroups(st, c.Agent)...)
		}
	})
	rows, err := s.record.Contacts(ctx, f)
	if err != nil {
		return nil, unavailable(err)
	}
	for i := range rows {
		x := Contact{Past: viewPast(&rows[i].Interaction), Disposition: rows[i].Disposition, Note: rows[i].Note}
		if x.Agent == "" {
			x.Agent = string(rows[i].TalkedTo)
		}
		out.Body.Items = append(out.Body.Items, x)
	}
	return out, nil
}

type remarkIn struct {
	InteractionPath
	Body struct {
		Text string `json:"text" minLength:"1" maxLength:"2000"`
	}
}

func (s *Server) remark(ctx context.Context, c *Caller, in *remarkIn) (*nothingOut, error) {
	id := acd.InteractionID(in.Interaction)
	t, p := s.talk(ctx, id, c.Agent)
	if p == nil {
		p = s.mayTell(c, id, &t)
	}
	if p != nil {
		return nil, p
	}
	if _, err := s.talks.AddNote(ctx, id, t.Agent, c.Name, in.Body.Text); err != nil {
		return nil, unavailable(err)
	}
	if c.own(t.Agent) {
		ownAct(ctx)
	}
	changed(ctx, "interactions/"+number(id), nil, map[string]string{"agent": string(t.Agent), "note": "added"})
	return &nothingOut{}, nil
}
