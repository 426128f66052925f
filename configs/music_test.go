package configs

import (
	"slices"
	"testing"

	"centrala/holdmusic"
	"centrala/queuegroups"
)

func TestSample_MusicPlays(t *testing.T) {
	c, err := Default().LoadQueueGroups()
	if err != nil {
		t.Fatal(err)
	}
	programs := map[string][]string{}
	for _, m := range c.HoldMusic {
		programs[string(m.ID)] = m.Files
	}
	if err := holdmusic.New(Default().Open).Load(holdmusic.Wanted{Programs: programs}); err != nil {
		t.Error(err)
	}
}

// Announcements can be asked for in the languages in which there are voices.
func TestAnnouncements_LanguagesHaveVoices(t *testing.T) {
	for _, language := range slices.Concat(holdmusic.Languages(), []string{"xx"}) {
		text := "agents: {anna: {}}\ngroups: {sales: {agents: [anna], announce: {wait: true, language: " + language + "}}}\n"
		_, err := queuegroups.Load(queuegroups.Options{Region: "PL", Files: []queuegroups.File{{Name: "groups", Data: []byte(text)}}})
		if (err == nil) != (language != "xx") {
			t.Errorf("%s: %v", language, err)
		}
	}
}
