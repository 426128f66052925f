package queuegroups

import "slices"

// Right is something that a person or a program may do through the API.
type Right string

// The rights. Their names are a public contract: they are in the roles of the
// YAML files, in the scopes of API keys and in the API's description.
const (
	RightAgentsRead        Right = "agents:read"        // agents and groups, and how they stand
	RightAgentsWrite       Right = "agents:write"       // agents' duty, breaks, seats, wrap-up
	RightInteractionsRead  Right = "interactions:read"  // live calls and chats
	RightInteractionsWrite Right = "interactions:write" // take them, hang up, hold, transfer, move
	RightHistoryRead       Right = "history:read"       // those that have ended
	RightHistoryExport     Right = "history:export"     // lists of them, to take away
	RightHistoryErase      Right = "history:erase"      // a setting: a person's data
	RightReportsRead       Right = "reports:read"       // statistics
	RightReportsExport     Right = "reports:export"     // statistics, to take away
	RightEventsRead        Right = "events:read"        // the stream of events
	RightRecordingsRead    Right = "recordings:read"    // what was recorded
	RightWebhooksRead      Right = "webhooks:read"      // a setting: who is sent events
	RightWebhooksWrite     Right = "webhooks:write"     // a setting
	RightConfigRead        Right = "config:read"        // the settings
	RightConfigWrite       Right = "config:write"       // check, reload
	RightUsersRead         Right = "users:read"         // a setting: users, their sessions, API keys
	RightUsersWrite        Right = "users:write"        // a setting
	RightAuditRead         Right = "audit:read"         // who did what
	RightTraceRead         Right = "trace:read"         // SIP messages of calls, with all numbers
)

// Rights returns all rights, in the order of their declaration.
func Rights() []Right {
	return []Right{
		RightAgentsRead, RightAgentsWrite, RightInteractionsRead, RightInteractionsWrite, RightHistoryRead, RightHistoryExport,
		RightHistoryErase, RightReportsRead, RightReportsExport, RightEventsRead, RightRecordingsRead, RightWebhooksRead, RightWebhooksWrite,
		RightConfigRead, RightConfigWrite, RightUsersRead, RightUsersWrite, RightAuditRead, RightTraceRead,
	}
}

// setting tells whether the right is about settings, which only the
// administrator has unless they are given to somebody (R75).
func (r Right) setting() bool {
	switch r {
	case RightHistoryErase, RightWebhooksRead, RightWebhooksWrite, RightConfigRead, RightConfigWrite, RightUsersRead, RightUsersWrite:
		return true
	default:
		return false
	}
}

// bounded tells whether the right means anything for some groups only.
func (r Right) bounded() bool {
	switch r {
	case RightAgentsRead, RightAgentsWrite, RightInteractionsRead, RightInteractionsWrite, RightHistoryRead, RightHistoryExport,
		RightReportsRead, RightReportsExport, RightEventsRead, RightRecordingsRead:
		return true
	default:
		return false
	}
}

// Reach is how far rights reach.
type Reach string

// All, what concerns the groups named, or what is the agent's own.
const (
	ReachAll    Reach = "all"
	ReachGroups Reach = "groups"
	ReachOwn    Reach = "own" // the agent's own state and dialogs, and the colleagues of their groups to look at
)

// Role is what somebody may do, and how far that reaches.
type Role struct {
	ID     string    `json:"id"`
	Rights []Right   `json:"rights"`
	Reach  Reach     `json:"reach"`
	Groups []GroupID `json:"groups,omitempty"` // ReachGroups: these; those of channels as channel:ID
}

// The roles that are there without being declared (R76).
const (
	RoleAdministrator = "administrator" // all
	RoleDirector      = "director"      // all but settings
	RoleManager       = "manager"       // own dialogs
)

// BuiltinRoles returns the roles of R76.
func BuiltinRoles() []Role {
	all := Rights()
	director := slices.DeleteFunc(slices.Clone(all), Right.setting)
	return []Role{
		{ID: RoleAdministrator, Rights: all, Reach: ReachAll},
		{ID: RoleDirector, Rights: director, Reach: ReachAll},
		{ID: RoleManager, Reach: ReachOwn, Rights: []Right{
			RightAgentsRead, RightAgentsWrite, RightInteractionsRead, RightInteractionsWrite, RightHistoryRead, RightReportsRead, RightEventsRead,
		}},
	}
}

// Role finds a role, one that is declared or one that is there anyway; nil: there is none.
func (c *Config) Role(id string) *Role {
	for _, list := range [][]Role{c.Roles, BuiltinRoles()} {
		for i := range list {
			if list[i].ID == id {
				return &list[i]
			}
		}
	}
	return nil
}

// Has tells whether the role has the right.
func (r *Role) Has(right Right) bool { return slices.Contains(r.Rights, right) }

// Covers tells whether whoever has the role may do all that others with the other one may: nobody
// gives away more than they have.
func (r *Role) Covers(other *Role) bool {
	for _, x := range other.Rights {
		if !r.Has(x) {
			return false
		}
	}
	switch r.Reach {
	case ReachAll:
		return true
	case ReachGroups:
		return other.Reach != ReachAll && !slices.ContainsFunc(other.Groups, func(g GroupID) bool { return !slices.Contains(r.Groups, g) })
	case ReachOwn:
		return other.Reach == ReachOwn
	}
	return false
}

// Narrowed is the role with only those of its rights that are listed, and reaching no further
// than the groups, unless none are given.
func (r *Role) Narrowed(rights []Right, groups []GroupID) Role {
	n := Role{ID: r.ID, Reach: r.Reach, Groups: r.Groups}
	for _, x := range rights {
		if r.Has(x) {
			n.Rights = append(n.Rights, x)
		}
	}
	if len(groups) > 0 && r.Reach != ReachOwn {
		n.Groups = slices.DeleteFunc(slices.Clone(groups), func(g GroupID) bool {
			return r.Reach == ReachGroups && !slices.Contains(r.Groups, g)
		})
		n.Reach = ReachGroups
		n.Rights = slices.DeleteFunc(n.Rights, func(x Right) bool { return !x.bounded() })
	}
	return n
}
