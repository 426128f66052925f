package archtest

import (
	"fmt"
	"go/ast"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
)

func TestImports_FollowTheTable(t *testing.T) {
	report(t, checkImports(load(t, source()), rules))
}

func TestCore_IsPure(t *testing.T) {
	report(t, checkPurity(load(t, source()), rules))
}

// ruleFor finds the rule with the longest path that covers the folder.
func ruleFor(dir string, rules []rule) (rule, bool) {
	var best rule
	for _, r := range rules {
		if within(dir, r.path) && len(r.path) > len(best.path) {
			best = r
		}
	}
	return best, best.path != ""
}

// within tells whether a slash-separated path is at or below another.
func within(name, top string) bool {
	return name == top || strings.HasPrefix(name, top+"/")
}

func checkImports(files []*goFile, rules []rule) (problems []string) {
	for _, f := range files {
		from, ok := ruleFor(f.dir(), rules)
		if !ok {
			problems = append(problems, fmt.Sprintf(
				"%s: no rule says what %s may import; add a row to internal/archtest/rules_test.go", f.path, f.dir()))
			continue
		}
		for _, spec := range f.syntax.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil || from.all && imported != "C" {
				continue
			}
			if fault := from.fault(imported, f.test, rules); fault != "" {
				problems = append(problems, fmt.Sprintf("%s: %s", f.at(spec), fault))
			}
		}
	}
	return problems
}

// fault says what is wrong with an import, or nothing.
func (r rule) fault(imported string, test bool, rules []rule) string {
	own, libs := r.own, r.libs
	if test {
		own, libs = slices.Concat(own, r.testOwn), slices.Concat(libs, r.testLibs, everyTest)
	}
	top, _, _ := strings.Cut(imported, "/")
	switch {
	case imported == "C":
		return "imports C: the server is one static binary, built without cgo"
	case top == module:
		to, _ := ruleFor(strings.TrimPrefix(imported, module+"/"), rules)
		if to.path == r.path || slices.Contains(own, to.path) {
			return ""
		}
	case strings.Contains(top, "."):
		if slices.ContainsFunc(libs, func(lib string) bool { return within(imported, lib) }) {
			return ""
		}
	case !r.pure || test || slices.Contains(pureStd, imported):
		return ""
	}
	return fmt.Sprintf("%s may not import %s: %s", r.path, imported, r.why)
}

// checkPurity looks in pure packages for what would make two replays differ.
func checkPurity(files []*goFile, rules []rule) (problems []string) {
	for _, f := range files {
		r, ok := ruleFor(f.dir(), rules)
		if !ok || !r.pure || f.test {
			continue
		}
		ast.Inspect(f.syntax, func(n ast.Node) bool {
			if what := impurity(n); what != "" {
				problems = append(problems, fmt.Sprintf("%s: %s in %s: %s", f.at(n), what, r.path, r.why))
			}
			return true
		})
	}
	return problems
}

// impurity names what a node has of clock, concurrency or rounding, or nothing.
func impurity(n ast.Node) string {
	switch n := n.(type) {
	case *ast.GoStmt:
		return "a goroutine"
	case *ast.ChanType, *ast.SelectStmt:
		return "a channel"
	case *ast.Ident:
		if n.Name == "float32" || n.Name == "float64" {
			return "a floating-point number"
		}
	case *ast.BasicLit:
		if n.Kind == token.FLOAT {
			return "a floating-point number"
		}
	case *ast.SelectorExpr:
		if x, ok := n.X.(*ast.Ident); ok && x.Name == "time" && slices.Contains(impureTime, n.Sel.Name) {
			return "time." + n.Sel.Name
		}
	}
	return ""
}

func TestCheckImports_FindsFaults(t *testing.T) {
	for _, c := range []struct{ name, file, imports, want string }{
		{"core and declarations", "acd/a.go", "centrala/queuegroups", ""},
		{"core and simulator", "acd/a.go", "centrala/acd/sim", "acd may not import centrala/acd/sim"},
		{"core and context", "acd/a.go", "context", "acd may not import context: the core is a deterministic"},
		{"test of the core and context", "acd/a_test.go", "context", ""},
		{"core and a library", "acd/a.go", "github.com/rs/zerolog", "acd may not import github.com/rs/zerolog"},
		{"core and random hash", "acd/a.go", "hash/maphash", "acd may not import hash/maphash"},
		{"sip and media", "sip/tx/a.go", "centrala/media", "sip may not import centrala/media"},
		{"test of sip and media", "sip/a_test.go", "centrala/media/tone", "sip may not import centrala/media/tone"},
		{"sip inside", "sip/a.go", "centrala/sip/tx", ""},
		{"sip in a folder with a like name", "sipx/a.go", "fmt", "no rule says what sipx may import"},
		{"library of a like name", "sip/a.go", "github.com/emiago/sipgox", "may not import github.com/emiago/sipgox"},
		{"major version", "queuegroups/a.go", "go.yaml.in/yaml/v3", ""},
		{"reader of YAML and its user", "queuegroups/strictyaml/a.go", "centrala/queuegroups", "may not import centrala/queuegroups"},
		{"test library in a test", "media/a_test.go", "go.uber.org/goleak", ""},
		{"test library outside tests", "media/a.go", "go.uber.org/goleak", "media may not import go.uber.org/goleak"},
		{"switchboard and log", "internal/switchboard/a.go", "centrala/internal/eventlog", "may not import centrala/internal/eventlog"},
		{"test of switchboard and log", "internal/switchboard/a_test.go", "centrala/internal/eventlog", ""},
		{"root of composition", "internal/app/a.go", "centrala/internal/switchboard", ""},
		{"cgo", "internal/app/a.go", "C", "without cgo"},
	} {
		t.Run(c.name, func(t *testing.T) {
			tree := fstest.MapFS{c.file: {Data: []byte("package a\n\nimport _ \"" + c.imports + "\"\n")}}
			wantProblem(t, checkImports(load(t, tree), rules), c.want)
		})
	}
}

func TestCheckPurity_FindsFaults(t *testing.T) {
	for _, c := range []struct{ name, file, body, want string }{
		{"sum of times", "acd/a.go", "func f(t time.Time) time.Time { return t.Add(time.Second) }", ""},
		{"clock", "acd/a.go", "func f() time.Time { return time.Now() }", "acd/a.go:3: time.Now in acd"},
		{"machine's time zone", "acd/a.go", "func f(t time.Time) time.Time { return t.In(time.Local) }", "time.Local in acd"},
		{"goroutine", "acd/a.go", "func f() { go f() }", "a goroutine in acd"},
		{"channel", "acd/a.go", "func f(chan int) {}", "a channel in acd"},
		{"float", "acd/a.go", "func f() int { return int(2.5) }", "a floating-point number in acd"},
		{"clock in a test", "acd/a_test.go", "func f() time.Time { return time.Now() }", ""},
		{"clock in the simulator", "acd/sim/a.go", "func f() time.Time { return time.Now() }", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			tree := fstest.MapFS{c.file: {Data: []byte("package a\n\n" + c.body + "\n")}}
			wantProblem(t, checkPurity(load(t, tree), rules), c.want)
		})
	}
}
