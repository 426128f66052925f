package app_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"centrala/internal/app"
)

const explainConfig = `
agents:
  anna: {}
  bartek: {}
groups:
  sales: {extension: "600", agents: [anna, bartek], distribution: in_order, rings: 2, no_answer: [{action: group, to: support}]}
  support: {agents: [bartek], no_answer: voicemail}
  patient: {agents: [anna]}
trunks:
  carrier: {from: [198.51.100.1], host: 198.51.100.1}
numbers:
  "+48 22 123 45 67": {trunk: carrier, group: sales, hours: office}
  "+48 22 123 45 68": {trunk: carrier, group: patient}
hours:
  office: {timezone: Europe/Warsaw, open: {mon-fri: ["08:00-18:00"]}}
`

// explain asks about the configuration above.
func explain(t *testing.T, o app.ExplainOptions) (string, error) {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "queuegroups.yaml"), explainConfig)
	o.Config = filepath.Join(dir, "centrala.yaml")
	write(t, o.Config, "region: PL\nqueuegroups: queuegroups.yaml\n")
	var out strings.Builder
	err := app.Explain(o, &out)
	return out.String(), err
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestExplain(t *testing.T) {
	for _, c := range []struct {
		name string
		ask  app.ExplainOptions
		want string
	}{
		{
			"nobody answers, the chain ends in voicemail",
			app.ExplainOptions{From: "601 000 000", To: "22 123 45 67", At: "2026-11-23 09:00"},
			`+48601000000 calls +48221234567 on Monday 2026-11-23 09:00 CET
      0s  the call arrives in the group sales
      0s  anna is rung (in_order: place 1, round 1, 2 free)
     10s  anna: no answer: rang long enough
     10s  bartek is rung (in_order: place 2, round 1, 1 free, 1 reserved)
     20s  bartek: no answer: rang long enough
     20s  nobody answered, so: group (1 available, 1 reserved)
     20s  nobody answered, so: voicemail (1 reserved)
     20s  the call ends: voicemail
`,
		},
		{
			"closed, by the clock of the number's hours",
			app.ExplainOptions{To: "+48221234567", At: "2026-11-23T17:00:00Z"},
			`somebody calls +48221234567 on Monday 2026-11-23 18:00 CET
      0s  the call arrives in the group sales
      0s  the call ends: closed hours: office
`,
		},
		{
			"everybody is away",
			app.ExplainOptions{To: "+48221234567", At: "2026-11-23 09:00", Away: []string{"anna", "bartek"}},
			`somebody calls +48221234567 on Monday 2026-11-23 09:00 CET
      0s  the call arrives in the group sales
      0s  nobody answered, so: group (2 offline)
      0s  nobody answered, so: voicemail (1 offline)
      0s  the call ends: voicemail
`,
		},
		{
			"a group that waits",
			app.ExplainOptions{To: "+48221234568", At: "2026-11-23T09:00:00Z", Away: []string{"anna"}},
			`somebody calls +48221234568 on Monday 2026-11-23 09:00 UTC
      0s  the call arrives in the group patient
      0s  nobody can be rung, the caller waits with music (1 offline)
          … and so on: the call waits until somebody answers
`,
		},
		{
			"a number that is not ours",
			app.ExplainOptions{To: "+48221234569", At: "2026-11-23T09:00:00Z"},
			`somebody calls +48221234569 on Monday 2026-11-23 09:00 UTC
      0s  nobody knows the number +48221234569
      0s  the call ends: rejected: unknown number
`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := explain(t, c.ask)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(strings.Split(c.want, "\n"), strings.Split(got, "\n")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestExplain_BadQuestions(t *testing.T) {
	for _, c := range []struct {
		ask  app.ExplainOptions
		want string
	}{
		{app.ExplainOptions{To: "abc"}, `--to: "abc" is not a telephone number`},
		{app.ExplainOptions{To: "600", From: "x"}, `--from: "x" is not a telephone number`},
		{app.ExplainOptions{To: "600", At: "morning"}, `--at: "morning" is not a time`},
		{app.ExplainOptions{To: "600", Away: []string{"ana"}}, `--away: there is no agent "ana"`},
	} {
		_, err := explain(t, c.ask)
		if !errors.Is(err, app.ErrUsage) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, want %s", c.ask, err, c.want)
		}
	}
}
