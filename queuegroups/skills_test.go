package queuegroups

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Everything that a group, a number, a channel and an agent may say of skills,
// tiers, chains and limits.
const skilled = `
work_time: {tracked: true, breaks: [lunch, training]}
presence: {browser: 20m, dnd_blocks: true}
agents:
  anna: {phone: "+48 601 234 568", skills: {polish: 5, billing: 2}, wrap_up: 20s, capacity: {chat: 4, chats_during_call: true, calls_during_chat: false}}
  bartek: {skills: {billing: 4}, wrap_up: 0s}
  celina: {phone: "+48 601 234 567"}
groups:
  sales:
    agents: [anna]
    needs: {billing: 2}
    relax: [{after: 30s, drop: polish}, {after: 1m, lower: {billing: 1}}]
    tiers: [{after: 20s, agents: [bartek]}, {after: 40s, agents: [celina]}]
    preferred: last
    full: [agent, voicemail]
    unavailable: {logged_out: {action: group, to: night}, busy: [wait]}
  night: {agents: [celina], preferred: {agent: responsible, wait: 1m}}
trunks: {carrier: {from: [198.51.100.1]}}
numbers:
  "+48 22 123 45 67": {trunk: carrier, group: sales, needs: {polish: 3}, priority: 1m, hours: office, closed: [{action: group, to: night}]}
hours:
  office: {timezone: Europe/Warsaw, open: {mon: ["08:00-18:00"]}}
channels:
  website:
    connector: widget
    agents: [anna]
    check_availability: false
    check_work_time: false
    monitor_availability: true
    limit: 3
    exclude: [answered, closed]
    close_delay: 1h
    tiers: [{after: 2m, agents: [bartek]}]
    preferred: responsible
`

func TestLoad_Skills(t *testing.T) {
	c, err := Load(options(File{Name: "queuegroups.yaml", Data: []byte(skilled)}))
	if err != nil {
		t.Fatal(err)
	}
	second := func(n time.Duration) time.Duration { return n * time.Second }
	twenty, none := second(20), time.Duration(0)
	check := func(what string, want, got any) {
		t.Helper()
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: %s", what, d)
		}
	}
	check("work time", WorkTime{Tracked: true, Breaks: []string{"lunch", "training"}}, c.WorkTime)
	check("presence", Presence{Browser: 20 * time.Minute, Desktop: 10 * time.Minute, Mobile: 5 * time.Minute, DNDBlocks: true}, c.Presence)
	anna, bartek, celina := c.Agent("anna"), c.Agent("bartek"), c.Agent("celina")
	check("anna's skills", []Skill{{"billing", 2}, {"polish", 5}}, anna.Skills)
	check("anna's capacity", Capacity{Voice: 1, Chat: 4, ChatsDuringCall: true, NoCallsDuringChat: true}, anna.Capacity)
	check("wrap-up", []*time.Duration{&twenty, &none, nil}, []*time.Duration{anna.WrapUp, bartek.WrapUp, celina.WrapUp})

	g := c.Group("sales")
	check("needs", []Skill{{"billing", 2}}, g.Needs)
	check("relax", []Relaxation{{After: second(30), Drop: []SkillID{"polish"}}, {After: second(60), Lower: []Skill{{"billing", 1}}}}, g.Relax)
	check("tiers", []Tier{{After: second(20), Agents: []AgentID{"bartek"}}, {After: second(40), Agents: []AgentID{"celina"}}}, g.Tiers)
	check("preferred", Preferred{Agent: PreferLast, Wait: second(20)}, g.Preferred)
	check("full", []Action{{Kind: ActionAgent}, {Kind: ActionVoicemail}}, g.Full)
	check("unavailable", Unavailable{Grace: second(5), LoggedOut: []Action{{Kind: ActionGroup, Group: "night"}}, Busy: []Action{{Kind: ActionWait}}}, g.Unavailable)
	n := c.Number("+48221234567")
	check("the number's needs", []Skill{{"polish", 3}}, n.Needs)
	check("closed", []Action{{Kind: ActionGroup, Group: "night"}}, n.Closed)
	check("priority", time.Minute, n.Priority)
	check("nothing more", Preferred{Agent: PreferResponsible, Wait: time.Minute}, c.Group("night").Preferred)
	if g := c.Group("night"); g.Full != nil || g.Unavailable.Grace != 0 || g.Needs != nil {
		t.Errorf("what was not written: %+v", g)
	}
	check("channel", Channel{
		ID: "website", Connector: "widget", Widget: &Widget{AttachmentBytes: 10 << 20}, Texts: DefaultTexts(), Name: "website", Agents: []AgentID{"anna"}, Distribution: Evenly,
		PassAfter: time.Minute, UnansweredAfter: time.Minute, NoAnswer: ChatAction{Kind: ChatNothing},
		AnyPresence: true, AnyDuty: true, Monitor: true, Limit: 3, Exclude: []ChatExclusion{ExcludeAnswered, ExcludeClosed},
		AutoExpire: week, CloseDelay: time.Hour, Tiers: []Tier{{After: 2 * time.Minute, Agents: []AgentID{"bartek"}}},
		Preferred: Preferred{Agent: PreferResponsible, Wait: second(20)},
	}, *c.Channel("website"))
}

// What a log of before says of its configuration is read and written as it was.
func TestConfig_OldOnesStayAsTheyWere(t *testing.T) {
	plain, err := Load(options(File{Name: "queuegroups.yaml", Data: []byte("agents: {anna: {}}\ngroups: {sales: {agents: [anna]}}\n")}))
	if err != nil {
		t.Fatal(err)
	}
	const want = "0cea18"
	if got := plain.Version[:6]; got != want {
		t.Errorf("the hash of a configuration without anything new is %s, was %s", got, want)
	}
}
