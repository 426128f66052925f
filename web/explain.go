package web

import (
	"context"
	"net/http"
	"time"

	"centrala/acd"
	"centrala/queuegroups"
)

func (s *Server) explainRoutes() {
	Operation(s, Needs(queuegroups.RightAgentsRead), Route{
		ID: "explain", Method: http.MethodGet, Path: "/explain", Tag: "groups",
		Summary: "What would become of a call",
		Description: "By the rules of the core itself, played ahead; no call is made. Every agent who is not away is taken to be at work with a phone that rings, and nobody answers. " +
			"Hours are as declared, whatever was forced by telephone. For those whose rights reach the number's group; who reaches no further than themself may not ask.",
	}, s.explain)
}

type explainIn struct {
	To   string    `query:"to" required:"true" minLength:"1" maxLength:"40" example:"+48221234567" doc:"A number of ours."`
	From string    `query:"from" maxLength:"40" doc:"The caller. Default: withheld."`
	At   time.Time `query:"at" doc:"Default: now."`
	Away []string  `query:"away" maxItems:"500" doc:"Agents who are not there."`
}

// Explanation is what would become of a call.
type Explanation struct {
	To       string         `json:"to"`
	From     string         `json:"from,omitempty"`
	At       time.Time      `json:"at"`
	Timezone string         `json:"timezone" doc:"Of the number's hours, or of the site."`
	Hours    string         `json:"hours,omitempty" doc:"The number's opening hours; left out: it has none."`
	Open     bool           `json:"open" doc:"At that time."`
	Groups   []ExplainGroup `json:"groups" nullable:"false" doc:"Those that it comes to, in order."`
	Steps    []Step         `json:"steps" nullable:"false"`
	End      string         `json:"end,omitempty" doc:"Left out: it would wait on."`
	Round    int            `json:"round" doc:"It went round the last group so often."`
}

// ExplainGroup is a group and its rules.
type ExplainGroup struct {
	ID           string  `json:"id"`
	Name         string  `json:"name"`
	Distribution string  `json:"distribution"`
	Rings        float64 `json:"ring_seconds" doc:"How long each agent's phone rings."`
	MaxWait      float64 `json:"max_wait_seconds,omitempty"`
	MaxWaiting   int     `json:"max_waiting,omitempty"`
	Agents       int     `json:"agents" doc:"Of all tiers."`
	Tiers        int     `json:"tiers"`
}

type explainOut struct{ Body Explanation }

func (s *Server) explain(_ context.Context, c *Caller, in *explainIn) (*explainOut, error) {
	if c.Role.Reach == queuegroups.ReachOwn {
		return nil, forbidden("this is for those whose rights reach further than themselves")
	}
	var config *queuegroups.Config
	s.core.View(func(st *acd.State) { config = st.Config() })
	if config == nil {
		return nil, notFound("number", in.To)
	}
	q, zone, p := s.question(config, in)
	if p != nil {
		return nil, p
	}
	n := config.Number(q.To)
	if n == nil || !c.inReach(n.Group) {
		return nil, notFound("number", in.To)
	}
	away := make([]queuegroups.AgentID, 0, len(in.Away))
	for _, name := range in.Away {
		id := queuegroups.AgentID(name)
		if config.Agent(id) == nil {
			return nil, invalid("query.away", "there is no agent %q", name)
		}
		away = append(away, id)
	}
	e := acd.Rehearsal(config, q.At, away).Explain(q)
	out := Explanation{
		To: q.To, From: q.From.Number, At: q.At, Timezone: zone.String(), Hours: string(n.Hours), Open: true,
		Groups: []ExplainGroup{}, Steps: viewSteps(e.Steps), Round: e.Round,
	}
	if h := config.HoursOf(n.Hours); h != nil {
		out.Open = h.Open(q.At)
	}
	seen := map[queuegroups.GroupID]bool{}
	for _, st := range e.Steps {
		if g := config.Group(st.Group); g != nil && !seen[g.ID] {
			seen[g.ID] = true
			out.Groups = append(out.Groups, viewExplainGroup(g))
		}
	}
	if e.End != nil {
		out.End = string(e.End.End)
	}
	return &explainOut{out}, nil
}

func viewExplainGroup(g *queuegroups.Group) ExplainGroup {
	out := ExplainGroup{
		ID: string(g.ID), Name: g.Name, Distribution: string(g.Distribution), Rings: (time.Duration(g.Rings) * g.RingLength).Seconds(),
		MaxWait: g.MaxWait.Seconds(), MaxWaiting: g.MaxWaiting, Agents: len(g.Agents), Tiers: 1 + len(g.Tiers),
	}
	for k := range g.Tiers {
		out.Agents += len(g.Tiers[k].Agents)
	}
	return out
}

// question reads what was asked, in the notation of the region.
func (s *Server) question(config *queuegroups.Config, in *explainIn) (q acd.Question, zone *time.Location, p *Problem) {
	var err error
	if q.To, err = queuegroups.Normalize(in.To, config.Region); err != nil {
		return q, nil, invalid("query.to", "%q is no number", in.To)
	}
	if in.From != "" {
		if q.From.Number, err = queuegroups.Normalize(in.From, config.Region); err != nil {
			return q, nil, invalid("query.from", "%q is no number", in.From)
		}
	}
	if zone, p = s.zone(""); p != nil {
		return q, nil, p
	}
	if n := config.Number(q.To); n != nil {
		q.Trunk = n.Trunk
		if h := config.HoursOf(n.Hours); h != nil {
			zone = h.Location()
		}
	}
	if q.At = in.At; q.At.IsZero() {
		q.At = s.now()
	}
	q.At = q.At.In(zone)
	return q, zone, nil
}
