package widget

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// The codes by which the window knows what is wrong. They never change.
const (
	codeNoChannel  = "no_channel"
	codeNothing    = "not_found"
	codeOrigin     = "wrong_origin"
	codeToken      = "token"    // it is none of ours, or has expired
	codeIdentity   = "identity" // the site's word on who the visitor is, is wrong or missing
	codeTooMany    = "too_many"
	codeBad        = "bad_frame"
	codeConsent    = "consent" // it must be agreed to a text first
	codeForm       = "form"    // the form must be filled in first
	codeFile       = "file"    // the file is of a kind that is not taken, empty, or not the visitor's
	codeTooBig     = "too_big"
	codeAway       = "unavailable" // try again
	codeNotRatable = "not_ratable"
	codeNoMail     = "no_mail" // nothing can be sent, or it has been
	codeNoCall     = "no_call" // nobody has the chat, or the channel has no number
)

// refusal says why something was not done.
type refusal struct {
	code  string
	after time.Duration // then it may be tried again
}

// refused makes one.
func refused(code string) *refusal { return &refusal{code: code} }

// Error implements error.
func (f *refusal) Error() string { return f.code }

func (f *refusal) status() int {
	switch f.code {
	case codeNoChannel, codeNothing:
		return http.StatusNotFound
	case codeOrigin, codeConsent, codeForm:
		return http.StatusForbidden
	case codeToken, codeIdentity:
		return http.StatusUnauthorized
	case codeTooMany:
		return http.StatusTooManyRequests
	case codeTooBig:
		return http.StatusRequestEntityTooLarge
	case codeAway:
		return http.StatusServiceUnavailable
	}
	return http.StatusUnprocessableEntity
}

// refuse answers with a problem (RFC 9457).
func (a *ask) refuse(f *refusal) {
	h := a.w.Header()
	h.Set("Content-Type", "application/problem+json")
	if f.after > 0 {
		h.Set("Retry-After", strconv.Itoa(seconds(f.after)))
	}
	status := f.status()
	a.w.WriteHeader(status)
	_ = json.NewEncoder(a.w).Encode(map[string]any{"title": http.StatusText(status), "status": status, "code": f.code, "retry": seconds(f.after)}) // the client is gone
}

// away is a refusal for what the server could not do now.
func (s *Server) away(err error) *refusal {
	if !s.outage.Is(err) {
		s.log.Error().Err(err).Msg("a visitor's request could not be served")
	}
	return &refusal{code: codeAway, after: 5 * time.Second}
}

func (a *ask) answer(v any) {
	a.w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(a.w).Encode(v) // the client is gone
}

// seconds is a time in whole seconds, no less than it.
func seconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }

// sameOrigin tells whether a request is made by a page of this server's, as far as the
// browser says: of other sites' pages none may speak for a visitor.
func sameOrigin(r *http.Request, secure bool) bool {
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" && site != "same-origin" {
		return false
	}
	text := r.Header.Get("Origin")
	if text == "" { // browsers leave it out of what is read from their own origin
		return r.Method == http.MethodGet && r.Header.Get("Upgrade") == ""
	}
	origin, err := url.Parse(text)
	scheme := "http"
	if secure {
		scheme = "https"
	}
	return err == nil && origin.Scheme == scheme && strings.EqualFold(origin.Host, r.Host)
}
