package web

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"centrala/acd"
	"centrala/queuegroups"
)

// disposeFor is how long after a talk, and its wrap-up, its agent may tell what came
// of it. Whoever's rights reach the group may do so later.
const disposeFor = 15 * time.Minute

const codeTooLate = "too_late" // the talk is too long ago

// Talks is what is written down of talks that the core knows no more.
type Talks interface {
	// LastTalk returns the latest talk of an agent in an interaction, or of any agent
	// where none is given; false: there is none.
	LastTalk(ctx context.Context, id acd.InteractionID, agent queuegroups.AgentID) (Talk, bool, error)
	// AddNote keeps what somebody wrote about an agent's talk and returns its id.
	AddNote(ctx context.Context, id acd.InteractionID, agent queuegroups.AgentID, by, text string) (int64, error)
}

// Talk is a time in which an agent had an interaction.
type Talk struct {
	Agent  queuegroups.AgentID
	Group  queuegroups.GroupID // empty: in none
	Ended  time.Time           // zero: it goes on
	WrapUp bool                // the agent is in wrap-up after it
}

func (s *Server) dispositionRoutes() {
	Operation(s, Needs(queuegroups.RightInteractionsWrite), Route{
		ID: "set-disposition", Method: http.MethodPost, Path: "/interactions/{interaction}/disposition", Tag: "interactions",
		Summary: "Tell what came of it", Description: "By one of the codes of its group, while the agent has it, is in wrap-up after it, " +
			"and for 15 minutes; those whose rights reach the group may do so later. What was told before is replaced; its note is a remark then.",
	}, s.dispose)
}

type dispositionIn struct {
	InteractionPath
	Body struct {
		Code  string `json:"code" minLength:"1" maxLength:"40" example:"sale" doc:"One of the group's dispositions."`
		Note  string `json:"note,omitempty" maxLength:"2000" doc:"In words. It is kept in the record, and is in no event."`
		Agent string `json:"agent,omitempty" maxLength:"64" doc:"Whose talk. Default: the caller's own; for those who are no agent, the latest."`
	}
}

// Disposition is what came of an interaction.
type Disposition struct {
	Interaction string `json:"interaction"`
	Agent       string `json:"agent" doc:"Whose talk."`
	Code        string `json:"code"`
	Note        string `json:"note,omitempty"`
}

type dispositionOut struct{ Body Disposition }

func (s *Server) dispose(ctx context.Context, c *Caller, in *dispositionIn) (*dispositionOut, error) {
	id, agent := acd.InteractionID(in.Interaction), queuegroups.AgentID(in.Body.Agent)
	if agent == "" {
		agent = c.Agent
	}
	t, p := s.talk(ctx, id, agent)
	if p == nil {
		p = s.mayTell(c, id, &t)
	}
	if p != nil {
		return nil, p
	}
	var codes []string
	s.core.View(func(st *acd.State) {
		if g, ok := st.Group(t.Group); ok {
			codes = slices.Clone(g.Dispositions)
		}
	})
	if !slices.Contains(codes, in.Body.Code) {
		return nil, invalid("body.code", "the group's dispositions are: %s", strings.Join(codes, ", "))
	}
	e := &acd.Disposed{Interaction: id, Agent: t.Agent, Group: t.Group, Code: in.Body.Code, By: c.by(t.Agent)}
	if in.Body.Note != "" {
		var err error
		if e.Note, err = s.talks.AddNote(ctx, id, t.Agent, c.Name, in.Body.Note); err != nil {
			return nil, unavailable(err)
		}
	}
	if err := s.core.Append(ctx, e); err != nil {
		return nil, unavailable(err)
	}
	if c.own(t.Agent) {
		ownAct(ctx)
	}
	out := &dispositionOut{Disposition{Interaction: number(id), Agent: string(t.Agent), Code: in.Body.Code, Note: in.Body.Note}}
	changed(ctx, "interactions/"+number(id), nil, map[string]string{"agent": string(t.Agent), "disposition": in.Body.Code})
	return out, nil
}

// mayTell says why the caller may not tell of the talk; nil: they may.
func (s *Server) mayTell(c *Caller, id acd.InteractionID, t *Talk) *Problem {
	switch {
	case t.Agent == "" || !c.own(t.Agent) && !c.inReach(t.Group):
		return notFound("interaction", number(id))
	case !c.inReach(t.Group) && !t.Ended.IsZero() && !t.WrapUp && s.now().Sub(t.Ended) > disposeFor:
		return conflict(codeTooLate, "the talk ended at %s", t.Ended.UTC().Format(time.RFC3339))
	}
	return nil
}

// talk finds the latest talk of an agent, or of any: in the core, which knows those
// of interactions that go on, and else in the record. Without an agent: there is none.
func (s *Server) talk(ctx context.Context, id acd.InteractionID, agent queuegroups.AgentID) (t Talk, p *Problem) {
	s.core.View(func(st *acd.State) {
		v, _ := st.Interaction(id)
		for _, x := range v.Stints {
			if x.Agent != "" && (agent == "" || x.Agent == agent) {
				t = Talk{Agent: x.Agent, Group: v.Group, Ended: x.To}
			}
		}
	})
	if t.Agent != "" {
		return t, nil
	}
	t, ok, err := s.talks.LastTalk(ctx, id, agent)
	if err != nil {
		return t, unavailable(err)
	}
	if !ok {
		return Talk{}, nil
	}
	return t, nil
}
