package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// document is what the tests need of the OpenAPI document.
type document struct {
	Paths      map[string]map[string]operation
	Components struct{ Schemas map[string]*schema }
}

type operation struct {
	ID          string `json:"operationId"`
	Needs       string `json:"x-needs"`
	RequestBody struct {
		Content map[string]struct{ Schema *schema }
	}
	Parameters []struct {
		Name     string
		In       string
		Required bool
		Schema   *schema
	}
}

type schema struct {
	Ref                  string `json:"$ref"`
	Type                 any
	Enum                 []any
	Format               string
	Pattern              string
	Minimum              *float64
	MinLength            int
	Properties           map[string]*schema
	Required             []string
	Items                *schema
	MinItems             int
	Examples             []any
	AdditionalProperties any
}

func (r *rig) document() (d document) {
	r.t.Helper()
	if err := json.Unmarshal(r.s.OpenAPI(), &d); err != nil {
		r.t.Fatal(err)
	}
	if len(d.Paths) == 0 {
		r.t.Fatal("no paths in the OpenAPI document")
	}
	return d
}

// example is a value that the schema lets through.
func (d *document) example(s *schema) any {
	if name, ok := strings.CutPrefix(s.Ref, "#/components/schemas/"); ok {
		return d.example(d.Components.Schemas[name])
	}
	if len(s.Examples) > 0 {
		return s.Examples[0]
	}
	if len(s.Enum) > 0 {
		return s.Enum[0]
	}
	kind := fmt.Sprint(s.Type)
	if list, ok := s.Type.([]any); ok {
		kind = fmt.Sprint(list[0])
	}
	switch kind {
	case "object":
		out := map[string]any{}
		for name, p := range s.Properties {
			if slices.Contains(s.Required, name) || len(p.Examples) > 0 {
				out[name] = d.example(p)
			}
		}
		return out
	case "array":
		out := []any{}
		for range s.MinItems {
			out = append(out, d.example(s.Items))
		}
		return out
	case "integer", "number":
		if s.Minimum != nil {
			return *s.Minimum
		}
		return 1
	case "boolean":
		return true
	}
	if s.Format == "date-time" {
		return "2026-11-02T09:00:00Z"
	}
	return strings.Repeat("x", max(1, s.MinLength))
}

var pathParameter = regexp.MustCompile(`\{(\w+)\}`)

// values are what stands for the parameters of paths: things of anna's and of sales.
func (r *rig) values() map[string]string {
	return map[string]string{"agent": "anna", "group": "sales", "interaction": number(r.call), "conversation": "1", "channel": "website", "canned": "1", "user": "anna", "session": "s4", "key": "k1", "webhook": "w1", "event": "1", "attachment": "f0"}
}

// request makes one that is right in every way for an operation.
func (r *rig) request(d *document, path string, op operation) (target string, body any) {
	r.t.Helper()
	values := r.values()
	target = pathParameter.ReplaceAllStringFunc(path, func(p string) string {
		v, ok := values[p[1:len(p)-1]]
		if !ok {
			r.t.Errorf("%s: the sweep has no value for %s", path, p)
		}
		return v
	})
	for i, p := range op.Parameters {
		if p.In == "query" && p.Required {
			sep := "&"
			if i == 0 || !strings.Contains(target, "?") {
				sep = "?"
			}
			target += fmt.Sprintf("%s%s=%v", sep, p.Name, d.example(p.Schema))
		}
	}
	if content, ok := op.RequestBody.Content["application/json"]; ok {
		body = d.example(content.Schema)
	}
	return target, body
}

// Every route refuses everybody who must not use it (R75, R76). The list of routes is the OpenAPI
// document, so that a new one is tried, too.
func TestSweep(t *testing.T) {
	r := newRig(t)
	d := r.document()
	tried := 0
	for path, methods := range d.Paths {
		for method, op := range methods {
			tried++
			t.Run(op.ID, func(t *testing.T) {
				r := newRig(t) // what one operation does is nothing to the next
				target, body := r.request(&d, path, op)
				r.sweep(strings.ToUpper(method), path, target, body, op)
			})
		}
	}
	if tried < 10 {
		t.Errorf("only %d operations were tried", tried)
	}
}

func (r *rig) sweep(method, path, target string, body any, op operation) {
	t := r.t
	if op.Needs == "" {
		t.Fatalf("%s %s does not say what it needs", method, path)
	}
	if op.Needs == "nothing" {
		if !slices.Contains([]string{"sign-in"}, op.ID) {
			t.Errorf("%s %s is for anybody, and this test does not know why", method, path)
		}
		return
	}
	for _, who := range []string{"", "expired", "key:unknown"} {
		if p := r.as(who, method, target, body); p.status != http.StatusUnauthorized || p.code() != codeNotSignedIn {
			t.Errorf("%q: %d %s", who, p.status, p.body)
		}
	}
	if p := r.as("key:none", method, target, body); p.status != http.StatusForbidden {
		t.Errorf("a key without the scope: %d %s", p.status, p.body)
	}
	facts, entries := len(r.core.facts), len(r.accounts.audited())
	for _, who := range []string{"celina", "support"} {
		p := r.as(who, method, target, body)
		if op.ID == "get-directory" && p.status == http.StatusOK {
			continue // it shows everybody what the lamps of any phone do
		}
		if method == http.MethodGet && !strings.Contains(path, "{") {
			if p.status == http.StatusOK && (strings.Contains(p.body, "anna") || strings.Contains(p.body, "sales")) {
				t.Errorf("%s sees what is none of theirs: %s", who, p.body)
			}
			if p.status == http.StatusOK {
				entries = len(r.accounts.audited()) // an export of what is theirs
			}
			continue
		}
		if op.Needs == "session" && !strings.Contains(path, "{") {
			continue // it is about the caller's own
		}
		if p.status != http.StatusForbidden && p.status != http.StatusNotFound {
			t.Errorf("%s: %d %s", who, p.status, p.body)
		}
	}
	if len(r.core.facts) != facts {
		t.Errorf("refused requests became facts: %+v", r.core.facts[facts:])
	}
	if more := r.accounts.audited()[entries:]; op.Needs != "session" && len(more) > 0 {
		t.Errorf("refused requests are in the audit log as done: %+v", more)
	}
	// The same request is right in itself: it is the caller who was refused.
	entries = len(r.accounts.audited())
	p := r.as("boss", method, target, body)
	if p.status == http.StatusUnauthorized || p.status == http.StatusForbidden ||
		p.status == http.StatusUnprocessableEntity || p.status == http.StatusBadRequest || p.status >= 500 {
		t.Errorf("the administrator: %d %s", p.status, p.body)
	}
	// What is done, and what is taken away, is in the audit log.
	act := op.Needs != "session" && (method != http.MethodGet || strings.HasPrefix(op.ID, "export-"))
	if op.ID == "set-client" || op.ID == "check-config" { // a sign of life, and what changes nothing
		act = false
	}
	if act && p.status < 300 {
		if more := r.accounts.audited()[entries:]; len(more) != 1 || more[0].What != op.ID || more[0].Who != "boss" {
			t.Errorf("done, and in the audit log: %+v", more)
		}
	}
}

// A route without a need cannot be registered.
func TestOperation_NeedsANeed(t *testing.T) {
	r := newRig(t)
	defer func() {
		if recover() == nil {
			t.Error("it could be registered")
		}
	}()
	Operation(r.s, Need{}, Route{ID: "x", Method: http.MethodGet, Path: "/x", Tag: "x"}, r.s.listGroups)
}
