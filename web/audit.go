package web

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"centrala/internal/accounts"
	"centrala/queuegroups"
)

func (s *Server) auditRoutes() {
	Operation(s, Needs(queuegroups.RightAuditRead), Route{
		ID: "list-audit", Method: http.MethodGet, Path: "/audit", Tag: "audit",
		Summary: "Who did what", Description: "Administrative acts and exports, the newest first. What people do to themselves alone is not among them.",
	}, s.listAudit)
}

// AuditEntry is one administrative act.
type AuditEntry struct {
	ID      string    `json:"id"`
	At      time.Time `json:"at"`
	Who     string    `json:"who" doc:"The user; of a program: key and its id; of the command line: command line."`
	Agent   string    `json:"agent,omitempty"`
	From    string    `json:"from,omitempty" doc:"The address."`
	What    string    `json:"what" doc:"The operation, by its id."`
	Target  string    `json:"target" doc:"What it was done to, as in agents/anna."`
	Request string    `json:"request,omitempty" doc:"The id of the request, as in the server's log."`
	Before  any       `json:"before,omitempty"`
	After   any       `json:"after,omitempty"`
}

type auditIn struct {
	PageIn
	Who  string    `query:"who" maxLength:"80"`
	What string    `query:"what" maxLength:"80"`
	From time.Time `query:"from" doc:"From this time."`
	Till time.Time `query:"till" doc:"Before this time."`
}

func (s *Server) listAudit(ctx context.Context, _ *Caller, in *auditIn) (*PageOut[AuditEntry], error) {
	position, bad := in.position()
	if bad != nil {
		return nil, bad
	}
	q := accounts.AuditQuery{Who: in.Who, What: in.What, From: in.From, Till: in.Till, Limit: in.Limit + 1}
	if position != "" {
		var err error
		if q.Below, err = strconv.ParseInt(position, 10, 64); err != nil || q.Below <= 0 {
			return nil, problem(http.StatusBadRequest, codeBadCursor, "that is no cursor of ours")
		}
	}
	entries, err := s.accounts.AuditLog(ctx, q)
	if err != nil {
		return nil, asProblem(err)
	}
	list := make([]AuditEntry, len(entries))
	for i, e := range entries {
		list[i] = AuditEntry{
			ID: strconv.FormatInt(e.ID, 10), At: e.At, Who: e.Who, Agent: string(e.Agent), What: e.What, Target: e.Target, Request: e.Request,
			Before: value(e.Before), After: value(e.After),
		}
		if e.From.IsValid() {
			list[i].From = e.From.String()
		}
	}
	all := func(AuditEntry) bool { return true }
	return &PageOut[AuditEntry]{cut(list, &in.PageIn, func(e AuditEntry) string { return e.ID }, all)}, nil
}

// value is what was kept as JSON; nil: nothing was.
func value(data json.RawMessage) (v any) {
	if len(data) > 0 {
		_ = json.Unmarshal(data, &v) // written by us
	}
	return v
}
