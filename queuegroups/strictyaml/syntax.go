package strictyaml

import (
	"errors"
	"strings"

	"go.yaml.in/yaml/v4"
)

// syntax reports what kept a file from being YAML, in words for a person and at
// the place to mend: for something never closed that is where it was opened.
func (d *decoder) syntax(err error) {
	var load *yaml.LoadError
	if !errors.As(err, &load) {
		d.report.Add(d.source.At(1, 1), "", "not YAML: %v", err)
		return
	}
	mark, message, hint := load.Mark, load.Message, ""
	switch context := load.ContextMsg; {
	case strings.Contains(message, "mapping values are not allowed"):
		message, hint = "a colon is not allowed here", "text with a colon goes in quotes; keys of one group begin in the same column"
	case strings.Contains(context, "quoted scalar") && strings.Contains(message, "end of stream"):
		mark, message = load.ContextMark, "the quotes opened here are never closed"
	case strings.Contains(context, "flow sequence"):
		mark, message = load.ContextMark, "the list opened here is not closed, or a comma is missing in it"
	case strings.Contains(context, "flow mapping"):
		mark, message = load.ContextMark, "the bracket opened here is not closed, or a comma is missing after it"
	case strings.Contains(message, "cannot start any token"):
		message, hint = "this character cannot begin a value", "text that begins with it goes in quotes"
		if d.isTab(mark) {
			message, hint = "a tab is not allowed here", "indent with spaces"
		}
	case strings.Contains(context, "block mapping"), strings.Contains(context, "block collection"):
		message, hint = "this line does not go with those before it", "keys of one group, and items of one list, begin in the same column"
	case strings.Contains(context, "simple key"):
		mark, message = load.ContextMark, "a colon is missing after this key"
	case strings.Contains(message, "unknown anchor"):
		message = strings.ReplaceAll(strings.TrimSuffix(message, " referenced"), "'", "") + ": no & gives this name before"
	case strings.Contains(message, "unknown escape character"):
		message, hint = "unknown escape after \\", `write \\ for a backslash, or use single quotes`
	}
	d.report.Add(d.source.At(mark.Line, mark.Column), hint, "not YAML: %s", message)
}

func (d *decoder) isTab(mark yaml.Mark) bool {
	at := d.source.At(mark.Line, mark.Column)
	line := []rune(d.source.lines[at.Line-1])
	return at.Column <= len(line) && line[at.Column-1] == '\t'
}
