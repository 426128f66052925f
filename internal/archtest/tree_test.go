package archtest

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"strings"
	"testing"
)

// module is the path that every import within the product begins with.
const module = "centrala"

// root is the module's folder, seen from this package.
const root = "../.."

// goFile is one parsed Go file.
type goFile struct {
	path      string         // slash-separated, relative to the module's folder
	fset      *token.FileSet // one for all files
	syntax    *ast.File
	lines     int
	test      bool // its name ends in _test.go
	generated bool // it carries the "Code generated" line
}

// dir is the package's folder relative to the module, "." for the module's own.
func (f *goFile) dir() string { return path.Dir(f.path) }

// at gives "path:line" of a node.
func (f *goFile) at(n ast.Node) string {
	p := f.fset.Position(n.Pos())
	p.Filename, p.Column = f.path, 0
	return p.String()
}

// load parses every Go file of the module in fsys.
func load(t *testing.T, fsys fs.FS) []*goFile {
	t.Helper()
	fset := token.NewFileSet()
	var files []*goFile
	for _, name := range find(t, fsys, ".go") {
		src, err := fs.ReadFile(fsys, name)
		if err != nil {
			t.Fatal(err)
		}
		syntax, err := parser.ParseFile(fset, name, src, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Errorf("cannot be parsed: %v", err)
			continue
		}
		files = append(files, &goFile{
			path:      name,
			fset:      fset,
			syntax:    syntax,
			lines:     bytes.Count(src, []byte("\n")),
			test:      strings.HasSuffix(name, "_test.go"),
			generated: ast.IsGenerated(syntax),
		})
	}
	return files
}

// find lists the module's files whose name ends in suffix. It leaves out what
// is not committed or not the module's: hidden folders, build results, data,
// testdata, installed node modules, and folders with a go.mod of their own.
func find(t *testing.T, fsys fs.FS, suffix string) []string {
	t.Helper()
	var names []string
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || name == "." {
			return err
		}
		if !d.IsDir() {
			if strings.HasSuffix(name, suffix) {
				names = append(names, name)
			}
			return nil
		}
		if strings.HasPrefix(d.Name(), ".") || name == "bin" || name == "data" ||
			d.Name() == "testdata" || d.Name() == "node_modules" {
			return fs.SkipDir
		}
		if _, err := fs.Stat(fsys, path.Join(name, "go.mod")); err == nil {
			return fs.SkipDir
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// source is the module as it lies on disk.
func source() fs.FS { return os.DirFS(root) }

// report makes each problem an error of t.
func report(t *testing.T, problems []string) {
	t.Helper()
	for _, p := range problems {
		t.Error(p)
	}
}

// wantProblem fails unless exactly one problem was found and it contains want,
// or, for an empty want, none at all.
func wantProblem(t *testing.T, problems []string, want string) {
	t.Helper()
	switch {
	case want == "" && len(problems) > 0:
		t.Errorf("found %q in a tree without fault", problems)
	case want != "" && (len(problems) != 1 || !strings.Contains(problems[0], want)):
		t.Errorf("found %q, want one problem with %q", problems, want)
	}
}
