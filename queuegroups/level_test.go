package queuegroups

import (
	"testing"
	"time"
)

func TestLoad_ServiceLevel(t *testing.T) {
	c, err := Load(options(File{Name: "queuegroups.yaml", Data: []byte(`
agents: {anna: {}}
groups:
  plain: {agents: [anna]}
  own: {agents: [anna], service_level: {within: 30s, abandons: ignored, short: 5s}}
  default: {agents: [anna], service_level: {within: 20s}}
  part: {agents: [anna], service_level: {abandons: positive}}
channels:
  website: {connector: widget, agents: [anna], service_level: {within: 2m}}
`)}))
	if err != nil {
		t.Fatal(err)
	}
	for group, want := range map[GroupID]ServiceLevel{
		"plain": {}, "default": {},
		"own":  {Within: 30 * time.Second, Abandons: AbandonsIgnored, Short: 5 * time.Second},
		"part": {Within: 20 * time.Second, Abandons: AbandonsPositive},
	} {
		if got := c.Group(group).ServiceLevel; got != want {
			t.Errorf("%s: %+v, want %+v", group, got, want)
		}
	}
	if got, want := c.Group("plain").ServiceLevel.OrDefault(), (ServiceLevel{Within: 20 * time.Second, Abandons: AbandonsNegative}); got != want {
		t.Errorf("where none is declared: %+v, want %+v", got, want)
	}
	if got, want := c.Channels[0].ServiceLevel, (ServiceLevel{Within: 2 * time.Minute, Abandons: AbandonsNegative}); got != want {
		t.Errorf("website: %+v, want %+v", got, want)
	}
}
