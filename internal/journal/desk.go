package journal

import (
	"centrala/acd"
	"centrala/queuegroups"
)

// desk is what an agent is doing, and since when.
type desk struct {
	Status string                           `json:"status"`
	Began  Micros                           `json:"began"`
	Reason string                           `json:"reason,omitempty"`
	Seats  map[queuegroups.GroupID]deskSeat `json:"seats,omitempty"` // in groups where they are not logged in
	Last   *Talk                            `json:"last,omitempty"`  // after which the agent is in wrap-up, or may be at once
}

type deskSeat struct {
	State  string `json:"state"`
	Began  Micros `json:"began"`
	Reason string `json:"reason,omitempty"`
}

func (b *book) desk(id queuegroups.AgentID) *desk {
	d := b.Desks[id]
	if d == nil {
		d = &desk{Status: acd.Offline.String(), Began: b.now}
		b.Desks[id] = d
	}
	return d
}

// agentStep notes that an agent's state changed, and writes down the one before.
func (b *book) agentStep(st acd.Step) {
	d := b.desk(st.Agent)
	switch {
	case st.Group != "":
		b.seat(d, st)
	case !isStatus(st.What):
	case st.What == d.Status && st.What != acd.OnBreak.String(): // a wrap-up was extended
	default:
		b.period(AgentState{Agent: st.Agent, Began: d.Began, Status: d.Status, Reason: d.Reason})
		if d.Status == acd.WrapUp.String() {
			b.wrapped(d)
		}
		d.Status, d.Began, d.Reason = st.What, b.now, st.Why
	}
}

func (b *book) seat(d *desk, st acd.Step) {
	if was, there := d.Seats[st.Group]; there {
		b.period(AgentState{Agent: st.Agent, Group: st.Group, Began: was.Began, Status: was.State, Reason: was.Reason})
		delete(d.Seats, st.Group)
	}
	if st.What != string(acd.SeatIn) {
		if d.Seats == nil {
			d.Seats = map[queuegroups.GroupID]deskSeat{}
		}
		d.Seats[st.Group] = deskSeat{State: st.What, Began: b.now, Reason: st.Why}
	}
}

// period writes down a time that is over; one without length is no time.
func (b *book) period(r AgentState) {
	if r.Ended = b.now; r.Ended > r.Began {
		r.Index = b.index
		b.rows.AgentStates = append(b.rows.AgentStates, r)
	}
}

// talked notes that the agent may be in wrap-up after the talk now. An earlier
// talk's wrap-up ends with that.
func (b *book) talked(t Talk) {
	d := b.desk(t.Agent)
	b.wrapped(d)
	if d.Status == acd.WrapUp.String() {
		t.WrapUp = b.now
		d.Last = &t
	}
	b.rows.Talks = append(b.rows.Talks, t)
}

// wrapped notes that the wrap-up is over.
func (b *book) wrapped(d *desk) {
	if d.Last == nil {
		return
	}
	d.Last.Wrapped = b.now
	b.rows.Wrapped = append(b.rows.Wrapped, *d.Last)
	d.Last = nil
}
