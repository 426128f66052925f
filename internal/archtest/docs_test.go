package archtest

import (
	"fmt"
	"io/fs"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"unicode"
)

func TestDocs_LinksResolve(t *testing.T) {
	report(t, checkLinks(t, source()))
}

func TestDocs_NamedTargetsExist(t *testing.T) {
	report(t, checkTargets(t, source()))
}

func TestDocs_NamedFoldersExist(t *testing.T) {
	report(t, checkFolders(t, source()))
}

func TestDocs_NamedTestsExist(t *testing.T) {
	report(t, checkTests(t, source()))
}

func TestDocs_LibrariesAreJustified(t *testing.T) {
	report(t, checkLibraries(t, source(), load(t, source())))
}

var (
	linkPattern    = regexp.MustCompile(`\]\(([^()\s]+)\)`)
	headingPattern = regexp.MustCompile(`^#{1,6} +(.*?) *#*$`)
	codePattern    = regexp.MustCompile("`([^`]+)`")
	makePattern    = regexp.MustCompile(`(?:^|[;&|] *)make((?: +[A-Za-z_]+=\S*)*)((?: +[a-z][a-z0-9-]*)+)`)
	targetPattern  = regexp.MustCompile(`(?m)^([a-z][a-z0-9-]*):`)
	testPattern    = regexp.MustCompile(`^(?:Test|Fuzz)[A-Z][A-Za-z0-9]*(?:_[A-Za-z0-9_]+)?$`)
	testFunction   = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
	folderPattern  = regexp.MustCompile(`^(?:[a-z0-9._-]+/)+$`)
)

// checkTests finds tests that a document names and that there are not.
func checkTests(t *testing.T, fsys fs.FS) (problems []string) {
	t.Helper()
	known := make(map[string]bool)
	for _, name := range find(t, fsys, "_test.go") {
		for _, m := range testFunction.FindAllStringSubmatch(read(t, fsys, name), -1) {
			known[m[1]] = true
		}
	}
	for _, doc := range documents(t, fsys) {
		for _, code := range doc.code {
			if testPattern.MatchString(code) && !known[code] {
				problems = append(problems, fmt.Sprintf("%s names the test %s, which there is not", doc.name, code))
			}
		}
	}
	return problems
}

func TestCheckTests(t *testing.T) {
	problems := checkTests(t, fstest.MapFS{
		"a.md":      {Data: []byte("`TestThere`, `x` `FuzzThere`, `TestGone_Case`\n")},
		"a_test.go": {Data: []byte("package a\n\nfunc TestThere(t *testing.T) {}\nfunc FuzzThere(f *testing.F) {}\n")},
	})
	if want := []string{"a.md names the test TestGone_Case, which there is not"}; !slices.Equal(problems, want) {
		t.Errorf("%q, want %q", problems, want)
	}
}

// document is a Markdown file taken apart.
type document struct {
	name     string
	links    []string // targets, as written
	code     []string // inline code, and each line of code blocks
	headings []string // anchors, as GitHub makes them
}

// documents reads every Markdown file of fsys.
func documents(t *testing.T, fsys fs.FS) (docs []document) {
	t.Helper()
	for _, name := range find(t, fsys, ".md") {
		text := read(t, fsys, name)
		doc := document{name: name}
		fenced, indented, blank := false, false, true
		for line := range strings.Lines(text) {
			// A line set in by four is code after an empty line or other code.
			indented = strings.HasPrefix(line, "    ") && (blank || indented)
			line = strings.TrimSpace(line)
			blank = line == ""
			switch {
			case strings.HasPrefix(line, "```"):
				fenced = !fenced
			case fenced || indented:
				doc.code = append(doc.code, strings.TrimPrefix(line, "$ "))
			default:
				for _, m := range codePattern.FindAllStringSubmatch(line, -1) {
					doc.code = append(doc.code, m[1])
				}
				for _, m := range linkPattern.FindAllStringSubmatch(codePattern.ReplaceAllString(line, "``"), -1) {
					doc.links = append(doc.links, m[1])
				}
				if m := headingPattern.FindStringSubmatch(line); m != nil {
					doc.headings = append(doc.headings, anchor(m[1], doc.headings))
				}
			}
		}
		docs = append(docs, doc)
	}
	return docs
}

func read(t *testing.T, fsys fs.FS, name string) string {
	t.Helper()
	text, err := fs.ReadFile(fsys, name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// anchor is the name that GitHub gives a heading, told from those before it.
func anchor(heading string, before []string) string {
	name := strings.Map(func(r rune) rune {
		switch {
		case unicode.IsLetter(r) || unicode.IsDigit(r) || r == '-' || r == '_':
			return unicode.ToLower(r)
		case r == ' ':
			return '-'
		}
		return -1
	}, heading)
	for n := 0; ; n++ {
		numbered := name
		if n > 0 {
			numbered += "-" + strconv.Itoa(n)
		}
		if !slices.Contains(before, numbered) {
			return numbered
		}
	}
}

// checkLinks follows the links between the module's own files.
func checkLinks(t *testing.T, fsys fs.FS) (problems []string) {
	docs := documents(t, fsys)
	for _, doc := range docs {
		for _, link := range doc.links {
			u, err := url.Parse(link)
			if err != nil {
				problems = append(problems, fmt.Sprintf("%s: link %q: %v", doc.name, link, err))
				continue
			}
			if u.Scheme != "" || u.Host != "" {
				continue
			}
			target := doc.name
			if u.Path != "" {
				target = path.Join(path.Dir(doc.name), u.Path)
			}
			if _, err := fs.Stat(fsys, target); err != nil {
				problems = append(problems, fmt.Sprintf("%s: link to %q leads nowhere", doc.name, link))
				continue
			}
			to := slices.IndexFunc(docs, func(d document) bool { return d.name == target })
			if to >= 0 && u.Fragment != "" && !slices.Contains(docs[to].headings, u.Fragment) {
				problems = append(problems, fmt.Sprintf("%s: link to %q: %s has no such heading", doc.name, link, target))
			}
		}
	}
	return problems
}

// checkTargets compares the make commands in the documents with the Makefile,
// and the one that tests everything with what CI runs.
func checkTargets(t *testing.T, fsys fs.FS) (problems []string) {
	var targets []string
	for _, m := range targetPattern.FindAllStringSubmatch(read(t, fsys, "Makefile"), -1) {
		targets = append(targets, m[1])
	}
	named := map[string]bool{}
	for _, doc := range documents(t, fsys) {
		for _, code := range doc.code {
			for _, m := range makePattern.FindAllStringSubmatch(code, -1) {
				for _, target := range strings.Fields(m[2]) {
					named[doc.name+" "+target] = true
					if !slices.Contains(targets, target) {
						problems = append(problems, fmt.Sprintf("%s: make %s: the Makefile has no such target", doc.name, target))
					}
				}
			}
		}
	}
	if !named["README.md test"] || !strings.Contains(read(t, fsys, ".ci/run"), "make test") {
		problems = append(problems, "README.md and .ci/run must both say make test, so that what people run is what is checked")
	}
	return problems
}

// checkFolders looks for every folder that CONTRIBUTING.md names as `a/b/`.
func checkFolders(t *testing.T, fsys fs.FS) (problems []string) {
	for _, doc := range documents(t, fsys) {
		if doc.name != "CONTRIBUTING.md" {
			continue
		}
		for _, code := range doc.code {
			if !folderPattern.MatchString(code) || code == "bin/" || code == "data/" {
				continue
			}
			if info, err := fs.Stat(fsys, path.Clean(code)); err != nil || !info.IsDir() {
				problems = append(problems, fmt.Sprintf("%s: there is no folder %s", doc.name, code))
			}
		}
	}
	return problems
}

// checkLibraries wants each library that is imported to be named as `module`
// in an ADR, which gives the reason for it.
func checkLibraries(t *testing.T, fsys fs.FS, files []*goFile) (problems []string) {
	var justified []string
	for _, doc := range documents(t, fsys) {
		if path.Dir(doc.name) == "docs/adr" {
			justified = append(justified, doc.code...)
		}
	}
	for _, f := range files {
		for _, spec := range f.syntax.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil || !strings.Contains(strings.SplitN(imported, "/", 2)[0], ".") {
				continue
			}
			if !slices.ContainsFunc(justified, func(module string) bool { return within(imported, module) }) {
				problems = append(problems, fmt.Sprintf(
					"%s: no file in docs/adr says why %s is needed", f.at(spec), imported))
			}
		}
	}
	return problems
}

func TestCheckLinks_FindsFaults(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"file beside", "see [b](b.md)", ""},
		{"folder above", "see [top](../)", ""},
		{"heading", "see [it](b.md#the-2nd-one-r91)", ""},
		{"repeated heading", "see [it](b.md#again-1)", ""},
		{"own heading", "# Here\n[it](#here)", ""},
		{"elsewhere", "[it](https://example.com/none.md#x)", ""},
		{"in code", "`[it](none.md)`\n```\n[it](none.md)\n```", ""},
		{"no file", "see [b](none.md)", `docs/a.md: link to "none.md" leads nowhere`},
		{"no heading", "see [b](b.md#none)", "docs/b.md has no such heading"},
		{"no own heading", "see [b](#none)", "docs/a.md has no such heading"},
	} {
		t.Run(c.name, func(t *testing.T) {
			tree := fstest.MapFS{
				"docs/a.md": {Data: []byte(c.text)},
				"docs/b.md": {Data: []byte("# The `2nd` one (R91)\n## Again\n## Again\n")},
			}
			wantProblem(t, checkLinks(t, tree), c.want)
		})
	}
}

func TestCheckTargets_FindsFaults(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"command", "`make test`", ""},
		{"after a change of folder", "`make test`\n```\ncd centrala && make run\n```", ""},
		{"with a variable", "`make test`, `make SEED=1 run`, `make run SEED=1`", ""},
		{"prose", "`make test` to make sure", ""},
		{"set in", "Do:\n\n    make test    # all\n    make rum\n", "make rum: the Makefile has no such target"},
		{"list", "- `make test` or\n    make rum with it", ""},
		{"unknown", "`make test`, `make rum`", "make rum: the Makefile has no such target"},
		{"second unknown", "```\n$ make test rum\n```", "make rum: the Makefile has no such target"},
		{"other test command", "`go test ./...`", "must both say make test"},
	} {
		t.Run(c.name, func(t *testing.T) {
			tree := fstest.MapFS{
				"README.md": {Data: []byte(c.text)},
				"Makefile":  {Data: []byte(".PHONY: run\nrun: bin\n\ttrue\ntest:\n\ttrue\nX := 1\n")},
				".ci/run":   {Data: []byte("make test\n")},
			}
			wantProblem(t, checkTargets(t, tree), c.want)
		})
	}
}

func TestCheckFolders_FindsFaults(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"`acd/`, `acd/testdata/` and `https://x/`", ""},
		{"`acd/sym/`", "CONTRIBUTING.md: there is no folder acd/sym/"},
	} {
		tree := fstest.MapFS{"CONTRIBUTING.md": {Data: []byte(c.text)}, "acd/testdata/a.txt": {}}
		wantProblem(t, checkFolders(t, tree), c.want)
	}
}

func TestCheckLibraries_FindsFaults(t *testing.T) {
	for _, c := range []struct{ imported, want string }{
		{"example.com/lib/v2/sub", ""},
		{"encoding/json", ""},
		{"centrala/acd", ""},
		{"example.com/library", "a/a.go:3: no file in docs/adr says why example.com/library is needed"},
	} {
		tree := fstest.MapFS{
			"docs/adr/0001-x.md": {Data: []byte("`example.com/lib` for its own sake")},
			"a/a.go":             {Data: []byte("package a\n\nimport _ \"" + c.imported + "\"\n")},
		}
		wantProblem(t, checkLibraries(t, tree, load(t, tree)), c.want)
	}
}
