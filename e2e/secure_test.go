package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"centrala/media"
)

// secureAgent is a group whose agent's phone must encrypt its audio. Callers may.
const secureAgent = `
agents:
  anna: {name: Anna Nowak, extension: "101", sip_password: anna-secret-1, srtp: required}
groups:
  sales: {name: Sales, agents: [anna], distribution: evenly, rings: 20, ring_length: 1s, wrap_up: 0s, hold_music: calm}
trunks:
  carrier: {from: [CARRIER]}
  secure: {from: [127.0.0.1/32], srtp: required}
numbers:
  "+48 22 123 45 67": {trunk: carrier, group: sales}
  "+48 22 123 45 68": {trunk: secure, group: sales}
`

// securePhone starts a phone of the agent anna that encrypts its audio or takes no call.
func (s *server) securePhone(hertz float64) *softphone {
	s.t.Helper()
	p := newSoftphone(s.t, s.site, "anna", hertz, fmt.Sprintf(
		`<sip:anna@%s>;auth_user=anna;auth_pass=anna-secret-1;outbound="sip:%v";answermode=auto;regint=60;audio_codecs=PCMA;mediaenc=srtp-mand`,
		domain, s.sip))
	p.wait("registered", "REGISTER_OK")
	return p
}

// wantSecured fails the test unless the phone encrypted its call by a suite.
func (p *softphone) wantSecured(suite string) {
	p.t.Helper()
	text, err := os.ReadFile(filepath.Join(p.dir, "output"))
	if err != nil {
		p.t.Fatal(err)
	}
	if !strings.Contains(string(text), "SRTP is Enabled (cryptosuite="+suite) {
		p.t.Errorf("%s does not say that it encrypts by %s", p.name, suite)
	}
}

// waitHeard waits until the phone has recorded d of its nth call.
func (p *softphone) waitHeard(nth int, d time.Duration) {
	p.t.Helper()
	const header = 100 // bytes of a WAV file that are no audio, at most
	eventually(p.t, fmt.Sprintf("%s hears %v of call %d", p.name, d, nth), func() bool {
		files, err := filepath.Glob(filepath.Join(p.dir, "dump-*-dec.wav"))
		if err != nil || len(files) < nth {
			return false
		}
		info, err := os.Stat(files[nth-1])
		return err == nil && info.Size() > header+int64(d.Seconds()*media.SampleRate)*2
	})
}

// An agent whose phone must encrypt talks with a caller who cannot (RFC 4568):
// what is encrypted on one side is heard in the clear on the other.
func TestSRTP_AgentEncryptsCallerDoesNot(t *testing.T) {
	t.Parallel()
	s := newServer(t, newSite(t), secureAgent)
	before := s.footprint()
	anna := s.securePhone(900)
	c := s.call("+48600100200", "+48221234567", 500)
	anna.wait("talks", "CALL_ESTABLISHED")
	c.waitAnswered()
	c.waitTone("the caller hears the agent", 900, time.Second)
	c.wantOnly(500*time.Millisecond, 900, calmHertz, 500)
	anna.waitHeard(1, time.Second)
	c.hangUp()
	c.waitOver()
	anna.wait("hangs up", "CALL_CLOSED")
	s.waitLog("leg ended", "srtp", "AEAD_AES_128_GCM")
	anna.wantSecured("AEAD_AES_128_GCM")
	heard := anna.recordings()
	if len(heard) != 1 {
		t.Fatalf("%d recordings of one call", len(heard))
	}
	wantOnly(t, heard[0], 8000, 500, calmHertz, 900)
	s.waitFootprint(before)
}

// Both sides encrypt, each with keys of its own.
func TestSRTP_BothEncrypt(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	s := newServer(t, site, secureAgent)
	anna := s.securePhone(900)
	caller := newSoftphone(t, site, "caller", 500, fmt.Sprintf(
		`<sip:+48600100200@%s>;outbound="sip:%v";regint=0;audio_codecs=PCMA;mediaenc=srtp-mand`, domain, s.sip))
	caller.command("dial", fmt.Sprintf("sip:+48221234568@%s", domain))
	caller.wait("talks", "CALL_ESTABLISHED")
	anna.waitHeard(1, time.Second)
	caller.waitHeard(1, time.Second)
	caller.hangUp()
	anna.wait("hangs up", "CALL_CLOSED")
	eventually(t, "both legs ended encrypted", func() bool {
		return len(s.log("leg ended", "srtp", "AEAD_AES_128_GCM"))+len(s.log("leg ended", "srtp", "AES_CM_128_HMAC_SHA1_80")) == 2
	})
	for _, p := range []struct {
		*softphone
		hears, says float64
	}{{anna, 500, 900}, {caller, 900, 500}} {
		p.wantSecured("A")
		heard := p.recordings()
		if len(heard) != 1 {
			t.Fatalf("%s: %d recordings of one call", p.name, len(heard))
		}
		wantOnly(t, heard[0], 8000, p.hears, calmHertz, p.says)
	}
}

// An agent's policy holds for the calls that they make, too: those of a phone
// that does not encrypt are refused, others are heard on both sides.
func TestSRTP_AgentCalls(t *testing.T) {
	t.Parallel()
	secret := strings.Replace(office, `sip_password: anna-secret-1}`, `sip_password: anna-secret-1, srtp: required}`, 1)
	s := newServer(t, newSite(t), secret)
	plain := s.softphone("anna", "anna-secret-1", "udp", "manual", 700)
	plain.dial("102")
	if e := plain.wait("is refused", "CALL_CLOSED"); !strings.Contains(e.Param, "488") {
		t.Errorf("refused with %q", e.Param)
	}
	plain.end()

	anna := s.tlsPhone(900, "srtp-mand")
	bartek := s.softphone("bartek", "bartek-secret-1", "udp", "auto", 500)
	anna.dial("102")
	anna.wait("talks", "CALL_ESTABLISHED")
	bartek.wait("talks", "CALL_ESTABLISHED")
	anna.waitHeard(1, time.Second)
	bartek.waitHeard(1, time.Second)
	bartek.hangUp()
	anna.wait("hangs up", "CALL_CLOSED")
	anna.wantSecured("A")
	anna.heardOnly(500, 900)
	bartek.heardOnly(900, 500)
}

// Where audio must be encrypted a plain call is refused: the caller's with 488,
// the agent's phone is not connected and the caller goes on waiting.
func TestSRTP_PlainIsRefused(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	s := newServer(t, site, secureAgent)
	plain := newSoftphone(t, site, "caller", 500, fmt.Sprintf(
		`<sip:+48600100201@%s>;outbound="sip:%v";regint=0;audio_codecs=PCMA`, domain, s.sip))
	plain.command("dial", fmt.Sprintf("sip:+48221234568@%s", domain))
	if e := plain.wait("is refused", "CALL_CLOSED"); !strings.Contains(e.Param, "488") {
		t.Errorf("refused with %q", e.Param)
	}

	anna := s.softphone("anna", "anna-secret-1", "udp", "auto", 900)
	c := s.call("+48600100200", "+48221234567", 500)
	c.waitAnswered()
	c.waitTone("music, since the phone cannot be connected", calmHertz, 500*time.Millisecond)
	s.waitLog("offer failed", "agent", "anna", "code", "488")
	c.wantOnly(500*time.Millisecond, calmHertz, 900)
	anna.end()
	c.hangUp()
	c.waitOver()
}
