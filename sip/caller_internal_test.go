package sip

import (
	"testing"

	"github.com/emiago/sipgo/sip"

	"centrala/sip/header"
)

// Who calls, as carriers say it.
func TestCaller(t *testing.T) {
	for name, c := range map[string]struct {
		from    string
		headers string
		want    Party
	}{
		"From":                      {`"Jan" <sip:+48601000000@carrier.test>`, "", Party{"+48601000000", "Jan", "carrier.test"}},
		"asserted":                  {`<sip:trunk@carrier.test>`, `P-Asserted-Identity: "Jan" <sip:+48601000000@carrier.test;user=phone>`, Party{"+48601000000", "Jan", "carrier.test"}},
		"asserted, name from From":  {`"Jan" <sip:trunk@carrier.test>`, `P-Asserted-Identity: <sip:+48601000000@carrier.test>`, Party{"+48601000000", "Jan", "carrier.test"}},
		"asserted by tel":           {`<sip:trunk@carrier.test>`, `P-Asserted-Identity: tel:+48601000000`, Party{"+48601000000", "", "carrier.test"}},
		"a number before a name":    {`<sip:trunk@carrier.test>`, `P-Asserted-Identity: <sip:jan@carrier.test>, <tel:+48601000000>`, Party{"+48601000000", "", "carrier.test"}},
		"not a name after a number": {`<sip:trunk@carrier.test>`, `P-Asserted-Identity: <tel:+48601000000>, <sip:jan@carrier.test>`, Party{"+48601000000", "", "carrier.test"}},
		"garbage is no assertion":   {`<sip:+48601000000@carrier.test>`, `P-Asserted-Identity: <<<`, Party{"+48601000000", "", "carrier.test"}},
		"withheld by Privacy":       {`"Jan" <sip:+48601000000@carrier.test>`, "Privacy: id", Party{Host: "carrier.test"}},
		"withheld, asserted":        {`<sip:trunk@carrier.test>`, "P-Asserted-Identity: <tel:+48601000000>\r\nPrivacy: critical;ID", Party{Host: "carrier.test"}},
		"Privacy none":              {`<sip:+48601000000@carrier.test>`, "Privacy: none", Party{"+48601000000", "", "carrier.test"}},
		"anonymous":                 {`"Anonymous" <sip:anonymous@anonymous.invalid>`, "", Party{Host: "anonymous.invalid"}},
	} {
		t.Run(name, func(t *testing.T) {
			text := "INVITE sip:+48221234567@pbx.test SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\nFrom: " + c.from + ";tag=1\r\n" +
				"To: <sip:+48221234567@pbx.test>\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n"
			if c.headers != "" {
				text += c.headers + "\r\n"
			}
			m, err := header.NewParser().ParseSIP([]byte(text + "Content-Length: 0\r\n\r\n"))
			if err != nil {
				t.Fatal(err)
			}
			if got := callerOf(m.(*sip.Request)); got != c.want {
				t.Errorf("%+v, want %+v", got, c.want)
			}
		})
	}
}
