package header_test

import (
	"strings"
	"testing"

	"github.com/emiago/sipgo/sip"

	"centrala/sip/header"
)

const goodRequest = "INVITE sip:anna@example.com SIP/2.0\r\n" +
	"Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKabc\r\n" +
	"From: <sip:bob@example.com>;tag=1\r\n" +
	"To: <sip:anna@example.com>\r\n" +
	"Call-ID: c1\r\n" +
	"CSeq: 1 INVITE\r\n" +
	"Max-Forwards: 70\r\n" +
	"Content-Length: 0\r\n\r\n"

// Each line: what is changed in a good request, and the status RFC 3261 asks for (0: accepted).
func TestCheck(t *testing.T) {
	for _, c := range []struct {
		section, old, new string
		code              int
	}{
		{"8.1.1 a good one", "", "", 0},
		{"8.1.1 no Via", "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKabc\r\n", "", 400},
		{"8.1.1 no From", "From: <sip:bob@example.com>;tag=1\r\n", "", 400},
		{"8.1.1 no To", "To: <sip:anna@example.com>\r\n", "", 400},
		{"8.1.1 no Call-ID", "Call-ID: c1\r\n", "", 400},
		{"8.1.1 no CSeq", "CSeq: 1 INVITE\r\n", "", 400},
		{"8.1.1.3 From without tag", ";tag=1", "", 400},
		{"RFC 2543: no tag, no cookie", "z9hG4bKabc\r\nFrom: <sip:bob@example.com>;tag=1", "old\r\nFrom: <sip:bob@example.com>", 0},
		{"RFC 2543: no branch", ";branch=z9hG4bKabc", "", 0},
		{"8.1.1.5 CSeq of another method", "1 INVITE", "1 BYE", 400},
		{"7.1 methods are case-sensitive", "1 INVITE", "1 invite", 400},
		{"8.1.1.5 CSeq is below 2**31", "CSeq: 1", "CSeq: 2147483648", 400},
		{"8.1.1.5 the greatest CSeq", "CSeq: 1", "CSeq: 2147483647", 0},
		{"8.1.1.6 RFC 2543: no Max-Forwards", "Max-Forwards: 70\r\n", "", 0},
		{"20.22 Max-Forwards is below 256", "Max-Forwards: 70", "Max-Forwards: 256", 400},
		{"16.3 Max-Forwards 0 at the destination", "Max-Forwards: 70", "Max-Forwards: 0", 0},
		{"8.1.1.7 branch of the cookie alone", "z9hG4bKabc", "z9hG4bK", 400},
		{"20.42 Via of another protocol", "SIP/2.0/UDP", "HTTP/1.1/UDP", 400},
		{"8.2.2.1 unknown scheme", "INVITE sip:anna@example.com", "INVITE mailto:anna@example.com", 416},
		{"8.2.2.1 tel", "INVITE sip:anna@example.com", "INVITE tel:+48221234567", 0},
		{"19.1.1 headers in Request-URI", "INVITE sip:anna@example.com", "INVITE sip:anna@example.com?Route=x", 400},
		{"19.1.1 no host", "INVITE sip:anna@example.com", "INVITE sip:anna@", 400},
		{"21.5.7 version", "SIP/2.0\r\n", "SIP/3.0\r\n", 505},
		{"7.3.1 two To", "Call-ID: c1", "t: <sip:c@d>\r\nCall-ID: c1", 400},
		{"7.3.1 two Call-ID", "Call-ID: c1", "i: c2\r\nCall-ID: c1", 400},
		{"7.3.1 two Max-Forwards", "Call-ID: c1", "Max-Forwards: 70\r\nCall-ID: c1", 400},
		{"7.3.1 two Content-Length", "Call-ID: c1", "l: 1\r\nCall-ID: c1", 400},
		{"7.3.1 Content-Length repeated alike", "Call-ID: c1", "l: 0\r\nCall-ID: c1", 0},
		{"25.1 header name is a token", "Call-ID: c1", "X(y): 1\r\nCall-ID: c1", 400},
		{"25.1 no header name", "Call-ID: c1", ": 1\r\nCall-ID: c1", 400},
		{"25.1 Call-ID with a space", "Call-ID: c1", "Call-ID: c 1", 400},
		{"21.4.7 no SDP wanted", "Call-ID: c1", "Accept: text/plain\r\nCall-ID: c1", 406},
		{"20.1 nothing wanted", "Call-ID: c1", "Accept:\r\nCall-ID: c1", 406},
		{"20.1 SDP among others", "Call-ID: c1", "Accept: text/plain, Application/SDP;level=1\r\nCall-ID: c1", 0},
		{"20.1 anything", "Call-ID: c1", "Accept: */*\r\nCall-ID: c1", 0},
		{"20.1 any application", "Call-ID: c1", "Accept: application/*\r\nCall-ID: c1", 0},
	} {
		if !strings.Contains(goodRequest, c.old) {
			t.Fatalf("%s: nothing to replace", c.section)
		}
		f := header.Check(parse(t, strings.Replace(goodRequest, c.old, c.new, 1)))
		switch {
		case c.code == 0 && f != nil:
			t.Errorf("%s: refused with %d %s", c.section, f.Code, f.Reason)
		case c.code != 0 && (f == nil || f.Code != c.code):
			t.Errorf("%s: got %v, want %d", c.section, f, c.code)
		}
	}
}

// RFC 3261 8.2.2.3: 420 with Unsupported; not for ACK and CANCEL.
func TestUnsupported(t *testing.T) {
	req := request(t, "Require: path, 100rel", "Require: foo")
	f := header.Unsupported(req, "Path")
	if f == nil || f.Code != 420 {
		t.Fatalf("got %v", f)
	}
	res := f.Response(req)
	if v, _ := header.Value(res, "Unsupported"); v != "100rel, foo" || res.StatusCode != 420 {
		t.Errorf("answer %v", res)
	}
	if f := header.Unsupported(req, "path", "100rel", "foo"); f != nil {
		t.Errorf("got %v", f)
	}
	req.Method = sip.CANCEL
	if f := header.Unsupported(req); f != nil {
		t.Errorf("CANCEL: %v", f)
	}
}

// The answer is readable whatever was wrong with the request.
func TestFault_Response(t *testing.T) {
	req := parse(t, "OPTIONS sip:a@b SIP/7.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\n\r\n")
	res := header.Check(req).Response(req)
	if !strings.HasPrefix(res.String(), "SIP/2.0 505 ") {
		t.Errorf("got %q", res.String())
	}
}

func TestScreen(t *testing.T) {
	for name, c := range map[string]struct {
		old, new string
		code     int
	}{
		"good":              {"", "", 0},
		"tab in line":       {"INVITE sip", "INVITE\tsip", 400},
		"mixed version":     {"SIP/2.0\r\nVia", "Sip/2.0\r\nVia", 400},
		"reason of SIP":     {"INVITE sip:anna@example.com SIP/2.0", "SIP/2.0 200 SIPPY", 400},
		"lower version":     {"SIP/2.0\r\nVia", "sip/2.0\r\nVia", 0},
		"odd version":       {"SIP/2.0\r\nVia", "SIP/2\r\nVia", 400},
		"next version":      {"SIP/2.0\r\nVia", "SIP/2.1\r\nVia", 505},
		"no scheme":         {"INVITE sip:", "INVITE ", 400},
		"scheme with dots":  {"INVITE sip:", "INVITE x.y-z+1:", 416},
		"no colon":          {"Call-ID: c1", "Call-ID c1", 400},
		"bare CR":           {"Call-ID: c1", "Call-ID: c\r1", 400},
		"short body":        {"Length: 0", "Length: 1", 400},
		"compact length":    {"Content-Length: 0", "L : 7", 400},
		"cut in headers":    {"\r\n\r\n", "\r\n", 400},
		"cut in start line": {goodRequest, "INVITE sip:a@b", 400},
		"folded":            {"Call-ID: c1", "Call-ID:\r\n c1", 0},
	} {
		f := header.Screen([]byte(strings.Replace(goodRequest, c.old, c.new, 1)))
		if c.code == 0 && f != nil || c.code != 0 && (f == nil || f.Code != c.code) {
			t.Errorf("%s: got %v, want %d", name, f, c.code)
		}
	}
}

func TestCheckResponse(t *testing.T) {
	good := "SIP/2.0 200 OK\r\n" + goodRequest[strings.Index(goodRequest, "Via"):]
	for name, c := range map[string]struct {
		old, new string
		ok       bool
	}{
		"good":        {"", "", true},
		"two Via":     {"From:", "Via: SIP/2.0/UDP h;branch=z9hG4bK2\r\nFrom:", false},
		"no CSeq":     {"CSeq: 1 INVITE\r\n", "", false},
		"status":      {"200 OK", "099 OK", false},
		"bad From":    {"From: <sip:", "From: <", false},
		"two Call-ID": {"CSeq", "i: 2\r\nCSeq", false},
	} {
		m, err := header.NewParser().ParseSIP([]byte(strings.Replace(good, c.old, c.new, 1)))
		if err != nil {
			t.Fatal(name, err)
		}
		res, _ := m.(*sip.Response)
		if err := header.CheckResponse(res); (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}
