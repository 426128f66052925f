package strictyaml

import (
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

const (
	maxSize  = 16 << 20 // bytes of one file
	maxNodes = 1 << 20  // values read from one file, those repeated by aliases counted each time
)

// Decode reads a source into the struct or Map that into points to, and adds every
// mistake to the report. Keys that are absent get their defaults. It tells
// whether the source is YAML at all; if not, into is as for an empty file.
//
// Fields of the struct are Value, List, Map, structs and pointers to structs of
// these. A field of type Pos is given the place of the struct. Tags:
//
//	yaml:"key"        the key
//	doc:"text"        what it means, for the schema
//	default:"5s"      YAML that stands for an absent key
//	required:"true"   the key must be there
//	short:"true"      in place of the struct this value alone may be written
//	enum:"udp,tcp"    all the values that are allowed
//	min, max          limits of a number or duration
//	pattern           a regular expression for text, for the schema; whoever uses the value looks at it themself.
//	                  A number that does not match is read as the text it is, since quotes alone would not mend it
//	example           text, for the schema only
//	secret:"true"     the value is never shown
func Decode(source *Source, into any, report *Report) bool {
	d := &decoder{source: source, report: report, types: map[reflect.Type]structFields{}, defaults: map[string]*yaml.Node{}}
	root, ok := d.parse()
	d.value(reflect.ValueOf(into).Elem(), root, field{at: source.At(1, 1), what: "the file"})
	return ok
}

type decoder struct {
	source   *Source
	report   *Report
	nodes    int                 // values read so far
	fallback bool                // defaults are being read
	at       Pos                 // while defaults are being read: the place that stands for them
	merging  map[*yaml.Node]bool // mappings that "<<" is being followed from

	// What the tags say, read once.
	types    map[reflect.Type]structFields
	defaults map[string]*yaml.Node
}

// field says where and under what rules a value stands.
type field struct {
	name string // the key; for items of a list that of the list
	what string // for messages about the value as a whole
	list bool   // the value stands for a list of one
	tag  reflect.StructTag
	at   Pos // the key's place
}

// either adds to what a value must be that it may be a list of such too.
func (f field) either(kind string) string {
	if f.list {
		return kind + " or a list"
	}
	return kind
}

// target is a type that reads itself; n is nil when nothing was written.
type target interface {
	decode(d *decoder, n *yaml.Node, f field)
	schema(tag reflect.StructTag) map[string]any
}

// parse gives the root node, nil for an empty file.
func (d *decoder) parse() (*yaml.Node, bool) {
	if len(d.source.data) > maxSize {
		d.report.Add(d.source.At(1, 1), "", "the file is larger than %d MB", maxSize>>20)
		return nil, false
	}
	if !d.source.check(d.report) {
		return nil, false
	}
	loader, err := yaml.NewLoader(strings.NewReader(string(d.source.data)))
	if err != nil {
		d.syntax(err)
		return nil, false
	}
	var root, second yaml.Node
	if err := loader.Load(&root); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, true
		}
		d.syntax(err)
		return nil, false
	}
	if err := loader.Load(&second); err == nil {
		d.report.Add(d.source.At(second.Line, second.Column), "remove the line ---", "the file holds a second document")
		return nil, false
	} else if !errors.Is(err, io.EOF) {
		d.syntax(err)
		return nil, false
	}
	if len(root.Content) == 0 {
		return nil, true
	}
	return root.Content[0], true
}

func (d *decoder) pos(n *yaml.Node) Pos {
	if d.fallback {
		return d.at
	}
	return d.source.At(n.Line, n.Column)
}

// resolve follows an alias, and counts.
func (d *decoder) resolve(n *yaml.Node) *yaml.Node {
	for n != nil && n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if d.nodes++; d.nodes == maxNodes {
		d.report.Add(d.source.At(1, 1), "", "the file holds more than %d values", maxNodes)
	}
	if d.nodes >= maxNodes {
		return nil
	}
	return n
}

// value reads n into rv: a target, a struct, or a pointer to a struct.
func (d *decoder) value(rv reflect.Value, n *yaml.Node, f field) {
	if t, ok := rv.Addr().Interface().(target); ok {
		t.decode(d, n, f)
		return
	}
	if rv.Kind() == reflect.Pointer {
		if n == nil {
			return
		}
		rv.Set(reflect.New(rv.Type().Elem()))
		rv = rv.Elem()
	}
	d.structure(rv, n, f)
}

// structure reads a mapping into a struct.
func (d *decoder) structure(rv reflect.Value, n *yaml.Node, f field) {
	fields, ok := d.types[rv.Type()]
	if !ok {
		fields = fieldsOf(rv.Type())
		d.types[rv.Type()] = fields
	}
	var written map[string]pair
	var misspelt map[string]bool
	alone := "" // the key whose value stands for the whole
	if n != nil {
		n = d.resolve(n)
	}
	switch {
	case n == nil || isNull(n):
	case n.Kind == yaml.MappingNode:
		written, misspelt = d.keys(n, fields)
	case fields.short >= 0 && n.Kind == yaml.ScalarNode:
		alone = fields.list[fields.short].name
		written = map[string]pair{alone: {key: n, value: n}}
	default:
		d.report.Add(d.pos(n), "", "%s must be %s, not %s", f.what, f.either("a group of keys"), kindOf(n))
		n = nil // nothing is required of it any more
	}
	for _, sf := range fields.list {
		if sf.position {
			rv.Field(sf.index).Set(reflect.ValueOf(f.at))
			continue
		}
		inner := field{name: sf.name, what: sf.name, tag: sf.tag, at: f.at}
		p, ok := written[sf.name]
		if !ok {
			if n != nil && sf.tag.Get("required") != "" && !misspelt[sf.name] {
				d.report.Add(f.at, "", "%s has no %s", f.what, sf.name)
			}
			d.absent(rv.Field(sf.index), inner)
			continue
		}
		inner.at = d.pos(p.key)
		if sf.name == alone {
			inner.what = f.what
		}
		d.value(rv.Field(sf.index), p.value, inner)
	}
}

// absent gives a field its default.
func (d *decoder) absent(rv reflect.Value, f field) {
	text, ok := f.tag.Lookup("default")
	if !ok {
		d.value(rv, nil, f)
		return
	}
	node, ok := d.defaults[text]
	if !ok {
		var document yaml.Node
		if err := yaml.Load([]byte(text), &document); err != nil {
			panic(fmt.Sprintf("default of %s: %v", f.name, err))
		}
		node = document.Content[0]
		d.defaults[text] = node
	}
	inner := &decoder{source: d.source, report: d.report, fallback: true, at: f.at, types: d.types, defaults: d.defaults}
	inner.value(rv, node, f)
}

type pair struct{ key, value *yaml.Node }

// keys gives the pairs of a mapping that have a field, and reports the others;
// misspelt are the fields that those were probably meant for.
func (d *decoder) keys(n *yaml.Node, fields structFields) (written map[string]pair, misspelt map[string]bool) {
	written, misspelt = map[string]pair{}, map[string]bool{}
	names := fields.names()
	d.each(n, func(p pair) {
		name := keyName(p.key)
		if slices.Contains(names, name) {
			written[name] = p
			return
		}
		meant := closest(name, names)
		misspelt[meant] = true
		d.report.Add(d.pos(p.key), didYouMean(meant), "unknown key %q", name)
	})
	return written, misspelt
}

// keyName gives the text of a key, which each has found to be a scalar.
func keyName(key *yaml.Node) string {
	if key.Kind == yaml.AliasNode {
		key = key.Alias
	}
	return key.Value
}

// each visits the pairs of a mapping in order, those that "<<" brings in last.
// Repeated keys are reported and left out.
func (d *decoder) each(n *yaml.Node, visit func(pair)) {
	seen := map[string]Pos{}
	var merges []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if key.Kind == yaml.AliasNode {
			key = key.Alias
		}
		if key.Kind != yaml.ScalarNode {
			d.report.Add(d.pos(n.Content[i]), "", "a key must be text, not %s", kindOf(key))
			continue
		}
		if key.ShortTag() == "!!merge" {
			merges = append(merges, n.Content[i+1])
			continue
		}
		if first, twice := seen[key.Value]; twice {
			d.report.Add(d.pos(n.Content[i]), "", "the key %q is already there in line %d", key.Value, first.Line)
			continue
		}
		seen[key.Value] = d.pos(n.Content[i])
		visit(pair{n.Content[i], n.Content[i+1]})
	}
	for _, m := range merges {
		d.merge(n, m, func(p pair) {
			if _, own := seen[keyName(p.key)]; !own {
				seen[keyName(p.key)] = d.pos(p.key)
				visit(p)
			}
		})
	}
}

// merge visits the pairs of the mapping, or list of mappings, that "<<" in n names.
func (d *decoder) merge(n, from *yaml.Node, visit func(pair)) {
	at := d.pos(from)
	if from = d.resolve(from); from == nil {
		return
	}
	if d.merging[n] {
		d.report.Add(at, "", "<< leads back to itself")
		return
	}
	if d.merging == nil {
		d.merging = map[*yaml.Node]bool{}
	}
	d.merging[n] = true
	defer delete(d.merging, n)
	switch from.Kind {
	case yaml.MappingNode:
		d.each(from, visit)
	case yaml.SequenceNode:
		for _, item := range from.Content {
			d.merge(from, item, visit)
		}
	default:
		d.report.Add(at, "", "<< must name a group of keys, not %s", kindOf(from))
	}
}

func isNull(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null"
}

// kindOf says in words what a node is.
func kindOf(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a group of keys"
	case yaml.SequenceNode:
		return "a list"
	case yaml.ScalarNode:
		switch n.ShortTag() {
		case "!!null":
			return "nothing"
		case "!!int", "!!float":
			return "a number"
		case "!!bool":
			return "true or false"
		}
	}
	return "text"
}

// structFields is what the tags of a struct say.
type structFields struct {
	list  []structField
	short int // index in list of the value that may stand alone; -1: none
}

type structField struct {
	name     string
	index    int
	tag      reflect.StructTag
	position bool // the field is the struct's own place
}

func fieldsOf(t reflect.Type) structFields {
	fields := structFields{short: -1}
	for i := range t.NumField() {
		sf := t.Field(i)
		name := sf.Tag.Get("yaml")
		position := sf.Type == reflect.TypeFor[Pos]()
		if name == "" && !position {
			continue
		}
		if sf.Tag.Get("short") != "" {
			fields.short = len(fields.list)
		}
		fields.list = append(fields.list, structField{name: name, index: i, tag: sf.Tag, position: position})
	}
	return fields
}

func (s structFields) names() []string {
	var names []string
	for _, f := range s.list {
		if !f.position {
			names = append(names, f.name)
		}
	}
	return names
}
