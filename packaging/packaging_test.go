// Package packaging holds what operators and packages take; its tests check that it
// fits the program.
package packaging

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The systemd unit passes systemd's own check, and says what the program relies on.
func TestUnit(t *testing.T) {
	text, err := os.ReadFile("systemd/centrala.service")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		"Type=notify", "ExecStart=/usr/bin/centrala serve --config /etc/centrala/centrala.yaml", "ExecReload=/bin/kill -HUP $MAINPID",
		"WatchdogSec=30", "RestartPreventExitStatus=2", "AmbientCapabilities=CAP_NET_BIND_SERVICE", "DynamicUser=yes", "StateDirectory=centrala",
	} {
		if !strings.Contains(string(text), "\n"+line+"\n") {
			t.Errorf("%s is missing", line)
		}
	}
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("systemd-analyze is not there")
	}
	unit := filepath.Join(t.TempDir(), "centrala.service")
	there := strings.ReplaceAll(string(text), "/usr/bin/centrala serve", "/bin/true serve") // the program must exist for the check
	if err := os.WriteFile(unit, []byte(there), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(analyze, "verify", "--man=no", unit).CombinedOutput()
	if err != nil || strings.Contains(string(out), "centrala") {
		t.Errorf("%v: %s", err, out)
	}
}

// Everything that the Dockerfile copies and builds is there, and its commands are
// ones that the program has. scripts/check-image.sh builds it.
func TestDockerfile(t *testing.T) {
	text, err := os.ReadFile("docker/Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	known := []string{"ARG", "FROM", "WORKDIR", "COPY", "RUN", "VOLUME", "EXPOSE", "USER", "STOPSIGNAL", "HEALTHCHECK", "ENTRYPOINT", "CMD"}
	stages, builds := 0, false
	for line := range strings.SplitSeq(string(text), "\n") {
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		words := strings.Fields(line)
		if !slices.Contains(known, words[0]) {
			t.Errorf("%q begins with no instruction", line)
		}
		switch words[0] {
		case "FROM":
			stages++
			if name := strings.Trim(words[1], "${}"); !strings.Contains(string(text), "\nARG "+name+"=") {
				t.Errorf("%q: not an image that the build may name another for", line)
			}
		case "USER":
			if strings.Trim(words[1], "0123456789:") != "" {
				t.Errorf("%q: a name that the image may not have", line)
			}
		case "RUN":
			builds = builds || strings.Contains(line, "./cmd/centrala")
		case "COPY":
			sources := slices.DeleteFunc(words[1:len(words)-1], func(w string) bool { return strings.HasPrefix(w, "--") })
			if strings.Contains(line, "--from=") {
				continue
			}
			for _, source := range sources {
				if _, err := os.Stat(filepath.Join("..", source)); err != nil {
					t.Errorf("%s: %v", line, err)
				}
			}
		case "ENTRYPOINT", "CMD", "HEALTHCHECK":
			var list []string
			if err := json.Unmarshal([]byte(line[strings.Index(line, "["):]), &list); err != nil || len(list) == 0 {
				t.Errorf("%s: %v", line, err)
			}
		}
	}
	if stages != 2 || !builds {
		t.Errorf("%d stages, builds %v", stages, builds)
	}
	if _, err := os.Stat("../cmd/centrala/main.go"); err != nil {
		t.Error(err)
	}
}
