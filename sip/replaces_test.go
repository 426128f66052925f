package sip

import (
	"strings"
	"testing"
)

// rung is a phone that we ring, and the Replaces that names its call.
func rung(t *testing.T, s *side, answer bool) (*Leg, *owner, string) {
	t.Helper()
	p := newPeer(t, s.addr("udp"))
	l, o := s.dial(t, "sip:bartek@"+p.addr())
	invite := p.recv("INVITE")
	p.send(p.reply(invite, 180, "phone", "", ""))
	o.want("progress")
	if answer {
		p.send(p.reply(invite, 200, "phone", "", testSDP))
		o.want("answered")
	}
	_, tag, _ := strings.Cut(field(invite, "From"), ";tag=")
	return l, o, field(invite, "Call-ID") + ";to-tag=" + tag + ";from-tag=phone"
}

// RFC 3891 section 3: which call an INVITE takes the place of, and when none.
func TestReplaces_Matching(t *testing.T) {
	for _, c := range []struct {
		name     string
		answered bool
		lines    func(named string) string
		want     string // empty: the call is handed over
	}{
		{"a call that rings", false, func(n string) string { return "Replaces: " + n + ";early-only\r\nRequire: replaces\r\n" }, ""},
		{"a call that was answered", true, func(n string) string { return "Replaces: " + n + "\r\n" }, ""},
		{"parameters in another order and spelling", true, func(n string) string {
			id, tags, _ := strings.Cut(n, ";")
			to, from, _ := strings.Cut(tags, ";")
			return "replaces: " + id + " ; From-Tag=" + strings.TrimPrefix(from, "from-tag=") + " ;x=y; " + to + "\r\n"
		}, ""},
		{"early only, but answered", true, func(n string) string { return "Replaces: " + n + ";early-only\r\n" }, "486"},
		{"tags the wrong way round", true, func(n string) string {
			return "Replaces: " + strings.NewReplacer("to-tag", "from-tag", "from-tag", "to-tag").Replace(n) + "\r\n"
		}, "481"},
		{"another call", true, func(n string) string { return "Replaces: x" + n + "\r\n" }, "481"},
		{"two of them", true, func(n string) string { return "Replaces: " + n + "\r\nReplaces: " + n + "\r\n" }, "400"},
		{"with Join", true, func(n string) string { return "Replaces: " + n + "\r\nJoin: " + n + "\r\n" }, "400"},
		{"no tags", true, func(n string) string { id, _, _ := strings.Cut(n, ";"); return "Replaces: " + id + "\r\n" }, "400"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := start(t, strangers)
			rings, _, named := rung(t, s, c.answered)
			p := newPeer(t, s.addr("udp"))
			r := request{callID: "taker", extra: c.lines(named)}
			if c.want != "" {
				if got := p.callAs(t, "anna", "secret", r); !strings.HasPrefix(got, "SIP/2.0 "+c.want) {
					t.Errorf("answer:\n%s", got)
				}
				return
			}
			p.placeAs(t, "anna", "secret", r)
			l, o := s.call(t)
			if l.Replaces() != rings {
				t.Errorf("replaces %v, want %v", l.Replaces(), rings)
			}
			o.do(func() { l.Reject(603, "") })
			p.recv("SIP/2.0 603")
		})
	}
}

// A call that the peer is making cannot be replaced before it is answered, one
// that is on its way out not at all, and a carrier replaces none.
func TestReplaces_Refused(t *testing.T) {
	s := start(t)
	p, l, o, ringing := ring(t, s, testSDP)
	_, tag, _ := strings.Cut(field(ringing, "To"), ";tag=")
	named := "Replaces: call-1;to-tag=" + tag + ";from-tag=c1\r\n"
	other := newPeer(t, s.addr("udp"))
	other.send(other.request(request{method: "INVITE", callID: "taker", body: testSDP, extra: named}))
	other.recv("SIP/2.0 481")
	o.do(func() { _ = l.Answer([]byte(testSDP)) })
	p.recv("SIP/2.0 200")
	other.send(other.request(request{method: "INVITE", callID: "taker-2", body: testSDP, extra: named}))
	other.recv("SIP/2.0 403")
	o.do(func() { l.Hangup("") })
	other.send(other.request(request{method: "INVITE", callID: "taker-3", body: testSDP, extra: named}))
	other.recv("SIP/2.0 603")
	p.send(p.request(request{method: "ACK", to: field(ringing, "To")}))
	p.send(p.reply(p.recv("BYE"), 200, "", "", ""))
	o.wantEnd(ClassHangup, 0)
	s.idle(t)
}

// Peers learn that they may send Replaces (RFC 3891 section 4).
func TestReplaces_IsOffered(t *testing.T) {
	s := start(t)
	_, _, _, ringing := ring(t, s, testSDP)
	p := newPeer(t, s.addr("udp"))
	s.dial(t, "sip:bartek@"+p.addr())
	for _, msg := range []string{ringing, p.recv("INVITE")} {
		if !strings.Contains(field(msg, "Supported"), "replaces") {
			t.Errorf("not offered:\n%s", msg)
		}
	}
}
