package header

import (
	"strings"

	"github.com/emiago/sipgo/sip"
)

// Fault is a reason to refuse a request, with the status that RFC 3261 asks for.
type Fault struct {
	Code   int
	Reason string       // reason phrase, may say more than the status: "Bad Request: CSeq"
	Header []sip.Header // to be added to the answer, such as Unsupported
}

const statusUnsupportedURIScheme = 416 // sipgo's constant of this value bears an HTTP name

// Error makes a Fault usable as an error.
func (f *Fault) Error() string { return f.Reason }

// Response builds the answer. A fault in an ACK must not be answered (RFC 3261 17): drop it.
func (f *Fault) Response(req *sip.Request) *sip.Response {
	res := sip.NewResponseFromRequest(req, f.Code, f.Reason, nil)
	res.SipVersion = "SIP/2.0"
	for _, h := range f.Header {
		res.AppendHeader(h)
	}
	return res
}

func bad(what string) *Fault {
	return &Fault{Code: sip.StatusBadRequest, Reason: "Bad Request: " + what}
}

// Check validates a request that was read with the parsers of this package, before anything else
// looks at it (RFC 3261 8.1.1, 8.2, 16.3). It returns nil, or
//
//	505 for another SIP version (21.5.7),
//	416 for a Request-URI that is neither sip, sips nor tel (8.2.2.1),
//	400 for a malformed header or Request-URI, a missing or repeated mandatory header (8.1.1, 7.3.1),
//	    a CSeq of another method (8.1.1.5), a From without tag (8.1.1.3),
//	406 for an INVITE whose sender refuses SDP answers (21.4.7).
//
// Max-Forwards may be missing and, where the branch has no magic cookie, the From tag too: that is
// how RFC 2543 peers write. Max-Forwards 0 is no fault at the request's final destination (16.3).
func Check(req *sip.Request) *Fault {
	if !strings.EqualFold(req.SipVersion, "SIP/2.0") {
		return &Fault{Code: sip.StatusVersionNotSupported, Reason: "Version Not Supported"}
	}
	if !isToken(string(req.Method)) {
		return bad("method")
	}
	if f := checkTarget(&req.Recipient); f != nil {
		return f
	}
	h, f := checkHeaders(req.Headers())
	if f != nil {
		return f
	}
	switch {
	case h.via == nil:
		return bad("no Via")
	case !strings.EqualFold(h.via.ProtocolName, "SIP") || h.via.ProtocolVersion != "2.0":
		return bad("Via protocol")
	case h.from == nil:
		return bad("no From")
	case h.to == nil:
		return bad("no To")
	case !h.callID:
		return bad("no Call-ID")
	case h.cseq == nil:
		return bad("no CSeq")
	case !sameMethod(req.Method, h.cseq.MethodName):
		return bad("CSeq method")
	}
	branch, _ := h.via.Params.Get("branch")
	if !h.from.Params.Has("tag") && hasCookie(branch) {
		return bad("no From tag")
	}
	if len(branch) == len(sip.RFC3261BranchMagicCookie) && hasCookie(branch) {
		return bad("Via branch") // the cookie alone identifies no transaction (8.1.1.7)
	}
	if req.Method == sip.INVITE && !Accepts(req, "application/sdp") {
		return &Fault{Code: sip.StatusNotAcceptable, Reason: "Not Acceptable"}
	}
	return nil
}

// sameMethod compares the methods of Request-Line and CSeq. Methods are case-sensitive (7.1), but
// sipgo has put the first one into capitals, so only for those that exist can it be told.
func sameMethod(line, cseq sip.RequestMethod) bool {
	if line == cseq {
		return true
	}
	switch line {
	case sip.INVITE, sip.ACK, sip.CANCEL, sip.BYE, sip.REGISTER, sip.OPTIONS, sip.SUBSCRIBE, sip.NOTIFY,
		sip.REFER, sip.INFO, sip.MESSAGE, sip.PRACK, sip.UPDATE, sip.PUBLISH:
		return false
	}
	return strings.EqualFold(string(line), string(cseq))
}

// hasCookie tells whether a branch was made by an RFC 3261 element (8.1.1.7).
func hasCookie(branch string) bool {
	n := len(sip.RFC3261BranchMagicCookie)
	return len(branch) >= n && strings.EqualFold(branch[:n], sip.RFC3261BranchMagicCookie)
}

func checkTarget(u *sip.Uri) *Fault {
	switch u.Scheme {
	case "sip", "sips":
	case "tel":
		return nil
	default:
		return &Fault{Code: statusUnsupportedURIScheme, Reason: "Unsupported URI Scheme"}
	}
	var again sip.Uri
	if u.Wildcard || u.HierarhicalSlashes || parseURI(u.String(), &again) != nil {
		return bad("Request-URI")
	}
	// RFC 3261 19.1.1: no header component in a Request-URI; acting on it would let a caller
	// write into our requests.
	if len(u.Headers) > 0 {
		return bad("headers in Request-URI")
	}
	return nil
}

// mandatory holds what checkHeaders has seen of the headers that must stand exactly once.
type mandatory struct {
	via    *sip.ViaHeader
	from   *sip.FromHeader
	to     *sip.ToHeader
	cseq   *sip.CSeqHeader
	callID bool
}

// checkHeaders finds malformed headers (those the parsers left as text), repeated ones of which
// only one may stand, and the mandatory ones.
func checkHeaders(headers []sip.Header) (mandatory, *Fault) {
	var m mandatory
	var length *sip.ContentLengthHeader
	forwards, contentType := false, false
	for _, h := range headers {
		twice := false
		switch h := h.(type) {
		case *sip.ViaHeader:
			if m.via == nil {
				m.via = h
			}
		case *sip.FromHeader:
			twice, m.from = m.from != nil, h
		case *sip.ToHeader:
			twice, m.to = m.to != nil, h
		case *sip.CallIDHeader:
			twice, m.callID = m.callID, true
		case *sip.CSeqHeader:
			twice, m.cseq = m.cseq != nil, h
		case *sip.MaxForwardsHeader:
			twice, forwards = forwards, true
		case *sip.ContentTypeHeader:
			twice, contentType = contentType, true
		case *sip.ContentLengthHeader:
			// Two of the same value are harmless; two different ones are an attempt at smuggling.
			twice, length = length != nil && *length != *h, h
		case *sip.ContactHeader, *sip.RouteHeader, *sip.RecordRouteHeader:
		default:
			name := h.Name()
			if !isToken(name) || isParsed(name) {
				return m, bad("malformed " + Quoted(name))
			}
		}
		if twice {
			return m, bad("more than one " + h.Name())
		}
	}
	return m, nil
}

// isParsed tells whether a header of this name, being plain text, is a malformed one.
func isParsed(name string) bool {
	switch name {
	case "Via", "From", "To", "Contact", "Call-ID", "Content-Length", "Content-Type", "CSeq",
		"Max-Forwards", "Route", "Record-Route":
		return true
	}
	return false
}

// Unsupported returns a 420 naming the option tags in Require that are not among the supported
// ones (RFC 3261 8.2.2.3), or nil. CANCEL and ACK carry none (8.2.2.3 too). Proxy-Require is for
// proxies and not looked at.
func Unsupported(req *sip.Request, supported ...string) *Fault {
	if req.Method == sip.CANCEL || req.Method == sip.ACK {
		return nil
	}
	var missing []string
next:
	for tag := range List(req, "Require") {
		for _, s := range supported {
			if strings.EqualFold(s, tag) {
				continue next
			}
		}
		missing = append(missing, tag)
	}
	if missing == nil {
		return nil
	}
	return &Fault{
		Code:   sip.StatusBadExtension,
		Reason: "Bad Extension",
		Header: []sip.Header{sip.NewHeader("Unsupported", strings.Join(missing, ", "))},
	}
}

// CheckResponse tells whether a response can be used; a malformed one is dropped, as nobody could
// be told (RFC 3261 8.1.3.3 allows one Via only).
func CheckResponse(res *sip.Response) error {
	m, f := checkHeaders(res.Headers())
	switch {
	case f != nil:
		return f
	case res.StatusCode < 100 || res.StatusCode > 699:
		return bad("status code")
	case m.via == nil || m.from == nil || m.to == nil || !m.callID || m.cseq == nil:
		return bad("mandatory header missing")
	case countVia(res) != 1:
		return bad("more than one Via")
	}
	return nil
}

func countVia(m Message) int {
	n := 0
	for _, h := range m.Headers() {
		if _, ok := h.(*sip.ViaHeader); ok {
			n++
		}
	}
	return n
}

// Accepts tells whether the sender takes bodies of this type, "type/subtype" in lower case. No
// Accept header means SDP for INVITE (RFC 3261 20.1), an empty one means nothing.
func Accepts(m Message, mediaType string) bool {
	if _, ok := Value(m, "Accept"); !ok {
		return true
	}
	kind, _, _ := strings.Cut(mediaType, "/")
	for e := range List(m, "Accept") {
		e, _, _ = strings.Cut(e, ";")
		e = sip.ASCIIToLower(strings.TrimSpace(e))
		if e == mediaType || e == "*/*" || e == kind+"/*" {
			return true
		}
	}
	return false
}
