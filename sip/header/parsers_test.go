package header_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/emiago/sipgo/sip"
	"github.com/google/go-cmp/cmp"

	"centrala/sip/header"
)

// request builds a valid OPTIONS with more header lines and parses it.
func request(t testing.TB, lines ...string) *sip.Request {
	t.Helper()
	text := "OPTIONS sip:anna@example.com SIP/2.0\r\n" +
		"Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKabc\r\n" +
		"From: <sip:bob@example.com>;tag=1\r\n" +
		"To: <sip:anna@example.com>\r\n" +
		"Call-ID: c1\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\n"
	for _, l := range lines {
		text += l + "\r\n"
	}
	return parse(t, text+"\r\n")
}

func parse(t testing.TB, text string) *sip.Request {
	t.Helper()
	m, err := header.NewParser().ParseSIP([]byte(text))
	if err != nil {
		t.Fatalf("%v in %q", err, text)
	}
	req, ok := m.(*sip.Request)
	if !ok {
		t.Fatalf("no request: %q", text)
	}
	return req
}

// SIP-NOTES B12: compact forms arrive under their canonical names (RFC 3261 7.3.3).
func TestParsers_CompactForms(t *testing.T) {
	req := request(t, "k: path, timer", "x: 1800;refresher=uac", "r: <sip:c@d>", "b: <sip:e@f>", "o: dialog",
		"u: refer", "e: gzip", "s: hello", "m: <sip:bob@192.0.2.1>", "l: 0")
	for name, want := range map[string]string{
		"Supported": "path, timer", "Session-Expires": "1800;refresher=uac", "Refer-To": "<sip:c@d>",
		"Referred-By": "<sip:e@f>", "Event": "dialog", "Allow-Events": "refer", "Content-Encoding": "gzip",
		"Subject": "hello", "Contact": "<sip:bob@192.0.2.1>", "Content-Length": "0",
	} {
		if h := req.GetHeader(name); h == nil || h.Name() != name || h.Value() != want {
			t.Errorf("%s: got %v, want %q", name, h, want)
		}
	}
	if h := req.ReferTo(); h == nil || h.Address.Host != "d" {
		t.Errorf("ReferTo() = %v", h)
	}
}

func TestParsers_TableIsACopy(t *testing.T) {
	before := len(sip.DefaultHeadersParser())
	header.Parsers()["x-new"] = nil
	if _, ok := header.Parsers()["x-new"]; ok || len(sip.DefaultHeadersParser()) != before {
		t.Error("a change of one table shows in another")
	}
}

// RFC 3261 7.3.1: a list on one line is the same as several headers; order is kept.
func TestParsers_CommaLists(t *testing.T) {
	req := request(t,
		`Contact: "A, B" <sip:a@example.com;x=1>;q=0.5 , <sip:b@example.com,>;expires=60`,
		"m: sip:c@example.com;expires=5",
		"Route: <sip:p1.example.com;lr>,<sip:p2.example.com;lr>",
		"Record-Route: <sip:r1;lr>, <sip:r2;lr>",
		"v: SIP/2.0/TCP [2001:db8::1]:5061;branch=z9hG4bK1 , SIP / 2.0 / TLS host.example.com : 5061 ; branch=z9hG4bK2")
	var got []string
	for _, c := range header.Contacts(req) {
		got = append(got, c.Value())
	}
	want := []string{`"A, B" <sip:a@example.com;x=1>;q=0.5`, "<sip:c@example.com>;expires=5"}
	// A comma may stand in the brackets only as part of the user: this host is malformed, the rest survives.
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("contacts (-want +got):\n%s", diff)
	}
	if header.Contact(req).Address.User != "a" {
		t.Error("Contact is not the first one")
	}
	if n := len(req.GetHeaders("Route")); n != 2 || req.Route().Address.Host != "p1.example.com" {
		t.Errorf("%d routes, first %v", n, req.Route())
	}
	if n := len(req.GetHeaders("Record-Route")); n != 2 || req.RecordRoute().Address.Host != "r1" {
		t.Errorf("%d record routes, first %v", n, req.RecordRoute())
	}
	vias := slices.Collect(header.Values(req, "Via"))
	if diff := cmp.Diff([]string{
		"SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKabc",
		"SIP/2.0/TCP [2001:db8::1]:5061;branch=z9hG4bK1",
		"SIP/2.0/TLS host.example.com:5061;branch=z9hG4bK2",
	}, vias); diff != "" {
		t.Errorf("vias (-want +got):\n%s", diff)
	}
}

// RFC 3261 7.3.1: parameter names are compared without case.
func TestParsers_ParameterCase(t *testing.T) {
	req := parse(t, "OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP h;Branch=z9hG4bKx;RPORT\r\n"+
		"From: <sip:a@b>;TAG=77\r\nTo: <sip:a@b;Transport=TCP>\r\nCall-ID: c\r\nCSeq: 1 OPTIONS\r\n\r\n")
	if v, _ := req.Via().Params.Get("branch"); v != "z9hG4bKx" || !req.Via().Params.Has("rport") {
		t.Errorf("via %v", req.Via())
	}
	if v, _ := req.From().Params.Get("tag"); v != "77" {
		t.Errorf("from %v", req.From())
	}
	if v, _ := req.To().Address.UriParams.Get("transport"); v != "TCP" {
		t.Errorf("to %v", req.To())
	}
}

func TestParsers_QuotedParameters(t *testing.T) {
	req := request(t, `Contact: <sip:a@b>;+sip.instance="<urn:uuid:1>";x="a;b,c\"d";y="two words";Q=0.7`)
	p := header.Contact(req).Params
	for name, want := range map[string]string{
		"+sip.instance": "<urn:uuid:1>", "x": `a;b,c"d`, "y": "two words", "q": "0.7",
	} {
		if got, ok := header.Param(p, name); !ok || got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
	if _, ok := header.Param(p, "none"); ok {
		t.Error("a parameter that is not there")
	}
	stable(t, req)
}

func TestParseAddress(t *testing.T) {
	for _, c := range []struct{ text, name, uri, params string }{
		{`"Anna \"A\" Nowak" <sip:anna@example.com;a=b>;tag=1`, `Anna \"A\" Nowak`, "sip:anna@example.com;a=b", "tag=1"},
		{"Anna Nowak <sip:anna@example.com>", "Anna Nowak", "sip:anna@example.com", ""},
		{"Łucja <sip:l@example.com>", "Łucja", "sip:l@example.com", ""},
		{"sip:anna@example.com;tag=1", "", "sip:anna@example.com", "tag=1"}, // RFC 3261 20.10: header parameter
		{"<tel:+48221234567;phone-context=x>", "", "tel:+48221234567;phone-context=x", ""},
		{"<sips:[2001:db8::9]:5061>", "", "sips:[2001:db8::9]:5061", ""},
		{"<SIP:u:pw@h?Subject=a&Priority=b>", "", "sip:u:pw@h?subject=a&priority=b", ""},
	} {
		name, u, params, err := header.ParseAddress(c.text)
		if err != nil || name != c.name || u.String() != c.uri || params.ToString(';') != c.params {
			t.Errorf("%s: got %q %q %q %v", c.text, name, u.String(), params.ToString(';'), err)
		}
	}
	for _, text := range []string{
		"", "<", "<>", "anna", "<anna>", "<sip:>", "<sip:@host>", "<sip:a@>", `"Anna <sip:a@b>`, `"A" sip:a@b`,
		"A, B <sip:a@b>", "<sip:a@b", "<sip:a b@c>", "<sip:a@b:99999>", "<sip:a@b:x>", "<sip:a@[::1>",
		"<sip:a@[nonsense]>", "<sip:a@b>tag=1", "<sip:a@b>;=x", `<sip:a@b>;x="y`, "<1sip:a@b>", "sip:a@b?x=y",
		"<sip:a@b>,<sip:c@d>", "< sip:a@b>", "<http:>",
	} {
		if _, u, _, err := header.ParseAddress(text); err == nil {
			t.Errorf("%q was accepted as %q", text, u.String())
		}
	}
}

// A malformed value neither hides the message nor passes for a good one.
func TestParsers_MalformedIsKept(t *testing.T) {
	for _, line := range []string{
		"Contact: <sip:a b>", "Content-Length: -1", "Content-Length: 4294967296", "Max-Forwards: 256", "Max-Forwards: +1",
		"Route: sip:", "Record-Route: <>", "Via: SIP/2.0/UDP", "Via: nonsense", "Content-Type: ", "v: SIP/2.0/UDP h;;;,;",
	} {
		req := request(t, line)
		if f := header.Check(req); f == nil || f.Code != 400 {
			t.Errorf("%q: fault %v, want 400", line, f)
		}
	}
}

func TestValues(t *testing.T) {
	req := request(t, "Require: a , B,c", "require: d", "Allow:", `Reason: Q.850;cause=16;text="Terminated, now", SIP;cause=200;text="Call completed elsewhere"`,
		"Expires: 120")
	if got := slices.Collect(header.List(req, "Require")); !slices.Equal(got, []string{"a", "B", "c", "d"}) {
		t.Errorf("Require: %q", got)
	}
	if !header.HasOption(req, "Require", "b") || header.HasOption(req, "Require", "e") || header.HasOption(req, "Allow", "") {
		t.Error("HasOption")
	}
	if c, ok := header.Reason(req, "sip"); !ok || c != (header.Cause{Protocol: "SIP", Code: 200, Text: "Call completed elsewhere"}) {
		t.Errorf("reason %+v", c)
	}
	if c, ok := header.Reason(req, ""); !ok || c != (header.Cause{Protocol: "Q.850", Code: 16, Text: "Terminated, now"}) {
		t.Errorf("first reason %+v", c)
	}
	if _, ok := header.Reason(request(t, "Reason: ;x"), ""); ok {
		t.Error("a malformed reason")
	}
	if n, ok := header.Expires(req); n != 120 || !ok {
		t.Errorf("expires %d %v", n, ok)
	}
	if _, ok := header.Expires(request(t)); ok {
		t.Error("expires without header")
	}
	for text, want := range map[string]uint32{"0": 0, "4294967295": 1<<32 - 1, "4294967296": 3600, "abc": 3600, "": 3600, "-1": 3600} {
		if got := header.DeltaSeconds(text); got != want { // RFC 3261 10.2.1.1
			t.Errorf("DeltaSeconds(%q) = %d, want %d", text, got, want)
		}
	}
	if header.Contact(req) != nil || header.Contacts(req) != nil {
		t.Error("contacts out of nothing")
	}
}

// User-supplied text cannot leave its quotes or its URI.
func TestWriting_Injection(t *testing.T) {
	for _, evil := range []string{
		"plain", `a" <sip:evil@x>;x="`, "a\r\nX-Evil: 1", "a\nb", "back\\slash\\", "\x00\x7f", "Łódź", "\xff\xfe", `\"`, "",
	} {
		h := &sip.FromHeader{
			DisplayName: header.Quoted(evil),
			Address:     sip.Uri{Scheme: "sip", User: header.EscapedUser(evil + "x"), Host: "h"},
		}
		name, u, params, err := header.ParseAddress(h.Value())
		if err != nil || name != h.DisplayName || u.Host != "h" || len(params) != 0 {
			t.Errorf("%q became %q: %q %q %v %v", evil, h.Value(), name, u.String(), params, err)
		}
		if got := header.UnescapedUser(u.User); got != evil+"x" {
			t.Errorf("user %q came back as %q", evil+"x", got)
		}
		if strings.ContainsAny(h.Value(), "\r\n\x00") {
			t.Errorf("control characters in %q", h.Value())
		}
	}
	if got := header.UnescapedUser("a%4"); got != "a%4" {
		t.Errorf("half an escape: %q", got)
	}
	if got := header.UnescapedUser("%zz%41"); got != "%zzA" {
		t.Errorf("no escape: %q", got)
	}
}
