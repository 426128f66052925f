// Package strictyaml reads YAML into typed values and tells every mistake with
// its exact place: unknown and repeated keys, wrong types, values out of range,
// broken syntax. What may be written is described once, by the Go types and
// their tags; the same description gives the JSON Schema for editors.
//
// It knows YAML only: what a value means, and whether it agrees with others, is
// for its users to check, who add their own problems to the same Report.
package strictyaml

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Problem is one mistake in a file.
type Problem struct {
	File    string
	Line    int    // from 1
	Column  int    // from 1, in characters
	Message string // what is wrong
	Hint    string // what was probably meant; may be empty
	Source  string // the line as it may be shown: secrets masked, long lines cut

	caret int // the column's place in Source, from 0
}

// Error gives the problem on one line: "file:line:column: what is wrong (what was meant?)".
func (p Problem) Error() string {
	text := fmt.Sprintf("%s:%d:%d: %s", p.File, p.Line, p.Column, p.Message)
	if p.Hint != "" {
		text += " (" + p.Hint + ")"
	}
	return text
}

// Problems is every mistake found, in order of file and position.
type Problems []Problem

// Error gives each problem on a line of its own.
func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i := range p {
		lines[i] = p[i].Error()
	}
	return strings.Join(lines, "\n")
}

// Format shows the problems to a person: each with the line it is on, and a
// caret under the place. The text ends with a line break unless it is empty.
func Format(problems Problems) string {
	var b strings.Builder
	for _, p := range problems {
		b.WriteString(p.Error())
		b.WriteByte('\n')
		if p.Source == "" {
			continue
		}
		fmt.Fprintf(&b, "  %s\n  %s^\n", p.Source, indent(p.Source, p.caret))
	}
	return b.String()
}

// indent gives white space as wide as the first n characters of a line.
func indent(line string, n int) string {
	var b strings.Builder
	for _, r := range line {
		if n--; n < 0 {
			break
		}
		if r == '\t' {
			b.WriteByte('\t')
		} else {
			b.WriteByte(' ')
		}
	}
	return b.String()
}

// Report collects problems. The zero Report is empty and ready for use.
type Report struct {
	problems Problems
}

// Add notes a mistake at a place. The hint may be empty.
func (r *Report) Add(at Pos, hint, format string, args ...any) {
	p := Problem{File: "?", Line: at.Line, Column: at.Column, Message: fmt.Sprintf(format, args...), Hint: hint}
	if at.Source != nil {
		p.File = at.Source.Name
		p.Source, p.caret = at.Source.show(at.Line, at.Column)
	}
	r.problems = append(r.problems, p)
}

// Join adds the Problems of another report's Err and gives all together, as Err
// does. An error of another kind is given as it is.
func (r *Report) Join(err error) error {
	var problems Problems
	if err != nil && !errors.As(err, &problems) {
		return err
	}
	r.problems = append(r.problems, problems...)
	return r.Err()
}

// Len is the number of problems noted so far.
func (r *Report) Len() int { return len(r.problems) }

// Err gives all problems as Problems, sorted, without repetitions; nil if there are none.
func (r *Report) Err() error {
	if len(r.problems) == 0 {
		return nil
	}
	sorted := slices.Clone(r.problems)
	slices.SortStableFunc(sorted, func(a, b Problem) int {
		return cmp.Or(strings.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return slices.CompactFunc(sorted, func(a, b Problem) bool { return a == b })
}
