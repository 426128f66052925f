package e2e

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// caller is one call from the carrier: sipp carries the signalling, the test the audio.
type caller struct {
	*ear
	id    string // Call-ID
	sipp  netip.AddrPort
	trace string // the file with all messages
	over  chan error
	since time.Time
}

// call lets a caller dial a number at the server; hertz is the tone of their voice.
func (s *server) call(from, to string, hertz int) *caller {
	s.t.Helper()
	return callTo(s.t, s.site.carrierHost(), s.sip, from, to, hertz)
}

// callTo is a call from a host to the SIP address of anything.
func callTo(t *testing.T, host netip.Addr, target netip.AddrPort, from, to string, hertz int) *caller {
	t.Helper()
	c := &caller{
		ear:   newEar(t, host, hertz),
		id:    fmt.Sprintf("call-%v-%d", host, hertz),
		sipp:  netip.AddrPortFrom(host, peerPort),
		trace: filepath.Join(t.TempDir(), "messages"),
		over:  make(chan error, 1),
		since: time.Now(),
	}
	c.run("caller "+from, target.String(), "-sf", "testdata/caller.xml", "-s", to, "-cid_str", c.id, "-key", "from", from)
	return c
}

// run starts sipp for one call; who names the party in the log of a test that failed.
func (c *caller) run(who string, arg ...string) {
	t, host := c.t, c.sipp.Addr().String()
	t.Helper()
	cmd := exec.Command(needPeer(t, "sipp"), append(arg,
		"-i", host, "-p", fmt.Sprint(peerPort), "-mp", fmt.Sprint(peerPort+2), "-m", "1", "-nostdin",
		"-ci", host, "-cp", fmt.Sprint(peerPort+1),
		"-key", "rtp_ip", host, "-key", "rtp_port", fmt.Sprint(c.addr().Port()),
		"-trace_msg", "-message_file", c.trace, "-trace_err", "-error_file", c.trace+".errors")...)
	if err := start(cmd); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		c.over <- cmd.Wait()
		close(ended)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-ended
		if t.Failed() {
			trace, _ := os.ReadFile(c.trace)
			errors, _ := os.ReadFile(c.trace + ".errors")
			dump(t, who, fmt.Sprintf("%s\n%v %s", trace, cmd.ProcessState, errors))
		}
	})
}

// traced is one line of sipp's trace: a message that came in or went out.
type traced struct {
	message
	sent bool
}

func (c *caller) messages() (list []traced) {
	text, err := os.ReadFile(c.trace)
	if err != nil {
		return nil // sipp has not begun yet
	}
	const rule = "-----------------------------------------------"
	for _, part := range strings.Split(string(text), rule) {
		title, content, ok := strings.Cut(part, "\n\n")
		if !ok {
			continue
		}
		content = strings.ReplaceAll(strings.ReplaceAll(content, "\r\n", "\n"), "\n", "\r\n")
		if m, ok := parseMessage(content); ok {
			list = append(list, traced{m, strings.Contains(title, "message sent")})
		}
	}
	return list
}

// find gives the last message that came in and is wanted.
func (c *caller) find(wanted func(message) bool) (found message, ok bool) {
	for _, m := range c.messages() {
		if !m.sent && wanted(m.message) {
			found, ok = m.message, true
		}
	}
	return found, ok
}

func response(method string, status int) func(message) bool {
	return func(m message) bool {
		return m.status() == status && strings.HasSuffix(m.header("CSeq"), " "+method)
	}
}

func (c *caller) wait(what string, wanted func(message) bool) (found message) {
	c.t.Helper()
	eventually(c.t, what, func() (ok bool) { found, ok = c.find(wanted); return ok })
	return found
}

// waitRinging waits until the caller hears that a phone rings.
func (c *caller) waitRinging() {
	c.t.Helper()
	c.wait("the caller hears it ring", response("INVITE", 180))
}

// waitAnswered waits until the server answered, and lets the caller speak.
func (c *caller) waitAnswered() {
	c.t.Helper()
	answer := c.wait("the call is answered", response("INVITE", 200))
	addr, ok := answer.audio()
	if !ok {
		c.t.Fatalf("the answer names no audio:\n%s", answer.body)
	}
	c.speak(addr)
}

// hangUp lets the caller hang up, however far the call is, and gives the moment.
func (c *caller) hangUp() time.Time {
	c.t.Helper()
	conn, err := net.Dial("udp", c.sipp.String())
	if err != nil {
		c.t.Fatal(err)
	}
	defer conn.Close()
	// sipp takes the To of its BYE from the last message: let it be that of the server.
	to := "<sip:nobody@localhost>"
	if last, ok := c.find(func(m message) bool { return m.status() != 0 }); ok {
		to = last.header("To")
	}
	fmt.Fprintf(conn, "INFO sip:carrier@%v SIP/2.0\r\nVia: SIP/2.0/UDP %v;branch=z9hG4bK-tell\r\n"+
		"From: <sip:test@localhost>;tag=1\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: 9 INFO\r\nContent-Length: 0\r\n\r\n",
		c.sipp, conn.LocalAddr(), to, c.id)
	return time.Now()
}

// waitOver waits until the call is over, whoever hung up, and that it ended as it should.
func (c *caller) waitOver() {
	c.t.Helper()
	select {
	case err := <-c.over:
		c.over <- err
		if err != nil {
			c.t.Fatalf("the caller's call did not go as it should: %v", err)
		}
	case <-time.After(patience):
		c.t.Fatalf("the caller's call is not over after %v", patience)
	}
}
