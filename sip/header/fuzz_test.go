package header_test

import (
	"strings"
	"testing"

	"github.com/emiago/sipgo/sip"

	"centrala/sip/header"
)

// FuzzMessage: no message makes the parser, the screen or the checks panic; what passes the screen
// is readable; what passes the checks is stable under writing and parsing.
func FuzzMessage(f *testing.F) {
	for _, m := range readTorture(f) {
		f.Add(m.message)
	}
	f.Fuzz(func(t *testing.T, msg []byte) {
		screened := header.Screen(msg)
		m, err := header.NewParser().ParseSIP(msg)
		if screened == nil && err != nil {
			t.Fatalf("passed the screen, not the parser: %v", err)
		}
		if screened != nil || err != nil {
			return
		}
		switch m := m.(type) {
		case *sip.Request:
			if header.Check(m) != nil {
				return
			}
			header.Unsupported(m)
		case *sip.Response:
			if header.CheckResponse(m) != nil {
				return
			}
		}
		header.Reason(m.(header.Message), "")
		stable(t, m)
	})
}

// FuzzAddress: an address that is accepted is stable, and gains no line end.
func FuzzAddress(f *testing.F) {
	for _, s := range []string{`"A \"B\"" <sip:a:b@[::1]:5060;lr?x=y>;tag=1;z="q r"`, "sip:a@b;x", "tel:1", "A b <sips:c>", "*"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		name, u, params, err := header.ParseAddress(s)
		if err != nil {
			return
		}
		once := (&sip.FromHeader{DisplayName: name, Address: u, Params: params}).Value()
		name, u, params, err = header.ParseAddress(once)
		if err != nil {
			t.Fatalf("%q was written as %q, which can't be read: %v", s, once, err)
		}
		if twice := (&sip.FromHeader{DisplayName: name, Address: u, Params: params}).Value(); twice != once {
			t.Fatalf("%q, then %q, then %q", s, once, twice)
		}
		if strings.ContainsAny(once, "\r\n") && !strings.ContainsAny(s, "\r\n") {
			t.Fatalf("line end out of nothing: %q", once)
		}
	})
}

// FuzzQuoted: whatever a user is called, their name stays in its quotes.
func FuzzQuoted(f *testing.F) {
	f.Add(`"`)
	f.Add("a\r\nb\\")
	f.Fuzz(func(t *testing.T, s string) {
		text := `"` + header.Quoted(s) + `" <sip:` + header.EscapedUser(s) + `x@h>`
		name, u, params, err := header.ParseAddress(text)
		if err != nil || name != header.Quoted(s) || u.Host != "h" || len(params) > 0 || header.UnescapedUser(u.User) != s+"x" {
			t.Fatalf("%q broke out: %q %v", s, text, err)
		}
	})
}

func BenchmarkParseAndCheck(b *testing.B) {
	msg := []byte(strings.Replace(goodRequest, "Call-ID: c1", "k: path, timer\r\nContact: <sip:bob@192.0.2.1:5060;ob>;+sip.instance=\"<urn:uuid:1>\"\r\n"+
		"User-Agent: phone\r\nAllow: INVITE, ACK, BYE\r\nCall-ID: c1", 1))
	parser := header.NewParser()
	b.ReportAllocs()
	for b.Loop() {
		if f := header.Screen(msg); f != nil {
			b.Fatal(f)
		}
		m, err := parser.ParseSIP(msg)
		if err != nil {
			b.Fatal(err)
		}
		if f := header.Check(m.(*sip.Request)); f != nil {
			b.Fatal(f)
		}
	}
}
