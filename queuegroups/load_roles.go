package queuegroups

import (
	"slices"
	"strings"

	"centrala/queuegroups/strictyaml"
)

// noteRoles makes the roles known that are there without being declared (R76).
func (l *loader) noteRoles() {
	for _, r := range BuiltinRoles() {
		if at, declared := l.roles.at[r.ID]; declared {
			l.report.Add(at, "choose another name", "the role %s is built in", r.ID)
			continue
		}
		l.roles.at[r.ID] = strictyaml.Pos{}
		l.roles.order = append(l.roles.order, r.ID)
	}
}

func (l *loader) buildRoles(entries []strictyaml.Entry[roleKeys]) {
	for _, e := range entries {
		k, what := e.Value, "role "+e.Key
		r := Role{ID: e.Key, Reach: ReachAll}
		if k.Rights.Set && !k.Rights.Bad && len(k.Rights.Items) == 0 {
			l.report.Add(k.Rights.At, "", "%s has no rights", what)
		}
		for _, v := range k.Rights.Items {
			switch right := Right(v.V); {
			case v.Bad:
			case slices.Contains(r.Rights, right):
				l.report.Add(v.At, "", "%s has the right %s twice", what, right)
			default:
				r.Rights = append(r.Rights, right)
			}
		}
		for _, v := range k.Groups.Items {
			r.Groups = append(r.Groups, l.groupOrChannel(v)...)
		}
		switch {
		case k.Own.V && len(k.Groups.Items) > 0:
			l.report.Add(k.Own.At, "", "%s reaches groups or what is the agent's own, not both", what)
		case k.Own.V:
			r.Reach = ReachOwn
		case k.Groups.Set && !k.Groups.Bad && len(k.Groups.Items) == 0:
			l.report.Add(k.Groups.At, "leave groups out for all of them", "%s reaches no group", what)
		case len(r.Groups) > 0:
			r.Reach = ReachGroups
		}
		if r.Reach != ReachAll {
			l.wholeRights(k, r, what)
		}
		l.config.Roles = append(l.config.Roles, r)
	}
}

// wholeRights reports rights that cannot be had for some groups only.
func (l *loader) wholeRights(k roleKeys, r Role, what string) {
	for _, v := range k.Rights.Items {
		if right := Right(v.V); !v.Bad && !right.bounded() {
			l.report.Add(v.At, "", "the right %s cannot be limited to groups, as those of %s are", right, what)
		}
	}
}

// groupOrChannel reads whom a role reaches.
func (l *loader) groupOrChannel(v text) []GroupID {
	if v.Bad {
		return nil
	}
	if name, ok := strings.CutPrefix(v.V, "channel:"); ok {
		if _, ok := l.channels.at[name]; !ok {
			l.report.Add(v.At, strictyaml.DidYouMean(name, l.channels.order), "unknown channel %q", name)
			return nil
		}
		return []GroupID{GroupID(v.V)}
	}
	if !l.known(&l.groups, v) {
		return nil
	}
	return []GroupID{GroupID(v.V)}
}
