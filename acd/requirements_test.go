package acd_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The requirements that are the core's, and the pains of the field that it must
// not have: each has a script, or a test, that bears its name. Those of sections
// B, C, D, E, F, H and M that are not listed speak of other parts of the product.
const named = `
	R2 R16 R18 R19 R19a R20 R21 R22 R23 R24 R25 R27 R28 R29 R30
	R31 R32 R34 R35 R36 R37 R38 R39 R40 R41 R42 R43
	R44 R45 R46 R47 R48d R48 R49
	R50 R51 R52 R58 R59 R61 R62 R66
	R87 R89 R90 R91 R92 R93 R94 R95 R96 R97 R98 R99 R100 R101 R102
	F1 F2 F3 F4 F5 F6 F7 F8 F9 F10 F11 F12 F13 F14 F15`

func TestRequirements_EachHasAScript(t *testing.T) {
	have := map[string]bool{}
	scripts, err := filepath.Glob("testdata/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range scripts {
		id, _, _ := strings.Cut(strings.TrimSuffix(filepath.Base(path), ".txt"), "_")
		have[id] = true
		if text, err := os.ReadFile(path); err != nil {
			t.Error(err)
		} else if !strings.HasPrefix(string(text), "# ") {
			t.Errorf("%s does not say what it shows", path)
		}
	}
	tests, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range tests {
		source, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`\nfunc Test([RF]\w+?)_`).FindAllSubmatch(source, -1) {
			have[string(m[1])] = true
		}
	}
	for _, id := range strings.Fields(named) {
		if !have[id] {
			t.Errorf("no script and no test is named after %s", id)
		}
	}
}
