package queuegroups

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the expected problems; commit them only if you know why they changed")

// problemsMark begins the expected output, the last part of a golden file.
const problemsMark = "problems"

// TestLoad_Broken loads testdata/broken/*.txt. Each holds the files of one
// configuration, every one below a line "-- name --", and last, below
// "-- problems --", exactly what the admin is shown.
func TestLoad_Broken(t *testing.T) {
	names, err := filepath.Glob("testdata/broken/*.txt")
	if err != nil || len(names) == 0 {
		t.Fatalf("no golden files: %v", err)
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txt"), func(t *testing.T) {
			text := string(readFile(t, name).Data)
			head, want, found := strings.Cut(text, "-- "+problemsMark+" --\n")
			o := options(split(head)...)
			o.Published = []string{"anna-sample"}
			c, err := Load(o)
			var problems Problems
			if !errors.As(err, &problems) {
				t.Fatalf("Load gave %v, %v; want problems", c, err)
			}
			got := FormatProblems(problems)
			if *update {
				if err := os.WriteFile(name, []byte(head+"-- "+problemsMark+" --\n"+got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if d := cmp.Diff(want, got); d != "" || !found {
				t.Errorf("(-want +got)\n%s", d)
			}
			if strings.Contains(got, "hunter2") {
				t.Error("a secret is shown")
			}
		})
	}
}

// split gives the files of a golden file.
func split(text string) (files []File) {
	for part := range strings.SplitAfterSeq(text, "\n") {
		if name, ok := strings.CutPrefix(strings.TrimSpace(part), "-- "); ok && strings.HasSuffix(name, " --") {
			files = append(files, File{Name: strings.TrimSuffix(name, " --")})
		} else if len(files) > 0 {
			last := &files[len(files)-1]
			last.Data = append(last.Data, part...)
		}
	}
	// What cannot be seen in an editor is written in words.
	invisible := strings.NewReplacer("<bad byte>", "\xff", "<nul>", "\x00", "<line separator>", "\u2028", "<bom>", "\ufeff", "<cr>\n", "\r\n", "<esc>", "\x1b")
	for i := range files {
		files[i].Data = []byte(invisible.Replace(string(files[i].Data)))
	}
	return files
}
