package edge

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"math/big"
	"net"
	"net/netip"
	"net/url"
	"testing"
	"time"
)

// authority signs certificates.
type authority struct {
	t    *testing.T
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{t: t}
	var err error
	if a.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, a.key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	return a
}

func (a *authority) roots() *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(a.cert)
	return p
}

// issue makes a certificate of what change says.
func (a *authority) issue(change func(c *x509.Certificate)) *tls.Certificate {
	a.t.Helper()
	c := &x509.Certificate{
		SerialNumber: big.NewInt(2), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	change(c)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, c, a.cert, key.Public(), a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return &tls.Certificate{Certificate: [][]byte{der, a.cert.Raw}, PrivateKey: key, Leaf: leaf}
}

func (a *authority) named(name string) *tls.Certificate {
	return a.issue(func(c *x509.Certificate) { c.DNSNames = []string{name} })
}

func uri(s string) *url.URL {
	u, err := url.Parse(s)
	if err != nil {
		panic(err)
	}
	return u
}

// RFC 5922 section 7: whose certificate is taken for whose.
func TestTLS_Identity(t *testing.T) {
	a := newAuthority(t)
	sipOnly := asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 20}
	for _, c := range []struct {
		name   string
		change func(c *x509.Certificate)
		server string
		ok     bool
	}{
		{"DNS name", func(c *x509.Certificate) { c.DNSNames = []string{"sip.example"} }, "sip.example", true},
		{"case and final dot do not matter", func(c *x509.Certificate) { c.DNSNames = []string{"SIP.example"} }, "sip.Example.", true},
		{"another name", func(c *x509.Certificate) { c.DNSNames = []string{"evil.example"} }, "sip.example", false},
		{"a parent", func(c *x509.Certificate) { c.DNSNames = []string{"example"} }, "sip.example", false},
		{"a wildcard (7.2)", func(c *x509.Certificate) { c.DNSNames = []string{"*.example"} }, "sip.example", false},
		{"sip URI", func(c *x509.Certificate) { c.URIs = []*url.URL{uri("sip:sip.example")} }, "sip.example", true},
		{"sip URI goes before DNS name (7.1)", func(c *x509.Certificate) {
			c.URIs, c.DNSNames = []*url.URL{uri("sip:other.example")}, []string{"sip.example"}
		}, "sip.example", false},
		{"sip URI of a user (7.1)", func(c *x509.Certificate) { c.URIs = []*url.URL{uri("sip:bob@sip.example")} }, "sip.example", false},
		{"another scheme", func(c *x509.Certificate) { c.URIs = []*url.URL{uri("https://sip.example")} }, "sip.example", false},
		{"common name", func(c *x509.Certificate) { c.Subject.CommonName = "sip.example" }, "sip.example", true},
		{"common name beside an alternative (7.1)", func(c *x509.Certificate) {
			c.Subject.CommonName, c.EmailAddresses = "sip.example", []string{"a@b.example"}
		}, "sip.example", false},
		{"address", func(c *x509.Certificate) { c.IPAddresses = []net.IP{net.ParseIP("192.0.2.1")} }, "192.0.2.1", true},
		{"IPv6 address", func(c *x509.Certificate) { c.IPAddresses = []net.IP{net.ParseIP("2001:db8::1")} }, "[2001:db8:0::1]", true},
		{"another address", func(c *x509.Certificate) { c.IPAddresses = []net.IP{net.ParseIP("192.0.2.2")} }, "192.0.2.1", false},
		{"for SIP (RFC 5924)", func(c *x509.Certificate) {
			c.DNSNames, c.UnknownExtKeyUsage = []string{"sip.example"}, []asn1.ObjectIdentifier{sipOnly}
		}, "sip.example", true},
		{"for servers", func(c *x509.Certificate) {
			c.DNSNames, c.ExtKeyUsage = []string{"sip.example"}, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
		}, "sip.example", true},
		{"for mail", func(c *x509.Certificate) {
			c.DNSNames, c.ExtKeyUsage = []string{"sip.example"}, []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection}
		}, "sip.example", false},
		{"expired", func(c *x509.Certificate) {
			c.DNSNames, c.NotAfter = []string{"sip.example"}, time.Now().Add(-time.Minute)
		}, "sip.example", false},
		{"nobody wanted", func(c *x509.Certificate) { c.DNSNames = []string{"sip.example"} }, "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			a.t = t
			cert := a.issue(c.change)
			err := handshake(t, cert, TLS{Roots: a.roots()}, c.server)
			if (err == nil) != c.ok {
				t.Errorf("%v", err)
			}
		})
	}
	cert := a.named("sip.example")
	if err := handshake(t, cert, TLS{Roots: newAuthority(t).roots()}, "sip.example"); err == nil {
		t.Error("an authority that nobody knows was believed")
	}
	if err := handshake(t, cert, TLS{Roots: a.roots()}, "other.example"); !errors.Is(err, ErrIdentity) {
		t.Errorf("%v", err)
	}
}

// handshake connects a client that wants server with one that shows cert.
func handshake(t *testing.T, cert *tls.Certificate, client TLS, server string) error {
	t.Helper()
	near, far := net.Pipe()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s := tls.Server(far, TLS{Certificate: func() (*tls.Certificate, error) { return cert, nil }}.server())
		_ = s.Handshake() // the client tells
		_ = far.Close()
	}()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	nc, err := client.Client(ctx, near, server)
	if err == nil {
		_ = nc.Close()
	}
	_ = near.Close()
	<-ended
	return err
}

// A peer that has proved nothing cannot take the place of one that has: the
// library would answer the one by the other's connection.
func TestTLS_NobodyTakesTheAddressOfAProvedPeer(t *testing.T) {
	flows := NewFlows(nil)
	remote := netip.MustParseAddrPort("192.0.2.1:5061")
	stranger := Flow{Network: "tls", Remote: remote}
	proved := Flow{Network: "tls", Remote: remote, Server: "sip.example"}
	first, server, second := &Conn{}, &Conn{}, &Conn{}
	if !flows.add(first, stranger) || !flows.add(server, proved) {
		t.Fatal("not listed")
	}
	flows.begin(first)
	if f, ok := flows.ByPeer(proved); ok {
		t.Fatalf("a stranger was found: %+v", f)
	}
	flows.begin(server)
	for _, wanted := range []Flow{proved, stranger} {
		if f, ok := flows.ByPeer(wanted); !ok || f.ID != server.flow.ID {
			t.Errorf("%+v found as %+v", f, wanted)
		}
	}
	if f, ok := flows.ByPeer(Flow{Network: "tls", Remote: remote, Server: "other.example"}); ok {
		t.Errorf("found under a name that it has not proved: %+v", f)
	}
	if f, ok := flows.ByPeer(Flow{Network: "tcp", Remote: remote}); ok {
		t.Errorf("found on another network: %+v", f)
	}
	if flows.add(second, stranger) {
		t.Error("a stranger came from the address of a proved peer")
	}
	flows.remove(server)
	if !flows.add(second, stranger) {
		t.Error("the address stays taken")
	}
}
