package acd

import (
	"fmt"
	"strings"
	"time"

	"centrala/queuegroups"
)

// StepKind says what kind of change a step tells of.
type StepKind string

// The kinds of steps.
const (
	StepArrived     StepKind = "arrived"     // an interaction began
	StepQueued      StepKind = "queued"      // nobody can be offered it at once
	StepOffer       StepKind = "offer"       // an agent is being offered it; Choice says why this one
	StepRinging     StepKind = "ringing"     // the agent's phone rings
	StepOutcome     StepKind = "outcome"     // the offer ended; What is the Outcome
	StepBridged     StepKind = "bridged"     // both sides hear each other
	StepHeld        StepKind = "held"        // on hold, by the Agent or the number What; neither: by the customer
	StepResumed     StepKind = "resumed"     // and no longer
	StepAction      StepKind = "action"      // nobody answered; What is done about it (R92)
	StepServed      StepKind = "served"      // voicemail or callback told how it went
	StepRequeue     StepKind = "requeue"     // back to the queue with its arrival
	StepStage       StepKind = "stage"       // it waited long enough for What: less skill, or another tier
	StepUnavailable StepKind = "unavailable" // nobody can serve the group; Why says since when and why
	StepClosed      StepKind = "closed"      // outside the hours What
	StepKept        StepKind = "kept"        // for one agent; Why says for whose sake
	StepTransfer    StepKind = "transfer"    // handed over by an agent, or sent elsewhere by a supervisor
	StepConsult     StepKind = "consult"     // the agent asks a colleague first
	StepClaim       StepKind = "claim"       // an agent took it
	StepReversed    StepKind = "reversed"    // the agent who called has whom they called as a customer
	StepParked      StepKind = "parked"      // in the slot What
	StepPriority    StepKind = "priority"    // another credit of waiting time
	StepTold        StepKind = "told"        // the customer was sent the text What
	StepUnanswered  StepKind = "unanswered"  // the chat counts as such; What is done about it
	StepClosing     StepKind = "closing"     // the chat was closed
	StepReopened    StepKind = "reopened"    // the customer wrote after all
	StepJoined      StepKind = "joined"      // What of the staff writes in the chat beside its agent
	StepParted      StepKind = "parted"      // and no longer
	StepMovedNode   StepKind = "moved_node"  // the node What looks after the customer's end now
	StepDisposed    StepKind = "disposed"    // the Agent says that What came of it, perhaps after its end
	StepEnded       StepKind = "ended"       // the interaction is over; What is the EndKind
	StepAgent       StepKind = "agent"       // an agent's state changed; What is the AgentStatus
	StepTrunk       StepKind = "trunk"       // a carrier's did; What is the trunk and its TrunkState
)

// Step is one change and the reason for it. The steps of an interaction are its story.
type Step struct {
	Index       uint64              `json:"index"`
	At          time.Time           `json:"at"`
	Kind        StepKind            `json:"kind"`
	Interaction InteractionID       `json:"interaction,omitempty"`
	Group       queuegroups.GroupID `json:"group,omitempty"`
	Agent       queuegroups.AgentID `json:"agent,omitempty"`
	Offer       OfferID             `json:"offer,omitempty"`
	What        string              `json:"what,omitempty"`
	Why         string              `json:"why,omitempty"`
	Choice      *Choice             `json:"choice,omitempty"`
}

// Course is how handing over goes: the first word of What in steps of StepTransfer and StepConsult. After it comes to whom.
type Course string

// The courses.
const (
	CourseTo     Course = "to"     // handed over, or sent elsewhere
	CourseNot    Course = "not"    // it could not be; Why says so
	CourseFailed Course = "failed" // nobody took it
	CourseWith   Course = "with"   // a colleague is asked
	CourseAside  Course = "aside"  // the agent turns from the colleague to the customer
	CourseAgain  Course = "again"  // and back
	CourseOver   Course = "over"   // the colleague is let go
)

// whom is What of a step that tells to whom it goes.
func (c Course) whom(target string) string { return string(c) + " " + target }

// Course returns how handing over goes and to whom, in a step of StepTransfer or StepConsult.
func (st Step) Course() (c Course, whom string) {
	first, whom, _ := strings.Cut(st.What, " ")
	return Course(first), whom
}

// Choice tells how an agent was chosen, or why nobody could be.
type Choice struct {
	Rule   string        `json:"rule,omitempty"`  // which rule chose
	Idle   time.Duration `json:"idle,omitempty"`  // since the agent's last answer; 0: no answer yet (R19)
	Place  int           `json:"place,omitempty"` // in the group's list, from 1
	Round  int           `json:"round,omitempty"` // which time round the group, from 1
	Free   int           `json:"free"`            // agents who could be offered it
	Census census        `json:"census"`          // agents of the group by status
	Tier   int           `json:"tier,omitempty"`  // of the agent, from 2 on; 0: the first
	Needs  string        `json:"needs,omitempty"` // skills that it needs now, as in polish>=3
}

// String returns the step as a line of a trace, without its time.
func (st Step) String() string {
	var b strings.Builder
	switch {
	case st.Kind == StepAgent:
		fmt.Fprintf(&b, "%s is %s", st.Agent, st.What)
		if st.Group != "" {
			fmt.Fprintf(&b, " in %s", st.Group)
		}
	case st.Kind == StepTrunk:
		fmt.Fprintf(&b, "trunk %s", st.What)
	default:
		fmt.Fprintf(&b, "interaction %d %s", st.Interaction, st.Kind)
		if st.Offer != 0 {
			fmt.Fprintf(&b, " %s", st.Offer)
		}
		if st.Group != "" {
			fmt.Fprintf(&b, " group=%s", st.Group)
		}
		if st.Agent != "" {
			fmt.Fprintf(&b, " agent=%s", st.Agent)
		}
		if st.What != "" {
			fmt.Fprintf(&b, " %s", st.What)
		}
	}
	if st.Why != "" {
		fmt.Fprintf(&b, ": %s", st.Why)
	}
	if st.Choice != nil {
		fmt.Fprintf(&b, " (%s)", st.Choice)
	}
	return b.String()
}

// String returns the choice in words.
func (c *Choice) String() string {
	var parts []string
	if c.Rule != "" {
		switch {
		case c.Rule == string(queuegroups.Evenly) && c.Idle == 0:
			parts = append(parts, "evenly: no answer yet")
		case c.Rule == string(queuegroups.Evenly):
			parts = append(parts, fmt.Sprintf("evenly: last answer %s ago", c.Idle))
		default:
			parts = append(parts, fmt.Sprintf("%s: place %d", c.Rule, c.Place))
		}
		parts = append(parts, fmt.Sprintf("round %d", c.Round), fmt.Sprintf("%d free", c.Free))
	}
	if c.Tier > 0 {
		parts = append(parts, fmt.Sprintf("tier %d", c.Tier))
	}
	if c.Needs != "" {
		parts = append(parts, "needs "+c.Needs)
	}
	for st := range numStatuses {
		if n := c.Census[st]; n > 0 && (st != Available || c.Rule == "") {
			parts = append(parts, fmt.Sprintf("%d %s", n, st))
		}
	}
	if len(parts) == 0 {
		return "the group has no agents"
	}
	return strings.Join(parts, ", ")
}

// Trace returns the steps of the last entry applied, in order. It is valid until
// the next Apply.
func (s *State) Trace() []Step { return s.turn.trace }

// Record is the whole story of an interaction that has ended.
type Record struct {
	Interaction InteractionID       `json:"interaction"`
	Leg         LegID               `json:"leg"` // the caller's
	Node        NodeID              `json:"node"`
	Trunk       queuegroups.TrunkID `json:"trunk,omitempty"`
	From        Party               `json:"from"`
	To          string              `json:"to"`
	Group       queuegroups.GroupID `json:"group,omitempty"`  // the last one
	Agent       queuegroups.AgentID `json:"agent,omitempty"`  // who answered
	Number      string              `json:"number,omitempty"` // outside, who answered
	Arrived     time.Time           `json:"arrived"`
	Answered    time.Time           `json:"answered"`             // by the agent; zero: never
	Stints      []Stint             `json:"stints,omitempty"`     // which agents had it, and when
	Unanswered  bool                `json:"unanswered,omitempty"` // a chat that was so for too long (R24)
	Ended       time.Time           `json:"ended"`
	End         EndKind             `json:"end"`
	Class       string              `json:"class,omitempty"`   // of a failure
	Promised    time.Time           `json:"promised,omitzero"` // when it was to be answered, as it could be told when it came to wait
	Steps       []Step              `json:"steps"`
	Omitted     int                 `json:"omitted,omitempty"` // steps left out of the middle of a very long story
}

// Ended returns the records of the interactions that the last entry ended, in
// order. Unlike Trace it stays valid.
func (s *State) Ended() []Record { return s.turn.ended }

// The trail of an interaction keeps its beginning and its latest steps.
const (
	trailMax  = 64
	trailHead = 16
)

// step records a change: in the trace of the entry and in the trail of the interaction.
func (s *State) step(i *interaction, st Step) {
	st.Index, st.At = s.index, s.now.Time()
	if i != nil {
		st.Interaction = i.id
		if len(i.trail) == trailMax {
			copy(i.trail[trailHead:], i.trail[trailHead+1:])
			i.trail = i.trail[:trailMax-1]
			i.omitted++
		}
		i.trail = append(i.trail, st)
		s.touchLines(i, st.Group)
	}
	s.turn.trace = append(s.turn.trace, st)
}
