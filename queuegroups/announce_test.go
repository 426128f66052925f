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
