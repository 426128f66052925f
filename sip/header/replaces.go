package header

import (
	"errors"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// Replaces names a dialog to whoever is an end of it (RFC 3891). The tags are
// as the receiver of the header sees them.
type Replaces struct {
	CallID    string
	LocalTag  string // to-tag: that of the receiver
	RemoteTag string // from-tag: that of the other end
	EarlyOnly bool   // only while it is not answered
}

// ErrReplaces means that a Replaces header cannot be read.
var ErrReplaces = errors.New("malformed Replaces")

// ParseReplaces reads the value of a Replaces header. Exactly one of each tag
// must be there (RFC 3891 section 6.1).
func ParseReplaces(s string) (Replaces, error) {
	id, _, _ := strings.Cut(s, ";")
	var params sip.HeaderParams
	if n, err := parseParams(s, len(id), &params); err != nil || n < len(s) {
		return Replaces{}, ErrReplaces
	}
	r := Replaces{CallID: strings.TrimSpace(id), EarlyOnly: params.Has("early-only")}
	var to, from bool
	r.LocalTag, to = params.Get("to-tag")
	r.RemoteTag, from = params.Get("from-tag")
	if !to || !from || r.CallID == "" || strings.ContainsAny(r.CallID, " \t,") {
		return Replaces{}, ErrReplaces
	}
	return r, nil
}
