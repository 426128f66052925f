package acd_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"centrala/acd"
)

// TestRestore_Damaged: a snapshot that is cut off or altered is refused, never
// half taken over.
func TestRestore_Damaged(t *testing.T) {
	var buf bytes.Buffer
	if err := enter(t, "ringing").s.Snapshot(&buf); err != nil {
		t.Fatal(err)
	}
	whole := buf.String()
	for n := range len(whole) - 1 { // but for the newline at the end
		if _, err := acd.Restore(strings.NewReader(whole[:n])); !errors.Is(err, acd.ErrSnapshot) {
			t.Fatalf("cut off at %d: %v", n, err)
		}
	}
	lines := strings.SplitAfter(strings.TrimSuffix(whole, "\n"), "\n")
	for n := range lines {
		without := strings.Join(lines[:n], "") + strings.Join(lines[n+1:], "")
		if _, err := acd.Restore(strings.NewReader(without)); err == nil {
			t.Errorf("taken over without line %d: %s", n+1, lines[n])
		}
		twice := strings.Join(lines[:n+1], "") + strings.Join(lines[n:], "")
		if _, err := acd.Restore(strings.NewReader(twice)); err == nil && n < len(lines)-1 {
			t.Errorf("taken over with line %d twice: %s", n+1, lines[n])
		}
	}
	for old, other := range map[string]string{
		`"format":1`:      `"format":2`,
		`"config":{`:      `"config":null,"x":{`,
		`"counters":{`:    `"x":{`,
		`"agent":"anna"`:  `"agent":"zofia"`,
		`"group":"sales"`: `"group":"moon"`,
		`"caller":"c"`:    `"caller":"d"`,
		`"t":"ring"`:      `"t":"sing"`,
		`"ringing":true`:  `"ringing":5`,
		`"status":"ring`:  `"status":"sing`,
		`{"deadline":`:    `{"x":`,
	} {
		if !strings.Contains(whole, old) {
			t.Fatalf("no %s in %s", old, whole)
		}
		if _, err := acd.Restore(strings.NewReader(strings.ReplaceAll(whole, old, other))); !errors.Is(err, acd.ErrSnapshot) {
			t.Errorf("%s for %s: %v", other, old, err)
		}
	}
}

var errDisk = errors.New("disk full")

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errDisk }

func TestSnapshot_WriterFails(t *testing.T) {
	if err := enter(t, "talking").s.Snapshot(fullDisk{}); !errors.Is(err, errDisk) {
		t.Errorf("got %v", err)
	}
}
