package web

import (
	"context"
	"net/http"

	"centrala/acd"
	"centrala/chat"
	"centrala/internal/journal"
	"centrala/queuegroups"
)

// contactsShown is how many earlier contacts an agent is shown.
const contactsShown = 5

func (s *Server) contactRoutes() {
	Operation(s, Needs(queuegroups.RightInteractionsRead), Route{
		ID: "list-earlier", Method: http.MethodGet, Path: "/interactions/{interaction}/earlier", Tag: "interactions",
		Summary: "The latest contacts with the same customer", Description: "Before this one, the newest first, those made to them included: " +
			"of the groups that the caller serves or that are in their reach. Those in other channels, too, where somebody vouches that it is the same customer. None of somebody who withholds their number.",
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
	names, err := s.chats.Known(ctx, chat.SessionID(v.Leg), v.From.Number)
	if err != nil {
		return nil, unavailable(err)
	}
	f := journal.Filter{Caller: v.From.Number, Parties: names, Before: v.ID, Groups: s.groupsOf(c), Limit: contactsShown}
	rows, err := s.record.Contacts(ctx, f)
	if err != nil {
		return nil, unavailable(err)
	}
	for i := range rows {
		out.Body.Items = append(out.Body.Items, viewContact(&rows[i]))
	}
	return out, nil
}

func viewContact(x *journal.Contact) Contact {
	out := Contact{Past: viewPast(&x.Interaction), Disposition: x.Disposition, Note: x.Note}
	if out.Agent == "" {
		out.Agent = string(x.TalkedTo)
	}
	return out
}

// groupsOf are those whose contacts a caller may see; nil: all.
func (s *Server) groupsOf(c *Caller) (groups []queuegroups.GroupID) {
	switch c.Role.Reach {
	case queuegroups.ReachAll:
		return nil
	case queuegroups.ReachGroups:
		return append([]queuegroups.GroupID{}, c.Role.Groups...)
	case queuegroups.ReachOwn:
	}
	s.core.View(func(st *acd.State) { groups = append([]queuegroups.GroupID{}, ownGroups(st, c.Agent)...) })
	return groups
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
