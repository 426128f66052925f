package queuegroups

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"centrala/queuegroups/strictyaml"
)

// levels gives the skills of a map, by skill.
func levels(m skills) []Skill {
	var list []Skill
	for _, e := range m.Entries {
		if !e.Value.Bad {
			list = append(list, Skill{ID: SkillID(e.Key), Level: e.Value.V})
		}
	}
	slices.SortFunc(list, func(a, b Skill) int { return cmp.Compare(a.ID, b.ID) })
	return list
}

// learn notes what skills there are.
func (l *loader) learn(m skills) {
	for _, e := range m.Entries {
		if _, ok := l.skills.at[e.Key]; !ok {
			l.skills.at[e.Key] = e.At
			l.skills.order = append(l.skills.order, e.Key)
		}
	}
}

// needed checks what a group, channel or number needs: some agent has each skill.
func (l *loader) needed(m skills) []Skill {
	for _, e := range m.Entries {
		if _, ok := l.skills.at[e.Key]; !ok {
			l.report.Add(e.At, strictyaml.DidYouMean(e.Key, l.skills.order), "no agent has the skill %s", e.Key)
		}
	}
	return levels(m)
}

// lists are the agents of a group or channel, tier by tier.
func (l *loader) lists(list texts, more strictyaml.List[tierKeys], what string) ([]AgentID, []Tier) {
	first := l.agentList(list, what)
	seen := map[AgentID]bool{}
	for _, id := range first {
		seen[id] = true
	}
	var tiers []Tier
	var before time.Duration
	for k, t := range more.Items {
		name := fmt.Sprintf("tier %d of %s", k+2, what)
		agents := slices.DeleteFunc(l.agentList(t.Agents, name), func(id AgentID) bool {
			if seen[id] {
				l.report.Add(t.Agents.At, "", "%s has the agent %s, who is in an earlier tier", name, id)
			}
			return seen[id]
		})
		for _, id := range agents {
			seen[id] = true
		}
		l.later(t.After, before, name)
		before = t.After.V
		tiers = append(tiers, Tier{After: t.After.V, Agents: agents})
	}
	return first, tiers
}

// later checks that what waiting brings about comes in order.
func (l *loader) later(after duration, before time.Duration, name string) {
	if !after.Bad && after.V > 0 && after.V <= before {
		l.report.Add(after.At, "", "%s comes after %s, which is not later than the %s of the one before", name, after.V, before)
	}
}

// relaxations checks what waiting gives up. asked are all the skills that
// something in the group or channel may be asked for.
func (l *loader) relaxations(list strictyaml.List[relaxKeys], asked []Skill, what string) []Relaxation {
	var out []Relaxation
	var before time.Duration
	at := func(id string) *Skill {
		for k := range asked {
			if string(asked[k].ID) == id {
				return &asked[k]
			}
		}
		return nil
	}
	var names []string
	for _, s := range asked {
		names = append(names, string(s.ID))
	}
	for k, r := range list.Items {
		name := fmt.Sprintf("relaxation %d of %s", k+1, what)
		l.later(r.After, before, name)
		before = r.After.V
		x := Relaxation{After: r.After.V, Lower: levels(r.Lower)}
		for _, v := range r.Drop.Items {
			if at(v.V) == nil && !v.Bad {
				l.report.Add(v.At, strictyaml.DidYouMean(v.V, names), "%s drops the skill %s, which nothing in it needs", name, v.V)
			}
			x.Drop = append(x.Drop, SkillID(v.V))
		}
		for _, e := range r.Lower.Entries {
			switch s := at(e.Key); {
			case e.Value.Bad:
			case s == nil:
				l.report.Add(e.At, strictyaml.DidYouMean(e.Key, names), "%s lowers the skill %s, which nothing in it needs", name, e.Key)
			case e.Value.V >= s.Level:
				l.report.Add(e.Value.At, "", "%s does not lower the skill %s: %d is needed", name, e.Key, s.Level)
			default:
				s.Level = e.Value.V
			}
		}
		if len(r.Drop.Items)+len(r.Lower.Entries) == 0 && !r.Drop.Bad {
			l.report.Add(r.At, "write drop or lower", "%s gives up nothing", name)
		}
		out = append(out, x)
	}
	return out
}

// demand is a set of skills and where it is asked for.
type demand struct {
	needs []Skill
	at    strictyaml.Pos
	what  string
}

// servable checks that somebody in the lists can serve each demand, once all is
// relaxed: else its callers would wait for ever.
func (l *loader) servable(demands []demand, relax []Relaxation, agents []AgentID, tiers []Tier) {
	for _, t := range tiers {
		agents = slices.Concat(agents, t.Agents)
	}
	for _, d := range demands {
		needs := slices.Clone(d.needs)
		for _, r := range relax {
			needs = slices.DeleteFunc(needs, func(n Skill) bool { return slices.Contains(r.Drop, n.ID) })
			for _, lower := range r.Lower {
				for k := range needs {
					if needs[k].ID == lower.ID {
						needs[k].Level = min(needs[k].Level, lower.Level)
					}
				}
			}
		}
		able := slices.ContainsFunc(agents, func(id AgentID) bool { return has(l.skillsOf[id], needs) })
		if len(agents) > 0 && !able && l.allKnown(needs) {
			l.report.Add(d.at, "add an agent or relax the need", "nobody in %s has %s", d.what, written(needs))
		}
	}
}

// allKnown: whatever is unknown has been reported already.
func (l *loader) allKnown(needs []Skill) bool {
	return !slices.ContainsFunc(needs, func(n Skill) bool { _, ok := l.skills.at[string(n.ID)]; return !ok })
}

// has tells whether skills meet needs.
func has(skills, needs []Skill) bool {
	for _, n := range needs {
		if !slices.ContainsFunc(skills, func(s Skill) bool { return s.ID == n.ID && s.Level >= n.Level }) {
			return false
		}
	}
	return true
}

func written(needs []Skill) string {
	var words []string
	for _, n := range needs {
		words = append(words, fmt.Sprintf("%s at level %d", n.ID, n.Level))
	}
	return strings.Join(words, " with ")
}

// join adds needs; of a skill that is in both the higher level counts.
func join(a, b []Skill) []Skill {
	out := slices.Clone(a)
	for _, n := range b {
		if k := slices.IndexFunc(out, func(s Skill) bool { return s.ID == n.ID }); k >= 0 {
			out[k].Level = max(out[k].Level, n.Level)
		} else {
			out = append(out, n)
		}
	}
	slices.SortFunc(out, func(a, b Skill) int { return cmp.Compare(a.ID, b.ID) })
	return out
}

func (k preferredKeys) value() Preferred {
	p := Preferred{Agent: PreferredKind(k.Agent.V), Wait: k.Wait.V}
	if k.Agent.V == "none" {
		return Preferred{}
	}
	return p
}

// buildWorkTime reads the agents' work day and when their programs count as left alone.
func (l *loader) buildWorkTime(documents []document) {
	var first *document
	for i := range documents {
		d := &documents[i]
		if !d.WorkTime.Tracked.Set && !d.WorkTime.Breaks.Set && !d.Presence.set() {
			continue
		}
		if first != nil {
			l.report.Add(d.WorkTime.Tracked.At, "", "work_time or presence is in two files")
		}
		first = d
	}
	if first == nil {
		return
	}
	l.config.WorkTime.Tracked = first.WorkTime.Tracked.V
	for _, v := range first.WorkTime.Breaks.Items {
		switch {
		case v.Bad:
		case strings.TrimSpace(v.V) == "":
			l.report.Add(v.At, "", "the reason for a break is empty")
		case slices.Contains(l.config.WorkTime.Breaks, v.V):
			l.report.Add(v.At, "", "the reason %q for a break is there twice", v.V)
		default:
			l.config.WorkTime.Breaks = append(l.config.WorkTime.Breaks, v.V)
		}
	}
	if first.Presence.set() {
		p := first.Presence
		l.config.Presence = Presence{Browser: p.Browser.V, Desktop: p.Desktop.V, Mobile: p.Mobile.V, DNDBlocks: p.DNDBlocks.V}
	}
}

func (k presenceKeys) set() bool {
	return k.Browser.Set || k.Desktop.Set || k.Mobile.Set || k.DNDBlocks.Set
}
