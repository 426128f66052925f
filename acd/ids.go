package acd

// LegID names one SIP dialog or chat endpoint. The node that owns the leg
// chooses it before the first fact about it is logged; the core only compares it.
type LegID string

// NodeID names a server process of the cluster.
type NodeID string

// InteractionID is the index of the log entry by which the interaction arrived.
type InteractionID uint64

// OfferID is unique for ever: it is made from the index of the entry that led to the offer.
type OfferID uint64

// CommandID is unique for ever and the same again when the command is re-issued after a failover.
type CommandID struct {
	Index uint64 `json:"i"` // the entry that gave rise to the command
	N     uint32 `json:"n"` // its ordinal among that entry's commands
}
