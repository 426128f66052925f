package journal

import (
	"encoding/json"

	"centrala/acd"
	"centrala/queuegroups"
)

// EventsPerEntry is by how much the ids of events of one log entry and the next
// are apart: an entry that touches every agent of a large site has thousands.
const EventsPerEntry = 100_000

// book is what the journal remembers between entries: of every interaction that
// has not ended the rows that are not complete yet, and what each agent is doing.
// It is a function of the log, and is saved with the state.
type book struct {
	Pages map[acd.InteractionID]*page   `json:"pages"`
	Desks map[queuegroups.AgentID]*desk `json:"desks"`

	rows  Rows                      // of the batch
	dirty []*page                   // whose row of interactions is to be written with the batch
	plain map[acd.InteractionID]int // where it stands in dirty

	// of the entry being looked at
	state   *acd.State
	index   uint64
	now     Micros
	event   acd.Event
	told    int64 // events so far
	touched []acd.InteractionID
}

func newBook() *book {
	return &book{
		Pages: map[acd.InteractionID]*page{}, Desks: map[queuegroups.AgentID]*desk{}, plain: map[acd.InteractionID]int{},
	}
}

// apply has the state take an entry, and writes down what came of it.
func (b *book) apply(s *acd.State, e acd.Entry) {
	b.state, b.index, b.event, b.told, b.touched = s, e.Index, e.Event, 0, b.touched[:0]
	b.now = max(MicrosOf(s.Now()), MicrosOf(e.At))
	if ended, ok := e.Event.(*acd.LegEnded); ok {
		b.leg(ended)
	}
	s.Apply(e)
	ended := s.Ended()
	for _, st := range s.Trace() {
		if st.Kind == acd.StepAgent {
			b.agentStep(st)
		} else {
			b.step(st)
		}
		b.tell(st, ended)
	}
	for _, id := range b.touched {
		if p := b.Pages[id]; p != nil {
			if a, ok := s.AccountOf(id); ok {
				b.sync(p, a)
			}
		}
	}
	for k := range ended {
		b.finish(&ended[k])
	}
}

// leg notes the end of a leg. Called before the entry is applied, while the state
// still knows whose it is.
func (b *book) leg(e *acd.LegEnded) {
	of, agent, number, ok := b.state.LegOf(e.Leg)
	if !ok || of == 0 {
		return
	}
	r := Leg{Interaction: of, Leg: e.Leg, Agent: agent, Number: number, Ended: b.now, Cause: e.Cause, Code: e.Code}
	if e.Media != nil {
		r.Media = *e.Media
	}
	b.rows.Legs = append(b.rows.Legs, r)
}

// change has the page's row of interactions written with the batch, once.
func (b *book) change(p *page) {
	if _, there := b.plain[p.Row.ID]; !there {
		b.plain[p.Row.ID] = len(b.dirty)
		b.dirty = append(b.dirty, p)
	}
}

// take returns the rows of the batch and begins the next.
func (b *book) take() Rows {
	for _, p := range b.dirty {
		b.rows.Interactions = append(b.rows.Interactions, p.Row)
	}
	rows := b.rows
	b.rows, b.dirty = Rows{}, b.dirty[:0]
	clear(b.plain)
	return rows
}

// told is what an event says: the step, and at the beginning and the end of an
// interaction also what it is.
type told struct {
	Step        acd.Step     `json:"step"`
	Interaction *Interaction `json:"interaction,omitempty"`
}

// tell writes a step down as an event. Its id tells the place in the log.
func (b *book) tell(st acd.Step, ended []acd.Record) {
	what := "interaction." + string(st.Kind)
	if st.Kind == acd.StepAgent {
		switch {
		case st.Group != "":
			what = "agent.seat"
		case isStatus(st.What):
			what = "agent.status"
		default:
			what = "agent." + st.What
		}
	}
	t := told{Step: st}
	if p := b.Pages[st.Interaction]; p != nil {
		switch st.Kind {
		case acd.StepArrived:
			t.Interaction = &p.Row
		case acd.StepEnded:
			row := p.Row // as it will be: see finish
			for k := range ended {
				if ended[k].Interaction == st.Interaction {
					row.end(&ended[k])
				}
			}
			t.Interaction = &row
		default:
		}
	}
	data, err := json.Marshal(t)
	if err != nil || b.told == EventsPerEntry {
		return // neither can be: a step is made of texts and numbers
	}
	b.rows.Events = append(b.rows.Events, Event{
		ID: int64(b.index)*EventsPerEntry + b.told, At: MicrosOf(st.At), Type: what,
		Group: st.Group, Agent: st.Agent, Interaction: st.Interaction, Data: data,
	})
	b.told++
}

func isStatus(what string) bool {
	var st acd.AgentStatus
	return st.UnmarshalText([]byte(what)) == nil
}
