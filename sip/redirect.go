package sip

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/emiago/sipgo/sip"

	"centrala/sip/header"
)

// Redirection is whom to call instead, in the words of who refused a call with 300,
// 301 or 302 (RFC 3261 section 21.3). It is for the owner to follow, or not: nothing
// is called by itself.
type Redirection struct {
	To Party // Host is empty for a tel URI
	// Why is the reason that the answer's Diversion gives (RFC 5806), such as
	// user-busy; empty: it gives none.
	Why string
}

// redirection reads the best Contact of an answer: that of the highest q and, of equal
// ones, the first (RFC 3261 section 8.1.3.4) that is a sip, sips or tel URI with a user.
// Nil: there is none, or the answer is another one.
func redirection(res *sip.Response) *Redirection {
	if res == nil || res.StatusCode < 300 || res.StatusCode > 302 {
		return nil
	}
	type choice struct {
		to Party
		q  float64
	}
	var list []choice
	for v := range header.List(res, "Contact") {
		name, uri, params, err := header.ParseAddress(v)
		if err != nil || uriUser(&uri) == "" || len(list) == mostEntries {
			continue
		}
		switch uri.Scheme {
		case "sip", "sips", "tel":
			c := choice{Party{User: uriUser(&uri), Name: unquote(name), Host: uri.Host}, 1}
			if s, ok := header.Param(params, "q"); ok {
				if q, err := strconv.ParseFloat(s, 64); err == nil {
					c.q = q
				}
			}
			list = append(list, c)
		}
	}
	if len(list) == 0 {
		return nil
	}
	slices.SortStableFunc(list, func(a, b choice) int { return cmp.Compare(b.q, a.q) })
	r := &Redirection{To: list[0].to}
	for v := range header.List(res, "Diversion") {
		if _, _, params, err := header.ParseAddress(v); err == nil {
			why, _ := header.Param(params, "reason")
			r.Why = strings.ToLower(why)
			break
		}
	}
	return r
}
