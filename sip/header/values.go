package header

import (
	"iter"
	"strconv"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// Message is what the readers of this package need of a request or a response.
type Message interface{ Headers() []sip.Header }

// Values yields the text of every header of that name, in order of appearance. Unlike GetHeaders
// of the library it does not allocate.
func Values(m Message, name string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, h := range m.Headers() {
			if strings.EqualFold(h.Name(), name) && !yield(h.Value()) {
				return
			}
		}
	}
}

// Value returns the text of the first header of that name.
func Value(m Message, name string) (string, bool) {
	for v := range Values(m, name) {
		return v, true
	}
	return "", false
}

// List yields the elements of a comma-separated header, over all headers of that name. Commas in
// quoted strings and in angle brackets do not separate.
func List(m Message, name string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for v := range Values(m, name) {
			for v != "" {
				var element string
				element, v = cutElement(v)
				if element != "" && !yield(element) {
					return
				}
			}
		}
	}
}

func cutElement(s string) (element, rest string) {
	bracket := false
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '"':
			end := quotedEnd(s, i)
			if end < 0 {
				return strings.TrimSpace(s), ""
			}
			i = end - 1
		case '<':
			bracket = true
		case '>':
			bracket = false
		case ',':
			if !bracket {
				return strings.TrimSpace(s[:i]), s[i+1:]
			}
		}
	}
	return strings.TrimSpace(s), ""
}

// HasOption tells whether an option tag or token (compared without case, RFC 3261 7.3.1) stands in
// a list header such as Supported, Require or Allow.
func HasOption(m Message, name, tag string) bool {
	for e := range List(m, name) {
		if strings.EqualFold(e, tag) {
			return true
		}
	}
	return false
}

// Expires returns the Expires header in seconds. ok is false when there is none; a malformed or
// too large value counts as 3600 (RFC 3261 10.2.1.1).
func Expires(m Message) (seconds uint32, ok bool) {
	v, ok := Value(m, "Expires")
	if !ok {
		return 0, false
	}
	return DeltaSeconds(v), true
}

// DeltaSeconds reads delta-seconds (RFC 3261 25.1, up to 2**32-1); anything else is 3600.
func DeltaSeconds(s string) uint32 {
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil {
		return 3600
	}
	return uint32(n)
}

// Contacts returns the well-formed Contact values in order of appearance. The library's Contact
// method returns the last of them (SIP-NOTES B12).
func Contacts(m Message) []*sip.ContactHeader {
	var list []*sip.ContactHeader
	for _, h := range m.Headers() {
		if c, ok := h.(*sip.ContactHeader); ok {
			list = append(list, c)
		}
	}
	return list
}

// Contact returns the first well-formed Contact value, or nil: the remote target of a dialog.
func Contact(m Message) *sip.ContactHeader {
	for _, h := range m.Headers() {
		if c, ok := h.(*sip.ContactHeader); ok {
			return c
		}
	}
	return nil
}

// Param returns a parameter's value without quotes and escapes. Names given in lower case match
// any case, as the parsers of this package have lowered them.
func Param(p sip.HeaderParams, name string) (string, bool) {
	v, ok := p.Get(name)
	if len(v) >= 2 && v[0] == '"' && v[len(v)-1] == '"' {
		v = v[1 : len(v)-1]
	}
	if strings.IndexByte(v, '\\') < 0 {
		return v, ok
	}
	var b strings.Builder
	for i := 0; i < len(v); i++ {
		if v[i] == '\\' && i+1 < len(v) {
			i++
		}
		b.WriteByte(v[i])
	}
	return b.String(), ok
}

// Cause is one value of a Reason header (RFC 3326): why the request was sent.
type Cause struct {
	Protocol string // "SIP", "Q.850"
	Code     int    // 0: none given
	Text     string
}

// Reason returns the first well-formed Reason value of the given protocol ("" for any).
func Reason(m Message, protocol string) (Cause, bool) {
	for e := range List(m, "Reason") {
		end := 0
		for end < len(e) && isTokenByte(e[end]) {
			end++
		}
		var params sip.HeaderParams
		if n, err := parseParams(e, end, &params); end == 0 || err != nil || n < len(e) {
			continue
		}
		c := Cause{Protocol: e[:end]}
		if protocol != "" && !strings.EqualFold(c.Protocol, protocol) {
			continue
		}
		if v, ok := Param(params, "cause"); ok {
			if n, err := strconv.ParseUint(v, 10, 16); err == nil {
				c.Code = int(n)
			}
		}
		c.Text, _ = Param(params, "text")
		return c, true
	}
	return Cause{}, false
}
