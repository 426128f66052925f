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
	// By is who of the staff wrote beside the agent: the leg is the customer's, and they did
	// not write themselves. Their message is an answer of ours as the agent's own is (R42,
	// R43, R47, R30), and none of the agent's.
	By queuegroups.AgentID `json:"by,omitempty"`
}

// ChatJoined tells that somebody of the staff, who may be no agent, writes in a chat
// beside the agent who has it, or does no longer.
type ChatJoined struct {
	Leg  LegID               `json:"leg"` // the customer's end
	By   queuegroups.AgentID `json:"by"`
	Left bool                `json:"left,omitempty"`
}

// ChatClosed tells that the agent with the leg closed the chat, or the customer did.
type ChatClosed struct {
	Leg LegID `json:"leg"`
}
