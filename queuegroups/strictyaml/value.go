package strictyaml

import (
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
)

// Scalar is what one value may be.
type Scalar interface {
	~string | bool | int | time.Duration
}

// Value is one value and its place. When it was not written V is the default
// and At the place of the group of keys that it belongs to.
type Value[T Scalar] struct {
	V   T
	At  Pos
	Set bool // it was written, rightly or wrongly
	Bad bool // it was written wrongly, which has been reported
}

func (v *Value[T]) decode(d *decoder, n *yaml.Node, f field) {
	v.At = f.at
	if n == nil {
		return
	}
	v.At, v.Set = d.pos(n), !d.fallback
	if n = d.resolve(n); n == nil {
		v.Bad = true
		return
	}
	problems := d.report.Len()
	if n.Kind != yaml.ScalarNode || isNull(n) {
		if isNull(n) {
			d.report.Add(f.at, "", "%s has no value", f.what)
		} else {
			d.report.Add(v.At, "", "%s must be %s, not %s", f.what, f.either(typeName[T]()), kindOf(n))
		}
	} else {
		d.scalar(reflect.ValueOf(&v.V).Elem(), n, v.At, f)
	}
	v.Bad = d.report.Len() > problems
}

func typeName[T Scalar]() string {
	var zero T
	switch any(zero).(type) {
	case bool:
		return "true or false"
	case int:
		return "a whole number"
	case time.Duration:
		return "a duration"
	default:
		return "text"
	}
}

// scalar reads a scalar node into rv.
func (d *decoder) scalar(rv reflect.Value, n *yaml.Node, at Pos, f field) {
	tag := n.ShortTag()
	if !slices.Contains([]string{"!!str", "!!int", "!!float", "!!bool", "!!timestamp", "!!merge"}, tag) {
		d.report.Add(at, "", "unknown tag %s", tag)
		return
	}
	switch rv.Interface().(type) {
	case bool:
		d.boolean(rv, n, at, f)
	case int:
		d.integer(rv, n, at, f)
	case time.Duration:
		d.duration(rv, n, at, f)
	default:
		d.text(rv, n, at, f)
	}
}

func (d *decoder) text(rv reflect.Value, n *yaml.Node, at Pos, f field) {
	enum := f.tag.Get("enum")
	if enum != "" && !slices.Contains(strings.Split(enum, ","), n.Value) {
		d.notIn(enum, n, at, f)
		return
	}
	// What would be wrong in quotes, too, is for the pattern's owner to refuse, who knows what to write.
	quoted := f.tag.Get("pattern") == "" || regexp.MustCompile(f.tag.Get("pattern")).MatchString(n.Value)
	switch tag := n.ShortTag(); {
	case quoted && (tag == "!!int" || tag == "!!float" || tag == "!!bool"):
		hint := "write " + strconv.Quote(n.Value)
		if f.tag.Get("secret") != "" {
			hint = ""
		}
		d.report.Add(at, hint, "%s must be text in quotes, not %s", f.what, kindOf(n))
		return
	}
	rv.SetString(n.Value)
}

func (d *decoder) notIn(enum string, n *yaml.Node, at Pos, f field) {
	d.report.Add(at, DidYouMean(n.Value, strings.Split(enum, ",")), "%s must be %s, not %q",
		f.what, oneOf(strings.Split(enum, ",")), n.Value)
}

// oneOf gives "a, b or c".
func oneOf(words []string) string {
	if len(words) == 1 {
		return words[0]
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

func (d *decoder) boolean(rv reflect.Value, n *yaml.Node, at Pos, f field) {
	switch {
	case n.ShortTag() == "!!bool" && n.Value == "true":
		rv.SetBool(true)
	case n.ShortTag() == "!!bool" && n.Value == "false":
		rv.SetBool(false)
	default:
		hint := ""
		switch strings.ToLower(n.Value) {
		case "yes", "y", "on", "true", "1":
			hint = "did you mean true?"
		case "no", "n", "off", "false", "0":
			hint = "did you mean false?"
		}
		d.report.Add(at, hint, "%s must be true or false, not %q", f.what, n.Value)
	}
}

var wholeNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]*)$`)

func (d *decoder) integer(rv reflect.Value, n *yaml.Node, at Pos, f field) {
	number, err := strconv.Atoi(n.Value)
	switch {
	case !wholeNumber.MatchString(n.Value) || err != nil:
		d.report.Add(at, "", "%s must be a whole number, not %q", f.what, n.Value)
	case n.ShortTag() != "!!int":
		d.report.Add(at, "write "+n.Value, "%s must be a whole number without quotes", f.what)
	case below(int64(number), f.tag.Get("min"), atoi) || below(-int64(number), f.tag.Get("max"), negated(atoi)):
		d.report.Add(at, "", "%s must be %s, not %d", f.what, limits(f.tag), number)
	default:
		rv.SetInt(int64(number))
	}
}

func (d *decoder) duration(rv reflect.Value, n *yaml.Node, at Pos, f field) {
	length, err := time.ParseDuration(n.Value)
	switch {
	case err != nil:
		d.report.Add(at, durationHint(n.Value), "%s must be a duration such as 30s, 20m or 1h30m, not %q", f.what, n.Value)
	case below(int64(length), f.tag.Get("min"), nanoseconds) || below(-int64(length), f.tag.Get("max"), negated(nanoseconds)):
		d.report.Add(at, "", "%s must be %s, not %s", f.what, limits(f.tag), n.Value)
	default:
		rv.SetInt(int64(length))
	}
}

var lengthAndUnit = regexp.MustCompile(`^\s*(\d+(?:\.\d+)?)\s*([a-zA-Z]*)\s*$`)

// durationHint guesses the duration behind "15", "15 s", "2 minutes" or "7d".
func durationHint(text string) string {
	m := lengthAndUnit.FindStringSubmatch(text)
	if m == nil {
		return ""
	}
	unit := strings.ToLower(m[2])
	amount, err := strconv.ParseFloat(m[1], 64)
	if err != nil || amount > 10_000 {
		return ""
	}
	switch {
	case unit == "":
		unit = "s"
	case strings.HasPrefix("seconds", unit):
		unit = "s"
	case strings.HasPrefix("minutes", unit):
		unit = "m"
	case strings.HasPrefix("hours", unit) || unit == "hrs":
		unit = "h"
	case strings.HasPrefix("days", unit):
		return didYouMean(strconv.FormatFloat(24*amount, 'f', -1, 64) + "h")
	default:
		return ""
	}
	return didYouMean(m[1] + unit)
}

// below tells whether n is less than a limit; an empty limit is none.
func below(n int64, limit string, parse func(string) int64) bool {
	return limit != "" && n < parse(limit)
}

func atoi(s string) int64 {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		panic("limit in a tag: " + err.Error())
	}
	return n
}

func nanoseconds(s string) int64 {
	d, err := time.ParseDuration(s)
	if err != nil {
		panic("limit in a tag: " + err.Error())
	}
	return int64(d)
}

func negated(parse func(string) int64) func(string) int64 {
	return func(s string) int64 { return -parse(s) }
}

func limits(tag reflect.StructTag) string {
	from, to := tag.Get("min"), tag.Get("max")
	switch {
	case from == "":
		return "at most " + to
	case to == "":
		return "at least " + from
	default:
		return from + " to " + to
	}
}

// List is a list of values, structs or lists; one item may be written without
// the brackets. The tags of the field hold for each item.
type List[T any] struct {
	Items []T
	At    Pos
	Set   bool // it was written
	Bad   bool // something in it is wrong, which has been reported
}

func (l *List[T]) decode(d *decoder, n *yaml.Node, f field) {
	l.At = f.at
	if n == nil {
		return
	}
	l.At, l.Set = d.pos(n), !d.fallback
	if n = d.resolve(n); n == nil {
		l.Bad = true
		return
	}
	problems := d.report.Len()
	defer func() { l.Bad = d.report.Len() > problems }()
	if isNull(n) {
		d.report.Add(f.at, "write [] for none", "%s has no value", f.what)
		return
	}
	nodes := n.Content
	if n.Kind != yaml.SequenceNode {
		nodes, f.list = []*yaml.Node{n}, true
	} else {
		f.what = "each item of " + f.what
	}
	for _, item := range nodes {
		if d.nodes >= maxNodes {
			return
		}
		var v T
		f.at = d.pos(item)
		d.value(reflect.ValueOf(&v).Elem(), item, f)
		l.Items = append(l.Items, v)
	}
}

// Map is a group of keys that the writer of the file chooses, in their order.
type Map[T any] struct {
	Entries []Entry[T]
	At      Pos
}

// Entry is one key of a Map and what is under it.
type Entry[T any] struct {
	Key   string
	At    Pos // of the key
	Value T
}

func (m *Map[T]) decode(d *decoder, n *yaml.Node, f field) {
	m.At = f.at
	if n == nil {
		return
	}
	if n = d.resolve(n); n == nil || isNull(n) {
		return
	}
	if n.Kind != yaml.MappingNode {
		d.report.Add(d.pos(n), "", "%s must be a group of keys, not %s", f.what, kindOf(n))
		return
	}
	d.each(n, func(p pair) {
		e := Entry[T]{Key: keyName(p.key), At: d.pos(p.key)}
		d.value(reflect.ValueOf(&e.Value).Elem(), p.value, field{name: e.Key, what: e.Key, tag: f.tag, at: e.At})
		m.Entries = append(m.Entries, e)
	})
}
