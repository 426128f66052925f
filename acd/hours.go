package acd

import (
	"time"

	"centrala/queuegroups"
)

// forcedHours is what a supervisor made of a calendar.
type forcedHours struct {
	Hours queuegroups.HoursID `json:"hours"`
	State HoursState          `json:"state"`
	Until instant             `json:"until,omitempty"`
	By    queuegroups.AgentID `json:"by,omitempty"`
}

// open tells whether a calendar is open now: as a supervisor forced it, or as it
// says (R61). No calendar is always open.
func (s *State) open(id queuegroups.HoursID) bool {
	if f, ok := s.forcedHours[id]; ok {
		return f.State == HoursOpen
	}
	h := s.config.HoursOf(id)
	return h == nil || h.Open(s.now.Time())
}

// opens returns when a calendar that is closed will open; false: not within a
// year, or not before somebody says so.
func (s *State) opens(id queuegroups.HoursID) (instant, bool) {
	if f, ok := s.forcedHours[id]; ok {
		return f.Until, f.Until > 0
	}
	h := s.config.HoursOf(id)
	if h == nil {
		return 0, false
	}
	at, ok := h.Next(s.now.Time())
	return instantOf(at), ok
}

// applyHoursForced: a calendar is open or closed whatever it says, or decides again.
func (s *State) applyHoursForced(e *HoursForced) {
	if s.config.HoursOf(e.Hours) == nil || e.State != HoursAuto && e.State != HoursOpen && e.State != HoursClosed {
		s.counters.Unknown++
		return
	}
	until := instantOf(e.Until)
	if e.State != HoursAuto && until > 0 && until <= s.now {
		s.counters.Late++
		return
	}
	id := DeadlineID{Kind: deadlineHours, Name: string(e.Hours)}
	s.deadlines.disarm(id)
	if e.State == HoursAuto {
		delete(s.forcedHours, e.Hours)
	} else {
		s.forcedHours[e.Hours] = forcedHours{Hours: e.Hours, State: e.State, Until: until, By: e.By}
		if until > 0 {
			s.deadlines.arm(id, until)
		}
	}
	s.hoursChanged(e.Hours)
}

// hoursPassed: a calendar decides again.
func (s *State) hoursPassed(id queuegroups.HoursID) {
	delete(s.forcedHours, id)
	s.hoursChanged(id)
}

// hoursChanged has whoever waits for a calendar to open look at it again.
func (s *State) hoursChanged(id queuegroups.HoursID) {
	for _, g := range s.groupOrder {
		if g.isChat() && g.chat.Hours == id {
			s.awaken(g)
		}
	}
}

// HoursView is what the world may see of a calendar.
type HoursView struct {
	ID     queuegroups.HoursID `json:"id"`
	Open   bool                `json:"open"`
	Forced HoursState          `json:"forced,omitempty"`
	Until  time.Time           `json:"until,omitzero"` // of Forced; zero: until told
	By     queuegroups.AgentID `json:"by,omitempty"`
}

// Hours returns a view of every calendar, in order of declaration, as of the
// last entry's time.
func (s *State) Hours() []HoursView {
	out := make([]HoursView, 0, len(s.config.Hours))
	for k := range s.config.Hours {
		id := s.config.Hours[k].ID
		f := s.forcedHours[id]
		out = append(out, HoursView{ID: id, Open: s.open(id), Forced: f.State, Until: f.Until.Time(), By: f.By})
	}
	return out
}
