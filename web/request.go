package web

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/rs/zerolog"
)

const requestIDHeader = "X-Request-Id"

// request is what is known of a request while it is served.
type request struct {
	id     string
	from   netip.Addr
	secure bool // the client's side of it is encrypted
	route  string
	caller *Caller
	code   string // of the problem that it was answered with
	cause  error
	act    act
}

// act is what an operation did, for the audit log.
type act struct {
	own           bool
	target        string
	before, after any
}

type requestKey struct{}

func requestOf(ctx context.Context) *request {
	r, _ := ctx.Value(requestKey{}).(*request)
	return r
}

// ownAct notes that the caller acted on themself alone, which is nobody's business but theirs.
func ownAct(ctx context.Context) {
	if r := requestOf(ctx); r != nil {
		r.act.own = true
	}
}

// changed notes what an operation changed, for the audit log.
func changed(ctx context.Context, target string, before, after any) {
	if r := requestOf(ctx); r != nil {
		r.act.target, r.act.before, r.act.after = target, before, after
	}
}

// entrance is where every request comes in.
func (s *Server) entrance(w http.ResponseWriter, hr *http.Request) {
	start := s.now()
	r := &request{id: rand.Text(), secure: hr.TLS != nil, route: "none"}
	r.from, r.secure = client(hr, r.secure)
	hr = hr.WithContext(context.WithValue(hr.Context(), requestKey{}, r))
	rec := &statusWriter{ResponseWriter: w}
	h := w.Header()
	h.Set(requestIDHeader, r.id)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	if r.secure {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
	defer func() {
		if fault := recover(); fault != nil {
			if err, ok := fault.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(fault)
			}
			s.log.Error().Str("request", r.id).Str("route", r.route).Interface("fault", fault).Bytes("stack", debug.Stack()).Msg("a fault of ours ended a request")
			if rec.status == 0 {
				s.refuse(rec, hr, problem(http.StatusInternalServerError, codeInternal, "a fault of the server's; its log has the request's id"))
			}
		}
		s.logged(r, hr, rec, s.now().Sub(start))
	}()
	s.dispatch(rec, hr)
}

// dispatch finds the route.
func (s *Server) dispatch(w http.ResponseWriter, hr *http.Request) {
	if err := s.crossSite.Check(hr); err != nil {
		s.refuse(w, hr, problem(http.StatusForbidden, codeCrossSite, "requests of other sites are refused"))
		return
	}
	if !clean(hr) {
		s.refuse(w, hr, problem(http.StatusBadRequest, codeBadRequest, "the address is not text"))
		return
	}
	h, pattern := s.mux.Handler(hr)
	if pattern != "" {
		s.mux.ServeHTTP(w, hr) // which fills in the path's values
		return
	}
	probe := &statusProbe{header: http.Header{}}
	h.ServeHTTP(probe, hr)
	if probe.status == http.StatusMethodNotAllowed {
		w.Header().Set("Allow", probe.header.Get("Allow"))
		s.refuse(w, hr, problem(http.StatusMethodNotAllowed, codeMethod, "%s is not for this address", hr.Method))
		return
	}
	s.refuse(w, hr, problem(http.StatusNotFound, codeNotFound, "there is nothing at this address"))
}

// clean tells whether path and query are text that a database takes.
func clean(hr *http.Request) bool {
	for _, text := range []string{hr.URL.Path, queryText(hr)} {
		if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
			return false
		}
	}
	return true
}

// queryText is all of the query, unescaped; what cannot be unescaped is not text.
func queryText(hr *http.Request) string {
	values, err := parseQuery(hr.URL.RawQuery)
	if err != nil {
		return "\x00"
	}
	return values
}

// client finds out who asks. A proxy on this machine tells it in X-Forwarded-For, at the end
// of what the client itself may have put there; nobody else is believed.
func client(hr *http.Request, secure bool) (netip.Addr, bool) {
	host, _, err := net.SplitHostPort(hr.RemoteAddr)
	if err != nil {
		return netip.Addr{}, secure
	}
	from, err := netip.ParseAddr(host)
	if err != nil {
		return netip.Addr{}, secure
	}
	from = from.Unmap().WithZone("")
	if !from.IsLoopback() {
		return from, secure
	}
	hops := hr.Header.Values("X-Forwarded-For")
	if len(hops) == 0 {
		return from, secure
	}
	list := strings.Split(hops[len(hops)-1], ",")
	if a, err := netip.ParseAddr(strings.TrimSpace(list[len(list)-1])); err == nil {
		from = a.Unmap().WithZone("")
	}
	return from, secure || strings.EqualFold(hr.Header.Get("X-Forwarded-Proto"), "https")
}

// refuse answers with a problem, outside of the operations.
func (s *Server) refuse(w http.ResponseWriter, hr *http.Request, p *Problem) {
	p = p.of(hr.Context())
	h := w.Header()
	for name, values := range p.GetHeaders() {
		h[name] = values
	}
	h.Set("Content-Type", p.ContentType(""))
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // the client is gone
}

func (s *Server) logged(r *request, hr *http.Request, w *statusWriter, took time.Duration) {
	level := zerolog.DebugLevel
	switch {
	case w.status >= http.StatusInternalServerError && hr.Context().Err() == nil: // else the client went away in the middle of it
		level = zerolog.ErrorLevel
	case hr.Method != http.MethodGet && hr.Method != http.MethodHead:
		level = zerolog.InfoLevel
	}
	e := s.log.WithLevel(level)
	if e == nil || level < s.log.GetLevel() {
		return
	}
	e = e.Str("request", r.id).Str("method", hr.Method).Str("path", hr.URL.Path).Stringer("from", r.from).
		Int("status", w.status).Int64("bytes", w.written).Int64("took_us", took.Microseconds())
	if r.caller != nil {
		e = e.Str("user", r.caller.Name)
	}
	if r.code != "" {
		e = e.Str("code", r.code)
	}
	if r.cause != nil {
		e = e.AnErr("cause", r.cause)
	}
	e.Msg("request")
}

// statusWriter notes what was answered.
type statusWriter struct {
	http.ResponseWriter
	status  int
	written int64
}

// WriteHeader implements http.ResponseWriter.
func (w *statusWriter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (w *statusWriter) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(p)
	w.written += int64(n)
	return n, err
}

// Unwrap is for http.ResponseController.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// statusProbe hears what the mux would answer.
type statusProbe struct {
	header http.Header
	status int
}

// Header implements http.ResponseWriter.
func (p *statusProbe) Header() http.Header { return p.header }

// Write implements http.ResponseWriter.
func (p *statusProbe) Write(b []byte) (int, error) { return len(b), nil }

// WriteHeader implements http.ResponseWriter.
func (p *statusProbe) WriteHeader(status int) { p.status = status }
