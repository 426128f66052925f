package dialog

import (
	"strings"
	"testing"

	"github.com/emiago/sipgo/sip"
)

func parse(t *testing.T, text string) sip.Message {
	t.Helper()
	m, err := sip.ParseMessage([]byte(strings.ReplaceAll(text, "\n", "\r\n")))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

const invite = `INVITE sip:100@pbx.test SIP/2.0
Via: SIP/2.0/UDP a;branch=z9hG4bK1
Record-Route: <sip:p2.test;lr>
Record-Route: <sip:p1.test;lr>
From: "Caller" <sip:caller@carrier.test>;tag=theirs
To: <sip:100@pbx.test>
Call-ID: c1
CSeq: 7 INVITE
Contact: <sip:caller@192.0.2.7:5070>
Content-Length: 0

`

func TestIdentity_FromInvite(t *testing.T) {
	req := parse(t, invite).(*sip.Request)
	d, err := FromInvite(req, "ours", req.Contact())
	if err != nil {
		t.Fatal(err)
	}
	bye := d.Request(sip.BYE, 0)
	want := `BYE sip:caller@192.0.2.7:5070 SIP/2.0
Route: <sip:p2.test;lr>
Route: <sip:p1.test;lr>
Max-Forwards: 70
From: <sip:100@pbx.test>;tag=ours
To: "Caller" <sip:caller@carrier.test>;tag=theirs
Call-ID: c1
CSeq: 1 BYE
`
	if got := strings.ReplaceAll(bye.String(), "\r\n", "\n"); !strings.HasPrefix(got, want) {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	if hop := d.NextHop(); hop.Host != "p2.test" || !d.Proxied() {
		t.Errorf("next hop %v", hop)
	}
	if _, err := FromInvite(req, "ours", nil); err == nil {
		t.Error("a dialog without a Contact")
	}
}

func TestIdentity_AnswerReversesRoutesAndStrictRoutersAreServed(t *testing.T) {
	d := Outgoing("c2", "ours", sip.FromHeader{Address: sip.Uri{Scheme: "sip", User: "me", Host: "pbx.test"}},
		sip.ToHeader{Address: sip.Uri{Scheme: "sip", User: "phone", Host: "pbx.test"}}, sip.Uri{Scheme: "sip", User: "phone", Host: "192.0.2.9"})
	inv := d.Request(sip.INVITE, 0)
	if inv.CSeq().SeqNo != 1 || inv.To().Params.Has("tag") {
		t.Errorf("INVITE\n%s", inv)
	}
	ok := func(tag, routes string) *sip.Response {
		return parse(t, "SIP/2.0 200 OK\nVia: SIP/2.0/UDP a;branch=z9hG4bK1\n"+routes+
			"From: <sip:me@pbx.test>;tag=ours\nTo: <sip:phone@pbx.test>;tag="+tag+"\nCall-ID: c2\nCSeq: 1 INVITE\nContact: <sip:phone@192.0.2.10>\nContent-Length: 0\n\n").(*sip.Response)
	}
	res := ok("p1", "Record-Route: <sip:far.test;lr>\nRecord-Route: <sip:strict.test>\n")
	if err := d.Answer(res, res.Contact()); err != nil {
		t.Fatal(err)
	}
	ack := d.Request(sip.ACK, 1).String()
	for _, want := range []string{
		"ACK sip:strict.test SIP/2.0\r\n", "Route: <sip:far.test;lr>\r\nRoute: <sip:phone@192.0.2.10>\r\n", "CSeq: 1 ACK", ";tag=p1",
	} {
		if !strings.Contains(ack, want) {
			t.Errorf("no %q in\n%s", want, ack)
		}
	}
	fork := ok("p2", "")
	f, err := d.Fork(fork, fork.Contact())
	if err != nil || f.RemoteTag != "p2" || f.Proxied() || d.RemoteTag != "p1" || !d.Proxied() {
		t.Errorf("fork %v of %v: %v", f, d, err)
	}
	if err := d.Answer(ok("p1", "Record-Route: <sip:new.test;lr>\n"), nil); err != nil {
		t.Fatal(err)
	}
	if hop := d.NextHop(); hop.Host != "strict.test" {
		t.Errorf("the route set changed to %v (RFC 3261 section 12.2)", hop)
	}
}

func TestIdentity_Sequence(t *testing.T) {
	req := parse(t, invite).(*sip.Request)
	d, _ := FromInvite(req, "ours", req.Contact())
	for _, c := range []struct {
		n  uint32
		ok bool
	}{{6, false}, {7, true}, {9, true}, {8, false}, {2147483647, true}, {10, false}} {
		if got := d.Sequence(c.n); got != c.ok {
			t.Errorf("%d: %v", c.n, got)
		}
	}
}

func TestIdentity_TagsAreLongAndDiffer(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		tag := NewTag()
		if len(tag) != 16 || seen[tag] {
			t.Fatalf("tag %q", tag)
		}
		seen[tag] = true
	}
}
