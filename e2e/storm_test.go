package e2e

import (
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// good is a request that every SIP server answers.
func good(id int) string {
	return fmt.Sprintf("OPTIONS sip:%s SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bK-good-%d;rport\r\n"+
		"From: <sip:storm@localhost>;tag=%d\r\nTo: <sip:%s>\r\nCall-ID: good-%d\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\n"+
		"Content-Length: 0\r\n\r\n", domain, id, id, domain, id)
}

// malformed gives messages that are wrong in ways that people and machines get them wrong.
func malformed(from string, random *rand.Rand) [][]byte {
	invite := fmt.Sprintf("INVITE sip:+48221234567@%s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bK-%d\r\n"+
		"From: <sip:+48600100200@%s>;tag=%d\r\nTo: <sip:+48221234567@%s>\r\nCall-ID: storm-%d\r\nCSeq: 1 INVITE\r\n"+
		"Contact: <sip:x@%s>\r\nMax-Forwards: 70\r\nContent-Type: application/sdp\r\nContent-Length: 4\r\n\r\nv=0\r\n",
		domain, from, random.Uint64(), from, random.Uint64(), domain, random.Uint64(), from)
	lines := strings.SplitAfter(invite, "\r\n")
	var list []string
	for i := range lines { // without each of its lines, and cut short behind it
		list = append(list, strings.Join(append(append([]string(nil), lines[:i]...), lines[i+1:]...), ""))
		list = append(list, strings.Join(lines[:i], ""))
	}
	list = append(list,
		"", "\r\n", "\r\n\r\n", "\x00", "SIP/2.0", "SIP/2.0 200 OK\r\n\r\n", "SIP/2.0 99999999999999999999 X\r\n\r\n",
		strings.Replace(invite, "Content-Length: 4", "Content-Length: -1", 1),
		strings.Replace(invite, "Content-Length: 4", "Content-Length: 99999", 1),
		strings.Replace(invite, "Content-Length: 4", "Content-Length: 18446744073709551617", 1),
		strings.Replace(invite, "CSeq: 1 INVITE", "CSeq: 4294967296 INVITE", 1),
		strings.Replace(invite, "CSeq: 1 INVITE", "CSeq: 1 BYE", 1),
		strings.Replace(invite, "SIP/2.0/UDP", "SIP/2.0/UD", 1),
		strings.Replace(invite, ";branch=", ";"+strings.Repeat("x=1;", 1000)+"branch=", 1),
		strings.Replace(invite, "Max-Forwards: 70", strings.Repeat("Via: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK\r\n", 400)+"Max-Forwards: 70", 1),
		strings.Replace(invite, "Max-Forwards: 70", "X: "+strings.Repeat("x", 50_000), 1),
		strings.Replace(invite, "sip:+48221234567", "sip:%00%ff%zz\"<>", 1),
		strings.Replace(invite, "\r\n", "\n", -1),
		strings.Replace(invite, "\r\n\r\nv=0", "\r\n\r\nv=0\r\nm=audio 99999 RTP/AVP 8\r\nc=IN IP4 999.0.0.1", 1),
	)
	var messages [][]byte
	for _, text := range list {
		messages = append(messages, []byte(text))
	}
	for range 50 { // noise, and a message with some of its bytes changed
		noise := make([]byte, random.IntN(2000))
		for i := range noise {
			noise[i] = byte(random.Uint32())
		}
		messages = append(messages, noise)
		bent := []byte(invite)
		for range 1 + random.IntN(8) {
			bent[random.IntN(len(bent))] = byte(random.Uint32())
		}
		messages = append(messages, bent)
	}
	return messages
}

// Malformed SIP from the carrier, from strangers, over UDP and TCP, never stops
// the server, and a call goes through in the middle of it.
func TestMalformedStorm(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	anna := newPhone(t, site, "anna", 900, picksUp)
	s := newServer(t, site, withPhones("evenly", "", anna))
	before := s.footprint()
	const seed = 20261121
	stop := make(chan struct{})
	var storm sync.WaitGroup
	for i, host := range []string{site.carrierHost().String(), site.phoneHost().String()} {
		storm.Go(func() { stormUDP(t, s, host, rand.New(rand.NewPCG(seed, uint64(i))), stop) })
		storm.Go(func() { stormTCP(t, s, host, rand.New(rand.NewPCG(seed, uint64(i)+10)), stop) })
	}
	for i := range 3 {
		c := s.call("+48600100200", "+48221234567", 500)
		c.waitAnswered()
		c.waitTone("the caller hears the agent", 900, 300*time.Millisecond)
		anna.waitTone("the agent hears the caller", 500, 300*time.Millisecond)
		c.hangUp()
		c.waitOver()
		anna.waitFor("BYE", i+1)
		s.waitAgents("sales", "available", 1)
	}
	close(stop)
	storm.Wait()
	s.wantAlive()
	s.waitMetric("centrala_call_faults_total", 0)
	s.waitFootprint(before)
}

// stormUDP sends malformed datagrams until told to stop, a few at a time: what
// the server's flood limits drop would test nothing.
func stormUDP(t *testing.T, s *server, host string, random *rand.Rand, stop <-chan struct{}) {
	socket, err := net.ListenPacket("udp", host+":0")
	if err != nil {
		t.Error(err)
		return
	}
	defer socket.Close()
	pace := time.NewTicker(5 * time.Millisecond)
	defer pace.Stop()
	for {
		for _, m := range malformed(socket.LocalAddr().String(), random) {
			_, _ = socket.WriteTo(m, net.UDPAddrFromAddrPort(s.sip)) // too long for a datagram: try the next
			select {
			case <-pace.C:
			case <-stop:
				return
			}
		}
	}
}

// stormTCP does the same on connections, which the server may close.
func stormTCP(t *testing.T, s *server, host string, random *rand.Rand, stop <-chan struct{}) {
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(host)}}
	pace := time.NewTicker(5 * time.Millisecond)
	defer pace.Stop()
	for {
		for _, m := range malformed(host+":5060", random) {
			conn, err := dialer.Dial("tcp", s.sip.String())
			if err != nil {
				t.Errorf("the server takes no connection: %v", err)
				return
			}
			_, _ = conn.Write(m) // the server may close before it is all sent
			_ = conn.Close()
			select {
			case <-pace.C:
			case <-stop:
				return
			}
		}
	}
}

// Over TCP messages come in pieces and glued together, with empty lines between
// them that keep the connection alive; each is answered.
func TestStreamsInPieces(t *testing.T) {
	t.Parallel()
	s := newServer(t, newSite(t), oneAgent)
	three := good(1) + "\r\n\r\n" + good(2) + good(3)
	for name, pieces := range map[string][]string{
		"glued":        {three},
		"byte by byte": strings.Split(three, ""),
		"in the middle of a line, and of the end of the head": {three[:30], three[30 : len(good(1))-2], three[len(good(1))-2:]},
	} {
		t.Run(name, func(t *testing.T) {
			conn, err := net.Dial("tcp", s.sip.String())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			// Every piece is a segment of its own: Go's connections do not wait for more to send.
			for _, piece := range pieces {
				if _, err := conn.Write([]byte(piece)); err != nil {
					t.Fatal(err)
				}
			}
			if err := conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
				t.Fatal(err)
			}
			var got strings.Builder
			buf := make([]byte, 4096)
			for strings.Count(got.String(), "SIP/2.0 200 OK") < 3 {
				n, err := conn.Read(buf)
				if err != nil {
					t.Fatalf("%v; until then:\n%s", err, got.String())
				}
				got.Write(buf[:n])
			}
			for id := 1; id <= 3; id++ {
				if want := fmt.Sprintf("Call-ID: good-%d\r\n", id); strings.Count(got.String(), want) != 1 {
					t.Errorf("message %d was not answered once:\n%s", id, got.String())
				}
			}
		})
	}
	t.Run("a wrong length spoils one connection only", func(t *testing.T) {
		bad, err := net.Dial("tcp", s.sip.String())
		if err != nil {
			t.Fatal(err)
		}
		defer bad.Close()
		fmt.Fprint(bad, strings.Replace(good(4), "Content-Length: 0", "Content-Length: many", 1)+good(5))
		fine, err := net.Dial("tcp", s.sip.String())
		if err != nil {
			t.Fatal(err)
		}
		defer fine.Close()
		fmt.Fprint(fine, good(6))
		if err := fine.SetReadDeadline(time.Now().Add(patience)); err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 4096)
		n, err := fine.Read(buf)
		if err != nil || !strings.HasPrefix(string(buf[:n]), "SIP/2.0 200 OK") {
			t.Errorf("answer %q, error %v", buf[:n], err)
		}
	})
}
