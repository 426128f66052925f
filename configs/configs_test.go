package configs

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v4"

	"centrala/queuegroups"
)

var update = flag.Bool("update", false, "rewrite the generated and expected files")

var compared = cmp.Options{
	cmpopts.IgnoreUnexported(Server{}),
	cmp.Comparer(func(a, b netip.Addr) bool { return a == b }),
	cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b }),
	cmp.Comparer(func(a, b netip.Prefix) bool { return a == b }),
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestDefault(t *testing.T) {
	want := &Server{
		Domain: "localhost", Region: "PL", Data: "data",
		Listen: Listen{
			SIP: []SIPListener{
				{"udp", netip.MustParseAddrPort("127.0.0.1:5060")},
				{"tcp", netip.MustParseAddrPort("127.0.0.1:5060")},
			},
			Web:    Web{Addr: netip.MustParseAddrPort("127.0.0.1:8080")},
			WebRTC: netip.MustParseAddrPort("127.0.0.1:0"),
			Admin:  netip.MustParseAddrPort("127.0.0.1:9090"),
		},
		RTP: Ports{10000, 19999}, TLS: TLS{Mode: TLSSelfSigned}, Log: Log{"info", LogConsole}, Trace: Trace{1000, 200, 64, false},
		Engine: EngineEmbedded, Database: DatabaseSQLite, QueueGroups: "queuegroups.yaml",
	}
	if d := cmp.Diff(want, Default(), compared); d != "" {
		t.Error(d)
	}
}

// The sample shows the defaults: an empty file means the same, but for the console, which only the sample has.
func TestDefault_IsAnEmptyFile(t *testing.T) {
	empty, err := Load(write(t, filepath.Join(t.TempDir(), "centrala.yaml"), ""))
	if err != nil {
		t.Fatal(err)
	}
	empty.Data = filepath.Base(empty.Data)
	if empty.Listen.Web.Addr.IsValid() {
		t.Error("a web listener that nobody asked for")
	}
	empty.Listen.Web, empty.Listen.WebRTC = Default().Listen.Web, Default().Listen.WebRTC
	if d := cmp.Diff(empty, Default(), compared); d != "" {
		t.Error(d)
	}
}

func TestDefault_QueueGroups(t *testing.T) {
	c, err := Default().LoadQueueGroups()
	if err != nil {
		t.Fatal(err)
	}
	if n := c.Number("+48221234567"); n == nil || n.Group != "sales" || n.Trunk != "local" {
		t.Errorf("the first number: %+v", n)
	}
	if n := c.Number("+48221234568"); n == nil || n.Group != "support" || n.HoldMusic != "jazz" {
		t.Errorf("the second number: %+v", n)
	}
	for extension, agent := range map[string]queuegroups.AgentID{"101": "anna", "102": "bartek", "103": "celina"} {
		a, _ := c.ByExtension(extension)
		if a == nil || a.ID != agent || a.SIPPassword.Value() != string(agent)+"-sample" {
			t.Errorf("%s: %+v", extension, a)
		}
	}
	if _, g := c.ByExtension("600"); g == nil || g.ID != "sales" || g.Distribution != queuegroups.Evenly {
		t.Errorf("600: %+v", g)
	}
	if g := c.Group("support"); g == nil || g.Distribution != queuegroups.InOrder {
		t.Errorf("support: %+v", g)
	}
}

// What the sample says of a key that is left out must be so: the groups of the
// sample, cut down to the keys that have no default, stay as they are.
func TestSample_GroupDefaults(t *testing.T) {
	full, err := Default().LoadQueueGroups()
	if err != nil {
		t.Fatal(err)
	}
	const short = `
agents: {anna: {name: Anna Nowak, extension: "101", phone: "+48 601 234 567", sip_password: anna-sample}, bartek: {}, celina: {}}
groups: {sales: {name: Sales, extension: "600", agents: [anna, bartek, celina], wrap_up: 5s, hold_music: calm}}
hold_music: {calm: {files: [music/calm.wav]}}
`
	c, err := queuegroups.Load(queuegroups.Options{Region: "PL", Open: Default().Open, Files: []queuegroups.File{{Name: "short", Data: []byte(short)}}})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(full.Group("sales"), c.Group("sales")); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(full.Agent("anna"), c.Agent("anna")); d != "" {
		t.Error(d)
	}
}

// Every key of the settings is in the sample, with a comment of its own or of the group of lines it is in.
func TestSample_KeysAreCommented(t *testing.T) {
	data, err := sample.ReadFile(sampleFile)
	if err != nil {
		t.Fatal(err)
	}
	var root yaml.Node
	if err := yaml.Load(data, &root); err != nil {
		t.Fatal(err)
	}
	var walk func(n *yaml.Node)
	walk = func(n *yaml.Node) {
		for i := 0; n.Kind == yaml.MappingNode && i < len(n.Content); i += 2 {
			key, value := n.Content[i], n.Content[i+1]
			lines := bytes.Split(data, []byte("\n"))
			if above := strings.TrimSpace(string(lines[key.Line-2])); !strings.HasPrefix(above, "#") {
				t.Errorf("%s:%d: no comment above %s", sampleFile, key.Line, key.Value)
			}
			walk(value)
		}
	}
	walk(root.Content[0])
}

func TestSample_HasEveryKey(t *testing.T) {
	for name, schema := range map[string]func() ([]byte, error){sampleFile: Schema, "queuegroups.yaml": queuegroups.Schema} {
		text, err := sample.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		data, err := schema()
		if err != nil {
			t.Fatal(err)
		}
		var tree any
		if err := json.Unmarshal(data, &tree); err != nil {
			t.Fatal(err)
		}
		keys := map[string]bool{}
		properties(tree, keys)
		if len(keys) < 10 {
			t.Errorf("%s: only %d keys in the schema", name, len(keys))
		}
		for key := range keys {
			if !regexp.MustCompile(`(?m)[\s#{]` + key + `:(\s|$)`).Match(text) {
				t.Errorf("%s does not show the key %s", name, key)
			}
		}
	}
}

func properties(tree any, keys map[string]bool) {
	switch tree := tree.(type) {
	case map[string]any:
		for name, value := range tree {
			if name == "properties" {
				for key := range value.(map[string]any) {
					keys[key] = true
				}
			}
			properties(value, keys)
		}
	case []any:
		for _, value := range tree {
			properties(value, keys)
		}
	}
}

func TestSchema_IsGenerated(t *testing.T) {
	for name, schema := range map[string]func() ([]byte, error){
		"schema/centrala.schema.json": Schema, "schema/queuegroups.schema.json": queuegroups.Schema,
	} {
		want, err := schema()
		if err != nil {
			t.Fatal(err)
		}
		if *update {
			if err := os.WriteFile(name, want, 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		got, err := sample.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(string(want), string(got)); d != "" {
			t.Errorf("%s is not what `go generate ./configs` makes: %s", name, d)
		}
	}
}

func compile(t *testing.T, name string) *jsonschema.Schema {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource(name, document); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile(name)
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// follows tells what keeps a YAML file from following a schema.
func follows(t *testing.T, schema *jsonschema.Schema, file string) error {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var value any
	if err := yaml.Load(data, &value); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return schema.Validate(document)
}

func TestSchema_FitsTheFiles(t *testing.T) {
	server, groups := compile(t, "schema/centrala.schema.json"), compile(t, "schema/queuegroups.schema.json")
	for file, schema := range map[string]*jsonschema.Schema{
		"centrala.yaml": server, "queuegroups.yaml": groups,
		"testdata/design.yaml": server, "../queuegroups/testdata/design.yaml": groups,
	} {
		if err := follows(t, schema, file); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
	for file, schema := range map[string]*jsonschema.Schema{"centrala.yaml": groups, "queuegroups.yaml": server} {
		var invalid *jsonschema.ValidationError
		if err := follows(t, schema, file); !errors.As(err, &invalid) {
			t.Errorf("%s follows the wrong schema: %v", file, err)
		}
	}
}
