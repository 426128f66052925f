package stats

import (
	"fmt"
	"time"

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

// Measure is the formula of a line's service level with what it is measured by, for people.
func (l *Line) Measure() string {
	m := l.level
	if l.mixed {
		return "each group by its own service_level, parts and wholes added up"
	}
	if m == (queuegroups.ServiceLevel{}) {
		return "nobody came"
	}
	in := m.Within.Round(time.Millisecond).String()
	all, of := "answered within "+in, "all offered"
	if m.Short > 0 {
		of += fmt.Sprintf(" but those who hung up in less than %s", m.Short)
	}
	switch m.Abandons {
	case queuegroups.AbandonsIgnored:
		of += " and those who hung up within " + in
	case queuegroups.AbandonsPositive:
		all = "answered or hung up within " + in
	case queuegroups.AbandonsNegative:
	}
	return fmt.Sprintf("%s / %s = %d / %d", all, of, l.sums[levelPart], l.sums[levelOf])
}
