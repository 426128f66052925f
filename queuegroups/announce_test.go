package queuegroups

import (
	"testing"
	"time"
)

func TestLoad_Announce(t *testing.T) {
	c, err := Load(options(File{Name: "queuegroups.yaml", Data: []byte(`
agents: {anna: {}}
groups:
  silent: {agents: [anna]}
  off: {agents: [anna], announce: {every: 30s, language: ru}}
  position: {agents: [anna], announce: {position: true}}
  both: {agents: [anna], announce: {position: true, wait: true, first: 5s, every: 2m, language: pl, prompts: our-voice}}
`)}))
	if err != nil {
		t.Fatal(err)
	}
	for group, want := range map[GroupID]Announce{
		"silent": {}, "off": {Language: "ru"},
		"position": {Position: true, First: 10 * time.Second, Every: time.Minute, Language: "en"},
		"both": {
			Position: true, Wait: true, First: 5 * time.Second, Every: 2 * time.Minute, Language: "pl", Prompts: "our-voice",
		},
	} {
		got := c.Group(group).Announce
		if got != want || got.On() != want.Position {
			t.Errorf("%s: %+v, want %+v", group, got, want)
		}
	}
}

// A number's announcements go before those of whatever group its callers wait in, also where it announces nothing.
func TestLoad_AnnounceOfANumber(t *testing.T) {
	c, err := Load(options(File{Name: "queuegroups.yaml", Data: []byte(`
agents: {anna: {}}
groups:
  silent: {agents: [anna]}
  spoken: {agents: [anna], announce: {wait: true}}
trunks: {carrier: {from: [192.0.2.1]}}
numbers:
  "+48221234501": {trunk: carrier, group: spoken}
  "+48221234502": {trunk: carrier, group: spoken, announce: {position: true, language: pl}}
  "+48221234503": {trunk: carrier, group: spoken, announce: {}}
`)}))
	if err != nil {
		t.Fatal(err)
	}
	group := Announce{Wait: true, First: 10 * time.Second, Every: time.Minute, Language: "en"}
	number := Announce{Position: true, First: 10 * time.Second, Every: time.Minute, Language: "pl"}
	for _, row := range []struct {
		number string
		group  GroupID
		want   Announce
	}{
		{"+48221234501", "spoken", group}, {"+48221234501", "silent", Announce{}},
		{"+48221234502", "spoken", number}, {"+48221234502", "silent", number}, {"+48221234502", "gone", number},
		{"+48221234503", "spoken", Announce{}},
		{"", "spoken", group}, {"+48221234599", "spoken", group}, {"", "gone", Announce{}},
	} {
		if got := c.Announcements(row.number, row.group); got != row.want {
			t.Errorf("%s in %s: %+v, want %+v", row.number, row.group, got, row.want)
		}
	}
}
