package web

import (
	"bytes"
	"encoding/json"
	"iter"
	"slices"
	"time"

	"centrala/acd"
	"centrala/queuegroups"
)

// picture is how everything stands at one moment, in the form of the API. It is taken once for
// all who look, and does not change.
type picture struct {
	number uint64 // of pictures taken
	entry  uint64 // the last entry of the log that is in it
	config *queuegroups.Config
	at     time.Time

	agents, groups, lines []pictured
	calls                 []picturedCall
	views                 []acd.InteractionView // of calls
	byID                  map[acd.InteractionID]int
	of                    map[queuegroups.AgentID][]int // those that an agent is part of
	open                  []int                         // those that colleagues may see
}

// pictured is a thing in a picture.
type pictured struct {
	id     string
	groups []queuegroups.GroupID // whose it is
	body   json.RawMessage
	since  uint64 // the number of the picture since which it is so
}

// picturedCall is an interaction in a picture.
type picturedCall struct {
	pictured
	open     bool   // colleagues of the group may see it: they may pick it up
	line     string // for whom it waits
	position int    // 0: it has none
}

// before finds what the last picture had under an id.
type before map[string]*pictured

// take takes a picture; last, if there is one, says what is as it was.
func (s *Server) take(last *picture, figures map[string]Today) (*picture, error) {
	p := &picture{number: 1, at: s.now(), byID: map[acd.InteractionID]int{}, of: map[queuegroups.AgentID][]int{}}
	if last != nil {
		p.number = last.number + 1
	}
	var agents []Agent
	var groups []BoardGroup
	var calls []BoardCall
	lines := map[string]BoardLine{}
	faults := s.faults()
	s.core.View(func(st *acd.State) {
		p.entry, p.config = st.Index(), st.Config()
		if p.config == nil {
			p.config = &queuegroups.Config{}
			return
		}
		for _, v := range st.Agents() {
			agents = append(agents, viewAgent(st, v))
			p.agents = append(p.agents, pictured{id: string(v.ID), groups: v.Groups})
		}
		for _, v := range st.Groups() {
			g := viewBoardGroup(p.config, v, len(groups), figures)
			g.Fault = faults[v.Channel]
			groups = append(groups, g)
			p.groups = append(p.groups, pictured{id: string(v.ID), groups: []queuegroups.GroupID{v.ID}})
		}
		lookout := st.Lookout()
		for v := range st.Underway(0) {
			call := BoardCall{Interaction: viewInteraction(v)}
			c := picturedCall{pictured: pictured{id: call.ID, groups: []queuegroups.GroupID{v.Group}}}
			if e, ok := lookout.Expect(v.ID, p.at); ok {
				c.position = e.Position
			}
			if w, ok := lookout.Of(v.ID); ok {
				c.open, c.line = st.LetsPickUp(v.Group), w.For
				call.Line, call.Last = w.For, viewLast(w.Last)
				lines[w.For] = BoardLine{ID: w.For, Needs: w.Needs, Agents: w.Agents}
			}
			calls, p.calls, p.views = append(calls, call), append(p.calls, c), append(p.views, v)
			p.place(len(p.views) - 1)
		}
	})
	return p, p.write(last, agents, groups, calls, lines)
}

// place notes where a call is to be found.
func (p *picture) place(k int) {
	v := &p.views[k]
	p.byID[v.ID] = k
	if p.calls[k].open {
		p.open = append(p.open, k)
	}
	for _, agent := range partsOf(v) {
		p.of[agent] = append(p.of[agent], k)
	}
}

// write has all things written as JSON, once for all who look at the picture.
func (p *picture) write(last *picture, agents []Agent, groups []BoardGroup, calls []BoardCall, lines map[string]BoardLine) error {
	var was [4]before
	if last != nil {
		was = [4]before{index(last.agents), index(last.groups), index(last.lines), {}}
		for k := range last.calls {
			was[3][last.calls[k].id] = &last.calls[k].pictured
		}
	}
	for k := range agents {
		if err := p.agents[k].write(p.number, was[0], &agents[k]); err != nil {
			return err
		}
	}
	for k := range groups {
		if err := p.groups[k].write(p.number, was[1], &groups[k]); err != nil {
			return err
		}
	}
	for k := range calls {
		if err := p.calls[k].write(p.number, was[3], &calls[k]); err != nil {
			return err
		}
	}
	for id, line := range lines {
		x := pictured{id: id}
		if err := x.write(p.number, was[2], &line); err != nil {
			return err
		}
		p.lines = append(p.lines, x)
	}
	return nil
}

// underway goes through the calls that are in the picture.
func (p *picture) underway() iter.Seq[acd.InteractionView] { return slices.Values(p.views) }

// positioned is one of them with its place in the queue.
func (p *picture) positioned(v acd.InteractionView) Interaction {
	i := viewInteraction(v)
	i.Position = p.calls[p.byID[v.ID]].position
	return i
}

// deskMarks are other numbers when the caller's desk may be another: by what is their own, and by what
// is around them.
func (p *picture) deskMarks(c *Caller) (own, around uint64) {
	mix := func(to *uint64, n uint64) { *to = (*to ^ n) * 0x100000001b3 }
	var groups []queuegroups.GroupID
	for k := range p.agents {
		if a := &p.agents[k]; a.id == string(c.Agent) {
			mix(&own, a.since)
			groups = a.groups
			break
		}
	}
	for k := range p.groups {
		if slices.Contains(groups, p.groups[k].groups[0]) {
			mix(&around, p.groups[k].since)
		}
	}
	for _, k := range p.of[c.Agent] {
		mix(&own, p.calls[k].since)
	}
	shown := 0
	for _, k := range p.open {
		if x := &p.calls[k]; shown < mostWaiting && slices.Contains(groups, x.groups[0]) && !c.partOf(&p.views[k]) {
			shown++
			mix(&around, x.since+uint64(x.position)<<40)
		}
	}
	return own, around
}

func index(list []pictured) before {
	all := make(before, len(list))
	for k := range list {
		all[list[k].id] = &list[k]
	}
	return all
}

// write notes what the thing is now, and since when it is so.
func (x *pictured) write(now uint64, was before, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	x.body, x.since = body, now
	if old := was[x.id]; old != nil && bytes.Equal(old.body, body) {
		x.body, x.since = old.body, old.since
	}
	return nil
}

// BoardGroup is a group as a wallboard shows it.
type BoardGroup struct {
	Group
	Place        int          `json:"place" doc:"In the order of declaration, from 0."`
	Fault        string       `json:"fault,omitempty" doc:"What keeps the channel's connector from working."`
	ServiceLevel BoardMeasure `json:"service_level" doc:"By what the group is judged."`
	Limits       BoardLimits  `json:"limits" doc:"From when on it is shown in another colour and word."`
	Today        Today        `json:"today" doc:"Since the beginning of the day, from the record: at most some seconds old."`
}

// BoardMeasure is a service level.
type BoardMeasure struct {
	Within   float64 `json:"within_seconds" doc:"An answer within it is in time."`
	Abandons string  `json:"abandons" enum:"negative,ignored,positive" doc:"What it means when somebody hangs up within that time: that they were not served, nothing, or that they count as answered."`
	Short    float64 `json:"short_seconds" doc:"Whoever hangs up in less does not count."`
}

// BoardLimits are those of a group's colours.
type BoardLimits struct {
	Late    float64 `json:"late_seconds" doc:"A wait from which somebody is late."`
	TooLate float64 `json:"too_late_seconds" doc:"And far too late."`
	Aim     int     `json:"on_target" doc:"The service level in percent from which it is on target."`
	Least   int     `json:"far_below" doc:"And that under which it is far below."`
}

// Today is what happened in a group since the beginning of the day.
type Today struct {
	Known     bool  `json:"known" doc:"false: the record cannot be read at present, or has not been yet."`
	InTime    int64 `json:"in_time" doc:"The service level is this of counted: who were served in time."`
	Counted   int64 `json:"counted" doc:"Who count for the service level."`
	Offered   int64 `json:"offered"`
	Answered  int64 `json:"answered"`
	Abandoned int64 `json:"abandoned" doc:"Short ones included."`
}

func viewBoardGroup(config *queuegroups.Config, v acd.GroupView, place int, figures map[string]Today) BoardGroup {
	g := BoardGroup{Group: viewGroup(v), Place: place, Today: figures[string(v.ID)]}
	g.Today.Known = figures != nil
	m, w := queuegroups.ServiceLevel{}, queuegroups.WallboardLimits{}
	if def := config.Group(v.ID); def != nil {
		m, w = def.ServiceLevel, def.Wallboard
	} else if def := config.Channel(v.Channel); def != nil {
		m = def.ServiceLevel
	}
	m, w = m.OrDefault(), w.OrDefault()
	g.Limits = BoardLimits{w.Late.Seconds(), w.TooLate.Seconds(), w.Aim, w.Least}
	g.ServiceLevel = BoardMeasure{m.Within.Seconds(), string(m.Abandons), m.Short.Seconds()}
	return g
}

// BoardCall is a call or chat as a wallboard shows it. Its position is told apart.
type BoardCall struct {
	Interaction
	Line string    `json:"line,omitempty" doc:"The id of the line that it waits in; left out: it does not wait."`
	Last *BoardWhy `json:"last,omitempty" doc:"What was decided about it last."`
}

// BoardWhy is a decision about a call that waits on.
type BoardWhy struct {
	Kind  string    `json:"kind" enum:"outcome,action,stage,unavailable,kept,transfer,priority,requeue"`
	Agent string    `json:"agent,omitempty"`
	Group string    `json:"group,omitempty"`
	What  string    `json:"what,omitempty" doc:"Of an outcome: declined, busy, no_answer, unreachable, lost_race or withdrawn."`
	Why   string    `json:"why,omitempty"`
	At    time.Time `json:"at"`
}

func viewLast(st acd.Step) *BoardWhy {
	if st.Kind == "" {
		return nil
	}
	return &BoardWhy{Kind: string(st.Kind), Agent: string(st.Agent), Group: string(st.Group), What: st.What, Why: st.Why, At: st.At}
}

// BoardLine is whom calls wait for: all that wait for the same agents are in one line.
type BoardLine struct {
	ID     string         `json:"id"`
	Needs  string         `json:"needs,omitempty" doc:"Skills that the agents must have, as in polish>=3."`
	Agents map[string]int `json:"agents" doc:"How many could be offered it, by what keeps them: their status (available: nothing), or logged_out of the group, paused in it, full: they have as many as they may have."`
}
