package sip

import (
	"slices"
	"strings"
	"sync"
	"testing"

	"centrala/sip/edge"
)

// tapped is what a tap saw.
type tapped struct {
	mu   sync.Mutex
	seen []string
}

func (s *tapped) tap(f edge.Flow, sent bool, msg []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	first, _, _ := strings.Cut(string(msg), "\r\n")
	direction := "from "
	if sent {
		direction = "to "
	}
	s.seen = append(s.seen, direction+f.Network+" "+f.Remote.String()+" "+first)
}

func (s *tapped) list() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.seen)
}

// The tap sees whole messages in both directions, also what is refused as
// unreadable, and no keepalives.
func TestTap(t *testing.T) {
	t.Run("udp", func(t *testing.T) {
		var got tapped
		s := start(t, func(o *Options) { o.Tap = got.tap })
		p := newPeer(t, s.addr("udp"))
		p.send(p.request(request{method: "OPTIONS", callID: "one"}))
		p.recv()
		p.send("\r\n\r\n")
		p.send(strings.Replace(p.request(request{method: "OPTIONS", callID: "two"}), "OPTIONS sip:", "OPTIONS :", 1))
		bad, _, _ := strings.Cut(p.recv(), "\r\n")
		at := " udp " + p.addr() + " "
		list := got.list()
		if len(list) != 4 || !strings.HasPrefix(list[0], "from"+at+"OPTIONS sip:") || list[1] != "to"+at+"SIP/2.0 200 OK" ||
			!strings.HasPrefix(list[2], "from"+at+"OPTIONS :") || list[3] != "to"+at+bad {
			t.Errorf("%q", list)
		}
	})
	t.Run("tcp", func(t *testing.T) {
		var got tapped
		s := start(t, func(o *Options) { o.Tap = got.tap })
		p := newStream(t, s)
		p.write("\r\n\r\n" + p.request(request{method: "OPTIONS", callID: "one"}) + p.request(request{method: "OPTIONS", callID: "two"}))
		if _, err := p.in.Discard(len("\r\n")); err != nil { // the pong
			t.Fatal(err)
		}
		p.read()
		p.read()
		at := " tcp " + p.nc.LocalAddr().String() + " "
		requests, answers := 0, 0
		for _, line := range got.list() {
			switch {
			case strings.HasPrefix(line, "from"+at+"OPTIONS sip:"):
				requests++
			case line == "to"+at+"SIP/2.0 200 OK":
				answers++
			default:
				t.Errorf("%q", line)
			}
		}
		if requests != 2 || answers != 2 {
			t.Errorf("%q", got.list())
		}
	})
}
