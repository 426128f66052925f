package acd_test

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// pureImports is all that the core may import: nothing of it reads a clock, the
// network, files or chance.
var pureImports = []string{
	"bufio", "bytes", "cmp", "container/heap", "encoding/json", "errors", "fmt", "hash/fnv", "io", "maps", "slices",
	"strings", "time", "centrala/queuegroups",
}

// pureTime is what the core may use of package time.
var pureTime = []string{"Duration", "Time", "Unix", "UTC", "Nanosecond", "Millisecond", "Second", "Minute", "Hour"}

// TestPurity reads the syntax of the core: two nodes that apply the same log must
// have the same state, so nothing in it may depend on anything but the log.
func TestPurity(t *testing.T) {
	p := impurities(t, ".", nil)
	for _, complaint := range p.found {
		t.Error(complaint)
	}
	if p.ranges == 0 {
		t.Error("no range statement found: the test looks at nothing")
	}
}

// What is forbidden is found where it is planted.
func TestPurity_NoticesEach(t *testing.T) {
	for _, c := range []struct{ source, want string }{
		{`func f() { go f() }`, "goroutine"},
		{`type x struct{ c chan int }`, "channel"},
		{`func f(c chan<- int) { c <- 1 }`, "channel"},
		{`func f(c interface{ C() any }) any { select {} }`, "channel"},
		{`func f(c s) int { return <-c.c }`, "channel"},
		{`import "sync"; var errX sync.Mutex`, "import of sync"},
		{`import "os"`, "import of os"},
		{`import "math/rand/v2"`, "import of math/rand/v2"},
		{`import "net"`, "import of net"},
		{`import "unsafe"`, "import of unsafe"},
		{`import "time"; func f() time.Time { return time.Now() }`, "time.Now"},
		{`import "time"; func f() { time.Sleep(1) }`, "time.Sleep"},
		{`import "time"; func f(t time.Time) { time.AfterFunc(1, nil) }`, "time.AfterFunc"},
		{`import "fmt"; func f() { fmt.Println() }`, "fmt.Println"},
		{`func f(x float64) {}`, "float"},
		{`type x struct{ f float32 }`, "float"},
		{`const x = 0.5`, "float"},
		{`func f(m map[string]int) { for range m {} }`, "range over a map"},
		{`import "centrala/queuegroups"; func f(c queuegroups.Needles) { for range c {} }`, "range over a map"},
		{`import "maps"; func f(m map[string]int) any { return maps.Keys(m) }`, "maps.Keys"},
		{`var counter int`, "global variable counter"},
		{`func init() {}`, "init"},
	} {
		t.Run(c.source, func(t *testing.T) {
			p := impurities(t, "", []byte("package acd\n"+c.source+"\ntype s struct{}\n"))
			if !slices.ContainsFunc(p.found, func(x string) bool { return strings.Contains(x, c.want) }) {
				t.Errorf("found %q, want %q", p.found, c.want)
			}
		})
	}
	if p := impurities(t, "", []byte(`package acd; import "fmt"; func f(l []int) string { for range l {}; return fmt.Sprint(len(l)) }`)); len(p.found) > 0 {
		t.Errorf("pure, but: %q", p.found)
	}
}

// impurities reads the package in the folder, or one source.
func impurities(t *testing.T, folder string, source []byte) *purity {
	t.Helper()
	p := &purity{fset: token.NewFileSet(), info: &types.Info{Types: map[ast.Expr]types.TypeAndValue{}}}
	var files []*ast.File
	if source != nil {
		f, err := parser.ParseFile(p.fset, "planted.go", source, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	} else {
		files = parsed(t, p.fset, folder)
	}
	conf := types.Config{Error: func(error) {}, Importer: &ourImports{t: t, fset: p.fset}}
	_, _ = conf.Check("centrala/acd", p.fset, files, p.info) // types of the standard library stay unknown; our maps do not
	for _, f := range files {
		p.file(f)
	}
	return p
}

func parsed(t *testing.T, fset *token.FileSet, folder string) (files []*ast.File) {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		f, err := parser.ParseFile(fset, filepath.Join(folder, e.Name()), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	return files
}

// ourImports knows the types of queuegroups, and one that it has not for the test
// of the test.
type ourImports struct {
	t    *testing.T
	fset *token.FileSet
}

func (o *ourImports) Import(path string) (*types.Package, error) {
	if path != "centrala/queuegroups" {
		return nil, errors.New("not read")
	}
	files := parsed(o.t, o.fset, "../queuegroups")
	planted, err := parser.ParseFile(o.fset, "needles.go", "package queuegroups; type Needles map[string]int", parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	conf := types.Config{Error: func(error) {}, Importer: &ourImports{t: o.t, fset: o.fset}}
	pkg, _ := conf.Check(path, o.fset, append(files, planted), nil)
	pkg.MarkComplete()
	return pkg, nil
}

type purity struct {
	fset   *token.FileSet
	info   *types.Info
	ranges int
	found  []string
}

func (p *purity) bad(n ast.Node, why string) {
	p.found = append(p.found, fmt.Sprintf("%s: %s", p.fset.Position(n.Pos()), why))
}

func (p *purity) file(f *ast.File) {
	for _, i := range f.Imports {
		if path := strings.Trim(i.Path.Value, `"`); !slices.Contains(pureImports, path) {
			p.bad(i, "import of "+path+": the core may only use what is pure")
		}
	}
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.GenDecl:
			if d.Tok == token.VAR {
				p.globals(d)
			}
		case *ast.FuncDecl:
			if d.Name.Name == "init" {
				p.bad(d, "init: the core has no hidden start")
			}
			if lines := p.fset.Position(d.End()).Line - p.fset.Position(d.Pos()).Line; lines > 80 {
				p.bad(d, "a function of more than 80 lines")
			}
		}
	}
	ast.Inspect(f, func(n ast.Node) bool {
		p.node(n)
		return true
	})
}

// globals: only sentinel errors may stand outside the state.
func (p *purity) globals(d *ast.GenDecl) {
	for _, spec := range d.Specs {
		for _, name := range spec.(*ast.ValueSpec).Names {
			if !strings.HasPrefix(name.Name, "Err") && !strings.HasPrefix(name.Name, "err") {
				p.bad(name, "global variable "+name.Name+": state belongs in State")
			}
		}
	}
}

func (p *purity) node(n ast.Node) {
	switch n := n.(type) {
	case *ast.GoStmt:
		p.bad(n, "goroutine: the core is sequential")
	case *ast.ChanType, *ast.SendStmt, *ast.SelectStmt:
		p.bad(n, "channel: the core is sequential")
	case *ast.UnaryExpr:
		if n.Op == token.ARROW {
			p.bad(n, "channel: the core is sequential")
		}
	case *ast.Ident:
		if n.Name == "float64" || n.Name == "float32" {
			p.bad(n, "float: rounding differs between machines")
		}
	case *ast.BasicLit:
		if n.Kind == token.FLOAT {
			p.bad(n, "float: rounding differs between machines")
		}
	case *ast.RangeStmt:
		p.ranges++
		if tv := p.info.Types[n.X]; tv.Type != nil {
			if _, is := tv.Type.Underlying().(*types.Map); is {
				p.bad(n, "range over a map: the order is chance; use sortedKeys")
			}
		}
	case *ast.FuncDecl:
		if n.Name.Name == "sortedKeys" {
			return
		}
		ast.Inspect(n, func(m ast.Node) bool {
			if s, ok := m.(*ast.SelectorExpr); ok {
				p.selector(s)
			}
			return true
		})
	}
}

func (p *purity) selector(s *ast.SelectorExpr) {
	x, ok := s.X.(*ast.Ident)
	if !ok {
		return
	}
	switch {
	case x.Name == "time" && !slices.Contains(pureTime, s.Sel.Name):
		p.bad(s, "time."+s.Sel.Name+": times come with the log")
	case x.Name == "fmt" && (strings.HasPrefix(s.Sel.Name, "Print") || strings.HasPrefix(s.Sel.Name, "Scan")):
		p.bad(s, "fmt."+s.Sel.Name+": the core writes and reads nothing")
	case x.Name == "maps" && s.Sel.Name != "Clone":
		p.bad(s, "maps."+s.Sel.Name+": the order is chance; use sortedKeys")
	}
}
