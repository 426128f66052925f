package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// serverProgram is the environment variable that tells the tests where TestMain put the server.
const serverProgram = "CENTRALA_E2E_PROGRAM"

// TestMain builds the server once for all tests, with the race detector if the
// tests have it.
func TestMain(m *testing.M) { os.Exit(buildAndRun(m)) }

func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "centrala-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	program := filepath.Join(dir, "centrala")
	args := []string{"build", "-o", program, "-buildvcs=false"}
	if raceDetector {
		args = append(args, "-race")
	}
	build := exec.Command("go", append(args, "../cmd/centrala")...)
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build the server: %v\n%s", err, out)
		return 1
	}
	if err := os.Setenv(serverProgram, program); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// needPeer gives the path of a program that a test cannot do without.
func needPeer(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("%s is missing; run scripts/install-test-deps.sh", name)
	}
	return path
}
