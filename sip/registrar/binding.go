package registrar

import (
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"

	"centrala/sip/header"
)

// Flow is the way a request came in and answers go out: a connection, or a pair of UDP addresses.
type Flow struct {
	ID        string         `json:"id"`        // unique while the process lives
	Transport string         `json:"transport"` // udp, tcp, tls, ws, wss
	Remote    netip.AddrPort `json:"remote"`    // behind NAT: the public side
	Local     netip.AddrPort `json:"local"`
}

// Connected tells whether the flow is a connection, with which it ends.
func (f Flow) Connected() bool { return !strings.EqualFold(f.Transport, "udp") }

// Binding is one contact of a user.
type Binding struct {
	Contact string `json:"contact"` // the URI as the phone wrote it; put it into the Request-URI
	// Params are the other Contact parameters but expires, as they are echoed: ;q=0.5;+sip.instance="<…>"
	Params   string    `json:"params,omitempty"`
	Q        uint16    `json:"q"` // thousandths, 0 to 1000; 1000 where the phone names none
	CallID   string    `json:"call_id"`
	CSeq     uint32    `json:"cseq"`
	Expires  time.Time `json:"expires"`
	Updated  time.Time `json:"updated"`            // when it was last refreshed
	Instance string    `json:"instance,omitempty"` // +sip.instance (RFC 5626), the device
	RegID    uint32    `json:"reg_id,omitempty"`   // reg-id (RFC 5626), one of the device's flows; 0: none
	// Path is the route to the phone (RFC 3327), to be written as Route headers in this order.
	Path []string `json:"path,omitempty"`
	Flow Flow     `json:"flow"`
	// UserAgent is what the phone calls itself, for display.
	UserAgent string `json:"user_agent,omitempty"`
}

// entry is a binding in its shard.
type entry struct {
	Binding
	uri    sip.Uri
	record *record
	index  int // in the shard's heap
}

// contactValue writes the binding for a 200 (RFC 3261 10.3 step 8).
func (e *entry) contactValue(now time.Time) string {
	left := max(1, int64(e.Expires.Sub(now)/time.Second))
	b := make([]byte, 0, 128)
	b = append(b, '<')
	b = append(b, e.Contact...)
	b = append(b, '>')
	b = append(b, e.Params...)
	b = append(b, ";expires="...)
	b = strconv.AppendInt(b, left, 10)
	return string(b)
}

// sameURI compares contacts by RFC 3261 19.1.4.
func sameURI(a, b *sip.Uri) bool {
	if a.Scheme != b.Scheme || a.Port != b.Port || !strings.EqualFold(a.Host, b.Host) ||
		a.User != b.User && header.UnescapedUser(a.User) != header.UnescapedUser(b.User) ||
		a.Password != b.Password && header.UnescapedUser(a.Password) != header.UnescapedUser(b.Password) {
		return false
	}
	return sameParams(a.UriParams, b.UriParams) && sameParams(b.UriParams, a.UriParams)
}

// sameParams tells whether no parameter of a speaks against b: those in both must be equal, and
// user, ttl, method, maddr and transport never match their absence.
func sameParams(a, b sip.HeaderParams) bool {
	for _, p := range a {
		v, ok := b.Get(p.K)
		if ok {
			if !strings.EqualFold(v, p.V) {
				return false
			}
			continue
		}
		switch p.K {
		case "user", "ttl", "method", "maddr", "transport":
			return false
		}
	}
	return true
}
