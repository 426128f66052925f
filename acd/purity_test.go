package acd_test

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"os"
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
	fset := token.NewFileSet()
	var files []*ast.File
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		f, err := parser.ParseFile(fset, e.Name(), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}}
	conf := types.Config{Error: func(error) {}, Importer: noImports{}}
	_, _ = conf.Check("centrala/acd", fset, files, info) // imported types stay unknown; our maps do not
	p := &purity{t: t, fset: fset, info: info}
	for _, f := range files {
		p.file(f)
	}
	if p.ranges == 0 {
		t.Error("no range statement found: the test looks at nothing")
	}
}

type noImports struct{}

func (noImports) Import(string) (*types.Package, error) { return nil, errors.New("not read") }

type purity struct {
	t      *testing.T
	fset   *token.FileSet
	info   *types.Info
	ranges int
}

func (p *purity) bad(n ast.Node, why string) { p.t.Errorf("%s: %s", p.fset.Position(n.Pos()), why) }

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
	case x.Name == "maps" && s.Sel.Name != "Clone":
		p.bad(s, "maps."+s.Sel.Name+": the order is chance; use sortedKeys")
	}
}
