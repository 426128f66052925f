package acd

import "centrala/queuegroups"

// ChatArrived tells that a customer began a chat by writing its first message.
type ChatArrived struct {
	Leg         LegID                 `json:"leg"` // the customer's end
	Node        NodeID                `json:"node"`
	Channel     queuegroups.ChannelID `json:"channel"`
	From        Party                 `json:"from"` // Number: the customer's identity in the channel
	Responsible queuegroups.AgentID   `json:"responsible,omitempty"`
	Needs       []queuegroups.Skill   `json:"needs,omitempty"`
}

// ChatWritten tells that somebody wrote: the customer or the agent, by the leg.
// The text is not in the log.
type ChatWritten struct {
	Leg LegID `json:"leg"`
}

// ChatClosed tells that the agent with the leg closed the chat, or the customer did.
type ChatClosed struct {
	Leg LegID `json:"leg"`
}
