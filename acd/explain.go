package acd

import (
	"slices"
	"time"

	"centrala/queuegroups"
)

// Question is a call that might be made.
type Question struct {
	From  Party
	To    string // E.164, or an extension
	Trunk queuegroups.TrunkID
	Needs []queuegroups.Skill // beside those of the number and its group
	At    time.Time
	// Horizon is how far to look ahead; 0: 30 minutes.
	Horizon time.Duration
	// Rounds is how often the call is followed round its group; 0: twice.
	Rounds int
}

// Explanation is what would become of a call if nobody answered it.
type Explanation struct {
	Steps []Step  // its story; times count from Question.At on
	End   *Record // nil: it would wait on
	Round int     // it went round its group so often
}

const explainHorizon = 30 * time.Minute

// Rehearsal returns a state for Explain: the configuration in force since just
// before the time, with every agent on duty and every phone registered but those
// of the agents who are away.
func Rehearsal(config *queuegroups.Config, at time.Time, away []queuegroups.AgentID) *State {
	s := NewState()
	p := player{s: s, at: at}
	p.tell(&LevelRaised{Level: LevelMax})
	p.tell(&ConfigApplied{Config: config})
	for _, a := range config.Agents {
		if !slices.Contains(away, a.ID) {
			p.tell(&AgentOnline{Agent: a.ID, Node: rehearsalNode})
		}
	}
	return s
}

const (
	rehearsalNode NodeID = "rehearsal"
	rehearsalLeg  LegID  = "rehearsal"
)

// Explain tells what would become of a call: the very rules of Apply are played
// with a virtual clock. Every phone that is rung rings and nobody answers;
// voicemail and callbacks succeed. It uses the state up, so give it a Rehearsal
// or a state restored from a snapshot.
func (s *State) Explain(q Question) Explanation {
	if q.Horizon <= 0 {
		q.Horizon = explainHorizon
	}
	if q.Rounds <= 0 {
		q.Rounds = 2
	}
	p := player{s: s, at: q.At, id: InteractionID(s.index + 1)}
	p.tell(&CallArrived{Leg: rehearsalLeg, Node: rehearsalNode, Trunk: q.Trunk, From: q.From, To: q.To, Needs: q.Needs})
	p.play()
	for p.e.End == nil && p.round() < q.Rounds {
		at, id, generation, ok := s.NextDeadline()
		if !ok || at.Sub(q.At) > q.Horizon {
			break
		}
		p.at = at
		p.tell(&DeadlinePassed{Deadline: id, Generation: generation})
		p.play()
	}
	p.e.Round = p.round()
	return p.e
}

// player is the world of a rehearsal.
type player struct {
	s    *State
	at   time.Time
	id   InteractionID
	todo []Command
	e    Explanation
}

// tell applies a fact and notes what it means to the call.
func (p *player) tell(e Event) {
	p.todo = append(p.todo, p.s.Apply(Entry{Index: p.s.index + 1, At: p.at, Event: e})...)
	for _, st := range p.s.Trace() {
		if p.id != 0 && st.Interaction == p.id {
			p.e.Steps = append(p.e.Steps, st)
		}
	}
	for _, r := range p.s.Ended() {
		if r.Leg == rehearsalLeg {
			p.e.End = &r
		}
	}
}

// play carries out what was commanded.
func (p *player) play() {
	for len(p.todo) > 0 {
		c := p.todo[0]
		p.todo = p.todo[1:]
		switch c := c.(type) {
		case *Answer:
			p.tell(&LegAnswered{Leg: c.Call})
		case *Reject:
			p.tell(&LegEnded{Leg: c.Call, Cause: EndByUs})
		case *EndLeg:
			p.tell(&LegEnded{Leg: c.Leg, Cause: EndByUs})
		case *Ring:
			p.tell(&OfferRinging{Offer: c.Offer})
		case *Dial:
			p.tell(&OfferRinging{Offer: c.Offer})
		case *CancelRing:
			p.tell(&OfferFailed{Offer: c.Offer, Class: FailCancelled})
		case *Serve:
			p.tell(&Served{Leg: c.Call, Done: true})
		}
	}
}

func (p *player) round() int {
	if i := p.s.interactions[p.id]; i != nil {
		return i.round
	}
	return p.e.Round
}
