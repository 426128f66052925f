package acd_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"centrala/acd"
)

// record writes the facts of the golden scripts as a new recorded log:
//
//	go test ./acd -run TestLogs_Record -record testdata/logs/level3-scripts.jsonl
//
// A file that is there is never written again.
var record = flag.String("record", "", "write the facts of the golden scripts to this new file")

// logLine is one entry of a recorded log, or at the end of a day what it led to.
type logLine struct {
	Index uint64          `json:"index,omitempty"`
	At    time.Time       `json:"at,omitzero"`
	Event json.RawMessage `json:"event,omitempty"`
	Day   string          `json:"day,omitempty"`   // a new state begins
	Ended []acd.Record    `json:"ended,omitempty"` // all that ended in the day, without its story
}

// TestLogs_AreReplayedForEver replays each recorded log, some of them written by
// earlier programs, and expects what came of it then.
func TestLogs_AreReplayedForEver(t *testing.T) {
	files, err := filepath.Glob("testdata/logs/*.jsonl")
	if err != nil || len(files) < 3 {
		t.Fatalf("%d recorded logs, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".jsonl"), func(t *testing.T) {
			replayLog(t, file, func(string, *acd.State, []acd.Command) {})
		})
	}
}

// replayLog replays a file and hands out each state and what followed.
func replayLog(t *testing.T, file string, see func(day string, s *acd.State, commands []acd.Command)) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	s, day := acd.NewState(), ""
	var ended []acd.Record
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var l logLine
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
			t.Fatal(err)
		}
		switch {
		case l.Day != "":
			s, day, ended = acd.NewState(), l.Day, nil
		case l.Event == nil:
			if diff := cmp.Diff(plain(l.Ended), plain(ended)); diff != "" {
				t.Errorf("%s %s ends otherwise than it did (-then +now):\n%s", file, day, diff)
			}
		default:
			e, err := acd.DecodeEvent(l.Event)
			if err != nil {
				t.Fatal(err)
			}
			commands := s.Apply(acd.Entry{Index: l.Index, At: l.At, Event: e})
			ended = append(ended, s.Ended()...)
			see(day, s, commands)
			if err := s.Check(); err != nil {
				t.Fatalf("%s %s, entry %d: %v", file, day, l.Index, err)
			}
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
}

// plain leaves of a record what every level of the core has had.
func plain(list []acd.Record) (out []string) {
	for _, r := range list {
		out = append(out, fmt.Sprintf("%d %s %s to %s by %s%s: %s %q, arrived %s, answered %s, ended %s",
			r.Interaction, r.Leg, r.Group, r.To, r.Agent, r.Number, r.End, r.Class,
			r.Arrived.Format(time.RFC3339Nano), r.Answered.Format(time.RFC3339Nano), r.Ended.Format(time.RFC3339Nano)))
	}
	return out
}

func TestLogs_Record(t *testing.T) {
	if *record == "" {
		t.Skip("run with -record FILE")
	}
	f, err := os.OpenFile(*record, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	enc := json.NewEncoder(f)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		source, _, _ := strings.Cut(string(text), bar+"\n")
		r := newScript(t)
		r.run(source)
		if len(r.log) > 200 { // days of nothing but looking again
			continue
		}
		lines := []any{logLine{Day: filepath.Base(file)}}
		for _, l := range r.log {
			lines = append(lines, l)
		}
		for k := range r.ended {
			r.ended[k].Steps = nil
		}
		for _, l := range append(lines, logLine{Ended: r.ended}) {
			if err := enc.Encode(l); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestReplicas_HaveEqualHashes replays the recorded logs here and in another
// process, where maps have other seeds, and compares what followed at every
// index and the hash of the state.
func TestReplicas_HaveEqualHashes(t *testing.T) {
	const child = "ACD_REPLICA"
	digest := func() string {
		var b bytes.Buffer
		files, err := filepath.Glob("testdata/logs/*.jsonl")
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			replayLog(t, file, func(day string, s *acd.State, commands []acd.Command) {
				fmt.Fprintf(&b, "replica %s %s %d %x", file, day, s.Index(), s.Hash())
				for _, c := range commands {
					fmt.Fprintf(&b, " %+v %s;", *c.Head(), acd.Describe(c))
				}
				b.WriteByte('\n')
			})
		}
		return b.String()
	}
	if os.Getenv(child) != "" {
		fmt.Print(digest())
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=TestReplicas_HaveEqualHashes")
	cmd.Env = append(os.Environ(), child+"=1")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var theirs []string
	for line := range strings.Lines(string(out)) {
		if strings.HasPrefix(line, "replica ") {
			theirs = append(theirs, line)
		}
	}
	ours := strings.SplitAfter(digest(), "\n")
	ours = ours[:len(ours)-1]
	if len(ours) < 1000 || len(ours) != len(theirs) {
		t.Fatalf("%d entries here, %d there", len(ours), len(theirs))
	}
	for k := range ours {
		if ours[k] != theirs[k] {
			t.Fatalf("here\n%sthere\n%s", ours[k], theirs[k])
		}
	}
}
