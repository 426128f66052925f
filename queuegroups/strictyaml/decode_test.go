package strictyaml

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

type sample struct {
	At     Pos
	Name   Value[string]        `yaml:"name" default:"nobody"`
	Size   Value[int]           `yaml:"size" default:"3" min:"1" max:"9"`
	Wait   Value[time.Duration] `yaml:"wait" default:"5s" max:"1m"`
	Loud   Value[bool]          `yaml:"loud"`
	Words  List[Value[string]]  `yaml:"words" default:"[a, b]"`
	Things Map[thing]           `yaml:"things" keys:"^[a-z]+$"`
	Inner  thing                `yaml:"inner"`
	Maybe  *thing               `yaml:"maybe"`
	Steps  List[thing]          `yaml:"steps" default:"stay"`
}

type thing struct {
	At   Pos
	Kind Value[string] `yaml:"kind" required:"true" short:"true" enum:"go,stay"`
	Pass Value[string] `yaml:"password" secret:"true"`
}

func decode(text string) (sample, bool, Problems) {
	var s sample
	var report Report
	ok := Decode(NewSource("f", []byte(text)), &s, &report)
	var problems Problems
	errors.As(report.Err(), &problems)
	return s, ok, problems
}

func place(p Pos) [2]int { return [2]int{p.Line, p.Column} }

func TestDecode_ValuesAndPlaces(t *testing.T) {
	s, ok, problems := decode(`# żółw
name: ż
wait: 1m
loud: true
words: [x, "y z"]
things:
  b: {kind: go}
  a: stay
maybe: go
steps: [go, {kind: stay}]
`)
	if !ok || problems != nil {
		t.Fatalf("%v, %v", ok, problems)
	}
	if s.Name.V != "ż" || !s.Name.Set || place(s.Name.At) != [2]int{2, 7} {
		t.Errorf("name: %+v", s.Name)
	}
	if s.Wait.V != time.Minute || !s.Loud.V {
		t.Errorf("wait %v, loud %v", s.Wait.V, s.Loud.V)
	}
	if len(s.Words.Items) != 2 || s.Words.Items[1].V != "y z" || place(s.Words.Items[1].At) != [2]int{5, 12} {
		t.Errorf("words: %+v", s.Words)
	}
	things := s.Things.Entries
	if len(things) != 2 || things[0].Key != "b" || things[1].Key != "a" || place(things[1].At) != [2]int{8, 3} {
		t.Errorf("things: %+v", things)
	}
	if things[1].Value.Kind.V != "stay" || place(things[1].Value.Kind.At) != [2]int{8, 6} || place(things[1].Value.At) != [2]int{8, 3} {
		t.Errorf("the second thing: %+v", things[1].Value)
	}
	if s.Maybe == nil || s.Maybe.Kind.V != "go" {
		t.Errorf("maybe: %+v", s.Maybe)
	}
	if len(s.Steps.Items) != 2 || s.Steps.Items[1].Kind.V != "stay" || place(s.Steps.Items[1].At) != [2]int{10, 13} {
		t.Errorf("steps: %+v", s.Steps)
	}
}

func TestDecode_Defaults(t *testing.T) {
	for _, text := range []string{"", "# nothing", "---\n", "{}", "\ufeff"} {
		s, ok, problems := decode(text)
		if !ok || problems != nil {
			t.Fatalf("%q: %v, %v", text, ok, problems)
		}
		if s.Name.V != "nobody" || s.Size.V != 3 || s.Wait.V != 5*time.Second || s.Loud.V || s.Maybe != nil {
			t.Errorf("%q: %+v", text, s)
		}
		if s.Name.Set || s.Words.Set || place(s.Name.At) != [2]int{1, 1} {
			t.Errorf("%q: a default counts as written: %+v", text, s.Name)
		}
		if len(s.Words.Items) != 2 || len(s.Steps.Items) != 1 || s.Steps.Items[0].Kind.V != "stay" {
			t.Errorf("%q: words %+v, steps %+v", text, s.Words, s.Steps)
		}
	}
}

func TestDecode_Aliases(t *testing.T) {
	s, ok, problems := decode("things: {a: &a {kind: &go go}, b: *a, c: {<<: *a, password: x}, d: *go}\nwords: &w [x]\n*go : 1\n")
	if !ok || len(problems) != 1 || problems[0].Line != 3 || problems[0].Column != 1 || !strings.Contains(problems[0].Message, `unknown key "go"`) {
		t.Fatalf("%v, %v", ok, problems)
	}
	for _, e := range s.Things.Entries {
		if e.Value.Kind.V != "go" {
			t.Errorf("%s: %+v", e.Key, e.Value)
		}
	}
	if s.Things.Entries[2].Value.Pass.V != "x" {
		t.Errorf("<< hides what is there: %+v", s.Things.Entries[2])
	}
}

// A small file that stands for billions of values is refused, quickly.
func TestDecode_Bomb(t *testing.T) {
	type nested struct {
		Lists List[List[Value[string]]] `yaml:"lists"`
	}
	var n nested
	var report Report
	text := "lists: [&w [" + strings.Repeat("x, ", 2000) + "]" + strings.Repeat(", *w", 2000) + "]\n"
	Decode(NewSource("f", []byte(text)), &n, &report)
	if err := report.Err(); err == nil || !strings.Contains(err.Error(), "more than") {
		t.Errorf("4 million values: %v", err)
	}
}

func TestDecode_Large(t *testing.T) {
	var s sample
	var report Report
	if Decode(NewSource("f", make([]byte, maxSize+1)), &s, &report) || report.Len() != 1 {
		t.Errorf("a file of %d bytes: %v", maxSize+1, report.Err())
	}
}

func TestReport(t *testing.T) {
	var report Report
	if report.Err() != nil || report.Join(nil) != nil {
		t.Error("an empty report is an error")
	}
	a, b := NewSource("a", []byte("one\n\ttwo\n")), NewSource("b", []byte("x"))
	report.Add(b.At(1, 1), "", "third")
	report.Add(a.At(2, 3), "hint", "second")
	report.Add(a.At(1, 2), "", "first")
	report.Add(a.At(1, 2), "", "first")
	report.Add(Pos{}, "", "nowhere")
	const want = "?:0:0: nowhere\na:1:2: first\na:2:3: second (hint)\nb:1:1: third"
	if got := report.Err().Error(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	var problems Problems
	if !errors.As(report.Err(), &problems) {
		t.Fatal("not Problems")
	}
	const shown = "?:0:0: nowhere\na:1:2: first\n  one\n   ^\na:2:3: second (hint)\n  \ttwo\n  \t ^\nb:1:1: third\n  x\n  ^\n"
	if got := Format(problems); got != shown {
		t.Errorf("got\n%s\nwant\n%s", got, shown)
	}
	var other Report
	other.Add(b.At(1, 1), "", "fourth")
	if err := other.Join(problems); !errors.As(err, &problems) || len(problems) != 5 {
		t.Errorf("joined: %v", err)
	}
	if err := other.Join(os.ErrClosed); !errors.Is(err, os.ErrClosed) {
		t.Errorf("an error of another kind became %v", err)
	}
}

func TestSource_At(t *testing.T) {
	s := NewSource("f", []byte("ab\r\nżółw\rx"))
	for _, test := range []struct{ line, column, wantLine, wantColumn int }{
		{1, 1, 1, 1}, {1, 3, 1, 3}, {1, 9, 1, 3}, {2, 5, 2, 5}, {2, 6, 2, 5}, {3, 1, 3, 1}, {7, 1, 3, 1}, {0, 0, 1, 1}, {-1, -1, 1, 1},
	} {
		if at := s.At(test.line, test.column); at.Line != test.wantLine || at.Column != test.wantColumn {
			t.Errorf("%d:%d: %s", test.line, test.column, at)
		}
	}
	if at := s.at(len("ab\r\nżó")); place(at) != [2]int{2, 3} {
		t.Errorf("at: %s", at)
	}
	if (Pos{}).String() != "?" {
		t.Error("no place has a name")
	}
}

func TestMask(t *testing.T) {
	for line, want := range map[string]string{
		`sip_password: hunter2`:                          `sip_password: ***`,
		`  sip_password: "hunter2" # comment`:            `  sip_password: *** # comment`,
		`a: {sip_password: hunter2, x: y}`:               `a: {sip_password: ***, x: y}`,
		`a: {sip_password: hunter2}`:                     `a: {sip_password: ***}`,
		`a: {sip_password: "hun,ter}2", x: y}`:           `a: {sip_password: ***, x: y}`,
		`a: {sip_password: "hun\"ter2", x: y}`:           `a: {sip_password: ***, x: y}`,
		`a: {sip_password: 'hun''ter2', x: y}`:           `a: {sip_password: ***, x: y}`,
		`a: {password: hunter2, password: hunter2}`:      `a: {password: ***, password: ***}`,
		`sip_password: hun, ter2 }`:                      `sip_password: ***`,
		`sip_password: "hunter2`:                         `sip_password: ***`,
		`{"api_token":"hunter2","x":1}`:                  `{"api_token":***,"x":1}`,
		`'SECRET' : hunter2`:                             `'SECRET' : ***`,
		`password: env:NAME`:                             `password: env:NAME`,
		`password: "file:/run/secret"`:                   `password: "file:/run/secret"`,
		`password:`:                                      `password:`,
		`database: postgres://user:hunter2@host/db`:      `database: postgres://user:***@host/db`,
		`database: postgres://user:hun:ter/2@host/db`:    `database: postgres://user:***@host/db`,
		`database: postgres://user@host/db`:              `database: postgres://user@host/db`,
		`engine: nats://a:4222,nats://x:hunter2@b:4222`:  `engine: nats://a:***@b:4222`, // rather too much than too little
		`contact: sip:lobby@192.0.2.9:5060`:              `contact: sip:lobby@192.0.2.9:5060`,
		`sip: [udp://0.0.0.0:5060, tcp://0.0.0.0:5060]`:  `sip: [udp://0.0.0.0:5060, tcp://0.0.0.0:5060]`,
		`password: hunter2 postgres://user:hunter2@host`: `password: ***`,
	} {
		if got, _ := hide(line, secrets(line), 0); got != want {
			t.Errorf("%s\n got %s\nwant %s", line, got, want)
		}
		// The caret stays under the character that it was under.
		before, after, _ := strings.Cut(line, "hunter2")
		if strings.Count(line, "hunter2") != 1 || strings.Contains(before, `"`) || strings.Contains(before, "'") {
			continue
		}
		for i := range utf8.RuneCountInString(after) {
			masked, caret := hide(line, secrets(line), utf8.RuneCountInString(before)+len("hunter2")+i)
			if rest := masked[min(caret, len(masked)):]; !strings.HasPrefix(after[i:], rest) {
				t.Errorf("%s: the caret for %q is at %q", line, after[i:], rest)
			}
		}
	}
}

func TestDidYouMean(t *testing.T) {
	candidates := []string{"agents", "groups", "hold_music", "hours", "ab"}
	for written, want := range map[string]string{
		"agnets": "agents", "agent": "agents", "AGENTS": "agents", "grups": "groups", "holdmusic": "hold_music", "huors": "hours",
		"b": "ab", "xyz": "", "": "", "numbers": "", "agents": "",
	} {
		if want != "" {
			want = "did you mean " + want + "?"
		}
		if got := DidYouMean(written, candidates); got != want {
			t.Errorf("%q: %q, want %q", written, got, want)
		}
	}
}

func TestDistance(t *testing.T) {
	for _, test := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"", "abc", 3}, {"abc", "", 3}, {"abc", "acb", 1}, {"kitten", "sitting", 3}, {"żółw", "zółw", 1}, {"ca", "abc", 3}} {
		if got := distance(test.a, test.b); got != test.want {
			t.Errorf("%s, %s: %d, want %d", test.a, test.b, got, test.want)
		}
	}
}

func TestSchema(t *testing.T) {
	type root struct {
		A Value[int]           `yaml:"a" min:"1" max:"9" default:"3" doc:"A number."`
		B Value[time.Duration] `yaml:"b" required:"true"`
		C List[thing]          `yaml:"c"`
		D Map[Value[bool]]     `yaml:"d" keys:"^x$"`
		E *thing               `yaml:"e"`
		F Value[string]        `yaml:"f" pattern:"^y$" example:"y"`
	}
	got, err := Schema[root]("Test")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`"title": "Test"`, `"minimum": 1`, `"maximum": 9`, `"default": 3`, `"description": "A number."`, `"pattern": "^x$"`, `"pattern": "^y$"`,
		`"examples": [`, `"boolean"`, `"go",`, `"additionalProperties": false`, `"required": [`,
	} {
		if !strings.Contains(string(got), want) {
			t.Errorf("no %s in\n%s", want, got)
		}
	}
}

// A number is refused with the advice of quotes only where it would do in quotes.
func TestDecode_NumbersWhereTextIsWanted(t *testing.T) {
	for _, test := range []struct{ text, value, problem string }{
		{"digits: 12", "", `f:1:9: digits must be text in quotes, not a number (write "12")`},
		{"digits: 1", "1", ""}, // for its owner to refuse, as in quotes
		{`digits: "1"`, "1", ""},
		{"digits: true", "true", ""},
		{"word: 7", "", `f:1:7: word must be go or stay, not "7"`},
	} {
		var s struct {
			Digits Value[string] `yaml:"digits" pattern:"^[0-9]{2}$"`
			Word   Value[string] `yaml:"word" enum:"go,stay"`
		}
		var report Report
		Decode(NewSource("f", []byte(test.text)), &s, &report)
		got := ""
		if err := report.Err(); err != nil {
			got = err.Error()
		}
		if got != test.problem || s.Digits.V != test.value {
			t.Errorf("%s: %q, %s", test.text, s.Digits.V, got)
		}
	}
}

// FuzzDecode checks that nothing that may be in a file makes Decode panic, and
// that every problem is at a place in that file.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		"name: x\nsize: 3\nwait: 5s\nloud: true\nwords: [a, b]\nthings: {a: {kind: go}}\nsteps: [go]\n",
		"name: [", "name: 'x", "name: \"x\\q\"", "a: &a [*a]", "things: {<<: {}}", "things: &t {<<: *t, a: {kind: go}}", "? [a]\n: b",
		"\ufeffname: |\n  x\n y", "name: !!binary x", "--- a\n--- b", "%YAML 9.9\n---\na", "\r\r\n\tx", "name: ż\nżółw: @", "{a: b}: c", "- - - -", "!<tag:yaml.org,2002:merge> x: y",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		source := NewSource("f", data)
		var s sample
		var report Report
		ok := Decode(source, &s, &report)
		if !ok && report.Len() == 0 {
			t.Error("not YAML, but no problem")
		}
		if err := report.Err(); err != nil {
			var problems Problems
			if !errors.As(err, &problems) {
				t.Fatalf("%T", err)
			}
			for _, p := range problems {
				inside(t, source, p)
			}
			Format(problems)
		}
		if !ok && (s.Name.Set || s.Words.Set || s.Things.Entries != nil) {
			t.Error("what is not YAML was read")
		}
	})
}

func inside(t *testing.T, s *Source, p Problem) {
	t.Helper()
	if p.Line < 1 || p.Line > len(s.lines) || p.Column < 1 || p.Column > utf8.RuneCountInString(s.lines[p.Line-1])+1 {
		t.Fatalf("%v is not in the file of %d lines", p, len(s.lines))
	}
	if p.caret < 0 || p.caret > utf8.RuneCountInString(p.Source)+p.Column {
		t.Fatalf("the caret of %v is at %d of %q", p, p.caret, p.Source)
	}
}
