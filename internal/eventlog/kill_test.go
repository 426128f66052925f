package eventlog

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
)

// childMain is a process that logs as fast as it can and tells of everything that
// was confirmed, until it is killed.
func childMain(dir string) {
	fail := func(err error) {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	l, err := Open(context.Background(), Options{Dir: dir, Node: "n1", SnapshotEvery: 150, Log: zerolog.Nop()})
	if err != nil {
		fail(err)
	}
	if err := l.Start(newRecorder()); err != nil {
		fail(err)
	}
	life := os.Getpid()
	if _, err := l.Append(site(time.Hour)).Wait(context.Background()); err != nil {
		fail(err)
	}
	for worker := range 4 {
		go func() {
			for i := 0; ; i++ {
				leg := fmt.Sprintf("%d-%d-%d", life, worker, i)
				first, second := l.Append(call(leg)), l.Append(hangup(leg))
				for name, r := range map[string]*Receipt{leg: first, "end of " + leg: second} {
					index, err := r.Wait(context.Background())
					if err != nil {
						fail(err)
					}
					fmt.Printf("%d %s\n", index, name)
				}
			}
		}()
	}
	<-l.Done()
	fail(l.Err())
}

// kill -9 at any moment loses nothing that was confirmed.
func TestLog_SurvivesKill9(t *testing.T) {
	dir := t.TempDir()
	confirmed := map[string]uint64{}
	for round := range 6 {
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), "EVENTLOG_TEST_CHILD="+dir)
		child.Stderr = os.Stderr
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		lines, seen := bufio.NewScanner(out), 0
		for lines.Scan() {
			number, name, ok := strings.Cut(lines.Text(), " ")
			index, err := strconv.ParseUint(number, 10, 64)
			if !ok || err != nil {
				continue // cut short by the kill
			}
			confirmed[name] = index
			if seen++; seen == 300+137*round { // in mid-stream; what is in the pipe is read on
				if err := child.Process.Kill(); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := child.Wait(); err == nil || seen < 300 {
			t.Fatalf("round %d: the process ended by itself (%v) after %d lines", round, err, seen)
		}

		l := opened(t, Options{Dir: dir, SnapshotEvery: 150})
		state, legs := content(t, l)
		if got, want := hash(l), state.Hash(); got != want {
			t.Errorf("round %d: hash %x after the restart, %x follows from the log", round, got, want)
		}
		for name, index := range confirmed {
			if legs[name] != index {
				t.Errorf("round %d: %s was confirmed as entry %d, the log has it at %d", round, name, index, legs[name])
			}
		}
		t.Logf("round %d: %d entries confirmed in all, %d in the log, began with snapshot %d",
			round, len(confirmed), len(legs), l.Stats().SnapshotIndex)
		shut(t, l)
	}
}
