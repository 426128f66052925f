package journal

import (
	"centrala/acd"
	"centrala/internal/events"
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
	told    int64        // events so far
	visits  []visitEvent // to be told after the step that they come of
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
	b.visits = b.visits[:0]
	b.now = max(MicrosOf(s.Now()), MicrosOf(e.At))
	if ended, ok := e.Event.(*acd.LegEnded); ok {
		b.leg(ended)
	}
	if wrote, ok := e.Event.(*acd.ChatWritten); ok {
		b.wrote(wrote)
	}
	before := s.Config()
	s.Apply(e)
	if disposed, ok := e.Event.(*acd.Disposed); ok && len(s.Trace()) > 0 {
		b.disposed(disposed)
	}
	ended := s.Ended()
	for _, st := range s.Trace() {
		switch st.Kind {
		case acd.StepAgent:
			previous := b.desk(st.Agent).Status
			b.agentStep(st)
			b.tellAgent(st, previous)
		case acd.StepTrunk:
			b.trunk()
		default:
			b.step(st)
			b.tellStep(st, ended)
		}
		b.tellVisits()
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
	b.tellVisits()
	if c, ok := e.Event.(*acd.ConfigApplied); ok {
		b.tellConfig(before, c.Config)
	}
}

// trunk notes how a carrier was found, and tells it.
func (b *book) trunk() {
	e, ok := b.event.(*acd.TrunkSeen)
	if !ok {
		return // only this fact makes such a step
	}
	b.rows.TrunkStates = append(b.rows.TrunkStates, TrunkState{
		Index: b.index, Trunk: e.Trunk, Node: e.Node, At: b.now, State: e.State, Why: short(e.Why),
	})
	b.tell(events.TrunkStateChanged, "", "", 0, events.TrunkState{
		Trunk: string(e.Trunk), Node: string(e.Node), State: string(e.State), Reason: short(e.Why),
	})
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
