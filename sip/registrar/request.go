package registrar

import (
	"strconv"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"

	"centrala/sip/header"
)

// maxContactText bounds what one contact may make us store and echo, in bytes.
const maxContactText = 2048

// request is a REGISTER that was read and found consistent, before it meets the bindings.
type request struct {
	callID   string
	cseq     uint32
	star     bool      // Contact: * with Expires: 0
	contacts []contact // none: a query
	path     []string
	flow     Flow
	agent    string
	echoPath bool
	outbound bool // RFC 5626 is in force for this registration
}

type contact struct {
	uri      sip.Uri
	text     string // the URI as written
	params   string
	q        uint16
	instance string
	regID    uint32
	expires  time.Time // zero: remove
}

func refuse(code int, reason string) *header.Fault {
	return &header.Fault{Code: code, Reason: reason}
}

// read takes from the request all that does not depend on the present bindings: RFC 3261 10.3
// steps 2, 6 and 7.
func (r *Registrar) read(req *sip.Request, flow Flow, now time.Time) (*request, *header.Fault) {
	if f := header.Unsupported(req, "path", "outbound"); f != nil {
		return nil, f
	}
	if req.CallID() == nil || req.CSeq() == nil {
		return nil, refuse(sip.StatusBadRequest, "Bad Request")
	}
	q := &request{callID: req.CallID().Value(), cseq: req.CSeq().SeqNo, flow: flow}
	q.agent, _ = header.Value(req, "User-Agent")
	for p := range header.List(req, "Path") {
		if _, _, _, err := header.ParseAddress(p); err != nil {
			return nil, refuse(sip.StatusBadRequest, "Bad Request: Path")
		}
		q.path = append(q.path, p)
	}
	q.echoPath = q.path != nil && header.HasOption(req, "Supported", "path")

	wish := r.o.DefaultExpires
	seconds, given := header.Expires(req)
	if given {
		wish = time.Duration(seconds) * time.Second
	}
	list := header.Contacts(req)
	for _, c := range list {
		if c.Address.Wildcard {
			// RFC 3261 10.3 step 6: alone, and with an Expires of zero.
			if len(list) > 1 || !given || seconds != 0 {
				return nil, refuse(sip.StatusBadRequest, "Bad Request: Contact *")
			}
			q.star = true
			return q, nil
		}
		read, f := r.readContact(c, wish, now)
		if f != nil {
			return nil, f
		}
		q.contacts = append(q.contacts, read)
	}
	return q, r.readOutbound(req, q)
}

func (r *Registrar) readContact(c *sip.ContactHeader, wish time.Duration, now time.Time) (contact, *header.Fault) {
	n := contact{uri: c.Address, q: 1000}
	if n.uri.Scheme != "sip" && n.uri.Scheme != "sips" { // nothing that a call could be sent to
		return n, refuse(416, "Unsupported URI Scheme")
	}
	if len(n.uri.Headers) > 0 {
		// They would be ours to add to every call (RFC 3261 19.1.5), which lets a phone write our requests.
		return n, refuse(sip.StatusBadRequest, "Bad Request: headers in Contact")
	}
	n.text = n.uri.String()
	var params strings.Builder
	for _, p := range c.Params {
		switch p.K {
		case "expires":
			v, _ := header.Param(c.Params, p.K)
			wish = time.Duration(header.DeltaSeconds(v)) * time.Second
			continue
		case "q":
			var ok bool
			if n.q, ok = parseQ(p.V); !ok {
				return n, refuse(sip.StatusBadRequest, "Bad Request: q")
			}
		case "+sip.instance":
			n.instance, _ = header.Param(c.Params, p.K)
		case "reg-id":
			id, err := strconv.ParseUint(p.V, 10, 31)
			if err != nil || id == 0 {
				return n, refuse(sip.StatusBadRequest, "Bad Request: reg-id")
			}
			n.regID = uint32(id)
		}
		params.WriteByte(';')
		sip.HeaderParams{p}.ToStringWrite(';', &params)
	}
	if n.instance == "" {
		n.regID = 0 // RFC 5626 6: without an instance it is not valid
	}
	n.params = params.String()
	if len(n.text)+len(n.params) > maxContactText {
		return n, refuse(sip.StatusBadRequest, "Bad Request: Contact too long")
	}
	// RFC 3261 10.3 step 7: too brief is only what is below an hour and below our minimum.
	if wish > 0 && wish < r.o.MinExpires && wish < time.Hour {
		f := refuse(sip.StatusIntervalToBrief, "Interval Too Brief")
		f.Header = []sip.Header{sip.NewHeader("Min-Expires", strconv.Itoa(int(r.o.MinExpires/time.Second)))}
		return n, f
	}
	if wish > 0 {
		n.expires = now.Add(min(wish, r.o.MaxExpires))
	}
	return n, nil
}

// readOutbound applies RFC 5626 section 6 to a registration with reg-id.
func (r *Registrar) readOutbound(req *sip.Request, q *request) *header.Fault {
	withID := 0
	for _, c := range q.contacts {
		if c.regID != 0 && !c.expires.IsZero() {
			withID++
		}
	}
	if withID > 1 {
		return refuse(sip.StatusBadRequest, "Bad Request: more than one reg-id")
	}
	if withID == 0 || !header.HasOption(req, "Supported", "outbound") {
		return nil
	}
	vias := 0
	for range header.Values(req, "Via") {
		vias++
	}
	if vias > 1 && !firstHopKeepsFlow(q.path) {
		return refuse(439, "First Hop Lacks Outbound Support")
	}
	// Over UDP a phone would then expect STUN keepalives to be answered on the SIP port, so there
	// outbound is not confirmed; the replacement rule holds all the same.
	q.outbound = vias > 1 || q.flow.Connected()
	return nil
}

// firstHopKeepsFlow: the edge proxy next to the phone has put "ob" into the Path URI it added,
// which is the last one, as each proxy adds its own on top.
func firstHopKeepsFlow(path []string) bool {
	if len(path) == 0 {
		return false
	}
	_, u, _, err := header.ParseAddress(path[len(path)-1])
	return err == nil && u.UriParams.Has("ob")
}

// parseQ reads qvalue (RFC 3261 25.1): 0 to 1 with up to three digits after the point.
func parseQ(s string) (thousandths uint16, ok bool) {
	whole, frac, _ := strings.Cut(s, ".")
	if whole != "0" && whole != "1" || len(frac) > 3 {
		return 0, false
	}
	n := 0
	for _, c := range []byte((whole + frac + "000")[:4]) {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return uint16(n), n <= 1000
}
