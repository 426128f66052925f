package events

import (
	"time"

	"centrala/queuegroups"
)

// Interaction is a call or a chat as it stands after the event.
type Interaction struct {
	ID         string     `json:"id"`
	Kind       string     `json:"kind" enum:"call,chat"`
	Direction  string     `json:"direction" enum:"in,out,internal" doc:"internal: an agent calls a colleague or a group."`
	From       string     `json:"from,omitempty" doc:"The caller's number; left out: withheld."`
	FromName   string     `json:"from_name,omitempty"`
	FromAgent  string     `json:"from_agent,omitempty" doc:"The agent who calls."`
	To         string     `json:"to,omitempty" doc:"The number called."`
	Trunk      string     `json:"trunk,omitempty"`
	Channel    string     `json:"channel,omitempty"`
	FirstGroup string     `json:"first_group,omitempty"`
	Group      string     `json:"group,omitempty" doc:"The last group; left out: none."`
	Agent      string     `json:"agent,omitempty" doc:"The agent who had it last."`
	Number     string     `json:"number,omitempty" doc:"Outside, that had it last."`
	Arrived    time.Time  `json:"arrived"`
	Answered   *time.Time `json:"answered,omitempty"`
	Ended      *time.Time `json:"ended,omitempty"`
	End        string     `json:"end,omitempty" doc:"How it ended, of a closed list: completed_by_caller, abandoned_waiting, …"`
	Class      string     `json:"class,omitempty" doc:"Of a failure."`
	Agents     []string   `json:"agents,omitempty" nullable:"false" doc:"Who have it, had it, or are being offered it."`
}

// Course is what an event in the course of an interaction says.
type Course struct {
	Interaction Interaction `json:"interaction"`
	Group       string      `json:"group,omitempty"`
	Agent       string      `json:"agent,omitempty"`
	Detail      string      `json:"detail,omitempty"`
	Reason      string      `json:"reason,omitempty" doc:"In words, for people."`
}

// Offer is what an event of an offer says.
type Offer struct {
	Interaction Interaction `json:"interaction"`
	Offer       string      `json:"offer" doc:"The id of the offer."`
	Group       string      `json:"group,omitempty"`
	Agent       string      `json:"agent,omitempty"`
	Number      string      `json:"number,omitempty" doc:"Outside, instead of an agent."`
	Outcome     string      `json:"outcome,omitempty" doc:"answered, declined, busy, no_answer, unreachable, lost_race or withdrawn; left out: it goes on."`
	Reason      string      `json:"reason,omitempty" doc:"In words, for people."`
}

// Visit is what an event of an interaction's stay with a group says.
type Visit struct {
	Interaction Interaction `json:"interaction"`
	Group       string      `json:"group"`
	Via         string      `json:"via" doc:"How it came: arrived, overflow, transfer, moved or requeue."`
	Agent       string      `json:"agent,omitempty" doc:"Who answered."`
	Outcome     string      `json:"outcome,omitempty" doc:"answered, overflow, moved, forwarded, or the interaction's end; left out: it is there."`
	Waited      float64     `json:"waited_seconds,omitempty" doc:"Since it came to the group."`
}

// Disposition is what an event tells of what came of a talk.
type Disposition struct {
	Interaction string `json:"interaction" doc:"Its id; it may have ended."`
	Group       string `json:"group,omitempty"`
	Agent       string `json:"agent" doc:"Whose talk."`
	Code        string `json:"code"`
	By          string `json:"by,omitempty" doc:"The supervisor who told it; left out: the agent."`
	Note        bool   `json:"note" doc:"There is a note in the record."`
}

// AgentState is what an event of an agent's status says.
type AgentState struct {
	Agent    string `json:"agent"`
	Status   string `json:"status" doc:"As of the agent in the API."`
	Previous string `json:"previous,omitempty" doc:"The status before."`
	Reason   string `json:"reason,omitempty" doc:"In words, for people."`
}

// AgentSeat is what an event of an agent's place in a group says.
type AgentSeat struct {
	Agent  string `json:"agent"`
	Group  string `json:"group"`
	State  string `json:"state" enum:"in,out,paused"`
	Reason string `json:"reason,omitempty" doc:"In words, for people."`
}

// AgentNote is what the other events of agents say.
type AgentNote struct {
	Agent  string `json:"agent"`
	Reason string `json:"reason,omitempty" doc:"In words, for people."`
}

// TrunkState is what an event of a trunk's state says.
type TrunkState struct {
	Trunk  string `json:"trunk"`
	Node   string `json:"node" doc:"Of our own, which found it so."`
	State  string `json:"state" enum:"up,down,registered,unregistered" doc:"up and down where the carrier is asked whether it is there, the others where we register with it."`
	Reason string `json:"reason,omitempty" doc:"In words, for people."`
}

// Config is what the event of another configuration says.
type Config struct {
	Version string               `json:"version"`
	Changes []queuegroups.Change `json:"changes" nullable:"false" doc:"The first 100."`
	Omitted int                  `json:"omitted,omitempty" doc:"Changes left out."`
}

// Lost is what the event of lost events says.
type Lost struct {
	Since time.Time `json:"since"`
	Until time.Time `json:"until"`
}
