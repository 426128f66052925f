package header

import (
	"strings"

	"github.com/emiago/sipgo/sip"
)

// Event reads the Event header of a SUBSCRIBE or NOTIFY (RFC 6665 section 8.2.1): the package with
// its template, in lower case, and the id parameter, which keeps subscriptions of one dialog apart.
// name is empty where the header is missing or malformed.
func Event(m Message) (name, id string) {
	v, ok := Value(m, "Event")
	if !ok {
		return "", ""
	}
	end := 0
	for end < len(v) && isTokenByte(v[end]) {
		end++
	}
	var params sip.HeaderParams
	if n, err := parseParams(v, end, &params); err != nil || n < len(v) {
		return "", ""
	}
	id, _ = params.Get("id")
	if !isToken(id) {
		id = ""
	}
	return strings.ToLower(v[:end]), id
}
