package web

import (
	"context"
	"net/http"
	"slices"
	"time"

	"centrala/acd"
	"centrala/queuegroups"
)

func (s *Server) agentRoutes() {
	read, write := Needs(queuegroups.RightAgentsRead), Needs(queuegroups.RightAgentsWrite)
	Operation(s, read, Route{
		ID: "list-agents", Method: http.MethodGet, Path: "/agents", Tag: "agents",
		Summary: "Agents and how they stand", Description: "Those in the caller's reach, in order of declaration.",
	}, s.listAgents)
	Operation(s, read, Route{
		ID: "get-agent", Method: http.MethodGet, Path: "/agents/{agent}", Tag: "agents", Summary: "One agent",
	}, s.getAgent)
	Operation(s, write, Route{
		ID: "set-duty", Method: http.MethodPost, Path: "/agents/{agent}/duty", Tag: "agents",
		Summary: "Start or end the work day, a break or a leave", Description: "What rings at theirs goes to others. Calls go on.",
	}, s.setDuty)
	Operation(s, Needs(queuegroups.RightInteractionsWrite), Route{
		ID: "call", Method: http.MethodPost, Path: "/agents/{agent}/call", Tag: "agents", Summary: "Call somebody from the agent's phone",
		Description: "The agent's phone rings, and shows whom it is to call; when it is picked up they are called, by the rules for calls that the phone makes. " +
			"For phones on desks: telephones in browsers make their calls themselves.",
	}, s.callFrom)
	Operation(s, write, Route{
		ID: "set-dnd", Method: http.MethodPost, Path: "/agents/{agent}/dnd", Tag: "agents", Summary: "Ask not to be disturbed, or the contrary",
	}, s.setDND)
	Operation(s, write, Route{
		ID: "set-seat", Method: http.MethodPost, Path: "/agents/{agent}/seats/{group}", Tag: "agents", Summary: "Log in to a group, log out of it or pause in it",
	}, s.setSeat)
	Operation(s, write, Route{
		ID: "end-wrap-up", Method: http.MethodPost, Path: "/agents/{agent}/wrap-up/end", Tag: "agents", Summary: "End the time after a call now",
		Description: "An agent whose group requires it tells what came of the call first (disposition_required); those who command them may end it without.",
	}, s.endWrapUp)
	Operation(s, write, Route{
		ID: "extend-wrap-up", Method: http.MethodPost, Path: "/agents/{agent}/wrap-up/extend", Tag: "agents", Summary: "Have more time after a call",
	}, s.extendWrapUp)
}

// AgentPath names an agent in the path.
type AgentPath struct {
	Agent string `path:"agent" maxLength:"64"`
}

type agentOut struct{ Body Agent }

type agentsIn struct {
	PageIn
	Group  string `query:"group" maxLength:"80" doc:"Only those of the group."`
	Status string `query:"status" maxLength:"40" doc:"Only those with the status."`
}

func (s *Server) listAgents(_ context.Context, c *Caller, in *agentsIn) (*PageOut[Agent], error) {
	list := []Agent{}
	s.core.View(func(st *acd.State) {
		sees := c.look(st)
		for _, v := range st.Agents() {
			if !sees.agent(&v) || in.Group != "" && !slices.Contains(v.Groups, queuegroups.GroupID(in.Group)) ||
				in.Status != "" && v.Status.String() != in.Status {
				continue
			}
			list = append(list, viewAgent(st, v))
		}
	})
	return pageOf(list, &in.PageIn, func(a Agent) string { return a.ID })
}

// agent looks at an agent whom the caller may see.
func (s *Server) agent(c *Caller, id string) (v acd.AgentView, out Agent, p *Problem) {
	s.core.View(func(st *acd.State) {
		var ok bool
		if v, ok = st.Agent(queuegroups.AgentID(id)); !ok || !c.look(st).agent(&v) {
			p = notFound("agent", id)
			return
		}
		out = viewAgent(st, v)
	})
	return v, out, p
}

func (s *Server) getAgent(_ context.Context, c *Caller, in *AgentPath) (*agentOut, error) {
	_, out, p := s.agent(c, in.Agent)
	if p != nil {
		return nil, p
	}
	return &agentOut{out}, nil
}

// tell logs a fact about an agent that the caller may command, and shows how they stand then.
// check says why it cannot be.
func (s *Server) tell(ctx context.Context, c *Caller, id string, e acd.Event, check func(*acd.AgentView) *Problem) (*agentOut, error) {
	v, before, p := s.agent(c, id)
	if p != nil {
		return nil, p
	}
	if !c.commandsAgent(&v) {
		return nil, forbidden("you may see how %s stands, and not change it", id)
	}
	if check != nil {
		if p := check(&v); p != nil {
			return nil, p
		}
	}
	if err := s.core.Append(ctx, e); err != nil {
		return nil, unavailable(err)
	}
	_, after, p := s.agent(c, id)
	if p != nil {
		return nil, p // taken out of the configuration meanwhile
	}
	if c.own(v.ID) {
		ownAct(ctx)
	}
	changed(ctx, "agents/"+id, before, after)
	return &agentOut{after}, nil
}

type dutyIn struct {
	AgentPath
	Body struct {
		Duty   string `json:"duty" enum:"on,break,leave,off" doc:"on: the work day is started or resumed. off: it is ended."`
		Reason string `json:"reason,omitempty" maxLength:"100" doc:"Of a break: one of those in work_time, if there are any."`
		Next   bool   `json:"next,omitempty" doc:"Once the present work, the time after it included, is done."`
	}
}

func (s *Server) setDuty(ctx context.Context, c *Caller, in *dutyIn) (*agentOut, error) {
	id := queuegroups.AgentID(in.Agent)
	duty := acd.Duty(in.Body.Duty)
	e := &acd.DutySet{Agent: id, Duty: duty, Reason: in.Body.Reason, Next: in.Body.Next, By: c.by(id)}
	return s.tell(ctx, c, in.Agent, e, func(*acd.AgentView) *Problem {
		var breaks []string
		s.core.View(func(st *acd.State) { breaks = st.Config().WorkTime.Breaks })
		switch {
		case duty != acd.DutyBreak && in.Body.Reason != "":
			return invalid("body.reason", "only a break has a reason")
		case duty == acd.DutyBreak && len(breaks) > 0 && !slices.Contains(breaks, in.Body.Reason):
			return invalid("body.reason", "the reasons for a break are %q", breaks)
		}
		return nil
	})
}

type dndIn struct {
	AgentPath
	Body struct {
		On bool `json:"on"`
	}
}

func (s *Server) setDND(ctx context.Context, c *Caller, in *dndIn) (*agentOut, error) {
	id := queuegroups.AgentID(in.Agent)
	return s.tell(ctx, c, in.Agent, &acd.DNDSet{Agent: id, On: in.Body.On, By: c.by(id)}, nil)
}

type seatIn struct {
	AgentPath
	Group string `path:"group" maxLength:"80"`
	Body  struct {
		State  string `json:"state" enum:"in,out,paused"`
		Reason string `json:"reason,omitempty" maxLength:"100"`
	}
}

func (s *Server) setSeat(ctx context.Context, c *Caller, in *seatIn) (*agentOut, error) {
	id, group := queuegroups.AgentID(in.Agent), queuegroups.GroupID(in.Group)
	e := &acd.SeatSet{Agent: id, Group: group, State: acd.SeatState(in.Body.State), Reason: in.Body.Reason, By: c.by(id)}
	return s.tell(ctx, c, in.Agent, e, func(v *acd.AgentView) *Problem {
		if !slices.Contains(v.Groups, group) {
			return notFound("group of "+in.Agent, in.Group)
		}
		if !c.own(id) && !c.inReach(group) {
			return forbidden("the group %s is out of your reach", in.Group)
		}
		return nil
	})
}

const (
	codeNoWrapUp  = "no_wrap_up"
	codeTellFirst = "disposition_required"
	codeNoPhone   = "no_phone_to_ring" // on the agent's desk
)

func inWrapUp(v *acd.AgentView) *Problem {
	if v.WrapUpUntil.IsZero() {
		return conflict(codeNoWrapUp, "%s has no time after a call at the moment", v.ID)
	}
	return nil
}

func (s *Server) endWrapUp(ctx context.Context, c *Caller, in *AgentPath) (*agentOut, error) {
	id := queuegroups.AgentID(in.Agent)
	return s.tell(ctx, c, in.Agent, &acd.WrapUpSet{Agent: id, By: c.by(id)}, func(v *acd.AgentView) *Problem {
		if p := inWrapUp(v); p != nil || v.MustTell == 0 || !c.own(id) {
			return p
		}
		return conflict(codeTellFirst, "tell what came of the interaction %s first, by POST /interactions/%s/disposition", number(v.MustTell), number(v.MustTell))
	})
}

type extendIn struct {
	AgentPath
	Body struct {
		Seconds int `json:"seconds" minimum:"1" maximum:"3600"`
	}
}

func (s *Server) extendWrapUp(ctx context.Context, c *Caller, in *extendIn) (*agentOut, error) {
	id := queuegroups.AgentID(in.Agent)
	e := &acd.WrapUpSet{Agent: id, Extend: time.Duration(in.Body.Seconds) * time.Second, By: c.by(id)}
	return s.tell(ctx, c, in.Agent, e, inWrapUp)
}

type callIn struct {
	AgentPath
	Body struct {
		To Target `json:"to"`
	}
}

// callFrom has an agent's phone ring for a call of theirs.
func (s *Server) callFrom(ctx context.Context, c *Caller, in *callIn) (*agentOut, error) {
	v, out, p := s.agent(c, in.Agent)
	if p != nil {
		return nil, p
	}
	if !c.commandsAgent(&v) {
		return nil, forbidden("you may see how %s stands, and not call for them", in.Agent)
	}
	to, p := s.target(&in.Body.To, v.ID)
	if p != nil {
		return nil, p
	}
	dialled, p := s.dialledFor(&to)
	switch {
	case p != nil:
		return nil, p
	case len(v.Interactions) > v.Chats || v.Status == acd.BusyElsewhere: // chats go on beside a call
		return nil, conflict(codeAgentCannot, "%s is %s", v.ID, v.Status)
	case !s.desk.Call(v.ID, dialled):
		return nil, conflict(codeNoPhone, "%s has no phone on the desk that can be rung", v.ID)
	}
	if c.own(v.ID) {
		ownAct(ctx)
	}
	changed(ctx, "agents/"+in.Agent, nil, in.Body.To)
	return &agentOut{out}, nil
}

// dialledFor is what a phone dials to reach a target.
func (s *Server) dialledFor(to *acd.Target) (dialled string, p *Problem) {
	if to.Number != "" {
		return to.Number, nil
	}
	s.core.View(func(st *acd.State) {
		if def := st.Config().Agent(to.Agent); def != nil {
			dialled = def.Extension
		} else if def := st.Config().Group(to.Group); def != nil {
			dialled = def.Extension
		}
	})
	if dialled == "" {
		return "", conflict(codeNotPossible, "they have no extension")
	}
	return dialled, nil
}
