package sip

import (
	"cmp"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/emiago/sipgo/sip"

	"centrala/sip/header"
	"centrala/sip/tx"
)

// trunk lives as long as its ID is configured, so that calls stay counted.
type trunk struct {
	id    string
	calls atomic.Int64 // now, in both directions

	refused [limits]atomic.Uint64 // calls that were not taken on or made, by which limit forbade it

	mu     sync.Mutex
	conf   Trunk
	lately []time.Time // when the calls of the last second began, of trunks with a limit of that
	until  time.Time   // we are registered, zero: we are not
	peer   netip.Addr  // there
	there  presence    // found by checks
}

// limit is a limit of a trunk, or none.
type limit uint8

const (
	noLimit    limit = iota
	limitCalls       // at once
	limitRate        // a second
	limits
)

// TrunkStats is how a trunk stands now.
type TrunkStats struct {
	ID         string
	Calls      int    // now, in both directions
	MaxCalls   int    // of them; 0: no limit
	MaxRate    int    // calls that may begin in a second; 0: no limit
	Full, Fast uint64 // calls refused, and not made, since the start: for MaxCalls, for MaxRate
	Registers  bool   // the carrier wants us to register
	Registered bool
	Checked    bool // it was asked whether it is there
	Up         bool // and it is, at one of its addresses at least
}

// Trunks tells how the trunks of the directory stand, by ID.
func (s *Stack) Trunks() []TrunkStats {
	b := s.book.Load()
	list := make([]TrunkStats, 0, len(b.trunks))
	for id, t := range b.trunks {
		there, conf := t.presence(), t.settings()
		list = append(list, TrunkStats{
			ID: id, Calls: int(t.calls.Load()), MaxCalls: conf.MaxCalls, MaxRate: conf.MaxRate,
			Full: t.refused[limitCalls].Load(), Fast: t.refused[limitRate].Load(),
			Registers: conf.Register, Registered: t.registered(s.now()),
			Checked: there != unknown, Up: there == present,
		})
	}
	slices.SortFunc(list, func(x, y TrunkStats) int { return cmp.Compare(x.ID, y.ID) })
	return list
}

func (t *trunk) registered(now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return now.Before(t.until)
}

func (t *trunk) setRegistered(until time.Time, peer netip.Addr) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.until, t.peer = until, peer
}

// serves tells whether a is where we are registered with the carrier.
func (t *trunk) serves(a netip.Addr, now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.peer == a && now.Before(t.until)
}

// called is the number that a call by the trunk is for: carriers that we register
// with may put our contact into the Request-URI, and the number into To.
func (t *trunk) called(r *tx.Request) string {
	number := uriUser(&r.Recipient)
	if conf := t.settings(); conf.Register && number == conf.User {
		if to := uriUser(&r.To().Address); to != "" {
			return to
		}
	}
	return number
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

// enter counts a new call, unless a limit forbids it.
func (t *trunk) enter(now time.Time) limit {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.lately = slices.DeleteFunc(t.lately, func(at time.Time) bool { return now.Sub(at) >= time.Second })
	forbids := noLimit
	switch conf := &t.conf; {
	case conf.MaxCalls > 0 && t.calls.Load() >= int64(conf.MaxCalls):
		forbids = limitCalls
	case conf.MaxRate > 0 && len(t.lately) >= conf.MaxRate:
		forbids = limitRate
	case conf.MaxRate > 0:
		t.lately = append(t.lately, now)
	}
	if forbids != noLimit {
		t.refused[forbids].Add(1)
		return forbids
	}
	t.calls.Add(1)
	return noLimit
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
