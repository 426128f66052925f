package sip

import "github.com/emiago/sipgo/sip"

// callerOf is who calls by a trunk, as they may be shown: whom the carrier vouches
// for, and From where it vouches for nobody. Who withholds their number (RFC 3323
// section 4.2, RFC 3325 section 9.3) is nobody: User and Name are empty.
func callerOf(req *sip.Request) Party {
	from := Party{User: uriUser(&req.From().Address), Host: req.From().Address.Host}
	if withheld(req) || nameless(from) {
		return Party{Host: from.Host}
	}
	p, _ := identity(req)
	return p
}

// withheld: the caller asks that nobody be shown who they are.
func withheld(req *sip.Request) bool { return wants(req, "id", "user", "header") }
