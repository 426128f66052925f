package acd

import (
	"encoding/json"
	"fmt"
	"slices"
)

// AgentStatus is what an agent is doing, as seen by the distribution.
type AgentStatus uint8

// The states of an agent.
const (
	Offline       AgentStatus = iota // no phone is registered, no client open
	Available                        // may be offered an interaction
	Reserved                         // an offer is made or being taken back; no phone rings
	Ringing                          // a phone rings
	Talking                          // connected
	WrapUp                           // work after a call
	BackingOff                       // left alone for a moment after a failed offer
	BusyElsewhere                    // the phone said busy
	NotResponding                    // missed too many offers in a row
	Dismissed                        // no longer declared
	DayNotStarted                    // the work day is tracked and not started, or ended
	OnBreak                          // with a reason
	OnLeave                          // away for long
	numStatuses
)

// The names are a public contract: they are in records, API and metrics.
func (a AgentStatus) String() string {
	switch a {
	case Offline:
		return "offline"
	case Available:
		return "available"
	case Reserved:
		return "reserved"
	case Ringing:
		return "ringing"
	case Talking:
		return "talking"
	case WrapUp:
		return "wrap_up"
	case BackingOff:
		return "backing_off"
	case BusyElsewhere:
		return "busy_elsewhere"
	case NotResponding:
		return "not_responding"
	case Dismissed:
		return "dismissed"
	case DayNotStarted:
		return "day_not_started"
	case OnBreak:
		return "on_break"
	case OnLeave:
		return "on_leave"
	default:
		return fmt.Sprintf("status(%d)", uint8(a))
	}
}

// atWork: the agent is there to serve, if only busy. People at lunch are not: who
// waits for them must not wait for nothing.
func (a AgentStatus) atWork() bool {
	switch a {
	case Available, Reserved, Ringing, Talking, WrapUp, BackingOff, BusyElsewhere:
		return true
	case Offline, NotResponding, Dismissed, DayNotStarted, OnBreak, OnLeave:
		return false
	default:
		return false
	}
}

// MarshalText writes the status by its name.
func (a AgentStatus) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText reads a status by its name.
func (a *AgentStatus) UnmarshalText(text []byte) error {
	for x := range numStatuses {
		if x.String() == string(text) {
			*a = x
			return nil
		}
	}
	return fmt.Errorf("no agent status %q", text)
}

// census counts the agents of a group by status. It is written with the names of
// the statuses, whose numbers may change.
type census [numStatuses]int32

// MarshalJSON writes {"available":3,…} without the zeros.
func (c census) MarshalJSON() ([]byte, error) {
	out := []byte{'{'}
	for st, n := range c {
		if n == 0 {
			continue
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = fmt.Appendf(out, "%q:%d", AgentStatus(st), n)
	}
	return append(out, '}'), nil
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (c *census) UnmarshalJSON(data []byte) error {
	named := map[AgentStatus]int32{}
	if err := json.Unmarshal(data, &named); err != nil {
		return err
	}
	for st := range numStatuses {
		c[st] = named[st]
	}
	return nil
}

// Phase is where an interaction stands.
type Phase string

// The phases of an interaction. Ended ones leave the state.
const (
	PhaseQueued     Phase = "queued"     // waits; nobody is being rung for it
	PhaseOffered    Phase = "offered"    // somebody is being rung for it
	PhaseConnecting Phase = "connecting" // an agent answered; the legs are being bridged
	PhaseTalking    Phase = "talking"    // caller and agent hear each other
	PhaseDialled    Phase = "dialled"    // a number outside is being called for it
	PhaseServed     Phase = "served"     // with voicemail or with taking a callback
	PhaseConsulting Phase = "consulting" // the agent talks to a colleague, or to the customer with a colleague aside
	PhaseParked     Phase = "parked"     // hears music until somebody fetches it
	PhaseClosing    Phase = "closing"    // a chat that was closed and awaits its rating
	PhaseAsleep     Phase = "asleep"     // a chat that waits until its channel opens
)

// Outcome is how an offer ended.
type Outcome string

// The outcomes of an offer.
const (
	OutcomeAnswered    Outcome = "answered"
	OutcomeDeclined    Outcome = "declined"
	OutcomeBusy        Outcome = "busy"
	OutcomeNoAnswer    Outcome = "no_answer"
	OutcomeUnreachable Outcome = "unreachable"
	OutcomeLostRace    Outcome = "lost_race"
	OutcomeWithdrawn   Outcome = "withdrawn"
)

// EndKind is how an interaction ended. Overflow and transfer are steps, not ends.
type EndKind string

// The ends of an interaction.
const (
	CompletedByCaller EndKind = "completed_by_caller"
	CompletedByAgent  EndKind = "completed_by_agent"

	// A chat in which nobody wrote any more: it was this one's turn (R30).
	CompletedByCustomerSilence EndKind = "completed_by_customer_silence"
	CompletedByAgentSilence    EndKind = "completed_by_agent_silence"

	AbandonedWaiting EndKind = "abandoned_waiting"
	AbandonedRinging EndKind = "abandoned_ringing"
	Missed           EndKind = "missed"
	QueueFull        EndKind = "queue_full"
	Nobody           EndKind = "nobody_available"
	Rejected         EndKind = "rejected"
	Failed           EndKind = "failed"
	Forwarded        EndKind = "forwarded_outside"
	Voicemail        EndKind = "voicemail"
	CallbackTaken    EndKind = "callback_taken"
	ClosedHours      EndKind = "closed_hours"
	Lost             EndKind = "lost_with_its_node"
)

// removeOne returns list without x; the order of the others stays.
func removeOne[T comparable](list []T, x T) []T {
	if i := slices.Index(list, x); i >= 0 {
		return slices.Delete(list, i, i+1)
	}
	return list
}
