package queuegroups

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// Each right can be given in a role, and a role reaches what it says (R76).
func TestRoles(t *testing.T) {
	var names []string
	for _, r := range Rights() {
		names = append(names, string(r))
	}
	text := fmt.Sprintf(`
agents: {anna: {role: all}}
groups: {sales: {agents: [anna]}}
roles:
  all: {rights: [%s]}
  some: {rights: [agents:read, history:read], groups: [sales]}
  mine: {rights: [agents:read], own: true}
`, strings.Join(names, ", "))
	c, err := Load(Options{Region: "PL", Files: []File{{Name: "f", Data: []byte(text)}}})
	if err != nil {
		t.Fatal(err)
	}
	if r := c.Role("all"); !slices.Equal(r.Rights, Rights()) || r.Reach != ReachAll {
		t.Errorf("%+v", r)
	}
	if r := c.Role("some"); r.Reach != ReachGroups || !slices.Equal(r.Groups, []GroupID{"sales"}) || r.Has(RightAgentsWrite) {
		t.Errorf("%+v", r)
	}
	if r := c.Role("mine"); r.Reach != ReachOwn {
		t.Errorf("%+v", r)
	}
	if c.Role("nobody") != nil {
		t.Error("a role that is not there")
	}
	admin, director, manager := c.Role(RoleAdministrator), c.Role(RoleDirector), c.Role(RoleManager)
	for _, r := range Rights() {
		if !admin.Has(r) || director.Has(r) == r.setting() { // R75, R76
			t.Errorf("%s: administrator %v, director %v", r, admin.Has(r), director.Has(r))
		}
	}
	if manager.Reach != ReachOwn || manager.Has(RightConfigRead) || manager.Has(RightAuditRead) {
		t.Errorf("%+v", manager)
	}
}

// A narrowed role never has more than the role itself.
func TestRole_Narrowed(t *testing.T) {
	some := Role{ID: "some", Rights: []Right{RightAgentsRead, RightHistoryRead}, Reach: ReachGroups, Groups: []GroupID{"a", "b"}}
	n := some.Narrowed([]Right{RightHistoryRead, RightConfigWrite}, []GroupID{"b", "c"})
	if !slices.Equal(n.Rights, []Right{RightHistoryRead}) || n.Reach != ReachGroups || !slices.Equal(n.Groups, []GroupID{"b"}) {
		t.Errorf("%+v", n)
	}
	if n := some.Narrowed(Rights(), []GroupID{"c"}); n.Reach != ReachGroups || len(n.Groups) != 0 {
		t.Errorf("%+v", n)
	}
	admin := BuiltinRoles()[0]
	if n := admin.Narrowed(Rights(), []GroupID{"a"}); n.Reach != ReachGroups || n.Has(RightConfigWrite) || n.Has(RightAuditRead) || !n.Has(RightHistoryExport) {
		t.Errorf("%+v", n)
	}
	own := Role{Rights: []Right{RightAgentsRead}, Reach: ReachOwn}
	if n := own.Narrowed(Rights(), []GroupID{"a"}); n.Reach != ReachOwn || len(n.Rights) != 1 {
		t.Errorf("%+v", n)
	}
	if !admin.Covers(&some) || some.Covers(&admin) || !some.Covers(&Role{Rights: []Right{RightAgentsRead}, Reach: ReachGroups, Groups: []GroupID{"b"}}) ||
		some.Covers(&Role{Rights: []Right{RightAgentsRead}, Reach: ReachGroups, Groups: []GroupID{"c"}}) || own.Covers(&some) || !some.Covers(&own) {
		t.Error("covers")
	}
}
