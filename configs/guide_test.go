package configs

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"centrala/queuegroups"
)

const guideFile = "../docs/guides/configuration.md"

const guideHead = `# Configuration

Made from the program's own list of keys by ` + "`go generate ./configs`" + `: change the descriptions there.
Copy the commented samples, [centrala.yaml](../../configs/centrala.yaml) and
[queuegroups.yaml](../../configs/queuegroups.yaml), and change them; editors that know JSON Schema complete
and check them. ` + "`centrala check --config centrala.yaml`" + ` shows every mistake with its place.

In the tables ` + "`<id>`" + ` is a name of your choice and ` + "`[]`" + ` an element of a list. Durations are written
` + "`15s`, `2m`, `1h30m`" + `. A secret is written as itself, ` + "`env:NAME` or `file:PATH`" + `.
`

// schemaNode is what the guide needs of a JSON Schema.
type schemaNode struct {
	Description string                 `json:"description"`
	Default     any                    `json:"default"`
	Enum        []any                  `json:"enum"`
	Minimum     *json.Number           `json:"minimum"`
	Maximum     *json.Number           `json:"maximum"`
	Examples    []any                  `json:"examples"`
	Properties  map[string]*schemaNode `json:"properties"`
	Additional  json.RawMessage        `json:"additionalProperties"`
	Items       *schemaNode            `json:"items"`
	OneOf       []*schemaNode          `json:"oneOf"`
	AnyOf       []*schemaNode          `json:"anyOf"`
}

// rows lists the keys below a node, depth first.
func (n *schemaNode) rows(path string, out []string) []string {
	for _, name := range slices.Sorted(maps.Keys(n.Properties)) {
		key := name
		if path != "" {
			key = path + "." + name
		}
		child := n.Properties[name]
		out = child.rows(key, append(out, child.row(key)))
	}
	var additional schemaNode
	if json.Unmarshal(n.Additional, &additional) == nil && len(n.Additional) > 0 {
		out = additional.rows(path+".<id>", out)
	}
	if n.Items != nil {
		out = n.Items.rows(path+"[]", out)
	}
	for _, alternative := range slices.Concat(n.OneOf, n.AnyOf) {
		out = alternative.rows(path, out)
	}
	return out
}

func (n *schemaNode) row(key string) string {
	var notes []string
	if n.Default != nil && n.Default != "" {
		notes = append(notes, fmt.Sprintf("`%v`", n.Default))
	} else if len(n.Examples) > 0 {
		notes = append(notes, fmt.Sprintf("e.g. `%v`", n.Examples[0]))
	}
	if n.Minimum != nil && n.Maximum != nil {
		notes = append(notes, fmt.Sprintf("%v to %v", *n.Minimum, *n.Maximum))
	}
	text := strings.ReplaceAll(n.Description, "|", `\|`)
	return fmt.Sprintf("| `%s` | %s | %s |", key, text, strings.Join(notes, ", "))
}

// onceEach leaves out what is told already: a list of which a single element may be
// written without brackets has its keys twice.
func onceEach(rows []string) (out []string) {
	told := map[string]bool{}
	for _, row := range rows {
		if key := strings.ReplaceAll(row, "[]", ""); !told[key] {
			told[key] = true
			out = append(out, row)
		}
	}
	return out
}

func TestGuide_IsGenerated(t *testing.T) {
	var b strings.Builder
	b.WriteString(guideHead)
	for _, part := range []struct {
		title  string
		schema func() ([]byte, error)
	}{
		{"centrala.yaml: the server", Schema},
		{"queuegroups.yaml: who answers what", queuegroups.Schema},
	} {
		data, err := part.schema()
		if err != nil {
			t.Fatal(err)
		}
		var root schemaNode
		if err := json.Unmarshal(data, &root); err != nil {
			t.Fatal(err)
		}
		rows := onceEach(root.rows("", nil))
		if len(rows) < 10 {
			t.Fatalf("%s: only %d keys found in the schema", part.title, len(rows))
		}
		fmt.Fprintf(&b, "\n## %s\n\n| key | meaning | default, range |\n|---|---|---|\n%s\n", part.title, strings.Join(rows, "\n"))
	}
	if *update {
		if err := os.WriteFile(guideFile, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(guideFile)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != b.String() {
		t.Errorf("%s is not what `go generate ./configs` makes", guideFile)
	}
}

// Each example in the guide on distribution is a whole configuration, without a mistake.
func TestGuide_DistributionExamplesAreValid(t *testing.T) {
	const guide = "../docs/guides/distribution.md"
	raw, err := os.ReadFile(guide)
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(string(raw), "```yaml\n")
	if len(parts) < 3 {
		t.Fatalf("%d examples", len(parts)-1)
	}
	for _, part := range parts[1:] {
		example, _, _ := strings.Cut(part, "```")
		if _, err := queuegroups.Load(queuegroups.Options{
			Region: "PL", Files: []queuegroups.File{{Name: guide, Data: []byte(example)}},
			LookupEnv: func(string) (string, bool) { return "", false },
		}); err != nil {
			t.Errorf("%v in\n%s", err, example)
		}
	}
}
