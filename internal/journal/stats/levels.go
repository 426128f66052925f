package stats

import (
	"centrala/acd"
	"centrala/queuegroups"
)

// Levels are the measures of a configuration's groups and channels, for Query.
func Levels(c *queuegroups.Config) map[queuegroups.GroupID]queuegroups.ServiceLevel {
	levels := map[queuegroups.GroupID]queuegroups.ServiceLevel{}
	for i := range c.Groups {
		levels[c.Groups[i].ID] = c.Groups[i].ServiceLevel.OrDefault()
	}
	for i := range c.Channels {
		levels[acd.ChannelGroup(c.Channels[i].ID)] = c.Channels[i].ServiceLevel.OrDefault()
	}
	return levels
}
