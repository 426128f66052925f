package web

import (
	"context"
	"errors"
	"time"

	"centrala/acd"
	"centrala/internal/journal"
	"centrala/internal/journal/stats"
	"centrala/queuegroups"
)

// Record is what has been written down of calls, chats and agents.
type Record interface {
	// Report computes statistics. Errors are stats.ErrQuery, stats.ErrTooLarge, and the database's.
	Report(ctx context.Context, q stats.Query) (*stats.Report, error)
	// History is a page of interactions, the newest first.
	History(ctx context.Context, f journal.Filter) ([]journal.Interaction, error)
	// Facts are all that is known of one; nil: there is none.
	Facts(ctx context.Context, id acd.InteractionID) (*journal.Facts, error)
	// Missed is a page of those to be called back; open: without those who have been reached since.
	Missed(ctx context.Context, f journal.Filter, open bool) ([]journal.MissedCall, error)
	// Contacts are those with the customer f.Caller, the newest first.
	Contacts(ctx context.Context, f journal.Filter) ([]journal.Contact, error)
	// Erase puts a pseudonym in place of a person.
	Erase(ctx context.Context, number string) (Erased, error)
}

// bounds is how far a caller may look into the record, and what they asked for.
type bounds struct {
	groups []queuegroups.GroupID // only of these; nil: of all
	agents []queuegroups.AgentID // only what these did; nil: all
	staff  []queuegroups.AgentID // whose states may be seen; nil: all
}

// whoIsAsked narrows what a caller may see to a group and an agent, if there is one asked for.
// What they may not see is not there.
func (s *Server) whoIsAsked(c *Caller, group, agent string) (b bounds, p *Problem) {
	g, a := queuegroups.GroupID(group), queuegroups.AgentID(agent)
	s.core.View(func(st *acd.State) {
		sees := c.look(st)
		switch c.Role.Reach {
		case queuegroups.ReachAll:
		case queuegroups.ReachGroups:
			b.groups, b.staff = append([]queuegroups.GroupID{}, c.Role.Groups...), []queuegroups.AgentID{}
			for _, v := range st.Agents() {
				if sees.agent(&v) {
					b.staff = append(b.staff, v.ID)
				}
			}
			if v, ok := st.Agent(a); a != "" && (!ok || !sees.agent(&v)) {
				p = notFound("agent", agent)
			}
		case queuegroups.ReachOwn:
			b.agents = []queuegroups.AgentID{}
			if c.Agent != "" {
				b.agents = append(b.agents, c.Agent)
			}
			if a != "" && !c.own(a) {
				p = notFound("agent", agent)
			}
		}
		if g == "" {
			return
		}
		if c.Role.Reach != queuegroups.ReachAll && !sees.group(g) {
			p = notFound("group", group)
		}
		b.groups, b.staff = []queuegroups.GroupID{g}, []queuegroups.AgentID{}
		for _, v := range st.Agents() {
			for _, of := range v.Groups {
				if of == g {
					b.staff = append(b.staff, v.ID)
				}
			}
		}
	})
	if a != "" && b.agents == nil {
		b.agents = []queuegroups.AgentID{a}
	}
	return b, p
}

// standing is what agents are doing at this moment, which is in no record until it has ended.
func (s *Server) standing() (list []journal.AgentState) {
	s.core.View(func(st *acd.State) {
		for _, v := range st.Agents() {
			list = append(list, journal.AgentState{Agent: v.ID, Status: v.Status.String(), Began: journal.MicrosOf(v.Since)})
		}
	})
	return list
}

// zone finds a time zone by its name; empty: the first that opening hours are in, or else UTC.
func (s *Server) zone(name string) (*time.Location, *Problem) {
	if name == "" {
		s.core.View(func(st *acd.State) {
			if config := st.Config(); config != nil && len(config.Hours) > 0 {
				name = config.Hours[0].TimeZone
			}
		})
	}
	if name == "Local" {
		return nil, invalid("query.timezone", "there is no time zone %q", name)
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		return nil, invalid("query.timezone", "there is no time zone %q", name)
	}
	return loc, nil
}

// recordProblem is what clients are told of an error of the record.
func recordProblem(err error) *Problem {
	switch {
	case errors.Is(err, stats.ErrTooLarge):
		return invalid("query", "the report would have more than %d lines: ask for less time, or longer intervals", stats.MaxLines)
	case errors.Is(err, stats.ErrQuery):
		return invalid("query", "%s", err.Error())
	}
	return unavailable(err)
}
