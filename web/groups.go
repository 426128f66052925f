package web

import (
	"context"
	"net/http"

	"centrala/acd"
	"centrala/queuegroups"
)

func (s *Server) groupRoutes() {
	read := Needs(queuegroups.RightAgentsRead)
	Operation(s, read, Route{
		ID: "list-groups", Method: http.MethodGet, Path: "/groups", Tag: "groups",
		Summary: "Queue groups and how they stand", Description: "Those in the caller's reach, in order of declaration; channels have theirs, too.",
	}, s.listGroups)
	Operation(s, read, Route{
		ID: "get-group", Method: http.MethodGet, Path: "/groups/{group}", Tag: "groups", Summary: "One group",
	}, s.getGroup)
}

// GroupPath names a group in the path.
type GroupPath struct {
	Group string `path:"group" maxLength:"80"`
}

type groupOut struct{ Body Group }

func (s *Server) listGroups(_ context.Context, c *Caller, in *PageIn) (*PageOut[Group], error) {
	list := []Group{}
	s.core.View(func(st *acd.State) {
		sees := c.look(st)
		for _, v := range st.Groups() {
			if sees.group(v.ID) {
				list = append(list, viewGroup(v))
			}
		}
	})
	return pageOf(list, in, func(g Group) string { return g.ID })
}

func (s *Server) getGroup(_ context.Context, c *Caller, in *GroupPath) (*groupOut, error) {
	var out *groupOut
	s.core.View(func(st *acd.State) {
		if v, ok := st.Group(queuegroups.GroupID(in.Group)); ok && c.look(st).group(v.ID) {
			out = &groupOut{viewGroup(v)}
		}
	})
	if out == nil {
		return nil, notFound("group", in.Group)
	}
	return out, nil
}
