package queuegroups

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"centrala/queuegroups/strictyaml"
)

// edge is one way from a group to another when nobody answers.
type edge struct {
	to  GroupID
	via string         // the number of our own that leads there; empty: directly
	at  strictyaml.Pos // of what names it
}

func (l *loader) buildGroups(entries []strictyaml.Entry[groupKeys]) {
	edges := map[GroupID][]edge{}
	for _, e := range entries {
		k, id := e.Value, GroupID(e.Key)
		g := Group{
			ID: id, Name: k.Name.V, Extension: l.extension(k.Extension, "group "+e.Key),
			Distribution: Distribution(k.Distribution.V), Rings: k.Rings.V, RingLength: k.RingLength.V, DialLimit: k.DialLimit.V,
			ForwardConfirm: k.Confirm.V,
			Pickup:         k.Pickup.V, WrapUp: k.WrapUp.V, MaxWaiting: k.MaxWaiting.V, MaxWait: k.MaxWait.V,
			ForwardCallerID: CallerID(k.CallerID.V), AllMissed: AllMissed(k.AllMissed.V), Priority: k.Priority.V,
			BlindTransferNoAnswer: TransferEnd(k.BlindEnd.V), Misses: k.Misses.V,
			Retry: Retry{Busy: k.Retry.Busy.V, Declined: k.Retry.Declined.V, NoAnswer: k.Retry.NoAnswer.V, Unreachable: k.Retry.Unreachable.V},
		}
		g.Agents, g.Tiers = l.lists(k.Agents, k.Tiers, "group "+e.Key)
		l.demands(&g, k, e.At)
		g.Preferred = k.Preferred.value()
		g.Announce, g.ServiceLevel = k.Announce.value(), k.ServiceLevel.value()
		g.Dispositions, g.DispositionRequired = l.codes(k.Dispositions), k.DispositionNeeded.V
		if g.DispositionRequired && len(k.Dispositions.Items) == 0 {
			l.report.Add(k.DispositionNeeded.At, "", "disposition_required needs dispositions to choose from")
		}
		g.Wallboard = l.limits(k.Wallboard)
		if g.Name == "" {
			g.Name = e.Key
		}
		if l.known(&l.music, k.HoldMusic) {
			g.HoldMusic = MusicID(k.HoldMusic.V)
		}
		if l.known(&l.trunks, k.Trunk) {
			g.Trunk = TrunkID(k.Trunk.V)
			l.leaves(&g, k.Trunk)
			l.shows(&g, k)
		}
		edges[id] = l.chains(&g, k)
		if g.AllMissed == AllMissedEnd && !k.Distribution.Bad && g.Distribution != All { // R99
			l.report.Add(k.AllMissed.At, "", "all_missed goes only with distribution all, and group %s has %s", id, g.Distribution)
		}
		l.config.Groups = append(l.config.Groups, g)
	}
	l.loops(edges)
}

// limits takes those of a group's wallboard, which have to follow each other.
func (l *loader) limits(k wallboardKeys) WallboardLimits {
	if !k.Late.Bad && !k.TooLate.Bad && k.Late.V > k.TooLate.V {
		at := k.TooLate.At
		if !k.TooLate.Set {
			at = k.Late.At
		}
		l.report.Add(at, "", "too_late, %v, comes before late, %v", k.TooLate.V, k.Late.V)
	}
	if !k.Aim.Bad && !k.Least.Bad && k.Least.V > k.Aim.V {
		at := k.Least.At
		if !k.Least.Set {
			at = k.Aim.At
		}
		l.report.Add(at, "", "far_below, %d, is more than on_target, %d", k.Least.V, k.Aim.V)
	}
	return k.value()
}

// codes takes the dispositions of a group.
func (l *loader) codes(list texts) (out []string) {
	for _, v := range list.Items {
		switch {
		case v.Bad:
		case !disposition.MatchString(v.V):
			l.report.Add(v.At, "", "the disposition %q must be 1 to 40 letters, digits, spaces or - _ / .", v.V)
		case slices.Contains(out, v.V):
			l.report.Add(v.At, "", "the disposition %q is there twice", v.V)
		default:
			out = append(out, v.V)
		}
	}
	return out
}

var disposition = regexp.MustCompile(`^[\pL\pN_./-]([\pL\pN _./-]{0,38}[\pL\pN_./-])?$`)

// demands takes the skills that a group's callers need, whichever number they
// called, and checks that somebody can serve each of them.
func (l *loader) demands(g *Group, k groupKeys, at strictyaml.Pos) {
	g.Needs = l.needed(k.Needs)
	if len(g.Needs) > 0 {
		at = k.Needs.At
	}
	what := "group " + string(g.ID)
	demands := []demand{{g.Needs, at, what}}
	asked := join(g.Needs, nil)
	for _, number := range sorted(l.numbers) {
		if n := l.numbers[number]; n.group == g.ID && len(n.needs) > 0 {
			demands = append(demands, demand{join(g.Needs, n.needs), n.at, what})
			asked = join(asked, n.needs)
		}
	}
	g.Relax = l.relaxations(k.Relax, asked, what)
	l.servable(demands, g.Relax, g.Agents, g.Tiers)
}

// chains checks what a group does when nobody answers, and gives the ways to other groups.
func (l *loader) chains(g *Group, k groupKeys) (edges []edge) {
	take := func(list strictyaml.List[actionKeys], name string, mayWait bool) []Action {
		actions, more := l.chain(g, k, list, name, mayWait)
		edges = append(edges, more...)
		return actions
	}
	g.NoAnswer = take(k.NoAnswer, "no_answer", true)
	if k.Full.Set {
		g.Full = take(k.Full, "full", false)
	}
	u := k.Unavailable
	for _, c := range []struct {
		list strictyaml.List[actionKeys]
		name string
		into *[]Action
	}{
		{u.LoggedOut, "logged_out", &g.Unavailable.LoggedOut}, {u.OnBreak, "on_break", &g.Unavailable.OnBreak}, {u.Busy, "busy", &g.Unavailable.Busy},
	} {
		if c.list.Set {
			*c.into = take(c.list, c.name, true)
			g.Unavailable.Grace = u.Grace.V
		}
	}
	for _, number := range sorted(l.numbers) {
		n := l.numbers[number]
		if n.group != g.ID || !n.closed.Set {
			continue
		}
		closed, _ := l.chain(g, k, n.closed, "closed", false) // who calls while it is closed never was in the group
		for i := range l.config.Numbers {
			if l.config.Numbers[i].Number == number {
				l.config.Numbers[i].Closed = closed
			}
		}
	}
	return edges
}

func sorted(numbers map[string]calledNumber) []string { return slices.Sorted(maps.Keys(numbers)) }

// chain checks one chain of actions.
func (l *loader) chain(g *Group, k groupKeys, list strictyaml.List[actionKeys], name string, mayWait bool) ([]Action, []edge) {
	if !list.Bad && len(list.Items) == 0 {
		l.report.Add(list.At, "write wait or hangup", "the chain %s is empty", name)
	}
	var actions []Action
	var edges []edge
	ended := "" // the action that ended the chain
	waits := false
	for _, step := range list.Items {
		if step.Action.Bad || !step.Action.Set && step.Action.V == "" {
			continue
		}
		a := Action{Kind: ActionKind(step.Action.V)}
		if ended != "" {
			help := ""
			if ended == string(ActionWait) && mayWait && g.MaxWait <= 0 {
				help = "set max_wait to have the chain go on after that"
			}
			l.report.Add(step.Action.At, help, "%s is never reached: %s ends the chain", a.Kind, ended)
		}
		switch a.Kind {
		case ActionAgent:
			l.lastAgentHasPhone(g, k, step)
		case ActionNumber:
			if a.Number = l.normalize(step.To); a.Number != "" {
				if n, ours := l.numbers[a.Number]; ours {
					edges = append(edges, edge{to: n.group, via: a.Number, at: step.To.At})
				}
			}
		case ActionGroup:
			if l.known(&l.groups, step.To) {
				a.Group = GroupID(step.To.V)
				edges = append(edges, edge{to: a.Group, at: step.To.At})
			}
			ended = step.Action.V
		case ActionWait:
			if !mayWait {
				l.report.Add(step.Action.At, "", "there is no queue to wait in: %s cannot have the action wait", name)
			}
			if waits = g.MaxWait > 0 && !waits; !waits { // at most so long, and then on
				ended = step.Action.V
			}
		case ActionVoicemail, ActionCallback, ActionHangup:
			ended = step.Action.V
		}
		needsTo := a.Kind == ActionNumber || a.Kind == ActionGroup
		if needsTo && !step.To.Set {
			l.report.Add(step.Action.At, "write {action: "+step.Action.V+", to: …}", "the action %s does not say where to", a.Kind)
		} else if !needsTo && step.To.Set {
			l.report.Add(step.To.At, "", "the action %s takes no to", a.Kind)
		}
		actions = append(actions, a)
	}
	return actions, edges
}

// lastAgentHasPhone checks that the action agent can be carried out (R95).
func (l *loader) lastAgentHasPhone(g *Group, k groupKeys, step actionKeys) {
	if k.Agents.Bad || len(k.Agents.Items) == 0 {
		return
	}
	last := k.Agents.Items[len(k.Agents.Items)-1].V
	if len(g.Agents) == 0 || string(g.Agents[len(g.Agents)-1]) != last {
		return // unknown or repeated, and reported
	}
	if !l.withPhone[last] {
		l.report.Add(step.Action.At, "give "+last+" a phone", "the last agent of group %s, %s, has no phone", g.ID, last)
	}
}

// loops reports each loop of groups (R97), at the way that closes it.
func (l *loader) loops(edges map[GroupID][]edge) {
	const (
		unseen = iota
		onPath
		done
	)
	state := map[GroupID]int{}
	var path []GroupID
	var hops []string // how each group of the path was reached
	var visit func(id GroupID, hop string)
	visit = func(id GroupID, hop string) {
		state[id], path, hops = onPath, append(path, id), append(hops, hop)
		for _, e := range edges[id] {
			hop := " → "
			if e.via != "" {
				hop = " → " + e.via + " → "
			}
			switch state[e.to] {
			case unseen:
				visit(e.to, hop)
			case onPath:
				l.report.Add(e.at, "", "a loop of groups: %s%s%s", loop(path, hops, e.to), hop, e.to)
			}
		}
		state[id], path, hops = done, path[:len(path)-1], hops[:len(hops)-1]
	}
	for _, g := range l.config.Groups {
		if state[g.ID] == unseen {
			visit(g.ID, "")
		}
	}
}

// loop writes the part of a path that begins with a group.
func loop(path []GroupID, hops []string, from GroupID) string {
	var b strings.Builder
	for i, id := range path {
		if b.Len() > 0 {
			b.WriteString(hops[i])
		}
		if b.Len() > 0 || id == from {
			b.WriteString(string(id))
		}
	}
	return b.String()
}

// leaves reports that calls cannot leave by the group's trunk.
func (l *loader) leaves(g *Group, at text) {
	for i := range l.config.Trunks {
		if t := &l.config.Trunks[i]; t.ID == g.Trunk && t.Host == "" {
			l.report.Add(at.At, "give the trunk a host", "calls of group %s are to leave by trunk %s, by which calls only come in", g.ID, t.ID)
		}
	}
}

// shows reports that calls cannot be shown as coming from us.
func (l *loader) shows(g *Group, k groupKeys) {
	if g.ForwardCallerID != CallerIDOwn || g.Trunk == "" {
		return
	}
	if _, own := l.config.OwnNumber(g.Trunk); !own {
		l.report.Add(k.CallerID.At, "give the trunk a caller_id", "calls of group %s are to be shown as our own, and trunk %s has no number", g.ID, g.Trunk)
	}
}
