package web

import (
	"context"
	"encoding/csv"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"centrala/acd"
	"centrala/internal/journal"
	"centrala/queuegroups"
)

func (s *Server) historyRoutes() {
	read, export := Needs(queuegroups.RightHistoryRead), Needs(queuegroups.RightHistoryExport)
	Operation(s, read, Route{
		ID: "list-history", Method: http.MethodGet, Path: "/history", Tag: "history",
		Summary: "Calls and chats, the newest first", Description: "Those in the caller's reach; those that go on are among them, without what has not ended yet.",
	}, s.listHistory)
	Operation(s, export, Route{
		ID: "export-history", Method: http.MethodGet, Path: "/history/export", Tag: "history", Summary: "Calls and chats, as CSV", Export: true,
	}, s.exportHistory)
	Operation(s, read, Route{
		ID: "get-history", Method: http.MethodGet, Path: "/history/{interaction}", Tag: "history", Summary: "All that is known of a call or chat",
	}, s.getHistory)
	Operation(s, read, Route{
		ID: "get-history-choices", Method: http.MethodGet, Path: "/history/choices", Tag: "history",
		Summary: "What history can be asked for", Description: "The groups, agents, numbers, trunks and channels that there are now, as far as the caller's rights reach.",
	}, s.getChoices)
	Operation(s, Needs(queuegroups.RightTraceRead), Route{
		ID: "get-trace", Method: http.MethodGet, Path: "/history/{interaction}/trace", Tag: "history",
		Summary: "The SIP messages of a call", Description: "As long as the server that had the call remembers them: the latest calls, and none after a restart. Passwords and keys are made unreadable.",
	}, s.getTrace)
	Operation(s, read, Route{
		ID: "list-missed", Method: http.MethodGet, Path: "/missed", Tag: "history",
		Summary: "Calls and chats from outside that nobody answered", Description: "The newest first, with whether somebody called back since. Those who withheld their number cannot be.",
	}, s.listMissed)
}

// HistoryFilter says which calls and chats are looked for.
type HistoryFilter struct {
	From    time.Time `query:"from" doc:"Arrived from this time on."`
	Till    time.Time `query:"till" doc:"Arrived before this time."`
	Group   string    `query:"group" maxLength:"80" doc:"The first or the last."`
	Agent   string    `query:"agent" maxLength:"64" doc:"Who talked in it, or called."`
	Search  string    `query:"search" maxLength:"40" doc:"A number, of the caller or called: all of it, or its last digits."`
	Caller  string    `query:"caller" maxLength:"80"`
	Number  string    `query:"number" maxLength:"40" doc:"Called."`
	Trunk   string    `query:"trunk" maxLength:"64"`
	Channel string    `query:"channel" maxLength:"64"`
	Kind    string    `query:"kind" enum:"call,chat"`
	Way     string    `query:"direction" enum:"in,out,internal"`
	End     string    `query:"end" maxLength:"40" doc:"How it ended."`
	Missed  bool      `query:"missed" doc:"Only those from outside that ended without that anybody answered."`
}

type historyIn struct {
	PageIn
	HistoryFilter
}

// filter is what was asked for, as far as the caller's rights reach.
func (s *Server) filter(c *Caller, in *HistoryFilter) (journal.Filter, *Problem) {
	f := journal.Filter{
		From: journal.MicrosOf(in.From), To: journal.MicrosOf(in.Till), Group: queuegroups.GroupID(in.Group), Agent: queuegroups.AgentID(in.Agent),
		Caller: in.Caller, Number: in.Number, Trunk: queuegroups.TrunkID(in.Trunk), Channel: queuegroups.ChannelID(in.Channel),
		Kind: in.Kind, Direction: in.Way, End: acd.EndKind(in.End), Missed: in.Missed,
	}
	b, p := s.whoIsAsked(c, in.Group, in.Agent)
	if p == nil {
		p = s.search(in.Search, &f)
	}
	if p != nil {
		return f, p
	}
	switch c.Role.Reach {
	case queuegroups.ReachAll:
	case queuegroups.ReachGroups:
		f.Groups = b.groups
	case queuegroups.ReachOwn:
		if f.Agent = c.Agent; f.Agent == "" {
			f.Groups = []queuegroups.GroupID{} // nothing is theirs
		}
	}
	return f, nil
}

// leastDigits is how many of a number's last digits can be looked for.
const leastDigits = 3

// search has a number looked for as people write it, in the notation of the region.
func (s *Server) search(text string, f *journal.Filter) *Problem {
	digits := strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, text)
	switch {
	case strings.TrimSpace(text) == "":
		return nil
	case len(digits) < leastDigits:
		return invalid("query.search", "at least %d digits of a number can be looked for", leastDigits)
	}
	region := ""
	s.core.View(func(st *acd.State) {
		if config := st.Config(); config != nil {
			region = config.Region
		}
	})
	if number, err := queuegroups.Normalize(text, region); err == nil {
		f.Parties = []string{number, digits}
		return nil
	}
	f.Ends = digits
	return nil
}

// page sets the place in the list, from the cursor.
func (in *PageIn) page(f *journal.Filter) *Problem {
	position, p := in.position()
	if p != nil || position == "" {
		return p
	}
	before, err := strconv.ParseUint(position, 10, 63)
	if err != nil {
		return problem(http.StatusBadRequest, codeBadCursor, "that is no cursor of ours")
	}
	f.Before = acd.InteractionID(before)
	return nil
}

func (s *Server) listHistory(ctx context.Context, c *Caller, in *historyIn) (*PageOut[Past], error) {
	f, p := s.filter(c, &in.HistoryFilter)
	if p == nil {
		p = in.page(&f)
	}
	if p != nil {
		return nil, p
	}
	f.Limit = in.Limit + 1
	rows, err := s.record.History(ctx, f)
	if err != nil {
		return nil, unavailable(err)
	}
	list := make([]Past, len(rows))
	for k := range rows {
		list[k] = viewPast(&rows[k])
	}
	return &PageOut[Past]{cut(list, &in.PageIn, func(x Past) string { return x.ID }, func(Past) bool { return true })}, nil
}

// exportPage is how many lines of an export are read at once.
const exportPage = 1000

// exportHistory sends lines as they are read, however many there are. What breaks off is not
// ended properly, so that nobody takes a part for the whole.
func (s *Server) exportHistory(ctx context.Context, c *Caller, in *HistoryFilter) (*huma.StreamResponse, error) {
	f, p := s.filter(c, in)
	if p != nil {
		return nil, p
	}
	f.Limit = exportPage
	rows, err := s.record.History(ctx, f)
	if err != nil {
		return nil, unavailable(err)
	}
	changed(ctx, "history", nil, in)
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		hc.SetHeader("Content-Type", csvType)
		hc.SetHeader("Content-Disposition", csvName("history"))
		_, rw := humago.Unwrap(hc)
		control, w := http.NewResponseController(rw), csv.NewWriter(hc.BodyWriter())
		_, _ = hc.BodyWriter().Write([]byte(byteOrderMark))
		_ = w.Write(pastColumns()) // an error stays with the writer
		for {
			for k := range rows {
				_ = w.Write(pastRow(&rows[k]))
			}
			w.Flush()
			if w.Error() != nil || len(rows) < exportPage {
				return
			}
			_ = control.SetWriteDeadline(s.now().Add(writeTimeout)) // where there is none, none is needed
			f.Before = rows[len(rows)-1].ID
			if rows, err = s.record.History(ctx, f); err != nil {
				s.log.Error().Err(err).Msg("an export of the history broke off")
				panic(http.ErrAbortHandler)
			}
		}
	}}, nil
}

func (s *Server) getHistory(ctx context.Context, c *Caller, in *InteractionPath) (*pastOut, error) {
	f, p := s.past(ctx, c, in.Interaction)
	if p != nil {
		return nil, p
	}
	return &pastOut{viewFacts(f)}, nil
}

// seesPast tells whether the caller may see what was: of a group in reach, or they had part in it.
func (c *Caller) seesPast(f *journal.Facts) bool {
	return c.reachesPast(f) || c.own(f.CallerAgent) || slices.ContainsFunc(f.Talks, func(t journal.Talk) bool { return c.own(t.Agent) })
}

// reachesPast tells whether the caller's rights reach a group that it was in.
func (c *Caller) reachesPast(f *journal.Facts) bool {
	return c.inReach(f.FirstGroup) || c.inReach(f.LastGroup) || slices.ContainsFunc(f.Visits, func(v journal.Visit) bool { return c.inReach(v.Group) })
}

type missedIn struct {
	PageIn
	From  time.Time `query:"from" doc:"Arrived from this time on."`
	Till  time.Time `query:"till" doc:"Arrived before this time."`
	Group string    `query:"group" maxLength:"80" doc:"The first or the last."`
	Open  bool      `query:"open" default:"true" doc:"Without those who have been reached since, or have reached somebody."`
}

// listMissed lists what is to be called back. Whoever sees no further than their own sees those of
// the groups that they serve.
func (s *Server) listMissed(ctx context.Context, c *Caller, in *missedIn) (*PageOut[MissedCall], error) {
	f := journal.Filter{From: journal.MicrosOf(in.From), To: journal.MicrosOf(in.Till), Group: queuegroups.GroupID(in.Group)}
	p := in.page(&f)
	s.core.View(func(st *acd.State) {
		sees := c.look(st)
		if c.Role.Reach == queuegroups.ReachAll {
			return
		}
		f.Groups = append([]queuegroups.GroupID{}, sees.serves...)
		if c.Role.Reach == queuegroups.ReachGroups {
			f.Groups = append([]queuegroups.GroupID{}, c.Role.Groups...)
		}
		if p == nil && f.Group != "" && !sees.group(f.Group) {
			p = notFound("group", in.Group)
		}
	})
	if p != nil {
		return nil, p
	}
	f.Limit = in.Limit + 1
	rows, err := s.record.Missed(ctx, f, in.Open)
	if err != nil {
		return nil, unavailable(err)
	}
	list := make([]MissedCall, len(rows))
	for k := range rows {
		m := &rows[k]
		list[k] = MissedCall{Past: viewPast(&m.Interaction), Tries: m.Tries}
		if m.Later != 0 {
			list[k].Later = &Later{ID: number(m.Later), At: clock(m.LaterAt), By: string(m.LaterBy)}
		}
	}
	return &PageOut[MissedCall]{cut(list, &in.PageIn, func(x MissedCall) string { return x.ID }, func(MissedCall) bool { return true })}, nil
}
