package web

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// Problem is an error as a client sees it (RFC 9457).
type Problem struct {
	Type    string   `json:"type" doc:"The kind of problem: urn:centrala:problem: and the code." example:"urn:centrala:problem:not_found"`
	Title   string   `json:"title" doc:"The HTTP status in words."`
	Status  int      `json:"status" doc:"The HTTP status."`
	Code    string   `json:"code" doc:"The kind of problem in one word that never changes." example:"not_found"`
	Detail  string   `json:"detail,omitempty" doc:"What is wrong this time, for people."`
	Request string   `json:"request,omitempty" doc:"The id of the request, as in the server's log."`
	Errors  []Detail `json:"errors,omitempty" doc:"What is wrong with the input, one by one."`

	retryAfter time.Duration
	cause      error // for the log
}

// Detail is one mistake in the input.
type Detail struct {
	Location string `json:"location,omitempty" doc:"Where, as in body.to.agent."`
	Message  string `json:"message"`
}

// Codes of problems. They are for ever.
const (
	codeBadRequest     = "bad_request"
	codeBadCursor      = "bad_cursor"
	codeNotSignedIn    = "not_signed_in"
	codeForbidden      = "forbidden"
	codeChoosePassword = "choose_password"
	codeCrossSite      = "cross_site"
	codeNotFound       = "not_found"
	codeMethod         = "method_not_allowed"
	codeTimeout        = "timeout"
	codeConflict       = "conflict"
	codeEventsGone     = "events_gone"
	codeTooLarge       = "too_large"
	codeMediaType      = "unsupported_media_type"
	codeInvalid        = "invalid"
	codeKeyReused      = "idempotency_key_reused"
	codeKeyInUse       = "idempotency_key_in_use"
	codeTooMany        = "too_many_requests"
	codeInternal       = "internal"
	codeUnavailable    = "unavailable"
	codeNotAcceptable  = "not_acceptable"
)

// codeOf is the code of a problem that nothing more is known of than its status.
func codeOf(status int) string {
	switch status {
	case http.StatusUnauthorized:
		return codeNotSignedIn
	case http.StatusForbidden:
		return codeForbidden
	case http.StatusNotFound:
		return codeNotFound
	case http.StatusMethodNotAllowed:
		return codeMethod
	case http.StatusNotAcceptable:
		return codeNotAcceptable
	case http.StatusRequestTimeout:
		return codeTimeout
	case http.StatusConflict:
		return codeConflict
	case http.StatusRequestEntityTooLarge:
		return codeTooLarge
	case http.StatusUnsupportedMediaType:
		return codeMediaType
	case http.StatusUnprocessableEntity:
		return codeInvalid
	case http.StatusTooManyRequests:
		return codeTooMany
	case http.StatusServiceUnavailable:
		return codeUnavailable
	}
	if status >= http.StatusInternalServerError {
		return codeInternal
	}
	return codeBadRequest
}

func problem(status int, code, detail string, args ...any) *Problem {
	if len(args) > 0 {
		detail = fmt.Sprintf(detail, args...)
	}
	return &Problem{
		Type: "urn:centrala:problem:" + code, Title: http.StatusText(status), Status: status, Code: code, Detail: detail,
	}
}

// The problems that handlers have most. What is not there, and what the caller must
// not know of, look the same.

func notFound(what, id string) *Problem {
	return problem(http.StatusNotFound, codeNotFound, "there is no %s %q", what, id)
}

func forbidden(detail string, args ...any) *Problem {
	return problem(http.StatusForbidden, codeForbidden, detail, args...)
}

func conflict(code, detail string, args ...any) *Problem {
	return problem(http.StatusConflict, code, detail, args...)
}

func invalid(location, detail string, args ...any) *Problem {
	p := problem(http.StatusUnprocessableEntity, codeInvalid, detail, args...)
	p.Errors = []Detail{{Location: location, Message: p.Detail}}
	return p
}

func unavailable(err error) *Problem {
	p := problem(http.StatusServiceUnavailable, codeUnavailable, "the server cannot do that at this moment")
	p.retryAfter, p.cause = time.Second, err
	return p
}

// tooMany tells the caller to come back later.
func tooMany(after time.Duration) *Problem {
	p := problem(http.StatusTooManyRequests, codeTooMany, "too many attempts")
	p.retryAfter = after
	return p
}

// Error implements error.
func (p *Problem) Error() string { return p.Code + ": " + p.Detail }

// Unwrap gives the error that led to the problem, which clients do not see.
func (p *Problem) Unwrap() error { return p.cause }

// GetStatus implements huma.StatusError.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType implements huma.ContentTypeFilter.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

// GetHeaders implements huma.HeadersError.
func (p *Problem) GetHeaders() http.Header {
	h := http.Header{}
	if p.retryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(int((p.retryAfter+time.Second-1)/time.Second)))
	}
	if p.Status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", `Bearer realm="centrala"`) // RFC 9110 15.5.2
	}
	return h
}

// respell brings every error that goes out into the form of a Problem. What an
// unexpected error says stays in the log: it may tell of things inside.
func respell(ctx huma.Context, _ string, v any) (any, error) {
	p, ok := v.(*Problem)
	if e, isHuma := v.(*huma.ErrorModel); isHuma {
		p, ok = problem(e.Status, codeOf(e.Status), "%s", e.Detail), true
		for _, d := range e.Errors {
			if e.Status >= http.StatusInternalServerError {
				p.cause = fmt.Errorf("%s", d.Message)
				break
			}
			p.Errors = append(p.Errors, Detail{Location: d.Location, Message: d.Message}) // not the value: it may be a password
		}
	}
	if !ok {
		return v, nil
	}
	return p.of(ctx.Context()), nil
}

// of notes the request, and the cause for its log line.
func (p *Problem) of(ctx context.Context) *Problem {
	if r := requestOf(ctx); r != nil {
		r.code, r.cause = p.Code, p.cause
		q := *p
		q.Request = r.id
		return &q
	}
	return p
}
