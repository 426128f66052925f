package sip

import (
	"io"
	"strconv"
	"strings"
	"testing"
	"time"

	"centrala/sip/edge"
)

func atoi(s string) int {
	n, _ := strconv.Atoi(s)
	return n
}

func readFull(r io.Reader, b []byte) (int, error) { return io.ReadFull(r, b) }

func TestStream_SplitAndGluedSegments(t *testing.T) {
	s := start(t)
	p := newStream(t, s)
	ping := func(id, body string) string {
		return p.request(request{method: "OPTIONS", callID: id, body: body})
	}
	for i := range 3 { // byte by byte
		msg := ping(sprintf("split-%d", i), testSDP)
		for j := range len(msg) {
			p.write(msg[j : j+1])
		}
		if got := p.read(); !strings.HasPrefix(got, "SIP/2.0 200") {
			t.Fatal(got)
		}
	}
	var all strings.Builder // in one piece, with keepalives between
	for i := range 20 {
		all.WriteString(ping(sprintf("glued-%d", i), strings.Repeat("x", i)))
		if i%3 == 0 {
			all.WriteString("\r\n")
		}
	}
	p.write(all.String())
	seen := map[string]bool{}
	for range 20 {
		seen[field(p.read(), "Call-ID")] = true
	}
	if len(seen) != 20 {
		t.Errorf("%d of 20 answered", len(seen))
	}
	p.write("\r\n\r\n")
	_ = p.nc.SetReadDeadline(time.Now().Add(patience))
	pong := make([]byte, 2)
	if _, err := io.ReadFull(p.in, pong); err != nil || string(pong) != "\r\n" {
		t.Errorf("pong %q %v", pong, err)
	}
}

func TestStream_Malformed(t *testing.T) {
	for name, c := range map[string]struct{ find, put, want string }{
		"no Content-Length":       {"Content-Length: 0\r\n", "", "SIP/2.0 400"},
		"negative Content-Length": {"Content-Length: 0", "Content-Length: -5", "SIP/2.0 400"},
		"text as Content-Length":  {"Content-Length: 0", "Content-Length: many", "SIP/2.0 400"},
		"two Content-Lengths":     {"Content-Length: 0", "Content-Length: 0\r\nl: 7", "SIP/2.0 400"},
		"huge Content-Length":     {"Content-Length: 0", "Content-Length: 2000000000", "SIP/2.0 513"},
		"huge header":             {"Max-Forwards: 70", "Subject: " + strings.Repeat("x", 70000), "SIP/2.0 513"},
		"not SIP":                 {"OPTIONS", "\x16\x03\x01\x02", ""},
		"a web browser":           {"SIP/2.0\r\n", "HTTP/1.1\r\n", "close or 400"},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t)
			p := newStream(t, s)
			msg := strings.Replace(p.request(request{method: "OPTIONS"}), c.find, c.put, 1)
			_, _ = p.nc.Write([]byte(msg)) // the server may close before it is all there
			if strings.HasPrefix(c.want, "SIP") {
				if got := p.read(); !strings.HasPrefix(got, c.want) {
					t.Errorf("%s, want %s", got, c.want)
				}
			}
			if c.want != "close or 400" {
				p.closed()
			}
			alive(t, s)
		})
	}
}

// alive checks that the server answers OPTIONS over UDP and TCP.
func alive(t testing.TB, s *side) {
	t.Helper()
	u := newPeer(t, s.addr("udp"))
	u.send(u.request(request{method: "OPTIONS", callID: "alive"}))
	u.recv("SIP/2.0 200")
	p := newStream(t, s)
	p.write(p.request(request{method: "OPTIONS", callID: "alive"}))
	if got := p.read(); !strings.HasPrefix(got, "SIP/2.0 200") {
		t.Error(got)
	}
	_ = p.nc.Close()
}

func TestStream_ShortLongAndBinaryMessages(t *testing.T) {
	s := start(t, func(o *Options) { o.Source = edge.Rate{PerSecond: 1e6, Burst: 1e6} })
	u := newPeer(t, s.addr("udp"))
	good := u.request(request{method: "INVITE", body: testSDP})
	cut := []string{"", "\r\n", "\r\n\r\n", "\x00\x00\x00\x00", "INVITE", "SIP/2.0", "SIP/2.0 200 OK\r\n\r\n", "INVITE sip:a SIP/2.0\r\n\r\n"}
	for i := 0; i < len(good); i += 7 {
		cut = append(cut, good[:i], good[i:], good[:i]+"\x00\xff\xfe"+good[i:])
	}
	for _, h := range []string{"Via", "To", "From", "Call-ID", "CSeq", "Contact", "Max-Forwards"} {
		cut = append(cut, strings.Replace(good, h+":", "X-"+h+":", 1), strings.Replace(good, h+": ", h+": \xff\x00<<>>;;==,,", 1))
	}
	cut = append(cut, strings.Replace(good, "Max-Forwards", "Subject: "+strings.Repeat("y", 60000)+"\r\nMax-Forwards", 1))
	cut = append(cut, strings.Repeat("\x80", 65000))
	for _, msg := range cut {
		u.send(msg)
	}
	alive(t, s)
	if n := s.Stats().Panics; n != 0 {
		t.Errorf("%d panics", n)
	}
}

func TestStream_CapsAndDeadlines(t *testing.T) {
	limited := func(l edge.StreamLimits) *side {
		return start(t, strangers, func(o *Options) { o.Streams = l })
	}
	s := limited(edge.StreamLimits{FirstByte: 50 * time.Millisecond})
	silent := newStream(t, s)
	silent.closed()
	eventually(t, "the silent one is gone", func() bool { return s.Stats().Connections == 0 })
	s = limited(edge.StreamLimits{Idle: time.Second})
	talker := newStream(t, s)
	talker.write(talker.request(request{method: "OPTIONS"}))
	talker.read()
	talker.closed()
	eventually(t, "who stopped talking is gone", func() bool { return s.Stats().Connections == 0 })
	s = limited(edge.StreamLimits{PerSource: 2})
	for range 2 {
		p := newStream(t, s)
		p.write(p.request(request{method: "OPTIONS"}))
		p.read()
	}
	third := newStream(t, s)
	third.closed()
	if n := s.Stats().Cut; n != 1 {
		t.Errorf("%d cut", n)
	}
}
