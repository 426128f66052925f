package archtest

import (
	"errors"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

func TestSource_NoStateInPackageVariables(t *testing.T) {
	report(t, checkGlobals(load(t, source())))
}

// checkGlobals finds package variables that hold state: those without a value,
// those whose type is made to change, and those that some statement changes.
// Methods that change their receiver are not seen.
func checkGlobals(files []*goFile) (problems []string) {
	packages := map[string][]*goFile{}
	for _, f := range files {
		if !f.test && !f.generated {
			packages[f.dir()] = append(packages[f.dir()], f)
		}
	}
	for _, dir := range slices.Sorted(maps.Keys(packages)) {
		problems = append(problems, checkPackageGlobals(packages[dir])...)
	}
	return problems
}

func checkPackageGlobals(files []*goFile) (problems []string) {
	complain := func(f *goFile, n ast.Node, what string) {
		problems = append(problems, fmt.Sprintf(
			"%s: %s; state belongs to a value that New makes, so that two servers can live in one process", f.at(n), what))
	}
	global := globalNames(files)
	for _, f := range files {
		for _, decl := range f.syntax.Decls {
			if decl, ok := decl.(*ast.GenDecl); ok && decl.Tok == token.VAR {
				for _, spec := range decl.Specs {
					if what := statefulSpec(decl, spec.(*ast.ValueSpec)); what != "" {
						complain(f, spec, what)
					}
				}
			}
		}
		ast.Inspect(f.syntax, func(n ast.Node) bool {
			for _, target := range changed(n) {
				if id := base(target); id != nil && global(id) {
					complain(f, id, "package variable "+id.Name+" is changed at run time")
				}
			}
			return true
		})
	}
	return problems
}

// globalNames gives a function that tells whether an identifier stands for a
// variable of the package. Imports are not resolved and errors ignored: names
// within the package are enough.
func globalNames(files []*goFile) func(*ast.Ident) bool {
	info := types.Info{Uses: map[*ast.Ident]types.Object{}}
	var syntax []*ast.File
	for _, f := range files {
		syntax = append(syntax, f.syntax)
	}
	conf := types.Config{Importer: noImports{}, Error: func(error) {}}
	pkg, _ := conf.Check(files[0].dir(), files[0].fset, syntax, &info)
	return func(id *ast.Ident) bool {
		v, ok := info.Uses[id].(*types.Var)
		return ok && v.Parent() == pkg.Scope()
	}
}

type noImports struct{}

func (noImports) Import(string) (*types.Package, error) { return nil, errors.New("not resolved") }

// statefulSpec says why a declaration by itself makes state, or nothing.
func statefulSpec(decl *ast.GenDecl, spec *ast.ValueSpec) string {
	name := spec.Names[0].Name
	embedded := strings.Contains(directives(decl.Doc)+directives(spec.Doc), "//go:embed")
	if len(spec.Values) == 0 && !embedded && name != "_" {
		return "package variable " + name + " has no value, so something must set it later"
	}
	for _, v := range spec.Values {
		if kind := stateful(v); kind != "" {
			return "package variable " + name + " holds " + kind
		}
	}
	return ""
}

// directives is a comment's text with its //go: lines, which Text leaves out.
func directives(doc *ast.CommentGroup) string {
	var b strings.Builder
	if doc != nil {
		for _, c := range doc.List {
			b.WriteString(c.Text)
		}
	}
	return b.String()
}

// stateful names what a value is made of that can only be there to change.
func stateful(value ast.Expr) (kind string) {
	ast.Inspect(value, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.ChanType:
			kind = "a channel"
		case *ast.SelectorExpr:
			x, ok := n.X.(*ast.Ident)
			switch {
			case !ok:
			case x.Name == "atomic" || x.Name == "sync" && slices.Contains([]string{"Mutex", "RWMutex", "Map", "WaitGroup"}, n.Sel.Name):
				kind = "a " + x.Name + "." + n.Sel.Name
			case x.Name == "promauto" || x.Name == "prometheus":
				kind = "a metric"
			}
		}
		return true
	})
	return kind
}

// changed lists what a statement assigns to, counts up, deletes from or clears.
func changed(n ast.Node) []ast.Expr {
	switch n := n.(type) {
	case *ast.AssignStmt:
		if n.Tok != token.DEFINE {
			return n.Lhs
		}
	case *ast.IncDecStmt:
		return []ast.Expr{n.X}
	case *ast.CallExpr:
		if f, ok := n.Fun.(*ast.Ident); ok && (f.Name == "delete" || f.Name == "clear" || f.Name == "copy") && len(n.Args) > 0 {
			return n.Args[:1]
		}
	}
	return nil
}

// base is the variable at the left end of x.f[i].g, or nil.
func base(x ast.Expr) *ast.Ident {
	switch x := x.(type) {
	case *ast.Ident:
		return x
	case *ast.SelectorExpr:
		return base(x.X)
	case *ast.IndexExpr:
		return base(x.X)
	case *ast.SliceExpr:
		return base(x.X)
	case *ast.StarExpr:
		return base(x.X)
	case *ast.ParenExpr:
		return base(x.X)
	}
	return nil
}

func TestCheckGlobals_FindsFaults(t *testing.T) {
	for _, c := range []struct{ name, body, want string }{
		{"table", "var table = map[string]int{`a`: 1}\nfunc f() int { return table[`a`] }", ""},
		{"error and proof of interface", "var errA = errors.New(`a`)\nvar _ io.Reader = (*T)(nil)", ""},
		{"embedded file", "//go:embed a.txt\nvar text string", ""},
		{"computed once", "var f = sync.OnceValue(func() int { return 1 })", ""},
		{"shadowed", "var n = 1\nfunc f(n int) int { n++; return n }", ""},
		{"no value", "var n int", "package variable n has no value"},
		{"counter", "var n = 1\nfunc f() { n++ }", "a/1.go:4: package variable n is changed"},
		{"filled map", "var m = map[string]int{}\nfunc f() { m[`a`] = 1 }", "package variable m is changed"},
		{"emptied map", "var m = map[string]int{}\nfunc f() { clear(m) }", "package variable m is changed"},
		{"field behind a pointer", "var p = &T{}\nfunc f() { p.n = 1 }", "package variable p is changed"},
		{"channel", "var c = make(chan int)", "package variable c holds a channel"},
		{"lock", "var mu = sync.Mutex{}", "package variable mu holds a sync.Mutex"},
		{"metric", "var calls = promauto.NewCounter(prometheus.CounterOpts{})", "package variable calls holds a metric"},
	} {
		t.Run(c.name, func(t *testing.T) {
			tree := fstest.MapFS{
				"a/1.go": {Data: []byte("package a\n\n" + c.body + "\n")},
				"a/2.go": {Data: []byte("package a\n\ntype T struct{ n int }\n")},
			}
			wantProblem(t, checkGlobals(load(t, tree)), c.want)
		})
	}
}

func TestCheckGlobals_SeesOtherFilesOfThePackage(t *testing.T) {
	tree := fstest.MapFS{
		"a/1.go": {Data: []byte("package a\n\nvar n = 1\n")},
		"a/2.go": {Data: []byte("package a\n\nfunc f() { n = 2 }\n")},
	}
	wantProblem(t, checkGlobals(load(t, tree)), "a/2.go:3: package variable n is changed")
}
