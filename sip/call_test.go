package sip

import (
	"testing"
)

func TestCall_FromDialToHangup(t *testing.T) {
	for _, c := range []struct {
		name, network, uri string
		calleeHangsUp      bool
	}{
		{"udp, caller hangs up", "udp", "sip:100@%s", false},
		{"udp, callee hangs up", "udp", "sip:100@%s", true},
		{"tcp, caller hangs up", "tcp", "sip:100@%s;transport=tcp", false},
		{"tcp, callee hangs up", "tcp", "sip:100@%s;transport=tcp", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, b := start(t), start(t)
			out, caller := a.dial(t, sprintf(c.uri, b.addr(c.network)))
			in, callee := b.call(t)
			if in.From().User != "600" || in.From().Name != `Sales "1"` || in.To() != "100" || in.Trunk() != "carrier" || !in.Inbound() {
				t.Errorf("inbound leg: from %+v to %q trunk %q", in.From(), in.To(), in.Trunk())
			}
			if string(in.SDP()) != testSDP {
				t.Errorf("offer %q", in.SDP())
			}
			callee.do(func() { in.Ring(180, nil) })
			if e := caller.want("progress"); e.code != 180 {
				t.Errorf("progress %d", e.code)
			}
			callee.do(func() {
				if err := in.Answer([]byte(testSDP)); err != nil {
					t.Error(err)
				}
			})
			if e := caller.want("answered"); e.sdp != testSDP {
				t.Errorf("answer %q", e.sdp)
			}
			if e := callee.want("answered"); e.sdp != "" {
				t.Errorf("the ACK had %q", e.sdp)
			}
			first, second, l := caller, callee, out
			if c.calleeHangsUp {
				first, second, l = callee, caller, in
			}
			first.do(func() { l.Hangup("") })
			if e := first.wantEnd(ClassHangup, 0); !e.ByUs {
				t.Errorf("%+v", e)
			}
			if e := second.wantEnd(ClassHangup, 0); e.ByUs {
				t.Errorf("%+v", e)
			}
			a.idle(t)
			b.idle(t)
		})
	}
}
