package edge

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
)

// TLS is what connections over TLS are made of (RFC 3261 section 26.3.1).
type TLS struct {
	// Certificate is asked for each handshake, so that a renewed one is used
	// without a restart. It is shown to servers that ask for one, too.
	Certificate func() (*tls.Certificate, error)
	// Roots are the authorities that servers' certificates come from; nil: those
	// of the machine.
	Roots *x509.CertPool
}

// ErrIdentity means that a certificate is not that of whom we wanted to reach.
var ErrIdentity = errors.New("the certificate is somebody else's")

// ListenTLS listens as ListenTCP does, for connections over TLS. A handshake
// counts as part of the wait for the first byte and holds up nobody else.
func ListenTLS(addr netip.AddrPort, secure TLS, limits StreamLimits, flows *Flows, inspect Inspect, trusted func(netip.Addr) bool, count *Counters) (*TCP, error) {
	if secure.Certificate == nil {
		return nil, fmt.Errorf("listen on tls %s: no certificate", addr)
	}
	t, err := ListenTCP(addr, limits, flows, inspect, trusted, count)
	if err != nil {
		return nil, fmt.Errorf("for tls: %w", err)
	}
	t.network, t.secure = "tls", secure.server()
	return t, nil
}

func (s TLS) server() *tls.Config {
	return &tls.Config{
		MinVersion:     tls.VersionTLS12,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return s.Certificate() },
	}
}

// Client makes nc a TLS connection with server: the host of the URI that is
// called, as it stood before any look-up, a name or an address. The peer's
// certificate has to be that server's.
func (s TLS) Client(ctx context.Context, nc net.Conn, server string) (net.Conn, error) {
	if server == "" {
		return nil, fmt.Errorf("%w: nobody in particular was to be reached", ErrIdentity)
	}
	c := &tls.Config{
		MinVersion:         tls.VersionTLS12,
		InsecureSkipVerify: true, // VerifyConnection does what this skips, by the rules of SIP
		VerifyConnection:   func(state tls.ConnectionState) error { return s.verify(state.PeerCertificates, server) },
	}
	if _, err := netip.ParseAddr(plain(server)); err != nil {
		c.ServerName = plain(server) // RFC 6066 section 3: names only
	}
	if s.Certificate != nil {
		c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return s.Certificate() }
	}
	secure := tls.Client(nc, c)
	if err := secure.HandshakeContext(ctx); err != nil {
		return nil, fmt.Errorf("TLS with %s: %w", server, err)
	}
	return secure, nil
}

// verify checks the certificate chain of a server and that it is the one wanted
// (RFC 5922 section 7).
func (s TLS) verify(chain []*x509.Certificate, server string) error {
	if len(chain) == 0 {
		return fmt.Errorf("%w: there is none", ErrIdentity)
	}
	leaf, between := chain[0], x509.NewCertPool()
	for _, c := range chain[1:] {
		between.AddCert(c)
	}
	// What a certificate may be used for is looked at here (RFC 5924), since SIP has a purpose of its own.
	o := x509.VerifyOptions{Roots: s.Roots, Intermediates: between, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}
	if _, err := leaf.Verify(o); err != nil {
		return err
	}
	if !forSIP(leaf) {
		return fmt.Errorf("%w: it is not for servers", ErrIdentity)
	}
	names := identities(leaf)
	for _, name := range names {
		if plain(name) == plain(server) {
			return nil
		}
	}
	return fmt.Errorf("%w: it is for %q, not for %s", ErrIdentity, names, server)
}

// plain is a name or an address in the form in which it is compared.
func plain(host string) string {
	if a, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return a.Unmap().String()
	}
	return strings.ToLower(strings.TrimSuffix(host, "."))
}

// sipDomain is the extended key usage of RFC 5924.
func sipDomain() asn1.ObjectIdentifier { return asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 20} }

// forSIP tells whether a certificate may be a SIP server's: it has no purpose,
// any, SIP (RFC 5924 section 4), or that of servers, as the public authorities
// write it.
func forSIP(c *x509.Certificate) bool {
	if len(c.ExtKeyUsage)+len(c.UnknownExtKeyUsage) == 0 {
		return true
	}
	for _, u := range c.ExtKeyUsage {
		if u == x509.ExtKeyUsageAny || u == x509.ExtKeyUsageServerAuth {
			return true
		}
	}
	for _, u := range c.UnknownExtKeyUsage {
		if u.Equal(sipDomain()) {
			return true
		}
	}
	return false
}

// identities are whom a certificate is for (RFC 5922 section 7.1): the hosts of
// its sip URIs, which must name no user; without any, its DNS names and
// addresses; and only without any subjectAltName its common name.
// Names are compared whole: a wildcard stands for nobody (section 7.2).
func identities(c *x509.Certificate) (names []string) {
	for _, u := range c.URIs {
		if !strings.EqualFold(u.Scheme, "sip") {
			continue
		}
		host, _, _ := strings.Cut(u.Opaque, ";")
		if host != "" && !strings.Contains(host, "@") {
			names = append(names, host)
		}
	}
	if len(names) > 0 {
		return names
	}
	names = append(names, c.DNSNames...)
	for _, ip := range c.IPAddresses {
		names = append(names, ip.String())
	}
	alternative := func(e pkix.Extension) bool { return e.Id.Equal(asn1.ObjectIdentifier{2, 5, 29, 17}) }
	if c.Subject.CommonName != "" && !slices.ContainsFunc(c.Extensions, alternative) {
		names = append(names, c.Subject.CommonName)
	}
	return names
}
