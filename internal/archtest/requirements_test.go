package archtest

import (
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
)

// dropped are numbers up to chatsLast that the list of requirements does not have, or that are of calls alone.
var dropped = []int{11, 12, 13, 14, 15, 17, 26, 33, 77}

// chatsLast is the last requirement of chats.
const chatsLast = 78

var (
	requirementRow = regexp.MustCompile(`(?m)^\| R([0-9]+) \|.*\| (.*) \|$`)
	shownBy        = regexp.MustCompile("`Test|\\.txt\\)")
)

// checkRequirements wants docs/requirements.md to say of each requirement of chats which tests
// show it, or that it is not met yet. That the tests it names are there is checkTests' to see.
func checkRequirements(t *testing.T, fsys fs.FS) (problems []string) {
	t.Helper()
	rows := map[int]string{}
	for _, m := range requirementRow.FindAllStringSubmatch(read(t, fsys, "docs/requirements.md"), -1) {
		n, err := strconv.Atoi(m[1])
		if err != nil || rows[n] != "" {
			problems = append(problems, "R"+m[1]+" is there twice")
			continue
		}
		rows[n] = m[2]
	}
	for n := 1; n <= chatsLast; n++ {
		switch row := rows[n]; {
		case slices.Contains(dropped, n):
		case row == "":
			problems = append(problems, fmt.Sprintf("R%d is missing", n))
		case !shownBy.MatchString(row) && !strings.Contains(row, "not yet"):
			problems = append(problems, fmt.Sprintf("R%d names no test, and does not say not yet", n))
		}
	}
	return problems
}

// TestRequirements_AreShown reads the table of what is required of chats.
func TestRequirements_AreShown(t *testing.T) {
	report(t, checkRequirements(t, source()))
}

func TestCheckRequirements(t *testing.T) {
	var b strings.Builder
	for n := 3; n <= chatsLast; n++ {
		fmt.Fprintf(&b, "| R%d | x | not yet |\n", n)
	}
	fmt.Fprint(&b, "| R1 | x | surely |\n| R3 | x | `TestX` |\n")
	problems := checkRequirements(t, fstest.MapFS{"docs/requirements.md": {Data: []byte(b.String())}})
	want := []string{"R3 is there twice", "R1 names no test, and does not say not yet", "R2 is missing"}
	if !slices.Equal(problems, want) {
		t.Errorf("%q, want %q", problems, want)
	}
}
