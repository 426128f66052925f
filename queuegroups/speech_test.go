package queuegroups

import "testing"

// An agent is spoken to in their own language, that of their groups, or that of
// the region; recordings go with the language that they are in.
func TestSpeech(t *testing.T) {
	for region, fallback := range map[string]string{"PL": "pl", "RU": "ru", "GB": "en", "DE": "en"} {
		o := options(File{Name: "queuegroups.yaml", Data: []byte(`
agents: {anna: {}, bartek: {language: ru}, celina: {language: en}, dorota: {}}
groups:
  plain: {agents: [anna, bartek, celina, dorota]}
  silent: {extension: "600", agents: [dorota], tiers: [{after: 5s, agents: [anna, bartek]}], announce: {language: ru, prompts: spoken}}
  loud: {agents: [anna, celina], announce: {position: true}}
  mute: {agents: [anna], announce: {prompts: spoken}}
`)})
		o.Region = region
		c, err := Load(o)
		if err != nil {
			t.Fatal(err)
		}
		for agent, want := range map[AgentID]Speech{
			"anna": {"ru", "spoken"}, "bartek": {"ru", "spoken"}, "celina": {"en", ""}, "dorota": {"ru", "spoken"},
		} {
			if got := c.SpeechTo(c.Agent(agent)); got != want {
				t.Errorf("%s in %s: %v, want %v", agent, region, got, want)
			}
		}
		for group, want := range map[GroupID]Speech{
			"plain": {fallback, ""}, "silent": {"ru", "spoken"}, "loud": {"en", ""}, "mute": {fallback, "spoken"},
		} {
			if got := c.SpeechFor(c.Group(group)); got != want {
				t.Errorf("%s in %s: %v, want %v", group, region, got, want)
			}
		}
		if got := c.SpeechTo(&Agent{ID: "nobody"}); got.Language != fallback {
			t.Errorf("nobody in %s: %v", region, got)
		}
	}
}
