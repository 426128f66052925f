package sip

import (
	"strconv"
	"strings"

	"github.com/emiago/sipgo/sip"

	"centrala/sip/header"
)

// Origin is what the INVITE of a caller by a trunk says of where the call comes
// from, for calls that are made in its turn.
type Origin struct {
	// Caller is who calls, also one who withholds it: whom they may be shown to is
	// for the owner to see to. User is empty where the carrier does not tell.
	Caller   Party
	Asserted bool // the carrier vouches for it (RFC 3325)
	Withheld bool // the caller asked that it be kept from whom they call (RFC 3323)

	Diversions []Diversion // RFC 5806, the newest first
	History    []string    // entries of History-Info (RFC 7044) as they came, the oldest first; none where they are to be kept secret
	forwarded  int         // by the history
}

// Diversion is an entry of a Diversion header (RFC 5806).
type Diversion struct {
	User    string // who diverted the call
	Counter int    // how many times it was, at least 1
	Text    string // as it came
}

// mostEntries bounds how much of a call's past is looked at.
const mostEntries = 32

// Origin is where a call by a trunk comes from; empty for all other legs.
func (l *Leg) Origin() Origin {
	if !l.inbound || l.trunk == nil {
		return Origin{}
	}
	return originOf(l.invite.Request)
}

func originOf(req *sip.Request) Origin {
	from := Party{User: uriUser(&req.From().Address), Host: req.From().Address.Host}
	o := Origin{Withheld: withheld(req) || nameless(from)}
	if o.Caller, o.Asserted = identity(req); nameless(o.Caller) {
		o.Caller = Party{}
	}
	for v := range header.List(req, "Diversion") {
		_, uri, params, err := header.ParseAddress(v)
		if err != nil || len(o.Diversions) == mostEntries {
			continue
		}
		d := Diversion{User: uriUser(&uri), Counter: 1, Text: v}
		if s, ok := header.Param(params, "counter"); ok {
			if n, err := strconv.ParseUint(s, 10, 8); err == nil && n > 0 {
				d.Counter = int(n)
			}
		}
		o.Diversions = append(o.Diversions, d)
	}
	secret := wants(req, "history", "header") // RFC 7044 section 10.1.2
	for v := range header.List(req, "History-Info") {
		_, uri, params, err := header.ParseAddress(v)
		if err != nil || !params.Has("index") || len(o.History) == mostEntries {
			continue
		}
		if uri.UriParams.Has("cause") || params.Has("mp") { // RFC 4458, or it was mapped to another target
			o.forwarded++
		}
		if !secret {
			o.History = append(o.History, v)
		}
	}
	return o
}

// Diverted is how many times the call was forwarded before it came to us.
func (o *Origin) Diverted() int {
	n := 0
	for _, d := range o.Diversions {
		n += d.Counter
	}
	return max(n, o.forwarded)
}

// LastIndex is the index of the newest entry of the history; empty: there is none.
func (o *Origin) LastIndex() string {
	if len(o.History) == 0 {
		return ""
	}
	_, _, params, _ := header.ParseAddress(o.History[len(o.History)-1])
	index, _ := header.Param(params, "index")
	return index
}

// identity is who calls by a trunk, whether or not it may be shown, and whether
// the carrier asserts it: by P-Asserted-Identity (RFC 3325 section 9.1), a
// telephone number before anything else, and else From.
func identity(req *sip.Request) (p Party, asserted bool) {
	from := req.From()
	p = Party{User: uriUser(&from.Address), Name: unquote(from.DisplayName), Host: from.Address.Host}
	hidden := nameless(p)
	for v := range header.List(req, "P-Asserted-Identity") {
		name, uri, _, err := header.ParseAddress(v)
		if err != nil || uriUser(&uri) == "" {
			continue
		}
		if number := uri.Scheme == "tel" || strings.HasPrefix(uriUser(&uri), "+"); asserted && !number {
			continue
		}
		if hidden {
			p = Party{}
		}
		p.User, asserted = uriUser(&uri), true
		if name != "" {
			p.Name = unquote(name)
		}
		if uri.Host != "" {
			p.Host = uri.Host
		}
	}
	return p, asserted
}

// nameless: it is nobody's name (RFC 3323 section 4.1.1.3).
func nameless(p Party) bool {
	return strings.EqualFold(p.User, "anonymous") || strings.EqualFold(p.Host, "anonymous.invalid")
}

// wants tells whether Privacy has one of the values.
func wants(req *sip.Request, values ...string) bool {
	for v := range header.Values(req, "Privacy") {
		for _, want := range strings.FieldsFunc(v, func(r rune) bool { return r == ';' || r == ',' || r == ' ' }) {
			for _, value := range values {
				if strings.EqualFold(want, value) {
					return true
				}
			}
		}
	}
	return false
}
