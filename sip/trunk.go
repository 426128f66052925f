package sip

import (
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/emiago/sipgo/sip"

	"centrala/sip/header"
)

// trunk lives as long as its ID is configured, so that calls stay counted.
type trunk struct {
	id    string
	calls atomic.Int64 // now, in both directions

	mu   sync.Mutex
	conf Trunk
}

// configure takes over what the directory says now.
func (t *trunk) configure(conf Trunk) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.conf = conf
}

func (t *trunk) settings() Trunk {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.conf
}

// enter counts a new call. False: the trunk has as many as it may.
func (t *trunk) enter() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.conf.MaxCalls > 0 && t.calls.Load() >= int64(t.conf.MaxCalls) {
		return false
	}
	t.calls.Add(1)
	return true
}

func (t *trunk) leave() { t.calls.Add(-1) }

// endpoint is the host, port and transport that calls to the trunk go to; port 0: none is given.
func (c *Trunk) endpoint() (host string, port uint16, network string) {
	host = c.Host
	if h, p, err := net.SplitHostPort(c.Host); err == nil {
		if n, err := strconv.ParseUint(p, 10, 16); err == nil {
			host, port = h, uint16(n)
		}
	}
	if network = strings.ToLower(c.Transport); network == "" {
		network = "udp"
	}
	return strings.Trim(host, "[]"), port, network
}

// uri is the URI of a user at the trunk.
func (c *Trunk) uri(user string) sip.Uri {
	host, port, network := c.endpoint()
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	u := sip.Uri{Scheme: "sip", User: header.EscapedUser(user), Host: host, Port: int(port)}
	if network != "udp" { // RFC 3263 section 4.1: it is the default
		u.UriParams = sip.HeaderParams{{K: "transport", V: network}}
	}
	return u
}

// TrunkContact is where calls to a number leave by a trunk. An error means that
// no call can.
func (s *Stack) TrunkContact(id, number string) (Contact, error) {
	t := s.book.Load().trunks[id]
	switch {
	case t == nil:
		return Contact{}, fmt.Errorf("%w: there is no trunk %q", errDial, id)
	case number == "":
		return Contact{}, fmt.Errorf("%w: no number", errDial)
	}
	conf := t.settings()
	if conf.Host == "" {
		return Contact{}, fmt.Errorf("%w: trunk %s has no host: calls only come in by it", errDial, id)
	}
	c := Contact{Q: 1, uri: conf.uri(number), trunk: t}
	c.URI = c.uri.String()
	_, c.port, c.network = conf.endpoint()
	if err := s.locate(&c); err != nil {
		return Contact{}, fmt.Errorf("trunk %s: %w", id, err)
	}
	return c, nil
}
