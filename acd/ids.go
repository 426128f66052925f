package acd

import (
	"strings"

	"centrala/queuegroups"
)

// LegID names one SIP dialog or chat endpoint. The node that owns the leg
// chooses it before the first fact about it is logged; the core only compares it.
type LegID string

// NodeID names a server process of the cluster.
type NodeID string

const channelPrefix = "channel:"

// ChannelGroup returns the id under which the core keeps the agents of an open
// channel: a channel is a group whose interactions are chats. It cannot be the id
// of a declared group.
func ChannelGroup(id queuegroups.ChannelID) queuegroups.GroupID {
	return queuegroups.GroupID(channelPrefix + string(id))
}

// channelOf is the channel whose agents are kept under the id; empty: none's are.
func channelOf(id queuegroups.GroupID) queuegroups.ChannelID {
	c, _ := strings.CutPrefix(string(id), channelPrefix)
	if len(c) == len(id) {
		return ""
	}
	return queuegroups.ChannelID(c)
}

// InteractionID is the index of the log entry by which the interaction arrived.
type InteractionID uint64

// OfferID is unique for ever: it is made from the index of the entry that led to the offer.
type OfferID uint64

// CommandID is unique for ever and the same again when the command is re-issued after a failover.
type CommandID struct {
	Index uint64 `json:"i"` // the entry that gave rise to the command
	N     uint32 `json:"n"` // its ordinal among that entry's commands
}

// Level is a feature level: a set of rules that the core follows. A log begins at
// level 1; LevelRaised takes it to a higher one once all nodes know it, so that a
// log that was written under older rules is replayed under them for ever.
type Level uint32

// The levels so far.
const (
	LevelFirst Level = 1 // calls in groups
	LevelMax   Level = 4 // all of this package
)
