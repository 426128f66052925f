package strictyaml

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Source is a file's text, kept to show the lines that mistakes are on.
type Source struct {
	Name   string // as people know the file
	data   []byte
	lines  []string
	widths []int            // of the lines, in characters
	spans  map[int][][2]int // the secrets in lines shown before, by line
}

// NewSource makes a source of a file's name and contents.
func NewSource(name string, data []byte) *Source {
	text := strings.TrimPrefix(string(data), "\ufeff")
	plain := strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text)
	s := &Source{Name: name, data: []byte(text), lines: strings.Split(plain, "\n"), spans: map[int][][2]int{}}
	s.widths = make([]int, len(s.lines))
	for i, line := range s.lines {
		s.widths[i] = utf8.RuneCountInString(line)
	}
	return s
}

// Pos is a place in a source. Line and Column count from 1; Column is in
// characters. The zero Pos is no place at all.
type Pos struct {
	Source *Source
	Line   int
	Column int
}

// String gives the place as "file:line:column".
func (p Pos) String() string {
	if p.Source == nil {
		return "?"
	}
	return fmt.Sprintf("%s:%d:%d", p.Source.Name, p.Line, p.Column)
}

// At gives a place in the source, moved to the nearest that exists.
func (s *Source) At(line, column int) Pos {
	line = min(max(line, 1), len(s.lines))
	// One column past the end is a place too: what is missing is missing there.
	column = min(max(column, 1), s.widths[line-1]+1)
	return Pos{Source: s, Line: line, Column: column}
}

// at gives the place of the byte at an offset.
func (s *Source) at(offset int) Pos {
	before := strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(string(s.data[:offset]))
	line := strings.Count(before, "\n") + 1
	column := utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:]) + 1
	return s.At(line, column)
}

const (
	shownWidth = 120     // how many characters of a line are shown at most
	longLine   = 8 << 10 // the length in bytes of a line from which nothing is shown
)

// show gives a line as it may be shown, and where in it, from 0, a column is.
// The line is empty if there is nothing to show.
func (s *Source) show(line, column int) (string, int) {
	if len(s.lines[line-1]) > longLine {
		return "", 0
	}
	text := strings.TrimRight(s.lines[line-1], " \t")
	spans, ok := s.spans[line]
	if !ok {
		spans = secrets(text)
		s.spans[line] = spans
	}
	text, caret := hide(text, spans, column-1)
	runes := []rune(text)
	for i, r := range runes {
		if r != '\t' && !unicode.IsPrint(r) {
			runes[i] = unicode.ReplacementChar
		}
	}
	if len(runes) > shownWidth {
		from := min(max(0, caret-shownWidth/2), len(runes)-shownWidth)
		part := runes[from : from+shownWidth]
		caret -= from
		if from > 0 {
			part = append([]rune{'…'}, part...)
			caret++
		}
		if from+shownWidth < len(runes) {
			part = append(part[:len(part):len(part)], '…')
		}
		runes = part
	}
	return string(runes), caret
}

// hidden stands for a secret in a line that is shown.
const hidden = "***"

var (
	// A key whose value is a secret, up to the value; the line need not be valid YAML.
	secretKey = regexp.MustCompile(`(?i)[\w-]*(?:password|secret|token)["']?\s*:\s*`)
	// The password in a URL such as postgres://user:password@host.
	urlPassword = regexp.MustCompile(`://[^/@\s:]*:([^@\s]+)@`)
	// A secret that is only referred to.
	reference = regexp.MustCompile(`^["']?(?:env|file):`)
)

// secrets finds the bytes of a line that are secret, in order.
func secrets(line string) (spans [][2]int) {
	bracket := strings.IndexAny(line, "{[")
	for _, key := range secretKey.FindAllStringIndex(line, -1) {
		from := key[1]
		if len(spans) > 0 && from < spans[len(spans)-1][1] {
			continue
		}
		to := from + secretLength(line[from:], bracket >= 0 && bracket < key[0])
		if to > from && !reference.MatchString(line[from:]) {
			spans = append(spans, [2]int{from, to})
		}
	}
	if len(spans) == 0 {
		for _, m := range urlPassword.FindAllStringSubmatchIndex(line, -1) {
			spans = append(spans, [2]int{m[2], m[3]})
		}
	}
	return spans
}

// hide masks the secrets of a line and moves the caret, counted in characters
// from 0, with the text that it points at.
func hide(line string, spans [][2]int, caret int) (string, int) {
	var b strings.Builder
	last, start, moved := 0, 0, caret
	for _, span := range spans {
		b.WriteString(line[last:span[0]])
		b.WriteString(hidden)
		start += utf8.RuneCountInString(line[last:span[0]])
		width := utf8.RuneCountInString(line[span[0]:span[1]])
		switch {
		case caret >= start+width:
			moved += len(hidden) - width
		case caret > start:
			moved -= caret - start
		}
		start += width
		last = span[1]
	}
	b.WriteString(line[last:])
	return b.String(), moved
}

// secretLength is the length in bytes of the value that begins a text; inside
// brackets a plain value ends at a comma or bracket, elsewhere with the line.
func secretLength(text string, flow bool) int {
	if text == "" {
		return 0
	}
	if quote := text[0]; quote == '"' || quote == '\'' {
		for i := 1; i < len(text); i++ {
			switch {
			case quote == '"' && text[i] == '\\':
				i++
			case text[i] == quote && quote == '\'' && strings.HasPrefix(text[i+1:], "'"):
				i++
			case text[i] == quote:
				return i + 1
			}
		}
		return len(text)
	}
	if flow {
		if i := strings.IndexAny(text, ",}]"); i >= 0 {
			return i
		}
	}
	return len(text)
}

// check finds what no YAML file may contain.
func (s *Source) check(report *Report) bool {
	for i := 0; i < len(s.data); {
		r, size := utf8.DecodeRune(s.data[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			report.Add(s.at(i), "save the file as UTF-8", "the file is not UTF-8 text")
			return false
		case !allowed(r):
			report.Add(s.at(i), "", "the character %U is not allowed here", r)
			return false
		}
		i += size
	}
	return true
}

// allowed tells whether a character may be in a file. YAML 1.2 section 5.1,
// without the line breaks that only old YAML knew and editors do not count.
func allowed(r rune) bool {
	switch {
	case r == '\t', r == '\n', r == '\r', r >= ' ' && r <= '~', r >= 0xA0 && r <= 0xD7FF:
		return r != '\u2028' && r != '\u2029'
	case r >= 0xE000 && r <= 0xFFFD:
		return r != '\ufeff'
	default:
		return r >= 0x10000 && r <= unicode.MaxRune
	}
}
