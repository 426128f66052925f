package app

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"centrala/configs"
	"centrala/sip/edge"
)

// certificates give the server's certificate to whoever shakes hands.
type certificates struct {
	server  *configs.Server
	log     zerolog.Logger
	current atomic.Pointer[tls.Certificate]
}

// selfSignedFor is how long a certificate of our own making is valid; it is made
// anew when less than renewBefore of that is left.
const (
	selfSignedFor = 10 * 365 * 24 * time.Hour
	renewBefore   = 30 * 24 * time.Hour
)

// secure gives the stack what it needs for TLS; nothing if it listens on none.
func (c *certificates) secure() (edge.TLS, error) {
	listens := func(l configs.SIPListener) bool { return l.Network == "tls" }
	if !slices.ContainsFunc(c.server.Listen.SIP, listens) {
		return edge.TLS{}, nil
	}
	if err := c.ensure(); err != nil {
		return edge.TLS{}, err
	}
	roots, err := authorities(c.server.TLS.Roots)
	if err != nil {
		return edge.TLS{}, err
	}
	get := func() (*tls.Certificate, error) { return c.current.Load(), nil }
	return edge.TLS{Certificate: get, Roots: roots}, nil
}

// forWeb gives the web server what it needs for TLS; nil if it has none.
func (c *certificates) forWeb() (func(*tls.ClientHelloInfo) (*tls.Certificate, error), error) {
	if !c.server.Listen.Web.TLS {
		return nil, nil
	}
	if err := c.ensure(); err != nil {
		return nil, err
	}
	return func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.current.Load(), nil }, nil
}

// ensure reads the certificate unless that has been done.
func (c *certificates) ensure() error {
	if c.current.Load() != nil {
		return nil
	}
	return c.load()
}

// reload reads the certificate anew if it is in use: a renewed one is shown from
// then on, and connections that are open stay. After an error the old one stays.
func (c *certificates) reload() error {
	if c.current.Load() == nil {
		return nil
	}
	return c.load()
}

func (c *certificates) load() error {
	var cert *tls.Certificate
	var err error
	switch c.server.TLS.Mode {
	case configs.TLSFiles:
		cert, err = loadPair(c.server.TLS.Cert, c.server.TLS.Key)
	case configs.TLSSelfSigned:
		cert, err = c.selfSigned()
	default:
		err = fmt.Errorf("%w: tls: mode: %s: this version has files and self_signed", ErrBadConfig, c.server.TLS.Mode)
	}
	if err != nil {
		return err
	}
	c.current.Store(cert)
	c.log.Info().Str("sha256", fmt.Sprintf("%X", sha256.Sum256(cert.Certificate[0]))).Time("until", cert.Leaf.NotAfter).Msg("certificate")
	return nil
}

// checkCertificates reads the files that the settings name.
func checkCertificates(s *configs.Server) error {
	if s.TLS.Mode == configs.TLSFiles {
		if _, err := loadPair(s.TLS.Cert, s.TLS.Key); err != nil {
			return err
		}
	}
	_, err := authorities(s.TLS.Roots)
	return err
}

// loadPair reads a certificate and its key, and refuses one that has expired.
func loadPair(certFile, keyFile string) (*tls.Certificate, error) {
	cert, err := tls.LoadX509KeyPair(certFile, keyFile)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: tls: %s and %s: %w", ErrBadConfig, certFile, keyFile, err)
	case time.Now().After(cert.Leaf.NotAfter):
		return nil, fmt.Errorf("%w: tls: %s expired on %s", ErrBadConfig, certFile, cert.Leaf.NotAfter.Format(time.DateOnly))
	}
	return &cert, nil
}

// selfSigned reads the certificate that an earlier start made, so that phones
// that were told to trust it still do, or makes one.
func (c *certificates) selfSigned() (*tls.Certificate, error) {
	folder := filepath.Join(c.server.Data, "tls")
	certFile, keyFile := filepath.Join(folder, "cert.pem"), filepath.Join(folder, "key.pem")
	cert, err := tls.LoadX509KeyPair(certFile, keyFile)
	switch {
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("the server's own certificate: %w", err)
	case err == nil && time.Until(cert.Leaf.NotAfter) > renewBefore && cert.Leaf.VerifyHostname(c.server.Domain) == nil:
		return &cert, nil
	}
	certPEM, keyPEM, err := makeCertificate(c.server, time.Now())
	if err != nil {
		return nil, fmt.Errorf("make a certificate: %w", err)
	}
	err = errors.Join(os.MkdirAll(folder, 0o700), os.WriteFile(keyFile, keyPEM, 0o600), os.WriteFile(certFile, certPEM, 0o644))
	if err != nil {
		return nil, fmt.Errorf("keep the server's own certificate: %w", err)
	}
	c.log.Warn().Str("file", certFile).Msg("made a certificate that nobody vouches for: phones and carriers must be told to trust it")
	if cert, err = tls.X509KeyPair(certPEM, keyPEM); err != nil {
		return nil, fmt.Errorf("the server's own certificate: %w", err)
	}
	return &cert, nil
}

// makeCertificate makes a certificate for the domain and the addresses that are
// listened on, signed by its own key (RFC 5922 section 7.1 says what is read from it).
func makeCertificate(s *configs.Server, now time.Time) (certPEM, keyPEM []byte, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, nil, err
	}
	c := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{Organization: []string{"Centrala"}},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(selfSignedFor),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		URIs:        []*url.URL{{Scheme: "sip", Opaque: s.Domain}},
		IPAddresses: addresses(s),
	}
	if _, err := netip.ParseAddr(s.Domain); err != nil {
		c.DNSNames = []string{s.Domain}
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		return nil, nil, err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), nil
}

// addresses are those under which the server can be reached, as far as the settings tell.
func addresses(s *configs.Server) (list []net.IP) {
	add := func(a netip.Addr) {
		ip := net.IP(a.AsSlice())
		if a.IsValid() && !a.IsUnspecified() && !slices.ContainsFunc(list, ip.Equal) {
			list = append(list, ip)
		}
	}
	if a, err := netip.ParseAddr(s.Domain); err == nil {
		add(a)
	}
	add(s.Advertise)
	var listen []netip.AddrPort
	for _, l := range s.Listen.SIP {
		if l.Network == "tls" {
			listen = append(listen, l.Addr)
		}
	}
	if s.Listen.Web.TLS {
		listen = append(listen, s.Listen.Web.Addr)
	}
	for _, l := range listen {
		own, err := edge.Expand(l)
		if err != nil {
			continue // the listener will say so
		}
		for _, a := range own {
			add(a.Addr())
		}
	}
	return list
}

// authorities are those of the machine and of the file; nil: those of the machine.
func authorities(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		return nil, fmt.Errorf("certificate authorities of the machine: %w", err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("%w: tls: roots: %w", ErrBadConfig, err)
	}
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%w: tls: roots: %s holds no certificate", ErrBadConfig, file)
	}
	return pool, nil
}
