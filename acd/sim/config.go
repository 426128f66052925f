package sim

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"centrala/queuegroups"
)

// roomy: agents with such names may have two calls at once.
func roomy(agent string) bool { return strings.HasSuffix(agent, "+") }

// maker makes up configurations. A plain one has what queue groups had at first;
// one that is not has skills, tiers, preferred agents and chains for everything.
type maker struct {
	rng    *rand.Rand
	agents int
	groups int
	plain  bool
	picky  bool // no two callers need the same: more requirements than a group keeps lanes for
}

func (m maker) chance(n int) bool { return m.rng.IntN(n) == 0 }

func (m maker) seconds(n int) time.Duration { return time.Duration(m.rng.IntN(n)) * time.Second }

func (m maker) config() *queuegroups.Config {
	c := &queuegroups.Config{Region: "PL"}
	for n := range m.agents {
		c.Agents = append(c.Agents, m.agent(n))
	}
	if m.chance(4) { // the days begin at eight: closed for two minutes, soon after
		week := [7][]queuegroups.Interval{}
		for day := range week {
			week[day] = []queuegroups.Interval{{From: 0, To: 481}, {From: 483, To: 1440}}
		}
		c.Hours = []queuegroups.Hours{{ID: "office", TimeZone: "UTC", Week: week}}
	}
	for n := range m.groups {
		c.Groups = append(c.Groups, m.group(n, c.Agents))
		number := queuegroups.Number{Number: fmt.Sprintf("+48%d", n), Group: c.Groups[n].ID}
		if n == 0 && len(c.Hours) > 0 {
			number.Hours = "office"
		}
		if !m.plain && m.chance(3) {
			number.Needs, number.Priority, number.Closed = m.skills(3), m.seconds(60), m.chain(2)
		}
		c.Numbers = append(c.Numbers, number)
	}
	if !m.plain {
		for n := range m.rng.IntN(3) {
			c.Channels = append(c.Channels, m.channel(n, c))
		}
		c.WorkTime.Tracked = m.chance(4)
		if m.chance(3) {
			c.WorkTime.Breaks = []string{"lunch"}
		}
		c.Presence.DNDBlocks = m.chance(2)
		if m.chance(2) {
			c.Presence.Browser, c.Presence.Mobile = time.Minute, 30*time.Second
		}
	}
	return c
}

func (m maker) agent(n int) queuegroups.Agent {
	a := queuegroups.Agent{Capacity: queuegroups.Capacity{Voice: 1}}
	a.ID = queuegroups.AgentID(fmt.Sprintf("agent%d", n))
	if n%5 == 4 {
		a.ID += "+"
		a.Capacity.Voice = 2
	}
	if m.chance(2) {
		a.Phone = fmt.Sprintf("+4860100000%d", n)
	}
	if m.chance(8) {
		a.Contact = "sip:desk@192.0.2.1"
	}
	if m.plain {
		return a
	}
	a.Capacity.Chat, a.Capacity.ChatsDuringCall, a.Capacity.NoCallsDuringChat = m.rng.IntN(5), m.chance(2), m.chance(3)
	a.Extension = fmt.Sprintf("1%02d", n)
	a.Skills = m.skills(2)
	if m.chance(4) {
		length := m.seconds(20)
		a.WrapUp = &length
	}
	return a
}

// levels is how many levels there are of each skill.
func (m maker) levels() int {
	if m.picky {
		return 9
	}
	return 3
}

// skills makes up which skills are had or needed, each once in so many times.
func (m maker) skills(of int) (out []queuegroups.Skill) {
	for _, id := range []queuegroups.SkillID{"billing", "german", "polish"} {
		if m.chance(of) {
			out = append(out, queuegroups.Skill{ID: id, Level: 1 + m.rng.IntN(m.levels())})
		}
	}
	return out
}

func (m maker) group(n int, agents []queuegroups.Agent) queuegroups.Group {
	g := queuegroups.Group{
		ID: groupID(n), Distribution: m.distribution(),
		Rings: 1 + m.rng.IntN(4), RingLength: 5 * time.Second, DialLimit: time.Duration(1+m.rng.IntN(10)) * time.Second,
		WrapUp: time.Duration(m.rng.IntN(3)) * 5 * time.Second, MaxWaiting: m.rng.IntN(2) * m.rng.IntN(6),
		MaxWait: time.Duration(m.rng.IntN(2)) * time.Minute, Misses: m.rng.IntN(4),
		Retry:    queuegroups.Retry{Busy: m.seconds(6), Declined: m.seconds(30), NoAnswer: m.seconds(6), Unreachable: m.seconds(10)},
		NoAnswer: m.chain(2), Priority: m.seconds(2) * 30,
	}
	var listed []queuegroups.AgentID
	for _, k := range m.rng.Perm(len(agents)) {
		if len(listed) == 0 || m.chance(max(2, len(agents)/4)) || len(agents) < 9 && m.chance(2) {
			listed = append(listed, agents[k].ID)
		}
	}
	g.Agents = listed
	if m.chance(3) {
		g.AllMissed = queuegroups.AllMissedEnd
	}
	if m.plain {
		return g
	}
	g.Extension = fmt.Sprintf("6%02d", n)
	g.Pickup = m.chance(2)
	if m.chance(2) {
		g.Dispositions, g.DispositionRequired = []string{"sale"}, true
	}
	g.BlindTransferNoAnswer = []queuegroups.TransferEnd{queuegroups.TransferEnds, queuegroups.TransferReturn, queuegroups.TransferQueue}[m.rng.IntN(3)]
	for after := 5 * time.Second; len(g.Agents) > 1 && m.chance(2); after += 5*time.Second + m.seconds(20) {
		cut := 1 + m.rng.IntN(len(g.Agents)-1)
		g.Tiers = append(g.Tiers, queuegroups.Tier{After: after, Agents: g.Agents[cut:]})
		g.Agents = g.Agents[:cut:cut]
	}
	slices.SortFunc(g.Tiers, func(a, b queuegroups.Tier) int { return int(a.After - b.After) })
	if m.chance(2) {
		g.Needs = m.skills(3)
		for after := 3 * time.Second; m.chance(2); after += time.Second + m.seconds(20) {
			g.Relax = append(g.Relax, m.relaxation(after))
		}
	}
	if m.chance(2) {
		g.Preferred.Agent = []queuegroups.PreferredKind{queuegroups.PreferResponsible, queuegroups.PreferLast}[m.rng.IntN(2)]
		g.Preferred.Wait = m.seconds(90)
	}
	if m.chance(3) {
		g.Full = m.chain(1)
	}
	if m.chance(2) {
		g.Unavailable = queuegroups.Unavailable{Grace: m.seconds(10), LoggedOut: m.chain(2), OnBreak: m.chain(2), Busy: m.chain(3)}
	}
	return g
}

// channel makes up an open channel from a group: chats are quicker here than they
// may be declared to be, so that a day sees all of their lives.
func (m maker) channel(n int, c *queuegroups.Config) queuegroups.Channel {
	g := m.group(n, c.Agents)
	out := queuegroups.Channel{
		ID: queuegroups.ChannelID(fmt.Sprintf("channel%d", n)), Agents: g.Agents, Tiers: g.Tiers, Distribution: g.Distribution,
		Needs: g.Needs, Relax: g.Relax, Preferred: g.Preferred, Priority: g.Priority, WrapUp: g.WrapUp,
		PassAfter: 5*time.Second + m.seconds(30), UnansweredAfter: 10*time.Second + m.seconds(60),
		AnyPresence: m.chance(3), AnyDuty: m.chance(3), Monitor: m.chance(2), Limit: m.rng.IntN(3),
		AutoExpire: m.seconds(2) * 90, AutoClose: m.seconds(3) * 20, CloseDelay: m.seconds(2) * 10,
	}
	if m.chance(3) {
		out.MaxWaiting = 1 + m.rng.IntN(4)
	}
	out.NoAnswer.Kind = []queuegroups.ChatActionKind{queuegroups.ChatNothing, queuegroups.ChatText}[m.rng.IntN(2)]
	if out.Distribution == queuegroups.Evenly && m.chance(2) {
		out.NoAnswer.Kind = queuegroups.ChatRequeue
	}
	for _, e := range []queuegroups.ChatExclusion{queuegroups.ExcludeAnswered, queuegroups.ExcludeWaiting, queuegroups.ExcludeClosed} {
		if m.chance(3) {
			out.Exclude = append(out.Exclude, e)
		}
	}
	if len(c.Hours) > 0 && m.chance(2) {
		out.Hours = "office"
	}
	out.NoPickup = m.chance(4)
	return out
}

func groupID(n int) queuegroups.GroupID { return queuegroups.GroupID(fmt.Sprintf("group%d", n)) }

func (m maker) relaxation(after time.Duration) queuegroups.Relaxation {
	r := queuegroups.Relaxation{After: after}
	for _, s := range m.skills(2) {
		if m.chance(2) {
			r.Drop = append(r.Drop, s.ID)
		} else {
			s.Level = 1 + m.rng.IntN(2)
			r.Lower = append(r.Lower, s)
		}
	}
	return r
}

// chain makes up what is done when nobody answers. Many wait, before or at once.
func (m maker) chain(of int) []queuegroups.Action {
	var out []queuegroups.Action
	if m.chance(of) {
		out = append(out, queuegroups.Action{Kind: queuegroups.ActionWait})
	}
	for range m.rng.IntN(3) {
		out = append(out, []queuegroups.Action{
			{Kind: queuegroups.ActionAgent},
			{Kind: queuegroups.ActionNumber, Number: []string{"+48229998877", "+480"}[m.rng.IntN(2)]},
			{Kind: queuegroups.ActionGroup, Group: groupID(m.rng.IntN(m.groups))},
			{Kind: queuegroups.ActionVoicemail}, {Kind: queuegroups.ActionCallback},
			{Kind: queuegroups.ActionHangup}, {Kind: queuegroups.ActionWait},
		}[m.rng.IntN(7)])
	}
	return out
}

func (m maker) distribution() queuegroups.Distribution {
	return []queuegroups.Distribution{queuegroups.Evenly, queuegroups.InOrder, queuegroups.All}[m.rng.IntN(3)]
}

// change makes another version of a configuration: other rules, other places, an
// agent or a group fewer; or all is another.
func (m maker) change(old *queuegroups.Config) *queuegroups.Config {
	if m.chance(3) {
		m.agents, m.groups = max(1, m.agents-m.rng.IntN(2)), max(1, m.groups-m.rng.IntN(3))
		return m.config()
	}
	c := copied(old)
	if len(c.Agents) > 1 && m.chance(2) {
		c.Agents = c.Agents[1:]
	}
	for n := range c.Groups {
		g := &c.Groups[n]
		g.Distribution = m.distribution()
		m.rng.Shuffle(len(g.Agents), func(i, j int) { g.Agents[i], g.Agents[j] = g.Agents[j], g.Agents[i] })
	}
	return c
}

// copied returns a configuration that shares nothing with the old one.
func copied(old *queuegroups.Config) *queuegroups.Config {
	raw, err := json.Marshal(old)
	if err != nil {
		panic(err) // a configuration that we made ourselves
	}
	c := &queuegroups.Config{}
	if err := json.Unmarshal(raw, c); err != nil {
		panic(err)
	}
	return c
}
