package queuegroups

import "testing"

func TestLoad_SRTP(t *testing.T) {
	c, err := Load(options(File{"q.yaml", []byte(`
agents:
  anna: {}
  bartek: {srtp: optional}
  celina: {srtp: required}
  lobby: {srtp: off}
trunks:
  plain: {host: a.example}
  secure: {host: b.example, srtp: required}
  never: {host: c.example, srtp: off}
`)}))
	if err != nil {
		t.Fatal(err)
	}
	for agent, want := range map[AgentID]SRTP{"anna": SRTPOptional, "bartek": SRTPOptional, "celina": SRTPRequired, "lobby": SRTPOff} {
		if got := c.Agent(agent).SRTP; got != want {
			t.Errorf("agent %s: %q, want %q", agent, got, want)
		}
	}
	for trunk, want := range map[TrunkID]SRTP{"plain": SRTPOptional, "secure": SRTPRequired, "never": SRTPOff} {
		if got := c.Trunk(trunk).SRTP; got != want {
			t.Errorf("trunk %s: %q, want %q", trunk, got, want)
		}
	}
}
