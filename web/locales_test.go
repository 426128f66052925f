package web

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"centrala/internal/journal/stats"
)

// pluralForms are those of Intl.PluralRules in each language of the console.
var pluralForms = map[string][]string{
	"en": {"one", "other"}, "pl": {"few", "many", "one", "other"}, "ru": {"few", "many", "one", "other"},
}

// catalogue reads a language, with what comes only with the screens of the past: the texts by key, and the plural forms by key.
func catalogue(t *testing.T, language string) (texts map[string]string, forms map[string][]string) {
	t.Helper()
	texts = map[string]string{}
	for _, file := range []string{language, "past." + language} {
		data, err := os.ReadFile("ui/src/locales/" + file + ".json")
		if err != nil {
			t.Fatal(err)
		}
		var part map[string]string
		if err := json.Unmarshal(data, &part); err != nil {
			t.Fatal(file, err)
		}
		for key, text := range part {
			if texts[key] != "" {
				t.Errorf("%s: %s is there twice", language, key)
			}
			texts[key] = text
		}
	}
	forms = map[string][]string{}
	for key := range texts {
		base, form, plural := strings.Cut(key, "#")
		forms[base] = append(forms[base], nil...)
		if plural {
			forms[base] = append(forms[base], form)
		}
	}
	return texts, forms
}

var placeholder = regexp.MustCompile(`\{\w+\}`)

func placeholders(text string) []string {
	return slices.Sorted(slices.Values(placeholder.FindAllString(text, -1)))
}

// Each language has every text, with the same values in it and all the forms of its numbers.
func TestConsoleCatalogues(t *testing.T) {
	english, englishForms := catalogue(t, "en")
	for language, want := range pluralForms {
		texts, forms := catalogue(t, language)
		if got, all := slices.Sorted(maps.Keys(forms)), slices.Sorted(maps.Keys(englishForms)); !slices.Equal(got, all) {
			for _, key := range all {
				if _, ok := forms[key]; !ok {
					t.Errorf("%s lacks %s", language, key)
				}
			}
			for _, key := range got {
				if _, ok := englishForms[key]; !ok {
					t.Errorf("%s has %s, which is none", language, key)
				}
			}
		}
		for key, have := range forms {
			slices.Sort(have)
			if len(englishForms[key]) > 0 && !slices.Equal(have, want) {
				t.Errorf("%s: %s has the forms %v, want %v", language, key, have, want)
			}
		}
		for key, text := range texts {
			base, _, plural := strings.Cut(key, "#")
			like := english[key]
			if plural {
				like = english[base+"#other"]
			}
			if !slices.Equal(placeholders(text), placeholders(like)) {
				t.Errorf("%s: %s has other values in it than the English text: %q, %q", language, key, text, like)
			}
			if strings.TrimSpace(text) == "" {
				t.Errorf("%s: %s is empty", language, key)
			}
		}
	}
}

var (
	// textInMarkup finds words between tags, not templates behind =>; textInAttribute words in attributes that people hear or see.
	textInMarkup    = regexp.MustCompile(`>\s*([^<>{}=;()\x60\n]*\p{L}{2,}[^<>{}=;()\x60\n]*?)\s*(</|\{)`)
	textInAttribute = regexp.MustCompile(`\b(?:aria-label|title|placeholder|alt|label)="([^"]*)"`)
	keyOfCatalogue  = regexp.MustCompile(`\bt\('([^']+)'`)
	keyByName       = regexp.MustCompile(`'([a-z][a-z-]*(?:\.[a-z-]+)+|waiting|none|lost)'`)
	areaOfCatalogue = regexp.MustCompile(`\bt(?:Word|Of)\('([^']+)'`)
)

// People read nothing that is not in the catalogue, and the catalogue has nothing that nobody reads.
func TestConsoleTexts(t *testing.T) {
	_, forms := catalogue(t, "en")
	used := map[string]bool{}
	var areas []string
	err := filepath.WalkDir("ui/src", func(name string, _ os.DirEntry, err error) error {
		if err != nil || filepath.Ext(name) != ".tsx" && filepath.Ext(name) != ".ts" {
			return err
		}
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		source := string(data)
		if filepath.Ext(name) == ".tsx" {
			for _, found := range slices.Concat(textInMarkup.FindAllStringSubmatch(source, -1), textInAttribute.FindAllStringSubmatch(source, -1)) {
				if found[1] != "Ctrl" && found[1] != "Shift" { // what is printed on keys
					t.Errorf("%s: %q is not in the catalogue", name, found[1])
				}
			}
		}
		for _, found := range slices.Concat(keyOfCatalogue.FindAllStringSubmatch(source, -1), keyByName.FindAllStringSubmatch(source, -1)) {
			used[found[1]] = true
		}
		for _, found := range areaOfCatalogue.FindAllStringSubmatch(source, -1) {
			areas = append(areas, found[1]+".")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for key := range forms {
		inArea := slices.ContainsFunc(areas, func(area string) bool { return strings.HasPrefix(key, area) })
		if !used[key] && !inArea {
			t.Errorf("nobody reads %s", key)
		}
	}
}

// Every code that the API refuses an agent's or a supervisor's command with has words in the console.
func TestConsoleProblems(t *testing.T) {
	texts, _ := catalogue(t, "en")
	for _, code := range []string{
		codeWrongPhase, codePhoneAnswers, codeNotOffered, codeGone, codeNotEntitled, codeAgentCannot, codeSlotTaken, codeNotPickedUp, codeNoWrapUp, codeTellFirst, codeNoPhone,
		codeNotFound, codeNoTrace, codeInvalid, codeForbidden, codeUnavailable, codeInternal, codeTooMany, codeNotSignedIn, codeRefused, codeWeakPassword,
	} {
		if texts["problem."+code] == "" {
			t.Errorf("no words for %s", code)
		}
	}
}

// Each figure of the statistics has a name and a definition in every language, and each way in which
// a call can end has its words.
func TestConsoleFigures(t *testing.T) {
	for language := range pluralForms {
		texts, _ := catalogue(t, language)
		for _, f := range stats.Figures() {
			if texts["figure."+f.Name] == "" || texts["formula."+f.Name] == "" {
				t.Errorf("%s has no words for the figure %s", language, f.Name)
			}
			delete(texts, "figure."+f.Name)
			delete(texts, "formula."+f.Name)
		}
		for key := range texts {
			if strings.HasPrefix(key, "formula.") {
				t.Errorf("%s: %s is none", language, key)
			}
		}
	}
}
