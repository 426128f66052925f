package header

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// Screen looks at a whole message as it came from the network and finds what sipgo's parser cannot
// read at all and would drop without a word: the start line, lines that are no headers, a body
// shorter than Content-Length says. nil: it can be parsed, and Check does the rest. A fault in a
// response means that it is to be dropped (RFC 3261 18.1.2, 21.4.1, 18.3).
func Screen(msg []byte) *Fault {
	line, rest, ok := bytes.Cut(msg, []byte("\r\n"))
	if !ok || bytes.IndexByte(line, '\r') >= 0 {
		return bad("line without CRLF")
	}
	if f := screenStart(string(line)); f != nil {
		return f
	}
	length := -1
	for first := true; ; first = false {
		line, rest, ok = bytes.Cut(rest, []byte("\r\n"))
		switch {
		case !ok:
			return bad("no end of headers")
		case len(line) == 0:
			if length > len(rest) { // RFC 3261 18.3
				return bad("body shorter than Content-Length")
			}
			return nil
		case bytes.IndexByte(line, '\r') >= 0:
			return bad("line without CRLF")
		case !first && (line[0] == ' ' || line[0] == '\t'):
			continue // folded
		}
		colon := bytes.IndexByte(line, ':')
		if colon < 0 {
			return bad("header without colon")
		}
		if isContentLength(bytes.TrimSpace(line[:colon])) {
			if n, err := strconv.ParseUint(string(bytes.TrimSpace(line[colon+1:])), 10, 31); err == nil {
				length = int(n)
			}
		}
	}
}

func isContentLength(name []byte) bool {
	return len(name) == 1 && name[0]|0x20 == 'l' || bytes.EqualFold(name, []byte("Content-Length"))
}

// screenStart checks Request-Line and Status-Line (RFC 3261 7.1, 7.2): single spaces, nothing around.
func screenStart(line string) *Fault {
	first, rest, _ := strings.Cut(line, " ")
	second, third, ok := strings.Cut(rest, " ")
	if !ok {
		return bad("start line")
	}
	if strings.HasPrefix(first, "SIP/") {
		if n, err := strconv.ParseUint(second, 10, 16); err != nil || len(second) != 3 || n < 100 || n > 699 {
			return bad("status code")
		}
		if len(third) >= 3 && sip.UriIsSIP(third[:3]) && strings.IndexByte(third, ' ') < 0 {
			return bad("reason phrase") // sipgo would take it for a version, and the line for a request
		}
		return nil
	}
	switch {
	case !isToken(first), strings.IndexByte(third, ' ') >= 0, !isVersion(third):
		return bad("request line")
	case !strings.EqualFold(third, "SIP/2.0"):
		return &Fault{Code: sip.StatusVersionNotSupported, Reason: "Version Not Supported"}
	}
	scheme, opaque, ok := strings.Cut(second, ":")
	switch {
	case !ok || !isScheme(scheme) || opaque == "":
		return bad("Request-URI")
	case strings.EqualFold(scheme, "sip"), strings.EqualFold(scheme, "sips"):
		if _, err := ParseURI(second); err != nil {
			return bad("Request-URI")
		}
	case !strings.EqualFold(scheme, "tel"):
		return &Fault{Code: statusUnsupportedURIScheme, Reason: "Unsupported URI Scheme"}
	}
	return nil
}

// isVersion: "SIP" "/" 1*DIGIT "." 1*DIGIT; sipgo knows no mixed case.
func isVersion(s string) bool {
	name, number, _ := strings.Cut(s, "/")
	major, minor, ok := strings.Cut(number, ".")
	return sip.UriIsSIP(name) && ok && isDigits(major) && isDigits(minor)
}

func isDigits(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}
