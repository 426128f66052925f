package e2e

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// crowd are callers from the carrier's network who call one after another, each from a number of its
// own, and the telephones that answer them at once: SIP on two UDP sockets, without audio. A server that is gone does
// not put them off: who hears nothing calls anew.
type crowd struct {
	number string
	server netip.AddrPort
	calls  *net.UDPConn
	phones *net.UDPConn

	stop  chan struct{}
	ended sync.WaitGroup

	mu     sync.Mutex
	inbox  map[string]chan message // by Call-ID
	next   int
	known  map[string]bool // callers' numbers that the server answered with more than 100; true: the call went on to its end
	steps  int             // of what came of calls
	notice chan struct{}   // told of a step
}

// crowdSilence is how long a caller waits before sending a request again, and crowdTries how often it
// is sent at most.
const (
	crowdSilence = 300 * time.Millisecond
	crowdTries   = 8
)

// newCrowd makes ready agents' telephones; call lets callers call.
func newCrowd(t *testing.T, s *site, number string) *crowd {
	t.Helper()
	c := &crowd{number: number, stop: make(chan struct{}), inbox: map[string]chan message{}, known: map[string]bool{}, notice: make(chan struct{}, 1)}
	for socket, host := range map[**net.UDPConn]netip.Addr{&c.calls: s.carrierHost(), &c.phones: s.phoneHost()} {
		conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(host, peerPort)))
		if err != nil {
			t.Fatal(err)
		}
		*socket = conn
	}
	var reading sync.WaitGroup
	reading.Go(func() { readMessages(c.calls, c.heard) })
	reading.Go(func() { readMessages(c.phones, c.rung) })
	t.Cleanup(func() {
		c.leave()
		_, _ = c.calls.Close(), c.phones.Close()
		reading.Wait()
	})
	return c
}

func readMessages(socket *net.UDPConn, do func(message, netip.AddrPort)) {
	buf := make([]byte, 64<<10)
	for {
		n, from, err := socket.ReadFromUDPAddrPort(buf)
		if err != nil {
			return
		}
		if m, ok := parseMessage(string(buf[:n])); ok {
			do(m, from)
		}
	}
}

// contact is where an agent's telephone is.
func (c *crowd) contact(agent string) string {
	return fmt.Sprintf("sip:%s@%v", agent, c.phones.LocalAddr())
}

// rung is what came in at a telephone: it answers, whatever went before.
func (c *crowd) rung(m message, from netip.AddrPort) {
	answer := func(status, body string) {
		text := answerTo(m, status)
		text = strings.Replace(text, "Content-Length: 0\r\n", fmt.Sprintf("Contact: <%s>\r\nContent-Length: %d\r\n", c.contact("agent"), len(body)), 1)
		if body != "" {
			text = strings.Replace(text, "Content-Length:", "Content-Type: application/sdp\r\nContent-Length:", 1) + body
		}
		if !strings.Contains(m.header("To"), ";tag=") {
			text = strings.Replace(text, "To: "+m.header("To"), "To: "+m.header("To")+";tag=phone", 1)
		}
		_, _ = c.phones.WriteToUDPAddrPort([]byte(text), from) // a server that is gone is part of the test
	}
	switch m.method() {
	case "", "ACK":
	case "INVITE":
		answer("180 Ringing", "")
		answer("200 OK", audioDescription(netip.AddrPortFrom(from.Addr(), 9)))
	default:
		answer("200 OK", "")
	}
}

// heard passes on to a caller what came in for them.
func (c *crowd) heard(m message, from netip.AddrPort) {
	if m.method() != "" && m.method() != "ACK" {
		_, _ = c.calls.WriteToUDPAddrPort([]byte(answerTo(m, "200 OK")), from)
	}
	c.mu.Lock()
	in := c.inbox[m.header("Call-ID")]
	c.mu.Unlock()
	select {
	case in <- m: // nil: the call is over
	default:
	}
}

// call has so many callers call the server until leave.
func (c *crowd) call(server netip.AddrPort, callers int) {
	c.server = server
	for k := range callers {
		c.ended.Go(func() {
			random := rand.New(rand.NewPCG(uint64(k), 7))
			for !c.over() {
				c.one(random)
			}
		})
	}
}

// leave ends the callers' calls, and waits for that.
func (c *crowd) leave() {
	if !c.over() {
		close(c.stop)
	}
	c.ended.Wait()
}

func (c *crowd) over() bool {
	select {
	case <-c.stop:
		return true
	default:
		return false
	}
}

// one is one call: some callers give up before it is answered, the others hang up a while later.
func (c *crowd) one(random *rand.Rand) {
	c.mu.Lock()
	c.next++
	from := fmt.Sprintf("+48600%06d", c.next)
	in := make(chan message, 32)
	id := "crowd" + from
	c.inbox[id] = in
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		delete(c.inbox, id)
		c.mu.Unlock()
	}()
	call := crowdCall{c: c, id: id, from: from, target: fmt.Sprintf("sip:%s@%v", c.number, c.server), in: in}
	call.to = "<" + call.target + ">"
	hasty := random.IntN(6) == 0
	answer := call.ask("INVITE", 1, 1, func(m message) bool {
		if m.status() > 100 && m.status() < 300 { // what is refused at once the core need not have seen
			c.note(from, false)
		}
		return m.status() >= 200 || hasty && m.status() > 100
	})
	if answer.start != "" && answer.status() < 200 {
		answer = call.ask("CANCEL", 1, crowdTries, func(m message) bool {
			return m.status() >= 200 && strings.HasSuffix(m.header("CSeq"), " INVITE")
		})
	}
	switch {
	case answer.start == "":
		return // the server is gone, or busy
	case answer.status() >= 300:
		call.to = answer.header("To")
		call.send("ACK", 1, "INVITE")
		c.note(from, true)
		return
	}
	call.to, call.target = answer.header("To"), uri(answer.header("Contact"))
	call.send("ACK", 1, "ACK")
	select {
	case <-c.stop:
	case <-time.After(time.Duration(random.IntN(400)) * time.Millisecond):
	}
	bye := call.ask("BYE", 2, crowdTries, func(m message) bool { return m.status() >= 200 && strings.HasSuffix(m.header("CSeq"), " BYE") })
	c.note(from, bye.status() == 200)
}

// crowdCall is one call of a caller. Accessed by the caller only.
type crowdCall struct {
	c                    *crowd
	id, from, to, target string
	in                   <-chan message
}

// send sends a request; branch names its transaction.
func (x *crowdCall) send(method string, seq int, branch string) {
	own, body, kind := x.c.calls.LocalAddr().(*net.UDPAddr).AddrPort(), "", ""
	if method == "INVITE" {
		body, kind = audioDescription(netip.AddrPortFrom(own.Addr(), 9)), "Content-Type: application/sdp\r\n"
	}
	text := fmt.Sprintf("%s %s SIP/2.0\r\nVia: SIP/2.0/UDP %v;branch=z9hG4bK-%s-%s\r\nMax-Forwards: 70\r\nFrom: <sip:%s@%v>;tag=c\r\nTo: %s\r\n"+
		"Call-ID: %s\r\nCSeq: %d %s\r\nContact: <sip:%s@%v>\r\n%sContent-Length: %d\r\n\r\n%s",
		method, x.target, own, x.id, branch, x.from, own.Addr(), x.to, x.id, seq, method, x.from, own, kind, len(body), body)
	_, _ = x.c.calls.WriteToUDPAddrPort([]byte(text), x.c.server) // a server that is gone is part of the test
}

// ask sends a request, several times if nothing comes, until it is answered as wanted; an empty message: it never
// was. An INVITE is sent once: to a server that was started meanwhile it would be another call.
func (x *crowdCall) ask(method string, seq, tries int, wanted func(message) bool) message {
	branch := strings.Replace(method, "CANCEL", "INVITE", 1)
	for range tries {
		x.send(method, seq, branch)
		again := time.After(crowdTries / time.Duration(tries) * crowdSilence)
		for waiting := true; waiting; {
			select {
			case m := <-x.in:
				if wanted(m) {
					return m
				}
			case <-again:
				waiting = false
			}
		}
	}
	return message{}
}

// note notes that the server knows of a call, or that one which it knows of came to its end.
func (c *crowd) note(from string, ended bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, known := c.known[from]; known || !ended {
		c.known[from] = ended
	}
	c.steps++
	select {
	case c.notice <- struct{}{}:
	default:
	}
}

// await waits for so many more steps of calls.
func (c *crowd) await(t *testing.T, steps int) {
	t.Helper()
	limit := time.After(patience)
	c.mu.Lock()
	until := c.steps + steps
	c.mu.Unlock()
	for {
		c.mu.Lock()
		enough := c.steps >= until
		c.mu.Unlock()
		if enough {
			return
		}
		select {
		case <-c.notice:
		case <-limit:
			t.Fatalf("the calls come to nothing")
		}
	}
}

// callers are the numbers that the server knows of, and whether their calls came to their end.
func (c *crowd) callers() map[string]bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.known)
}

// crowded is a group whose agents have the crowd's telephones.
func crowded(c *crowd, agents int) string {
	var list strings.Builder
	var names []string
	for k := range agents {
		name := fmt.Sprintf("agent%d", k+1)
		fmt.Fprintf(&list, "  %s: {contact: %q}\n", name, c.contact(name))
		names = append(names, name)
	}
	return fmt.Sprintf("agents:\n%sgroups:\n  sales: {agents: [%s], distribution: evenly, wrap_up: 50ms, hold_music: calm}\ntrunks:\n  carrier: {from: [CARRIER]}\n"+
		"numbers:\n  %q: {trunk: carrier, group: sales}\n", list.String(), strings.Join(slices.Sorted(slices.Values(names)), ", "), c.number)
}
