package header

import (
	"net/netip"
	"strconv"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// parseAddressAlone reads one name-addr or addr-spec with its parameters and nothing after it.
func parseAddressAlone(s string, name *string, u *sip.Uri, params *sip.HeaderParams) error {
	n, err := parseAddress(s, name, u, params)
	if err == nil && n < len(s) {
		return errAddress
	}
	return err
}

// parseAddress reads one element of an address list (RFC 3261 25.1: name-addr / addr-spec, then
// *( SEMI param )) and returns where it ended: at the length of s, or at a comma. The display name
// is left as it stood between its quotes, escapes included, which is how sipgo writes it back.
func parseAddress(s string, name *string, u *sip.Uri, params *sip.HeaderParams) (int, error) {
	i := skipSpace(s, 0)
	if i < len(s) && s[i] == '"' {
		end := quotedEnd(s, i)
		if end < 0 {
			return 0, errAddress
		}
		*name = s[i+1 : end-1]
		i = skipSpace(s, end)
		if i >= len(s) || s[i] != '<' {
			return 0, errAddress
		}
	} else if open := strings.IndexAny(s[i:], "<,;\""); open >= 0 && s[i+open] == '<' {
		*name = strings.TrimRight(s[i:i+open], " \t")
		if !isTokens(*name) {
			return 0, errAddress
		}
		i += open
	}
	if i < len(s) && s[i] == '<' {
		end := strings.IndexByte(s[i:], '>')
		if end < 0 {
			return 0, errAddress
		}
		if err := parseURI(s[i+1:i+end], u); err != nil {
			return 0, err
		}
		return parseParams(s, i+end+1, params)
	}
	// RFC 3261 20.10: without brackets the URI ends at ; or , and may not hold a question mark.
	end := i
	for end < len(s) && !strings.ContainsRune(";, \t", rune(s[end])) {
		end++
	}
	if strings.IndexByte(s[i:end], '?') >= 0 {
		return 0, errURI
	}
	if err := parseURI(s[i:end], u); err != nil {
		return 0, err
	}
	return parseParams(s, end, params)
}

// parseParams reads *( SEMI name [ EQUAL value ] ) from s[i:] and returns where it ended: at the
// length of s, or at a comma. Names become lower case; of a repeated name the first counts.
// Quoted values keep their quotes, except those with white space, to which sipgo's writer adds
// them itself; Param removes them.
func parseParams(s string, i int, params *sip.HeaderParams) (int, error) {
	for {
		i = skipSpace(s, i)
		if i == len(s) || s[i] == ',' {
			return i, nil
		}
		if s[i] != ';' {
			return 0, errParam
		}
		i = skipSpace(s, i+1)
		start := i
		for i < len(s) && isTokenByte(s[i]) {
			i++
		}
		name := s[start:i]
		if name == "" {
			if i == len(s) || s[i] == ';' || s[i] == ',' {
				continue // an empty ;; or a last ; does no harm
			}
			return 0, errParam
		}
		i = skipSpace(s, i)
		value := ""
		if i < len(s) && s[i] == '=' {
			i = skipSpace(s, i+1)
			start = i
			if i < len(s) && s[i] == '"' {
				if i = quotedEnd(s, i); i < 0 {
					return 0, errParam
				}
				value = s[start:i]
				if strings.ContainsAny(value, " \t") {
					value = value[1 : len(value)-1]
				}
			} else {
				for i < len(s) && s[i] > ' ' && s[i] != ';' && s[i] != ',' && s[i] != '"' && s[i] != 0x7f {
					i++
				}
				value = s[start:i]
			}
		}
		addParam(params, name, value)
	}
}

func addParam(params *sip.HeaderParams, name, value string) {
	name = sip.ASCIIToLower(name)
	if params.Has(name) {
		return
	}
	if *params == nil {
		*params = make(sip.HeaderParams, 0, 4)
	}
	*params = append(*params, sip.HeaderKV{K: name, V: value})
}

// parseURI reads a SIP or SIPS URI (RFC 3261 19.1.1) into u; of other schemes only the scheme is
// read. White space, quotes and brackets are refused everywhere: they occur escaped only.
func parseURI(s string, u *sip.Uri) error {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c <= ' ' || c == '<' || c == '>' || c == '"' || c == 0x7f {
			return errURI
		}
	}
	colon := strings.IndexByte(s, ':')
	if colon < 1 || !isScheme(s[:colon]) {
		return errURI
	}
	*u = sip.Uri{}
	scheme := sip.ASCIIToLower(s[:colon])
	if scheme != "sip" && scheme != "sips" {
		if sip.ParseUri(s, u) != nil || colon+1 == len(s) {
			return errURI
		}
		return nil
	}
	u.Scheme = scheme
	rest := s[colon+1:]
	if at := strings.IndexByte(rest, '@'); at >= 0 {
		u.User = rest[:at]
		if c := strings.IndexByte(u.User, ':'); c >= 0 {
			u.User, u.Password = u.User[:c], u.User[c+1:]
		}
		if u.User == "" {
			return errURI
		}
		rest = rest[at+1:]
	}
	rest, headers, _ := strings.Cut(rest, "?")
	hostport, params, _ := strings.Cut(rest, ";")
	if err := parseHostPort(hostport, &u.Host, &u.Port); err != nil {
		return err
	}
	parseURIPairs(params, ";", &u.UriParams)
	parseURIPairs(headers, "&", &u.Headers)
	return nil
}

func parseURIPairs(s, sep string, into *sip.HeaderParams) {
	for s != "" {
		var pair string
		pair, s, _ = strings.Cut(s, sep)
		if name, value, _ := strings.Cut(pair, "="); name != "" {
			addParam(into, name, value)
		}
	}
}

// parseHostPort reads host [":" port]; an IPv6 reference keeps its brackets, as sipgo keeps them.
func parseHostPort(s string, host *string, port *int) error {
	var rest string
	if strings.HasPrefix(s, "[") {
		end := strings.IndexByte(s, ']')
		if end < 0 {
			return errURI
		}
		if a, err := netip.ParseAddr(s[1:end]); err != nil || !a.Is6() || a.Zone() != "" {
			return errURI
		}
		*host, rest = s[:end+1], s[end+1:]
	} else {
		end := 0
		for end < len(s) && isHostByte(s[end]) {
			end++
		}
		if end == 0 {
			return errURI
		}
		*host, rest = s[:end], s[end:]
	}
	if rest == "" {
		return nil
	}
	if rest[0] != ':' {
		return errURI
	}
	n, err := strconv.ParseUint(rest[1:], 10, 16)
	if err != nil {
		return errURI
	}
	*port = int(n)
	return nil
}

// parseVia reads one element of a Via list:
// sent-protocol LWS sent-by *( SEMI via-params ), with white space allowed around each separator.
func parseVia(s string, comma func(int) error) (sip.Header, error) {
	h := &sip.ViaHeader{}
	i := 0
	for part, into := range [...]*string{&h.ProtocolName, &h.ProtocolVersion, &h.Transport} {
		i = skipSpace(s, i)
		start := i
		for i < len(s) && isTokenByte(s[i]) {
			i++
		}
		if *into = s[start:i]; i == start {
			return h, errVia
		}
		if part == 2 {
			break
		}
		if i = skipSpace(s, i); i == len(s) || s[i] != '/' {
			return h, errVia
		}
		i++
	}
	start := i
	if i = skipSpace(s, i); i == start {
		return h, errVia
	}
	start = i
	for i < len(s) && s[i] != ';' && s[i] != ',' {
		i++
	}
	// RFC 3261 25.1: sent-by = host [ COLON port ], and COLON may have white space around it.
	sentBy := strings.TrimRight(s[start:i], " \t")
	if strings.ContainsAny(sentBy, " \t") {
		sentBy = strings.Join(strings.Fields(sentBy), "")
		if !strings.Contains(sentBy, ":") {
			return h, errVia
		}
	}
	if parseHostPort(sentBy, &h.Host, &h.Port) != nil {
		return h, errVia
	}
	h.Host = strings.Trim(h.Host, "[]") // sipgo keeps the bare address here
	n, err := parseParams(s, i, &h.Params)
	if err != nil {
		return h, errVia
	}
	if n < len(s) {
		return h, comma(n)
	}
	return h, nil
}

func skipSpace(s string, i int) int {
	for i < len(s) && (s[i] == ' ' || s[i] == '\t') {
		i++
	}
	return i
}

// quotedEnd returns the index after the quote that closes the one at s[i], or -1.
func quotedEnd(s string, i int) int {
	for i++; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return -1
}

// isTokenByte: RFC 3261 25.1 token.
func isTokenByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' ||
		strings.IndexByte("-.!%*_+`'~", c) >= 0
}

func isToken(s string) bool {
	for i := 0; i < len(s); i++ {
		if !isTokenByte(s[i]) {
			return false
		}
	}
	return s != ""
}

// isTokens tells whether s may stand unquoted as a display name: tokens and white space, and, as
// senders do it, letters beyond ASCII.
func isTokens(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; !isTokenByte(c) && c != ' ' && c != '\t' && c < 0x80 {
			return false
		}
	}
	return true
}

func isScheme(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i] | 0x20
		if (c < 'a' || c > 'z') && (i == 0 || (s[i] < '0' || s[i] > '9') && strings.IndexByte("+-.", s[i]) < 0) {
			return false
		}
	}
	return s != ""
}

func isHostByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '-' || c == '_'
}

func hasControl(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' && s[i] != '\t' || s[i] == 0x7f {
			return true
		}
	}
	return false
}

// ParseURI reads a URI as it stands in a header or a configuration file.
func ParseURI(s string) (sip.Uri, error) {
	var u sip.Uri
	err := parseURI(s, &u)
	return u, err
}

// ParseAddress reads one element of an address list such as Path or P-Asserted-Identity, as List
// yields them. The display name keeps its escapes.
func ParseAddress(s string) (name string, u sip.Uri, params sip.HeaderParams, err error) {
	err = parseAddressAlone(s, &name, &u, &params)
	return name, u, params, err
}
