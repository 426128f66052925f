package queuegroups

import (
	"cmp"
	"slices"
)

// Speech is how people of ours are spoken to, who are no waiting callers.
type Speech struct {
	Language string // en, pl or ru
	Prompts  string // a folder of own recordings; empty: those built in
}

// SpeechTo is how an agent's phone speaks to them: in their language, else that
// of the first group of theirs that has one, with its recordings, else that of
// the region.
func (c *Config) SpeechTo(a *Agent) Speech {
	for i := range c.Groups {
		g := &c.Groups[i]
		if language := g.Announce.Language; language != "" && g.Lists(a.ID) && (a.Language == "" || a.Language == language) {
			return Speech{Language: language, Prompts: g.Announce.Prompts}
		}
	}
	return Speech{Language: cmp.Or(a.Language, regionLanguage(c.Region))}
}

// SpeechFor is how somebody is spoken to who is called for a group: in its
// language, else that of the region, with its recordings.
func (c *Config) SpeechFor(g *Group) Speech {
	return Speech{Language: cmp.Or(g.Announce.Language, regionLanguage(c.Region)), Prompts: g.Announce.Prompts}
}

// regionLanguage is what is spoken in a region, of the languages that there are.
func regionLanguage(region string) string {
	switch region {
	case "PL":
		return "pl"
	case "RU", "BY", "KZ", "KG":
		return "ru"
	}
	return "en"
}

// Lists tells whether the agent is one of the group's, in whatever tier.
func (g *Group) Lists(agent AgentID) bool {
	return slices.Contains(g.Agents, agent) ||
		slices.ContainsFunc(g.Tiers, func(t Tier) bool { return slices.Contains(t.Agents, agent) })
}
