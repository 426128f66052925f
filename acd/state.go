package acd

import (
	"time"

	"centrala/queuegroups"
)

// State is everything that the core knows. Not safe for concurrent use; the log
// owns it and lets others read it between two entries.
type State struct {
	index  uint64
	now    instant
	level  Level
	config *queuegroups.Config

	numbers      map[string]*queuegroups.Number
	agents       map[queuegroups.AgentID]*agent
	groups       map[queuegroups.GroupID]*group
	agentOrder   []*agent // as declared; removed ones that still have work come last
	groupOrder   []*group // as declared; removed ones that still have interactions come last
	interactions map[InteractionID]*interaction
	offers       map[OfferID]*offer
	legs         map[LegID]*leg
	deadlines    deadlines
	talks        talks
	remembers    bool // somebody asks for talks
	forcedHours  map[queuegroups.HoursID]forcedHours
	slots        map[string]*interaction // parked
	direct       *group                  // of calls that are in no group
	counters     Counters

	turn turn // of the entry being applied; not part of the state
}

// turn is what one entry gives rise to, and what is to be looked at before it is done.
type turn struct {
	out       []Command
	trace     []Step
	ended     []Record
	offers    uint64                // made so far; the low part of an OfferID
	agents    []queuegroups.AgentID // see Touched
	inGroups  []queuegroups.GroupID // likewise
	lanes     []*lane               // may now have a match
	groups    []*group              // condition may have changed
	callees   []*agent              // may now take what waits for them personally
	spare     []*interaction        // room for undecided
	undecided []*interaction        // caller has not been told anything yet, or must be told something new
}

// NewState returns the empty state, before any configuration.
func NewState() *State {
	return &State{
		level:        LevelFirst,
		config:       &queuegroups.Config{},
		numbers:      map[string]*queuegroups.Number{},
		agents:       map[queuegroups.AgentID]*agent{},
		groups:       map[queuegroups.GroupID]*group{},
		interactions: map[InteractionID]*interaction{},
		offers:       map[OfferID]*offer{},
		legs:         map[LegID]*leg{},
		deadlines:    deadlines{byID: map[DeadlineID]*deadline{}},
		talks:        talks{byCustomer: map[string]talk{}},
		forcedHours:  map[queuegroups.HoursID]forcedHours{},
		slots:        map[string]*interaction{},
		direct:       newDirect(),
		counters:     newCounters(),
	}
}

// Apply takes one log entry and returns the commands that follow from it, in the
// order in which they are to be carried out. It is the only way to change the
// state and it is total: a fact that comes too late, twice, or about a thing
// unknown changes nothing but a counter.
func (s *State) Apply(e Entry) []Command {
	s.beginTurn()
	if e.Index <= s.index {
		s.counters.Late++
		return nil
	}
	s.index = e.Index
	if at := instantOf(e.At); at > s.now {
		s.now = at
	}
	s.counters.Entries++
	s.dispatch(e.Event)
	s.settle()
	return s.turn.out
}

func (s *State) beginTurn() {
	t := &s.turn
	t.out = nil // belongs to the caller now
	t.ended = nil
	clear(t.trace)
	t.trace = t.trace[:0]
	t.offers = 0
	t.agents, t.inGroups = t.agents[:0], t.inGroups[:0]
}

// settle matches what the entry made matchable and then tells callers what they
// have not been told yet.
func (s *State) settle() {
	for {
		s.judgeAll()
		s.match()
		s.judgeAll()
		if len(s.turn.undecided) == 0 {
			return
		}
		now := s.turn.undecided
		s.turn.undecided, s.turn.spare = s.turn.spare[:0], now
		for k, i := range now {
			now[k] = nil
			i.undecided = false
			s.entertain(i)
		}
	}
}

// emit gives a command its id and hands it out.
func (s *State) emit(c Command, node NodeID, i InteractionID, call LegID) {
	*c.Head() = Header{
		ID:          CommandID{Index: s.index, N: uint32(len(s.turn.out))},
		Node:        node,
		Interaction: i,
		Call:        call,
	}
	s.turn.out = append(s.turn.out, c)
}

// Config returns the configuration in force. It must not be changed.
func (s *State) Config() *queuegroups.Config { return s.config }

// Level returns the feature level whose rules are followed.
func (s *State) Level() Level { return s.level }

// Index returns the index of the last entry applied.
func (s *State) Index() uint64 { return s.index }

// Now returns the time of the last entry applied.
func (s *State) Now() time.Time { return s.now.Time() }

// Counters counts what happened since the log began.
type Counters struct {
	Entries      uint64             `json:"entries"`
	Late         uint64             `json:"late"`    // facts about what is over, or told twice
	Unknown      uint64             `json:"unknown"` // facts about what the configuration does not know
	Stale        uint64             `json:"stale"`   // deadlines moved or disarmed before word of them came
	Overdue      uint64             `json:"overdue"` // outcomes that never came and were given up
	Interactions uint64             `json:"interactions"`
	Offers       map[Outcome]uint64 `json:"offers"`
	Ended        map[EndKind]uint64 `json:"ended"`
}

func newCounters() Counters {
	return Counters{Offers: map[Outcome]uint64{}, Ended: map[EndKind]uint64{}}
}
