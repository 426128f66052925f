package app

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"centrala/acd"
)

// A server alone raises the feature level in an empty log, once.
func TestStart_RaisesTheLevel(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"centrala.yaml":    "region: PL\ndata: " + filepath.Join(dir, "data") + "\nlisten: {sip: [\"udp://127.0.0.1:0\"], admin: \"\"}\nqueuegroups: queuegroups.yaml\n",
		"queuegroups.yaml": "agents: {anna: {}}\ngroups: {sales: {agents: [anna]}}\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for round := range 2 {
		a, err := New(ctx, Options{Config: filepath.Join(dir, "centrala.yaml"), Console: io.Discard})
		if err != nil {
			t.Fatal(err)
		}
		if err := a.Start(ctx); err != nil {
			t.Fatal(err)
		}
		var level acd.Level
		var late uint64
		a.facts.View(func(s *acd.State) { level, late = s.Level(), s.Counters().Late })
		if level != acd.LevelMax || late != 0 {
			t.Errorf("round %d: level %d, %d late facts", round, level, late)
		}
		if err := a.Stop(ctx); err != nil {
			t.Error(err)
		}
	}
}
