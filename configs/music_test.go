package configs

import (
	"testing"

	"centrala/holdmusic"
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
	if err := holdmusic.New(Default().Open).Load(programs); err != nil {
		t.Error(err)
	}
}
