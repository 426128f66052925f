package queuegroups

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzLoad checks that no file makes Load panic, that every problem is at a
// place in it, and that what is accepted stays the same through JSON.
func FuzzLoad(f *testing.F) {
	f.Add(readFile(f, "testdata/design.yaml").Data)
	names, err := filepath.Glob("testdata/broken/*.txt")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range names {
		head, _, _ := strings.Cut(string(readFile(f, name).Data), "-- "+problemsMark+" --\n")
		for _, file := range split(head) {
			f.Add(file.Data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := Load(options(File{"f.yaml", data}))
		if err != nil {
			var problems Problems
			if !errors.As(err, &problems) || len(problems) == 0 {
				t.Fatalf("%T: %v", err, err)
			}
			for _, p := range problems {
				inFile(t, data, p)
			}
			FormatProblems(problems)
			return
		}
		first, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		var back Config
		if err := json.Unmarshal(first, &back); err != nil {
			t.Fatal(err)
		}
		if second, err := json.Marshal(&back); err != nil || string(first) != string(second) {
			t.Fatalf("JSON changed, %v:\n%s\n%s", err, first, second)
		}
		if changes := Diff(c, c); len(changes) != 0 {
			t.Fatalf("differs from itself: %v", changes)
		}
	})
}

func inFile(t *testing.T, data []byte, p Problem) {
	t.Helper()
	if p.File != "f.yaml" {
		return // a file of holidays
	}
	text := strings.NewReplacer("\ufeff", "", "\r\n", "\n", "\r", "\n").Replace(string(data))
	lines := strings.Split(text, "\n")
	if p.Line < 1 || p.Line > len(lines) || p.Column < 1 || p.Column > utf8.RuneCountInString(lines[p.Line-1])+1 {
		t.Fatalf("%v is not in the file of %d lines", p, len(lines))
	}
	if strings.TrimSpace(p.Message) == "" {
		t.Fatalf("no message at %d:%d", p.Line, p.Column)
	}
}

// BenchmarkLoad reads a large company: 5,000 agents, 2,000 groups, 2,000 numbers.
func BenchmarkLoad(b *testing.B) {
	var text strings.Builder
	text.WriteString("agents:\n")
	for i := range 5000 {
		fmt.Fprintf(&text, "  a%d: {name: Agent %d, extension: \"1%05d\", phone: \"+48 601 %03d %03d\", sip_password: secret%d}\n", i, i, i, i/1000, i%1000, i)
	}
	text.WriteString("groups:\n")
	for i := range 2000 {
		fmt.Fprintf(&text, "  g%d: {agents: [a%d, a%d, a%d, a%d, a%d], wrap_up: 15s}\n", i, i, i+1, i+2, i+3, i+4)
	}
	text.WriteString("trunks: {carrier: {from: [198.51.100.0/24]}}\nnumbers:\n")
	for i := range 2000 {
		fmt.Fprintf(&text, "  \"+48 22 123 %02d %02d\": {trunk: carrier, group: g%d}\n", i/100, i%100, i)
	}
	o := options(File{"large.yaml", []byte(text.String())})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Load(o); err != nil {
			b.Fatal(err)
		}
	}
}
