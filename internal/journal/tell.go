package journal

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"centrala/acd"
	"centrala/internal/events"
	"centrala/queuegroups"
)

const (
	// textMax bounds texts in events, in bytes: the body of a webhook has a limit.
	textMax = 1000
	// changesMax and agentsMax bound lists in events likewise.
	changesMax = 100
	agentsMax  = 50
)

// visitEvent is a visit that has just begun or, where it has a Left, ended.
type visitEvent struct {
	page  *page
	visit Visit
}

// tell writes an event down. Its id tells the place in the log.
func (b *book) tell(of events.Type, group queuegroups.GroupID, agent queuegroups.AgentID, id acd.InteractionID, data any) {
	text, err := json.Marshal(data)
	if err != nil || of == "" || b.told == EventsPerEntry {
		return // none can be: the data are made of texts and numbers, and every step has a type
	}
	b.rows.Events = append(b.rows.Events, Event{
		ID: int64(b.index)*EventsPerEntry + b.told, At: b.now, Type: string(of), Group: group, Agent: agent, Interaction: id, Data: text,
	})
	b.told++
}

// tellStep tells of a step in the course of an interaction, after it was written down.
func (b *book) tellStep(st acd.Step, ended []acd.Record) {
	if e, ok := b.event.(*acd.Disposed); ok {
		b.tell(events.TalkDisposed, e.Group, e.Agent, e.Interaction, events.Disposition{
			Interaction: strconv.FormatUint(uint64(e.Interaction), 10), Group: string(e.Group), Agent: string(e.Agent),
			Code: e.Code, By: string(e.By), Note: e.Note != 0,
		})
		return
	}
	p := b.Pages[st.Interaction]
	if p == nil {
		return // it began while the record has a gap
	}
	p.concern(st.Agent)
	row := p.Row
	if st.Kind == acd.StepEnded { // as it will be: see finish
		for k := range ended {
			if ended[k].Interaction == st.Interaction {
				row.end(&ended[k])
			}
		}
	}
	of := p.told(&row)
	group := cmp.Or(st.Group, row.LastGroup)
	what := events.TypeOf(row.Kind, st.Kind)
	switch what {
	case events.OfferMade, events.OfferRinging, events.OfferEnded:
		data := events.Offer{
			Interaction: of, Offer: strconv.FormatUint(uint64(st.Offer), 10), Group: string(group), Agent: string(st.Agent), Reason: short(st.Why),
		}
		if what == events.OfferEnded {
			data.Outcome = st.What
		}
		if st.Agent == "" {
			data.Number = b.offerNumber(p, st)
		}
		b.tell(what, group, st.Agent, st.Interaction, data)
	default:
		b.tell(what, group, st.Agent, st.Interaction, events.Course{
			Interaction: of, Group: string(group), Agent: string(st.Agent), Detail: short(st.What), Reason: short(st.Why),
		})
	}
}

// offerNumber is the number outside that an offer goes to.
func (b *book) offerNumber(p *page, st acd.Step) string {
	if o := p.Offers[st.Offer]; o != nil {
		return o.Number
	}
	for _, o := range slices.Backward(b.rows.Offers) {
		if o.ID == st.Offer {
			return o.Number
		}
	}
	return ""
}

// tellVisits tells of the visits that began and ended since it was called last.
func (b *book) tellVisits() {
	for _, x := range b.visits {
		v, p := x.visit, x.page
		p.concern(v.Agent)
		data := events.Visit{Interaction: p.told(&p.Row), Group: string(v.Group), Via: v.Via, Agent: string(v.Agent), Outcome: v.Outcome}
		what := events.GroupEntered
		if v.Left != 0 {
			what, data.Waited = events.GroupLeft, float64(v.Left-v.Entered)/1e6
		}
		b.tell(what, v.Group, v.Agent, v.Interaction, data)
	}
	b.visits = b.visits[:0]
}

// tellAgent tells of a change of an agent's.
func (b *book) tellAgent(st acd.Step, previous string) {
	agent, why := string(st.Agent), short(st.Why)
	switch {
	case st.Group != "":
		b.tell(events.AgentSeatChanged, st.Group, st.Agent, 0, events.AgentSeat{Agent: agent, Group: string(st.Group), State: st.What, Reason: why})
	case isStatus(st.What):
		b.tell(events.AgentStateChanged, "", st.Agent, 0, events.AgentState{Agent: agent, Status: st.What, Previous: previous, Reason: why})
	case st.What == "next":
		b.tell(events.AgentDutyPlanned, "", st.Agent, 0, events.AgentNote{Agent: agent, Reason: why})
	default:
		b.tell(events.AgentDNDChanged, "", st.Agent, 0, events.AgentNote{Agent: agent, Reason: why})
	}
}

func isStatus(what string) bool {
	var st acd.AgentStatus
	return st.UnmarshalText([]byte(what)) == nil
}

// tellConfig tells what another configuration changed.
func (b *book) tellConfig(before, after *queuegroups.Config) {
	if after == nil {
		return
	}
	changes := queuegroups.Diff(before, after)
	data := events.Config{Version: after.Version, Changes: append([]queuegroups.Change{}, changes[:min(len(changes), changesMax)]...)}
	data.Omitted = len(changes) - len(data.Changes)
	b.tell(events.ConfigReloaded, "", "", 0, data)
}

// concern notes that the interaction concerns an agent.
func (p *page) concern(agent queuegroups.AgentID) {
	if agent != "" && !slices.Contains(p.Agents, agent) {
		if len(p.Agents) == agentsMax { // the first stays: it may be who called
			p.Agents = slices.Delete(p.Agents, 1, 2)
		}
		p.Agents = append(p.Agents, agent)
	}
}

// told is the interaction as events have it.
func (p *page) told(r *Interaction) events.Interaction {
	p.concern(r.CallerAgent)
	p.concern(r.ByAgent)
	x := events.Interaction{
		ID: strconv.FormatUint(uint64(r.ID), 10), Kind: r.Kind, Direction: r.Direction, From: short(r.Caller), FromName: short(r.CallerName),
		FromAgent: string(r.CallerAgent), To: short(r.Number), Trunk: string(r.Trunk), Channel: string(r.Channel), FirstGroup: string(r.FirstGroup),
		Group: string(r.LastGroup), Agent: string(r.ByAgent), Number: r.ByNumber, Arrived: r.Arrived.Time(), Answered: moment(r.Answered),
		Ended: moment(r.Ended), End: string(r.End), Class: r.Class,
	}
	for _, a := range p.Agents {
		x.Agents = append(x.Agents, string(a))
	}
	return x
}

// moment is a time that may not have come.
func moment(m Micros) *time.Time {
	if m == 0 {
		return nil
	}
	t := m.Time()
	return &t
}

// short is a text of a bounded length.
func short(text string) string {
	if len(text) <= textMax {
		return text
	}
	cut := textMax
	for cut > 0 && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + "…"
}
