package queuegroups

// index finds things by name without a walk through the lists.
type index struct {
	agents   map[AgentID]*Agent
	groups   map[GroupID]*Group
	trunks   map[TrunkID]*Trunk
	numbers  map[string]*Number
	music    map[MusicID]*Music
	hours    map[HoursID]*Hours
	channels map[ChannelID]*Channel

	agentByExtension map[string]*Agent
	groupByExtension map[string]*Group
}

// Agent finds an agent; nil: there is none.
func (c *Config) Agent(id AgentID) *Agent { return c.index().agents[id] }

// Group finds a queue group; nil: there is none.
func (c *Config) Group(id GroupID) *Group { return c.index().groups[id] }

// Trunk finds a trunk; nil: there is none.
func (c *Config) Trunk(id TrunkID) *Trunk { return c.index().trunks[id] }

// Number finds a called number by its E.164 form; nil: there is none.
func (c *Config) Number(e164 string) *Number { return c.index().numbers[e164] }

// Music finds a hold-music programme; nil: there is none.
func (c *Config) Music(id MusicID) *Music { return c.index().music[id] }

// HoursOf finds opening hours; nil: there are none.
func (c *Config) HoursOf(id HoursID) *Hours { return c.index().hours[id] }

// Channel finds an open channel; nil: there is none.
func (c *Config) Channel(id ChannelID) *Channel { return c.index().channels[id] }

// ByExtension finds the agent or the group that an extension belongs to; both
// are nil when it belongs to nobody.
func (c *Config) ByExtension(extension string) (*Agent, *Group) {
	i := c.index()
	return i.agentByExtension[extension], i.groupByExtension[extension]
}

// index gives the look-up tables, made once. Two callers at the same time may
// both make them; the tables are equal and either may stay.
func (c *Config) index() *index {
	if i := c.lookup.Load(); i != nil {
		return i
	}
	i := &index{
		agents:           table(c.Agents, func(a *Agent) AgentID { return a.ID }),
		groups:           table(c.Groups, func(g *Group) GroupID { return g.ID }),
		trunks:           table(c.Trunks, func(t *Trunk) TrunkID { return t.ID }),
		numbers:          table(c.Numbers, func(n *Number) string { return n.Number }),
		music:            table(c.HoldMusic, func(m *Music) MusicID { return m.ID }),
		hours:            table(c.Hours, func(h *Hours) HoursID { return h.ID }),
		channels:         table(c.Channels, func(ch *Channel) ChannelID { return ch.ID }),
		agentByExtension: table(c.Agents, func(a *Agent) string { return a.Extension }),
		groupByExtension: table(c.Groups, func(g *Group) string { return g.Extension }),
	}
	c.lookup.Store(i)
	return i
}

// table indexes things by a key; an empty key is no key.
func table[K ~string, T any](list []T, key func(*T) K) map[K]*T {
	m := make(map[K]*T, len(list))
	for i := range list {
		if k := key(&list[i]); k != "" {
			m[k] = &list[i]
		}
	}
	return m
}
