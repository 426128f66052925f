package sip

import (
	"strings"
	"testing"

	"github.com/emiago/sipgo/sip"

	"centrala/sip/tx"
)

// inviteReplacing is an INVITE with that value of Replaces, if it is not empty.
func inviteReplacing(value string) *tx.Request {
	req := sip.NewRequest(sip.INVITE, sip.Uri{})
	if value != "" {
		req.AppendHeader(sip.NewHeader("Replaces", value))
	}
	return &tx.Request{Request: req}
}

// A phone takes the call that its lamp shows as ringing. RFC 3891 section 7.1.
func TestPickup_NamedInTheNotify(t *testing.T) {
	s, lamps := watching(t, LampLimits{})
	lamps.show(s, "102", LampCall{ID: "5", Pickup: "5"})
	p := newPeer(t, s.addr("udp"))
	_, n := p.watch(t, "watch", "102", "")
	d := readInfo(t, n).Dialogs[0]
	for name, c := range map[string]struct{ replaces, want string }{
		"as the server sees it": {d.CallID + ";to-tag=" + d.RemoteTag + ";from-tag=" + d.LocalTag, "5"},
		"as the phone sees it":  {d.CallID + ";from-tag=" + d.RemoteTag + ";to-tag=" + d.LocalTag, "5"},
		"early only":            {d.CallID + ";to-tag=" + d.RemoteTag + ";from-tag=" + d.LocalTag + ";early-only", "5"},
		"nothing":               {"", ""},
		"another tag":           {d.CallID + ";to-tag=" + d.RemoteTag + ";from-tag=x", ""},
		"another domain":        {"pickup-5@elsewhere;to-tag=c5;from-tag=p5", ""},
		"no pickup":             {"5@pbx.test;to-tag=c5;from-tag=p5", ""},
		"two":                   {d.CallID + ";to-tag=c5;from-tag=p5, " + d.CallID + ";to-tag=c5;from-tag=p5", ""},
	} {
		if got := s.pickupOf(inviteReplacing(c.replaces)); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	p.placeAs(t, "anna", "secret", request{callID: "take", extra: "Replaces: " + d.CallID + ";to-tag=" + d.RemoteTag + ";from-tag=" + d.LocalTag + ";early-only\r\n"})
	l, o := s.call(t)
	if l.Pickup() != "5" || l.User() != "anna" {
		t.Errorf("pickup %q by %q", l.Pickup(), l.User())
	}
	o.do(func() { l.Reject(486, "") })
	p.recv("SIP/2.0 486")
}

// What comes by a trunk picks up nothing: whoever calls there is nobody we know.
func TestPickup_NotByTrunks(t *testing.T) {
	s := start(t)
	p := newPeer(t, s.addr("udp"))
	p.send(p.request(request{method: "INVITE", callID: "trunk", extra: "Replaces: pickup-5@pbx.test;to-tag=c5;from-tag=p5\r\n", body: testSDP}))
	if got := p.recv("SIP/2.0 4"); !strings.HasPrefix(got, "SIP/2.0 403") {
		t.Errorf("got %s", got)
	}
	s.idle(t)
}
