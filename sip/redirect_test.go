package sip

import "testing"

// RFC 3261 sections 8.1.3.4 and 21.3: who refuses a call with 300, 301 or 302 says
// whom to call instead; the best of those who can be called is told. Nobody is called.
func TestOutbound_Redirections(t *testing.T) {
	const two = "Contact: <sip:second@192.0.2.1>;q=0.5\r\nContact: \"First\" <sips:first@192.0.2.2:5071>\r\n"
	for name, c := range map[string]struct {
		code  int
		lines string
		to    Party // empty: nobody
		why   string
	}{
		"the best q":               {302, two, Party{User: "first", Name: "First", Host: "192.0.2.2"}, ""},
		"300":                      {300, two, Party{User: "first", Name: "First", Host: "192.0.2.2"}, ""},
		"301":                      {301, two, Party{User: "first", Name: "First", Host: "192.0.2.2"}, ""},
		"305 names a proxy":        {305, two, Party{}, ""},
		"380 is another service":   {380, two, Party{}, ""},
		"486":                      {486, two, Party{}, ""},
		"the first of equal ones":  {302, "Contact: <sip:a@h>;q=0.3, <sip:b@h>;q=0.3\r\n", Party{User: "a", Host: "h"}, ""},
		"a number, and the reason": {302, "Contact: <tel:+48601234567;x=y>\r\nDiversion: <sip:1@h>;reason=\"User-Busy\"\r\n", Party{User: "+48601234567"}, "user-busy"},
		"past what cannot be used": {302, "Contact: <mailto:a@h>, <sip:h>;q=1, <sip:b@h>;q=0.1\r\n", Party{User: "b", Host: "h"}, ""},
		"nobody":                   {302, "", Party{}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t)
			p, _, o, invite := dialled(t, s)
			p.send(p.reply(invite, c.code, "p1", c.lines, ""))
			p.recv("ACK")
			e := o.wantEnd(ClassOf(c.code), c.code)
			var to Party
			var why string
			if e.Elsewhere != nil {
				to, why = e.Elsewhere.To, e.Elsewhere.Why
			}
			if to != c.to || why != c.why || (e.Elsewhere == nil) != (c.to == Party{}) {
				t.Errorf("%+v (%q), want %+v (%q)", to, why, c.to, c.why)
			}
			if n := s.Stats().Outbound; n != 1 {
				t.Errorf("%d calls went out", n)
			}
			s.idle(t)
		})
	}
}
