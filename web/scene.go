package web

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"centrala/acd"
	"centrala/queuegroups"
)

// scope is what callers with equal rights see of a picture.
type scope struct {
	all    bool                  // everything
	reach  []queuegroups.GroupID // or these groups
	serves []queuegroups.GroupID // or groups that list the caller
	self   string                // and the agent who the caller is, where they might not be seen otherwise
	calls  bool                  // calls as well
}

// scope is what the caller sees of the board. Of calls it has those in reach, and those that the
// caller may pick up; what the caller themself has is on their desk.
func (s *Server) scope(c *Caller) (x scope) {
	x.calls = c.Role.Has(queuegroups.RightInteractionsRead)
	switch c.Role.Reach {
	case queuegroups.ReachAll:
		x.all = true
		return x
	case queuegroups.ReachGroups:
		x.reach, x.self = slices.Sorted(slices.Values(c.Role.Groups)), string(c.Agent)
	case queuegroups.ReachOwn:
	}
	s.core.View(func(st *acd.State) { x.serves = slices.Sorted(slices.Values(c.look(st).serves)) })
	if len(x.serves) == 0 {
		x.self = string(c.Agent)
	}
	return x
}

// key is the same for all callers who see the same.
func (x *scope) key() string {
	if x.all {
		return "all " + map[bool]string{true: "calls"}[x.calls]
	}
	parts := append([]string{x.self, map[bool]string{true: "calls"}[x.calls], "reach"}, texts(x.reach)...)
	return strings.Join(append(append(parts, "serves"), texts(x.serves)...), "\x00")
}

// group tells whether a group is seen: those who reach further than themselves see the groups in reach.
func (x *scope) group(g queuegroups.GroupID) bool {
	return x.all || slices.Contains(x.reach, g) || len(x.reach) == 0 && slices.Contains(x.serves, g)
}

func (x *scope) thing(p *pictured) bool {
	return x.all || slices.ContainsFunc(p.groups, x.group) || x.self != "" && p.id == x.self
}

func (x *scope) call(c *picturedCall) bool {
	if !x.calls {
		return false
	}
	g := c.groups[0]
	return x.all || slices.Contains(x.reach, g) || c.open && slices.Contains(x.serves, g)
}

const (
	// sceneChanges is how many changes of a scene are kept for those who were away for a moment.
	sceneChanges = 64
	// sceneIdle is how long a scene is kept when nobody looks at it.
	sceneIdle = time.Minute
)

// scene is what a board shows in a scope, with its latest changes. Accessed under board.mu.
type scene struct {
	scope
	name    string // in the ids of its changes: no other scene has it
	number  uint64 // of the picture that changed it last
	pic     *picture
	shown   [3]map[string]uint64 // agents, groups and lines: since when they are so
	calls   map[string]shownCall
	changes []sceneChange
	whole   []byte // all of it as one change; nil: not written yet
	used    time.Time
}

type shownCall struct {
	since    uint64
	position int
}

type sceneChange struct {
	from, to uint64
	body     []byte
}

// boardChange is BoardChange with things that have been written already.
type boardChange struct {
	ID        string            `json:"id"`
	From      string            `json:"from,omitempty"`
	Entry     string            `json:"entry"`
	At        time.Time         `json:"at"`
	Agents    []json.RawMessage `json:"agents"`
	Groups    []json.RawMessage `json:"groups"`
	Lines     []json.RawMessage `json:"lines"`
	Calls     []json.RawMessage `json:"calls"`
	Positions map[string]int    `json:"positions"`
	Gone      BoardGone         `json:"gone"`
	Size      BoardSize         `json:"size"`
}

// turn brings the scene to a new picture, and keeps what has changed. It tells whether anything did.
func (x *scene) turn(p *picture) (bool, error) {
	c := boardChange{Positions: map[string]int{}}
	first := x.pic == nil
	if first {
		x.shown, x.calls = [3]map[string]uint64{{}, {}, {}}, map[string]shownCall{}
	}
	x.pic = p
	lines := map[string]bool{}
	for k := range p.calls {
		if x.call(&p.calls[k]) {
			lines[p.calls[k].line] = true
		}
	}
	x.things(0, p.agents, x.thing, &c.Agents, &c.Gone.Agents)
	x.things(1, p.groups, x.thing, &c.Groups, &c.Gone.Groups)
	x.things(2, p.lines, func(l *pictured) bool { return lines[l.id] }, &c.Lines, &c.Gone.Lines)
	x.turnCalls(p, &c)
	c.Size = x.size()
	nothing := len(c.Agents)+len(c.Groups)+len(c.Lines)+len(c.Calls)+len(c.Positions)+len(c.Gone.Agents)+len(c.Gone.Groups)+len(c.Gone.Lines)+len(c.Gone.Calls) == 0
	if nothing && !first {
		return false, nil
	}
	from := x.number
	x.number, x.whole = p.number, nil
	if first {
		return true, nil // whoever looks is shown all of it
	}
	c.ID, c.From, c.Entry, c.At = x.id(p.number), x.id(from), number(p.entry), p.at
	body, err := json.Marshal(&c)
	if err != nil {
		return false, err
	}
	if len(x.changes) == sceneChanges {
		x.changes = slices.Delete(x.changes, 0, 1)
	}
	x.changes = append(x.changes, sceneChange{from, p.number, body})
	return true, nil
}

// things notes which of the things in sight are others now, and which are gone.
func (x *scene) things(kind int, list []pictured, sees func(*pictured) bool, changed *[]json.RawMessage, gone *[]string) {
	*changed, *gone = []json.RawMessage{}, []string{}
	now := make(map[string]uint64, len(list))
	for k := range list {
		t := &list[k]
		if !sees(t) {
			continue
		}
		now[t.id] = t.since
		if since, ok := x.shown[kind][t.id]; !ok || since != t.since {
			*changed = append(*changed, t.body)
		}
	}
	for id := range x.shown[kind] {
		if _, ok := now[id]; !ok {
			*gone = append(*gone, id)
		}
	}
	x.shown[kind] = now
}

func (x *scene) turnCalls(p *picture, c *boardChange) {
	c.Calls, c.Gone.Calls = []json.RawMessage{}, []string{}
	now := make(map[string]shownCall, len(x.calls))
	for k := range p.calls {
		t := &p.calls[k]
		if !x.call(t) {
			continue
		}
		was, ok := x.calls[t.id]
		now[t.id] = shownCall{t.since, t.position}
		if !ok || was.since != t.since {
			c.Calls = append(c.Calls, t.body)
		}
		if was.position != t.position {
			c.Positions[t.id] = t.position
		}
	}
	for id := range x.calls {
		if _, ok := now[id]; !ok {
			c.Gone.Calls = append(c.Gone.Calls, id)
		}
	}
	x.calls = now
}

func (x *scene) size() BoardSize {
	return BoardSize{len(x.shown[0]), len(x.shown[1]), len(x.shown[2]), len(x.calls)}
}

// everything is all that is in the scene as one change.
func (x *scene) everything() ([]byte, error) {
	if x.whole != nil {
		return x.whole, nil
	}
	p := x.pic
	c := boardChange{
		ID: x.id(x.number), Entry: number(p.entry), At: p.at, Positions: map[string]int{}, Size: x.size(),
		Agents: []json.RawMessage{}, Groups: []json.RawMessage{}, Lines: []json.RawMessage{}, Calls: []json.RawMessage{},
		Gone: BoardGone{[]string{}, []string{}, []string{}, []string{}},
	}
	for kind, list := range [][]pictured{p.agents, p.groups, p.lines} {
		into := []*[]json.RawMessage{&c.Agents, &c.Groups, &c.Lines}[kind]
		for k := range list {
			if _, ok := x.shown[kind][list[k].id]; ok {
				*into = append(*into, list[k].body)
			}
		}
	}
	for k := range p.calls {
		t := &p.calls[k]
		if _, ok := x.calls[t.id]; !ok {
			continue
		}
		c.Calls = append(c.Calls, t.body)
		if t.position > 0 {
			c.Positions[t.id] = t.position
		}
	}
	var err error
	x.whole, err = json.Marshal(&c)
	return x.whole, err
}

// since is what changed after an id, in order; everything as one change if that is not known any more.
func (x *scene) since(after string) (list [][]byte, id string, err error) {
	id = x.id(x.number)
	if after == id {
		return nil, id, nil
	}
	for k := range x.changes {
		if x.id(x.changes[k].from) == after {
			for _, c := range x.changes[k:] {
				list = append(list, c.body)
			}
			return list, id, nil
		}
	}
	whole, err := x.everything()
	return [][]byte{whole}, id, err
}

func (x *scene) id(n uint64) string { return x.name + "." + number(n) }
