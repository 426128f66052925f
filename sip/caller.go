package sip

import (
	"strings"

	"github.com/emiago/sipgo/sip"

	"centrala/sip/header"
)

// callerOf is who calls by a trunk: whom the carrier vouches for by
// P-Asserted-Identity (RFC 3325 section 9.1), a telephone number before anything
// else, and From where it vouches for nobody. Who withholds their number (RFC
// 3323 section 4.2, RFC 3325 section 9.3) is nobody: User and Name are empty.
func callerOf(req *sip.Request) Party {
	from := req.From()
	p := Party{User: uriUser(&from.Address), Name: unquote(from.DisplayName), Host: from.Address.Host}
	if withheld(req) || strings.EqualFold(p.User, "anonymous") || strings.EqualFold(p.Host, "anonymous.invalid") {
		return Party{Host: p.Host}
	}
	asserted := false
	for v := range header.List(req, "P-Asserted-Identity") {
		name, uri, _, err := header.ParseAddress(v)
		if err != nil || uriUser(&uri) == "" {
			continue
		}
		if number := uri.Scheme == "tel" || strings.HasPrefix(uriUser(&uri), "+"); asserted && !number {
			continue
		}
		p.User, asserted = uriUser(&uri), true
		if name != "" {
			p.Name = unquote(name)
		}
		if uri.Host != "" {
			p.Host = uri.Host
		}
	}
	return p
}

// withheld: the caller asks that nobody be shown who they are.
func withheld(req *sip.Request) bool {
	for v := range header.Values(req, "Privacy") {
		for _, want := range strings.FieldsFunc(v, func(r rune) bool { return r == ';' || r == ',' || r == ' ' }) {
			switch strings.ToLower(want) {
			case "id", "user", "header":
				return true
			}
		}
	}
	return false
}
