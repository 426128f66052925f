package sip

import (
	"net"
	"strings"
	"testing"
	"time"
)

// FuzzIngress sends anything as a datagram and as a stream: the stack answers
// OPTIONS afterwards, and none of its handlers failed. Coverage is not repeatable
// here, so run it with -fuzzminimizetime=1x.
func FuzzIngress(f *testing.F) {
	s := start(f, func(o *Options) {
		o.Handler.(*side).onInvite = func(l *Leg) {
			ow := &caller{owner: owner{silent: true}}
			l.Bind(ow, ow)
			ow.Post(func() {
				l.Ring(180, nil)
				if l.Answer([]byte(testSDP)) == nil {
					l.Hangup("")
				}
			})
		}
	})
	for i := range tortures {
		f.Add([]byte(tortures[i].write("127.0.0.1:9")), false)
	}
	p := newPeer(f, s.addr("udp"))
	good := p.request(request{method: "INVITE", body: testSDP})
	for _, method := range []string{"INVITE", "CANCEL", "ACK", "BYE", "REGISTER", "UPDATE", "INFO"} {
		f.Add([]byte(strings.ReplaceAll(good, "INVITE", method)), true)
	}
	f.Add([]byte(good+good+"\r\n\r\n"+good), true)
	f.Add([]byte("SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP x;branch=z9hG4bK1\r\nCSeq: 1 INVITE\r\n\r\n"), false)
	n := 0
	f.Fuzz(func(t *testing.T, data []byte, stream bool) {
		if len(data) > 60000 {
			return
		}
		if stream {
			c, err := net.Dial("tcp", s.addr("tcp").String())
			if err != nil {
				t.Fatal(err)
			}
			_, _ = c.Write(data) // the server may close in the middle
			_ = c.Close()
		} else if len(data) > 0 {
			p.t = t
			p.aim(s.addr("udp"))
			p.send(string(data))
		}
		n++
		id := sprintf("alive-%d", n)
		p.t = t
		p.aim(s.addr("udp"))
		p.send(p.request(request{method: "OPTIONS", callID: id, branch: "z9hG4bK" + id}))
		for deadline := time.Now().Add(patience); ; {
			msg := p.recv("SIP/2.0 200")
			if field(msg, "Call-ID") == id {
				break
			}
			if time.Now().After(deadline) {
				t.Fatal("OPTIONS is not answered")
			}
		}
		if n := s.Stats().Panics; n != 0 {
			t.Fatalf("%d handlers failed", n)
		}
	})
}
