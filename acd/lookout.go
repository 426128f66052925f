package acd

import (
	"fmt"
	"time"
)

// Lookout tells why interactions wait, and what can be told to who waits, of many of
// them at one moment: those that wait for the same agents share what is known of
// these. It is valid until the next Apply.
type Lookout struct {
	state *State
	seen  map[string]map[string]int
	lines map[*lane][]ranks[*interaction] // those who wait for the same agents as a lane's
}

// What keeps an agent from a group besides their status.
const (
	KeptOut    = "logged_out" // of the group
	KeptPaused = "paused"     // in the group
	KeptFull   = "full"       // has as many as they may have at once
)

// Waits is why an interaction waits.
type Waits struct {
	// For names whom it waits for: all that wait for the same agents have the same.
	For   string
	Needs string // skills that these must have, as in polish>=3
	// Agents are those who may be offered it as things stand, by what keeps them: their
	// status (available: nothing), or KeptOut, KeptPaused, KeptFull.
	Agents map[string]int
	Last   Step // what was decided about it last; Kind is empty: nothing but to wait
}

// Lookout begins to look at the state.
func (s *State) Lookout() *Lookout {
	return &Lookout{state: s, seen: map[string]map[string]int{}, lines: map[*lane][]ranks[*interaction]{}}
}

// Expect is State.Expect. O(log n) in those who wait in each lane of the group, once
// its agents were looked through for the first of the lane.
func (l *Lookout) Expect(id InteractionID, at time.Time) (Expectation, bool) {
	return l.state.expect(id, at, l.ahead)
}

// ahead counts who waits before an interaction, as its own does.
func (l *Lookout) ahead(i *interaction) (n int) {
	line, ok := l.lines[i.lane]
	if !ok {
		for other := range i.lane.rivals {
			for k := range other.waiting {
				if other.waiting[k].Len() > 0 {
					line = append(line, other.waiting[k].ranks())
				}
			}
		}
		l.lines[i.lane] = line
	}
	for k := range line {
		n += line[k].of(i.key())
	}
	return n
}

// Of tells why an interaction waits, or who is rung for it; false: it does neither.
// O(agents of the group) for the first of those that wait for the same agents.
func (l *Lookout) Of(id InteractionID) (w Waits, ok bool) {
	i := l.state.interactions[id]
	if i == nil || i.phase != PhaseQueued && i.phase != PhaseOffered {
		return Waits{}, false
	}
	w.Last = i.decided()
	switch {
	case i.personal != nil:
		w.For = "agent " + string(i.personal.def.ID)
		w.Agents = map[string]int{i.personal.status.String(): 1}
		return w, true
	case i.lane == nil:
		w.For, w.Agents = "nobody", map[string]int{}
		return w, true
	}
	w.Needs = i.lane.name
	reach := i.lane.reach(i.tier)
	w.For = fmt.Sprintf("%s %d %s", i.group.def.ID, reach+1, w.Needs)
	if w.Agents = l.seen[w.For]; w.Agents == nil {
		w.Agents = map[string]int{}
		for _, t := range i.group.seats {
			if t.tier <= reach && t.agent.meets(i.lane.needs) {
				w.Agents[t.keptBy()]++
			}
		}
		l.seen[w.For] = w.Agents
	}
	return w, true
}

// keptBy is what keeps the seat's agent from what waits in the group.
func (t *seat) keptBy() string {
	switch {
	case t.eligible():
		return Available.String()
	case t.state == SeatOut:
		return KeptOut
	case t.state == SeatPaused:
		return KeptPaused
	case t.group.isChat():
		switch t.chatAttendance() {
		case working:
			return KeptFull
		case paused:
			return OnBreak.String()
		case absent:
		}
		return Offline.String()
	case t.agent.status == Available:
		return KeptFull
	}
	return t.agent.status.String()
}

// decided is the last decision in the interaction's story that tells why it still waits.
func (i *interaction) decided() Step {
	for k := len(i.trail) - 1; k >= 0; k-- {
		switch st := i.trail[k]; st.Kind {
		case StepOutcome, StepAction, StepStage, StepUnavailable, StepKept, StepTransfer, StepPriority, StepRequeue:
			st.Choice = nil
			return st
		default: // the others tell how it came and what is being done
		}
	}
	return Step{}
}
