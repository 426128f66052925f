package sim_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// -mutants breaks the rules of the core one at a time, in a build of its own, and
// expects the simulator to find each. It takes minutes, and writes what it found
// into docs/simulator.md. With -run of some of them the rows of the others stay.
var breakRules = flag.Bool("mutants", false, "break the core's rules and expect the simulator to notice")

func TestMutants_AreAllInTheSource(t *testing.T) {
	names := map[string]bool{}
	for _, m := range mutants {
		source, err := os.ReadFile(filepath.Join("..", m.file))
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(source), m.old); n != 1 {
			t.Errorf("%s, %s: the rule stands %d times in %s; bring the list up to date", m.race, m.name, n, m.file)
		}
		if names[m.race+m.name] {
			t.Errorf("%s, %s: twice in the list", m.race, m.name)
		}
		names[m.race+m.name] = true
	}
}

// notRun stands for what the simulator says of a mutant that -run leaves out.
const notRun = "not run"

func TestMutants(t *testing.T) {
	if !*breakRules {
		t.Skip("make mutants runs it; it takes minutes")
	}
	found := slices.Repeat([]string{notRun}, len(mutants))
	t.Run("each", func(t *testing.T) {
		for k, m := range mutants {
			t.Run(strings.TrimPrefix(m.race+": "+m.name, ": "), func(t *testing.T) {
				t.Parallel()
				found[k] = m.find(t)
				switch {
				case found[k] == "" && m.survives == "":
					t.Error("the simulator did not notice")
				case found[k] != "" && m.survives != "":
					t.Errorf("the simulator noticed after all: %s", found[k])
				}
			})
		}
	})
	if !t.Failed() {
		writeFound(t, found)
	}
}

// find runs the simulator with the rule broken, and returns what it said; empty:
// it noticed nothing.
func (m mutant) find(t *testing.T) string {
	file, err := filepath.Abs(filepath.Join("..", m.file))
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	broken, overlay := filepath.Join(dir, "broken.go"), filepath.Join(dir, "overlay.json")
	raw, err := json.Marshal(map[string]any{"Replace": map[string]string{file: broken}})
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{broken: strings.Replace(string(source), m.old, m.new, 1), overlay: string(raw)} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out, err := exec.Command("go", "test", "-vet=off", "-overlay", overlay, "-run", "TestSim$", "-count=1", "-timeout", "5m", ".", "-args", "-whole", "-runs", "300").CombinedOutput()
	if err == nil {
		return ""
	}
	text := string(out)
	if strings.Contains(text, "panic: test timed out") {
		return "a day that never ends"
	}
	at := strings.Index(text, "seed ")
	if !strings.Contains(text, "--- FAIL: TestSim") || at < 0 {
		t.Fatalf("it could not be run: %s", text)
	}
	line, _, _ := strings.Cut(text[at:], "\n")
	return line
}

// writeFound writes the table of mutants into the documentation.
func writeFound(t *testing.T, found []string) {
	const doc, begin, end = "../../docs/simulator.md", "<!-- mutants: written by make mutants -->\n", "<!-- end of mutants -->"
	raw, err := os.ReadFile(doc)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok := strings.Cut(string(raw), begin)
	_, tail, closed := strings.Cut(rest, end)
	if !ok || !closed {
		t.Fatalf("%s has no place for the table", doc)
	}
	rows := strings.SplitAfter(rest, "\n")
	var b strings.Builder
	b.WriteString("| Fault | The rule that is broken | What the simulator says |\n|---|---|---|\n")
	for k, m := range mutants {
		says, row := found[k], fmt.Sprintf("| %s | %s | ", m.race, m.name)
		if says == notRun {
			old := slices.IndexFunc(rows, func(line string) bool { return strings.HasPrefix(line, row) })
			if old < 0 {
				t.Fatalf("%s, %s has no row yet: run it, too", m.race, m.name)
			}
			b.WriteString(rows[old])
			continue
		}
		if m.survives != "" {
			says = "nothing: " + m.survives
		}
		fmt.Fprintf(&b, "%s%.140s |\n", row, strings.ReplaceAll(says, "|", "/"))
	}
	if err := os.WriteFile(doc, []byte(head+begin+b.String()+end+tail), 0o600); err != nil {
		t.Fatal(err)
	}
}
