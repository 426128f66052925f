package e2e

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// message is a SIP message as the tests' own phones and sipp's traces need it:
// the lines, taken apart by hand, so that no library that the server uses can
// hide a fault of the server.
type message struct {
	start   string
	headers []string // "Name: value" as it came
	body    string
}

func parseMessage(text string) (message, bool) {
	head, body, _ := strings.Cut(text, "\r\n\r\n")
	lines := strings.Split(head, "\r\n")
	m := message{start: lines[0], headers: lines[1:], body: body}
	return m, strings.Contains(m.start, "SIP/2.0")
}

// header gives the value of the first header of this name.
func (m message) header(name string) string {
	for _, value := range m.all(name) {
		return value
	}
	return ""
}

// all gives the values of all headers of this name.
func (m message) all(name string) (values []string) {
	for _, line := range m.headers {
		if n, v, ok := strings.Cut(line, ":"); ok && strings.EqualFold(strings.TrimSpace(n), name) {
			values = append(values, strings.TrimSpace(v))
		}
	}
	return values
}

// method is that of a request; empty for a response.
func (m message) method() string {
	first, _, _ := strings.Cut(m.start, " ")
	if first == "SIP/2.0" {
		return ""
	}
	return first
}

// status is that of a response; 0 for a request.
func (m message) status() int {
	fields := strings.SplitN(m.start, " ", 3)
	if len(fields) < 2 || fields[0] != "SIP/2.0" {
		return 0
	}
	code, err := strconv.Atoi(fields[1])
	if err != nil {
		return 0
	}
	return code
}

// audio is where the session description in the body wants RTP to be sent.
func (m message) audio() (addr netip.AddrPort, ok bool) {
	var host netip.Addr
	for _, line := range strings.Split(m.body, "\r\n") {
		if text, found := strings.CutPrefix(line, "c=IN IP4 "); found {
			host, _ = netip.ParseAddr(text)
		}
		if fields := strings.Fields(line); len(fields) > 2 && fields[0] == "m=audio" {
			port, err := strconv.ParseUint(fields[1], 10, 16)
			if err != nil {
				return addr, false
			}
			addr = netip.AddrPortFrom(addr.Addr(), uint16(port))
		}
	}
	return netip.AddrPortFrom(host, addr.Port()), host.IsValid() && addr.Port() != 0
}

// uri is what stands between the angle brackets of a From, To or Contact.
func uri(value string) string {
	if _, rest, ok := strings.Cut(value, "<"); ok {
		inside, _, _ := strings.Cut(rest, ">")
		return inside
	}
	return value
}

// audioDescription is a session description for G.711 at the address.
func audioDescription(addr netip.AddrPort) string {
	return strings.Join([]string{
		"v=0",
		fmt.Sprintf("o=phone 1 1 IN IP4 %v", addr.Addr()),
		"s=-",
		fmt.Sprintf("c=IN IP4 %v", addr.Addr()),
		"t=0 0",
		fmt.Sprintf("m=audio %d RTP/AVP 8 0 101", addr.Port()),
		"a=rtpmap:101 telephone-event/8000",
		"a=ptime:20", "",
	}, "\r\n")
}
