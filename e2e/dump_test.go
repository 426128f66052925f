package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// dump has a party of a test that failed tell what it saw: all of it in a file, and in the
// test's output the last lines, which are few, so that the failure itself is not lost among them.
func dump(t *testing.T, who, text string) {
	t.Helper()
	const lines, width = 15, 250
	dir := filepath.Join(os.TempDir(), "centrala-e2e-failed", strings.ReplaceAll(t.Name(), "/", "_"))
	file := filepath.Join(dir, strings.ReplaceAll(who, " ", "-")+".log")
	err := os.MkdirAll(dir, 0o700)
	if err == nil {
		err = os.WriteFile(file, []byte(text), 0o600)
	}
	where := file
	if err != nil {
		where = err.Error()
	}
	last := strings.Split(lastLines(strings.TrimSpace(text), lines), "\n")
	for i, line := range last {
		last[i] = line[:min(len(line), width)]
	}
	t.Logf("%s, the last of %s:\n%s", who, where, strings.Join(last, "\n"))
}

// dumpLog is dump of a server's log: what went wrong first, and no word of the parts that
// say much and are seldom to blame.
func (v *server) dumpLog() {
	v.mu.Lock()
	defer v.mu.Unlock()
	var all, bad, last strings.Builder
	for _, line := range v.lines {
		all.WriteString(line.text + "\n")
		switch level := line.field("level"); {
		case level == "warn" || level == "error" || line.fields == nil:
			bad.WriteString(line.text + "\n")
		case !strings.Contains(line.text, `"part":"nats"`) && !strings.Contains(line.text, `"part":"database"`):
			last.WriteString(line.text + "\n")
		}
	}
	dump(v.t, "server", all.String())
	dump(v.t, "server's calls", last.String())
	dump(v.t, "server's troubles", bad.String())
}
