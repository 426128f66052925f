package app

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"centrala/configs"
	"centrala/sip/edge"
)

// tlsServer is the settings of a server that listens on TLS with its data in a folder.
func tlsServer(t *testing.T, mode string) *configs.Server {
	return &configs.Server{
		Domain: "pbx.example", Data: t.TempDir(), Advertise: netip.MustParseAddr("203.0.113.5"),
		Listen: configs.Listen{SIP: []configs.SIPListener{
			{Network: "udp", Addr: netip.MustParseAddrPort("192.0.2.1:5060")},
			{Network: "tls", Addr: netip.MustParseAddrPort("192.0.2.2:5061")},
		}},
		TLS: configs.TLS{Mode: mode},
	}
}

func secured(t *testing.T, s *configs.Server) (edge.TLS, *certificates) {
	t.Helper()
	c := &certificates{server: s, log: zerolog.Nop()}
	secure, err := c.secure()
	if err != nil {
		t.Fatal(err)
	}
	return secure, c
}

func shown(t *testing.T, secure edge.TLS) *x509.Certificate {
	t.Helper()
	cert, err := secure.Certificate()
	if err != nil {
		t.Fatal(err)
	}
	return cert.Leaf
}

// A server's own certificate is for its domain and addresses, stays over a
// restart, and is made anew for another domain; its key is nobody else's.
func TestCertificate_SelfSigned(t *testing.T) {
	s := tlsServer(t, configs.TLSSelfSigned)
	secure, _ := secured(t, s)
	first := shown(t, secure)
	for _, name := range []string{"pbx.example", "192.0.2.2", "203.0.113.5"} {
		if err := first.VerifyHostname(name); err != nil {
			t.Error(err)
		}
	}
	if len(first.URIs) != 1 || first.URIs[0].String() != "sip:pbx.example" || first.VerifyHostname("192.0.2.1") == nil {
		t.Errorf("%v %v", first.URIs, first.IPAddresses)
	}
	if left := time.Until(first.NotAfter); left < selfSignedFor-time.Hour {
		t.Errorf("valid for %v", left)
	}
	key, err := os.Stat(filepath.Join(s.Data, "tls", "key.pem"))
	if err != nil || key.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", key, err)
	}
	again, _ := secured(t, s)
	if !shown(t, again).Equal(first) {
		t.Error("a restart made another certificate")
	}
	s.Domain = "other.example"
	moved, _ := secured(t, s)
	if cert := shown(t, moved); cert.VerifyHostname("other.example") != nil {
		t.Errorf("after a change of the domain it is for %v", cert.DNSNames)
	}
}

// writePair writes a certificate for a domain, made at a time, and its key.
func writePair(t *testing.T, s *configs.Server, made time.Time) {
	t.Helper()
	folder := t.TempDir()
	cert, key, err := makeCertificate(s, made)
	if err != nil {
		t.Fatal(err)
	}
	s.TLS.Cert, s.TLS.Key = filepath.Join(folder, "cert.pem"), filepath.Join(folder, "key.pem")
	if err := errors.Join(os.WriteFile(s.TLS.Cert, cert, 0o600), os.WriteFile(s.TLS.Key, key, 0o600)); err != nil {
		t.Fatal(err)
	}
}

// A renewed certificate is shown after a reload; one that cannot be used is not,
// and the old one stays.
func TestCertificate_Files(t *testing.T) {
	s := tlsServer(t, configs.TLSFiles)
	writePair(t, s, time.Now())
	secure, c := secured(t, s)
	first := shown(t, secure)
	writePair(t, s, time.Now())
	if err := c.reload(); err != nil {
		t.Fatal(err)
	}
	second := shown(t, secure)
	if second.Equal(first) {
		t.Error("the renewed certificate is not shown")
	}
	if err := os.WriteFile(s.TLS.Cert, []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := c.reload(); !errors.Is(err, ErrBadConfig) {
		t.Errorf("%v", err)
	}
	if !shown(t, secure).Equal(second) {
		t.Error("the old certificate is gone")
	}
}

func TestCertificate_Mistakes(t *testing.T) {
	for name, spoil := range map[string]func(s *configs.Server){
		"expired":                  func(s *configs.Server) { writePair(t, s, time.Now().Add(-selfSignedFor-time.Hour)) },
		"another key":              func(s *configs.Server) { key := s.TLS.Key; writePair(t, s, time.Now()); s.TLS.Key = key },
		"key and cert swapped":     func(s *configs.Server) { s.TLS.Cert, s.TLS.Key = s.TLS.Key, s.TLS.Cert },
		"roots without any":        func(s *configs.Server) { s.TLS.Roots = s.TLS.Key },
		"a mode that is not there": func(s *configs.Server) { s.TLS.Mode = configs.TLSACME },
	} {
		t.Run(name, func(t *testing.T) {
			s := tlsServer(t, configs.TLSFiles)
			writePair(t, s, time.Now())
			spoil(s)
			if _, err := (&certificates{server: s, log: zerolog.Nop()}).secure(); !errors.Is(err, ErrBadConfig) {
				t.Errorf("%v", err)
			}
			if err := checkCertificates(s); !errors.Is(err, ErrBadConfig) && s.TLS.Mode == configs.TLSFiles {
				t.Errorf("the check: %v", err)
			}
		})
	}
}

// Without an address to listen on TLS no certificate is needed nor made.
func TestCertificate_NotNeeded(t *testing.T) {
	s := tlsServer(t, configs.TLSACME)
	s.Listen.SIP = s.Listen.SIP[:1]
	if secure, c := secured(t, s); secure.Certificate != nil || c.reload() != nil {
		t.Error("a certificate was made")
	}
	if _, err := os.Stat(filepath.Join(s.Data, "tls")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v", err)
	}
}

// A whole server shows the certificate of its files, and a renewed one after a reload.
func TestReload_TakesUpARenewedCertificate(t *testing.T) {
	dir := t.TempDir()
	s := &configs.Server{Domain: "pbx.example"}
	writePair(t, s, time.Now())
	for name, text := range map[string]string{
		"centrala.yaml": fmt.Sprintf("region: PL\ndata: %s/data\nlisten: {sip: [\"tls://127.0.0.1:0\"], admin: \"\"}\ntls: {mode: files, cert: %s, key: %s}\nqueuegroups: queuegroups.yaml\n",
			dir, s.TLS.Cert, s.TLS.Key),
		"queuegroups.yaml": "agents: {anna: {}}\ngroups: {sales: {agents: [anna]}}\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	a, err := New(t.Context(), Options{Config: filepath.Join(dir, "centrala.yaml"), Console: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = a.Stop(t.Context()) }()
	if err := a.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	shows := func() *x509.Certificate {
		nc, err := tls.Dial("tcp", a.SIPAddrs()[0].Addr.String(), &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		return nc.ConnectionState().PeerCertificates[0]
	}
	first := shows()
	cert, key := s.TLS.Cert, s.TLS.Key
	writePair(t, s, time.Now())
	if err := errors.Join(os.Rename(s.TLS.Cert, cert), os.Rename(s.TLS.Key, key)); err != nil {
		t.Fatal(err)
	}
	if err := a.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if shows().Equal(first) {
		t.Error("the old certificate is shown")
	}
}
