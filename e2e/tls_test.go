package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// tlsPhone starts a phone that is registered as anna over TLS and trusts the
// server's own certificate.
func (s *server) tlsPhone(hertz float64, audio string) *softphone {
	s.t.Helper()
	p := newSoftphone(s.t, s.site, "anna", hertz, fmt.Sprintf(
		`<sip:anna@%s;transport=tls>;auth_user=anna;auth_pass=anna-secret-1;outbound="sip:%v;transport=tls";answermode=auto;regint=60;audio_codecs=PCMA;mediaenc=%s`,
		domain, s.tls, audio), "sip_cafile "+filepath.Join(s.dir, "data", "tls", "cert.pem"))
	p.wait("registered", "REGISTER_OK")
	return p
}

// A phone that registers over TLS (RFC 3261 section 26) is called by its
// connection, with encrypted audio: because it must be, or because the phone is
// asked whether it can.
func TestTLS_PhoneIsCalled(t *testing.T) {
	t.Parallel()
	for policy, audio := range map[string]string{"required": "srtp-mand", "optional": "srtp"} {
		t.Run(policy, func(t *testing.T) {
			t.Parallel()
			s := newServer(t, newSite(t), strings.Replace(secureAgent, "srtp: required}\ngroups", "srtp: "+policy+"}\ngroups", 1))
			anna := s.tlsPhone(900, audio)
			before := s.footprint()
			c := s.call("+48600100200", "+48221234567", 500)
			anna.wait("talks", "CALL_ESTABLISHED")
			c.waitAnswered()
			c.waitTone("the caller hears the agent", 900, time.Second)
			c.wantOnly(500*time.Millisecond, 900, calmHertz, 500)
			anna.waitHeard(1, time.Second)
			anna.hangUp()
			c.waitOver()
			s.waitLog("leg ended", "srtp", "AEAD_AES_128_GCM")
			anna.wantSecured("AEAD_AES_128_GCM")
			anna.wait("hangs up", "CALL_CLOSED")
			wantOnly(t, anna.recordings()[0], 8000, 500, calmHertz, 900)
			s.waitFootprint(before)
			anna.end()
			s.waitAgents("sales", "offline", 1)
		})
	}
}

// certificateFor writes a certificate for an address, which is its own
// authority, and its key into one file of the folder, as baresip wants it.
func certificateFor(t *testing.T, folder string, addr netip.Addr) (file string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, IPAddresses: []net.IP{addr.AsSlice()},
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(folder, "carrier.pem")
	text := append(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: private}), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// tlsTrunk is a group that nobody serves: its calls, which come in over TLS, are
// forwarded by a carrier over TLS (R96).
const tlsTrunk = `
agents:
  anna: {name: Anna Nowak, sip_password: anna-secret-1}
groups:
  sales: {name: Sales, agents: [anna], trunk: out, no_answer: [{action: number, to: "+48 22 999 88 77"}, hangup]}
trunks:
  in: {from: [127.0.0.1/32], srtp: required}
  out: {host: "127.0.0.1:PORT", transport: tls, from: [192.0.2.1], srtp: required}
numbers:
  "+48 22 123 45 67": {trunk: in, group: sales}
`

// tlsSite is a server of tlsTrunk and its carrier; the server believes the
// certificate of the carrier if it is told to.
func tlsSite(t *testing.T, believes bool) (s *server, carrier *softphone) {
	t.Helper()
	site := newSite(t)
	cert := certificateFor(t, t.TempDir(), netip.MustParseAddr("127.0.0.1"))
	carrier = newSoftphone(t, site, "carrier", 1300,
		"<sip:+48229998877@127.0.0.1;transport=tls>;regint=0;answermode=auto;audio_codecs=PCMA;mediaenc=srtp-mand", "sip_certificate "+cert)
	s = prepareServer(t, site, strings.ReplaceAll(tlsTrunk, "PORT", fmt.Sprint(carrier.addr.Port()+1)))
	if believes {
		settings, err := os.ReadFile(filepath.Join(s.dir, "centrala.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		s.writeFile("centrala.yaml", string(settings)+"tls: {roots: "+cert+"}\n")
	}
	s.run()
	return s, carrier
}

func tlsCaller(t *testing.T, s *server) *softphone {
	t.Helper()
	caller := newSoftphone(t, s.site, "caller", 500, fmt.Sprintf(
		`<sip:+48600100200@%s;transport=tls>;outbound="sip:%v;transport=tls";regint=0;audio_codecs=PCMA;mediaenc=srtp-mand`, domain, s.tls))
	caller.command("dial", fmt.Sprintf("sip:+48221234567@%s;transport=tls", domain))
	return caller
}

// A call comes in over TLS and leaves over TLS, encrypted by other keys on each side.
func TestTLS_Trunks(t *testing.T) {
	t.Parallel()
	s, carrier := tlsSite(t, true)
	caller := tlsCaller(t, s)
	caller.wait("talks", "CALL_ESTABLISHED")
	carrier.wait("talks", "CALL_ESTABLISHED")
	carrier.waitHeard(1, time.Second)
	caller.waitHeard(1, time.Second)
	caller.hangUp()
	carrier.wait("is hung up on", "CALL_CLOSED")
	for _, p := range []struct {
		*softphone
		hears, says float64
	}{{carrier, 500, 1300}, {caller, 1300, 500}} {
		p.wantSecured("A")
		wantOnly(t, p.recordings()[0], 8000, p.hears, p.says)
	}
}

// A carrier that cannot prove who it is is not told of the call (RFC 5922 section 7).
func TestTLS_CarrierUnknown(t *testing.T) {
	t.Parallel()
	s, carrier := tlsSite(t, false)
	caller := tlsCaller(t, s)
	caller.wait("is turned away", "CALL_CLOSED")
	if reason := s.waitLog("no TLS connection", "server", "127.0.0.1").field("error"); !strings.Contains(reason, "unknown authority") {
		t.Errorf("the reason is %q", reason)
	}
	if story := carrier.story(); strings.Contains(story, "CALL_INCOMING") {
		t.Error(story)
	}
}
