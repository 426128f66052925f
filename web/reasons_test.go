package web

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"centrala/acd"
)

// storyLine is a step of an interaction as the core's golden traces have it.
var storyLine = regexp.MustCompile(`(?m)^  interaction \d+ (\w+)((?: [^:\n(]+)?)(?:: ([^\n]+?))?(?: \([^()\n]*(?:\([^()\n]*\)[^()\n]*)?\))?$`)

// Every step that the core's golden scripts have ever shown can be said in every language of the
// console: its code, its reason's, and all the values in the texts.
func TestStory_HasWords(t *testing.T) {
	files, err := filepath.Glob("../acd/testdata/*.txt")
	if err != nil || len(files) < 50 {
		t.Fatal(len(files), err)
	}
	texts := map[string]map[string]string{}
	for language := range pluralForms {
		texts[language], _ = catalogue(t, language)
	}
	kinds := map[acd.StepKind]bool{}
	codes := map[string]bool{}
	want := func(what string, told Told) {
		t.Helper()
		if codes[what+told.Code] {
			return
		}
		codes[what+told.Code] = true
		for language, all := range texts {
			if all[what+"."+told.Code] == "" {
				t.Errorf("%s has no words for %s.%s %v", language, what, told.Code, told.Values)
			}
		}
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		_, trace, _ := strings.Cut(string(data), "=== trace")
		for _, found := range storyLine.FindAllStringSubmatch(trace, -1) {
			st := acd.Step{Kind: acd.StepKind(found[1]), Why: found[3]}
			if i := strings.Index(found[0], " (not taken"); i >= 0 {
				t.Fatal(found[0])
			}
			var what []string
			for i, word := range strings.Fields(found[2]) {
				switch {
				case strings.HasPrefix(word, "group="):
					st.Group = "g"
				case strings.HasPrefix(word, "agent="):
					st.Agent = "a"
				case i == 0 && regexp.MustCompile(`^\d+\.\d+$`).MatchString(word):
				default:
					what = append(what, word)
				}
			}
			st.What = strings.Join(what, " ")
			if st.Kind == acd.StepUnanswered && st.What == "" {
				t.Errorf("%s: %s", name, found[0])
			}
			kinds[st.Kind] = true
			want("step", toldOf(&st))
			if why := reasonOf(&st); why != nil {
				if why.Code == reasonOther {
					t.Errorf("%s: %q has no code", filepath.Base(name), found[0])
					continue
				}
				want("why", *why)
			}
		}
	}
	if len(kinds) < 25 {
		t.Errorf("the scripts show steps of %d kinds: %v", len(kinds), kinds)
	}
	for _, r := range reasons() {
		want("why", Told{Code: r.code})
	}
	for _, c := range []acd.EndCause{acd.EndHangup, acd.EndCancel, acd.EndByUs, acd.EndFailed, acd.EndTimeout, acd.EndNoPath} {
		want("cause", Told{Code: string(c)})
	}
}

// Reasons come with what is in them.
func TestReasons_Values(t *testing.T) {
	for _, c := range []struct{ why, code, name, value string }{
		{"waited 1m30s", "waited", "seconds", "90"},
		{"nobody is logged in for 10s", "logged_out_for", "seconds", "10"},
		{"bartek was faster", "faster", "agent", "bartek"},
		{"moved, by boss", "moved", "by", "boss"},
		{"by boss", "by", "by", "boss"},
		{"break (lunch), by boss", "duty", "reason", "lunch"},
		{"paused in sales (lunch)", "seat", "group", "sales"},
		{"talked to the customer last, but is on_break", "talked_last_but", "status", "on_break"},
		{"bartek: is on_leave", "agent_is", "status", "on_leave"},
		{"SIP 486", "sip", "status", "486"},
		{string(acd.EndTimeout), "cause", "cause", "timeout"},
		{string(acd.EndNoPath), "cause", "cause", "no_path"},
		{"something new", reasonOther, "text", "something new"},
	} {
		got := reasonOf(&acd.Step{Kind: acd.StepOutcome, Why: c.why})
		if got == nil || got.Code != c.code || got.Values[c.name] != c.value {
			t.Errorf("%q: %+v", c.why, got)
		}
	}
}
