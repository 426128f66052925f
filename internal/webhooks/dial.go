package webhooks

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"syscall"
	"time"
)

// ErrAddress is in the error of a connection to an address that is refused.
var ErrAddress = errors.New("the address is not public, and webhooks.allow in the server's settings does not have it")

// special are networks that are no public hosts' beside those that netip knows, or through which
// others can be reached (RFC 6890, RFC 8215).
func special() []netip.Prefix {
	var list []netip.Prefix
	for _, text := range []string{
		"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4",
		"::/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16", "fec0::/10",
	} {
		list = append(list, netip.MustParsePrefix(text))
	}
	return list
}

// guard decides which addresses may be connected to.
type guard struct {
	allow  []netip.Prefix
	refuse []netip.Prefix
}

// check tells whether an address may be connected to; without TLS only one that is allowed by name.
func (g *guard) check(a netip.Addr, encrypted bool) error {
	a = a.Unmap().WithZone("")
	in := func(p netip.Prefix) bool { return p.Contains(a) }
	switch {
	case slices.ContainsFunc(g.allow, in):
		return nil
	case !a.IsGlobalUnicast() || a.IsPrivate() || slices.ContainsFunc(g.refuse, in):
		return fmt.Errorf("%s: %w", a, ErrAddress)
	case !encrypted:
		return fmt.Errorf("%s: http:// is for addresses that webhooks.allow in the server's settings has", a)
	}
	return nil
}

// client makes a client that follows no redirect, knows no proxy, and connects to nothing else
// than the guard allows.
func (g *guard) client(encrypted bool, config *tls.Config) *http.Client {
	d := &net.Dialer{Timeout: timeLimit, Control: func(_, address string, _ syscall.RawConn) error {
		a, err := netip.ParseAddrPort(address)
		if err != nil {
			return fmt.Errorf("%s: %w", address, ErrAddress)
		}
		return g.check(a.Addr(), encrypted)
	}}
	return &http.Client{
		Timeout:       timeLimit,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext: func(ctx context.Context, _, address string) (net.Conn, error) {
				return d.DialContext(ctx, "tcp", address)
			},
			TLSClientConfig: config, ForceAttemptHTTP2: true, MaxIdleConnsPerHost: flightsMax, IdleConnTimeout: time.Minute,
			MaxResponseHeaderBytes: 64 << 10, TLSHandshakeTimeout: timeLimit, DisableCompression: true,
		},
	}
}
