package queuegroups

import (
	"bytes"
	"encoding/json"
	"slices"
)

// Op says what became of a thing between two versions.
type Op string

// What may become of a thing.
const (
	Added   Op = "added"
	Removed Op = "removed"
	Changed Op = "changed"
)

// Change is one thing that differs between two versions. Kind is agent, group,
// trunk, number, hold_music, hours, channel, role, region, work_time or presence; the
// last two have no ID.
type Change struct {
	Kind string `json:"kind"`
	ID   string `json:"id"`
	Op   Op     `json:"op"`
}

// Diff tells what differs between two versions, secrets included, kind by kind:
// first what is removed, then what is added or changed, in order of
// declaration. A mere change of that order is no difference. A nil Config is an empty one.
func Diff(before, after *Config) []Change {
	if before == nil {
		before = &Config{}
	}
	if after == nil {
		after = &Config{}
	}
	var changes []Change
	if before.Region != after.Region {
		changes = append(changes, Change{Kind: "region", ID: after.Region, Op: Changed})
	}
	if before.WorkTime.Tracked != after.WorkTime.Tracked || !slices.Equal(before.WorkTime.Breaks, after.WorkTime.Breaks) {
		changes = append(changes, Change{Kind: "work_time", Op: Changed})
	}
	if before.Presence != after.Presence {
		changes = append(changes, Change{Kind: "presence", Op: Changed})
	}
	changes = diff(changes, "agent", before.Agents, after.Agents, func(a *Agent) string { return string(a.ID) }, sameAgent)
	changes = diff(changes, "group", before.Groups, after.Groups, func(g *Group) string { return string(g.ID) }, same[Group])
	changes = diff(changes, "trunk", before.Trunks, after.Trunks, func(t *Trunk) string { return string(t.ID) }, sameTrunk)
	changes = diff(changes, "number", before.Numbers, after.Numbers, func(n *Number) string { return n.Number }, same[Number])
	changes = diff(changes, "hold_music", before.HoldMusic, after.HoldMusic, func(m *Music) string { return string(m.ID) }, same[Music])
	changes = diff(changes, "hours", before.Hours, after.Hours, func(h *Hours) string { return string(h.ID) }, same[Hours])
	changes = diff(changes, "channel", before.Channels, after.Channels, func(c *Channel) string { return string(c.ID) }, sameChannel)
	return diff(changes, "role", before.Roles, after.Roles, func(r *Role) string { return r.ID }, same[Role])
}

func diff[T any](changes []Change, kind string, before, after []T, id func(*T) string, same func(a, b *T) bool) []Change {
	old, now := table(before, id), table(after, id)
	for i := range before {
		if id := id(&before[i]); now[id] == nil {
			changes = append(changes, Change{Kind: kind, ID: id, Op: Removed})
		}
	}
	for i := range after {
		id := id(&after[i])
		if old[id] == nil {
			changes = append(changes, Change{Kind: kind, ID: id, Op: Added})
		} else if !same(old[id], &after[i]) {
			changes = append(changes, Change{Kind: kind, ID: id, Op: Changed})
		}
	}
	return changes
}

// same compares all that is marshalled, that is all but secrets.
func same[T any](a, b *T) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}

func sameAgent(a, b *Agent) bool {
	return a.SIPPassword.Equal(b.SIPPassword) && same(a, b)
}

func sameChannel(a, b *Channel) bool {
	if a.Telegram != nil && b.Telegram != nil && !a.Telegram.Token.Equal(b.Telegram.Token) {
		return false
	}
	if a.Bot != nil && b.Bot != nil && !a.Bot.Secret.Equal(b.Bot.Secret) {
		return false
	}
	return a.Secret.Equal(b.Secret) && same(a, b)
}

func sameTrunk(a, b *Trunk) bool {
	if x, y := a.Account(), b.Account(); x != nil && y != nil && !x.Password.Equal(y.Password) {
		return false
	}
	return same(a, b)
}
