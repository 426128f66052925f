package web

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"centrala/acd"
	"centrala/internal/journal"
	"centrala/internal/journal/stats"
	"centrala/queuegroups"
)

// reportsBy are the reports: what they are called in the path, and what their lines differ in.
func reportsBy() []struct {
	path    string
	by      stats.Dimension
	summary string
} {
	return []struct {
		path    string
		by      stats.Dimension
		summary string
	}{
		{"groups", stats.ByGroup, "Statistics by group"},
		{"agents", stats.ByAgent, "Statistics by agent"},
		{"numbers", stats.ByNumber, "Statistics by called number"},
		{"trunks", stats.ByTrunk, "Statistics by trunk"},
		{"channels", stats.ByChannel, "Statistics by channel of chats"},
		{"hours", stats.ByHour, "Statistics by hour of the day"},
		{"weekdays", stats.ByWeekday, "Statistics by day of the week"},
		{"days", stats.ByDay, "Statistics by day"},
		{"intervals", stats.ByInterval, "Statistics by quarter, half or whole hour"},
	}
}

func (s *Server) reportRoutes() {
	const about = "What has happened, computed anew from the record, the present included. Each figure comes with its definition. Those who reach no further than themselves see what they did."
	for _, r := range reportsBy() {
		Operation(s, Needs(queuegroups.RightReportsRead), Route{
			ID: "report-" + r.path, Method: http.MethodGet, Path: "/reports/" + r.path, Tag: "reports", Summary: r.summary, Description: about,
		}, func(ctx context.Context, c *Caller, in *reportIn) (*reportOut, error) {
			report, err := s.report(ctx, c, in, r.by)
			if err != nil {
				return nil, err
			}
			return &reportOut{viewReport(report, in.Figures)}, nil
		})
		Operation(s, Needs(queuegroups.RightReportsExport), Route{
			ID: "export-report-" + r.path, Method: http.MethodGet, Path: "/reports/" + r.path + "/export", Tag: "reports",
			Summary: r.summary + ", as CSV", Export: true,
		}, func(ctx context.Context, c *Caller, in *reportIn) (*csvOut, error) {
			report, err := s.report(ctx, c, in, r.by)
			if err != nil {
				return nil, err
			}
			changed(ctx, "reports/"+r.path, nil, in)
			return reportCSV(report, in.Figures, "report-"+r.path)
		})
	}
	Operation(s, Needs(queuegroups.RightReportsRead), Route{
		ID: "get-report-choices", Method: http.MethodGet, Path: "/reports/choices", Tag: "reports",
		Summary: "What reports can be asked for", Description: "The groups, agents, numbers, trunks and channels that there are now, as far as the caller's rights reach.",
	}, s.getChoices)
	Operation(s, Needs(queuegroups.RightReportsRead), Route{
		ID: "my-day", Method: http.MethodGet, Path: "/reports/my-day", Tag: "reports",
		Summary: "What the caller did today", Description: "In all, and by hour. For users who are agents.",
	}, s.myDay)
}

type reportIn struct {
	From     time.Time `query:"from" doc:"From this time. Default: the beginning of the day."`
	Till     time.Time `query:"till" doc:"Before this time. Default, and at the latest: now."`
	Last     int       `query:"last" minimum:"0" maximum:"1440" doc:"Instead of from and till: the last so many minutes."`
	Timezone string    `query:"timezone" maxLength:"64" doc:"Of hours and days, as Europe/Warsaw. Default: that of the first opening hours, or UTC."`
	And      string    `query:"and" enum:"group,agent,number,trunk,channel,hour,weekday,day,interval" doc:"What the lines differ in besides."`
	Interval string    `query:"interval" enum:"15m,30m,1h" default:"1h" doc:"How long an interval is."`
	Count    string    `query:"count" enum:"decided,arrived" default:"decided" doc:"decided: everything counts when it was decided, a wait when it ended. arrived: when its call or chat arrived."`
	Group    string    `query:"group" maxLength:"80"`
	Agent    string    `query:"agent" maxLength:"64"`
	Number   string    `query:"number" maxLength:"40" doc:"Called."`
	Trunk    string    `query:"trunk" maxLength:"64"`
	Channel  string    `query:"channel" maxLength:"64"`
	Kind     string    `query:"kind" enum:"call,chat"`
	Way      string    `query:"direction" enum:"in,out,internal"`
	Within   int       `query:"within" minimum:"0" maximum:"86400" doc:"Judge all groups by this service level instead of their own: seconds."`
	Abandons string    `query:"abandons" enum:"negative,ignored,positive" default:"negative" doc:"Goes with within."`
	Short    int       `query:"short" minimum:"0" maximum:"600" doc:"Goes with within: seconds."`
	Figures  []string  `query:"figures" maxItems:"100" doc:"Only these, by name. Default: all."`
}

// report asks for a report as far as the caller's rights reach.
func (s *Server) report(ctx context.Context, c *Caller, in *reportIn, by ...stats.Dimension) (*stats.Report, error) {
	b, p := s.whoIsAsked(c, in.Group, in.Agent)
	if p != nil {
		return nil, p
	}
	loc, p := s.zone(in.Timezone)
	if p != nil {
		return nil, p
	}
	if and := stats.Dimension(in.And); and != "" {
		if slices.Contains(by, and) {
			return nil, invalid("query.and", "the lines differ in that already")
		}
		by = append(by, and)
	}
	for _, name := range in.Figures {
		if !slices.ContainsFunc(stats.Figures(), func(f stats.Figure) bool { return f.Name == name }) {
			return nil, invalid("query.figures", "there is no figure %q", name)
		}
	}
	now, lengths := s.now(), map[string]time.Duration{"15m": 15 * time.Minute, "30m": 30 * time.Minute, "1h": time.Hour}
	q := stats.Query{
		From: in.From, Till: in.Till, Zone: loc, By: by, Interval: lengths[in.Interval], Cohort: stats.Cohort(in.Count),
		Groups: b.groups, Agents: b.agents, Staff: b.staff, Kind: in.Kind, Way: in.Way, Figures: in.Figures, Now: s.standing(),
		Numbers: just[string](in.Number), Trunks: just[queuegroups.TrunkID](in.Trunk), Channels: just[queuegroups.ChannelID](in.Channel),
	}
	if q.Till.IsZero() || q.Till.After(now) {
		q.Till = now
	}
	if q.From.IsZero() {
		y, m, d := q.Till.In(loc).Date()
		q.From = time.Date(y, m, d, 0, 0, 0, 0, loc)
	}
	if in.Last > 0 {
		q.From, q.Till = now.Add(-time.Duration(in.Last)*time.Minute), now
	}
	if in.Within > 0 {
		q.Level = &queuegroups.ServiceLevel{
			Within: time.Duration(in.Within) * time.Second, Abandons: queuegroups.Abandons(in.Abandons), Short: time.Duration(in.Short) * time.Second,
		}
	}
	s.core.View(func(st *acd.State) {
		if config := st.Config(); config != nil {
			q.Levels = stats.Levels(config)
		}
	})
	r, err := s.record.Report(ctx, q)
	if err != nil {
		return nil, recordProblem(err)
	}
	return r, nil
}

// just is a list of what was asked for; nil: nothing was.
func just[T ~string](text string) []T {
	if text == "" {
		return nil
	}
	return []T{T(text)}
}

type myDayIn struct {
	Timezone string `query:"timezone" maxLength:"64" doc:"Of the day and its hours. Default: as in reports."`
}

func (s *Server) myDay(ctx context.Context, c *Caller, in *myDayIn) (*reportOut, error) {
	if c.Agent == "" {
		return nil, notFound("agent", c.Name)
	}
	r, err := s.report(ctx, c, &reportIn{Timezone: in.Timezone, Agent: string(c.Agent)}, stats.ByHour)
	if err != nil {
		return nil, err
	}
	return &reportOut{viewReport(r, nil)}, nil
}

// Report is what happened in a time, as numbers.
type Report struct {
	From        time.Time    `json:"from"`
	Till        time.Time    `json:"till"`
	Timezone    string       `json:"timezone"`
	By          []string     `json:"by" nullable:"false" doc:"What the lines differ in."`
	Count       string       `json:"count" doc:"decided or arrived: what decides when something counts."`
	Definitions []Definition `json:"definitions" nullable:"false" doc:"What the figures are, in their order."`
	Lines       []ReportLine `json:"lines" nullable:"false"`
	Total       ReportLine   `json:"total" doc:"Of all lines."`
}

// Definition says what a figure is.
type Definition struct {
	Name    string `json:"name"`
	Title   string `json:"title"`
	Unit    string `json:"unit" enum:"count,seconds,share,score"`
	Formula string `json:"formula"`
	Source  string `json:"source"`
}

// ReportLine is the figures of what is alike.
type ReportLine struct {
	Key          map[string]string       `json:"key" doc:"By what the lines differ in. Weekdays are from 1, Monday; intervals by their beginning."`
	ServiceLevel string                  `json:"service_level,omitempty" doc:"The formula of the service level with its numbers."`
	Figures      map[string]ReportFigure `json:"figures" doc:"By name."`
}

// ReportFigure is a figure. The number is exact to six decimals.
type ReportFigure struct {
	Value Decimal `json:"value" doc:"null: there is nothing to tell."`
	Part  Decimal `json:"part,omitempty" doc:"Of what is divided: what is."`
	Of    int64   `json:"of,omitempty" doc:"By how many."`
}

// Decimal is a number in its own digits; empty is null.
type Decimal string

// MarshalJSON implements json.Marshaler.
func (d Decimal) MarshalJSON() ([]byte, error) {
	if d == "" {
		return []byte("null"), nil
	}
	return []byte(d), nil
}

// Schema implements huma.SchemaProvider.
func (Decimal) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeNumber, Nullable: true}
}

type reportOut struct{ Body Report }

// chosen are the figures of a report that were asked for.
func chosen(r *stats.Report, names []string) (list []stats.Figure) {
	for _, f := range stats.Figures() {
		if f.In(&r.Query) && (len(names) == 0 || slices.Contains(names, f.Name)) {
			list = append(list, f)
		}
	}
	return list
}

func viewReport(r *stats.Report, names []string) Report {
	figures := chosen(r, names)
	out := Report{
		From: r.Query.From.UTC(), Till: r.Query.Till.UTC(), Timezone: r.Query.Zone.String(), By: texts(r.Query.By), Count: string(r.Query.Cohort),
		Definitions: []Definition{}, Lines: []ReportLine{}, Total: viewLine(&r.Total, nil, figures),
	}
	for _, f := range figures {
		out.Definitions = append(out.Definitions, Definition{f.Name, f.Title, string(f.Unit), f.Formula, f.Source})
	}
	for k := range r.Lines {
		out.Lines = append(out.Lines, viewLine(&r.Lines[k], r.Query.By, figures))
	}
	return out
}

func viewLine(l *stats.Line, by []stats.Dimension, figures []stats.Figure) ReportLine {
	out := ReportLine{Key: map[string]string{}, Figures: map[string]ReportFigure{}}
	for k, d := range by {
		out.Key[string(d)] = l.Key[k]
	}
	for _, f := range figures {
		v := f.Of(l)
		n := ReportFigure{Value: Decimal(v.Decimal())}
		if v.Of > 1 || f.Unit == stats.Share && v.Known() {
			n.Part, n.Of = Decimal(v.PartDecimal()), v.Of
		}
		if f.Name == "service_level" {
			out.ServiceLevel = l.Measure()
		}
		out.Figures[f.Name] = n
	}
	return out
}

// seconds is a length of time of the record in the API's unit.
func seconds(micros int64) float64 { return (time.Duration(micros) * time.Microsecond).Seconds() }

// clock is a time of the record.
func clock(m journal.Micros) time.Time { return m.Time() }
