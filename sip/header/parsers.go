// Package header reads and checks SIP header fields on top of sipgo's message types.
//
// It does three things that the library leaves open: a parser table in which compact forms and odd
// spellings become canonical, correctly split headers; a validation of requests that names the
// status RFC 3261 asks for; and the writing of text that users supplied (names, numbers) so that it
// cannot break out of its header. It keeps no state and does no I/O.
//
// A header that does not parse never makes the whole message unreadable: it is kept as plain text,
// Check finds it, and the sender gets a 400 in place of silence.
package header

import (
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/emiago/sipgo/sip"
)

var (
	errURI     = errors.New("malformed URI")
	errAddress = errors.New("malformed address")
	errParam   = errors.New("malformed parameter")
	errVia     = errors.New("malformed Via")
	errCSeq    = errors.New("malformed CSeq")
	errCallID  = errors.New("malformed Call-ID")
)

// NewParser returns a message parser that uses the table of Parsers.
func NewParser() *sip.Parser {
	return sip.NewParser(sip.WithHeadersParsers(Parsers()))
}

// Parsers returns a new parser table for sip.WithHeadersParsers. Every parser in it accepts what
// RFC 3261 section 25 allows (white space around separators, parameter names in any case, quoted
// values with separators inside, comma lists), and none returns an error for a malformed value: the
// value is then kept as text under its canonical name.
func Parsers() map[string]sip.HeaderParser {
	comma := commaError()
	m := map[string]sip.HeaderParser{}
	for _, p := range []struct {
		short, name string
		parse       sip.HeaderParser
	}{
		{"v", "Via", func(_ []byte, s string) (sip.Header, error) { return parseVia(s, comma) }},
		{"f", "From", parseFrom},
		{"t", "To", parseTo},
		{"m", "Contact", func(_ []byte, s string) (sip.Header, error) { return parseContact(s, comma) }},
		{"i", "Call-ID", parseCallID},
		{"l", "Content-Length", parseContentLength},
		{"c", "Content-Type", parseContentType},
		{"", "CSeq", parseCSeq},
		{"", "Max-Forwards", parseMaxForwards},
		{"", "Route", func(_ []byte, s string) (sip.Header, error) {
			h := &sip.RouteHeader{}
			return h, parseRoute(s, &h.Address, comma)
		}},
		{"", "Record-Route", func(_ []byte, s string) (sip.Header, error) {
			h := &sip.RecordRouteHeader{}
			return h, parseRoute(s, &h.Address, comma)
		}},
	} {
		parse := keepMalformed(p.name, p.parse)
		m[strings.ToLower(p.name)] = parse
		if p.short != "" {
			m[p.short] = parse
		}
	}
	// The compact forms that the library leaves as one letter (SIP-NOTES B12), RFC 3261 7.3.3 and
	// the IANA registry.
	for short, name := range map[string]string{
		"k": "Supported", "x": "Session-Expires", "r": "Refer-To", "b": "Referred-By", "o": "Event",
		"u": "Allow-Events", "e": "Content-Encoding", "s": "Subject",
	} {
		parse := func(_ []byte, s string) (sip.Header, error) { return sip.NewHeader(name, s), nil }
		m[short] = parse
		m[strings.ToLower(name)] = parse
	}
	return m
}

// commaError returns a function that makes the value by which the library's header loop learns
// that a list goes on after the comma at the given offset. Its type is private, so one is taken
// from the library's own parser and copied with another offset.
func commaError() func(at int) error {
	_, err := sip.DefaultHeadersParser()["contact"](nil, "<sip:a@b>,<sip:c@d>")
	kind := reflect.TypeOf(err)
	return func(at int) error {
		v := reflect.New(kind).Elem()
		v.SetInt(int64(at))
		e, _ := v.Interface().(error)
		return e
	}
}

// keepMalformed wraps a parser so that a value it refuses survives as plain text.
func keepMalformed(name string, parse sip.HeaderParser) sip.HeaderParser {
	return func(n []byte, s string) (sip.Header, error) {
		h, err := parse(n, s)
		switch {
		case err == nil:
			return h, nil
		case errors.Is(err, errURI), errors.Is(err, errAddress), errors.Is(err, errParam),
			errors.Is(err, errVia), errors.Is(err, errCSeq), errors.Is(err, errCallID),
			errors.Is(err, strconv.ErrSyntax), errors.Is(err, strconv.ErrRange):
			return sip.NewHeader(name, s), nil
		default: // the library's "comma" value
			return h, err
		}
	}
}

func parseFrom(_ []byte, s string) (sip.Header, error) {
	h := &sip.FromHeader{}
	return h, parseAddressAlone(s, &h.DisplayName, &h.Address, &h.Params)
}

func parseTo(_ []byte, s string) (sip.Header, error) {
	h := &sip.ToHeader{}
	return h, parseAddressAlone(s, &h.DisplayName, &h.Address, &h.Params)
}

func parseContact(s string, comma func(int) error) (sip.Header, error) {
	h := &sip.ContactHeader{}
	if s == "*" { // RFC 3261 20.10: STAR stands alone
		h.Address.Host, h.Address.Wildcard = "*", true
		return h, nil
	}
	n, err := parseAddress(s, &h.DisplayName, &h.Address, &h.Params)
	if err == nil && n < len(s) {
		err = comma(n)
	}
	return h, err
}

func parseRoute(s string, u *sip.Uri, comma func(int) error) error {
	var name string
	var params sip.HeaderParams
	n, err := parseAddress(s, &name, u, &params)
	if err == nil && n < len(s) {
		err = comma(n)
	}
	return err
}

func parseCallID(_ []byte, s string) (sip.Header, error) {
	h := sip.CallIDHeader(s)
	if s == "" || strings.ContainsAny(s, " \t") || hasControl(s) {
		return &h, errCallID
	}
	return &h, nil
}

func parseContentType(_ []byte, s string) (sip.Header, error) {
	h := sip.ContentTypeHeader(s)
	if s == "" || hasControl(s) {
		return &h, errParam
	}
	return &h, nil
}

func parseContentLength(_ []byte, s string) (sip.Header, error) {
	n, err := strconv.ParseUint(s, 10, 31)
	h := sip.ContentLengthHeader(n)
	return &h, err
}

func parseMaxForwards(_ []byte, s string) (sip.Header, error) {
	n, err := strconv.ParseUint(s, 10, 8) // RFC 3261 20.22: 0 to 255
	h := sip.MaxForwardsHeader(n)
	return &h, err
}

// parseCSeq reads 1*DIGIT LWS Method; the number is below 2**31 (RFC 3261 8.1.1.5).
func parseCSeq(_ []byte, s string) (sip.Header, error) {
	h := &sip.CSeqHeader{}
	i := strings.IndexAny(s, " \t")
	if i < 1 {
		return h, errCSeq
	}
	n, err := strconv.ParseUint(s[:i], 10, 31)
	if err != nil {
		return h, fmt.Errorf("%w: %w", errCSeq, err)
	}
	method := strings.TrimLeft(s[i:], " \t")
	if !isToken(method) {
		return h, errCSeq
	}
	h.SeqNo, h.MethodName = uint32(n), sip.RequestMethod(method)
	return h, nil
}
