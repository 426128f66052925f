package web

import (
	"context"
	"net/http"
	"slices"
	"time"

	"centrala/acd"
	"centrala/queuegroups"
)

func (s *Server) deskRoutes() {
	Operation(s, Needs(queuegroups.RightAgentsRead), Route{
		ID: "get-desk", Method: http.MethodGet, Path: "/desk", Tag: "desk",
		Summary: "What the caller's own desk shows", Description: "All that an agent has to see at once, in one answer. Of somebody who is no agent, agent is left out.",
	}, s.getDesk)
	Operation(s, Needs(queuegroups.RightInteractionsWrite), Route{
		ID: "get-directory", Method: http.MethodGet, Path: "/directory", Tag: "desk",
		Summary: "To whom calls can be handed", Description: "All agents and groups, whoever asks: no more of them than the lamps of any telephone show.",
	}, s.getDirectory)
}

// DeskView is what an agent's desk shows.
type DeskView struct {
	Now     time.Time     `json:"now" doc:"The server's clock."`
	Agent   *Agent        `json:"agent,omitempty"`
	Calls   []DeskCall    `json:"calls" nullable:"false" doc:"Offered to or held by the agent."`
	Groups  []Group       `json:"groups" nullable:"false" doc:"Those that the agent serves."`
	Waiting []Interaction `json:"waiting" nullable:"false" doc:"What the agent may pick up, at most 50."`
	Parked  []Interaction `json:"parked" nullable:"false" doc:"What the agent had and parked."`
	Breaks  []string      `json:"breaks" nullable:"false" doc:"The reasons for a break; empty: any."`
	Tracked bool          `json:"tracked" doc:"The work day has to be started."`
}

// DeskCall is a call or chat at an agent's desk.
type DeskCall struct {
	Interaction
	Held         bool      `json:"held" doc:"The customer hears music, the agent nothing."`
	OfferUntil   time.Time `json:"offer_until,omitzero" doc:"When it is offered to somebody else; until the phone rings, when that is no longer waited for. Left out: it is not being offered to this agent."`
	ConsultRings bool      `json:"consult_rings" doc:"The colleague who is asked first has not answered yet."`
	Consulted    bool      `json:"consulted" doc:"The agent is the colleague who is asked first."`
}

type deskOut struct{ Body DeskView }

// mostWaiting is how many waiting interactions a desk shows.
const mostWaiting = 50

func (s *Server) getDesk(_ context.Context, c *Caller, _ *struct{}) (*deskOut, error) {
	return &deskOut{s.viewDesk(c, nil)}, nil
}

// viewDesk is the caller's desk. Who else waits is as in the picture, if there is one.
func (s *Server) viewDesk(c *Caller, pic *picture) DeskView {
	d := DeskView{Now: s.now(), Calls: []DeskCall{}, Groups: []Group{}, Waiting: []Interaction{}, Parked: []Interaction{}, Breaks: []string{}}
	legs := map[string]acd.LegID{}
	s.core.View(func(st *acd.State) {
		work := st.Config().WorkTime
		d.Breaks, d.Tracked = append(d.Breaks, work.Breaks...), work.Tracked
		v, ok := st.Agent(c.Agent)
		if c.Agent == "" || !ok {
			return
		}
		own := viewAgent(st, v)
		d.Agent = &own
		for _, id := range v.Groups {
			if g, ok := st.Group(id); ok {
				d.Groups = append(d.Groups, viewGroup(g))
			}
		}
		for _, id := range slices.Compact(slices.Sorted(slices.Values(v.Interactions))) {
			if i, ok := st.Interaction(id); ok {
				call := deskCall(st, c.Agent, &i)
				if call.Agent == own.ID {
					legs[call.ID] = i.AgentLeg
				}
				d.Calls = append(d.Calls, call)
			}
		}
		s.aside(st, c, &d, pic)
	})
	for i := range d.Calls {
		if leg, ok := legs[d.Calls[i].ID]; ok && d.Calls[i].Phase == string(acd.PhaseTalking) {
			d.Calls[i].Held = s.desk.Held(leg)
		}
	}
	return d
}

// aside adds what the agent does not have but may fetch.
func (s *Server) aside(st *acd.State, c *Caller, d *DeskView, pic *picture) {
	sees := c.look(st)
	if c.Role.Reach == queuegroups.ReachAll {
		sees.serves = ownGroups(st, c.Agent)
	}
	all, place := st.Underway(0), func(v acd.InteractionView) Interaction { return positioned(st, v, d.Now) }
	if pic != nil {
		all, place = pic.underway(), pic.positioned
	}
	for v := range all {
		switch {
		case v.Channel != "" || slices.ContainsFunc(v.Offers, func(o acd.OfferView) bool { return c.own(o.Agent) }):
		case v.Phase == acd.PhaseParked && c.partOf(&v):
			d.Parked = append(d.Parked, viewInteraction(v))
		case len(d.Waiting) < mostWaiting && sees.mayPickUp(&v):
			d.Waiting = append(d.Waiting, place(v))
		}
	}
}

// ownGroups are those that list the agent.
func ownGroups(st *acd.State, agent queuegroups.AgentID) []queuegroups.GroupID {
	v, _ := st.Agent(agent)
	return v.Groups
}

func deskCall(st *acd.State, agent queuegroups.AgentID, v *acd.InteractionView) DeskCall {
	call := DeskCall{Interaction: viewInteraction(*v), Consulted: v.Consults == agent}
	for _, o := range v.Offers {
		switch {
		case o.Agent == agent:
			call.OfferUntil, _ = st.OfferDeadline(o.ID)
		case o.Agent == v.Consults:
			call.ConsultRings = true
		}
	}
	return call
}

// positioned is a view of an interaction that tells its place in the queue, too.
func positioned(st *acd.State, v acd.InteractionView, at time.Time) Interaction {
	i := viewInteraction(v)
	if e, ok := st.Expect(v.ID, at); ok {
		i.Position = e.Position
	}
	return i
}

// Directory is to whom calls can be handed.
type Directory struct {
	Agents []DirectoryAgent `json:"agents" nullable:"false"`
	Groups []DirectoryGroup `json:"groups" nullable:"false"`
}

// DirectoryAgent is an agent as colleagues see them.
type DirectoryAgent struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	Extension string `json:"extension,omitempty"`
	Presence  string `json:"presence" enum:"free,busy,away" doc:"away: no phone of theirs is registered, or they are on a break, on leave or off work."`
}

// DirectoryGroup is a group as agents see it who hand calls to it.
type DirectoryGroup struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	Extension string `json:"extension,omitempty"`
	Free      int    `json:"free" doc:"Agents who may be offered a call now."`
}

type directoryOut struct{ Body Directory }

func (s *Server) getDirectory(context.Context, *Caller, *struct{}) (*directoryOut, error) {
	d := Directory{Agents: []DirectoryAgent{}, Groups: []DirectoryGroup{}}
	s.core.View(func(st *acd.State) {
		for _, v := range st.Agents() {
			if def := st.Config().Agent(v.ID); def != nil {
				d.Agents = append(d.Agents, DirectoryAgent{string(v.ID), v.Name, def.Extension, presence(v.Status)})
			}
		}
		for _, v := range st.Groups() {
			if def := st.Config().Group(v.ID); def != nil && v.Channel == "" {
				d.Groups = append(d.Groups, DirectoryGroup{string(v.ID), v.Name, def.Extension, v.Free})
			}
		}
	})
	return &directoryOut{d}, nil
}

// presence is a status as coarsely as colleagues need it.
func presence(s acd.AgentStatus) string {
	switch s {
	case acd.Available:
		return "free"
	case acd.Reserved, acd.Ringing, acd.Talking, acd.WrapUp, acd.BackingOff, acd.BusyElsewhere:
		return "busy"
	default:
		return "away"
	}
}
