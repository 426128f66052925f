package web

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"centrala/internal/accounts"
	"centrala/internal/events"
)

// Prefix is where the API is.
const Prefix = "/api/v1"

// MaxBody is the largest body of a request, in bytes.
const MaxBody = 1 << 20

// Route is an operation of the API. Method, Path (below Prefix), ID and Tag are required.
type Route struct {
	ID, Method, Path, Tag string
	Summary, Description  string
	Status                int  // of success; 0: 200, or 204 for one without a body
	Export                bool // takes data away, so that an audit entry is made though it is a GET

	Responses map[string]*huma.Response // more than the handler's type tells, by status
}

// needKey is where a route's Need is kept in an operation of huma's.
const needKey = "need"

// Operation registers a route and says what it asks of its caller. The handler is given a
// caller who meets the need; nil with Anybody, where there is none.
func Operation[I, O any](s *Server, need Need, r Route, handler func(context.Context, *Caller, *I) (*O, error)) {
	if need.String() == "" || r.ID == "" || r.Tag == "" {
		panic(fmt.Sprintf("web: %s %s is registered without an id, a tag or a need", r.Method, r.Path))
	}
	op := huma.Operation{
		OperationID: r.ID, Method: r.Method, Path: r.Path, Tags: []string{r.Tag}, Summary: r.Summary, Description: r.Description,
		DefaultStatus: r.Status, MaxBodyBytes: MaxBody + 1, Metadata: map[string]any{needKey: need, "export": r.Export},
		Extensions: map[string]any{"x-needs": need.String()},
		Responses: map[string]*huma.Response{"default": {
			Description: "A problem (RFC 9457)",
			Content:     map[string]*huma.MediaType{"application/problem+json": {Schema: s.problemSchema}},
		}},
	}
	maps.Copy(op.Responses, r.Responses)
	switch need.kind {
	case needRight:
		op.Security = []map[string][]string{{"session": {}}, {"key": {need.String()}}}
	case needSession:
		op.Security = []map[string][]string{{"session": {}}}
	case needNothing:
		op.Security = []map[string][]string{{}}
	}
	if r.Method != http.MethodGet {
		op.Parameters = append(op.Parameters, &huma.Param{
			Name: "Idempotency-Key", In: "header", Schema: &huma.Schema{Type: "string"},
			Description: "A text of your own. A request with the same one is answered as the first was, for 24 hours, and not carried out again.",
		})
	}
	huma.Register(s.api, op, func(ctx context.Context, in *I) (*O, error) {
		return handler(ctx, requestOf(ctx).caller, in)
	})
}

func (s *Server) newAPI(version string) huma.API {
	schemas := huma.NewMapRegistry("#/components/schemas/", schemaName)
	s.problemSchema = schemas.Schema(reflect.TypeFor[Problem](), true, "Problem")
	jsonFormat := huma.Format{Marshal: huma.DefaultJSONFormat.Marshal, Unmarshal: unmarshal}
	return huma.NewAPI(huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info:    &huma.Info{Title: "Centrala", Version: version, Description: "Agents, groups, calls and chats: how they stand, and commands to them."},
			Servers: []*huma.Server{{URL: Prefix}},
			Components: &huma.Components{Schemas: schemas, SecuritySchemes: map[string]*huma.SecurityScheme{
				"session": {Type: "apiKey", In: "cookie", Name: cookieName(true), Description: "What POST /session sets; " + cookieName(false) + " without TLS."},
				"key":     {Type: "http", Scheme: "bearer", Description: "An API key."},
			}},
		},
		Formats: map[string]huma.Format{"application/json": jsonFormat, "json": jsonFormat}, DefaultFormat: "application/json",
		RejectUnknownQueryParameters: true, Transformers: []huma.Transformer{respell},
	}, adapter{s})
}

// schemaName names types in the OpenAPI document: ours without the words that say how they travel.
func schemaName(t reflect.Type, hint string) string {
	name := huma.DefaultSchemaNamer(t, hint)
	if t.PkgPath() == reflect.TypeFor[events.Event]().PkgPath() {
		return "Event" + name
	}
	return strings.TrimSuffix(name, "View")
}

// unmarshal reads JSON, and refuses what a database does not take as text.
func unmarshal(data []byte, v any) error {
	if err := json.Unmarshal(data, v); err != nil {
		return err
	}
	if tree, ok := v.(*any); ok && hasNUL(*tree) {
		return errors.New("a text contains U+0000")
	}
	return nil
}

func hasNUL(tree any) bool {
	switch tree := tree.(type) {
	case string:
		return strings.ContainsRune(tree, 0)
	case []any:
		for _, x := range tree {
			if hasNUL(x) {
				return true
			}
		}
	case map[string]any:
		for k, x := range tree {
			if hasNUL(x) || strings.ContainsRune(k, 0) {
				return true
			}
		}
	}
	return false
}

// adapter puts the operations on the mux, each behind the guard.
type adapter struct{ s *Server }

// ServeHTTP implements huma.Adapter.
func (a adapter) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.s.entrance(w, r) }

// Handle implements huma.Adapter.
func (a adapter) Handle(op *huma.Operation, handler func(huma.Context)) {
	need, ok := op.Metadata[needKey].(Need)
	if !ok || need.String() == "" {
		panic("web: " + op.Method + " " + op.Path + " is registered without a need")
	}
	export, _ := op.Metadata["export"].(bool)
	a.s.mux.HandleFunc(op.Method+" "+Prefix+op.Path, func(w http.ResponseWriter, hr *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		r := requestOf(hr.Context())
		r.route = op.OperationID
		if p := a.s.admit(w, r, hr, need); p != nil {
			a.s.refuse(w, hr, p)
			return
		}
		if hr.Method == http.MethodGet || hr.Method == http.MethodHead {
			handler(humago.NewContext(op, hr, w))
			if export && r.code == "" {
				a.s.audited(hr, r, op)
			}
			return
		}
		a.s.command(w, hr, r, op, handler)
	})
}

// admit finds out who calls and whether they may.
func (s *Server) admit(w http.ResponseWriter, r *request, hr *http.Request, need Need) *Problem {
	if key, ok := strings.CutPrefix(hr.Header.Get("Authorization"), "Bearer "); ok {
		return s.known(r, need, func() (*accounts.Caller, error) {
			return s.accounts.Key(hr.Context(), strings.TrimSpace(key), r.from)
		})
	}
	c, err := hr.Cookie(cookieName(r.secure))
	if err != nil || c.Value == "" {
		return need.met(nil)
	}
	p := s.known(r, need, func() (*accounts.Caller, error) { return s.accounts.Session(hr.Context(), c.Value, r.from) })
	if r.caller != nil && r.caller.Renewed != "" {
		http.SetCookie(w, r.cookie(r.caller.Renewed))
	}
	return p
}

func (s *Server) known(r *request, need Need, find func() (*accounts.Caller, error)) *Problem {
	c, err := find()
	if err != nil {
		return asProblem(err)
	}
	if c != nil {
		r.caller = &Caller{Caller: *c, From: r.from}
	}
	return need.met(r.caller)
}

// command reads the body, has the operation carried out once for each Idempotency-Key, and has
// it written down.
func (s *Server) command(w http.ResponseWriter, hr *http.Request, r *request, op *huma.Operation, handler func(huma.Context)) {
	body, err := io.ReadAll(http.MaxBytesReader(w, hr.Body, MaxBody))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		s.refuse(w, hr, problem(http.StatusRequestEntityTooLarge, codeTooLarge, "a body may have %d bytes", MaxBody))
		return
	case err != nil:
		s.refuse(w, hr, problem(http.StatusBadRequest, codeBadRequest, "the body did not arrive as a whole"))
		return
	}
	hr.Body = io.NopCloser(bytes.NewReader(body))
	rec := &recorder{ResponseWriter: w}
	key := hr.Header.Get("Idempotency-Key")
	if key == "" || r.caller == nil {
		handler(humago.NewContext(op, hr, rec))
		s.did(rec, hr, r, op)
		return
	}
	if len(key) > keyMax {
		s.refuse(w, hr, problem(http.StatusBadRequest, codeBadRequest, "an Idempotency-Key may have %d characters", keyMax))
		return
	}
	kept := keptKey{caller: r.caller.Name, key: key}
	replay, p := s.answers.begin(kept, sha256.Sum256(fmt.Appendf(nil, "%s %s\n%s", hr.Method, hr.URL.RequestURI(), body)))
	switch {
	case p != nil:
		s.refuse(w, hr, p)
		return
	case replay != nil:
		replay.send(w)
		return
	}
	defer func() { s.answers.end(kept, rec) }()
	handler(humago.NewContext(op, hr, rec))
	s.did(rec, hr, r, op)
}

// did has a command that succeeded written down, unless the caller acted on themself alone.
func (s *Server) did(rec *recorder, hr *http.Request, r *request, op *huma.Operation) {
	if op.Tags[0] == "session" || op.Tags[0] == "users" {
		s.sockets.look()
	}
	if rec.status >= http.StatusBadRequest {
		return
	}
	s.streams.recheck() // who may see what may be another now
	if !r.act.own {
		s.audited(hr, r, op)
	}
}

// audited makes an entry in the audit log. What was done is done: where no entry can be made, the
// server's log has it.
func (s *Server) audited(hr *http.Request, r *request, op *huma.Operation) {
	if r.caller == nil {
		return
	}
	e := accounts.Entry{
		At: s.now(), Who: r.caller.Name, Agent: r.caller.Agent, From: r.from, What: op.OperationID, Request: r.id,
		Target: r.act.target, Before: asJSON(r.act.before), After: asJSON(r.act.after),
	}
	if e.Target == "" {
		e.Target = strings.TrimPrefix(hr.URL.Path, Prefix+"/")
	}
	if err := s.accounts.Audit(context.WithoutCancel(hr.Context()), e); err != nil {
		s.log.Error().Err(err).Str("request", r.id).Str("user", e.Who).Str("what", e.What).Str("target", e.Target).Msg("no audit entry could be made")
	}
}

// asJSON writes what an act changed; nothing if there is nothing to tell.
func asJSON(v any) json.RawMessage {
	if v == nil {
		return nil
	}
	data, err := json.Marshal(v)
	if err != nil {
		return nil // our own types, which all can be written
	}
	return data
}

// parseQuery is all that a query says, unescaped.
func parseQuery(raw string) (string, error) {
	values, err := url.ParseQuery(raw)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for k, list := range values {
		b.WriteString(k)
		for _, v := range list {
			b.WriteString(v)
		}
	}
	return b.String(), nil
}
